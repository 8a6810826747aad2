"""Which places of a map labels say something of, and what."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize

from geo.ground.contract import Piece

Codes = NDArray[np.int16]
SILENT, REST = -1, 0
"""Codes of what no label says anything of, and of what is none of the classes."""
PURE = 0.8
"""A place of which a class covers less than this share is no example of it, nor of another one."""
_POLYGON = 2


@dataclass(frozen=True, slots=True)
class Marks:
    """What labels say of the places of a piece, ``(rows * finer, columns * finer)``.

    Attributes
    ----------
    codes
        The class that covers most of what is told of a place; `REST` and `SILENT`, see there.
    pure
        Whether one class covers nearly all of the place.
    places
        Number of the place (`geo.ground.labels.drawn.places`) that each belongs to, -1 where no label is.
    seen, used
        Labels under which there is data, and those of which some ground is left to learn from: their rows.
    """

    codes: Codes
    pure: NDArray[np.bool_]
    places: NDArray[np.int64]
    seen: NDArray[np.int64]
    used: NDArray[np.int64]


def mark(
    piece: Piece, labels: gpd.GeoDataFrame, codes: Codes, extents: gpd.GeoDataFrame, *, finer: int
) -> Marks:
    """Bring labels onto the places of a piece.

    A polygon covers what lies in it; a point or a line the places that it touches, and nothing is said of those beside
    it. In an extent, what no label covers is none of the classes. Where labels of two classes lie on each other
    nothing is said.

    Parameters
    ----------
    piece
        The ground.
    labels
        With ``order`` (2: polygons) and ``place``, in the city's CRS.
    codes
        Class of each label, `REST` of those that are none of the classes, `SILENT` of those that are not learned.
    extents
        Outlines of ground on which nothing was left unlabelled.
    finer
        Places a cell along each side; a divisor of `Piece.per_cell`.
    """
    rows, columns = piece.shape
    block = piece.per_cell // finer
    shape = (rows * piece.per_cell, columns * piece.per_cell)
    pixels, places = (
        Affine(side, 0, piece.x, 0, -side, piece.y) for side in (piece.pixel_m, piece.cell_m / finer)
    )
    frame = shapely.box(*piece.bounds)
    shapes = labels.geometry.to_numpy()
    here = np.flatnonzero(shapely.intersects(shapes, frame))
    area = labels["order"].to_numpy()[here] == _POLYGON
    outlined = extents[shapely.intersects(extents.geometry.to_numpy(), frame)]
    outline = outlined.geometry.to_numpy()
    code = np.full(shape, SILENT, dtype=np.int16)
    if len(outline):
        code[_burn(outline, np.ones(len(outline)), shape, pixels) > 0] = REST
    code = _laid(code, shapes[here[area]], codes[here[area]], pixels)
    found, pure = _brought_together(np.where(piece.valid, code, SILENT), block)
    touched = _laid(
        np.full(found.shape, SILENT, dtype=np.int16),
        shapes[here[~area]],
        codes[here[~area]],
        places,
        touch=True,
    )
    on = touched != SILENT
    # a point on ground of another class that is labelled, too, leaves open which of them is meant
    clash = on & (found > REST) & (found != touched)
    found = np.where(clash, SILENT, np.where(on, touched, found)).astype(np.int16)
    known = piece.known(finer)
    found[~known] = SILENT
    whose = np.concatenate([outlined["place"].to_numpy(), labels["place"].to_numpy()[here]]) + 1
    belong = _burn(np.concatenate([outline, shapes[here]]), whose, known.shape, places, touch=True) - 1
    return Marks(
        found,
        (pure | on) & (found != SILENT),
        belong.astype(np.int64),
        *_under(piece, found, shapes, codes, finer),
    )


def _under(
    piece: Piece, found: Codes, shapes: NDArray[np.object_], codes: Codes, finer: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tell which labels have data under them, and which some ground that is theirs."""
    rows, columns = piece.shape
    down, across = np.nonzero(piece.known())
    west, north = piece.x + across * piece.cell_m, piece.y - down * piece.cell_m
    cells = shapely.box(west, north - piece.cell_m, west + piece.cell_m, north)
    label, cell = shapely.STRtree(cells).query(shapes, predicate="intersects")
    places = found.reshape(rows, finer, columns, finer).swapaxes(1, 2)[down[cell], across[cell]]
    own = (places == codes[label][:, None, None]).any(axis=(1, 2))
    return np.unique(label).astype(np.int64), np.unique(label[own]).astype(np.int64)


def _laid(
    code: Codes, shapes: NDArray[np.object_], codes: Codes, grid: Affine, *, touch: bool = False
) -> Codes:
    """Lay labels on a grid, class by class; silent where two classes meet."""
    once, twice = np.zeros(code.shape, dtype=bool), np.zeros(code.shape, dtype=bool)
    laid = code.copy()
    for one in np.unique(codes):
        mine = shapes[codes == one]
        on = _burn(mine, np.ones(len(mine)), code.shape, grid, touch=touch) > 0
        twice |= once & on
        once |= on
        laid[on] = one
    laid[twice] = SILENT
    return laid


def _burn(
    shapes: NDArray[np.object_],
    values: NDArray[np.generic],
    shape: tuple[int, ...],
    grid: Affine,
    *,
    touch: bool = False,
) -> NDArray[np.int32]:
    """Draw shapes on a grid: the value of the last one on each place, else 0."""
    if not len(shapes):
        return np.zeros(shape, dtype=np.int32)
    pairs = zip(shapes, values.tolist(), strict=True)
    drawn: NDArray[np.int32] = rasterize(
        pairs, out_shape=shape, transform=grid, fill=0, dtype=np.int32, all_touched=touch
    )
    return drawn


def _brought_together(code: Codes, block: int) -> tuple[Codes, NDArray[np.bool_]]:
    """Find the class that covers most of each block of pixels, and whether it covers nearly all of the block."""
    rows, columns = (side // block for side in code.shape)
    blocks = code.reshape(rows, block, columns, block).swapaxes(1, 2).reshape(rows, columns, block * block)
    best = np.full((rows, columns), SILENT, dtype=np.int16)
    most = np.zeros((rows, columns))
    for one in np.unique(code):
        share = (blocks == one).mean(axis=-1)
        better = share > most
        best[better], most[better] = one, share[better]
    return best, most >= PURE
