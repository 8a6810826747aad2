"""Segments on the page's map: their tiles, the places of their middles, and which one is at a place."""

from __future__ import annotations

from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.errors import LayerError
from geo.explore.vector_tiles import VectorTiles
from geo.roads.importance import importance
from geo.search.looks import AT_REACH_M
from tasks.explore.page import Page

DEGREES = 4326
IN_NETWORK = "in_high_injury_network"
"""Column of the page's own: whether a segment lies in the high-injury network."""
_NEAR_M = 0.1
PLACES = 6
"""Decimals of degrees: a tenth of a metre."""


class Network:
    """The segments of a page, by row.

    Parameters
    ----------
    page
        The page.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._segments = page.segments

    @cached_property
    def drawn(self) -> VectorTiles:
        """Their vector tiles, with ``rank`` (0: the most important road class)."""
        classes = self._segments["road_class"].astype("string")
        ranks = {name: importance(name) for name in classes.dropna().unique()}
        return VectorTiles("segments", self._segments.geometry, {"rank": classes.map(ranks).astype("Int64")})

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north of all of them (degrees)."""
        west, south, east, north = map(float, self._lines.total_bounds)
        return west, south, east, north

    @cached_property
    def middles(self) -> pd.DataFrame:
        """``lon`` and ``lat`` of a point in the middle of each (degrees)."""
        places = self._segments.geometry.interpolate(0.5, normalized=True).to_crs(DEGREES)
        return pd.DataFrame({"lon": places.x.round(PLACES), "lat": places.y.round(PLACES)})

    @cached_property
    def in_network(self) -> pd.Series:
        """Whether each lies in the high-injury network, by two places on it; null where no such network can be told."""
        windows = gpd.GeoDataFrame(self._page.layer("windows"))
        known = windows[IN_NETWORK].notna() & windows.geometry.notna()
        if not known.any():
            return pd.Series(pd.NA, index=self._segments.index, dtype="boolean", name=IN_NETWORK)
        inside = windows.geometry[known & windows[IN_NETWORK].fillna(value=False)].to_numpy()
        tree = shapely.STRtree(inside)
        found = np.ones(len(self._segments), dtype=bool)
        for share in (0.4, 0.6):
            places = shapely.line_interpolate_point(
                self._segments.geometry.to_numpy(), share, normalized=True
            )
            of, _ = tree.query(places, predicate="dwithin", distance=_NEAR_M)
            found &= np.isin(np.arange(len(found)), of)
        return pd.Series(found, index=self._segments.index, dtype="boolean", name=IN_NETWORK)

    def tiles_of(self, row: int) -> list[int]:
        """Give the rows of the tiles along a segment, from its beginning."""
        order, on = self._tiles
        begin, end = np.searchsorted(on, [row, row + 1])
        rows: list[int] = order[begin:end].tolist()
        return rows

    @cached_property
    def _tiles(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows of tiles in the order of their segments and along each, and the rows of these."""
        tiles = self._page.tiles
        on = self._ids.get_indexer(pd.Index(tiles["segment_id"].astype(str)))
        order = np.lexsort((tiles["position_m"].to_numpy(dtype=np.float64, na_value=np.nan), on))
        return order, on[order]

    def row_of(self, segment_id: str) -> int | None:
        """Find the row of an id; None: there is none."""
        found = self._ids.get_indexer(pd.Index([segment_id]))
        return int(found[0]) if found[0] >= 0 else None

    def at(self, lon: float, lat: float) -> tuple[int, float]:
        """Find the segment nearest to a place (degrees), with its distance in metres.

        Raises
        ------
        LayerError
            When none lies within `AT_REACH_M`, or it is no place.
        """
        where = f"{lon:g},{lat:g}"
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise LayerError("it is no place in degrees", where=where, todo="Give longitude, then latitude.")
        (place,) = gpd.GeoSeries([shapely.Point(lon, lat)], crs=DEGREES).to_crs(self._segments.crs)
        nearest = self._tree.nearest(place) if np.isfinite(shapely.get_coordinates(place)).all() else None
        apart = np.inf if nearest is None else float(self._tree.geometries[nearest].distance(place))
        if nearest is None or not apart <= AT_REACH_M:
            raise LayerError(
                f"no road lies within {AT_REACH_M:.0f} m of it", where=where, todo="Give a place on a road."
            )
        return int(nearest), apart

    def line(self, row: int) -> list[list[float]]:
        """Give the points of a segment (degrees)."""
        points: list[list[float]] = shapely.get_coordinates(self._lines.iloc[row]).round(PLACES).tolist()
        return points

    @cached_property
    def _lines(self) -> gpd.GeoSeries:
        return self._segments.geometry.to_crs(DEGREES)

    @cached_property
    def _ids(self) -> pd.Index:
        ids: pd.Index = pd.Index(self._segments["segment_id"].astype(str))
        return ids

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self._segments.geometry.to_numpy())


def network_of(page: Page) -> Network:
    """Give the network of a page."""
    return page.once("network", lambda: Network(page))
