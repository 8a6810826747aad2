"""What a run shows while it goes: a bar for all of it and one a stage at a terminal, nothing where nobody looks."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar
from rich.table import Column
from rich.text import Text

from geo.counting import told_to

WIDE, LONG_BAR, SHORT_BAR = 100, 30, 12
"""Columns from which a terminal has room for long bars, and how long bars are (columns)."""
KEPT = 3
"""Bars of finished stages that stay in sight: those of all would fill a terminal, and hide the one that goes on."""
MOST_OVER = 3.0
"""What takes so many times as long as was expected may take any time."""
TELLING_S = 5.0
"""Once finished stages have taken so long (seconds), they tell how quick the machine is today."""


@dataclass(slots=True)
class Part:
    """What goes on within a stage: of what, how many there are (None: not counted), and how many are done."""

    what: str
    total: int | None = None
    done: int = 0


@dataclass(slots=True)
class Pace:
    """How far a stage is, and how long the rest will take at the pace of what was done so far.

    It listens to what is counted within the stage (`geo.counting`).

    Attributes
    ----------
    usual_s
        How long all of it took the last time (seconds); None: not known.
    total, done
        How much there is to do, and how much of it is done; a total of 0: not counted.
    found
        How much of it was done before, in no time.
    part
        What goes on within it, where the stage itself is not counted.
    nearly
        How much was begun and is nearly done: of pieces of work that count once they are kept.
    """

    usual_s: float | None = None
    total: int = 0
    done: int = 0
    found: int = 0
    part: Part | None = None
    nearly: int = 0
    _begun: float = field(default_factory=time.monotonic)
    _told: float | None = None
    _left_s: float | None = None

    def expect(self, total: int, found: int = 0) -> None:
        """Say how much there is to do, and how much of it was done before."""
        self.total, self.found = total, found
        self.done += found
        self._begun = time.monotonic()

    def advance(self, steps: int = 1) -> None:
        """Say that more of it is done, and kept."""
        self.done += steps
        self.nearly = max(0, self.nearly - steps)
        self._tell()

    def begin(self, what: str, total: int | None) -> None:
        """Say what goes on within it, and how much of that there is."""
        self.part = Part(what, total)

    def step(self, steps: int = 1) -> None:
        """Say that more of what goes on within it is done."""
        if self.total:
            self.nearly += steps
            self._tell()
        elif self.part is not None:
            self.part.done += steps

    def _tell(self) -> None:
        """See from what is done how long the rest takes."""
        self._told = time.monotonic()
        done, _ = self.drawn()
        if done > self.found:
            self._left_s = (self._told - self._begun) / (done - self.found) * (self.total - done)

    def elapsed_s(self) -> float:
        """Tell how long it has been going on (seconds)."""
        return time.monotonic() - self._begun

    def left_s(self) -> float | None:
        """Estimate the time left (seconds); None where nothing tells."""
        now = time.monotonic()
        if self._left_s is not None and self._told is not None:
            return max(0.0, self._left_s - (now - self._told))
        if self.usual_s is None or self.total:
            return None
        left = self.usual_s - (now - self._begun)
        # what takes longer than the last time may take any time
        return left if left > 0 else None

    def drawn(self) -> tuple[int, int | None]:
        """Give how much of the bar is full, and all of it; None: it swings to and fro, for nothing is counted."""
        if self.total:
            return min(self.done + self.nearly, self.total), self.total
        if self.part is None or not self.part.total:
            return 0, None
        return min(self.part.done, self.part.total), self.part.total

    def said(self) -> str:
        """Say what is done, in a few words."""
        if self.total:
            return f"{self.drawn()[0]:,}/{self.total:,}"
        if self.part is None:
            return ""
        done, total = self.drawn()
        return self.part.what if total is None else f"{done:,}/{total:,} {self.part.what}"


@dataclass(slots=True)
class RunPace:
    """How far a run of many stages is.

    Attributes
    ----------
    expected_s
        How long each stage may take, in their order (seconds): 0 for what is kept; None where nothing tells.
    stage
        Name of the one that goes on; empty before the first.
    """

    expected_s: dict[str, float | None]
    stage: str = ""
    _pace: Pace | None = None
    _begun: float = field(default_factory=time.monotonic)
    _ended: int = 0
    _taken: tuple[float, float] = (0.0, 0.0)
    _share: float | None = None

    def begin(self, name: str, pace: Pace) -> None:
        """Say that a stage begins, and how far it is."""
        self.stage, self._pace = name, pace
        if name in self.expected_s:
            self._ended = list(self.expected_s).index(name)

    def end(self) -> None:
        """Say that the stage has ended."""
        expected = self.expected_s.get(self.stage)
        # a stage of which a part was kept tells nothing of the machine
        if self._pace is not None and expected and not self._pace.found:
            taken, should = self._taken
            self._taken = taken + self._pace.elapsed_s(), should + expected
        self._pace = None
        self._ended += 1

    def know(self, expected_s: Mapping[str, float]) -> None:
        """Say how long stages may take of which nothing told it."""
        for name, seconds in expected_s.items():
            if name in self.expected_s and self.expected_s[name] is None:
                self.expected_s[name] = seconds

    def left_s(self) -> float | None:
        """Estimate the time left (seconds), at the pace of the stages that have ended; None where nothing tells."""
        now = self._left_now()
        ahead = list(self.expected_s.values())[self._ended + (self._pace is not None) :]
        if now is None or any(one is None for one in ahead):
            return None
        return now + self._quickness() * sum(one or 0.0 for one in ahead)

    def share(self) -> float | None:
        """Tell which share of the run's time has gone (0 to 1), which never falls; None as long as nothing tells."""
        left = self.left_s()
        if left is not None:
            gone = time.monotonic() - self._begun
            self._share = max(self._share or 0.0, gone / max(gone + left, 1e-9))
        return self._share

    def drawn(self) -> tuple[float, float | None]:
        """See `Pace.drawn`."""
        share = self.share()
        return (0.0, None) if share is None else (share, 1.0)

    def said(self) -> str:
        """Say which stage it is at."""
        most = len(self.expected_s)
        return f"stage {min(self._ended + 1, most)} of {most}"

    def _quickness(self) -> float:
        """Tell how many times as long as expected stages take on the machine as it is."""
        taken, should = self._taken
        return taken / should if should > TELLING_S else 1.0

    def _left_now(self) -> float | None:
        """Estimate what is left of the stage that goes on (seconds)."""
        pace = self._pace
        if pace is None:
            return 0.0
        left = pace.left_s()
        expected = self.expected_s.get(self.stage)
        if left is not None or pace.total or expected is None:
            return left
        expected *= self._quickness()
        gone = pace.elapsed_s()
        return max(expected - gone, 0.0) if gone < MOST_OVER * expected + TELLING_S else None


