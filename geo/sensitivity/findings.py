"""What a run found, finding by finding, and how each fares in another run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.clusters.found.numbers import SAME
from geo.safety.comparison.discovery import RATE
from geo.safety.comparison.groupings import POOLED
from geo.safety.comparison.inference import COMPARISONS
from geo.safety.picture.imagery_value import EMBEDDINGS, VISIBLE
from geo.sensitivity.matching import counterparts, shared_length

STANDS, KEPT, GONE, REVERSED, NEW, UNKNOWN = (
    "stands",
    "direction kept",
    "gone",
    "reversed",
    "new",
    "not known",
)
"""How a finding fares: it is claimed again; not claimed, but on the same side; neither; claimed the other way round;
claimed where nothing was; cannot be told."""
STATES = (STANDS, KEPT, GONE, REVERSED, NEW, UNKNOWN)
TYPE, REST, IMAGERY, GATHERED, WORST = "type", "other types", "imagery", "concentration", "worst roads"
KINDS = (TYPE, REST, IMAGERY, GATHERED, WORST)
N_WORST = 20
"""Roads of the highest rank that are held against as much length of them elsewhere."""
SAME_ROADS = (0.75, 0.5)
"""Share of the worst roads' length that is among the worst again: from the first the finding stands, from the second
its direction is kept."""
SAME_SHARE = 0.05
"""Shares of road that hold half of the harm and differ by no more than this are the same."""
_OUTCOMES = {"n_collisions": "collisions", "n_ksi": "KSI collisions"}
_THAN = {"all clustered roads": "other roads", "same class": "other roads of its class"}
_FIGURES = ("estimate", "low", "high", "q_value")


@dataclass(frozen=True)
class Seen:
    """What is looked at of a run.

    Attributes
    ----------
    segments
        ``segment_id, cluster`` (null: none), ``rank`` (1 the worst; null: none) and lines in metres.
    tests, value, high_injury
        The layers ``tests``, ``value_of_imagery`` and ``high_injury``.
    """

    segments: gpd.GeoDataFrame
    tests: pd.DataFrame
    value: pd.DataFrame
    high_injury: pd.DataFrame

    @property
    def types(self) -> pd.Series:
        """Type of each segment, by ``segment_id``."""
        types: pd.Series = self.segments.set_index("segment_id")["cluster"]
        return types

    @property
    def claims(self) -> pd.DataFrame:
        """Rows of the tests in which a difference is claimed, with ``more``: whether it is one of more collisions."""
        tests = self.tests[
            self.tests["outcome"].isin(POOLED) & self.tests["comparison"].isin(list(COMPARISONS))
        ]
        more, fewer = tests["ratio_adjusted_low"] > 1, tests["ratio_adjusted_high"] < 1
        return tests.assign(more=more)[(more | fewer) & (tests["q_value"] <= RATE)]


def findings_of(run: Seen) -> pd.DataFrame:
    """List what a run found.

    Returns
    -------
    One row a finding: ``finding`` (from 1), ``kind`` (`KINDS`), ``says`` (in words), ``cluster, outcome, comparison``
    (of a type's), and ``estimate, low, high, q_value``.
    """
    claims = run.claims
    rows = [
        {
            "kind": TYPE,
            "says": f"type {row['cluster']}: {'more' if row['more'] else 'fewer'} {_OUTCOMES[row['outcome']]} than "
            f"{_THAN[row['comparison']]}",
            **{name: row[name] for name in ("cluster", "outcome", "comparison")},
            **_figures_of_test(row),
        }
        for row in claims.to_dict("records")
    ]
    if run.tests["q_value"].notna().any():
        rest = "of other types nothing is claimed" if rows else "nothing is claimed of any type"
        rows.append({"kind": REST, "says": rest, "estimate": 0.0})
    if run.value["reason"].isna().all() and len(run.value):
        seen = _imagery(run)
        adds = (
            "adds to road class" if seen["low"] > VISIBLE else "adds nothing that can be seen to road class"
        )
        rows.append({"kind": IMAGERY, "says": f"what roads look like {adds}", **seen})
    gathered = _gathered(run)
    if gathered is not None:
        chance = "more" if gathered["q_value"] <= RATE else "no more"
        says = f"harm is {chance} gathered on few roads than by chance"
        rows.append({"kind": GATHERED, "says": says, **gathered})
    if run.segments["rank"].notna().any():
        rows.append({"kind": WORST, "says": f"the worst {N_WORST} roads", "estimate": 1.0})
    table = pd.DataFrame(rows, columns=["kind", "says", "cluster", "outcome", "comparison", *_FIGURES])
    table.insert(0, "finding", np.arange(1, len(table) + 1))
    return table.astype(dict.fromkeys(_FIGURES, "float64") | {"cluster": "Int64"})


def fares(base: Seen, found: pd.DataFrame, other: Seen) -> pd.DataFrame:
    """Say how the findings of one run fare in another.

    A type's finding is that of its counterpart (`geo.sensitivity.matching.counterparts`); where the two have no more
    than half of their road in common, there is no such type, and the finding is gone, whatever the counterpart's ratio.

    Parameters
    ----------
    base, other
        The two runs.
    found
        The findings of `base` (`findings_of`).

    Returns
    -------
    One row a finding, on the index of `found`: ``state`` (`STATES`), ``reason``, ``cluster_there``, ``overlap`` and
    ``estimate, low, high, q_value`` there.
    """
    shared = shared_length(base.segments, other.segments)
    pairs = counterparts(shared, base.types, other.types)
    claims = other.claims
    rows, known = [], set[tuple[Any, str, str]]()
    for row in found.to_dict("records"):
        if row["kind"] == TYPE:
            one = _type_there(row, pairs, other, claims)
            known.add((one.get("cluster_there"), row["outcome"], row["comparison"]))
        elif row["kind"] == REST:
            fresh = set(zip(claims["cluster"], claims["outcome"], claims["comparison"], strict=True))
            news = len(fresh - known)
            one = {"state": NEW if news else STANDS, "estimate": float(news)}
        elif row["kind"] == IMAGERY:
            one = _imagery_there(row, other)
        elif row["kind"] == GATHERED:
            one = _gathered_there(row, other)
        else:
            one = _worst_there(base, other, shared)
        rows.append({"reason": "", "cluster_there": None, "overlap": np.nan} | one)
    table = pd.DataFrame(
        rows, index=found.index, columns=["state", "reason", "cluster_there", "overlap", *_FIGURES]
    )
    return table.astype(dict.fromkeys(["overlap", *_FIGURES], "float64") | {"cluster_there": "Int64"})


def with_groupings(base: Seen, found: pd.DataFrame) -> pd.DataFrame:
    """Say how types' findings fare when the groupings of other samples of roads are allowed for; as `fares`."""
    mine = found[found["kind"] == TYPE]
    keys = ["cluster", "outcome", "comparison"]
    there = mine.merge(
        base.tests[[*keys, "ratio_pooled_low", "ratio_pooled_high", "reason_pooled"]], on=keys, how="left"
    )
    there = there.set_axis(mine.index)
    low, high = there["ratio_pooled_low"], there["ratio_pooled_high"]
    kept = np.where(mine["estimate"] > 1, low > 1, high < 1)
    state = np.where(low.isna(), UNKNOWN, np.where(kept, STANDS, KEPT))
    return pd.DataFrame(
        {
            "state": state,
            "reason": there["reason_pooled"].fillna("").to_numpy(),
            "cluster_there": mine["cluster"],
            "overlap": np.nan,
            "estimate": mine["estimate"],
            "low": low,
            "high": high,
            "q_value": np.nan,
        },
        index=mine.index,
    )


def _figures_of_test(row: Mapping[Any, Any]) -> dict[str, Any]:
    names = ("ratio_adjusted", "ratio_adjusted_low", "ratio_adjusted_high", "q_value")
    return dict(zip(_FIGURES, (row[name] for name in names), strict=True))


def _type_there(
    row: Mapping[Any, Any], pairs: pd.DataFrame, other: Seen, claims: pd.DataFrame
) -> dict[str, Any]:
    """Look for a type's finding in another run."""
    pair = pairs.loc[row["cluster"]]
    if pd.isna(pair["cluster_there"]):
        return {"state": GONE, "reason": "no type there has road of it"}
    told: dict[str, Any] = {"cluster_there": int(pair["cluster_there"]), "overlap": float(pair["overlap"])}
    tests = other.tests
    mine = (
        (tests["cluster"] == pair["cluster_there"])
        & (tests["outcome"] == row["outcome"])
        & (tests["comparison"] == row["comparison"])
    )
    test = tests[mine].iloc[0].to_dict() if mine.any() else {}
    if test:
        told |= _figures_of_test(test)
    if told["overlap"] <= SAME:
        return told | {
            "state": GONE,
            "reason": "no type there has more than half of its road in common with it",
        }
    if not test or pd.isna(test["ratio_adjusted"]):
        why = str(test.get("reason_adjusted") or test.get("reason") or "no such comparison there")
        return told | {"state": UNKNOWN, "reason": why}
    same = (float(test["ratio_adjusted"]) > 1) == (float(row["estimate"]) > 1)
    claimed = tests[mine].index.isin(claims.index).any()
    state = (STANDS if same else REVERSED) if claimed else (KEPT if same else GONE)
    return told | {"state": state}


def _imagery(run: Seen) -> dict[str, float]:
    row = run.value[run.value["model"] == EMBEDDINGS].iloc[0]
    names = ("explained_beyond_class", "explained_beyond_class_low", "explained_beyond_class_high")
    return dict(zip(_FIGURES[:3], (float(row[name]) for name in names), strict=True))


def _imagery_there(row: Mapping[Any, Any], other: Seen) -> dict[str, Any]:
    """Look whether the picture adds to road class in another run."""
    reasons = other.value["reason"].dropna()
    if len(reasons) or other.value.empty:
        return {"state": UNKNOWN, "reason": str(reasons.iloc[0]) if len(reasons) else "not told there"}
    there = _imagery(other)
    return {**there, "state": _as_before(float(row["low"]) > VISIBLE, there["low"] > VISIBLE)}


def _gathered(run: Seen) -> dict[str, float] | None:
    """Share of length that holds the asked share of harm, with the p-value of its held-out measure."""
    rows = run.high_injury[run.high_injury["measure"].str.startswith("share_of_length")]
    if rows.empty or pd.isna(rows["held_out_p_value"].iloc[0]):
        return None
    row = rows.iloc[0]
    return {
        "estimate": float(row["value"]),
        "low": float(row["low"]),
        "high": float(row["high"]),
        "q_value": float(row["held_out_p_value"]),
    }


def _gathered_there(row: Mapping[Any, Any], other: Seen) -> dict[str, Any]:
    """Look how gathered harm is in another run."""
    there = _gathered(other)
    if there is None:
        return {"state": UNKNOWN, "reason": "too few collisions there"}
    state = _as_before(float(row["q_value"]) <= RATE, there["q_value"] <= RATE)
    if state == STANDS and abs(there["estimate"] - float(row["estimate"])) > SAME_SHARE:
        return {**there, "state": KEPT, "reason": "the share of road is another one"}
    return {**there, "state": state}


def _as_before(then: bool, now: bool) -> str:  # noqa: FBT001 - two of a kind
    return STANDS if then == now else GONE if then else NEW


def _worst(run: Seen, length_m: float | None = None) -> gpd.GeoDataFrame:
    """Take the roads of the highest rank: so many, or so many that they are nearest to a length (metres)."""
    ranked = run.segments[run.segments["rank"].notna()].sort_values(["rank", "segment_id"], kind="stable")
    if length_m is None:
        return ranked.head(N_WORST)
    # half of a road is taken for it: lengths of the same roads are the same
    return ranked[ranked.length.cumsum() - ranked.length / 2 < length_m]


def _worst_there(base: Seen, other: Seen, shared: pd.DataFrame) -> dict[str, Any]:
    """Look how much of the worst roads are the worst in another run."""
    mine = _worst(base)
    length = float(mine.length.sum())
    theirs = _worst(other, length)
    if theirs.empty:
        return {"state": UNKNOWN, "reason": "no road has a rank there"}
    both = shared["first"].isin(mine["segment_id"]) & shared["second"].isin(theirs["segment_id"])
    share = float(shared.loc[both, "length_m"].sum()) / length
    state = STANDS if share >= SAME_ROADS[0] else KEPT if share >= SAME_ROADS[1] else GONE
    return {"state": state, "estimate": share}
