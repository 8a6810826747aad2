"""Which collisions hold most of the harm: road users, places and kinds of road, with their shares."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from geo.config import ROAD_USERS, Severity
from geo.safety.comparison.compared import told_counts
from geo.safety.places import type_of
from geo.safety.rates import LEVEL, OUTCOME_NAMES, Outcome

BETWEEN, AT = "between junctions", "at junctions"
ALL_USERS, ALL_FACILITIES = "all road users", "all"
NOT_KNOWN = "not known"
LEAST_EVENTS = 50
"""Factors are compared by the focus collisions where there are so many of them, else by a wider kind."""
SEVERITIES: tuple[Severity, ...] = ("fatal", "serious", "slight")
COLUMNS = (
    "place",
    "road_user",
    "facility",
    "n_collisions",
    *(f"n_{severity}" for severity in SEVERITIES),
    "n_ksi",
    "outcome",
    "n",
    "of",
    "share",
    "share_low",
    "share_high",
    "share_of_network",
    "focus",
)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Focus:
    """What sites of one kind are looked at for.

    Attributes
    ----------
    road_user
        The road user whose collisions hold most of the outcome there, or `ALL_USERS`.
    column
        Column of counts by which factors are compared.
    words
        Which collisions these are, in words.
    why
        Why they are not those of the focus itself; empty where they are.
    """

    road_user: str
    column: str
    words: str
    why: str = ""


def focus_types(
    records: pd.DataFrame | None,
    segments: pd.DataFrame,
    junctions: pd.DataFrame,
    severities: Collection[Severity],
    users: Collection[str],
) -> pd.DataFrame:
    """Lay out which road users and which kinds of place hold most collisions of the gravest kind that is known.

    The first step of a systemic analysis: focus crash types and focus facilities are those with the most fatal and
    serious collisions (Preston et al. 2013, Systemic Safety Project Selection Tool, FHWA-SA-13-019, step 1, tasks 1 and
    2). Shares have exact intervals (Clopper and Pearson 1934, Biometrika 26:404-413): those within which chance moves a
    share in as long a time again, on the same roads at the same risk.

    Parameters
    ----------
    records
        Placed collisions: ``segment_id, junction_id, severity`` and for each road user whether one was involved (null:
        the record does not tell); None: there are no records.
    segments
        By ``segment_id``: ``road_class`` and ``length_m``.
    junctions
        By ``junction_id``: ``form`` and ``arms``.
    severities, users
        Severities and road users that the records tell of.

    Returns
    -------
    One row a place (`BETWEEN`, `AT`), road user and facility (road class, or type of junction; `ALL_FACILITIES`), the
    greatest share first (`COLUMNS`): counts, ``outcome`` (``ksi``, or ``collisions`` where KSI is not known), ``n`` of
    it in this row, ``of`` as many in the city that tell of the road user, their ``share`` with its limits,
    ``share_of_network`` (of length, or of junctions), and ``focus``: whether it is the road user with the greatest
    share at that kind of place, or the facility with the greatest share of that. Road users overlap, so their shares do
    not add up to 1. Empty without collisions.
    """
    if records is None or records.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    outcome: Outcome = "ksi" if {"fatal", "serious"} <= set(severities) else "collisions"
    placed = _placed(records, segments, junctions)
    parts = []
    for user in (ALL_USERS, *(user for user in ROAD_USERS if user in users)):
        told = placed if user == ALL_USERS else placed[placed[user].notna()]
        mine = told if user == ALL_USERS else told[told[user].astype(bool)]
        total = int(_is(told, outcome).sum())
        by = (_counted(mine, keys, outcome) for keys in (["place"], ["place", "facility"]))
        parts += [table.assign(road_user=user, of=total) for table in by]
    table = pd.concat(parts, ignore_index=True)
    table["facility"] = table["facility"].fillna(ALL_FACILITIES)
    table["share"] = table["n"] / table["of"].where(table["of"] > 0)
    table["share_low"], table["share_high"] = share_interval(table["n"], table["of"])
    table = table.join(_network(segments, junctions), on=["place", "facility"])
    for severity in SEVERITIES:
        if severity not in severities:
            table[f"n_{severity}"] = pd.array([pd.NA] * len(table), "Int64")
    table["n_ksi"] = table["n_fatal"] + table["n_serious"]
    table = table.assign(outcome=outcome, focus=_chosen(table)).sort_values(
        ["n", "n_collisions", "place", "road_user", "facility"],
        ascending=[False, False, False, True, True],
        ignore_index=True,
    )
    return table[list(COLUMNS)]


def share_interval(n: pd.Series, of: pd.Series) -> tuple[Floats, Floats]:
    """Give the exact interval of a share (Clopper and Pearson 1934); null where it is of nothing."""
    some, total = n.to_numpy(dtype=np.float64), of.to_numpy(dtype=np.float64)
    tail = (1 - LEVEL) / 2
    low = np.where(some > 0, beta.ppf(tail, np.maximum(some, 1), total - some + 1), 0.0)
    high = np.where(some < total, beta.ppf(1 - tail, some + 1, np.maximum(total - some, 1)), 1.0)
    return np.where(total > 0, low, np.nan), np.where(total > 0, high, np.nan)


def _placed(records: pd.DataFrame, segments: pd.DataFrame, junctions: pd.DataFrame) -> pd.DataFrame:
    """Say of each collision at which place and facility it lies."""
    on = records["segment_id"].notna()
    at = records["junction_id"].notna() & ~on
    classes = segments["road_class"].astype(object).where(segments["road_class"].notna(), NOT_KNOWN)
    facility = records["segment_id"].map(classes).where(on, records["junction_id"].map(type_of(junctions)))
    found = pd.DataFrame(records.drop(columns="geometry", errors="ignore"))
    found = found.assign(place=np.where(on, BETWEEN, AT), facility=facility.astype(object))
    return found[on | at]


def _is(placed: pd.DataFrame, outcome: Outcome) -> pd.Series:
    """Tell which collisions are of the outcome."""
    everything = pd.Series(True, index=placed.index)  # noqa: FBT003 - a value, not a flag
    return placed["severity"].isin(["fatal", "serious"]) if outcome == "ksi" else everything


def _counted(placed: pd.DataFrame, keys: list[str], outcome: Outcome) -> pd.DataFrame:
    """Count collisions by place, or place and facility."""
    flags = pd.DataFrame({f"n_{each}": placed["severity"].eq(each) for each in SEVERITIES})
    flags = flags.assign(n_collisions=1, n=_is(placed, outcome)).astype("Int64")
    found = flags.join(placed[keys]).groupby(keys, sort=True).sum().reset_index()
    return found if "facility" in found else found.assign(facility=None)


def _network(segments: pd.DataFrame, junctions: pd.DataFrame) -> pd.DataFrame:
    """Say which share of the length, or of the junctions, each facility is."""
    classes = segments["road_class"].astype(object).where(segments["road_class"].notna(), NOT_KNOWN)
    length = segments["length_m"].groupby(classes).sum() / segments["length_m"].sum()
    kinds = type_of(junctions).value_counts(normalize=True)
    parts = {BETWEEN: length, AT: kinds}
    share = pd.concat({place: part.rename_axis("facility") for place, part in parts.items()}, names=["place"])
    return pd.DataFrame({"share_of_network": share.astype("float64")})


def _chosen(table: pd.DataFrame) -> pd.Series:
    """Choose the road user with most of the outcome at each kind of place, and the facility with most of that."""
    chosen = pd.Series(False, index=table.index)  # noqa: FBT003 - a value, not a flag
    ordered = table.sort_values(
        ["n", "n_collisions", "road_user", "facility"], ascending=[False, False, True, True]
    )
    for place in (BETWEEN, AT):
        here = ordered[ordered["place"] == place]
        of_users = here[here["facility"] == ALL_FACILITIES]
        single = of_users[of_users["road_user"] != ALL_USERS]
        found = (single if len(single) and single["n"].iloc[0] > 0 else of_users).head(1)
        user = found["road_user"].iloc[0] if len(found) else None
        facility = here[(here["road_user"] == user) & (here["facility"] != ALL_FACILITIES)].head(1)
        chosen[[*found.index, *facility.index]] = True
    return chosen


def focus_of(types: pd.DataFrame, place: str, sites: pd.DataFrame) -> Focus:
    """Choose the collisions by which the factors of sites are compared.

    Those of the road user who holds most of the outcome there; where these are too few to compare by (`LEAST_EVENTS`),
    or not told on every site, KSI collisions, then all: severe collisions are few and scattered, which is what a
    systemic analysis is for, and the factors of a kind of collision are sought among all of that kind.

    Parameters
    ----------
    types
        The table of focus types (`focus_types`).
    place
        `BETWEEN` or `AT`.
    sites
        Counts of the sites that are compared (`geo.safety.places.count_places`).
    """
    chosen = types[
        types["focus"].astype(bool) & types["place"].eq(place) & types["facility"].eq(ALL_FACILITIES)
    ]
    user = str(chosen["road_user"].iloc[0]) if len(chosen) else ALL_USERS
    counts = told_counts(sites)
    wanted = (
        [] if user == ALL_USERS else [(f"n_{user}_collisions", f"collisions with a {user.replace('_', ' ')}")]
    )
    wanted += [("n_ksi", OUTCOME_NAMES["ksi"]), ("n_collisions", "all collisions")]
    passed: list[str] = []
    for column, words in wanted:
        told = counts[column].notna().all()
        n = int(counts[column].sum()) if told else 0
        if n >= LEAST_EVENTS or column == "n_collisions":
            return Focus(user, column, words, "; ".join(passed))
        passed.append(
            f"{n} {words}: fewer than {LEAST_EVENTS}" if told else f"{words}: not known on every site"
        )
    raise AssertionError("all collisions are always there")
