"""What before and after allow to be said, in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from geo.outputs.wording import DISCOVERY, SAME_WITHIN, figure, number, ratio_limits
from geo.safety.interventions.study import ALL

CAVEAT = "an observational estimate: what else changed there at the same time is in it"
WORDS = {
    "collisions": "collisions",
    "ksi": "KSI collisions",
    "fatal": "fatal collisions",
    "pedestrian": "collisions with pedestrians",
    "cyclist": "collisions with cyclists",
    "motorcyclist": "collisions with motorcyclists",
    "car_occupant": "collisions with car occupants",
}
"""What outcomes are called."""

FEW = 200
"""With fewer collisions in all, what the choice of sites pretends is not taken out whole."""


def in_words(by_kind: pd.DataFrame) -> list[str]:
    """Say of each row what it allows to be said.

    Parameters
    ----------
    by_kind
        Rows of `geo.safety.interventions.study.study`: ``kind``, ``outcome``, ``n_sites``, ``index`` with its limits,
        ``q_value``, ``naive`` and ``reason``.
    """
    return [_sentence(row) for row in by_kind.to_dict("records")]


def claimed(row: Mapping[Any, Any]) -> bool:
    """Tell whether a row claims an effect: its interval leaves out 1, and q bears it out."""
    low, high, q = (number(row[name]) for name in ("index_low", "index_high", "q_value"))
    return (low > 1 or high < 1) and q <= DISCOVERY


def _sentence(row: Mapping[Any, Any]) -> str:
    noun = WORDS[str(row["outcome"])]
    if isinstance(row["reason"], str):
        return f"Not known: {row['reason']}."
    index, low, high, naive = (number(row[name]) for name in ("index", "index_low", "index_high", "naive"))
    limits = ratio_limits(low, high)
    beside = "" if math.isnan(naive) else f" Before against after alone would say {figure(naive, 2)}."
    if claimed(row):
        which = "More" if low > 1 else "Fewer"
        return (
            f"{which} {noun} than expected without it: {figure(index, 2)} times ({limits}), {CAVEAT}.{beside}"
        )
    if low >= SAME_WITHIN[0] and high <= SAME_WITHIN[1]:
        return f"About as many {noun} as expected without it: {limits} times, {CAVEAT}.{beside}"
    return f"No change in {noun} that chance would not make: {limits} times, {CAVEAT}.{beside}"


def one_line(by_kind: pd.DataFrame, studied: int, rows: int) -> str:
    """Say at the end of a run what was found, without a full stop.

    Parameters
    ----------
    by_kind
        As for `in_words`; without rows where nothing could be studied.
    studied, rows
        How many treatments could be studied, and how many there are.
    """
    lead = f"Before and after: {studied} of {rows} treatments can be studied"
    if not studied:
        return f"{lead}; the ledger says why"
    whole: Mapping[Any, Any] = by_kind[
        (by_kind["kind"] == ALL) & (by_kind["outcome"] == "collisions")
    ].to_dict("records")[0]
    return f"{lead}. All together: {_sentence(whole).rstrip('.')}"


def few_sentence(n: int) -> list[str]:
    """Say that few collisions cannot tell how places differ, so that the choice of sites is taken out in part only.

    Of 130 collisions on 1,000 places, with sites chosen by their count or rate, the index was 0.79 of the truth, of 250
    and more it is right (bench/before_after.py).

    Parameters
    ----------
    n
        Placed collisions of the records.
    """
    if n >= FEW:
        return []
    return [
        (
            f"Before and after rests on {n:,} collisions in all: so few hardly tell how places differ, and of sites "
            "chosen for their records the index may be a fifth too low"
        )
    ]
