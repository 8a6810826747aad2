"""Placing collisions: each on one segment or at one junction, or left with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geo.collisions.evidence import agreement
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
    )
)
"""Values of OpenStreetMap's ``highway`` that hold no motor traffic, or none yet (OpenStreetMap wiki, 'Key:highway').
Left out of the city, they take no collision: a pavement drawn beside its street would take the street's."""
CHUNK = 200_000
"""Collisions placed at once, to bound memory."""
_OUTCOMES: dict[str, tuple[Status, str]] = {
    "matched": ("done", ""),
    "ambiguous": ("skipped", "as near to another road, and nothing in the record decides"),
    "beyond_limit": ("skipped", "farther from every road than max_distance_m"),
    "no_geometry": ("rejected", "no coordinates that can be used"),
    "outside_area": ("skipped", "outside the area"),
    "duplicate": ("skipped", "its id occurs before"),
    "out_of_period": ("skipped", "outside the period"),
    "excluded_class": ("skipped", "on a road of a class that is left out"),
}
Places = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Assigned:
    """Collisions with their places (see docs/stages.md), and what became of them."""

    collisions: gpd.GeoDataFrame
    entries: list[Entry]


def assign(
    source: CollisionSource,
    segments: gpd.GeoDataFrame,
    junctions: gpd.GeoDataFrame,
    others: gpd.GeoDataFrame,
    *,
    crs: pyproj.CRS,
    area: shapely.Geometry | None,
    settings: Collisions,
) -> Assigned:
    """Place each collision once.

    In this order a row is: left out by ``collisions.keep``; a repeated id; out of the period; without coordinates;
    outside the area (without one: the box of the network, grown by ``max_distance_m``). What remains belongs to the
    nearest junction within ``junction_reach_m`` (of the rim, for a roundabout), unless the record says that it was at
    none; else to the nearest road within ``max_distance_m``, where a road that the record names by number, name or
    class wins over one that is nearer by at most `PREFERENCE_M`. A collision whose road is one that was left out of the
    city is ``excluded_class``, even in reach of a junction (`NOT_ROADS` that were left out take none); one with two
    roads as near as each other is ``ambiguous``. The distance of a row that is not placed is that to the nearest road,
    for those in the area.

    Parameters
    ----------
    source
        The records.
    segments, junctions, others
        See docs/stages.md.
    crs
        The city's.
    area
        In `crs`; None: not given.
    settings
        The ``collisions`` section.

    Returns
    -------
    One row a source row, in the source's order; exactly one of ``segment_id`` and ``junction_id`` is set where
    ``snap_status`` is ``matched``, and neither elsewhere. The entries of item ``collisions`` add up to the rows.
    """
    table = source.table
    points, located = _points(source, crs)
    points[~located] = None
    status = _left_out(source, settings, located)
    others = others[~others["road_class"].isin(NOT_ROADS)]
    network = np.concatenate([segments.geometry.to_numpy(), others.geometry.to_numpy()])
    inside = np.zeros(len(table), dtype=bool)
    todo = np.flatnonzero(pd.isna(status))
    inside[todo] = _inside(points[todo], network, area, settings.max_distance_m)
    status[todo[~inside[todo]]] = "outside_area"

    segment, junction = np.full(len(table), None, dtype=object), np.full(len(table), None, dtype=object)
    distance = np.full(len(table), np.nan)
    roads = _roads(segments, others)
    todo = np.flatnonzero(inside)
    for start in range(0, len(todo), CHUNK):
        mine = todo[start : start + CHUNK]
        found = _place(points[mine], table.iloc[mine], roads, junctions, settings)
        status[mine], segment[mine], junction[mine], distance[mine] = found
    placed = table.drop(
        columns=["x", "y", "kept", "at_junction", "year", "road_class", "road_ref", "road_name"]
    )
    placed = placed.assign(
        segment_id=segment, junction_id=junction, snap_distance_m=np.round(distance, 3), snap_status=status
    )
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
    again = np.zeros(len(table), dtype=bool)
    if source.has_ids:
        ids = table["collision_id"].where(table["kept"])
        again = (ids.duplicated() & ids.notna()).to_numpy()
    early_or_late = _out_of_period(table, settings.period)
    for name, which in (
        ("no_geometry", ~located),
        ("out_of_period", early_or_late),
        ("duplicate", again),
        ("excluded_class", ~kept),
    ):
        status[which] = name
    return status


