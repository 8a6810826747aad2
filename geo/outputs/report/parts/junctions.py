"""What the report says of junctions: their types by look, and those that rank worst."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.outputs.report.figures.charts import picture_address
from geo.outputs.wording import (
    figure,
    interval,
    number,
    probability_words,
    shorten,
    untold,
    verdict,
    where_like,
)
from geo.safety.junctions.worst import worst_junctions
from geo.safety.rates import OUTCOME_NAMES, Outcome

SHOWN = 10
"""Worst junctions that are listed."""
_OTHERS = ("other junctions that have a type", "others of its form and arms")
_NOT = "not tested: "


@dataclass(frozen=True, slots=True)
class JunctionShot:
    """A junction to look at: JPEG as a data address (None: no picture), and its id."""

    source: str | None
    junction_id: str


@dataclass(frozen=True, slots=True)
class JunctionCard:
    """What is said about one type of junction."""

    cluster: int
    name: str
    colour: str
    n_junctions: str
    forms: str
    n_collisions: str
    rate: str
    n_ksi: str
    ksi_rate: str
    untold: str
    verdicts: list[str]
    shots: list[JunctionShot]


@dataclass(frozen=True, slots=True)
class JunctionPart:
    """The part of the page on junctions.

    Attributes
    ----------
    cards
        One a type, in the order of their numbers.
    worst
        The worst junctions: ``place, junction_id, what, n, eb, limits, rank, sure``, in words.
    outcome
        What the ranks are of, in words; empty without ranks.
    """

    cards: list[JunctionCard]
    worst: list[dict[str, str]]
    outcome: str


def junction_part(
    clusters: pd.DataFrame, junctions: pd.DataFrame, picks: pd.DataFrame, thumbnails: Mapping[str, bytes]
) -> JunctionPart:
    """Lay out what is said of junctions.

    Parameters
    ----------
    clusters, junctions
        The layers ``junction_clusters`` and ``junctions``.
    picks
        Junctions that stand for each type: ``cluster, kind, rank, junction_id, tile_id``.
    thumbnails
        JPEG of each tile, by ``tile_id``.
    """
    shots: dict[int, list[JunctionShot]] = {}
    for row in shown_junctions(picks).to_dict("records"):
        jpeg = thumbnails.get(str(row["tile_id"]))
        shot = JunctionShot(None if jpeg is None else picture_address(jpeg), str(row["junction_id"]))
        shots.setdefault(int(row["cluster"]), []).append(shot)
    cards = [_card(row, shots) for row in clusters.sort_values("cluster").to_dict("records")]
    ranked = "expected_rank" in junctions and bool(junctions["expected_rank"].notna().any())
    if not ranked:
        return JunctionPart(cards, [], "")
    worst = worst_junctions(junctions, SHOWN)
    outcome: Outcome = "ksi" if worst["rank_of"].iloc[0] == "ksi" else "collisions"
    return JunctionPart(
        cards, [_listed(row, outcome) for row in worst.to_dict("records")], OUTCOME_NAMES[outcome]
    )


def shown_junctions(picks: pd.DataFrame) -> pd.DataFrame:
    """Take of the junctions that stand for each type those that the page shows, in their order."""
    return picks[picks["kind"] == "prototype"].sort_values(["cluster", "rank"])


def _card(row: Mapping[Any, Any], shots: Mapping[int, list[JunctionShot]]) -> JunctionCard:
    cluster = int(number(row["cluster"]))
    outcome: Outcome = "ksi" if row["outcome"] == "ksi" else "collisions"
    told = row["interval"] if isinstance(row["interval"], str) else ""
    reasons = [*told.split("; in form: "), "", ""]
    said = []
    for part, others, why in zip(("", "_in_form"), _OTHERS, reasons, strict=False):
        low, high, q, *doubt = (
            number(row.get(name))
            for name in (
                f"rate_ratio{part}_adjusted_low",
                f"rate_ratio{part}_adjusted_high",
                f"q_value{part}",
                f"rate_ratio{part}_pooled_low",
                f"rate_ratio{part}_pooled_high",
            )
        )
        why_not = shorten(why.removeprefix(_NOT), 200) if why.startswith(_NOT) else ""
        there = others + where_like(row["interval"])
        regrouped = (doubt[0], doubt[1])
        said.append(verdict(low, high, q, outcome, there, why_not, regrouped, per="junction and year"))
    return JunctionCard(
        cluster=cluster,
        name=_name(row, cluster),
        colour=str(row["colour"]),
        n_junctions=figure(number(row["n_junctions"])),
        forms="" if pd.isna(row["forms"]) else shorten(str(row["forms"]), 200),
        n_collisions=figure(number(row["n_collisions"])),
        rate=_rate(row, "collisions_per_junction_year"),
        n_ksi=figure(number(row["n_ksi"])),
        ksi_rate=_rate(row, "ksi_per_junction_year"),
        untold=untold(number(row.get("n_severity_unknown")), number(row["n_collisions"])),
        verdicts=said,
        shots=shots.get(cluster, []),
    )


def _name(row: Mapping[Any, Any], cluster: int) -> str:
    """Give the analyst's name of a type, and note; empty where there is none."""
    told = [row.get("name"), row.get("note")]
    return ": ".join(
        shorten(str(one)) for one in told if isinstance(one, str) and one and one != f"Type {cluster}"
    )


def _rate(row: Mapping[Any, Any], name: str) -> str:
    """Write a rate with its interval; empty where it is not known."""
    value, low, high = (number(row.get(f"{name}{end}")) for end in ("", "_low", "_high"))
    return (
        "" if math.isnan(value) else f"{figure(value)} per junction and year (interval {interval(low, high)})"
    )


def _listed(row: Mapping[Any, Any], outcome: Outcome) -> dict[str, str]:
    """Write one of the worst junctions."""
    rate = f"{outcome}_per_year_eb"
    low, high = number(row.get(f"{rate}_low")), number(row.get(f"{rate}_high"))
    what = [row.get("junction_type"), row.get("highest_class")]
    return {
        "place": figure(number(row["place"])),
        "junction_id": str(row["junction_id"]),
        "what": ", ".join(shorten(str(one)) for one in what if not pd.isna(one)),
        "n": figure(number(row[f"n_{outcome}"])),
        "eb": figure(number(row[rate]), 2),
        "limits": interval(low, high),
        "rank": figure(number(row["expected_rank"]), 2),
        "sure": probability_words(number(row["p_worst_5_percent"])),
    }
