"""The evidence for the number of types as a drawing; the template draws it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.clusters.evidence.groupings import SURE
from geo.outputs.wording import figure, number

WIDTH, HEIGHT = 460.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 16.0, 14.0, 42.0
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
LABELS = 12
"""So many numbers of types have room below the axis; of more every second one is written, or every third, and so on."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure over the numbers of types: its name, how it is drawn, its points, and the line through them."""

    name: str
    kind: str
    points: list[tuple[float, float]]
    path: str


@dataclass(frozen=True, slots=True)
class ChoiceChart:
    """Silhouette and stability by number of types.

    Attributes
    ----------
    across, up
        Place and label of the marks on the horizontal and the vertical axis.
    chosen
        Place across of the number that was chosen; None when none is marked.
    said
        What the drawing shows, in words.
    """

    measures: list[Measure]
    across: list[tuple[float, str]]
    up: list[tuple[float, str]]
    chosen: float | None
    said: str


def choice_chart(choice: pd.DataFrame) -> ChoiceChart | None:
    """Draw the evidence for the number of types.

    Parameters
    ----------
    choice
        The evidence for each number of types: ``k, silhouette, stability, chosen``.

    Returns
    -------
    None when fewer than two numbers were tried: there is no choice to show.
    """
    rows = choice.sort_values("k")
    if len(rows) < 2:
        return None
    k = [int(one) for one in rows["k"]]
    values = {name: [number(one) for one in rows[name]] for name in ("silhouette", "stability")}
    known = [value for column in values.values() for value in column if not math.isnan(value)]
    # a silhouette may fall below nought, to -1 at the least
    low = -1.0 if known and min(known) < -0.25 else -0.25 if known and min(known) < 0 else 0.0

    def across(one: int) -> float:
        return round(LEFT + (one - k[0]) / (k[-1] - k[0]) * (WIDTH - LEFT - RIGHT), 1)

    def up(value: float) -> float:
        return round(TOP + (1 - value) / (1 - low) * (HEIGHT - TOP - BOTTOM), 1)

    drawn = []
    for name, column in values.items():
        points = [(across(one), up(v)) for one, v in zip(k, column, strict=True) if not math.isnan(v)]
        path = "".join(f"{'L' if i else 'M'}{x} {y}" for i, (x, y) in enumerate(points))
        drawn.append(Measure(name.capitalize(), name, points, path))
    picked = [one for one, chosen in zip(k, rows["chosen"], strict=True) if chosen]
    steps = [low, *STEPS] if low < 0 else list(STEPS)
    return ChoiceChart(
        drawn,
        [(across(one), str(one)) for one in _written(k, picked)],
        [(up(value), figure(value, 2)) for value in steps],
        across(picked[0]) if picked else None,
        _said(k, values, picked),
    )


def _written(k: list[int], picked: list[int]) -> list[int]:
    """Choose the numbers that are written below the axis: those chosen, and others evenly where they have room."""
    step = -(-len(k) // LABELS)
    return [
        one
        for one in k
        if one in picked or (one % step == 0 and all(abs(one - own) >= step for own in picked))
    ]


def _said(k: list[int], values: dict[str, list[float]], picked: list[int]) -> str:
    """Tell what the drawing shows."""
    parts = [f"Silhouette and stability for {k[0]} to {k[-1]} types."]
    for name, column in values.items():
        known = [(value, one) for value, one in zip(column, k, strict=True) if not math.isnan(value)]
        if known:
            best = max(known, key=lambda pair: pair[0])
            parts.append(f"{name.capitalize()} is highest, {figure(best[0])}, with {best[1]} types.")
    for one in picked:
        at = ", ".join(f"{name} {figure(column[k.index(one)])}" for name, column in values.items())
        parts.append(f"{one} types were chosen: {at}.")
    return " ".join(parts)


def sureness(segments: pd.DataFrame) -> str:
    """Say how much of the length with a type is surely of it; empty where that is not known.

    Parameters
    ----------
    segments
        The layer: ``length_m``, ``cluster``, ``cluster_probability``.
    """
    typed = segments[segments["cluster"].notna()]
    if typed.empty or "cluster_probability" not in typed or typed["cluster_probability"].isna().all():
        return ""
    typed = typed[typed["cluster_probability"].notna()]
    length = typed["length_m"]
    share = length[typed["cluster_probability"] >= SURE].sum() / length.sum()
    return (
        f"{share:.0%} of the length that has a type is of it with a probability of {SURE:g} or more: of the same "
        "type where other samples of roads are grouped. The second type of the rest stands in the layer of segments."
    )


def by_hand(hands: Mapping[str, Any] | None) -> str:
    """Say what analysts said of types, and what became of it; empty where they said nothing.

    Parameters
    ----------
    hands
        As `geo.clusters.hands.taking_up.TakenUp.as_dict` gives it.
    """
    if hands is None:
        return ""
    told = ""
    if hands["said"]:
        told = (
            f"Analysts said {_things(hands['said'])} of single segments, of which {hands['taken_up']} hold. "
        )
    if hands.get("in_view"):
        told += (
            f"{hands['in_view']:,} of these were said with collisions in view: what is tested of these types may have "
            "been drawn after its outcome. "
        )
    if hands["looked_at"]:
        share = hands["stood"] / hands["looked_at"]
        told += (
            f"Of the {hands['looked_at']:,} segments that these tell of, {hands['stood']:,} ({share:.0%}) have the "
            "type that was found. "
        )
    of = hands["corrected"]
    return (
        f"{told}{of:,} segment{' has' if of == 1 else 's have'} a type that was corrected, {hands['made']:,} have one "
        f"that was made by hand from examples, and {hands['merged']:,} have one that was made one of several. These "
        "stand out in cluster_source of the layer of segments; how sure a corrected or a made type is is not known."
    )


def _things(number: int) -> str:
    """Count things."""
    return f"{number:,} thing{'' if number == 1 else 's'}"


def merging_rows(merging: pd.DataFrame, titles: Mapping[int, str]) -> list[dict[str, str]]:
    """Lay out each type beside the one that it could be made one with at the least loss, the least of all first.

    Parameters
    ----------
    merging
        ``cluster, other, lost, mixed`` of each two types (`geo.clusters.evidence.merging`).
    titles
        What types are called.
    """
    both = pd.concat([merging, merging.rename(columns={"cluster": "other", "other": "cluster"})])
    least = both.sort_values(["lost", "cluster", "other"]).drop_duplicates("cluster")
    return [
        {
            "title": titles[int(row["cluster"])],
            "other": titles[int(row["other"])],
            "lost": f"{row['lost']:.1%}",
            "mixed": f"{row['mixed']:.1%}",
        }
        for row in least.to_dict("records")
    ]
