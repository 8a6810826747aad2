"""The fingerprint of each segment, pooled from its tiles, and which tiles have been seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.ledger import Entry
from tasks.plan import Plan
from tasks.stages.features import load_encoded_as
from tasks.store.stage import Stage
from tasks.tables import FINGERPRINTS, SEEN

if TYPE_CHECKING:
    from geo.features.fingerprints import Fingerprints

FILE = "fingerprints.parquet"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``fingerprints`` and ``tiles`` (see docs/stages.md)."""
    from geo.features.fingerprints import fingerprint, write_fingerprints
    from geo.features.store import about_all

    segments = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    tiles = load_tiles(plan)
    encoded = tiles["embedding"].notna()
    found = fingerprint(tiles[encoded].reset_index(drop=True))
    write_fingerprints(folder / FILE, found, segments, about_all(_shards(plan)))
    seen = tiles[["tile_id", "segment_id", "position_m", "image_id", "coverage"]]
    SEEN.write(seen.assign(encoded=encoded), folder)
    return [
        Entry("segments", "done", "", len(found)),
        Entry("segments", "skipped", "no tile of it has an embedding", len(segments) - len(found)),
    ]


def load_tiles(plan: Plan) -> pd.DataFrame:
    """Read the tiles whose imagery was read, with their vectors, sorted by ``tile_id``."""
    encoded = pd.concat([pd.read_parquet(shard) for shard in _shards(plan)], ignore_index=True)
    tiles = gpd.read_parquet(plan.stage_folder("tiles") / "tiles.parquet")
    place = tiles[["tile_id", "segment_id", "position_m"]]
    return encoded.merge(place, on="tile_id", validate="one_to_one").sort_values("tile_id", ignore_index=True)


def _shards(plan: Plan) -> list[Path]:
    return [plan.stages / shard for shard in load_encoded_as(plan).shards]


def load_seen(plan: Plan) -> pd.DataFrame:
    """Read which tiles have been seen: ``tile_id, segment_id, position_m, image_id, coverage, encoded``."""
    return pd.read_parquet(plan.stage_folder("fingerprints") / "tiles.parquet")


def load_encoded(plan: Plan) -> pd.DataFrame:
    """Read the tiles that have an embedding, see `load_seen`."""
    tiles = load_seen(plan)
    return tiles[tiles["encoded"]].reset_index(drop=True)


def load_fingerprints(plan: Plan) -> Fingerprints:
    """Read the fingerprints of a run."""
    from geo.features.fingerprints import read_fingerprints

    return read_fingerprints(plan.stage_folder("fingerprints") / FILE)


STAGE = Stage(
    "fingerprints",
    build,
    counts=("segments",),
    after=("roads", "tiles", "features"),
    tables=(FINGERPRINTS, SEEN),
)
