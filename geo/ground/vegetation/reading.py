"""Red and near-infrared light of squares of ground, as rasters have it, and the vegetation there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import rasterio
from rasterio.errors import RasterioError

from geo.addresses import reveal
from geo.config import Ground, Imagery
from geo.errors import LayerError
from geo.features.dense import Lattice
from geo.features.embed import lattice_shape, place_chips
from geo.features.encoder import Valid
from geo.ground.contract import Classes
from geo.ground.kind import Shapes
from geo.ground.maps.sight import CHIP_PX
from geo.ground.shares import Places
from geo.ground.vegetation.ndvi import Floats, at_ends, classify
from geo.imagery.band_set import BandSet
from geo.imagery.reading.reader import TileFailure, TileReader
from geo.secrets import redact

FINEST_M = 0.5
"""The index is mapped no finer (metres): shares of ground beside roads need no more."""


@dataclass(frozen=True, slots=True)
class Green:
    """What grows on a square of ground.

    Attributes
    ----------
    name
        Of its chip.
    places
        Where it lies.
    classes, index
        See `geo.ground.vegetation.ndvi.classify`, ``(rows, columns)``.
    valid
        Where there is data.
    ends
        Where the red and the near-infrared band are at their ends (`geo.ground.vegetation.ndvi.at_ends`).
    faults
        What kept images that would have come first from being read, in words.
    """

    name: str
    places: Places
    classes: Classes
    index: Floats
    valid: Valid
    ends: tuple[Valid, Valid]
    faults: tuple[str, ...] = ()


def lay_out(settings: Ground, images: gpd.GeoDataFrame, near: Shapes) -> tuple[Lattice, gpd.GeoDataFrame]:
    """Lay out the chips of ground that are read, and the lattice that they are of.

    Parameters
    ----------
    settings
        The section ``ground``: no place of the map is larger than ``cell_m``.
    images
        The catalogue of the city's rasters.
    near
        Ground beside roads (Polygons, metres).
    """
    side = min(max(float(images["pixel_m"].min()), FINEST_M), settings.cell_m)
    lattice = Lattice(cell_m=side, cells=CHIP_PX, rim=0)
    return lattice, place_chips(lattice.chips(near), images, images.crs, lattice)


def check_has_bands(images: gpd.GeoDataFrame, bands: tuple[int, int]) -> None:
    """Make sure that every raster has both bands, of one kind of numbers.

    Raises
    ------
    LayerError
        Naming the first raster that has not.
    """
    for path in images["path"].unique():
        try:
            with rasterio.open(reveal(path)) as raster:
                dtypes = [raster.dtypes[band - 1] for band in bands if band <= raster.count]
        except RasterioError:
            # that it cannot be read is found out, and told, where it is
            continue
        if len(dtypes) < len(bands):
            fault = f"it has no band {max(bands)}, which ground.ndvi asks for"
        elif len(set(dtypes)) > 1 or np.dtype(dtypes[0]).kind not in "iuf":
            fault = (
                f"bands {bands[0]} and {bands[1]} hold {' and '.join(dtypes)}: no index can be made of them"
            )
        else:
            continue
        raise LayerError(
            fault,
            where=redact(path),
            todo="Name the numbers of the red and the near-infrared band in ground.ndvi: [1, 4], or leave it out.",
        )


def see_green(
    chips: gpd.GeoDataFrame, images: gpd.GeoDataFrame, imagery: Imagery, settings: Ground, lattice: Lattice
) -> Iterator[Green | TileFailure]:
    """Read chips, and tell what grows there.

    Parameters
    ----------
    chips, lattice
        See `lay_out`.
    images
        The catalogue of the city's rasters; their own values are read.
    imagery, settings
        The sections ``imagery`` and ``ground``, the latter with ``ndvi``.

    Raises
    ------
    SourceError
        When a raster cannot be reached.
    """
    assert settings.ndvi is not None, "who asks for no index reads none"
    bands = BandSet(settings.ndvi, None, imagery.nodata, frozenset(settings.ndvi))
    corner = dict(zip(chips["tile_id"], zip(chips["column"], chips["row"], strict=True), strict=True))
    shape = lattice_shape(images, images.crs, lattice, lattice.cell_m)
    with TileReader(images, imagery, shape, band_set=bands) as reader:
        for chip in reader.read(chips):
            if isinstance(chip, TileFailure):
                yield chip
                continue
            column, row = corner[chip.tile_id]
            rows, columns = chip.valid.shape
            places = Places(
                column * lattice.chip_m, (row + 1) * lattice.chip_m, rows, columns, lattice.chip_m / rows
            )
            classes, index = classify(chip.pixels[0], chip.pixels[1], chip.valid, settings.ndvi_threshold)
            ends = at_ends(chip.pixels[0]), at_ends(chip.pixels[1])
            yield Green(chip.tile_id, places, classes, index, chip.valid, ends, chip.faults)
