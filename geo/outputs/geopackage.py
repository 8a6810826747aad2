"""Write a city's GeoPackage: all layers and styles, whole and checked, or nothing at all.

The file is a GeoPackage 1.3, which QGIS 3.22 and its GDAL still read without a warning.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS

from geo.errors import RoadprintError, SourceError
from geo.outputs.arrange import arrange
from geo.outputs.declare import Kind, Layer
from geo.outputs.layers import GEOMETRY_COLUMN, LAYERS, ROW_COLUMN

VERSION = "1.3"
_SIDE_FILES = ("-wal", "-journal")
_STORED_AS: dict[Kind, str] = {
    "text": "TEXT",
    "integer": "INTEGER",
    "real": "REAL",
    "boolean": "BOOLEAN",
    "datetime": "DATETIME",
}

# The table as QGIS and OGR create it, with the triggers by which OGR keeps the number of rows.
_STYLE_TABLE = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
  styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
  owner TEXT(30), ui TEXT(30), update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
);
CREATE TRIGGER trigger_insert_feature_count_layer_styles AFTER INSERT ON layer_styles
BEGIN UPDATE gpkg_ogr_contents SET feature_count = feature_count + 1 WHERE lower(table_name) = 'layer_styles'; END;
CREATE TRIGGER trigger_delete_feature_count_layer_styles AFTER DELETE ON layer_styles
BEGIN UPDATE gpkg_ogr_contents SET feature_count = feature_count - 1 WHERE lower(table_name) = 'layer_styles'; END;
"""


@dataclass(frozen=True, slots=True)
class Style:
    """A QGIS style of one layer.

    Attributes
    ----------
    layer
        Table that it belongs to.
    name
        What the list of styles shows, at most 30 characters.
    qml
        The style as QGIS writes it to a ``.qml`` file.
    default
        Whether QGIS takes it when the layer is added.
    description
        One sentence for the list of styles.
    """

    layer: str
    name: str
    qml: str
    default: bool
    description: str = ""


def write_geopackage(
    path: Path,
    layers: Mapping[str, pd.DataFrame],
    *,
    crs: CRS,
    styles: Sequence[Style],
    date: datetime,
) -> None:
    """Write a GeoPackage; the same inputs give the same bytes.

    Parameters
    ----------
    path
        Of the file; one that is already there is replaced at once, when the new one is whole.
    layers
        A frame for every one of `geo.outputs.layers.LAYERS` (`geo.outputs.arrange.empty_layer` for what is not
        known); columns beyond the declared ones are kept.
    crs
        The city's, projected, in metres.
    styles
        Of the layers; at most one default each.
    date
        With a time zone: what the file says of its last change.

    Raises
    ------
    RoadprintError
        When the place is taken by a file in use, or the written file is not what it should be.
    LayerError
        When a layer is not as declared.
    SourceError
        When the file cannot be written.
    """
    _refuse_taken(path)
    _refuse_incomplete(layers)
    arranged = {name: arrange(name, layers[name], crs) for name in LAYERS}
    rows = {name: len(frame) for name, frame in arranged.items()}
    try:
        # under its final name in a folder of its own: QGIS projects inside a file know the file by its name
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
            work = Path(folder) / path.name
            _write_layers(work, arranged, date)
            with closing(sqlite3.connect(work)) as connection, connection:
                _write_styles(connection, styles, date)
            _settle(work)
            check_geopackage(work, rows)
            _refuse_taken(path)
            work.replace(path)
    except (DataSourceError, DataLayerError, sqlite3.Error, OSError) as error:
        raise SourceError(
            f"the file cannot be written ({error})",
            where=str(path),
            todo="Free disk space, or choose a place that can be written to.",
        ) from error


def _refuse_taken(path: Path) -> None:
    """Refuse a place where SQLite would play another file's pages into ours."""
    left = [path.name + side for side in _SIDE_FILES if path.with_name(path.name + side).exists()]
    if left:
        raise RoadprintError(
            f"{' and '.join(left)} beside it: the file is open in another program, or one ended in the midst of it",
            where=str(path),
            todo="Close the program (QGIS, most often); if none has it open, move those files away.",
        )


def _refuse_incomplete(layers: Mapping[str, pd.DataFrame]) -> None:
    """Refuse a set of layers that is not the declared one."""
    if set(layers) != set(LAYERS):
        raise RoadprintError(
            f"layers {sorted(layers)} given, {sorted(LAYERS)} expected",
            where="GeoPackage",
            todo="Use empty_layer() for a layer that has no rows.",
        )


@contextmanager
def _gdal_date(date: datetime) -> Iterator[None]:
    """Let GDAL take `date` for the present moment, and set it back afterwards."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _stamp(date)})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _stamp(date: datetime) -> str:
    """Write a moment as GeoPackage does."""
    return date.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write_layers(path: Path, layers: Mapping[str, pd.DataFrame], date: datetime) -> None:
    """Write all layers into a new file, in the order of `LAYERS`."""
    with _gdal_date(date):
        for name, layer in LAYERS.items():
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


def _write_styles(connection: sqlite3.Connection, styles: Sequence[Style], date: datetime) -> None:
    """Add the styles where QGIS looks for them.

    The table must be registered: QGIS ignores all styles of a file that has other registered tables of attributes
    otherwise. Times of change differ, else QGIS lists a style several times.
    """
    connection.executescript(_STYLE_TABLE)
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', 'QGIS styles of the layers', ?, 0)",
        (_stamp(date),),
    )
    connection.execute("INSERT INTO gpkg_ogr_contents (table_name, feature_count) VALUES ('layer_styles', 0)")
    connection.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
        "styleQML, styleSLD, useAsDefault, description, owner, update_time) "
        "VALUES ('', '', ?, ?, ?, ?, '', ?, ?, '', ?)",
        [
            (
                style.layer,
                "" if LAYERS[style.layer].geometry is None else GEOMETRY_COLUMN,
                style.name,
                style.qml,
                style.default,
                style.description,
                _stamp(date + timedelta(seconds=n)),
            )
            for n, style in enumerate(styles)
        ],
    )


def _settle(path: Path) -> None:
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
        Of the file, which is only read.
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
