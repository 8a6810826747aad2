"""What a raster is: its place, its bands, its parts and its outline, as a row of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyproj
import rasterio
import shapely
from rasterio.enums import ColorInterp
from rasterio.errors import RasterioError

from geo.addresses import is_url
from geo.config import Imagery
from geo.imagery.sources import NO_SERVICE
from geo.imagery.traits.collars import Collar, find_collars, to_text, told_collars
from geo.imagery.traits.colours import RGB, Light, alpha_bands, colours_of, is_grey, light_of, told_colours
from geo.imagery.traits.dates import date_of
from geo.imagery.traits.lost import lost_parts
from geo.imagery.traits.unusable import CutShortError, UnusableError, reason_of
from geo.imagery.traits.values import look_at, proposed, words
from geo.tiles.grid import map_pixels

OUTLINE_POINTS = 21
"""Points on each side of a raster's outline when it changes CRS, as many as GDAL takes: straight lines bend."""
SERVICES = frozenset({"EEDAI", "PLMOSAIC", "WCS", "WMS", "WMTS"})
"""Drivers of GDAL that ask a server for pictures."""


def describe(
    raster: rasterio.DatasetReader, path: str, imagery: Imagery, crs: pyproj.CRS
) -> tuple[dict[str, Any], list[str]]:
    """Describe a raster as a row of the catalogue, with the parts of it that are missing."""
    own = _check_place(raster, path, imagery)
    bands = list(colours_of(raster)) if imagery.bands is None else imagery.bands
    check_bands(raster, imagery, "bands", bands, expanded=imagery.bands is None)
    light = light_of(raster, None if imagery.bands is None else tuple(bands))
    lost = _missing_parts(raster)
    if raster.driver != "VRT":
        _check_end(raster, bands)
    # where a file is lost, GDAL gives zeros
    collars = () if lost else _collars(raster, light, imagery)
    try:
        change = pyproj.Transformer.from_crs(own, crs, always_xy=True)
        pixel_m = _pixel_m(raster, change)
        # points that a straight side does not need would only slow down every overlay; 1 mm is nothing here
        footprint = _footprint(raster, change).simplify(0.001)
    except pyproj.exceptions.ProjError as error:
        raise UnusableError(f"its CRS does not lead to that of the city ({reason_of(error)})") from error
    row = {
        "path": path,
        "crs": raster.crs.to_wkt() if raster.crs is not None else own.to_wkt("WKT1_GDAL"),
        "pixel_m": pixel_m,
        "width": raster.width,
        "height": raster.height,
        "dtype": light.dtype.name,
        "date": date_of(raster, path),
        "transform": [float(number) for number in raster.transform[:6]],
        "geometry": footprint,
        "collar": to_text(collars or ()),
        "told": "; ".join(
            text for text in (_told(raster, imagery), told_collars(collars, imagery.collars)) if text
        ),
        "grey": imagery.bands is None and is_grey(raster),
    }
    return row, lost


def _collars(raster: rasterio.DatasetReader, light: Light, imagery: Imagery) -> tuple[Collar, ...] | None:
    """Find borders without data, see `find_collars`; of a raster that is damaged there, none."""
    if imagery.collars == "keep":
        return ()
    try:
        return find_collars(raster, light, imagery.nodata)
    except RasterioError:
        if is_url(raster.name):
            raise
        return ()


def _told(raster: rasterio.DatasetReader, imagery: Imagery) -> str:
    """Say how the colours of a raster are read where that may surprise; else nothing."""
    if imagery.bands is None:
        return told_colours(raster)
    called = [band for band in alpha_bands(raster) if band in imagery.bands]
    if called:
        return f"band {called[0]} is called transparency, and read as imagery.bands says"
    names = [raster.colorinterp[band - 1].name for band in imagery.bands]
    if sorted(names) == sorted(colour.name for colour in RGB) and names != [colour.name for colour in RGB]:
        which = ", ".join(map(str, imagery.bands))
        return f"bands {which} are called {', '.join(names)}, and read as imagery.bands says"
    return ""


def _check_place(raster: rasterio.DatasetReader, path: str, imagery: Imagery) -> pyproj.CRS:
    """Refuse a raster that does not say where it lies; gives its CRS."""
    if raster.driver in SERVICES:
        raise UnusableError(f"it is a map service ({raster.driver}): {NO_SERVICE}")
    if raster.transform.is_identity:
        points = (
            " but ground control points: warp it with gdalwarp first" if raster.gcps[0] else _no_world(path)
        )
        raise UnusableError(f"it has no place on the ground (no geotransform){points}")
    if raster.transform.is_degenerate:
        raise UnusableError("its pixels have no size (a degenerate geotransform)")
    if raster.crs is not None:
        return pyproj.CRS.from_wkt(raster.crs.to_wkt())
    if imagery.crs is None:
        raise UnusableError("it states no CRS: say in imagery.crs which one it has (such as EPSG:27700)")
    return pyproj.CRS.from_user_input(imagery.crs)


