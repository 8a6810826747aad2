"""What a run shows while it goes: a bar a stage at a terminal, nothing where nobody looks."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text


@dataclass(slots=True)
class Pace:
    """How far some work is, and how long the rest will take at the pace of what was done so far.

    Attributes
    ----------
    usual_s
        How long all of it took the last time (seconds); None: not known.
    total, done
        How much there is to do, and how much of it is done; a total of 0: not counted.
    found
        How much of it was done before, in no time.
    """

    usual_s: float | None = None
    total: int = 0
    done: int = 0
    found: int = 0
    _begun: float = field(default_factory=time.monotonic)
    _told: float | None = None
    _left_s: float | None = None

    def expect(self, total: int, found: int = 0) -> None:
        """Say how much there is to do, and how much of it was done before."""
        self.total, self.found = total, found
        self.done += found
        self._begun = time.monotonic()

    def advance(self, steps: int) -> None:
        """Say that more of it is done."""
        self.done += steps
        self._told = time.monotonic()
        made = self.done - self.found
        if made:
            self._left_s = (self._told - self._begun) / made * (self.total - self.done)

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


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of one stage; does nothing where there is no display."""

    pace: Pace
    display: Progress | None = None
    task: TaskID | None = None

    def expect(self, total: int, found: int = 0) -> None:
        """Say how much there is to do, and how much of it was done before."""
        self.pace.expect(total, found)
        self._show()

    def advance(self, steps: int = 1) -> None:
        """Say that more of it is done."""
        self.pace.advance(steps)
        self._show()

    def _show(self) -> None:
        if self.display is not None and self.task is not None:
            self.display.update(self.task, total=self.pace.total, completed=self.pace.done)


class _CountColumn(ProgressColumn):
    """How much is done of how much, where that is counted."""

    def render(self, task: Task) -> Text:
        pace: Pace = task.fields["pace"]
        return Text(f"{pace.done:,}/{pace.total:,}" if pace.total else "", style="progress.download")


class _LeftColumn(ProgressColumn):
    """The time left, where something tells."""

    def render(self, task: Task) -> Text:
        pace: Pace = task.fields["pace"]
        left = None if task.finished else pace.left_s()
        if left is None:
            return Text("")
        minutes, seconds = divmod(round(left), 60)
        return Text(f"about {minutes}:{seconds:02d} left", style="progress.remaining")


_display: ContextVar[Progress | None] = ContextVar("display", default=None)


@contextmanager
def shown(console: Console) -> Iterator[None]:
    """Show the bars of everything that runs inside, on a terminal."""
    columns = (
        TextColumn("{task.description:<13}"),
        BarColumn(bar_width=30),
        _CountColumn(),
        TimeElapsedColumn(),
        _LeftColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as display:
        token = _display.set(display)
        handler = _AboveBars(display)
        told = logging.getLogger("roadprint")
        told.addHandler(handler)
        told.propagate, before = False, told.propagate
        try:
            yield
        finally:
            told.propagate = before
            told.removeHandler(handler)
            _display.reset(token)


class _AboveBars(logging.Handler):
    """Prints warnings of tasks, from whatever thread, above the bars."""

    def __init__(self, display: Progress) -> None:
        super().__init__(logging.WARNING)
        self.display = display

    def emit(self, record: logging.LogRecord) -> None:
        self.display.console.print(record.getMessage(), markup=False, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a line above the bars; in the log of the run where there is no display."""
    display = _display.get()
    if display is None:
        logging.getLogger("roadprint").info(text)
    else:
        display.console.print(text, markup=False, soft_wrap=True)


@contextmanager
def stage_bar(name: str, usual_s: float | None = None) -> Iterator[Bar]:
    """Open the bar of a stage, full when the stage ends well.

    Parameters
    ----------
    name
        Name of the stage, as the bar shows it.
    usual_s
        How long it took the last time (seconds); None: not known.
    """
    pace = Pace(usual_s)
    display = _display.get()
    if display is None:
        yield Bar(pace)
        return
    # the bar swings to and fro as long as nothing is counted
    task = display.add_task(name, total=None, pace=pace)
    yield Bar(pace, display, task)
    full = pace.total or 1
    display.update(task, total=full, completed=full)
