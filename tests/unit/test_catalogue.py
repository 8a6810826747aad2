"""Which rasters can be used, why others cannot, and which of them show a tile."""

import re
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import shapely
from rasterio.control import GroundControlPoint
from rasters import CITY, NORTH, WEST, catalogue, cut_short, noise, tiles_at, write_raster
from real_data import DATA, needs_real_data

from geo.config import Tiles
from geo.errors import LayerError, SourceError
from geo.imagery.cover import cover_tiles, mosaics
from geo.imagery.sources import expand_sources, why_missing
from geo.ledger import totals


@pytest.fixture
def good(tmp_path):
    (tmp_path / "imagery").mkdir()
    return write_raster(tmp_path / "imagery" / "good.tif", noise(40, 40))


def vrt(path, *rasters):
    """Write a VRT that lays rasters of WEST, NORTH and 1 m side by side, in the order given."""
    width, height = 40 * len(rasters), 40
    bands = ""
    for band in (1, 2, 3):
        sources = "".join(
            f'<SimpleSource><SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>{band}</SourceBand>'
            f'<SrcRect xOff="0" yOff="0" xSize="40" ySize="40"/>'
            f'<DstRect xOff="{40 * i}" yOff="0" xSize="40" ySize="40"/></SimpleSource>'
            for i, name in enumerate(rasters)
        )
        bands += f'<VRTRasterBand dataType="Byte" band="{band}">{sources}</VRTRasterBand>'
    path.write_text(
        f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}"><SRS>{CITY}</SRS>'
        f"<GeoTransform>{WEST}, 1, 0, {NORTH}, 0, -1</GeoTransform>{bands}</VRTDataset>"
    )
    return str(path)


def reasons(entries):
    return [entry.reason for entry in entries if entry.status == "rejected"]


def test_sources_are_files_globs_folders_and_addresses(good, tmp_path):
    folder = tmp_path / "imagery"
    (folder / "deeper").mkdir()
    deeper = write_raster(folder / "deeper" / "b.TIF", noise(4, 4))
    (folder / "mask.png").write_bytes(b"")
    (folder / "good.tif.ovr").write_bytes(b"")
    assert expand_sources([str(folder)]) == sorted([good, deeper])
    assert expand_sources([good, str(folder / "*.tif*")]) == [good]
    assert expand_sources([str(folder / "**" / "*.TIF")]) == [deeper]
    address = "https://example.org/a.tif"
    assert expand_sources([address, "/vsis3/bucket/*.tif"]) == ["/vsis3/bucket/*.tif", address]


def test_a_source_that_gives_nothing_says_why(tmp_path):
    asked = [str(tmp_path), str(tmp_path / "*.tif"), str(tmp_path / "no.tif")]
    assert sorted(expand_sources(asked)) == sorted(asked)
    assert [why_missing(source) for source in asked] == [
        "the folder holds no raster (.ecw, .img, .jp2, .sid, .tif, .tiff, .vrt)",
        "no file matches",
        "no such file",
    ]


def test_a_usable_raster_is_described(good):
    found = catalogue(good)
    image = found.images.iloc[0]
    assert image["image_id"] == "good"
    assert (image["width"], image["height"], image["dtype"], image["pixel_m"]) == (40, 40, "uint8", 1.0)
    assert image.geometry.equals(shapely.box(WEST, NORTH - 40, WEST + 40, NORTH))
    assert pyproj.CRS.from_wkt(image["crs"]) == pyproj.CRS(CITY)
    assert totals(found.entries) == {"done": 1, "skipped": 0, "rejected": 0, "failed": 0}


def _gcps(path):
    points = [GroundControlPoint(r, c, WEST + c, NORTH - r) for r, c in [(0, 0), (0, 40), (40, 0)]]
    profile = {"driver": "GTiff", "height": 40, "width": 40, "count": 3, "dtype": "uint8"}
    with rasterio.open(path, "w", **profile, gcps=points, crs=CITY) as raster:
        raster.write(noise(40, 40))


