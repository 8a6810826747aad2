"""One page a type of road: its words, its figures, typical tiles, and where it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import pandas as pd

from geo.outputs.names import looks_of
from geo.outputs.palette import UNKNOWN
from geo.outputs.qgis.layouts.expressions import BREAK, breakable, by_number, literal, shown
from geo.outputs.qgis.layouts.pages import Box, Shown, fitted, scale_step
from geo.outputs.qgis.tables import PREFIX
from geo.outputs.verdicts import all_collisions_verdict, tested
from geo.outputs.wording import (
    ALL_ROADS,
    OTHERS,
    figure,
    interval,
    number,
    shorten,
    untold,
    verdict,
    where_like,
)
from geo.safety.rates import OUTCOME_NAMES, Outcome

NAME = "Types of road (one page each)"
BOX: Box = (138, 25, 149, 168)
_TILE, _GAP = 39, 2.5
"""Width of a picture of a tile, and what lies between two (mm)."""
PLACES: tuple[Box, ...] = tuple(
    (10 + column * (_TILE + _GAP), 109 + row * (_TILE + _GAP), _TILE, _TILE)
    for row in range(2)
    for column in range(3)
)
"""Of pictures of typical tiles."""
NO_PICTURES = "The GeoPackage holds no pictures of tiles of this type."
_SHOWN = 300
"""Characters of a note that are shown."""
_SIZES = ((9.5, 64, 19), (8.5, 72, 21), (7.5, 82, 24), (6.5, 92, 27), (5.5, 108, 32))
"""Of the letters of facts (points), with how many of them a line has, and how many lines there is room for."""


@dataclass(frozen=True, slots=True)
class Types:
    """What the layout of one page a type is made of: layers, and expressions for its texts."""

    layer: Shown
    streets: Shown
    title: str
    colour: str
    facts: str
    size: float
    pictured: str
    pictures: list[tuple[str, Box, str]]
    extent: Box
    unit: str
    step: float
    page_name: str
    name: str = NAME
    box: Box = BOX


def types_of(layers: Mapping[str, pd.DataFrame], refs: Mapping[str, Shown], view: Box) -> Types:
    """Lay the pages of the types out.

    Parameters
    ----------
    layers
        The frames that are written, by the name of their layer.
    refs
        Layers of the project, by table.
    view
        Where segments have a type (city's CRS, metres).
    """
    clusters = layers["clusters"]
    looks = looks_of(clusters)
    titles = {cluster: breakable(title) for cluster, (title, _) in looks.items()}
    extent = fitted(view, BOX)
    unit, step = scale_step(extent, BOX)
    there = set(layers["tiles"].loc[layers["tiles"]["thumbnail"].notna(), "tile_id"])
    shown_of = {
        int(row["cluster"]): "Typical tiles" if there & set(_tiles(row["prototype_tiles"])) else NO_PICTURES
        for row in clusters.to_dict("records")
    }
    of_all = tested(layers.get("tests"), ALL_ROADS, "collisions").drop_duplicates("cluster")
    by_all = {int(row["cluster"]): all_collisions_verdict(row) for row in of_all.to_dict("records")}
    facts = {
        int(row["cluster"]): "\n\n".join(_facts(row, by_all.get(int(row["cluster"]), "")))
        for row in clusters.to_dict("records")
    }
    return Types(
        layer=refs["clusters"],
        streets=refs["segments"],
        title=shown(by_number("cluster", titles, "'Type ' || \"cluster\"")),
        colour=by_number("cluster", {n: one.colour for n, (_, one) in looks.items()}, literal(UNKNOWN)),
        facts=shown(by_number("cluster", facts, literal("Not known"))),
        size=_size(facts.values()),
        pictured=shown(by_number("cluster", shown_of, literal(NO_PICTURES))),
        pictures=[(f"tile-{n}", box, _picture(n)) for n, box in enumerate(PLACES)],
        extent=extent,
        unit=unit,
        step=step,
        page_name="'type ' || \"cluster\"",
    )


def _size(texts: Iterable[str]) -> float:
    """Choose letters in which the longest text has room (points)."""
    # a long word may end a line where it is cut
    parts = [text.replace(BREAK, " ").split("\n") for text in texts]

    def fit(letters: int, room: int) -> bool:
        return all(sum(max(1, len(wrap(line, letters))) for line in lines) <= room for lines in parts)

    return next((size for size, letters, room in _SIZES if fit(letters, room)), _SIZES[-1][0])


def _tiles(listed: Any) -> list[str]:  # noqa: ANN401 - a cell
    """List the typical tiles of a type."""
    return [] if pd.isna(listed) else str(listed).split(";")[: len(PLACES)]


def _picture(place: int) -> str:
    """Write the expression for the picture of a typical tile; NULL where there is none at this place."""
    tile = f"array_get(string_to_array(\"prototype_tiles\", ';'), {place})"
    return f"'base64:' || to_base64(attribute(get_feature('{PREFIX}tiles', 'tile_id', {tile}), 'thumbnail'))"


def _facts(row: Mapping[Any, Any], by_all: str) -> list[str]:
    """Write what is known of a type, a paragraph each, in the words of the report."""
    outcome: Outcome = "ksi" if row.get("outcome") == "ksi" else "collisions"
    n_untold = untold(number(row.get("n_severity_unknown")), number(row["n_collisions"]))
    pooled = number(row.get("rate_ratio_pooled_low")), number(row.get("rate_ratio_pooled_high"))
    low, high = (number(row.get(f"rate_ratio_adjusted_{end}")) for end in ("low", "high"))
    others = OTHERS + where_like(row.get("interval"))
    counted = f"Collisions: {_figure(row, 'n_collisions')}; killed or seriously injured (KSI): {_figure(row, 'n_ksi')}"
    told = (
        ""
        if pd.isna(row.get("words"))
        else f"Looks most like (automatic): {shorten(str(row['words']), _SHOWN)}",
        "" if pd.isna(row.get("note")) else f"Note: {shorten(str(row['note']), _SHOWN)}",
        f"{_figure(row, 'n_segments')} segments, {_figure(row, 'length_km')} km",
        counted + (n_untold and f" ({n_untold})"),
        _rate(row, outcome),
        by_all if outcome == "ksi" else "",
        verdict(low, high, number(row.get("q_value")), outcome, others, regrouped=pooled),
        f"How surely other samples of roads find it (1: always): {_figure(row, 'found_again')}",
    )
    return [breakable(one) for one in told if one]


def _rate(row: Mapping[Any, Any], outcome: Outcome) -> str:
    """Write the rate of a type with its interval, which is of the count alone."""
    rate = f"{outcome}_per_km_year"
    ends = ("low", "high") if outcome == "ksi" else (f"{rate}_low", f"{rate}_high")
    low, high = (number(row.get(end)) for end in ends)
    name = OUTCOME_NAMES[outcome]
    limits = f"{interval(low, high)}; of the count alone"
    return f"{name[:1].upper()}{name[1:]} per km and year: {_figure(row, rate)} ({limits})"


def _figure(row: Mapping[Any, Any], column: str) -> str:
    return figure(number(row.get(column)), 2 if "per" in column or column == "found_again" else 3)
