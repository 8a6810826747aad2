"""Collisions that lie off the roads: why, from what stands in the file, and what would bring them there."""

from __future__ import annotations

from typing import NoReturn

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray

from geo.collisions.readings import ELSEWHERE, LEAST, Reading, other_reading
from geo.collisions.schema import CollisionSource
from geo.config import Collisions
from geo.errors import LayerError

SHOWN = 3
"""Places that a message shows."""
_OFF = ("beyond_limit", "outside_area")
_FATES = {
    "no_geometry": (0.1, "have no coordinates that can be used"),
    "beyond_limit": (0.2, "are a little farther from every road than collisions.max_distance_m"),
    "ambiguous": (0.05, "are as near to two roads, and nothing in the record decides"),
    "excluded_class": (0.2, "are on roads of classes that are left out (roads.keep, roads.drop)"),
}
"""Shares of the collisions at roads (of all, for those without a place) that are told when they are exceeded, and what
became of them."""
_LITTLE = 5.0
"""Collisions up to so many times as far from roads as they may be are at roads that the network lacks, or shows beside
their place."""
_FAR_M = 10.0
"""Collisions that are placed lie nearer to their roads than this, half of them (metres); else one of both is wrong."""


def doubts_of_places(
    source: CollisionSource, placed: gpd.GeoDataFrame, roads: gpd.GeoSeries, settings: Collisions
) -> list[str]:
    """Say what is odd about the places of collisions, and what would be a better reading of their coordinates.

    Parameters
    ----------
    source
        The records as they were read.
    placed
        What became of each row: ``snap_status`` and ``snap_distance_m``, see
        `geo.collisions.assign.place_collisions`.
    roads
        All centrelines, those that are left out as well, in the city's CRS.
    settings
        The section ``collisions``.

    Returns
    -------
    Warnings, in words.

    Raises
    ------
    LayerError
        When none is placed; or few, and another reading brings many times as many to roads.
    """
    table, status = source.table, placed["snap_status"].to_numpy()
    counted = table["kept"].to_numpy(dtype=bool) & (status != "duplicate")
    lies = counted & np.isin(status, ("matched", "ambiguous", "excluded_class", *_OFF))
    whole = _reading(source, lies, roads, settings)
    if "matched" not in status or (whole is not None and whole.then.share >= ELSEWHERE * whole.now.share):
        _refuse(source, placed["snap_status"], counted, roads, settings, whole)
    warnings = [] if whole is None else [_nearer(whole)]
    off = lies & np.isin(status, _OFF)
    if whole is None and off.sum() >= LEAST:
        part = _reading(source, off, roads, settings, grids=False)
        if part is not None:
            warnings.append(
                f"about {part.then.share * off.sum():,.0f} of {off.sum():,} collisions that lie off the roads "
                f"would lie on them {part.what} ({_shown(source, off)}): {part.todo}"
            )
    return [*warnings, *_shares(placed[counted], settings.max_distance_m), *_far(placed)]


def _reading(
    source: CollisionSource,
    which: NDArray[np.bool_],
    roads: gpd.GeoSeries,
    settings: Collisions,
    *,
    grids: bool = True,
) -> Reading | None:
    """Look for another reading of the coordinates of some rows."""
    x, y = (source.table.loc[which, axis].to_numpy(dtype=float) for axis in ("x", "y"))
    return other_reading((x, y), source.crs, roads, reach_m=settings.max_distance_m, grids=grids)


def _nearer(found: Reading) -> str:
    return (
        f"collisions lie {found.now.metres:.0f} m from roads, half of them farther; {found.what} they would lie "
        f"{found.then.metres:.1f} m from them: {found.todo} if that is what they are in"
    )


def _shares(placed: pd.DataFrame, reach_m: float) -> list[str]:
    """Say of what became of too many collisions.

    Parameters
    ----------
    placed
        ``snap_status`` and ``snap_distance_m`` of the rows that count.
    reach_m
        ``collisions.max_distance_m``.
    """
    status = placed["snap_status"]
    elsewhere = (status == "outside_area") | (
        (status == "beyond_limit") & (placed["snap_distance_m"] > _LITTLE * reach_m)
    )
    near = status[~elsewhere & (status != "no_geometry")]
    told = []
    for fate, (share, words) in _FATES.items():
        of = len(status) if fate == "no_geometry" else len(near)
        count = int(((status if fate == "no_geometry" else near) == fate).sum())
        if count >= LEAST and count > share * of:
            told.append(f"{count:,} of {of:,} collisions ({count / of:.1%}) {words}")
    return told


