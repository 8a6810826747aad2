"""What is known of sites beforehand, as factors with a few levels each."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pandas.api import types

from geo.roads.graph import build_graph
from geo.safety.places import MANY_ARMS

ROAD_CLASS, TRAFFIC, TYPE = "road class", "traffic", "visual type"
"""Factors that comparisons treat apart: within a class a class cannot be compared, nor traffic beside itself."""
BENDS, ENDS_PER_KM, ENDS = "bends", "ends at junctions", "form of its ends"
UNITS: Mapping[str, str] = {
    TRAFFIC: "motor vehicles a day",
    BENDS: "degrees in 100 m",
    ENDS_PER_KM: "per km",
}
SMOOTH_M = 1.0
"""Points that lie closer than this to the line without them (metres) are how it was drawn, not how the road bends."""
FEW_VALUES, MOST_LEVELS = 6, 12
"""A number with at most so many values has a level for each; a word with more values keeps the commonest."""
OTHER = "other"
BANDS = 3


def segment_factors(
    segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame, known: pd.DataFrame
) -> pd.DataFrame:
    """Lay out what is known of segments without looking at their collisions, as levels.

    Parameters
    ----------
    segments
        By ``segment_id``: ``u, v, road_class, length_m`` and LineStrings in metres.
    junctions
        By ``junction_id``: ``form`` and Points.
    known
        By ``segment_id``: ``aadt`` (motor vehicles a day) and ``junction_ends_per_km``; null is not known.

    Returns
    -------
    By ``segment_id`` one column a factor, named in words, with the level of each segment in words; null is not known.
    """
    raw = {
        ROAD_CLASS: segments["road_class"],
        TRAFFIC: known["aadt"].where(known["aadt"] > 0).reindex(segments.index),
        BENDS: turned_per_100_m(segments),
        ENDS_PER_KM: known["junction_ends_per_km"].reindex(segments.index),
        ENDS: forms_of_ends(segments, junctions),
    }
    return in_levels(pd.DataFrame(raw, index=segments.index), UNITS)


def junction_factors(junctions: pd.DataFrame) -> pd.DataFrame:
    """Lay out what is known of junctions, as levels.

    Parameters
    ----------
    junctions
        By ``junction_id``: ``form`` and ``arms``.
    """
    many = junctions["arms"] >= MANY_ARMS
    arms = junctions["arms"].astype(str).mask(many, f"{MANY_ARMS} or more")
    known = {"form": junctions["form"], "arms": arms}
    return in_levels(pd.DataFrame(known, index=junctions.index), {})


def turned_per_100_m(segments: gpd.GeoDataFrame) -> pd.Series:
    """Measure how far each segment turns, whichever way: degrees in 100 m of road.

    The sum of the angles at its points over its length, which of an arc of radius ``r`` is ``100 / r`` radians
    (curvature change rate: Lamm, Psarianos and Mailaender 1999, Highway Design and Traffic Safety Engineering Handbook,
    ch. 8). Points that only show how a line was drawn are left out first (`SMOOTH_M`).

    Parameters
    ----------
    segments
        LineStrings in metres.

    Examples
    --------
    A right angle in 200 m:

    >>> from shapely import LineString
    >>> line = LineString([(0, 0), (100, 0), (100, 100)])
    >>> turned_per_100_m(gpd.GeoDataFrame(index=["a"], geometry=[line], crs=27700)).tolist()
    [45.0]
    """
    lines = segments.geometry.to_numpy()
    points, row = shapely.get_coordinates(shapely.simplify(lines, SMOOTH_M), return_index=True)
    step = np.diff(points, axis=0)
    heading = np.degrees(np.arctan2(step[:, 1], step[:, 0]))
    turn = np.abs((np.diff(heading) + 180) % 360 - 180)
    inside = (row[:-2] == row[1:-1]) & (row[1:-1] == row[2:])
    total = np.bincount(row[1:-1][inside], turn[inside], len(lines))
    length = shapely.length(lines)
    found = np.divide(100 * total, length, out=np.full(len(lines), np.nan), where=length > 0)
    return pd.Series(np.round(found, 6), index=segments.index)


def forms_of_ends(segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame) -> pd.Series:
    """Say what a segment's ends are: at a dead end or a roundabout, at crossings, or where a long road was cut.

    Parameters
    ----------
    segments, junctions
        The network, by ``segment_id`` and ``junction_id``; ``form`` of junctions.
    """
    graph = build_graph(segments.reset_index(), junctions.reset_index())
    junction = graph.junction_id[graph.node]
    ring = np.isin(junction.astype(str), junctions.index[junctions["form"] == "roundabout"].astype(str))
    dead = (graph.degree[graph.node] == 1) & pd.isna(junction)
    words = np.select(
        [dead.any(axis=1), ring.any(axis=1), pd.notna(junction).all(axis=1)],
        ["a dead end", "a roundabout", "crossings at both"],
        "cut from a longer road",
    )
    return pd.Series(words, index=graph.segment_id, dtype=object).reindex(segments.index)


def in_levels(known: pd.DataFrame, units: Mapping[str, str]) -> pd.DataFrame:
    """Turn columns of any kind into factors with a few levels.

    Parameters
    ----------
    known
        One column a factor, numbers, words or flags; null is not known.
    units
        Units of the numbers, by column.

    Returns
    -------
    Levels in words, on the same index.

    Examples
    --------
    >>> known = pd.DataFrame({"limit": [30, 30, 50], "lit": [True, False, None]})
    >>> in_levels(known, {"limit": "km/h"}).to_dict("list")
    {'limit': ['30 km/h', '30 km/h', '50 km/h'], 'lit': ['yes', 'no', None]}
    """
    found = {str(name): _levels(known[name], units.get(str(name), "")) for name in known.columns}
    return pd.DataFrame(found, index=known.index, dtype=object)


def _levels(values: pd.Series, unit: str) -> pd.Series:
    """Give the level of each value."""
    if types.is_bool_dtype(values.dtype) or set(values.dropna().map(type)) <= {bool, np.bool_}:
        return values.map({True: "yes", False: "no"}).astype(object).where(values.notna(), None)
    if types.is_numeric_dtype(values.dtype):
        return _bands(values, unit)
    words = values.astype("string").astype(object).where(values.notna(), None)
    common = words.value_counts()
    if len(common) <= MOST_LEVELS:
        return words
    # of equals those that come first by name
    kept = (
        common.rename_axis("word").reset_index(name="n").sort_values(["n", "word"], ascending=[False, True])
    )
    return words.where(words.isna() | words.isin(kept["word"].iloc[: MOST_LEVELS - 1]), OTHER)


def _bands(values: pd.Series, unit: str) -> pd.Series:
    """Cut numbers into bands of about as many sites each; a lowest value that a third have is a band of its own."""
    numbers = values.astype("Float64").astype("float64")
    numbers = numbers.where(np.isfinite(numbers))
    known = numbers.dropna()
    after = f" {unit}" if unit else ""
    distinct = np.unique(known)
    if len(distinct) <= FEW_VALUES:
        return (
            numbers.map({value: _figure(value) + after for value in distinct})
            .astype(object)
            .where(numbers.notna(), None)
        )
    lowest = known == distinct[0]
    rest = known[~lowest] if lowest.mean() >= 1 / BANDS else known
    bands = BANDS if len(rest) == len(known) else BANDS - 1
    cuts = np.quantile(rest, np.arange(1, bands) / bands, method="inverted_cdf")
    edges = np.unique(cuts if bands == BANDS else [distinct[0], *cuts])
    edges = edges[edges < distinct[-1]]
    if not len(edges):  # the greatest value is that of most
        edges = distinct[-2:-1]
    words = [_figure(edges[0]) if edges[0] == distinct[0] else f"up to {_figure(edges[0])}"]
    words += [f"{_figure(low)} to {_figure(high)}" for low, high in pairwise(edges)]
    words.append(f"over {_figure(edges[-1])}")
    place = np.searchsorted(edges, numbers.to_numpy(), side="left")
    labels = np.array([word + after for word in words], dtype=object)[np.minimum(place, len(edges))]
    return pd.Series(labels, index=values.index, dtype=object).where(numbers.notna(), None)


def _figure(value: float) -> str:
    """Write a number with three digits."""
    if abs(value) >= 1000:
        return f"{round(value):,}".replace(",", "\N{NO-BREAK SPACE}")
    return np.format_float_positional(value, precision=3, fractional=False, trim="-")
