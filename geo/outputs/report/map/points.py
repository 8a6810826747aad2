"""The collisions of the report's map: where they are, what is known of them, and why some are on no road."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.config import SEVERITIES
from geo.outputs.harm import UNHURT, severity_of
from geo.outputs.wording import shorten

MOST_COLLISIONS = 30_000
BEYOND = 0.02
"""Collisions lie at most so much of the city's extent beyond its segments."""
PLACED = (*SEVERITIES, UNHURT, "unknown")
UNPLACED = "unplaced"
MATCHED = "matched"
WHY = {
    "ambiguous": "another road is as near, and nothing in the record decides between them",
    "beyond_limit": "every road is farther away than collisions.max_distance_m allows",
    "excluded_class": "it lies on a road of a class that is left out",
    "outside_area": "it lies outside the area of the city",
}
"""Why a collision that has a place is on no road, by its ``snap_status``."""
USERS = {
    "pedestrian": "on foot",
    "cyclist": "by bicycle",
    "motorcyclist": "by motorcycle",
    "car_occupant": "in a car",
}
"""Columns that tell who was hurt, in words."""
OTHERS, NOT_TOLD = "others", "unknown"
JUNCTION, ELSEWHERE = -1, -2
"""In place of a segment: at a junction, and on a segment that the map does not hold."""

Origin = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Points:
    """Collisions, laid out.

    Attributes
    ----------
    columns
        What the page holds of each, column by column; empty: there are none.
    severities
        How many are drawn, by severity (`PLACED`), and those on no road (`UNPLACED`).
    users, years
        How many of them hurt whom (`USERS`, `OTHERS`: none of these, `NOT_TOLD`), and in which year (None: not known).
    n_placeable
        How many have a place on the map, drawn or not.
    """

    columns: dict[str, Any] = field(default_factory=dict)
    severities: Mapping[str, int] = field(default_factory=dict)
    users: Mapping[str, int] = field(default_factory=dict)
    years: Mapping[int | None, int] = field(default_factory=dict)
    n_placeable: int = 0


def points(
    collisions: gpd.GeoDataFrame | None,
    box: tuple[float, float, float, float],
    place: Mapping[str, int],
    unit_m: float,
) -> Points:
    """Lay out collisions for the map; at most `MOST_COLLISIONS`, the gravest first, those on no road last.

    Parameters
    ----------
    collisions
        The layer of the GeoPackage, or None. Rows that the study leaves out, and rows without a place, are not shown.
    box
        West, south, east and north edge of the segments (metres).
    place
        Place of each segment in the columns of the map, by its id.
    unit_m
        Places are told in whole numbers of this, from the south-western corner (metres).
    """
    if collisions is None or collisions.empty:
        return Points()
    drawn, n_placeable = _chosen(collisions, box)
    if drawn.empty:
        return Points(n_placeable=n_placeable)
    units = np.round((drawn[["x", "y"]].to_numpy() - np.array(box[:2])) / unit_m).astype(np.int64)
    status = {name: at for at, name in enumerate([MATCHED, *WHY])}
    days, years = _when(drawn)
    columns = {
        "x": np.diff(units[:, 0], prepend=0).tolist(),
        "y": np.diff(units[:, 1], prepend=0).tolist(),
        "layer": whole(drawn["layer"]),
        "severity": whole(drawn["severity"].map({name: at for at, name in enumerate(PLACED)})),
        "status": whole(drawn["snap_status"].map(status)),
        "away": whole(drawn["snap_distance_m"].astype("Float64").round()),
        "day": whole(days),
        "year": whole(years),
        "users": whole(_users(drawn)),
        "on": whole(_on(drawn, place)),
        "id": [shorten(str(name)) for name in drawn["collision_id"]],
    }
    layers = enumerate((*PLACED, UNPLACED))
    return Points(
        columns=columns,
        severities={name: n for at, name in layers if (n := columns["layer"].count(at))},
        users=_counted(columns["users"]),
        years={
            year: columns["year"].count(year)
            for year in sorted(set(columns["year"]), key=lambda year: math.inf if year is None else year)
        },
        n_placeable=n_placeable,
    )