def _no_world(path: str) -> str:
    """Name the world file that a picture lacks."""
    suffix = PurePosixPath(path).suffix
    if len(suffix) < 3:
        return ""
    name = f"{PurePosixPath(path).stem}.{suffix[1]}{suffix[-1]}w"
    return f", and no world file such as {name} is beside it"


def check_bands(
    raster: rasterio.DatasetReader,
    imagery: Imagery,
    key: str,
    bands: Sequence[int],
    *,
    expanded: bool = False,
) -> None:
    """Refuse a raster in which the bands that a key asks for are not there, or hold no light in a known range.

    Parameters
    ----------
    raster, imagery
        An open raster, and the section ``imagery`` of the city's file.
    key
        Key of the section that asks for the bands.
    bands
        Their numbers, counted from 1.
    expanded
        Whether a palette's colours are read, not its numbers.

    Raises
    ------
    UnusableError
        Saying which band, and the key that mends it.
    """
    if raster.count < max(bands):
        count = "1 band" if raster.count == 1 else f"{raster.count} bands"
        raise UnusableError(f"it has {count}, imagery.{key} asks for band {max(bands)}")
    for band in bands:
        if raster.colorinterp[band - 1] == ColorInterp.palette:
            if expanded:
                continue
            raise UnusableError(
                f"band {band} holds the numbers of a palette: leave imagery.{key} out, and its colours are read"
            )
        dtype = raster.dtypes[band - 1]
        if np.dtype(dtype).kind not in "uif":
            raise UnusableError(f"band {band} is {dtype}, which is no brightness")
        if dtype != "uint8" and imagery.scale is None:
            raise UnusableError(f"band {band} is {dtype}, not 8 bit: give {_range_of(raster, bands)}")
    dtypes = sorted({raster.dtypes[band - 1] for band in bands})
    if len(dtypes) > 1:
        raise UnusableError(f"its bands are of several kinds ({', '.join(dtypes)}): bring them to one")


def _range_of(raster: rasterio.DatasetReader, bands: Sequence[int]) -> str:
    """Propose the key that brings a raster's values to 8 bit, as far as some of them can be read."""
    try:
        found = words(proposed(look_at(raster, bands)))
    except RasterioError:
        found = ""
    return f"{found}, by its own values" if found else "imagery.scale [low, high]"


def _check_end(raster: rasterio.DatasetReader, bands: list[int]) -> None:
    """Refuse a raster whose last pixel cannot be read: the file is cut short."""
    last = ((raster.height - 1, raster.height), (raster.width - 1, raster.width))
    try:
        raster.read(bands, window=last)
    except RasterioError as error:
        raise CutShortError(f"it is damaged or cut short ({reason_of(error)})") from error


def _missing_parts(raster: rasterio.DatasetReader) -> list[str]:
    """Files that a VRT refers to and that are not there; refused when that is all of them."""
    lost = lost_parts(raster)
    local = [part for part in raster.files if part != raster.name and not is_url(part)]
    if raster.driver == "VRT" and lost and len(lost) == len(local):
        raise UnusableError(f"none of the files that it refers to is there ({lost[0]}, ...)")
    return sorted(PurePosixPath(part).name for part in lost)


def _footprint(raster: rasterio.DatasetReader, change: pyproj.Transformer) -> shapely.Polygon:
    """Outline of a raster in the city's CRS."""
    step = np.linspace(0, 1, OUTLINE_POINTS)[:-1]
    zero, one = np.zeros_like(step), np.ones_like(step)
    col = np.concatenate([step, one, 1 - step, zero]) * raster.width
    row = np.concatenate([zero, step, one, 1 - step]) * raster.height
    x, y = change.transform(*map_pixels(raster.transform, col, row))
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise UnusableError("it reaches to where the city's CRS is not defined: cut it to the city first")
    outline = shapely.Polygon(np.column_stack([x, y]))
    if not outline.is_valid:
        raise UnusableError("its outline crosses itself in the city's CRS: cut it to the city first")
    return outline


def _pixel_m(raster: rasterio.DatasetReader, change: pyproj.Transformer) -> float:
    """Side of a square with the area that the raster's middle pixel has on the ground (metres)."""
    col, row = raster.width / 2, raster.height / 2
    cols, rows = np.array([[col, col + 1, col], [row, row, row + 1]])
    x, y = change.transform(*map_pixels(raster.transform, cols, rows))
    # a place that the city's CRS does not hold is told by the outline
    with np.errstate(invalid="ignore", over="ignore"):
        area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    return float(np.sqrt(abs(area)))
