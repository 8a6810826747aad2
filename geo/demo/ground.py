"""What truly lies on the ground of the demo town, pixel by pixel, and every thing on it that can be counted."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import from_bounds

from geo.ground.categories import write_categories

GROUND_FILE, THINGS_FILE = "truth_ground.tif", "truth_things.parquet"
EAST = np.array([1.0, 0.0])
"""Direction of things that have none."""
LATTICE = 9
"""Points along and across a thing at which is looked whether it is seen."""


class Ground(IntEnum):
    """Classes of the true map; `NOTHING` where the imagery has a gap."""

    NOTHING = 0
    ROOF = 1
    CARRIAGEWAY = 2
    MARKING = 3
    PAVEMENT = 4
    CAR = 5
    TREE = 6
    GRASS = 7
    WATER = 8
    BARE = 9


PALETTE: dict[Ground, tuple[int, int, int]] = {
    Ground.NOTHING: (0, 0, 0),
    Ground.ROOF: (178, 34, 34),
    Ground.CARRIAGEWAY: (90, 90, 90),
    Ground.MARKING: (255, 255, 255),
    Ground.PAVEMENT: (190, 174, 212),
    Ground.CAR: (255, 215, 0),
    Ground.TREE: (0, 100, 0),
    Ground.GRASS: (144, 200, 96),
    Ground.WATER: (31, 120, 180),
    Ground.BARE: (166, 118, 29),
}
SHOWS: dict[str, tuple[Ground, ...]] = {
    "car": (Ground.CAR,),
    "lorry": (Ground.CAR,),
    "tree": (Ground.TREE,),
    "crossing": (Ground.MARKING, Ground.CARRIAGEWAY),
    "island": (Ground.PAVEMENT, Ground.GRASS, Ground.TREE),
}
"""Classes that a thing of each kind shows where nothing hides it."""


class Thing(NamedTuple):
    """Something that can be counted: a vehicle, a tree, a zebra crossing, the island of a roundabout.

    Attributes
    ----------
    kind
        One of `SHOWS`.
    middle
        Where it is (metres, from the south-west corner of the town).
    along
        Unit vector of its length.
    length_m, width_m
        Its size; of a tree, a square that lies within its crown.
    parked
        Whether it is a vehicle that stands at a kerb, on a drive or in a yard.
    """

    kind: str
    middle: NDArray[np.float64]
    along: NDArray[np.float64]
    length_m: float
    width_m: float
    parked: bool = False


def write_ground(path: Path, ground: NDArray[np.uint8], corner: tuple[float, float], pixel_m: float) -> None:
    """Write the true map as a GeoTIFF with a palette, and its names of classes beside it as GDAL reads them.

    Parameters
    ----------
    path
        Where it goes; names go to ``<path>.aux.xml``.
    ground
        Classes (`Ground`), north up.
    corner
        Its north-west corner (metres, EPSG:27700).
    pixel_m
        Ground size of a pixel (metres).
    """
    profile = {
        "driver": "GTiff",
        "height": ground.shape[0],
        "width": ground.shape[1],
        "count": 1,
        "dtype": "uint8",
        "nodata": int(Ground.NOTHING),
        "crs": "EPSG:27700",
        "transform": Affine(pixel_m, 0, corner[0], 0, -pixel_m, corner[1]),
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "compress": "DEFLATE",
    }
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(ground, 1)
        raster.write_colormap(1, {int(kind): colour for kind, colour in PALETTE.items()})
    write_categories(path, {int(kind): kind.name.lower() for kind in Ground})


def read_ground(
    folder: Path, bounds: tuple[float, float, float, float] | None = None
) -> tuple[NDArray[np.uint8], Affine]:
    """Read the true map of a town.

    Parameters
    ----------
    folder
        The town's folder.
    bounds
        West, south, east and north of what is wanted (metres, EPSG:27700), brought to whole pixels; what lies outside
        the map is `Ground.NOTHING`. Without: all of it.

    Returns
    -------
    Classes (`Ground`; rows, columns), north up, and where they lie.
    """
    with rasterio.open(folder / GROUND_FILE) as raster:
        if bounds is None:
            return raster.read(1), raster.transform
        window = from_bounds(*bounds, transform=raster.transform).round_offsets().round_lengths()
        classes = raster.read(1, window=window, boundless=True, fill_value=int(Ground.NOTHING))
        return classes, raster.window_transform(window)


def count_things(
    things: list[Thing],
    ground: NDArray[np.uint8],
    segments: gpd.GeoDataFrame,
    *,
    corner: tuple[float, float],
    pixel_m: float,
    origin: NDArray[np.float64],
) -> gpd.GeoDataFrame:
    """Put all things of the town in a table: where each is, how much of it is seen, and which segment is nearest.

    Parameters
    ----------
    things
        What was drawn, from the origin of the plan.
    ground, corner, pixel_m
        The true map, as written by `write_ground`.
    segments
        ``segment_id`` and geometry of the town's network.
    origin
        Of the plan (metres, the CRS of `segments`).

    Returns
    -------
    ``kind, parked, length_m, width_m, seen`` (share of it that the picture shows: a roof, a crown or a bridge may hide
    it, or the imagery have a gap), ``segment_id, distance_m`` (the nearest segment, from centreline to middle) and
    the middle.
    """
    table = pd.DataFrame(things, columns=list(Thing._fields))
    middle = np.array([thing.middle for thing in things]).reshape(-1, 2) + origin
    points = shapely.points(middle)
    pairs, away = segments.sindex.nearest(points, return_all=False, return_distance=True)
    return gpd.GeoDataFrame(
        {
            "kind": table["kind"],
            "parked": table["parked"].astype(bool),
            "length_m": table["length_m"],
            "width_m": table["width_m"],
            "seen": _seen(table, middle, ground, corner, pixel_m),
            "segment_id": segments["segment_id"].to_numpy()[pairs[1]],
            "distance_m": away,
        },
        geometry=points,
        crs=segments.crs,
    )


def _seen(
    table: pd.DataFrame,
    middle: NDArray[np.float64],
    ground: NDArray[np.uint8],
    corner: tuple[float, float],
    pixel_m: float,
) -> NDArray[np.float64]:
    """Give the share of a lattice on each thing at which the map shows what that thing shows."""
    along = np.stack(table["along"].to_list())
    across = np.column_stack([-along[:, 1], along[:, 0]])
    step = (np.arange(LATTICE) + 0.5) / LATTICE - 0.5
    u, v = (s.ravel() for s in np.meshgrid(step, step))
    size = table[["length_m", "width_m"]].to_numpy(dtype=np.float64)
    spots = middle[:, None] + (
        along[:, None] * (u * size[:, :1])[..., None] + across[:, None] * (v * size[:, 1:])[..., None]
    )
    column = np.floor((spots[..., 0] - corner[0]) / pixel_m).astype(int)
    row = np.floor((corner[1] - spots[..., 1]) / pixel_m).astype(int)
    inside = (row >= 0) & (row < ground.shape[0]) & (column >= 0) & (column < ground.shape[1])
    classes = np.zeros(inside.shape, dtype=np.uint8)
    classes[inside] = ground[row[inside], column[inside]]
    shows = np.zeros((len(SHOWS), len(Ground)), dtype=bool)
    for i, kinds in enumerate(SHOWS.values()):
        shows[i, list(kinds)] = True
    kind = table["kind"].map({name: i for i, name in enumerate(SHOWS)}).to_numpy(dtype=int)
    return np.asarray(shows[kind[:, None], classes].mean(axis=1), dtype=np.float64)
