"""How the risk of segments varies beyond their expected counts: each for itself, and together with its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

TILE = 500
"""Segments whose covariance is taken together; larger networks are cut into such tiles."""
MANY, SMALL_TILE = 5000, 250
"""Of more segments than the first, tiles are of at most the second number."""
MOST_TILES = 24
"""Of very large networks every so-manieth tile is used: some 5,000 segments tell three parameters well enough."""
PRIOR_VARIANCE = 2.0
"""Of the logarithm of each parameter, before the counts were looked at: a factor of 16 either way at two deviations."""
STEP = 0.2
"""Of the logarithms of parameters, by which curvatures are taken."""
MIN_SEGMENTS, MIN_EVENTS = 30, 20
"""With fewer, no covariance is fitted."""
_LEAST, _MOST = 1e-3, 30.0
"""Bounds of both variances (of relative risk)."""
_SHORTEST_M = 15.0
CELLS = 900
"""Places among which covariances are computed; of more segments, those of a square are taken together."""
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RiskCovariance:
    """Covariance of relative risk ``u``: a count has mean ``mu u``, ``E u = 1``.

    Attributes
    ----------
    own
        Variance of what a segment has for itself (overdispersion, as of the negative binomial).
    shared
        Variance of what it shares with its neighbours.
    range_m
        The correlation of the shared part at distance ``d`` is ``exp(-d / range_m)``; at three times this it is 0.05.
    events
        How many collisions it was fitted to.
    reason
        Why it could not be fitted and both variances are 0, in words; else empty.
    unsure
        Covariance of the logarithms of the three, ``(3, 3)``; None: they are taken as known.
    """

    own: float
    shared: float
    range_m: float
    events: int
    reason: str = ""
    unsure: tuple[tuple[float, ...], ...] | None = None

    @property
    def parameters(self) -> tuple[float, float, float]:
        """The three in the order of `unsure`."""
        return self.own, self.shared, self.range_m


def fit_covariance(
    counts: Floats, expected: Floats, design: Floats, places: Floats, near: RiskCovariance | None = None
) -> RiskCovariance:
    """Fit the covariance of relative risk by restricted maximum likelihood.

    Residuals ``counts - expected`` are taken as normal with covariance ``diag(mu + own mu^2) + shared mu mu' exp(-d /
    range)``; means that were fitted to the same counts are taken out of the likelihood (Patterson and Thompson 1971,
    Biometrika 58:545-554), without which both variance and range come out too small. As a working model for counts:
    Gotway and Stroup 1997, J. Agric. Biol. Environ. Stat. 2:157-178. Networks of more than `TILE` segments are cut into
    compact tiles that are taken as independent (Stein, Chi and Welty 2004, J. R. Statist. Soc. B 66:275-296). How
    unsure the three are is the inverse of the curvature at the maximum, with a weak prior about it (`PRIOR_VARIANCE`),
    without which a range that nothing is shared over would be wholly unknown.

    Parameters
    ----------
    counts, expected
        Collisions of each segment, and how many are expected of it, ``(n,)``.
    design
        Columns of the log-linear model that `expected` was fitted by, ``(n, q)``; redundant ones do no harm.
    places
        Middles of the segments, ``(n, 2)`` (metres).
    near
        A covariance that this one will be near to, where the search begins; None: not known.
    """
    events = int(counts.sum())
    used = expected > 0
    if used.sum() < MIN_SEGMENTS or events < MIN_EVENTS:
        reason = (
            f"{int(used.sum())} segments and {events} collisions: fewer than {MIN_SEGMENTS} or {MIN_EVENTS}"
        )
        return RiskCovariance(0.0, 0.0, np.nan, events, reason)
    mu, places = expected[used], places[used]
    basis = design[used] * mu[:, None]
    residual = counts[used] - mu
    tiles = [
        (mu[rows], residual[rows], basis[rows], cdist(places[rows], places[rows])) for rows in _tiles(places)
    ]
    longest = max(float(np.ptp(places, axis=0).max()), 2 * _SHORTEST_M)
    bounds = [(np.log(_LEAST), np.log(_MOST))] * 2 + [(np.log(_SHORTEST_M), np.log(longest))]

    def loss(parameters: Floats) -> float:
        own, shared, range_m = np.exp(parameters)
        return restricted_loss(tiles, float(own), float(shared), float(range_m))

    starts = [
        np.log([0.3, 0.3, np.clip(at, _SHORTEST_M * 1.5, longest / 1.5)]) for at in (80.0, longest / 10)
    ]
    if near is not None and not near.reason:
        inside = [
            np.clip(np.log(value), *bound) for value, bound in zip(near.parameters, bounds, strict=True)
        ]
        starts.append(np.array(inside))
    first = min(starts, key=loss)
    best = minimize(
        loss,
        first,
        method="Nelder-Mead",
        bounds=bounds,
        options={"maxiter": 150, "xatol": 0.02, "fatol": 0.01},
    )
    own, shared, range_m = (float(value) for value in np.exp(best.x))
    return RiskCovariance(own, shared, range_m, events, unsure=_unsure(loss, best.x))


def _unsure(loss: Callable[[Floats], float], at: Floats) -> tuple[tuple[float, ...], ...]:
    """Invert half the curvature of twice a negative log-likelihood, and the prior's, by central differences."""
    steps = STEP * np.eye(len(at))
    here = loss(at)
    ahead, behind = ([loss(at + side * step) for step in steps] for side in (1, -1))
    curvature = np.diag(np.add(ahead, behind) - 2 * here)
    for one, other in combinations(range(len(at)), 2):
        both = loss(at + steps[one] + steps[other]) + loss(at - steps[one] - steps[other])
        mixed = both - ahead[one] - behind[one] - ahead[other] - behind[other] + 2 * here
        curvature[one, other] = curvature[other, one] = mixed / 2
    values, vectors = np.linalg.eigh(curvature / (2 * STEP**2))
    # the counts can take nothing from what the prior knows
    known = np.where(np.isfinite(values), np.clip(values, 0, None), 0.0) + 1 / PRIOR_VARIANCE
    return tuple(tuple(float(value) for value in row) for row in (vectors / known) @ vectors.T)


