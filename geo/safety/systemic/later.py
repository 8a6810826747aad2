"""Whether sites that were chosen by their factors, without a record, have more collisions in the years after."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geo.safety.comparison.compared import told_counts
from geo.safety.comparison.covariance import RiskCovariance
from geo.safety.comparison.heldout import Periods
from geo.safety.systemic.screening import carries, risk_factors
from geo.safety.systemic.tested import ALL, compare_factors

COLUMNS = (
    "outcome",
    "years_first",
    "years_last",
    "factors",
    "n_screened",
    "km_screened",
    "n_others",
    "km_others",
    "observed",
    "observed_others",
    "expected",
    "ratio",
    "low",
    "high",
    "p_value",
    "reason",
)
SCREENED, OTHERS = "has a factor", "has none"
_GATE = "n_collisions"


def check_later(
    sites: pd.DataFrame,
    factors: pd.DataFrame,
    column: str,
    periods: Periods | None,
    covariances: Mapping[str, RiskCovariance],
) -> pd.DataFrame:
    """Find factors by the first years alone, and count the later collisions of sites that had none before.

    Sites without a collision of this kind in the first years are those that only their factors can point to. Chance is
    that of the comparison of types (`geo.safety.systemic.tested.compare_factors`): the rate of those with a factor over
    that of those with none, in the same part of town, and its p-value. Having had no collision brings sites of both
    kinds nearer to each other, so the ratio is a cautious one.

    Parameters
    ----------
    sites
        By id: ``exposure`` of all years, ``x, y``, ``length_m`` (null of junctions) and what comparisons adjust for.
    factors
        Level of each site, a column a factor.
    column
        Counts by which sites are screened.
    periods
        Counts of the first and of the last years; None: the records cannot be divided.
    covariances
        How risk varies from site to site, by comparison (`geo.safety.systemic.tested.covariances_of`).

    Returns
    -------
    One row (`COLUMNS`): ``factors`` that stand by the first years, sites and length with one of them (``_screened``)
    and without (``_others``), all without a record then; ``observed`` later collisions on the screened and the others,
    ``expected`` on the screened if they had the rate of both together; ``ratio`` with its limits and ``p_value``; or
    the ``reason`` why there is none.
    """
    row: dict[str, object] = dict.fromkeys(COLUMNS) | {"outcome": column}
    if periods is None:
        return _laid_out(row | {"reason": "the records are of less than two years, or cannot be divided"})
    row |= {"years_first": periods.years_first, "years_last": periods.years_last}
    whole = periods.years_first + periods.years_last
    outcomes = list(dict.fromkeys([_GATE, column]))
    early, late = (
        sites.drop(columns=outcomes, errors="ignore")
        .assign(exposure=sites["exposure"] * years / whole)
        .join(told_counts(counts)[outcomes])
        for counts, years in ((periods.first, periods.years_first), (periods.last, periods.years_last))
    )
    standing = risk_factors(compare_factors(early, factors, outcomes, covariances), column)
    if standing.empty:
        return _laid_out(row | {"reason": "no factor stands by the first years alone"})
    row["factors"] = "; ".join(standing["factor"].str.cat(standing["level"].astype(str), sep=": "))
    unrecorded = late[early[column].eq(0).fillna(value=False).to_numpy(dtype=bool) & (late["exposure"] > 0)]
    screened = np.asarray(carries(factors.reindex(unrecorded.index), standing).any(axis=1), dtype=np.bool_)
    groups = pd.DataFrame({"screened": np.where(screened, SCREENED, OTHERS)}, index=unrecorded.index)
    counts = unrecorded[column].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    exposure, length = (unrecorded[name].to_numpy(dtype=np.float64) for name in ("exposure", "length_m"))
    for name, rows in (("screened", screened), ("others", ~screened)):
        row[f"n_{name}"] = int(rows.sum())
        row[f"km_{name}"] = length[rows].sum() / 1000
    row |= {
        "observed": counts[screened].sum(),
        "observed_others": counts[~screened].sum(),
        "expected": counts.sum() * exposure[screened].sum() / exposure.sum(),
    }
    plain = unrecorded.drop(columns=["road_class", "log_aadt"], errors="ignore")
    found = compare_factors(plain, groups.astype(object), outcomes, {ALL: covariances[ALL]})
    mine = found[found["outcome"].eq(column) & found["level"].eq(SCREENED)]
    if mine.empty:
        return _laid_out(row | {"reason": "all sites without a record have a factor, or none has"})
    values = {name: mine[name].iloc[0] for name in ("ratio", "low", "high", "p_value", "reason")}
    return _laid_out(row | values)


def _laid_out(row: dict[str, object]) -> pd.DataFrame:
    """Give the row its types."""
    texts = {"outcome", "factors", "reason"}
    table = pd.DataFrame([row], columns=list(COLUMNS))
    return table.astype({name: object if name in texts else "float64" for name in COLUMNS})
