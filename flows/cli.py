"""The command line: one command a module of `flows.commands`, or here where it runs a city."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from flows import interruption
from flows.arguments import parse, read_overrides
from flows.commands import (
    checking,
    cities,
    completion,
    ending,
    explore,
    finding,
    ground,
    init,
    naming,
    opening,
    sensitivity,
    typology,
    upkeep,
)
from flows.processes import asking_directly
from flows.progress import shown
from flows.running import draw_town, repeat, run_once
from flows.secrets import concealed, guard_logs
from flows.terminal.loudness import all_told
from flows.terminal.signs import visible
from geo.errors import RoadprintError

REFUSED = 2
KEEPING = ("run", "demo", "sensitivity", "typology")
"""Commands of which what was finished is kept when they are interrupted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    The exit code: 0 done, 2 an input that cannot be run, 130 interrupted, 1 anything else.
    """
    # ended from outside as by Ctrl-C, so that Prefect's server, a process of its own, ends too
    with interruption.interruptible():
        try:
            with interruption.heeded():
                return _answer(parse(arguments), sys.argv[1:] if arguments is None else arguments)
        except RoadprintError as error:
            sys.stderr.write(f"roadprint: {visible(str(error))}\n")
            return REFUSED
        except BaseException as error:
            if not (interruption.asked() or isinstance(error, KeyboardInterrupt)):
                raise
            sys.stderr.write(_interrupted(sys.argv[1:] if arguments is None else arguments))
            return interruption.INTERRUPTED


def _interrupted(words: Sequence[str]) -> str:
    """Say that a command was interrupted, and what is left of it."""
    kept = next((word for word in words if not word.startswith("-")), "") in KEEPING
    goes_on = "; what was finished is kept, the same command goes on from there" if kept else ""
    return f"roadprint: interrupted{goes_on}\n"


def _answer(asked: argparse.Namespace, words: Sequence[str]) -> int:
    """Do what is asked, and show what comes of it; gives the exit code."""
    command = COMMANDS[asked.name]
    guard_logs()
    console = Console(stderr=True, quiet=asked.json or asked.quiet)
    with all_told(words) if asked.verbose else nullcontext(), concealed(), asking_directly(), shown(console):
        outcome = command.do(asked)
    try:
        _tell(command, outcome, asked)
        sys.stdout.flush()
    except OSError as error:
        # the reader of a pipe has left, or the disk is full; what was run is kept all the same
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stderr.write(f"roadprint: the summary cannot be written ({error.strerror})\n")
        return 1
    return REFUSED if outcome.get("refused") else 0


def _tell(command: Command, outcome: dict[str, Any], asked: argparse.Namespace) -> None:
    """Print what came of a command, as fully as is asked."""
    if asked.json:
        sys.stdout.write(json.dumps(outcome, ensure_ascii=False) + "\n")
    elif asked.quiet:
        line = command.line(outcome)
        sys.stdout.write("" if line is None else f"{line}\n")
    else:
        (command.show_all if asked.verbose and command.show_all else command.show)(outcome)


def _run(asked: argparse.Namespace) -> dict[str, Any]:
    if asked.repeated is not None:
        return repeat(asked.repeated, read_overrides(asked.set), asked.out, asked.base)
    city, out = cities.meant(asked)
    return run_once(city, read_overrides(asked.set), out)


def _demo(asked: argparse.Namespace) -> dict[str, Any]:
    out = asked.out or Path("runs")
    return run_once(draw_town(out, asked.plan), {}, out)


class Command(NamedTuple):
    """What a command does, how it is shown, the one line of it that is printed in few words, and how all is shown."""

    do: Callable[[argparse.Namespace], dict[str, Any]]
    show: Callable[[dict[str, Any]], None]
    line: Callable[[dict[str, Any]], str | None] = lambda _: None
    show_all: Callable[[dict[str, Any]], None] | None = None


COMMANDS: dict[str, Command] = {
    "run": Command(_run, ending.show_run, itemgetter("geopackage"), ending.show_all),
    "check": Command(checking.check, checking.show_check, checking.verdict_of),
    "demo": Command(_demo, ending.show_run, itemgetter("geopackage"), ending.show_all),
    "init": Command(init.init, init.show_init, itemgetter("file")),
    "sensitivity": Command(sensitivity.sensitivity, sensitivity.show_sensitivity, itemgetter("geopackage")),
    "typology": Command(typology.typology, typology.show_typology, typology.file_of),
    "find": Command(finding.find, finding.show_found, finding.ids_of),
    "explore": Command(explore.explore, explore.show_explored),
    "open": Command(opening.open_results, opening.show_opened, opening.path_of),
    "name": Command(naming.name, naming.show_named),
    "ground": Command(ground.ground, ground.show_ground, itemgetter("file")),
    "status": Command(upkeep.status, upkeep.show_status, upkeep.newest_of),
    "clean": Command(upkeep.clean, upkeep.show_clean),
    "deploy": Command(upkeep.deploy, upkeep.show_deploy, itemgetter("deployment")),
    "completion": Command(completion.completion, completion.show_completion),
}


def command() -> None:
    """Run the command line and end the process."""
    code = main()
    # what is left is Prefect's and Python's own end
    interruption.end_at_once("" if code == interruption.INTERRUPTED else _interrupted(sys.argv[1:]))
    if "prefect" in sys.modules:
        from flows.server import leave  # noqa: PLC0415

        leave(code)
    if "flows.explore.serving" in sys.modules:
        from flows.explore import serving  # noqa: PLC0415

        serving.leave(code)
    sys.exit(code)


if __name__ == "__main__":
    command()
