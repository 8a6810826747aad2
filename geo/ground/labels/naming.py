"""What classes of labels are called: by people, and in columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from slugify import slugify

from geo.errors import LayerError

EXTENT = frozenset({"extent", "extents", "label extents", "labelled area", "labelled areas"})
"""Names, as `plain` writes them, of what outlines ground on which nothing was left unlabelled."""
ELSE, ELSE_KEY = "something else", "other"
_ELSE = frozenset(
    {
        ELSE,
        "something else",
        "other",
        "others",
        "else",
        "none",
        "none of these",
        "nothing",
        "background",
        "rest",
    }
)
LONGEST_KEY = 24
"""Columns are ``ground_KEY_15_30m``."""
_TAKEN = {"unknown", "known", ELSE_KEY}


def plain(name: str) -> str:
    """Write a name as it is compared: without case, with single spaces for what parts its words."""
    told = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(told.replace("_", " ").replace("-", " ").split())


def is_else(name: str) -> bool:
    """Tell whether a class is that of what is none of the others."""
    return plain(name) in _ELSE


def keys_of(names: Iterable[str], where: str) -> dict[str, str]:
    """Give each class the key of its columns.

    Parameters
    ----------
    names
        Classes, as they are written; names that `plain` writes alike are one class.
    where
        Of the labels, for messages.

    Returns
    -------
    By name.

    Raises
    ------
    LayerError
        When two classes would have one key, or one has a name of which no letter can stand in a column.

    Examples
    --------
    >>> keys_of(["Car park", "Straße"], "labels.gpkg")
    {'Car park': 'car_park', 'Straße': 'strasse'}
    """
    found: dict[str, str] = {}
    by_key: dict[str, str] = {}
    for name in names:
        key = slugify(name, separator="_", max_length=LONGEST_KEY).strip("_")
        if not key or key in _TAKEN or key.isdigit():
            raise LayerError(
                f"the class {name!r} cannot be the name of a column",
                where=where,
                todo="Give it a name with letters, other than 'known' and 'unknown'.",
            )
        if key in by_key:
            raise LayerError(
                f"the classes {by_key[key]!r} and {name!r} would both be called {key!r} in columns",
                where=where,
                todo="Give them names that differ in more than signs and accents.",
            )
        by_key[key] = name
        found[name] = key
    return found


def one_spelling(names: Iterable[str]) -> dict[str, str]:
    """Bring names that differ in case and spaces alone to one: the spelling that comes first by alphabet."""
    told: dict[str, str] = {}
    for name in sorted(set(names)):
        told.setdefault(ELSE if is_else(name) else plain(name), ELSE if is_else(name) else name)
    return {name: told[ELSE if is_else(name) else plain(name)] for name in set(names)}
