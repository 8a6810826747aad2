"""The city flow: one city, from its configuration to a GeoPackage and a report page."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

# read by Prefect when it is imported: quiet, and nothing leaves the machine, unless the user says otherwise
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
os.environ.setdefault("DO_NOT_TRACK", "1")
try:
    Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser().mkdir(parents=True, exist_ok=True)
except OSError:
    # the user of a container may have no home to write to
    os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="roadprint-prefect-")

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import ThreadPoolTaskRunner

from flows.memory import share_arenas
from flows.progress import say, stage_bar
from flows.shards import encode_all
from geo.ledger import Entry
from tasks import (
    clusters,
    collisions,
    concentration,
    exposure,
    features,
    inference,
    package,
    pictures,
    publish,
    report,
    roads,
    safety,
    tiles,
)
from tasks.lock import one_run
from tasks.plan import Plan, make_plan
from tasks.stage import StageResult, full_disk_told, run_stage

BUILDERS: dict[str, Callable[[Plan, Path], list[Entry]]] = {
    "roads": roads.build,
    "tiles": tiles.build,
    "features": features.build,
    "clusters": clusters.build,
    "collisions": collisions.build,
    "exposure": exposure.build,
    "safety": safety.build,
    "inference": inference.build,
    "concentration": concentration.build,
    "pictures": pictures.build,
    "package": package.build,
    "report": report.build,
}

share_arenas()

# two shards at once: one begins or is written while the other is encoded
TWO_AT_ONCE: Any = ThreadPoolTaskRunner(max_workers=2)


@task(name="stage", task_run_name="{name}", cache_policy=NO_CACHE, persist_result=False)
def stage_task(name: str, plan: Plan) -> StageResult:
    """Run one stage, or take its finished folder from before."""
    return run_stage(name, plan.stages, plan.keys[name], partial(BUILDERS[name], plan))


@flow(name="city-flow", task_runner=TWO_AT_ONCE, persist_result=False)
def city_flow(
    config: str, overrides: dict[str, str] | None = None, out: str | None = None, base: str | None = None
) -> dict[str, Any]:
    """Run one city.

    Parameters
    ----------
    config
        Path of the city's YAML file, or of the GeoPackage of a run that is repeated.
    overrides
        ``{"clusters.k": "5"}``: values that replace or add keys.
    out
        Folder for results instead of ``output.folder``.
    base
        Folder that relative paths of the configuration start at, where it is not that of the file.

    Returns
    -------
    The run's summary: where the GeoPackage and the report are, and what became of every item by stage.
    """
    start = time.monotonic()
    plan = make_plan(
        Path(config), overrides, None if out is None else Path(out), base=None if base is None else Path(base)
    )
    busy = plan.config.output.when_busy
    with full_disk_told(plan.folder), one_run(plan.folder, wait=busy == "wait", tell=say):
        results = [_run(name, plan) for name in BUILDERS]
        return publish.publish(plan, results, seconds=time.monotonic() - start)


def _run(name: str, plan: Plan) -> StageResult:
    """Run a stage with its bar; the heavy one shard by shard."""
    start = time.monotonic()
    with stage_bar(name) as bar:
        if name == "features" and not features.is_finished(plan):
            jobs = features.plan_shards(plan)
            bar.expect(sum(job.n_tiles for job in jobs))
            encode_all(jobs, plan.config.run, plan.config.city, bar.advance)
        result = stage_task(name, plan)
    return result if result.cached else result.lasting(time.monotonic() - start)
