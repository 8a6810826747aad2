"""What the report says of ground: its classes, how they were found, and what lies beside roads of each type."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from geo.ground.there.columns import told_by
from geo.ground.there.compared import WHOLE
from geo.outputs.layers.ground_words import called, titles_of
from geo.outputs.report.figures.charts import picture_address
from geo.outputs.report.figures.ground_tree import Tree, draw_tree
from geo.outputs.wording import figure, number, shorten

BAR = 320.0
"""Width of a bar (units of the drawing)."""
LABELLED = 0.09
"""Share of a bar from which on it is written into it."""
TOLD = 3
"""Classes that the sentence of a type names, at most."""
_WHERE = {
    "found": "found without labels: its name is an analyst's, not the map's",
    "labels": "learned from labels",
    "tags": "learned from tags of tiles",
    "sam": "by a promptable network",
    "ndvi": "by its near-infrared",
}


@dataclass(frozen=True)
class GroundTold:
    """What the report is told of ground.

    Attributes
    ----------
    classes, types
        The layers ``ground_classes`` and ``ground_types``.
    tree
        The layer ``ground_tree``; None or without rows: classes were not found from groups.
    examples
        A picture (JPEG) with the class drawn on it, by the key of the class.
    """

    classes: pd.DataFrame
    types: pd.DataFrame
    tree: pd.DataFrame | None = None
    examples: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class of ground, in words: how surely it is told, and a picture of it where it has no name."""

    title: str
    colour: str
    share: str
    sure: str
    words: str
    picture: str | None


@dataclass(frozen=True, slots=True)
class Block:
    """A class's part of a bar: where it begins and how wide it is, its colour, and what is written in and about it."""

    x: float
    width: float
    colour: str
    ink: str
    label: str
    said: str


@dataclass(frozen=True, slots=True)
class Bars:
    """The ground of one band of distance: beside roads of the type, and beside the others."""

    title: str
    own: list[Block]
    others: list[Block]


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A class beside roads of a type and of the others, in words; `differs` where the limits leave out 0."""

    title: str
    colour: str
    share: str
    others: str
    difference: str
    limits: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """What lies beside roads of a type: a sentence, bars by distance, rows by class, and what to know of them."""

    sentence: str
    bars: list[Bars]
    rows: list[ShareRow]
    known: str


@dataclass(frozen=True, slots=True)
class GroundPart:
    """The part of the page on ground, and what it says in the card of each type.

    Attributes
    ----------
    measured
        Whether it is known of any class how well it is told.
    block_m
        Side of the blocks, in words.
    """

    classes: list[ClassRow]
    tree: Tree | None
    beside: dict[int, Beside]
    measured: bool
    block_m: str


def ground_part(told: GroundTold | None) -> GroundPart | None:
    """Lay out what is said of ground; None where it was not mapped, or no class was told apart."""
    if told is None or told.classes.empty:
        return None
    titles = titles_of(told.classes)
    colours = dict(zip(told.classes["key"].astype(str), told.classes["colour"].astype(str), strict=True))
    of = told.types["cluster"].astype("Int64")
    beside = {int(one): _beside(told.types[of == one], titles, colours) for one in of.dropna().unique()}
    blocks = told.types["block_m"].dropna()
    return GroundPart(
        [_class_row(row, told.examples) for row in told.classes.sort_values("class").to_dict("records")],
        draw_tree(told.tree, dict(zip(told.classes["class"], titles.values(), strict=True)), told.classes),
        beside,
        bool(told.classes["score"].notna().any()),
        "" if blocks.empty else figure(float(blocks.iloc[0])),
    )


def _class_row(row: Mapping[Any, Any], examples: Mapping[str, bytes]) -> ClassRow:
    """Set out one class in words."""
    score, spread, base = (number(row[name]) for name in ("score", "spread", "baseline"))
    sure = "not measured"
    if not math.isnan(score):
        sure = figure(score, 2)
        sure += "" if math.isnan(spread) else f" (spread {figure(spread, 2)})"
        sure += "" if math.isnan(base) else f"; all of it: {figure(base, 2)}"
    share, key = number(row["share"]), str(row["key"])
    told = [_WHERE.get(str(row["source"]), ""), "" if pd.isna(row["words"]) else str(row["words"])]
    note = row.get("note")
    told += [] if note is None or pd.isna(note) else [str(note)]
    return ClassRow(
        shorten(called(row["name"], key)),
        str(row["colour"]),
        percent(share),
        sure,
        shorten("; ".join(part.strip().rstrip(".") for part in told if part.strip()), 300),
        picture_address(examples[key]) if key in examples else None,
    )


def _beside(rows: pd.DataFrame, titles: Mapping[str, str], colours: Mapping[str, str]) -> Beside:
    """Set out what lies beside roads of one type."""
    whole = rows[rows["band"] == WHOLE]
    laid = [_share_row(row, titles, colours) for row in whole.to_dict("records")]
    bars = [
        Bars(
            _band_words(str(band)),
            _blocks(part, "share", titles, colours),
            _blocks(part, "share_others", titles, colours),
        )
        for band, part in rows[rows["band"] != WHOLE].groupby("band", sort=False)
    ]
    known, why = number(whole["known"].iloc[0]), whole["reason"].iloc[0]
    reason = "" if pd.isna(why) else f" No limits: {why}."
    return Beside(_sentence(whole, titles), bars, laid, f"Known of {percent(known)} of the ground.{reason}")


def _band_words(band: str) -> str:
    told = told_by(f"ground_known_{band}")
    return band if told is None else f"{told[1].words} from the centreline"


def _sentence(whole: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Say which classes differ from those beside the other types, the greatest difference first."""
    if whole["share"].isna().all():
        return "Nothing is known of the ground beside these roads."
    if whole["low"].isna().all():
        return "Whether the ground beside these roads differs from that beside other types cannot be told."
    differ = whole[(whole["low"] > 0) | (whole["high"] < 0)]
    if differ.empty:
        return "No class of ground is surely more or less than beside roads of the other types."
    order = differ["difference"].abs().sort_values(ascending=False, kind="stable").index[:TOLD]
    parts = [
        f"{'more' if row['difference'] > 0 else 'less'} {titles.get(str(row['key']), str(row['key']))} "
        f"({percent(row['share'])} of the ground, {percent(row['share_others'])} beside the others)"
        for row in differ.loc[order].to_dict("records")
    ]
    said = "; ".join(parts)
    return f"{said[:1].upper()}{said[1:]}."


