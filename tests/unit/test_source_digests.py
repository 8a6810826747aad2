"""Every byte that a driver reads is an input: what changes what GDAL gives changes the digest, and little else does.

Each change is one that people make. That the driver sees it is shown by reading the source before and after.
"""

import ctypes
import os
import shutil
import sys
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyogrio._io
import pytest
import rasterio
import shapely
from databases import Holder, let_go, without_triggers
from rasterio.enums import Resampling
from rasterio.shutil import copy as copy_raster
from rasterio.vrt import WarpedVRT
from rasters import CITY, NORTH, WEST, noise, write_raster

from geo.sources.digest import SourceDigests, digest_source
from tasks.store.digests import FileDigests

SIDE = 16


@pytest.fixture(autouse=True)
def _closed():
    yield
    let_go()


WORLD = "1\n0\n0\n-1\n230000.5\n899999.5\n"
MOVED = "1\n0\n0\n-1\n230200.5\n899999.5\n"


def picture(path):
    """What GDAL gives of a raster: its place, pixels and mask, and those of its first overview."""
    try:
        with rasterio.open(path) as raster:
            whole = [raster.transform, raster.crs, raster.read().tobytes(), raster.dataset_mask().tobytes()]
            coarse = bool(raster.overviews(1))
    except rasterio.RasterioIOError:
        return ["damaged"]
    if coarse:
        with rasterio.open(path, overview_level=0) as raster:
            whole.append(raster.read().tobytes())
    return whole


def table(path):
    """What GDAL gives of a table, as text."""
    frame = pyogrio.read_dataframe(path)
    placed = isinstance(frame, gpd.GeoDataFrame)
    return (frame.to_wkt() if placed else frame).to_csv(), frame.crs if placed else None


def simple(name, relative=1, kind="SimpleSource", band=1):
    return (
        f'<{kind}><SourceFilename relativeToVRT="{relative}">{name}</SourceFilename><SourceBand>{band}</SourceBand>'
        f"</{kind}>"
    )


def vrt(path, sources, *, band="", more="", options=""):
    """Write a VRT of one band."""
    path.write_text(
        f'<VRTDataset rasterXSize="{SIDE}" rasterYSize="{SIDE}" {options}><SRS>{CITY}</SRS>'
        f"<GeoTransform>{WEST}, 1, 0, {NORTH}, 0, -1</GeoTransform>"
        f'<VRTRasterBand dataType="Byte" band="1" {band}>{sources}</VRTRasterBand>{more}</VRTDataset>'
    )
    return path


def tif(path, seed=0, **options):
    write_raster(path, noise(SIDE, SIDE, seed=seed), **options)
    return path


def unplaced(path, driver):
    """Write a picture that does not say where it lies."""
    pixels = noise(SIDE, SIDE)
    with rasterio.open(path, "w", driver=driver, width=SIDE, height=SIDE, count=3, dtype="uint8") as raster:
        raster.write(pixels)
    return path


def roads(path, names="abcd", driver=None, **options):
    lines = [shapely.LineString([(i, 0), (i, 10)]) for i in range(len(names))]
    frame = gpd.GeoDataFrame({"name": list(names)}, geometry=lines, crs=CITY)
    pyogrio.write_dataframe(frame, path, driver=driver, **options)
    return path


# ---- rasters: each gives the source, and a change to it


def nested_vrt(folder):
    tif(folder / "town.tif")
    vrt(folder / "county.vrt", simple("town.tif"))
    vrt(folder / "land.vrt", simple("county.vrt"))
    return vrt(folder / "all.vrt", simple("land.vrt")), lambda: tif(folder / "town.tif", seed=1)


def vrt_below(folder):
    (folder / "tiles" / "north").mkdir(parents=True)
    tif(folder / "tiles" / "north" / "a b.tif")
    source = vrt(folder / "all.vrt", simple("tiles/north/a b.tif"))
    return source, lambda: tif(folder / "tiles" / "north" / "a b.tif", seed=1)


def vrt_elsewhere(folder):
    (folder / "disk").mkdir()
    (folder / "city").mkdir()
    part = tif(folder / "disk" / "town & country.tif")
    source = vrt(folder / "city" / "all.vrt", simple(str(part).replace("&", "&amp;"), relative=0))
    return source, lambda: tif(part, seed=1)


def vrt_of_a_link(folder):
    (folder / "disk").mkdir()
    (folder / "city").mkdir()
    part = tif(folder / "disk" / "town.tif")
    vrt(folder / "disk" / "all.vrt", simple("town.tif"))
    (folder / "city" / "all.vrt").symlink_to(folder / "disk" / "all.vrt")
    return folder / "city" / "all.vrt", lambda: tif(part, seed=1)


