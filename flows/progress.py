"""What a run shows while it goes: a bar a stage at a terminal, nothing where nobody looks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as TimeLeftColumn


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of one stage; does nothing where there is no display."""

    display: Progress | None = None
    task: TaskID | None = None

    def expect(self, total: int) -> None:
        """Say how much there is to do."""
        if self.display is not None and self.task is not None:
            self.display.update(self.task, total=total)

    def advance(self, steps: int = 1) -> None:
        """Say that more of it is done."""
        if self.display is not None and self.task is not None:
            self.display.advance(self.task, steps)


_display: ContextVar[Progress | None] = ContextVar("display", default=None)


@contextmanager
def shown(console: Console) -> Iterator[None]:
    """Show the bars of everything that runs inside, on a terminal."""
    columns = (
        TextColumn("{task.description:<11}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeLeftColumn(compact=True),
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
        display.console.print(text, markup=False)


@contextmanager
def stage_bar(name: str) -> Iterator[Bar]:
    """Open the bar of a stage, full when the stage ends well."""
    display = _display.get()
    if display is None:
        yield Bar()
        return
    task = display.add_task(name, total=1)
    yield Bar(display, task)
    total = display.tasks[display.task_ids.index(task)].total or 1
    display.update(task, completed=total)
