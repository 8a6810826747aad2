"""How risk varies over the places of segments, and scores that are weighted by the inverse of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import coo_array, csr_array
from scipy.spatial import KDTree

from geo.safety.comparison.covariance import STEP, RiskCovariance, correlation, make_cells

CELLS = 400
"""Places among which weights are computed: every estimate solves a system of so many equations."""
NEAR_RANGES, NEAR_SIDES = 3.0, 1.5
"""Pairs of segments nearer than so many ranges and sides of a cell have their own covariance in variances."""
MOST_PAIRS = 4_000_000
LEAST_FREEDOM = 2.0
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Field:
    """How the risk of segments varies.

    Attributes
    ----------
    own
        Variance of what a segment has for itself, and, in a cell, of what its segments do not share.
    root
        A root of the covariance of what cells share, ``(cells, cells)``.
    of
        Number of the cell of each segment, ``(n,)``.
    covariance
        What it was laid out from.
    likeness
        Correlation of what cells share, and its derivative by the logarithm of the range, ``(2, cells, cells)``.
    near
        What is to be added to both for pairs of near segments, each pair once, ``(all, all)`` each; None: nothing.
    rows
        Which of all segments those of `of` are; None: all.
    """

    own: float
    root: Floats
    of: Integers
    covariance: RiskCovariance
    likeness: Floats
    near: tuple[csr_array, csr_array] | None
    rows: Integers | None = None

    @classmethod
    def of_places(cls, covariance: RiskCovariance, places: Floats) -> Field:
        """Lay a covariance of risk out over the places of segments, ``(n, 2)`` (metres)."""
        cells = make_cells(places, CELLS)
        between, longer, shorter = (
            correlation(cells, covariance.range_m * float(np.exp(step))) for step in (0, STEP / 2, -STEP / 2)
        )
        apart = 1 - float(between[0, 0]) if len(between) else 0.0
        # squares whose middles are close give a matrix that is not quite one of correlations
        values, vectors = np.linalg.eigh(between)
        root = np.sqrt(covariance.shared) * vectors * np.sqrt(np.clip(values, 0, None))
        likeness = np.array([between, (longer - shorter) / STEP])
        near = None
        if covariance.shared > 0 and 2 * covariance.range_m < cells.side_m:
            near = _near(places, cells.of, likeness, covariance.range_m, cells.side_m)
        return cls(covariance.own + covariance.shared * apart, root, cells.of, covariance, likeness, near)

    def at(self, rows: NDArray[np.bool_]) -> Field:
        """Give the same of some of the segments."""
        before = np.arange(len(self.of)) if self.rows is None else self.rows
        return replace(self, of=self.of[rows], rows=before[rows])

    def weights(self, mu: Floats) -> Weights:
        """Give the inverse of the covariance of counts at some means."""
        alone = mu + self.own * mu**2
        pull = mu / alone
        weight = np.bincount(self.of, mu * pull, len(self.root))
        inner = self.root.T @ (self.root * weight[:, None])
        inner[np.diag_indices(len(inner))] += 1
        return Weights(mu, alone, pull, self, cho_factor(inner, lower=True, check_finite=False))

    def shared(self, columns: Floats, *, by_range: bool = False) -> Floats:
        """Sum products of each column of ``(n, c)`` under the correlation of segments, or its derivative, ``(c,)``.

        Terms of a segment with itself in its cell are as of two of its segments; see `own`.
        """
        part = int(by_range)
        cells = add_by(self.of, columns, len(self.root))
        found = (cells * (self.likeness[part] @ cells)).sum(axis=0)
        if self.near is not None:
            every = columns
            if self.rows is not None:
                every = np.zeros((self.near[part].shape[0], columns.shape[1]))
                every[self.rows] = columns
            found += 2 * (every * (self.near[part] @ every)).sum(axis=0)
        return np.asarray(found, dtype=np.float64)


def _near(
    places: Floats, of: Integers, likeness: Floats, range_m: float, side_m: float
) -> tuple[csr_array, csr_array]:
    """Lay out by how much pairs of near segments are more alike than their cells are."""
    area = max(float(np.prod(np.ptp(places, axis=0))), 1.0)
    within = min(
        NEAR_RANGES * range_m,
        NEAR_SIDES * side_m,
        float(np.sqrt(2 * MOST_PAIRS * area / np.pi)) / len(places),
    )
    one, other = KDTree(places).query_pairs(within, output_type="ndarray").T
    distance = np.hypot(*(places[one] - places[other]).T) / range_m
    alike = np.exp(-distance)
    parts = []
    for values, known in ((alike, likeness[0]), (alike * distance, likeness[1])):
        added = values - known[of[one], of[other]]
        parts.append(csr_array(coo_array((added, (one, other)), shape=(len(places), len(places)))))
    return parts[0], parts[1]


def add_by(of: Integers, columns: Floats, size: int) -> Floats:
    """Add rows of ``(n, c)`` up by number, from 0 to `size`."""
    which = csr_array((np.ones(len(of)), of, np.arange(len(of) + 1)), shape=(len(of), size))
    return np.asarray(which.T @ columns, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Weights:
    """The inverse of the covariance ``diag(mu + own mu^2) + mu mu' shared`` of counts, to be applied to columns.

    By the identity of Woodbury (Harville 1997, Matrix Algebra from a Statistician's Perspective, section 18.2), as what
    is shared is of fewer cells than there are segments.

    Attributes
    ----------
    mu
        Means of the counts, ``(n,)``.
    alone, pull
        Variance of each count but for what is shared, and its mean over that, ``(n,)``.
    field
        What is shared.
    inner
        The factored system of the cells.
    """

    mu: Floats
    alone: Floats
    pull: Floats
    field: Field
    inner: tuple[Floats, bool]

    def __matmul__(self, columns: Floats) -> Floats:
        """Apply to the columns of an array ``(n, c)``."""
        added = add_by(self.field.of, self.pull[:, None] * columns, len(self.field.root))
        spread = self.field.root @ cho_solve(self.inner, self.field.root.T @ added, check_finite=False)
        found: Floats = columns / self.alone[:, None] - self.pull[:, None] * spread[self.field.of]
        return found


@dataclass(frozen=True, slots=True)
class Score:
    """Efficient scores of ``k`` coefficients, and what is known of them; ``(k,)`` each.

    Attributes
    ----------
    value
        The score, those of the other coefficients taken out.
    information
        How fast the score falls with the coefficient, and how much it would alone (`whole`).
    variance
        Of the score: the information, but where cells of segments are coarser than what neighbours share.
    freedom
        Degrees of freedom of the variance; infinite where the covariance of risk is taken as known.
    """

    value: Floats
    information: Floats
    whole: Floats
    variance: Floats
    freedom: Floats

    @property
    def studentised(self) -> Floats:
        """Score over its standard error; NaN where nothing is known."""
        known = self.variance > 0
        return np.where(known, self.value / np.sqrt(np.where(known, self.variance, 1.0)), np.nan)

    @property
    def precision(self) -> Floats:
        """One over the standard error of an estimate after one step of scoring."""
        known = self.variance > 0
        return np.where(known, self.information / np.sqrt(np.where(known, self.variance, 1.0)), 0.0)


def judged_score(
    mu: Floats, inside: Floats, columns: Floats, y: Floats, weights: Weights, *, freedom: bool = True
) -> Score:
    """Score each cluster's coefficient with those of the columns taken out, and tell how far that is to be trusted.

    The score is a sum of residuals with weights ``a``; its variance is ``a' V a``, ``V`` the covariance of counts, in
    which near segments have their own likeness and not that of their cells. Degrees of freedom are Satterthwaite's
    (1946, Biometrics Bulletin 2:110-114; for restricted maximum likelihood Fai and Cornelius 1996, J. Statist. Comput.
    Simul. 54:363-378): ``2 / (g' A g)``, ``g`` the derivatives of the logarithm of that variance by the logarithms of
    the parameters of risk, ``A`` their covariance.

    Parameters
    ----------
    mu
        Means that scores are taken at, ``(n,)``.
    inside
        Whether each segment is of each cluster, ``(n, k)``.
    columns
        The rest of the model, ``(n, q)``.
    freedom
        Whether degrees of freedom are wanted; else they are infinite.
    """
    value, information, whole, pulls = _solve(mu, inside, columns, y, weights)
    field, of = weights.field, weights.field.covariance
    at_means = pulls * mu[:, None]
    squares = (at_means**2).sum(axis=0)
    judged = freedom and of.unsure is not None
    alike = field.shared(at_means) if judged or field.near is not None else 0.0
    variance = information
    if field.near is not None:
        variance = (pulls**2 * mu[:, None]).sum(axis=0) + field.own * squares + of.shared * alike
    degrees = np.full(len(value), np.inf)
    if judged:
        # of a segment with itself all is shared, whatever the range and however coarse its cell
        alike = alike + (1 - field.likeness[0, 0, 0]) * squares
        by_range = field.shared(at_means, by_range=True) - field.likeness[1, 0, 0] * squares
        parts = [of.own * squares, of.shared * alike, of.shared * by_range]
        known = variance > 1e-9 * whole
        slopes = np.where(known, np.array(parts) / np.where(known, variance, 1.0), 0.0)
        spread = (slopes * (np.array(of.unsure) @ slopes)).sum(axis=0)
        degrees = np.maximum(2 / np.maximum(spread, 1e-12), LEAST_FREEDOM)
    return Score(value, information, whole, variance, degrees)


def efficient_score(
    mu: Floats, inside: Floats, columns: Floats, y: Floats, weights: Weights
) -> tuple[Floats, Floats, Floats]:
    """Score of each cluster's coefficient, its information, and that of it alone, as of `judged_score`."""
    return _solve(mu, inside, columns, y, weights)[:3]


def _solve(
    mu: Floats, inside: Floats, columns: Floats, y: Floats, weights: Weights
) -> tuple[Floats, Floats, Floats, Floats]:
    """Give score, information, that alone, and the weights of residuals in the score, ``(n, k)``."""
    basis, mine = columns * mu[:, None], inside * mu[:, None]
    solved = weights @ np.column_stack([basis, mine])
    of_basis, of_mine = solved[:, : basis.shape[1]], solved[:, basis.shape[1] :]
    taken = np.linalg.lstsq(basis.T @ of_basis, basis.T @ of_mine, rcond=1e-12)[0]
    pulls = of_mine - of_basis @ taken
    whole = (mine * of_mine).sum(axis=0)
    return pulls.T @ (y - mu), (mine * pulls).sum(axis=0), whole, pulls
