"""What Prefect's page shows of a run besides its state: its log, progress by stage, the ledger, links, prototypes.

Made only where a server of its own records the run: the temporary one of a run by hand has no page that anybody opens.
"""

from __future__ import annotations

import base64
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pandas as pd
from PIL import Image
from prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.exceptions import PrefectException
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.progress import say
from flows.server import recorded
from tasks.earlier import TABLES
from tasks.plan import Plan
from tasks.store.stage import StageResult

log = logging.getLogger("roadprint")

UPDATE_S = 2.0
"""Progress is told no more often than this: each time is a request."""
SILENCE_S = 20.0
"""So long a server that does not answer is not asked again: the run would spend its time on waiting for it."""
SIDE_PX, A_ROW = 64, 5
"""Of a prototype in the picture, and how many of a type; the page prints the picture's text too, so it is small."""


@dataclass(slots=True)
class _Silence:
    """What is known of a server that does not answer.

    Attributes
    ----------
    until
        When it is asked again (seconds of the monotonic clock).
    told
        Whether the user knows that the page lacks a part of this run.
    """

    until: float = 0.0
    told: bool = False


_silence = _Silence()


@dataclass(slots=True)
class StageProgress:
    """The progress of one stage in the page; does nothing where no server records it."""

    artifact: UUID | None = None
    total: int = 0
    done: int = 0
    told: float = 0.0

    def expect(self, total: int, found: int = 0) -> None:
        """Say how much there is to do, and how much of it was done before."""
        self.total, self.done = total, found

    def advance(self, steps: int) -> None:
        """Say that more of it is done."""
        self.done += steps
        now = time.monotonic()
        if self.artifact is not None and self.total and now - self.told >= UPDATE_S:
            self.told = now
            self.tell(min(99.0, 100 * self.done / self.total))

    def finish(self, result: StageResult) -> None:
        """Say that the stage is done, and what became of its items."""
        counts = ", ".join(f"{count:,} {status}" for status, count in result.totals.items() if count)
        how = "from before" if result.cached else f"{result.seconds:.1f} s"
        told = f"{result.name}: {counts or 'nothing to do'} ({how})"
        log.info(told)
        self.tell(100.0, told)

    def tell(self, share: float, text: str | None = None) -> None:
        """Send the progress (0 to 100)."""
        artifact = self.artifact
        if artifact is not None:
            _send(update_progress_artifact, artifact, progress=share, description=text)


class _ToRun(logging.Handler):
    """Hands lines of ours on to the log of a run, from whatever thread they come."""

    def __init__(self, run: logging.Logger | logging.LoggerAdapter[logging.Logger]) -> None:
        super().__init__(logging.INFO)
        self.run = run

    def emit(self, record: logging.LogRecord) -> None:
        self.run.log(record.levelno, record.getMessage())


@contextmanager
def logged() -> Iterator[None]:
    """Write what is told of a run to its log in the page."""
    if not recorded():
        yield
        return
    _silence.told = False
    ours, handler = logging.getLogger("roadprint"), _ToRun(get_run_logger())
    before = ours.level, ours.propagate
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    # the run's own log goes to the terminal as well
    ours.propagate = False
    try:
        yield
    finally:
        ours.level, ours.propagate = before
        ours.removeHandler(handler)


@contextmanager
def stage_progress(plan: Plan, name: str) -> Iterator[StageProgress]:
    """Show the progress of a stage in the page."""
    if not recorded():
        yield StageProgress()
        return
    key = f"{_slug(plan.config.city)}-{len(plan.before(name)) + 1:02d}-{_slug(name)}"
    made = _send(create_progress_artifact, progress=0.0, key=key, description=name)
    yield StageProgress(made if isinstance(made, UUID) else None)


def show_results(plan: Plan, summary: dict[str, Any]) -> None:
    """Show the ledger, links to the results and the prototypes of a run that ended well."""
    if not recorded():
        return
    for warning in summary["warnings"]:
        log.warning(warning)
    city, layers = _slug(plan.config.city), plan.run_folder / TABLES
    rows = pd.read_parquet(layers / "ledger.parquet").to_dict("records")
    about = f"What became of every input of {plan.config.city}, run {plan.run_id}."
    if all(stage["cached"] for stage in summary["stages"]):
        about += " Nothing has changed since an earlier run, whose results stand."
    _send(create_table_artifact, rows, key=f"{city}-ledger", description=about)
    for name, path in (("report", plan.report), ("geopackage", plan.geopackage)):
        # browsers do not follow links from a page to files: the text says where it is
        log.info("%s: %s", name, summary[name])
        link, where = path.as_uri(), f"{name}: {summary[name]}"
        _send(create_link_artifact, link, link_text=path.name, key=f"{city}-{name}", description=where)
    picture = prototypes(layers)
    if picture is not None:
        text = "Prototypes of each type of road, from type 1 (the first row) on."
        _send(create_image_artifact, picture, key=f"{city}-prototypes", description=text)


def prototypes(layers: Path) -> str | None:
    """Lay the prototypes of all types out in one picture, a row a type.

    Parameters
    ----------
    layers
        Folder with the run's layers.

    Returns
    -------
    A ``data:`` URI; None where the run keeps no pictures.
    """
    clusters = pd.read_parquet(layers / "clusters.parquet").sort_values("cluster")
    tiles = pd.read_parquet(layers / "tiles.parquet", columns=["tile_id", "thumbnail"])
    pictures = tiles.dropna().set_index("tile_id")["thumbnail"]
    if pictures.empty:
        return None
    sheet = Image.new("RGB", (A_ROW * SIDE_PX, len(clusters) * SIDE_PX), "white")
    for row, named in enumerate(clusters["prototype_tiles"].fillna("")):
        shown = [tile for tile in named.split(";") if tile in pictures.index]
        for column, tile in enumerate(shown[:A_ROW]):
            one = Image.open(BytesIO(pictures[tile])).convert("RGB").resize((SIDE_PX - 2, SIDE_PX - 2))
            sheet.paste(one, (column * SIDE_PX, row * SIDE_PX))
    file = BytesIO()
    sheet.save(file, "JPEG", quality=70)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _slug(city: str) -> str:
    """Write a city's name as keys of artifacts are: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", city.lower()).strip("-") or "city"


def _send(request: Callable[..., Any], *arguments: object, **named: object) -> object:
    """Ask the server for something that the run can do without; one that does not answer is left alone for a while.

    The user is told once a run, whatever fails how often.
    """
    if time.monotonic() < _silence.until:
        return None
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 1}):
            return request(*arguments, **named)
    except (httpx.HTTPError, PrefectException, OSError) as error:
        _silence.until = time.monotonic() + SILENCE_S
        if not _silence.told:
            _silence.told = True
            why = " ".join(str(error).split())
            say(f"Prefect's page lacks a part of this run ({type(error).__name__}: {why}).")
        return None
