"""The systemic analysis of a city: focus, risk factors, and the sites that carry them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.safety.comparison.compared import BY_TRAFFIC, told_counts
from geo.safety.comparison.discovery import GATE, RATE
from geo.safety.comparison.heldout import Periods
from geo.safety.systemic.factors import TYPE
from geo.safety.systemic.focus import AT, BETWEEN, Focus, focus_of
from geo.safety.systemic.later import check_later
from geo.safety.systemic.screening import risk_factors, screen_sites, where_else
from geo.safety.systemic.tested import ALL, IN_CLASS, compare_factors, covariances_of

COMPARISONS = {"all clustered roads": ALL, "same class": IN_CLASS, BY_TRAFFIC: BY_TRAFFIC}
"""What comparisons of the table of tests are called here."""


@dataclass(frozen=True, slots=True)
class Sites:
    """Segments or junctions, with what is known of them.

    Attributes
    ----------
    place
        `BETWEEN` for segments, `AT` for junctions.
    known
        By id: ``exposure``, ``x, y``, ``length_m``, counts of `geo.safety.places.count_places`, ``predicted``, and
        where they are known ``road_class`` and ``log_aadt``.
    factors
        Level of each site, a column a factor.
    periods
        Counts of the first and of the last years; None: not divided.
    tests
        The table of tests, where sites have a type (column `TYPE` of `factors`).
    """

    place: str
    known: pd.DataFrame
    factors: pd.DataFrame
    periods: Periods | None = None
    tests: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Screened:
    """What a systemic analysis found of one kind of site.

    Attributes
    ----------
    focus
        What was looked at.
    factors
        One row a factor, level, outcome and comparison (`geo.safety.systemic.tested.compare_factors`), with where else
        it is found (`geo.safety.systemic.screening.where_else`).
    sites
        `geo.safety.systemic.screening.screen_sites`.
    later
        `geo.safety.systemic.later.check_later`.
    """

    focus: Focus
    factors: pd.DataFrame
    sites: pd.DataFrame
    later: pd.DataFrame


def segment_sites(
    segments: gpd.GeoDataFrame,
    rated: pd.DataFrame,
    factors: pd.DataFrame,
    types: pd.Series,
    tests: pd.DataFrame,
    periods: Periods | None,
) -> Sites:
    """Lay segments out for a systemic analysis.

    Parameters
    ----------
    segments
        By ``segment_id``: ``road_class, length_m`` and LineStrings in metres.
    rated
        Counts, ``counted_m``, ``years``, ``aadt`` and predictions (`geo.safety.expected.estimates.estimate_outcomes`).
    factors
        `geo.safety.systemic.factors.segment_factors`.
    types
        ``cluster`` of each segment; a segment may be missing.
    tests
        The table of tests of types.
    periods
        Counts of the first and of the last years.
    """
    middle = shapely.line_interpolate_point(segments.geometry.to_numpy(), 0.5, normalized=True)
    traffic = rated["aadt"].astype("float64")
    outcome = "ksi" if rated["ksi_per_km_year_predicted"].notna().any() else "collisions"
    known = rated.assign(
        road_class=segments["road_class"],
        length_m=segments["length_m"],
        exposure=rated["counted_m"] / 1000 * rated["years"],
        x=shapely.get_x(middle),
        y=shapely.get_y(middle),
        log_aadt=np.log(traffic.where(traffic > 0)),
        predicted=rated[f"{outcome}_per_km_year_predicted"],
    )
    cluster = types.reindex(segments.index).astype("Int64")
    level = ("type " + cluster.astype("string")).astype(object).where(cluster.notna(), None)
    return Sites(BETWEEN, told_counts(known), factors.assign(**{TYPE: level}), periods, tests)


def junction_sites(
    junctions: gpd.GeoDataFrame,
    counted: pd.DataFrame,
    years: float | None,
    factors: pd.DataFrame,
    periods: Periods | None,
) -> Sites:
    """Lay junctions out for a systemic analysis.

    Parameters
    ----------
    junctions
        By ``junction_id``: Points in metres.
    counted
        Counts of each junction (`geo.safety.places.count_places`).
    years
        How long the records cover (years); None: that is not known.
    factors
        `geo.safety.systemic.factors.junction_factors`.
    periods
        Counts of the first and of the last years.
    """
    points = junctions.geometry.to_numpy()
    known = counted.assign(
        exposure=np.nan if years is None else years,
        x=shapely.get_x(points),
        y=shapely.get_y(points),
        length_m=np.nan,
        predicted=np.nan,
    )
    return Sites(AT, told_counts(known), factors, periods)


def analyse(sites: Sites, types: pd.DataFrame) -> Screened:
    """Find the factors that stand, and screen all sites by them.

    Parameters
    ----------
    sites
        Segments or junctions.
    types
        The table of focus types (`geo.safety.systemic.focus.focus_types`).
    """
    known = sites.known
    focus = focus_of(types, sites.place, known)
    outcomes = list(dict.fromkeys([GATE, focus.column]))
    others = sites.factors.drop(columns=[TYPE], errors="ignore")
    covariances = covariances_of(known, outcomes)
    found = compare_factors(known, others, outcomes, covariances)
    if sites.tests is not None:
        found = pd.concat(
            [part for part in (of_types(sites.tests, outcomes), found) if len(part)], ignore_index=True
        )
    standing = risk_factors(found, focus.column)
    screened = screen_sites(known, sites.factors, standing, focus.column, covariances[ALL])
    found = found.join(where_else(found, screened, sites.factors, known))
    later = check_later(known, sites.factors, focus.column, sites.periods, covariances)
    found = found.assign(place=sites.place, screened_by=found["outcome"].eq(focus.column))
    return Screened(focus, found, screened, later.assign(place=sites.place))


def of_types(tests: pd.DataFrame, outcomes: Sequence[str]) -> pd.DataFrame:
    """Take visual types from the table of tests: they stand by q there, and by nothing else.

    Parameters
    ----------
    tests
        The table of tests (`geo.safety.comparison.compared.compare_types`).
    outcomes
        Columns of counts that are asked for.
    """
    rows = tests[tests["outcome"].isin(list(outcomes))].reset_index(drop=True)
    low, high, q = (
        rows[name].astype("float64") for name in ("ratio_adjusted_low", "ratio_adjusted_high", "q_value")
    )
    return pd.DataFrame(
        {
            "factor": TYPE,
            "level": "type " + rows["cluster"].astype(str),
            "outcome": rows["outcome"],
            "comparison": rows["comparison"].map(COMPARISONS),
            "n": rows["n"],
            "observed": rows["observed"],
            "ratio": rows["ratio_adjusted"],
            "low": low,
            "high": high,
            "p_value": rows["p_value_adjusted"],
            "q_value": q,
            "stands": (q <= RATE) & ((low > 1) | (high < 1)),
            "reason": rows["reason_adjusted"]
            .fillna(rows["reason"])
            .where(rows["p_value_adjusted"].isna(), None),
        }
    )
