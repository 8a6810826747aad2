"""What columns of ground are called, and what differs on the ground beside roads that look alike, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from geo.ground.there.columns import PREFIX, told_by
from geo.ground.there.different import differences_of_named, differences_of_pairs
from geo.outputs.layers.ground import CLASSES, DIFFERS, NAMED_DIFFERS


def called(name: Any, key: object) -> str:  # noqa: ANN401 - any kind of null
    """Give what a class of ground is called: by its name, else ``class`` and its key.

    Examples
    --------
    >>> called("car park", "3"), called(None, "3")
    ('car park', 'class 3')
    """
    return f"class {key}" if pd.isna(name) or not str(name).strip() else str(name).strip()


def titles_of(classes: pd.DataFrame) -> dict[str, str]:
    """Give what each class of ground is called, by its key.

    Parameters
    ----------
    classes
        The layer `CLASSES`.
    """
    return {str(key): called(name, key) for key, name in zip(classes["key"], classes["name"], strict=True)}


def titles(columns: Iterable[str], classes: Mapping[str, str]) -> dict[str, str]:
    """Give what QGIS shows in place of the names of columns that hold shares of ground, and what differs.

    Parameters
    ----------
    columns
        Names of any columns, in order.
    classes
        What each class is called, by its key (`titles_of`).
    """
    own = {"known": "what is known", "unknown": "what is not known"}
    found = {}
    for column in columns:
        told = told_by(column)
        if told is not None:
            key, band = told
            what = own.get(key, classes.get(key, called(None, key)))
            found[column] = f"Ground {band.words} from the centreline: {what} (share)"
        elif column in {DIFFERS, NAMED_DIFFERS}:
            found[column] = "Ground: what differs most from the road that looks most like it"
        elif column.startswith(PREFIX):
            found[column] = column.removeprefix(PREFIX).replace("_", " ").capitalize()
    return found


def tell_apart(layers: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Say of roads that look alike what differs on the ground beside them, where there is a map of the ground.

    Parameters
    ----------
    layers
        By name; those without `CLASSES` are given back as they are.

    Returns
    -------
    The same with `DIFFERS` in ``look_alikes`` and `NAMED_DIFFERS` in ``segments``.
    """
    found = dict(layers)
    if CLASSES not in found:
        return found
    classes, segments = titles_of(found[CLASSES]), found["segments"]
    pairs = differences_of_pairs(found["look_alikes"], segments, classes)
    if pairs is not None:
        found["look_alikes"] = found["look_alikes"].assign(**{DIFFERS: pairs})
    named = differences_of_named(segments, classes)
    if named is not None:
        found["segments"] = segments.assign(**{NAMED_DIFFERS: named})
    return found
