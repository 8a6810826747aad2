"""What the command line says of itself: its commands in groups, examples of each, and how it ends."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

GROUPS: dict[str, tuple[str, ...]] = {
    "Start": ("demo", "init", "check"),
    "Run": ("run", "sensitivity", "typology", "deploy"),
    "Look": ("open", "explore", "status"),
    "Ask": ("find", "ground"),
    "Keep": ("name", "clean", "completion"),
}
"""Commands by what somebody is about to do."""

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "run": (
        ("roadprint run my-city.yaml", "a city, from its file"),
        (
            "roadprint run my-city.yaml --set clusters.k=6",
            "with another setting; all else is taken from before",
        ),
        ("roadprint run --from my-city.gpkg", "what made this file, once more"),
    ),
    "check": (
        ("roadprint check my-city.yaml", "reads all inputs, runs nothing"),
        ("roadprint check my-city", "the file that is of a city of this name"),
        ("roadprint check my-city.yaml --json", "the same for a program"),
    ),
    "demo": (
        ("roadprint demo", "a small town that was drawn, below runs/"),
        ("roadprint demo --plan grid --out /tmp/towns", "with other roads, elsewhere"),
    ),
    "init": (
        (
            "roadprint init my-folder",
            "guesses my-folder.yaml from what lies there, and asks what it cannot know",
        ),
        (
            "roadprint init imagery/ roads.gpkg crashes.csv --out my-city.yaml --yes",
            "asks nothing; doubts are in the file",
        ),
        (
            "roadprint init my-folder --set roads.source=my-folder/streets.gpkg",
            "with an answer given beforehand",
        ),
    ),
    "sensitivity": (("roadprint sensitivity my-city.yaml", "its section 'sensitivity' says what is tried"),),
    "typology": (
        ("roadprint typology fit a.yaml b.yaml --out both.safetensors", "types of two cities together"),
        ("roadprint typology show both.safetensors", "what the file holds"),
        (
            "roadprint typology compare runs/a runs/b --out beside",
            "cities that were given to it, beside each other",
        ),
    ),
    "deploy": (
        ("roadprint deploy my-city.yaml", "monthly, by the workers of the server in PREFECT_API_URL"),
        ("roadprint deploy my-city.yaml --cron '0 4 * * 1' --timezone Europe/London", "Mondays at four"),
    ),
    "open": (
        ("roadprint open my-city", "the report of the newest run below runs/"),
        ("roadprint open my-city --what qgis", "its map in QGIS"),
        ("roadprint open archive/my-city.gpkg --what folder", "where a GeoPackage lies"),
    ),
    "explore": (
        ("roadprint explore my-city", "the newest run below runs/"),
        ("roadprint explore my-city.yaml --edit", "types are named, merged and corrected"),
        ("roadprint explore my-city --segment 06e8b53bf5cbf4e4", "opens with that road picked"),
    ),
    "status": (("roadprint status my-city", "its last run, what failed, room on disk"),),
    "find": (
        ("roadprint find my-city --like 06e8b53bf5cbf4e4", "roads that look like a segment"),
        (
            "roadprint find my-city --at -1.476,53.801 --top 50 --out like.gpkg",
            "like the road at a place, as a layer",
        ),
        (
            "roadprint find my-city --text 'leafy streets' --where 'length_m > 100'",
            "like a type of that name",
        ),
    ),
    "ground": (
        ("roadprint ground suggest my-city.yaml --number 20", "twenty places, to be labelled in QGIS"),
    ),
    "name": (
        ("roadprint name my-city", "what types are called"),
        ('roadprint name my-city 7 "High street"', "a name for type 7"),
        ("roadprint name my-city 7 --color 117733 --note 'seen on site in May'", "its colour and a note"),
        ("roadprint name my-city 7 --remove", "without a name again"),
    ),
    "clean": (
        ("roadprint clean my-city --older-than 90d", "says what would go, and asks"),
        ("roadprint clean my-city --older-than 12w --yes", "removes it"),
    ),
    "completion": (
        ('eval "$(roadprint completion bash)"', "in ~/.bashrc"),
        ("roadprint completion zsh > ~/.zfunc/_roadprint", "where ~/.zfunc is in fpath"),
        ("roadprint completion fish > ~/.config/fish/completions/roadprint.fish", "for fish"),
    ),
}
"""Lines that can be typed, and what each is for."""

ENDINGS = {
    0: "done",
    1: "an error that nobody foresaw, or what was found cannot be printed; the run itself is kept",
    2: "it cannot be run as asked: standard error says what was found, where, and what to do",
    130: "ended by Ctrl-C or SIGTERM; what was finished is kept",
}
"""Exit codes, the same for all commands."""

FIRST = """roadprint demo                    a town that was drawn, from imagery to its report
roadprint check my-city.yaml      what a run of your city would meet, and how long it takes
roadprint run my-city.yaml        road types, rates and the worst roads: a GeoPackage and a report
roadprint open my-city            the report of the newest run

roadprint --help lists all commands; roadprint COMMAND --help says what one takes.
"""
"""What is shown where no command is given."""


def all_commands(usage: str, what: str, commands: Mapping[str, str]) -> str:
    """Lay out the help of the command line: its commands in groups, and how it ends."""
    wide = max(map(len, commands)) + 2
    lines = [usage.rstrip(), "", what]
    for group, names in GROUPS.items():
        lines += ["", f"{group}:", *(f"  {name:<{wide}}{commands[name]}" for name in names)]
    lines += ["", "Exit codes:", *(f"  {code:<{wide}}{said}" for code, said in ENDINGS.items())]
    lines += [
        "",
        "roadprint COMMAND --help says what a command takes, with examples; --version, which this is.",
    ]
    return "\n".join(lines) + "\n"


def examples_of(name: str) -> str:
    """Lay out the examples of a command, for the end of its help."""
    return "\n".join(["examples:", *(f"  {line}\n      {said}" for line, said in EXAMPLES[name])])


class Plain(argparse.RawDescriptionHelpFormatter):
    """Leaves the lines of examples as they are, and room for options beside what is said of them."""

    def __init__(self, prog: str, *, indent_increment: int = 2, max_help_position: int = 28) -> None:
        super().__init__(prog, indent_increment, max_help_position)
