"""The list of commands, written from the command line itself: ``python -m flows.terminal.reference``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from flows.arguments import COMMANDS, command_line
from flows.terminal.guide import ENDINGS, EXAMPLES, GROUPS

HEAD = """# Commands

What `roadprint` takes; `roadprint COMMAND --help` says the same at the terminal. A city is named by its file, or by
what tells which file that is: its name (of a file here or in `data/cities`, or of a city with runs, which goes on where
these lie), or a folder that holds it. Where several files may be meant, none is taken. Where what was run is looked at,
a run's folder or a GeoPackage will do; the runs of a name are looked for in `runs`. A word that is not known (command,
option, value, key, column, city) is refused with the one that is like it. This page is written by
`python -m flows.terminal.reference > docs/commands.md`.

Every command takes `-q` (errors, and the one line of the result where it has one) and `-v` (what happens, on
standard error, beginning with versions and ending with where in the code an error was raised: for a report of a
fault, and without credentials). Results go to standard output, all else to standard error.
"""
COMPLETION = """
## Completion

```
eval "$(roadprint completion bash)"                                         # in ~/.bashrc
roadprint completion zsh > ~/.zfunc/_roadprint                              # ~/.zfunc in fpath, before compinit
roadprint completion fish > ~/.config/fish/completions/roadprint.fish
```

Commands, options and their values, files, names of cities in `runs`, and the keys of `--set` are completed. The
script is read once: no Tab starts Python, so it is to be made again after another version is installed.
"""


def reference() -> str:
    """Write the page, in Markdown."""
    _, commands = command_line()
    parts = [HEAD, "\n## How a command ends\n\n| exit code | |\n|---|---|\n"]
    parts += [f"| {code} | {said} |\n" for code, said in ENDINGS.items()]
    for group, names in GROUPS.items():
        parts.append(f"\n## {group}\n")
        for name in names:
            parts += _command(f"roadprint {name}", commands[name], COMMANDS[name])
            parts += ["\n```\n", *(f"{line}\n" for line, _ in EXAMPLES[name]), "```\n"]
    return "".join(parts) + COMPLETION


def _command(title: str, parser: argparse.ArgumentParser, what: str) -> Iterator[str]:
    """Write what a command does and takes, then what is below it."""
    yield f"\n### {title}\n\n{what[0].upper()}{what[1:]}.\n"
    rows = [row for row in _rows(parser) if row is not None]
    if rows:
        yield "\n| argument | |\n|---|---|\n"
        yield from rows
    for action in _below(parser):
        said = {one.dest: one.help or "" for one in action._get_subactions()}  # noqa: SLF001 - see `_below`
        for name, part in action.choices.items():
            yield from _command(f"{title} {name}", part, said[name])


def _below(parser: argparse.ArgumentParser) -> list[argparse._SubParsersAction[argparse.ArgumentParser]]:
    """Give what has commands below a command; argparse tells it in no other way."""
    return [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]  # noqa: SLF001


def _rows(parser: argparse.ArgumentParser) -> Iterator[str | None]:
    for action in parser._actions:  # noqa: SLF001 - as above
        known = isinstance(action, argparse._HelpAction | argparse._SubParsersAction)  # noqa: SLF001
        yield None if known or action.dest in {"quiet", "verbose"} else _row(action)


def _row(action: argparse.Action) -> str:
    """Write one argument."""
    taken = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    name = action.option_strings[-1] if action.option_strings else ""
    words = f"{name} {taken}" if name and action.nargs != 0 else name or str(taken)
    said = (action.help or "") % {**vars(action), "prog": "roadprint"}
    # a bar would end the cell, in code as well
    shown = words.replace("|", "\\|")
    return f"| `{shown}` | {said} |\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
