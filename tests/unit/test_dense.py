"""Ground encoded once, and tiles pooled from it."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st
from rasters import noise

from geo.config import Tiles, encoder_settings
from geo.errors import EncoderError
from geo.features.bands import BandStatistics
from geo.features.dense import Lattice, Pool, corridors
from geo.features.encoder import EncoderCard
from geo.features.encoders.bundled import Bundled
from geo.features.mapper import ModelMapper, feature_map
from geo.features.model import ModelEncoder
from geo.features.registry import load_mapper
from geo.imagery.reading.reader import TileImage

CARD = EncoderCard(
    name="toy",
    dimension=2,
    input_px=None,
    pixel_m=None,
    bands=("red", "green", "blue"),
    value_range=(0.0, 255.0),
    mean=(127.0,) * 3,
    std=(128.0,) * 3,
    licence="none",
    source="here",
)


class ToyMapper:
    """A map of two features: the mean of red, and of green, in cells of 4 pixels of 1 m."""

    card = CARD
    runtime = "toy"
    side, stride, ground_m = 20, 4, 1.0
    kept_turns = 0
    lattice = Lattice(cell_m=4.0, cells=3, rim=1)

    def fit(self, chip):
        return chip

    def map(self, images):
        cells = images[:, :2].reshape(len(images), 2, 5, 4, 5, 4).mean(axis=(3, 5))
        return cells[:, :, 1:4, 1:4].astype(np.float32)


TOY = ToyMapper()
GROUND = noise(800, 800, seed=3)
"""One pixel a metre, its upper left corner at (-400, 400)."""


def chip_at(row, valid=None):
    """Cut a chip with its rim out of the ground."""
    left, top = round(row.x - 10 + 400), round(400 - (row.y + 10))
    pixels = GROUND[:, top : top + 20, left : left + 20]
    everywhere = np.ones((20, 20), dtype=bool)
    shown = everywhere if valid is None else valid[top : top + 20, left : left + 20]
    return TileImage(row.tile_id, np.where(shown, pixels, 0), shown, "a;b", float(shown.mean()))


def pooled(shapes, squares=None, valid=None):
    shapes = np.array(shapes, dtype=object)
    pool = Pool(shapes, shapes if squares is None else np.array(squares, dtype=object), TOY)
    for row in pool.chips.itertuples():
        chip = chip_at(row, valid)
        pool.add(chip, TOY.map(chip.pixels[None])[0])
    return pool


places = st.integers(-60, 60)


@given(st.lists(st.tuples(places, places, st.integers(1, 10)), min_size=1, max_size=5))
def test_a_square_on_the_cells_gets_the_mean_of_its_pixels(squares):
    boxes = [shapely.box(4 * x, 4 * y, 4 * (x + n), 4 * (y + n)) for x, y, n in squares]
    found = pooled(boxes)
    for box, embedding in zip(boxes, found.embeddings(), strict=True):
        left, low, right, high = (round(v) for v in box.bounds)
        mine = GROUND[:2, 400 - high : 400 - low, left + 400 : right + 400]
        np.testing.assert_allclose(embedding, mine.mean(axis=(1, 2)), rtol=1e-5)
    assert (found.coverage() == 1).all()


def test_cells_count_by_the_area_that_they_share_with_a_shape():
    # half of one cell and a quarter of its neighbour to the east
    shape = shapely.union_all([shapely.box(0, 0, 4, 2), shapely.box(4, 0, 6, 2)])
    found = pooled([shape]).embeddings()[0]
    cells = [GROUND[:2, 396:400, 400 + c : 404 + c].mean(axis=(1, 2)) for c in (0, 4)]
    np.testing.assert_allclose(found, (cells[0] * 8 + cells[1] * 4) / 12, rtol=1e-5)


def test_a_turned_square_weighs_cells_by_their_part_in_it():
    diamond = shapely.Polygon([(0, -8), (8, 0), (0, 8), (-8, 0)])
    found = pooled([diamond]).embeddings()[0]
    cells = {
        (c, r): GROUND[:2, 400 - 4 * r - 4 : 400 - 4 * r, 400 + 4 * c : 404 + 4 * c].mean(axis=(1, 2))
        for c in range(-2, 2)
        for r in range(-2, 2)
    }
    share = {
        key: diamond.intersection(shapely.box(4 * key[0], 4 * key[1], 4 * key[0] + 4, 4 * key[1] + 4)).area
        for key in cells
    }
    expected = sum(share[key] * cells[key] for key in cells) / diamond.area
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_ground_without_data_gives_nothing_and_is_missing_in_the_coverage():
    valid = np.ones((800, 800), dtype=bool)
    valid[:, 404:] = False  # east of x = 4
    found = pooled([shapely.box(0, 0, 8, 4), shapely.box(8, 0, 12, 4)], valid=valid)
    np.testing.assert_allclose(
        found.embeddings()[0], GROUND[:2, 396:400, 400:404].mean(axis=(1, 2)), rtol=1e-5
    )
    assert np.isnan(found.embeddings()[1]).all()
    assert found.coverage().tolist() == [0.5, 0.0]
    assert found.sources([["b", "c"], ["a"]]) == ["b", ""]


def test_the_baseline_sees_the_same_pixels():
    box = shapely.box(-8, 4, 12, 16)
    mine = GROUND[:, 400 - 16 : 400 - 4, 392:412]
    alone = BandStatistics().encode([mine], [np.ones(mine.shape[1:], dtype=bool)])
    np.testing.assert_allclose(pooled([box]).bands(), alone, atol=1e-6)


def test_the_baseline_of_own_values_sees_what_the_scale_makes_of_them():
    class Deep(ToyMapper):
        card = EncoderCard(
            **CARD.as_dict()
            | {
                "bands": ("red", "green", "blue", "nir"),
                "value_range": None,
                "mean": (0.0,) * 4,
                "std": (1.0,) * 4,
            }
        )

    deep, scale = Deep(), (1000.0, 52_000.0)
    box = np.array([shapely.box(0, 0, 12, 12)], dtype=object)
    own = np.random.default_rng(4).integers(0, 60_000, (4, 20, 20)).astype(np.float32)
    everywhere = np.ones((20, 20), dtype=bool)
    pool = Pool(box, box, deep, scale)
    assert len(pool.chips) == 1
    pool.add(TileImage("0_0", own, everywhere, "a", 1.0), deep.map(own[None])[0])
    shown = np.rint(np.clip((own - 1000) / 200, 0, 255)).astype(np.uint8)[:, 4:16, 4:16]
    four = BandStatistics(("red", "green", "blue", "nir"))
    np.testing.assert_allclose(pool.bands(), four.encode([shown], [everywhere[:12, :12]]), atol=1e-6)


def test_a_tile_does_not_depend_on_what_else_is_pooled():
    box = shapely.box(1, 2, 31, 32)
    others = [shapely.box(x, y, x + 25, y + 25) for x, y in ((-50, -50), (20, 10), (100, 150))]
    np.testing.assert_array_equal(pooled([box]).embeddings()[0], pooled([*others, box]).embeddings()[-1])


def test_a_chip_that_cannot_be_read_is_told_of_the_tiles_that_need_it():
    pool = Pool(
        *(2 * [np.array([shapely.box(0, 0, 4, 4), shapely.box(100, 100, 104, 104)], dtype=object)]), TOY
    )
    pool.miss(pool.chips["tile_id"].iloc[0], "it is damaged")
    assert pool.faults().tolist() == ["it is damaged", ""]


def test_chips_are_those_of_a_fixed_lattice_and_only_the_needed_ones():
    lattice = Lattice(cell_m=4.0, cells=3, rim=1)
    chips = lattice.chips(
        np.array([shapely.box(-1, -1, 12, 1), shapely.Point(30, 30).buffer(1)], dtype=object)
    )
    # 12 is where the second chip begins: touched alone, it is not needed
    assert chips["tile_id"].tolist() == ["-1_-1", "0_-1", "-1_0", "0_0", "2_2"]
    assert chips[["x", "y"]].iloc[-1].tolist() == [30, 30]
    assert (lattice.chip_m, lattice.shown_m) == (12, 20)


def test_a_corridor_is_the_road_with_its_sides_inside_the_tile():
    squares = np.array([shapely.box(0, 0, 10, 10)] * 3, dtype=object)
    lines = np.array(
        [
            shapely.LineString([(-5, 5), (20, 5)]),
            shapely.LineString([(2, 5), (8, 5)]),
            shapely.LineString([(50, 50), (60, 50)]),
        ],
        dtype=object,
    )
    assert shapely.area(corridors(squares, lines, 4.0)).tolist() == [40, 24, 100]


# ---- models


def test_the_bundled_model_maps_a_chip_as_it_embeds_an_image():
    settings = Bundled(rotations=4)
    shape = Tiles(mode="dense", context_m=0, tile_m=100)
    mapper = ModelMapper(*Bundled().load_model(), settings, shape)
    assert (mapper.stride, mapper.lattice.rim, mapper.side) == (32, 0, 192)
    assert mapper.lattice.chip_m == pytest.approx(100)
    alone = ModelEncoder(*Bundled().load_model(), settings, tile_m=100)
    image = noise(192, 192)
    found = mapper.map(mapper.fit(TileImage("c", image, np.ones((192, 192), bool), "a", 1.0)).pixels[None])
    expected = alone.encode([image], [np.ones((192, 192), dtype=bool)])
    np.testing.assert_allclose(found.mean(axis=(2, 3)), expected, rtol=1e-3, atol=1e-4)


def test_a_model_of_four_bands_of_own_values_maps_a_chip_as_it_embeds_an_image():
    module = timm.create_model("test_resnet", num_classes=0, in_chans=4)
    figures = {"bands": ("red", "green", "blue", "nir"), "mean": (4000.0,) * 4, "std": (1500.0,) * 4}
    card = EncoderCard(
        **CARD.as_dict() | figures | {"dimension": module.num_features, "value_range": None, "input_px": 96}
    )
    settings, shape = Bundled(), Tiles(mode="dense", context_m=0, tile_m=48)
    mapper = ModelMapper(module, card, settings, shape)
    image = noise(mapper.side, mapper.side, bands=4, dtype="uint16")
    valid = np.ones(image.shape[1:], dtype=bool)
    valid[:40, :40] = False
    chip = mapper.fit(TileImage("c", image, valid, "a", 1.0))
    assert chip.pixels.dtype == np.float32
    whole = ModelEncoder(module, replace(card, input_px=mapper.side), settings, tile_m=48)
    expected = whole.encode([image], [valid])
    np.testing.assert_allclose(
        mapper.map(chip.pixels[None]).mean(axis=(2, 3)), expected, rtol=1e-3, atol=1e-3
    )


def test_the_rim_covers_the_context_asked_for():
    for context, rim in ((0, 0), (1, 1), (16, 1), (17, 2), (50, 3)):
        shape = Tiles(mode="dense", context_m=context)
        mapper = ModelMapper(*Bundled().load_model(), Bundled(runtime="torch", rotations=1), shape)
        assert mapper.lattice.rim == rim
        assert mapper.lattice.rim * mapper.lattice.cell_m >= context


def test_a_chip_is_brought_to_the_models_resolution_and_filled():
    shape = Tiles(mode="dense", context_m=0)
    mapper = ModelMapper(*Bundled().load_model(), Bundled(runtime="torch", rotations=1), shape)
    valid = np.ones((300, 300), dtype=bool)
    valid[:, 150:] = False
    chip = TileImage("c", np.where(valid, 200, 0).astype(np.uint8)[None].repeat(3, 0), valid, "a", 0.5)
    fitted = mapper.fit(chip)
    assert fitted.pixels.shape == (3, 192, 192)
    assert np.unique(fitted.pixels[:, :, :90]).tolist() == [200]
    assert np.unique(fitted.pixels[:, :, 100:]).tolist() == [127]
    assert fitted.valid[:, :96].all()
    assert not fitted.valid[:, 96:].any()


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        ("vit_tiny_patch16_224", "its last layer has the shape"),
        ("tf_efficientnet_lite0", "its embedding is not the mean"),
    ],
)
def test_models_without_such_a_map_are_refused(model, fault):
    options = {} if model.startswith("vit") else {"num_classes": 2}
    module = timm.create_model(model, pretrained=False, num_classes=0)
    if options:
        module.global_pool = torch.nn.Sequential(module.global_pool, torch.nn.Softmax(dim=1))
    card = EncoderCard(**{**CARD.as_dict(), "dimension": module.num_features, "name": model})
    with pytest.raises(EncoderError, match=fault) as error:
        feature_map(module, card, 224)
    assert "tiles.mode: tile" in str(error.value)


def test_timm_models_that_average_are_mapped():
    module = timm.create_model("resnet18", pretrained=False, num_classes=0)
    card = EncoderCard(**{**CARD.as_dict(), "dimension": 512})
    mapped, stride = feature_map(module, card, 224)
    assert stride == 32
    assert mapped(torch.zeros(1, 3, 96, 64)).shape == (1, 512, 3, 2)


def test_the_baseline_alone_cannot_be_dense():
    with pytest.raises(EncoderError, match="bands"):
        load_mapper(encoder_settings(name="bands"), Tiles(mode="dense"))


def test_corridors_need_the_dense_mode():
    with pytest.raises(ValueError, match="mode: dense"):
        Tiles(pool="corridor")
