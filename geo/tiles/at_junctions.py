"""The tile of each junction, at its centre."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.config import Tiles
from geo.roads.importance import importance
from geo.tiles.along import bearings, squares


def place_junction_tiles(
    junctions: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, tiles: Tiles
) -> gpd.GeoDataFrame:
    """Centre one tile at each junction, as large as those of roads.

    Parameters
    ----------
    junctions
        ``junction_id`` and Points in the city's CRS (metres): of a roundabout its centre.
    segments
        ``segment_id, u, v, road_class`` and LineStrings in the same CRS.
    tiles
        ``tile_m`` and ``align``: with ``road`` a tile is turned so that its upward axis is its bearing.

    Returns
    -------
    By junction: ``tile_id``, ``junction_id``, ``bearing`` (clockwise degrees from grid north, from 0 to below 360, of
    the arm of the most important class where it leaves the junction; of equals the longest, then the first by id; 0
    without an arm), ``x``, ``y`` and the footprint.

    Examples
    --------
    >>> from shapely import LineString, Point
    >>> from geo.config import Tiles
    >>> junctions = gpd.GeoDataFrame({"junction_id": ["j"]}, geometry=[Point(0, 0)], crs=27700)
    >>> lines = [LineString([(0, 0), (0, 90)]), LineString([(200, 0), (0, 0)])]
    >>> arms = {"segment_id": ["a", "b"], "u": ["j", None], "v": [None, "j"], "road_class": ["service", "primary"]}
    >>> segments = gpd.GeoDataFrame(arms, geometry=lines, crs=27700)
    >>> tiles = place_junction_tiles(junctions, segments, Tiles(tile_m=40))
    >>> tiles[["tile_id", "bearing", "x", "y"]].values.tolist(), tiles.geometry.area.tolist()
    ([['j-00', 90.0, 0.0, 0.0]], [1600.0])
    """
    ordered = junctions.sort_values("junction_id", ignore_index=True)
    centre = shapely.get_coordinates(ordered.geometry.to_numpy()).reshape(-1, 2)
    bearing = _bearings(segments).reindex(ordered["junction_id"]).fillna(0.0).to_numpy(dtype=np.float64)
    turn = bearing if tiles.align == "road" else np.zeros(len(ordered))
    return gpd.GeoDataFrame(
        {
            "tile_id": ordered["junction_id"].astype("str") + "-00",
            "junction_id": ordered["junction_id"].astype("str"),
            "bearing": bearing,
            "x": centre[:, 0],
            "y": centre[:, 1],
        },
        geometry=squares(centre, turn, tiles.tile_m),
        crs=junctions.crs,
    )


def _bearings(segments: gpd.GeoDataFrame) -> pd.Series:
    """Bearing of the most important arm of each node, away from it, by the node's id."""
    lines = shapely.force_2d(segments.geometry.to_numpy())
    length = shapely.length(lines)
    classes = segments["road_class"].astype(object).where(segments["road_class"].notna(), "")
    step = {name: importance(str(name)) for name in classes.unique()}
    leaving = bearings(lines, np.zeros(len(lines)))
    arriving: NDArray[np.float64] = (bearings(lines, length) + 180.0) % 360.0
    arms = pd.concat(
        pd.DataFrame(
            {
                "node": segments[end].to_numpy(),
                "step": classes.map(step).to_numpy(),
                "shorter": -length,
                "segment_id": segments["segment_id"].to_numpy(),
                "bearing": away,
            }
        )
        for end, away in (("u", leaving), ("v", arriving))
    )
    ordered = arms[arms["node"].notna()].sort_values(["node", "step", "shorter", "segment_id"], kind="stable")
    found: pd.Series = ordered.drop_duplicates("node").set_index("node")["bearing"]
    return found
