"""What records tell once they are placed: how long they run, and which severities can be counted."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import pandas as pd
import pyproj
import shapely

from geo.collisions.assign import Assigned, place_collisions
from geo.collisions.cells.severities import UNHURT, UNMAPPED
from geo.collisions.nowhere import doubts_of_places
from geo.collisions.period import Period, period_covered
from geo.collisions.registry import schema_of
from geo.collisions.schema import CollisionSource
from geo.config import Collisions
from geo.config.records import Severity

UNKNOWN = 0.05
"""Where the severity of more than this share of collisions is not known, none is counted by severity: their number
would be too low by as much at the least, and by more where the unknown ones are the worst."""


@dataclass(frozen=True, slots=True)
class Told:
    """Records in their places.

    Attributes
    ----------
    assigned
        Every row with its place, or why it has none, see `geo.collisions.assign.place_collisions`.
    time
        The time that they cover.
    severities
        Those that can be counted.
    warnings
        What is to be told of them.
    """

    assigned: Assigned
    time: Period
    severities: frozenset[Severity]
    warnings: tuple[str, ...]


def place_records(
    source: CollisionSource,
    segments: gpd.GeoDataFrame,
    junctions: gpd.GeoDataFrame,
    others: gpd.GeoDataFrame,
    *,
    crs: pyproj.CRS,
    area: shapely.Geometry | None,
    settings: Collisions,
) -> Told:
    """Place records, those that stray far from all others in time left out, and see what they tell.

    Parameters
    ----------
    source, segments, junctions, others, crs, area, settings
        See `geo.collisions.assign.place_collisions`.

    Raises
    ------
    LayerError
        When not one row can be placed, or another reading of the coordinates brings many times as many to roads: with
        some as they stand in the file, and the key that mends it.
    """
    time = period_covered(source.table[source.table["kept"]], settings.period)
    whole = None if time.first is None or time.last is None else (time.first, time.last)
    # dates that stray far from all others are out of the records' own period
    asked = settings.period or (whole if time.warnings else None)
    assigned = place_collisions(
        source,
        segments,
        junctions,
        others,
        crs=crs,
        area=area,
        settings=settings.model_copy(update={"period": asked}),
    )
    placed = (assigned.collisions["snap_status"] == "matched").to_numpy()
    roads = gpd.GeoSeries([*segments.geometry, *others.geometry], crs=crs)
    places = doubts_of_places(source, assigned.collisions, roads, settings)
    severities, doubts = countable(source.table[placed], source.severities)
    breaks = schema_of(settings).breaks(assigned.collisions[placed])
    return Told(assigned, time, severities, (*source.warnings, *places, *time.warnings, *doubts, *breaks))


def countable(
    records: pd.DataFrame, severities: frozenset[Severity]
) -> tuple[frozenset[Severity], list[str]]:
    """Give the severities that can be counted, and say where none can, because too many are not known.

    Parameters
    ----------
    records
        The collisions that count: ``severity`` and ``severity_state``.
    severities
        Those that the source tells apart.

    Returns
    -------
    All of `severities`, or none. Empty cells alone count against them only where they tell KSI: a source that knows the
    dead and nothing else leaves the rest empty.
    """
    if not severities or records.empty:
        return severities, []
    unknown = records["severity"].isna() & (records["severity_state"] != UNHURT)
    unmapped = records["severity_state"] == UNMAPPED
    tells_ksi = {"fatal", "serious"} <= severities
    if unmapped.mean() <= UNKNOWN and not (tells_ksi and unknown.mean() > UNKNOWN):
        return severities, []
    empty = int(unknown.sum() - unmapped.sum())
    why = []
    if unmapped.any():
        why.append(f"{int(unmapped.sum()):,} have a value that no mapping knows")
    if empty:
        hint = "severity_values.none: [''] or columns.empty_is_none if an empty cell means no injury"
        why.append(f"{empty:,} have none recorded ({hint})")
    told = "; ".join(why)
    lead = f"the severity of {unknown.mean():.1%} of {len(records):,} collisions is not known ({told})"
    return frozenset(), [f"{lead}: over {UNKNOWN:.0%}, so none are counted by severity, and KSI is not known"]
