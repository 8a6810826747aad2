"""What a key of a city's file is guessed to be, from what evidence, and what else could be there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import yaml

_NEVER_FOLDED = 1_000_000
SHOWN = 6
"""Things of one kind that are named, before the others are only counted."""


@dataclass(frozen=True, slots=True)
class Option:
    """Something else that a key could be: its value, and what speaks for it."""

    value: object
    says: str


@dataclass(frozen=True, slots=True)
class Guess:
    """What a key is guessed to be.

    Attributes
    ----------
    key
        Of the city's file, dotted.
    value
        What is guessed.
    why
        The evidence, in sentences.
    doubt
        What is not sure about it, as a question; empty: nothing that would have to be asked.
    options
        What else could be there.
    left_out
        Whether the key is written as a comment: nothing is known that could stand there, or its default serves.
    example
        Whether the value only shows how the key is written: nothing was found that could stand there.
    """

    key: str
    value: object
    why: tuple[str, ...] = ()
    doubt: str = ""
    options: tuple[Option, ...] = ()
    left_out: bool = False
    example: bool = False

    @property
    def taken(self) -> str:
        """Say what the value is to whoever is asked."""
        return "for example" if self.left_out or self.example else "as it is guessed"


def as_yaml(value: object) -> str:
    """Write a value as YAML on one line.

    Examples
    --------
    >>> as_yaml({"fatal": ["1"], "serious": []}), as_yaml("EPSG:4326"), as_yaml(None)
    ("{fatal: ['1'], serious: []}", 'EPSG:4326', 'null')
    """
    text = yaml.safe_dump(
        value, default_flow_style=True, width=_NEVER_FOLDED, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...").strip()


def listed(things: Iterable[str], *, most: int = SHOWN) -> str:
    """Name the first things in a sentence, and count the others."""
    every = list(things)
    more = len(every) - most
    return ", ".join(every[:most]) + (f" and {more:,} more" if more > 0 else "")


def counted(number: int, one: str, many: str | None = None) -> str:
    """Write a number with what it counts.

    Examples
    --------
    >>> counted(1, "line"), counted(1200, "line"), counted(2, "city", "cities")
    ('1 line', '1,200 lines', '2 cities')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def best_first(options: Sequence[tuple[float, Option]]) -> list[Option]:
    """Order options by how much speaks for each, the best first; of equals the first stays so."""
    return [option for _, option in sorted(options, key=lambda scored: -scored[0])]
