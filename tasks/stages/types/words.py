"""What each type looks most like, in words."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.config import CityConfig
from geo.ledger import Entry
from geo.outputs.layers.declare import Column
from tasks.plan import Plan
from tasks.stages.imagery.fingerprints import FILE, load_tiles
from tasks.stages.types.concepts import TILE_WORDS
from tasks.store.stage import Stage
from tasks.store.table import Table
from tasks.tables import TYPES_IN_WORDS, of_layer

JOINED = "embeddings of others are joined to the encoder's, and no words are known for both together"
WORDS = Table(
    "words",
    "What the tiles of each type look most like, by the bank of concepts, in words that are sure enough; and what lies "
    "in them by the map that words are learned from.",
    (
        of_layer("clusters", "cluster")[0],
        Column("word", "text", "Word for a class of labelled scenes"),
        Column("tiles", "integer", "Tiles of the type that it is said of (number)"),
        Column("share", "real", "Share of the type's tiles (0 to 1)"),
        Column("low", "real", "Its 95 % interval, lower limit"),
        Column("high", "real", "Its 95 % interval, upper limit"),
        Column("source", "text", "Where the word is from", ("bank", "map")),
        Column("in_all", "real", "Share of the tiles of all types, of words of the map (0 to 1)"),
    ),
    key=("cluster", "source", "word"),
)


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``words`` and ``clusters`` (see docs/stages.md)."""
    import pyarrow.parquet as pq

    from geo.clusters.typology.made_by import made_by
    from geo.safety.picture.crossvalidation import blocks_of
    from geo.search.words.bank import read_bank
    from geo.search.words.describing import both, map_words_of_types, told, told_by_map, words_of_types

    bank = read_bank()
    mine = made_by(pq.read_schema(plan.stage_folder("fingerprints") / FILE).metadata)
    why = JOINED if plan.config.encoder.beside is not None else bank.why_not(mine)
    types = pd.read_parquet(plan.stage_folder("clusters") / "segments.parquet").dropna(subset="cluster")
    mapped = TILE_WORDS.is_in(plan.stage_folder("concepts"))
    if why and not mapped:
        WORDS.write(WORDS.empty(), folder)
        TYPES_IN_WORDS.write(TYPES_IN_WORDS.empty(), folder)
        return [Entry("types in words", "skipped", why, types["cluster"].nunique())]
    tiles = load_tiles(plan).dropna(subset="embedding")
    tiles = tiles.merge(types[["segment_id", "cluster"]], on="segment_id")
    tiles["word"] = "" if why else bank.name(np.stack(tiles["embedding"].tolist()))[0]
    places = gpd.read_parquet(
        plan.stage_folder("tiles") / "tiles.parquet", columns=["tile_id", "x", "y", "geometry"]
    )
    placed = tiles[["tile_id"]].merge(pd.DataFrame(places[["tile_id", "x", "y"]]), on="tile_id")
    tiles["block"] = blocks_of(placed, plan.config.safety.block_m)
    words = words_of_types(tiles).assign(source="bank", in_all=np.nan)
    said = told(words)
    if mapped:
        of_map = map_words_of_types(tiles, TILE_WORDS.read(plan.stage_folder("concepts")))
        said = both(said, told_by_map(of_map))
        words = pd.concat([words.astype(of_map.assign(source="").dtypes), of_map.assign(source="map")])
    WORDS.write(words, folder)
    TYPES_IN_WORDS.write(said.rename("words").reset_index(), folder)
    silent = types["cluster"].nunique() - len(said)
    unlike = Entry("types in words", "skipped", why or "no word fits a quarter of its tiles", silent)
    return [Entry("types in words", "done", "", len(said)), *([unlike] if silent else [])]


def _bank(_: CityConfig) -> list[str]:
    """Name the bank, which is data and no code."""
    from geo.search.words.bank import BUNDLED

    return [str(BUNDLED)]


STAGE = Stage(
    "words",
    build,
    counts=("types in words",),
    after=("tiles", "features", "fingerprints", "clusters", "concepts"),
    settings=("safety.block_m", "encoder.beside"),
    inputs=_bank,
    tables=(WORDS, TYPES_IN_WORDS),
)
