"""One group of segments against the others of the same strata: common rate ratio, score, variance, interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from geo.counting import counted
from geo.safety.comparison.covariance import Cells, RiskCovariance, correlation

_SPAN = 9.0
"""Rate ratios are looked for between ``exp(-_SPAN)`` and ``exp(_SPAN)``."""
_STEPS = 50
_CHUNK = 4_000_000
"""Numbers in the largest array while labels are moved."""
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Contrast:
    """What a comparison stands on: ``n`` segments, ``m`` outcomes, labels from 0 to ``k - 1``, strata from 0.

    Attributes
    ----------
    counts
        Collisions of each segment by outcome, ``(n, m)``.
    exposure
        Kilometres times years of each segment, ``(n,)``, above 0.
    strata
        Number of the stratum of each segment, ``(n,)``: segments are compared within strata.
    labels
        Number of the cluster of each segment, ``(n,)``.
    k
        How many labels there are.
    cells
        Places among which covariances are computed (`geo.safety.comparison.covariance.Cells`).
    correlation
        Correlation of shared risk between cells, ``(cells, cells)``.
    covariance
        Covariance of relative risk that variances are computed under.
    """

    counts: Floats
    exposure: Floats
    strata: Integers
    labels: Integers
    k: int
    cells: Cells
    correlation: Floats
    covariance: RiskCovariance

    @property
    def own(self) -> float:
        """Variance that a segment does not share: in a square, that of places apart is shared only in part."""
        apart = 1 - self.correlation[0, 0] if len(self.correlation) else 0.0
        return float(self.covariance.own + self.covariance.shared * apart)

    def under(self, covariance: RiskCovariance) -> Contrast:
        """Give the same comparison with another covariance of risk."""
        return replace(self, covariance=covariance, correlation=correlation(self.cells, covariance.range_m))


@dataclass(frozen=True, slots=True)
class Sums:
    """Totals by stratum ``s``, label ``k``, outcome ``m`` and cell ``g``.

    Attributes
    ----------
    events
        Collisions, ``(s, k, m)``.
    exposure, squares
        Exposure and the sum of its squares, ``(s, k)``.
    in_cells
        Exposure by cell, ``(g, s, k)``.
    comparable
        Whether the stratum has exposure both with the label and without, ``(s, k)``.
    """

    events: Floats
    exposure: Floats
    squares: Floats
    in_cells: Floats
    comparable: NDArray[np.bool_]


def add_up(contrast: Contrast) -> Sums:
    """Add up what the comparisons need."""
    n_strata, n_cells, k = int(contrast.strata.max()) + 1, len(contrast.cells.centre), contrast.k
    at = contrast.strata * k + contrast.labels
    size = n_strata * k
    events = np.zeros((size, contrast.counts.shape[1]))
    np.add.at(events, at, contrast.counts)
    exposure = _binned(at, contrast.exposure, size).reshape(n_strata, k)
    squares = _binned(at, contrast.exposure**2, size).reshape(n_strata, k)
    in_cells = _binned(contrast.cells.of * size + at, contrast.exposure, n_cells * size)
    others = np.array([np.delete(exposure, label, axis=1).sum(axis=1) for label in range(k)]).T
    return Sums(
        events.reshape(n_strata, k, -1),
        exposure,
        squares,
        in_cells.reshape(n_cells, n_strata, k),
        (exposure > 0) & (others > 0),
    )


def _binned(at: Integers, values: Floats, size: int) -> Floats:
    """Add values up by number, from 0 to `size`."""
    return np.asarray(np.bincount(at, values, size), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Score:
    """Score of a rate ratio, ``(k, m)``: observed less expected, and the variance of that."""

    value: Floats
    variance: Floats

    @property
    def studentised(self) -> Floats:
        """Score over its standard error; 0 where nothing is compared."""
        usable = self.variance > 1e-12
        return np.where(usable, self.value / np.sqrt(np.where(usable, self.variance, 1.0)), 0.0)


def score(contrast: Contrast, sums: Sums, ratio: Floats) -> Score:
    """Score of the rate ratio of each label against all others in the same stratum.

    With ``p`` the label's share of ``ratio x exposure`` in its stratum, the score is its collisions less ``p`` times
    those of the stratum (at ratio 1 the numerator of Mantel and Haenszel 1959, J. Natl Cancer Inst. 22:719-748, for
    person-time: Breslow and Day 1987, Statistical Methods in Cancer Research II, ch. 3). Its variance is that of the
    counts under `RiskCovariance`, not the Poisson one: ``w' V w``, with weights ``1 - p`` in the label and ``-p`` out
    of it.

    Parameters
    ----------
    ratio
        Rate ratio of each label and outcome at which the score is taken, ``(k, m)``, above 0.
    """
    use = sums.comparable
    inside = np.where(use, sums.exposure, 0.0)
    outside = np.where(use, sums.exposure.sum(axis=1, keepdims=True) - inside, 0.0)
    events = np.where(use[:, :, None], sums.events.sum(axis=1)[:, None, :], 0.0)
    weighted = ratio * inside[:, :, None] + outside[:, :, None]
    safe = np.where(weighted > 0, weighted, 1.0)
    p, base = ratio * inside[:, :, None] / safe, events / safe
    value = np.where(use[:, :, None], sums.events, 0.0).sum(axis=0) - (p * events).sum(axis=0)
    squares_in = np.where(use, sums.squares, 0.0)
    squares_out = np.where(use, sums.squares.sum(axis=1, keepdims=True) - squares_in, 0.0)
    own = contrast.own
    variance = (
        (1 - p) ** 2
        * (ratio * base * inside[:, :, None] + own * (ratio * base) ** 2 * squares_in[:, :, None])
        + p**2 * (base * outside[:, :, None] + own * base**2 * squares_out[:, :, None])
    ).sum(axis=0)
    if contrast.covariance.shared > 0:
        gain, loss = base * ((1 - p) * ratio + p), base * p
        everything = sums.in_cells.sum(axis=2)
        pull = np.einsum("gsk,skm->gkm", sums.in_cells, gain) - np.einsum("gs,skm->gkm", everything, loss)
        flat = pull.reshape(len(pull), -1)
        shared = (flat * (contrast.correlation @ flat)).sum(axis=0).reshape(variance.shape)
        variance = variance + contrast.covariance.shared * shared
    return Score(value, variance)


def common_ratio(sums: Sums) -> tuple[Floats, Floats, Floats]:
    """Rate ratio of each label, taken as common to all strata: by maximum likelihood.

    The ratio at which the score is 0 (Breslow and Day 1987, ch. 4): the coefficient of a Poisson regression on strata
    and label. Then expected counts are those of the strata's base rates, and ``ratio = observed / expected``: indirect
    standardisation to the *other* segments of the same strata, so that a large label is not compared with itself.

    Returns
    -------
    Observed, expected and ratio, ``(k, m)``, in strata that have segments both with the label and without. Where the
    label has no events the ratio is 0; where the others have none, infinite; where neither has, NaN.
    """
    use = sums.comparable[:, :, None]
    inside = np.where(sums.comparable, sums.exposure, 0.0)[:, :, None]
    outside = np.where(sums.comparable, sums.exposure.sum(axis=1, keepdims=True), 0.0)[:, :, None] - inside
    events = np.where(use, sums.events.sum(axis=1)[:, None, :], 0.0)
    observed = np.where(use, sums.events, 0.0).sum(axis=0)
    total = events.sum(axis=0)

    def expected_at(ratio: Floats) -> Floats:
        weighted = ratio * inside + outside
        found: Floats = (inside * events / np.where(weighted > 0, weighted, 1.0)).sum(axis=0)
        return found

    low, high = np.full(observed.shape, -2 * _SPAN), np.full(observed.shape, 2 * _SPAN)
    for _ in range(2 * _STEPS):
        middle = (low + high) / 2
        above = observed > np.exp(middle) * expected_at(np.exp(middle))
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    ratio = np.exp((low + high) / 2)
    ratio = np.where(observed == 0, 0.0, np.where(observed == total, np.inf, ratio))
    expected = expected_at(np.where(np.isfinite(ratio), ratio, 1.0))
    return (
        observed,
        np.where(np.isfinite(ratio), expected, 0.0),
        np.where(total > 0, ratio, np.nan),
    )


def ratio_interval(contrast: Contrast, sums: Sums, ratio: Floats, critical: Floats) -> tuple[Floats, Floats]:
    """Ratios that the studentised score does not reject: its absolute value is at most `critical` there.

    Parameters
    ----------
    ratio
        Estimated rate ratios, ``(k, m)``, 0 and infinity among them; NaN gives NaN.
    critical
        Absolute studentised score up to which a ratio is not rejected, ``(k, m)``.

    Returns
    -------
    Lower and upper limit, 0 and infinite where every smaller or larger ratio is as likely.
    """
    known = np.isfinite(np.log(np.where(ratio > 0, ratio, 1.0)))
    centre = np.log(np.where(known & (ratio > 0), ratio, np.where(ratio > 1, np.exp(_SPAN), np.exp(-_SPAN))))
    centre = np.clip(centre, -_SPAN, _SPAN)
    limits = []
    for side in (-1.0, 1.0):
        near, far = centre.copy(), np.full(ratio.shape, side * _SPAN)
        open_ended = -side * score(contrast, sums, np.exp(far)).studentised <= critical
        for _ in range(_STEPS):
            middle = (near + far) / 2
            inside = -side * score(contrast, sums, np.exp(middle)).studentised <= critical
            near, far = np.where(inside, middle, near), np.where(inside, far, middle)
        limit = np.where(open_ended, np.inf if side > 0 else 0.0, np.exp((near + far) / 2))
        limits.append(np.where(np.isnan(ratio), np.nan, limit))
    return limits[0], limits[1]


def moved_scores(contrast: Contrast, sources: Integers) -> Floats:
    """Studentised scores at ratio 1 of labels that were moved.

    Parameters
    ----------
    sources
        Which segment each takes its label from in every moved map, ``(b, n)``
        (`geo.safety.comparison.moves.move_labels`).

    Returns
    -------
    ``(b, k, m)``.
    """
    n, outcomes = contrast.counts.shape
    n_strata = int(contrast.strata.max()) + 1
    totals = _binned(contrast.strata, contrast.exposure, n_strata)
    events = np.zeros((n_strata, outcomes))
    np.add.at(events, contrast.strata, contrast.counts)
    expected = contrast.exposure[:, None] * (events / totals[:, None])[contrast.strata]
    what = _Moved(contrast, contrast.counts - expected, expected, totals)
    step = max(1, _CHUNK // (max(n, len(what.contrast.cells.centre) * outcomes) * contrast.k))
    firsts = counted(range(0, len(sources), step), "turns of moved maps")
    parts = [what.scores(sources[first : first + step]) for first in firsts]
    return np.concatenate(parts) if parts else np.empty((0, contrast.k, outcomes))


class _Moved:
    """What scores of moved labels have in common: residual and expected counts, ``(n, m)``, and exposure by stratum."""

    def __init__(self, contrast: Contrast, residual: Floats, expected: Floats, totals: Floats) -> None:
        self.contrast, self.totals = contrast, totals
        self.one_stratum = len(totals) == 1
        self.rate = expected.sum(axis=0) / totals.sum()
        # in one stratum what is expected is in proportion to exposure, whatever the outcome
        self.shared = contrast.exposure[:, None] if self.one_stratum else expected
        squares = expected + contrast.own * expected**2
        self.outcomes = residual.shape[1]
        self.sums = np.column_stack([residual, squares, contrast.exposure])
        self.squares = _added(contrast.strata, squares, len(totals))
        # half the digits are enough for a variance, and twice as fast
        self.near = contrast.correlation.astype(np.float32)
        at = contrast.cells.of * len(totals) + contrast.strata
        in_cells = _added(at, self.shared, len(self.near) * len(totals))
        self.in_cells = in_cells.reshape(len(self.near), len(totals), -1)

    def scores(self, sources: Integers) -> Floats:
        """Score a few maps at once, ``(maps, k, m)``."""
        contrast, maps, k, strata = self.contrast, len(sources), self.contrast.k, len(self.totals)
        labels = contrast.labels[sources] + k * np.arange(maps)[:, None]
        by_stratum = _added(labels + k * maps * contrast.strata, self.sums, strata * maps * k)
        by_stratum = by_stratum.reshape(strata, maps, k, -1)
        share = by_stratum[..., -1] / self.totals[:, None, None]
        # residuals add up to 0 in each stratum: what the others' share would take off is nothing
        value = by_stratum[..., : self.outcomes].sum(axis=0)
        squares = by_stratum[..., self.outcomes : 2 * self.outcomes]
        variance = ((1 - 2 * share)[..., None] * squares).sum(axis=0)
        variance += np.einsum("sbk,sm->bkm", share**2, self.squares)
        if contrast.covariance.shared > 0:
            variance += contrast.covariance.shared * self._shared(labels, share)
        return Score(value, variance).studentised

    def _shared(self, labels: Integers, share: Floats) -> Floats:
        """Variance of scores by what neighbours share, but for its size, ``(maps, k, m)``."""
        size, (_, maps, k) = len(self.near), share.shape
        pull = _added(labels + k * maps * self.contrast.cells.of, self.shared, size * maps * k)
        pull = pull.reshape(size, maps, k, -1) - np.einsum(
            "gsm,sbk->gbkm", self.in_cells, share, optimize=True
        )
        flat = pull.reshape(size, -1).astype(np.float32)
        found = np.einsum("gj,gj->j", flat, self.near @ flat).astype(np.float64).reshape(maps, k, -1)
        return np.asarray(found * self.rate**2 if self.one_stratum else found, dtype=np.float64)


def _added(at: Integers, columns: Floats, size: int) -> Floats:
    """Add rows of ``(n, c)`` up by their number in each map, ``(maps, n)`` or ``(n,)``, from 0 to `size`."""
    n = len(columns)
    numbers = np.ascontiguousarray(at.reshape(-1, n).T)
    ends = np.arange(n + 1) * numbers.shape[1]
    which = csr_array((np.ones(numbers.size), numbers.ravel(), ends), shape=(n, size))
    return np.asarray(which.T @ columns, dtype=np.float64)
