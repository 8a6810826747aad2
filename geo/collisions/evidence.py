"""What a record says of its road, held against the roads near it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.int32]
NUMBER, NAME, CLASS = 3, 2, 1
"""How much an agreement counts: a road's number tells it apart best, its class least."""
LETTERS = {
    "motorway": "M",
    "motorway_link": "M",
    "a(m)": "M",
    "trunk": "A",
    "trunk_link": "A",
    "primary": "A",
    "primary_link": "A",
    "secondary": "B",
    "secondary_link": "B",
    "tertiary": "C",
    "tertiary_link": "C",
    "unclassified": "U",
    "residential": "U",
    "living_street": "U",
    "service": "U",
    "a": "A",
    "b": "B",
    "c": "C",
    "m": "M",
    "u": "U",
}
"""British road classes of OpenStreetMap's (OpenStreetMap wiki, 'Roads in the United Kingdom') and of STATS19's."""
_SHORT = {
    r"\bst\b": "street",
    r"\brd\b": "road",
    r"\bave?\b": "avenue",
    r"\bln\b": "lane",
    r"\bdr\b": "drive",
    r"\bpl\b": "place",
    r"\bct\b": "court",
    r"\bsq\b": "square",
    r"\bblvd\b": "boulevard",
    r"\bpkwy\b": "parkway",
    r"\bhwy\b": "highway",
    r"\bter\b": "terrace",
    r"\bstr\b": "strasse",
}


def spell(records: pd.DataFrame, roads: pd.DataFrame) -> tuple[Codes, Codes]:
    """Bring what records say of roads, and what roads are called, to numbers that can be held against each other.

    Each distinct text is brought to one spelling once, however many rows have it.

    Parameters
    ----------
    records
        ``road_ref``, ``road_name``, ``road_class`` of the collisions.
    roads
        ``ref``, ``name``, ``road_class`` of the roads.

    Returns
    -------
    Two arrays ``(3, records)`` and ``(3 k, roads)``: class, name and number of each; of roads with several names or
    numbers (``A1;A64``) all of them, three lines each. Two numbers of lines of one kind are equal where the texts mean
    the same; -1 stands for null.
    """
    pairs = [
        _of_unique(records[theirs], roads[ours], plain)
        for theirs, ours, plain in (
            ("road_class", "road_class", plain_class),
            ("road_name", "name", plain_name),
            ("road_ref", "ref", plain_ref),
        )
    ]
    most = max(len(there) for _, there in pairs)
    padded = [
        np.concatenate([there, *[np.full_like(there[:1], -1)] * (most - len(there))]) for _, there in pairs
    ]
    return np.stack([told for told, _ in pairs]), np.stack(padded, axis=1).reshape(3 * most, -1)


def agreement(told: Codes, there: Codes) -> NDArray[np.int64]:
    """Tell how strongly each record names the road beside it.

    Parameters
    ----------
    told, there
        Arrays ``(3, n)`` and ``(3 k, n)`` of `spell`: of n records, and of one road for each.

    Returns
    -------
    `NUMBER`, `NAME`, `CLASS`, or 0 where nothing agrees; of length n.
    """
    score = np.zeros(told.shape[1], dtype=np.int64)
    for kind, (strength, ours) in enumerate(zip((CLASS, NAME, NUMBER), told, strict=True)):
        score[(ours == there[kind::3]).any(axis=0) & (ours >= 0)] = strength
    return score


def _of_unique(
    told: pd.Series, there: pd.Series, plain: Callable[[pd.Series], pd.Series]
) -> tuple[Codes, Codes]:
    """Give the values of two columns the number of their spelling, which is found once a value.

    Of the second one there are several lines: each value whole, and where semicolons part it, its parts.
    """
    codes, unique = zip(*(pd.factorize(values) for values in (told, there)), strict=True)
    whole = pd.Series(unique[1], dtype="string")
    parts = whole.where(whole.str.contains(";", regex=False)).str.split(";", expand=True)
    # no part at all where no value has a semicolon
    columns = [whole, *(parts[column] for column in parts if parts[column].notna().any())]
    texts = pd.concat([pd.Series(unique[0], dtype="string"), *columns], ignore_index=True)
    number, _ = pd.factorize(plain(texts))
    # a null has the code -1, and finds the -1 at the end
    ours = np.append(number[: len(unique[0])], -1).astype(np.int32)
    theirs = number[len(unique[0]) :].reshape(len(columns), -1).astype(np.int32)
    theirs = np.column_stack([theirs, np.full(len(columns), -1, dtype=np.int32)])
    return ours[codes[0]], theirs[:, codes[1]]


def plain_name(names: pd.Series) -> pd.Series:
    """Bring names of roads to one spelling: case, punctuation, and the usual short forms of street, road..."""
    plain = names.str.normalize("NFKC").str.casefold().str.replace(r"[^\w\s]", "", regex=True)
    for short, long in _SHORT.items():
        plain = plain.str.replace(short, long, regex=True)
    return plain.str.split().str.join(" ")


def plain_ref(refs: pd.Series) -> pd.Series:
    """Bring numbers of roads to one spelling: ``A 647`` is ``A647``."""
    return refs.str.casefold().str.replace(r"\s+", "", regex=True)


def plain_class(classes: pd.Series) -> pd.Series:
    """Bring classes of roads to one spelling; OpenStreetMap's and STATS19's to the letter on the signs."""
    plain = classes.str.casefold().str.strip()
    return plain.map(LETTERS).astype("string").fillna(plain)
