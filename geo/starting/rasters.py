"""A first look at rasters: their headers, and some values of one of each kind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import pyproj
import rasterio
from pyproj.exceptions import CRSError, ProjError
from rasterio.errors import RasterioError

from geo.imagery.catalogue import open_raster
from geo.imagery.sources import PICTURES
from geo.imagery.traits.colours import RGB, alpha_bands, colours_of, is_grey
from geo.imagery.traits.dates import date_of
from geo.imagery.traits.unusable import UnusableError, reason_of
from geo.imagery.traits.values import Scale, few_colours, look_at, proposed
from geo.roads.reading.sources import METRES_A_DEGREE
from geo.starting.files import Left
from geo.starting.guess import counted

Box = tuple[float, float, float, float]
"""West, south, east and north."""


@dataclass(frozen=True, slots=True)
class Raster:
    """A raster's header.

    Attributes
    ----------
    path
        The file.
    crs
        Its CRS; None: it states none.
    bounds
        Its edges in its own CRS.
    box
        Its edges in degrees; None where they are not known.
    pixel_m
        Side of a pixel (metres); 0 where that is not known.
    bands, dtype
        How many, and of which kind the first one is.
    grey
        Whether one band holds light.
    date
        When it was taken, as far as it tells; else empty.
    parts
        Files that it refers to.
    doubt
        Why it may be no imagery, or how its colours cannot be told; else empty.
    scale
        Range of its values, where they are not 8 bit.
    """

    path: str
    crs: pyproj.CRS | None
    bounds: Box
    box: Box | None
    pixel_m: float
    bands: int
    dtype: str
    grey: bool
    date: str
    parts: tuple[str, ...] = ()
    doubt: str = ""
    scale: Scale | None = None


def look_at_rasters(paths: Sequence[str]) -> tuple[list[Raster], list[Left]]:
    """Open rasters; gives those with a place on the ground, and why each other one is none."""
    found: list[Raster] = []
    left: list[Left] = []
    placeless: list[str] = []
    for path in paths:
        try:
            raster = _look_at(path)
        except (RasterioError, UnusableError, CRSError, OSError, ValueError) as error:
            left.append(Left(path, f"it cannot be read as a raster ({reason_of(error)})"))
            continue
        if raster is None:
            placeless.append(path)
        else:
            found.append(raster)
    left += _without_place(placeless)
    found, whole = _without_parts(found)
    return found, [*left, *whole]


def _look_at(path: str) -> Raster | None:
    """Read a header; None where it states no place on the ground."""
    with open_raster(path) as raster:
        if raster.transform.is_identity or raster.transform.is_degenerate:
            return None
        crs = None if raster.crs is None else pyproj.CRS.from_wkt(raster.crs.to_wkt())
        bounds: Box = tuple(raster.bounds)
        try:
            colours_of(raster)
            grey, doubt = is_grey(raster), _unsaid(raster)
        except UnusableError as error:
            grey, doubt = raster.count == 1, str(error)
        box = None if crs is None else degrees_of(bounds, crs)
        return Raster(
            path=path,
            crs=crs,
            bounds=bounds,
            box=box,
            pixel_m=_pixel_m(raster, crs, box),
            bands=raster.count,
            dtype=raster.dtypes[0],
            grey=grey,
            date=date_of(raster, path),
            parts=tuple(part for part in raster.files if part != raster.name)
            if raster.driver == "VRT"
            else (),
            doubt=doubt,
        )


def _unsaid(raster: rasterio.DatasetReader) -> str:
    """Say that a raster of more than three bands does not call them by their colours; empty: it does, or has three."""
    plain = raster.count - len(alpha_bands(raster))
    if plain <= len(RGB) or set(RGB) <= set(raster.colorinterp):
        return ""
    return (
        f"it has {plain} bands and does not say which are red, green and blue: in some infrared comes first"
    )


def degrees_of(bounds: Box, crs: pyproj.CRS) -> Box | None:
    """Bring edges to degrees; None where the CRS cannot hold them."""
    try:
        change = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
        west, south, east, north = change.transform_bounds(*bounds)
    except ProjError:
        return None
    return (west, south, east, north) if all(map(math.isfinite, (west, south, east, north))) else None


def _pixel_m(raster: rasterio.DatasetReader, crs: pyproj.CRS | None, box: Box | None) -> float:
    """Side of a pixel in metres, in degrees at the raster's middle."""
    side = math.sqrt(abs(raster.transform.determinant))
    if crs is None or box is None:
        return 0.0
    middle = math.cos(math.radians((box[1] + box[3]) / 2))
    if crs.is_geographic:
        return side * METRES_A_DEGREE * math.sqrt(middle)
    return side * float(crs.axis_info[0].unit_conversion_factor)


def with_values(raster: Raster) -> Raster:
    """Look at some values: the range of those that are not 8 bit, and whether they are labels rather than light."""
    try:
        with open_raster(raster.path) as opened:
            bands = [1] if raster.grey or opened.count < 3 else [1, 2, 3]
            values = look_at(opened, bands)
    except RasterioError as error:
        return replace(raster, doubt=f"its values cannot be read ({reason_of(error)})")
    few = few_colours(values)
    doubt = raster.doubt
    if few is not None:
        doubt = doubt or f"it holds {few} colours only, as masks, labels and maps do"
    elif raster.grey and raster.dtype != "uint8":
        doubt = doubt or f"it has one band of {raster.dtype}, as models of heights have"
    scale = proposed(values) if raster.dtype != "uint8" else None
    return replace(raster, doubt=doubt, scale=scale)


def _without_place(paths: Sequence[str]) -> list[Left]:
    """Say of rasters that they state no place, pictures of one folder together."""
    by_kind: dict[tuple[str, str], set[str]] = {}
    count: dict[tuple[str, str], int] = {}
    for path in paths:
        place = PurePosixPath(path)
        key = (str(place.parent.parent), place.suffix.lower())
        by_kind.setdefault(key, set()).add(str(place.parent))
        count[key] = count.get(key, 0) + 1
    left = []
    for (above, suffix), folders in by_kind.items():
        number = count[above, suffix]
        where = next(iter(folders)) if len(folders) == 1 else f"{above}/({len(folders)} folders)"
        what = counted(number, "picture" if suffix in PICTURES else "raster")
        left.append(
            Left(
                f"{where}/*{suffix}", f"{what} without a place on the ground (no geotransform, no world file)"
            )
        )
    return left


def _without_parts(rasters: list[Raster]) -> tuple[list[Raster], list[Left]]:
    """Leave out rasters that another one is put together from."""
    part_of = {part: raster.path for raster in rasters for part in raster.parts}
    kept = [raster for raster in rasters if raster.path not in part_of]
    count: dict[str, int] = {}
    for raster in rasters:
        if raster.path in part_of:
            count[part_of[raster.path]] = count.get(part_of[raster.path], 0) + 1
    left = [
        Left(whole, f"{counted(number, 'raster')} beside it are its parts, and are not named twice")
        for whole, number in count.items()
    ]
    return kept, left
