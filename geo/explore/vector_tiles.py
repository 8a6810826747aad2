"""Vector tiles of lines and points, made when they are asked for.

A tile is what Mapbox's Vector Tile Specification 2.1 says (https://github.com/mapbox/vector-tile-spec): a layer of
features with whole coordinates, numbers written as varints of Protocol Buffers. All numbers of a layer's features are
one array here, which is written at once, for a tile of a whole city holds a hundred thousand features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.explore.varints import varint_sizes, varints

MOST_ZOOM = 22
EXACT_FROM = 14
"""Zoom from which lines keep all of their points; below, those that lie within a unit of the line without them go."""
EXTENT = 4096
"""Units of a tile's side."""
BUFFER = 128
"""Units beyond a tile's edges that are drawn too, so that thick lines are not cut there."""
HALF_M = 20037508.342789244
"""Half the side of the world in Web Mercator (metres of its own, which are no metres of the ground)."""
MERCATOR = 3857
_MOVE, _LINE = 1, 2
_POINT_TYPE, _LINE_TYPE = 1, 2
_IS_LINE, _IS_POINT = 1, 0
"""Shapely's numbers of lines and points."""
# fields of the specification's messages: number of the field and kind of its value
_ID, _TAGS, _TYPE, _GEOMETRY = 0x08, 0x12, 0x18, 0x22
_NAME, _FEATURE, _KEY, _VALUE, _EXTENT, _VERSION, _LAYER = 0x0A, 0x12, 0x1A, 0x22, 0x28, 0x78, 0x1A
_TEXT, _WHOLE, _YES = 0x0A, 0x28, 0x38
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Attribute:
    """What features say of themselves.

    Attributes
    ----------
    name
        What it is called.
    codes
        The place of each row's value among `written`; -1: nothing is told.
    written
        Its values, as the specification writes them.
    """

    name: str
    codes: Whole
    written: tuple[bytes, ...]


class VectorTiles:
    """A layer that is cut into tiles. A feature's id is its row.

    Parameters
    ----------
    layer
        Name of the layer in a tile.
    places
        Lines, or points, in any CRS; rows without a place are in no tile.
    attributes
        What is told of each row, on the same index: text, whole numbers that are not negative, or yes and no; nothing
        is told of what is null.
    """

    def __init__(self, layer: str, places: gpd.GeoSeries, attributes: Mapping[str, pd.Series]) -> None:
        self._layer = layer
        self._places: NDArray[np.object_] = places.to_crs(MERCATOR).to_numpy()
        self._kind = _IS_POINT if (places.geom_type == "Point").any() else _IS_LINE
        self._boxes: NDArray[np.float64] = shapely.bounds(self._places)
        self._tree = shapely.STRtree(self._places)
        self._attributes = [_coded(name, values) for name, values in attributes.items()]

    def tile(self, zoom: int, x: int, y: int) -> bytes:
        """Make a tile.

        Parameters
        ----------
        zoom, x, y
            Which one, x from the west and y from the north.

        Returns
        -------
        The tile; empty where nothing lies in it.
        """
        west, south, east, north = bounds_of_tile(zoom, x, y)
        unit = (east - west) / EXTENT
        rim = BUFFER * unit
        box = (west - rim, south - rim, east + rim, north + rim)
        rows = np.sort(self._tree.query(shapely.box(*box)))
        rows, parts = self._cut(rows, box, 0.0 if zoom >= EXACT_FROM else unit)
        if not len(rows):
            return b""
        geometry = _Geometry.of(rows, parts, np.array([west, north]), unit)
        return self._encoded(geometry)

    def _cut(
        self, rows: Whole, box: tuple[float, ...], tolerance: float
    ) -> tuple[Whole, NDArray[np.object_]]:
        """Cut what reaches beyond a box; gives parts, each a line or a point, with their rows."""
        places, boxes = self._places[rows], self._boxes[rows]
        if tolerance and self._kind == _IS_LINE:
            # each point less is a triangle less to draw
            places = shapely.simplify(places, tolerance, preserve_topology=False)
        beyond = (boxes[:, :2] < box[:2]).any(axis=1) | (boxes[:, 2:] > box[2:]).any(axis=1)
        places[beyond] = shapely.clip_by_rect(places[beyond], *box)
        parts, of = shapely.get_parts(places, return_index=True)
        # a line that touches the box may leave a point of it
        drawn = (shapely.get_type_id(parts) == self._kind) & ~shapely.is_empty(parts)
        return rows[of[drawn]], parts[drawn]

    def _encoded(self, geometry: _Geometry) -> bytes:
        """Write the layer."""
        rows = geometry.rows
        told = self._attributes
        tags = np.full((len(rows), 2 * len(told)), -1, dtype=np.int64)
        values: list[bytes] = []
        for place, one in enumerate(told):
            there, codes = np.unique(one.codes[rows], return_inverse=True)
            known = there >= 0
            tags[:, 2 * place] = np.where(known, place, -1)[codes]
            tags[:, 2 * place + 1] = np.where(known, len(values) + np.cumsum(known) - 1, -1)[codes]
            values += [one.written[code] for code in there[known]]
        layer = b"".join(
            (
                _bytes(_NAME, self._layer.encode()),
                _features(rows, tags, geometry),
                *(_bytes(_KEY, one.name.encode()) for one in told),
                *(_bytes(_VALUE, value) for value in values),
                varints(np.array([_EXTENT, EXTENT, _VERSION, 2])),
            )
        )
        return _bytes(_LAYER, layer)


