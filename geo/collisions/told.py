"""What records tell once they are placed: how long they run, and which severities and road users can be counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geo.collisions.assign import Assigned, place_collisions
from geo.collisions.cells.severities import UNHURT, UNMAPPED
from geo.collisions.nowhere import doubts_of_places
from geo.collisions.period import Period, period_covered
from geo.collisions.registry import schema_of
from geo.collisions.schema import CollisionSource
from geo.config import Collisions
from geo.config.sections.records import ROAD_USERS, Severity

UNKNOWN = 0.05
"""Where the severity of more than this share of collisions is not known, none is counted by severity: their number
would be too low by as much at the least, and by more where the unknown ones are the worst. Road users likewise, each by
itself. At a smaller share those that tell are counted, and the share of those that do not stands beside every count."""


@dataclass(frozen=True, slots=True)
class Told:
    """Records in their places.

    Attributes
    ----------
    assigned
        Every row with its place, or why it has none, see `geo.collisions.assign.place_collisions`.
    time
        The time that they cover.
    severities, users
        Those that can be counted.
    unknown
        Share of the placed collisions (0 to 1) of which ``severity`` is not known, or each road user that some tell of.
    warnings
        What is to be told of them.
    """

    assigned: Assigned
    time: Period
    severities: frozenset[Severity]
    users: tuple[str, ...]
    unknown: Mapping[str, float]
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
    users, of_users = countable_users(source.table, placed)
    unknown = (
        {"severity": float((~assigned.collisions.loc[placed, "severity_known"]).mean())}
        if placed.any()
        else {}
    )
    unknown |= {user: share for user, share in of_users.items() if share < 1}
    doubts += [
        f"{share:.1%} of {int(placed.sum()):,} collisions do not tell whether a {user.replace('_', ' ')} was involved: "
        f"over {UNKNOWN:.0%}, so none are counted by it"
        for user, share in of_users.items()
        if user not in users
    ]
    breaks = schema_of(settings).breaks(assigned.collisions[placed])
    warnings = (*source.warnings, *places, *time.warnings, *doubts, *breaks)
    return Told(assigned, time, severities, users, unknown, warnings)


def untold_sentences(
    unknown: Mapping[str, float], severities: Collection[Severity], users: Collection[str]
) -> list[str]:
    """Say what share of placed collisions is in no count by severity, or of road users, that is made of them.

    Parameters
    ----------
    unknown
        Share of placed collisions (0 to 1) that do not tell, by ``severity`` and road user.
    severities, users
        Those that are counted.

    Returns
    -------
    Sentences without their full stop; none where all collisions tell.

    Examples
    --------
    >>> untold_sentences({"severity": 0.012, "cyclist": 0.0}, {"fatal", "serious", "slight"}, ["cyclist"])
    ['the severity of 1.2 % of placed collisions is not known: they are in no KSI figure, which may be too low by them']
    """
    said = []
    if unknown.get("severity", 0.0) > 0 and {"fatal", "serious"} <= set(severities):
        said.append(
            f"the severity of {_share(unknown['severity'])} of placed collisions is not known: they are in no KSI "
            "figure, which may be too low by them"
        )
    silent = {user: unknown[user] for user in ROAD_USERS if user in users and unknown.get(user, 0.0) > 0}
    if silent:
        shares = ", ".join(f"a {user.replace('_', ' ')} {_share(share)}" for user, share in silent.items())
        said.append(
            f"some placed collisions do not tell of a road user ({shares}): they are in no count of collisions with one"
        )
    return said


def _share(share: float) -> str:
    """Write a share in per cent; one that is there is never 0."""
    return "under 0.1 %" if share < 0.0005 else f"{100 * share:.1f} %"


def countable_users(
    table: pd.DataFrame, placed: NDArray[np.bool_]
) -> tuple[tuple[str, ...], dict[str, float]]:
    """Give the road users that can be counted, and of each that some record tells of the share that does not.

    Parameters
    ----------
    table
        All records, with a column a road user: null where one does not tell.
    placed
        Whether each record was placed, and counts.
    """
    counts = table[placed]
    shares = {
        user: float(counts[user].isna().mean()) if len(counts) else 0.0
        for user in ROAD_USERS
        if table[user].notna().any()
    }
    return tuple(user for user, share in shares.items() if share <= UNKNOWN), shares


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
