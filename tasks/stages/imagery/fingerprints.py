"""The fingerprint of each segment, pooled from its tiles, and which tiles have been seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.config import CityConfig
from geo.errors import LayerError
from geo.ledger import Entry
from tasks.documents import Centring
from tasks.plan import Plan
from tasks.stages.imagery.centring import centre_junctions, centre_roads, centring_inputs, centring_settings
from tasks.stages.imagery.features import is_raster, load_encoded_as, weights_digest
from tasks.stages.imagery.twice_flown import flown_twice, twice_inputs, twice_settings
from tasks.store.stage import Stage
from tasks.tables import (
    FINGERPRINTS,
    JUNCTION_FINGERPRINTS,
    SEEN,
    SEEN_AT_JUNCTIONS,
    SHARD,
    TILE_FINGERPRINTS,
    TURN_SCATTER,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.clusters.methods.heads.views import Looks
    from geo.clusters.whitening.scatter import Scatter
    from geo.features.fingerprints import Fingerprints

LACKING = "imagery shows it, and the embeddings beside it (encoder.beside) have no data along it"
FILE, JUNCTION_FILE = "fingerprints.parquet", "junction_fingerprints.parquet"
TILE_FILE = f"{TILE_FINGERPRINTS.name}.parquet"

_PLAIN = tuple(column.name for column in SHARD.columns if not column.optional)


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write what docs/stages.md says of segments, their tiles and junctions."""
    from geo.clusters.flights.twice import in_equal_parts
    from geo.features.fingerprints import fingerprint, write_fingerprints
    from geo.features.store import about_all
    from geo.features.tile_fingerprints import fingerprints_of_tiles, write_tiles

    segments = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    tiles = load_tiles(plan)
    encoded = tiles["embedding"].notna()
    _check_any(plan, encoded)
    mine = tiles[encoded].reset_index(drop=True)
    pooled = _of_length_1(plan, fingerprint(mine))
    found = centre_roads(plan, pooled, mine, folder)
    about = about_all(_shards(plan)) | {b"emb:weights": weights_digest(plan).encode()} | _about_beside(plan)
    write_fingerprints(folder / FILE, found, segments, about)
    write_tiles(folder / TILE_FILE, mine, fingerprints_of_tiles(mine, pooled, found), about)
    seen = tiles[["tile_id", "segment_id", "position_m", "image_id", "coverage"]]
    SEEN.write(seen.assign(encoded=encoded), folder)
    twice: list[Entry] = []
    if plan.config.encoder.keep_turns:
        scatter = _scatter(plan, found.vectors.shape[1])
        if plan.config.clusters.turn_whitening:
            of_flights, twice = flown_twice(plan, found.vectors.shape[1])
            scatter = in_equal_parts(scatter, of_flights)
        TURN_SCATTER.write(scatter.as_frame(), folder)
    halves = tiles.loc[tiles["half"], "segment_id"]
    lacking = halves[~halves.isin(found.segment_ids)].nunique()
    return [
        *twice,
        Entry("segments", "done", "", len(found)),
        Entry("segments", "skipped", "no tile of it has an embedding", len(segments) - len(found) - lacking),
        Entry("segments", "skipped", LACKING, lacking),
        *_of_junctions(plan, folder, about),
    ]


def _check_any(plan: Plan, encoded: pd.Series[bool]) -> None:
    """Make sure that a tile has both embeddings, where two are joined.

    Raises
    ------
    LayerError
        When none has.
    """
    if plan.config.encoder.beside is not None and not encoded.any():
        raise LayerError(
            "not one tile has both imagery and the embeddings beside it",
            where="encoder.beside",
            todo="Look at where these have data, or lower tiles.min_coverage.",
        )


def _of_length_1(plan: Plan, found: Fingerprints) -> Fingerprints:
    """Bring others' embeddings to length 1 again after the mean over tiles; those of an encoder stay as they are."""
    from geo.features.elsewhere.others import again_of_length_1

    encoded = load_encoded_as(plan)
    beside = plan.config.encoder.beside
    if beside is None and not is_raster(plan.config):
        return found
    weight = None if beside is None else beside.weight
    own = 0 if beside is None else int(encoded.encoder["dimension"])
    return replace(found, vectors=again_of_length_1(found.vectors, own, weight))


