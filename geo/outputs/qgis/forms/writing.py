"""Forms, tables and actions written into the QGIS styles of layers, fitted to the columns and figures in them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import jinja2
import numpy as np
import pandas as pd
from pandas.api import types

from geo.outputs.layers.arrange import names_written
from geo.outputs.layers.ground import CLASSES
from geo.outputs.layers.ground_words import titles, titles_of
from geo.outputs.layers.layers import LAYERS
from geo.outputs.qgis.forms.actions import ACTIONS
from geo.outputs.qgis.forms.shorts import short_titles
from geo.outputs.qgis.forms.tabs import SHOWN, columns_of_table, pages
from geo.outputs.qgis.ground import boxes_of
from geo.outputs.qgis.tables import NOT_XML, PREFIX, Style
from geo.outputs.templates import templates
from geo.outputs.wording import NOT_APART, severity_words
from geo.sources.columns import PREFIX as CARRIED

GROUND_TAB = "Ground beside it"
_YES_NO = (("true", "yes"), ("false", "no"), ("{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}", "not known"))
"""What a form says of yes, no, and what QGIS writes for no value (its constant VALUEMAP_NULL_TEXT)."""
_PROBABILITY, _MOST = 4, 4
"""Decimals of p and q values, and of any other figure at most."""
_FIGURES = 3
"""So many figures of the middle one of a column are shown, one fewer where it is below 1."""
_WIDTHS, _NARROW, _LETTER = {"text": 130, "datetime": 130}, 60, 7
"""Widths of columns of a table by kind, of others, and of a letter of their titles (pixels)."""
_LEAST = 1e4
"""What figures may grow to, at the least."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column as QGIS shows it: its kind, its titles, the decimals of its figures, and how large they may be."""

    name: str
    kind: str
    short: str
    long: str
    places: int
    limit: float


def with_forms(styles: Sequence[Style], layers: Mapping[str, pd.DataFrame]) -> list[Style]:
    """Give styles the form, the table and the actions of their layer.

    Parameters
    ----------
    styles
        Of all layers, as their templates write them.
    layers
        The frames that are written, by the name of their layer.
    """
    blocks = {name: _block(name, layers) for name in {style.layer for style in styles}}
    return [replace(style, qml=_put_in(style.qml, blocks[style.layer])) for style in styles]


def _put_in(qml: str, block: str) -> str:
    """Put a block in the place of the plain widgets and titles that a template writes."""
    before, _, rest = qml.partition("<fieldConfiguration>")
    return before + block + rest.rpartition("</aliases>")[2]


def fields_of(name: str, layers: Mapping[str, pd.DataFrame]) -> list[Field]:
    """Describe the columns of a layer as they are written.

    Parameters
    ----------
    name
        Of the layer.
    layers
        The frames that are written, by the name of their layer.
    """
    frame, declared = layers[name], {column.name: column for column in LAYERS[name].columns}
    names = names_written(name, frame)
    slight = severity_words(layers["segments"])["slight"]
    long = {
        one: _titled(declared[one].alias, slight) if one in declared else one.removeprefix(CARRIED)
        for one in names
    }
    long |= titles(names, titles_of(layers[CLASSES])) if CLASSES in layers else {}
    short = short_titles(long)
    found: list[Field] = []
    for one in names:
        kind = declared[one].kind if one in declared else _kind(frame, one)
        places, limit = _figures(one, frame) if kind == "real" else (0, 0)
        found.append(Field(one, kind, short[one], long[one], places, limit))
    return found


def titles_of_columns(name: str, layers: Mapping[str, pd.DataFrame]) -> dict[str, tuple[str, str]]:
    """Give the short and the long title of each column of a layer, see `fields_of`."""
    return {field.name: (field.short, field.long) for field in fields_of(name, layers)}


def _titled(alias: str, slight: str) -> str:
    """Call counts of slight collisions by what the records mean by it."""
    if slight == NOT_APART and alias.startswith("Slight collisions"):
        return alias.replace("Slight collisions", f"Collisions with {slight}", 1)
    return alias


def _kind(frame: pd.DataFrame, name: str) -> str:
    """Tell the kind of a column that is not declared."""
    if name not in frame:
        return "text"
    if types.is_bool_dtype(frame[name].dtype):
        return "boolean"
    return "real" if types.is_float_dtype(frame[name].dtype) else "text"


def _figures(name: str, frame: pd.DataFrame) -> tuple[int, float]:
    """Give the decimals that a column is shown with, and a power of ten that its figures are far below.

    Decimals are those of `_FIGURES` figures of its middle value that is not 0.
    """
    values = pd.to_numeric(frame[name], errors="coerce") if name in frame else pd.Series(dtype="float64")
    sizes = np.abs(values.to_numpy(dtype=np.float64, na_value=np.nan))
    sizes = sizes[np.isfinite(sizes) & (sizes != 0)]
    if not len(sizes):
        return 2, _LEAST
    # QGIS makes a field as wide as the greatest figure that may stand there, and cuts greater ones
    limit = max(_LEAST, 10.0 ** (math.ceil(math.log10(float(sizes.max()))) + 1))
    if re.search(r"(^|_)[pq]_value", name):
        return _PROBABILITY, limit
    before = math.floor(math.log10(float(np.median(sizes)))) + 1
    whole = bool((sizes == np.round(sizes)).all())
    places = _FIGURES - before if before > 0 else _FIGURES - 1 - before
    return 0 if whole else min(max(places, 0), _MOST), limit


def _block(name: str, layers: Mapping[str, pd.DataFrame]) -> str:
    """Write the part of a style that says how rows are shown."""
    fields = fields_of(name, layers)
    names = [field.name for field in fields]
    shown = SHOWN.get(name)
    laid, table, sort, falling = [], {}, "", False
    if shown is not None:
        boxes = boxes_of(titles(names, titles_of(layers[CLASSES]))) if CLASSES in layers else []
        laid = pages(shown, names, others=dict(boxes), other=GROUND_TAB)
        told = {field.name: field for field in fields}
        wanted = columns_of_table(shown, names, rate=_rate(name, layers[name]))
        table = {one: _width(told[one]) for one in wanted}
        sort, falling = shown.sort, shown.falling
    text = (
        templates_of_forms()
        .get_template("forms.xml")
        .render(
            fields=fields,
            yes_no=_YES_NO,
            pages=laid,
            prefix=PREFIX,
            table=table,
            sort=sort,
            falling=falling,
            actions=ACTIONS.get(name, ()),
        )
    )
    return NOT_XML.sub("", text)


def _width(field: Field) -> int:
    """Give the width of a column in a table, so that its title can be read (pixels)."""
    return max(_WIDTHS.get(field.kind, _NARROW), len(field.short) * _LETTER + _NARROW // 2)


def _rate(name: str, frame: pd.DataFrame) -> str:
    """Name the rate that a table shows: that of KSI where it is known."""
    per = "year" if name == "junctions" else "km_year"
    known = "n_ksi" in frame and bool(frame["n_ksi"].notna().any())
    return f"{'ksi' if known else 'collisions'}_per_{per}"


@cache
def templates_of_forms() -> jinja2.Environment:
    """Give the templates of styles."""
    return templates("geo.outputs.qgis", "templates")
