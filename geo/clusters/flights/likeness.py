"""Whether roads of one class look alike from flight to flight: how neighbours mix, and what they tell of class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from geo.clusters.space import Points

NEIGHBOURS = 5
APART_M = 500.0
"""Segments nearer to each other are no neighbours: part of the same street, or of the same development (metres)."""
BLOCK_M = 500.0
"""Side of the blocks that are drawn together (metres)."""
LEAST = 10
"""A class tells something of a flight from so many segments on."""
SAMPLED = 4000
"""Of more segments of one flight, so many are looked at."""
DRAWS = 999
UNDONE = 0.8
"""A correction is undone where transfer is lower in more than this share of the draws. Where it changes nothing, that
undoes it once in five times, which costs no more than what it would have gained."""
_AT_ONCE = 512
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Alike:
    """How alike roads of one class are from flight to flight.

    Attributes
    ----------
    rows
        One row a segment that could be looked at, on its row number: ``cell`` (its flight and class), ``block``,
        ``mixed`` (share of its nearest neighbours of its class that are of other flights), ``expected`` (share of all
        that could be), ``across`` (whether its neighbours in other flights tell its class) and ``within`` (whether
        those in its own do; null: there are too few).
    mixing
        Mean of ``mixed`` over that of ``expected``: 1 where flights play no part, 0 where they keep apart.
    transfer, within
        Recall of the class, mean over flights and classes (0 to 1): from other flights, and within each.
    chance
        What a class drawn at random would give.
    """

    rows: pd.DataFrame
    mixing: float
    transfer: float
    within: float
    chance: float


@dataclass(frozen=True, slots=True)
class Change:
    """What a correction does to transfer.

    Attributes
    ----------
    difference, low, high
        Transfer after less before, and the limits of 95 % of the draws.
    lower
        Share of the draws in which it is lower after.
    """

    difference: float
    low: float
    high: float
    lower: float

    @property
    def undone(self) -> bool:
        """Whether it lowers transfer."""
        return bool(self.lower > UNDONE)


def alike(points: Points, roads: pd.DataFrame) -> Alike | None:
    """Hold roads of one flight against those of the others.

    Parameters
    ----------
    points
        Array ``(n, components)`` of rows of length 1 (`geo.clusters.space.to_space`).
    roads
        Their ``flight``, ``road_class`` (null: not known), and the middle of each, ``x`` and ``y`` (metres).

    Returns
    -------
    None where no class has `LEAST` segments in two flights. Neighbours are the `NEIGHBOURS` nearest by the cosine that
    lie `APART_M` or more away; each votes for its class with the inverse of the number of its class, since most roads
    are of one class. Of more than `SAMPLED` segments of a flight, so many in even steps are taken.
    """
    kept = _even(roads)
    table = roads.iloc[kept][["flight", "road_class", "x", "y"]].reset_index(drop=True)
    table["row"] = kept
    sizes = table.groupby(["road_class", "flight"])["row"].transform("size")
    table = table[table["road_class"].notna() & table["flight"].notna() & (sizes >= LEAST)]
    flights_of_class = table.groupby("road_class")["flight"].transform("nunique")
    table = table[flights_of_class > 1].reset_index(drop=True)
    if table.empty or table["road_class"].nunique() < 2:
        return None
    classes, names = pd.factorize(table["road_class"], sort=True)
    flights, _ = pd.factorize(table["flight"], sort=True)
    found = _looked_at(points[table["row"]], table[["x", "y"]].to_numpy(), flights, classes)
    block = np.floor(table[["x", "y"]].to_numpy() / BLOCK_M).astype(np.int64)
    rows = found.assign(
        cell=pd.factorize(pd.MultiIndex.from_arrays([flights, classes]), sort=True)[0],
        block=pd.factorize(pd.MultiIndex.from_arrays([flights, *block.T]), sort=True)[0],
    ).set_index(table["row"].rename("row"))
    rows = rows[rows["across"].notna()]
    if rows.empty:
        return None
    mixing = float(rows["mixed"].sum() / rows["expected"].sum()) if rows["expected"].sum() > 0 else np.nan
    return Alike(rows, mixing, _recall(rows, "across"), _recall(rows, "within"), 1 / max(len(names), 1))


def compare(before: Alike, after: Alike, *, draws: int = DRAWS, seed: int) -> Change:
    """Hold transfer after a correction against that before, by a paired bootstrap of blocks in space.

    Blocks of `BLOCK_M` are drawn with replacement, the same for both (Efron and Tibshirani 1993, An Introduction to the
    Bootstrap, chapter 8: units that depend on each other are drawn together).

    Parameters
    ----------
    before, after
        Of the same segments.
    draws, seed
        How many draws, and their seed.
    """
    rows = before.rows[["cell", "block", "across"]].join(
        after.rows["across"].rename("across_after"), how="inner"
    )
    blocks = pd.factorize(rows["block"])[0]
    shape = int(blocks.max()) + 1, int(rows["cell"].max()) + 1
    at = blocks * shape[1] + rows["cell"].to_numpy()

    def sums(values: Floats) -> Floats:
        found: Floats = np.bincount(at, weights=values, minlength=shape[0] * shape[1]).astype(np.float64)
        return found.reshape(shape)

    counts = sums(np.ones(len(rows)))
    hits = [sums(rows[name].to_numpy(dtype=np.float64)) for name in ("across", "across_after")]
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(shape[0], np.full(shape[0], 1 / shape[0]), size=draws).astype(np.float64)
    # the first draw is what is there
    weights = np.vstack([np.ones(shape[0]), weights])
    with threadpool_limits(limits=1):
        number = weights @ counts
        there = number > 0
        recall = [(weights @ one) / np.where(there, number, 1) for one in hits]
    gain = ((recall[1] - recall[0]) * there).sum(axis=1) / there.sum(axis=1)
    low, high = np.quantile(gain[1:], [0.025, 0.975])
    return Change(float(gain[0]), float(low), float(high), float((gain[1:] < 0).mean()))


def _even(roads: pd.DataFrame) -> Integers:
    """Take at most `SAMPLED` rows of each flight, in even steps."""
    number = roads.groupby("flight", dropna=True).cumcount().to_numpy()
    size = roads.groupby("flight", dropna=True)["flight"].transform("size").fillna(0).to_numpy()
    share = np.minimum(1.0, SAMPLED / np.maximum(size, 1))
    return np.flatnonzero(np.floor((number + 1) * share) > np.floor(number * share))


def _recall(rows: pd.DataFrame, column: str) -> float:
    """Give the mean over flights and classes of the share whose class is told."""
    return float(rows.groupby("cell")[column].mean().mean())


def _looked_at(points: Points, places: Floats, flights: Integers, classes: Integers) -> pd.DataFrame:
    """Look at the neighbours of each segment: how they mix, and what they tell."""
    parts = list(_parts(points.astype(np.float32), places, flights, classes))
    columns = ("mixed", "expected", "across", "within")
    return pd.DataFrame(np.concatenate(parts) if parts else np.empty((0, 4)), columns=list(columns))


def _parts(
    points: NDArray[np.float32], places: Floats, flights: Integers, classes: Integers
) -> Iterator[Floats]:
    """Look at the neighbours of some segments at a time."""
    with threadpool_limits(limits=1):
        for first in range(0, len(points), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            cosines = points[some] @ points.T
            away = ((places[some, None, :] - places[None, :, :]) ** 2).sum(axis=2) >= APART_M**2
            other = flights[some, None] != flights[None, :]
            same = away & (classes[some, None] == classes[None, :])
            mixed = _share(cosines, same, other)
            expected = (same & other).sum(axis=1) / np.maximum(same.sum(axis=1), 1)
            told = [_told(cosines, away & among, classes, classes[some]) for among in (other, ~other)]
            yield np.column_stack([mixed, expected, *told])


def _share(cosines: NDArray[np.float32], allowed: NDArray[np.bool_], other: NDArray[np.bool_]) -> Floats:
    """Give the share of the nearest allowed ones that are of other flights; 0 where none is allowed."""
    best, there = _nearest(cosines, allowed)
    found = np.take_along_axis(other, best, axis=1) & there
    share: Floats = found.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return share


def _told(
    cosines: NDArray[np.float32], allowed: NDArray[np.bool_], classes: Integers, mine: Integers
) -> Floats:
    """Tell whether the nearest allowed ones vote for the class of each; null where its class has too few of them."""
    best, there = _nearest(cosines, allowed)
    number = int(classes.max()) + 1
    of_class = np.stack([allowed[:, classes == one].sum(axis=1) for one in range(number)], axis=1)
    votes = np.zeros((len(cosines), number))
    rows = np.broadcast_to(np.arange(len(cosines))[:, None], best.shape)
    weight = there / np.maximum(np.take_along_axis(of_class, classes[best], axis=1), LEAST)
    # of equal votes the class of the nearest has it
    weight = weight * (1 - 1e-6 * np.arange(best.shape[1]))
    np.add.at(votes, (rows, classes[best]), weight)
    enough = of_class[np.arange(len(mine)), mine] >= LEAST
    return np.where(enough, votes.argmax(axis=1) == mine, np.nan)


def _nearest(cosines: NDArray[np.float32], allowed: NDArray[np.bool_]) -> tuple[Integers, NDArray[np.bool_]]:
    """Find the nearest allowed ones of each row, the most alike first, and whether there are so many."""
    seen = np.where(allowed, cosines, -np.inf)
    kept = min(NEIGHBOURS, seen.shape[1])
    top = np.sort(np.argpartition(-seen, kept - 1, axis=1)[:, :kept], axis=1)
    best = np.take_along_axis(seen, top, axis=1)
    order = np.argsort(-best, axis=1, kind="stable")
    return np.take_along_axis(top, order, axis=1), np.take_along_axis(best, order, axis=1) > -np.inf
