"""A city's file as text: each key with what was guessed, from what evidence, and what else could be there."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from geo.starting.guess import Guess, as_yaml

WIDTH = 110
_MOST_OPTIONS = 6
_INDENT = "  "


def write_city(guesses: Sequence[Guess], head: Iterable[str] = ()) -> str:
    """Write a city's file.

    Parameters
    ----------
    guesses
        In the order in which keys stand; keys of one section are brought together.
    head
        Sentences before all.

    Examples
    --------
    >>> roads = Guess("roads.source", "r.gpkg", ("12 lines.",), "The roads?")
    >>> print(write_city([Guess("city", "town"), roads]), end="")
    city: town
    <BLANKLINE>
    roads:
      # 12 lines.
      # NOT SURE: The roads?
      source: r.gpkg
    """
    lines = [line for sentence in head for line in _comment(sentence, "")]
    plain = [guess for guess in guesses if "." not in guess.key]
    lines += [""] * bool(lines)
    for guess in plain:
        lines += _key(guess, guess.key, "", hidden=False)
    for section in dict.fromkeys(guess.key.partition(".")[0] for guess in guesses if "." in guess.key):
        mine = [guess for guess in guesses if guess.key.startswith(f"{section}.")]
        lines += ["", *_section(section, mine, section, "", hidden=False)]
    return "\n".join(lines) + "\n"


def _section(name: str, guesses: Sequence[Guess], path: str, indent: str, *, hidden: bool) -> list[str]:
    """Write a section, as a comment where all of its keys are."""
    hidden = hidden or all(guess.left_out for guess in guesses)
    lines = [f"{indent}{'# ' if hidden else ''}{name}:"]
    below = indent + _INDENT
    done: set[str] = set()
    for guess in guesses:
        first, _, rest = guess.key.removeprefix(f"{path}.").partition(".")
        if not rest:
            lines += _key(guess, first, below, hidden=hidden)
        elif first not in done:
            done.add(first)
            inner = [one for one in guesses if one.key.startswith(f"{path}.{first}.")]
            lines += _section(first, inner, f"{path}.{first}", below, hidden=hidden)
    return lines


def _key(guess: Guess, name: str, indent: str, *, hidden: bool) -> list[str]:
    """Write a key below its comments."""
    lines = list(_comment(" ".join(guess.why), indent))
    if guess.doubt:
        lines += _comment(f"NOT SURE: {guess.doubt}", indent)
    for option in guess.options[:_MOST_OPTIONS]:
        lines += _comment(f"or {as_yaml(option.value)}: {option.says}", indent)
    more = len(guess.options) - _MOST_OPTIONS
    if more > 0:
        lines += _comment(f"or one of {more:,} more", indent)
    mark = "# " if hidden or guess.left_out else ""
    return [*lines, f"{indent}{mark}{name}: {as_yaml(guess.value)}"]


def _comment(text: str, indent: str) -> list[str]:
    """Write sentences as comments."""
    plain = " ".join(text.split())
    return textwrap.wrap(
        plain,
        WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )
