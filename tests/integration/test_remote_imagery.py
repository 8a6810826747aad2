"""Imagery behind HTTP gives what the same files give, as few bytes as that takes, and one message when it is gone."""

import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import yaml
from affine import Affine
from quick import QUICK
from range_server import Sent, serving
from rasterio.shutil import copy

import geo.imagery.remote
from geo.config import Imagery, Tiles
from geo.errors import SourceError
from geo.imagery.catalogue import open_catalogue
from geo.imagery.reading.reader import TileFailure, TileImage, TileReader

TOKEN = "let-me-in"  # noqa: S105
SIDE, PIXEL_M, BLOCK = 2048, 0.25, 256
CRS = "EPSG:27700"
IMAGERY = Imagery(sources=["none.tif"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One cloud-optimised GeoTIFF with overviews, half a kilometre wide."""
    place = tmp_path_factory.mktemp("cogs")
    rng = np.random.default_rng(7)
    pixels = np.kron(
        rng.integers(0, 255, (3, SIDE // 8, SIDE // 8), dtype=np.uint8), np.ones((8, 8), np.uint8)
    )
    transform = Affine(PIXEL_M, 0, 412000, 0, -PIXEL_M, 273512)
    profile = {"driver": "GTiff", "width": SIDE, "height": SIDE, "count": 3, "dtype": "uint8"}
    with rasterio.open(place / "plain.tif", "w", **profile, crs=CRS, transform=transform) as raster:
        raster.write(pixels)
    copy(str(place / "plain.tif"), str(place / "town.tif"), driver="COG", compress="JPEG", blocksize=BLOCK)
    (place / "plain.tif").unlink()
    return place


@pytest.fixture
def impatient(monkeypatch):
    """Ask again soon."""
    monkeypatch.setattr(geo.imagery.remote, "WAITS_S", (0.05, 0.05, 0.05))
    monkeypatch.setenv("GDAL_HTTP_RETRY_DELAY", "0.05")


def tiles_of(n):
    """Tiles in a row, as of a straight road."""
    x = 412040 + 25.0 * np.arange(n)
    frame = pd.DataFrame({"tile_id": [f"t{i:02d}" for i in range(n)], "x": x, "y": 273300.0, "bearing": 0.0})
    frame["image_ids"] = [["town"]] * n
    return frame


def read(source, n=8):
    """Read tiles of a source of imagery."""
    images = open_catalogue(Imagery(sources=[source]), rasterio_crs()).images
    with TileReader(images, IMAGERY, Tiles(tile_m=50)) as reader:
        return list(reader.read(tiles_of(n).assign(image_ids=[[images["image_id"][0]]] * n)))


def rasterio_crs():
    return gpd.GeoSeries([], crs=CRS).crs


def pixels(read_tiles):
    assert all(isinstance(tile, TileImage) for tile in read_tiles), read_tiles
    return np.stack([tile.pixels for tile in read_tiles])


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("fault", "times"), [("", 0), ("unavailable", 2), ("cut", 1), ("cut", 2)])
def test_a_server_that_fails_now_and_then_gives_the_same_pixels(folder, fault, times):
    expected = pixels(read(str(folder / "town.tif")))
    with serving(folder, {TOKEN}, fault=fault, times=times) as (address, _):
        found = pixels(read(f"/vsicurl/{address}/town.tif?token={TOKEN}"))
    np.testing.assert_array_equal(found, expected)


def test_no_more_is_fetched_than_the_blocks_that_tiles_need(folder, tmp_path):
    """A tile of 50 m is 200 x 200 pixels: eight of them, 25 m apart, lie on 225 x 50 m."""
    log = tmp_path / "sent"
    with serving(folder, {TOKEN}, log=log) as (address, _):
        read(f"/vsicurl/{address}/town.tif?token={TOKEN}")
        sent = Sent(log).lines()
    with rasterio.open(folder / "town.tif") as raster:
        columns = range(int(15 / PIXEL_M) // BLOCK, int((40 + 7 * 25 + 25) / PIXEL_M) // BLOCK + 1)
        rows = range(int((212 - 25) / PIXEL_M) // BLOCK, int((212 + 25) / PIXEL_M) // BLOCK + 1)
        needed = sum(block_bytes(raster, c, r) for c in columns for r in rows)
    total = sum(size for size, _ in sent)
    # the header is 32 KB, a look at the corners 16 KB, and what is fetched is rounded up to 16 KB
    assert needed <= total <= 2 * needed + 80 * 1024, (total, needed)
    assert total < (folder / "town.tif").stat().st_size / 2
    assert not [path for _, path in sent if path.endswith("/")], "the folder was listed"


def block_bytes(raster, column, row):
    return int(raster.get_tag_item(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=1))


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_gone_ends_the_reading_with_one_message(folder, monkeypatch):
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "1")
    with serving(folder, {TOKEN}) as (address, _):
        source = f"/vsicurl/{address}/town.tif?token={TOKEN}"
        images = open_catalogue(Imagery(sources=[source]), rasterio_crs()).images
        tiles = tiles_of(8).assign(image_ids=[[images["image_id"][0]]] * 8)
        with TileReader(images, IMAGERY, Tiles(tile_m=50)) as reader:
            some = reader.read(tiles.iloc[:1])
            assert isinstance(next(some), TileImage)
    far = tiles_of(1).assign(x=412400.0, y=273100.0, image_ids=[[images["image_id"][0]]])
    with (
        TileReader(images, IMAGERY, Tiles(tile_m=50)) as reader,
        pytest.raises(SourceError, match="cannot be reached") as told,
    ):
        list(reader.read(far))
    assert TOKEN not in str(told.value)


@pytest.mark.usefixtures("impatient")
def test_a_remote_file_that_is_damaged_is_not_a_server_that_is_gone(folder, tmp_path):
    whole = (folder / "town.tif").read_bytes()
    with rasterio.open(folder / "town.tif") as raster:
        # the block from 192 m to 256 m east, in which the last two tiles lie
        at, size = (
            int(raster.get_tag_item(f"BLOCK_{what}_3_3", "TIFF", bidx=1)) for what in ("OFFSET", "SIZE")
        )
    (tmp_path / "town.tif").write_bytes(whole[:at] + bytes(size) + whole[at + size :])
    with serving(tmp_path, {TOKEN}) as (address, _):
        found = read(f"/vsicurl/{address}/town.tif?token={TOKEN}")
    np.testing.assert_array_equal(pixels(found[:6]), pixels(read(str(folder / "town.tif"), 6)))
    assert [tile.tile_id for tile in found[6:] if isinstance(tile, TileFailure)] == ["t06", "t07"]
    assert all("damaged" in tile.reason for tile in found[6:])


def test_a_raster_that_is_not_there_is_told_at_once(folder, monkeypatch):
    # who would wait for so long fails
    monkeypatch.setattr(geo.imagery.remote, "WAITS_S", (float("nan"),) * 3)
    with serving(folder, {TOKEN}) as (address, _), pytest.raises(SourceError, match="404"):
        read(f"/vsicurl/{address}/none.tif?token={TOKEN}")


def test_a_run_reads_the_same_from_a_server_that_is_busy(quick, town, tmp_path, call, monkeypatch):
    monkeypatch.setenv("GDAL_HTTP_RETRY_DELAY", "0.05")
    settings = yaml.safe_load(town.city.read_text())
    names = sorted(path.name for path in (town.folder / "imagery").glob("*.tif"))
    with serving(town.folder / "imagery", {TOKEN}, fault="unavailable", times=1) as (address, _):
        settings["imagery"]["sources"] = [f"{address}/{name}?token={TOKEN}" for name in names]
        shutil.copytree(town.folder, tmp_path / "town", ignore=shutil.ignore_patterns("imagery"))
        (tmp_path / "town" / "city.yaml").write_text(yaml.safe_dump(settings))
        remote = call("run", tmp_path / "town" / "city.yaml", "--out", tmp_path / "remote", *QUICK)
    assert remote.code == 0, remote.err
    layers = [runs / "demo-town" / "latest" / "layers" for runs in (quick, tmp_path / "remote")]
    segments = [gpd.read_parquet(layer / "segments.parquet") for layer in layers]
    pd.testing.assert_frame_equal(*segments)
