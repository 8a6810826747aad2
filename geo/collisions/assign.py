"""Placing collisions: each on one segment or at one junction, or left with its reason."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geo.collisions.cells.severities import UNHURT
from geo.collisions.evidence import Codes, agreement, spell
from geo.collisions.period import in_period
from geo.collisions.schema import CollisionSource
from geo.config import Collisions
from geo.ledger import Entry, Status

PREFERENCE_M = 10.0
"""A road that the record names is preferred to a nearer one by at most this (metres): the width of a road, and the
rounding of a grid reference."""
NOT_ROADS = frozenset(
    (
        "footway",
        "path",
        "steps",
        "cycleway",
        "bridleway",
        "corridor",
        "platform",
        "elevator",
        "proposed",
        "construction",
        *("planned", "abandoned", "disused", "razed", "demolished", "dismantled", "removed", "no"),
        *("via_ferrata", "sidewalk", "stairs", "ladder", "hallway", "trail"),
    )
)
"""Values of OpenStreetMap's ``highway`` that hold no motor traffic, or none yet (OpenStreetMap wiki, 'Key:highway').
Left out of the city, they take no collision: a pavement drawn beside its street would take the street's."""
DENIED_M = 20.0
"""A record that denies a junction says so of this distance (metres; STATS19: 'not at junction or within 20 metres')."""
CHUNK = 50_000
"""Collisions placed at once, to bound memory."""
STRIP_M = 500.0
"""Collisions are placed from west to east in strips of this height (metres), so that neighbours follow each other and
the roads near them stay at hand. Results do not depend on it."""
_HAIR_M = 1e-6
"""Added to boxes, so that rounding leaves nothing out that lies at the very limit."""
OUTCOMES: dict[str, tuple[Status, str]] = {
    "matched": ("done", ""),
    "ambiguous": ("skipped", "as near to another road, and nothing in the record decides"),
    "beyond_limit": ("skipped", "farther from every road than max_distance_m"),
    "no_geometry": ("rejected", "no coordinates that can be used"),
    "outside_area": ("skipped", "outside the area"),
    "duplicate": ("skipped", "its id occurs before"),
    "out_of_period": ("skipped", "outside the period"),
    "excluded_class": ("skipped", "on a road of a class that is left out"),
}
_AS_CONFIGURED = Collisions()
_READ_ONLY = (
    *("x", "y", "kept", "repeats", "at_junction", "year", "month", "severity_state"),
    *("road_class", "road_ref", "road_name"),
)
"""Columns that placing needs, and nothing after it."""
Places = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Assigned:
    """Collisions with their places (see docs/stages.md), and what became of them."""

    collisions: gpd.GeoDataFrame
    entries: list[Entry]