def vrt_without_its_ending(folder):
    tif(folder / "town.tif")
    return vrt(folder / "mosaic.xml", simple("town.tif")), lambda: tif(folder / "town.tif", seed=1)


def warped_vrt(folder):
    part = tif(folder / "town.tif")
    with rasterio.open(part) as raster, WarpedVRT(raster, crs="EPSG:4326") as warped:
        copy_raster(warped, folder / "warped.vrt", driver="VRT")
    assert "GDALWarpOptions" in (folder / "warped.vrt").read_text()
    return folder / "warped.vrt", lambda: tif(part, seed=1)


def pansharpened_vrt(folder):
    for name in ("pan", "colour"):
        tif(folder / f"{name}.tif")
    bands = "".join(
        f'<SpectralBand dstBand="{band}"><SourceFilename relativeToVRT="1">colour.tif</SourceFilename>'
        f"<SourceBand>{band}</SourceBand></SpectralBand>"
        for band in (1, 2, 3)
    )
    (folder / "sharp.vrt").write_text(
        '<VRTDataset subClass="VRTPansharpenedDataset"><PansharpeningOptions><PanchroBand><SourceFilename '
        'relativeToVRT="1">pan.tif</SourceFilename><SourceBand>1</SourceBand></PanchroBand>'
        f"{bands}</PansharpeningOptions></VRTDataset>"
    )
    return folder / "sharp.vrt", lambda: tif(folder / "colour.tif", seed=1)


def derived_vrt(folder):
    tif(folder / "a.tif")
    tif(folder / "b.tif", seed=7)
    source = vrt(
        folder / "derived.vrt",
        "<PixelFunctionType>diff</PixelFunctionType>" + simple("a.tif") + simple("b.tif"),
        band='subClass="VRTDerivedRasterBand"',
    )
    return source, lambda: tif(folder / "b.tif", seed=1)


def vrt_with_mask(folder):
    tif(folder / "town.tif")
    tif(folder / "mask.tif")
    mask = f'<MaskBand><VRTRasterBand dataType="Byte">{simple("mask.tif")}</VRTRasterBand></MaskBand>'
    return vrt(folder / "all.vrt", simple("town.tif"), more=mask), lambda: tif(folder / "mask.tif", seed=1)


def vrt_with_overview(folder):
    tif(folder / "town.tif")
    tif(folder / "coarse.tif")
    coarse = simple("coarse.tif", kind="Overview")
    source = vrt(folder / "all.vrt", simple("town.tif") + coarse)
    return source, lambda: tif(folder / "coarse.tif", seed=1)


def vrt_within_a_vrt(folder):
    """As `gdal_translate` of a VRT in memory leaves it: the inner one is written out in the name of the source."""
    tif(folder / "town.tif")
    inner = vrt(folder / "inner.vrt", simple(str(folder / "town.tif"), relative=0))
    text = (
        inner.read_text()
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
    )
    inner.unlink()
    return vrt(folder / "all.vrt", simple(text, relative=0)), lambda: tif(folder / "town.tif", seed=1)


def vrt_of_options(folder):
    tif(folder / "town.tif")
    source = vrt(folder / "all.vrt", simple(f"vrt://{folder / 'town.tif'}?bands=2", relative=0))
    return source, lambda: tif(folder / "town.tif", seed=1)


def vrt_of_raw_bytes(folder):
    (folder / "1998").write_bytes(noise(SIDE, SIDE, bands=1).tobytes())
    raw = (
        '<SourceFilename relativeToVRT="1">1998</SourceFilename><ImageOffset>0</ImageOffset>'
        f"<PixelOffset>1</PixelOffset><LineOffset>{SIDE}</LineOffset>"
    )
    source = vrt(folder / "raw.vrt", raw, band='subClass="VRTRawRasterBand"')
    return source, lambda: (folder / "1998").write_bytes(noise(SIDE, SIDE, bands=1, seed=1).tobytes())


def vrt_in_an_archive(folder):
    def pack(seed):
        tif(folder / "town.tif", seed=seed)
        with zipfile.ZipFile(folder / "flight.zip", "w") as archive:
            archive.write(folder / "town.tif", "in/town.tif")
        (folder / "town.tif").unlink()

    pack(0)
    return vrt(
        folder / "all.vrt", simple(f"/vsizip/{folder}/flight.zip/in/town.tif", relative=0)
    ), lambda: pack(1)


