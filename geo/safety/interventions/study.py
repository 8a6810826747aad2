"""Studies of before and after: by site, by kind of treatment, and all together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from scipy.stats import false_discovery_control

from geo.safety.interventions.comparison import expected_by_comparison
from geo.safety.interventions.index import index_of_effectiveness, ratio_of_rates
from geo.safety.interventions.shares import share_of
from geo.safety.interventions.sites import Clock, Sites
from geo.safety.interventions.times import Floats, Integers
from geo.safety.interventions.untreated import Places, Untreated, describe_untreated
from geo.safety.interventions.without import Windows, expected_without

ALL = "all kinds"
"""What all kinds of treatment together are called."""
NOTHING_LEFT = "no untreated place with collisions after it tells what would have happened"
NOTHING_KNOWN = "no collisions of this kind tell what places like it have"
Bools = NDArray[np.bool_]
_BESIDE = ("naive", "comparison", "look_alike")
OF_KINDS = (
    *("kind", "outcome", "n_sites", "n_before", "n_after", "expected_before", "expected", "expected_se"),
    *("index", "index_se", "index_low", "index_high", "p_value", "q_value"),
    *(f"{name}{end}" for name in _BESIDE for end in ("", "_low", "_high")),
    *("n_look_alikes", "regression_to_mean", "trend", "naive_less_index", "method", "reason"),
)
"""Columns of effects by kind."""


@dataclass(frozen=True, slots=True)
class Network:
    """Places of one kind, with what was recorded there.

    Attributes
    ----------
    unit
        ``segment`` or ``junction``.
    known
        What is known of each place, by its id (`geo.safety.interventions.untreated.Places`).
    where, day
        Place (its position) and day of each collision, from 0.
    record
        Position of each collision among all records, for outcomes.
    look_alikes
        Which places look like which, ``(places, places)`` of 0 and 1; None: nothing is known of looks.
    """

    unit: str
    known: pd.DataFrame
    where: Integers
    day: Integers
    record: Integers
    look_alikes: csr_array | None = None


@dataclass(frozen=True, slots=True)
class _Treated:
    """Treated places of one kind: their times, their groups, and what all places have by themselves."""

    network: Network
    windows: Windows
    groups: csr_array
    ratio: Floats
    places: Places
    untreated: Untreated | None


def study(
    networks: list[Network], sites: Sites, kinds: pd.Series, clock: Clock, outcomes: Mapping[str, Bools]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Study treatments by empirical Bayes, and beside it naively and by comparison groups.

    Parameters
    ----------
    networks
        Segments, and junctions.
    sites
        Treatments with their places and times.
    kinds
        Kind of each treatment.
    clock
        The time of the records.
    outcomes
        By name, which of all records count; the others are shares of the first, which is all collisions.

    Returns
    -------
    By site (``row``) and by kind (``kind``; `ALL` last), each with ``outcome`` and the columns of `_estimates`; ``p``
    is corrected over the kinds and outcomes, that of sites over the sites of an outcome (Benjamini and Hochberg 1995).
    """
    rows = np.flatnonzero(sites.table["fate"].isna())
    names = sorted(set(kinds.iloc[rows]))
    members = _members(rows, kinds, names)
    treated = [_treated(network, sites, clock, members, rows) for network in networks]
    found = [_estimates(treated, counted).assign(outcome=outcome) for outcome, counted in outcomes.items()]
    n = len(rows)
    by_site = [part.iloc[:n].assign(row=rows) for part in found]
    by_kind = [part.iloc[n:].assign(kind=[*names, ALL], n_sites=members[n:].sum(axis=1)) for part in found]
    of_sites = pd.concat(
        [part.assign(q_value=corrected(part["p_value"])) for part in by_site], ignore_index=True
    )
    of_kinds = pd.concat(by_kind, ignore_index=True)
    whole = of_kinds["kind"] == ALL
    of_kinds["q_value"] = corrected(of_kinds["p_value"].mask(whole)).fillna(
        corrected(of_kinds["p_value"].where(whole))
    )
    of_kinds["n_sites"] = of_kinds["n_sites"].astype("int64")
    return of_sites, of_kinds[list(OF_KINDS)]


def corrected(p_values: pd.Series) -> pd.Series:
    """Correct p-values for how many there are (Benjamini and Hochberg 1995, JRSS B 57:289-300); null stays null."""
    known = p_values.notna()
    found = pd.Series(np.nan, index=p_values.index)
    if known.any():
        found[known] = false_discovery_control(p_values[known].to_numpy(dtype=np.float64))
    return found


def _members(rows: Integers, kinds: pd.Series, names: list[str]) -> csr_array:
    """Which treatments each group holds: sites, kinds, all; ``(groups, studied treatments)``."""
    n = len(rows)
    code = pd.Categorical(kinds.iloc[rows], categories=names).codes
    of_kind = csr_array((np.ones(n), (code, np.arange(n))), shape=(len(names), n))
    each = csr_array((np.ones(n), (np.arange(n), np.arange(n))), shape=(n, n))
    return csr_array(vstack([each, of_kind, csr_array(np.ones((1, n)))]))


def _treated(network: Network, sites: Sites, clock: Clock, members: csr_array, rows: Integers) -> _Treated:
    """Find the treated places of one kind, and what all places of the kind have by themselves."""
    ids = network.known.index
    windows, of = sites.windows(network.unit, ids, network.known["exposure"].to_numpy() > 0)
    covered = clock.covered
    ratio = (covered[windows.after_end] - covered[windows.after_start]) / covered[windows.before_end]
    until = sites.until(network.unit, ids, clock)
    places = Places(network.known, until, clock.n_days, float(covered[-1]), f"{network.unit}s")
    untreated = describe_untreated(places, network.where, network.day) if len(of) else None
    groups = csr_array(members[:, np.searchsorted(rows, of)])
    return _Treated(network, windows, groups, ratio, places, untreated)