PALETTE = "band 1 holds the numbers of a palette: leave imagery.bands out, and its colours are read"
BAD = {
    "text": (lambda path: path.write_text("not a raster"), "not recognized"),
    "empty": (lambda path: path.write_bytes(b""), "not recognized"),
    "no crs": (lambda path: write_raster(path, noise(40, 40), crs=None), "states no CRS: say in imagery.crs"),
    "no place": (lambda path: write_raster(path, noise(40, 40), west=0, north=0, pixel=(1, -1)), "no place"),
    "control points": (_gcps, "gdalwarp"),
    "one band": (
        lambda path: write_raster(path, noise(40, 40, bands=1)),
        "one band beside rasters in colour, as masks, labels and shaded reliefs have",
    ),
    "16 bit": (
        lambda path: write_raster(path, noise(40, 40, dtype="uint16")),
        "uint16, not 8 bit: give .*scale",
    ),
    "complex": (lambda path: write_raster(path, noise(40, 40).astype("complex64")), "complex64"),
    "local": (
        lambda path: write_raster(path, noise(40, 40), crs='LOCAL_CS["site",UNIT["metre",1]]'),
        "its CRS",
    ),
    "far away": (
        lambda path: write_raster(path, noise(18, 36), west=-180, north=90, pixel=10, crs=4326),
        "city",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_faulty_raster_is_rejected_with_its_reason_and_stops_nothing(good, tmp_path, kind):
    make, reason = BAD[kind]
    bad = tmp_path / "imagery" / "bad.tif"
    make(bad)
    found = catalogue(tmp_path / "imagery")
    assert found.images["path"].tolist() == [good]
    assert totals(found.entries) == {"done": 1, "skipped": 0, "rejected": 1, "failed": 0}
    assert len(reasons(found.entries)) == 1
    assert re.search(f"^bad.tif: .*{reason}", reasons(found.entries)[0])


def test_the_numbers_of_a_palette_are_no_brightness(good, tmp_path):
    source = tmp_path / "palette.tif"
    write_raster(source, noise(8, 8, bands=1))
    with rasterio.open(source, "r+") as raster:
        raster.write_colormap(1, {i: (i, 0, 0, 255) for i in range(256)})
    found = catalogue(good, source, bands=[1, 1, 1])
    assert reasons(found.entries) == ["palette.tif: " + PALETTE]


@pytest.mark.parametrize("options", [{"compress": "deflate"}, {"compress": "jpeg"}, {}])
def test_a_file_cut_short_is_rejected(good, tmp_path, options):
    cut = write_raster(
        tmp_path / "cut.tif", noise(256, 256), tiled=True, blockxsize=64, blockysize=64, **options
    )
    assert reasons(catalogue(good, cut).entries) == []
    cut_short(cut)
    assert "cut.tif: it is damaged or cut short" in reasons(catalogue(good, cut).entries)[0]


def test_missing_files_are_rejected_beside_good_ones(good, tmp_path):
    found = catalogue(good, tmp_path / "no.tif", tmp_path / "*.jp2")
    assert reasons(found.entries) == [
        f"*.jp2: no file matches ({tmp_path / '*.jp2'})",
        f"no.tif: no such file ({tmp_path / 'no.tif'})",
    ]


def test_nothing_to_read_is_an_error_of_the_source(tmp_path):
    with pytest.raises(SourceError, match=r"\*\.tif: no file matches"):
        catalogue(tmp_path / "*.tif")


def test_nothing_to_use_is_an_error_that_quotes_every_reason(tmp_path):
    deep = write_raster(tmp_path / "deep.tif", noise(8, 8, dtype="uint16"))
    blank = write_raster(tmp_path / "blank.tif", noise(8, 8), crs=None)
    with pytest.raises(LayerError, match=r"(?s)blank\.tif: it states no CRS.*deep\.tif: band 1 is uint16"):
        catalogue(deep, blank)


def test_one_scale_does_not_serve_8_and_16_bit(tmp_path):
    deep = write_raster(tmp_path / "deep.tif", noise(8, 8, dtype="uint16"))
    plain = write_raster(tmp_path / "plain.tif", noise(8, 8))
    found = catalogue(deep, plain, scale=[0, 4000])
    assert found.images["image_id"].tolist() == ["deep"]
    assert "plain.tif: 8 bit beside uint16" in reasons(found.entries)[0]
    assert catalogue(plain, scale=[10, 200]).images["image_id"].tolist() == ["plain"]


def test_a_pixel_in_degrees_has_the_ground_size_that_geodesy_gives(tmp_path):
    step, lon, lat = 1e-5, -71.06, 42.36
    path = write_raster(tmp_path / "a.tif", noise(40, 60), west=lon, north=lat, pixel=step, crs="EPSG:4326")
    image = catalogue(path).images.iloc[0]
    lon, lat = lon + 30 * step, lat - 20 * step
    geod = pyproj.Geod(ellps="GRS80")
    _, _, wide = geod.inv(lon, lat, lon + step, lat)
    _, _, high = geod.inv(lon, lat, lon, lat - step)
    # the state plane is true to scale within 1 in 25,000 here
    assert image["pixel_m"] == pytest.approx(np.sqrt(wide * high), rel=1e-4)
    assert image.geometry.area == pytest.approx(60 * wide * 40 * high, rel=1e-4)


def test_a_pixel_in_feet_is_told_in_metres(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(8, 8), west=770000, north=2950000, crs="EPSG:2249")
    assert catalogue(path).images["pixel_m"].item() == pytest.approx(1200 / 3937, rel=1e-6)


def test_the_footprint_of_a_raster_in_another_crs_bends_with_it(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(50, 50), west=-72, north=43, pixel=0.02, crs="EPSG:4326")
    footprint = catalogue(path).images.geometry.item()
    change = pyproj.Transformer.from_crs(4326, CITY, always_xy=True)
    edge = [shapely.Point(*change.transform(-72 + i / 97, 43)) for i in range(97)]
    straight = shapely.LineString([edge[0], shapely.Point(*change.transform(-71, 43))])
    assert max(straight.distance(point) for point in edge) > 100
    assert max(footprint.exterior.distance(point) for point in edge) < 5


def test_images_of_one_name_are_told_apart_by_their_folders(tmp_path):
    for year in ("2019", "2021"):
        (tmp_path / year).mkdir()
        write_raster(tmp_path / year / "a.tif", noise(8, 8))
    write_raster(tmp_path / "b;c.tif", noise(8, 8))
    shutil.copy(tmp_path / "b;c.tif", tmp_path / "b_c.tiff")
    found = catalogue(tmp_path)
    assert found.images["image_id"].tolist() == ["2019/a.tif", "2021/a.tif", "b_c.tif", "b_c.tiff"]


def test_the_catalogue_does_not_depend_on_the_order_of_sources(good, tmp_path):
    other = write_raster(tmp_path / "other.tif", noise(8, 8))
    one, two = catalogue(good, other), catalogue(other, good)
    order = ["place", "rank"]
    pd.testing.assert_frame_equal(one.images.drop(columns=order), two.images.drop(columns=order))
    assert one.images[order].to_numpy().tolist() == two.images[order].to_numpy()[::-1].tolist()
    assert one.entries == two.entries


def test_a_catalogue_survives_parquet(good, tmp_path):
    images = catalogue(good).images
    images.to_parquet(tmp_path / "images.parquet")
    again = gpd.read_parquet(tmp_path / "images.parquet")
    assert again.crs == images.crs
    assert mosaics(again).tolist() == [0]
    pd.testing.assert_frame_equal(
        pd.DataFrame(again.drop(columns=["geometry", "transform"])),
        pd.DataFrame(images.drop(columns=["geometry", "transform"])),
    )


def test_a_digest_follows_the_bytes_and_nothing_else(good, tmp_path):
    before = catalogue(good).images["digest"].item()
    shutil.copy(good, tmp_path / "good.tif")
    assert catalogue(tmp_path / "good.tif").images["digest"].item() == before
    write_raster(tmp_path / "good.tif", noise(40, 40, seed=1))
    assert catalogue(tmp_path / "good.tif").images["digest"].item() != before


def test_a_digest_follows_a_mask_beside_the_raster(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(8, 8))
    before = catalogue(path).images["digest"].item()
    mask = np.full((8, 8), 255, dtype="uint8")
    write_raster(path, noise(8, 8), mask=mask, internal_mask=False)
    assert Path(path + ".msk").exists()
    assert catalogue(path).images["digest"].item() != before


def test_the_digest_of_a_vrt_follows_the_files_that_it_refers_to(good, tmp_path):
    path = vrt(tmp_path / "imagery" / "all.vrt", "good.tif")
    before = catalogue(path).images["digest"].item()
    write_raster(good, noise(40, 40, seed=1))
    assert catalogue(path).images["digest"].item() != before


@pytest.mark.usefixtures("good")
def test_a_vrt_tells_which_of_its_files_are_missing(tmp_path):
    found = catalogue(vrt(tmp_path / "imagery" / "all.vrt", "good.tif", "lost.tif"))
    assert found.images["image_id"].tolist() == ["all"]
    assert reasons(found.entries) == ["all.vrt: it refers to lost.tif, which is not there"]
    with pytest.raises(LayerError, match="none of the files that it refers to is there"):
        catalogue(vrt(tmp_path / "imagery" / "none.vrt", "lost.tif"))


# ---- cover


def cover(points, *sources, tile_m=20.0):
    return cover_tiles(tiles_at(points, Tiles(tile_m=tile_m)), catalogue(*sources).images)


def ids(found):
    return [list(names) for names in found["image_ids"]]


def test_the_finest_mosaic_that_covers_a_tile_wholly_wins(tmp_path):
    coarse = write_raster(tmp_path / "coarse.tif", noise(50, 50), pixel=2)
    fine = write_raster(tmp_path / "fine.tif", noise(100, 100), pixel=0.5)
    found = cover([(WEST + 20, NORTH - 20), (WEST + 45, NORTH - 20), (WEST + 80, NORTH - 80)], coarse, fine)
    assert found["coverage"].tolist() == [1, 1, 1]
    assert ids(found) == [["fine", "coarse"], ["coarse", "fine"], ["coarse"]]


def test_a_sliver_that_is_missing_does_not_cost_the_finest_its_place(tmp_path):
    coarse = write_raster(tmp_path / "coarse.tif", noise(50, 50), pixel=2)
    fine = write_raster(tmp_path / "fine.tif", noise(100, 100), pixel=0.5)
    found = cover([(WEST + 40.01, NORTH - 20), (WEST + 40.1, NORTH - 20)], coarse, fine)
    assert ids(found) == [["fine", "coarse"], ["coarse", "fine"]]


def test_where_none_covers_a_tile_wholly_the_one_that_covers_most_wins(tmp_path):
    fine = write_raster(tmp_path / "fine.tif", noise(100, 100), pixel=0.5)
    coarse = write_raster(tmp_path / "coarse.tif", noise(29, 29), pixel=2)
    found = cover([(WEST + 52, NORTH - 20)], coarse, fine)
    assert found["coverage"].item() == pytest.approx(16 / 20)
    assert ids(found) == [["coarse", "fine"]]


def test_among_equals_the_finest_wins(tmp_path):
    fine = write_raster(tmp_path / "zz.tif", noise(100, 100), pixel=0.5)
    coarse = write_raster(tmp_path / "aa.tif", noise(50, 50), pixel=1)
    assert ids(cover([(WEST + 45, NORTH - 20)], coarse, fine)) == [["zz", "aa"]]


def test_a_tile_on_a_seam_is_covered_wholly_by_both_images_the_larger_share_first(tmp_path):
    left = write_raster(tmp_path / "left.tif", noise(40, 40))
    right = write_raster(tmp_path / "right.tif", noise(40, 40), west=WEST + 40)
    found = cover([(WEST + 42, NORTH - 20), (WEST + 38, NORTH - 20), (WEST + 40, NORTH - 20)], left, right)
    assert found["coverage"].tolist() == [1, 1, 1]
    assert ids(found) == [["right", "left"], ["left", "right"], ["left", "right"]]


def test_ground_that_two_images_show_counts_once(tmp_path):
    left = write_raster(tmp_path / "left.tif", noise(40, 40))
    right = write_raster(tmp_path / "right.tif", noise(40, 40), west=WEST + 5)
    found = cover([(WEST + 42, NORTH - 20)], left, right)
    assert found["coverage"].item() == pytest.approx(13 / 20)


def test_a_tile_without_imagery_has_no_coverage(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(40, 40))
    found = cover([(WEST - 500, NORTH), (WEST + 20, NORTH - 20), (WEST - 10, NORTH - 20)], path)
    assert found["coverage"].tolist() == [0, 1, 0]
    assert ids(found) == [[], ["a"], []]
    nowhere = cover([(WEST - 500, NORTH)], path)
    assert ids(nowhere) == [[]]


def test_cover_keeps_the_index_of_the_tiles(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(40, 40))
    tiles = tiles_at([(WEST + 20, NORTH - 20), (WEST - 500, NORTH)], Tiles(tile_m=20)).set_index(
        pd.Index([7, 3])
    )
    assert cover_tiles(tiles, catalogue(path).images)["coverage"].to_dict() == {7: 1.0, 3: 0.0}


def test_one_crs_in_two_wordings_and_nearly_equal_pixels_make_one_mosaic(tmp_path):
    write_raster(tmp_path / "a.tif", noise(8, 8))
    write_raster(tmp_path / "b.tif", noise(8, 8), crs=pyproj.CRS(CITY).to_wkt("WKT1_ESRI"))
    write_raster(tmp_path / "c.tif", noise(8, 8), pixel=1.0005)
    write_raster(tmp_path / "d.tif", noise(8, 8), pixel=1.01)
    write_raster(tmp_path / "e.tif", noise(8, 8), pixel=0.5)
    write_raster(tmp_path / "f.tif", noise(8, 8), west=330000, north=4690000, crs="EPSG:26919")
    images = catalogue(tmp_path).images
    assert images["crs"].nunique() >= 3
    numbers = dict(zip(images["image_id"], mosaics(images), strict=True))
    assert numbers["a"] == numbers["b"] == numbers["c"]
    assert numbers["e"] == 0
    assert len({numbers[name] for name in "adef"}) == 4


def test_neighbours_in_degrees_are_one_mosaic_although_their_ground_size_differs(tmp_path):
    for i, north in enumerate((42.0, 41.9)):
        write_raster(
            tmp_path / f"{i}.tif", noise(100, 50), west=-71, north=north, pixel=0.001, crs="EPSG:4326"
        )
    images = catalogue(tmp_path).images
    assert images["pixel_m"].max() / images["pixel_m"].min() > 1.0005
    assert mosaics(images).tolist() == [0, 0]


@needs_real_data
def test_masks_beside_real_imagery_do_no_harm():
    folder = DATA / "boston" / "imagery"
    assert totals(catalogue(folder).entries) == {"done": 4, "skipped": 0, "rejected": 0, "failed": 0}
    found = catalogue(folder / "*")
    assert totals(found.entries) == {"done": 4, "skipped": 0, "rejected": 4, "failed": 0}
    assert mosaics(found.images).tolist() == [0, 0, 0, 0]