@dataclass(frozen=True, slots=True)
class _Geometry:
    """Drawing commands of features.

    Attributes
    ----------
    rows
        Of the features, ascending, ``(features,)``.
    commands
        Of all features, one after the other.
    lengths
        How many are of each feature, ``(features,)``.
    kinds
        The specification's number of what each is, ``(features,)``.
    """

    rows: Whole
    commands: Whole
    lengths: Whole
    kinds: Whole

    @classmethod
    def of(
        cls, rows: Whole, parts: NDArray[np.object_], corner: NDArray[np.float64], unit: float
    ) -> _Geometry:
        """Lay parts of features out in a tile.

        Parameters
        ----------
        rows
            The feature of each part, ascending, ``(parts,)``.
        parts
            Lines and points.
        corner
            The north-western corner of the tile.
        unit
            What a unit of the tile measures.
        """
        units, part = _units(parts, corner, unit)
        first = np.diff(part, prepend=-1) != 0
        starts = np.flatnonzero(first)
        points = np.diff(np.append(starts, len(part)))
        new_feature = np.diff(rows, prepend=-1) != 0
        steps = np.diff(units, axis=0, prepend=0)
        steps[starts[new_feature]] = units[starts[new_feature]]
        zigzag = (steps << 1) ^ (steps >> 63)
        # a part is: move, x, y; and where it is a line: draw, then x and y of each further point
        sizes = np.where(points > 1, 2 + 2 * points, 3)
        begin = np.cumsum(sizes) - sizes
        commands = np.empty(int(sizes.sum()), dtype=np.int64)
        commands[begin] = 1 << 3 | _MOVE
        lines = points > 1
        commands[begin[lines] + 3] = (points[lines] - 1) << 3 | _LINE
        within = np.arange(len(part)) - starts[part]
        at = begin[part] + np.where(within == 0, 1, 2 + 2 * within)
        commands[at], commands[at + 1] = zigzag[:, 0], zigzag[:, 1]
        own = np.flatnonzero(new_feature)
        kinds = np.where(shapely.get_type_id(parts[own]) == _IS_LINE, _LINE_TYPE, _POINT_TYPE)
        return cls(rows[own], commands, np.add.reduceat(sizes, own), kinds)


