"""Which files of embeddings there are, what ground they show, and whether they belong together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geo.config.sections.elsewhere import Elsewhere
from geo.errors import LayerError
from geo.features.elsewhere.chips import Chips, read_chips
from geo.features.elsewhere.grids import Grid, open_grid, pixel_at
from geo.features.elsewhere.inputs import files_of, of_chips, parts_of
from geo.features.elsewhere.products import PRODUCTS, Product, check_decoded
from geo.features.elsewhere.told import WHERE, Told, agreed, plain, told_by
from geo.features.encoder import Embeddings
from geo.imagery.catalogue import COLUMNS, image_ids
from geo.ledger import Entry
from geo.secrets import redact
from geo.sources.digest import digest_source
from geo.tiles.grid import map_pixels

OUTLINE_POINTS = 21
OWN_COLUMNS = ("dimension", "year", "version")
COARSE_M = 200.0
"""Vectors of so much ground and more tell one street from the next no longer."""
SAMPLE_PX = 64


@dataclass(frozen=True, slots=True)
class Described:
    """Files of embeddings that belong together.

    Attributes
    ----------
    files
        One row a file, as ``embeddings`` of docs/stages.md: footprints in the city's CRS.
    dimension
        How many numbers a vector has.
    pixel_m
        Ground that a vector stands for (metres a side), of most files.
    dtype
        Of the values as they are stored.
    year, version
        As they are told; empty: not told.
    entries
        What became of the files, and of chips.
    warnings
        What is to be known of them, in words.
    """

    files: gpd.GeoDataFrame
    dimension: int
    pixel_m: float
    dtype: str
    year: str
    version: str
    entries: list[Entry] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def describe(
    settings: Elsewhere,
    crs: pyproj.CRS,
    near: shapely.Geometry,
    *,
    digest: Callable[[str], str] = digest_source,
) -> Described:
    """Open every file of embeddings, and make sure that they belong together.

    Parameters
    ----------
    settings
        What is asked for; sources absolute.
    crs
        The city's projected CRS, in metres.
    near
        The ground of the city (Geometry, in `crs`): files that show none of it are passed over.
    digest
        Gives the digest of a file.

    Raises
    ------
    LayerError
        When a file is not what the product's are, lies elsewhere, or does not belong with the others: other versions,
        years or lengths of vectors.
    SourceError
        When a file cannot be read.
    """
    product = PRODUCTS[settings.product]
    shapely.prepare(near)
    looked = [_look_at(path, settings, product, crs, near) for path in files_of(settings.sources)]
    files = [one for one in looked if one is not None]
    entries = [Entry("embeddings", "done", "", len(files))]
    if len(looked) > len(files):
        entries.append(Entry("embeddings", "skipped", "they show no road", len(looked) - len(files)))
    if not files:
        raise LayerError(
            f"not one of {len(looked)} files of embeddings shows a road",
            where=WHERE,
            todo="Check that they are of the same place as the roads, and the CRS that each file states.",
        )
    lost = sum(one.lost for one in files)
    entries += [Entry("chips", "skipped", "they have no vector", lost)] if lost else []
    told = agreed([one.told for one in files], settings)
    _check_one_length(files)
    rows = [one.row | {"digest": _digest(one.told.path, digest)} for one in files]
    table = gpd.GeoDataFrame(rows, geometry="geometry", crs=crs).assign(
        image_id=image_ids([one.told.path for one in files]), rank=range(len(rows)), place=0, collar=""
    )
    table = table.assign(date=told.year or None).sort_values("image_id", ignore_index=True)
    pixel_m = float(table["pixel_m"].median())
    warnings = list(told.warnings)
    if pixel_m >= COARSE_M:
        warnings.append(
            f"a vector of {product.title} stands for {pixel_m:,.0f} m of ground: roads near each other have the same, "
            "and types are of neighbourhoods, not of streets"
        )
    dtypes = "; ".join(sorted({one.row["dtype"] for one in files}))
    table = table.assign(dimension=files[0].dimension, year=told.year or None, version=told.version or None)
    return Described(
        table[[*COLUMNS, *OWN_COLUMNS, "geometry"]],
        files[0].dimension,
        pixel_m,
        dtypes,
        told.year,
        told.version,
        entries,
        warnings,
    )


@dataclass(frozen=True, slots=True)
class _File:
    """What is known of one file: its row, the length of a vector, what it tells, and chips without a vector."""

    row: dict[str, Any]
    dimension: int
    told: Told
    lost: int = 0


def _digest(path: str, digest: Callable[[str], str]) -> str:
    """Digest a file with the parts that it is read from."""
    parts = [digest(part) for part in parts_of(path)]
    return parts[0] if len(parts) == 1 else "-".join(parts)


def _check_one_length(files: list[_File]) -> None:
    lengths = {one.dimension: redact(one.told.path) for one in files}
    if len(lengths) > 1:
        (few, first), *_, (many, last) = sorted(lengths.items())
        raise LayerError(
            f"vectors have {few} numbers in {first} and {many} in {last}",
            where=WHERE,
            todo="They are of different models: give those of one.",
        )


def around(segments: gpd.GeoDataFrame, settings: Elsewhere) -> shapely.Geometry:
    """Give the ground of a city about which embeddings are looked for: the box of its roads with their corridors."""
    ground: shapely.Geometry = shapely.box(*segments.total_bounds).buffer(
        settings.corridor_m, join_style="mitre"
    )
    return ground


def check_reach(segments: gpd.GeoDataFrame, files: gpd.GeoDataFrame) -> None:
    """Make sure that a road lies on what files show.

    Raises
    ------
    LayerError
        When none does.
    """
    if not len(segments.sindex.query(shapely.union_all(files.geometry.to_numpy()), predicate="intersects")):
        raise LayerError(
            "no road lies on the embeddings",
            where=WHERE,
            todo="Check that they are of the same place as the roads, and the CRS that each file states.",
        )


def _look_at(
    path: str, settings: Elsewhere, product: Product, crs: pyproj.CRS, near: shapely.Geometry
) -> _File | None:
    """Describe a file; None where it shows nothing of the city."""
    if of_chips(path):
        return _of_chips(path, read_chips(path, settings, crs, near), product)
    with open_grid(path, product) as grid:
        _check_length(grid.dimension, product, path)
        outline = _outline(grid, crs)
        if not shapely.intersects(near, outline):
            return None
        common = shapely.intersection(near, outline)
        change = pyproj.Transformer.from_crs(crs, grid.crs, always_xy=True)
        x, y = change.transform(*shapely.get_coordinates(shapely.centroid(common))[0])
        check_decoded(_sample(grid, x, y), product, redact(path))
        square = _ground(grid, crs, x, y)
        row = {
            "path": path,
            "crs": grid.crs.to_wkt(),
            "pixel_m": square,
            "width": grid.width,
            "height": grid.height,
            "dtype": grid.dtype,
            "transform": list(grid.transform),
            "geometry": outline,
        }
        return _File(row, grid.dimension, told_by(path, settings.product, grid.tags))


def _of_chips(path: str, chips: Chips, product: Product) -> _File | None:
    """Describe a file of chips."""
    if not len(chips.outlines):
        return None
    _check_length(chips.vectors.shape[1], product, path)
    check_decoded(chips.vectors, product, redact(path))
    known = np.asarray(np.isfinite(chips.vectors).all(axis=1) & chips.vectors.any(axis=1))
    if not known.any():
        raise LayerError(
            f"not one of the {len(known)} chips on the city's ground has a vector",
            where=redact(path),
            todo="Give the file as it was published, or name the column that holds vectors in encoder.column.",
        )
    side = float(np.sqrt(np.median(shapely.area(chips.outlines))))
    row = {
        "path": path,
        "crs": chips.crs.to_wkt(),
        "pixel_m": side,
        "width": len(known),
        "height": 1,
        "dtype": "float32",
        "transform": [side, 0.0, 0.0, 0.0, -side, 0.0],
        "geometry": shapely.convex_hull(shapely.union_all(chips.outlines[known])),
    }
    years = tuple(str(year) for year in np.unique(chips.years[chips.years > 0]))
    return _File(
        row,
        chips.vectors.shape[1],
        Told(path, tuple(sorted(map(plain, chips.versions))), years),
        int((~known).sum()),
    )


def _check_length(found: int, product: Product, path: str) -> None:
    if product.bands is not None and found != product.bands:
        raise LayerError(
            f"it has vectors of {found} numbers, and those of {product.title} have {product.bands}",
            where=redact(path),
            todo="Give all bands of the product, or mend encoder.product.",
        )


def _outline(grid: Grid, crs: pyproj.CRS) -> shapely.Polygon:
    """Outline a raster in the city's CRS."""
    step = np.linspace(0, 1, OUTLINE_POINTS)[:-1]
    zero, one = np.zeros_like(step), np.ones_like(step)
    col = np.concatenate([step, one, 1 - step, zero]) * grid.width
    row = np.concatenate([zero, step, one, 1 - step]) * grid.height
    change = pyproj.Transformer.from_crs(grid.crs, crs, always_xy=True)
    x, y = change.transform(*map_pixels(grid.transform, col, row))
    known = np.isfinite(x) & np.isfinite(y)
    return shapely.Polygon(np.column_stack([x, y])[known]) if known.sum() > 3 else shapely.Polygon()


def _sample(grid: Grid, x: float, y: float) -> Embeddings:
    """Read vectors about a place, and the last one: a file that is cut short lacks it."""
    ((col, row),) = np.clip(
        pixel_at(grid.transform, np.array([x]), np.array([y])).astype(int),
        0,
        [grid.width - 1, grid.height - 1],
    )
    about = SAMPLE_PX // 2
    found = grid.read(
        max(row - about, 0), min(row + about, grid.height), max(col - about, 0), min(col + about, grid.width)
    )
    grid.read(grid.height - 1, grid.height, grid.width - 1, grid.width)
    return found.reshape(-1, grid.dimension)


def _ground(grid: Grid, crs: pyproj.CRS, x: float, y: float) -> float:
    """Measure the side of a pixel at a place (metres)."""
    ((col, row),) = pixel_at(grid.transform, np.array([x]), np.array([y]))
    cols, rows = np.array([col, col + 1, col + 1, col]), np.array([row, row, row + 1, row + 1])
    change = pyproj.Transformer.from_crs(grid.crs, crs, always_xy=True)
    corners = np.column_stack(change.transform(*map_pixels(grid.transform, cols, rows)))
    return float(np.sqrt(shapely.area(shapely.Polygon(corners))))
