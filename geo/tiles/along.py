"""Positions of tiles along segments."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.config import Tiles
from geo.errors import LayerError

BEARING_REACH_M = 1.0
"""A bearing is that of the chord from this far behind a tile's centre to this far ahead of it (metres), so that a
vertex under the centre has a bearing too: the mean of its two arms."""

Floats = NDArray[np.float64]
_AS_CONFIGURED = Tiles()


def place_tiles(segments: gpd.GeoDataFrame, tiles: Tiles = _AS_CONFIGURED) -> gpd.GeoDataFrame:
    """Place tiles along segments by arc length.

    A segment of length L gets n = max(1, round(L / ``spacing_m``)) tiles, a half to the even number, centred at
    (i + 0.5) L / n. So every segment has a tile, a short one at its middle, and two neighbours on one segment lie
    between 2/3 and 3/2 of ``spacing_m`` apart.

    Parameters
    ----------
    segments
        ``segment_id`` and LineStrings in the city's CRS, whose unit is the metre.
    tiles
        ``tile_m``, ``spacing_m`` and ``align``: with ``road`` a footprint is turned so that its upward axis is the
        tile's bearing.

    Returns
    -------
    Sorted by segment and position, numbered from 0: ``tile_id``, ``segment_id``, ``position_m``, ``bearing``
    (clockwise degrees from grid north, at least 0 and below 360, in the segment's own direction), ``x``, ``y`` and the
    footprint.

    Raises
    ------
    LayerError
        When the segments have no projected CRS.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> from geo.config import Tiles
    >>> road = gpd.GeoDataFrame(
    ...     {"segment_id": ["a"]}, geometry=[LineString([(0, 0), (150, 0)])], crs=27700
    ... )
    >>> tiles = place_tiles(road, Tiles(tile_m=100, spacing_m=75))
    >>> tiles[["tile_id", "position_m", "bearing"]].values.tolist()
    [['a-00', 37.5, 90.0], ['a-01', 112.5, 90.0]]
    >>> tiles.geometry.area.tolist()
    [10000.0, 10000.0]
    """
    if segments.crs is None or not segments.crs.is_projected:
        name = "no CRS" if segments.crs is None else f"the geographic CRS {segments.crs.name}"
        raise LayerError(
            f"tiles are measured in metres, but the segments have {name}",
            where="crs",
            todo="Give the city a projected CRS in metres.",
        )
    ordered = segments.sort_values("segment_id", kind="stable")
    lines = shapely.force_2d(ordered.geometry.to_numpy())
    lengths = shapely.length(lines)
    counts = np.maximum(1, np.rint(lengths / tiles.spacing_m)).astype(np.int64)

    row = np.repeat(np.arange(len(lines)), counts)
    number = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    position = (number + 0.5) * lengths[row] / counts[row]
    centre = shapely.get_coordinates(shapely.line_interpolate_point(lines[row], position))
    bearing = bearings(lines[row], position)
    turn = bearing if tiles.align == "road" else np.zeros(len(row))

    segment_id = ordered["segment_id"].to_numpy()[row]
    suffix = pd.Series(number, dtype="int64").map("{:02d}".format)
    return gpd.GeoDataFrame(
        {
            "tile_id": pd.Series(segment_id, dtype="str") + "-" + suffix.astype("str"),
            "segment_id": segment_id,
            "position_m": position,
            "bearing": bearing,
            "x": centre[:, 0],
            "y": centre[:, 1],
        },
        geometry=squares(centre, turn, tiles.tile_m),
        crs=segments.crs,
    )


def bearings(lines: NDArray[np.object_], position: Floats) -> Floats:
    """Bearing of lines at positions along them.

    Parameters
    ----------
    lines
        One LineString for each position, in metres.
    position
        Distance from the line's start (metres).

    Returns
    -------
    Clockwise degrees from grid north, at least 0 and below 360, of the chord `BEARING_REACH_M` to both sides, cut at
    the line's ends. Where both ends of the chord coincide (a hairpin, a tiny loop) the half ahead alone counts.
    """
    behind = _points(lines, np.maximum(position - BEARING_REACH_M, 0.0))
    ahead = _points(lines, np.minimum(position + BEARING_REACH_M, shapely.length(lines)))
    chord = ahead - behind
    closed = np.hypot(*chord.T) < 1e-6
    chord[closed] = ahead[closed] - _points(lines[closed], position[closed])
    degrees = np.degrees(np.arctan2(chord[:, 0], chord[:, 1])) % 360.0
    # the remainder of a tiny negative angle rounds to 360 itself
    result: Floats = np.where(degrees >= 360.0, 0.0, degrees)
    return result


def squares(centre: Floats, bearing: Floats, side_m: float) -> NDArray[np.object_]:
    """Draw squares about points, each turned clockwise by its bearing.

    Parameters
    ----------
    centre
        Array ``(n, 2)`` of x and y (metres).
    bearing
        Array ``(n,)`` of clockwise degrees from grid north.
    side_m
        Side of the squares (metres).
    """
    turn = np.radians(bearing)
    ahead = np.column_stack([np.sin(turn), np.cos(turn)]) * side_m / 2
    right = np.column_stack([np.cos(turn), -np.sin(turn)]) * side_m / 2
    corners = [centre - ahead - right, centre - ahead + right, centre + ahead + right, centre + ahead - right]
    return np.asarray(shapely.polygons(np.stack(corners, axis=1)))


def _points(lines: NDArray[np.object_], position: Floats) -> Floats:
    """Coordinates ``(n, 2)`` at positions along lines."""
    points: Floats = shapely.get_coordinates(shapely.line_interpolate_point(lines, position))
    return points
