"""The report's table of what stands if choices were made otherwise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.outputs.wording import chance_words, figure, interval, number
from geo.sensitivity.findings import GATHERED, IMAGERY, REST, STANDS, TYPE, UNKNOWN, WORST
from geo.sensitivity.told import by_finding, sentences

_PER_CENT = {GATHERED, IMAGERY, WORST}


@dataclass(frozen=True, slots=True)
class Cell:
    """How a finding fares where one choice was made otherwise.

    Attributes
    ----------
    text
        In how many of its variants it stands.
    why
        How it fares in each, in words.
    state
        Of the cell as a whole: ``all``, ``some``, ``none``; empty: cannot be told, or does not apply.
    """

    text: str
    why: str
    state: str


@dataclass(frozen=True, slots=True)
class Row:
    """One finding: in words, its figure in this run, and a cell for each choice."""

    says: str
    figure: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Otherwise:
    """The table, with its summary in sentences."""

    said: list[str]
    choices: list[str]
    rows: list[Row]


def otherwise(table: pd.DataFrame | None) -> Otherwise | None:
    """Lay out what stands if choices were made otherwise.

    Parameters
    ----------
    table
        The layer ``sensitivity``; None or empty: nothing was tried.
    """
    if table is None or table.empty:
        return None
    choices = table["changed"].drop_duplicates().tolist()
    rows = []
    for finding in by_finding(table).to_dict("records"):
        mine = table[table["finding"] == finding["finding"]]
        cells = [_cell(mine[mine["changed"] == choice]) for choice in choices]
        rows.append(Row(_capital(finding["says"]), _figure(mine.iloc[0]), cells))
    return Otherwise(sentences(table), choices, rows)


def _cell(rows: pd.DataFrame) -> Cell:
    """Sum up how a finding fares in the variants of one choice."""
    if rows.empty:
        return Cell("", "", "")
    told = rows[rows["state"] != UNKNOWN]
    stands = int((told["state"] == STANDS).sum())
    why = "; ".join(_words(row) for row in rows.to_dict("records"))
    if told.empty:
        return Cell(UNKNOWN, why, "")
    state = "all" if stands == len(told) else "some" if stands else "none"
    return Cell(f"{stands} of {len(told)}", why, state)


def _words(row: Mapping[Any, Any]) -> str:
    """Say how a finding fares in one variant."""
    figures = _told(str(row["kind"]), number(row["estimate"]), number(row["low"]), number(row["high"]))
    chance = number(row["q_value"])
    if figures and not math.isnan(chance):
        figures += f", {'p' if row['kind'] == GATHERED else 'q'} = {chance_words(chance)}"
    reason = "" if pd.isna(row["reason"]) else f" ({row['reason']})"
    return f"{row['setting']}: {row['state']}{figures and ', '}{figures}{reason}"


def _figure(row: pd.Series) -> str:
    """Write what the run itself found."""
    if row["kind"] not in {TYPE, GATHERED, IMAGERY}:
        return ""
    return _told(row["kind"], *(number(row[f"base_{name}"]) for name in ("estimate", "low", "high")))


def _told(kind: str, estimate: float, low: float, high: float) -> str:
    """Write a figure with its limits; empty where there is none."""
    if math.isnan(estimate):
        return ""
    if kind == REST:
        return (
            "no such claim" if estimate == 0 else f"{estimate:.0f} such claim{'' if estimate == 1 else 's'}"
        )
    times, unit = (100, " %") if kind in _PER_CENT else (1, "")
    limits = "" if math.isnan(low) or math.isnan(high) else f" ({interval(low * times, high * times)})"
    return f"{figure(estimate * times, 2)}{unit}{limits}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
