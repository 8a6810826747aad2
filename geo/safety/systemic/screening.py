"""Which sites carry the factors that stand, whether they have a record or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.safety.comparison.adjusted import NORMAL, design_of, fit_poisson, trend_of
from geo.safety.comparison.covariance import RiskCovariance
from geo.safety.comparison.field import Field

WORST = 10
"""Sites without a record that are named for each factor."""
Floats = NDArray[np.float64]


def risk_factors(found: pd.DataFrame, column: str) -> pd.DataFrame:
    """Choose the levels that stand and have more collisions than others: ``factor, level``, each once.

    Parameters
    ----------
    found
        What was compared (`geo.safety.systemic.tested.compare_factors`).
    column
        The outcome by which sites are screened.
    """
    rows = found[found["stands"].astype(bool) & found["outcome"].eq(column) & (found["ratio"] > 1)]
    return rows[["factor", "level"]].drop_duplicates(ignore_index=True)


def screen_sites(
    sites: pd.DataFrame,
    factors: pd.DataFrame,
    standing: pd.DataFrame,
    column: str,
    covariance: RiskCovariance,
) -> pd.DataFrame:
    """Say which of the standing factors each site has, and what they together make of its rate.

    The second step of a systemic analysis counts the risk factors of each site, whether it has a record or not (Preston
    et al. 2013, Systemic Safety Project Selection Tool, FHWA-SA-13-019, step 2). Beside the count stands the product of
    their ratios, all estimated together, so that factors that go with each other are not counted twice: a log-linear
    model of the standing factors with a trend of place, by one step of scoring with the weights of
    `geo.safety.comparison.adjusted`.

    Parameters
    ----------
    sites
        By id: ``exposure``, ``x, y`` (metres) and `column`.
    factors
        Level of each site, a column a factor; null is not known, and counts as not there.
    standing
        The factors that stand: ``factor, level`` (`risk_factors`).
    column
        Counts by which they stand.
    covariance
        How risk varies from site to site.

    Returns
    -------
    On the index of `sites`: ``risk_factors`` (in words), ``n_risk_factors``, ``systemic_ratio`` to a site with none of
    them, with its limits (``_low``, ``_high``), ``systemic_rank`` (1 is the greatest ratio; the same for the same
    ratio; null without a factor) and ``focus_recorded``: whether there is any collision of this kind. All null where
    there is no exposure, and, but for the last, where no factor stands.
    """
    usable = ((sites["exposure"] > 0) & sites["x"].notna() & sites["y"].notna()).to_numpy()
    counts = sites[column].astype("Int64")
    recorded = (counts > 0).astype("boolean").mask(counts.isna() | ~usable)
    table = pd.DataFrame(
        {
            "risk_factors": pd.Series(None, index=sites.index, dtype=object),
            "n_risk_factors": pd.array([pd.NA] * len(sites), "Int64"),
            "systemic_ratio": np.nan,
            "systemic_ratio_low": np.nan,
            "systemic_ratio_high": np.nan,
            "systemic_rank": pd.array([pd.NA] * len(sites), "Int64"),
            "focus_recorded": recorded,
        },
        index=sites.index,
    )
    if standing.empty or not usable.any():
        return table
    has = carries(factors.reindex(sites.index), standing)
    words = standing["factor"].str.cat(standing["level"].astype(str), sep=": ").to_numpy(dtype=object)
    table.loc[usable, "risk_factors"] = _listed(has, words)[usable]
    table["n_risk_factors"] = pd.Series(has.sum(axis=1), index=sites.index).astype("Int64").where(usable)
    joint = joint_ratios(sites[usable], has[usable], column, covariance)
    if joint is not None:
        ratio, low, high = joint
        names = ("systemic_ratio", "systemic_ratio_low", "systemic_ratio_high")
        for name, values in zip(names, (ratio, low, high), strict=True):
            table.loc[usable, name] = values
    by = (
        table["systemic_ratio"]
        if joint is not None
        else table["n_risk_factors"].astype("Float64").astype("float64")
    )
    by = by.where(table["n_risk_factors"].fillna(0) > 0).round(12)
    table["systemic_rank"] = by.rank(method="min", ascending=False).astype("Int64")
    return table


def carries(factors: pd.DataFrame, standing: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which site has which of the standing factors, ``(sites, factors)``."""
    pairs = zip(standing["factor"], standing["level"], strict=True)
    columns = [(factors[str(name)] == level).to_numpy(dtype=bool) for name, level in pairs]
    return np.column_stack(columns) if columns else np.zeros((len(factors), 0), dtype=bool)


def _listed(has: NDArray[np.bool_], words: NDArray[np.object_]) -> NDArray[np.object_]:
    """Name the factors of each site."""
    text = np.full(len(has), "", dtype=object)
    for column, word in zip(has.T, words, strict=True):
        text = np.where(column, np.where(text == "", word, text + "; " + word), text)
    return text


