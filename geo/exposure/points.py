"""Count points: one figure each for the time of the records, on the segment that they stand at."""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.collisions.evidence import CLASS, NAME, NUMBER, plain_class, plain_name, plain_ref
from geo.config import Exposure

TOO_OLD = "of a year too far from the records' (exposure.max_years_apart)"
OTHER_YEAR = "of another year than the figure that is used"
TOO_FAR = "its point is farther from every road than exposure.max_distance_m"
OTHER_ROAD = "no road within exposure.max_distance_m is called as its point says"
_HAIR_M = 1e-6
_LETTERS = ("M", "A", "B", "C")
"""Classes on British signs; C stands for C and U."""
Texts = NDArray[np.str_]


def choose_years(table: pd.DataFrame, period: tuple[date, date] | None, max_years_apart: int) -> pd.Series:
    """Choose the rows whose figures make up that of a point: those of the period's years, else of the nearest year.

    Parameters
    ----------
    table
        Traffic figures, one row each: ``point_id, year, fate`` (`geo.exposure.counts.Counts`).
    period
        First and last day of the collision records; None: not known, and each point's latest year is taken.
    max_years_apart
        A figure of a year farther from the period than this is not taken (years).

    Returns
    -------
    ``fate`` with the rows of other years marked. A row whose year is not told counts as one of the period.
    """
    free = table["fate"].isna()
    year = table["year"].where(free)
    if period is None:
        gap = year.groupby(table["point_id"]).transform("max") - year
        limit = np.inf
    else:
        gap = (period[0].year - year).clip(lower=0) + (year - period[1].year).clip(lower=0)
        limit = float(max_years_apart)
    gap = gap.fillna(0.0).where(free)
    nearest = gap.groupby(table["point_id"]).transform("min")
    fate = table["fate"].astype(object)
    fate = fate.mask(free & (nearest > limit), TOO_OLD)
    fate = fate.mask(free & (nearest <= limit) & (gap > nearest), OTHER_YEAR)
    return fate.where(fate.notna(), None)


def one_a_point(table: pd.DataFrame) -> pd.DataFrame:
    """Make one row of each point: the mean of its figures, and place and road as its last year has them.

    Returns
    -------
    By ``point_id``: ``aadt`` (vehicles a day), ``years`` (as text, null where not told), ``x, y``, ``road_name,
    road_ref, road_class``.
    """
    usable = table[table["fate"].isna()]
    ordered = usable.sort_values(["point_id", "year", "x", "y"], kind="stable")
    by = ordered.groupby("point_id")
    last = ordered[~ordered["point_id"].duplicated(keep="last")].set_index("point_id")
    points = last[["x", "y", "road_name", "road_ref", "road_class"]].copy()
    points["aadt"] = by["aadt"].mean()
    points["years"] = _span(by["year"].min(), by["year"].max())
    return points


def _span(first: pd.Series, last: pd.Series) -> pd.Series:
    begin, end = (each.astype("Int64").astype("string") for each in (first, last))
    span = begin.where(begin == end, begin + "-" + end)
    return span.astype(object).where(span.notna(), None)


def place_points(points: pd.DataFrame, segments: gpd.GeoDataFrame, settings: Exposure) -> pd.DataFrame:
    """Bring each point to the segment that it stands at.

    Of the segments within ``max_distance_m``, those are left out that are called otherwise: by number where both point
    and segment have one, else by name, else by class. Of the rest, the one whose number, name or class agrees comes
    first, then the nearest. Classes C and U (Great Britain) count as one, since maps rarely tell them apart; another
    class that no segment has says nothing.

    Parameters
    ----------
    points
        Count points with one figure each (`one_a_point`), in the CRS of the segments.
    segments
        The segments as the stage ``roads`` writes them (docs/stages.md), LineStrings in metres.
    settings
        The section ``exposure`` of the city's file.

    Returns
    -------
    `points` with ``segment_id``, ``distance_m`` and ``fate``, which is null where a segment was found.
    """
    lines = segments.geometry.to_numpy()
    x, y = points["x"].to_numpy(dtype=np.float64), points["y"].to_numpy(dtype=np.float64)
    half = settings.max_distance_m + _HAIR_M
    at, line = shapely.STRtree(lines).query(shapely.box(x - half, y - half, x + half, y + half))
    metres = np.asarray(shapely.distance(np.asarray(shapely.points(x, y))[at], lines[line]))
    near = metres <= settings.max_distance_m
    at, line, metres = at[near], line[near], metres[near]
    score = _agreement(points, segments, at, line)
    fate = np.full(len(points), TOO_FAR, dtype=object)
    fate[at] = OTHER_ROAD
    fits = score >= 0
    at, line, metres, score = at[fits], line[fits], metres[fits], score[fits]
    order = segments["segment_id"].rank(method="first").to_numpy()
    ranked = np.lexsort((order[line], metres, -score, at))
    at, line, metres = at[ranked], line[ranked], metres[ranked]
    first = np.concatenate([[True], at[1:] != at[:-1]])[: len(at)]
    segment, distance = np.full(len(points), None, dtype=object), np.full(len(points), np.nan)
    segment[at[first]] = segments["segment_id"].to_numpy()[line[first]]
    distance[at[first]] = np.round(metres[first], 1)
    fate[at[first]] = None
    return points.assign(segment_id=segment, distance_m=distance, fate=fate)


def _agreement(
    points: pd.DataFrame, segments: gpd.GeoDataFrame, at: NDArray[np.int64], line: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Tell how strongly each point names the segment beside it: -1 where it names another."""
    refs = _texts(plain_ref(_words(segments["ref"])))
    mine = _texts(plain_ref(_words(points["road_ref"])))[at]
    # a road may bear several numbers: A58;A61
    theirs = np.char.add(np.char.add(";", refs), ";")[line]
    same_ref = np.char.find(theirs, np.char.add(np.char.add(";", mine), ";")) >= 0
    names = (
        _texts(plain_name(_words(points["road_name"])))[at],
        _texts(plain_name(_words(segments["name"])))[line],
    )
    classes = _classes(points["road_class"]), _classes(segments["road_class"])
    own, other = classes[0][at], classes[1][line]
    known = np.isin(own, classes[1]) | (np.isin(own, _LETTERS) & np.isin(other, _LETTERS))
    own = np.where(known, own, "")
    score = np.zeros(len(at), dtype=np.int64)
    for strength, both, same in (
        (CLASS, (own != "") & (other != ""), own == other),
        (NAME, (names[0] != "") & (names[1] != ""), names[0] == names[1]),
        (NUMBER, (mine != "") & (refs[line] != ""), same_ref),
    ):
        score[both] = np.where(same[both], strength, -1)
    return score


def _classes(values: pd.Series) -> Texts:
    return _texts(plain_class(_words(values)).replace("U", "C"))


def _words(values: pd.Series) -> pd.Series:
    return values.astype("string")


def _texts(values: pd.Series) -> Texts:
    found: Texts = values.fillna("").to_numpy(dtype=str)
    return found
