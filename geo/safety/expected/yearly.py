"""How collisions went from year to year: factors of years and a trend, common to all segments."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from datetime import date

import numpy as np
import pandas as pd
from scipy.stats import beta, chi2, norm
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from geo.config import Severity
from geo.safety.rates import LEVEL, years_of

LEAST_EVENTS = 20
"""With fewer no year is told apart."""
_WHOLE = 0.99
"""Of time that records do not cover: from so much on, whole years of them are missing."""
FACTOR_SAYS = "events: rate of this year over that of all years together, limits exact given their sum"
ONE_YEAR = "records of one calendar year: nothing can be told of a trend, and nothing was assumed"


def count_years(
    records: pd.DataFrame,
    period: tuple[date, date],
    severities: Collection[Severity],
    years: float | None = None,
) -> pd.DataFrame:
    """Count the collisions on segments by calendar year.

    Years that the records leave out are in no row, as they are in no rate: to take one for a year of 0 would make all
    others seem worse than they were.

    Parameters
    ----------
    records
        Placed collisions: ``segment_id``, ``severity``, ``date`` and ``source_year``, the year where there is no date;
        null in both: counted in no year.
    period
        First and last day of the records.
    severities
        Severities that the source tells apart; KSI is null unless it tells fatal and serious.
    years
        How much of that time they cover (years; `geo.collisions.period.Period`); None: all of it.

    Returns
    -------
    By year ``covered`` (share of the year that the records cover, above 0 to 1), ``collisions`` and ``ksi``.
    """
    first, last = period
    every = pd.Index(range(first.year, last.year + 1), name="year")
    ends = [(max(first, date(year, 1, 1)), min(last, date(year, 12, 31))) for year in every]
    table = pd.DataFrame({"covered": [years_of(*pair) for pair in ends]}, index=every)
    told = records["date"].dt.year.astype("Int64").fillna(records["source_year"].astype("Int64"))
    on = records["segment_id"].notna() & told.notna()
    serious = records.loc[on, "severity"].isin(["fatal", "serious"]).fillna(value=False).astype(bool)
    year = told[on].astype("int64")
    table["collisions"] = year.value_counts().reindex(every, fill_value=0).astype("float64")
    table["ksi"] = year[serious].value_counts().reindex(every, fill_value=0).astype("float64")
    if not {"fatal", "serious"} <= set(severities):
        table["ksi"] = np.nan
    if years is None or table["covered"].sum() - years < _WHOLE:
        return table
    there = every.isin(told.dropna().astype("int64"))
    there[[0, -1]] = True
    return table[there]


def year_factors(events: pd.Series, covered: pd.Series) -> pd.DataFrame:
    """Tell by how much each year's rate differs from that of all years together.

    Counts of segments by year, Poisson about what is to be expected of the segment times a factor common to the year,
    where what is to be expected is gamma about its prediction (the panel model of Hausman, Hall and Griliches 1984,
    Econometrica 52:909-938; of road safety: Hauer 1997, chapter 11; Lord and Mannering 2010, Transportation Research A
    44:291-305). The same years are known of all segments; so the likelihood parts into that of each segment's sum, a
    negative binomial, and that of the sums' division among years, a multinomial. So the function fitted to sums is
    that of the panel, a change over the years biases no segment against another, and the factor of a year is its share
    of all events over its share of the time. Limits are those of the binomial share (Clopper and Pearson 1934,
    Biometrika 26:404-413).

    Parameters
    ----------
    events, covered
        Events in each year, and the share of it that the records cover.

    Returns
    -------
    By year ``factor``, ``low``, ``high``.
    """
    y, w = events.to_numpy(dtype=np.float64), covered.to_numpy(dtype=np.float64)
    total, scale = y.sum(), w.sum() / w
    tail = (1 - LEVEL) / 2
    # a share of 0 has no lower limit, one of 1 no upper
    low = np.where(y > 0, beta.ppf(tail, np.maximum(y, 1), total - y + 1), 0.0)
    high = np.where(y < total, beta.ppf(1 - tail, y + 1, np.maximum(total - y, 1)), 1.0)
    return pd.DataFrame(
        {"factor": y / total * scale, "low": low * scale, "high": high * scale}, index=events.index
    )


def year_trend(events: pd.Series, covered: pd.Series) -> dict[str, float]:
    """Test a log-linear trend over the years, and whether years differ otherwise.

    A Poisson regression of the sums on the year, with the time covered as offset (statsmodels); where years are farther
    apart than chance and the trend make them, its errors are widened by Pearson's dispersion (McCullagh and Nelder
    1989, Generalized Linear Models, section 4.5).

    Parameters
    ----------
    events, covered
        As for `year_factors`, of two years or more.

    Returns
    -------
    ``ratio`` (of rates, from one year to the next) with ``low``, ``high`` and ``p_value``; ``dispersion`` about the
    trend (null of two years) and ``p_equal`` of all years having one rate (Pearson's chi-squared).
    """
    y, w = events.to_numpy(dtype=np.float64), covered.to_numpy(dtype=np.float64)
    year = events.index.to_numpy(dtype=np.float64)
    x = np.column_stack([np.ones(len(y)), year - year.mean()])
    with warnings.catch_warnings():
        # of two years the line goes through both, of years that are alike it is level: it is no worse for that
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        warnings.filterwarnings("ignore", "(divide by zero|invalid value) encountered", RuntimeWarning)
        fitted = GLM(y, x, family=families.Poisson(), offset=np.log(w)).fit()
    freedom = len(y) - 2
    dispersion = float(fitted.pearson_chi2) / freedom if freedom > 0 else np.nan
    error = float(fitted.bse[1]) * np.sqrt(max(1.0, np.nan_to_num(dispersion, nan=1.0)))
    slope, half = float(fitted.params[1]), float(norm.ppf((1 + LEVEL) / 2)) * error
    even = y.sum() * w / w.sum()
    return {
        "ratio": float(np.exp(slope)),
        "low": float(np.exp(slope - half)),
        "high": float(np.exp(slope + half)),
        "p_value": float(2 * norm.sf(abs(slope) / error)),
        "dispersion": dispersion,
        "p_equal": float(chi2.sf(((y - even) ** 2 / even).sum(), len(y) - 1)),
    }


def yearly_rows(outcome: str, events: pd.Series, covered: pd.Series) -> pd.DataFrame:
    """Lay out factors of years and their trend as rows of the table of models.

    Parameters
    ----------
    outcome
        ``ksi`` or ``collisions``.
    events, covered
        As for `year_factors`; events null where they are not known.

    Returns
    -------
    ``outcome, part`` (``year``), ``name, value, low, high, p_value, says``: a row a year, one of the trend, and one of
    equal years; or one that says why nothing is told.
    """
    said = None
    if len(events) < 2:
        said = ONE_YEAR
    elif not events.notna().all() or events.sum() < LEAST_EVENTS:
        said = f"fewer than {LEAST_EVENTS} events with a year: no trend is told"
    elif (events > 0).sum() < 2:
        said = "all events are of one year: the records hardly cover the others, and no trend is told"
    if said is not None:
        return pd.DataFrame({"outcome": [outcome], "part": "year", "name": "trend", "says": said})
    factors, trend = year_factors(events, covered), year_trend(events, covered)
    names = [str(year) for year in events.index]
    says = [
        f"{n:.0f} {FACTOR_SAYS}" + ("" if share > 0.999 else f"; the records cover {share:.0%} of it")
        for n, share in zip(events, covered, strict=True)
    ]
    wider = (
        ""
        if not trend["dispersion"] > 1
        else f", its error widened by a dispersion of {trend['dispersion']:.3g}"
    )
    tests = pd.DataFrame(
        {
            "name": ["trend", "equal years"],
            "value": [trend["ratio"], np.nan],
            "low": [trend["low"], np.nan],
            "high": [trend["high"], np.nan],
            "p_value": [trend["p_value"], trend["p_equal"]],
            "says": [
                f"ratio of rates from one year to the next, log-linear{wider}",
                "p of one rate in all years",
            ],
        }
    )
    rows = factors.rename(columns={"factor": "value"}).assign(name=names, says=says, p_value=np.nan)
    found = pd.concat([rows.reset_index(drop=True)[tests.columns], tests], ignore_index=True)
    return found.assign(outcome=outcome, part="year")
