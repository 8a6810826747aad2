"""Collisions of a kind, such as KSI or those with pedestrians, as a share of all that a place has by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.linalg import block_diag
from scipy.special import betaln, logsumexp

from geo.safety.expected.design import pool_classes
from geo.safety.interventions.mixing import Posterior
from geo.safety.interventions.times import Floats, Integers, course
from geo.safety.interventions.untreated import Places, Untreated

_AS_MANY = 10.0
"""A class's share is drawn towards that of all classes as by so many collisions."""
_SPREADS = (np.arange(15) + 0.5) / 30
"""Intra-class correlations of a place's collisions that are tried: of 0 all places have the share of their class."""


def share_of(everything: Untreated, places: Places, where: Integers, day: Integers) -> Untreated:
    """Find what places have by themselves of one kind of collision.

    What is expected of a place is all collisions that are expected of it times the share of the kind among them, which
    is beta about that of its class, and its own record is weighed in (beta-binomial; Skellam 1948, JRSS B 10:257-261).
    A function and shrinkage of this kind alone would not do: sites are chosen for all their collisions, or for the
    severe ones, and a function that sees only one kind does not see what they were chosen for, so that it expects too
    few of them (the choice is no longer ignorable). The course of time is that of the kind.

    Parameters
    ----------
    everything
        What places have by themselves of all collisions.
    places
        The places, and as long as each was untreated.
    where, day
        Place (its position) and day of each collision of the kind, from 0.
    """
    inside = day < places.until[where]
    where, day = where[inside], day[inside]
    n, k = everything.counts, np.bincount(where, minlength=len(everything.counts)).astype(np.float64)
    classes = pool_classes(places.known["road_class"].reset_index(drop=True), pd.Series(n))[0]
    code, names = pd.factorize(classes)
    whole = k.sum() / n.sum() if n.sum() > 0 else np.nan
    size = np.bincount(code, weights=n, minlength=len(names)) + _AS_MANY
    by_class = (np.bincount(code, weights=k, minlength=len(names)) + _AS_MANY * whole) / size
    middle = by_class[code]
    mean, variance, weight = _beta(k, n, middle)
    own = everything.own
    part = Posterior(
        own.count * mean,
        own.variance * (mean**2 + variance) + own.count**2 * variance,
        own.pull * mean,
        own.share,
    )
    of_class = np.zeros((len(n), len(names)))
    of_class[np.arange(len(n)), code] = np.nan_to_num(own.mean * weight)
    years = everything.effective_years
    rates = np.nan_to_num(part.mean / np.where(years > 0, years, np.nan))
    time = course(day, rates, places.until, places.n_days, places.years)
    return Untreated(
        everything.method,
        k,
        part,
        np.hstack([everything.slopes * mean[:, None], of_class]),
        block_diag(everything.covariance, np.diag(by_class * (1 - by_class) / size)),
        time.effective_years(np.zeros(len(n), dtype=np.int64), places.until),
        time,
    )


def _beta(k: Floats, n: Floats, middle: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean and variance of each place's share, and the weight of its class's share in it, over what is possible."""
    size = (1 / _SPREADS - 1)[:, None]
    usable = (middle > 0) & (middle < 1)
    a, b = np.where(usable, size * middle, 1.0), np.where(usable, size * (1 - middle), 1.0)
    logs = ((betaln(a + k, b + n - k) - betaln(a, b)) * usable).sum(axis=1)
    likely = np.exp(logs - logsumexp(logs))
    mean = np.where(usable, (a + k) / (size + n), middle)
    spread = np.where(usable, mean * (1 - mean) / (size + n + 1), 0.0)
    found = likely @ mean
    return found, likely @ (spread + (mean - found) ** 2), likely @ (size / (size + n))
