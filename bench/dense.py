"""Speed of the dense mode beside single tiles, at several overlaps of tiles along the road.

    .venv/bin/python bench/dense.py [CITY.yaml] [--context 0 16 32]

Without a city, the demo town. Both modes read, encode and pool the same tiles with the bundled encoder, which is
loaded before the clock starts; two shards at once, as in a run. Tiles of 100 m stand 100, 50 and 25 m apart: 0, 50 and
75 % overlap. A table is printed, and the same as JSON under bench/results/.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
import shapely
from pipeline import AT_ONCE
from results import save, table

from geo.demo.write import make_town
from tasks.planning import make_plan
from tasks.shards import encode
from tasks.stages.imagery import features
from tasks.stages.network import roads, tiles
from tasks.store.stage import run_stage

SPACINGS_M = {"0 %": 100, "50 %": 50, "75 %": 25}


def seconds(city: Path, out: Path, settings: dict[str, str]) -> tuple[float, int, float]:
    """Encode all shards; gives the seconds, the tiles, and how many times over they cover their ground."""
    plan = make_plan(city, settings, out)
    for stage in (roads.STAGE, tiles.STAGE):
        run_stage(stage, plan)
    shutil.rmtree(plan.stages / "shards", ignore_errors=True)
    encode.load_once(plan.config)
    jobs = features.plan_shards(plan)
    start = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(encode.encode_shard, jobs))
    taken = time.perf_counter() - start
    frame = gpd.read_parquet(plan.stage_folder("tiles") / "tiles.parquet")
    ground = frame[frame["coverage"] > 0].geometry.to_numpy()
    return taken, len(ground), float(shapely.area(ground).sum() / shapely.area(shapely.union_all(ground)))


def main() -> None:
    """Encode in both modes, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("city", type=Path, nargs="?")
    parser.add_argument("--context", type=float, nargs="+", default=[0, 16, 32])
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        city = given.city or make_town(folder).city
        for overlap, spacing in SPACINGS_M.items():
            shape = {"tiles.spacing_m": str(spacing)}
            alone, n, times = seconds(city, folder / "runs", shape)
            row = {"overlap": overlap, "tiles": n, "times each ground": times, "tile s": alone}
            for context in given.context:
                dense = shape | {"tiles.mode": "dense", "tiles.context_m": str(context)}
                row[f"dense, {context:g} m: times faster"] = alone / seconds(city, folder / "runs", dense)[0]
            rows.append(row)
    print(table(rows))
    save("dense", rows)


if __name__ == "__main__":
    main()
