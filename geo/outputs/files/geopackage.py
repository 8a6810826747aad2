"""Write a city's GeoPackage: all layers and styles, whole and checked, or nothing at all.

The file is a GeoPackage 1.3, which QGIS 3.22 and its GDAL still read without a warning.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS

from geo.errors import RoadprintError, SourceError
from geo.outputs.layers.arrange import arrange
from geo.outputs.layers.declare import Kind, Layer
from geo.outputs.layers.layers import ALWAYS, GEOMETRY_COLUMN, LAYERS, ROW_COLUMN
from geo.outputs.qgis.forms.writing import titles_of_columns
from geo.outputs.qgis.tables import (
    About,
    Style,
    stamp,
    write_about,
    write_indexes,
    write_projects,
    write_styles,
    write_titles,
)

VERSION = "1.3"
_SIDE_FILES = ("-wal", "-journal")
_STORED_AS: dict[Kind, str] = {
    "text": "TEXT",
    "integer": "INTEGER",
    "real": "REAL",
    "boolean": "BOOLEAN",
    "datetime": "DATETIME",
    "blob": "BLOB",
}


def write_geopackage(
    path: Path,
    layers: Mapping[str, pd.DataFrame],
    *,
    crs: CRS,
    styles: Sequence[Style],
    date: datetime,
    projects: Mapping[str, str] | None = None,
    about: About | None = None,
) -> None:
    """Write a GeoPackage; the same inputs give the same bytes.

    Parameters
    ----------
    path
        Path of the file; one that is already there is replaced at once, when the new one is whole.
    layers
        A frame for every one of `LAYERS` (`geo.outputs.layers.arrange.empty_layer` for what is not
        known); columns beyond the declared ones are kept.
    crs
        The city's projected CRS, in metres.
    styles
        QGIS styles of the layers; at most one default each.
    date
        Moment, with a time zone, that the file says it was last changed at.
    projects
        QGIS projects by their name (see `geo.outputs.qgis.project`).
    about
        What the file says of itself and its layers; None: nothing.

    Raises
    ------
    RoadprintError
        When the place is taken by a file in use, or the written file is not what it should be.
    LayerError
        When a layer is not as declared.
    SourceError
        When the file cannot be written.
    """
    refuse_taken(path)
    _refuse_incomplete(layers)
    arranged = {name: arrange(name, layers[name], crs) for name in LAYERS if name in layers}
    rows = {name: len(frame) for name, frame in arranged.items()}
    with written_whole(path) as work:
        _write_layers(work, arranged, date)
        with closing(sqlite3.connect(work)) as connection, connection:
            write_indexes(connection)
            write_styles(connection, styles, date)
            write_titles(connection, {name: titles_of_columns(name, layers) for name in rows})
            if about is not None:
                write_about(connection, about, date)
            if projects:
                write_projects(connection, projects, date)
        settle(work)
        check_geopackage(work, rows)
        refuse_taken(path)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a place for a file that takes the place of `path` when it is whole; one that is not leaves nothing behind.

    Raises
    ------
    SourceError
        When the file cannot be written.
    """
    try:
        # under its final name in a folder of its own: QGIS projects inside a file know the file by its name
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
            work = Path(folder) / path.name
            yield work
            work.replace(path)
    except (DataSourceError, DataLayerError, sqlite3.Error, OSError) as error:
        raise SourceError(
            f"the file cannot be written ({error})",
            where=str(path),
            todo="Free disk space, or choose a place that can be written to.",
        ) from error


def refuse_taken(path: Path) -> None:
    """Refuse a place where SQLite would play another file's pages into ours.

    Raises
    ------
    RoadprintError
        When a write-ahead log or a journal lies beside it.
    """
    left = [path.name + side for side in _SIDE_FILES if path.with_name(path.name + side).exists()]
    if left:
        raise RoadprintError(
            f"{' and '.join(left)} beside it: the file is open in another program, or one ended in the midst of it",
            where=str(path),
            todo="Close the program (QGIS, most often); if none has it open, move those files away.",
        )


