"""Tags of squares beside roads, from what a map has drawn in them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import ProjError

from geo.addresses import is_url, reveal
from geo.errors import LayerError, SourceError, meant, meant_file
from geo.ground.contract import Surroundings
from geo.ground.kind import Shapes
from geo.ground.tags.settings import TagSource
from geo.ledger import Entry
from geo.roads.files import UNREADABLE, layer_kinds, read_vector_layer
from geo.roads.reading.paths import is_openstreetmap, is_parquet
from geo.roads.reading.sources import with_tags

OSM_LAYERS = ("points", "lines", "multipolygons")
"""What GDAL makes of an extract's nodes, open ways, and closed ways with multipolygons."""
ITEM = "features of tags"
NAMED_IN = ("ground.tags", "ground.tags.classes")
NO_PLACE = "no geometry that can be used"
LEAST_SHARE = 0.05
"""An area lies in a square from this share of the square on; with less of it, nobody could say."""
LEAST_LENGTH_M = 5.0
"""A line lies in a square with so much of its length (metres)."""
Rules = dict[str, list[tuple[str, frozenset[str]]]]


def read_features(
    source: TagSource,
    crs: pyproj.CRS,
    named_in: tuple[str, str] = NAMED_IN,
) -> tuple[gpd.GeoDataFrame, list[Entry]]:
    """Read a map's features, and tell which tags each has.

    Parameters
    ----------
    source
        With ``features``.
    crs
        The city's CRS.
    named_in
        What of the city's file names the map, and what its classes, for messages.

    Returns
    -------
    All features with a geometry, in `crs`, a column of booleans a tag; and what became of layers and rows.

    Raises
    ------
    SourceError, LayerError
        When it cannot be read, states no CRS, or has none of the keys that are asked for.
    """
    path = str(source.features)
    rules = source.rules()
    keys = sorted({key for of_tag in rules.values() for key, _ in of_tag})
    table, entries, lost = read_map(path, source.parts(), keys, crs, section=named_in[0])
    tags = {name: has_one_of(table, of_tag) for name, of_tag in rules.items()}
    entries += [Entry(ITEM, "done", name, int(has.sum())) for name, has in tags.items()]
    tagged = np.logical_or.reduce(list(tags.values()))
    entries.append(Entry(ITEM, "skipped", "they are none of what is asked for", int((~tagged).sum())))
    entries.append(Entry(ITEM, "rejected", NO_PLACE, lost))
    if not tagged.any():
        raise LayerError(
            f"none of its {len(table):,} features is one of {', '.join(rules)}",
            where=path,
            todo=f"Mend {named_in[1]}: {{name: key=value}}, as in OpenStreetMap or by the file's own columns.",
        )
    found = gpd.GeoDataFrame(pd.DataFrame(tags), geometry=table.geometry.to_numpy(), crs=crs)
    return found, [entry for entry in entries if entry.count]


def read_map(
    path: str, named: Sequence[str], keys: Sequence[str], crs: pyproj.CRS, *, section: str
) -> tuple[gpd.GeoDataFrame, list[Entry], int]:
    """Read a map's features with their values of some keys.

    Parameters
    ----------
    path
        An extract of OpenStreetMap, or any vector file.
    named
        Its layers to read; none: all that can be meant.
    keys
        Tags of OpenStreetMap, or columns.
    crs
        The city's CRS.
    section
        Of the city's file that names it, for messages.

    Returns
    -------
    Features with a geometry, in `crs`, a column a key that is there; what became of whole layers that are left out; and
    how many features have no geometry that can be used.

    Raises
    ------
    SourceError, LayerError
        When it cannot be read, states no CRS, or has none of the keys.
    """
    if not is_url(path) and not Path(path).exists():
        raise SourceError(
            f"no such file{meant_file(Path(path))}", where=path, todo=f"Mend the path in {section}."
        )
    layers, entries = _layers(path, named, keys, section)
    parts = [_placed(rows, crs, path) for rows in layers]
    table = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=crs)
    lost = shapely.is_missing(table.geometry) | shapely.is_empty(table.geometry)
    lost |= ~np.isfinite(shapely.bounds(table.geometry)).all(axis=1)
    return table[~lost].reset_index(drop=True), entries, int(lost.sum())


def _layers(
    path: str, named: Sequence[str], keys: Sequence[str], section: str
) -> tuple[list[gpd.GeoDataFrame], list[Entry]]:
    """Read the layers that have one of the keys as a column, or all tags in one."""
    try:
        there = [None] if is_parquet(path) else [name for name, _ in layer_kinds(reveal(path))]
        chosen = [*named] or ([*OSM_LAYERS] if is_openstreetmap(path) else there)
        if missing := [name for name in chosen if name not in there]:
            raise LayerError(
                f"it has no layer {missing[0]!r}; there are {', '.join(map(str, there))}{meant(missing[0], there)}",
                where=path,
                todo=f"Mend {section}.layer.",
            )
        with warnings.catch_warnings():
            # areas that the edge of an extract cuts through
            warnings.filterwarnings("ignore", "Non closed ring|organizePolygons", RuntimeWarning)
            read = [(name, read_vector_layer(path, name)[0].rows) for name in chosen]
    except UNREADABLE as error:
        raise SourceError(
            f"it cannot be read as a map ({str(error).strip().splitlines()[0]:.200})",
            where=path,
            todo="Give an extract of OpenStreetMap (.osm.pbf), a GeoPackage, GeoJSON, GeoParquet or Shapefile.",
        ) from error
    entries, found = [], []
    for name, rows in read:
        shaped = isinstance(rows, gpd.GeoDataFrame)
        unpacked = with_tags(rows, keys) if shaped and "other_tags" in rows else rows
        spelled = {str(column).casefold(): column for column in unpacked.columns}
        mine = {spelled[key.casefold()]: key for key in keys if key.casefold() in spelled}
        if not shaped or not mine:
            why = "without geometry" if not shaped else "without a column for any key"
            entries.append(Entry(ITEM, "skipped", f"layer {name or Path(path).name}: {why}", len(rows)))
            continue
        shapes = unpacked.geometry.to_numpy()
        plain = pd.DataFrame(unpacked[[*mine]]).rename(columns=mine)
        found.append(gpd.GeoDataFrame(plain, geometry=shapes, crs=unpacked.crs))
    if not found:
        columns = sorted({str(column) for _, rows in read for column in rows.columns})
        raise LayerError(
            f"it has no geometry with a column named as one of {', '.join(keys)}; there are {', '.join(columns):.300}",
            where=path,
            todo=f"Mend {section}: name columns that it has.",
        )
    return found, entries


