"""The tables of a GeoPackage that QGIS reads beside the layers: styles, projects, metadata."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

import jinja2
from pyproj import CRS

from geo.outputs.layers.layers import GEOMETRY_COLUMN, LAYERS
from geo.outputs.templates import templates

QGIS_METADATA, MANIFEST = "http://mrcc.com/qgis.dtd", "urn:roadprint:manifest:1"
"""What marks a row of metadata as one that QGIS shows, and as the JSON that says how the file was made."""
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML 1.0 has no way to hold; names in the data may."""
PREFIX = "roadprint_"
"""Of the ids of layers and relations in the project; QGIS renames those of ten characters or fewer."""
INDEXED = (
    ("segments", "segment_id"),
    ("tiles", "segment_id"),
    ("tiles", "tile_id"),
    ("collisions", "segment_id"),
    ("collisions", "junction_id"),
    ("look_alikes", "segment_id"),
)
"""Columns by which map tips and forms look rows up."""

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
# OGC 12-128r18, annex F.8
_METADATA_TABLES = """
CREATE TABLE gpkg_metadata (
  id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL, md_scope TEXT NOT NULL DEFAULT 'dataset',
  md_standard_uri TEXT NOT NULL, mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL DEFAULT ''
);
CREATE TABLE gpkg_metadata_reference (
  reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT, row_id_value INTEGER,
  timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  md_file_id INTEGER NOT NULL, md_parent_id INTEGER,
  CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
  CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id)
);
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name)
);
"""
# OGC 12-128r18, annex F.9
_COLUMN_TABLES = """
CREATE TABLE gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
  constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
  CONSTRAINT gdc_tn UNIQUE (table_name, name)
);
CREATE TABLE gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN,
  max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
  CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value)
);
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name)
);
"""
SOURCES: dict[str, tuple[str, ...]] = {
    "tiles": ("imagery", "roads"),
    "junction_tiles": ("imagery", "roads"),
    "collisions": ("collisions",),
    "junction_types": ("roads", "collisions"),
    "places": ("roads", "collisions"),
    "stretches": ("roads", "collisions", "exposure"),
    "windows": ("roads", "collisions"),
    "lixels": ("roads", "collisions"),
    "high_injury": ("roads", "collisions"),
}
"""Which inputs a layer is made of; all, where it is not named."""
_ALL = ("imagery", "roads", "collisions", "exposure")


