"""Stage 10: small pictures of tiles, for the GeoPackage and the report."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from geo.config import CityConfig
from geo.imagery.sources import expand_sources
from geo.ledger import Entry
from tasks.plan import Plan
from tasks.stages.fingerprints import load_encoded
from tasks.store.stage import Stage

FILE = "thumbnails.parquet"
FOR_REPORT, NAMED = 800, 400
"""Segments that the report shows a picture of: all where there are so few, else so many of those that look alike."""
AT_ONCE = 1000
"""Pictures that are held in memory before they are written."""
KINDS = ("prototype", "edge")
"""Of the picks, those that the GeoPackage holds."""
_SCHEMA = pa.schema([("tile_id", pa.string()), ("jpeg", pa.binary())])


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``thumbnails`` (see docs/stages.md); a tile whose imagery fails now has no picture."""
    tiles = gpd.read_parquet(plan.stage_folder("tiles") / "tiles.parquet")
    wanted = tiles[tiles["tile_id"].isin(_wanted(plan))]
    made = 0
    with pq.ParquetWriter(folder / FILE, _SCHEMA, compression="none") as file:
        pictures = _pictures(plan, wanted)
        while some := list(islice(pictures, AT_ONCE)):
            file.write_table(pa.Table.from_pylist(some, _SCHEMA))
            made += len(some)
    entries = [Entry("thumbnails", "done", "", made)]
    if made < len(wanted):
        entries.append(
            Entry("thumbnails", "failed", "the imagery cannot be read any more", len(wanted) - made)
        )
    return entries


def _wanted(plan: Plan) -> set[str]:
    """Choose the tiles: those picked, those that the report shows, or all."""
    if plan.config.output.thumbnails == "all":
        return set(load_encoded(plan)["tile_id"])
    picks = pd.read_parquet(plan.stage_folder("clusters") / "prototypes.parquet")
    return set(picks["tile_id"].dropna()) | report_tiles(plan)


def report_tiles(plan: Plan) -> set[str]:
    """Choose the tiles that the report shows beside its map, see `middle_tiles`."""
    alike = pd.read_parquet(plan.stage_folder("concentration") / "look_alikes.parquet")
    return middle_tiles(load_encoded(plan), alike)


def middle_tiles(encoded: pd.DataFrame, look_alikes: pd.DataFrame) -> set[str]:
    """Choose the tile in the middle of each segment: of all where there are few, else of those that look alike.

    Parameters
    ----------
    encoded
        ``tile_id, segment_id, position_m`` of the tiles that have an embedding.
    look_alikes
        ``segment_id, similar_segment_id, rank, place``: those of the first ranks come first.
    """
    from geo.clusters.prototypes import central_tiles

    segments = encoded[["segment_id"]].drop_duplicates()
    if len(segments) > FOR_REPORT:
        ranked = look_alikes.sort_values(["rank", "segment_id", "place"])
        names = pd.unique(ranked[["segment_id", "similar_segment_id"]].to_numpy().ravel())
        segments = segments[segments["segment_id"].isin(names[:NAMED])]
    return set(central_tiles(segments, encoded))


def _pictures(plan: Plan, tiles: gpd.GeoDataFrame) -> Iterator[dict[str, str | bytes]]:
    """Read tiles and shrink them."""
    from geo.imagery.bands import BandSet
    from geo.imagery.catalogue import check_pictured
    from geo.imagery.reader import TileImage, TileReader
    from geo.outputs.thumbnails import thumbnail

    images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet")
    imagery = plan.config.imagery
    check_pictured(images[images["image_id"].isin(set(tiles["image_ids"].explode()))], imagery)
    band_set = BandSet.pictured(imagery)
    with TileReader(images, imagery, plan.config.tiles, band_set=band_set) as reader:
        for tile in reader.read(tiles):
            if isinstance(tile, TileImage):
                yield {"tile_id": tile.tile_id, "jpeg": thumbnail(tile.pixels)}


def load_pictures(plan: Plan) -> dict[str, bytes]:
    """Read the pictures of a run: JPEG by ``tile_id``."""
    table = pd.read_parquet(plan.stage_folder("pictures") / FILE)
    return dict(zip(table["tile_id"], table["jpeg"], strict=True))


def _sources(config: CityConfig) -> list[str]:
    return expand_sources(config.imagery.sources)


def _all(config: CityConfig) -> bool:
    return config.output.thumbnails == "all"


STAGE = Stage(
    "pictures",
    build,
    counts=("thumbnails",),
    after=("tiles", "fingerprints", "clusters", "concentration"),
    settings=("imagery.picture_bands",),
    inputs=_sources,
    also=_all,
)
