"""Chips with a vector a row: GeoParquet, whatever its column of vectors is made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyproj
import shapely
from numpy.typing import NDArray

from geo.config.sections.elsewhere import Elsewhere
from geo.errors import LayerError, SourceError, meant
from geo.features.elsewhere.along import LEAST_SHARE, Shapes, Touched
from geo.features.encoder import Embeddings
from geo.secrets import redact

NAMES = ("embedding", "embeddings", "vector", "vectors", "features")
"""What columns of vectors are called, the likeliest first."""
DATES = ("date", "datetime", "timestamp", "time")
VERSIONS = ("model_version", "model", "version")
_GEOMETRY = "geometry"
_NOWHERE = shapely.Polygon()


@dataclass(frozen=True, slots=True)
class Chips:
    """Chips of one file.

    Attributes
    ----------
    outlines
        Ground of each chip (Polygon, city's CRS).
    vectors
        ``(chips, dimension)``; NaN where a chip has none.
    years
        Calendar year of each; 0: not told.
    versions
        Versions of the model that the file tells of.
    crs
        The file's own.
    total
        Chips in the whole file.
    """

    outlines: Shapes
    vectors: Embeddings
    years: NDArray[np.intp]
    versions: tuple[str, ...]
    crs: pyproj.CRS
    total: int


def read_chips(path: str, settings: Elsewhere, crs: pyproj.CRS, near: shapely.Geometry) -> Chips:
    """Read the chips of a file that touch an area.

    Parameters
    ----------
    path
        A GeoParquet file; geometry as WKB without its metadata (Major TOM's files) is taken for longitude and latitude.
    settings
        ``column``, ``chip_m`` and ``year``.
    crs
        The city's projected CRS, in metres.
    near
        Of other chips no vector is read (Geometry, in `crs`).

    Raises
    ------
    SourceError
        When the file cannot be read.
    LayerError
        When it has no geometry, no vectors, vectors of several lengths, or points without ``chip_m``.
    """
    try:
        with pq.ParquetFile(path) as file:
            return _read(file, path, settings, crs, near)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"it cannot be read ({' '.join(str(error).split())[:200]})",
            where=redact(path),
            todo="Is it whole, and GeoParquet? Fetch it again, or leave it out of the sources of the embeddings.",
        ) from error


def _read(
    file: pq.ParquetFile, path: str, settings: Elsewhere, crs: pyproj.CRS, near: shapely.Geometry
) -> Chips:
    schema = file.schema_arrow
    places = _places(file, path)
    moved = places.to_crs(crs)
    lost = ~np.isfinite(moved.bounds.to_numpy()).all(axis=1)
    outlines = _squares(_known(moved, lost), settings.chip_m, path)
    touching = shapely.intersects(outlines, near)
    rows = np.flatnonzero(touching)
    columns = _columns(schema, settings.column, path)
    beside = [name for name in (*DATES, *VERSIONS) if name in schema.names and name not in columns]
    table = _rows(file, rows, [*columns, *beside])
    years = _years(table, beside)
    kept = np.ones(len(rows), dtype=np.bool_)
    if settings.year is not None and len(set(years.tolist()) - {0}) > 1:
        kept = years == settings.year
    vectors = _vectors(table, columns, path)
    named = [name for name in beside if name in VERSIONS]
    versions = [
        str(one) for name in named for one in pc.unique(table[name].combine_chunks()).to_pylist() if one
    ]
    told = json.loads((schema.metadata or {}).get(b"emb", b"{}")).get("model", {}).get("version")
    versions += [str(told)] if told else []
    return Chips(
        outlines[rows][kept],
        vectors[kept],
        years[kept],
        tuple(sorted(set(versions))),
        pyproj.CRS.from_user_input(places.crs),
        len(places),
    )


def _known(moved: gpd.GeoSeries, lost: NDArray[np.bool_]) -> Shapes:
    """Give outlines as an array; one that is not defined in the city's CRS is nowhere."""
    outlines: Shapes = moved.to_numpy().copy()
    outlines[lost] = _NOWHERE
    return outlines


def _places(file: pq.ParquetFile, path: str) -> gpd.GeoSeries:
    """Read where the chips are, with the CRS: as GeoParquet says, else as longitude and latitude."""
    if b"geo" in (file.schema_arrow.metadata or {}):
        geo = json.loads(file.schema_arrow.metadata[b"geo"])
        places = gpd.read_parquet(path, columns=[geo["primary_column"]]).geometry
    elif _GEOMETRY in file.schema_arrow.names:
        places = gpd.GeoSeries.from_wkb(file.read([_GEOMETRY])[_GEOMETRY].to_pandas())
    else:
        raise LayerError(
            "it has no geometry", where=path, todo="Give GeoParquet: a row a chip, with its outline."
        )
    return places if places.crs is not None else places.set_crs("OGC:CRS84")


def _squares(shapes: Shapes, chip_m: float | None, path: str) -> Shapes:
    """Make squares of points; others stay."""
    points = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
    if not points.any():
        return shapes
    if chip_m is None:
        raise LayerError(
            "it holds but the middle of each chip",
            where=path,
            todo="Say in encoder.chip_m (or encoder.beside.chip_m) how many metres the side of a chip is.",
        )
    found = shapes.copy()
    found[points] = shapely.buffer(shapes[points], chip_m / 2, cap_style="square")
    return found


def _columns(schema: pa.Schema, asked: str | None, path: str) -> list[str]:
    """Find the column of vectors, or the columns of numbers that are one together (A00, A01, ...)."""
    names = [asked] if asked is not None else [*NAMES, *schema.names]
    for name in names:
        if name in schema.names and (
            _is_list(schema.field(name).type) or _is_struct(schema.field(name).type)
        ):
            return [name]
    stem = asked or "A"
    numbered = sorted(
        name for name in schema.names if name.startswith(stem) and name.removeprefix(stem).isdecimal()
    )
    if len(numbered) > 1:
        return sorted(numbered, key=lambda name: int(name.removeprefix(stem)))
    there = ", ".join(schema.names[:12])
    raise LayerError(
        f"{f'column {asked!r}' if asked else 'no column'} holds vectors (it has {there})"
        f"{meant(asked, schema.names) if asked and asked not in schema.names else ''}",
        where=path,
        todo="Name in encoder.column (or encoder.beside.column) the one that does: lists of numbers, or a struct.",
    )


def _is_list(of: pa.DataType) -> bool:
    held = (
        of.value_type
        if pa.types.is_list(of) or pa.types.is_large_list(of) or pa.types.is_fixed_size_list(of)
        else None
    )
    return held is not None and (pa.types.is_floating(held) or pa.types.is_integer(held))


def _is_struct(of: pa.DataType) -> bool:
    return pa.types.is_struct(of) and all(
        pa.types.is_floating(of.field(i).type) for i in range(of.num_fields)
    )


def _rows(file: pq.ParquetFile, rows: NDArray[np.intp], columns: list[str]) -> pa.Table:
    """Read some rows, group by group of those that hold any."""
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    ends = np.cumsum(sizes)
    parts = [file.schema_arrow.empty_table().select(columns)]
    group = np.searchsorted(ends, rows, side="right")
    for number in np.unique(group):
        mine = rows[group == number] - (ends[number] - sizes[number])
        parts.append(file.read_row_group(int(number), columns=columns).take(mine))
    return pa.concat_tables(parts).combine_chunks()


def _vectors(table: pa.Table, columns: list[str], path: str) -> Embeddings:
    """Lay vectors out ``(rows, dimension)``; one that is null, or has a null in it, is NaN."""
    first = table[columns[0]].combine_chunks() if len(columns) == 1 else None
    if first is None:
        frame = table.select(columns).to_pandas()
        plain: Embeddings = frame.to_numpy(dtype=np.float32, na_value=np.nan)
        return plain
    if pa.types.is_struct(first.type):
        fields = [pc.struct_field(first, i) for i in range(first.type.num_fields)]
        return np.column_stack([field.to_numpy(zero_copy_only=False) for field in fields]).astype(np.float32)
    lengths = pc.list_value_length(first).to_numpy(zero_copy_only=False).astype(np.float64)
    lengths = np.where(first.is_null().to_numpy(zero_copy_only=False) | (lengths == 0), np.nan, lengths)
    known = np.isfinite(lengths)
    several = np.unique(lengths[known])
    if len(several) > 1:
        raise LayerError(
            f"its vectors have from {several[0]:.0f} to {several[-1]:.0f} numbers",
            where=path,
            todo="Give vectors of one length: those of other models are in files of their own.",
        )
    width = int(several[0]) if len(several) else 0
    found = np.full((len(first), width), np.nan, dtype=np.float32)
    flat = first.filter(pa.array(known)).flatten().to_numpy(zero_copy_only=False)
    found[known] = flat.astype(np.float32).reshape(-1, width) if width else 0
    return found


def _years(table: pa.Table, beside: Sequence[str]) -> NDArray[np.intp]:
    """Give the year of each row; 0 where none is told."""
    found = np.zeros(len(table), dtype=np.intp)
    for name in (name for name in DATES if name in beside):
        values: pd.Series[Any] = table[name].to_pandas()
        when = pd.to_datetime(values.astype("string"), errors="coerce", utc=True, format="ISO8601")
        return np.asarray(when.dt.year.fillna(0), dtype=np.intp)
    return found


def chips_along(
    shapes: Shapes, chips: Sequence[Chips], dimension: int
) -> tuple[Touched, NDArray[np.float64]]:
    """Find the chips under shapes, each with the ground that it has in common.

    Parameters
    ----------
    shapes
        Corridors (Polygon, metres).
    chips
        Those of each file, in the CRS of `shapes`.
    dimension
        How many numbers a vector has.

    Returns
    -------
    The vectors, and how much of each shape they cover (square metres): chips that overlap cover ground once.
    """
    found, parts = [], []
    for source, some in enumerate(chips):
        known = np.isfinite(some.vectors).all(axis=1) & some.vectors.any(axis=1)
        outlines, vectors = some.outlines[known], some.vectors[known]
        owner, chip = shapely.STRtree(outlines).query(shapes, predicate="intersects")
        common = shapely.intersection(shapes[owner], outlines[chip])
        area = shapely.area(common)
        smaller = np.minimum(shapely.area(outlines[chip]), shapely.area(shapes[owner]))
        more = area > LEAST_SHARE * smaller
        number = np.full(int(more.sum()), source, dtype=np.intp)
        found.append(Touched(owner[more], area[more], vectors[chip[more]], number))
        parts.append(pd.Series(common[more], index=owner[more]))
    together = pd.concat(parts)
    covered = np.zeros(len(shapes))
    if len(together):
        united = (
            gpd.GeoSeries(together).groupby(level=0).apply(lambda some: shapely.area(shapely.union_all(some)))
        )
        covered[united.index] = united
    return Touched.joined(found, dimension), covered