def vrt_whose_part_comes(folder):
    tif(folder / "a.tif")
    source = vrt(folder / "all.vrt", simple("a.tif") + simple("late.tif"))
    return source, lambda: tif(folder / "late.tif", seed=1)


def mask_beside_a_part(folder):
    """As `gdalbuildvrt` writes it where the parts have masks."""
    part = tif(folder / "town.tif", mask=np.full((SIDE, SIDE), 255, dtype="uint8"), internal_mask=False)
    mask = simple("town.tif").replace("<SourceBand>1", "<SourceBand>mask,1")
    mask = f'<MaskBand><VRTRasterBand dataType="Byte">{mask}</VRTRasterBand></MaskBand>'

    def change():
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(part, "r+") as raster:
            raster.write_mask(np.tri(SIDE, dtype="uint8") * 255)

    return vrt(folder / "all.vrt", simple("town.tif"), more=mask), change


def upper_case_world_file(folder):
    unplaced(folder / "TOWN.TIF", "GTiff")
    (folder / "TOWN.TFW").write_text(WORLD)
    return folder / "TOWN.TIF", lambda: (folder / "TOWN.TFW").write_text(MOVED)


def world_file_of_another_case(folder):
    unplaced(folder / "Town.tif", "GTiff")
    (folder / "Town.TfW").write_text(WORLD)
    return folder / "Town.tif", lambda: (folder / "Town.TfW").write_text(MOVED)


def world_file_that_comes(folder):
    unplaced(folder / "town.jpg", "JPEG")
    return folder / "town.jpg", lambda: (folder / "town.wld").write_text(WORLD)


def world_file_that_goes(folder):
    unplaced(folder / "town.png", "PNG")
    (folder / "town.pgw").write_text(WORLD)
    return folder / "town.png", (folder / "town.pgw").unlink


def long_world_file(folder):
    unplaced(folder / "town.v2.jpeg", "JPEG")
    (folder / "town.v2.jpegw").write_text(WORLD)
    return folder / "town.v2.jpeg", lambda: (folder / "town.v2.jpegw").write_text(MOVED)


def place_in_aux_xml(folder):
    unplaced(folder / "town.png", "PNG")
    notes = folder / "town.png.aux.xml"
    text = (
        f"<PAMDataset><SRS>{CITY}</SRS><GeoTransform>{WEST}, 1, 0, {NORTH}, 0, -1</GeoTransform></PAMDataset>"
    )
    notes.write_text(text)
    return folder / "town.png", lambda: notes.write_text(text.replace(f"{WEST}", f"{WEST + 200}"))


def mapinfo_place(folder):
    unplaced(folder / "town.tif", "GTiff")
    points = "".join(
        f'  ({230000 + x},{900000 - y}) ({x},{y}) Label "Pt {i}"{"," if i < 3 else ""}\n'
        for i, (x, y) in enumerate([(0, 0), (16, 0), (0, 16), (16, 16)])
    )
    text = f'!table\n!version 300\nDefinition Table\n  File "town.tif"\n  Type "RASTER"\n{points}'
    (folder / "town.tab").write_text(text)
    return folder / "town.tif", lambda: (folder / "town.tab").write_text(text.replace("2300", "2302"))


def mask_beside(folder):
    source = tif(folder / "town.tif")

    def mask():
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(source, "r+") as raster:
            raster.write_mask(np.tri(SIDE, dtype="uint8") * 255)
        assert (folder / "town.tif.msk").exists()

    return source, mask


def overviews_beside(folder):
    source = tif(folder / "town.tif")

    def coarsen(how):
        (folder / "town.tif.ovr").unlink(missing_ok=True)
        with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(source) as raster:
            assert raster.files == [str(source)]
        with rasterio.Env(TIFF_USE_OVR="YES"), rasterio.open(source, "r+") as raster:
            raster.build_overviews([2], how)
        assert (folder / "town.tif.ovr").exists()

    coarsen(Resampling.average)
    return source, lambda: coarsen(Resampling.nearest)


def header_of_raw_bytes(folder):
    pixels = noise(SIDE, SIDE)
    with rasterio.open(
        folder / "town.img", "w", driver="ENVI", width=SIDE, height=SIDE, count=3, dtype="uint8"
    ) as raster:
        raster.write(pixels)
    head = folder / "town.hdr"
    return folder / "town.img", lambda: head.write_text(head.read_text().replace("bsq", "bip"))


def link_to_a_raster(folder):
    tif(folder / "2023.tif")
    tif(folder / "2024.tif", seed=1)
    link = folder / "town.tif"
    link.symlink_to("2023.tif")

    def relink():
        link.unlink()
        link.symlink_to("2024.tif")

    return link, relink