def _out_of_period(table: pd.DataFrame, period: tuple[date, date] | None) -> NDArray[np.bool_]:
    """Tell which rows lie outside the period; a year alone is inside when the whole of it is."""
    if period is None:
        return np.zeros(len(table), dtype=bool)
    first = pd.Timestamp(period[0], tz="UTC")
    after = pd.Timestamp(period[1], tz="UTC") + pd.Timedelta(days=1)
    by_date = (table["date"] >= first) & (table["date"] < after)
    whole_first = period[0].year + (period[0] > date(period[0].year, 1, 1))
    whole_last = period[1].year - (period[1] < date(period[1].year, 12, 31))
    by_year = table["date"].isna() & table["year"].between(whole_first, whole_last).fillna(value=False)
    outside: NDArray[np.bool_] = ~(by_date | by_year).to_numpy(dtype=bool)
    return outside


def _inside(
    points: Places, network: Places, area: shapely.Geometry | None, reach_m: float
) -> NDArray[np.bool_]:
    """Tell which points lie in the area, or without one in the box of the network."""
    if area is None:
        west, south, east, north = shapely.total_bounds(network)
        area = shapely.box(west - reach_m, south - reach_m, east + reach_m, north + reach_m)
    shapely.prepare(area)
    return np.asarray(shapely.intersects(area, points), dtype=bool)


@dataclass(frozen=True, slots=True)
class _Roads:
    """Everything that a collision may lie on: segments first, then roads that are left out of the city."""

    table: pd.DataFrame
    lines: Places
    tree: shapely.STRtree

    def distance(self, points: Places) -> NDArray[np.float64]:
        """Measure from each point to the nearest road (metres)."""
        (point, _), metres = self.tree.query_nearest(points, return_distance=True, all_matches=False)
        found = np.full(len(points), np.nan)
        found[point] = metres
        return found


def _roads(segments: gpd.GeoDataFrame, others: gpd.GeoDataFrame) -> _Roads:
    """Put segments and other roads together; `road` tells roads apart, not their segments."""
    ours = pd.DataFrame(segments[["segment_id", "source_ids", "name", "ref", "road_class"]])
    theirs = pd.DataFrame(others[["name", "ref", "road_class"]])
    theirs["source_ids"] = [f"other {i}" for i in range(len(theirs))]
    table = pd.concat([ours.astype(object), theirs.astype(object)], ignore_index=True)
    table["left_out"] = np.arange(len(table)) >= len(ours)
    named = table["name"].notna() | table["ref"].notna()
    label = table["name"].fillna("").astype(str) + "|" + table["ref"].fillna("").astype(str)
    table["road"], _ = pd.factorize(label.where(named, "source " + table["source_ids"].astype(str)))
    table["order"] = pd.Series(table["segment_id"].fillna("~") + table["source_ids"]).rank(method="first")
    lines = np.concatenate([segments.geometry.to_numpy(), others.geometry.to_numpy()])
    return _Roads(table, lines, shapely.STRtree(lines))


def _place(
    points: Places, records: pd.DataFrame, roads: _Roads, junctions: gpd.GeoDataFrame, settings: Collisions
) -> tuple[Places, Places, Places, NDArray[np.float64]]:
    """Status, segment, junction and distance of collisions that are in the area."""
    n = len(points)
    status = np.full(n, "beyond_limit", dtype=object)
    segment, junction = np.full(n, None, dtype=object), np.full(n, None, dtype=object)
    distance = np.full(n, np.nan)

    best, tied = _nearest_roads(points, records, roads, settings)
    at = best["point"].to_numpy()
    distance[at] = best["distance"]
    left_out = roads.table["left_out"].to_numpy()[best["line"]]
    status[at] = np.select([tied, left_out], ["ambiguous", "excluded_class"], "matched")
    ours = ~left_out & ~tied
    segment[at[ours]] = roads.table["segment_id"].to_numpy()[best["line"].to_numpy()[ours]]

    far = np.isnan(distance)
    distance[far] = roads.distance(points[far])
    near = _nearest_junctions(points, records, junctions, settings.junction_reach_m)
    near = near[status[near["point"]] != "excluded_class"]
    at = near["point"].to_numpy()
    status[at], segment[at], distance[at] = "matched", None, near["distance"]
    junction[at] = junctions["junction_id"].to_numpy()[near["junction"]]
    return status, segment, junction, distance


