"""Tiles become embeddings, a shard at a time.

Shards are kept by a digest of their own (their tiles, the bytes of the rasters under them, the encoder), beside
the stages, so a change in one place re-encodes that place alone.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.config import CityConfig
from geo.config.section import effective
from geo.errors import LayerError, SourceError
from geo.imagery.sources import expand_sources
from geo.ledger import Entry, merge
from tasks.documents import Encoded
from tasks.plan import Plan
from tasks.stages.matching import load_matching
from tasks.store.code import code_digest
from tasks.store.document import digest
from tasks.store.stage import Stage, read_account, read_summary
from tasks.tables import LOOK_UPS, SHARD

if TYPE_CHECKING:
    from tasks.encode import ShardJob

ENCODED, ENCODING = "features.json", "tasks.encode"
ROADS, JUNCTIONS = "tiles.parquet", "junction_tiles.parquet"
"""Files of the tiles of roads and of junctions."""
AT_JUNCTIONS = "junction tiles"
"""What the ledger calls the latter."""


def plan_shards(plan: Plan) -> list[ShardJob]:
    """List the shards that hold tiles with imagery, of roads and of junctions, each with the file of its digest.

    Junctions are read right after the roads about them, whose blocks are still there, into files of their own: roads
    are encoded the same with them and without.
    """
    from geo.tiles.shards import spatial_order
    from tasks.encode import ShardJob, limit_of

    stage = plan.stage_folder("tiles")
    images = gpd.read_parquet(stage / "images.parquet", columns=["image_id", "digest", "pixel_m", "geometry"])
    pixels = images.set_index("image_id")["digest"]
    segments = plan.stage_folder("roads") / "segments.parquet"
    pixels_by = plan.config.imagery.model_dump(include={"crs", "bands", "scale", "nodata", "collars"})
    limit = limit_of(images, plan.config)
    made_by = digest(encoder_key(plan), plan.config.tiles.model_dump(), pixels_by, limit)
    roads = _roads(segments) if plan.config.tiles.pool == "corridor" else pd.Series(dtype=object)
    code = code_digest(ENCODING)
    look_ups, tables = _look_ups(plan)
    jobs = []
    for table in (ROADS, JUNCTIONS):
        tiles = gpd.read_parquet(stage / table)
        for shard, mine in tiles[tiles["coverage"] > 0].groupby("shard"):
            places = mine[["tile_id", "x", "y", "bearing"]].to_csv(index=False)
            lines = roads.reindex(mine["segment_id"]).dropna().tolist() if table == ROADS else []
            rasters = sorted({name for names in mine["image_ids"] for name in names})
            seen = [";".join(names) for names in mine["image_ids"]]
            # without tables the digest is what it was before there were any
            looked_up = [[(name, tables[name]) for name in rasters if name in tables]] if tables else []
            named = [(name, pixels[name]) for name in rasters]
            key = digest(made_by, places, seen, named, lines, *looked_up)
            out = plan.stages / "shards" / f"shard-{key}.parquet"
            files = stage / table, stage / "images.parquet", segments
            jobs.append(ShardJob(str(shard), *files, out, len(mine), plan.config, code, look_ups))
    return sorted(jobs, key=lambda job: (spatial_order(job.shard), job.tiles.name == JUNCTIONS))


def _look_ups(plan: Plan) -> tuple[Path | None, dict[str, str]]:
    """Find the table of what values become, and the digest of that of each raster; None where they stay."""
    from tasks.encode import read_look_ups

    if not load_matching(plan).matched:
        return None, {}
    file = plan.stage_folder("matching") / f"{LOOK_UPS.name}.parquet"
    names = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet", columns=["image_id", "geometry"])[
        "image_id"
    ]
    found = zip(names, read_look_ups(file, names), strict=True)
    return file, {name: table.key for name, table in found if table is not None}


def of_roads(jobs: list[ShardJob]) -> list[ShardJob]:
    """Take the shards of roads."""
    return [job for job in jobs if job.tiles.name == ROADS]


def of_junctions(jobs: list[ShardJob]) -> list[ShardJob]:
    """Take the shards of junctions."""
    return [job for job in jobs if job.tiles.name == JUNCTIONS]


def _roads(segments: Path) -> pd.Series:
    """Read the lines of segments as text."""
    frame = gpd.read_parquet(segments, columns=["segment_id", "geometry"])
    lines: pd.Series = frame.set_index("segment_id").geometry.to_wkb(hex=True)
    return lines


def encoder_key(plan: Plan) -> str:
    """Digest what decides an embedding besides the pixels: the encoder's settings and the code that runs it."""
    settings = effective(plan.config, ["encoder"])
    weights = [plan.sources[file] for file in weights_files(plan.config)]
    return digest(settings, weights, code_digest(ENCODING))


