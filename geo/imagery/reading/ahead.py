"""Doing the next piece of work while the last one is used."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from queue import Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

Item = TypeVar("Item")

_PATIENCE_S = 0.1
"""How often a thread that waits looks whether it is still wanted (seconds)."""


@contextmanager
def ahead(items: Iterator[Item], depth: int) -> Iterator[Iterator[Item]]:
    """Make up to `depth` items beforehand in a thread of its own; their order stays.

    Whatever the making raises is raised where the items are used, at the place of the item that is missing. When the
    use ends before the items do, by an error or otherwise, the making ends too before this returns.

    Parameters
    ----------
    items
        Are made one after the other, all by the same thread.
    depth
        How many may wait for use, at least 1.
    """
    if depth < 1:
        raise ValueError(f"at least one item is made ahead, found depth={depth}")
    line = _Line[Item](depth)
    thread = Thread(target=line.fill, args=(items,), name="ahead", daemon=True)
    thread.start()
    try:
        yield line.items()
    finally:
        line.unwanted.set()
        thread.join()


class _Line(Generic[Item]):
    """What waits for use: items, and at the end None or what went wrong."""

    def __init__(self, depth: int) -> None:
        self._queue: Queue[tuple[Item] | BaseException | None] = Queue(maxsize=depth)
        self.unwanted = Event()

    def fill(self, items: Iterator[Item]) -> None:
        """Make items until there are no more, or until they are unwanted."""
        end: BaseException | None = None
        try:
            for item in items:
                if not self._put((item,)):
                    return
        except BaseException as error:  # noqa: BLE001 - raised where the items are used
            end = error
        finally:
            if isinstance(items, Generator):
                # what it holds open belongs to this thread
                items.close()
        self._put(end)

    def _put(self, thing: tuple[Item] | BaseException | None) -> bool:
        """Wait for room; False when nobody wants it any more."""
        while not self.unwanted.is_set():
            try:
                self._queue.put(thing, timeout=_PATIENCE_S)
            except Full:
                continue
            return True
        return False

    def items(self) -> Iterator[Item]:
        """Give what was made."""
        while (thing := self._queue.get()) is not None:
            if isinstance(thing, BaseException):
                raise thing
            yield thing[0]
