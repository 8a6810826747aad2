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
ALIKE, SMEARED_PX = 0.9, 16
"""Share of the inside of a border that is of the very same value, and width of its edge, where it may be smeared."""
LEAST_SHARE, OF_A_TURNED_ONE = 0.0005, 3
"""Share of the raster that is worth the trouble; so many corners of one colour has a picture that was turned."""
WHOLE_SIDE, LEAST_LEG, LARGE_RUN = 0.95, 0.15, 0.5
"""Shares of a side along which a border runs: a strip; a triangle that a turned picture leaves; anything large."""
LARGE_SHARE = 0.05
"""Share of the raster."""
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
    value
        Value of all bands.
    reach
        How far they may lie from it.
    place
        Where it is, a little enlarged: in continuous pixel coordinates ``(column, row)`` of the raster.
    share
        Its share of the raster.
    """

    value: float
    reach: float
    place: shapely.Geometry
    share: float

    def covers(self, seen: NDArray[Any], pixels: Affine) -> Plane:
        """Tell which pixels of a window belong to it, ``(height, width)``.

        Parameters
        ----------
        seen
            Values ``(bands, height, width)``.
        pixels
            From columns and rows of the window to those of the raster.
        """
        near = _near(seen, [self.value] * len(seen), self.reach)
        if near.any():
            shape = near.shape
            near &= geometry_mask([self.place], shape, pixels, all_touched=True, invert=True)
        return near


def to_text(collars: Iterable[Collar]) -> str:
    """Write borders as text; empty for none."""
    told = [[one.value, one.reach, shapely.to_wkt(one.place), one.share] for one in collars]
    return json.dumps(told) if told else ""


def from_text(text: str) -> tuple[Collar, ...]:
    """Read what `to_text` wrote."""
    told = json.loads(text) if text else []
    return tuple(Collar(value, reach, shapely.from_wkt(place), share) for value, reach, place, share in told)


def find_collars(
    raster: rasterio.DatasetReader, light: Light, nodata: float | None = None
) -> tuple[Collar, ...]:
    """Find the borders without data of a raster that it does not call so.

    Parameters
    ----------
    raster
        An open raster.
    light
        What is read of it.
    nodata
        ``imagery.nodata``, which is known to be none.

    Raises
    ------
    UnusableError
        When the raster is nothing but border.
    """
    if not _suspects(_corners(raster, light), nodata):
        return ()
    if raster.width * raster.height > MOST_PX and not raster.overviews(1):
        return ()
    copy = _Copy.of(raster, light)
    corners = [(row, col) for row in (0, -1) for col in (0, -1)]
    suspects = _suspects(
        [(copy.seen[:, row, col], bool(copy.valid[row, col])) for row, col in corners], nodata
    )
    found: list[Collar] = []
    for colour in suspects:
        plane, reach = _connected(copy, colour)
        if plane.all():
            if reach == 0 and set(colour) <= _ends(copy.seen.dtype):
                raise UnusableError(f"nothing is to be seen of it: all of it is {colour[0]:g}")
            continue
        parts = [part for part in _parts(plane) if part.mean() >= LEAST_SHARE]
        # a picture that was turned leaves something in all corners, a roof in one
        if sum(turned[0, 0] for part in parts for turned in _from_corners(part)) < OF_A_TURNED_ONE:
            parts = [part for part in parts if _is_border(part)]
        if parts:
            whole = np.logical_or.reduce(parts)
            value = float(round(float(np.mean(colour)), 6)) if reach == 0 else float(round(np.mean(colour)))
            reach += max(abs(one - value) for one in colour)
            found.append(Collar(value, reach, copy.place(whole), round(float(whole.mean()), 4)))
    return tuple(found)


def _connected(copy: _Copy, colour: tuple[float, ...]) -> tuple[Plane, float]:
    """Find what is connected to corners and like them, and how far from their colour values may lie.

    Compression smears the edge of a border; its inside is of one value, as that of dark water is not.
    """
    exact = _border(_near(copy.seen, colour, 0) & copy.valid)
    if copy.seen.dtype != np.uint8:
        return exact, 0.0
    near = _border(_near(copy.seen, colour, NEAR) & copy.valid)
    inside = ndimage.binary_erosion(
        near, _CONNECTED, iterations=math.ceil(SMEARED_PX / copy.cell[0]), border_value=1
    )
    smeared = near.sum() > exact.sum() and inside.any() and exact[inside].mean() >= ALIKE
    return (near, float(NEAR)) if smeared else (exact, 0.0)


def told_collars(collars: Sequence[Collar]) -> str:
    """Say what of a raster is read as without data; empty where there is nothing to be said."""
    if not collars:
        return ""
    return f"its border of {' and '.join(f'{one.value:g}' for one in collars)} is read as without data"


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

    def place(self, plane: Plane) -> shapely.Geometry:
        """Outline cells in pixels of the raster, with a rim about them."""
        wide = ndimage.binary_dilation(plane, _CONNECTED, iterations=_RIM)
        outline = shapely.buffer(shapely.simplify(_outline(wide), 1), 0)
        enlarged: shapely.Geometry = shapely.transform(outline, lambda xy: xy * np.array(self.cell))
        return enlarged


def _corners(raster: rasterio.DatasetReader, light: Light) -> list[tuple[NDArray[Any], bool]]:
    """Read the pixel of each corner, and whether it has data; of the smallest overview that tells, where there is one.

    That takes one read in place of four, and of a raster on a server hardly anything.
    """
    factors = [factor for factor in raster.overviews(1) if min(raster.shape) // factor >= OVERVIEW_PX]
    if factors:
        small = _Copy.of(raster, light, max(raster.shape) // max(factors))
        return [(small.seen[:, row, col], bool(small.valid[row, col])) for row in (0, -1) for col in (0, -1)]
    height, width = (min(CORNER_PX, side) for side in raster.shape)
    found = []
    for top in (0, raster.height - height):
        for left in (0, raster.width - width):
            window = ((top, top + height), (left, left + width))
            seen = light.expand(raster.read(list(light.bands), window=window))
            row, col = 0 if top == 0 else -1, 0 if left == 0 else -1
            colour = seen[:, row, col]
            valid = bool(raster.read_masks(light.bands[0], window=window)[row, col])
            found.append((colour, valid))
    return found


def _suspects(corners: list[tuple[NDArray[Any], bool]], nodata: float | None) -> list[tuple[float, ...]]:
    """Choose the colours of corners that a border may have: black, white, or a mark of no data."""
    found = [
        colour for colour, valid in corners if valid and _may_be(colour) and not (colour == nodata).all()
    ]
    return list(dict.fromkeys(tuple(float(value) for value in colour) for colour in found))


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
