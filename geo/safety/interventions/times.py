"""How collisions of untreated places rose and fell: the time that each day stands for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Course:
    """The course of collisions over the period, as untreated places show it.

    A day stands for more or less of the period by how many collisions it had: `effective_years` between two days are
    the years, at the period's mean rate, that would bring as many collisions.

    Attributes
    ----------
    summed
        Effective years from the first day to the beginning of each day, ``(days + 1,)``.
    noise
        Variance of each day's effective years, ``(days,)``.
    """

    summed: Floats
    noise: Floats

    def effective_years(self, first: Integers, end: Integers) -> Floats:
        """Effective years from one day to before another."""
        found: Floats = self.summed[end] - self.summed[first]
        return found


def course(days: Integers, rates: Floats, until: Integers, n_days: int, years: float) -> Course:
    """Estimate the course of collisions from places as long as they were untreated.

    Each day's collisions over what all places that were still untreated have in a year by themselves: Breslow's
    estimate of the baseline of a proportional hazards model, with what each place has by itself as its frailty (Breslow
    1972, JRSS B 34:216-217; Nielsen et al. 1992, Scandinavian Journal of Statistics 19:25-43). What a place has by
    itself must be its empirical Bayes estimate: where the worst places were chosen for treatment, those that are left
    had few by chance and will have more, which plain totals would take for a trend of the city.

    Parameters
    ----------
    days
        Day of each collision at a place as long as that was untreated, from 0.
    rates
        Collisions that each place has in a year by itself.
    until
        First day on which each place is not known to be untreated; the number of days where it is throughout.
    n_days, years
        Length of the period.

    Returns
    -------
    Scaled so that the whole period is as long as it is.
    """
    gone = np.cumsum(np.bincount(until, weights=rates, minlength=n_days + 1))[:n_days]
    at_risk = rates.sum() - gone
    counts = np.bincount(days, minlength=n_days).astype(np.float64)
    share = np.divide(1.0, at_risk, out=np.zeros(n_days), where=at_risk > 0)
    each = counts * share
    scale = years / each.sum() if each.sum() > 0 else np.nan
    return Course(np.concatenate([[0.0], np.cumsum(each)]) * scale, counts * share**2 * scale**2)
