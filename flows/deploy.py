"""A city's file becomes a deployment: a run of it on a schedule, in the server that Prefect's settings name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import DeploymentApplyError, RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.server.schemas.schedules import CronSchedule as ServerSchedule
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL
from prefect.types.entrypoint import EntrypointType
from pydantic import ValidationError

from flows.city import city_flow
from flows.page.addresses import VARIABLE, served_at
from flows.serve import ENVIRONMENT, WORK_POOL, watch
from geo.config import load
from geo.errors import ConfigurationError, ServerError
from geo.faults import plainly
from geo.secrets import HIDDEN
from tasks.planning import folder_name

ENTRYPOINT = "roadprint.city_flow"
"""Where workers find the flow, whatever lies in the folder that they work in."""
MONTHLY = "0 3 1 * *"
"""At three in the morning of each month's first day."""

NEVER = "never"
FIELDS = ("minute", "hour", "day", "month", "day of the week")
LOOK_AHEAD = timedelta(days=5 * 366)
"""A schedule without a date for so long is a mistake."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a city runs by itself.

    Attributes
    ----------
    cron
        Five fields (minute, hour, day, month, day of the week), a name for them such as ``@monthly``, or ``never``.
    timezone
        Its IANA name, such as ``Europe/London``: three in the morning stays so when clocks change.
    """

    cron: str = MONTHLY
    timezone: str = "UTC"

    def checked(self) -> CronSchedule | None:
        """Give it as Prefect has it; None for never.

        Raises
        ------
        ConfigurationError
            When either is not valid.
        """
        for name, value in (("cron", self.cron), ("timezone", self.timezone)):
            if not value.strip():
                raise _refused(name, "it is empty")
        if self.cron == NEVER:
            return None
        fields = self.cron.split()
        if not self.cron.startswith("@") and len(fields) != len(FIELDS):
            raise _refused(
                "cron",
                f"it needs five fields ({', '.join(FIELDS)}), and has {len(fields)} (found {self.cron!r:.80})",
            )
        try:
            schedule = CronSchedule(cron=self.cron, timezone=self.timezone)
        except ValidationError as error:
            fault = error.errors()[0]
            name = str(fault["loc"][0]) if fault["loc"] else "cron"
            what = f"{plainly(fault)} (found {fault['input']!r:.80})"
            raise _refused(name, what) from error
        if not _has_a_date(schedule):
            raise _refused("cron", f"there is no such date in the next five years (found {self.cron!r:.80})")
        return schedule


def _refused(name: str, what: str) -> ConfigurationError:
    """Make the error of an argument that is not valid."""
    return ConfigurationError(
        what, where=f"--{name}", todo="Write --cron '0 3 1 * *' --timezone Europe/London."
    )


def _has_a_date(schedule: CronSchedule) -> bool:
    """Tell whether the server will find a date for a schedule."""
    start = datetime.now(UTC)
    asked = ServerSchedule(cron=schedule.cron, timezone=schedule.timezone)
    try:
        return bool(asyncio.run(asked.get_dates(1, start, start + LOOK_AHEAD)))
    except ValueError:
        return False


def deploy_city(
    city: Path,
    overrides: dict[str, str],
    out: Path | None,
    schedule: Schedule,
    *,
    work_pool: str = WORK_POOL,
    runs_url: str | None = None,
) -> dict[str, Any]:
    """Deploy a city's file to the server that Prefect's settings name; one deployed before is replaced.

    Parameters
    ----------
    city
        The YAML file, where workers find it too.
    overrides
        Values that replace or add keys.
    out
        Folder for results instead of ``output.folder``.
    schedule
        When the city's runs start.
    work_pool
        The pool whose workers run it.
    runs_url
        Where its results are served (`flows.page.addresses.served_at`), for Prefect's page to link to; None: as the
        workers' environment says.

    Raises
    ------
    ConfigurationError
        When the file or the schedule is not valid.
    ServerError
        When there is no server, or it refuses.
    """
    config = load(city, overrides)
    cron = schedule.checked()
    served = {} if runs_url is None else {VARIABLE: served_at(runs_url, "--runs-url").text}
    if any(HIDDEN in text for text in overrides.values()):
        raise ConfigurationError(
            "a credential is written out, which the server would keep and show",
            where="--set",
            todo="Write ${NAME} for a variable of the workers' environment, or ${secret:NAME} for a Secret block.",
        )
    _check_server(work_pool)
    parameters: dict[str, Any] = {"config": str(city.resolve())}
    if overrides:
        parameters["overrides"] = overrides
    if out is not None:
        parameters["out"] = str(out.resolve())
    deployment = RunnerDeployment.from_flow(
        city_flow,
        name=folder_name(config.city),
        description=f"roadprint for {config.city}, from {city.name}.",
        parameters=parameters,
        schedules=[] if cron is None else [cron],
        tags=["roadprint", config.city],
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE
        ),
        work_pool_name=work_pool,
        job_variables={"env": ENVIRONMENT | served},
        # workers take the flow from the installed package: nothing is pulled
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    deployment.entrypoint = ENTRYPOINT
    try:
        number = deployment.apply()
        watch()
    except DeploymentApplyError as error:
        raise ServerError(
            f"the server refuses the deployment: {' '.join(str(error).split()):.400}",
            where=str(PREFECT_API_URL.value()),
            todo="Mend what it names.",
        ) from error
    page = PREFECT_UI_URL.value()
    return {
        "city": config.city,
        "deployment": f"{city_flow.name}/{folder_name(config.city)}",
        "work_pool": work_pool,
        "cron": None if cron is None else cron.cron,
        "timezone": None if cron is None else cron.timezone,
        "page": f"{page}/deployments/deployment/{number}" if page else None,
    }


def _check_server(work_pool: str) -> None:
    """Find the server and the pool, before anything is asked of them."""
    address = PREFECT_API_URL.value()
    if not address:
        raise ServerError(
            "no Prefect server is configured",
            where="PREFECT_API_URL",
            todo="Start one ('make serve', or docs/schedules.md), then: "
            "export PREFECT_API_URL=http://127.0.0.1:4200/api",
        )
    with get_client(sync_client=True) as client:
        problem = client.api_healthcheck()
        if problem is not None:
            raise ServerError(
                f"the Prefect server does not answer ({type(problem).__name__}: {problem})",
                where=str(address),
                todo="Start it ('make serve', or docs/schedules.md), or set PREFECT_API_URL to where it is.",
            )
        try:
            client.read_work_pool(work_pool)
        except ObjectNotFound as error:
            raise ServerError(
                f"the server has no work pool {work_pool!r}",
                where=str(address),
                todo=f"Make it (prefect work-pool create --type process {work_pool}), or name another with "
                "--work-pool.",
            ) from error
