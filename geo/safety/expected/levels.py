"""Levels of groups too rare for a term of their own: drawn together, but not taken for the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import digamma, polygamma

from geo.safety.expected.recipe import OTHER, UNKNOWN, Floats, Recipe

PRIOR_EVENTS = 1.0
"""What is known before of how a rare group differs from the pool weighs as much as one event."""
COLUMNS = ["group", "estimate", "variance"]


def levels_within_pool(
    groups: pd.Series, recipe: Recipe, counts: Floats, predicted: Floats, k: float
) -> pd.DataFrame:
    """Estimate by how much each group that was pooled differs from what the pool predicts of it.

    The ratio of a group's rate to the prediction is gamma before its record is looked at, with mean 1 and the
    information of one event (a unit-information prior; Kass and Wasserman 1995, JASA 90:928-934), so that its
    posterior is gamma too (Gelman et al. 2013, Bayesian Data Analysis, 3rd edition, section 2.6). Counts are weighted
    by ``1 / (1 + k m)``, as the score of the negative binomial weighs them (Cameron and Trivedi 2013, section 3.3).

    Without it, a class with a tenth of the pool's rate is predicted at the pool's, with the pool's own small error: its
    intervals then miss the truth for most of its segments.

    Parameters
    ----------
    groups
        Group of each unit; null is a group of its own.
    recipe
        Which groups were pooled.
    counts, predicted
        Events of each unit, and those that the pool predicts.
    k
        Overdispersion of the fit.

    Returns
    -------
    `COLUMNS`: mean and variance of the logarithm of the ratio of each pooled group; empty where one group is all of the
    pool.
    """
    named = groups.astype(object).where(groups.notna(), UNKNOWN).astype(str)
    inside = (named.map(dict(recipe.groups)) == OTHER).to_numpy(dtype=bool)
    weight = 1 / (1 + k * predicted)
    sums = pd.DataFrame({"events": weight * counts, "predicted": weight * predicted}, index=groups.index)
    by = sums[inside].groupby(named[inside]).sum()
    if len(by) < 2:
        return pd.DataFrame({name: pd.Series(dtype="float64") for name in COLUMNS}).astype(
            {"group": "object"}
        )
    shape = PRIOR_EVENTS + by["events"].to_numpy(dtype=np.float64)
    rate = PRIOR_EVENTS + by["predicted"].to_numpy(dtype=np.float64)
    return pd.DataFrame(
        {
            "group": by.index.astype(object),
            "estimate": digamma(shape) - np.log(rate),
            "variance": polygamma(1, shape),
        }
    )
