"""Tiles become embeddings, a shard at a time.

Shards are kept by a digest of their own (their tiles, the bytes of the rasters under them, the encoder), beside
the stages, so a change in one place re-encodes that place alone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.config import CityConfig
from geo.config.section import effective, leaf_keys
from geo.config.sections.elsewhere import Elsewhere
from geo.errors import LayerError, SourceError
from geo.imagery.sources import expand_sources
from geo.ledger import Entry, merge
from tasks.documents import Encoded
from tasks.plan import Plan
from tasks.stages.imagery.matching import load_matching
from tasks.store.code import code_digest
from tasks.store.document import digest
from tasks.store.stage import Stage, is_whole
from tasks.tables import LOOK_UPS, SHARD

if TYPE_CHECKING:
    from tasks.shards.encode import ShardJob

ENCODED, ENCODING = "features.json", "tasks.shards.encode"
ROADS, JUNCTIONS = "tiles.parquet", "junction_tiles.parquet"
"""Files of the tiles of roads and of junctions."""
AT_JUNCTIONS = "junction tiles"
"""What the ledger calls the latter."""
BESIDE = "beside"
"""What the ledger calls tiles whose embeddings are joined to the encoder's."""


def plan_shards(plan: Plan) -> list[ShardJob]:
    """List the shards that hold tiles with imagery, of roads and of junctions, each with the file of its digest.

    Junctions are read right after the roads about them, whose blocks are still there, into files of their own: roads
    are encoded the same with them and without.
    """
    from geo.tiles.shards import spatial_order

    jobs = [] if is_raster(plan.config) else _of_imagery(plan)
    if is_raster(plan.config) or plan.config.encoder.beside is not None:
        jobs += _of_others(plan)
    return sorted(jobs, key=lambda job: (spatial_order(job.shard), job.tiles.name == JUNCTIONS, job.pooled))


def is_raster(config: CityConfig) -> bool:
    """Tell whether embeddings are others' work alone, and no imagery is read."""
    return not config.imagery.sources


def _of_imagery(plan: Plan) -> list[ShardJob]:
    """List the shards that an encoder encodes."""
    from tasks.shards.encode import ShardJob, limit_of

    stage = plan.stage_folder("tiles")
    images = gpd.read_parquet(stage / "images.parquet", columns=["image_id", "digest", "pixel_m", "geometry"])
    pixels = images.set_index("image_id")["digest"]
    segments = plan.stage_folder("roads") / "segments.parquet"
    pixels_by = plan.config.imagery.model_dump(include={"crs", "bands", "scale", "nodata", "collars"})
    limit = limit_of(images, plan.config)
    made_by = digest(encoder_key(plan), plan.config.tiles.model_dump(), pixels_by, limit)
    roads = _roads(segments) if plan.config.tiles.pool == "corridor" else pd.Series(dtype=object)
    code = code_digest(ENCODING)
    look_ups, tables = look_ups_of(plan)
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
            jobs.append(
                ShardJob(
                    shard=str(shard),
                    tiles=stage / table,
                    images=stage / "images.parquet",
                    segments=segments,
                    out=out,
                    n_tiles=len(mine),
                    config=plan.config,
                    code=code,
                    look_ups=look_ups,
                )
            )
    return jobs


def _of_others(plan: Plan) -> list[ShardJob]:
    """List the shards for which others' embeddings are pooled: of the same tiles, in files of their own."""
    from tasks.shards.encode import EMBEDDINGS, ShardJob, others_of

    stage = plan.stage_folder("tiles")
    found = gpd.read_parquet(stage / EMBEDDINGS, columns=["image_id", "digest", "geometry"])
    segments = plan.stage_folder("roads") / "segments.parquet"
    settings = others_of(plan.config)
    asked = settings.model_dump(include=set(Elsewhere.model_fields) - {"sources"})
    roads, code = _roads(segments), code_digest(ENCODING)
    named = found[["image_id", "digest"]].to_numpy().tolist()
    made_by = digest("others", asked, plan.config.tiles.min_coverage, named, code)
    jobs = []
    for table in (ROADS, JUNCTIONS):
        tiles = gpd.read_parquet(stage / table)
        for shard, mine in tiles[tiles["coverage"] > 0].groupby("shard"):
            places = mine[["tile_id", "x", "y", "bearing"]].to_csv(index=False)
            lines = roads.loc[mine["segment_id"]] if table == ROADS else mine.geometry.to_wkb(hex=True)
            out = plan.stages / "shards" / f"shard-{digest(made_by, places, lines.tolist())}.parquet"
            jobs.append(
                ShardJob(
                    shard=str(shard),
                    tiles=stage / table,
                    images=stage / EMBEDDINGS,
                    segments=segments,
                    out=out,
                    n_tiles=len(mine),
                    config=plan.config,
                    code=code,
                )
            )
    return jobs


def look_ups_of(plan: Plan) -> tuple[Path | None, dict[str, str]]:
    """Find the table of what values become, and the digest of that of each raster; None where they stay."""
    from tasks.shards.encode import read_look_ups

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


def of_beside(jobs: list[ShardJob]) -> list[ShardJob]:
    """Take the shards of what is joined to the encoder's embeddings."""
    return [job for job in jobs if job.pooled and not is_raster(job.config)]


def _roads(segments: Path) -> pd.Series:
    """Read the lines of segments as text."""
    frame = gpd.read_parquet(segments, columns=["segment_id", "geometry"])
    lines: pd.Series = frame.set_index("segment_id").geometry.to_wkb(hex=True)
    return lines