def _share_row(row: Mapping[Any, Any], titles: Mapping[str, str], colours: Mapping[str, str]) -> ShareRow:
    """Set out one class beside roads of a type."""
    key = str(row["key"])
    low, high = number(row["low"]), number(row["high"])
    limits = "" if math.isnan(low) else f"{points(low)} to {points(high)}"
    return ShareRow(
        shorten(titles.get(key, key)),
        colours.get(key, "#8C8C8C"),
        percent(number(row["share"])),
        percent(number(row["share_others"])),
        points(number(row["difference"])),
        limits,
        low > 0 or high < 0,
    )


def _blocks(
    part: pd.DataFrame, column: str, titles: Mapping[str, str], colours: Mapping[str, str]
) -> list[Block]:
    """Lay the shares of one band side by side."""
    blocks, x = [], 0.0
    for row in part.to_dict("records"):
        share, key = number(row[column]), str(row["key"])
        if math.isnan(share) or share <= 0:
            continue
        colour, width = colours.get(key, "#8C8C8C"), share * BAR
        label = f"{100 * share:.0f}" if share >= LABELLED else ""
        said = f"{titles.get(key, key)}: {percent(share)}"
        blocks.append(Block(round(x, 2), round(width, 2), colour, ink_on(colour), label, said))
        x += width
    return blocks


def ink_on(colour: str) -> str:
    """Choose black or white to write on a colour, by its relative luminance (WCAG 2.1, 'relative luminance').

    Examples
    --------
    >>> ink_on("#332288"), ink_on("#DDCC77")
    ('#fff', '#1b1b1b')
    """
    parts = [part / 255 for part in bytes.fromhex(colour.removeprefix("#"))]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    light = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    # the contrast with white is (1.05) / (light + .05), with the ink about (light + .05) / .061
    return "#fff" if (light + 0.05) ** 2 < 1.05 * 0.061 else "#1b1b1b"


def percent(share: float) -> str:
    """Write a share in per cent; one that is there is never 0.

    Examples
    --------
    >>> percent(0.414), percent(0.002), percent(0.0), percent(float("nan"))
    ('41 %', 'under 1 %', '0 %', 'not known')
    """
    if math.isnan(share):
        return "not known"
    return "under 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def points(difference: float) -> str:
    """Write a difference of shares in points, with its sign.

    Examples
    --------
    >>> points(0.114), points(0.034), points(0.0004)
    ('+11', '+3.4', '+0.04')
    """
    if math.isnan(difference):
        return "not known"
    value = 100 * abs(difference)
    if not value:
        return "0"
    # what is there is never 0, so that it is seen on which side of it a limit lies
    text = (
        f"{value:.0f}"
        if value >= 9.95
        else f"{value:.1f}".removesuffix(".0")
        if value >= 0.05
        else figure(value, 1)
    )
    return ("+" if difference > 0 else "\N{MINUS SIGN}") + text