def whole(values: pd.Series) -> list[int | None]:
    """Write whole numbers; None for what is not known."""
    return [None if pd.isna(value) else int(value) for value in values]


def _chosen(collisions: gpd.GeoDataFrame, box: tuple[float, float, float, float]) -> tuple[pd.DataFrame, int]:
    """Choose the rows that are drawn, in an order of their own, with ``x, y``, their severity and their ``layer``."""
    west, south, east, north = box
    edge = BEYOND * max(east - west, north - south)
    at = collisions[collisions.geometry.notna() & ~collisions.geometry.is_empty]
    x, y = at.geometry.x, at.geometry.y
    known = at["snap_status"].isin([MATCHED, *WHY])
    inside = x.between(west - edge, east + edge) & y.between(south - edge, north + edge) & known
    severity = severity_of(at)
    rows = pd.DataFrame(at.drop(columns=at.geometry.name)).assign(
        x=x, y=y, severity=severity.where(severity.isin(PLACED), "unknown")
    )[inside.to_numpy()]
    on_road = rows["snap_status"] == MATCHED
    layer = rows["severity"].map({name: at for at, name in enumerate(PLACED)}).astype("int64")
    rows = rows.assign(layer=layer.where(on_road, len(PLACED)), name=rows["collision_id"].astype(str))
    # so that the same records give the same page in whatever order they come
    rows = rows.sort_values(["layer", "x", "y", "name"], kind="stable")
    left, kept = MOST_COLLISIONS, []
    for _, mine in rows.groupby("layer", sort=True):
        some = mine.iloc[:: max(1, math.ceil(len(mine) / left))] if left else mine.iloc[:0]
        left -= len(some)
        kept.append(some)
    return (pd.concat(kept) if kept else rows), len(rows)


def _when(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Give the day of each (from the first of 1970) and its year: that of its source where it tells no day."""
    date = pd.to_datetime(rows["date"], utc=True)
    days = (date - pd.Timestamp(0, tz="UTC")).dt.days.astype("Float64")
    years = date.dt.year.astype("Float64")
    if "source_year" in rows:
        years = years.fillna(rows["source_year"].astype("Float64"))
    return days, years


def _on(rows: pd.DataFrame, place: Mapping[str, int]) -> pd.Series:
    """Say what each lies on: a segment of the map, `JUNCTION`, `ELSEWHERE`, or nothing."""
    on = rows["segment_id"].map(place).astype("Float64")
    on = on.mask(on.isna() & rows["segment_id"].notna(), ELSEWHERE)
    return on.mask(on.isna() & rows["junction_id"].notna(), JUNCTION)


def _users(rows: pd.DataFrame) -> pd.Series:
    """Tell who was hurt as one number, a bit for each of `USERS`; null where a record does not tell."""
    unknown = pd.Series(pd.NA, index=rows.index, dtype="boolean")
    told = [rows[name].astype("boolean") if name in rows else unknown for name in USERS]
    hurt = np.column_stack([one.fillna(value=False).to_numpy(dtype=np.int64) for one in told])
    known = np.logical_and.reduce([one.notna().to_numpy() for one in told])
    bits = pd.Series(hurt @ (1 << np.arange(len(USERS))), index=rows.index, dtype="Float64")
    return bits.where(known | (bits > 0).to_numpy())


def _counted(users: Sequence[int | None]) -> dict[str, int]:
    """Count who was hurt: a collision may count for several."""
    found = {
        name: sum(bits is not None and bool(bits >> at & 1) for bits in users)
        for at, name in enumerate(USERS)
    }
    found |= {OTHERS: users.count(0), NOT_TOLD: users.count(None)}
    return {name: n for name, n in found.items() if n}
