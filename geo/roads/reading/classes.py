"""Which roads are kept: those of the classes asked for, and of OpenStreetMap's those that motor traffic may use."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.config import Roads
from geo.errors import LayerError, alike
from geo.ledger import Entry
from geo.roads.columns import ROW, count_rows
from geo.roads.reading.cells import members
from geo.roads.reading.paths import is_openstreetmap

DRIVABLE = (
    *("motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary"),
    *("secondary_link", "tertiary", "tertiary_link", "unclassified", "residential", "living_street", "road"),
    *("busway", "bus_guideway"),
)
"""Values of OpenStreetMap's ``highway`` that are roads for motor traffic (OpenStreetMap wiki, 'Key:highway'), the most
important first: what is kept of a source with these values when the configuration names no classes to keep. Service
ways, tracks and paths are not among them."""
NOT_DRIVABLE = frozenset(
    (
        *("service", "track", "pedestrian", "footway", "path", "steps", "cycleway", "bridleway", "corridor"),
        *("platform", "elevator", "escape", "raceway", "rest_area", "services", "via_ferrata", "crossing"),
        *("proposed", "construction", "planned", "abandoned", "disused", "razed", "demolished", "dismantled"),
        *("removed", "historic", "no", "sidewalk", "trail", "ladder", "hallway", "emergency_bay"),
        *("emergency_access_point", "bus_stop", "turning_circle", "turning_loop", "traffic_island", "stairs"),
        *("byway", "unsurfaced", "gallop", "cycle_path", "virtual"),
        # as Geofabrik's Shapefiles have them
        *("track_grade1", "track_grade2", "track_grade3", "track_grade4", "track_grade5"),
    )
)
"""The other values of ``highway`` for lines, with those of its life cycle and those that went out of use."""
ENOUGH = 0.5
"""A column holds OpenStreetMap's values when at least this share of its rows do."""
TELLING = 8
"""Rows with OpenStreetMap's values, from which on a row without is taken for something else than a highway."""
_ALIKE = 0.85
"""How alike two names are (`difflib`) of which one is a slip of the pen."""
_OTHER_KEYS = ("waterway", "railway", "aerialway", "barrier", "man_made", "aeroway", "power", "route")
"""Keys by which lines of OpenStreetMap are something else than a highway."""
_TRANSPORT = {"road", "rail", "water"}
"""Values of Overture's ``subtype`` (Overture Maps, schema of transportation segments)."""
_SHOWN = 12
"""Classes that are left out are told one by one up to this many."""


def one_class(told: pd.Series, roads: Roads) -> pd.Series:
    """Choose one class where a cell names several, as osmnx writes them of streets that it joined.

    Of several that are asked for the most important one (`DRIVABLE`), else the first.

    Parameters
    ----------
    told
        Classes as text, of several ``residential;tertiary`` or a list written out; null where there is none.
    roads
        The section ``roads`` of the city's file, which says what is asked for.
    """
    rank = {name: place for place, name in enumerate(DRIVABLE)}
    exact = {*(roads.keep or ()), *(roads.drop or ())}

    def key(place_and_name: tuple[int, str]) -> tuple[bool, int, int]:
        place, name = place_and_name
        plain = name.casefold()
        if roads.keep is not None:
            asked = name in roads.keep
        else:
            asked = name not in (roads.drop or ()) and plain not in NOT_DRIVABLE
        return not asked, rank.get(plain, len(rank)), place

    chosen = {}
    for text in told.dropna().unique():
        several = None if text in exact else members(text, also_semicolons=True)
        chosen[text] = min(enumerate(several), key=key)[1] if several else text
    found: pd.Series = told.map(chosen).astype(object)
    return found.where(told.notna(), None)


def not_there(classes: pd.Series, roads: Roads) -> list[str]:
    """Tell which classes the city's file names that no road has, with those that there are.

    Raises
    ------
    LayerError
        When one is a slip of the pen: roads have a class of nearly that name, which the city's file does not name.
    """
    there = sorted(map(str, classes.dropna().unique()))
    told = []
    for key in ("keep", "drop"):
        named = getattr(roads, key) or []
        missing = [name for name in named if name not in there]
        others = [name for name in there if name not in named]
        for name in missing:
            like = alike(name, others, least=_ALIKE)
            if like:
                raise LayerError(
                    f"no road is of the class {name!r}; there are {', '.join(there)}",
                    where=roads.where,
                    todo=f"Mend roads.{key}: {like[0]} may be meant.",
                )
        if missing:
            shown = ", ".join(map(repr, missing))
            told.append(f"roads.{key} names {shown}, which no road has; there are {', '.join(there)}")
    return told


