"""What reading costs on top of encoding: the stages tiles and features beside the encoder alone on the same pixels.

    .venv/bin/python bench/pipeline.py

The demo town at 0.25 m with the bundled encoder, which is loaded before the clock starts. Prints both times and their
ratio; the same as JSON under bench/results/.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
from results import save, table

from geo.demo.write import make_town
from geo.imagery.reading.reader import TileImage, TileReader
from tasks.plan import Plan
from tasks.planning import make_plan
from tasks.shards import encode
from tasks.stages.imagery import features, matching
from tasks.stages.network import roads, tiles
from tasks.store.stage import run_stage

AT_ONCE = 2
"""Shards at once, as in a run."""


ROUNDS = 3
"""Of which the fastest counts, of either way."""


def whole(plan: Plan) -> float:
    """Run both stages from nothing; gives the seconds."""
    for folder in (*plan.stages.glob("tiles-*"), *plan.stages.glob("features-*"), plan.stages / "shards"):
        shutil.rmtree(folder, ignore_errors=True)
    start = time.perf_counter()
    run_stage(tiles.STAGE, plan)
    run_stage(matching.STAGE, plan)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(encode.encode_shard, features.plan_shards(plan)))
    run_stage(features.STAGE, plan)
    return time.perf_counter() - start


def encoder_alone(plan: Plan) -> tuple[float, int]:
    """Encode the same tiles from memory; gives the seconds and how many tiles there are."""
    stage, config = plan.stage_folder("tiles"), plan.config
    places = gpd.read_parquet(stage / "tiles.parquet")
    with TileReader(gpd.read_parquet(stage / "images.parquet"), config.imagery, config.tiles) as reader:
        read = [t for t in reader.read(places[places["coverage"] > 0]) if isinstance(t, TileImage)]
    enough = [t for t in read if t.coverage >= config.tiles.min_coverage]
    encoder = encode.load_once(config)
    size = config.encoder.batch_size
    start = time.perf_counter()
    for i in range(0, len(enough), size):
        encoder.encode([t.pixels for t in enough[i : i + size]], [t.valid for t in enough[i : i + size]])
    return time.perf_counter() - start, len(enough)


def main() -> None:
    """Draw, run, print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        town = make_town(folder)
        plan = make_plan(town.city, None, folder / "runs")
        run_stage(roads.STAGE, plan)
        encode.load_once(plan.config)
        seconds = min(whole(plan) for _ in range(ROUNDS))
        alone, n = min(encoder_alone(plan) for _ in range(ROUNDS))
    row = {"tiles": n, "tiles and features s": seconds, "encoder alone s": alone, "ratio": seconds / alone}
    print(table([row]))
    save("pipeline", row)


if __name__ == "__main__":
    main()
