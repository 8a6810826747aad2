"""How long the page waits for answers: 20,000 roads made by a seed, asked with one example and with sixty.

    python bench/explore_ask.py [--roads 20000] [--examples 60] [--times 20]

What is timed is `geo.search.looks.Looks.find`, as `roadprint find` and the page of `roadprint explore` ask; all that
it needs is in memory, as it is after the page's first answer. Printed are the median and the longest of `--times`
questions (wall and processor).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.features.lengths import of_length_1
from geo.search.looks import Looks

SIDE_M, TILE_M, PARTS = 100.0, 100.0, (25.0, 75.0)


def city(roads: int, seed: int = 0) -> Looks:
    """Lay roads of 100 m out on a grid, two tiles each, in eight looks."""
    rng = np.random.default_rng(seed)
    blocks = int(np.ceil(np.sqrt(roads)))
    place = np.arange(roads)
    x, y = SIDE_M * (place % blocks), SIDE_M * (place // blocks)
    lines = shapely.linestrings(np.stack([np.c_[x, y], np.c_[x + SIDE_M, y]], axis=1))
    ids = [f"{one:016x}" for one in place]
    segments = gpd.GeoDataFrame(
        {
            "segment_id": pd.array(ids, dtype="string"),
            "name": pd.array([f"Street {one}" for one in y.astype(int)], dtype="string"),
            "ref": pd.array([None] * roads, dtype="string"),
            "road_class": "residential",
            "cluster": 1,
        },
        geometry=lines,
        crs=27700,
    )
    tiles = (
        pd.concat([_tiles(segments, part) for part in PARTS]).sort_values("tile_id").reset_index(drop=True)
    )
    middles = rng.normal(size=(8, 384))
    vectors = of_length_1(middles[rng.integers(0, 8, roads)] + rng.normal(size=(roads, 384))).astype(
        np.float32
    )
    to_points = rng.normal(size=(384, 64)) / 8.0

    def into(some: np.ndarray) -> np.ndarray:
        return of_length_1(some @ to_points)

    return Looks(segments, tiles, vectors, into(vectors).astype(np.float32), into, TILE_M)


def _tiles(segments: gpd.GeoDataFrame, part: float) -> gpd.GeoDataFrame:
    xy = shapely.get_coordinates(shapely.line_interpolate_point(segments.geometry.to_numpy(), part))
    half = TILE_M / 2
    boxes = shapely.box(xy[:, 0] - half, xy[:, 1] - half, xy[:, 0] + half, xy[:, 1] + half)
    told = {"tile_id": segments["segment_id"] + f"-{part:g}", "segment_id": segments["segment_id"]}
    return gpd.GeoDataFrame(told | {"position_m": part, "encoded": True}, geometry=boxes, crs=segments.crs)


def timed(ask: Callable[[], object], times: int) -> str:
    """Ask several times, after once that reads what is kept."""
    ask()
    took = []
    for _ in range(times):
        wall, own = time.perf_counter(), time.process_time()
        ask()
        took.append((time.perf_counter() - wall, time.process_time() - own))
    (wall, own), (longest, _) = np.median(took, axis=0) * 1000, np.max(took, axis=0) * 1000
    return f"median {wall:.0f} ms (processor {own:.0f} ms), longest {longest:.0f} ms"


def main() -> None:
    """Print how long answers take."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--roads", type=int, default=20_000)
    parser.add_argument("--examples", type=int, default=60)
    parser.add_argument("--times", type=int, default=20)
    asked = parser.parse_args()
    looks = city(asked.roads)
    everyone = np.ones(asked.roads, dtype=bool)
    rows = np.random.default_rng(1).permutation(asked.roads)[: asked.examples]
    examples = [looks.example(int(row)) for row in rows]
    half = asked.examples // 2
    for yes, no in ((examples[:1], []), (examples[:half], examples[half:])):
        told = timed(lambda yes=yes, no=no: looks.find(yes, no, among=everyone, shown=24), asked.times)
        print(f"{asked.roads} roads, {len(yes) + len(no)} examples: {told}", flush=True)


if __name__ == "__main__":
    main()
