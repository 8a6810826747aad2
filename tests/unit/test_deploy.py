"""When a city runs by itself: a schedule that would not do what it says is refused before a server is asked."""

import pytest

from flows.cli import main
from flows.deploy import MONTHLY, Schedule
from geo.errors import ConfigurationError


@pytest.mark.parametrize(
    ("cron", "timezone", "where", "why"),
    [
        ("", "UTC", "--cron", "empty"),
        (" ", "UTC", "--cron", "empty"),
        (MONTHLY, "", "--timezone", "empty"),
        ("never", "", "--timezone", "empty"),
        ("0 3 1 * * 30", "UTC", "--cron", "five fields .* has 6"),
        ("0 3 1 * * 0 2030", "UTC", "--cron", "five fields .* has 7"),
        ("0 3 1 *", "UTC", "--cron", "five fields .* has 4"),
        ("0 3 31 2 *", "UTC", "--cron", "no such date in the next five years"),
        ("0 3 * 2 mon#5", "UTC", "--cron", "no such date in the next five years"),
        ("@reboot", "UTC", "--cron", "Invalid cron"),
        ("0 25 1 * *", "UTC", "--cron", "Invalid cron"),
        (MONTHLY, "Mars/Olympus", "--timezone", "Invalid timezone"),
    ],
)
def test_a_schedule_that_is_not_one_is_refused(cron, timezone, where, why):
    with pytest.raises(ConfigurationError, match=why) as refused:
        Schedule(cron, timezone).checked()
    assert refused.value.where == where
    assert refused.value.todo


@pytest.mark.parametrize("cron", [MONTHLY, "@monthly", "0 3 L * *", "0 3 29 2 *", "30 4 1 jan,jul mon"])
def test_a_schedule_is_handed_on_as_it_was_written(cron):
    schedule = Schedule(cron, "Europe/London").checked()
    assert (schedule.cron, schedule.timezone) == (cron, "Europe/London")


def test_never_is_no_schedule():
    assert Schedule("never").checked() is None


@pytest.mark.parametrize("given", [("--cron", ""), ("--timezone", "")])
def test_an_empty_argument_is_not_the_default(given, tmp_path, capsys):
    city = tmp_path / "city.yaml"
    city.write_text("city: here\nimagery: {sources: [a.tif]}\nroads: {source: roads.gpkg}\n")
    assert main(["deploy", str(city), *given]) == 2
    assert f"{given[0]}: it is empty" in capsys.readouterr().err
