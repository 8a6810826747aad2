"""Words: the names and notes that analysts gave to types and concepts."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
