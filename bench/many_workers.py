"""How much sooner two Dask workers encode than one: the stage features of four demo towns side by side.

    .venv/bin/python bench/many_workers.py [--pixel 0.25] [--workers 1 2]

Workers have one thread each; the scheduler and they are processes on this machine, started with their encoder loaded
before the clock. A worker reads ahead in a thread beside the one that encodes, so that a single one takes more
than a core: in the second pair of rows each keeps to one, as if on machines of their own. Each way starts from finished
tiles. Prints seconds, tiles a second and the ratio, after the files written were compared; the same as JSON under
bench/results/.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path

from distributed import Client, LocalCluster
from growth import repeat
from results import save, table

from flows.server import own_server
from geo.config import CityConfig
from geo.config_run import Run
from geo.demo.write import make_town
from geo.imagery.sources import digest_file
from tasks import features, roads, tiles
from tasks.encode import load_once
from tasks.plan import Plan, make_plan
from tasks.stage import run_stage

TOWNS = 4


def warm(config: CityConfig, core: int | None) -> None:
    """Load the encoder on a worker, which keeps to a core."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    load_once(config)


def encoded(plan: Plan, workers: int, *, a_core_each: bool) -> tuple[float, dict[str, str]]:
    """Encode all shards on so many workers; gives the seconds and the digests of what they wrote."""
    from flows.shards import encode_all  # noqa: PLC0415 - where a server is there

    shutil.rmtree(plan.stages / "shards", ignore_errors=True)
    jobs = features.plan_shards(plan)
    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        cores = sorted(os.sched_getaffinity(0))
        for i, worker in enumerate(client.scheduler_info()["workers"]):
            client.run(warm, plan.config, cores[i % len(cores)] if a_core_each else None, workers=[worker])
        start = time.perf_counter()
        run = Run(runner="dask", scheduler=cluster.scheduler_address)
        encode_all(jobs, run, plan.config.city, lambda _: None)
        seconds = time.perf_counter() - start
    return seconds, {job.out.name: digest_file(job.out) for job in jobs}


def main() -> None:
    """Draw four towns, encode them, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pixel", type=float, default=0.25)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    asked = parser.parse_args()
    rows: list[dict[str, float | str]] = []
    with tempfile.TemporaryDirectory() as name, own_server() as wait:
        wait()
        folder = Path(name)
        (folder / "town").mkdir()
        city = repeat(make_town(folder / "town", pixel_m=asked.pixel).folder, folder / "towns", TOWNS)
        plan = make_plan(city, None, folder / "runs")
        for stage, build in (("roads", roads.build), ("tiles", tiles.build)):
            run_stage(stage, plan.stages, plan.keys[stage], partial(build, plan))
        n = sum(job.n_tiles for job in features.plan_shards(plan))
        written = []
        for a_core_each in (False, True):
            first = None
            for workers in asked.workers:
                seconds, digests = encoded(plan, workers, a_core_each=a_core_each)
                written.append(digests)
                first = first or seconds
                row = {"workers": workers, "s": seconds, "tiles a s": n / seconds, "times": first / seconds}
                rows.append({"a core each": "yes" if a_core_each else "no"} | row)
    if any(digests != written[0] for digests in written):
        raise SystemExit("workers wrote other bytes")
    print(table(rows))
    save("many_workers", {"rows": rows})


if __name__ == "__main__":
    main()
