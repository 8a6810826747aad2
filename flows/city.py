"""The city flow: one city, from its configuration to a GeoPackage and a report page."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from prefect import Flow, State, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import TerminationSignal
from prefect.runtime import deployment, flow_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelled, Completed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote
from pydantic import Field

from flows.interruption import asked, heeded
from flows.page.progress import RunProgress, run_progress
from flows.page.results import message_of, show_results
from flows.page.telling import logged
from flows.progress import run_bar, say, stage_bar
from flows.secrets import concealed, guard_logs, unlock
from flows.shards import encode_all, share_arenas
from tasks.ahead.refusals import refuse_before_encoding
from tasks.ahead.seconds import expected_seconds, seconds_by_size
from tasks.demo import draw_demo
from tasks.ending import publish
from tasks.plan import Plan
from tasks.planning import make_plan, runs_of
from tasks.shards import encode
from tasks.stages.ground import mapping
from tasks.stages.imagery import features
from tasks.stages.network import roads
from tasks.stages.order import STAGES
from tasks.store.folder import city_folder, full_disk_told
from tasks.store.housekeeping import sweep
from tasks.store.lock import one_run
from tasks.store.stage import StageResult, run_stage
from tasks.store.status import failure_noted, usual_seconds

DEMO = "demo"
log = logging.getLogger("roadprint")
STAGE_BY_NAME = {stage.name: stage for stage in STAGES}
SHARDED: dict[str, Any] = {features.STAGE.name: features, mapping.STAGE.name: mapping}
"""Modules of the heavy stages, whose shards are given out before they are built."""

share_arenas()

# two shards at once: one begins or is written while the other is encoded
TWO_AT_ONCE: Any = ThreadPoolTaskRunner(max_workers=2)


_hurry = ExitStack()


@contextmanager
def stoppable() -> Iterator[None]:
    """Let all of this end when the user asks, the shards that other threads encode at their next batch."""
    _hurry.close()
    encode.go_on()
    try:
        with heeded(encode.stop):
            yield
    except BaseException:
        if asked():
            # a server that is not there any more is not waited for
            _hurry.enter_context(temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}))
        raise


def say_cancelled(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - a hook
    """Correct the state of a run that was ended by the user, which Prefect calls crashed or failed."""
    # Prefect calls this while it handles what it ended with, which may have come before the flow had begun
    if not (asked() or isinstance(sys.exc_info()[1], (KeyboardInterrupt, TerminationSignal))):
        return
    message = "Ended by Ctrl-C or SIGTERM; what was finished is kept, the next run goes on from there."
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(flow_run.id, Cancelled(message=message), force=True)


def run_name() -> str:
    """Name a run by its deployment, else its city's file, and the minute: a list of runs of many cities can be read."""
    city = deployment.name or Path(flow_run.parameters["config"]).stem
    return f"{city} {datetime.now().astimezone():%Y-%m-%d %H:%M}"


@task(name="stage", task_run_name="{name}", cache_policy=NO_CACHE, persist_result=False)
def stage_task(name: str, plan: Plan) -> StageResult:
    """Run one stage, or take its finished folder from before."""
    with concealed():
        return run_stage(STAGE_BY_NAME[name], plan)


# a form in Prefect's page shows these beside its fields; it reads neither a numpy docstring nor an annotated type
CITY_FILE: Any = Field(
    description="Path of the city's YAML file, as the worker sees it, or of the GeoPackage of a run that is repeated; "
    "'demo': the demo town."
)
OVERRIDES: Any = Field(
    default=None,
    description='Values that replace or add keys of the file: {"clusters.k": "6"}. Tokens do not belong here.',
)
OUTPUT_FOLDER: Any = Field(
    default=None, description="Folder for results, instead of output.folder in the city's file."
)
BASE_FOLDER: Any = Field(
    default=None, description="Folder that relative paths in the file start at, instead of the file's own."
)


