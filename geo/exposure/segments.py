"""Traffic of segments: counted there, taken over along the same road, or not known."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.collisions.cells.numbers import numbers
from geo.collisions.cells.text import text
from geo.collisions.evidence import plain_name, plain_ref
from geo.config import Exposure
from geo.errors import LayerError, meant
from geo.exposure.counts import ITEM, SECTION
from geo.exposure.units import check_thousands
from geo.ledger import Entry

APART_M = 40.0
"""Carriageways of one road lie no farther apart than this (metres)."""
PARALLEL = 20.0
"""Two lines whose bearings differ by less than this run side by side (degrees)."""
_TOUCH_M = 2.0
COLUMNS = ("aadt", "traffic_source", "traffic_distance_m", "traffic_years", "traffic_points", "carriageways")


def traffic_of_points(
    segments: gpd.GeoDataFrame, points: pd.DataFrame, settings: Exposure
) -> tuple[pd.DataFrame, list[Entry]]:
    """Give each segment the figure of the points on it, else that of the nearest point on the same road.

    The same road is one of equal number and class, or where it has no number, of equal name and class; nearest is in a
    straight line from the point to the segment, within ``inherit_m``. A segment without number and name has its own
    counts alone. With several points on a segment their mean is taken.

    Parameters
    ----------
    segments
        The segments as the stage ``roads`` writes them (docs/stages.md), LineStrings in metres.
    points
        Count points with the segment that each stands at (`geo.exposure.points.place_points`).
    settings
        The section ``exposure`` of the city's file.

    Returns
    -------
    By ``segment_id`` `COLUMNS`: ``aadt`` (vehicles a day on this carriageway), ``traffic_source`` (``measured``,
    ``inherited`` or null), metres to the point, the years of the figure, the points, and how many carriageways share
    it; and entries that add up to the segments.
    """
    frame = segments.set_index("segment_id")
    placed = points[points["segment_id"].notna()].reset_index()
    by = placed.sort_values(["segment_id", "distance_m", "point_id"]).groupby("segment_id")
    table = pd.DataFrame(index=frame.index)
    table["aadt"] = by["aadt"].mean()
    table["traffic_distance_m"] = by["distance_m"].min()
    table["traffic_years"] = by["years"].first()
    table["traffic_points"] = by["point_id"].agg(";".join)
    table["traffic_source"] = pd.Series("measured", index=by.size().index)
    road = same_road(segments)
    near = _nearest_on_road(frame, road, placed, table["aadt"].notna().to_numpy(), settings.inherit_m)
    for column, theirs in (
        ("aadt", "aadt"),
        ("traffic_distance_m", "metres"),
        ("traffic_years", "years"),
        ("traffic_points", "point_id"),
    ):
        table[column] = table[column].where(table[column].notna(), near[theirs].reindex(table.index))
    table.loc[near.index, "traffic_source"] = "inherited"
    table = _shared(table, segments, road, split=settings.both_directions is not False)
    return table, _account(
        table, f"no count on it, nor on the same road within {settings.inherit_m:g} m (exposure.inherit_m)"
    )


def traffic_of_column(
    segments: gpd.GeoDataFrame, settings: Exposure, *, section: str = SECTION
) -> tuple[pd.DataFrame, list[Entry], list[Entry]]:
    """Take each segment's figure from a column of the roads.

    Returns
    -------
    As `traffic_of_points`, with ``column`` as the source; the entries on segments, and those on figures, a segment
    each.

    Raises
    ------
    LayerError
        When the roads have no such column.
    """
    name = f"src_{settings.column}"
    if name not in segments:
        own = [str(c).removeprefix("src_") for c in segments.columns if str(c).startswith("src_")]
        what = "traffic" if section == SECTION else section
        there = ", ".join(own) or "none beside the known"
        raise LayerError(
            f"it has no column {settings.column!r} for {what}; there are {there}{meant(settings.column, own)}",
            where="roads.source",
            todo=f"Mend {section}.column.",
        )
    frame = segments.set_index("segment_id")
    cells = text(frame[name])
    if not pd.api.types.is_numeric_dtype(frame[name]):
        todo = "Write them without points into the file of the roads."
        check_thousands(cells, where=f"roads.source, column {settings.column}", todo=todo)
    value = numbers(frame[name])
    value = value.where(np.isfinite(value))
    table = pd.DataFrame({"aadt": value.where(value > 0)}, index=frame.index)
    known = table["aadt"].notna()
    table["traffic_source"] = pd.Series("column", index=table.index, dtype=object).where(known, None)
    table["traffic_distance_m"] = np.nan
    table["traffic_years"], table["traffic_points"] = None, None
    table = _shared(table, segments, same_road(segments), split=settings.both_directions is True)
    figures = [
        Entry(ITEM, "done", "", int(known.sum())),
        Entry(ITEM, "skipped", "none recorded", int(cells.isna().sum())),
        Entry(ITEM, "rejected", "no number", int((cells.notna() & value.isna()).sum())),
        Entry(ITEM, "rejected", "zero or negative", int((value <= 0).sum())),
    ]
    reason = f"no figure above 0 in the column {settings.column!r}"
    return table, _account(table, reason), [entry for entry in figures if entry.count]


def nothing_known(segments: gpd.GeoDataFrame) -> pd.DataFrame:
    """Lay `COLUMNS` out for a city without counts: all null."""
    table = pd.DataFrame(index=pd.Index(segments["segment_id"], name="segment_id"))
    table["aadt"], table["traffic_distance_m"] = np.nan, np.nan
    for name in ("traffic_source", "traffic_years", "traffic_points"):
        table[name] = None
    table["carriageways"] = pd.array([pd.NA] * len(table), "Int64")
    return table[list(COLUMNS)]


def same_road(segments: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Give each road a number: equal ref and class, else equal name and class; -1 for a segment with neither."""
    ref, name = plain_ref(segments["ref"].astype("string")), plain_name(segments["name"].astype("string"))
    called = ("number " + ref).fillna("name " + name)
    label = called + "|" + segments["road_class"].astype("string").fillna("")
    return np.asarray(pd.factorize(label)[0], dtype=np.int64)


