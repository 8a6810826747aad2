"""A first look at layers of lines: how many, where, and a sample of their columns."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import shapely

from geo.collisions.tables.vector import crs_of
from geo.roads.files import layer_kinds, leaving_nothing, read_vector_layer
from geo.roads.reading.layers import LINES, POLYGONS
from geo.roads.reading.paths import is_openstreetmap
from geo.roads.reading.sources import with_tags

WHOLE_ROWS, PIECES, PIECE_ROWS = 20_000, 5, 4_000
"""Up to so many rows a layer is read whole; of more, so many pieces of so many rows."""
_SOME = 200
LINE, AREA, OTHER = "line", "area", "other"
"""What the geometries of a layer are."""
_OF_PROGRAMS = {"layer_styles", "qgis_projects"}
_MADE_HERE = {"segments", "tiles", "run"}
_TAGS = ("ref",)


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of lines or of areas.

    Attributes
    ----------
    source
        The file.
    name
        Of the layer, where the file has several of lines; else None.
    kind
        `LINE` or `AREA`.
    count
        How many rows; -1: not counted.
    sample
        Some rows, all where they are few.
    """

    source: str
    name: str | None
    kind: str
    count: int
    sample: gpd.GeoDataFrame

    @property
    def title(self) -> str:
        """The file's name, with the layer's where there are several."""
        return Path(self.source).name + (f", layer {self.name}" if self.name else "")


def is_made_here(names: list[str]) -> bool:
    """Tell the layers of a GeoPackage that a run gave."""
    return {*names} >= _MADE_HERE


def kinds_of_layers(path: str) -> dict[str, str]:
    """Tell which layers of a file hold lines, areas or something else; raises one of `UNREADABLE`."""
    found = {}
    for name, stated in layer_kinds(path):
        if name in _OF_PROGRAMS or (is_openstreetmap(path) and name != "lines"):
            continue
        found[name] = OTHER if stated is None else _kind(path, name, stated)
    return found


def _kind(path: str, name: str, stated: str) -> str:
    """Tell what a layer's geometries are: as it states, else as most of its first ones are."""
    plain = stated.casefold().replace(" ", "")
    for kind, marks in ((LINE, LINES), (AREA, POLYGONS)):
        if any(mark in plain for mark in marks):
            return kind
    if "point" in plain:
        return OTHER
    some = pyogrio.read_dataframe(path, layer=name, columns=[], max_features=_SOME, **leaving_nothing(path))
    if not isinstance(some, gpd.GeoDataFrame) or some.geom_type.dropna().empty:
        return OTHER
    most = str(some.geom_type.dropna().mode().iloc[0]).casefold()
    return next((k for k, marks in ((LINE, LINES), (AREA, POLYGONS)) if any(m in most for m in marks)), OTHER)


def read_layers(path: str, kinds: dict[str, str]) -> list[Layer]:
    """Read samples of the layers of a file that hold lines or areas; raises one of `UNREADABLE`."""
    several = sum(kind == LINE for kind in kinds.values()) > 1
    found = []
    for name, kind in kinds.items():
        if kind == OTHER:
            continue
        count = int(pyogrio.read_info(path, layer=name, **leaving_nothing(path))["features"])
        if count:
            layer = name if several and kind == LINE else None
            rows = _sample(path, name, count)
            # what is not counted beforehand is known where it was read to its end
            known = count if count >= 0 or len(rows) == WHOLE_ROWS else len(rows)
            found.append(Layer(path, layer, kind, known, rows))
    return found


def _sample(path: str, name: str, count: int) -> gpd.GeoDataFrame:
    """Read a layer whole where it is small, else in pieces."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Could not parse column .* as JSON")
        if 0 <= count <= WHOLE_ROWS:
            rows = read_vector_layer(path, name)[0].rows
        elif count < 0:
            rows = pyogrio.read_dataframe(path, layer=name, max_features=WHOLE_ROWS)
        else:
            options: dict[str, Any] = leaving_nothing(path) | {"layer": name, "max_features": PIECE_ROWS}
            starts = np.linspace(0, count - PIECE_ROWS, PIECES).astype(int)
            parts = [pyogrio.read_dataframe(path, skip_features=int(start), **options) for start in starts]
            rows = pd.concat(parts, ignore_index=True)
    if is_openstreetmap(path) or "other_tags" in rows:
        rows = with_tags(rows, _TAGS)
    return gpd.GeoDataFrame(rows)


def geometry_of_parquet(path: str) -> dict[str, Any] | None:
    """Read what a Parquet file states of its geometry; None: it states none."""
    stated = (pq.read_schema(path).metadata or {}).get(b"geo")
    if stated is None:
        return None
    told = json.loads(stated)
    return {"column": told["primary_column"], **told["columns"][told["primary_column"]]}


def read_parquet_layer(path: str, told: dict[str, Any]) -> Layer | None:
    """Read a sample of GeoParquet; None where it holds neither lines nor areas."""
    file = pq.ParquetFile(path)
    count = file.metadata.num_rows
    if told.get("encoding") != "WKB" or count <= WHOLE_ROWS:
        rows = gpd.GeoDataFrame(read_vector_layer(path, None)[0].rows)
    else:
        some = next(file.iter_batches(batch_size=WHOLE_ROWS)).to_pandas()
        shapes = shapely.from_wkb(some.pop(told["column"]).to_numpy(), on_invalid="ignore")
        stated = told.get("crs", "OGC:CRS84")
        rows = gpd.GeoDataFrame(some, geometry=shapes, crs=crs_of(stated))
    kinds = rows.geom_type.dropna()
    if kinds.empty or "point" in str(kinds.mode().iloc[0]).casefold():
        return None
    most = str(kinds.mode().iloc[0]).casefold()
    return Layer(path, None, LINE if "line" in most else AREA, count, rows)
