"""Tiles embedded from rasters, one by one and from ground mapped once: what has a vector, what has none, and why."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
import timm
import torch
from rasters import CITY, NORTH, WEST, catalogue, noise, tiles_at, write_raster

from geo.config import CityConfig
from geo.features.bands import BandStatistics
from geo.features.dense import Lattice
from geo.features.embed import chip_reach, embed_ground, embed_parts, embed_tiles
from geo.features.encoder import EncoderCard
from geo.features.registry import load_encoder, load_mapper
from geo.imagery.cover import cover_tiles
from geo.imagery.reading.reader import reach
from geo.ledger import merge

GROUND = noise(200, 200, seed=5)
CENTRES = [(WEST + x, NORTH - y) for x, y in ((30, 30), (100, 40), (50, 150), (170, 170), (196, 30))]


class MeansOfCells:
    """A map of two features: the mean of red, and of green, in cells of 4 pixels of 1 m."""

    card = EncoderCard(
        "toy", 2, None, None, ("red", "green", "blue"), (0.0, 255.0), (0.0,) * 3, (1.0,) * 3, "none", "here"
    )
    runtime = "numpy"
    side, stride, ground_m = 20, 4, 1.0
    kept_turns = 0
    lattice = Lattice(cell_m=4.0, cells=3, rim=1)

    def fit(self, chip):
        assert chip.pixels.shape[1:] == (20, 20)
        return chip

    def map(self, images):
        cells = images[:, :2].reshape(len(images), 2, 5, 4, 5, 4).mean(axis=(3, 5))
        return cells[:, :, 1:4, 1:4].astype(np.float32)


def city(**tiles):
    return CityConfig.model_validate(
        {
            "city": "x",
            "imagery": {"sources": ["a.tif"]},
            "roads": {"source": "r.gpkg"},
            "tiles": {"tile_m": 24, "align": "north", "min_coverage": 0.9, **tiles},
            "encoder": {"name": "bands", "batch_size": 2},
        }
    )


def scene(path, config, mask=None, *, damage=False):
    """Five tiles on a raster: the last one hangs over its edge."""
    write_raster(path, GROUND, mask=mask, tiled=True, blockxsize=64, blockysize=64, compress="deflate")
    if damage:
        # within the second block of the first row, which is under the second tile
        content = path.read_bytes()
        first, last = 13 * len(content) // 100, 15 * len(content) // 100
        path.write_bytes(content[:first] + bytes(last - first) + content[last:])
    images = catalogue(path).images
    tiles = tiles_at(CENTRES, config.tiles)
    return tiles.join(cover_tiles(tiles, images)), images


def by_parts(tiles, images, encoder, config):
    return embed_parts(
        tiles, images, encoder, config.imagery, config.tiles, batch_size=config.encoder.batch_size
    )


def together(parts):
    parts = list(parts)
    table = pa.concat_tables([rows for rows, _ in parts]).to_pandas().set_index("tile_id").sort_index()
    entries = merge([entry for _, fate in parts for entry in fate])
    return table, {(e.item, e.status): e.count for e in entries if e.count}, parts


def pixels_under(centre, half=12):
    column, row = round(centre[0] - WEST), round(NORTH - centre[1])
    return GROUND[:, row - half : row + half, column - half : column + half]


def test_a_tile_has_the_vector_of_the_pixels_under_it_and_one_over_the_edge_has_none(tmp_path):
    config = city()
    tiles, images = scene(tmp_path / "a.tif", config)
    table, fates, parts = together(by_parts(tiles, images, BandStatistics(), config))
    for name, centre in zip(tiles["tile_id"][:4], CENTRES, strict=False):
        own = pixels_under(centre)
        expected = BandStatistics().encode([own], [np.ones(own.shape[1:], dtype=bool)])[0]
        np.testing.assert_array_equal(table.loc[name, "embedding"], expected)
        np.testing.assert_array_equal(table.loc[name, "bands"], expected)
    assert table["embedding"].isna().tolist() == [False] * 4 + [True]
    assert table["coverage"].iloc[-1] == pytest.approx(16 / 24, abs=0.02)
    assert fates == {("tiles", "done"): 4, ("tiles", "skipped"): 1}
    # three batches of at most two
    assert [rows.num_rows for rows, _ in parts] == [2, 2, 1]


def test_ground_without_data_counts_as_not_covered(tmp_path):
    config = city()
    mask = np.full((200, 200), 255, dtype=np.uint8)
    mask[:60, :60] = 0
    tiles, images = scene(tmp_path / "a.tif", config, mask)
    table, fates, _ = together(by_parts(tiles, images, BandStatistics(), config))
    assert table["embedding"].isna().tolist() == [True, False, False, False, True]
    assert table["coverage"].iloc[0] == 0
    assert fates == {("tiles", "done"): 3, ("tiles", "skipped"): 2}


def test_a_tile_on_a_damaged_part_of_a_raster_has_no_row_and_a_reason(tmp_path):
    config = city()
    tiles, images = scene(tmp_path / "a.tif", config, damage=True)
    table, fates, parts = together(by_parts(tiles, images, BandStatistics(), config))
    assert table.index.tolist() == ["t0000", "t0002", "t0003", "t0004"]
    assert fates == {("tiles", "done"): 3, ("tiles", "skipped"): 1, ("tiles", "failed"): 1}
    (failed,) = (e for _, fate in parts for e in fate if e.status == "failed")
    assert failed.reason


def test_what_is_not_used_up_ends_with_its_reading(tmp_path):
    config = city()
    tiles, images = scene(tmp_path / "a.tif", config)
    parts = by_parts(tiles, images, BandStatistics(), config)
    next(parts)
    parts.close()
    with pytest.raises(StopIteration):
        next(parts)


def test_ground_mapped_once_gives_each_tile_the_mean_of_its_cells(tmp_path):
    config = city(mode="dense", min_coverage=0.5)
    tiles, images = scene(tmp_path / "a.tif", config)
    table, fates, parts = together(embed_ground(tiles, images, MeansOfCells(), config))
    assert len(table) == len(tiles)
    assert fates[("tiles", "done")] == 5
    # rows come at the end, when all chips of a tile are there
    assert [rows.num_rows for rows, _ in parts[:-1]] == [0] * (len(parts) - 1)
    # this tile's sides lie on those of cells
    own = pixels_under(CENTRES[1])[:2].mean(axis=(1, 2))
    np.testing.assert_allclose(table.loc["t0001", "embedding"], own, rtol=1e-5)
    assert table["coverage"].iloc[:4].tolist() == [1, 1, 1, 1]
    assert table["coverage"].iloc[4] == pytest.approx(16 / 24)


def test_along_a_corridor_only_the_road_s_own_ground_counts(tmp_path):
    config = city(mode="dense", pool="corridor", corridor_m=8, min_coverage=0.5)
    tiles, images = scene(tmp_path / "a.tif", config)
    x, y = CENTRES[1]
    tiles = tiles.assign(segment_id="road").iloc[[1]].reset_index(drop=True)
    lines = gpd.GeoSeries([shapely.LineString([(x - 50, y), (x + 50, y)])], index=["road"], crs=CITY)
    table, _, _ = together(embed_ground(tiles, images, MeansOfCells(), config, lines=lines))
    strip = pixels_under((x, y))[:2, 8:16].mean(axis=(1, 2))
    np.testing.assert_allclose(table["embedding"].iloc[0], strip, rtol=1e-5)


def test_chips_reach_farther_than_tiles():
    tiles = city().tiles
    wkt = gpd.GeoSeries(crs=CITY).crs.to_wkt()
    upright = pd.DataFrame({"crs": [wkt]})
    turned = pd.DataFrame({"crs": [wkt, gpd.GeoSeries(crs=27700).crs.to_wkt()]})
    crs = gpd.GeoSeries(crs=CITY).crs
    near, far = (chip_reach(images, crs, MeansOfCells(), tiles) for images in (upright, turned))
    assert near == reach(tiles) + 20
    # in another CRS chips are turned, and reach to their corners
    assert far == pytest.approx(reach(tiles) + 20 * np.sqrt(2))


@pytest.mark.parametrize(
    ("values", "dtype"), [("raster", "uint16"), ("raster", "float32"), ("8bit", "uint16")]
)
def test_a_network_of_four_bands_embeds_deep_imagery_alone_and_from_ground_mapped_once(
    tmp_path, values, dtype
):
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=0, in_chans=4)
    torch.save(network.state_dict(), tmp_path / "rgbn.pth")
    factor = 1e-4 if dtype == "float32" else 1
    ground = (noise(200, 200, bands=4, dtype="uint16") * factor).astype(dtype)
    scale = [0, 4000 * factor]
    figure = 2000 * factor if values == "raster" else 127.5
    own = {"architecture": "test_resnet", "mean": [figure] * 4, "std": [figure / 2] * 4, "values": values}
    found = {}
    for mode in ("tile", "dense"):
        config = CityConfig.model_validate(
            {
                "city": "x",
                "imagery": {"sources": ["a.tif"], "bands": [1, 2, 3, 4], "scale": scale},
                "roads": {"source": "r.gpkg"},
                "tiles": {"tile_m": 64, "mode": mode},
                "encoder": {"name": f"file:{tmp_path / 'rgbn.pth'}", "input_px": 64, **own},
            }
        )
        images = catalogue(write_raster(tmp_path / "a.tif", ground), bands=[1, 2, 3, 4], scale=scale).images
        tiles = tiles_at([(WEST + 100, NORTH - 100), (WEST + 60, NORTH - 130)], config.tiles)
        tiles = tiles.join(cover_tiles(tiles, images))
        bands = config.imagery.bands
        if mode == "dense":
            mapper = load_mapper(config.encoder, config.tiles, bands=bands)
            table, fates, _ = together(embed_ground(tiles, images, mapper, config))
        else:
            encoder = load_encoder(config.encoder, tile_m=64, bands=bands)
            table, fates, _ = together(by_parts(tiles, images, encoder, config))
        assert fates[("tiles", "done")] == 2
        found[mode] = {name: np.stack(table[name].tolist()) for name in ("embedding", "bands")}
    shown = np.clip(ground[:, 68:132, 68:132] / scale[1], 0, 1).mean(axis=(1, 2))
    for each in found.values():
        np.testing.assert_allclose(each["bands"][0].reshape(4, 7)[:, 0], shown, atol=0.02)
    alone, mapped = found["tile"]["embedding"], found["dense"]["embedding"]
    assert alone.std() > 0.01
    cosine = (alone * mapped).sum(1) / np.linalg.norm(alone, axis=1) / np.linalg.norm(mapped, axis=1)
    assert cosine.min() > 0.9


def test_a_table_of_tiles_is_that_of_the_parts_with_the_place_of_each(tmp_path):
    config = city()
    tiles, images = scene(tmp_path / "a.tif", config)
    tiles = tiles.assign(segment_id="a", position_m=np.arange(len(tiles), dtype=float))
    parts, _, _ = together(by_parts(tiles, images, BandStatistics(), config))
    table = embed_tiles(tiles, images, BandStatistics(), config.imagery, config.tiles)
    assert table["tile_id"].tolist() == parts.index.tolist()
    assert table["position_m"].tolist() == tiles["position_m"].tolist()
    for name in ("embedding", "bands"):
        whole = parts[name].notna().to_numpy()
        assert table[name].notna().tolist() == whole.tolist()
        np.testing.assert_array_equal(np.stack(table[name][whole]), np.stack(parts[name][whole]))
