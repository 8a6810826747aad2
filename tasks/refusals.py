"""What stages after the encoding would refuse, refused before the hours that encoding takes.

No stage reads this: what a stage refuses by itself it refuses still, whoever runs it.
"""

from __future__ import annotations

import geopandas as gpd

from geo.clusters.registry import method_of
from geo.config import CityConfig
from geo.imagery.catalogue import check_pictured
from tasks.plan import Plan


def refuse_before_encoding(plan: Plan) -> None:
    """Read the tiles and the images of a run, and hold them against what comes after their encoding.

    Raises
    ------
    RoadprintError
        As `check_what_follows`.
    """
    folder = plan.stage_folder("tiles")
    tiles = gpd.read_parquet(folder / "tiles.parquet", columns=["segment_id", "coverage", "geometry"])
    images = gpd.read_parquet(folder / "images.parquet", columns=["path", "geometry"])
    check_what_follows(plan.config, tiles, images)


def check_what_follows(config: CityConfig, tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame) -> None:
    """Make sure that pictures can be drawn, and that there are not more segments than can be grouped.

    Parameters
    ----------
    config
        The city's configuration.
    tiles, images
        Tables of the stage ``tiles``: ``segment_id`` and ``coverage`` of each tile, ``path`` of each raster.

    Raises
    ------
    LayerError
        When a raster lacks a band of ``imagery.picture_bands``.
    ConfigurationError
        When ``clusters.method`` takes fewer segments than there are under footprints of images.
    """
    check_pictured(images, config.imagery)
    method_of(config.clusters).check_size(tiles.loc[tiles["coverage"] > 0, "segment_id"].nunique())