def _nearest_on_road(
    frame: gpd.GeoDataFrame,
    road: NDArray[np.int64],
    placed: pd.DataFrame,
    counted: NDArray[np.bool_],
    reach_m: float,
) -> pd.DataFrame:
    """Find the nearest point on the same road for each segment without one: ``aadt, metres, years, point_id``."""
    position = pd.Series(np.arange(len(frame)), index=frame.index)
    source = placed.assign(road=road[position[placed["segment_id"]].to_numpy()])
    wanting = pd.DataFrame({"road": road, "segment": np.arange(len(frame))})[~counted & (road >= 0)]
    pairs = (
        wanting.merge(source[source["road"] >= 0], on="road")
        if reach_m > 0
        else source.iloc[:0].assign(segment=0)
    )
    lines = frame.geometry.to_numpy()
    spots = shapely.points(pairs["x"].to_numpy(dtype=np.float64), pairs["y"].to_numpy(dtype=np.float64))
    pairs["metres"] = np.round(shapely.distance(spots, lines[pairs["segment"].to_numpy(dtype=np.int64)]), 1)
    pairs = pairs[pairs["metres"] <= reach_m].sort_values(["segment", "metres", "point_id"])
    nearest = pairs[~pairs["segment"].duplicated()]
    return nearest.set_index(frame.index[nearest["segment"].to_numpy(dtype=np.int64)])


def _shared(
    table: pd.DataFrame, segments: gpd.GeoDataFrame, road: NDArray[np.int64], *, split: bool
) -> pd.DataFrame:
    """Halve figures that two carriageways share."""
    twin = carriageways(segments, road) if split else np.ones(len(table), dtype=np.int64)
    known = table["aadt"].notna()
    table["aadt"] = table["aadt"] / twin
    table["carriageways"] = pd.Series(twin, index=table.index).astype("Int64").where(known)
    for name in ("traffic_source", "traffic_years", "traffic_points"):
        table[name] = table[name].astype(object).where(table[name].notna(), None)
    return table[list(COLUMNS)]


def carriageways(segments: gpd.GeoDataFrame, road: NDArray[np.int64]) -> NDArray[np.int64]:
    """Tell which segments are one of two carriageways of their road that are drawn apart: 2, all others 1.

    Such a segment has another one of the same road beside its middle, no farther than `APART_M`, that runs the same
    way within `PARALLEL` degrees. Where the source says which roads are one-way, only those are taken.
    """
    lines = segments.geometry.to_numpy()
    middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    x, y = shapely.get_x(middle), shapely.get_y(middle)
    i, j = shapely.STRtree(lines).query(shapely.box(x - APART_M, y - APART_M, x + APART_M, y + APART_M))
    one_way = _one_way(segments)
    mine = (i != j) & (road[i] >= 0) & (road[i] == road[j]) & one_way[i] & one_way[j]
    i, j = i[mine], j[mine]
    metres = shapely.distance(middle[i], lines[j])
    along = shapely.line_locate_point(lines[j], middle[i])
    # a road that goes on lies beside the middle with its end, not with its length
    beside = (metres <= APART_M) & (metres > _TOUCH_M)
    beside &= (along > _TOUCH_M) & (along < shapely.length(lines[j]) - _TOUCH_M)
    turn = np.abs(_bearing(lines[i], shapely.length(lines[i]) / 2) - _bearing(lines[j], along)) % 180
    beside &= np.minimum(turn, 180 - turn) < PARALLEL
    found = np.ones(len(lines), dtype=np.int64)
    found[i[beside]] = 2
    return found


def _one_way(segments: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    if "src_oneway" not in segments:
        return np.ones(len(segments), dtype=bool)
    told = segments["src_oneway"].astype("string").str.casefold()
    return np.asarray(told.isin(["yes", "true", "1", "-1", "reverse", "t"]).fillna(value=False), dtype=bool)


def _bearing(lines: NDArray[np.object_], along: NDArray[np.float64]) -> NDArray[np.float64]:
    """Direction of lines at a distance along them (degrees)."""
    a, b = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines, np.maximum(along + d, 0.0)))
        for d in (-1.0, 1.0)
    )
    step = b - a
    return np.asarray(np.degrees(np.arctan2(step[:, 0], step[:, 1])))


def _account(table: pd.DataFrame, reason: str) -> list[Entry]:
    """Account for every segment, once."""
    counts = table["traffic_source"].value_counts()
    entries = [
        Entry("segments", "done", f"traffic {source}", int(n)) for source, n in counts.sort_index().items()
    ]
    left = int(table["traffic_source"].isna().sum())
    return [*entries, *([Entry("segments", "skipped", f"traffic not known: {reason}", left)] if left else [])]


def coverage(table: pd.DataFrame, length_m: pd.Series) -> dict[str, float]:
    """Tell on which share of the network's length traffic is known, by source.

    Returns
    -------
    ``known`` and one share (0 to 1) for each source that there is.
    """
    total = float(length_m.sum())
    share = length_m.groupby(table["traffic_source"]).sum() / total
    return {"known": float(share.sum())} | {str(name): float(value) for name, value in share.items()}
