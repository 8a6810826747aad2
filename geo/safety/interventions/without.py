"""What would have happened at treated places without their treatment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from geo.safety.interventions.times import Course, Floats, Integers
from geo.safety.interventions.untreated import Untreated


@dataclass(frozen=True, slots=True)
class Windows:
    """Time before and after the treatment of places, in days of the period from 0; the ends are not included.

    Attributes
    ----------
    place
        Position of each treated place.
    before_end, after_start, after_end
        The time before is from the first day of the period.
    """

    place: Integers
    before_end: Integers
    after_start: Integers
    after_end: Integers


def expected_without(untreated: Untreated, windows: Windows, groups: csr_array) -> pd.DataFrame:
    """Estimate by empirical Bayes what treated places would have had after their treatment without it.

    The expected count of the time before, from the place's own record and the safety performance function, times how
    the course of untreated places goes on (Hauer 1997, chapters 11 and 12; Highway Safety Manual 2010, section 9.4.1,
    steps 1 to 9). To the variance given there, which takes the function, its overdispersion and the course as known,
    is added what these are unsure of: overdispersion by the values that the counts leave possible, the coefficients by
    their covariance, the course by the collisions that it rests on; each is shared by places, so that it does not
    average out over them (delta method; Kass and Steffey 1989, JASA 84:717-726).

    Parameters
    ----------
    untreated
        What places have by themselves.
    windows
        Treated places, and their times.
    groups
        Which of them are taken together, ``(groups, treated places)`` of 0 and 1: sites, kinds, all.

    Returns
    -------
    One row a group: ``expected_before`` (empirical Bayes estimate of the time before), ``expected`` (after, had
    nothing been done) and ``variance`` (of that); null where nothing is known of a place.
    """
    place, own = windows.place, untreated.own
    count, spread, share = own.count[:, place], own.variance[:, place], own.share
    years = untreated.effective_years[place]
    after = untreated.course.effective_years(windows.after_start, windows.after_end)
    grown = _over(after, years)
    each = groups @ (count * grown).T
    mean = each @ share
    of_places = (groups @ (spread * grown**2).T) @ share + (each - mean[:, None]) ** 2 @ share
    expected = own.mean[place] * grown
    pull = (share @ own.pull[:, place]) * grown
    slope = groups @ (untreated.slopes[place] * grown[:, None])
    of_function = ((slope @ untreated.covariance) * slope).sum(axis=1)
    of_course = _of_course(untreated.course, windows, groups, expected, pull)
    return pd.DataFrame(
        {
            "expected_before": groups @ own.mean[place],
            "expected": mean,
            "variance": of_places + of_function + of_course,
        }
    )


def _of_course(time: Course, windows: Windows, groups: csr_array, expected: Floats, pull: Floats) -> Floats:
    """Variance of each group's expected count that comes from the course of time.

    A day's collisions lengthen the time after, if they lie in it; they lengthen the time before, which lowers what a
    place's own record stands for; and they lower what the function predicts of a year, in so far as it counts.
    """
    days = len(time.noise)
    ends = np.unique(np.concatenate([[0, days], windows.before_end, windows.after_start, windows.after_end]))
    noise = np.add.reduceat(time.noise, ends[:-1])
    middle = ends[:-1]
    zero = np.zeros_like(windows.place)
    before = time.effective_years(zero, windows.before_end)
    after = time.effective_years(windows.after_start, windows.after_end)
    in_before = middle < windows.before_end[:, None]
    in_after = (middle >= windows.after_start[:, None]) & (middle < windows.after_end[:, None])
    grown, own = _over(expected, after), _over(expected - pull, before)
    influence = in_after * grown[:, None] - in_before * own[:, None] - (pull / time.summed[-1])[:, None]
    found: Floats = (groups @ influence) ** 2 @ noise
    return found


def _over(part: Floats, whole: Floats) -> Floats:
    """Divide, NaN by nothing."""
    return part / np.where(whole > 0, whole, np.nan)
