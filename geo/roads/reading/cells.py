"""Cells that hold more than one value: lists, real ones or written out, and structures with a path into them."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_BARE = r"[^\s,'\"\[\]{}()]+"
_ITEM = re.compile(f"{_QUOTED}|{_BARE}")
_LIST = re.compile(rf"[\[(]\s*(?:(?:{_QUOTED}|{_BARE})\s*,?\s*)*[\])]")
_WORDS = re.compile(rf"[\[(]\s*{_BARE}\s+{_BARE}.*")
_COUNTED = re.compile(r"\(\d+:(.*)\)")
"""A list as GDAL writes it into a column of text: ``(2:residential,tertiary)``."""
_SET = re.compile(r"\{([^{}:]*)\}")
"""A list as PostgreSQL writes it: ``{residential,tertiary}``."""
_LOOKED_AT = 1000
_NOTHING = {"nan", "none", "null", "na", "<na>"}


def members(text: str, *, also_semicolons: bool = False) -> list[str] | None:
    """Take a list apart that is written out as text; None where it is none.

    Parameters
    ----------
    text
        As Python, JSON, numpy, GDAL or PostgreSQL write lists of plain values.
    also_semicolons
        Also take apart what semicolons part, as in OpenStreetMap's tags.

    Examples
    --------
    >>> members("['residential', 'tertiary']"), members('["A1", null]'), members("[123, 456]"), members("Mill Lane")
    (['residential', 'tertiary'], ['A1'], ['123', '456'], None)
    """
    plain = text.strip()
    counted = _COUNTED.fullmatch(plain) or _SET.fullmatch(plain)
    if counted is not None:
        found = [_unquoted(part.strip()) for part in counted[1].split(",")]
    elif _LIST.fullmatch(plain) and _is_written_list(plain):
        found = [_unquoted(item) for item in _ITEM.findall(plain[1:-1])]
    elif also_semicolons and ";" in plain:
        found = [part.strip() for part in plain.split(";")]
    else:
        return None
    return [each for each in found if each and each.casefold() not in _NOTHING]


def _is_written_list(text: str) -> bool:
    """Tell a list from words in brackets, such as ``[no name]``: its words have quotes or commas between them."""
    if text.startswith("(") and "'" not in text and '"' not in text:
        return False
    return not _WORDS.fullmatch(text) or "," in text


def _unquoted(item: str) -> str:
    """Take the quotes off a value."""
    if item[:1] not in {"'", '"'}:
        return item
    try:
        return str(ast.literal_eval(item)).strip()
    except (SyntaxError, ValueError):
        return item[1:-1].strip()


def is_structure(value: object) -> bool:
    """Tell a structure: a mapping, a list of mappings or of pairs, or one of these written out."""
    if isinstance(value, str):
        return value.lstrip()[:1] in {"{", "["} and is_structure(_written_out(value))
    if isinstance(value, list | tuple | np.ndarray):
        return any(isinstance(each, Mapping | list | tuple | np.ndarray) for each in value)
    return isinstance(value, Mapping)


def _written_out(text: str) -> object:
    """Read a structure that is written out as JSON or as Python writes it; None where it is neither."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def structure(value: object) -> Any:  # noqa: ANN401 - whatever a cell holds
    """Read a cell as a structure, of a text what is written out in it; None where it is none."""
    if isinstance(value, str):
        return _written_out(value) if value.lstrip()[:1] in {"{", "["} else None
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value if isinstance(value, Mapping | list | tuple) else None


def at_path(values: pd.Series, path: Iterable[str]) -> pd.Series:
    """Follow a path into structures.

    Parameters
    ----------
    values
        Structures, or texts in which they are written out.
    path
        Names of members, or places in lists, counted from 0: ``names``, ``primary``.

    Returns
    -------
    What stands there; null where there is nothing.
    """
    steps = list(path)
    found = [_follow(structure(value), steps) for value in values]
    return pd.Series(found, index=values.index, dtype=object)


def has_path(values: pd.Series, path: Iterable[str]) -> bool:
    """Tell whether a path leads anywhere in any of the structures, be it to nothing."""
    *steps, last = path
    for value in values:
        above = _follow(structure(value), steps)
        pairs = _as_mapping(above)
        if (isinstance(pairs, Mapping) and last in pairs) or (
            isinstance(pairs, list | tuple) and last.isdigit()
        ):
            return True
    return False


def paths_in(values: pd.Series, lead: str) -> list[str]:
    """List the paths within the structures of a column."""
    return list(
        dict.fromkeys(
            path for value in values.dropna().head(_LOOKED_AT) for path in paths_within(value, lead)
        )
    )


def _as_mapping(value: Any) -> Any:  # noqa: ANN401 - whatever a cell holds
    """Take pairs for the map that they come from in Parquet."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple) and value and all(_is_pair(each) for each in value):
        return dict(value)
    return value


def _follow(value: Any, steps: list[str]) -> object:  # noqa: ANN401 - whatever a cell holds
    for step in steps:
        value = _as_mapping(value)
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list | tuple) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)


def paths_within(value: object, lead: str) -> list[str]:
    """List the paths to plain values within a structure, as they would be written in the city's file."""
    value = structure(value)
    if isinstance(value, Mapping):
        below = [(str(name), each) for name, each in value.items()]
    elif isinstance(value, list | tuple):
        below = [(str(place), each) for place, each in enumerate(value[:1])]
    else:
        return []
    found: list[str] = []
    for name, each in below:
        deeper = paths_within(each, f"{lead}.{name}")
        found += deeper or [f"{lead}.{name}"]
    return found


def as_text(value: object) -> object:
    """Write a cell that is no text as text, where pandas would not or not well; lists of plain values by semicolons."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping) or (isinstance(value, list | tuple) and is_structure(value)):
        return str(_plain(value))
    if isinstance(value, list | tuple | set | frozenset):
        return ";".join(str(each) for each in value if not _is_nothing(each))
    return value


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a cell holds
    """Take arrays within a structure for lists."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _is_nothing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))
