"""The time left that a bar shows."""

import io

import pytest
from rich.console import Console

from flows.progress import Pace, shown, stage_bar


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved."""

    class Clock:
        now = 100.0

    monkeypatch.setattr("flows.progress.time.monotonic", lambda: Clock.now)
    return Clock


def begun(clock, **given):
    return Pace(_begun=clock.now, **given)


def test_what_is_counted_takes_as_long_as_it_took_so_far(clock):
    pace = begun(clock)
    pace.expect(1000)
    assert pace.left_s() is None
    clock.now += 10
    pace.advance(200)
    assert pace.left_s() == pytest.approx(40)
    clock.now += 5
    assert pace.left_s() == pytest.approx(35)
    clock.now += 5
    pace.advance(200)
    assert pace.left_s() == pytest.approx(30)


def test_what_was_done_before_does_not_make_the_rest_seem_quick(clock):
    pace = begun(clock)
    pace.expect(1000, found=800)
    clock.now += 10
    pace.advance(100)
    assert pace.left_s() == pytest.approx(10)


def test_what_is_not_counted_takes_as_long_as_the_last_time_or_nobody_knows(clock):
    pace = begun(clock, usual_s=12.0)
    clock.now += 5
    assert pace.left_s() == pytest.approx(7)
    clock.now += 8
    assert pace.left_s() is None
    assert begun(clock).left_s() is None


def test_a_terminal_shows_a_bar_a_stage_and_the_time_left():
    screen = io.StringIO()
    with shown(Console(file=screen, force_terminal=True, width=100)):
        with stage_bar("roads", usual_s=125.0):
            pass
        with stage_bar("features") as bar:
            bar.expect(2000, found=500)
            bar.advance(500)
    said = screen.getvalue()
    assert "roads" in said
    assert "1,000/2,000" in said or "2,000/2,000" in said


def test_nothing_is_shown_where_nobody_looks():
    screen = io.StringIO()
    with shown(Console(file=screen, force_terminal=False)), stage_bar("roads") as bar:
        bar.expect(10)
        bar.advance(10)
    assert screen.getvalue() == ""
