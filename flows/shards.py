"""Where shards are encoded: in threads of this process, or on the workers of a Dask cluster."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.utilities.annotations import quote

from flows.secrets import concealed, guard_logs
from geo.addresses import reveal
from geo.config import Run
from geo.errors import ConfigurationError
from tasks.ahead.refusals import refuse_runner
from tasks.store.job import Job
from tasks.store.shared import SharedJob, encode_remotely, fetch, send_tables

RETRIES = 2
"""How often a shard is given out again when its worker is lost."""
ARENAS, _M_ARENA_MAX = 2, -8


def share_arenas() -> bool:
    """Have glibc's allocator keep few arenas (mallopt(3), ``M_ARENA_MAX``); elsewhere nothing is done.

    It makes one for each thread, up to eight a core, and each holds on to what its thread freed: with a thread a shard,
    a large city's run would take a third more memory.

    Returns
    -------
    Whether it was done.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_ARENA_MAX, ARENAS) == 1


@dataclass(frozen=True)
class _Work:
    """Shards that a flow gives out."""

    jobs: Sequence[Job]
    run: Run
    city: str
    advance: Callable[[int], None]


_at_work: dict[str, _Work] = {}


@task(name="shard", task_run_name="shard {job.shard}", cache_policy=NO_CACHE, persist_result=False)
def shard_task(job: Job) -> int:
    """Do one shard, or find it done; gives its number of tiles."""
    guard_logs()
    with concealed():
        job.work()
    return job.n_tiles


@task(
    name="remote shard",
    task_run_name="shard {job.job.shard}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=RETRIES,
)
def remote_shard_task(job: SharedJob) -> int:
    """Encode one shard with tables from shared storage; gives its number of tiles."""
    guard_logs()
    with concealed():
        encode_remotely(job)
    return job.job.n_tiles


def encode_all(jobs: Sequence[Job], run: Run, city: str, advance: Callable[[int], None]) -> None:
    """Encode shards.

    Parameters
    ----------
    jobs
        Shards that are not encoded yet.
    run
        The section ``run`` of the city's file, which says where shards are encoded.
    city
        Name of the city, a folder of the shared storage.
    advance
        Told the number of tiles of each shard that is done.

    Raises
    ------
    ConfigurationError
        When the cluster cannot be reached.
    """
    if not jobs:
        return
    if run.runner == "dask":
        _on_dask(_Work(jobs, run, city, advance))
        return
    # Prefect would look for results of other tasks in all that a job holds
    for future in as_completed([shard_task.submit(cast("Job", quote(job))) for job in jobs]):
        advance(future.result())


def _on_dask(work: _Work) -> None:
    """Spread shards over the workers of a cluster."""
    run = work.run
    _at_work[work.city] = work
    try:
        shards_flow.with_options(task_runner=_dask(run))(work.city)
    except (OSError, TimeoutError) as error:
        if run.scheduler is None or not _unreachable(error):
            raise
        raise ConfigurationError(
            f"the scheduler does not answer ({error})",
            where="run.scheduler",
            todo=f"Look whether {run.scheduler} is up and can be reached from here.",
        ) from error
    finally:
        del _at_work[work.city]


def _unreachable(error: BaseException) -> bool:
    """Tell whether an error is one of the connection to the scheduler."""
    return "Timed out trying to connect" in str(error) or isinstance(error, ConnectionError)


@flow(name="shards", persist_result=False)
def shards_flow(city: str) -> None:
    """Give the shards of a city out to workers, and take them back as they are done.

    The flow travels to every worker with all that it names, so the work is looked up by a function that does not.
    """
    spread(city)


def spread(city: str) -> None:
    """See `shards_flow`."""
    work = _at_work[city]
    if work.run.shared is None:
        for future in as_completed([shard_task.submit(job) for job in work.jobs]):
            work.advance(future.result())
        return
    travelling = [SharedJob(job, f"{work.run.shared.rstrip('/')}/{city}") for job in work.jobs]
    send_tables(travelling)
    futures = {remote_shard_task.submit(job): job for job in travelling}
    for future in as_completed(list(futures)):
        work.advance(future.result())
        fetch(futures[future])


def _dask(run: Run) -> Any:  # noqa: ANN401 - prefect-dask is an extra, and has no types
    """Make the runner of a cluster."""
    refuse_runner(run)
    from prefect_dask import DaskTaskRunner  # type: ignore[attr-defined,unused-ignore]  # noqa: PLC0415

    if run.scheduler is not None:
        return DaskTaskRunner(address=reveal(run.scheduler))
    # a worker finds our packages first, as this process does
    here = {"threads_per_worker": 1, "dashboard_address": None, "preload": ["roadprint"]}
    return DaskTaskRunner(cluster_kwargs=here)