def place_collisions(
    source: CollisionSource,
    segments: gpd.GeoDataFrame,
    junctions: gpd.GeoDataFrame,
    others: gpd.GeoDataFrame,
    *,
    crs: pyproj.CRS,
    area: shapely.Geometry | None = None,
    settings: Collisions = _AS_CONFIGURED,
) -> Assigned:
    """Place each collision once.

    In this order a row is: left out by ``collisions.keep``; a repeated id; out of the period; without coordinates;
    outside the area (without one: the box of the network, grown by ``max_distance_m``). What remains belongs to the
    nearest junction within ``junction_reach_m`` (of the rim, for a roundabout), unless the record says that it was at
    none (which it says of `DENIED_M`: one that reaches farther takes what lies beyond); else to the nearest road within
    ``max_distance_m``, where a road that the record names by number, name or class wins over one that is nearer by at
    most `PREFERENCE_M`. A collision whose road is one that was left out of the city is ``excluded_class``, even in
    reach of a junction (`NOT_ROADS` that were left out take none); one with two roads as near as each other is
    ``ambiguous``. The distance of a row that is not placed is that to the nearest road, for those in the area.

    Parameters
    ----------
    source
        The records as they were read, one row a collision, see `geo.collisions.read.read_collisions`.
    segments, junctions
        The network (see `geo.roads.segments.build_network`), in `crs`.
    others
        Roads that were left out of the city: ``name``, ``ref``, ``road_class``, in `crs`, see
        `geo.roads.read.read_roads`.
    crs
        The city's projected CRS, in metres.
    area
        Polygon of the city in `crs`; None: none was given.
    settings
        The section ``collisions`` of the city's file.

    Returns
    -------
    One row a source row, in the source's order; exactly one of ``segment_id`` and ``junction_id`` is set where
    ``snap_status`` is ``matched``, and neither elsewhere; ``snap_distance_m`` is in metres. The entries of item
    ``collisions`` add up to the rows.

    Examples
    --------
    Two collisions beside a road, one of them 4 m and the other one 300 m from it:

    >>> import geopandas as gpd
    >>> import pandas as pd
    >>> from geo.collisions.read import read_collisions
    >>> from geo.config import collision_settings
    >>> road = {"source_ids": "1", "name": "High Street", "ref": None, "road_class": "primary"}
    >>> segments = gpd.GeoDataFrame(
    ...     [road | {"segment_id": "a", "geometry": shapely.LineString([(0, 0), (500, 0)])}], crs=27700
    ... )
    >>> nothing = {name: [] for name in ("junction_id", "radius_m", "name", "ref", "road_class")}
    >>> none = gpd.GeoDataFrame(nothing, geometry=[], crs=27700)
    >>> pd.DataFrame({"x": [250, 250], "y": [4, 300]}).to_csv("collisions.csv", index=False)
    >>> columns = {"x": "x", "y": "y", "crs": "EPSG:27700"}
    >>> source = read_collisions(collision_settings(sources=["collisions.csv"], schema="columns", columns=columns))
    >>> area = shapely.box(0, -500, 500, 500)
    >>> placed = place_collisions(source, segments, none, none, crs=segments.crs, area=area)
    >>> placed.collisions[["snap_distance_m", "snap_status"]].values.tolist()
    [[4.0, 'matched'], [300.0, 'beyond_limit']]
    """
    table = source.table
    points, located = _points(source, crs)
    points[~located] = None
    status = _left_out(source, settings, located)
    others = others[~others["road_class"].astype("string").str.casefold().isin(NOT_ROADS).fillna(value=False)]
    network = np.concatenate([segments.geometry.to_numpy(), others.geometry.to_numpy()])
    inside = np.zeros(len(table), dtype=bool)
    todo = np.flatnonzero(pd.isna(status))
    inside[todo] = _inside(points[todo], network, area, settings.max_distance_m)
    status[todo[~inside[todo]]] = "outside_area"

    segment, junction = np.full(len(table), None, dtype=object), np.full(len(table), None, dtype=object)
    distance = np.full(len(table), np.nan)
    xy = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
    records, roads = _network(table, xy, segments, others)
    centres = _junctions(junctions)
    todo = records.in_strips(np.flatnonzero(inside))
    for start in range(0, len(todo), CHUNK):
        mine = todo[start : start + CHUNK]
        found = _place(records.take(mine), roads, centres, settings)
        status[mine], segment[mine], junction[mine], distance[mine] = found
    placed = table.drop(columns=[*_READ_ONLY])
    placed = placed.assign(
        segment_id=segment, junction_id=junction, snap_distance_m=np.round(distance, 3), snap_status=status
    )
    placed["severity_known"] = table["severity"].notna() | (table["severity_state"] == UNHURT)
    placed["source_year"] = table["year"].fillna(table["date"].dt.year.astype("Int64"))
    frame = gpd.GeoDataFrame(placed, geometry=gpd.GeoSeries(points, crs=crs))
    return Assigned(frame, _entries(frame, table, settings))


def _points(source: CollisionSource, crs: pyproj.CRS) -> tuple[Places, NDArray[np.bool_]]:
    """Points in the city's CRS, and which rows have one; (0, 0) is the mark of a missing place, not a place."""
    x, y = source.table["x"].to_numpy(), source.table["y"].to_numpy()
    there = np.isfinite(x) & np.isfinite(y) & ~((x == 0) & (y == 0))
    if source.crs.is_geographic:
        there &= (np.abs(x) <= 180) & (np.abs(y) <= 90)
    change = pyproj.Transformer.from_crs(source.crs, crs, always_xy=True)
    east, north = change.transform(np.where(there, x, np.nan), np.where(there, y, np.nan))
    there &= np.isfinite(east) & np.isfinite(north)
    return np.asarray(shapely.points(np.where(there, east, 0), np.where(there, north, 0))), there


def _left_out(source: CollisionSource, settings: Collisions, located: NDArray[np.bool_]) -> Places:
    """Status of the rows that are not to be placed; None for all others."""
    table = source.table
    status = np.full(len(table), None, dtype=object)
    kept = table["kept"].to_numpy(dtype=bool)
    again = table["repeats"].to_numpy(dtype=bool)
    early_or_late = (
        np.zeros(len(table), dtype=bool) if settings.period is None else ~in_period(table, settings.period)
    )
    for name, which in (
        ("no_geometry", ~located),
        ("out_of_period", early_or_late),
        ("duplicate", again),
        ("excluded_class", ~kept),
    ):
        status[which] = name
    return status


