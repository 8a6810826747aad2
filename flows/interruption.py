"""Ctrl-C and SIGTERM, whatever library is at work.

An interruption is an exception that Python raises in the main thread between any two of its steps, which may be those
of a library. Some drop it (a bare ``except``, a callback of C code, what is called when an object goes), others make an
error of their own of it. Here the one is raised again, and the other told for what it is: who asks for an end gets one.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Any, NoReturn

ENDINGS = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED = 130
LOOK_S = 0.05
"""So often it is looked whether an exception is still there."""
_Handler = Callable[[int, FrameType | None], Any]


@dataclass(slots=True)
class _Asked:
    """What is known of an end that was asked for.

    Attributes
    ----------
    signal
        By which it was asked for; None: it was not.
    depth
        How many of `heeded` wait for it, one in the other.
    turn
        Number of the last time that it was asked for, or that something began that may be ended.
    """

    signal: int | None = None
    depth: int = 0
    turn: int = 0


_asked = _Asked()
_leaving = threading.Lock()
"""Held while it is asked once more, and while the last of `heeded` ends: none is asked after that."""


class _Token:
    """Goes with the exception that it is tied to."""


@dataclass(slots=True)
class _Watch:
    """Of who handles signals for a while.

    Attributes
    ----------
    over
        It is done. A signal that comes now raises nothing, or what is to be done at the end would be left out.
    late
        Such signals.
    handed_back
        All is done: a signal is for who handled it before.
    """

    over: bool = False
    late: list[int] = field(default_factory=list)
    handed_back: bool = False

    def guard(self, handler: _Handler, before: Any) -> _Handler:  # noqa: ANN401 - as Python gives it
        """Make a handler that does what one does until it is over, and then what the one before does."""

        def handle(number: int, frame: FrameType | None) -> None:
            if not self.over:
                handler(number, frame)
            elif not self.handed_back:
                self.late.append(number)
            elif callable(before):
                before(number, frame)
            else:
                signal.signal(number, before)
                signal.raise_signal(number)

        return handle

    def hand_back(self, handlers: dict[signal.Signals, Any], before: dict[signal.Signals, Any]) -> None:
        """Have signals handled as before, unless somebody else handles them by now; then ask for what came late.

        Python handles a signal after any call, also one that another thread was given while it is held back in this
        one. So `over` is set by a plain assignment, first of all that is done at the end, and this is called last.
        """
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        self.handed_back = True
        try:
            for number, handler in handlers.items():
                if signal.getsignal(number) is handler:
                    signal.signal(number, before[number])
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for one in self.late[:1]:
            signal.raise_signal(one)


def asked() -> bool:
    """Tell whether the user has asked for an end of what runs now, or ran last."""
    return _asked.signal is not None


def met() -> None:
    """Take what the user has asked for as done: what goes on until Ctrl-C ends well by it."""
    _asked.signal = None


def in_main_thread() -> bool:
    """Tell whether signals are handled in this thread."""
    return threading.current_thread() is threading.main_thread()


def interrupt(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - a handler of signals
    """End as by Ctrl-C."""
    _asked.signal = number
    raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[None]:
    """Handle signals by `interrupt` for as long as this lasts."""
    watch = _Watch()
    # None: a handler that is not Python's
    before = {n: signal.getsignal(n) or signal.SIG_DFL for n in ENDINGS} if in_main_thread() else {}
    handlers = {number: watch.guard(interrupt, known) for number, known in before.items()}
    try:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        yield
    finally:
        watch.over = True
        if before:
            watch.hand_back({number: signal.getsignal(number) for number in before}, before)


def end_at_once(line: str = "") -> None:
    """From now on, until a signal is handled otherwise, end with a line and nothing more: there is nothing to tidy up.

    Parameters
    ----------
    line
        For standard error.
    """

    def end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - a handler of signals
        os.write(sys.__stderr__.fileno() if sys.__stderr__ is not None else 2, line.encode())
        os._exit(INTERRUPTED)

    if in_main_thread():
        for number in ENDINGS:
            signal.signal(number, end)


@contextmanager
def heeded(tell: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Have what runs inside end when the user asks for it, whatever it makes of the exception.

    Who handles signals, Python, Prefect or the command line, goes on doing so; a signal that ends the process at once
    does that. In other threads than the main one, which no signal reaches, nothing is done.

    Parameters
    ----------
    tell
        Called when the user asks, before anything else: it stops what other threads do. It waits for nothing, no lock
        either, since what holds it may be what is interrupted.

    Raises
    ------
    KeyboardInterrupt, TerminationSignal
        Or whatever the handler raises, when the user has asked: be it that what ran inside has ended with another
        exception, or as if nothing had been; unless it was `met`.
    """
    if _asked.depth == 0:
        _asked.signal = None
        _asked.turn += 1
    if not in_main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDINGS}
    watch = _Watch()
    handlers = {n: watch.guard(_heeding(one, tell), one) for n, one in before.items() if callable(one)}
    hook = sys.unraisablehook
    _asked.depth += 1
    try:
        sys.unraisablehook = partial(_quiet, hook)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        yield
        _ask_again(before)
    except Exception as error:
        _ask_again(before, error)
        raise
    finally:
        watch.over = True
        with _leaving:
            _asked.depth -= 1
        sys.unraisablehook = hook
        watch.hand_back(handlers, before)


def _heeding(known: _Handler, tell: Callable[[], None]) -> _Handler:
    """Make a handler that does what the one before does, and sees to it that this counts."""

    def handle(number: int, frame: FrameType | None) -> None:
        _asked.signal = number
        tell()
        try:
            known(number, frame)
        except BaseException as error:
            if not hasattr(error, "heeded"):
                # it goes when the error does: seen by whoever ends, or dropped
                token = _Token()
                error.heeded = token  # type: ignore[attr-defined]
                # one is enough to ask again: who waited for an exception before this one does so no more
                _asked.turn += 1
                # no lock is taken, which what was interrupted may hold
                _thread.start_new_thread(_insist, (number, _asked.turn, weakref.ref(token)))
            raise

    return handle


def _insist(number: int, turn: int, token: weakref.ref[_Token]) -> None:
    """Ask once more when the exception has gone and what it was to end is still there, and not what came after it."""
    while _asked.depth and _asked.turn == turn and token() is not None:
        time.sleep(LOOK_S)
    main = threading.main_thread().ident
    with _leaving:
        if _asked.depth and _asked.turn == turn and asked() and main is not None:
            signal.pthread_kill(main, number)


def _ask_again(before: dict[signal.Signals, Any], error: Exception | None = None) -> None:
    """Raise what the handler raises, where the user has asked and that did not come through."""
    number = _asked.signal
    if number is None:
        return
    known = before[signal.Signals(number)]
    try:
        (known if callable(known) else interrupt)(number, None)
    except BaseException as ending:
        raise ending from error


def _quiet(hook: Callable[[Any], Any], unraisable: Any) -> None:  # noqa: ANN401 - Python's own
    """Say nothing of an interruption that came where no exception can be: it is raised again."""
    if not hasattr(unraisable.exc_value, "heeded"):
        hook(unraisable)
