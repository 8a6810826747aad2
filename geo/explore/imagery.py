"""Imagery as tiles of a web map, as a run saw it.

rio-tiler has the grid of web maps, lays sources over each other and writes the pictures. Pixels come from the reader of
tiles (`geo.imagery.reading`), for rio-tiler reads a raster as GDAL describes it, and a run does not: it leaves out
borders that no file calls without data, heeds transparency in any band, takes a pixel for empty only where all of its
bands are, shows a palette's colours, maps all rasters to 8 bit alike, and knows which raster is seen before which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from morecantile import Tile
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rio_tiler.constants import WEB_MERCATOR_TMS
from rio_tiler.models import ImageData
from rio_tiler.mosaic.methods.defaults import FirstMethod

from geo.config import Imagery, Tiles
from geo.imagery.band_set import BandSet
from geo.imagery.catalogue import open_raster
from geo.imagery.cover import mosaics
from geo.imagery.reading.blocks import BlockStore
from geo.imagery.reading.reader import TileFailure, TileImage, TileReader

WEB_MERCATOR = 3857
SIDE_PX = 256
"""Side of a tile of the map (pixels)."""
LEAST_ZOOM, MOST_ZOOM = 8, 24
"""Above, a tile's ground is so large that it does not lie flat on a raster's grid to within a pixel."""
MOST_SIDE_PX, MOST_RASTERS = 8192, 64
"""Of so many pixels a side is the ground of one tile at most where it is read, and of so many rasters: more would take
seconds."""
PICKED = 16
"""Rasters that are asked for the smaller copies that they have, to say from which zoom on imagery is shown."""
QUALITY = 85

Floats = NDArray[np.float64]
Factors = Callable[[str], tuple[int, ...]]
"""Tells by which factors a raster's smaller copies (overviews) are coarser than it, from 1 for itself."""


@dataclass(frozen=True, slots=True)
class MapTile:
    """A tile of the map, or why there is none.

    Attributes
    ----------
    picture
        JPEG, or PNG where a part is not covered; None: nothing is shown here.
    why
        What kept rasters from being read, in words; empty: nothing.
    """

    picture: bytes | None
    why: str = ""


