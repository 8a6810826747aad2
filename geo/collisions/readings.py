"""Other readings of coordinates, held against the roads: exchanged, with another sign or unit, or in another CRS.

Nothing is read otherwise than it is configured. What is found here is said, with the key that would make it so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType
from pyproj.exceptions import ProjError

SAMPLE = 1000
"""So many places are read in every way."""
LEAST = 10
"""Fewer places near roads than this, and than half of all, say nothing: roads are everywhere."""
ELSEWHERE = 3.0
"""Another reading that brings so many times as many places to roads is the one that is meant."""
NEARER, APART_M = 0.5, 5.0
"""So is one that brings as many to roads at less than this share of their median distance, where that is more than a
carriageway is wide (metres): with the wrong datum collisions are strewn beside their roads."""
_ALIKE = 1.02
"""A reading by so much better than a simpler one is not as good by chance."""
_EXCHANGE = "exchange collisions.columns.x and .y (or set point_order, of one column)"
_WIDE = 4000.0
"""A CRS for more than this (square degrees) is for no country."""
_SHARES = {
    1e-7: "ten-millionths of degrees",
    1e-6: "millionths of degrees",
    1e-5: "hundred-thousandths of degrees",
}
_UNITS = {1000.0: "kilometres", 0.3048: "feet", 0.01: "centimetres", 0.001: "millimetres"}
Places = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Fit:
    """How coordinates lie to the roads in one reading.

    Attributes
    ----------
    share
        Of them within reach of a road (0 to 1).
    metres
        Median distance of these to the nearest road; infinite where there are none.
    score
        How many lie near roads, those at a road counted whole, those at the end of reach not.
    """

    share: float
    metres: float
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Another reading of coordinates that fits the roads better.

    Attributes
    ----------
    what
        What it takes them for, in words: ``with x and y exchanged``.
    todo
        What makes it the reading of a run.
    now, then
        How they lie as they are read, and would lie.
    """

    what: str
    todo: str
    now: Fit
    then: Fit


def other_reading(
    places: Places, given: pyproj.CRS, roads: gpd.GeoSeries, *, reach_m: float, grids: bool = True
) -> Reading | None:
    """Find the reading of coordinates that brings most of them to roads, where it is clearly not that of the mapping.

    Parameters
    ----------
    places
        ``x`` and ``y`` in `given`, finite.
    given
        Their CRS, as it is configured.
    roads
        Centrelines in the city's CRS, in metres.
    reach_m
        Farther from every road than this is off the roads (metres).
    grids
        Whether the grids and datums that are used in this country are tried, too, which takes a second.

    Returns
    -------
    The reading, of equally good ones the simplest; None where none is better by `ELSEWHERE` or `NEARER`.

    Examples
    --------
    >>> street = gpd.GeoSeries([shapely.LineString([(430_000, 434_000), (430_900, 434_000)])], crs=27700)
    >>> east = np.linspace(430_050, 430_850, 30)
    >>> lon, lat = pyproj.Transformer.from_crs(27700, 4326, always_xy=True).transform(east, np.full(30, 434_002.0))
    >>> found = other_reading((lat, lon), pyproj.CRS(4326), street, reach_m=30)
    >>> found.what, found.then.share
    ('with x and y exchanged', 1.0)
    """
    x, y = places
    some = np.linspace(0, len(x) - 1, min(SAMPLE, len(x))).astype(np.int64)
    if not len(some):
        return None
    sample = (np.asarray(x, dtype=float)[some], np.asarray(y, dtype=float)[some])
    tree = shapely.STRtree(roads.to_numpy())
    crs = pyproj.CRS.from_user_input(roads.crs)
    now = _fit(sample, given, crs, tree, reach_m)
    if now.share * len(some) >= min(LEAST, len(some) / 2) and now.metres <= APART_M:
        return None
    for readings in (_readings(sample, given, crs), _grids(sample, roads, crs) if grids else ()):
        best: Reading | None = None
        for what, todo, pair, in_crs in readings:
            then = _fit(pair, in_crs, crs, tree, reach_m)
            if then.score > _ALIKE * (best.then.score if best else now.score):
                best = Reading(what, todo, now, then)
        if best is not None and _beats(best, len(some)):
            return best
    return None