def bounds_of_tile(zoom: int, x: int, y: int) -> tuple[float, float, float, float]:
    """Give west, south, east and north of a tile in Web Mercator."""
    side = 2 * HALF_M / 2**zoom
    return -HALF_M + x * side, HALF_M - (y + 1) * side, -HALF_M + (x + 1) * side, HALF_M - y * side


def _units(parts: NDArray[np.object_], corner: NDArray[np.float64], unit: float) -> tuple[Whole, Whole]:
    """Bring parts to whole units of a tile, without points that fall on the one before.

    Returns
    -------
    Coordinates from the north-western corner, ``(points, 2)``, and the part of each. A line keeps two points at the
    least: one that falls on a single unit is drawn as long as one, so that nothing is lost from afar.
    """
    coordinates, part = shapely.get_coordinates(parts, return_index=True)
    units = np.round((coordinates - corner) / np.array([unit, -unit])).astype(np.int64)
    first = np.diff(part, prepend=-1) != 0
    kept = first | (np.diff(units, axis=0, prepend=0) != 0).any(axis=1)
    lines = shapely.get_type_id(parts) == _IS_LINE
    short = np.flatnonzero(lines & (np.bincount(part, weights=kept, minlength=len(parts)) < 2))
    last = np.flatnonzero(np.append(first[1:], True))[short]
    units[last] += (1, 0)
    kept[last] = True
    return units[kept], part[kept]


def _coded(name: str, values: pd.Series) -> _Attribute:
    """Give each value of an attribute its number."""
    codes, there = pd.factorize(values, use_na_sentinel=True)
    return _Attribute(name, codes.astype(np.int64), tuple(_value(value) for value in there))


def _value(value: Any) -> bytes:  # noqa: ANN401 - whatever a column holds
    """Write a value of an attribute."""
    if isinstance(value, (bool, np.bool_)):
        return bytes((_YES, int(value)))
    if isinstance(value, (int, np.integer)):
        return varints(np.array([_WHOLE, int(value)]))
    return _bytes(_TEXT, str(value).encode(errors="replace"))


def _bytes(field: int, content: bytes) -> bytes:
    """Write a field of bytes: its number, its length, and it."""
    return varints(np.array([field, len(content)])) + content


def _features(rows: Whole, tags: Whole, geometry: _Geometry) -> bytes:
    """Write features.

    Parameters
    ----------
    rows
        Their ids.
    tags
        Places of keys and values in turn, ``(features, 2 x attributes)``; -1: nothing is told.
    geometry
        What is drawn.
    """
    n = len(rows)
    own = np.cumsum(geometry.lengths) - geometry.lengths
    drawn = np.add.reduceat(varint_sizes(geometry.commands), own)
    told = np.where(tags >= 0, varint_sizes(np.maximum(tags, 0)), 0).sum(axis=1)
    ids = rows
    length = 1 + varint_sizes(ids) + 1 + varint_sizes(told) + told + 2 + 1 + varint_sizes(drawn) + drawn
    fields = [
        (_FEATURE, length),
        (_ID, ids),
        (_TAGS, told),
        (_TYPE, geometry.kinds),
        (_GEOMETRY, drawn),
    ]
    pairs = [np.column_stack([np.full(n, number), value]) for number, value in fields]
    head = np.hstack([*pairs[:3], tags, *pairs[3:]])
    there = head >= 0
    heads = there.sum(axis=1)
    begin = np.cumsum(heads + geometry.lengths) - heads - geometry.lengths
    stream = np.empty(int((heads + geometry.lengths).sum()), dtype=np.int64)
    stream[(begin[:, None] + np.cumsum(there, axis=1) - 1)[there]] = head[there]
    within = np.arange(len(geometry.commands)) - np.repeat(own, geometry.lengths)
    stream[np.repeat(begin + heads, geometry.lengths) + within] = geometry.commands
    return varints(stream)
