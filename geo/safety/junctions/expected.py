"""What is expected of each junction, how it ranks, and the function behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import pandas as pd

from geo.safety.expected.design import pool_classes
from geo.safety.expected.empirical_bayes import SHRINKAGE, expected_counts, prior
from geo.safety.expected.estimates import RANKS, WORDS, as_columns, models_table, spread_words
from geo.safety.expected.performance import fit_performance
from geo.safety.expected.ranking import rank_segments
from geo.safety.rates import Outcome

OutcomeThere = Literal["ksi at junctions", "collisions at junctions"]
"""What the table of models calls outcomes at junctions."""
OUTCOMES_THERE: tuple[str, ...] = get_args(OutcomeThere)
TRAFFIC = {"traffic_major": "traffic of the major road", "traffic_minor": "traffic of the minor road"}
"""What the traffic of a junction is called among terms, after ``log``."""
WITHIN = "shrinkage within form and arms (gamma-Poisson), no safety performance function"


def expect_junctions(
    counted: pd.DataFrame, known: pd.DataFrame, *, seed: int, draws: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Say what KSI and collisions are to be expected of each junction and year, how it ranks, and by which models.

    As for segments (`geo.safety.expected.estimates.estimate_outcomes`), but for what stands in the function: the
    expected count of a junction is proportional to years alone, and to powers of the traffic of its major and of its
    minor road where these are known (Highway Safety Manual 2010, chapters 10 to 12: ``exp(a + b log AADTmaj + c log
    AADTmin)``), with a level for each form and number of arms, and for the highest class of its arms.

    Parameters
    ----------
    counted
        What was counted at each junction, by ``junction_id``: ``n_ksi``, ``n_collisions`` and ``years``; null is not
        known.
    known
        What is known of each (`geo.safety.junctions.arms.known_of_junctions`), on the same index.
    seed
        Seed of the draws behind the ranks: the same one gives the same ranks.
    draws
        How many times all junctions are drawn and ranked (number).

    Returns
    -------
    By ``junction_id``, of both outcomes: ``ksi_per_year_eb`` (empirical Bayes) with ``_low`` and ``_high``,
    ``ksi_per_year_predicted``, ``ksi_per_year_potential`` (EB less predicted), ``ksi_predicted``, ``ksi_eb`` and
    ``ksi_eb_variance`` (events in the time of the records), ``ksi_eb_weight`` (of the prediction) and
    ``ksi_eb_method``, in words; the columns of `geo.safety.expected.ranking.rank_segments`, named as for segments, with
    ``rank_of``. And the table of models, whose outcomes are `OUTCOMES_THERE`.

    Examples
    --------
    Eighty crossroads of which nothing marks the first but its nine collisions in five years, where others have two on
    average:

    >>> index = pd.Index([f"j{i:02d}" for i in range(80)], name="junction_id")
    >>> counts = pd.Series(np.random.default_rng(0).poisson(2, 80), index=index).where(index != "j00", 9)
    >>> counted = pd.DataFrame({"n_collisions": counts, "n_ksi": pd.NA, "years": 5.0}, index=index)
    >>> known = pd.DataFrame({"junction_type": "crossroads (4 arms)", "highest_class": "primary"}, index=index)
    >>> known[["traffic_major", "traffic_minor"]] = np.nan
    >>> found, models = expect_junctions(counted, known, seed=0, draws=200)
    >>> int(found["rank"].idxmin()[1:]), found["rank_of"].iloc[0], models["outcome"].unique().tolist()
    (0, 'collisions', ['ksi at junctions', 'collisions at junctions'])
    >>> bool(0.4 < found["collisions_per_year_eb"].iloc[0] < 9 / 5)
    True
    """
    both: tuple[Outcome, Outcome] = ("ksi", "collisions")
    parts = {what: _expect(what, counted, known, seed=seed, draws=draws) for what in both}
    ranked: Outcome = "ksi" if parts["ksi"][2]["rank"].notna().any() else "collisions"
    ranks = parts[ranked][2][list(RANKS)].rename(columns=RANKS)
    ranks["rank_of"] = pd.Series(ranked, index=ranks.index, dtype=object).where(ranks["rank"].notna(), None)
    found = parts["ksi"][0].join(parts["collisions"][0]).join(ranks)
    return found, pd.concat([part[1] for part in parts.values()], ignore_index=True)


def _expect(
    what: Outcome, counted: pd.DataFrame, known: pd.DataFrame, *, seed: int, draws: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Estimate one outcome: columns of junctions, rows of models, ranks."""
    counts = counted[f"n_{what}"]
    years = counted["years"].astype("float64")
    groups = known["junction_type"]
    fitted = fit_performance(
        counts,
        years,
        groups,
        _classes(known["highest_class"], counts),
        known[list(TRAFFIC)].rename(columns=TRAFFIC),
        units="junctions",
    )
    before = prior(fitted, counts, years, groups)
    found = expected_counts(before, counts, years)
    table = as_columns(found, what, per="year")
    beside = spread_words(fitted)
    known_as = {name: text + beside for name, text in {**WORDS, SHRINKAGE: WITHIN}.items()}
    words = found["method"].map(known_as).astype(object)
    table[f"{what}_eb_method"] = words.where(found["eb_per_km_year"].notna(), None)
    estimated = bool(found["eb_per_km_year"].notna().any())
    # years are the same for all: nothing is seen in their order
    apart = replace(fitted, checks=fitted.checks[fitted.checks["of"] != "exposure"])
    ranks = rank_segments(before, counts, years, seed=seed, draws=draws)
    models = _in_words(models_table(f"{what} at junctions", apart, estimated=estimated, ranks=ranks))
    return table, models, ranks


def _in_words(models: pd.DataFrame) -> pd.DataFrame:
    """Call what junctions are grouped by what it is."""
    name = models["name"].str.replace(r"^class ", "type ", regex=True)
    says = (
        models["says"]
        .str.replace(WORDS[SHRINKAGE], WITHIN)
        .str.replace(r"\b(of|into) class ", r"\1 type ", regex=True)
    )
    return models.assign(name=name, says=says)


def _classes(highest: pd.Series, counts: pd.Series) -> pd.DataFrame:
    """Lay out the highest class of the arms: indicators against the one with most events, rare ones pooled."""
    events = counts.astype("Float64").astype("float64").fillna(0.0)
    classes, _ = pool_classes(highest, events)
    by_class = events.groupby(classes).sum().sort_values(ascending=False, kind="stable")
    return pd.DataFrame(
        {f"highest class {name}": (classes == name).astype("float64") for name in sorted(by_class.index[1:])},
        index=highest.index,
    )