def _nearest_roads(
    points: Places, records: pd.DataFrame, roads: _Roads, settings: Collisions
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Choose the road of each point that has one within reach, and tell which choices are ties.

    Two roads that are both left out of the city are no tie: whichever it is, the collision is on neither of ours.
    """
    point, line = roads.tree.query(points, predicate="dwithin", distance=settings.max_distance_m)
    pairs = pd.DataFrame({"point": point, "line": line})
    pairs["distance"] = shapely.distance(points[point], roads.lines[line])
    pairs["over"] = pairs["distance"] - pairs.groupby("point")["distance"].transform("min")
    pairs = pairs[pairs["over"] <= max(PREFERENCE_M, settings.ambiguity_m)].reset_index(drop=True)
    pairs["evidence"] = agreement(records.iloc[pairs["point"]], roads.table.iloc[pairs["line"]])
    pairs.loc[pairs["over"] > PREFERENCE_M, "evidence"] = 0
    pairs["road"] = roads.table["road"].to_numpy()[pairs["line"]]
    pairs["left_out"] = roads.table["left_out"].to_numpy()[pairs["line"]]
    pairs["order"] = roads.table["order"].to_numpy()[pairs["line"]]
    pairs = pairs.sort_values(
        ["point", "evidence", "distance", "order"], ascending=[True, False, True, True], ignore_index=True
    )
    best = pairs.drop_duplicates("point").reset_index(drop=True)
    rivals = pairs.merge(best, on="point", suffixes=("", "_best"))
    rivals = rivals[
        (rivals["road"] != rivals["road_best"])
        & ~(rivals["left_out"] & rivals["left_out_best"])
        & (rivals["evidence"] == rivals["evidence_best"])
        & (rivals["distance"] - rivals["distance_best"] < settings.ambiguity_m)
    ]
    return best, best["point"].isin(rivals["point"]).to_numpy()


def _nearest_junctions(
    points: Places, records: pd.DataFrame, junctions: gpd.GeoDataFrame, reach_m: float
) -> pd.DataFrame:
    """List the nearest junction of each point that is in reach of one, unless the record says it was at none."""
    if junctions.empty or reach_m == 0:
        return pd.DataFrame({"point": [], "junction": [], "distance": []}).astype(
            {"point": int, "junction": int}
        )
    centres, radius = junctions.geometry.to_numpy(), junctions["radius_m"].to_numpy()
    junction, point = shapely.STRtree(points).query(centres, predicate="dwithin", distance=radius + reach_m)
    near = pd.DataFrame({"point": point, "junction": junction})
    near["distance"] = np.maximum(shapely.distance(points[point], centres[junction]) - radius[junction], 0)
    near["order"] = junctions["junction_id"].rank(method="first").to_numpy()[junction]
    elsewhere = records["at_junction"].eq(other=False).fillna(value=False).to_numpy(dtype=bool)
    near = near[~elsewhere[near["point"]]].sort_values(["point", "distance", "order"])
    return near.drop_duplicates("point")


def _entries(placed: gpd.GeoDataFrame, table: pd.DataFrame, settings: Collisions) -> list[Entry]:
    """Account for every row; those that the filter leaves out apart from those on roads that are left out."""
    kept = table["kept"].to_numpy(dtype=bool)
    undated = (table["date"].isna() & table["year"].isna()).to_numpy() & kept
    filtered = f"excluded_class: left out by collisions.keep ({', '.join(settings.keep or {})})"
    entries = [Entry("collisions", "skipped", filtered, int((~kept).sum()))]
    for name, (status, reason) in _OUTCOMES.items():
        here = (placed["snap_status"] == name).to_numpy() & kept
        if name == "out_of_period":
            lost = int((here & undated).sum())
            entries.append(
                Entry("collisions", "rejected", f"{name}: a period is given, and no date is recorded", lost)
            )
            here &= ~undated
        entries.append(Entry("collisions", status, f"{name}: {reason}" if reason else "", int(here.sum())))
    return [entry for entry in entries if entry.count]