def _beats(found: Reading, count: int) -> bool:
    """Tell whether a reading is so much better than that of the mapping that it must be the one that is meant."""
    now, then = found.now, found.then
    if then.share * count < min(LEAST, count / 2):
        return False
    if then.share >= ELSEWHERE * now.share:
        return True
    return now.metres > APART_M and then.metres <= NEARER * now.metres and then.share >= now.share


def _fit(pair: Places, given: pyproj.CRS, crs: pyproj.CRS, tree: shapely.STRtree, reach_m: float) -> Fit:
    """Measure how coordinates lie to the roads."""
    none = Fit(0.0, float("inf"), 0.0)
    try:
        # without a known way from datum to datum, every one of them would do as well as that of the roads
        change = pyproj.Transformer.from_crs(given, crs, always_xy=True, allow_ballpark=False)
        east, north = change.transform(*pair)
    except ProjError:
        return none
    there = np.isfinite(east) & np.isfinite(north)
    points = np.asarray(shapely.points(np.where(there, east, 0.0), np.where(there, north, 0.0)))
    (at, _), metres = tree.query_nearest(
        points[there], max_distance=reach_m, return_distance=True, all_matches=False
    )
    score = float((1 - metres / reach_m).sum())
    return Fit(len(at) / len(points), float(np.median(metres)), score) if len(at) else none


def _readings(
    pair: Places, given: pyproj.CRS, crs: pyproj.CRS
) -> Iterator[tuple[str, str, Places, pyproj.CRS]]:
    """List other readings, the simplest first: what they are, what makes them so, coordinates and their CRS."""
    x, y = pair
    yield "with x and y exchanged", _EXCHANGE, (y, x), given
    if given.is_geographic:
        yield (
            "with the other sign of the longitude",
            "mend the sign of the longitude in the file",
            (-x, y),
            given,
        )
        yield (
            "with the other sign of the latitude",
            "mend the sign of the latitude in the file",
            (x, -y),
            given,
        )
        both = f"{_EXCHANGE}, and mend the sign of the longitude in the file"
        yield "with x and y exchanged and the other sign of the longitude", both, (-y, x), given
    for size, name in (_SHARES if given.is_geographic else _UNITS).items():
        yield f"as {name}", f"bring them to {_unit(given)}s in the file", (x * size, y * size), given
    for other in (crs, *map(pyproj.CRS.from_epsg, (4326, 3857))):
        if not other.equals(given, ignore_axis_order=True):
            yield from _in(other, pair)


def _in(crs: pyproj.CRS, pair: Places) -> Iterator[tuple[str, str, Places, pyproj.CRS]]:
    """List the readings in a CRS, as they are and exchanged."""
    name = f"in {crs.to_string()} ({crs.name})" if crs.to_epsg() else f"in {crs.name}"
    key = f"give collisions.columns.crs: {crs.to_string()}"
    yield name, key, pair, crs
    yield f"{name}, with x and y exchanged", f"{key}, and {_EXCHANGE}", pair[::-1], crs


def _grids(
    pair: Places, roads: gpd.GeoSeries, crs: pyproj.CRS
) -> Iterator[tuple[str, str, Places, pyproj.CRS]]:
    """List the readings in CRSs of EPSG's register for a country or less in which the roads lie, the widest first."""
    box = pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform_bounds(*roads.total_bounds)
    kinds = [PJType.PROJECTED_CRS, PJType.GEOGRAPHIC_2D_CRS]
    found = query_crs_info("EPSG", kinds, area_of_interest=AreaOfInterest(*box), contains=True)
    areas = {
        int(one.code): ((area.east - area.west) % 360 or 360.0) * (area.north - area.south)
        for one in found
        if (area := one.area_of_use) is not None
    }
    # of grids that coincide, such as those of railways with a country's own, the widest is meant
    for code in sorted(
        (code for code, size in areas.items() if size < _WIDE), key=lambda code: (-areas[code], code)
    ):
        yield from _in(pyproj.CRS.from_epsg(code), pair)


def _unit(crs: pyproj.CRS) -> str:
    return str(crs.axis_info[0].unit_name)
