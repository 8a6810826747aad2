"""The reference of a city's file, written from the configuration itself: ``python -m geo.config.reference``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Literal, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from geo.config import CityConfig
from geo.config.kinds import is_of_kinds
from geo.config.section import NO_EFFECT, sections

HEAD = """# A city's file

Every key of a city's YAML file, with its unit and default. Relative paths start at the file's own folder; `${NAME}` is
taken from the environment; any key can be set for one run with `--set section.key=value`. Text is what stands there,
with or without quotes: `no`, `01` or `27700` is a code, a column or a CRS where one is meant, and a number or `false`
elsewhere. One value will do where a list of one is meant. This page is written by
`python -m geo.config.reference > docs/city-file.md`. A key or section marked ○ changes no result: nothing is computed
anew for it.
"""


def reference() -> str:
    """Write the page, in Markdown."""
    return HEAD + "".join(_section("At the top", CityConfig))


def _section(title: str, model: type[BaseModel]) -> Iterator[str]:
    """Write a table of a section's keys, then the sections below it."""
    yield f"\n## {title}\n\n{_meaning(model)}\n"
    yield from _table(model, list(model.model_fields))
    above = "" if title == "At the top" else f"{title.strip('`')}."
    for name, field in model.model_fields.items():
        path = f"`{above}{field.alias or name}`"
        kinds = sections(field)
        if is_of_kinds(field):
            yield from _kinds(path, kinds)
        else:
            for kind in kinds:
                yield from _section(path, kind)


def _kinds(title: str, kinds: tuple[type[BaseModel], ...]) -> Iterator[str]:
    """Write the keys that all kinds of a section have, then for each kind what it is, and its own keys."""
    # what they are made from in the configuration itself
    shared: type[BaseModel] = next(b for b in kinds[0].__mro__ if b.__module__.startswith("geo.config."))
    yield f"\n## {title}\n\n{_meaning(shared)} Of several kinds, whose own keys follow.\n"
    yield from _table(shared, list(shared.model_fields))
    for name, field in shared.model_fields.items():
        for below in sections(field) if not is_of_kinds(field) else ():
            yield from _section(f"`{title.strip('`')}.{name}`", below)
    for kind in kinds:
        own = [name for name in kind.model_fields if _differs(kind, shared, name)]
        yield f"\n### {title} of `{getattr(kind, 'form', kind.__name__)}`\n\n{_meaning(kind)}\n"
        if own:
            yield from _table(kind, own)
        for name in own:
            for below in sections(kind.model_fields[name]):
                yield from _section(f"`{title.strip('`')}.{name}`", below)


def _differs(kind: type[BaseModel], shared: type[BaseModel], name: str) -> bool:
    """Say whether a kind has a key alone, or with a default that others have not; the key that names it is known."""
    if name not in shared.model_fields:
        return True
    field, usual = kind.model_fields[name], shared.model_fields[name]
    names_it = field.is_required() or get_origin(field.annotation) is Literal
    return bool(field.default != usual.default) and not names_it


def _table(model: type[BaseModel], names: list[str]) -> Iterator[str]:
    """Write a table of keys."""
    yield "\n| key | default | meaning |\n|---|---|---|\n"
    for name in names:
        field = model.model_fields[name]
        key = field.alias or name
        mark = " ○" if NO_EFFECT in field.metadata else ""
        yield f"| `{key}`{mark} | {_default(field)} | {field.description or f'See `{key}` below.'} |\n"


def _meaning(model: type[BaseModel]) -> str:
    """Give the first sentence of a section's documentation."""
    return (model.__doc__ or "").strip().splitlines()[0]


def _default(field: FieldInfo) -> str:
    default: Any = field.default
    if default is PydanticUndefined:
        return "required"
    if isinstance(default, BaseModel) or default in ("", None, [], {}):
        return ""
    return f"`{list(default) if isinstance(default, tuple) else default}`"


if __name__ == "__main__":
    sys.stdout.write(reference())
