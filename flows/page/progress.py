"""How far a run is, in Prefect's page: one bar for all its stages."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import fmean
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE

from flows.page.telling import send, slug
from flows.progress import run_pace
from flows.server import recorded
from tasks.store.stage import StageResult

log = logging.getLogger("roadprint")

UPDATE_S = 2.0
"""Progress is told no more often than this: each time is a request."""
_NEARLY = 99.0
"""What is shown at most of a run that has not ended (0 to 100)."""


@dataclass(slots=True)
class RunProgress:
    """The progress of a run in the page; does nothing where no server records it.

    Attributes
    ----------
    artifact
        Its number; None: it is not shown.
    weights
        How much of the run each stage is, in the order in which they run.
    """

    artifact: UUID | None = None
    weights: Sequence[float] = ()
    _ended: int = 0
    _total: int = 0
    _done: int = 0
    _told_at: float = 0.0
    _most: float = 0.0
    _lines: list[str] = field(default_factory=list)

    def expect(self, total: int, found: int = 0) -> None:
        """Say how much there is to do in this stage, and how much of it was done before."""
        self._total, self._done = total, found

    def advance(self, steps: int) -> None:
        """Say that more of it is done."""
        self._done += steps
        now = time.monotonic()
        if now - self._told_at >= UPDATE_S:
            self._told_at = now
            self._tell()

    def finish(self, result: StageResult) -> None:
        """Say that the stage is done, and what became of its items."""
        counts = ", ".join(f"{count:,} {status}" for status, count in result.totals.items() if count)
        how = "from before" if result.cached else f"{result.seconds:.1f} s"
        told = f"{result.name}: {counts or 'nothing to do'} ({how})"
        log.info(told)
        # the page's list shows the first of them alone
        self._lines.insert(0, f"- {told}")
        self._ended += 1
        self._total = self._done = 0
        self._tell()

    def reach(self, stages: int) -> None:
        """Say how many stages are behind, though some of them were left out."""
        self._ended = stages
        self._tell()

    def share(self) -> float:
        """Give how much of the run is done (0 to 100, never less than before): by its time, where that is told."""
        pace = run_pace()
        told = None if pace is None else pace.share()
        self._most = max(self._most, self._by_stages() if told is None else 100 * told)
        return self._most

    def _by_stages(self) -> float:
        """Give how much of the run is done by the stages that have ended, and how much of one is counted."""
        whole = sum(self.weights)
        if not whole:
            return 0.0
        ended = sum(self.weights[: self._ended])
        here = sum(self.weights[self._ended : self._ended + 1])
        if self._total:
            ended += here * min(1.0, self._done / self._total)
        return 100 * ended / whole

    def _tell(self) -> None:
        """Send how far it is, with a line for each stage that has ended, the last one first."""
        if self.artifact is not None:
            whole = self._ended >= len(self.weights)
            share = 100.0 if whole else min(_NEARLY, self.share())
            send(update_progress_artifact, self.artifact, progress=share, description="\n".join(self._lines))


@contextmanager
def run_progress(city: str, stages: Sequence[str], usual: Mapping[str, float]) -> Iterator[RunProgress]:
    """Show the progress of a run in the page.

    Parameters
    ----------
    city
        Its name.
    stages
        Names of what is to be done, in order.
    usual
        How long stages took the last time (seconds); those that are not there count as those that are, on average.
    """
    if not recorded():
        yield RunProgress()
        return
    known = [usual[name] for name in stages if name in usual]
    other = fmean(known) if known else 1.0
    artifact = _bar(f"{slug(city)}-progress", f"How far the run of {city} is.")
    yield RunProgress(artifact, [usual.get(name, other) for name in stages])


@task(name="progress", task_run_name="progress", cache_policy=NO_CACHE, persist_result=False)
def _bar(key: str, description: str) -> UUID | None:
    """Make the bar, in a task: the page shows what belongs to the run itself before what belongs to its tasks."""
    made = send(create_progress_artifact, progress=0.0, key=key, description=description)
    return made if isinstance(made, UUID) else None