def _about_beside(plan: Plan) -> dict[bytes, bytes]:
    """Say in the metadata of fingerprints what is joined to the encoder's embeddings."""
    beside = load_encoded_as(plan).beside
    return {} if beside is None else {b"emb:beside": json.dumps(beside, sort_keys=True).encode()}


def _of_junctions(plan: Plan, folder: Path, about: dict[bytes, bytes]) -> list[Entry]:
    """Write what is known of the tiles of junctions; tells what became of the junctions."""
    from geo.features.fingerprints import fingerprint, write_fingerprints

    junctions = gpd.read_parquet(plan.stage_folder("roads") / "junctions.parquet")
    laid = gpd.read_parquet(plan.stage_folder("tiles") / "junction_tiles.parquet")
    files = load_encoded_as(plan)
    tiles = _read(plan, files.junction_shards, files.beside_junction_shards)
    tiles = tiles.merge(laid[["tile_id", "junction_id"]], on="tile_id", validate="one_to_one")
    tiles = tiles.sort_values("tile_id", ignore_index=True)
    encoded = tiles["embedding"].notna()
    SEEN_AT_JUNCTIONS.write(
        tiles[["tile_id", "junction_id", "image_id", "coverage"]].assign(encoded=encoded.astype(bool)), folder
    )
    if encoded.any():
        seen = tiles[encoded].rename(columns={"junction_id": "segment_id"}).reset_index(drop=True)
        pooled = centre_junctions(plan, _of_length_1(plan, fingerprint(seen)), seen, folder)
        write_fingerprints(folder / JUNCTION_FILE, pooled, junctions, about, key="junction_id")
    asked = plan.config.clusters.junctions.types
    why = "its tile has no embedding" if asked else "types of junction are off (clusters.junctions.types)"
    done = int(encoded.sum())
    return [
        Entry("junctions", "done", "", done),
        Entry("junctions", "skipped", why, len(junctions) - done),
    ]


def _scatter(plan: Plan, dimension: int) -> Scatter:
    """Measure how the turns of the tiles of roads scatter, a shard at a time."""
    from geo.clusters.whitening.scatter import Scatter, scatter_of_looks
    from geo.features.store import read_turns

    found = Scatter.none(dimension)
    for shard in _shards(plan):
        turns = read_turns(shard, dimension)
        if turns is not None:
            found += scatter_of_looks(turns)
    return found


def load_scatter(plan: Plan) -> Scatter | None:
    """Read what fingerprints are evened out by (`geo.clusters.whitening`); None where the settings ask for nothing."""
    from geo.clusters.whitening.scatter import Scatter

    if not plan.config.clusters.turn_whitening:
        return None
    return Scatter.of_frame(TURN_SCATTER.read(plan.stage_folder("fingerprints")))


def load_looks(plan: Plan, segment_ids: pd.Index) -> NDArray[np.float64]:
    """Read what segments look like, from which the types' space is made; null where one has no fingerprint."""
    from geo.clusters.whitening.whiten import even_out

    vectors = load_fingerprints(plan).vectors_of(segment_ids)
    scatter = load_scatter(plan)
    return vectors if scatter is None else even_out(vectors, plan.config.clusters, scatter).astype(np.float64)


def load_looks_of_tiles(plan: Plan) -> Iterator[Looks]:
    """Read what the tiles of segments look like, a shard at a time: each turn where turns were kept, else each tile."""
    from geo.features.store import read_turns

    if plan.config.encoder.beside is not None:
        joined = load_tiles(plan).dropna(subset="embedding")
        yield joined["segment_id"].to_numpy(dtype=object), np.stack(joined["embedding"].tolist())
        return
    tiles = gpd.read_parquet(plan.stage_folder("tiles") / "tiles.parquet")
    segment_of = tiles.set_index("tile_id")["segment_id"]
    for shard in _shards(plan):
        read = pd.read_parquet(shard, columns=["tile_id", "embedding"]).dropna(subset="embedding")
        if read.empty:
            continue
        seen = segment_of.loc[read["tile_id"]].to_numpy(dtype=object)
        vectors = np.stack(read["embedding"].tolist())
        turns = read_turns(shard, vectors.shape[1])
        if turns is None:
            yield seen, vectors
        else:
            yield np.repeat(seen, turns.shape[1]), turns.reshape(-1, vectors.shape[1])


