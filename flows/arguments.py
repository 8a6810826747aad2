"""Words of the command line: commands, their arguments and what is said of each."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from flows.secrets import without_literals
from flows.terminal.guide import FIRST, Plain, all_commands, examples_of
from geo.demo.plans import NAMES
from geo.errors import ConfigurationError, meant

MOST_PLACES = 1000
COMMANDS = {
    "run": "run a city from its configuration to a GeoPackage",
    "check": "say everything that can be known without running, and a forecast",
    "demo": "draw the demo town and run it",
    "init": "write a city's first file from what lies in a folder, and check it",
    "sensitivity": "run a city with one choice made otherwise at a time, and say which of its findings stand",
    "typology": "find types in several cities together, for others to be given to, and lay these out beside each other",
    "find": "find the roads that look like a segment, a place, a picture, or what an analyst has named",
    "explore": "look at a run in the browser, ask it and correct its types: a page on this machine alone",
    "ground": "name the places on the ground whose label would teach most",
    "open": "open what a run has left: its report, its map, its tables, its folder",
    "name": "give a type of road a name, a colour or a note, or say what types are called",
    "status": "say how a city stands: its last run, what failed, room on disk",
    "clean": "remove old runs and stages of a city, but not its newest good run",
    "deploy": "run a city on a schedule, by the workers of a Prefect server",
    "completion": "print what lets a shell complete commands, options, files and keys",
}


PLACES = ("--at", "--not", "--within")
"""Arguments that may be degrees west or south."""


WHAT = ("report", "qgis", "folder", "tables", "explorer")
"""What `roadprint open` opens."""
SHELLS = ("bash", "zsh", "fish")
_FILE_MEANT = "the city's file; or its name, or a folder, that tells which file is meant"
_RUNS_MEANT = "the city's file, or its name, or a folder: of its file, or of its runs"
_OF_RUNS = ("status", "clean")
"""Commands that look at a city's runs, and need no file of it."""


class _Parser(argparse.ArgumentParser):
    """Says which word may be meant."""

    given: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401 - as argparse has it
        """Read what is given, and remember it for what is said of it."""
        self.given = () if args is None else tuple(args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """End with what is wrong, and exit code 2."""
        found = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message)
        if found is not None:
            word, known = found[1], re.findall(r"[\w-]+", found[2])
            message = f"there is no {word!r}{meant(word, known) or ', only ' + ', '.join(known)}"
        elif (
            wrong := re.fullmatch(r"argument ([^:]+): invalid (int|float) value: '(.*)'", message)
        ) is not None:
            kind = "a whole number" if wrong[2] == "int" else "a number"
            message = f"{wrong[1]}: {kind} is expected, found {wrong[3]!r}"
        elif "required" in message:
            # what is mistyped may be what is missing
            options = [one for action in self._actions for one in action.option_strings]
            words = [word.partition("=")[0] for word in self.given if word.startswith("--")]
            strange = [word for word in words if not any(one.startswith(word) for one in options)]
            message = f"there is no {strange[0]!r}{meant(strange[0], options)}" if strange else message
        super().error(message)


class _Commands(_Parser):
    """The command line as a whole, whose help has its commands in groups."""

    def format_help(self) -> str:
        """Lay the help out."""
        return all_commands(self.format_usage(), self.description or "", COMMANDS)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the arguments; ``name`` is that of the command."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser, commands = command_line()
    asked, unknown = parser.parse_known_args(_signed(_in_order(given)))
    if asked.version:
        sys.stdout.write(f"roadprint {version('roadprint')}\n")
        sys.exit(0)
    if unknown:
        _refuse(unknown[0], commands[asked.name] if asked.name else parser)
    if asked.name is None:
        sys.stdout.write(FIRST)
        sys.exit(0)
    return asked


def _in_order(given: list[str]) -> list[str]:
    """Take how much is told, and a call for help, where they stand before the command."""
    match given:
        case ["-q" | "--quiet" | "-v" | "--verbose", command, *_] if not command.startswith("-"):
            return [*given[1:], given[0]]
        case ["help", *commands]:
            return [*commands, "--help"]
    return given


