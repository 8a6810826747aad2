"""Words that are learned from a map of the city, or from what its roads say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.config import CityConfig
from geo.ledger import Entry
from geo.outputs.layers.declare import Column
from tasks.plan import Plan
from tasks.stages.imagery.fingerprints import load_tiles
from tasks.store.stage import Stage
from tasks.store.table import Table
from tasks.tables import TILE, as_layer

if TYPE_CHECKING:
    from geo.search.words.mapped import TileWords

FILE = "words.safetensors"
"""What tells the words that hold, for fingerprints of the run."""
SEED = 0
WORD_TESTS = as_layer("word_tests")
TILE_WORDS = Table(
    "tile_words",
    "Which tiles have which of the words that are learned and hold.",
    (TILE, Column("word", "text", "Word")),
    key=("tile_id", "word"),
)


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``word_tests``, ``tile_words`` and ``words.safetensors``, where words are learned (see docs/stages.md)."""
    if not plan.config.concepts.asked:
        return []
    import numpy as np

    from geo.search.words.learned import learn_words, write_learned
    from geo.search.words.mapped import WORDS, chosen

    tiles = load_tiles(plan).dropna(subset="embedding")
    laid = gpd.read_parquet(plan.stage_folder("tiles") / "tiles.parquet")[["tile_id", "x", "y", "geometry"]]
    tiles = laid.merge(tiles[["tile_id", "segment_id", "embedding"]], on="tile_id").reset_index(drop=True)
    parts, entries = _words(plan, tiles)
    words, left_out = chosen(parts, plan.config.concepts.most)
    vectors = np.stack(tiles["embedding"].tolist()) if len(tiles) else np.zeros((0, 1), dtype=np.float32)
    tests, learned = learn_words(
        vectors, words, tiles[["x", "y"]].to_numpy(), tile_m=plan.config.tiles.tile_m, seed=SEED
    )
    WORD_TESTS.write(tests, folder)
    TILE_WORDS.write(_pairs(tests, words.tiles, tiles["tile_id"]), folder)
    if learned is not None:
        write_learned(folder / FILE, learned)
    judged = [
        Entry(WORDS, "skipped" if reason else "done", reason, count)
        for reason, count in sorted(Counter(map(str, tests["reason"])).items())
    ]
    return [*entries, *left_out, *judged]


def _words(plan: Plan, tiles: gpd.GeoDataFrame) -> tuple[list[TileWords], list[Entry]]:
    """Tell which tiles have which words, by the map and by the roads."""
    from geo.search.words.mapped import words_of_map, words_of_roads

    asked = plan.config.concepts
    parts: list[TileWords] = []
    entries: list[Entry] = []
    if asked.source is not None:
        found, entries = words_of_map(asked, tiles.geometry.to_numpy(), tiles.crs)
        parts.append(found)
    if asked.roads:
        segments = pd.DataFrame(gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet"))
        parts.append(words_of_roads(asked.roads, segments, tiles["segment_id"]))
    return parts, entries


def _pairs(tests: pd.DataFrame, tags: pd.DataFrame, tile_ids: pd.Series) -> pd.DataFrame:
    """List the tiles that have each word that holds."""
    held = [
        pd.DataFrame(
            {"tile_id": tile_ids[tags[row].fillna(value=False).astype(bool)], "word": tests["word"].iloc[row]}
        )
        for row in range(len(tests))
        if tests["offered"].iloc[row]
    ]
    return pd.concat(held, ignore_index=True) if held else TILE_WORDS.empty()


def _map(config: CityConfig) -> list[str]:
    """Name the map that words are learned from."""
    return [] if config.concepts.source is None else [config.concepts.source]


STAGE = Stage(
    "concepts",
    build,
    counts=("words",),
    after=("roads", "tiles", "features", "fingerprints"),
    settings=("concepts", "tiles.tile_m"),
    inputs=_map,
    tables=(WORD_TESTS, TILE_WORDS),
)