def _inside(
    points: Places, network: Places, area: shapely.Geometry | None, reach_m: float
) -> NDArray[np.bool_]:
    """Tell which points lie in the area, or without one in the box of the network."""
    if area is None:
        west, south, east, north = shapely.total_bounds(network)
        area = shapely.box(west - reach_m, south - reach_m, east + reach_m, north + reach_m)
    shapely.prepare(area)
    return np.asarray(shapely.intersects(area, points), dtype=bool)


def _near(
    tree: shapely.STRtree, points: Places, reach_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """List all pairs of a point and a geometry of the tree within reach: indices of both, and metres between them.

    Boxes are sought first, and what is found is measured once: the tree's own ``dwithin`` would measure and not tell.
    """
    x, y = shapely.get_x(points), shapely.get_y(points)
    half = reach_m + _HAIR_M
    point, item = tree.query(shapely.box(x - half, y - half, x + half, y + half))
    metres = shapely.distance(points[point], tree.geometries[item])
    near = metres <= reach_m
    return point[near], item[near], metres[near]


@dataclass(frozen=True, slots=True)
class _Records:
    """What is asked of collisions: where they are ``(n, 2)``, what they say of the road, and whether at no junction."""

    xy: NDArray[np.float64]
    told: Codes
    elsewhere: NDArray[np.bool_]

    def in_strips(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sort rows by `STRIP_M`."""
        x, y = self.xy[rows].T
        return rows[np.lexsort((x, y // STRIP_M))]

    def take(self, rows: NDArray[np.int64]) -> _Records:
        return _Records(self.xy[rows], self.told[:, rows], self.elsewhere[rows])


@dataclass(frozen=True, slots=True)
class _Roads:
    """Everything that a collision may lie on: segments first, then roads that are left out of the city.

    `road` tells roads apart, not their segments; `order` decides between segments of one road.
    """

    segment_id: Places
    left_out: NDArray[np.bool_]
    road: NDArray[np.int64]
    order: NDArray[np.float64]
    called: Codes
    tree: shapely.STRtree

    def distance(self, points: Places) -> NDArray[np.float64]:
        """Measure from each point to the nearest road (metres)."""
        (point, _), metres = self.tree.query_nearest(points, return_distance=True, all_matches=False)
        found = np.full(len(points), np.nan)
        found[point] = metres
        return found


@dataclass(frozen=True, slots=True)
class _Junctions:
    """Where junctions are, and how far each reaches from its centre (metres)."""

    junction_id: Places
    radius: NDArray[np.float64]
    order: NDArray[np.float64]
    tree: shapely.STRtree


def _network(
    table: pd.DataFrame, xy: NDArray[np.float64], segments: gpd.GeoDataFrame, others: gpd.GeoDataFrame
) -> tuple[_Records, _Roads]:
    """Put segments and other roads together, and bring records and roads to one spelling."""
    ours = pd.DataFrame(segments[["segment_id", "source_ids", "name", "ref", "road_class"]])
    theirs = pd.DataFrame(others[["name", "ref", "road_class"]])
    theirs["source_ids"] = "other " + pd.Series(np.arange(len(theirs)), theirs.index).astype(str)
    both = pd.concat([ours.astype(object), theirs.astype(object)], ignore_index=True)
    named = both["name"].notna() | both["ref"].notna()
    label = both["name"].fillna("").astype(str) + "|" + both["ref"].fillna("").astype(str)
    road, _ = pd.factorize(label.where(named, "source " + both["source_ids"].astype(str)))
    order = _ranks(both["segment_id"].fillna("~") + both["source_ids"])
    left_out = np.arange(len(both)) >= len(ours)
    told, called = spell(table, both)
    elsewhere = table["at_junction"].eq(other=False).fillna(value=False).to_numpy(dtype=bool)
    tree = shapely.STRtree(np.concatenate([segments.geometry.to_numpy(), others.geometry.to_numpy()]))
    roads = _Roads(both["segment_id"].to_numpy(), left_out, road, order, called, tree)
    return _Records(xy, told, elsewhere), roads


def _ranks(ids: pd.Series) -> NDArray[np.float64]:
    return np.asarray(ids.rank(method="first"), dtype=np.float64)


def _junctions(junctions: gpd.GeoDataFrame) -> _Junctions:
    ids = junctions["junction_id"]
    radius = junctions["radius_m"].to_numpy(dtype=float)
    order = _ranks(ids)
    return _Junctions(ids.to_numpy(), radius, order, shapely.STRtree(junctions.geometry.to_numpy()))


def _place(
    records: _Records, roads: _Roads, junctions: _Junctions, settings: Collisions
) -> tuple[Places, Places, Places, NDArray[np.float64]]:
    """Status, segment, junction and distance of collisions that are in the area."""
    n = len(records.xy)
    points = np.asarray(shapely.points(records.xy))
    status = np.full(n, "beyond_limit", dtype=object)
    segment, junction = np.full(n, None, dtype=object), np.full(n, None, dtype=object)
    distance = np.full(n, np.nan)

    at, line, metres, tied = _nearest_roads(points, records, roads, settings)
    distance[at] = metres
    left_out = roads.left_out[line]
    status[at] = "matched"
    status[at[left_out]] = "excluded_class"
    status[at[tied]] = "ambiguous"
    ours = ~left_out & ~tied
    segment[at[ours]] = roads.segment_id[line[ours]]

    far = np.isnan(distance)
    distance[far] = roads.distance(points[far])
    at, centre, metres = _nearest_junctions(points, records, junctions, settings.junction_reach_m)
    free = status[at] != "excluded_class"
    at = at[free]
    status[at], segment[at], distance[at] = "matched", None, metres[free]
    junction[at] = junctions.junction_id[centre[free]]
    return status, segment, junction, distance


def _nearest_roads(
    points: Places, records: _Records, roads: _Roads, settings: Collisions
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Choose the road of each point that has one within reach: point, road, metres, and whether the choice is a tie.

    Two roads that are both left out of the city are no tie: whichever it is, the collision is on neither of ours.
    """
    point, line, metres = _near(roads.tree, points, settings.max_distance_m)
    nearest = np.full(len(points), np.inf)
    np.minimum.at(nearest, point, metres)
    over = metres - nearest[point]
    close = over <= max(PREFERENCE_M, settings.ambiguity_m)
    point, line, metres, over = point[close], line[close], metres[close], over[close]
    evidence = agreement(records.told[:, point], roads.called[:, line])
    evidence[over > PREFERENCE_M] = 0

    ranked = np.lexsort((roads.order[line], metres, -evidence, point))
    point, line, metres, evidence = point[ranked], line[ranked], metres[ranked], evidence[ranked]
    starts = _starts(point)
    first = np.flatnonzero(starts)
    best = first[np.cumsum(starts) - 1]
    road, left_out = roads.road[line], roads.left_out[line]
    rival = (
        (road != road[best])
        & ~(left_out & left_out[best])
        & (evidence == evidence[best])
        & (metres - metres[best] < settings.ambiguity_m)
    )
    tied = np.zeros(len(points), dtype=bool)
    tied[point[rival]] = True
    at = point[first]
    return at, line[first], metres[first], tied[at]


def _nearest_junctions(
    points: Places, records: _Records, junctions: _Junctions, reach_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """List the nearest junction of each point in reach of one, unless the record denies it: point, junction, metres."""
    if len(junctions.radius) == 0 or reach_m == 0:
        none = np.empty(0, dtype=np.int64)
        return none, none, np.empty(0)
    point, centre, metres = _near(junctions.tree, points, float(junctions.radius.max()) + reach_m)
    radius = junctions.radius[centre]
    mine = metres <= radius + reach_m
    point, centre, metres = point[mine], centre[mine], np.maximum(metres - radius, 0)[mine]
    ranked = np.lexsort((junctions.order[centre], metres, point))
    first = ranked[_starts(point[ranked])]
    first = first[~(records.elsewhere[point[first]] & (metres[first] <= DENIED_M))]
    return point[first], centre[first], metres[first]


def _starts(sorted_values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell where each value stands first."""
    return np.concatenate([[True], sorted_values[1:] != sorted_values[:-1]])[: len(sorted_values)]


def _entries(placed: gpd.GeoDataFrame, table: pd.DataFrame, settings: Collisions) -> list[Entry]:
    """Account for every row; those that the filter leaves out apart from those on roads that are left out."""
    kept = table["kept"].to_numpy(dtype=bool)
    undated = (table["date"].isna() & table["year"].isna()).to_numpy() & kept
    filtered = f"excluded_class: left out by collisions.keep ({', '.join(settings.keep or {})})"
    entries = [Entry("collisions", "skipped", filtered, int((~kept).sum()))]
    for name, (status, reason) in OUTCOMES.items():
        here = (placed["snap_status"] == name).to_numpy() & kept
        if name == "out_of_period":
            lost = int((here & undated).sum())
            entries.append(
                Entry("collisions", "rejected", f"{name}: a period is given, and no date is recorded", lost)
            )
            here &= ~undated
        entries.append(Entry("collisions", status, f"{name}: {reason}" if reason else "", int(here.sum())))
    return [entry for entry in entries if entry.count]