def weights_files(config: CityConfig) -> list[str]:
    """Name the local file that holds the encoder's weights, where there is one."""
    return config.encoder.files()


def weights_digest(plan: Plan) -> str:
    """Give the digests of the files that the encoder is loaded from, joined by ``;``; empty where it names none."""
    return ";".join(plan.sources[file] for file in weights_files(plan.config))


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Encode what is not encoded yet, and write ``features.json``: the shards and what is known of the encoder.

    Raises
    ------
    LayerError
        When not one tile could be encoded.
    SourceError
        When an input was changed meanwhile.
    """
    import pyarrow.parquet as pq

    from tasks.encode import encode_shard, limit_of, load_once

    jobs = plan_shards(plan)
    entries = [entry for job in of_roads(jobs) for entry in encode_shard(job)]
    if not sum(entry.count for entry in entries if entry.status == "done"):
        reasons = "; ".join(f"{entry.count} tiles {entry.status}: {entry.reason}" for entry in merge(entries))
        raise LayerError(
            f"not one tile could be encoded ({reasons})",
            where="imagery.sources",
            todo="Look at the imagery: is it blank where the roads are? Or lower tiles.min_coverage.",
        )
    images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet", columns=["pixel_m", "geometry"])
    card = load_once(plan.config, limit_of(images, plan.config)).card
    made_by = {pq.read_schema(job.out).metadata[b"emb:runtime"].decode() for job in of_roads(jobs)}
    encoder = card.as_dict() | {"runtime": "; ".join(sorted(made_by))}
    beside = [entry for job in of_junctions(jobs) for entry in encode_shard(job)]
    entries += [replace(entry, item=AT_JUNCTIONS) if entry.item == "tiles" else entry for entry in beside]
    shards, at_junctions = (
        [str(job.out.relative_to(plan.stages)) for job in some]
        for some in (of_roads(jobs), of_junctions(jobs))
    )
    Encoded(encoder=encoder, shards=shards, junction_shards=at_junctions).write(folder / ENCODED)
    try:
        plan.check_inputs()
    except SourceError:
        forget(plan)
        raise
    return entries


def forget(plan: Plan) -> None:
    """Take back the shards of a plan whose imagery was changed meanwhile: which of them read it is not known."""
    for job in plan_shards(plan):
        job.account.unlink(missing_ok=True)


def is_finished(plan: Plan) -> bool:
    """Tell whether the stage is there with all its shards as they were left; remains of one that is not are removed."""
    folder = plan.stage_folder("features")
    if read_summary(folder) is not None:
        shards = [plan.stages / shard for shard in load_encoded_as(plan).files]
        if all(read_account(shard.with_suffix(".json")) is not None for shard in shards):
            return True
        shutil.rmtree(folder)
    return False


def load_encoded_as(plan: Plan) -> Encoded:
    """Read what encoded the tiles of a run, and where that lies."""
    return Encoded.read(plan.stage_folder("features") / ENCODED)


def _sources(config: CityConfig) -> list[str]:
    return [*expand_sources(config.imagery.sources), *weights_files(config)]


STAGE = Stage(
    "features",
    build,
    counts=("tiles", "reads"),
    after=("roads", "tiles", "matching"),
    settings=("encoder", "tiles.min_coverage", "tiles.pool", "tiles.corridor_m", "tiles.context_m"),
    inputs=_sources,
    tables=(SHARD,),
    documents=(Encoded,),
)
