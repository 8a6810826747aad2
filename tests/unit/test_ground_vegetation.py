"""Vegetation by red and near-infrared light."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rasters import write_raster

from geo.config import Imagery, ground_settings
from geo.config.sections.ground import NDVI_THRESHOLD as THRESHOLD
from geo.errors import LayerError
from geo.ground.maps.pieces import beside
from geo.ground.shares import BANDS_M, count_near, find_near
from geo.ground.vegetation.ndvi import BARE, GREEN, Spread, classify, doubts, ndvi
from geo.ground.vegetation.reading import check_has_bands, lay_out, see_green
from geo.ground.vegetation.shares import shares_of
from geo.imagery.catalogue import open_catalogue
from geo.imagery.reading.reader import TileFailure
from geo.outputs.layers.ground import VEGETATION

BANDS = arrays(np.uint16, 30, elements=st.integers(0, 65535))


@given(BANDS, BANDS)
def test_the_index_is_that_of_the_formula_in_exact_numbers(red: np.ndarray, nir: np.ndarray) -> None:
    """Sums of 16 bits run over in their own type."""
    pairs = zip(red.tolist(), nir.tolist(), strict=True)
    exact = [(n - r) / (n + r) if n + r else None for r, n in pairs]
    found = [None if np.isnan(x) else x for x in ndvi(red, nir)]
    assert found == pytest.approx(exact)
    assert np.allclose(ndvi(nir, red), -ndvi(red, nir), equal_nan=True)


def test_what_cannot_be_told_is_not_known() -> None:
    """Nothing recorded, both bands full, no data; a full band that could only say more of the same is known."""
    red = np.array([0, 255, 255, 40, 255, 40, 200], dtype=np.uint8)
    nir = np.array([0, 255, 40, 255, 254, 120, 255], dtype=np.uint8)
    valid = np.array([True] * 5 + [False] + [True])
    classes, index = classify(red, nir, valid, THRESHOLD)
    # 200 of red and more than 255 of infrared: that may be grass
    assert classes.tolist() == [0, 0, BARE, GREEN, BARE, 0, 0]
    assert np.isnan(index[classes == 0]).all()


def test_values_below_zero_and_those_that_are_no_numbers() -> None:
    red = np.array([-0.01, np.nan, 0.1, np.inf], dtype=np.float32)
    nir = np.array([0.3, 0.3, 0.3, 0.3], dtype=np.float32)
    classes, _ = classify(red, nir, np.ones(4, dtype=bool), THRESHOLD)
    assert classes.tolist() == [GREEN, 0, GREEN, 0]
    assert ndvi(np.array([-5], np.int16), np.array([-3], np.int16)).tolist() == pytest.approx(
        [np.nan], nan_ok=True
    )


def test_usual_reflectances_fall_on_their_side_of_the_threshold() -> None:
    """Of grass, conifers, asphalt, concrete, dry soil and water, in this order."""
    red = np.array([0.05, 0.03, 0.10, 0.30, 0.20, 0.03])
    nir = np.array([0.45, 0.30, 0.12, 0.33, 0.26, 0.01])
    classes, _ = classify(red, nir, np.ones(6, dtype=bool), THRESHOLD)
    assert classes.tolist() == [GREEN, GREEN, BARE, BARE, BARE, BARE]


def town(*, swapped: bool = False) -> Spread:
    """A third of grass, the rest of stone, a little water."""
    rng = np.random.default_rng(0)
    index = np.concatenate(
        [rng.normal(0.5, 0.1, 3000), rng.normal(0.02, 0.05, 6500), rng.normal(-0.4, 0.1, 200)]
    )
    index = np.clip(-index if swapped else index, -1, 1)
    return Spread.none().add(index, np.ones(len(index), dtype=bool))


def test_bands_in_the_wrong_order_are_doubted_and_right_ones_are_not() -> None:
    assert doubts(town(), THRESHOLD, (1, 4)) == []
    (note,) = doubts(town(swapped=True), THRESHOLD, (4, 1))
    assert "write ground.ndvi: [1, 4]" in note


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (np.zeros(1000), "nearly alike"),
        (np.full(1000, 0.6), "100.0% of the ground beside roads is vegetation"),
        (np.linspace(-0.1, 0.1, 1000), "0.0% of the ground is vegetation: look whether band 4"),
        (
            np.r_[np.full(300, np.nan), np.linspace(-0.1, 0.6, 700)],
            "of 30% of the ground the index is not known",
        ),
    ],
)
def test_bands_that_tell_nothing_are_doubted(index: np.ndarray, said: str) -> None:
    seen = Spread.none().add(index, np.ones(len(index), dtype=bool))
    assert said in " ".join(doubts(seen, THRESHOLD, (1, 4)))


def test_transparency_is_no_near_infrared_light(tmp_path: Path) -> None:
    """A fourth band of 255 where the picture is opaque and of 0 elsewhere looks like three quarters of plants."""
    rng = np.random.default_rng(0)
    light = rng.integers(40, 110, (3, 200, 200))
    opaque = np.where(np.arange(200) < 150, 255, 0) * np.ones((200, 1), dtype=int)
    path = tmp_path / "rgba.tif"
    bands = np.concatenate([light, opaque[None]]).astype(np.uint8)
    write_raster(path, bands, west=400000, north=300200, crs="EPSG:27700")
    imagery = Imagery(sources=[str(path)])
    images = open_catalogue(imagery, pyproj.CRS(27700)).images
    line = np.array([shapely.LineString([(400020, 300100), (400180, 300100)])])
    for asked in ((1, 4), (4, 2)):
        settings = ground_settings(ndvi=asked)
        lattice, chips = lay_out(settings, images, beside(line, settings.reach_m))
        seen = Spread.none()
        for green in see_green(chips, images, imagery, settings, lattice):
            assert not isinstance(green, TileFailure)
            seen = seen.add(green.index, green.valid, green.ends)
        (note,) = doubts(seen, settings.ndvi_threshold, asked)
        assert "band 4 holds hardly anything but its lowest and its highest value" in note


@pytest.fixture
def raster(tmp_path: Path) -> Path:
    """200 m x 200 m at 1 m, 16 bit: a lawn north of y = 106 and a gap without data east of x = 150, asphalt elsewhere.

    Bands: red, green, blue, near-infrared.
    """
    lawn = np.zeros((200, 200), dtype=bool)
    lawn[: 200 - 106] = True
    red, nir = np.where(lawn, 400, 1000), np.where(lawn, 3600, 1100)
    bands = np.stack([red, red, red, nir]).astype(np.uint16)
    bands[:, :, 150:] = 0
    path = tmp_path / "ortho.tif"
    write_raster(path, bands, west=400000, north=300200, crs="EPSG:27700", nodata=0)
    return path


def test_shares_of_vegetation_are_those_of_the_ground_beside_the_road(raster: Path) -> None:
    """A road along y = 100: none of the ground within 6 m is lawn, nearly half of what lies beyond."""
    imagery = Imagery(sources=[str(raster)], scale=(0, 4000), bands=[1, 2, 3])
    settings = ground_settings(ndvi=(1, 4))
    images = open_catalogue(imagery, pyproj.CRS(27700)).images
    line = np.array([shapely.LineString([(400020, 300100), (400130, 300100)])])
    lattice, chips = lay_out(settings, images, beside(line, settings.reach_m))
    counts, places = [], 0
    for green in see_green(chips, images, imagery, settings, lattice):
        assert not isinstance(green, TileFailure)
        near = find_near(green.places, line, 30)
        counts.append(count_near(near, green.classes, np.array(["a"], dtype=object)))
        places += int((green.classes > 0).sum())
    # north of y = 160 a square begins that no ground beside the road lies in
    assert places == 150 * 160
    (row,) = shares_of(counts, "segment_id").to_dict("records")
    assert set(row) == {"segment_id", *(column.name for column in VEGETATION)}
    lawn, seen = (shapely.box(400000, south, 400150, 300200) for south in (300106, 300000))
    for low, high in BANDS_M:
        ring = shapely.difference(line[0].buffer(high), line[0].buffer(low))
        green, known = (shapely.intersection(ring, shape).area / ring.area for shape in (lawn, seen))
        assert row[f"vegetation_{low}_{high}m"] == pytest.approx(green, abs=0.01)
        assert row[f"vegetation_known_{low}_{high}m"] == pytest.approx(known, abs=0.01)


def test_columns_are_those_of_the_bands_of_distance() -> None:
    bands = [f"{low}_{high}m" for low, high in BANDS_M]
    names = [f"vegetation_{band}" for band in bands] + [f"vegetation_known_{band}" for band in bands]
    assert [column.name for column in VEGETATION] == names


def test_rasters_without_the_bands_are_refused(raster: Path) -> None:
    images = gpd.GeoDataFrame({"path": [str(raster)]}, geometry=[None], crs=27700)
    check_has_bands(images, (1, 4))
    with pytest.raises(LayerError, match=r"it has no band 5, which ground\.ndvi asks for"):
        check_has_bands(images, (1, 5))


@pytest.mark.parametrize("said", [{"ndvi": [1]}, {"ndvi": [1, 1]}, {"ndvi": [0, 4]}, {"ndvi_threshold": 1.5}])
def test_bands_that_cannot_be_meant_are_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="ndvi"):
        ground_settings(**said)