def _refuse_incomplete(layers: Mapping[str, pd.DataFrame]) -> None:
    """Refuse a set of layers that is not the declared one."""
    if not set(ALWAYS) <= set(layers) <= set(LAYERS):
        raise RoadprintError(
            f"layers {sorted(layers)} given, {sorted(ALWAYS)} expected",
            where="GeoPackage",
            todo="Use empty_layer() for a layer that has no rows.",
        )


@contextmanager
def gdal_date(date: datetime) -> Iterator[None]:
    """Let GDAL take `date` for the present moment, and set it back afterwards."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp(date)})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _write_layers(path: Path, layers: Mapping[str, pd.DataFrame], date: datetime) -> None:
    """Write all layers into a new file, in the order of `LAYERS`."""
    with gdal_date(date):
        for name, layer in LAYERS.items():
            if name not in layers:
                continue
            place = (
                {} if layer.geometry is None else {"GEOMETRY_NAME": GEOMETRY_COLUMN, "SPATIAL_INDEX": "YES"}
            )
            pyogrio.write_dataframe(
                layers[name],
                path,
                layer=name,
                driver="GPKG",
                geometry_type=layer.geometry,
                # the numpy path would turn dates and bytes to text
                use_arrow=True,
                dataset_options=None if path.exists() else {"VERSION": VERSION},
                layer_options={"FID": ROW_COLUMN, "IDENTIFIER": layer.title, "DESCRIPTION": layer.description}
                | place,
            )


def settle(path: Path) -> None:
    """Leave one file without a journal, and have it on disk."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    with path.open("rb") as file:
        os.fsync(file.fileno())


def check_geopackage(path: Path, rows: Mapping[str, int] | None = None) -> None:
    """Check that a GeoPackage is sound and has every declared layer, column and type.

    Parameters
    ----------
    path
        Path of the file, which is only read.
    rows
        How many rows each layer must have; None: any number, as long as the file's own count is right.

    Raises
    ------
    RoadprintError
        Naming everything that is wrong.
    """
    address = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            faults = _file_faults(connection, rows or {})
    except sqlite3.DatabaseError as error:
        faults = [f"SQLite cannot read it ({error})"]
    if faults:
        raise RoadprintError(
            "; ".join(faults), where=str(path), todo="Do not use the file; write it again, on another disk."
        )


def _file_faults(connection: sqlite3.Connection, rows: Mapping[str, int]) -> list[str]:
    """Say what is wrong with an open file."""
    sound = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    faults = [] if sound == ["ok"] else [f"SQLite finds it damaged: {sound[0]}"]
    for name, layer in LAYERS.items():
        if layer.optional and rows.get(name) is None:
            continue
        faults += [f"layer {name!r} {fault}" for fault in _layer_faults(connection, layer, rows.get(name))]
    return faults


def _layer_faults(connection: sqlite3.Connection, layer: Layer, rows: int | None) -> list[str]:
    """Say what is wrong with one layer of an open file."""
    kinds = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({layer.name})")}
    if not kinds:
        return ["is not there"]
    faults = [
        f"has no column {column.name!r} of type {_STORED_AS[column.kind]} (found {kinds.get(column.name)})"
        for column in layer.columns
        if kinds.get(column.name) != _STORED_AS[column.kind]
    ]
    geometry = connection.execute(
        "SELECT geometry_type_name FROM gpkg_geometry_columns WHERE table_name = ?", (layer.name,)
    ).fetchone()
    expected = None if layer.geometry is None else (layer.geometry.upper(),)
    if geometry != expected:
        faults.append(f"has the geometry {geometry}, {expected} expected")
    (found,) = connection.execute(f"SELECT count(*) FROM {layer.name}").fetchone()  # noqa: S608 - our own names
    told = connection.execute(
        "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?", (layer.name,)
    ).fetchone()
    if told != (found,) or rows not in (None, found):
        faults.append(f"has {found} rows, {rows} expected, and says {told}")
    return faults
