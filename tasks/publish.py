"""The end of a run: its folder, whole or not at all, and the pointer to the newest one."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geo.imagery.sources import digest_file
from tasks.earlier import TABLES
from tasks.plan import NAMES_OF_TYPES, Plan
from tasks.stage import StageResult, read_json, unfinished, write_json


def publish(plan: Plan, results: Sequence[StageResult], *, seconds: float) -> dict[str, Any]:
    """Lay the GeoPackage, the report and the summary out in the run's folder, and point ``latest`` to it.

    Parameters
    ----------
    plan
        Of the run.
    results
        Of its stages, in order.
    seconds
        How long the run took.

    Returns
    -------
    The summary that the command line prints.
    """
    from tasks.beside import keep_names, write_mosaics  # noqa: PLC0415 - a rerun that changes nothing needs no geopandas

    quality = read_json(plan.stage_folder("clusters") / "quality.json")
    source = plan.stage_folder("collisions") / "source.json"
    about_records = read_json(source) if source.exists() else {}
    summary: dict[str, Any] = {
        "city": plan.config.city,
        "run_id": plan.run_id,
        "geopackage": str(plan.geopackage),
        "report": str(plan.report),
        "seconds": round(seconds, 3),
        "stages": [result.as_row() for result in results],
        "notes": notes(plan),
        "warnings": [
            *quality["encoder"]["warnings"],
            *about_records.get("warnings", ()),
            *(
                f"{e.item}: {e.reason}"
                for result in results
                for e in result.entries
                if e.item == NAMES_OF_TYPES
            ),
        ],
    }
    with unfinished(plan.run_folder) as work:
        for stage, file in (("package", plan.geopackage.name), ("report", plan.report.name)):
            shutil.copyfile(plan.stage_folder(stage) / file, work / file)
        shutil.copytree(plan.stage_folder("package") / TABLES, work / TABLES)
        write_mosaics(plan, work)
        files = {
            file.relative_to(work).as_posix(): digest_file(file)
            for file in sorted(work.rglob("*"))
            if file.is_file()
        }
        numbers = {
            "key": plan.numbers.key,
            "own_key": plan.numbers.own_key,
            "reserved": plan.numbers.reserved,
        }
        # where the configuration's relative paths start, for a run that repeats this one from its GeoPackage
        base = os.path.relpath(plan.base, plan.run_folder)
        write_json(work / plan.summary.name, summary | {"files": files, "numbering": numbers, "base": base})
    keep_names(plan)
    _point(plan.folder / "latest", plan.run_id)
    return summary


def notes(plan: Plan) -> list[str]:
    """Collect the sentences that stages say at the end."""
    told = read_json(plan.stage_folder("exposure") / "coverage.json")["notes"]
    for stage in ("inference", "concentration"):
        told += read_json(plan.stage_folder(stage) / "findings.json")["notes"]
    return list(told)


def finished_before(plan: Plan) -> dict[str, Any] | None:
    """Find the same run finished earlier; None when it is not there, or its files are not as it left them."""
    start = time.monotonic()
    try:
        summary: dict[str, Any] = read_json(plan.summary)
        files = summary.pop("files")
        for only_there in ("numbering", "base"):
            summary.pop(only_there)
        if any(digest_file(plan.run_folder / name) != expected for name, expected in files.items()):
            return None
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError):
        return None
    _point(plan.folder / "latest", plan.run_id)
    stages = [row | {"seconds": 0.0, "cached": True} for row in summary["stages"]]
    # the folder may have moved since
    places = {"geopackage": str(plan.geopackage), "report": str(plan.report)}
    return summary | places | {"stages": stages, "seconds": round(time.monotonic() - start, 3)}


def _point(link: Path, target: str) -> None:
    """Point a symbolic link to a sibling in one step; where there are none, write its name into a file.

    A folder of that name, as a copy that follows links makes, is left alone.
    """
    if link.is_dir() and not link.is_symlink():
        return
    part = link.with_name(f".{link.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    try:
        part.symlink_to(target, target_is_directory=True)
    except OSError:
        part.write_text(target + "\n", encoding="utf-8")
    part.replace(link)
