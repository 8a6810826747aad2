"""What is expected of each segment, how it ranks, and the function behind it, laid out as columns and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.safety.expected.empirical_bayes import SHRINKAGE, Prior, expected_counts, prior
from geo.safety.expected.forms import LengthExponent
from geo.safety.expected.overdispersion import NO_SPREAD
from geo.safety.expected.performance import Performance, fit_performance
from geo.safety.expected.ranking import false_among_worst, rank_segments
from geo.safety.rates import Outcome

ALL_REACH = "none: the whole of it lies within reach of junctions"
"""Why a segment has neither rate nor estimate."""
WORDS = {
    "negative binomial": "safety performance function (negative binomial)",
    "poisson": "safety performance function (Poisson)",
    SHRINKAGE: "shrinkage within road class (gamma-Poisson), no safety performance function",
}
MODELS = (
    "outcome",
    "part",
    "name",
    "value",
    "standard_error",
    "low",
    "high",
    "p_value",
    "passed",
    "says",
)
K_WORDS = "k of variance m + k m^2, by maximum likelihood"
PER_LENGTH = ", of a length of {:.0f} m; it falls with length as 1 / length"
FREE_EXPONENT = "free in the function; p of a likelihood ratio against 1"
EXPONENT_ONE = "1 in the function; the figure is that of a free one, p of a likelihood ratio against 1"
RANKS = {
    "rank": "rank",
    "mean_rank": "expected_rank",
    "rank_deviation": "rank_deviation",
    "p_above": "p_above_predicted",
    "p_worst": "p_worst_5_percent",
}
"""What columns of `geo.safety.expected.ranking.rank_segments` are called among those of segments and junctions."""
FALSE_SAYS = "expected share of the {n} that rank worst {which} (posterior false discovery rate)"
FALSE = {
    "not_among": "that is not truly among as many worst",
    "not_above": "of which no more is to be expected than of {units} like them",
}
_NUMBERS = ("value", "standard_error", "low", "high", "p_value")


@dataclass(frozen=True, slots=True)
class Estimates:
    """What is expected of segments.

    Attributes
    ----------
    segments
        Estimates of each segment (`estimate`), by ``segment_id``.
    models
        Rows of the table of models (`models_table`).
    ranks
        Ranks of the segments (`geo.safety.expected.ranking.rank_segments`).
    predicted_per_km_year
        Events per kilometre and year that are predicted of each segment; null where nothing is known.
    before
        What is expected of each segment before its own record is looked at.
    exposure
        Kilometres times years of each segment.
    """

    segments: pd.DataFrame
    models: pd.DataFrame
    ranks: pd.DataFrame
    predicted_per_km_year: pd.Series
    before: Prior
    exposure: pd.Series


def estimate_outcomes(
    segments: gpd.GeoDataFrame,
    junctions: gpd.GeoDataFrame,
    counted: pd.DataFrame,
    *,
    seed: int,
    draws: int,
    exponent: LengthExponent = "auto",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Say what KSI and collisions are to be expected of each segment, how it ranks, and by which models.

    Ranks are by KSI where segments can be ranked by it, else by all collisions.

    Parameters
    ----------
    segments, junctions
        The network, by ``segment_id`` and ``junction_id``: ``road_class``, ``length_m``; in metres.
    counted
        What was counted on each segment, by ``segment_id``: ``n_ksi``, ``n_collisions``, ``counted_m`` (the length that
        they are counted on, metres), ``years`` and ``aadt``; null is not known.
    seed
        Seed of the draws behind the ranks: the same one gives the same ranks.
    draws
        How many times all segments are drawn and ranked (number).
    exponent
        The exponent of length in the function (`geo.safety.expected.forms.choose_form`).

    Returns
    -------
    By segment the columns of `counted`, those of `estimate` for both outcomes, of
    `geo.safety.expected.ranking.rank_segments` (named by `RANKS`), ``rank_of`` (by which outcome; null without a rank)
    and ``junction_ends_per_km``; and the table of models of both outcomes.

    Examples
    --------
    A street of 60 segments of 100 m; nothing marks the first but its six KSI collisions, where others have one or none:

    >>> import geopandas as gpd
    >>> import numpy as np
    >>> import pandas as pd
    >>> from shapely import LineString, Point
    >>> n = 60
    >>> nodes = [f"j{i}" for i in range(n + 1)]
    >>> segments = gpd.GeoDataFrame(
    ...     {"u": nodes[:-1], "v": nodes[1:], "road_class": "primary", "length_m": 100.0},
    ...     index=pd.Index([f"s{i:02d}" for i in range(n)], name="segment_id"),
    ...     geometry=[LineString([(100 * i, 0), (100 * i + 100, 0)]) for i in range(n)],
    ...     crs=27700,
    ... )
    >>> junctions = gpd.GeoDataFrame(
    ...     index=pd.Index(nodes, name="junction_id"), geometry=[Point(100 * i, 0) for i in range(n + 1)], crs=27700
    ... )
    >>> n_ksi = np.where(np.arange(n) == 0, 6, np.arange(n) % 2)
    >>> counted = pd.DataFrame(
    ...     {"n_ksi": n_ksi, "n_collisions": 2 * n_ksi, "counted_m": 100.0, "years": 5.0, "aadt": np.nan},
    ...     index=segments.index,
    ... )
    >>> found, models = estimate_outcomes(segments, junctions, counted, seed=0, draws=200)
    >>> int(found["rank"].idxmin()[1:]), found["rank_of"].unique().tolist()
    (0, ['ksi'])
    >>> recorded, shrunk = 6 / 0.1 / 5, found["ksi_per_km_year_eb"].iloc[0]
    >>> bool(counted["n_ksi"].mean() / 0.1 / 5 < shrunk < recorded)
    True
    """
    ends_per_km = junction_ends_per_km(segments, junctions)
    estimates = estimate_both(segments, ends_per_km, counted, seed=seed, draws=draws, exponent=exponent)
    return lay_out(counted, ends_per_km, estimates)