class _DrawnColumn(BarColumn):
    """The bar, as far as what it stands for is at this moment."""

    def render(self, task: Task) -> ProgressBar:
        """Draw it."""
        if not task.finished:
            task.completed, task.total = task.fields["pace"].drawn()
        return super().render(task)


class _SaidColumn(ProgressColumn):
    """How much is done of how much, where that is counted."""

    def render(self, task: Task) -> Text:
        """Say it; of what has ended only how much it was."""
        pace: Pace | RunPace = task.fields["pace"]
        counted = isinstance(pace, RunPace) or pace.total
        said = pace.said() if counted or not task.finished else ""
        return Text(said, style="progress.download", no_wrap=True, overflow="ellipsis")


class _LeftColumn(ProgressColumn):
    """The time left, where something tells."""

    def render(self, task: Task) -> Text:
        """Say it."""
        pace: Pace | RunPace = task.fields["pace"]
        left = None if task.finished else pace.left_s()
        return Text("" if left is None else f"about {_clock(left)} left", style="progress.remaining")


def _clock(seconds: float) -> str:
    """Write seconds as minutes and seconds, with hours where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@dataclass(frozen=True, slots=True)
class _Screen:
    """A terminal, and the bars of what has ended that are still in sight."""

    bars: Progress
    ended: deque[TaskID] = field(default_factory=deque)

    def end(self, task: TaskID, total: float) -> None:
        """Fill a bar, and take the oldest of the full ones away."""
        self.bars.update(task, total=total, completed=total)
        self.ended.append(task)
        if len(self.ended) > KEPT:
            self.bars.remove_task(self.ended.popleft())


_screen: ContextVar[_Screen | None] = ContextVar("screen", default=None)
_run: ContextVar[RunPace | None] = ContextVar("run", default=None)


@contextmanager
def shown(console: Console) -> Iterator[None]:
    """Show the bars of everything that runs inside, on a terminal."""
    whole = Column(no_wrap=True)
    columns = (
        TextColumn("{task.description:<13}", table_column=whole),
        _DrawnColumn(LONG_BAR if console.width >= WIDE else SHORT_BAR, table_column=whole),
        # what is said gives way where the terminal is narrow
        _SaidColumn(),
        TimeElapsedColumn(table_column=whole),
        _LeftColumn(table_column=whole),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bars:
        token = _screen.set(_Screen(bars))
        handler = _AboveBars(bars)
        told = logging.getLogger("roadprint")
        told.addHandler(handler)
        told.propagate, before = False, told.propagate
        try:
            yield
        finally:
            told.propagate = before
            told.removeHandler(handler)
            _screen.reset(token)


class _AboveBars(logging.Handler):
    """Prints warnings of tasks, from whatever thread, above the bars."""

    def __init__(self, display: Progress) -> None:
        super().__init__(logging.WARNING)
        self.display = display

    def emit(self, record: logging.LogRecord) -> None:
        self.display.console.print(record.getMessage(), markup=False, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a line above the bars; in the log of the run where there is no display."""
    screen = _screen.get()
    if screen is None:
        logging.getLogger("roadprint").info(text)
    else:
        screen.bars.console.print(text, markup=False, soft_wrap=True)


