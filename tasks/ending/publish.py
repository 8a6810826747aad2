"""The end of a run: its folder, whole or not at all, and the pointer to the newest one."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from geo.clusters.hands.corrections import LATER
from geo.ground.names import NAMES_OF_CLASSES, NamedClass
from geo.outputs.names import MERGES, Named
from geo.sources.files import digest_file
from tasks.documents import IN_SHORT, Effects, Findings, Gathered, InShort
from tasks.earlier import TABLES, edited
from tasks.plan import CORRECTED, FOUND_BY, NAMES_OF_TYPES, Plan
from tasks.stages.ground import mapping, vegetation
from tasks.stages.ground.beside_types import notes_of_ground
from tasks.stages.ground.classes import load_learned
from tasks.stages.imagery.centring import load_centring
from tasks.stages.imagery.features import load_encoded_as
from tasks.stages.imagery.matching import load_matching
from tasks.stages.network.roads import load_place
from tasks.stages.network.tiles import load_shown
from tasks.stages.records.carried import load_carried
from tasks.stages.records.collisions import load_recorded
from tasks.stages.records.exposure import load_covered
from tasks.stages.safety.inference import FINDINGS
from tasks.stages.types.clusters import load_quality
from tasks.stages.types.flights import load_flights
from tasks.store.stage import StageResult, log, unfinished
from tasks.store.summary import LATEST, Numbered, NumberedGround, RunSummary, StageRow


def publish(plan: Plan, results: Sequence[StageResult], *, seconds: float) -> dict[str, Any]:
    """Lay the GeoPackage, the report and the summary out in the run's folder, and point ``latest`` to it.

    Parameters
    ----------
    plan
        What the run was to do.
    results
        What each stage left behind, in the order of the stages.
    seconds
        How long the run took (seconds).

    Returns
    -------
    The summary that the command line prints.

    Raises
    ------
    SourceError
        When an input is not any more what the run began with.
    RoadprintError
        When the run's folder is in use.
    """
    # a rerun that changes nothing needs no geopandas
    from tasks.ending.beside import keep_names, lay_ground, leave_sheet, write_mosaics  # noqa: PLC0415

    plan.check_inputs()
    _make_room(plan)
    with unfinished(plan.run_folder) as work:
        for stage, file in (
            ("package", plan.geopackage.name),
            ("package", plan.project.name),
            ("report", plan.report.name),
            ("report", plan.workbook.name),
        ):
            shutil.copyfile(plan.stage_folder(stage) / file, work / file)
        shutil.copytree(plan.stage_folder("report") / plan.csv_folder.name, work / plan.csv_folder.name)
        shutil.copytree(plan.stage_folder("package") / TABLES, work / TABLES)
        lay_ground(plan, work)
        write_mosaics(plan, work)
        files = {
            file.relative_to(work).as_posix(): digest_file(file)
            for file in sorted(work.rglob("*"))
            if file.is_file()
        }
        summary = _summary(plan, results, files, seconds)
        summary.write(work / plan.summary.name)
        # before the run appears: a run that is there whole needs nothing more than the pointer to it
        keep_names(plan, work)
        leave_sheet(plan)
    _point(plan.folder / LATEST, plan.run_id)
    return summary.printed()


def _summary(plan: Plan, results: Sequence[StageResult], files: dict[str, str], seconds: float) -> RunSummary:
    """Say what the command line prints, and what later runs and `tasks.store.status` want to know of this one."""
    numbers = plan.numbers
    items = {NAMES_OF_TYPES, NAMES_OF_CLASSES, CORRECTED, MERGES}
    skipped = [e for result in results for e in result.entries if e.item in items and e.status == "skipped"]
    # that an analyst thought better of something is no fault
    unknown = [e for e in skipped if e.count and e.reason != LATER]
    return RunSummary(
        city=plan.config.city,
        run_id=plan.run_id,
        geopackage=str(plan.geopackage),
        report=str(plan.report),
        seconds=round(seconds, 3),
        stages=[StageRow(**result.as_row()) for result in results],
        in_short=InShort.read(plan.stage_folder("report") / IN_SHORT).told,
        notes=notes(plan),
        warnings=[
            *warnings_of_inputs(plan),
            *load_quality(plan).encoder.warnings,
            *load_matching(plan).warnings,
            *load_centring(plan.stage_folder("fingerprints")).warnings,
            *load_flights(plan).warnings,
            *mapping.load_mapped(plan).warnings,
            *(f"{e.item}: {e.reason}" for e in unknown),
        ],
        files=files,
        finished=datetime.now(UTC).replace(microsecond=0),
        made_of=made_of(plan),
        numbering=Numbered(
            key=numbers.key,
            own_key=numbers.own_key,
            reserved=list(numbers.reserved),
            names=[Named.model_validate(one.said) for one in edited(plan.names)],
            junction_names=[Named.model_validate(one.said) for one in edited(plan.junction_names)],
            junction_names_aside=list(plan.other_junctions),
            typology=None if plan.typology is None else plan.sources[plan.typology],
            ground=_numbered_ground(plan),
        ),
        base=os.path.relpath(plan.base, plan.run_folder),
    )


def _numbered_ground(plan: Plan) -> NumberedGround | None:
    """Say what classes of ground were called; None where none are found."""
    numbers = plan.ground.numbers
    if numbers is None:
        return None
    return NumberedGround(
        key=numbers.key,
        own_key=numbers.own_key,
        reserved=list(numbers.reserved),
        learned=plan.keys[FOUND_BY],
        classes=mapping.load_mapped(plan).numbers,
        names=[NamedClass.model_validate(one.said) for one in edited(plan.ground.names)],
    )


def warnings_of_inputs(plan: Plan) -> list[str]:
    """Collect what stages found odd about the inputs: all of it is known before the encoding, and to a check."""
    told = (load_place(plan), load_shown(plan), load_recorded(plan), load_carried(plan), load_covered(plan))
    return [warning for one in told for warning in one.warnings]


def made_of(plan: Plan) -> list[str]:
    """Name what a run was made from, by its place below ``stages``: what has to stay as long as the run."""
    beside = [] if plan.sensitivity is None else [plan.sensitivity.name]
    shards = [*load_encoded_as(plan).files, *mapping.load_mapped(plan).shards]
    return [*(plan.stage_folder(name).name for name in plan.keys), *beside, *shards]


def notes(plan: Plan) -> list[str]:
    """Collect the sentences that stages say at the end."""
    found = Findings.read(plan.stage_folder("inference") / FINDINGS)
    gathered = Gathered.read(plan.stage_folder("concentration") / FINDINGS)
    effects = Effects.read(plan.stage_folder("interventions") / FINDINGS)
    systemic = Findings.read(plan.stage_folder("systemic") / FINDINGS)
    told = [
        *load_recorded(plan).notes,
        *load_covered(plan).notes,
        *load_matching(plan).notes,
        *load_flights(plan).notes,
        *load_learned(plan).notes,
        *vegetation.load_notes(plan),
    ]
    safety = Findings.read(plan.stage_folder("safety") / FINDINGS)
    return [
        *told,
        *safety.notes,
        *found.notes,
        *notes_of_ground(plan),
        *gathered.notes,
        *effects.notes,
        *systemic.notes,
    ]


def finished_before(plan: Plan) -> dict[str, Any] | None:
    """Find the same run finished earlier; None when it is not there, or its files are not as it left them."""
    start = time.monotonic()
    summary = _left(plan)
    if summary is None or _changed(plan, summary.files):
        return None
    _point(plan.folder / LATEST, plan.run_id)
    now = {
        "stages": [row.model_copy(update={"seconds": 0.0, "cached": True}) for row in summary.stages],
        "seconds": round(time.monotonic() - start, 3),
        # the folder of results may have been moved since
        "geopackage": str(plan.geopackage),
        "report": str(plan.report),
    }
    return summary.model_copy(update=now).printed()


def refuse_in_use(plan: Plan) -> None:
    """Refuse to go on where the run's GeoPackage is there and open in another program, for writing.

    Raises
    ------
    RoadprintError
        When it is.
    """
    if plan.geopackage.exists():
        from geo.outputs.files.geopackage import refuse_taken  # noqa: PLC0415 - as above

        refuse_taken(plan.geopackage)


def _make_room(plan: Plan) -> None:
    """Put aside what lies where the run will be, unless a run left all of it so: it may be an analyst's work."""
    folder = plan.run_folder
    if not folder.exists():
        return
    refuse_in_use(plan)
    summary = _left(plan)
    known = {} if summary is None else {**summary.files, plan.summary.name: None}
    found = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir())
    others = [
        name for name in found if name not in known or known[name] not in (None, _digest(folder / name))
    ]
    if others:
        aside = _free_name(folder)
        folder.rename(aside)
        log.warning(
            "%s is not as it was left (%s); it is kept as %s, and made again", folder, others[0], aside.name
        )
    elif gone := sorted(known.keys() - set(found)):
        log.warning("%s is not as it was left (%s is gone); it is made again", folder, gone[0])


def _free_name(folder: Path) -> Path:
    """Find a name beside a folder, under which it can be kept."""
    names = (folder.with_name(f"{folder.name}-kept-{n}") for n in itertools.count(1))
    return next(place for place in names if not place.exists())


def _left(plan: Plan) -> RunSummary | None:
    """Read what a run said at its end; None where there is none, or it cannot be read."""
    try:
        return RunSummary.read(plan.summary)
    except (OSError, ValidationError):
        return None


def _changed(plan: Plan, files: Mapping[str, str]) -> bool:
    """Tell whether a file of a run is not as it was left."""
    return any(_digest(plan.run_folder / name) != expected for name, expected in files.items())


def _digest(file: Path) -> str | None:
    """Digest a file; None where there is none that can be read."""
    try:
        return digest_file(file)
    except OSError:
        return None


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
