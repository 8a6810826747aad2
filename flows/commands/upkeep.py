"""Commands that look after cities: their schedules, how they stand, and what is old."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from flows.arguments import read_overrides
from flows.commands.cities import meant
from geo.errors import ConfigurationError


def deploy(asked: argparse.Namespace) -> dict[str, Any]:
    """Deploy a city to a server."""
    from flows.deploy import MONTHLY, Schedule, deploy_city  # noqa: PLC0415
    from flows.serve import WORK_POOL  # noqa: PLC0415

    # what was given empty, by a variable that is not set perhaps, is refused there
    cron = MONTHLY if asked.cron is None else asked.cron
    schedule = Schedule(cron, "UTC" if asked.timezone is None else asked.timezone)
    pool = WORK_POOL if asked.work_pool is None else asked.work_pool
    city, out = meant(asked)
    return deploy_city(
        city,
        read_overrides(asked.set),
        out,
        schedule,
        work_pool=pool,
        runs_url=asked.runs_url,
    )


def _folder(asked: argparse.Namespace) -> tuple[str, Path]:
    """Name a city and the folder of its runs."""
    from tasks.city_files import runs_meant  # noqa: PLC0415

    return runs_meant(asked.city, read_overrides(asked.set), asked.out)


def status(asked: argparse.Namespace) -> dict[str, Any]:
    """Say how a city stands."""
    from tasks.store.status import status as status_of  # noqa: PLC0415

    city, folder = _folder(asked)
    return status_of(folder, city)


def show_status(found: dict[str, Any]) -> None:
    """Print how a city stands."""
    last, failure, holder = found["last_run"], found["last_failure"], found["running"]
    runs = "1 run" if found["runs"] == 1 else f"{found['runs']} runs"
    lines = [f"{found['city']}: {runs}, {found['bytes'] / 1e6:,.1f} MB in {found['folder']}"]
    if last:
        lines.append(f"Last good run: {last['run_id']}, {last['finished']}, {last['seconds']:,.0f} s")
        lines.append(f"  {last['geopackage']}")
        if last["checked"] and last["checked"] != last["finished"]:
            lines.append(f"  found unchanged {last['checked']}")
    else:
        lines.append("Last good run: none")
    if holder:
        lines.append(
            f"Running now: process {holder.get('process')} on {holder.get('host')} since {holder.get('since')}"
        )
    else:
        lines.append("Running now: no")
    if failure:
        lines.append(f"Last failure: {failure['when']}: {failure['reason']}")
    sys.stdout.write("\n".join(lines) + "\n")


def newest_of(found: dict[str, Any]) -> str | None:
    """Give the GeoPackage of its last good run."""
    return found["last_run"]["geopackage"] if found["last_run"] else None


def clean(asked: argparse.Namespace) -> dict[str, Any]:
    """Say what is old; remove it when that is confirmed."""
    from tasks.store.housekeeping import clear, parse_age, plan_clearing, refuse_while_running  # noqa: PLC0415

    age = parse_age(asked.older_than)
    city, folder = _folder(asked)
    refuse_while_running(folder)
    planned = plan_clearing(folder, age)
    told = {"city": city, "folder": str(folder), **planned.as_dict(), "removed": False}
    if not planned.items:
        return told
    if not asked.yes:
        if asked.json:
            return told
        _show_old(told)
        if not _confirmed(f"Remove these {len(planned.items)} ({planned.bytes / 1e6:,.1f} MB)? [y/N] "):
            return told
    return told | clear(folder, planned, age).as_dict() | {"removed": True}


def _confirmed(question: str) -> bool:
    """Ask at the terminal; nothing is confirmed where nobody can answer."""
    if not sys.stdin.isatty():
        raise ConfigurationError("nobody is there to ask", where="clean", todo="Give --yes to remove them.")
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _show_old(told: dict[str, Any]) -> None:
    for item in told["items"]:
        sys.stdout.write(f"  {item}\n")


def show_clean(told: dict[str, Any]) -> None:
    """Say what was removed, and what stays."""
    for reason in told["kept"]:
        sys.stdout.write(f"Kept {reason}.\n")
    if told["removed"]:
        sys.stdout.write(f"Removed {len(told['items'])}, {told['bytes'] / 1e6:,.1f} MB.\n")
    elif told["items"]:
        sys.stdout.write("Nothing was removed.\n")
    else:
        sys.stdout.write(f"{told['city']}: nothing is old enough to remove.\n")


def show_deploy(made: dict[str, Any]) -> None:
    """Say what was deployed, and how to run it now."""
    when = f"cron {made['cron']} in {made['timezone']}" if made["cron"] else "no schedule"
    sys.stdout.write(f"Deployed {made['deployment']} ({when}; work pool {made['work_pool']}).\n")
    if made["page"]:
        sys.stdout.write(f"Page: {made['page']}\n")
    sys.stdout.write(f"To run it now: prefect deployment run '{made['deployment']}'\n")