def raster_of_a_link(folder):
    tif(folder / "2023.tif")
    (folder / "town.tif").symlink_to("2023.tif")
    return folder / "town.tif", lambda: tif(folder / "2023.tif", seed=1)


def raster_in_a_geopackage(folder):
    def write(seed):
        (folder / "town.gpkg").unlink(missing_ok=True)
        copy_raster(tif(folder / "a.tif", seed=seed), folder / "town.gpkg", driver="GPKG")

    write(0)
    return folder / "town.gpkg", lambda: write(1)


def index_of_tiles(folder):
    tif(folder / "town.tif")
    square = shapely.box(WEST, NORTH - SIDE, WEST + SIDE, NORTH)
    frame = gpd.GeoDataFrame({"location": ["town.tif"]}, geometry=[square], crs=CITY)
    pyogrio.write_dataframe(frame, folder / "all.gti.gpkg", layer="all")
    return folder / "all.gti.gpkg", lambda: tif(folder / "town.tif", seed=1)


def same_size_and_time(folder):
    source = tif(folder / "town.tif")
    stat = source.stat()

    def change():
        tif(source, seed=1)
        os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert (source.stat().st_size, source.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)

    return source, change


RASTERS = [
    *(
        nested_vrt,
        vrt_below,
        vrt_elsewhere,
        vrt_of_a_link,
        vrt_without_its_ending,
        warped_vrt,
        pansharpened_vrt,
    ),
    *(derived_vrt, vrt_with_mask, vrt_with_overview, vrt_within_a_vrt, vrt_of_options, vrt_of_raw_bytes),
    *(
        vrt_in_an_archive,
        vrt_whose_part_comes,
        mask_beside_a_part,
        upper_case_world_file,
        world_file_of_another_case,
    ),
    *(
        world_file_that_comes,
        world_file_that_goes,
        long_world_file,
        place_in_aux_xml,
        mapinfo_place,
        mask_beside,
    ),
    *(overviews_beside, header_of_raw_bytes, link_to_a_raster, raster_of_a_link, raster_in_a_geopackage),
    *(index_of_tiles, same_size_and_time),
]


# ---- tables


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


@pytest.mark.parametrize("make", [*RASTERS, *TABLES], ids=lambda make: make.__name__)
def test_what_changes_what_gdal_gives_changes_the_digest(make, tmp_path):
    (tmp_path / "inputs").mkdir()
    look = picture if make in RASTERS else table
    source, change = make(tmp_path / "inputs")
    memory = tmp_path / "digests.json"
    first = FileDigests(memory)
    before = first.of(str(source))
    first.save()
    seen = look(source)
    again = FileDigests(memory)
    assert again.of(str(source)) == before, "reading it changes nothing"
    again.save()
    change()
    assert look(source) != seen, "the change is one that a driver sees"
    after = FileDigests(memory).of(str(source))
    assert after != before
    assert after == digest_source(str(source)), "what is remembered leads to what is found afresh"


def told_by_gdal(source):
    """Ask GDAL's own function for the files of a table or raster: neither of the libraries hands on the former."""
    gdal = ctypes.CDLL(pyogrio._io.__file__)
    gdal.GDALOpenEx.restype = ctypes.c_void_p
    gdal.GDALOpenEx.argtypes = [ctypes.c_char_p, ctypes.c_uint, *[ctypes.c_void_p] * 3]
    gdal.GDALGetFileList.restype = ctypes.POINTER(ctypes.c_char_p)
    gdal.GDALGetFileList.argtypes = gdal.GDALClose.argtypes = [ctypes.c_void_p]
    dataset = gdal.GDALOpenEx(os.fsencode(source), 0, None, None, None)
    assert dataset
    files = gdal.GDALGetFileList(dataset)
    found = set()
    for i in range(10_000):
        if not files or files[i] is None:
            break
        found.add(os.path.normpath(os.fsdecode(files[i])))
    gdal.GDALClose(dataset)
    return found


@pytest.mark.skipif(
    sys.platform == "win32", reason="a library does not hand on the functions of another there"
)
@pytest.mark.parametrize("make", [*RASTERS, *TABLES], ids=lambda make: make.__name__)
def test_no_file_is_left_out_that_gdal_names(make, tmp_path):
    source, _ = make(tmp_path)
    told = {name for name in told_by_gdal(source) if Path(name).is_file()}
    assert str(source) in told or source.is_dir()
    assert told <= {str(file) for file in SourceDigests().files(source)}
