"""Answers of a search as a layer: a GeoPackage with its style, or GeoJSON."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from geo.outputs.files.dated import FILE_DATE
from geo.outputs.files.geopackage import VERSION, gdal_date, refuse_taken, settle, written_whole
from geo.outputs.layers.arrange import cast
from geo.outputs.layers.declare import Column, Layer
from geo.outputs.layers.layers import GEOMETRY_COLUMN, ROW_COLUMN
from geo.outputs.palette import SEQUENCE
from geo.outputs.qgis.classes import Band
from geo.outputs.qgis.styles import rgba
from geo.outputs.qgis.tables import Style, write_styles
from geo.outputs.templates import templates
from geo.search.looks import OF_TILES

ANSWERS = Layer(
    "answers",
    "Roads that look like it",
    "Segments by how much they look like what was asked for. That roads look alike says nothing about their traffic.",
    "LineString",
    (
        Column("rank", "integer", "Rank"),
        Column("segment_id", "text", "Segment"),
        Column("tile_id", "text", "Tile that looks most like it"),
        Column("name", "text", "Road name"),
        Column("likeness", "real", "Likeness"),
        Column("x", "real", "Easting of the tile (m, city's CRS)"),
        Column("y", "real", "Northing of the tile (m, city's CRS)"),
        Column("why", "text", "Looks most like"),
        Column("rank_of_all", "integer", "Rank among all, before answers were spread"),
        Column("of_all", "integer", "Of how many"),
        Column("cosine", "real", "Cosine with what the examples mean"),
        Column("ref", "text", "Road number"),
        Column("road_class", "text", "Road class"),
        Column("cluster", "integer", "Type"),
        Column("length_m", "real", "Length (m)"),
        Column("years", "real", "Collision records (years)"),
        Column("n_collisions", "integer", "Collisions"),
        Column("n_ksi", "integer", "KSI collisions"),
        Column("ksi_per_km_year", "real", "KSI per km and year"),
        Column("ksi_per_km_year_eb", "real", "KSI per km and year, shrunk"),
    ),
)
ANSWERS_OF_TILES = replace(
    ANSWERS,
    title="Places along roads that look like it",
    description="Tiles by how much they look like what was asked for. That roads look alike says nothing about their "
    "traffic.",
    geometry="Polygon",
    columns=(*ANSWERS.columns, Column("position_m", "real", "Position along the segment (m)")),
)
DEGREES = "EPSG:4326"
_BANDS = 3
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_answers(path: Path, answers: gpd.GeoDataFrame, *, without: Collection[str] = ()) -> None:
    """Write answers as one layer: a GeoPackage in the city's CRS with its style, or GeoJSON in degrees (RFC 7946).

    Parameters
    ----------
    path
        Path of the file, by whose ending it is one or the other; one that is there is replaced when the new one is
        whole.
    answers
        See `geo.search.looks.Looks.find`, or `find_tiles`: the squares of tiles.
    without
        Columns that are left out.

    Raises
    ------
    SourceError
        When the file cannot be written.
    """
    whole = ANSWERS_OF_TILES if OF_TILES in answers else ANSWERS
    layer = replace(whole, columns=tuple(one for one in whole.columns if one.name not in without))
    frame = _laid_out(answers, layer)
    with written_whole(path) as work:
        if path.suffix.lower() == ".gpkg":
            refuse_taken(path)
            _write_geopackage(work, frame, layer)
        else:
            degrees = frame.to_crs(DEGREES)
            pyogrio.write_dataframe(degrees, work, driver="GeoJSON", layer_options={"RFC7946": "YES"})


def _laid_out(answers: gpd.GeoDataFrame, layer: Layer) -> gpd.GeoDataFrame:
    """Bring columns to their types; what a run does not know is null."""
    nothing = pd.Series(pd.NA, index=answers.index, dtype=object)
    columns = {one.name: cast(answers.get(one.name, nothing), one.kind) for one in layer.columns}
    plain = pd.DataFrame(columns, index=answers.index)
    return gpd.GeoDataFrame(plain, geometry=answers.geometry, crs=answers.crs)


def _write_geopackage(path: Path, frame: gpd.GeoDataFrame, layer: Layer) -> None:
    with gdal_date(FILE_DATE):
        pyogrio.write_dataframe(
            frame,
            path,
            layer=layer.name,
            driver="GPKG",
            geometry_type=layer.geometry,
            use_arrow=True,
            dataset_options={"VERSION": VERSION},
            layer_options={
                "FID": ROW_COLUMN,
                "IDENTIFIER": layer.title,
                "DESCRIPTION": layer.description,
                "GEOMETRY_NAME": GEOMETRY_COLUMN,
                "SPATIAL_INDEX": "YES",
            },
        )
    style = Style(layer.name, "likeness", _style(len(frame), layer), default=True, description="By rank.")
    with closing(sqlite3.connect(path)) as connection, connection:
        write_styles(connection, [style], FILE_DATE)
    settle(path)


def _style(answers: int, layer: Layer) -> str:
    """Draw the first answers boldest."""
    ends = [round(answers * part / _BANDS) for part in range(_BANDS + 1)]
    bands = [
        Band(f"ranks {low + 1} to {high}", f'"rank" > {low} AND "rank" <= {high}', colour, size)
        for low, high, colour, size in zip(
            ends, ends[1:], SEQUENCE[::-2], ("2.2", "1.6", "1.0"), strict=False
        )
        if high > low
    ]
    template = templates("geo.outputs.qgis", "templates", rgba=rgba).get_template("answers.qml")
    return _NOT_XML.sub("", template.render(layer=layer, heading=layer.title, bands=bands))
