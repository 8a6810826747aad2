"""GeoPackages that analysts draw in, or take places to look at from: layers of their own, each with its style."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pyogrio
import pyproj
from pyogrio.errors import DataLayerError, DataSourceError

from geo.errors import SourceError
from geo.outputs.files.dated import FILE_DATE
from geo.outputs.files.geopackage import VERSION, gdal_date
from geo.outputs.layers.layers import GEOMETRY_COLUMN
from geo.outputs.palette import UNKNOWN
from geo.outputs.qgis.styles import rgba
from geo.outputs.qgis.tables import NOT_XML, Style, write_styles
from geo.outputs.templates import templates

KINDS = {"Point": 0, "LineString": 1, "Polygon": 2}
"""QGIS's numbers of kinds of geometry."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A layer with its style.

    Attributes
    ----------
    name
        Of the layer.
    geometry
        ``Point``, ``LineString`` or ``Polygon``.
    rows
        What is in it, of columns of text and numbers.
    shown
        Column, or an expression of QGIS, that is written beside each row.
    looks
        Colour of rows, by the value of the first column of text.
    others
        What the legend calls rows of no such value.
    suggests
        Columns whose editor suggests the values that are there.
    outline
        Whether polygons are drawn as outlines alone.
    """

    name: str
    geometry: str
    rows: gpd.GeoDataFrame
    shown: str
    looks: Mapping[str, str]
    others: str
    suggests: Sequence[str] = ()
    outline: bool = False
    colour: str = UNKNOWN

    def style(self) -> Style:
        """Write the style that QGIS takes when the layer is added."""
        columns = [str(name) for name in self.rows.columns if name != self.rows.geometry.name]
        qml = (
            templates("geo.outputs.qgis", "templates", rgba=rgba)
            .get_template("labels.qml")
            .render(
                attribute=columns[0],
                looks=list(self.looks.items()),
                colours=[*self.looks.values(), self.colour],
                others=self.others,
                kind=KINDS[self.geometry],
                outline=self.outline,
                shown=self.shown,
                widgets={name: "UniqueValues" if name in self.suggests else "TextEdit" for name in columns},
            )
        )
        return Style(self.name, self.name, NOT_XML.sub("", qml), default=True)


def write_drawings(path: Path, drawings: Sequence[Drawing]) -> None:
    """Write layers to a GeoPackage that is not there yet, whole or not at all.

    Raises
    ------
    SourceError
        When it is there, or cannot be written.
    """
    part = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        with gdal_date(FILE_DATE):
            for drawing in drawings:
                pyogrio.write_dataframe(
                    drawing.rows,
                    part,
                    layer=drawing.name,
                    driver="GPKG",
                    geometry_type=drawing.geometry,
                    dataset_options=None if part.exists() else {"VERSION": VERSION},
                    layer_options={"GEOMETRY_NAME": GEOMETRY_COLUMN},
                )
        with closing(sqlite3.connect(part)) as connection, connection:
            write_styles(connection, [drawing.style() for drawing in drawings], FILE_DATE)
        # a link fails where the name is taken, a move would overwrite it
        path.hardlink_to(part)
    except (DataSourceError, DataLayerError, OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(
            f"it cannot be written ({reason})",
            where=str(path),
            todo="Name a file that is not there yet, in a folder that can be written to.",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def empty_rows(columns: Sequence[str], crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Make a layer of text columns without rows."""
    frame = gpd.GeoDataFrame({name: [] for name in columns}, geometry=[], crs=crs)
    return frame.astype(dict.fromkeys(columns, "str"))