def estimate_both(
    segments: pd.DataFrame,
    ends_per_km: pd.Series,
    counted: pd.DataFrame,
    *,
    seed: int,
    draws: int,
    exponent: LengthExponent = "auto",
) -> dict[Outcome, Estimates]:
    """Estimate each segment's KSI and collisions, see `estimate_outcomes`; `ends_per_km`: `junction_ends_per_km`."""
    known = segments[["road_class"]].assign(
        junction_ends_per_km=ends_per_km,
        aadt=counted["aadt"].astype("float64"),
        counted_km=counted["counted_m"].astype("float64") / 1000,
    )
    exposure = counted["counted_m"] / 1000 * counted["years"]
    both: tuple[Outcome, Outcome] = ("ksi", "collisions")
    return {
        what: estimate(what, counted[f"n_{what}"], exposure, known, seed=seed, draws=draws, exponent=exponent)
        for what in both
    }


def ranked_by(estimates: Mapping[Outcome, Estimates]) -> Outcome:
    """Tell which outcome segments are ranked by: KSI where they can be, else all collisions."""
    return "ksi" if estimates["ksi"].ranks["rank"].notna().any() else "collisions"


def lay_out(
    counted: pd.DataFrame, ends_per_km: pd.Series, estimates: Mapping[Outcome, Estimates]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay estimates of segments out as columns and a table of models, see `estimate_outcomes`."""
    ranked = ranked_by(estimates)
    ranks = estimates[ranked].ranks[list(RANKS)].rename(columns=RANKS)
    ranks["rank_of"] = pd.Series(ranked, index=ranks.index, dtype=object).where(ranks["rank"].notna(), None)
    found = counted.join([part.segments for part in estimates.values()]).join(ranks)
    found["junction_ends_per_km"] = ends_per_km
    return found, pd.concat([part.models for part in estimates.values()], ignore_index=True)


def junction_ends_per_km(segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame) -> pd.Series:
    """Count how many of a segment's two ends lie at junctions, over its length.

    Parameters
    ----------
    segments, junctions
        The network, by ``segment_id`` and ``junction_id``: ``u, v``, and ``length_m`` in metres.
    """
    ends = segments[["u", "v"]].isin(junctions.index).sum(axis=1)
    found: pd.Series = ends / (segments["length_m"] / 1000)
    return found


def estimate(
    outcome: str,
    counts: pd.Series,
    exposure: pd.Series,
    segments: pd.DataFrame,
    *,
    seed: int,
    draws: int,
    exponent: LengthExponent = "auto",
) -> Estimates:
    """Fit the safety performance function of an outcome, and estimate each segment by it.

    Parameters
    ----------
    outcome
        ``ksi`` or ``collisions``, for the names.
    counts
        Events of each segment; null is not known.
    exposure
        Kilometres times years of each segment, on the index of `counts`.
    segments
        ``road_class``, ``junction_ends_per_km``, ``aadt`` and ``counted_km`` (the length that events are counted on) of
        each segment, on the index of `counts`.
    seed
        Seed of the draws behind the ranks: the same one gives the same ranks.
    draws
        How many times all segments are drawn and ranked (number).
    exponent
        The exponent of length in the function (`geo.safety.expected.forms.choose_form`).

    Returns
    -------
    By segment, for ``ksi``: ``ksi_per_km_year_eb`` (empirical Bayes) with ``_low`` and ``_high``,
    ``ksi_per_km_year_predicted``, ``ksi_per_km_year_potential`` (EB less predicted), ``ksi_predicted``, ``ksi_eb`` and
    ``ksi_eb_variance`` (events in the time of the records), ``ksi_eb_weight`` (of the prediction) and
    ``ksi_eb_method``, in words; all null where there is no estimate, but for the words where a segment has no length
    that collisions could be counted on.
    """
    fitted = fit_performance(
        counts,
        exposure,
        segments["road_class"],
        segments[["junction_ends_per_km"]].rename(columns={"junction_ends_per_km": "junction ends per km"}),
        segments["aadt"] if segments["aadt"].notna().any() else None,
        length=segments["counted_km"],
        exponent=exponent,
    )
    before = prior(fitted, counts, exposure, segments["road_class"])
    found = expected_counts(before, counts, exposure)
    table = as_columns(found, outcome, per="km_year")
    beside = spread_words(fitted)
    words = found["method"].map({name: text + beside for name, text in WORDS.items()}).astype(object)
    words = words.where(found["eb_per_km_year"].notna(), None)
    table[f"{outcome}_eb_method"] = words.mask((exposure == 0) & counts.notna(), ALL_REACH)
    estimated = bool(found["eb_per_km_year"].notna().any())
    ranks = rank_segments(before, counts, exposure, seed=seed, draws=draws)
    return Estimates(
        table,
        models_table(outcome, fitted, estimated=estimated, ranks=ranks),
        ranks,
        found["predicted_per_km_year"],
        before,
        exposure,
    )


def as_columns(found: pd.DataFrame, outcome: str, *, per: str) -> pd.DataFrame:
    """Name what is expected of units (`expected_counts`) as the columns of a layer.

    Parameters
    ----------
    found
        Of segments; of others whose exposure is years alone, columns "per km and year" are per year.
    outcome
        ``ksi`` or ``collisions``, which columns begin with.
    per
        What rates are per, as their columns say: ``km_year`` or ``year``.
    """
    rate = f"{outcome}_per_{per}"
    return pd.DataFrame(
        {
            f"{rate}_eb": found["eb_per_km_year"],
            f"{rate}_eb_low": found["eb_per_km_year_low"],
            f"{rate}_eb_high": found["eb_per_km_year_high"],
            f"{rate}_predicted": found["predicted_per_km_year"],
            f"{rate}_potential": found["potential_per_km_year"],
            f"{outcome}_predicted": found["predicted"],
            f"{outcome}_eb": found["eb_count"],
            f"{outcome}_eb_variance": found["eb_variance"],
            f"{outcome}_eb_weight": found["weight"],
        }
    )


def spread_words(fitted: Performance) -> str:
    """Say where k does not differ from 0, what that makes of shrunk figures; empty where it does, or there is no k.

    Parameters
    ----------
    fitted
        The function: with k of 0 the weight of the prediction is 1, the estimate is the prediction, and of whatever a
        record has beyond it all is expected to vanish.
    """
    if fitted.model is None or fitted.overdispersion_low > 0:
        return ""
    if fitted.overdispersion == 0:
        return f"; {NO_SPREAD} (estimated as 0): estimates are predictions, whatever the record"
    high = f"{fitted.overdispersion_high:.2g}"
    return f"; {NO_SPREAD} (0 to {high}): estimates lie near predictions, and may be nothing else"


def models_table(
    outcome: str, fitted: Performance, *, estimated: bool, ranks: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Lay out a safety performance function, or why there is none, as rows.

    Parameters
    ----------
    outcome
        What the function predicts, ``ksi`` or ``collisions``.
    fitted
        The function, or why there is none (`geo.safety.expected.performance.fit_performance`).
    estimated
        Whether segments have an estimate at all.
    ranks
        How they rank (`geo.safety.expected.ranking.rank_segments`), if they do.

    Returns
    -------
    `MODELS`: ``part`` is ``model`` (the model and why it is this one, segments, events, convergence,
    overdispersion with its interval, log-likelihood, AIC), ``coefficient`` (logarithm of a ratio of rates, Wald's
    interval and p-value), ``exponent`` (of length and traffic, tested against 1), ``check`` (of residuals; ``low`` and
    ``high`` are its aim), ``ranks`` (the expected share of false ones among those that rank worst) or ``note``.
    """
    fallback = WORDS[SHRINKAGE] if estimated else "none: nothing is estimated"
    says = WORDS[fitted.model] if fitted.model is not None else f"{fallback}; {fitted.reason}"
    facts: list[dict[str, object]] = [
        {"name": "model", "says": says},
        {"name": fitted.units, "value": fitted.n_units},
        {"name": "events", "value": fitted.n_events},
        {
            "name": "convergence",
            "passed": fitted.converged,
            "says": "converged" if fitted.converged else fitted.reason,
        },
    ]
    if fitted.model is not None:
        facts += [
            {
                "name": "overdispersion",
                "value": fitted.overdispersion,
                "low": fitted.overdispersion_low,
                "high": fitted.overdispersion_high,
                "says": K_WORDS
                + (PER_LENGTH.format(fitted.per_length.at * 1000) if fitted.per_length else "")
                + spread_words(fitted),
            },
            {"name": "log-likelihood", "value": fitted.log_likelihood},
            {"name": "AIC", "value": fitted.aic},
        ]
    checks = fitted.checks.rename(columns={"aim_low": "low", "aim_high": "high"})
    checks = checks.assign(
        name=checks["check"].str.cat(checks["of"], sep=": ", na_rep="").str.removesuffix(": ")
    )
    # an aim without a limit on one side has none, which is null here
    checks[["low", "high"]] = checks[["low", "high"]].where(np.isfinite(checks[["low", "high"]]))
    coefficients = fitted.coefficients.rename(columns={"term": "name", "estimate": "value"})
    exponents = fitted.exponents.assign(
        name="exponent of " + fitted.exponents["of"].astype(object),
        says=np.where(fitted.exponents["free"].astype(bool), FREE_EXPONENT, EXPONENT_ONE),
    )
    notes = pd.DataFrame({"name": "note", "says": list(fitted.notes)}, dtype=object)
    parts = {
        "model": pd.DataFrame(facts),
        "coefficient": coefficients,
        "exponent": exponents,
        "check": checks,
        "ranks": pd.DataFrame() if ranks is None else _false(ranks, fitted.units),
        "note": notes,
    }
    # what is empty would make its columns objects
    rows = [part.assign(part=name) for name, part in parts.items() if len(part)]
    return gather_models([part.assign(outcome=outcome) for part in rows])


def gather_models(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put rows of the table of models one under the other, with all of its columns (`MODELS`)."""
    whole = [part.reindex(columns=list(MODELS)).astype(object) for part in tables]
    table = pd.concat(whole, ignore_index=True)
    table = table.where(table.notna(), None).astype(dict.fromkeys(_NUMBERS, "float64"))
    return table.astype({"passed": "boolean"})


def _false(ranks: pd.DataFrame, units: str) -> pd.DataFrame:
    """Lay out the expected share of false ones among the worst as rows of the table of models."""
    shares = false_among_worst(ranks).melt(["worst", "n"], list(FALSE), var_name="which")
    says = [
        FALSE_SAYS.format(n=n, which=FALSE[which].format(units=units))
        for n, which in zip(shares["n"], shares["which"], strict=True)
    ]
    kind = shares["which"].map({"not_among": "not among them", "not_above": "not above those like them"})
    return pd.DataFrame(
        {"name": "worst " + shares["worst"] + ": " + kind, "value": shares["value"], "says": says}
    )
