"""The ground that is tagged, and the cells of it that are seen."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.errors import LayerError
from geo.ground.contract import MOST_CLASSES, Features, Piece, Surroundings
from geo.ground.smoothing import smoothed
from geo.ground.tags.mapped import read_features, squares_beside, tags_of_squares
from geo.ground.tags.table import read_tags
from geo.ground.truth import NOT_TOLD, Truth
from geo.ledger import Entry

if TYPE_CHECKING:
    from geo.ground.tags.settings import Tags

MOST_ZONES = 600
"""More tiles teach little more, and take as much longer."""
EACH = 150
"""So many squares with each tag are drawn first, where tags are of a map."""
MOST_CELLS = 600
"""Of a larger tile about so many cells are drawn, as many as a tile of 48 m has of 2 m."""
LEAST_CELLS = 12
"""A tile of fewer cells with imagery tells nothing."""
ITEM = "tagged ground"
UNSEEN = "no imagery shows it"


@dataclass(frozen=True, slots=True)
class Tagged:
    """Ground with tags.

    Attributes
    ----------
    zones
        A Polygon each (metres), by its id.
    tags
        On the same index a column a tag: yes, no or null.
    unit
        What a zone is: tile, segment, square.
    entries
        What became of rows and features.
    """

    zones: gpd.GeoDataFrame
    tags: pd.DataFrame
    unit: str
    entries: list[Entry]


def tagged(settings: Tags, around: Surroundings) -> Tagged:
    """Find the ground that the section's tags are of.

    Parameters
    ----------
    settings
        The section ``ground``.
    around
        What is known of the city.

    Raises
    ------
    SourceError, LayerError
        See `geo.ground.tags.table.read_tags` and `geo.ground.tags.mapped.read_features`; or there are more tags than a
        map holds classes.
    """
    rng = np.random.default_rng(settings.seed)
    if settings.tags.features is None:
        told = read_tags(settings.tags, around)
        there = around.tiles if told.unit == "tile_id" else around.segments
        shapes = there.set_index(told.unit).geometry.reindex(told.tags.index)
        if told.unit == "segment_id":
            shapes = shapes.buffer(settings.reach_m, cap_style="flat")
        unit, tags, entries = told.unit.removesuffix("_id"), told.tags, told.entries
    else:
        unit = "square"
        tags, shapes, entries = _of_map(settings, around)
    if len(tags.columns) >= MOST_CLASSES:
        raise LayerError(
            f"it has {len(tags.columns)} tags, and a map holds fewer than {MOST_CLASSES} classes",
            where=settings.tags.features or "; ".join(settings.tags.tables()),
            todo=f"Name those that are to be mapped in ground.tags.{'columns' if settings.tags.table else 'classes'}.",
        )
    kept = np.sort(_drawn(tags, rng)) if len(tags) > MOST_ZONES else np.arange(len(tags))
    left = len(tags) - len(kept)
    drawn = Entry(ITEM, "skipped", f"not drawn: {MOST_ZONES} are learned from", left)
    zones = gpd.GeoDataFrame(geometry=shapes.iloc[kept], crs=around.segments.crs)
    return Tagged(zones, tags.iloc[kept], unit, [*entries, *([drawn] if left else [])])


def _of_map(settings: Tags, around: Surroundings) -> tuple[pd.DataFrame, gpd.GeoSeries, list[Entry]]:
    """Lay out squares beside roads, with the tags of what a map has drawn in them."""
    features, entries = read_features(settings.tags, around.segments.crs)
    squares = squares_beside(around, settings.reach_m, settings.tags.tile_m)
    tags = tags_of_squares(squares, features)
    known = tags.notna().any(axis=1).to_numpy(dtype=bool)
    if not known.any():
        raise LayerError(
            f"none of its features lies where roads and imagery are ({len(squares):,} squares beside roads)",
            where=str(settings.tags.features),
            todo="Give a map of this city, or mend its CRS.",
        )
    outside = Entry(ITEM, "skipped", "the map does not reach it", int((~known).sum()))
    shapes = gpd.GeoSeries(squares[known], crs=around.segments.crs)
    tags = tags[known].reset_index(drop=True)
    return tags, shapes, [*entries, *([outside] if outside.count else [])]


def _drawn(tags: pd.DataFrame, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw zones: some with each tag first, so that rare ones are among them, then any."""
    order = rng.permutation(len(tags))
    first = [order[tags[name].fillna(value=False).to_numpy(dtype=bool)[order]][:EACH] for name in tags]
    most = MOST_ZONES // 2
    wanted = np.unique(np.concatenate(first))
    wanted = wanted[rng.permutation(len(wanted))[:most]]
    return np.concatenate([wanted, order[~np.isin(order, wanted)][: MOST_ZONES - len(wanted)]])


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of tagged ground that have data, zone after zone.

    Attributes
    ----------
    features
        Smoothed, ``(cells, dimension)``.
    starts
        Where those of each zone begin, and at the end how many there are, ``(zones + 1,)``.
    truth
        What lies there, by the names of `geo.ground.truth.Truth`; -1 where nothing says.
    """

    features: Features
    starts: NDArray[np.int64]
    truth: NDArray[np.int16]


def gather(pieces: Sequence[Piece], zones: NDArray[np.object_], truth: Truth | None, seed: int) -> Cells:
    """Take the cells of pieces whose middles lie in zones; of a large zone a seeded draw.

    Parameters
    ----------
    pieces
        In any order.
    zones
        Polygons (metres), which may overlap.
    truth
        What lies where; None: nothing says.
    seed
        Of the draw.
    """
    tree = shapely.STRtree(zones)
    area = shapely.area(zones)
    found: list[tuple[str, int, Features, NDArray[np.int16]]] = []
    for piece in pieces:
        near = np.sort(tree.query(shapely.box(*piece.bounds), predicate="intersects"))
        if not len(near):
            continue
        rows, columns = piece.shape
        x = piece.x + (np.arange(columns) + 0.5) * piece.cell_m
        y = piece.y - (np.arange(rows) + 0.5) * piece.cell_m
        east, north = (axis.ravel() for axis in np.meshgrid(x, y))
        features, known = smoothed(piece.features), piece.known().ravel()
        flat = features.reshape(len(known), -1)
        said = np.full(len(known), NOT_TOLD, dtype=np.int16)
        if truth is not None:
            said = truth.on(piece.x, piece.y, piece.shape, piece.cell_m).ravel()
        lot = np.random.default_rng([seed, zlib.crc32(piece.name.encode())]).random(len(known))
        for zone in near.tolist():
            kept = lot * area[zone] < MOST_CELLS * piece.cell_m**2
            inside = np.flatnonzero(known & kept & shapely.contains_xy(zones[zone], east, north))
            if len(inside):
                found.append((piece.name, zone, flat[inside], said[inside]))
    return _together(found, len(zones))


def _together(found: list[tuple[str, int, Features, NDArray[np.int16]]], count: int) -> Cells:
    """Bring the cells of each zone together, in an order that does not hang on that of the pieces."""
    found.sort(key=lambda part: (part[1], part[0]))
    zone = np.array([part[1] for part in found], dtype=np.int64)
    sizes = np.bincount(zone, weights=[len(part[2]) for part in found], minlength=count).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    if not found:
        return Cells(np.zeros((0, 0), np.float32), starts, np.zeros(0, np.int16))
    return Cells(
        np.concatenate([part[2] for part in found]), starts, np.concatenate([part[3] for part in found])
    )
