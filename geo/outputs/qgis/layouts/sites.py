"""One page a road: what is known of each of the worst, with its map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from geo.errors import LayerError
from geo.outputs.harm import UNHURT, UNTOLD
from geo.outputs.names import legends_of, looks_of
from geo.outputs.palette import UNKNOWN
from geo.outputs.qgis.layouts.city import everywhere
from geo.outputs.qgis.layouts.expressions import (
    breakable,
    by_number,
    by_text,
    count,
    figure,
    lines,
    literal,
    name,
    probability,
    shown,
    time,
    with_limits,
)
from geo.outputs.qgis.layouts.legend import entries, plain
from geo.outputs.qgis.layouts.pages import Box, Shown, fitted
from geo.outputs.qgis.layouts.yearly import by_year
from geo.outputs.wording import NOT_APART, NOT_KNOWN, severity_words
from geo.safety.rates import OUTCOME_NAMES
from geo.safety.stretches.ranking import worst_stretches

NAME = "Worst roads (one page each)"
N_SITES = 20
"""Roads that have a page."""
USERS = {"pedestrian": "pedestrians", "cyclist": "cyclists", "motorcyclist": "motorcyclists"}
BOX: Box = (10, 27, 180, 155)
OVERVIEW: Box = (196, 151, 91, 45)
LEAST_M = 300
"""A map is at least so wide on the ground (m): of a shorter road the surroundings are seen as well."""
X, FIRST, OTHERS = 196.0, 24.0, 16.5
"""Of the table of years: where it begins, and how wide its first and each other column are (mm)."""
_RIM = 1.25
_NAME = "coalesce({}, {}, {}, 'unnamed road')"
_NOT_COUNTED = "Not counted for this road: see the layer of collisions"
_PREDICTED = '"per_km_year_predicted"'


@dataclass(frozen=True, slots=True)
class Sites:
    """What the layout of one page a road is made of: layers, and expressions for its texts."""

    layer: Shown
    streets: Shown
    collisions: Shown
    shown: list[Shown]
    extent: Box
    overview: Box
    title: str
    where: str
    facts: str
    type: str
    colour: str
    heading: str
    columns: list[tuple[str, str, float, float]]
    labels: list[tuple[int, str]]
    imagery: str
    filter: str
    sorted: str
    street: str
    window: dict[str, str]
    page_name: str
    name: str = NAME
    box: Box = BOX
    overview_box: Box = OVERVIEW


def listed(stretches: gpd.GeoDataFrame) -> list[str]:
    """Name the stretches that have a page, the worst first: those that the report lists; none without ranks."""
    try:
        return [str(one) for one in worst_stretches(stretches, N_SITES)["stretch_id"]]
    except LayerError:
        return []


def sites_of(
    layers: Mapping[str, pd.DataFrame],
    ids: Sequence[str],
    refs: Mapping[str, Shown],
    pictures: Sequence[Shown],
    collisions_qml: str,
    imagery: str,
) -> Sites:
    """Lay the pages of the worst roads out.

    Parameters
    ----------
    layers
        The frames that are written, by the name of their layer.
    ids
        Stretches that have a page, the worst first.
    refs
        Layers of the project, by table.
    pictures
        Layers of imagery, the topmost first.
    collisions_qml
        The style of collisions, for the legend.
    imagery
        What is said below the map of the picture, as the text of a label.
    """
    segments, stretches = gpd.GeoDataFrame(layers["segments"]), layers["stretches"]
    bounds = everywhere(segments)
    order = f"array({', '.join(literal(one) for one in ids)})"
    road = _NAME.format(name("name"), name("ref"), name("road_class"))
    ranked = int(stretches["expected_rank"].notna().sum())
    return Sites(
        layer=refs["stretches"],
        streets=refs["segments"],
        collisions=refs["collisions"],
        shown=[refs["collisions"], refs["stretches"], refs["segments"], *pictures],
        extent=fitted(bounds, BOX),
        overview=fitted(bounds, OVERVIEW),
        title=shown(f"@atlas_featurenumber || '. ' || {road}"),
        where=shown(_where()),
        facts=shown(lines(*_facts(stretches, ranked))),
        type=shown(_type(layers["clusters"])),
        colour=by_number("cluster", _colours(layers["clusters"]), literal(UNKNOWN)),
        heading=shown(f"'By year and severity (' || {count('n_collisions')} || ' in all)'"),
        columns=_columns(layers, ids),
        labels=_severities(layers, collisions_qml),
        imagery=shown(_unseen(segments, ids)) + imagery,
        filter=f'array_contains({order}, "stretch_id")',
        sorted=f'array_find({order}, "stretch_id")',
        street=f"coalesce({name('name', 60)}, {name('ref')}, '')",
        window=_window(),
        page_name=f'coalesce({name("name")}, "stretch_id")',
    )


def _where() -> str:
    """Say between which streets a road lies, of which class it is and how long."""
    start, end = name("from_street"), name("to_street")
    parts = [
        f"nullif(trim(coalesce('from ' || {start}, '') || coalesce(' to ' || {end}, '')), '')",
        'CASE WHEN "parts" > 1 THEN \'part \' || "part" || \' of \' || "parts" END',
        name("ref"),
        name("road_class"),
        "format_number(\"length_m\", 0) || ' m'",
    ]
    return f"array_to_string(array_filter(array({', '.join(parts)}), @element <> ''), ' · ')"


def _facts(stretches: pd.DataFrame, ranked: int) -> list[str]:
    """Write what is known of a road, a line each."""
    by = OUTCOME_NAMES["ksi" if stretches["rank_of"].dropna().eq("ksi").any() else "collisions"]
    untold = _beside("n_severity_unknown", "severity not known of")
    users = " || ', ' || ".join(
        f"'{said}: ' || {count(f'n_{user}_collisions')}" for user, said in USERS.items()
    )
    expected = with_limits("per_km_year_eb", "per_km_year_eb_low", "per_km_year_eb_high")
    return [
        f"'Rank by {by}: ' || @atlas_featurenumber || ' of {ranked} roads'",
        f"'with 95 % certainty between ' || {count('rank_low')} || ' and ' || {count('rank_high')}",
        f"'Probability of being among the worst 5 %: ' || {probability('p_worst_5_percent')}",
        f"'Collisions in ' || {time()} || ': ' || {count('n_collisions')}",
        f"'Killed or seriously injured (KSI): ' || {count('n_ksi')} || {untold}",
        f"'At junctions that it touches, in no rate: ' || {count('n_collisions_at_junctions')}",
        f"'With ' || {users} || {_beside('n_users_unknown', 'not told of')}",
        f"'{by[:1].upper()}{by[1:]} per km and year, with 95 % interval:'",
        f"'   to be expected (shrunk): ' || {expected}",
        f"'   as recorded: ' || {with_limits('per_km_year')}",
        f"'   of roads like it: ' || coalesce({figure(_PREDICTED)}, '{NOT_KNOWN}')",
    ]


def _beside(column: str, said: str) -> str:
    """Write in brackets of how many something is not known; nothing where it is of all."""
    return f"CASE WHEN \"{column}\" > 0 THEN ' ({said} ' || format_number(\"{column}\", 0) || ')' ELSE '' END"


def _type(clusters: pd.DataFrame) -> str:
    """Say of which type a road is by its look, and on how much of its length."""
    titles = {number: breakable(text) for number, text in legends_of(clusters).items()}
    share = "coalesce(' (' || format_number(100 * \"cluster_share\", 0) || ' % of its length)', '')"
    known = by_number("cluster", titles, "'Type ' || \"cluster\"")
    return f"coalesce({known} || {share}, 'No type: no imagery shows it, or it is like none of them')"


def _colours(clusters: pd.DataFrame) -> dict[int, str]:
    return {number: one.colour for number, (_, one) in looks_of(clusters).items()}


def _severities(layers: Mapping[str, pd.DataFrame], qml: str) -> list[tuple[int, str]]:
    """Choose what the legend of collisions says: place in the style and label."""
    collisions = layers["collisions"]
    words = severity_words(layers["segments"])
    left = (
        {words["serious"]}
        if words["slight"] == NOT_APART and collisions["severity"].ne("serious").all()
        else set()
    )
    return [
        (n, plain(text))
        for n, text in enumerate(entries(qml))
        if text not in left and not text.startswith("left out")
    ]


def _unseen(segments: pd.DataFrame, ids: Sequence[str]) -> str:
    """Say of roads that no imagery shows that it is so."""
    if "stretch_id" not in segments:
        return "''"
    seen = set(segments.loc[segments["coverage"].gt(0), "stretch_id"])
    return by_text(
        "stretch_id", {one: "No imagery shows this road. " for one in ids if one not in seen}, "''"
    )


def _columns(layers: Mapping[str, pd.DataFrame], ids: Sequence[str]) -> list[tuple[str, str, float, float]]:
    """Lay the table of years and severities out: id, text, place from the left and width (mm) of each column."""
    if "stretch_id" not in layers["segments"]:
        return [("years", _NOT_COUNTED, X, FIRST + 4 * OTHERS)]
    table = by_year(ids, layers["segments"], layers["collisions"])
    apart = severity_words(layers["segments"])["slight"] != NOT_APART
    heads = {name: "injury" if name == "slight" and not apart else str(name) for name in table}
    seldom = (UNTOLD, UNHURT) if apart else (UNTOLD, UNHURT, "serious")
    table = table.drop(columns=[name for name in seldom if not table[name].any()])
    years = list(dict.fromkeys(table.index.get_level_values("year")))
    told = {one: "\n".join(["year", *years, "all"]) for one in ids}
    found = [("years", shown(by_text("stretch_id", told, literal(_NOT_COUNTED))), X, FIRST)]
    for n, column in enumerate(table):
        # the years of a stretch follow each other
        counts = table[column].to_numpy().reshape(len(ids), len(years)).tolist()
        told = {
            one: "\n".join([heads[str(column)], *map(str, row), str(sum(row))])
            for one, row in zip(ids, counts, strict=True)
        }
        found.append((f"years-{n}", shown(by_text("stretch_id", told)), X + FIRST + n * OTHERS, OTHERS))
    return found


def _window() -> dict[str, str]:
    """Work out what the map of a road shows: all of it, in its middle, and at least `LEAST_M` around."""
    of = "@atlas_geometry"
    half = (
        f"max({_RIM} * bounds_width({of}), {_RIM * BOX[2] / BOX[3]!r} * bounds_height({of}), {LEAST_M}) / 2"
    )
    shape = repr(BOX[3] / BOX[2])
    x, y = f"(x_min({of}) + x_max({of})) / 2", f"(y_min({of}) + y_max({of})) / 2"
    return {
        "dataDefinedMapXMin": f"{x} - {half}",
        "dataDefinedMapXMax": f"{x} + {half}",
        "dataDefinedMapYMin": f"{y} - {half} * {shape}",
        "dataDefinedMapYMax": f"{y} + {half} * {shape}",
    }
