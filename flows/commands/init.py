"""The command that writes a city's first file: asks at the terminal what nothing tells, and checks what it wrote."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import textwrap
from typing import Any

from flows.arguments import read_overrides
from flows.commands.checking import show_check
from flows.progress import bars_aside, stage_bar
from geo.config import CityConfig
from geo.config.yaml_text import read_value
from geo.errors import ConfigurationError
from geo.starting.guess import Guess, as_yaml, counted

_WIDTH = 100
"""Columns that text is wrapped at where the terminal has as many, or there is none."""


def _width() -> int:
    """Tell how wide text may be."""
    return min(_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns)


def init(asked: argparse.Namespace) -> dict[str, Any]:
    """Guess a city's file, ask what nothing tells, write it and check it."""
    from tasks.starting.draft import draw_up  # noqa: PLC0415 - each command imports what it needs
    from tasks.starting.first import checked, write  # noqa: PLC0415

    there = sys.stdin.isatty() and sys.stderr.isatty() and not asked.json
    with stage_bar("looking"):
        draft = draw_up(
            asked.places,
            asked.out,
            read_overrides(asked.set),
            ask if there and not asked.yes else None,
            overwrite=asked.overwrite,
        )
    if draft.open and not asked.yes:
        told = f"nobody is there to ask, and {counted(len(draft.open), 'thing')} cannot be known"
        raise ConfigurationError(
            f"{told}\n{_questions(draft.open)}",
            where="init",
            todo="Say them with --set KEY=VALUE, as above, or give --yes: the file then says what was guessed.",
        )
    write(draft)
    with stage_bar("reading"):
        return checked(draft)


def _questions(guesses: list[Guess]) -> str:
    """List what would be asked, with the argument that answers it."""
    lines = []
    for guess in guesses:
        for text, indent in ((guess.doubt, "  "), (" ".join(guess.why), "    ")):
            lines += textwrap.wrap(text, _width(), initial_indent=indent, subsequent_indent=indent)
        values = [(guess.value, guess.taken)]
        values += [(option.value, option.says) for option in guess.options]
        lines += [
            f"    --set {shlex.quote(f'{guess.key}={_typed(guess.key, value)}')}    ({says})"
            for value, says in values
        ]
    return "\n".join(lines)


def _typed(key: str, value: object) -> str:
    """Write a value as one types it: without the quotes that a city's file does without."""
    text = as_yaml(value)
    bare = text.replace("'", "")
    return bare if read_value(bare, CityConfig, key) == value else text


def ask(guess: Guess) -> str:
    """Ask about one key at the terminal; an empty answer takes what is guessed."""
    with bars_aside():
        return _asked(guess)


def _asked(guess: Guess) -> str:
    out = sys.stderr
    said = [f"\n{guess.key}: {guess.doubt}", *guess.why]
    out.write("\n".join(line for text in said for line in textwrap.wrap(text, _width()) or [""]) + "\n")
    values = [(guess.value, guess.taken), *((option.value, option.says) for option in guess.options)]
    if guess.left_out and not guess.options:
        values = []
    for number, (value, says) in enumerate(values, start=1):
        out.write(
            textwrap.fill(f"  {number}  {as_yaml(value)}  ({says})", _width(), subsequent_indent="     ")
            + "\n"
        )
    usual = "nothing" if guess.left_out else "1"
    answers = "A number, a value" if values else "A value"
    out.write(f"{answers}, - to leave it out, Enter for {usual}: ")
    out.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise ConfigurationError(
            "the answers ended before the questions did; nothing was written", where="init", todo="Ask again."
        )
    return answer.strip()


def show_init(told: dict[str, Any]) -> None:
    """Say what was guessed and why, what is left, and what the check found."""
    out = sys.stdout
    for guess in told["guesses"]:
        if not guess["written"] and not guess["doubt"]:
            continue
        mark = "" if guess["written"] else "(left out) "
        out.write(f"{mark}{guess['key']}: {guess['value']}\n")
        for text in (guess["why"], guess["doubt"] and f"NOT SURE: {guess['doubt']}"):
            if text:
                out.write(
                    textwrap.fill(text, _width(), initial_indent="    ", subsequent_indent="    ") + "\n"
                )
    if told["left"]:
        out.write("\nNot used:\n")
        for line in told["left"]:
            out.write(textwrap.fill(line, _width(), initial_indent="  ", subsequent_indent="    ") + "\n")
    if told["check"] is not None:
        out.write("\n")
        show_check(told["check"])
    out.write(f"\nWritten: {told['file']}\n")
    if told["refused"]:
        sys.stderr.write(f"roadprint: a run is refused so far: {told['refused']}\n")
    else:
        out.write(f"Look through it, then: roadprint run {shlex.quote(told['file'])}\n")
