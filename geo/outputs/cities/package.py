"""Several cities beside each other in one GeoPackage, with a project for QGIS in which types have the same colours."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pyproj

from geo.outputs.cities.layers import LAYERS, SEGMENTS
from geo.outputs.files.geopackage import VERSION, gdal_date, refuse_taken, settle, written_whole
from geo.outputs.layers.arrange import cast
from geo.outputs.layers.layers import GEOMETRY_COLUMN, ROW_COLUMN
from geo.outputs.palette import UNKNOWN, Look
from geo.outputs.qgis.project import inside
from geo.outputs.qgis.styles import rgba
from geo.outputs.qgis.tables import Style, write_projects, write_styles
from geo.outputs.templates import templates

CRS = "EPSG:4326"
"""Cities may lie in any CRS each: in the file all are in degrees."""
PROJECT = "cities"
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_cities(
    path: Path,
    tables: Mapping[str, pd.DataFrame],
    looks: Mapping[int, tuple[str, Look]],
    *,
    date: datetime,
) -> None:
    """Write the GeoPackage; the same inputs give the same bytes.

    Parameters
    ----------
    path
        Path of the file; one that is there is replaced at once, when the new one is whole.
    tables
        A frame for each of `geo.outputs.cities.layers.LAYERS`; segments in degrees (EPSG:4326).
    looks
        Title and look of each type, by its number.
    date
        Moment, with a time zone, that the file says it was last changed at.

    Raises
    ------
    SourceError
        When the file cannot be written.
    """
    refuse_taken(path)
    style = Style(
        SEGMENTS.name, "road types", _style(looks), default=True, description="Types of road by their look."
    )
    project = _project(path.name, gpd.GeoDataFrame(tables[SEGMENTS.name]), style.qml)
    with written_whole(path) as work:
        _write_layers(work, tables, date)
        with closing(sqlite3.connect(work)) as connection, connection:
            write_styles(connection, [style], date)
            write_projects(connection, {PROJECT: project}, date)
        settle(work)
        refuse_taken(path)


def _write_layers(path: Path, tables: Mapping[str, pd.DataFrame], date: datetime) -> None:
    with gdal_date(date):
        for layer in LAYERS:
            frame = tables[layer.name]
            columns = {one.name: cast(frame[one.name], one.kind) for one in layer.columns}
            plain = pd.DataFrame(columns, index=frame.index)
            place: dict[str, str] = {}
            if layer.geometry is not None:
                plain = gpd.GeoDataFrame(plain, geometry=gpd.GeoDataFrame(frame).geometry, crs=CRS)
                place = {"GEOMETRY_NAME": GEOMETRY_COLUMN, "SPATIAL_INDEX": "YES"}
            pyogrio.write_dataframe(
                plain,
                path,
                layer=layer.name,
                driver="GPKG",
                geometry_type=layer.geometry,
                use_arrow=True,
                dataset_options=None if path.exists() else {"VERSION": VERSION},
                layer_options={"FID": ROW_COLUMN, "IDENTIFIER": layer.title, "DESCRIPTION": layer.description}
                | place,
            )


def _style(looks: Mapping[int, tuple[str, Look]]) -> str:
    """Draw types in their colours."""
    template = templates("geo.outputs.qgis", "templates", rgba=rgba).get_template("cities.qml")
    rows = [(cluster, *said) for cluster, said in sorted(looks.items())]
    return _NOT_XML.sub("", template.render(layer=SEGMENTS, looks=rows, unknown=UNKNOWN))


def _project(file: str, segments: gpd.GeoDataFrame, style: str) -> str:
    """Lay the cities out in a project: a layer each, in one style, and the tables."""
    crs = pyproj.CRS(CRS)
    names: Sequence[str] = list(dict.fromkeys(segments["city"]))
    west, south, east, north = (float(side) for side in segments.total_bounds)
    template = templates("geo.outputs.qgis", "templates", exact=_exact).get_template("cities.qgs")
    return _NOT_XML.sub(
        "",
        template.render(
            file=file,
            crs=crs,
            cities=[(f"roadprint_city_{n}", name, _only(name)) for n, name in enumerate(names)],
            tables=[
                (f"roadprint_{layer.name}", layer.title, layer.name)
                for layer in LAYERS
                if layer.geometry is None
            ],
            body=inside(style),
            extent=(west, south, east, north),
        ),
    )


def _only(city: str) -> str:
    """Write the filter of a city's segments."""
    quoted = city.replace("'", "''")
    return f"\"city\" = '{quoted}'"


def _exact(number: float) -> str:
    return repr(round(number, 7)) if math.isfinite(number) else "0"