def joint_ratios(
    sites: pd.DataFrame, has: NDArray[np.bool_], column: str, covariance: RiskCovariance
) -> tuple[Floats, Floats, Floats] | None:
    """Give the product of the ratios of each site's factors, estimated together, with its limits.

    Counts have the mean ``exposure x exp(z b + trend)`` with ``z`` the factors; ``b`` is that of the Poisson regression
    after one step of scoring with weights ``V^-1``, its covariance ``(D' V^-1 D)^-1`` (generalised estimating
    equations: Liang and Zeger 1986, Biometrika 73:13-22, equation 7 with the model's own covariance). The limits of a
    site are those of ``z b``.

    Parameters
    ----------
    sites
        ``exposure`` (above 0), ``x, y`` (metres), `column`, and ``log_aadt`` where it is known.
    has
        Which site has which factor, ``(sites, factors)``.

    Returns
    -------
    Ratio, lower and upper limit of each site; None where the counts are not known or the regression does not converge.
    """
    y = np.asarray(
        sites[column].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64
    )
    if covariance.reason or not np.isfinite(y).all() or y.sum() == 0:
        return None
    places = sites[["x", "y"]].to_numpy(dtype=np.float64)
    exposure = np.asarray(sites["exposure"], dtype=np.float64)
    one = np.zeros(len(y), dtype=np.int64)
    mine = has.astype(np.float64)
    columns = np.column_stack([mine, design_of(one, pd.DataFrame(index=sites.index), trend_of(places))])
    fitted = fit_poisson(y, columns, exposure)
    if fitted is None:
        return None
    mu, coefficients = fitted
    weighted = Field.of_places(covariance, places).weights(mu) @ np.column_stack(
        [columns * mu[:, None], y - mu]
    )
    slopes = columns * mu[:, None]
    spread = np.linalg.pinv(slopes.T @ weighted[:, :-1], hermitian=True)
    found = (coefficients + spread @ (slopes.T @ weighted[:, -1]))[: mine.shape[1]]
    spread = spread[: mine.shape[1], : mine.shape[1]]
    centre = mine @ found
    reach = NORMAL * np.sqrt(np.maximum(((mine @ spread) * mine).sum(axis=1), 0.0))
    return np.exp(centre), np.exp(centre - reach), np.exp(centre + reach)


def where_else(
    found: pd.DataFrame, screened: pd.DataFrame, factors: pd.DataFrame, sites: pd.DataFrame
) -> pd.DataFrame:
    """Say of each level that was compared on how many sites without a record it is found.

    Parameters
    ----------
    found
        What was compared: ``factor, level``, and whatever else.
    screened
        The sites (`screen_sites`): ``systemic_rank, focus_recorded``.
    factors
        Level of each site, a column a factor.
    sites
        By id: ``length_m`` (null of junctions) and ``predicted``: the rate that is predicted of each site, by which the
        worst are chosen (null: by ``systemic_rank`` alone).

    Returns
    -------
    On the index of `found`: ``n_unrecorded`` and ``km_unrecorded``, the sites with this level that have no collision of
    the kind that factors are compared by, and, of factors that stand, ``worst_unrecorded``, ids of the worst of them.
    """
    none = screened["focus_recorded"].eq(False).fillna(value=False).to_numpy(dtype=bool)  # noqa: FBT003
    table = pd.DataFrame(
        {
            "n_unrecorded": pd.array([pd.NA] * len(found), "Int64"),
            "km_unrecorded": np.nan,
            "worst_unrecorded": None,
        },
        index=found.index,
    ).astype({"worst_unrecorded": object})
    if not screened["focus_recorded"].notna().any():
        return table
    order = sites[["predicted"]].assign(rank=screened["systemic_rank"].astype("Float64").astype("float64"))
    by = order.assign(row=np.arange(len(order))).sort_values(
        ["predicted", "rank", "row"], ascending=[False, True, True], na_position="last"
    )
    rows_by_worst = by["row"].to_numpy(dtype=np.int64)
    for (factor, level), rows in found.groupby(["factor", "level"], sort=False):
        here = (factors[str(factor)].reindex(sites.index) == level).to_numpy(dtype=bool) & none
        table.loc[rows.index, "n_unrecorded"] = int(here.sum())
        table.loc[rows.index, "km_unrecorded"] = sites["length_m"][here].sum(min_count=1) / 1000
        if rows["stands"].astype(bool).any():
            worst = sites.index.take(rows_by_worst[here[rows_by_worst]][:WORST])
            table.loc[rows.index[rows["stands"].astype(bool)], "worst_unrecorded"] = ";".join(map(str, worst))
    return table
