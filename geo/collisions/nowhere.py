"""Why no collision could be placed, from what stands in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray

from geo.collisions.schema import CollisionSource
from geo.config import Collisions
from geo.errors import LayerError

_ENOUGH = 0.5
"""So large a share of rows in the place explains it."""
_SAMPLE = 1000
_BESIDE_M = 1000.0
_GRIDS = (4326, 3857, 27700)
"""CRSs that records are often in, besides the city's own."""
Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


def refuse_unplaced(
    source: CollisionSource,
    status: pd.Series,
    segments: gpd.GeoDataFrame,
    crs: pyproj.CRS,
    settings: Collisions,
) -> NoReturn:
    """Refuse records of which none could be placed.

    Parameters
    ----------
    source
        The records as they were read.
    status
        What became of each row (``snap_status``).
    segments
        The network, in `crs`.
    crs
        The city's CRS.
    settings
        The section ``collisions``.

    Raises
    ------
    LayerError
        Always: with what became of the rows, some as they stand in the file, and what would bring them to the roads.
    """
    found = "; ".join(f"{count:,} {fate}" for fate, count in status.value_counts().items())
    what = f"not one of its {len(status):,} rows could be placed on the roads ({found})"
    todo = explained(source, segments.total_bounds, crs)
    shown = _shown(source, segments, crs)
    raise LayerError(
        f"{what}{f': {shown}' if shown else ''}",
        where=", ".join(settings.sources),
        todo=todo
        or "Check which columns hold the coordinates and in which CRS, and collisions.period and keep; without records "
        "of this place, leave collisions.sources empty.",
    )


def explained(source: CollisionSource, bounds: NDArray[np.float64], crs: pyproj.CRS) -> str:
    """Find the reading of the coordinates that would bring most of them to a place.

    Parameters
    ----------
    source
        The records; rows that are not kept do not count.
    bounds
        Of the place, in `crs`: west, south, east, north.
    crs
        The city's CRS, in metres.

    Returns
    -------
    What to do, naming the key; empty where they are in the place as they are, or no reading brings them there.
    """
    table = source.table[source.table["kept"]]
    x, y = table["x"].to_numpy(dtype=float), table["y"].to_numpy(dtype=float)
    there = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & ~((x == 0) & (y == 0)))
    if not len(there):
        return ""
    some = there[:: max(1, len(there) // _SAMPLE)]
    if _share((x[some], y[some]), source.crs, bounds, crs) > _ENOUGH:
        return ""
    return next(
        (
            todo
            for todo, pair, given in _readings((x[some], y[some]), source.crs, crs)
            if _share(pair, given, bounds, crs) > _ENOUGH
        ),
        "",
    )


def _readings(pair: Pair, given: pyproj.CRS, crs: pyproj.CRS) -> Iterator[tuple[str, Pair, pyproj.CRS]]:
    """List other readings of coordinates, the simplest first, with what would make them the right ones."""
    x, y = pair
    exchange = "They would lie here with collisions.columns.x and .y exchanged"
    yield f"{exchange} (point_order, of one column).", (y, x), given
    if given.is_geographic:
        yield "They would lie here with the other sign of the longitude (x).", (-x, y), given
        yield "They would lie here with the other sign of the latitude (y).", (x, -y), given
        yield f"{exchange}, and the other sign of the longitude.", (-y, x), given
    for other in (crs, *(pyproj.CRS.from_epsg(code) for code in _GRIDS)):
        if other.equals(given, ignore_axis_order=True):
            continue
        key = f"collisions.columns.crs: {other.to_string() if other.to_epsg() else other.name}"
        yield f"They would lie here in another CRS: give {key}.", (x, y), other
        yield f"{exchange}, in another CRS: give {key}.", (y, x), other


def _share(pair: Pair, given: pyproj.CRS, bounds: NDArray[np.float64], crs: pyproj.CRS) -> float:
    """Measure which share of coordinates lies in the place, read in a CRS."""
    change = pyproj.Transformer.from_crs(given, crs, always_xy=True)
    east, north = change.transform(*pair)
    west, south, last, top = bounds
    inside = (east >= west - _BESIDE_M) & (east <= last + _BESIDE_M)
    inside &= (north >= south - _BESIDE_M) & (north <= top + _BESIDE_M)
    return float(inside.mean())


def _shown(source: CollisionSource, segments: gpd.GeoDataFrame, crs: pyproj.CRS) -> str:
    """Show coordinates as they stand in the file, where they lie, and where the roads are."""
    table = source.table[np.isfinite(source.table["x"]) & np.isfinite(source.table["y"])].head(3)
    if table.empty:
        return ""
    to_degrees = pyproj.Transformer.from_crs(source.crs, 4326, always_xy=True)
    lon, lat = to_degrees.transform(table["x"].to_numpy(), table["y"].to_numpy())
    raw = source.cells.reindex(table["source_row"])
    cells = [
        f"{'its geometry' if pd.isna(cell) else cell} is longitude {a:.4f}, latitude {b:.4f}"
        for cell, a, b in zip(raw, lon, lat, strict=True)
    ]
    west, south, east, north = pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform_bounds(
        *segments.total_bounds
    )
    roads = f"the roads lie at longitude {west:.4f} to {east:.4f}, latitude {south:.4f} to {north:.4f}"
    return f"{'; '.join(cells)}; {roads}"
