"""What every section of a city's file is made of, and what can be told of its keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, get_args

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


def leaf_keys(model: type[BaseModel]) -> tuple[str, ...]:
    """List the keys that hold values and no section, dotted (``tiles.tile_m``), as they stand in a city's file.

    Of a key that may hold sections of several kinds, the keys of all of them.
    """
    return tuple(dict.fromkeys(key for key, _ in _leaves(model)))


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
