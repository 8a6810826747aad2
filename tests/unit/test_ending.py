"""What is printed at the end of a run, and of a check."""

import io
from argparse import Namespace

import pytest
from rich.console import Console

from flows.commands.checking import NOT_READY, check, show_check, verdict_of
from flows.commands.ending import of_one, say_sentence, show_all, show_run
from geo.errors import ConfigurationError
from tasks.ahead.seconds import BY_SIZE, COUNTED, expected_seconds, seconds_by_size
from tasks.ahead.verdict import Met, duration, verdict
from tasks.stages.order import STAGES

SENTENCE = "Half of the collisions lie on 11 % of road length (9.6 to 12 %); 23 % by chance alone."


def row(name, done=0, rejected=0, seconds=1.25, *, cached=False):
    counts = {"done": done, "skipped": 0, "rejected": rejected, "failed": 0}
    return {"name": name, "seconds": seconds, **counts, "cached": cached}


@pytest.fixture
def summary(tmp_path):
    (tmp_path / "tables.xlsx").touch()
    return {
        "city": "a-town",
        "run_id": "0123456789ab",
        "geopackage": str(tmp_path / "a-town.gpkg"),
        "report": str(tmp_path / "report.html"),
        "seconds": 61.0,
        "in_short": [{"title": "Where collisions gather", "sentence": SENTENCE}],
        "notes": ["a note of a stage"],
        "warnings": ["imagery covers little of it"],
        "stages": [row("roads", 87, rejected=2), row("tiles", 604, cached=True), row("vegetation")],
    }


def test_what_was_found_comes_first_then_where_to_open_what_then_the_stages_with_units(capsys, summary):
    show_run(summary)
    told = capsys.readouterr().out
    words = [
        SENTENCE,
        "report.html",
        "tables.xlsx",
        "roadprint explore",
        "Warning: imagery",
        "87 roads",
        "604 tiles",
    ]
    places = [told.index(word) for word in words]
    assert places == sorted(places)
    assert next(line for line in told.splitlines() if line.startswith("tiles")).split()[-1] == "kept"
    # a stage that had nothing to do is no line, and what a stage noted is in what was found
    assert "vegetation" not in told
    assert "note of a stage" not in told
    assert "2 items were rejected" in told
    assert told.splitlines()[-1] == summary["geopackage"]


def test_of_what_there_is_one_of_it_is_said_so(capsys, summary):
    summary["stages"] = [row("roads", 1), row("backdrop", 1), row("ground_types", 1), row("tiles", 2)]
    show_run(summary)
    told = capsys.readouterr().out
    for line in ("1 road ", "1 picture beneath the map", "1 type of road by their ground", "2 tiles"):
        assert line in told
    # every stage counts several of something
    for stage in STAGES:
        assert of_one(stage.counts[0]) != stage.counts[0]


def test_a_run_can_be_told_with_every_note(capsys, summary):
    show_all(summary)
    told = capsys.readouterr().out
    assert SENTENCE in told
    assert "A note of a stage." in told


def test_what_an_older_roadprint_did_not_say_in_short_is_said_by_its_notes(capsys, summary):
    show_run(summary | {"in_short": None})
    assert "A note of a stage." in capsys.readouterr().out