def load_tiles(plan: Plan) -> pd.DataFrame:
    """Read the tiles whose imagery was read, with their vectors, sorted by ``tile_id``."""
    files = load_encoded_as(plan)
    encoded = _read(plan, files.shards, files.beside_shards)
    tiles = gpd.read_parquet(plan.stage_folder("tiles") / "tiles.parquet")
    place = tiles[["tile_id", "segment_id", "position_m"]]
    return encoded.merge(place, on="tile_id", validate="one_to_one").sort_values("tile_id", ignore_index=True)


def _read(plan: Plan, shards: list[str], beside: list[str]) -> pd.DataFrame:
    """Read tiles with their vectors, joined to those of others where the configuration asks for it.

    One that lacks either has none: ``half`` says of which imagery alone is known.
    """
    from geo.features.elsewhere.others import join

    own, others = (
        pd.concat(
            [pd.read_parquet(plan.stages / one, columns=list(_PLAIN)) for one in some], ignore_index=True
        )
        if some
        else pd.DataFrame(columns=list(_PLAIN))
        for some in (shards, beside)
    )
    own["half"] = False
    settings = plan.config.encoder.beside
    if settings is None:
        return own
    theirs = own["tile_id"].map(others.set_index("tile_id")["embedding"])
    both = own["embedding"].notna() & theirs.notna()
    own["half"] = own["embedding"].notna() & ~both
    joined = pd.Series(None, index=own.index, dtype=object)
    if both.any():
        ours, beside_them = (np.stack(some[both].tolist()) for some in (own["embedding"], theirs))
        vectors = join(ours, beside_them, settings.weight)
        joined[both] = pd.Series(list(vectors), index=own.index[both])
    return own.assign(embedding=joined, bands=own["bands"].where(both))


def _shards(plan: Plan) -> list[Path]:
    return [plan.stages / shard for shard in load_encoded_as(plan).shards]


def load_seen(plan: Plan) -> pd.DataFrame:
    """Read which tiles have been seen: ``tile_id, segment_id, position_m, image_id, coverage, encoded``."""
    return pd.read_parquet(plan.stage_folder("fingerprints") / "tiles.parquet")


def load_encoded(plan: Plan) -> pd.DataFrame:
    """Read the tiles that have an embedding, see `load_seen`."""
    tiles = load_seen(plan)
    return tiles[tiles["encoded"]].reset_index(drop=True)


def load_junction_fingerprints(plan: Plan) -> Fingerprints | None:
    """Read the fingerprints of the junctions of a run, by ``junction_id``; None where no junction has one."""
    from geo.features.fingerprints import read_fingerprints

    file = plan.stage_folder("fingerprints") / JUNCTION_FILE
    return read_fingerprints(file, key="junction_id") if file.exists() else None


def load_junction_tiles(plan: Plan) -> pd.DataFrame:
    """Read the tiles of junctions that have an embedding: ``tile_id, junction_id, image_id, coverage``."""
    tiles = pd.read_parquet(plan.stage_folder("fingerprints") / "junction_tiles.parquet")
    return tiles[tiles["encoded"]].reset_index(drop=True)


def load_fingerprints(plan: Plan) -> Fingerprints:
    """Read the fingerprints of a run."""
    from geo.features.fingerprints import read_fingerprints

    return read_fingerprints(plan.stage_folder("fingerprints") / FILE)


def _inputs(config: CityConfig) -> list[str]:
    """Name what is read beside the shards."""
    return [*dict.fromkeys([*centring_inputs(config), *twice_inputs(config)])]


def _also(config: CityConfig) -> object:
    """Name what corrections for flights depend on, where they are asked for."""
    return [centring_settings(config), twice_settings(config)]


STAGE = Stage(
    "fingerprints",
    build,
    counts=("segments",),
    after=("roads", "tiles", "matching", "features"),
    settings=(
        "clusters.junctions.types",
        "clusters.turn_whitening",
        "imagery.centre",
        "imagery.sources",
        "encoder.beside.weight",
    ),
    inputs=_inputs,
    also=_also,
    tables=(
        FINGERPRINTS,
        TILE_FINGERPRINTS,
        SEEN,
        JUNCTION_FINGERPRINTS,
        SEEN_AT_JUNCTIONS,
        TURN_SCATTER,
    ),
    documents=(Centring,),
)