def command_line() -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """Make what reads the arguments, and what reads those of each command."""
    parser = _Commands(
        prog="roadprint",
        description="A visual fingerprint for every road segment of a city, road types found from it, and what is\n"
        "known about collisions on each type.",
        formatter_class=Plain,
    )
    parser.add_argument("--version", action="store_true", help="say which version this is, and end")
    commands = parser.add_subparsers(metavar="COMMAND", dest="name", parser_class=_Parser)
    for name, text in COMMANDS.items():
        one = commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=examples_of(name),
            formatter_class=Plain,
        )
        _add_arguments(name, one)
    return parser, commands.choices


def _refuse(word: str, command: argparse.ArgumentParser) -> NoReturn:
    """End because of a word that a command does not take."""
    if word.startswith("-"):
        command.error(f"there is no {word!r}{meant(word, re.findall('--[a-z-]+', command.format_help()))}")
    command.error(f"{word!r} is one too many")


def _add_arguments(name: str, one: argparse.ArgumentParser) -> None:
    """Add what a command takes."""
    own = {
        "typology": _add_typology,
        "find": _add_find,
        "explore": _add_explore,
        "ground": _add_ground,
        "open": _add_open,
        "name": _add_name,
        "completion": _add_completion,
        "init": _add_init,
    }
    if name in own:
        own[name](one)
        return
    if name == "run":
        _add_sources(one)
    elif name != "demo":
        one.add_argument(
            "city", type=Path, metavar="CITY", help=_RUNS_MEANT if name in _OF_RUNS else _FILE_MEANT
        )
    if name != "demo":
        _add_set(one)
    if name == "demo":
        one.add_argument(
            "--plan", choices=NAMES, default=NAMES[0], help="how its roads lie (default %(default)s)"
        )
    if name == "clean":
        one.add_argument(
            "--older-than", required=True, metavar="AGE", help="days, weeks or hours: 90d, 12w, 36h"
        )
        one.add_argument("--yes", action="store_true", help="remove without asking")
    one.add_argument("--out", type=Path, metavar="DIR", help="folder for results")
    if name == "deploy":
        one.add_argument("--cron", help="when it runs (default '0 3 1 * *': monthly); never: by hand alone")
        one.add_argument("--timezone", help="time zone of --cron, such as Europe/London (default UTC)")
        one.add_argument("--work-pool", help="pool whose workers run it (default roadprint)")
        one.add_argument(
            "--runs-url",
            metavar="ADDRESS",
            help="where the folder of results is served, for Prefect's page to link to (default: as workers have it)",
        )
    _add_told(one)


def _add_told(one: argparse.ArgumentParser) -> None:
    """Add how much is told."""
    one.add_argument("--json", action="store_true", help="print one JSON object and nothing more")
    _add_loudness(one)


def _add_loudness(one: argparse.ArgumentParser) -> None:
    loudness = one.add_mutually_exclusive_group()
    loudness.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="print errors and the one line of the result, if it has one",
    )
    loudness.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="say on standard error what happens, for a report of a fault",
    )


def _add_set(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="replace a key of the configuration, such as clusters.k=5; may be given several times",
    )


def _add_init(one: argparse.ArgumentParser) -> None:
    """Add where things lie, what is said of them beforehand, and where the file goes."""
    one.add_argument(
        "places",
        type=Path,
        nargs="+",
        metavar="FOLDER|FILE",
        help="where imagery, roads and records of collisions lie",
    )
    one.add_argument("--yes", action="store_true", help="ask nothing: doubts are written into the file")
    _add_set(one)
    one.add_argument("--out", type=Path, metavar="FILE", help="the file (default CITY.yaml here)")
    one.add_argument("--overwrite", action="store_true", help="replace the file where it is there already")
    _add_told(one)


