"""Coordinates that were written otherwise than the mapping says are known by the roads that they should lie on."""

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from geo.collisions.readings import other_reading

LEEDS = (430_000.0, 434_000.0)
STREETS = [shapely.LineString([(x, 0), (x, 2000)]) for x in range(0, 2001, 250)]
STREETS += [shapely.LineString([(0, y), (2000, y)]) for y in range(0, 2001, 250)]


@pytest.fixture(scope="module")
def roads():
    """A grid of streets in Leeds, in metres of the British grid."""
    return gpd.GeoSeries(STREETS, crs=27700).translate(*LEEDS)


@pytest.fixture(scope="module")
def spots():
    """Easting and northing of two hundred places within 4 m of a street."""
    chance = np.random.default_rng(5)
    along, across = chance.uniform(10, 1990, 200), chance.choice(np.arange(0, 2001, 250), 200)
    off = chance.uniform(-4, 4, 200)
    lying = chance.random(200) < 0.5
    x, y = np.where(lying, along, across + off), np.where(lying, across + off, along)
    return LEEDS[0] + x, LEEDS[1] + y


def written(spots, crs):
    return pyproj.Transformer.from_crs(27700, crs, always_xy=True).transform(*spots)


def read(pair, crs, roads):
    return other_reading(pair, pyproj.CRS.from_user_input(crs), roads, reach_m=30)


@pytest.mark.parametrize("crs", [27700, 4326, 3857, 32630, 4277])
def test_coordinates_that_are_as_the_mapping_says_have_no_other_reading(crs, spots, roads):
    assert read(written(spots, crs), crs, roads) is None


@pytest.mark.parametrize(
    ("wrong", "crs", "what", "key"),
    [
        (lambda x, y: (y, x), 27700, "with x and y exchanged", "collisions.columns.x and .y"),
        (lambda x, y: (y, x), 4326, "with x and y exchanged", "collisions.columns.x and .y"),
        (lambda x, y: (-x, y), 4326, "with the other sign of the longitude", "sign of the longitude"),
        (lambda x, y: (x, -y), 4326, "with the other sign of the latitude", "sign of the latitude"),
        (
            lambda x, y: (y, -x),
            4326,
            "exchanged and the other sign of the longitude",
            "collisions.columns.x and .y",
        ),
        (lambda x, y: (x * 1e6, y * 1e6), 4326, "as millionths of degrees", "degrees in the file"),
        (lambda x, y: (x / 1000, y / 1000), 27700, "as kilometres", "metres in the file"),
        (lambda x, y: (x / 0.3048, y / 0.3048), 27700, "as feet", "metres in the file"),
    ],
)
def test_coordinates_that_are_exchanged_or_in_another_unit_are_known(wrong, crs, what, key, spots, roads):
    found = read(wrong(*written(spots, crs)), crs, roads)
    assert what in found.what
    assert key in found.todo
    assert (found.now.share, found.then.share) == (0, 1)


@pytest.mark.parametrize(
    ("crs", "asked"), [(27700, 4326), (4326, 27700), (3857, 27700), (32630, 4326), (23030, 27700)]
)
def test_the_crs_that_they_are_in_is_named(crs, asked, spots, roads):
    found = read(written(spots, crs), asked, roads)
    assert f"EPSG:{crs}" in found.todo


def test_the_crs_of_exchanged_coordinates_is_named(spots, roads):
    assert "EPSG:32630, and exchange" in read(written(spots, 32630)[::-1], 27700, roads).todo


def test_another_datum_is_known_by_collisions_that_are_strewn_beside_their_roads(spots, roads):
    """The datum of 1936 lies some hundred metres from that of GPS: on many streets, but never on them."""
    found = read(written(spots, 4277), 4326, roads)
    assert "EPSG:4277" in found.todo
    assert found.now.metres > 5 > found.then.metres


def test_records_of_a_whole_country_are_known_by_the_few_that_are_here(spots, roads):
    chance = np.random.default_rng(6)
    x = np.concatenate([spots[0], chance.uniform(300_000, 600_000, 1800)])
    y = np.concatenate([spots[1], chance.uniform(100_000, 600_000, 1800)])
    order = chance.permutation(2000)
    pair = written((x[order], y[order]), 4326)
    assert read(pair, 4326, roads) is None
    assert read(pair[::-1], 4326, roads).what == "with x and y exchanged"


def test_places_that_are_strewn_at_random_have_no_reading(roads):
    chance = np.random.default_rng(7)
    pair = written((LEEDS[0] + chance.uniform(0, 2000, 500), LEEDS[1] + chance.uniform(0, 2000, 500)), 4326)
    assert read(pair, 4326, roads) is None


def test_no_places_and_few_places_have_no_reading(roads, spots):
    assert read((np.empty(0), np.empty(0)), 4326, roads) is None
    few = tuple(one[:3] for one in written(spots, 4326))
    assert read(few, 4326, roads) is None
    assert read(few[::-1], 4326, roads).what == "with x and y exchanged"
