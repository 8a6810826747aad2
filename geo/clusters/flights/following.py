"""Whether types follow the flight: how much the one tells of the other, and how much chance alone would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DRAWS = 199
"""Permutations of flights within road class."""
ONE_FLIGHT = 0.95
"""A type of which more than this share of the length is of one flight is of that flight."""
UNLIKELY = 0.05
"""A type is called so where chance alone would make it so no more often."""
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Following:
    """How far types follow the flight.

    Attributes
    ----------
    nmi
        Normalised mutual information of type and flight (0: the one tells nothing of the other; 1: all).
    chance, chance_high
        Its mean, and its 95th percentile, where flights are shuffled among roads of one class.
    p_value
        Share of these at least as high, itself among them.
    types
        One row a type, by ``cluster``: ``top_flight`` (that most of its length is of), ``top_flight_share`` (of its
        length, 0 to 1) and ``by_chance`` (share of the shuffles in which so much of it is of one flight).
    """

    nmi: float
    chance: float
    chance_high: float
    p_value: float
    types: pd.DataFrame

    @property
    def of_one_flight(self) -> pd.DataFrame:
        """The types that are of one flight, more than chance would make them so."""
        return self.types[
            (self.types["top_flight_share"] > ONE_FLIGHT) & (self.types["by_chance"] <= UNLIKELY)
        ]


def follow(roads: pd.DataFrame, *, draws: int = DRAWS, seed: int) -> Following:
    """Tell how far types follow the flight that shows a road.

    Parameters
    ----------
    roads
        One row a segment: ``cluster``, ``flight``, ``road_class`` (null: not known, which is a class of its own) and
        ``length_m``; segments without type or flight are left out.
    draws, seed
        How many times flights are shuffled within road class, and the seed of that.

    Returns
    -------
    Null figures where there is no segment. Shuffles leave out that flights are places as well: two parts of a town
    differ by more than chance though the imagery is the same.

    Examples
    --------
    >>> roads = pd.DataFrame({"cluster": [1, 1, 2, 2] * 9, "flight": ["a", "a", "b", "b"] * 9, "length_m": 50.0})
    >>> found = follow(roads.assign(road_class="residential"), seed=0)
    >>> round(found.nmi, 2), found.chance < 0.1, found.types["top_flight"].tolist()
    (1.0, True, ['a', 'b'])
    """
    known = roads[roads["cluster"].notna() & roads["flight"].notna()]
    types, numbers = pd.factorize(known["cluster"].astype("int64"), sort=True)
    flights, names = pd.factorize(known["flight"].astype("str"), sort=True)
    if not len(known):
        columns = {
            "cluster": "int64",
            "top_flight": "str",
            "top_flight_share": "float64",
            "by_chance": "float64",
        }
        empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
        return Following(np.nan, np.nan, np.nan, np.nan, empty)
    classes = pd.factorize(known["road_class"], use_na_sentinel=False)[0]
    lengths = known["length_m"].to_numpy(dtype=np.float64)
    shape = len(numbers), len(names)
    counts = _table(types, flights, shape)
    nmi = normalised_information(counts)
    share, top = _top(_table(types, flights, shape, lengths))
    by_class = np.argsort(classes, kind="stable")
    rng = np.random.default_rng(seed)
    shuffled, as_much = np.empty(draws), np.zeros(len(numbers))
    for draw in range(draws):
        mixed = np.empty_like(flights)
        mixed[by_class] = flights[np.lexsort((rng.random(len(known)), classes))]
        shuffled[draw] = normalised_information(_table(types, mixed, shape))
        as_much += _top(_table(types, mixed, shape, lengths))[0] >= share
    table = pd.DataFrame(
        {
            "cluster": numbers,
            "top_flight": np.asarray(names, dtype=object)[top],
            "top_flight_share": share,
            "by_chance": as_much / draws,
        }
    )
    p_value = (1 + int((shuffled >= nmi - 1e-12).sum())) / (draws + 1)
    return Following(nmi, float(shuffled.mean()), float(np.quantile(shuffled, 0.95)), p_value, table)


def normalised_information(counts: Floats) -> float:
    """Give the mutual information of rows and columns over the mean of their entropies.

    Strehl and Ghosh 2002, J. Mach. Learn. Res. 3:583-617, with the arithmetic mean; 0 where either is but one.

    Parameters
    ----------
    counts
        Table of counts, ``(rows, columns)``.
    """
    shares = counts / counts.sum()
    rows, columns = _entropy(shares.sum(axis=1)), _entropy(shares.sum(axis=0))
    if rows == 0 or columns == 0:
        return 0.0
    return float(max(rows + columns - _entropy(shares.ravel()), 0.0) / ((rows + columns) / 2))


def _entropy(shares: Floats) -> float:
    some = shares[shares > 0]
    return float(-(some * np.log(some)).sum()) if len(some) > 1 else 0.0


def _table(
    types: Integers, flights: Integers, shape: tuple[int, int], weights: Floats | None = None
) -> Floats:
    """Count, or weigh, segments by type and flight."""
    counts = np.bincount(types * shape[1] + flights, weights=weights, minlength=shape[0] * shape[1])
    return counts.reshape(shape).astype(np.float64)


def _top(lengths: Floats) -> tuple[Floats, Integers]:
    """Find the flight with most of each type, and its share; of equal ones the first."""
    top = lengths.argmax(axis=1)
    whole = lengths.sum(axis=1)
    share = lengths.max(axis=1) / np.where(whole > 0, whole, 1)
    return np.round(share, 12), top