def _estimates(treated: list[_Treated], counted: Bools) -> pd.DataFrame:
    """Estimate all groups for one outcome.

    Returns
    -------
    ``n_before``, ``n_after``; ``expected_before``, ``expected``, ``expected_se``, ``index`` with ``_se``, ``_low`` and
    ``_high``, ``p_value``; ``naive``, ``comparison`` and ``look_alike``, each with ``_low`` and ``_high``;
    ``n_look_alikes``; ``regression_to_mean`` (expected before over counted before: what the choice of the site alone
    would have pretended), ``trend`` (what the course of untreated places would have), ``naive_less_index``, ``method``
    and ``reason``.
    """
    parts = [_sums(one, counted) for one in treated if one.untreated is not None]
    found = sum(parts[1:], start=parts[0])
    index = index_of_effectiveness(found["n_after"], found["expected"], found["variance"])
    before = found["n_before"].where(found["n_before"] > 0)
    times = (found["scaled_before"] / before).fillna(found["ratio"] / found["n_units"])
    table = found[["n_before", "n_after"]].astype("int64")
    table = table.join(found[["expected_before", "expected"]]).assign(expected_se=found["variance"] ** 0.5)
    table = table.join(index).join(ratio_of_rates(found["n_after"], found["n_before"], times))
    for name in ("comparison", "look_alike"):
        ratios = index_of_effectiveness(
            found[f"{name}_after"], found[f"{name}_expected"], found[f"{name}_variance"]
        )
        for end in ("", "_low", "_high"):
            table[f"{name}{end}"] = ratios[f"index{end}"]
    table["regression_to_mean"] = found["expected_before"] / before
    table["trend"] = found["expected"] / found["expected_before"] / times
    table["naive_less_index"] = table["naive"] - table["index"]
    table["n_look_alikes"] = found["n_look_alikes"].astype("int64")
    methods = {one.untreated.method for one in treated if one.untreated is not None}
    table["method"] = "; ".join(sorted(methods))
    reason = pd.Series(NOTHING_KNOWN, index=table.index, dtype=object).mask(found["left"] > 0, NOTHING_LEFT)
    table["reason"] = reason.where(table["index"].isna(), None)
    return table


def _sums(treated: _Treated, counted: Bools) -> pd.DataFrame:
    """Add up by groups what one kind of places says."""
    network, windows, groups, untreated = treated.network, treated.windows, treated.groups, treated.untreated
    assert untreated is not None
    chosen = counted[network.record]
    where, day = network.where[chosen], network.day[chosen]
    if not chosen.all():
        untreated = share_of(untreated, treated.places, where, day)
    n = len(windows.place)
    position = np.full(len(network.known), -1)
    position[windows.place] = np.arange(n)
    held, when = position[where], day
    held, when = held[held >= 0], when[held >= 0]
    before = np.bincount(held[when < windows.before_end[held]], minlength=n).astype(np.float64)
    inside = (when >= windows.after_start[held]) & (when < windows.after_end[held])
    after = np.bincount(held[inside], minlength=n).astype(np.float64)
    table = expected_without(untreated, windows, groups).assign(
        n_before=groups @ before,
        n_after=groups @ after,
        scaled_before=groups @ (before * treated.ratio),
        ratio=groups @ treated.ratio,
        n_units=groups.sum(axis=1),
        left=_nothing_left(untreated, windows, groups),
    )
    return table.join(_compared(treated, (where, day), (before, after)))


def _nothing_left(untreated: Untreated, windows: Windows, groups: csr_array) -> Bools:
    """Tell which groups have places after whose treatment no untreated place had collisions."""
    lacking = ~(untreated.course.effective_years(windows.after_start, windows.after_end) > 0)
    return np.asarray(groups @ lacking > 0)


def _compared(
    treated: _Treated, events: tuple[Integers, Integers], counts: tuple[Floats, Floats]
) -> pd.DataFrame:
    """Say what comparison groups say: untreated places of the same class, and those that look alike."""
    network, windows, groups, places = treated.network, treated.windows, treated.groups, treated.places
    where, day = events
    before, after = counts
    untreated = places.until == places.n_days
    quiet = untreated[where]
    code, names = pd.factorize(network.known["road_class"].astype(object), use_na_sentinel=False)
    n = len(windows.place)
    of_class = csr_array((np.ones(n), (np.arange(n), code[windows.place])), shape=(n, len(names)))
    look = csr_array((len(untreated),) * 2) if network.look_alikes is None else network.look_alikes
    alike = csr_array(look[windows.place].multiply(untreated.astype(np.float64)))
    table = pd.DataFrame({"n_look_alikes": ((groups @ alike) > 0).sum(axis=1).astype(np.float64)})
    for name, members, at in (
        ("comparison", of_class, code[where[quiet]]),
        ("look_alike", alike, where[quiet]),
    ):
        has = np.asarray(members.sum(axis=1) > 0, dtype=np.float64)
        part = csr_array(groups.multiply(has))
        found = expected_by_comparison(before * has, windows, members, at, day[quiet], part, places.n_days)
        none = part.sum(axis=1) == 0
        table[f"{name}_after"] = part @ after
        table[f"{name}_expected"] = found["expected"].mask(none, 0.0)
        table[f"{name}_variance"] = found["variance"].mask(none, 0.0)
    return table