def _add_typology(one: argparse.ArgumentParser) -> None:
    """Add what is done with a typology, and what each takes."""
    what = one.add_subparsers(required=True, metavar="WHAT", dest="what")
    fit = what.add_parser("fit", help="find types in cities together, and keep them in a file")
    fit.add_argument(
        "cities",
        type=Path,
        nargs="*",
        metavar="CITY",
        help="a city's file or name, or the folder of a finished run",
    )
    fit.add_argument(
        "--out", type=Path, required=True, dest="file", metavar="FILE", help="the typology, FILE.safetensors"
    )
    fit.add_argument(
        "--weight",
        choices=("city", "length", "segment"),
        default="city",
        help="what counts alike: cities, metres of road, or segments (default %(default)s)",
    )
    fit.add_argument(
        "--names-from",
        type=Path,
        metavar="OLD",
        help="a typology whose numbers, names and colours are carried on",
    )
    fit.add_argument("--runs", type=Path, metavar="DIR", help="folder for what is made of cities' files")
    _add_set(fit)
    show = what.add_parser("show", help="say what a typology holds")
    show.add_argument("file", type=Path, metavar="FILE", help="the typology")
    compare = what.add_parser(
        "compare", help="lay cities that were given to one typology out beside each other"
    )
    compare.add_argument(
        "cities",
        type=Path,
        nargs="*",
        metavar="RUN",
        help="the folder of a finished run, or of a city, or a city's name",
    )
    compare.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the page and the GeoPackage"
    )
    for part in (fit, show, compare):
        _add_told(part)


def _add_find(one: argparse.ArgumentParser) -> None:
    """Add what a run is asked, and how many answers of which kind it gives."""
    _add_run(one)
    _add_examples(one)
    one.add_argument(
        "--top", type=int, default=20, metavar="N", help="how many answers (default %(default)s)"
    )
    one.add_argument(
        "--skip",
        type=int,
        default=0,
        metavar="N",
        help="how many answers have been seen (default %(default)s)",
    )
    one.add_argument(
        "--over",
        choices=("segments", "tiles"),
        default="segments",
        help="what answers are: tiles tell where in a street (default %(default)s)",
    )
    one.add_argument(
        "--pixel-m", type=float, metavar="M", help="ground that a pixel of pictures shows (metres)"
    )
    one.add_argument(
        "--within", metavar="AREA", help="a file of polygons, or WEST,SOUTH,EAST,NORTH in degrees"
    )
    amount = one.add_mutually_exclusive_group()
    for many in ("few", "many"):
        amount.add_argument(
            f"--{many}-collisions",
            action="store_const",
            dest="collisions",
            const=many,
            help=f"only roads with {many} collisions for their class",
        )
    one.add_argument("--threshold", type=float, metavar="T", help="a road with a lower cosine is no answer")
    one.add_argument("--save", metavar="NAME", help="save the search as a concept: NAME, or FILE.json")
    one.add_argument(
        "--replace", action="store_true", help="save it in the place of another one of that name"
    )
    _add_told(one)


def _add_examples(one: argparse.ArgumentParser) -> None:
    """Add what may be given several times: what is meant and what is not, of which roads, and where answers go."""
    for name, what, said in (
        ("--like", "ID", "a segment or a tile that is meant"),
        ("--at", "LON,LAT", "a place whose road is meant, in degrees"),
        ("--picture", "FILE", "a picture of what is meant, from above"),
        (
            "--text",
            "WORDS",
            "what it is called: by an analyst (a type, a concept), or a word that the run knows",
        ),
        ("--concept", "FILE", "a search that was saved"),
        ("--not", "WHAT", "what is not meant: a segment, a tile, LON,LAT or a picture"),
        ("--not-text", "WORDS", "what it is called that is not meant"),
        ("--class", "CLASS", "a class of road that is asked about"),
        ("--where", "CONDITION", "which roads are asked about, such as 'length_m > 100'"),
        ("--out", "FILE", "answers as FILE.gpkg, FILE.geojson, or pictures of them on a page, FILE.html"),
    ):
        dest = {"--not": "unlike", "--not-text": "unlike_text", "--class": "road_class"}.get(
            name, name.strip("-")
        )
        one.add_argument(
            name,
            action="append",
            default=[],
            dest=dest,
            metavar=what,
            help=f"{said}; may be given several times",
        )


def _add_run(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "run",
        type=Path,
        metavar="RUN",
        help="a run's folder, its GeoPackage; or a city's name, folder or file: its newest run",
    )


def _add_explore(one: argparse.ArgumentParser) -> None:
    """Add what is shown, and how."""
    _add_run(one)
    one.add_argument("--port", type=int, metavar="N", help="port on this machine (default: one that is free)")
    one.add_argument(
        "--edit", action="store_true", help="let the page name and merge types and correct segments"
    )
    one.add_argument("--segment", metavar="ID", help="the road segment that is picked when the page opens")
    one.add_argument("--no-open", action="store_true", help="open no browser; the address is printed")
    _add_loudness(one)
    one.set_defaults(json=False)


