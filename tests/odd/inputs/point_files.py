"""Points in every kind of file."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from forms import RIGHT, Refused, Told, add
from making import points, records

BY_POINT: dict[str, object] = {"x": None, "y": None}


def short(frame: pd.DataFrame) -> pd.DataFrame:
    """Cut names to ten letters, as a dBase file does."""
    return frame.rename(columns={c: c[:10] for c in frame})


def _styled(frame: pd.DataFrame, path: Path) -> None:
    points("GPKG")(frame, path)
    import pyogrio

    pyogrio.write_dataframe(
        pd.DataFrame({"f_table_name": ["crash"], "styleName": ["red"]}), path, layer="layer_styles"
    )


def _without(frame: pd.DataFrame, path: Path, ending: str, *, crs: int | None = None) -> None:
    points("ESRI Shapefile", crs=crs, encoding="utf-8")(frame, path)
    path.with_suffix(ending).unlink()


def _dbf(frame: pd.DataFrame, path: Path) -> None:
    points("ESRI Shapefile", encoding="utf-8")(frame, path.with_suffix(".shp"))
    for ending in (".shp", ".shx", ".prj"):
        path.with_suffix(ending).unlink()


def _silent(frame: pd.DataFrame, path: Path) -> None:
    points("GeoJSON", crs=27700)(frame, path)
    told = json.loads(path.read_text())
    del told["crs"]
    path.write_text(json.dumps(told))


def _sqlite(frame: pd.DataFrame, path: Path) -> None:
    with sqlite3.connect(path) as connection:
        frame.to_sql("crash", connection, index=False)
    connection.close()


def _shapes(frame: pd.DataFrame, path: Path, turn) -> None:
    where = gpd.GeoSeries(gpd.points_from_xy(frame["lon"], frame["lat"]), crs=4326)
    shapes = turn(where)
    gpd.GeoDataFrame(frame, geometry=shapes, crs=shapes.crs).to_file(path)


KIND = "points"
SHORT = {"n_casualties": "n_casualti", "motorcyclist": "motorcycli", "car_occupant": "car_occupa"}


add(KIND, "GeoPackage", records(columns=BY_POINT, name="crash.gpkg", write=points("GPKG")))
add(
    KIND,
    "GeoPackage in metres",
    records(columns=BY_POINT, name="crash.gpkg", write=points("GPKG", crs=27700)),
)
add(
    KIND,
    "GeoPackage in web Mercator",
    records(columns=BY_POINT, name="crash.gpkg", write=points("GPKG", crs=3857)),
)
add(
    KIND,
    "GeoPackage of two layers",
    records(columns=BY_POINT, name="crash.gpkg", write=points("GPKG", layers=("2019", "2020"))),
    Refused("2020"),
)
add(
    KIND,
    "GeoPackage of two layers, both named",
    records(
        columns=BY_POINT,
        name="crash.gpkg",
        write=points("GPKG", layers=("north", "south")),
        layer=["north", "south"],
    ),
)
add(
    KIND,
    "GeoPackage of two layers, named as numbers",
    records(
        columns=BY_POINT, name="crash.gpkg", write=points("GPKG", layers=("2019", "2020")), layer=[2019, 2020]
    ),
)
add(
    KIND,
    "GeoPackage, a layer that is not there",
    records(
        columns=BY_POINT, name="crash.gpkg", write=points("GPKG", layers=("north", "south")), layer="east"
    ),
    Refused("north"),
)
add(
    KIND,
    "GeoPackage with QGIS's styles",
    records(columns=BY_POINT, name="crash.gpkg", write=_styled),
)
add(KIND, "Shapefile", records(short, BY_POINT | SHORT, name="crash.shp", write=points("ESRI Shapefile")))
add(
    KIND,
    "Shapefile, long names in the mapping",
    records(columns=BY_POINT, name="crash.shp", write=points("ESRI Shapefile")),
    RIGHT,
    Refused("motorcycli"),
)
add(
    KIND,
    "Shapefile without .prj, columns.crs",
    records(
        short,
        BY_POINT | SHORT | {"crs": "EPSG:27700"},
        name="crash.shp",
        write=lambda f, p: _without(f, p, ".prj", crs=27700),
    ),
)
add(
    KIND,
    "Shapefile without .prj",
    records(short, BY_POINT | SHORT, name="crash.shp", write=lambda f, p: _without(f, p, ".prj", crs=27700)),
    Refused(r"columns\.crs"),
)
add(
    KIND,
    "Shapefile without .cpg, of utf-8",
    records(
        short,
        BY_POINT | SHORT | {"encoding": "utf-8"},
        name="crash.shp",
        write=lambda f, p: _without(f, p, ".cpg"),
    ),
)
add(
    KIND,
    "Shapefile of cp1252 with .cpg",
    records(short, BY_POINT | SHORT, name="crash.shp", write=points("ESRI Shapefile", encoding="cp1252")),
)
add(
    KIND,
    "Shapefile without .shx",
    records(short, BY_POINT | SHORT, name="crash.shp", write=lambda f, p: _without(f, p, ".shx")),
    RIGHT,
    Refused("shx"),
)
add(
    KIND,
    "Shapefile without .dbf",
    records(short, BY_POINT | SHORT, name="crash.shp", write=lambda f, p: _without(f, p, ".dbf")),
    Refused("dbf|column"),
)
add(
    KIND,
    "the .dbf alone",
    records(
        short,
        SHORT | {"x": "easting", "y": "northing", "crs": "EPSG:27700"},
        name="crash.dbf",
        write=_dbf,
    ),
)
add(KIND, "FileGDB", records(columns=BY_POINT, name="crash.gdb", write=points("OpenFileGDB")))
add(
    KIND,
    "FileGDB of two layers",
    records(columns=BY_POINT, name="crash.gdb", write=points("OpenFileGDB", layers=("y2019", "y2020"))),
    Refused("y2020"),
)
add(KIND, "GeoJSON", records(columns=BY_POINT, name="crash.geojson", write=points("GeoJSON")))
add(KIND, "GeoJSON called .json", records(columns=BY_POINT, name="crash.json", write=points("GeoJSON")))
add(
    KIND,
    "GeoJSON in metres that says so",
    records(columns=BY_POINT, name="crash.geojson", write=points("GeoJSON", crs=27700)),
)
add(
    KIND,
    "GeoJSON in metres that says nothing",
    records(columns=BY_POINT, name="crash.geojson", write=_silent),
    Refused("crs"),
)
add(
    KIND,
    "GeoJSON in metres that says nothing, columns.crs",
    records(columns=BY_POINT | {"crs": "EPSG:27700"}, name="crash.geojson", write=_silent),
    RIGHT,
    Refused("crs"),
)
add(
    KIND,
    "GeoJSON, latitude first",
    records(
        columns=BY_POINT,
        name="crash.geojson",
        write=lambda f, p: points("GeoJSON")(f.rename(columns={"lon": "lat", "lat": "lon"}), p),
    ),
    Refused("swap|turned|latitude|could be placed"),
)
add(KIND, "GeoJSON a line", records(columns=BY_POINT, name="crash.geojsonl", write=points("GeoJSONSeq")))
add(KIND, "FlatGeobuf", records(columns=BY_POINT, name="crash.fgb", write=points("FlatGeobuf")))
add(
    KIND,
    "GeoParquet",
    records(
        columns=BY_POINT,
        name="crash.parquet",
        write=lambda f, p: gpd.GeoDataFrame(
            f, geometry=gpd.points_from_xy(f["lon"], f["lat"]), crs=4326
        ).to_parquet(p),
    ),
)
add(KIND, "Parquet", records(name="crash.parquet", write=lambda f, p: f.to_parquet(p)))
add(
    KIND,
    "Parquet with true dates",
    records(
        lambda f: f.assign(date=pd.to_datetime(f["date"])),
        name="crash.parquet",
        write=lambda f, p: f.to_parquet(p),
    ),
)
add(
    KIND,
    "Parquet with zoned dates",
    records(
        lambda f: f.assign(
            date=pd.to_datetime(f["date"]).dt.tz_localize(
                "America/New_York", ambiguous=True, nonexistent="shift_forward"
            )
        ),
        name="crash.parquet",
        write=lambda f, p: f.to_parquet(p),
    ),
    RIGHT,
    Refused("time_zone"),
    place="usa",
)
add(
    KIND,
    "Parquet with categories and booleans",
    records(
        lambda f: f.assign(
            severity=f["severity"].astype("category"), pedestrian=f["pedestrian"].astype(bool)
        ),
        name="crash.parquet",
        write=lambda f, p: f.to_parquet(p),
    ),
)
add(
    KIND, "Feather", records(name="crash.feather", write=lambda f, p: f.to_feather(p)), RIGHT, Refused("read")
)
add(
    KIND,
    "KML",
    records(columns=BY_POINT, name="crash.kml", write=points("KML")),
    RIGHT,
    Refused("column|read"),
    lacks=("id",),
)
add(
    KIND,
    "GML",
    records(columns=BY_POINT, name="crash.gml", write=points("GML")),
    RIGHT,
    Refused("column|read"),
)
add(
    KIND,
    "SQLite",
    records(name="crash.sqlite", write=_sqlite),
    RIGHT,
    Refused("column|read"),
)
add(KIND, "MapInfo", records(columns=BY_POINT, name="crash.tab", write=points("MapInfo File")))
add(
    KIND,
    "each in a multipoint",
    records(
        columns=BY_POINT,
        name="crash.gpkg",
        write=lambda f, p: _shapes(
            f,
            p,
            lambda g: (
                g.buffer(0).union(g)
                if False
                else gpd.GeoSeries.from_wkt([f"MULTIPOINT (({a.x} {a.y}))" for a in g], crs=g.crs)
            ),
        ),
    ),
)
add(
    KIND,
    "with heights",
    records(
        columns=BY_POINT,
        name="crash.gpkg",
        write=lambda f, p: _shapes(
            f, p, lambda g: gpd.GeoSeries.from_wkt([f"POINT Z ({a.x} {a.y} 12)" for a in g], crs=g.crs)
        ),
    ),
)
add(
    KIND,
    "one in ten without a place",
    records(
        columns=BY_POINT,
        name="crash.gpkg",
        write=lambda f, p: _shapes(f, p, lambda g: g.where(np.arange(len(g)) % 10 != 0)),
    ),
    Told("no coordinates", but=("collisions",)),
)
add(
    KIND,
    "areas in place of points",
    records(
        columns=BY_POINT,
        name="crash.gpkg",
        write=lambda f, p: _shapes(f, p, lambda g: g.to_crs(27700).buffer(1)),
    ),
    RIGHT,
    Told("polygon|middle|points"),
    Refused("points"),
)
add(
    KIND,
    "the roads in place of records",
    lambda town, _: town.config(collisions=town.records(str(town.folder / "roads.gpkg"), BY_POINT)),
    Refused("column"),
)
