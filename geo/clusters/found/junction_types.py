"""The types of a city's junctions: grouped by what they look like from above, apart from roads."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.clusters.found.road_types import RoadTypes, find_types
from geo.clusters.whitening.scatter import Scatter
from geo.config import Clusters
from geo.features.fingerprints import Fingerprints

_SHORT_M = 1.0
"""A junction counts as a stretch of so much about its centre (metres)."""


def find_junction_types(
    fingerprints: Fingerprints,
    tiles: pd.DataFrame,
    junctions: gpd.GeoDataFrame,
    settings: Clusters,
    *,
    tile_m: float,
    scatter: Scatter | None = None,
) -> RoadTypes:
    """Group junctions by what they look like, as `geo.clusters.found.road_types.find_types` groups segments.

    Parameters
    ----------
    fingerprints
        What the junctions look like, by ``junction_id``; at least one.
    tiles
        One row an encoded tile: ``tile_id, junction_id``.
    junctions
        ``junction_id`` and Points in metres.
    settings
        The section ``clusters`` of the city's file; ``k`` and ``k_range`` are those of its ``junctions``.
    tile_m
        Side of a tile (metres).
    scatter
        How the quarter turns of a tile scatter, of tiles of roads as well; see
        `geo.clusters.found.road_types.find_types`.
    tile_m
        Side of a tile (metres).

    Returns
    -------
    The types, with ``junction_id`` wherever those of roads have ``segment_id``. No collision is seen in finding them.

    Examples
    --------
    Twenty junctions of two looks, 300 m apart:

    >>> from geo.config import Clusters
    >>> from geo.config.sections.clusters import JunctionTypes
    >>> from geo.features.fingerprints import fingerprint
    >>> ids = [f"j{i:02d}" for i in range(20)]
    >>> junctions = gpd.GeoDataFrame(
    ...     {"junction_id": ids}, geometry=[shapely.Point(300 * i, 0) for i in range(20)], crs=27700
    ... )
    >>> tiles = pd.DataFrame({"tile_id": ids, "segment_id": ids, "coverage": 1.0})
    >>> tiles["embedding"] = [[1.0, 0.1 * i, 0.0] if i < 12 else [0.0, 0.1 * i, 9.0] for i in range(20)]
    >>> tiles["bands"] = tiles["embedding"]
    >>> settings = Clusters(k=7, junctions=JunctionTypes(k=2))
    >>> seen = tiles.rename(columns={"segment_id": "junction_id"})
    >>> types = find_junction_types(fingerprint(tiles), seen, junctions, settings, tile_m=100)
    >>> types.segments.groupby("cluster").size().tolist(), types.segments.columns[0]
    ([12, 8], 'junction_id')
    """
    places = shapely.get_coordinates(junctions.geometry.to_numpy())
    aside = np.array([_SHORT_M / 2, 0.0])
    lines = shapely.linestrings(np.stack([places - aside, places + aside], axis=1))
    stretches = gpd.GeoDataFrame(
        {"segment_id": junctions["junction_id"].to_numpy()}, geometry=lines, crs=junctions.crs
    )
    own = settings.junctions
    found = find_types(
        fingerprints,
        tiles.rename(columns={"junction_id": "segment_id"}).assign(position_m=0.0),
        stretches,
        settings.model_copy(update={"k": own.k, "k_range": own.k_range}),
        tile_m=tile_m,
        scatter=scatter,
    )
    of_junctions = {"segment_id": "junction_id"}
    return RoadTypes(
        # what analysts say is of roads alone
        found.segments.drop(columns=["cluster_found", "cluster_source"]).rename(columns=of_junctions),
        found.picks.rename(columns=of_junctions),
        found.choice,
        found.groupings.rename(columns=of_junctions),
        found.merging,
        found.quality,
    )