def _add_open(one: argparse.ArgumentParser) -> None:
    """Add what is opened, and of which run."""
    _add_run(one)
    one.add_argument(
        "--what",
        choices=WHAT,
        default=WHAT[0],
        help="the report, the project in QGIS, the folder, the workbook, or the page of 'roadprint explore' "
        "(default %(default)s)",
    )
    one.add_argument("--no-open", action="store_true", help="print the path and no more")
    one.add_argument("--out", type=Path, metavar="DIR", help="folder for results (default runs)")
    _add_told(one)


def _add_name(one: argparse.ArgumentParser) -> None:
    """Add which type it is, and what is said of it."""
    _add_run(one)
    one.add_argument(
        "number", type=_of_type, nargs="?", metavar="TYPE", help="number of the type; none: types are listed"
    )
    one.add_argument("called", nargs="?", metavar="NAME", help="what it is to be called, up to 80 letters")
    one.add_argument("--color", metavar="RRGGBB", help="its colour, such as 117733")
    one.add_argument("--note", metavar="TEXT", help="what is to be known of it, up to 500 letters")
    one.add_argument("--remove", action="store_true", help="take its name, colour and note away")
    one.add_argument("--out", type=Path, metavar="DIR", help="folder for results (default runs)")
    _add_told(one)


def _of_type(text: str) -> int:
    """Read the number of a type."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"the number of a type is expected, found {text!r}")
    return int(text)


def _add_completion(one: argparse.ArgumentParser) -> None:
    one.add_argument("shell", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")
    one.set_defaults(json=False, quiet=False, verbose=False)


def _signed(arguments: Sequence[str]) -> list[str]:
    """Join places that begin with a minus to what they are given for, or they would be taken for options."""
    joined: list[str] = []
    for one in arguments:
        if joined and joined[-1] in PLACES and re.match(r"-\d", one):
            joined[-1] = f"{joined[-1]}={one}"
        else:
            joined.append(one)
    return joined


def _add_ground(one: argparse.ArgumentParser) -> None:
    """Add what is done about the ground beside roads, and what each takes."""
    what = one.add_subparsers(required=True, metavar="WHAT", dest="what")
    suggest = what.add_parser("suggest", help="name the places whose label would teach most")
    suggest.add_argument(
        "place",
        type=Path,
        metavar="CITY",
        help="a city's file or name, or a finished run: its folder or its GeoPackage",
    )
    suggest.add_argument(
        "--out",
        type=Path,
        dest="file",
        metavar="FILE",
        help="the layer, FILE.gpkg (default suggestions.gpkg in the city's folder)",
    )
    suggest.add_argument("--number", type=_number, default=10, help="how many places (default %(default)s)")
    suggest.add_argument(
        "--runs", type=Path, metavar="DIR", help="folder for results, where a run was given one"
    )
    _add_set(suggest)
    _add_told(suggest)


def _number(text: str) -> int:
    """Read a number of places."""
    number = int(text)
    if not 1 <= number <= MOST_PLACES:
        raise argparse.ArgumentTypeError(f"a number from 1 to {MOST_PLACES} is expected")
    return number


def _add_sources(one: argparse.ArgumentParser) -> None:
    """Add what is run: a city's file, or what made a GeoPackage."""
    source = one.add_mutually_exclusive_group(required=True)
    source.add_argument("city", type=Path, nargs="?", metavar="CITY", help=_FILE_MEANT)
    source.add_argument(
        "--from", type=Path, dest="repeated", metavar="FILE.gpkg", help="repeat the run that made this file"
    )
    one.add_argument(
        "--base",
        type=Path,
        metavar="FOLDER",
        help="with --from: where the relative paths of its configuration start, when they are not found",
    )


def read_overrides(pairs: Sequence[str]) -> dict[str, str]:
    """Split ``KEY=VALUE`` arguments."""
    split = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not (key and sign):
            raise ConfigurationError(
                f"{pair!r} is not of the form KEY=VALUE", where="--set", todo="Write clusters.k=5."
            )
        split[key] = value
    return without_literals(split)
