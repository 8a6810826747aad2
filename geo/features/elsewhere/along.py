"""Pixels with a vector along roads: those that a corridor touches, each with the ground that it has in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geo.features.elsewhere.grids import Grid, open_grid, pixel_at
from geo.features.elsewhere.products import Product, check_decoded
from geo.features.encoder import Embeddings
from geo.secrets import redact
from geo.tiles.grid import map_pixels

Shapes = NDArray[np.object_]
CELL = 128
"""Rows and columns that are read at a time."""
LEAST_SHARE = 1e-3
"""A pixel of which less lies in a corridor, and of which the corridor has less, is a sliver."""
WHOLE = 0.999


@dataclass(frozen=True, slots=True)
class Touched:
    """Vectors on the ground of roads.

    Attributes
    ----------
    owner
        Number of the shape that each lies in, ``(n,)``.
    area
        Ground in common (square metres), ``(n,)``.
    vectors
        ``(n, dimension)``, decoded, all with data.
    source
        Number of the file that each is from, ``(n,)``.
    """

    owner: NDArray[np.intp]
    area: NDArray[np.float64]
    vectors: Embeddings
    source: NDArray[np.intp]

    @classmethod
    def joined(cls, parts: Sequence[Touched], dimension: int) -> Touched:
        """Put several together; none gives one without vectors."""
        empty = np.zeros(0, dtype=np.intp)
        first = cls(empty, np.zeros(0), np.zeros((0, dimension), dtype=np.float32), empty)
        every = [first, *parts]
        return cls(
            np.concatenate([one.owner for one in every]),
            np.concatenate([one.area for one in every]),
            np.concatenate([one.vectors for one in every]),
            np.concatenate([one.source for one in every]),
        )


def pixels_along(
    shapes: Shapes, crs: pyproj.CRS, paths: Sequence[str], outlines: Shapes, product: Product, dimension: int
) -> tuple[Touched, NDArray[np.float64]]:
    """Read the pixels under shapes; ground that several rasters show counts once.

    The raster that covers most of a shape comes first; others fill what it has no data for.

    Parameters
    ----------
    shapes
        Corridors (Polygon, metres).
    crs
        Theirs.
    paths, outlines
        Each raster, and the ground that it shows (in `crs`).
    product
        What the vectors are.
    dimension
        How many numbers a vector has.

    Returns
    -------
    The vectors, and how much of each shape they cover (square metres).

    Raises
    ------
    LayerError
        When vectors are not decoded.
    SourceError
        When a raster cannot be read.
    """
    left = shapes.copy()
    ranks = _ranks(shapes, outlines)
    found: list[Touched] = []
    last = int(ranks["rank"].max()) if len(ranks) else 0
    for rank in range(last + 1):
        pairs = ranks[ranks["rank"] == rank]
        taken: list[tuple[NDArray[np.intp], Shapes]] = []
        for source in np.unique(pairs["source"].to_numpy()).tolist():
            wanted = pairs.loc[pairs["source"] == source, "shape"].to_numpy()
            wanted = wanted[~shapely.is_empty(left[wanted])]
            with open_grid(paths[source], product) as grid:
                touched, squares = _of_grid(grid, left, wanted, crs, source)
            check_decoded(touched.vectors, product, redact(paths[source]))
            found.append(touched)
            taken.append((touched.owner, squares))
        if rank < last and taken:
            left = _without(left, shapes, taken)
    touched = Touched.joined(found, dimension)
    covered = np.zeros(len(shapes))
    np.add.at(covered, touched.owner, touched.area)
    return touched, covered


def _ranks(shapes: Shapes, outlines: Shapes) -> pd.DataFrame:
    """Give each shape the rasters that show some of it, the one that shows most first."""
    shape, source = shapely.STRtree(outlines).query(shapes, predicate="intersects")
    common = shapely.area(shapely.intersection(shapes[shape], outlines[source]))
    pairs = pd.DataFrame({"shape": shape, "source": source, "common": np.round(common, 3)})
    pairs = pairs[pairs["common"] > 0].sort_values(
        ["shape", "common", "source"], ascending=[True, False, True]
    )
    return pairs.assign(rank=pairs.groupby("shape").cumcount())


def _without(left: Shapes, shapes: Shapes, taken: Sequence[tuple[NDArray[np.intp], Shapes]]) -> Shapes:
    """Take away the ground that vectors are known of; what is left of a shape that is nearly whole is nothing."""
    owner = np.concatenate([owners for owners, _ in taken])
    squares = np.concatenate([some for _, some in taken])
    if not len(owner):
        return left
    order = np.argsort(owner, kind="stable")
    here = np.unique(owner)
    gathered = np.asarray(
        shapely.geometrycollections(squares[order], indices=np.searchsorted(here, owner[order]))
    )
    rest = left.copy()
    rest[here] = shapely.difference(left[here], shapely.union_all(gathered.reshape(-1, 1), axis=1))
    rest[shapely.area(rest) < (1 - WHOLE) * shapely.area(shapes)] = shapely.Polygon()
    return rest


def _of_grid(
    grid: Grid, shapes: Shapes, wanted: NDArray[np.intp], crs: pyproj.CRS, source: int
) -> tuple[Touched, Shapes]:
    """Read the pixels of one raster under some shapes; gives them, and their outlines."""
    owner, row, col = _pixels_in_boxes(grid, shapes[wanted], crs)
    squares = _outlines(grid, row, col, crs)
    owner = wanted[owner]
    shapely.prepare(shapes[wanted])
    near = shapely.intersects(shapes[owner], squares)
    owner, row, col, squares = owner[near], row[near], col[near], squares[near]
    area = shapely.area(shapely.intersection(shapes[owner], squares))
    smaller = np.minimum(shapely.area(squares), shapely.area(shapes[owner]))
    more = area > LEAST_SHARE * smaller
    owner, row, col, squares, area = owner[more], row[more], col[more], squares[more], area[more]
    vectors = _read(grid, row, col)
    known = np.isfinite(vectors).all(axis=1)
    count = int(known.sum())
    touched = Touched(owner[known], area[known], vectors[known], np.full(count, source, dtype=np.intp))
    return touched, squares[known]


def _pixels_in_boxes(
    grid: Grid, shapes: Shapes, crs: pyproj.CRS
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """List the pixels in the box of each shape: number of the shape, row, column."""
    change = pyproj.Transformer.from_crs(crs, grid.crs, always_xy=True)
    xy, index = shapely.get_coordinates(shapes, return_index=True)
    x, y = change.transform(xy[:, 0], xy[:, 1])
    pixels = pd.DataFrame(pixel_at(grid.transform, np.asarray(x), np.asarray(y)))
    places = pixels.replace([np.inf, -np.inf], np.nan).groupby(index)
    limit = np.array([grid.width, grid.height])
    low, high = (
        ends.reindex(range(len(shapes))).fillna(0).to_numpy() for ends in (places.min(), places.max())
    )
    first = np.clip(np.floor(low), 0, limit).astype(np.intp)
    size = np.maximum(np.clip(np.ceil(high), 0, limit).astype(np.intp) - first, 0)
    count = size.prod(axis=1)
    owner = np.repeat(np.arange(len(shapes)), count)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    width = size[owner, 0]
    return (
        owner,
        first[owner, 1] + place // np.maximum(width, 1),
        first[owner, 0] + place % np.maximum(width, 1),
    )


def _outlines(grid: Grid, row: NDArray[np.intp], col: NDArray[np.intp], crs: pyproj.CRS) -> Shapes:
    """Outline pixels in the city's CRS."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
    across, down = col[:, None] + corners[:, 0], row[:, None] + corners[:, 1]
    x, y = map_pixels(grid.transform, across.astype(np.float64), down.astype(np.float64))
    x, y = pyproj.Transformer.from_crs(grid.crs, crs, always_xy=True).transform(x, y)
    return np.asarray(shapely.polygons(np.stack([x, y], axis=-1).reshape(-1, 5, 2)))


def _read(grid: Grid, row: NDArray[np.intp], col: NDArray[np.intp]) -> Embeddings:
    """Read vectors ``(n, dimension)``, cell by cell of the raster."""
    vectors = np.full((len(row), grid.dimension), np.nan, dtype=np.float32)
    cells = (row // CELL) * (grid.width // CELL + 1) + col // CELL
    order = np.argsort(cells, kind="stable")
    for some in np.split(order, np.flatnonzero(np.diff(cells[order])) + 1):
        if len(some):
            top, left = row[some].min(), col[some].min()
            block = grid.read(int(top), int(row[some].max()) + 1, int(left), int(col[some].max()) + 1)
            vectors[some] = block[row[some] - top, col[some] - left]
    return vectors