@contextmanager
def bars_aside() -> Iterator[None]:
    """Take the bars away for as long as somebody is asked something."""
    screen = _screen.get()
    if screen is None:
        yield
        return
    screen.bars.stop()
    try:
        yield
    finally:
        screen.bars.start()


@contextmanager
def run_bar(name: str, expected_s: Mapping[str, float | None]) -> Iterator[RunPace]:
    """Open the bar of a whole run; the bars of stages inside move it on.

    Parameters
    ----------
    name
        Name of the run, as the bar shows it.
    expected_s
        How long each stage may take, in their order (`RunPace`).
    """
    pace = RunPace(dict(expected_s))
    token, screen = _run.set(pace), _screen.get()
    task = None if screen is None else screen.bars.add_task(name[:13], total=None, pace=pace)
    try:
        yield pace
    finally:
        _run.reset(token)
        if screen is not None and task is not None:
            screen.bars.remove_task(task)


def run_pace() -> RunPace | None:
    """Give how far the run that goes on is; None outside of `run_bar`."""
    return _run.get()


@contextmanager
def stage_bar(name: str, usual_s: float | None = None) -> Iterator[Pace]:
    """Open the bar of a stage, full when the stage ends well; what is counted inside is shown in it.

    Parameters
    ----------
    name
        Name of the stage, as the bar shows it.
    usual_s
        How long it took the last time (seconds); None: not known.
    """
    pace, run, screen = Pace(usual_s), _run.get(), _screen.get()
    if run is not None:
        run.begin(name, pace)
    task = None if screen is None else screen.bars.add_task(name, total=None, pace=pace)
    with told_to(pace):
        yield pace
    if run is not None:
        run.end()
    if screen is not None and task is not None:
        screen.end(task, pace.total or 1)
