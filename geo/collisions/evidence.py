"""What a record says of its road, held against the roads near it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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


def agreement(records: pd.DataFrame, roads: pd.DataFrame) -> NDArray[np.int64]:
    """Tell how strongly each record names the road beside it.

    Parameters
    ----------
    records
        ``road_ref``, ``road_name``, ``road_class`` of the collisions.
    roads
        ``ref``, ``name``, ``road_class`` of the roads, row by row with `records`.

    Returns
    -------
    `NUMBER`, `NAME`, `CLASS`, or 0 where nothing agrees.
    """
    score = np.zeros(len(records), dtype=np.int64)
    for strength, theirs, ours, plain in (
        (CLASS, "road_class", "road_class", plain_class),
        (NAME, "road_name", "name", plain_name),
        (NUMBER, "road_ref", "ref", plain_ref),
    ):
        told = _of_unique(records[theirs], plain)
        if told.isna().all():
            continue
        score[(told == _of_unique(roads[ours], plain)).fillna(value=False).to_numpy(dtype=bool)] = strength
    return score


def _of_unique(values: pd.Series, plain: object) -> pd.Series:
    """Apply a normalisation once a value."""
    assert callable(plain)
    codes, unique = pd.factorize(values)
    done = pd.Series(plain(pd.Series(unique, dtype="string")), dtype="string")
    return done.reindex(codes).reset_index(drop=True)


def plain_name(names: pd.Series) -> pd.Series:
    """Bring names of roads to one spelling: case, punctuation, and the usual short forms of street, road..."""
    plain = names.str.casefold().str.replace(r"[^\w\s]", "", regex=True)
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
