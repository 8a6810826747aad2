"""The account of every input row: done, skipped, rejected (with its reason) or failed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

Status = Literal["done", "skipped", "rejected", "failed"]
STATUSES: tuple[Status, ...] = ("done", "skipped", "rejected", "failed")
COLUMNS = ("stage", "item", "status", "reason", "count")


@dataclass(frozen=True, slots=True)
class Entry:
    """How many items of one kind met one fate, and why.

    Attributes
    ----------
    item
        What was counted, in the plural: ``"roads"``, ``"tiles"``, ``"collisions"``.
    status
        ``done``, ``skipped`` (rightly left out), ``rejected`` (faulty input) or ``failed``.
    reason
        Why, in words an analyst can quote; empty for ``done`` where nothing needs saying.
    count
        How many.
    """

    item: str
    status: Status
    reason: str
    count: int


def totals(entries: Iterable[Entry]) -> dict[Status, int]:
    """Sum the entries by status; every status is present."""
    sums: dict[Status, int] = dict.fromkeys(STATUSES, 0)
    for entry in entries:
        sums[entry.status] += entry.count
    return sums


def merge(entries: Iterable[Entry]) -> list[Entry]:
    """Add up entries that differ in nothing but their count, in order of first appearance."""
    sums: dict[tuple[str, Status, str], int] = {}
    for entry in entries:
        key = (entry.item, entry.status, entry.reason)
        sums[key] = sums.get(key, 0) + entry.count
    return [Entry(*key, count) for key, count in sums.items()]


def to_frame(by_stage: dict[str, list[Entry]]) -> pd.DataFrame:
    """Lay the entries of several stages out as the ``ledger`` layer (see ``COLUMNS``)."""
    rows = [(stage, e.item, e.status, e.reason, e.count) for stage, es in by_stage.items() for e in es]
    return pd.DataFrame(rows, columns=list(COLUMNS))