def _far(placed: gpd.GeoDataFrame) -> list[str]:
    """Say when half of the collisions on segments lie far from them."""
    on_segments = (placed["snap_status"] == "matched") & placed["segment_id"].notna()
    metres = placed.loc[on_segments, "snap_distance_m"]
    if len(metres) < LEAST or metres.median() <= _FAR_M:
        return []
    where = (
        f"half of the collisions that are placed on roads lie farther than {metres.median():.0f} m from them"
    )
    return [f"{where}: look at the CRS of both, and whether the roads are all there"]


def _refuse(
    source: CollisionSource,
    status: pd.Series,
    counted: NDArray[np.bool_],
    roads: gpd.GeoSeries,
    settings: Collisions,
    found: Reading | None,
) -> NoReturn:
    """Refuse records that lie elsewhere, or of which none can be placed for another reason.

    Raises
    ------
    LayerError
        Always: with what became of the rows, some as they stand in the file, and what would bring them to the roads.
    """
    fates = "; ".join(f"{count:,} {fate}" for fate, count in status.value_counts().items())
    few = "not one" if "matched" not in set(status) else f"only {int((status == 'matched').sum()):,}"
    what = f"{few} of its {len(status):,} rows could be placed on the roads ({fates})"
    off = counted & np.isin(status.to_numpy(), _OFF)
    if found is not None:
        todo = f"{found.then.share:.0%} of them would lie on roads {found.what}: {found.todo}."
    elif not source.table["kept"].any():
        todo = f"No row has what collisions.keep asks for ({_kept(settings)}): mend it, or leave it out."
    elif not off.any() and (status[counted] == "out_of_period").any():
        todo = f"Mend collisions.period, or leave it out: {_dated(source, counted)}."
    else:
        todo = (
            "Check which columns hold the coordinates and in which CRS; without records of this place, leave "
            "collisions.sources empty."
        )
    shown = _shown(source, off)
    where = f": {shown}; {_place_of(roads)}" if shown else ""
    raise LayerError(f"{what}{where}", where=", ".join(settings.sources), todo=todo)


def _kept(settings: Collisions) -> str:
    return "; ".join(f"{column}: {', '.join(values)}" for column, values in (settings.keep or {}).items())


def _dated(source: CollisionSource, counted: NDArray[np.bool_]) -> str:
    """Say of when the records are."""
    dates, years = (source.table.loc[counted, name].dropna() for name in ("date", "year"))
    if len(dates):
        return f"the records are of {dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}"
    return f"the records are of {years.min()} to {years.max()}" if len(years) else "the records have no date"


def _shown(source: CollisionSource, which: NDArray[np.bool_]) -> str:
    """Show coordinates as they stand in the file, and where they lie."""
    table = source.table[which]
    if table.empty:
        return ""
    cells = _cells(source, table["source_row"])
    known = cells.notna().to_numpy()
    some = (np.flatnonzero(known) if known.any() else np.arange(len(table)))[:SHOWN]
    x, y = (table[axis].to_numpy(dtype=float)[some] for axis in ("x", "y"))
    lon, lat = pyproj.Transformer.from_crs(source.crs, 4326, always_xy=True).transform(x, y)
    raw = cells.iloc[some] if known.any() else [f"{a:.10g} and {b:.10g}" for a, b in zip(x, y, strict=True)]
    return "; ".join(
        f"{cell} is longitude {east:.4f}, latitude {north:.4f}"
        for cell, east, north in zip(raw, lon, lat, strict=True)
    )


def _cells(source: CollisionSource, rows: pd.Series) -> pd.Series:
    """Give the cells with the coordinates of rows as they stand in their files; null where they are not at hand."""
    origin = source.origin
    pair = [] if origin is None else [*origin.named.get("x", ()), *origin.named.get("y", ())]
    if origin is None or len(pair) != 2:
        return source.cells.reindex(rows)
    quoted = (
        origin.cells.reindex(rows)[pair]
        .astype("string")
        .map(lambda cell: repr(str(cell)), na_action="ignore")
    )
    return quoted[pair[0]] + " and " + quoted[pair[1]]


def _place_of(roads: gpd.GeoSeries) -> str:
    change = pyproj.Transformer.from_crs(roads.crs, 4326, always_xy=True)
    west, south, east, north = change.transform_bounds(*roads.total_bounds)
    return f"the roads lie at longitude {west:.4f} to {east:.4f}, latitude {south:.4f} to {north:.4f}"
