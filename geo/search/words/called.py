"""Words that are asked for, and what is called so: names and notes of analysts, and words that a source knows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

_WORD = re.compile(r"\w+")
Key = TypeVar("Key", int, str)


def called(words: str, texts: Mapping[Key, str]) -> list[Key]:
    """Find what is called so: whose text has every word that is asked for, whole or as a beginning.

    Parameters
    ----------
    words
        Words in any order; capitals do not matter.
    texts
        Names and notes, by what they are of.

    Examples
    --------
    >>> called("leafy street", {3: "Leafy streets: rows of trees", 4: "Car parks"})
    [3]
    """
    asked = _WORD.findall(words.casefold())
    if not asked:
        return []
    found = []
    for key, text in texts.items():
        there = _WORD.findall(text.casefold())
        if all(any(one.startswith(word) for one in there) for word in asked):
            found.append(key)
    return found


def known_as(words: str, terms: Mapping[Key, Sequence[str]]) -> list[Key]:
    """Find which known words are meant: those that are called just so, else those whose own word has all that is asked.

    No beginning of a word is enough here: nobody who asks for a park means a parking lot.

    Parameters
    ----------
    words
        Words; capitals, signs between words and an ``s`` at their end do not matter.
    terms
        Of each the word itself first, then others for it.

    Examples
    --------
    >>> terms = {0: ["parking lot", "car park"], 1: ["dense residential"], 2: ["sparse residential"]}
    >>> known_as("Car parks", terms), known_as("residential", terms), known_as("park", terms)
    ([0], [1, 2], [])
    """
    asked = _plain(words)
    if not asked:
        return []
    just_so = [key for key, names in terms.items() if any(_plain(name) == asked for name in names)]
    return just_so or [key for key, names in terms.items() if set(asked) <= set(_plain(names[0]))]


def _plain(words: str) -> list[str]:
    """Give words in small letters, one of them or many."""
    spaced = words.casefold().replace("_", " ")
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in _WORD.findall(spaced)]