@pytest.mark.parametrize("width", [80, 120])
def test_sentences_are_wrapped_at_words_on_a_terminal_and_whole_in_a_file(width):
    on_screen, in_file = io.StringIO(), io.StringIO()
    text = f"{SENTENCE} {SENTENCE}"
    say_sentence(
        Console(file=on_screen, force_terminal=True, color_system=None, width=width), "Found: ", text
    )
    say_sentence(Console(file=in_file, force_terminal=False, width=width), "Found: ", text)
    lines = on_screen.getvalue().splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= width
    assert " ".join(on_screen.getvalue().split()) == f"Found: {text}"
    assert in_file.getvalue() == f"Found: {text}\n"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {},
            [
                "Ready, about 6 minutes (timed).",
                "All tiles have imagery: 100 of 100 segments will get a type.",
            ],
        ),
        ({"coverage": 0.8, "typed": 81}, ["80 % of tiles have imagery: 81 of 100 segments will get a type."]),
        ({"coverage": 0.001, "typed": 1}, ["Only under 1 % of tiles have imagery: 1 of 100"]),
        (
            {"coverage": 0.05, "typed": 1316, "segments": 23722, "looked_at": 100, "of": 1726},
            ["Only 5 % of tiles", "about 1,300 of 23,722", "type (100 of 1,726 under it were looked at)"],
        ),
        ({"looked_at": 100, "of": 100}, ["All tiles have imagery: 100 of 100 segments will get a type."]),
        ({"shown_by": "embeddings"}, ["All tiles have embeddings"]),
        ({"rows": None}, ["There are no collision records: a run ends with types alone."]),
        ({"severities": {"fatal", "slight"}}, ["do not tell serious from slight: no KSI"]),
        ({"severities": set()}, ["tell no severities that can be counted: no KSI"]),
        ({"severities": {"serious", "slight"}}, ["do not tell who was killed: no KSI"]),
    ],
)
def test_a_verdict_says_what_will_not_come_of_it_in_plain_words(changed, said):
    known = {"seconds": 340, "timed": "timed", "segments": 100, "typed": 100, "coverage": 1.0}
    records = {"rows": 50, "placed": 48, "severities": {"fatal", "serious", "slight"}}
    told = " ".join(verdict(Met(**(known | records | changed))))
    for words in said:
        assert words in told
    assert ("KSI" in told) == any("KSI" in words for words in said)


def test_a_verdict_without_severities_says_so_only_where_records_are_there():
    told = verdict(Met(10, "timed", 10, 10, 1.0, rows=None, severities=()))
    assert not any("severities" in sentence for sentence in told)


@pytest.mark.parametrize("quiet", [False, True])
def test_a_check_of_what_cannot_be_run_says_why_and_that_it_is_not_ready(tmp_path, quiet):
    asked = Namespace(city=tmp_path / "nowhere.yaml", set=[], out=None, json=False, quiet=quiet)
    with pytest.raises(ConfigurationError, match="nowhere") as refused:
        check(asked)
    assert (str(refused.value).splitlines()[-1] == NOT_READY) is not quiet


def test_a_check_ends_with_its_verdict(capsys):
    found = {
        "city": "a-town",
        "forecast": {"segments": 1200},
        "ledger": [{"item": "roads", "status": "skipped", "reason": "too short", "count": 3}],
        "warnings": ["imagery covers little of it"],
        "verdict": ["Ready, about 6 minutes (timed).", "No KSI."],
    }
    show_check(found)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "Ready, about 6 minutes (timed). No KSI."
    assert "3 roads skipped: too short" in lines
    assert verdict_of(found) == lines[-1]


def test_a_forecast_is_no_more_exact_than_it_can_be():
    assert duration(58) == "1 minute"
    assert duration(59.9 * 60) == "1 hour"
    assert [duration(60 * minutes) for minutes in (9, 11, 13, 44)] == [
        "9 minutes",
        "10 minutes",
        "15 minutes",
        "45 minutes",
    ]


class FakePlan:
    """A plan of which some stages are kept."""

    def __init__(self, folder, kept, maps):
        class Config:
            class Ground:
                pass

        self.config, self.folder = Config(), folder
        self.config.ground = Config.Ground()
        self.config.ground.maps = maps
        self.keys = {stage.name: "0" for stage in STAGES}
        for name in kept:
            self.stage_folder(name).mkdir(parents=True)

    def stage_folder(self, name):
        return self.folder / "stages" / f"{name}-0"


def test_what_is_kept_takes_no_time_and_nothing_is_guessed_of_what_was_never_run(tmp_path):
    expected = expected_seconds(FakePlan(tmp_path, ["roads", "tiles"], maps=False))
    assert list(expected) == [stage.name for stage in STAGES]
    assert expected["roads"] == expected["tiles"] == 0
    # the ground is not asked for
    assert expected["ground"] == expected["ground_classes"] == 0
    assert expected["features"] is None
    assert expected["safety"] is None
    asked = expected_seconds(FakePlan(tmp_path / "other", [], maps=True))
    assert asked["ground"] is None


def test_a_larger_city_takes_longer_and_what_is_counted_is_not_told_by_its_size():
    small, large = seconds_by_size(100), seconds_by_size(100_000)
    assert sum(small.values()) < sum(large.values())
    assert not set(COUNTED) & set(small)
    assert {*small, *COUNTED} == {stage.name for stage in STAGES}
    assert set(BY_SIZE) <= set(small)
