"""Rasters of many kinds, each with a change to a file of it that makes GDAL give something else.

A case makes the raster in a folder; it gives the path that a user names, and a function that makes the change.
"""

import os
import zipfile

import geopandas as gpd
import numpy as np
import pyogrio
import rasterio
import shapely
from rasterio.enums import Resampling
from rasterio.shutil import copy as copy_raster
from rasterio.vrt import WarpedVRT
from rasters import CITY, NORTH, WEST, noise, write_raster

SIDE = 16
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


def tiles_in_an_mbtiles(folder):
    def write(seed):
        (folder / "town.mbtiles").unlink(missing_ok=True)
        write_raster(folder / "a.tif", noise(256, 256, seed=seed), crs="EPSG:3857", pixel=0.5971642834779395)
        copy_raster(folder / "a.tif", folder / "town.mbtiles", driver="MBTiles")

    write(0)
    return folder / "town.mbtiles", lambda: write(1)


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
    *(
        overviews_beside,
        header_of_raw_bytes,
        link_to_a_raster,
        raster_of_a_link,
        raster_in_a_geopackage,
        tiles_in_an_mbtiles,
    ),
    *(index_of_tiles, same_size_and_time),
]