def encoder_key(plan: Plan) -> str:
    """Digest what decides an embedding besides the pixels: the encoder's settings and the code that runs it."""
    beside = [f"-{key}" for key in leaf_keys(CityConfig) if key.startswith("encoder.beside.")]
    settings = effective(plan.config, ["encoder", *beside])
    weights = [plan.sources[file] for file in weights_files(plan.config)]
    return digest(settings, weights, code_digest(ENCODING))


def weights_files(config: CityConfig) -> list[str]:
    """Name the local files that the encoder is loaded from, or that hold the embeddings of others in its place."""
    return config.encoder.files()


def beside_files(config: CityConfig) -> list[str]:
    """Name the files of embeddings that are joined to the encoder's."""
    from geo.features.elsewhere.inputs import inputs_of

    return [] if config.encoder.beside is None else inputs_of(config.encoder.beside.sources)


def weights_digest(plan: Plan) -> str:
    """Give the digests of the files that the encoder is loaded from, joined by ``;``; empty where it names none."""
    # embeddings of others are data: what made them is told by their product and version
    files = [] if is_raster(plan.config) else weights_files(plan.config)
    return ";".join(plan.sources[file] for file in files)


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

    from tasks.shards.encode import encode_shard

    every = plan_shards(plan)
    beside = of_beside(every)
    jobs = [job for job in every if job not in beside]
    entries = [entry for job in of_roads(jobs) for entry in encode_shard(job)]
    if not sum(entry.count for entry in entries if entry.status == "done"):
        reasons = "; ".join(f"{entry.count} tiles {entry.status}: {entry.reason}" for entry in merge(entries))
        raise LayerError(
            f"not one tile could be encoded ({reasons})",
            where="encoder.sources" if is_raster(plan.config) else "imagery.sources",
            todo="Look at the imagery: is it blank where the roads are? Or lower tiles.min_coverage.",
        )
    made_by = {pq.read_schema(job.out).metadata[b"emb:runtime"].decode() for job in of_roads(jobs)}
    encoder = _card(plan) | {"runtime": "; ".join(sorted(made_by))}
    for some, item in (
        (of_junctions(jobs), AT_JUNCTIONS),
        (of_roads(beside), f"{BESIDE} tiles"),
        (of_junctions(beside), f"{BESIDE} {AT_JUNCTIONS}"),
    ):
        told = [entry for job in some for entry in encode_shard(job)]
        entries += [replace(entry, item=item) if entry.item == "tiles" else entry for entry in told]
    shards = [
        [str(job.out.relative_to(plan.stages)) for job in some]
        for some in (of_roads(jobs), of_junctions(jobs), of_roads(beside), of_junctions(beside))
    ]
    Encoded(
        encoder=encoder,
        shards=shards[0],
        junction_shards=shards[1],
        beside=_beside(plan),
        beside_shards=shards[2],
        beside_junction_shards=shards[3],
    ).write(folder / ENCODED)
    try:
        plan.check_inputs()
    except SourceError:
        forget(plan)
        raise
    return entries


def _card(plan: Plan) -> dict[str, object]:
    """Say what is known of the encoder."""
    from tasks.shards.encode import limit_of, load_once

    if is_raster(plan.config):
        return _others(plan)
    images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet", columns=["pixel_m", "geometry"])
    return load_once(plan.config, limit_of(images, plan.config)).card.as_dict()


def _beside(plan: Plan) -> dict[str, object] | None:
    """Say what is known of the embeddings that are joined to the encoder's; None where none are."""
    beside = plan.config.encoder.beside
    return None if beside is None else _others(plan) | {"weight": beside.weight}


def _others(plan: Plan) -> dict[str, object]:
    """Say what is known of embeddings that others have computed, with the digests of their files."""
    from geo.features.elsewhere.tiles import others
    from tasks.shards.encode import EMBEDDINGS, others_of

    files = gpd.read_parquet(plan.stage_folder("tiles") / EMBEDDINGS)
    settings = others_of(plan.config)
    return others(files, settings).card.as_dict() | {
        "product": settings.product,
        "year": files["year"].iloc[0],
        "version": files["version"].iloc[0],
        "digests": dict(zip(files["image_id"], files["digest"], strict=True)),
    }


def forget(plan: Plan) -> None:
    """Take back the shards of a plan whose imagery was changed meanwhile: which of them read it is not known."""
    for job in plan_shards(plan):
        job.account.unlink(missing_ok=True)


def is_finished(plan: Plan) -> bool:
    """Tell whether the stage is there with all its shards as they were left; remains of one that is not are removed."""
    return is_whole(
        plan.stage_folder("features"), lambda: (plan.stages / one for one in load_encoded_as(plan).files)
    )


def load_encoded_as(plan: Plan) -> Encoded:
    """Read what encoded the tiles of a run, and where that lies."""
    return Encoded.read(plan.stage_folder("features") / ENCODED)


def _sources(config: CityConfig) -> list[str]:
    return [*expand_sources(config.imagery.sources), *weights_files(config), *beside_files(config)]


STAGE = Stage(
    "features",
    build,
    counts=("tiles", "reads"),
    after=("roads", "tiles", "matching"),
    settings=(
        "imagery.sources",
        "encoder",
        "-encoder.beside.weight",
        "tiles.min_coverage",
        "tiles.pool",
        "tiles.corridor_m",
        "tiles.context_m",
    ),
    inputs=_sources,
    tables=(SHARD,),
    documents=(Encoded,),
)
