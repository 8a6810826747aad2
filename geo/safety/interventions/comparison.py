"""What treated places would have had if they had gone on as places of a comparison group did."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from geo.safety.interventions.times import Integers
from geo.safety.interventions.without import Windows


def expected_by_comparison(
    before: np.ndarray,
    windows: Windows,
    members: csr_array,
    place: Integers,
    day: Integers,
    groups: csr_array,
    n_days: int,
) -> pd.DataFrame:
    """Estimate what treated places would have had after, from their own record before and a comparison group's course.

    With K counted before at treated places, and M before and N after at their comparison places, over the same days,
    ``K N / (1 + M)`` is expected (Hauer 1997, chapter 9, eq. 9.3; Highway Safety Manual 2010, section 9.4.2), the ratio
    pooled over the places of a group, each with its own days: M is weighted by the time after over the time before. Its
    variance is that of K and that of the ratio by the delta method, collisions of the comparison group being Poisson;
    how much odds ratios differ by themselves is not in it, nor is regression to the mean.

    Parameters
    ----------
    before
        Collisions of each treated place before its treatment.
    windows
        Treated places and their times.
    members
        Which comparison places each has, ``(treated places, comparison places)`` of 0 and 1.
    place, day
        Comparison place, and day, of each of their collisions.
    groups
        Which treated places are taken together, ``(groups, treated places)`` of 0 and 1.
    n_days
        Length of the period (days).

    Returns
    -------
    One row a group: ``expected``, ``variance``, ``n_before`` and ``n_after`` (collisions of its comparison places);
    null where these had none before.
    """
    ends = np.unique(
        np.concatenate([[0, n_days], windows.before_end, windows.after_start, windows.after_end])
    )
    cell = np.searchsorted(ends, day, side="right") - 1
    code, counts = np.unique(place * np.int64(len(ends)) + cell, return_counts=True)
    of, middle = code // len(ends), ends[code % len(ends)]
    inside = members[:, of].tocoo()
    row, column = inside.coords
    ratio = (windows.after_end - windows.after_start) / windows.before_end
    when = middle[column]
    after = (when >= windows.after_start[row]) & (when < windows.after_end[row])
    earlier = (when < windows.before_end[row]) * ratio[row]
    shape = (len(ratio), len(code))
    later, former = (
        csr_array((np.asarray(v, dtype=np.float64), (row, column)), shape=shape) for v in (after, earlier)
    )
    n, m = groups @ later, groups @ former
    total_n, total_m = n @ counts, m @ counts
    # so much one collision before weighs
    size = groups @ before
    one = np.where(
        size > 0,
        groups @ (before * ratio) / np.maximum(size, 1.0),
        groups @ ratio / np.maximum(groups.sum(axis=1), 1.0),
    )
    usable = total_m > 0
    safe_n, safe_m = np.where(total_n > 0, total_n, 1.0), np.where(usable, total_m, 1.0)
    influence = n.multiply(1 / safe_n[:, None]).tocsr() - m.multiply(1 / safe_m[:, None]).tocsr()
    relative = influence.multiply(influence) @ counts
    grown = total_n / np.where(usable, total_m + one, np.nan)
    weighted = before * ratio
    expected = (groups @ weighted) * grown
    variance = (groups @ (weighted * ratio)) * grown**2 + expected**2 * relative
    table = pd.DataFrame({"expected": expected, "variance": variance})[usable].reindex(range(len(usable)))
    once = csr_array((np.asarray(earlier > 0, dtype=np.float64), (row, column)), shape=shape)
    found: pd.DataFrame = table.assign(n_before=((groups @ once) > 0) @ counts, n_after=(n > 0) @ counts)
    return found
