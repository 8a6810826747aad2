"""Which factors go with more or fewer collisions: each level against all other sites, by the comparison of types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.counting import counted, doing
from geo.safety.comparison.adjusted import Adjusted, adjusted_ratios, covariance_of, design_of, trend_of
from geo.safety.comparison.contrast import Contrast
from geo.safety.comparison.covariance import MIN_EVENTS, Cells, RiskCovariance
from geo.safety.comparison.discovery import RATE, gated
from geo.safety.systemic.factors import ROAD_CLASS, TRAFFIC

ALL, IN_CLASS = "all others", "same class"
"""Comparisons: with all other sites, and with those of the same road class; both in the same part of town."""
COLUMNS = (
    "factor",
    "level",
    "outcome",
    "comparison",
    "n",
    "observed",
    "ratio",
    "low",
    "high",
    "p_value",
    "q_value",
    "stands",
    "reason",
)
_NUMBERS = ("ratio", "low", "high", "p_value")
_WORDS = {
    "the cluster cannot be told from class, covariates and place": "it cannot be told from class and place"
}
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def compare_factors(
    sites: pd.DataFrame,
    factors: pd.DataFrame,
    outcomes: Sequence[str],
    covariances: Mapping[str, RiskCovariance] | None = None,
) -> pd.DataFrame:
    """Compare the sites that have a level of a factor with all others, in the same part of town.

    Each level is compared as types of roads are (`geo.safety.comparison.adjusted.adjusted_ratios`): a score with a
    trend of place, and traffic where it is known, weighted by the inverse of how risk varies; with all other sites, and
    with those of the same road class. A factor is found or not by all collisions, by one gate over its levels; its
    levels are then corrected for how many there are (`geo.safety.comparison.discovery.gated`).

    Parameters
    ----------
    sites
        By id: ``exposure`` (kilometres times years, or years), ``x, y`` (metres), the counts `outcomes`, and, where
        they are known, ``road_class`` and ``log_aadt``. Sites without exposure or place are in no comparison.
    factors
        Level of each site, a column a factor (`geo.safety.systemic.factors`); null is not known, and not compared.
    outcomes
        Columns of counts, ``n_collisions`` among them; one with a null is not known.
    covariances
        How risk varies, by comparison (`covariances_of`); None: it is fitted.

    Returns
    -------
    One row a factor, level, outcome and comparison (`COLUMNS`): ``n`` sites have the level, ``observed`` collisions lie
    on them; ``ratio`` of their rate to that of the others, with its limits, ``p_value``, ``q_value`` (false discovery
    rate over factors), ``stands`` (whether q is at most 0.05), and the ``reason`` where there is no ratio.
    """
    kept = _usable(sites)
    levels = factors.reindex(kept.index)
    counts = kept[list(outcomes)].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    told = np.isfinite(counts).all(axis=0)
    if not len(levels.columns):
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.concat([_rows(str(name), levels[name], kept, outcomes) for name in levels], ignore_index=True)
    names = [name for name, is_told in zip(outcomes, told, strict=True) if is_told]
    table["reason"] = table["reason"].mask(
        table["reason"].eq("") & ~table["outcome"].isin(names), "not known on every site"
    )
    for comparison in (ALL, IN_CLASS):
        rows = table[table["reason"].eq("") & table["comparison"].eq(comparison)]
        if len(rows):
            setting = _Setting.of_sites(kept, counts[:, told], in_class=comparison == IN_CLASS)
            known = setting.fitted() if covariances is None else covariances[comparison]
            setting = replace(setting, covariance=known)
            for name, part in counted(rows.groupby("factor", sort=False), "factors"):
                _fill(table, part, setting.compare(levels[name], by_traffic=name != TRAFFIC), names)
    table["q_value"] = gated(table.rename(columns={"factor": "cluster", "p_value": "p_value_adjusted"}))
    table["stands"] = (table["q_value"] <= RATE) & ((table["low"] > 1) | (table["high"] < 1))
    table["reason"] = table["reason"].astype(object).where(table["reason"] != "", None)
    return table[list(COLUMNS)]


def covariances_of(sites: pd.DataFrame, outcomes: Sequence[str]) -> dict[str, RiskCovariance]:
    """Fit how risk varies from site to site, for each comparison (see `compare_factors`).

    It is fitted to the fullest of the outcomes, and serves all.
    """
    kept = _usable(sites)
    counts = kept[list(outcomes)].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    counts = counts[:, np.isfinite(counts).all(axis=0)]
    if not counts.size:
        none = RiskCovariance(0.0, 0.0, np.nan, 0, "no collisions are known")
        return dict.fromkeys((ALL, IN_CLASS), none)
    comparisons = (ALL, IN_CLASS) if "road_class" in kept else (ALL,)
    doing("how risk varies")
    return {each: _Setting.of_sites(kept, counts, in_class=each == IN_CLASS).fitted() for each in comparisons}


def _usable(sites: pd.DataFrame) -> pd.DataFrame:
    """Give the sites that can be compared, in an order of their own."""
    usable = (sites["exposure"] > 0) & sites["x"].notna() & sites["y"].notna()
    return sites[usable].sort_index(kind="stable")


def _rows(name: str, levels: pd.Series, sites: pd.DataFrame, outcomes: Sequence[str]) -> pd.DataFrame:
    """Make the rows of a factor, still without ratios; of one that does not vary, with the reason for that."""
    found = levels.dropna().value_counts().sort_index()
    only = (
        ""
        if len(found) > 1
        else "not known of any site"
        if found.empty
        else "the same everywhere it is known"
    )
    if found.empty:
        found = pd.Series([0], index=pd.Index([None], dtype=object))
    comparisons = [ALL] if name == ROAD_CLASS or "road_class" not in sites else [ALL, IN_CLASS]
    parts = []
    for outcome in outcomes:
        observed = sites[outcome].astype("Int64").groupby(levels).sum(min_count=1).reindex(found.index)
        columns = {"level": found.index.astype(object), "n": found.to_numpy(), "observed": observed.array}
        parts += [pd.DataFrame(columns).assign(outcome=outcome, comparison=each) for each in comparisons]
    return pd.concat(parts, ignore_index=True).assign(
        factor=name, **dict.fromkeys(_NUMBERS, np.nan), reason=only
    )


@dataclass(frozen=True, slots=True)
class _Setting:
    """Sites that are compared, with what is taken out of every comparison, and how their risk varies."""

    counts: Floats
    exposure: Floats
    places: Floats
    strata: Integers
    traffic: pd.DataFrame
    covariance: RiskCovariance

    @classmethod
    def of_sites(cls, sites: pd.DataFrame, counts: Floats, *, in_class: bool) -> _Setting:
        """Lay sites out; how their risk varies is still to be said."""
        places = sites[["x", "y"]].to_numpy(dtype=np.float64)
        exposure = sites["exposure"].to_numpy(dtype=np.float64)
        strata = np.zeros(len(sites), dtype=np.int64)
        if in_class:
            classes = sites["road_class"].astype(object)
            strata = np.unique(classes.where(classes.notna(), "").astype(str), return_inverse=True)[1]
        traffic = pd.DataFrame(index=sites.index)
        if "log_aadt" in sites and sites["log_aadt"].notna().any():
            traffic["log_aadt"] = sites["log_aadt"].fillna(sites["log_aadt"].mean())
        unknown = RiskCovariance(0.0, 0.0, np.nan, 0, "how risk varies is not known")
        return cls(counts, exposure, places, strata.astype(np.int64), traffic, unknown)

    def fitted(self) -> RiskCovariance:
        """Fit the covariance of risk to the fullest outcome, with class, traffic and place in its mean."""
        labels = np.zeros(len(self.exposure), dtype=np.int64)
        contrast = _contrast(self.counts, self.exposure, self.strata, labels, 1, self.places)
        return covariance_of(
            contrast, design_of(self.strata, self.traffic, trend_of(self.places)), self.places
        )

    def compare(self, levels: pd.Series, *, by_traffic: bool) -> tuple[list[str], Adjusted]:
        """Compare the levels of a factor, sorted, where it is known."""
        known = levels.notna().to_numpy()
        names, labels = np.unique(levels.to_numpy(dtype=object)[known].astype(str), return_inverse=True)
        places, strata = self.places[known], self.strata[known]
        traffic = self.traffic[known] if by_traffic else self.traffic.iloc[:, :0][known]
        contrast = _contrast(self.counts[known], self.exposure[known], strata, labels, len(names), places)
        design = design_of(strata, traffic, trend_of(places))
        return list(names), adjusted_ratios(contrast, design, places, self.covariance)


def _contrast(
    counts: Floats, exposure: Floats, strata: Integers, labels: Integers, k: int, places: Floats
) -> Contrast:
    """Lay a comparison out; its covariance stands beside it."""
    none, one = (
        RiskCovariance(0.0, 0.0, np.nan, 0),
        Cells(np.zeros(len(places), dtype=np.int64), places[:1], 0.0),
    )
    return Contrast(counts, exposure, strata, labels.ravel().astype(np.int64), k, one, np.eye(1), none)


def _fill(
    table: pd.DataFrame, rows: pd.DataFrame, found: tuple[list[str], Adjusted], outcomes: list[str]
) -> None:
    """Put what a comparison found into its rows."""
    levels, adjusted = found
    at = (
        pd.Index(levels).get_indexer(pd.Index(rows["level"].astype(str))),
        pd.Index(outcomes).get_indexer(pd.Index(rows["outcome"])),
    )
    total = rows.groupby("outcome")["observed"].transform("sum")
    few = total.astype(str) + f" collisions of this kind: fewer than {MIN_EVENTS}"
    reason = pd.Series(adjusted.reason[at], index=rows.index).replace(_WORDS).mask(total < MIN_EVENTS, few)
    told = (reason == "").to_numpy()
    for name, values in zip(
        _NUMBERS, (adjusted.ratio, adjusted.low, adjusted.high, adjusted.p_value), strict=True
    ):
        table.loc[rows.index, name] = np.where(told, values[at], np.nan)
    table.loc[rows.index, "reason"] = reason
