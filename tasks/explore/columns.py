"""Columns of segments as the page shows them: what they are called, of which kind, and their values in row order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from geo.outputs.layers.ground import CLASSES
from geo.outputs.layers.ground_words import titles, titles_of
from geo.outputs.layers.layers import LAYERS
from geo.outputs.wording import NOT_APART, severity_words, shorten
from geo.sources.columns import PREFIX
from tasks.explore.outcome import OUTCOME
from tasks.explore.page import Page

MOST_WORDS = 60
"""A column of text with more values than this is no class to colour by."""
OF_TYPES = ("cluster", "cluster_second", "cluster_found", "cluster_baseline")
"""Whole numbers that are names of types, and no amounts."""
_ALWAYS = ("name",)
_NEVER = ("segment_id", "u", "v", "source_ids", "looks_like", "shown_tile", "traffic_points")
_UNITS = {
    "m": "m",
    "years": "years",
    "number": "",
    "yes or no": "",
    "million vehicle-km": "million vehicle-km",
    "per day, yearly average": "per day",
    "motor vehicles per day, yearly average": "motor vehicles per day",
}
"""What stands in brackets at the end of a title and is a unit, as the page writes it."""
_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Described:
    """What the page is told of a column.

    Attributes
    ----------
    name
        In the run's layer.
    title, unit
        As QGIS shows them, the unit apart.
    kind
        ``number``, ``words`` or ``flag``.
    outcome
        Whether it tells of collisions.
    least, most
        Of a number; None: it is none, or none is finite.
    classes
        Values of words, the most frequent first; None: it has none.
    """

    name: str
    title: str
    unit: str
    kind: str
    outcome: bool
    least: float | None = None
    most: float | None = None
    classes: tuple[str, ...] | None = None

    def told(self, *, blind: bool) -> dict[str, Any]:
        """Lay it out; where collisions are not to be told of, without what values there are."""
        said = asdict(self)
        return said | {"least": None, "most": None, "classes": None} if blind and self.outcome else said


def described(page: Page) -> list[Described]:
    """Describe the columns of segments that anything is known of, in the order of the layer.

    Parameters
    ----------
    page
        The page.
    """
    return page.once("columns", lambda: list(_described(page)))


def _described(page: Page) -> Iterator[Described]:
    segments = page.segments
    called = _titles(page)
    frame = segments.drop(columns=segments.geometry.name)
    for name in map(str, frame.columns):
        values = frame[name]
        if name in _NEVER or not values.notna().any():
            continue
        title, unit = _split(called.get(name, name))
        shown, outcome = shorten(title), name in OUTCOME
        if pd.api.types.is_bool_dtype(values.dtype):
            yield Described(name, shown, unit, "flag", outcome)
        elif pd.api.types.is_numeric_dtype(values.dtype) and name not in OF_TYPES:
            known = values.to_numpy(dtype=np.float64, na_value=np.nan)
            known = known[np.isfinite(known)]
            ends = (float(known.min()), float(known.max())) if len(known) else (None, None)
            yield Described(name, shown, unit, "number", outcome, *ends)
        else:
            counts = values.astype("string").value_counts()
            if name in _ALWAYS or name in OF_TYPES or len(counts) <= MOST_WORDS:
                classes = tuple(map(str, counts.index[:MOST_WORDS]))
                yield Described(name, shown, unit, "words", outcome, classes=classes)


def _titles(page: Page) -> dict[str, str]:
    """Give what columns are called."""
    segments = page.segments
    found = {column.name: column.alias for column in LAYERS["segments"].columns}
    if page.has(CLASSES):
        found |= titles(map(str, segments.columns), titles_of(page.layer(CLASSES)))
    slight = severity_words(segments)["slight"]
    if slight == NOT_APART:
        found["n_slight"] = f"Collisions with {slight}"
    of_source = [str(name) for name in segments.columns if str(name).startswith(PREFIX)]
    return found | {name: f"Source: {name.removeprefix(PREFIX)}" for name in of_source}


def _split(title: str) -> tuple[str, str]:
    """Part a title from its unit."""
    begin, bracket, end = title.rpartition(" (")
    if bracket and end.endswith(")") and end[:-1] in _UNITS:
        return begin, _UNITS[end[:-1]]
    return title, ""


def values_as_json(values: pd.Series) -> bytes:
    """Write the values of a column as a list, in row order; null: not known, or without a limit.

    Parameters
    ----------
    values
        Of all segments. Numbers are written with seven digits.
    """
    null = values.isna().to_numpy(dtype=bool)
    if pd.api.types.is_float_dtype(values.dtype):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        written = np.where(np.isfinite(numbers), np.char.mod(f"%.{_DIGITS}g", numbers), "null")
        return f"[{','.join(written.tolist())}]".encode()
    return json.dumps(
        values.astype(object).where(~null, None).tolist(), ensure_ascii=False, separators=(",", ":")
    ).encode(errors="replace")
