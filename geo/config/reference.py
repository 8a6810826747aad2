"""The reference of a city's file, written from the configuration itself: ``python -m geo.config.reference``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from geo.config import CityConfig
from geo.config.section import NO_EFFECT, sections

HEAD = """# A city's file

Every key of a city's YAML file, with its unit and default. Relative paths start at the file's own folder; `${NAME}` is
taken from the environment; any key can be set for one run with `--set section.key=value`. This page is written by
`python -m geo.config.reference > docs/city-file.md`. A key or section marked ○ changes no result: nothing is computed
anew for it.
"""


def reference() -> str:
    """Write the page, in Markdown."""
    return HEAD + "".join(_section("At the top", CityConfig))


def _section(title: str, model: type[BaseModel]) -> Iterator[str]:
    """Write a table of a section's keys, then the sections below it."""
    below: list[tuple[str, type[BaseModel]]] = []
    meaning = (model.__doc__ or "").strip().splitlines()[0]
    yield f"\n## {title}\n\n{meaning}\n\n| key | default | meaning |\n|---|---|---|\n"
    for name, field in model.model_fields.items():
        key = field.alias or name
        path = key if title == "At the top" else f"{title.strip('`')}.{key}"
        below += [(path, inner) for inner in sections(field)]
        text = field.description or f"See `{key}` below."
        mark = " ○" if NO_EFFECT in field.metadata else ""
        yield f"| `{key}`{mark} | {_default(field)} | {text} |\n"
    for key, inner in below:
        yield from _section(f"`{key}`", inner)


def _default(field: FieldInfo) -> str:
    default: Any = field.default
    if default is PydanticUndefined:
        return "required"
    if isinstance(default, BaseModel) or default in ("", None, []):
        return ""
    return f"`{list(default) if isinstance(default, tuple) else default}`"


if __name__ == "__main__":
    sys.stdout.write(reference())