@flow(
    name="city-flow",
    description="One city, from its file to a GeoPackage and a report page.",
    flow_run_name=run_name,
    task_runner=TWO_AT_ONCE,
    persist_result=False,
    on_crashed=[say_cancelled],
    on_failure=[say_cancelled],
)
def city_flow(
    config: str = CITY_FILE,
    overrides: dict[str, str] | None = OVERRIDES,
    out: str | None = OUTPUT_FOLDER,
    base: str | None = BASE_FOLDER,
) -> dict[str, Any]:
    """Run one city.

    Parameters
    ----------
    config
        Path of the city's YAML file, or of the GeoPackage of a run that is repeated; ``demo``: the demo town, drawn
        where it is not there yet.
    overrides
        ``{"clusters.k": "5"}``: values that replace or add keys.
    out
        Folder for results instead of ``output.folder``.
    base
        Folder that relative paths of the configuration start at, where it is not that of the file.

    Returns
    -------
    The run's summary: where the GeoPackage and the report are, and what became of every item by stage.

    Examples
    --------
    ``city_flow("city.yaml")`` runs a city; Prefect deploys and schedules it as any flow:

    >>> city_flow.name, sorted(city_flow.parameters.properties)
    ('city-flow', ['base', 'config', 'out', 'overrides'])
    """
    guard_logs()
    with concealed(), stoppable(), logged():
        summary, message = _run_city(config, overrides, out, base)
    # the state that the run ends in; who calls the flow is given the data
    return cast("dict[str, Any]", Completed(message=message, data=summary))


def _run_city(
    config: str, overrides: dict[str, str] | None, out: str | None, base: str | None
) -> tuple[dict[str, Any], str]:
    """Run the stages one after the other, while no other run of the city goes on; gives the summary, also in a line."""
    start = time.monotonic()
    folder = None if out is None else Path(out)
    city = draw_demo(folder or Path("runs")) if config == DEMO else Path(config)
    starts_at = None if base is None else Path(base)
    settings, runs = runs_of(city, overrides, folder, starts_at)
    city_folder(runs, settings.city)
    wait = settings.output.when_busy == "wait"
    full, one = full_disk_told(runs), one_run(runs, wait=wait, tell=say)
    with full, failure_noted(runs), one:
        unlock(city, overrides)
        # of what is there now: the wait may have been long
        with stage_bar("inputs"):
            plan = make_plan(city, overrides, folder, base=starts_at)
        sweep(plan.folder)
        log.debug(
            "run %s of %s: %d inputs, in %s", plan.run_id, plan.config.city, len(plan.inputs), plan.folder
        )
        summary = publish.finished_before(plan)
        if summary is None:
            publish.refuse_in_use(plan)
            results = _run_stages(plan)
            summary = publish.publish(plan, results, seconds=time.monotonic() - start)
        message = message_of(plan, summary)
        show_results(plan, summary, message)
    return summary, message


def _run_stages(plan: Plan) -> list[StageResult]:
    """Run all stages, and say how far the run is."""
    usual, results = usual_seconds(plan.folder), []
    with (
        run_progress(plan.config.city, list(STAGE_BY_NAME), usual) as page,
        run_bar(plan.config.city, expected_seconds(plan)) as pace,
    ):
        for stage in STAGES:
            results.append(run_one(stage.name, plan, usual.get(stage.name), page))
            if stage.name == roads.STAGE.name:
                pace.know(seconds_by_size(roads.count_segments(plan)))
    return results


def run_one(name: str, plan: Plan, usual_s: float | None, page: RunProgress) -> StageResult:
    """Run a stage with its bar, which is a part of the run's in the page; a heavy one shard by shard."""
    start = time.monotonic()
    with stage_bar(name, usual_s) as bar:
        if name in SHARDED and not SHARDED[name].is_finished(plan):
            if name == features.STAGE.name:
                refuse_before_encoding(plan)
            jobs = SHARDED[name].plan_shards(plan)
            left = [job for job in jobs if not job.is_done()]
            total, to_do = (sum(job.n_tiles for job in some) for some in (jobs, left))
            for shown in (bar, page):
                shown.expect(total, total - to_do)

            def advance(tiles: int) -> None:
                bar.advance(tiles)
                page.advance(tiles)

            encode_all(left, plan.config.run, plan.config.city, advance)
        # Prefect would look for results of other tasks in all that a plan holds
        result = stage_task(name, cast("Plan", quote(plan)))
        if not result.cached:
            result = result.lasting(time.monotonic() - start)
        how = "taken from before" if result.cached else f"made in {result.seconds:.1f} s"
        log.debug("stage %s: %s, in %s", name, how, plan.stage_folder(name))
        page.finish(result)
    return result
