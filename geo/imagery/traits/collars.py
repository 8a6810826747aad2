"""Borders without data that a raster does not call so: black or white, about a picture that was turned or cut out.

A picture that was brought to another CRS, or cut along a boundary, is filled up to a rectangle. Where the file does not
say so, its filling looks like ground, and hides that of its neighbours. It is told from black water, deep shadow, snow
and cloud by where and how it lies: it holds a corner of the raster, is of one value but for what compression makes of
it, and it has several corners, or a whole side, or the shape of a triangle, or is larger than what a scene leaves in a
corner. Water within a picture is never part of it, for it is not connected to the corner.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.features import geometry_mask, shapes
from scipy import ndimage

from geo.imagery.traits.colours import Light
from geo.imagery.traits.unusable import UnusableError
from geo.imagery.traits.values import MARKS

Plane = NDArray[np.bool_]

LOOKED_AT_PX = 1024
"""Longer side of the smaller copy of a raster in which its border is looked for (pixels)."""
CORNER_PX, OVERVIEW_PX = 8, 128
"""Side of a corner that is looked at, and shorter side of an overview whose corners are taken for it (pixels)."""
NEAR = 10
"""So far from black or white, of 255, and from each other, are values of a border that was compressed with loss."""
CLOSE, ALIKE, SMEARED_PX = 3, 0.9, 16
"""So near to black or white is so much of its inside, and so wide is the edge where it may be smeared."""
LEAST_SHARE, OF_A_TURNED_ONE = 0.0005, 3
"""Share of the raster that is worth the trouble; so many corners of one colour has a picture that was turned."""
WHOLE_SIDE, LEAST_LEG, LARGE_RUN = 0.95, 0.15, 0.5
"""Shares of a side along which a border runs: a strip; a triangle that a turned picture leaves; anything large."""
LARGE_SHARE, STRICT_SHARE = 0.05, 0.005
"""Shares of the raster: of one part in a corner, and of a border of any colour but black and white."""
TRIANGLE, RECTANGLE = (0.3, 0.62), 0.9
"""Share of the box about it that a part in a corner fills: half of it, or all of it. A pond fills more than a half."""
MOST_PX = 2_000_000_000
"""A raster of more pixels, without smaller copies of itself (overviews), would take minutes to be looked through."""
_CONNECTED = np.ones((3, 3), dtype=bool)
_RIM = 2
"""Cells of the smaller copy about a border in which values like its own belong to it."""


@dataclass(frozen=True, slots=True)
class Collar:
    """A border without data.

    Attributes
    ----------
    bands
        Numbers of the bands in which it was found.
    colour
        Value of each of them.
    reach
        How far values may lie from it.
    place
        Where it is, a little enlarged: in continuous pixel coordinates ``(column, row)`` of the raster.
    share
        Its share of the raster.
    plain
        Whether it is black, white or a mark of no data, as hardly any scene is.
    """

    bands: tuple[int, ...]
    colour: tuple[float, ...]
    reach: float
    place: shapely.Geometry
    share: float
    plain: bool

    def covers(self, seen: NDArray[Any], bands: Sequence[int], pixels: Affine) -> Plane:
        """Tell which pixels of a window belong to it, ``(height, width)``.

        Parameters
        ----------
        seen
            Values ``(bands, height, width)``.
        bands
            Numbers of the bands. Of one value for all bands, a border has it in others too; else these do not count.
        pixels
            From columns and rows of the window to those of the raster.
        """
        known = [place for place, band in enumerate(bands) if band in self.bands]
        if len({*self.colour}) == 1:
            near = _near(seen, self.colour[:1] * len(seen), self.reach)
        elif tuple(bands) == self.bands:
            near = _near(seen, self.colour, self.reach)
        elif known:
            near = _near(seen[known], [self.colour[self.bands.index(bands[at])] for at in known], self.reach)
        else:
            return np.zeros(seen.shape[1:], dtype=bool)
        if near.any():
            shape = near.shape
            near &= geometry_mask([self.place], shape, pixels, all_touched=True, invert=True)
        return near

    def words(self) -> str:
        """Write its colour."""
        values = [f"{value:g}" for value in dict.fromkeys(self.colour)]
        return values[0] if len(values) == 1 else f"({', '.join(f'{value:g}' for value in self.colour)})"


def to_text(collars: Iterable[Collar]) -> str:
    """Write borders as text; empty for none."""
    told = [
        [list(one.bands), list(one.colour), one.reach, shapely.to_wkt(one.place), one.share, one.plain]
        for one in collars
    ]
    return json.dumps(told) if told else ""


def from_text(text: str) -> tuple[Collar, ...]:
    """Read what `to_text` wrote."""
    told = json.loads(text) if text else []
    return tuple(
        Collar(tuple(bands), tuple(colour), reach, shapely.from_wkt(place), share, plain)
        for bands, colour, reach, place, share, plain in told
    )


def dropped(collars: Iterable[Collar], keep: str) -> tuple[Collar, ...]:
    """Choose the borders that are read as without data, by ``imagery.collars``."""
    return tuple(one for one in collars if keep == "any" or (keep == "drop" and one.plain))


def find_collars(
    raster: rasterio.DatasetReader, light: Light, nodata: float | None = None
) -> tuple[Collar, ...] | None:
    """Find the borders without data of a raster that it does not call so.

    Parameters
    ----------
    raster
        An open raster.
    light
        What is read of it.
    nodata
        ``imagery.nodata``, which is known to be none.

    Returns
    -------
    The borders; None where a corner looks like one, and the raster is too large to be looked through.

    Raises
    ------
    UnusableError
        When the raster is nothing but border.
    """
    if not _suspects(_corners(raster, light), nodata):
        return ()
    if raster.width * raster.height > MOST_PX and not raster.overviews(1):
        return None
    copy = _Copy.of(raster, light)
    found: list[Collar] = []
    for colour in _suspects(copy.corners(), nodata):
        plane, colour_of_it, reach = _connected(copy, colour)
        extreme = _may_be(np.array(colour, dtype=copy.seen.dtype))
        if plane.all():
            if reach == 0 and extreme and set(colour) <= _ends(copy.seen.dtype):
                raise UnusableError(f"nothing is to be seen of it: all of it is {colour[0]:g}")
            continue
        parts = _borders(plane, strict=not extreme)
        if parts:
            whole = np.logical_or.reduce(parts)
            share = round(float(whole.mean()), 4)
            found.append(Collar(light.bands, colour_of_it, reach, copy.place(whole), share, extreme))
    return tuple(found)


def _connected(copy: _Copy, colour: tuple[float, ...]) -> tuple[Plane, tuple[float, ...], float]:
    """Find what is connected to corners and like them, of which colour it is, and how far from that values may lie.

    Compression smears the edge of a border; its inside is of one value, or nearly, as that of dark water is not.
    """
    exact = _border(_near(copy.seen, colour, 0) & copy.valid)
    if copy.seen.dtype != np.uint8 or not _may_be(np.array(colour, dtype=np.uint8)):
        return exact, colour, 0.0
    end = (0.0 if max(colour) <= NEAR else 255.0,) * len(colour)
    near = _border(_near(copy.seen, end, NEAR) & copy.valid)
    cells = math.ceil(SMEARED_PX / copy.cell[0])
    inside = ndimage.binary_erosion(near, _CONNECTED, iterations=cells, border_value=1)
    alike = (exact | _near(copy.seen, end, CLOSE))[inside]
    smeared = near.sum() > exact.sum() and alike.size and alike.mean() >= ALIKE
    return (near, end, float(NEAR)) if smeared else (exact, colour, 0.0)


def _borders(plane: Plane, *, strict: bool) -> list[Plane]:
    """Choose the parts that are borders.

    Parameters
    ----------
    plane
        What is connected to corners.
    strict
        Whether its colour is one that a scene may well have.
    """
    parts = [part for part in _parts(plane) if part.mean() >= LEAST_SHARE]
    held = sum(bool(turned[0, 0]) for part in parts for turned in _from_corners(part))
    if held >= OF_A_TURNED_ONE and (not strict or sum(part.mean() for part in parts) >= STRICT_SHARE):
        # a picture that was turned leaves something in all corners, a roof in one
        return parts
    if strict:
        return [part for part in parts if part.mean() >= STRICT_SHARE and max(_longest(part)) >= WHOLE_SIDE]
    return [part for part in parts if _is_border(part)]


def told_collars(collars: Sequence[Collar] | None, keep: str) -> str:
    """Say what of a raster is read as without data, or might be; empty where there is nothing to be said."""
    if collars is None:
        return (
            "a corner of it is of one colour, as borders without data are, and without overviews (gdaladdo) it is too "
            "large to be looked through: imagery.nodata says so if it is one"
        )
    read = dropped(collars, keep)
    parts = [
        (read, "is read as without data"),
        ([one for one in collars if one not in read], "is read as ground"),
    ]
    told = [
        f"its border of {' and '.join(one.words() for one in some)} {what}" for some, what in parts if some
    ]
    return "; ".join(told)


@dataclass(frozen=True, slots=True)
class _Copy:
    """A smaller copy of a raster: ``(bands, height, width)``, where it has data, and pixels of the raster a cell."""

    seen: NDArray[Any]
    valid: Plane
    cell: tuple[float, float]

    @classmethod
    def of(cls, raster: rasterio.DatasetReader, light: Light, side: int = LOOKED_AT_PX) -> Self:
        """Read it with so many pixels along its longer side; GDAL takes an overview where there is one."""
        ratio = max(1.0, max(raster.shape) / side)
        height, width = (max(1, round(side / ratio)) for side in raster.shape)
        raw = raster.read(
            list(light.bands), out_shape=(len(light.bands), height, width), resampling=Resampling.nearest
        )
        mask = raster.read_masks(light.bands[0], out_shape=(height, width), resampling=Resampling.nearest)
        return cls(light.expand(raw), mask > 0, (raster.width / width, raster.height / height))

    def corners(self) -> list[tuple[NDArray[Any], bool]]:
        """Give the corners, and whether each has data."""
        height, width = (min(CORNER_PX, side) for side in self.valid.shape)
        return [
            (self.seen[:, row, col], bool(self.valid[row, col].all()))
            for row in (slice(height), slice(-height, None))
            for col in (slice(width), slice(-width, None))
        ]

    def place(self, plane: Plane) -> shapely.Geometry:
        """Outline cells in pixels of the raster, with a rim about them."""
        wide = ndimage.binary_dilation(plane, _CONNECTED, iterations=_RIM)
        outline = shapely.buffer(shapely.simplify(_outline(wide), 1), 0)
        enlarged: shapely.Geometry = shapely.transform(outline, lambda xy: xy * np.array(self.cell))
        return enlarged


def _corners(raster: rasterio.DatasetReader, light: Light) -> list[tuple[NDArray[Any], bool]]:
    """Read each corner, and whether it has data; of the smallest overview that tells, where there is one.

    That takes one read in place of four, and of a raster on a server hardly anything.
    """
    factors = [factor for factor in raster.overviews(1) if min(raster.shape) // factor >= OVERVIEW_PX]
    if factors:
        small = _Copy.of(raster, light, max(raster.shape) // max(factors))
        return small.corners()
    height, width = (min(CORNER_PX, side) for side in raster.shape)
    found = []
    for top in (0, raster.height - height):
        for left in (0, raster.width - width):
            window = ((top, top + height), (left, left + width))
            seen = light.expand(raster.read(list(light.bands), window=window))
            found.append((seen, bool(raster.read_masks(light.bands[0], window=window).all())))
    return found


def _suspects(corners: list[tuple[NDArray[Any], bool]], nodata: float | None) -> list[tuple[float, ...]]:
    """Choose the colours of corners that a border may have: near black or white, a mark of no data, or any other."""
    found: dict[tuple[float, ...], None] = {}
    for (seen, valid), (row, col) in zip(corners, ((0, 0), (0, -1), (-1, 0), (-1, -1)), strict=True):
        colour = seen[:, row, col]
        plain = bool((seen == colour[:, None, None]).all())
        if not valid or (colour == nodata).all() or not (plain or _may_be(colour)):
            continue
        if seen.dtype == np.uint8 and _may_be(colour) and not plain:
            # of noise, all corners are of one kind
            colour = np.full_like(colour, 0 if colour.max() <= NEAR else 255)
        found[tuple(float(value) for value in colour)] = None
    return list(found)


def _may_be(colour: NDArray[Any]) -> bool:
    """Tell whether a colour is black, white, or a mark of no data."""
    dtype = colour.dtype
    if dtype == np.uint8:
        return bool((colour <= NEAR).all() or (colour >= 255 - NEAR).all())
    return bool(np.isin(colour.astype(np.float64), list(_ends(dtype))).all() and (colour == colour[0]).all())


def _ends(dtype: np.dtype[Any]) -> set[float]:
    """List what black, white and marks of no data are in a dtype."""
    if dtype.kind == "f":
        return {0.0, *MARKS}
    limits = np.iinfo(dtype)
    return {0.0, float(limits.min), float(limits.max), *(MARKS if dtype.kind == "i" else ())}


def _near(seen: NDArray[Any], colour: Sequence[float], reach: float) -> Plane:
    """Tell where all bands lie near a colour."""
    found = np.ones(seen.shape[1:], dtype=bool)
    for band, value in zip(seen, colour, strict=True):
        found &= (band == value) if reach == 0 else (np.abs(band.astype(np.float64) - value) <= reach)
    return found


def _border(plane: Plane) -> Plane:
    """Keep what is connected to a corner."""
    number, _ = ndimage.label(plane, _CONNECTED)
    at_corners = {int(number[row, col]) for row in (0, -1) for col in (0, -1)} - {0}
    kept: Plane = np.isin(number, list(at_corners))
    return kept


def _parts(plane: Plane) -> list[Plane]:
    """Take what is connected apart."""
    number, count = ndimage.label(plane, _CONNECTED)
    return [number == i for i in range(1, count + 1)]


def _is_border(part: Plane) -> bool:
    """Tell a border from something dark or bright in a corner of the scene: by how far it runs, and by its shape."""
    held = [turned for turned in _from_corners(part) if turned[0, 0]]
    if len(held) > 1:
        return True
    share, (across, down) = float(part.mean()), _runs(held[0])
    if max(across, down) >= WHOLE_SIDE or (share >= LARGE_SHARE and max(across, down) >= LARGE_RUN):
        return True
    filled = share / (across * down)
    if TRIANGLE[0] <= filled <= TRIANGLE[1]:
        return max(across, down) >= LEAST_LEG
    return filled >= RECTANGLE and share >= LARGE_SHARE


def _from_corners(part: Plane) -> list[Plane]:
    """Turn a part so that each of the four corners comes first."""
    return [part, part[:, ::-1], part[::-1], part[::-1, ::-1]]


def _longest(part: Plane) -> tuple[float, ...]:
    """Measure how much of each side a part holds (shares of these)."""
    return tuple(float(side.mean()) for side in (part[0], part[-1], part[:, 0], part[:, -1]))


def _runs(turned: Plane) -> tuple[float, float]:
    """Measure how far a part runs from the first corner along both sides (shares of these)."""
    across, down = turned[0], turned[:, 0]
    one, other = (float(len(side) if side.all() else side.argmin()) / len(side) for side in (across, down))
    return one, other


def _outline(plane: Plane) -> shapely.Geometry:
    """Outline cells, in cells."""
    parts = [
        shapely.geometry.shape(one) for one, value in shapes(plane.astype(np.uint8), mask=plane) if value
    ]
    return shapely.union_all(parts)
