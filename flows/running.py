"""A city run from here, by the command line or from Python: with a server of Prefect for as long as it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from flows.progress import shown, stage_bar
from flows.secrets import concealed, guard_logs, without_literals
from geo.config.file import is_recorded
from geo.demo.plans import NAMES
from geo.errors import BusyError, ConfigurationError, ServerError

if TYPE_CHECKING:
    from tasks.results.opened import OpenRun

DEMO = "demo"
RESULTS = Path("runs")


def run_city(
    file: str | Path,
    overrides: Mapping[str, object] | None = None,
    *,
    out: str | Path | None = None,
    base: str | Path | None = None,
    progress: bool = True,
) -> OpenRun:
    """Run a city as ``roadprint run`` does, and open its results; a run that would change nothing is found and opened.

    Parameters
    ----------
    file
        The city's YAML file; a GeoPackage whose run is repeated; or ``"demo"``, the demo town.
    overrides
        Values that replace or add keys of the file, by dotted keys: ``{"clusters.k": 6, "tiles.tile_m": 80}``. Text is
        read as YAML, as ``--set`` does.
    out
        Folder for results instead of ``output.folder``.
    base
        With a GeoPackage: folder that the relative paths of its configuration start at, when they are not found.
    progress
        Whether bars are shown, where there is a terminal.

    Raises
    ------
    ConfigurationError
        When the file, or a key of it, is not valid.
    SourceError, LayerError, EncoderError
        When an input cannot be run: what was found, where, what to do.
    ServerError
        When the Prefect server that is configured does not answer.

    Examples
    --------
    >>> import roadprint
    >>> roadprint.run_city("no-such-city.yaml")
    Traceback (most recent call last):
        ...
    geo.errors.ConfigurationError: no-such-city.yaml: the file cannot be read (No such file or directory)
      Give the path of a city's file.
    """
    from tasks.results.opening import open_run  # noqa: PLC0415 - as below

    folder, start = (None if one is None else Path(one) for one in (out, base))
    guard_logs()
    with concealed(), shown(Console(stderr=True, quiet=not progress)):
        changes = without_literals({key: _text(value) for key, value in (overrides or {}).items()})
        if file == DEMO:
            folder = folder or RESULTS
            file = draw_town(folder)
        city = Path(file)
        repeated = is_recorded(city)
        summary = repeat(city, changes, folder, start) if repeated else run_once(city, changes, folder)
    return open_run(Path(summary["geopackage"]).parent)


def run_variants(
    file: str | Path,
    overrides: Mapping[str, object] | None = None,
    *,
    out: str | Path | None = None,
    progress: bool = True,
) -> OpenRun:
    """Run a city with one choice made otherwise at a time, as ``roadprint sensitivity`` does, and open its own run.

    Parameters
    ----------
    file
        The city's YAML file; its section ``sensitivity`` says what is tried.
    overrides, out, progress
        As of `run_city`.

    Returns
    -------
    The city's run, whose layer ``sensitivity`` says how each finding fares in each variant.

    Raises
    ------
    ConfigurationError
        When the file, or a key of it, is not valid.
    RoadprintError
        When the city itself cannot be run; of a variant that cannot, the table says so.

    Examples
    --------
    >>> import roadprint
    >>> roadprint.run_variants("no-such-city.yaml")
    Traceback (most recent call last):
        ...
    geo.errors.ConfigurationError: no-such-city.yaml: the file cannot be read (No such file or directory)
      Give the path of a city's file.
    """
    from tasks.results.opening import open_run  # noqa: PLC0415 - as below

    guard_logs()
    with concealed(), shown(Console(stderr=True, quiet=not progress)):
        changes = without_literals({key: _text(value) for key, value in (overrides or {}).items()})
        summary = vary(Path(file), changes, None if out is None else Path(out))
    return open_run(Path(summary["geopackage"]).parent)


def vary(city: Path, overrides: dict[str, str], out: Path | None) -> dict[str, Any]:
    """Run a city and its variants, with a server of Prefect for as long as it takes.

    Raises
    ------
    ConfigurationError
        When it is not a city's file.
    """
    from geo.config import load  # noqa: PLC0415 - as below

    if is_recorded(city):
        raise ConfigurationError(
            "it is the GeoPackage of a run",
            where=str(city),
            todo="Give the city's file, which the variants start from.",
        )
    load(city, overrides)
    from flows.server import own_server  # noqa: PLC0415

    with own_server() as wait:
        with stage_bar("starting"):
            from flows.variants import sensitivity_flow  # noqa: PLC0415

            wait()
        return sensitivity_flow(str(city), overrides, None if out is None else str(out))


def _text(value: object) -> str:
    """Write a value as the command line takes it."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def draw_town(out: Path, plan: str = NAMES[0]) -> Path:
    """Draw the demo town below `out`, or find it there; gives its city's file."""
    from tasks.demo import draw_demo  # noqa: PLC0415 - as below

    with stage_bar("the town"):
        return draw_demo(out, plan=plan)


