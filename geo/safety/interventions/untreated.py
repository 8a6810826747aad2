"""What places have by themselves: the safety performance function and the course of time of what is untreated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.safety.expected.empirical_bayes import Prior, prior
from geo.safety.expected.performance import fit_performance
from geo.safety.expected.recipe import as_floats
from geo.safety.interventions.mixing import Posterior, expect
from geo.safety.interventions.times import Course, Floats, Integers, course

_ROUNDS, _CLOSE = 8, 1e-3
"""At most so many times are function and course found in turn; when no effective year differs by more, they agree."""


@dataclass(frozen=True, slots=True)
class Places:
    """Places of one kind, segments or junctions, and as long as each was untreated.

    Attributes
    ----------
    known
        By the id of each: ``exposure`` per year (kilometres of a segment, 1 for a junction), ``road_class`` (of a
        junction its type), traffic (vehicles a day, columns with ``traffic`` in their name; null is not known), and
        any numeric covariates.
    until
        First day of the period on which each was not known to be untreated, ``(places,)``; the number of days where it
        was untreated throughout.
    n_days, years
        Length of the period.
    units
        What they are called.
    """

    known: pd.DataFrame
    until: Integers
    n_days: int
    years: float
    units: str = "segments"


@dataclass(frozen=True, slots=True)
class Untreated:
    """What each place has by itself, as long as it was untreated.

    Attributes
    ----------
    method
        By which kind of function places are predicted (`geo.safety.expected.empirical_bayes.Prior`).
    counts
        Collisions of each place in that time.
    own
        What is expected of each in that time, its own record weighed in.
    slopes, covariance
        By how much each expected count rises with what all places share and is not known for sure, ``(places,
        parameters)``, and the covariance of that.
    effective_years
        How long that was, in effective years.
    course
        The course of time.
    """

    method: str
    counts: Floats
    own: Posterior
    slopes: Floats
    covariance: Floats
    effective_years: Floats
    course: Course


def describe_untreated(places: Places, where: Integers, day: Integers) -> Untreated:
    """Find what places have by themselves, from all the time in which they were untreated.

    The safety performance function is fitted to every place as long as it was untreated: those never treated over the
    whole period, those that were treated until then. Were the treated ones left out, as is often done, those that were
    chosen for their many collisions would be missing, the function would be too low, and so would be its
    overdispersion; with them, the choice rests on what the function is fitted to, and can be ignored (Rubin 1976,
    Biometrika 63:581-592). The course of time needs what each place has by itself, and that the course: they are found
    in turn until they agree.

    Parameters
    ----------
    places
        The places, and as long as each was untreated.
    where, day
        Place (its position) and day of each collision, from 0.
    """
    inside = day < places.until[where]
    where, day = where[inside], day[inside]
    n = len(places.until)
    index = pd.RangeIndex(n)
    counts = pd.Series(np.bincount(where, minlength=n), index=index)
    exposure = as_floats(places.known["exposure"])
    time = course(day, exposure, places.until, places.n_days, places.years)
    for _ in range(_ROUNDS):
        years = time.effective_years(np.zeros(n, dtype=np.int64), places.until)
        before = _prior(
            places.known.set_axis(index), counts, pd.Series(exposure * years, index=index), places.units
        )
        own = expect(before, counts.to_numpy(dtype=np.float64))
        by_itself = own.mean / np.where(years > 0, years, np.nan)
        last, time = time, course(day, np.nan_to_num(by_itself), places.until, places.n_days, places.years)
        if not np.abs(time.summed - last.summed).max() > _CLOSE:
            break
    slopes = (own.share @ own.pull)[:, None] * before.matrix.to_numpy(dtype=np.float64)
    return Untreated(
        before.method, counts.to_numpy(dtype=np.float64), own, slopes, before.covariance, years, time
    )


def _prior(known: pd.DataFrame, counts: pd.Series, exposure: pd.Series, units: str) -> Prior:
    """Fit the safety performance function, or shrink within classes where none can be fitted."""
    logs = [str(name) for name in known.columns if "traffic" in str(name) and known[name].notna().any()]
    numeric = known[
        [name for name in known.columns if name not in {"exposure", "road_class"} and "traffic" not in name]
    ]
    fitted = fit_performance(
        counts,
        exposure,
        known["road_class"],
        numeric if len(numeric.columns) else None,
        known[logs] if logs else None,
        units=units,
    )
    return prior(fitted, counts, exposure, known["road_class"])
