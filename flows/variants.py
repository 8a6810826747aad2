"""The flow that runs a city with one choice made otherwise at a time, from the stages that are kept."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import flow

from flows.city import (
    CITY_FILE,
    OUTPUT_FOLDER,
    OVERRIDES,
    TWO_AT_ONCE,
    city_flow,
    run_name,
    run_one,
    say_cancelled,
    stoppable,
)
from flows.page.progress import run_progress
from flows.page.telling import logged
from flows.progress import say
from flows.secrets import concealed, guard_logs, unlock
from geo.errors import BusyError, RoadprintError
from geo.sensitivity.findings import fares, findings_of, with_groupings
from geo.sensitivity.told import by_finding, sentences
from geo.sensitivity.variants import GROUPINGS, OF_TYPES, Variant, variants
from tasks.plan import Plan
from tasks.planning import make_plan
from tasks.sensitivity import (
    CSV,
    NAME,
    STAGES_OF_VARIANT,
    chosen_k,
    failed,
    keep,
    kept,
    look,
    missing,
    rows_of,
    sensitivity_folder,
)
from tasks.store.lock import one_run
from tasks.store.status import usual_seconds


@flow(
    name="sensitivity-flow",
    description="One city with one choice made otherwise at a time: which of its findings stand.",
    flow_run_name=run_name,
    task_runner=TWO_AT_ONCE,
    persist_result=False,
    on_crashed=[say_cancelled],
    on_failure=[say_cancelled],
)
def sensitivity_flow(
    config: str = CITY_FILE, overrides: dict[str, str] | None = OVERRIDES, out: str | None = OUTPUT_FOLDER
) -> dict[str, Any]:
    """Run a city, its variants, and what shows them in its report and GeoPackage.

    A variant makes stages alone, in the folder where those of all runs lie: it is no run, and nothing points to it.
    What is finished is kept, and taken from there the next time.

    Parameters
    ----------
    config
        Path of the city's YAML file.
    overrides
        ``{"clusters.k": "5"}``: values that replace or add keys.
    out
        Folder for results instead of ``output.folder``.

    Returns
    -------
    What the command line prints: ``city, geopackage, report, table, csv, sentences, findings, variants, seconds``.
    """
    start = time.monotonic()
    guard_logs()
    city_flow(config, overrides, out)
    with concealed(), stoppable(), logged():
        unlock(Path(config), overrides)
        folder, tried = _made(Path(config), dict(overrides or {}), None if out is None else Path(out))
    summary = city_flow(config, overrides, out)
    table = pd.read_parquet(folder / f"{NAME}.parquet")
    return {
        "city": summary["city"],
        "run_id": summary["run_id"],
        "geopackage": summary["geopackage"],
        "report": summary["report"],
        "table": str(folder / f"{NAME}.parquet"),
        "csv": str(folder / CSV),
        "sentences": sentences(table),
        "findings": [] if table.empty else by_finding(table).to_dict("records"),
        "variants": tried,
        "seconds": round(time.monotonic() - start, 3),
    }


def _made(city: Path, overrides: dict[str, str], out: Path | None) -> tuple[Path, list[dict[str, Any]]]:
    """Make the table, or find it made; gives its folder, and how each variant went."""
    plan = make_plan(city, overrides, out)
    wait = plan.config.output.when_busy == "wait"
    with one_run(plan.folder, wait=wait, tell=say):
        folder = sensitivity_folder(plan.stages, plan.config, plan.keys)
        if kept(folder):
            return folder, []
        tried = variants(plan.config, chosen_k(plan))
        planned = [(one, _planned(one, city, overrides, out)) for one in tried]
        usual = usual_seconds(plan.folder)
        say(_forecast([one for _, one in planned if isinstance(one, Plan)], len(tried), usual))
        base = look(plan)
        found = findings_of(base)
        n = plan.config.clusters.groupings
        parts = [rows_of(found, with_groupings(base, found), GROUPINGS, f"{n} groupings", OF_TYPES)]
        told = []
        with run_progress(plan.config.city, [*STAGES_OF_VARIANT] * len(planned), usual) as page:
            for number, (variant, its_plan) in enumerate(planned, start=1):
                say(f"Variant {number} of {len(tried)}: {variant.setting}")
                begun = time.monotonic()
                try:
                    if isinstance(its_plan, RoadprintError):
                        raise its_plan
                    for name in STAGES_OF_VARIANT:
                        run_one(name, its_plan, usual.get(name), page)
                    fared = fares(base, found, look(its_plan))
                    parts.append(rows_of(found, fared, variant.changed, variant.setting, variant.reaches))
                    why = ""
                except BusyError:
                    raise
                except RoadprintError as error:
                    why = str(error).splitlines()[0]
                    say(f"  it could not be run: {why}")
                    parts.append(failed(found, variant, why))
                seconds = round(time.monotonic() - begun, 3)
                told.append(
                    {
                        "changed": variant.changed,
                        "setting": variant.setting,
                        "seconds": seconds,
                        "failed": why,
                    }
                )
                page.reach(number * len(STAGES_OF_VARIANT))
        keep(folder, parts)
    return folder, told


def _planned(
    variant: Variant, city: Path, overrides: dict[str, str], out: Path | None
) -> Plan | RoadprintError:
    """Make the plan of a variant; its error where there is none."""
    try:
        return make_plan(city, overrides | variant.overrides, out)
    except RoadprintError as error:
        return error


def _forecast(plans: list[Plan], tried: int, usual: dict[str, float]) -> str:
    """Say how much there is to do, and about how long that takes."""
    left = missing(plans)
    seconds = sum(usual.get(name, 0.0) for name in left)
    minutes, rest = divmod(round(seconds), 60)
    how_long = f"{minutes} min {rest} s" if minutes else f"{rest} s"
    encoded = left.count("features")
    of_these = f", {encoded} of them encoded anew" if encoded else ""
    return f"{tried} variants{of_these}; {len(left)} stages are to be made, about {how_long} as they took before."
