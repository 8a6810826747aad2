"""Files that roads come in."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from zipfile import ZipFile

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from forms import RIGHT, Refused, Told, add

from inputs.roads import called, drawn


def _without(frame: gpd.GeoDataFrame, path: Path, ending: str, *, encoding: str = "utf-8") -> None:
    frame.to_file(path, encoding=encoding)
    path.with_suffix(ending).unlink()
    if ending == ".prj":
        path.with_suffix(".cpg").write_text("UTF-8")


def _zipped(frame: gpd.GeoDataFrame, path: Path) -> None:
    inner = path.parent / "inner"
    inner.mkdir(exist_ok=True)
    frame.to_file(inner / "roads.shp", encoding="utf-8")
    with ZipFile(path, "w") as file:
        for part in sorted(inner.iterdir()):
            file.write(part, part.name)


def _layers(_: gpd.GeoDataFrame, path: Path, layers: dict[str, gpd.GeoDataFrame]) -> None:
    for name, frame in layers.items():
        frame.to_file(path, layer=name)


def _parts(
    frame: gpd.GeoDataFrame, path: Path, *, crs: int | None = None, rename: dict[str, str] | None = None
) -> None:
    frame.iloc[:6].to_file(path.parent / "a.gpkg")
    second = frame.iloc[6:] if crs is None else frame.iloc[6:].to_crs(crs)
    second.rename(columns=rename or {}).to_file(path.parent / "b.gpkg")


def _overlapping(frame: gpd.GeoDataFrame, path: Path) -> None:
    frame.iloc[:9].to_file(path.parent / "a.gpkg")
    frame.iloc[6:].to_file(path.parent / "b.gpkg")


def _measured(frame: gpd.GeoDataFrame, path: Path) -> None:
    pyogrio.write_dataframe(
        frame.assign(geometry=shapely.force_3d(frame.geometry.to_numpy(), 1.0)),
        path,
        geometry_type="LineString Z",
    )


KIND = "road files"

add(KIND, "GeoJSON in degrees", drawn(name="roads.geojson", write=lambda f, p: f.to_crs(4326).to_file(p)))

add(KIND, "GeoJSON in metres that says so", drawn(name="roads.geojson", write=lambda f, p: f.to_file(p)))

add(KIND, "Shapefile", drawn(name="roads.shp", write=lambda f, p: f.to_file(p, encoding="utf-8")))

add(
    KIND,
    "Shapefile of cp1252 with .cpg",
    drawn(name="roads.shp", write=lambda f, p: f.to_file(p, encoding="cp1252")),
)

add(
    KIND,
    "Shapefile of utf-8 without .cpg",
    drawn(name="roads.shp", write=lambda f, p: _without(f, p, ".cpg")),
    RIGHT,
    Refused("encoding"),
)

add(
    KIND,
    "Shapefile of utf-8 without .cpg, encoding named",
    drawn(name="roads.shp", write=lambda f, p: _without(f, p, ".cpg"), encoding="utf-8"),
)

add(
    KIND,
    "Shapefile of cp1252 without .cpg, encoding named",
    drawn(name="roads.shp", write=lambda f, p: _without(f, p, ".cpg", encoding="cp1252"), encoding="cp1252"),
)

add(
    KIND,
    "Shapefile of utf-8, latin-1 named",
    drawn(name="roads.shp", write=lambda f, p: _without(f, p, ".cpg"), encoding="latin-1"),
    RIGHT,
    Refused("encoding"),
    Told("encoding|utf-8", wrong=("name", "place")),
)

add(
    KIND,
    "Shapefile without .prj",
    drawn(name="roads.shp", write=lambda f, p: _without(f, p, ".prj")),
    Refused(r"roads\.crs"),
)

add(
    KIND,
    "Shapefile without .prj, roads.crs",
    drawn(name="roads.shp", write=lambda f, p: _without(f, p, ".prj"), crs="EPSG:27700"),
)

add(
    KIND,
    "Shapefile whose names of columns were cut",
    drawn(
        lambda r: r.rename(columns={"highway": "road_classification"}),
        name="roads.shp",
        write=lambda f, p: f.to_file(p, encoding="utf-8"),
        class_field="road_classification",
    ),
    RIGHT,
    Refused("road_class"),
)

add(KIND, "Shapefile in a zip", drawn(name="roads.zip", write=_zipped))

add(KIND, "FlatGeobuf", drawn(name="roads.fgb", write=lambda f, p: f.to_file(p)))

add(KIND, "FileGDB", drawn(name="roads.gdb", write=lambda f, p: f.to_file(p, driver="OpenFileGDB")))

add(
    KIND,
    "KML",
    drawn(name="roads.kml", write=lambda f, p: f.to_crs(4326).to_file(p, driver="KML")),
    RIGHT,
    Told("name", wrong=("segments", "junctions", "name", "place", "collisions")),
    Refused("highway|column|name"),
)

add(KIND, "GML", drawn(name="roads.gml", write=lambda f, p: f.to_file(p, driver="GML")))

add(
    KIND,
    "MapInfo",
    drawn(name="roads.tab", write=lambda f, p: f.to_file(p, driver="MapInfo File")),
    RIGHT,
    Refused("read|CRS"),
)

add(KIND, "GeoParquet", drawn(name="roads.parquet", write=lambda f, p: f.to_parquet(p)))

add(KIND, "GeoParquet called .geoparquet", drawn(name="roads.geoparquet", write=lambda f, p: f.to_parquet(p)))

add(
    KIND,
    "CSV with WKT",
    drawn(
        name="roads.csv",
        write=lambda f, p: (
            pd.DataFrame(f.assign(WKT=f.to_wkt()["geometry"])).drop(columns="geometry").to_csv(p, index=False)
        ),
    ),
    RIGHT,
    Refused("CRS|crs|geometry"),
)

add(KIND, "in degrees", drawn(lambda r: r.to_crs(4326)))

add(KIND, "in web Mercator", drawn(lambda r: r.to_crs(3857)))

add(KIND, "in the European datum", drawn(lambda r: r.to_crs(4258)), lacks=())

add(KIND, "city's crs not named", drawn(city_crs=None), lacks=("segments", "junctions", "place"))

add(KIND, "city's crs in degrees", drawn(city_crs="EPSG:4326"), Refused("crs"))

add(KIND, "city's crs in feet", drawn(city_crs="EPSG:2263"), Refused("crs"))

add(KIND, "city's crs web Mercator", drawn(city_crs="EPSG:3857"), Refused("crs"))

add(
    KIND,
    "two layers of lines",
    drawn(write=lambda f, p: _layers(f, p, {"roads": f.iloc[:6], "more": f.iloc[6:]})),
    Refused("more"),
)

add(
    KIND,
    "two layers of lines, both named",
    drawn(
        write=lambda f, p: _layers(f, p, {"roads": f.iloc[:6], "more": f.iloc[6:]}), layer=["roads", "more"]
    ),
)

add(
    KIND,
    "a layer of nodes first",
    drawn(write=lambda f, p: _layers(f, p, {"nodes": f.assign(geometry=f.centroid), "edges": f})),
)

add(KIND, "a layer that is not there", drawn(layer="road"), Refused("drawn"))

add(KIND, "two files in a list", drawn(write=_parts, source=["a.gpkg", "b.gpkg"]))

add(KIND, "two files by a glob", drawn(write=_parts, source="*.gpkg"))

add(
    KIND,
    "two files in two CRSs",
    drawn(write=lambda f, p: _parts(f, p, crs=4326), source=["a.gpkg", "b.gpkg"]),
)

add(KIND, "tiles that overlap", drawn(write=_overlapping, source=["a.gpkg", "b.gpkg"]))

add(
    KIND,
    "two files, columns in other case",
    drawn(write=lambda f, p: _parts(f, p, rename={"highway": "HIGHWAY"}), source=["a.gpkg", "b.gpkg"]),
    RIGHT,
    Refused("highway|HIGHWAY"),
)

add(KIND, "a glob that finds nothing", drawn(source="*.shp"), Refused("no such file|no file matches"))

add(KIND, "no file", drawn(source="nowhere.gpkg"), Refused("no such file"))

add(
    KIND,
    "collisions in place of roads",
    lambda town, _: town.config(roads={"source": str(town.folder / "collisions.csv")}),
    Refused("geometry|lines"),
)

add(KIND, "fid as id", drawn(id_field="fid"))

add(
    KIND,
    "ids of 64 bits",
    drawn(
        lambda r: r.assign(cell=np.arange(len(r), dtype=np.uint64) + np.uint64(2**63 + 5)),
        name="r.parquet",
        write=lambda f, p: f.to_parquet(p),
        id_field="cell",
    ),
)

add(
    KIND,
    "other columns of 64 bits",
    drawn(
        lambda r: r.assign(cell=np.arange(len(r), dtype=np.uint64) + np.uint64(2**63 + 5)),
        name="r.parquet",
        write=lambda f, p: f.to_parquet(p),
    ),
)

add(
    KIND,
    "columns of every kind",
    drawn(
        lambda r: r.assign(
            day=pd.Timestamp("2020-01-01"),
            took=pd.Timedelta("1D"),
            raw=[b"a\xff"] * len(r),
            deep=[{"a": [1, 2]}] * len(r),
            yes=True,
            big=2**62,
        ),
        name="r.parquet",
        write=lambda f, p: f.to_parquet(p),
    ),
)

add(
    KIND,
    "names of columns in capitals",
    drawn(
        lambda r: r.rename(columns=lambda c: c if c == "geometry" else c.upper()),
        class_field="HIGHWAY",
        name_field="NAME",
        ref_field="REF",
    ),
)

add(
    KIND, "three dimensions", drawn(lambda r: r.assign(geometry=shapely.force_3d(r.geometry.to_numpy(), 5.0)))
)

add(
    KIND, "multilines", drawn(lambda r: r.assign(geometry=[shapely.MultiLineString([g]) for g in r.geometry]))
)

add(KIND, "measured lines", drawn(lambda r: r, write=_measured))

add(
    KIND,
    "coordinates rounded to decimetres",
    drawn(lambda r: r.assign(geometry=shapely.transform(r.geometry.to_numpy(), lambda xy: xy + 0.04))),
    lacks=(),
)

add(
    KIND,
    "ends that miss each other by 5 cm",
    drawn(
        lambda r: r.assign(geometry=[shapely.affinity.scale(g, 0.9998, 0.9998) for g in r.geometry]),
        links=True,
    ),
    lacks=("length",),
)

add(
    KIND,
    "classes with spaces and capitals",
    drawn(called("highway", lambda v: f" {v.capitalize()} ")),
    RIGHT,
    Told("class|Residential"),
    lacks=("road_class",),
)

add(KIND, "names with spaces about", drawn(called("name", lambda v: f"  {v} ")))

add(
    KIND,
    "names in two pieces of accents",
    drawn(called("name", lambda v: unicodedata.normalize("NFD", v))),
    lacks=("name",),
)

add(
    KIND,
    "names 'nan' and 'None' for none",
    drawn(lambda r: r.assign(ref=["nan" if v is None else v for v in r["ref"]])),
)

add(
    KIND,
    "names that utf-8 was read as latin-1",
    drawn(called("name", lambda v: v.encode().decode("latin-1"))),
    RIGHT,
    Told("encoding|Ã", wrong=("name", "place")),
    Refused("encoding|Ã"),
)

add(KIND, "an area that holds the town", lambda town, _: town.config(area=[-1.84, 52.34, -1.80, 52.37]))

add(
    KIND,
    "an area with latitude first",
    lambda town, _: town.config(area=[52.34, -1.84, 52.37, -1.80]),
    Refused("area"),
)

add(
    KIND,
    "an area in metres",
    lambda town, _: town.config(area=[411000, 272000, 413000, 274000]),
    Refused("area"),
)

add(
    KIND, "an area of another town", lambda town, _: town.config(area=[1.0, 50.0, 1.1, 50.1]), Refused("area")
)
