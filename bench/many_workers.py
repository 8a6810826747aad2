"""How much sooner two Dask workers encode than one: the stage features of four demo towns side by side.

    .venv/bin/python bench/many_workers.py [--pixel 0.25] [--workers 1 2]

Workers have one thread each; the scheduler and they are processes on this machine, started with their encoder loaded
before the clock. A worker reads ahead in a thread beside the one that encodes, so that a single one takes more
than a core: in the second pair of rows each keeps to one, as if on machines of their own. The third pair is what this
machine allows at most: processes with a core each, without Dask and without Prefect. Each way starts from finished
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
from multiprocessing import get_context
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from distributed import Client, LocalCluster
from growth import repeat
from results import save, table

from flows.server import own_server
from geo.config import CityConfig, Run
from geo.demo.write import make_town
from geo.sources.files import digest_file
from tasks.plan import Plan
from tasks.planning import make_plan
from tasks.shards.encode import ShardJob, encode_shard, load_once
from tasks.stages.imagery import features
from tasks.stages.network import roads, tiles
from tasks.store.stage import run_stage

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


def by_itself(core: int, jobs: list[ShardJob], ready: Barrier, told: Queue[float]) -> None:
    """Encode shards in a process that keeps to a core; tells its seconds."""
    warm(jobs[0].config, core)
    ready.wait()
    start = time.perf_counter()
    for job in jobs:
        encode_shard(job)
    told.put(time.perf_counter() - start)


def without_dask(plan: Plan, workers: int) -> tuple[float, dict[str, str]]:
    """Encode all shards in so many processes, as even a share each as can be; see `encoded`."""
    shutil.rmtree(plan.stages / "shards", ignore_errors=True)
    jobs = sorted(features.plan_shards(plan), key=lambda job: -job.n_tiles)
    cores, spawn = sorted(os.sched_getaffinity(0)), get_context("spawn")
    ready, told = spawn.Barrier(workers), spawn.Queue()
    processes = [
        spawn.Process(target=by_itself, args=(cores[i % len(cores)], jobs[i::workers], ready, told))
        for i in range(workers)
    ]
    for process in processes:
        process.start()
    seconds = max(told.get() for _ in processes)
    for process in processes:
        process.join()
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
        for stage in (roads.STAGE, tiles.STAGE):
            run_stage(stage, plan)
        n = sum(job.n_tiles for job in features.plan_shards(plan))
        written = []
        ways = {
            "Dask": partial(encoded, a_core_each=False),
            "Dask, a core each": partial(encoded, a_core_each=True),
            "processes, a core each": without_dask,
        }
        for way, run in ways.items():
            first = None
            for workers in asked.workers:
                seconds, digests = run(plan, workers)
                written.append(digests)
                first = first or seconds
                row = {"workers": workers, "s": seconds, "tiles a s": n / seconds, "times": first / seconds}
                rows.append({"way": way} | row)
    if any(digests != written[0] for digests in written):
        raise SystemExit("workers wrote other bytes")
    print(table(rows))
    save("many_workers", {"rows": rows})


if __name__ == "__main__":
    main()
