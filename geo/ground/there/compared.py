"""What lies beside roads of each type, against roads of the other types, with limits by spatial blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, t

from geo.ground.there.columns import Ground, ground_of
from geo.safety.comparison.blocks import FURTHEST_M, STEP_M, likeness_reach, value_correlogram
from geo.safety.picture.crossvalidation import blocks_of
from geo.safety.picture.imagery_value import GRIDS, shift_of
from geo.safety.rates import LEVEL

MIN_PIECES = 5.0
"""A type whose roads, or whose others, tell as much as fewer independent ones gets no limits: they would be guesses."""
MIN_BLOCKS = 3
"""The same of a type that lies in fewer blocks."""
RESAMPLES = 250
"""Of the blocks of each grid."""
WHOLE = "whole"
_SEEN = 4000
"""Segments that are looked at for how far ground is alike, at most."""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Sums:
    """Ground of each block, type and cell (a band's class), and known ground of the cell's band: square metres."""

    of_class: Floats
    known: Floats


def compare_ground(segments: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Compare the ground beside roads of each type with that beside roads of all other types.

    A share is of the known ground of a band of distance, over all roads of a type: sums over sums, so that a long road
    counts as much as the ground beside it. What is near is alike, so limits are of resampled square blocks and not of
    segments, on `GRIDS` grids that begin elsewhere (as in `geo.safety.picture.imagery_value`; a ratio of sums over
    clusters: Davison and Hinkley 1997, Bootstrap Methods and their Application, sections 2.4 and 3.8). Blocks are
    as wide as ground is alike, at least `STEP_M`, and standard errors are widened by what likeness across their edges
    leaves out (`share_within`), and by Student's quantile over the normal one, with one degree of freedom less than the
    roads of a type tell as independent ones would (roads over the design effect: Kish 1965, Survey Sampling, ch. 5).

    Limits hold for all types and classes at once: the difference plus and minus its standard error times the quantile
    of the greatest standardised difference among all (sup-t bands: Montiel Olea and Plagborg-Moeller 2019, Journal of
    Applied Econometrics 34:1-17, algorithm 2). They hold for the map as it is: that a map of classes errs, and may err
    more beside one type than another, is not in them.

    Parameters
    ----------
    segments
        ``cluster`` (null: no type, takes no part), ``length_m``, ``x, y`` (a point of the segment, metres) and shares
        of ground (`geo.ground.there.columns`).
    seed
        Of the resampling.

    Returns
    -------
    One row a type, class and band, and one for all bands together (``band`` is `WHOLE`): ``cluster, key, band, share,
    share_others, difference`` (this less others), ``low, high``, ``known`` (share of the ground that is known beside
    roads of the type), ``n_blocks`` (that hold it, or its others where fewer do; of the grid with fewest),
    ``n_independent`` (as how many its roads tell, or its others), ``block_m``, ``reason`` why there are
    no limits. Shares are null where nothing is known. Without a type or shares of ground it is empty.
    """
    ground = ground_of(segments)
    typed = segments["cluster"].notna().to_numpy()
    if ground is None or not typed.any():
        return pd.DataFrame(columns=COLUMNS)
    frame = segments[typed].sort_index()
    ground = Ground(ground.keys, ground.bands, ground.shares[typed][np.argsort(segments.index[typed])])
    types, of = np.unique(frame["cluster"].to_numpy(dtype=np.int64), return_inverse=True)
    of_class, known = _cells(ground, frame["length_m"].to_numpy(dtype=np.float64))
    reach, correlogram = _reach(ground, of, frame[["x", "y"]].to_numpy(dtype=np.float64))
    block_m = max(STEP_M, reach)
    found, drawn, blocks = _resample(frame, of, len(types), _Sums(of_class, known), block_m, seed)
    told = np.bincount(of[known[:, 0] > 0], minlength=len(types))
    pieces = _independent(told, correlogram)
    few = (blocks < MIN_BLOCKS) | (pieces < MIN_PIECES)
    freedom = np.maximum(pieces - 1, 1)
    wider = (
        share_within(correlogram, block_m) ** -0.5
        * t.ppf((1 + LEVEL) / 2, freedom)
        / norm.ppf((1 + LEVEL) / 2)
    )
    low, high = _limits(found[2], drawn, few, len(ground.bands), wider[:, None])
    length = np.bincount(of, frame["length_m"].to_numpy(dtype=np.float64), len(types))
    widths = np.array([2.0 * (band.far_m - band.near_m) for band in ground.bands])
    beside = np.zeros((len(types), of_class.shape[1]))
    np.add.at(beside, of, known)
    whole = length[:, None] * np.repeat([widths.sum(), *widths], len(ground.keys))
    reasons = np.array([FEW.format(block_m), None], dtype=object)
    cells = of_class.shape[1]
    return _lay_out(ground, types, found, (low, high)).assign(
        known=(beside / np.maximum(whole, 1e-9)).ravel(),
        n_blocks=np.repeat(blocks, cells),
        n_independent=np.repeat(pieces, cells),
        block_m=block_m,
        reason=np.repeat(reasons[(~few).astype(int)], cells),
    )[COLUMNS]


FEW = "its roads, or the others, lie in too few parts of town that differ by themselves (ground is alike over {:.0f} m)"
COLUMNS = [
    "cluster",
    "key",
    "band",
    "share",
    "share_others",
    "difference",
    "low",
    "high",
    "known",
    "n_blocks",
    "n_independent",
    "block_m",
    "reason",
]


def _cells(ground: Ground, length: Floats) -> tuple[Floats, Floats]:
    """Give the ground of each class, all bands together and then band by band, and what is known of the same ground.

    Returns
    -------
    Square metres, ``(segments, (1 + bands) * classes)``, twice.
    """
    areas = ground.areas * length[:, None, None]
    areas = np.concatenate([areas.sum(axis=1, keepdims=True), areas], axis=1)
    known = np.broadcast_to(areas.sum(axis=2, keepdims=True), areas.shape)
    flat = len(length), -1
    return areas.reshape(flat), known.reshape(flat)


def _reach(ground: Ground, of: Ints, places: Floats) -> tuple[float, pd.DataFrame]:
    """Tell how far ground is alike among roads of a type (metres), with its correlogram up to there.

    The pairs of the correlogram are of all segments where only some of many were looked at.
    """
    areas = ground.areas.sum(axis=1)
    known = areas.sum(axis=1)
    there = np.flatnonzero(known > 0)
    seen = there[np.unique(np.linspace(0, max(len(there) - 1, 0), min(len(there), _SEEN)).astype(np.int64))]
    shares = pd.DataFrame(areas[seen] / known[seen, None])
    deviation = (shares - shares.groupby(of[seen]).transform("mean")).to_numpy(dtype=np.float64)
    correlogram = value_correlogram(deviation, places[seen])
    reach = likeness_reach(correlogram)
    reach = FURTHEST_M if reach is None else reach
    # pairs grow with the square of segments, and are told beside each segment with itself
    scale = len(there) / max(len(seen), 1)
    correlogram = correlogram[correlogram["from_m"] < reach]
    return reach, correlogram.assign(pairs=correlogram["pairs"] * scale / max(len(seen), 1))


def _independent(counts: NDArray[np.integer], correlogram: pd.DataFrame) -> Floats:
    """Tell as how many independent roads those of each type tell, or of its others where these tell less."""
    alike = (correlogram["value"].fillna(0.0).clip(lower=0.0) * correlogram["pairs"]).sum()
    fewer = np.minimum(counts, counts.sum() - counts)
    pieces: Floats = fewer / (1 + 2 * float(alike))
    return pieces


def share_within(correlogram: pd.DataFrame, block_m: float) -> float:
    """Tell which share of the covariance of neighbours is that of neighbours in one block, over all ways to lay a grid.

    The variance of a sum is the sum of covariances over all pairs; that of resampled blocks, in the mean over grids,
    holds a pair at a distance d as often as one square of the side b of a grid that is laid at random holds both:
    ``(1 - d |cos|/b) (1 - d |sin|/b)`` in the mean over directions (Solomon 1978, Geometric Probability, ch. 1).

    Parameters
    ----------
    correlogram
        ``from_m, to_m``, ``value`` (likeness at that distance; null: none), ``pairs`` (for each segment).
    block_m
        Side of a block (metres).
    """
    angle = (np.arange(90) + 0.5) * np.pi / 180
    middle = correlogram[["from_m", "to_m"]].mean(axis=1).to_numpy(dtype=np.float64)[:, None]
    sides = [np.clip(1 - middle * np.abs(turn(angle)) / block_m, 0, None) for turn in (np.cos, np.sin)]
    alike = correlogram["value"].fillna(0.0).clip(lower=0.0).to_numpy() * correlogram["pairs"].to_numpy()
    together = (sides[0] * sides[1]).mean(axis=1)
    return float((1 + 2 * (alike * together).sum()) / (1 + 2 * alike.sum()))


def _resample(
    frame: pd.DataFrame, of: Ints, n_types: int, sums: _Sums, block_m: float, seed: int
) -> tuple[tuple[Floats, Floats, Floats], Floats, Ints]:
    """Tell shares, those of the others and their differences, of all roads and (differences alone) of resampled blocks.

    Returns
    -------
    Shares as ``(types, cells)``; differences as ``(resamples of all grids, types, cells)``; in how many blocks each
    type, or its others where these lie in fewer, lie on the grid where that is fewest.
    """
    rng, cells = np.random.default_rng([seed, 2]), sums.known.shape[1]
    drawn, fewest = [], np.full(n_types, np.iinfo(np.int64).max)
    for number in range(GRIDS):
        blocks = blocks_of(frame, block_m, shift_of(number))
        n = int(blocks.max()) + 1
        of_class, known = (np.zeros((n, n_types, cells)) for _ in range(2))
        np.add.at(of_class, (blocks, of), sums.of_class)
        np.add.at(known, (blocks, of), sums.known)
        # the first cells are of all bands
        holds = known[:, :, 0] > 0
        others = holds.sum(axis=1, keepdims=True) - holds > 0
        fewest = np.minimum(fewest, np.minimum(holds.sum(axis=0), others.sum(axis=0)))
        often = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(np.float64)
        drawn.append(_differ(*(np.tensordot(often, part, axes=1) for part in (of_class, known)))[2])
    found = _differ(*(part.sum(axis=0, keepdims=True) for part in (of_class, known)))
    return (found[0][0], found[1][0], found[2][0]), np.concatenate(drawn), fewest


def _differ(of_class: Floats, known: Floats) -> tuple[Floats, Floats, Floats]:
    """Tell shares of each type, of its others, and their difference: ``(..., types, cells)``; NaN: nothing known."""
    total, of_all = of_class.sum(axis=-2, keepdims=True), known.sum(axis=-2, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.where(known > 0, of_class / known, np.nan)
        # what is left of a sum may be a rounding error
        left = of_all - known
        others = np.where(left > 1e-9 * of_all, (total - of_class) / left, np.nan)
    others = np.clip(others, 0, 1)
    return own, others, own - others


def _limits(
    difference: Floats, drawn: Floats, few: NDArray[np.bool_], n_bands: int, wider: Floats
) -> tuple[Floats, Floats]:
    """Give limits of differences that hold together, all bands as one family and single bands as another."""
    usable = np.isfinite(difference) & ~few[:, None]
    drawn = np.where(np.isfinite(drawn), drawn, difference)
    error = drawn.std(axis=0)
    usable &= error > 0
    n_classes = difference.shape[1] // (1 + n_bands)
    first = np.arange(difference.shape[1]) < n_classes
    half = np.full(difference.shape, np.nan)
    for family in (first, ~first):
        part = usable & family
        if part.any():
            # about the mean of the resamples, which a ratio of sums is a little off
            greatest = np.abs((drawn - drawn.mean(axis=0))[:, part] / error[part]).max(axis=1)
            half[part] = (wider * error)[part] * np.quantile(greatest, LEVEL)
    return np.maximum(difference - half, -1.0), np.minimum(difference + half, 1.0)


def _lay_out(
    ground: Ground, types: Ints, found: tuple[Floats, Floats, Floats], limits: tuple[Floats, Floats]
) -> pd.DataFrame:
    """Set out types, bands and classes one below the other."""
    bands = [WHOLE, *(band.column for band in ground.bands)]
    index = pd.MultiIndex.from_product([types, bands, ground.keys], names=["cluster", "band", "key"])
    names = ("share", "share_others", "difference", "low", "high")
    columns = {name: part.ravel() for name, part in zip(names, (*found, *limits), strict=True)}
    return pd.DataFrame(columns, index=index).reset_index()