@dataclass(frozen=True, slots=True)
class Style:
    """A QGIS style of one layer.

    Attributes
    ----------
    layer
        Name of the table that the style belongs to.
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


@dataclass(frozen=True, slots=True)
class About:
    """What the file says of itself.

    Attributes
    ----------
    layers
        Metadata of each layer as QGIS's XML, by its table (`layer_metadata`).
    manifest
        How the file was made: plain values that JSON can hold.
    """

    layers: Mapping[str, str]
    manifest: Mapping[str, object]


def stamp(date: datetime) -> str:
    """Write a moment as GeoPackage does."""
    return date.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_styles(connection: sqlite3.Connection, styles: Sequence[Style], date: datetime) -> None:
    """Add the styles where QGIS looks for them.

    The table must be registered: QGIS ignores all styles of a file that has other registered tables of attributes
    otherwise. Times of change differ, else QGIS lists a style several times.
    """
    connection.executescript(_STYLE_TABLE)
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', 'QGIS styles of the layers', ?, 0)",
        (stamp(date),),
    )
    connection.execute("INSERT INTO gpkg_ogr_contents (table_name, feature_count) VALUES ('layer_styles', 0)")
    connection.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
        "styleQML, styleSLD, useAsDefault, description, owner, update_time) "
        "VALUES ('', '', ?, ?, ?, ?, '', ?, ?, '', ?)",
        [
            (
                style.layer,
                "" if style.layer in LAYERS and LAYERS[style.layer].geometry is None else GEOMETRY_COLUMN,
                style.name,
                style.qml,
                style.default,
                style.description,
                stamp(date + timedelta(seconds=n)),
            )
            for n, style in enumerate(styles)
        ],
    )


def write_projects(connection: sqlite3.Connection, projects: Mapping[str, str], date: datetime) -> None:
    """Add QGIS projects: Project > Open From > GeoPackage finds them.

    The table is not registered among the contents: its key is a text, which GeoPackage allows of no layer.

    Parameters
    ----------
    connection
        Connection to the open GeoPackage.
    projects
        The XML of each project, by its name.
    date
        Moment that the projects are said to be last changed at.
    """
    connection.execute("CREATE TABLE qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB)")
    told = json.dumps(
        {
            "last_modified_time": date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "last_modified_user": "roadprint",
        }
    )
    rows = [(name, told, zipped_project(name, xml, date).hex()) for name, xml in projects.items()]
    connection.executemany("INSERT INTO qgis_projects (name, metadata, content) VALUES (?, ?, ?)", rows)


def zipped_project(name: str, xml: str, date: datetime) -> bytes:
    """Zip the XML of a project as QGIS keeps it (``.qgz``), the same bytes for the same text."""
    buffer = io.BytesIO()
    entry = zipfile.ZipInfo(f"{name}.qgs", date.astimezone(UTC).timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, xml)
    return buffer.getvalue()


def write_about(connection: sqlite3.Connection, about: About, date: datetime) -> None:
    """Add the metadata of each layer that is there, which QGIS shows among its properties, and the file's manifest."""
    connection.executescript(_METADATA_TABLES)
    connection.executemany(
        "INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_metadata', ?, 'read-write')",
        [
            (table, "http://www.geopackage.org/spec120/#extension_metadata")
            for table in ("gpkg_metadata", "gpkg_metadata_reference")
        ],
    )
    manifest = json.dumps(about.manifest, sort_keys=True, ensure_ascii=False, default=str)
    rows: list[tuple[str, str, str, str, str | None]] = [
        (MANIFEST, "application/json", manifest, "geopackage", None)
    ]
    there = {table for (table,) in connection.execute("SELECT table_name FROM gpkg_contents")}
    rows += [
        (QGIS_METADATA, "text/xml", xml, "table", table)
        for table, xml in about.layers.items()
        if table in there
    ]
    for number, (standard, mime, text, scope, table) in enumerate(rows, start=1):
        connection.execute(
            "INSERT INTO gpkg_metadata VALUES (?, 'dataset', ?, ?, ?)", (number, standard, mime, text)
        )
        connection.execute(
            "INSERT INTO gpkg_metadata_reference VALUES (?, ?, NULL, NULL, ?, ?, NULL)",
            (scope, table, stamp(date), number),
        )


def write_titles(connection: sqlite3.Connection, titles: Mapping[str, Mapping[str, tuple[str, str]]]) -> None:
    """Say of each column what it is called in short and at length, which newer versions of QGIS show as its comment.

    Parameters
    ----------
    connection
        To the GeoPackage.
    titles
        Short and long title by table and column.
    """
    connection.executescript(_COLUMN_TABLES)
    connection.executemany(
        "INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_schema', ?, 'read-write')",
        [
            (table, "http://www.geopackage.org/spec121/#extension_schema")
            for table in ("gpkg_data_columns", "gpkg_data_column_constraints")
        ],
    )
    connection.executemany(
        "INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, NULL)",
        [
            (table, column, short, short, long)
            for table, columns in titles.items()
            for column, (short, long) in columns.items()
        ],
    )


def write_indexes(connection: sqlite3.Connection) -> None:
    """Index what map tips and forms look up."""
    for table, column in INDEXED:
        connection.execute(f"CREATE INDEX {table}_{column} ON {table} ({column})")


def layer_metadata(
    city: str, crs: CRS, licences: Mapping[str, str | None], period: tuple[date, date] | None
) -> dict[str, str]:
    """Write the metadata of every layer.

    Parameters
    ----------
    city
        Name of the city, as in its file.
    crs
        The city's projected CRS, in metres.
    licences
        Source and licence of each input (``imagery``, ``roads``, ``collisions``, ``exposure``); None: not told.
    period
        First and last day of the collision records; None: not known.

    Returns
    -------
    QGIS's XML by table.
    """
    template = _environment().get_template("metadata.xml")
    written = {}
    for name, layer in LAYERS.items():
        known = [(part, licences[part]) for part in SOURCES.get(name, _ALL) if licences.get(part)]
        written[name] = template.render(
            city=city,
            layer=layer,
            crs=None if layer.geometry is None else crs,
            authority=":".join(crs.to_authority() or ()),
            licences=known,
            period=period if "collisions" in SOURCES.get(name, _ALL) else None,
        )
    return written


@cache
def _environment() -> jinja2.Environment:
    return templates("geo.outputs.qgis", "templates")
