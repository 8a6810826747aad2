"""The traffic of a city's segments, by whatever its file names, and how much of the network it is known on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import geopandas as gpd
import pandas as pd

from geo.config import Exposure
from geo.exposure.counts import ITEM, SECTION, Counts, account
from geo.exposure.points import choose_years, one_a_point, place_points
from geo.exposure.segments import nothing_known, traffic_of_column, traffic_of_points
from geo.exposure.units import doubt
from geo.ledger import Entry


def measure_traffic(
    segments: gpd.GeoDataFrame,
    settings: Exposure,
    counts: Counts | None = None,
    period: tuple[date, date] | None = None,
    *,
    section: str = SECTION,
) -> tuple[pd.DataFrame, list[Entry]]:
    """Give each segment its traffic: of a column of the roads, else of count points, else none.

    Parameters
    ----------
    segments
        See docs/stages.md; LineStrings in metres.
    settings
        The section ``exposure``.
    counts
        In the CRS of the segments; None: there are no count points.
    period
        First and last day of the collision records; None: not known.
    section
        What messages call the section.

    Returns
    -------
    By ``segment_id`` `geo.exposure.segments.COLUMNS`, all null where the city names no traffic; and what became of
    figures and segments.

    Raises
    ------
    LayerError
        When the roads lack the column.
    """
    if settings.column is not None:
        table, by_segment, figures = traffic_of_column(segments, settings, section=section)
        return table, [*figures, *_doubt(table["aadt"], section), *by_segment]
    if counts is None:
        return nothing_known(segments), []
    rows = counts.table.assign(fate=choose_years(counts.table, period, settings.max_years_apart))
    points = place_points(one_a_point(rows), segments, settings)
    placed = rows["point_id"].map(points["fate"])
    fate = rows["fate"].where(rows["fate"].notna(), placed.where(placed.notna(), None))
    table, by_segment = traffic_of_points(segments, points, settings)
    return table, [
        *counts.notes,
        *account(fate),
        *_doubt(rows["aadt"].where(fate.isna()), section),
        *by_segment,
    ]


def _doubt(figures: pd.Series, section: str) -> list[Entry]:
    """Doubt figures of vehicles alone: fifty people a day are no thousands."""
    return doubt(figures) if section == SECTION else []


def traffic_doubts(settings: Exposure, shares: Mapping[str, float], entries: Sequence[Entry]) -> list[str]:
    """Warn where traffic is configured, and is known nowhere: its places, or its column, are hardly those meant.

    Parameters
    ----------
    settings
        The section ``exposure``.
    shares
        See `geo.exposure.segments.coverage` (0 to 1).
    entries
        What became of figures, see `measure_traffic`.
    """
    if shares["known"] > 0 or (settings.column is None and not settings.sources):
        return []
    lost = "; ".join(f"{one.count:,} {one.reason}" for one in entries if one.item == ITEM and one.reason)
    keys = "exposure.column" if settings.sources == [] else "exposure.columns (x, y, crs and decimal)"
    return [f"traffic is known on no road ({lost or 'no figure is there'}): look at {keys}"]


def coverage_sentences(settings: Exposure, shares: Mapping[str, float]) -> list[str]:
    """Say in a sentence on how much of the network traffic is known; nothing where no traffic is configured.

    Parameters
    ----------
    settings
        The section ``exposure``.
    shares
        See `geo.exposure.segments.coverage` (0 to 1).
    """
    if settings.column is None and not settings.sources:
        return []
    parts = ", ".join(f"{share:.1%} {name}" for name, share in shares.items() if name != "known")
    detail = f" ({parts})" if len(shares) > 2 else ""
    return [f"traffic is known on {shares['known']:.1%} of the network's length{detail}"]
