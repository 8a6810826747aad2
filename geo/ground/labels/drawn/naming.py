"""What labels call classes, and which of these names mean something of their own."""

from __future__ import annotations

from collections.abc import Iterable

from slugify import slugify

EXTENT = frozenset({"extent", "extents", "label extent", "label extents", "labelled area", "labelled areas"})
"""Names, as `plain` writes them, of what outlines ground on which nothing was left unlabelled."""
ELSE = "something else"
"""What the class of what is none of the others is called."""
_ELSE = frozenset({ELSE, "other", "others", "else", "none", "none of these", "nothing", "background", "rest"})


def plain(name: str) -> str:
    """Write a name as it is compared: in small letters, with single spaces for what parts its words."""
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


def is_else(name: str) -> bool:
    """Tell whether a class is that of what is none of the others."""
    return slugify(name, separator=" ") in _ELSE


def one_spelling(names: Iterable[str]) -> dict[str, str]:
    """Bring names that differ in case and in spaces alone to one: the spelling that comes first by alphabet.

    Examples
    --------
    >>> one_spelling(["car park", "Car-Park", "roof", "Other"])
    {'Car-Park': 'Car-Park', 'Other': 'something else', 'car park': 'Car-Park', 'roof': 'roof'}
    """
    told: dict[str, str] = {}
    found: dict[str, str] = {}
    for name in sorted(set(names)):
        found[name] = ELSE if is_else(name) else told.setdefault(plain(name), name)
    return found
