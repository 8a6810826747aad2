"""The time left that a bar shows."""

import io
import re

import pytest
from rich.console import Console

from flows import progress
from flows.progress import KEPT, Pace, RunPace, run_bar, run_pace, shown, stage_bar
from geo.counting import counted, doing


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


def ended(run, clock, name, seconds):
    run.begin(name, begun(clock))
    clock.now += seconds
    run.end()


def of_run(clock, **expected):
    return RunPace(expected, _begun=clock.now)


def test_a_run_takes_as_long_as_its_stages_took_and_what_is_kept_takes_no_time(clock):
    run = of_run(clock, roads=0.0, features=30.0, safety=10.0, report=2.0)
    ended(run, clock, "roads", 0.1)
    run.begin("features", begun(clock, usual_s=30.0))
    clock.now += 10
    assert run.left_s() == pytest.approx(20 + 12)
    assert run.share() == pytest.approx(10.1 / 42.1)
    assert run.said() == "stage 2 of 4"


def test_a_run_on_a_machine_that_is_half_as_quick_takes_twice_as_long(clock):
    run = of_run(clock, roads=10.0, safety=20.0, report=5.0)
    ended(run, clock, "roads", 20)
    run.begin("safety", begun(clock))
    assert run.left_s() == pytest.approx(50)
    clock.now += 39
    assert run.left_s() == pytest.approx(11)


def test_what_is_counted_tells_more_of_a_run_than_the_last_time(clock):
    run = of_run(clock, features=5.0, report=2.0)
    pace = begun(clock, usual_s=5.0)
    run.begin("features", pace)
    pace.expect(100)
    clock.now += 30
    assert run.left_s() is None
    pace.advance(50)
    assert run.left_s() == pytest.approx(30 + 2)


def test_nothing_is_said_of_the_time_left_as_long_as_nothing_tells(clock):
    run = of_run(clock, roads=None, features=None, report=None)
    run.begin("roads", begun(clock))
    assert run.left_s() is None
    assert run.share() is None
    assert run.drawn() == (0.0, None)
    run.end()
    run.know({"roads": 1.0, "report": 3.0})
    pace = begun(clock)
    run.begin("features", pace)
    assert run.left_s() is None
    pace.expect(10)
    clock.now += 4
    pace.advance(5)
    assert run.left_s() == pytest.approx(4 + 3)


def test_what_takes_far_longer_than_expected_may_take_any_time(clock):
    run = of_run(clock, roads=1.0, report=2.0)
    run.begin("roads", begun(clock))
    clock.now += 3
    assert run.left_s() == pytest.approx(2)
    clock.now += 100
    assert run.left_s() is None


def test_the_share_of_a_run_that_is_done_never_falls(clock):
    run = of_run(clock, features=2.0, report=2.0)
    pace = begun(clock, usual_s=2.0)
    run.begin("features", pace)
    clock.now += 1
    before = run.share()
    pace.expect(1000)
    clock.now += 1
    pace.advance(1)
    assert run.left_s() > 900
    assert run.share() == before


def test_what_is_counted_within_a_stage_is_said_in_its_bar():
    with stage_bar("safety") as pace:
        doing("limits of rates")
        assert (pace.said(), pace.drawn()) == ("limits of rates", (0, None))
        for draw in counted(range(1200), "draws"):
            if draw == 1100:
                assert (pace.said(), pace.drawn()) == ("1,100/1,200 draws", (1100, 1200))
        assert pace.left_s() is None
        pace.expect(50)
        assert pace.said() == "0/50"


def test_a_batch_of_a_piece_of_work_counts_before_the_piece_is_kept_and_only_once(clock):
    pace = begun(clock)
    pace.expect(1000)
    clock.now += 10
    pace.step(100)
    assert (pace.drawn(), pace.done) == ((100, 1000), 0)
    assert pace.left_s() == pytest.approx(90)
    pace.step(100)
    pace.advance(150)
    assert (pace.drawn(), pace.done) == ((200, 1000), 150)
    pace.advance(850)
    assert pace.drawn() == (1000, 1000)


def test_a_terminal_shows_the_run_the_stage_that_goes_on_and_the_last_few():
    screen = io.StringIO()
    names = [f"stage-{number}" for number in range(8)]
    with (
        shown(Console(file=screen, force_terminal=True, width=80, height=12)),
        run_bar("a-town", dict.fromkeys(names, 1.0)) as run,
    ):
        assert run_pace() is run
        for name in names:
            with stage_bar(name):
                pass
    assert run_pace() is None
    last = screen.getvalue().split("a-town")[-1]
    assert "stage 8 of 8" in last
    assert all((name in last) == (name in names[-KEPT - 1 :]) for name in names[: -KEPT - 1])


@pytest.mark.parametrize("width", [80, 120])
def test_no_row_of_the_bars_is_wider_than_the_terminal(width):
    screen = io.StringIO()
    with (
        shown(Console(file=screen, force_terminal=True, color_system=None, width=width)),
        run_bar("cambridge-massachusetts", {"concentration": 5000.0, "report": 3.0}),
        stage_bar("concentration", 5000.0),
    ):
        for _ in counted(range(1), "models in parts of town", 20_000):
            progress._screen.get().bars.refresh()
    rows = [re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", row) for row in re.split(r"[\r\n]+", screen.getvalue())]
    drawn = [row for row in rows if row.startswith("concentration") and "left" in row]
    assert any("0/20,000 mod" in row for row in drawn)
    assert all(row.rstrip().endswith("left") for row in drawn)
    assert max(len(row.rstrip()) for row in rows) <= width
