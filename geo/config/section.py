"""What every section of a city's file is made of, and what can be told of its keys."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Final, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

Metres = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _NoEffect:
    """What marks a key that changes no result."""

    def __repr__(self) -> str:
        return "NO_EFFECT"


NO_EFFECT: Final = _NoEffect()
"""Marks a key, or a whole section, that changes no result, so that nothing is computed anew for it:
``device: Annotated[str, NO_EFFECT]``."""


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@cache
def leaf_keys(model: type[BaseModel]) -> tuple[str, ...]:
    """List the keys that hold values and no section, dotted (``tiles.tile_m``), as they stand in a city's file.

    Of a key that may hold sections of several kinds, the keys of all of them.
    """
    return tuple(dict.fromkeys(key for key, _ in _leaves(model)))


@cache
def marked(model: type[BaseModel]) -> frozenset[str]:
    """Name the keys of `leaf_keys` that change no result, see `NO_EFFECT`."""
    return frozenset(key for key, idle in _leaves(model) if idle)


def sections(field: FieldInfo) -> tuple[type[BaseModel], ...]:
    """Find the sections that a field may hold: none, one, or one of each kind."""
    return tuple(dict.fromkeys(_sections(field.annotation)))


def _sections(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for part in get_args(annotation):
        yield from _sections(part)


def _leaves(model: type[BaseModel], *, idle: bool = False) -> Iterator[tuple[str, bool]]:
    """Give each key that holds a value, dotted, and whether it changes no result."""
    for name, field in model.model_fields.items():
        key, rests = field.alias or name, idle or NO_EFFECT in field.metadata
        below = sections(field)
        if not below:
            yield key, rests
        for kind in below:
            yield from ((f"{key}.{inner}", still) for inner, still in _leaves(kind, idle=rests))


def effective(config: Section, keys: Collection[str]) -> dict[str, Any]:
    """Give the values behind keys, plain as in a file.

    Parameters
    ----------
    config
        The configuration, or a section of it.
    keys
        Dotted keys; a section stands for all of its keys but those that change no result, which must be named
        themselves, and those that are named with a ``-`` before them.

    Raises
    ------
    KeyError
        When the configuration knows no such key.
    """
    known, idle = leaf_keys(type(config)), marked(type(config))
    plain = config.model_dump(mode="json", by_alias=True)
    found: dict[str, Any] = {}
    left_out = {key.removeprefix("-") for key in keys if key.startswith("-")}
    if unknown := left_out - {*known}:
        raise KeyError(*sorted(unknown))
    for key in (key for key in keys if not key.startswith("-")):
        below = [one for one in known if one.startswith(f"{key}.")]
        if not below and key not in known:
            raise KeyError(key)
        named = [one for one in below if one not in idle | left_out] if below else [key]
        found |= {one: _behind(plain, one) for one in named}
    return found


def without_idle(written: Mapping[str, Any], model: type[BaseModel], *, keep: str) -> dict[str, Any]:
    """Leave the keys that change no result out of a configuration as it was written.

    Parameters
    ----------
    written
        As read from a file, unchecked.
    model
        Model of the configuration, which says which keys change no result.
    keep
        Last word of keys that stay all the same.
    """
    idle = {key for key in marked(model) if key.rpartition(".")[2] != keep}
    return _pruned(written, idle, "")


def _pruned(written: Mapping[str, Any], idle: set[str], above: str) -> dict[str, Any]:
    """Copy a mapping without the keys of a set; a section that held nothing else goes too."""
    kept: dict[str, Any] = {}
    for name, value in written.items():
        key = f"{above}{name}"
        if key in idle:
            continue
        part = _pruned(value, idle, f"{key}.") if isinstance(value, Mapping) else value
        if part or not value:
            kept[name] = part
    return kept


def _behind(plain: Mapping[str, Any], key: str) -> object:
    """Find the value behind a dotted key; None where its section is of another kind, which lacks it."""
    here: Any = plain
    for name in key.split("."):
        if not isinstance(here, Mapping):
            return None
        here = here.get(name)
    return here