def on_map(images: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Lay a catalogue out for the map: outlines and sides of pixels in web Mercator, what is seen first at the top.

    Parameters
    ----------
    images
        The catalogue of the city's rasters (``images`` in docs/stages.md), in the city's CRS.

    Returns
    -------
    The catalogue in EPSG:3857, with ``mosaic``; ``pixel_m`` there is in its metres, which are longer than those on the
    ground by the secant of the latitude.
    """
    flat = images.to_crs(WEB_MERCATOR)
    longer = np.sqrt(flat.geometry.area.to_numpy() / images.geometry.area.to_numpy())
    found = flat.assign(pixel_m=images["pixel_m"].to_numpy() * longer, mosaic=mosaics(images).to_numpy())
    return found.sort_values("rank" if "rank" in found else ["mosaic", "image_id"], ignore_index=True)


def touching(images: gpd.GeoDataFrame, zoom: int, column: int, row: int) -> gpd.GeoDataFrame:
    """Find the rasters that show a part of a tile.

    Parameters
    ----------
    images
        As of `on_map`.
    zoom, column, row
        Number of the tile, of the grid that web maps share (WebMercatorQuad of the OGC, "XYZ").
    """
    box = shapely.box(*WEB_MERCATOR_TMS.xy_bounds(Tile(column, row, zoom)))
    part = shapely.area(shapely.intersection(images.geometry.to_numpy(), box))
    return images.assign(part=part)[part > 0]


def zooms(images: gpd.GeoDataFrame, factors: Factors) -> tuple[int, int]:
    """Tell from which zoom on every tile can be drawn, and up to which there is more to see.

    Parameters
    ----------
    images
        As of `on_map`, one or more.
    factors
        Tells which smaller copies a raster has; a few are asked.
    """
    world = WEB_MERCATOR_TMS.xy_bounds(Tile(0, 0, 0))
    sides = (world.right - world.left) / 2.0 ** np.arange(MOST_ZOOM + 1)
    finest = np.searchsorted(-sides / SIDE_PX, -images["pixel_m"].min())
    most = int(np.clip(finest, LEAST_ZOOM, MOST_ZOOM))
    spread = images.groupby("mosaic", sort=False)["path"]
    picked = {name: paths.iloc[:: -(-len(paths) // PICKED)].tolist() for name, paths in spread}
    shared = {
        name: set.intersection(*(set(factors(path)) for path in paths)) for name, paths in picked.items()
    }
    own = images.groupby("mosaic", sort=False)["pixel_m"].min()
    for zoom in range(LEAST_ZOOM, most):
        pixel = sides[zoom] / SIDE_PX
        held = [
            sides[zoom] / (own[name] * _coarser(some, pixel / own[name])) for name, some in shared.items()
        ]
        if max(held) <= MOST_SIDE_PX and _most_together(images, zoom) <= MOST_RASTERS:
            return zoom, most
    return most, most


def draw_tile(
    images: gpd.GeoDataFrame,
    place: tuple[int, int, int],
    imagery: Imagery,
    store: BlockStore,
    factors: Factors,
) -> MapTile:
    """Draw a tile of the map.

    Parameters
    ----------
    images
        The rasters that touch it, as of `touching`, with the digests that they have now.
    place
        Its zoom, column and row.
    imagery
        The section ``imagery`` of the city's file.
    store
        Memory for decoded blocks, which threads share.
    factors
        Tells which smaller copies a raster has; it is asked only where much would be read without.

    Returns
    -------
    The tile; none where no raster shows anything, or where it would take more than `MOST_SIDE_PX`.
    """
    zoom, column, row = place
    bounds = WEB_MERCATOR_TMS.xy_bounds(Tile(column, row, zoom))
    side = bounds.right - bounds.left
    if images.empty or not LEAST_ZOOM <= zoom <= MOST_ZOOM or _costly(images, side, factors):
        return MapTile(None)
    # squares of any size and place are cut as tiles of a road are, towards the map's north
    square = Tiles.model_construct(
        **{**Tiles().model_dump(), "tile_m": side, "pixel_m": side / SIDE_PX, "align": "road"}
    )
    frame = pd.DataFrame(
        {
            "image_ids": [
                [name for name, _ in some]
                for _, some in groupby(
                    zip(images["image_id"], images["mosaic"], strict=True), lambda one: one[1]
                )
            ]
        }
    ).assign(x=(bounds.left + bounds.right) / 2, y=(bounds.bottom + bounds.top) / 2, bearing=0.0)
    frame["tile_id"] = frame.index.astype(str)
    catalogue = images.drop(columns=["part", "mosaic"])
    pictured = BandSet.pictured(imagery)
    with TileReader(catalogue, imagery, square, store=store, band_set=pictured) as reader:
        read = {tile.tile_id: tile for tile in reader.read(frame)}
    return _laid([read[tile_id] for tile_id in frame["tile_id"]])


def _laid(tiles: list[TileImage | TileFailure]) -> MapTile:
    """Lay what several mosaics show of one tile over each other, the first one on top."""
    faults: list[str] = []
    laid = FirstMethod()
    for tile in tiles:
        if isinstance(tile, TileFailure):
            faults.append(tile.reason)
            continue
        faults += tile.faults
        gaps = np.broadcast_to(~tile.valid, tile.pixels.shape)
        laid.feed(np.ma.MaskedArray(tile.pixels, mask=gaps))
    seen = laid.mosaic
    why = "; ".join(dict.fromkeys(faults))
    if seen is None or np.ma.getmaskarray(seen).all():
        return MapTile(None, why)
    image = ImageData(seen)
    if np.ma.getmaskarray(seen).any():
        return MapTile(image.render(img_format="PNG", zlevel=1), why)
    return MapTile(image.render(add_mask=False, img_format="JPEG", quality=QUALITY), why)


def _costly(images: gpd.GeoDataFrame, side: float, factors: Factors) -> bool:
    """Tell whether more would be decoded, or be held at once, than for one tile may be."""
    if len(images) > MOST_RASTERS:
        return True
    if side / images["pixel_m"].min() <= MOST_SIDE_PX:
        return False
    # of a mosaic all are read at one resolution, which each of them has
    for _, mine in images.groupby("mosaic"):
        own = mine["pixel_m"].min()
        shared = set.intersection(*(set(factors(path)) for path in mine["path"]))
        if side / (own * _coarser(shared, side / SIDE_PX / own)) > MOST_SIDE_PX:
            return True
    return False


def _coarser(factors: set[int], most: float) -> int:
    """Give the factor of the smallest copy that is fine enough."""
    return max((factor for factor in factors if factor <= most), default=1)


def _most_together(images: gpd.GeoDataFrame, zoom: int) -> int:
    """Count the rasters that have their middle in one tile of a zoom, where they are most."""
    middles = images.geometry.centroid
    world = WEB_MERCATOR_TMS.xy_bounds(Tile(0, 0, 0))
    side = (world.right - world.left) / 2**zoom
    at = pd.DataFrame({"column": middles.x // side, "row": middles.y // side})
    return int(at.value_counts().max())


def smaller_copies(path: str) -> tuple[int, ...]:
    """Tell by which factors the smaller copies in a raster are coarser than it; it alone where it cannot be opened."""
    try:
        with open_raster(path) as raster:
            return (1, *raster.overviews(1))
    except RasterioError:
        return (1,)
