"""The reference of a city's file, written from the configuration itself: ``python -m geo.config.reference``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from geo.config import CityConfig

HEAD = """# A city's file

Every key of a city's YAML file, with its unit and default. Relative paths start at the file's own folder; `${NAME}` is
taken from the environment; any key can be set for one run with `--set section.key=value`. This page is written by
`python -m geo.config.reference > docs/city-file.md`.
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
        inner = _inner(field)
        if inner is not None:
            below.append((key if title == "At the top" else f"{title.strip('`')}.{key}", inner))
        text = field.description or f"See `{key}` below."
        yield f"| `{key}` | {_default(field)} | {text} |\n"
    for key, inner in below:
        yield from _section(f"`{key}`", inner)


def _inner(field: FieldInfo) -> type[BaseModel] | None:
    """Find the section that a field holds, if it holds one."""
    kinds = (field.annotation, *get_args(field.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _default(field: FieldInfo) -> str:
    default: Any = field.default
    if default is PydanticUndefined:
        return "required"
    if isinstance(default, BaseModel) or default in ("", None, []):
        return ""
    return f"`{list(default) if isinstance(default, tuple) else default}`"


if __name__ == "__main__":
    sys.stdout.write(reference())