def repeat(file: Path, overrides: dict[str, str], out: Path | None, base: Path | None) -> dict[str, Any]:
    """Run what made a GeoPackage again, and say what is not as it was."""
    from tasks.planning import make_plan  # noqa: PLC0415 - what each way needs: torch and Prefect take seconds
    from tasks.recall import recall  # noqa: PLC0415

    recalled = recall(file, overrides, base)
    plan = make_plan(file, overrides, out, base=recalled.base)
    changes = recalled.changes(plan.inputs, plan.versions)
    summary = run_once(file, overrides, out, recalled.base)
    return summary | {"warnings": [*changes, *summary["warnings"]]}


def run_once(
    city: Path, overrides: dict[str, str], out: Path | None, base: Path | None = None
) -> dict[str, Any]:
    """Run a city, or find the same run finished before; then nothing heavy is imported, and no flow started."""
    from tasks.ending.publish import finished_before  # noqa: PLC0415

    summary = _unchanged(city, overrides, out, base)
    if summary is not None:
        return summary
    from flows.server import own_server, unanswered  # noqa: PLC0415
    from tasks.planning import make_plan  # noqa: PLC0415

    with own_server() as wait:
        with stage_bar("starting"):
            from flows.city import city_flow  # noqa: PLC0415

            wait()
        words = [None if one is None else str(one) for one in (out, base)]
        try:
            return city_flow(str(city), overrides, *words)
        except unanswered() as error:
            lost = f"Prefect's server does not answer any more ({error})"
            summary = finished_before(make_plan(city, overrides, out, base=base))
            if summary is None:
                raise ServerError(
                    lost, where="PREFECT_API_URL", todo="Start it again; the same command goes on from there."
                ) from error
            return summary | {"warnings": [*summary["warnings"], f"{lost}: it does not know that this ended"]}


def _unchanged(
    city: Path, overrides: dict[str, str], out: Path | None, base: Path | None
) -> dict[str, Any] | None:
    """Find the same run finished before; None where there is none, or where another run goes on, to be waited for."""
    from tasks.ending.publish import finished_before  # noqa: PLC0415
    from tasks.planning import make_plan, runs_of  # noqa: PLC0415
    from tasks.store.folder import full_disk_told  # noqa: PLC0415
    from tasks.store.lock import one_run  # noqa: PLC0415
    from tasks.store.status import forget_failure  # noqa: PLC0415

    _, runs = runs_of(city, overrides, out, base)
    if not runs.is_dir():
        return None
    try:
        with full_disk_told(runs), one_run(runs, wait=False, tell=lambda _: None):
            with stage_bar("inputs"):
                plan = make_plan(city, overrides, out, base=base)
            summary = finished_before(plan)
            if summary is not None:
                forget_failure(runs)
            return summary
    except BusyError:
        return None