def _placed(rows: gpd.GeoDataFrame, crs: pyproj.CRS, path: str) -> gpd.GeoDataFrame:
    if rows.crs is None:
        raise LayerError(
            "it states no CRS",
            where=path,
            todo="Write its CRS into the file (ogr2ogr -a_srs EPSG:...).",
        )
    try:
        flat = rows.set_geometry(shapely.force_2d(rows.geometry.to_numpy()), crs=rows.crs)
        return flat.to_crs(crs)
    except ProjError as error:
        raise LayerError(
            f"its CRS ({rows.crs.name}) cannot be brought to {crs.name!r}",
            where=path,
            todo="Write the CRS that its coordinates are in into the file (ogr2ogr -a_srs EPSG:...).",
        ) from error


def has_one_of(table: gpd.GeoDataFrame, of_tag: list[tuple[str, frozenset[str]]]) -> NDArray[np.bool_]:
    """Tell which features have one of the values of one of the keys of a tag; ``no`` is none of any value."""
    found = np.zeros(len(table), dtype=bool)
    for key, values in of_tag:
        if key in table:
            told = table[key].astype("string").str.strip()
            hit = told.isin(values) if values else told.notna() & ~told.isin(["", "no"])
            found |= hit.fillna(value=False).to_numpy(dtype=bool)
    return found


def squares_beside(around: Surroundings, reach_m: float, side_m: float) -> Shapes:
    """Lay squares out on a lattice that is fixed in the city's CRS: those that lie within reach of a road, on imagery.

    Parameters
    ----------
    around
        Segments, and where there is imagery.
    reach_m
        How far from the lines of roads a square's middle may lie (metres).
    side_m
        Side of a square (metres).
    """
    tree = shapely.STRtree(around.segments.geometry.to_numpy())
    along = shapely.get_coordinates(shapely.segmentize(tree.geometries, side_m / 2))
    on_roads = np.unique(np.floor(along / side_m).astype(np.int64), axis=0)
    far = math.ceil(reach_m / side_m) + 1
    about = np.stack(np.meshgrid(*[np.arange(-far, far + 1)] * 2), axis=-1).reshape(-1, 2)
    cells = np.unique((on_roads[:, None] + about).reshape(-1, 2), axis=0)
    middles = np.asarray(shapely.points((cells + 0.5) * side_m))
    near = np.unique(tree.query(middles, predicate="dwithin", distance=reach_m)[0])
    imaged = shapely.STRtree(around.area.geometry.to_numpy()).query(middles[near], predicate="intersects")[0]
    west, south = (cells[near[np.unique(imaged)]] * side_m).T
    squares: Shapes = np.asarray(shapely.box(west, south, west + side_m, south + side_m))
    return squares


def tags_of_squares(squares: Shapes, features: gpd.GeoDataFrame) -> pd.DataFrame:
    """Tell which squares have which tags: yes, no, or null where a feature only touches, or nothing is mapped.

    Parameters
    ----------
    squares
        Polygons, in the CRS of the features (metres).
    features
        Of the whole map, a column of booleans a tag. Squares outside the box about all of them are not mapped.
    """
    tree = shapely.STRtree(squares)
    mapped = np.zeros(len(squares), dtype=bool)
    mapped[tree.query(shapely.box(*features.total_bounds), predicate="contains")] = True
    shapes = features.geometry.to_numpy()
    tags = {}
    for name in features.columns.drop(features.geometry.name):
        mine = shapely.make_valid(shapes[features[name].to_numpy(dtype=bool)])
        feature, square = tree.query(mine, predicate="intersects")
        part = shapely.intersection(mine[feature], squares[square])
        size = np.zeros((3, len(squares)))
        for row, amount in enumerate(
            (shapely.get_dimensions(part) == 0, shapely.length(part), shapely.area(part))
        ):
            rank = shapely.get_dimensions(mine[feature]) == row
            np.add.at(size[row], square[rank], np.asarray(amount, dtype=np.float64)[rank])
        yes = (size[0] > 0) | (size[1] >= LEAST_LENGTH_M) | (size[2] >= LEAST_SHARE * shapely.area(squares))
        no = np.ones(len(squares), dtype=bool)
        no[square] = False
        tags[str(name)] = pd.array(yes, dtype="boolean")
        tags[str(name)][~((yes | no) & mapped)] = pd.NA
    return pd.DataFrame(tags)