def restricted_loss(
    tiles: list[tuple[Floats, Floats, Floats, Floats]], own: float, shared: float, range_m: float
) -> float:
    """Twice the negative restricted log-likelihood; directions in which the basis is redundant are left out."""
    determinant, square = 0.0, 0.0
    width = tiles[0][2].shape[1]
    cross, mixed = np.zeros((width, width)), np.zeros(width)
    for mu, residual, basis, distance in tiles:
        covariance = np.exp(-distance / range_m) * (shared * mu)[:, None] * mu
        covariance[np.diag_indices(len(mu))] += mu + own * mu**2
        try:
            root = cholesky(covariance, lower=True, check_finite=False)
        except LinAlgError:
            return float("inf")
        white = solve_triangular(root, np.column_stack([basis, residual]), lower=True, check_finite=False)
        determinant += 2 * float(np.log(np.diag(root)).sum())
        cross += white[:, :-1].T @ white[:, :-1]
        mixed += white[:, :-1].T @ white[:, -1]
        square += float((white[:, -1] ** 2).sum())
    values, vectors = np.linalg.eigh(cross)
    kept = values > values.max() * 1e-9
    along = vectors[:, kept].T @ mixed
    return determinant + float(np.log(values[kept]).sum()) + square - float((along**2 / values[kept]).sum())


def _tiles(places: Floats) -> list[Integers]:
    """Cut places into compact groups of at most `TILE` or `SMALL_TILE`, by halving the longer side at the median."""
    todo, done = [np.arange(len(places))], []
    most = TILE if len(places) <= MANY else SMALL_TILE
    while todo:
        rows = todo.pop()
        if len(rows) <= most:
            done.append(rows)
            continue
        axis = int(np.argmax(np.ptp(places[rows], axis=0)))
        order = rows[np.argsort(places[rows, axis], kind="stable")]
        todo += [order[: len(order) // 2], order[len(order) // 2 :]]
    chosen = np.unique(np.linspace(0, len(done) - 1, min(len(done), MOST_TILES)).round().astype(int))
    return [done[number] for number in chosen]


@dataclass(frozen=True, slots=True)
class Cells:
    """Places among which covariances are computed.

    Attributes
    ----------
    of
        Number of the cell of each segment, from 0.
    centre
        Mean place of the segments of each cell, ``(cells, 2)`` (metres).
    side_m
        Side of the square cells (metres); 0 where each segment is a cell.
    """

    of: Integers
    centre: Floats
    side_m: float


def make_cells(places: Floats, cells: int = CELLS) -> Cells:
    """Gather segments in squares, as small as gives at most `cells` of them; few segments are a cell each."""
    if len(places) <= cells:
        return Cells(np.arange(len(places)), places, 0.0)
    side = 50.0
    while True:
        square = np.floor((places - places.min(axis=0)) / side)
        found, of = np.unique(square, axis=0, return_inverse=True)
        if len(found) <= cells:
            break
        side *= 1.15
    of = of.ravel()
    size = np.bincount(of)
    centre = np.column_stack([np.bincount(of, places[:, axis]) / size for axis in (0, 1)])
    return Cells(of, centre, side)


def correlation(cells: Cells, range_m: float) -> Floats:
    """Correlations of the shared risk between cells; within a square, of two places in it on average."""
    if not np.isfinite(range_m):
        return np.eye(len(cells.centre))
    between = np.exp(-cdist(cells.centre, cells.centre) / range_m)
    if cells.side_m > 0:
        line = (np.arange(6) + 0.5) / 6 * cells.side_m
        grid = np.column_stack([axis.ravel() for axis in np.meshgrid(line, line)])
        np.fill_diagonal(between, float(np.exp(-cdist(grid, grid) / range_m).mean()))
    return between
