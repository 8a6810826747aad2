"""How far the risk of neighbouring segments is alike, and blocks of that size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import norm

from geo.safety.comparison.covariance import MIN_EVENTS, MIN_SEGMENTS
from geo.safety.rates import LEVEL

STEP_M, FURTHEST_M = 100.0, 1500.0
FADED = 0.1
"""Of the likeness of the nearest segments: less is taken as none."""
MIN_PAIRS = 30
"""Distances with fewer pairs of segments are not judged."""
FALLBACK_M = 500.0
"""Side of blocks where the correlogram cannot tell one (metres)."""
_SAMPLE, _CHUNK = 4000, 256
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Blocks:
    """Square blocks.

    Attributes
    ----------
    of
        Number of the block of each segment, from 0, ``(n,)``.
    count
        How many blocks hold segments.
    size_m
        Side of a block (metres).
    known
        Whether a correlogram told the size; else it is `FALLBACK_M`.
    words
        How the size came about.
    """

    of: Integers
    count: int
    size_m: float
    known: bool
    words: str


def risk_correlogram(counts: Floats, expected: Floats, places: Floats) -> pd.DataFrame:
    """Lay out how alike residual risk is, by distance.

    The covariance of relative risk at a distance is the sum of products of residuals ``(observed - expected)`` over
    pairs so far apart, over the sum of products of their expected counts: the pair correlation function less 1
    (Ripley 1977, J. R. Statist. Soc. B 39:172-212, for counts on segments).

    Parameters
    ----------
    counts, expected
        Collisions of each segment, and how many are expected of it, ``(n,)``.
    places
        Middles of the segments, ``(n, 2)`` (metres).

    Returns
    -------
    One row a distance: ``from_m, to_m, pairs, value`` (covariance of relative risk), ``noise``: what segments that
    differ as much, but each for itself, stay below in 95 of 100 cases (one-sided). Null where there are too few pairs.
    """
    mu = np.asarray(expected, dtype=np.float64)
    residual = np.asarray(counts, dtype=np.float64) - mu
    squares = float((mu**2).sum())
    own = max(float((residual**2 - mu).sum()) / squares, 0.0) if squares > 0 else 0.0
    return _by_distance(residual, mu, mu + own * mu**2, places)


def value_correlogram(values: Floats, places: Floats) -> pd.DataFrame:
    """Lay out how alike values are, by distance, all of their columns together.

    As `risk_correlogram`; ``value`` is the mean product of deviations over pairs, over the variance: 1 where all are
    alike, 0 as without any order in space (Moran 1950, Biometrika 37:17-23, by distance). Of values without any order
    the product of two vectors varies by the sum of the squares of their covariances.

    Parameters
    ----------
    values
        ``(n, columns)``, none of them null.
    places
        Middles of the segments, ``(n, 2)`` (metres).
    """
    one = np.ones(len(places))
    deviation = values - values.mean(axis=0) if len(values) else values
    spread = float((deviation**2).mean(axis=0).sum()) if len(values) else 0.0
    if spread <= 0:
        return _by_distance(np.zeros(len(places)), one, one, places).assign(value=np.nan, noise=np.nan)
    covariance = deviation.T @ deviation / len(values)
    table = _by_distance(deviation, one, np.full(len(places), np.linalg.norm(covariance)), places)
    return table.assign(value=table["value"] / spread, noise=table["noise"] / spread)


def _by_distance(residual: Floats, weight: Floats, variance: Floats, places: Floats) -> pd.DataFrame:
    """Sum products over pairs by distance; of many segments, every so-manieth is paired with all others."""
    columns = residual.reshape(len(places), -1)
    edges = np.arange(0.0, FURTHEST_M + STEP_M, STEP_M)
    bins = len(edges) - 1
    sums = np.zeros((4, bins))
    every = np.unique(np.linspace(0, max(len(places) - 1, 0), min(len(places), _SAMPLE)).astype(np.int64))
    for first in range(0, len(every), _CHUNK):
        rows = every[first : first + _CHUNK]
        distance = cdist(places[rows], places)
        distance[np.arange(len(rows)), rows] = np.inf
        near = distance < FURTHEST_M
        at = (distance[near] / STEP_M).astype(np.int64)
        one, other = np.nonzero(near)
        one = rows[one]
        for row, values in enumerate(
            (
                np.ones(len(at)),
                np.einsum("ij,ij->i", columns[one], columns[other]),
                weight[one] * weight[other],
                variance[one] * variance[other],
            )
        ):
            sums[row] += np.bincount(at, values, bins)
    pairs, product, scale, chance = sums
    twice = 2 if len(every) == len(places) else 1
    usable = (pairs >= MIN_PAIRS * twice) & (scale > 0)
    safe = np.where(usable, scale, 1.0)
    noise = norm.ppf(LEVEL) * np.sqrt(chance * twice) / safe
    return pd.DataFrame(
        {
            "from_m": edges[:-1],
            "to_m": edges[1:],
            "pairs": (pairs / twice).astype(np.int64),
            "value": np.where(usable, product / safe, np.nan),
            "noise": np.where(usable, noise, np.nan),
        }
    )


def likeness_reach(correlogram: pd.DataFrame) -> float | None:
    """Find the distance at which likeness falls to noise, or to a tenth of that of the nearest.

    The tenth, because in a large network noise is so small that no distance would do.

    Returns
    -------
    Metres; 0 where not even the nearest are alike; None where the nearest distance that can be judged is further than
    `FALLBACK_M`, or all that can be judged are above noise.
    """
    judged = correlogram[correlogram["value"].notna()]
    if judged.empty or judged["from_m"].iloc[0] >= FALLBACK_M:
        return None
    floor = np.maximum(judged["noise"], FADED * judged["value"].iloc[0])
    quiet = judged[judged["value"] <= floor]
    if quiet.empty:
        return None
    first = quiet["from_m"].iloc[0]
    return 0.0 if (judged["from_m"] < first).sum() == 0 else float(first)


def make_blocks(counts: Floats, expected: Floats, places: Floats) -> Blocks:
    """Cut the plane into squares, outside of which residual risk is no longer visibly alike.

    Parameters
    ----------
    counts, expected
        Collisions of each segment, and how many are expected of it, ``(n,)``.
    places
        Middles of the segments, ``(n, 2)`` (metres).
    """
    if len(places) < MIN_SEGMENTS or counts.sum() < MIN_EVENTS:
        words = (
            f"{len(places)} segments and {int(counts.sum())} collisions are too few for a correlogram: "
            f"blocks of {FALLBACK_M:.0f} m were assumed"
        )
        return _squares(places, FALLBACK_M, words, known=False)
    found = likeness_reach(risk_correlogram(counts, expected, places))
    if found is None:
        words = f"residual risk does not fall to noise within {FURTHEST_M:.0f} m: blocks of that size"
        return _squares(places, FURTHEST_M, words, known=False)
    if found == 0:
        words = f"neighbours' residual risk is not visibly alike: blocks of {STEP_M:.0f} m, the least judged"
        return _squares(places, STEP_M, words, known=True)
    words = f"residual risk falls to noise, or a tenth of that of neighbours, at {found:.0f} m: blocks of that size"
    return _squares(places, found, words, known=True)


def _squares(places: Floats, size_m: float, words: str, *, known: bool) -> Blocks:
    if not len(places):
        return Blocks(np.empty(0, dtype=np.int64), 0, size_m, known, words)
    square = np.floor((places - places.min(axis=0)) / size_m)
    found, of = np.unique(square, axis=0, return_inverse=True)
    return Blocks(of.ravel().astype(np.int64), len(found), size_m, known, words)
