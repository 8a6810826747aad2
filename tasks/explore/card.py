"""What the page says of a segment: its figures with their intervals, its tiles, and what looks like it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import shapely

from geo.outputs.wording import LIKE_NONE, NO_IMAGERY, number, predictions_only, untold
from tasks.explore.columns import Described, described
from tasks.explore.network import IN_NETWORK, network_of
from tasks.explore.page import Page
from tasks.explore.records import records_of

_TOLD_APART = ("name", "road_class", "cluster")
"""Columns that stand at the head of the card."""
_ENDS = ("_low", "_high")


def card(page: Page, row: int, *, blind: bool) -> dict[str, Any]:
    """Say what is known of a segment.

    Parameters
    ----------
    page
        The page.
    row
        Its number.
    blind
        Whether nothing is to be told of collisions.

    Returns
    -------
    ``segment_id, name, class, type`` (null: ``untyped`` says why), ``rows`` (`figures`), ``tiles`` (rows, along it),
    ``alike`` (the segments that the run names as most alike: row, name, metres between), ``collisions``
    (`tasks.explore.records.Records.one`), ``bounds`` and ``line`` (degrees), ``blind``.

    Raises
    ------
    LayerError
        When there is none of that number.
    """
    segment, network = page.segment(row), network_of(page)
    segment_id = str(segment["segment_id"])
    line = network.line(row)
    lons, lats = zip(*line, strict=True)
    return {
        "segment_id": segment_id,
        "name": _text(segment["name"]),
        "class": _text(segment["road_class"]),
        "type": None if pd.isna(segment["cluster"]) else int(segment["cluster"]),
        "untyped": _untyped(segment),
        "rows": figures(page, row, blind=blind),
        "tiles": network.tiles_of(row),
        "alike": _alike(page, segment),
        "collisions": [] if blind else records_of(page).on_segment(row),
        "bounds": [min(lons), min(lats), max(lons), max(lats)],
        "line": line,
        "blind": blind,
    }


def figures(page: Page, row: int, *, blind: bool) -> list[dict[str, Any]]:
    """List what is known of a segment.

    Parameters
    ----------
    page, row, blind
        As of `card`.

    Returns
    -------
    One a column that has a value for any segment, with ``name, title, unit, outcome``, its ``value`` (null: not known),
    ``interval`` (its limits where the run has them; a limit of null: there is none) and ``note``.
    """
    segment = page.segment(row)
    columns = {column.name: column for column in described(page)}
    notes = _notes(page, segment)
    rows = [
        _figure(column, segment, columns, notes)
        for column in columns.values()
        if column.name not in _TOLD_APART
        and not _is_limit(column.name, columns)
        and not (blind and column.outcome)
    ]
    if not blind and network_of(page).in_network.notna().any():
        inside = network_of(page).in_network.iloc[row]
        rows.append(_said(IN_NETWORK, "In the high-injury network", bool(inside), outcome=True))
    return rows


def _figure(
    column: Described, segment: pd.Series, columns: Mapping[str, Described], notes: Mapping[str, str]
) -> dict[str, Any]:
    """Lay out one figure."""
    limits = [f"{column.name}{end}" for end in _ENDS]
    interval = [_plain(segment[name]) for name in limits] if all(name in columns for name in limits) else None
    known = interval is not None and any(pd.notna(segment[name]) for name in limits)
    return _said(
        column.name,
        column.title,
        _plain(segment[column.name]),
        unit=column.unit,
        outcome=column.outcome,
        interval=interval if known else None,
        note=notes.get(column.name),
    )


def _said(name: str, title: str, value: object, **more: object) -> dict[str, Any]:
    return {"name": name, "title": title, "unit": "", "value": value, "interval": None, "note": None} | more


def _is_limit(name: str, columns: Mapping[str, Described]) -> bool:
    """Tell whether a column is a limit of another one's interval."""
    return any(name.endswith(end) and name.removesuffix(end) in columns for end in _ENDS)


def _notes(page: Page, segment: pd.Series) -> dict[str, str]:
    """Say what is to be known beside figures: severities that are not told, and rates that are predictions."""
    notes = {
        f"{outcome}_per_km_year_eb": said
        for outcome, said in page.once("predictions", lambda: predictions_only(page.segments)).items()
    }
    unknown = number(segment.get("n_severity_unknown"))
    said = untold(unknown, number(segment["n_collisions"]))
    return notes | {"n_ksi": said} if said else notes


def _alike(page: Page, segment: pd.Series) -> list[dict[str, Any]]:
    """List the segments that the run names as most alike."""
    named = segment.get("looks_like")
    if named is None or pd.isna(named):
        return []
    network, segments = network_of(page), page.segments
    rows = [row for name in str(named).split(";") if (row := network.row_of(name)) is not None]
    lines = segments.geometry.iloc[rows].to_numpy()
    metres = shapely.distance(lines, segment[segments.geometry.name])
    return [
        {"segment": row, "name": _text(segments["name"].iloc[row]), "metres": round(float(apart), 1)}
        for row, apart in zip(rows, metres, strict=True)
    ]


def _untyped(segment: pd.Series) -> str | None:
    """Say why a segment has no type; None: it has one."""
    if pd.notna(segment["cluster"]):
        return None
    seen = segment.get("cluster_baseline")
    return NO_IMAGERY if seen is None or pd.isna(seen) else LIKE_NONE


def _text(value: object) -> str | None:
    return None if pd.isna(value) or not str(value).strip() else str(value)  # type: ignore[call-overload]


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """Give a value as JSON holds it; null: not known, or without a limit."""
    if pd.isna(value):
        return None
    if isinstance(value, str):
        return value
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float):
        return plain if math.isfinite(plain) else None
    return plain if isinstance(plain, (bool, int)) else str(plain)
