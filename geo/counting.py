"""How far long work is, for whoever wants to know: what is counted says so, and knows not who listens.

As with a log, nothing that is worked out depends on it: where nobody listens, `counted` is the loop itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Listener(Protocol):
    """Who wants to know what is being done, and how much of it is done."""

    def begin(self, what: str, total: int | None) -> None:
        """Hear that something begins, of which there are so many; None: it cannot be counted."""

    def step(self, steps: int = 1) -> None:
        """Hear that so many more of it are done."""


_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Tell somebody of all that is counted inside, in this thread."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def doing(what: str, total: int | None = None) -> None:
    """Say what begins, in a few words; it goes on until something else does."""
    listener = _listener.get()
    if listener is not None:
        listener.begin(what, total)


def step(steps: int = 1) -> None:
    """Say that more of what began is done."""
    listener = _listener.get()
    if listener is not None:
        listener.step(steps)


def counted(items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Go through items, and say how many are done.

    Parameters
    ----------
    items
        What is gone through, in its order.
    what
        What they are, in the plural.
    total
        How many there are; None: as many as `items` has, where it can tell.

    Examples
    --------
    >>> class Heard(list):
    ...     def begin(self, what, total):
    ...         self.append(f"{total} {what}")
    ...     def step(self, steps=1):
    ...         self.append(steps)
    >>> heard = Heard()
    >>> with told_to(heard):
    ...     squares = [draw**2 for draw in counted(range(3), "draws")]
    >>> squares, heard
    ([0, 1, 4], ['3 draws', 1, 1, 1])
    """
    listener = _listener.get()
    if listener is None:
        yield from items
        return
    listener.begin(what, len(items) if total is None and isinstance(items, Sized) else total)
    for one in items:
        yield one
        listener.step()
