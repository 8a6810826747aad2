"""What is asked for one by one, made together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from geo.errors import RoadprintError

Made = TypeVar("Made")
GATHER_S = 0.008
"""So long others may join before something is made (seconds)."""


class Together(Generic[Made]):
    """Makes what several threads ask for at the same moment in one go; what follows is made ahead when nobody asks.

    Parameters
    ----------
    make
        Makes the things of some numbers; each of these is given.
    most
        So many are made at once at most.
    leaders
        So many threads make at the same time at most.
    """

    def __init__(self, make: Callable[[list[int]], Mapping[int, Made]], *, most: int, leaders: int) -> None:
        self._make, self._most = make, most
        self._waiting: dict[int, Future[Made]] = {}
        self._making: dict[int, Future[Made]] = {}
        self._leaders = threading.BoundedSemaphore(leaders)
        self._ahead: threading.Thread | None = None
        self._lock = threading.Lock()

    def ask(self, number: int) -> Made:
        """Give the thing of a number, made now with what others ask for.

        Raises
        ------
        RoadprintError
            When it was to be made with others by a thread that failed; that one raises what went wrong.
        """
        with self._lock:
            future = self._making.get(number) or self._waiting.setdefault(number, Future())
        while not future.done():
            # who asks at the same moment may join
            time.sleep(GATHER_S)
            with self._leaders:
                self._lead(future)
            if number in self._making:
                break
        return future.result()

    def _lead(self, future: Future[Made]) -> None:
        """Make what waits, unless it is under way."""
        with self._lock:
            if future.done() or future not in self._waiting.values():
                return
            numbers = list(self._waiting)[: self._most]
            mine = {number: self._waiting.pop(number) for number in numbers}
            self._making |= mine
        self._fill(mine)

    def _fill(self, mine: dict[int, Future[Made]]) -> None:
        try:
            made = self._make(list(mine))
            for number, future in mine.items():
                future.set_result(made[number])
        finally:
            with self._lock:
                for number, future in mine.items():
                    self._making.pop(number, None)
                    if not future.done():
                        future.set_exception(RoadprintError("it was not made", todo="Ask again."))

    def go_ahead(self, numbers: Sequence[int]) -> None:
        """Make things that will be asked for next, while nobody waits."""
        with self._lock:
            if self._ahead is not None and self._ahead.is_alive():
                return
            self._ahead = threading.Thread(target=self._work_ahead, args=(list(numbers),), daemon=True)
            self._ahead.start()

    def _work_ahead(self, numbers: list[int]) -> None:
        for start in range(0, len(numbers), self._most):
            with self._lock:
                if self._waiting:
                    return
                some = [n for n in numbers[start : start + self._most] if n not in self._making]
                mine: dict[int, Future[Made]] = {number: Future() for number in some}
                self._making |= mine
            self._fill(mine)
