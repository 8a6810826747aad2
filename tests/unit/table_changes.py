"""Tables of many kinds, each with a change to a file of it that makes GDAL give something else."""

import shutil

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from databases import Holder, without_triggers
from rasters import CITY


def table(path):
    """What GDAL gives of a table, as text."""
    frame = pyogrio.read_dataframe(path)
    placed = isinstance(frame, gpd.GeoDataFrame)
    return (frame.to_wkt() if placed else frame).to_csv(), frame.crs if placed else None


def roads(path, names="abcd", driver=None, **options):
    lines = [shapely.LineString([(i, 0), (i, 10)]) for i in range(len(names))]
    frame = gpd.GeoDataFrame({"name": list(names)}, geometry=lines, crs=CITY)
    pyogrio.write_dataframe(frame, path, driver=driver, **options)
    return path


def dbf_of_a_shapefile(folder):
    roads(folder / "roads.shp")
    roads(folder / "other.shp", names="abce")
    return folder / "roads.shp", lambda: shutil.copy(folder / "other.dbf", folder / "roads.dbf")


def encoding_of_a_shapefile(folder):
    roads(folder / "roads.shp", names="äöüß", encoding="UTF-8")
    return folder / "roads.shp", lambda: (folder / "roads.cpg").write_text("ISO-8859-1")


def encoding_that_comes(folder):
    roads(folder / "ROADS.SHP", names="äöüß", encoding="UTF-8", driver="ESRI Shapefile")
    for file in folder.iterdir():
        file.rename(file.with_suffix(file.suffix.upper()))
    (folder / "ROADS.CPG").unlink()
    return folder / "ROADS.SHP", lambda: (folder / "ROADS.CPG").write_text("UTF-8")


def crs_of_a_shapefile(folder):
    roads(folder / "roads.shp")
    roads(folder / "other.shp").with_suffix(".prj")
    other = gpd.GeoSeries([], crs=27700).crs.to_wkt("WKT1_ESRI")
    return folder / "roads.shp", lambda: (folder / "roads.prj").write_text(other)


def ogr_vrt(folder):
    roads(folder / "roads.shp")
    roads(folder / "other.shp", names="abce")
    (folder / "all.vrt").write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="roads"><SrcDataSource relativeToVRT="1">roads.shp</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    return folder / "all.vrt", lambda: shutil.copy(folder / "other.dbf", folder / "roads.dbf")


def ogr_vrt_of_a_folder(folder):
    (folder / "shapes").mkdir()
    roads(folder / "shapes" / "roads.shp")
    roads(folder / "other.shp", names="abce")
    (folder / "all.vrt").write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="roads"><SrcDataSource relativeToVRT="1">shapes</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    return folder / "all.vrt", lambda: shutil.copy(folder / "other.dbf", folder / "shapes" / "roads.dbf")


def file_geodatabase(folder):
    roads(folder / "roads.gdb", driver="OpenFileGDB")

    def edit():
        shutil.rmtree(folder / "roads.gdb")
        roads(folder / "roads.gdb", names="abce", driver="OpenFileGDB")

    return folder / "roads.gdb", edit


def flatgeobuf(folder):
    return roads(folder / "roads.fgb"), lambda: roads(folder / "roads.fgb", names="abce")


def mapinfo(folder):
    roads(folder / "roads.tab")
    roads(folder / "other.tab", names="abce")
    return folder / "roads.tab", lambda: shutil.copy(folder / "other.dat", folder / "roads.dat")


def mapinfo_exchange(folder):
    roads(folder / "roads.mif")
    roads(folder / "other.mif", names="abce")
    return folder / "roads.mif", lambda: shutil.copy(folder / "other.mid", folder / "roads.mid")


def types_of_a_csv(folder):
    (folder / "roads.csv").write_text("name,lanes\na,01\nb,02\n")
    return folder / "roads.csv", lambda: (folder / "roads.csvt").write_text('"String","Integer"')


def schema_of_gml(folder):
    roads(folder / "roads.gml")
    schema = folder / "roads.xsd"
    return folder / "roads.gml", lambda: schema.write_text(
        schema.read_text().replace('name="name"', 'name="label"')
    )


def table_of_excel(folder):
    def write(names):
        frame = pd.DataFrame({"name": names})
        pyogrio.write_dataframe(frame, folder / "counts.xlsx", driver="XLSX")

    write(["a", "b"])
    return folder / "counts.xlsx", lambda: write(["a", "c"])


def log_of_a_geopackage(folder):
    source = without_triggers(roads(folder / "roads.gpkg"))
    return source, lambda: Holder(source, "DELETE FROM roads WHERE name = 'a'")


def log_of_a_linked_geopackage(folder):
    source = without_triggers(roads(folder / "real.gpkg", layer="roads"))
    (folder / "roads.gpkg").symlink_to(source)
    return folder / "roads.gpkg", lambda: Holder(source, "DELETE FROM roads WHERE name = 'a'")


def log_of_spatialite(folder):
    source = roads(folder / "roads.sqlite", driver="SQLite")
    return source, lambda: Holder(source, "DELETE FROM roads WHERE name = 'a'")


TABLES = [
    *(dbf_of_a_shapefile, encoding_of_a_shapefile, encoding_that_comes, crs_of_a_shapefile, ogr_vrt),
    *(
        ogr_vrt_of_a_folder,
        file_geodatabase,
        flatgeobuf,
        mapinfo,
        mapinfo_exchange,
        types_of_a_csv,
        schema_of_gml,
    ),
    *(table_of_excel, log_of_a_geopackage, log_of_a_linked_geopackage, log_of_spatialite),
]
