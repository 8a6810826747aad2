"""What sources of imagery lead to: pictures with world files, archives, map services, kinds that are not read."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
from rasterio.shutil import copy as copy_raster
from rasters import CITY, NORTH, WEST, noise, read_tile, write_raster

from geo.config import Imagery, Tiles
from geo.errors import ConfigurationError, LayerError, SourceError
from geo.imagery.catalogue import open_catalogue
from geo.imagery.sources import expand_sources, places_in, why_missing
from geo.sources.digest import digest_source

SCENE = noise(40, 40)
WHOLE = Tiles(tile_m=40)
MIDDLE = WEST + 20, NORTH - 20
GROUND = [WEST, NORTH - 40, WEST + 40, NORTH]


def opened(*sources, **settings):
    return open_catalogue(Imagery(sources=[str(s) for s in sources], **settings), pyproj.CRS(CITY))


def reasons(found):
    return [entry.reason for entry in found.entries if entry.status == "rejected"]


@pytest.fixture
def picture(tmp_path):
    """Write the scene as PNG, with a world file: 1 m, the middle of the first pixel."""
    (tmp_path / "there").mkdir()
    path = tmp_path / "there" / "town.png"
    place = rasterio.Affine(1, 0, WEST, 0, -1, NORTH)
    made = {"width": 40, "height": 40, "count": 3, "dtype": "uint8", "transform": place}
    with rasterio.open(path, "w", driver="PNG", worldfile="yes", **made) as raster:
        raster.write(SCENE)
    Path(f"{path}.aux.xml").unlink(missing_ok=True)
    assert path.with_suffix(".wld").is_file()
    path.with_suffix(".wld").rename(path.with_suffix(".pgw"))
    return path


def test_a_picture_with_a_world_file_is_read_in_the_crs_that_the_key_says(picture):
    with pytest.raises(LayerError, match=r"states no CRS: say in imagery\.crs which one it has"):
        opened(picture)
    images = opened(picture, crs=CITY).images
    assert images.total_bounds.tolist() == GROUND
    assert np.array_equal(read_tile(MIDDLE, images=images, tiles=WHOLE).pixels, SCENE)


def test_the_crs_of_a_picture_need_not_be_that_of_the_city(picture):
    lon, lat = pyproj.Transformer.from_crs(CITY, 4326, always_xy=True).transform(*MIDDLE)
    picture.with_suffix(".pgw").write_text(f"1e-5\n0\n0\n-1e-5\n{lon - 19.5e-5}\n{lat + 19.5e-5}\n")
    found = opened(picture, crs="EPSG:4326").images.geometry.item()
    assert found.centroid.x == pytest.approx(MIDDLE[0], abs=0.01)
    assert found.centroid.y == pytest.approx(MIDDLE[1], abs=0.01)


def test_a_picture_that_lost_its_world_file_is_refused_with_its_name(picture):
    picture.with_suffix(".pgw").unlink()
    with pytest.raises(
        LayerError, match=r"no place on the ground .* no world file such as town\.pgw is beside"
    ):
        opened(picture, crs=CITY)


def test_the_crs_that_a_raster_states_stands_before_the_key(tmp_path):
    path = write_raster(tmp_path / "a.tif", SCENE)
    assert opened(path, crs="EPSG:27700").images.total_bounds.tolist() == GROUND


def test_a_crs_that_is_none_is_refused_by_its_key(picture):
    with pytest.raises(ConfigurationError, match=r"'EPSG:0' is no CRS") as caught:
        opened(picture, crs="EPSG:0")
    assert caught.value.where == "imagery.crs"


def test_a_folder_of_pictures_alone_holds_those_with_a_world_file(picture):
    shutil.copy(picture, picture.with_name("preview.png"))
    folder = picture.parent
    assert expand_sources([str(folder)]) == [str(picture)]
    raster = write_raster(folder / "a.tif", SCENE)
    assert expand_sources([str(folder)]) == [raster]


def test_a_folder_without_imagery_says_what_it_holds_in_place_of_it(picture):
    picture.with_suffix(".pgw").unlink()
    assert why_missing(str(picture.parent)).endswith(
        "; of 1 .png those that are imagery are named by a glob such as there/*.png"
    )


def archive(path, *files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for file in files:
            made.write(file, f"deeper/{file.name}")
        made.writestr("__MACOSX/deeper/._a.tif", b"")
        made.writestr("readme.txt", b"")
    return path


def test_rasters_in_an_archive_are_read_where_they_are(tmp_path, picture):
    raster = Path(write_raster(tmp_path / "a.tif", SCENE))
    packed = archive(tmp_path / "all of it.ZIP", raster)
    raster.unlink()
    images = opened(packed).images
    assert images["image_id"].tolist() == ["a"]
    assert np.array_equal(read_tile(MIDDLE, images=images, tiles=WHOLE).pixels, SCENE)
    pictures = archive(tmp_path / "pictures.zip", picture, picture.with_suffix(".pgw"))
    images = opened(tmp_path / "pict*.zip", crs=CITY).images
    assert images["path"].tolist() == [f"/vsizip/{pictures}/deeper/town.png"]
    assert np.array_equal(read_tile(MIDDLE, images=images, tiles=WHOLE).pixels, SCENE)


def test_an_archive_that_changed_has_another_digest(tmp_path):
    path = tmp_path / "all.zip"
    archive(path, Path(write_raster(tmp_path / "a.tif", SCENE)))
    (inner,) = expand_sources([str(path)])
    before = digest_source(inner)
    archive(path, Path(write_raster(tmp_path / "a.tif", SCENE[::-1])))
    assert digest_source(inner) != before


def test_an_archive_without_imagery_says_so(tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"PK")
    for path in (archive(tmp_path / "empty.zip"), tmp_path / "broken.zip"):
        with pytest.raises(SourceError, match=rf"{path.name}: the archive holds no raster"):
            opened(path)
    (tmp_path / "a.tar.gz").write_bytes(b"")
    assert why_missing(str(tmp_path / "a.tar.gz")) == "unpack it, and give what it holds"


@pytest.mark.parametrize(
    "address",
    [
        "https://tile.example.org/{z}/{x}/{y}.png",
        "https://tile.example.org/{z}/{x}/{-y}.png",
        "https://ecn.example.org/tiles/a{q}.jpeg?g=1",
        "https://maps.example.org/ows?SERVICE=WMS&request=GetCapabilities",
        "WMS:https://maps.example.org/ows?layers=ortho",
        "https://maps.example.org/geoserver/wms",
        "https://maps.example.org/wmts/1.0.0/WMTSCapabilities.xml",
        "https://gis.example.org/arcgis/rest/services/Ortho/ImageServer",
        "type=xyz&url=https://tile.example.org/%7Bz%7D",
        "tiles/{z}/{x}/{y}.png",
    ],
)
def test_a_map_service_is_refused_with_what_to_do(address):
    with pytest.raises(SourceError, match="save the city's extent as a GeoTIFF once"):
        opened(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/a.tif",
        "https://example.org/${KEY}/wms_ortho.tif",
        "/vsis3/bucket/a.tif",
        "https://example.org/${z}.tif",
    ],
)
def test_other_addresses_are_no_map_services(address):
    assert why_missing(address) is None


def test_a_file_that_describes_a_map_service_is_refused_as_one(tmp_path):
    path = tmp_path / "service.xml"
    path.write_text(
        "<GDAL_WMS><Service name='TMS'><ServerUrl>http://127.0.0.1:9/${z}/${x}/${y}.png</ServerUrl></Service>"
        "<DataWindow><UpperLeftX>-20037508.34</UpperLeftX><UpperLeftY>20037508.34</UpperLeftY><LowerRightX>20037508.34"
        "</LowerRightX><LowerRightY>-20037508.34</LowerRightY><TileLevel>18</TileLevel><TileCountX>1</TileCountX>"
        "<TileCountY>1</TileCountY><YOrigin>top</YOrigin></DataWindow><Projection>EPSG:3857</Projection>"
        "<BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY><BandsCount>3</BandsCount></GDAL_WMS>"
    )
    with pytest.raises(LayerError, match=r"it is a map service \(WMS\)"):
        opened(path)


@pytest.mark.parametrize(("name", "kind"), [("town.ecw", "ECW"), ("TOWN.SID", "MrSID")])
def test_kinds_that_others_own_are_told_with_what_converts_them(tmp_path, name, kind):
    good = write_raster(tmp_path / "good.tif", SCENE)
    (tmp_path / name).write_bytes(b"msid" * 99)
    found = opened(tmp_path)
    assert found.images["path"].tolist() == [good]
    assert f"cannot read {kind}: convert it where GDAL can" in reasons(found)[0]
    assert f"gdal_translate -of COG {name}" in reasons(found)[0]


def test_deep_jpeg_2000_is_read(tmp_path):
    deep = noise(64, 64, dtype="uint16")
    plain = write_raster(tmp_path / "a.tif", deep)
    path = tmp_path / "a.jp2"
    copy_raster(plain, path, driver="JP2OpenJPEG", QUALITY="100", REVERSIBLE="YES")
    images = opened(path, scale=(0, 65_535)).images
    tile = read_tile((WEST + 32, NORTH - 32), images=images, tiles=Tiles(tile_m=64), own_values=True)
    assert tile.pixels.dtype == np.uint16
    assert np.array_equal(tile.pixels, deep)


def test_sources_keep_their_order_and_a_raster_its_first_place(tmp_path):
    one, two = (write_raster(tmp_path / f"{name}.tif", SCENE) for name in ("one", "two"))
    assert places_in([two, str(tmp_path / "*.tif"), "https://example.org/a.tif"]) == {
        two: 0,
        one: 1,
        "https://example.org/a.tif": 2,
    }
