"""Completion in a shell: a script that the shell reads once, so that no Tab starts Python.

The script is written by shtab from the arguments themselves. What it looks up while somebody types are files, and the
names of cities that have runs: these are compared as text, and never handed to anything that would run them.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from geo.config import CityConfig
from geo.config.section import leaf_keys

_KEYS, _RUNS, _CITIES = "_roadprint_keys", "_roadprint_runs", "_roadprint_cities"
_FOLDERS = ("DIR", "FOLDER")
_BASH = """
{keys}() {{
  compopt -o nospace 2> /dev/null
  compgen -W "{words}" -- "$1"
}}
{runs}_named() {{
  local one
  for one in runs/*/latest; do
    one="${{one#runs/}}" one="${{one%/latest}}"
    case "$one" in
      *[!A-Za-z0-9_-]*) ;;
      "$1"*) printf '%s\\n' "$one" ;;
    esac
  done
}}
{runs}() {{
  {runs}_named "$1"
  _shtab_compgen_files "$1"
}}
{cities}() {{
  {runs}_named "$1"
  compgen -f -X '!*.y*ml' -- "$1"
  compgen -d -- "$1"
}}
"""
_ZSH = """
{keys}() {{
  compadd -S '' -- {words}
}}
{runs}() {{
  local -a cities
  cities=(runs/*/latest(N:h:t))
  compadd -a cities
  _files
}}
{cities}() {{
  local -a cities
  cities=(runs/*/latest(N:h:t))
  compadd -a cities
  _files -g '*.(yaml|yml)'
}}
"""
_FISH = """
function {keys}
    printf '%s\\n' {words}
end
function {runs}
    for one in runs/*/latest
        string replace -r '^runs/(.*)/latest$' '$1' -- $one
    end
    __fish_complete_path (commandline -ct)
end
function {cities}
    for one in runs/*/latest
        string replace -r '^runs/(.*)/latest$' '$1' -- $one
    end
    __fish_complete_path (commandline -ct) | string match -r '.*(?:/|\\.ya?ml)$'
end
"""
_PREAMBLES = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Write what a shell completes by.

    Parameters
    ----------
    parser
        The command line.
    shell
        ``bash``, ``zsh`` or ``fish``.
    """
    # only who asks for completion waits for it
    shtab: Any = importlib.import_module("shtab")
    for action in _actions(parser):
        how = _how(action, shtab)
        if how is not None:
            # as shtab has it
            vars(action)["complete"] = how
    words = " ".join(f"{key}=" for key in leaf_keys(CityConfig))
    preamble = _PREAMBLES[shell].format(keys=_KEYS, runs=_RUNS, cities=_CITIES, words=words)
    return str(shtab.complete(parser, shell, preamble=preamble))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Give the arguments of all commands."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way, as shtab knows
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for below in dict.fromkeys(action.choices.values()):
                yield from _actions(below)
        else:
            yield action


def _how(action: argparse.Action, shtab: Any) -> Any:  # noqa: ANN401 - what shtab calls a way to complete
    """Say how an argument is completed; None: not, or by its choices."""
    if action.dest == "set":
        return {"bash": _KEYS, "zsh": _KEYS, "fish": f"({_KEYS})"}
    if action.metavar == "RUN" or action.dest == "place":
        return {"bash": _RUNS, "zsh": _RUNS, "fish": f"({_RUNS})"}
    if action.metavar == "CITY":
        return {"bash": _CITIES, "zsh": _CITIES, "fish": f"({_CITIES})"}
    if action.metavar in _FOLDERS:
        return shtab.DIRECTORY
    return shtab.FILE if action.type is Path or action.metavar == "FILE" else None
