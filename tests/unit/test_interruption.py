"""Who asks for an end gets one, whatever a library makes of the exception."""

import ctypes
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from flows.interruption import INTERRUPTED, LOOK_S, asked, heeded, interruptible, met

ROOT = Path(__file__).parents[2]
CALLBACK = ctypes.CFUNCTYPE(None)


@pytest.fixture(autouse=True)
def handled():
    """Signals are handled as in a program that was just started, and as before when the test ends."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


def press():
    signal.raise_signal(signal.SIGINT)


def drop():
    """As libpysal does where it looks for numba, by a bare ``except``."""
    with suppress(BaseException):
        press()


def drop_twice():
    drop()
    drop()


def make_it_an_error():
    """As an extension module does whose import of numpy fails."""
    try:
        press()
    except BaseException as error:
        raise ImportError("numpy.core.multiarray failed to import") from error


def forget_it_for_an_error():
    try:
        press()
    except BaseException:  # noqa: BLE001
        raise ImportError("numpy.core.multiarray failed to import") from None


def call_from_c():
    CALLBACK(press)()


def go():
    class Going:
        def __del__(self):
            press()

    Going()


def after(library):
    """Call a library, and give an exception that it has dropped the time to come again."""
    kept = library()
    until = time.monotonic() + (0 if kept else 30)
    while time.monotonic() < until:
        time.sleep(0.01)


def keep_it():
    """Keep the exception for later, and end as if nothing had been."""
    kept = []
    try:
        press()
    except KeyboardInterrupt as error:
        kept.append(error)
    return kept


@pytest.mark.parametrize(
    "library",
    [press, drop, drop_twice, make_it_an_error, forget_it_for_an_error, call_from_c, go, keep_it],
)
def test_an_interruption_is_one_whatever_a_library_makes_of_it(library, capfd):
    told = []
    with pytest.raises(KeyboardInterrupt), heeded(lambda: told.append(asked())):
        after(library)
    assert asked()
    assert set(told) == {True}
    assert capfd.readouterr().err == ""


def test_an_interruption_of_one_thing_is_not_one_of_the_next():
    """Who looks whether the first has ended sleeps meanwhile, and finds the next at work."""
    with pytest.raises(KeyboardInterrupt), heeded():
        press()
    caught = []
    with suppress(KeyboardInterrupt), heeded():
        try:
            press()
        except KeyboardInterrupt as error:
            # the next was asked as well, and has not let go of it
            caught.append(error)
            # the exception of the first goes, as it does sooner or later
            gc.collect()
            time.sleep(4 * LOOK_S)
            caught.append("nothing came after it")
            met()
    assert caught[1:] == ["nothing came after it"]


def test_two_that_were_dropped_are_asked_for_once_more_and_not_twice():
    told, kept = [], []
    with suppress(KeyboardInterrupt), heeded(lambda: told.append("asked")):
        try:
            after(drop_twice)
        except KeyboardInterrupt as error:
            kept.append(error)
        time.sleep(4 * LOOK_S)
        met()
    assert len(told) == 2 + len(kept) == 3


def test_what_is_asked_while_it_ends_comes_when_signals_are_handled_as_before(monkeypatch):
    """A second Ctrl-C comes between the first and what it ends."""

    class Late:
        def __enter__(self):
            # who looked after an exception of the test before may still be about to go
            if threading.current_thread() is threading.main_thread():
                press()

        def __exit__(self, *_):
            pass

    monkeypatch.setattr("flows.interruption._leaving", Late())
    with pytest.raises(KeyboardInterrupt), heeded():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
    monkeypatch.undo()
    with heeded():
        assert not asked()


@pytest.mark.parametrize("lasting", [heeded, interruptible])
def test_what_is_asked_at_the_very_end_leaves_nothing_undone(lasting, monkeypatch):
    """It comes before signals are held back, where what it raises would leave out the rest."""
    held, once = signal.pthread_sigmask, [press]

    def hold(how, mask):
        while once:
            once.pop()()
        return held(how, mask)

    monkeypatch.setattr(signal, "pthread_sigmask", hold)
    with pytest.raises(KeyboardInterrupt), lasting():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert held(signal.SIG_BLOCK, ()) == set()
    with heeded():
        assert not asked()


def test_what_is_not_asked_for_is_an_error_as_ever():
    with pytest.raises(KeyboardInterrupt), heeded():
        press()
    with pytest.raises(ImportError, match="no such library"), heeded():
        raise ImportError("no such library")
    assert not asked()


def test_what_goes_on_until_it_is_interrupted_ends_well_by_it():
    with heeded():
        try:
            press()
        except KeyboardInterrupt:
            met()
        time.sleep(3 * LOOK_S)
    assert not asked()


def test_one_context_in_another_raises_it_once():
    caught = 0
    with suppress(KeyboardInterrupt), heeded():
        try:
            with heeded():
                after(drop)
        except KeyboardInterrupt:
            caught += 1
            raise
    assert caught == 1
    # nothing is left that would raise it again
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_are_left_alone():
    found = []

    def work():
        with heeded():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


@pytest.mark.parametrize("module", ["roadprint", "roadprint.start"])
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_program_that_is_about_to_start_ends_with_one_line(module, ending, tmp_path):
    """Ctrl-C comes while a library is imported, which says so by standing still."""
    (tmp_path / "rich.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    words = [
        sys.executable,
        "-m",
        module,
        *(["flows.cli"] if module == "roadprint.start" else []),
        "status",
        "x",
    ]
    started = subprocess.Popen(
        words,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert started.stdout.readline() == "importing\n"
        started.send_signal(ending)
        _, said = started.communicate(timeout=180)
    finally:
        started.kill()
    assert started.returncode == INTERRUPTED
    assert said == ("roadprint: interrupted\n" if module == "roadprint" else "")
