"""Whether ratios hold in years that they were not fitted to: the records divided, and the check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from geo.config import Severity
from geo.safety.comparison.blocks import Blocks
from geo.safety.comparison.contrast import Contrast, add_up, common_ratio
from geo.safety.rates import LEVEL, count_severities, count_users, years_of

Floats = NDArray[np.float64]
MIN_BLOCKS = 6
"""With fewer blocks no block-robust variance is computed."""
LEAST_YEARS = 2.0
"""Records of less are not divided: a half would miss whole seasons."""
MOST_UNDATED = 0.01
"""With a greater share of undated collisions nothing is held out."""
_SAME = 0.01


@dataclass(frozen=True, slots=True)
class Periods:
    """Counts of the first and of the last years, for the held-out check.

    Attributes
    ----------
    first, last
        Counts of each segment by outcome in the first and in the last years, one row a segment.
    years_first, years_last
        How long the first and the last part of the records are (years).
    """

    first: pd.DataFrame
    last: pd.DataFrame
    years_first: float
    years_last: float


def check_periods(
    table: pd.DataFrame, contrast: Contrast, blocks: Blocks, index: pd.Index, periods: Periods | None
) -> pd.DataFrame:
    """Add the held-out check to rows of the table of tests, outcome by outcome and in these cluster by cluster.

    Parameters
    ----------
    table
        Rows of the table of tests: ``outcome, reason, p_value``.
    contrast
        What the comparison stands on; its exposure is length alone (km).
    index
        ``segment_id`` of the segments of `contrast`, in their order.
    periods
        Counts of the first and of the last years; None: the records are of one period, and ``held_out_result`` says so.
    """
    if periods is None or not (periods.years_first > 0 and periods.years_last > 0):
        return table.assign(held_out_result="not checked: the records are of one period")
    names = list(table["outcome"].unique())
    parts = [
        part.reindex(index, columns=names).astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
        for part in (periods.first, periods.last)
    ]
    told = np.isfinite(parts[0]).all(axis=0) & np.isfinite(parts[1]).all(axis=0)
    first, last = (np.where(told, part, 0.0) for part in parts)
    found = held_out(contrast, first, last, (periods.years_first, periods.years_last), blocks)
    order = np.arange(contrast.k * len(names)).reshape(contrast.k, len(names)).T.ravel()
    found = found.iloc[order].set_axis(table.index)
    found.loc[~np.repeat(told, contrast.k)] = np.nan
    joined = table.join(found)
    return joined.assign(held_out_result=_words(joined))


def held_out(
    contrast: Contrast, first: Floats, last: Floats, years: tuple[float, float], blocks: Blocks
) -> pd.DataFrame:
    """Hold ratios of the last years against those of the first.

    Observed collisions of the last years over those that the first years' ratio and the last years' rates of the other
    roads lead one to expect: the quotient of the two ratios. What is lasting in the risk of places is in both, and
    cancels; the variance of the quotient's logarithm is the sum over blocks of squared differences between the two
    periods' influences (block-robust sandwich: Liang and Zeger 1986, Biometrika 73:13-22), or, where that is larger,
    the Poisson variance of both.

    Parameters
    ----------
    first, last
        Collisions of each segment by outcome in the first and in the last years, ``(n, m)``.
    years
        How long the first and the last part of the records are (years).

    Returns
    -------
    ``k x m`` rows, label by label: ``ratio_first, ratio_last, held_out, held_out_low, held_out_high, observed_last,
    expected_last`` (what the first years' ratio predicts).
    """
    parts = []
    for counts, length in ((first, years[0]), (last, years[1])):
        alone = replace(contrast, counts=counts, exposure=contrast.exposure * length)
        sums = add_up(alone)
        observed, expected, ratio = common_ratio(sums)
        parts.append((observed, expected, ratio, *_influence(alone, ratio, blocks)))
    (_, _, early, pull_1, noise_1), (observed, expected, late, pull_2, noise_2) = parts
    usable = (early > 0) & np.isfinite(early) & (late >= 0) & np.isfinite(late)
    both = usable & (late > 0)
    count = max(blocks.count, 2)
    robust = ((pull_2 - pull_1) ** 2).sum(axis=0) * count / (count - 1)
    spread = np.sqrt(np.maximum(robust, noise_1 + noise_2))
    reach = student.ppf((1 + LEVEL) / 2, count - 1) * spread
    quotient = np.divide(late, early, out=np.full_like(late, np.nan), where=usable)
    enough = both & (blocks.count >= MIN_BLOCKS)
    table = {
        "ratio_first": np.where(np.isfinite(early), early, np.nan),
        "ratio_last": np.where(np.isfinite(late), late, np.nan),
        "held_out": quotient,
        "held_out_low": np.where(enough, quotient * np.exp(-np.where(enough, reach, 0)), np.nan),
        "held_out_high": np.where(enough, quotient * np.exp(np.where(enough, reach, 0)), np.nan),
        "observed_last": observed,
        "expected_last": np.where(usable, np.where(usable, early, 0) * expected, np.nan),
    }
    return pd.DataFrame({name: values.ravel() for name, values in table.items()})


def _influence(contrast: Contrast, ratio: Floats, blocks: Blocks) -> tuple[Floats, Floats]:
    """Influence of each block on the logarithm of ratios, ``(blocks, k, m)``, and their Poisson variance."""
    sums = add_up(contrast)
    inside = np.where(sums.comparable, sums.exposure, 0.0)
    outside = np.where(sums.comparable, sums.exposure.sum(axis=1, keepdims=True) - inside, 0.0)
    events = np.where(sums.comparable[:, :, None], sums.events.sum(axis=1)[:, None, :], 0.0)
    usable = (ratio > 0) & np.isfinite(ratio)
    theta = np.where(usable, ratio, 1.0)
    weighted = theta * inside[:, :, None] + outside[:, :, None]
    safe = np.where(weighted > 0, weighted, 1.0)
    p, base = theta * inside[:, :, None] / safe, events / safe
    information = (p * (1 - p) * events).sum(axis=0)
    mine = contrast.labels[:, None] == np.arange(contrast.k)
    weight = (mine[:, :, None] - p[contrast.strata]) * sums.comparable[contrast.strata][:, :, None]
    mu = contrast.exposure[:, None, None] * base[contrast.strata] * np.where(mine[:, :, None], theta, 1.0)
    pull = weight * (contrast.counts[:, None, :] - mu)
    added = np.zeros((blocks.count, *ratio.shape))
    np.add.at(added, blocks.of, pull)
    enough = usable & (information > 0)
    known = np.where(enough, information, np.inf)
    return added / known, np.where(enough, 1 / known, 0.0)


def _words(table: pd.DataFrame) -> NDArray[np.object_]:
    same = np.sign(np.log(table["ratio_first"].where(table["ratio_first"] > 0))) == np.sign(
        np.log(table["ratio_last"].where(table["ratio_last"] > 0))
    )
    size = (table["held_out_low"] <= 1) & (table["held_out_high"] >= 1)
    conditions = [
        (table["reason"] != "") & table["p_value"].isna(),
        table["held_out_low"].isna(),
        same & size,
        same,
        size,
    ]
    words = [
        "not checked: not tested",
        "not checked: too few collisions or blocks in one of the periods",
        "same direction, size as the first years predict",
        "same direction, another size",
        "other direction, within chance of what the first years predict",
    ]
    return np.select(conditions, words, "other direction").astype(object)


def halves(
    records: pd.DataFrame,
    index: pd.Index,
    *,
    period: tuple[date, date] | None,
    years: float | None,
    severities: Sequence[Severity],
    users: Sequence[str],
) -> Periods | None:
    """Count the collisions of segments in the first and in the last years.

    Records are divided at the turn of the year nearest to the middle of their period.

    Parameters
    ----------
    records
        Placed collisions: ``segment_id, severity, date`` and road users.
    index
        ``segment_id`` of all segments, which get a row each.
    period
        First and last day that the records cover; None: not known.
    years
        How much of that time they cover (years).
    severities, users
        Severities and road users that the records tell of.

    Returns
    -------
    None where the period is not known, shorter than `LEAST_YEARS` or with years that no record covers, or too many
    collisions have no date.
    """
    if period is None or years is None:
        return None
    first, last = period
    when = pd.to_datetime(records["date"], utc=True)
    whole = years_of(first, last)
    if whole < LEAST_YEARS or abs(whole - years) > _SAME or records.empty:
        return None
    if when.isna().mean() > MOST_UNDATED:
        return None
    middle = first + (last - first) / 2
    turns = [date(year, 1, 1) for year in range(first.year + 1, last.year + 1)]
    turn = min(turns, key=lambda day: abs((day - middle).days))
    early = when < pd.Timestamp(turn, tz="UTC")
    counted = users, frozenset(severities)
    return Periods(
        _count(records[early], index, *counted),
        _count(records[when.notna() & ~early], index, *counted),
        years_of(first, turn - timedelta(days=1)),
        years_of(turn, last),
    )


def _count(
    records: pd.DataFrame, index: pd.Index, users: Sequence[str], severities: frozenset[Severity]
) -> pd.DataFrame:
    by_user = count_users(records, "segment_id", index, users)
    counts = count_severities(records, "segment_id", index, severities).join(by_user)
    # those that tell are compared, as in the comparison of all years; what no record tells stays unknown
    return counts.where(counts.notna() | counts.isna().all(), 0)