def has_osm_values(classes: pd.Series) -> bool:
    """Tell whether classes are OpenStreetMap's, from the values that most rows have."""
    plain = classes.dropna().astype(str).str.casefold()
    known = plain.isin(DRIVABLE) | plain.isin(NOT_DRIVABLE)
    return bool(len(plain)) and float(known.mean()) >= ENOUGH


def part_by_class(
    lines: gpd.GeoDataFrame, roads: Roads
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, list[Entry]]:
    """Part roads by the classes that are asked for.

    What is no road for motor traffic in OpenStreetMap's terms is left out unless ``roads.keep`` says what to keep, of
    whatever file it is read; it is no road that was left out of the city, and takes no collision.

    Parameters
    ----------
    lines
        With the columns of `geo.roads.columns.name_columns`, in a CRS in metres.
    roads
        The section ``roads`` of the city's file.

    Returns
    -------
    Roads that are kept; roads of the city that are left out; what became of the rows, where entries of item ``roads``
    add up to those that are left out, and others tell them by class and length.

    Raises
    ------
    LayerError
        When none is kept.
    """
    is_road, reason = _roads_among(lines, roads)
    something_else = lines[~is_road]
    entries = [Entry("roads", "skipped", reason, count_rows(something_else))]
    found = lines[is_road]
    classes = found["road_class"]
    asked = classes.isin(roads.keep) if roads.keep is not None else ~classes.isin(roads.drop or [])
    kept, others = found[asked], found[~asked]
    entries.append(Entry("roads", "skipped", "a class that is left out", count_rows(others)))
    if kept.empty:
        there = ", ".join(sorted(map(str, lines["road_class"].dropna().unique()))) or "none"
        raise LayerError(
            f"no road is left of the classes asked for; there are {there}",
            where=roads.where,
            todo="Mend roads.keep or roads.drop; roads.keep takes classes that are left out otherwise.",
        )
    return kept, others, [*entries, *_by_length(pd.concat([something_else, others]))]


def _roads_among(lines: gpd.GeoDataFrame, roads: Roads) -> tuple[pd.Series, str]:
    """Tell which lines are roads, and in which words the others are left out."""
    classes = lines["road_class"]
    plain = classes.astype("string").str.casefold()
    is_road = pd.Series(data=True, index=lines.index)
    named_by_user = roads.keep is not None or roads.drop is not None
    extract = all(is_openstreetmap(source) for source in roads.sources)
    if has_osm_values(classes) or extract:
        # a line without a class is no highway, but for a user who names classes: then it is of none of them
        lacking = not named_by_user and int(classes.notna().sum()) >= TELLING
        unknown = classes.isna() & (lacking | _is_extract(lines) | _has_other_key(lines))
        is_road &= ~(unknown | extract & classes.isna())
        if roads.keep is None:
            dropped = classes.isin(roads.drop or [])
            is_road &= ~plain.isin(NOT_DRIVABLE).fillna(value=False) | dropped & ~extract
            if extract:
                is_road &= classes.isin(DRIVABLE)
    subtype = lines.get("src_subtype")
    if subtype is not None and set(subtype.dropna().unique()) <= _TRANSPORT:
        is_road &= ~subtype.isin(_TRANSPORT - {"road"})
    return is_road, "not a road for motor traffic" if roads.keep is None else "not a highway"


def _is_extract(lines: gpd.GeoDataFrame) -> bool:
    """Tell an extract of all of OpenStreetMap's lines, whatever file it was written to, by the column of other tags."""
    return "src_other_tags" in lines


def _has_other_key(lines: gpd.GeoDataFrame) -> pd.Series:
    """Tell which lines are something else by a key of their own."""
    there = [f"src_{key}" for key in _OTHER_KEYS if f"src_{key}" in lines]
    found: pd.Series = lines[there].notna().any(axis=1)
    return found


def _by_length(left_out: gpd.GeoDataFrame) -> list[Entry]:
    """Tell what is left out by class and length, the longest first."""
    if left_out.empty:
        return []
    table = pd.DataFrame(
        {
            "road_class": left_out["road_class"].fillna("without a class").astype(str),
            "km": left_out.geometry.length / 1000,
            ROW: left_out[ROW],
        }
    )
    sums = table.groupby("road_class").agg(km=("km", "sum"), rows=(ROW, "nunique"))
    sums = sums.sort_values(["km", "rows"], ascending=False, kind="stable")
    shown, rest = sums.iloc[:_SHOWN], sums.iloc[_SHOWN:]
    entries = [
        Entry("road classes", "skipped", f"{name}: {km:,.1f} km", int(rows))
        for name, km, rows in zip(shown.index, shown["km"].to_numpy(), shown["rows"].to_numpy(), strict=True)
    ]
    if len(rest):
        told = f"{len(rest)} other classes: {rest['km'].sum():,.1f} km"
        entries.append(Entry("road classes", "skipped", told, int(np.sum(rest["rows"]))))
    return entries
