"""Vector tiles, held against another reader of the specification."""

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.explore.varints import varints
from geo.explore.vector_tiles import EXTENT, HALF_M, VectorTiles, bounds_of_tile

ZOOM, X, Y = 14, 8109, 5384


def read(tile):
    # y from the north, as it is written
    return mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})


def at(*units):
    """Places in a tile, by its units from the north-western corner."""
    west, _, east, north = bounds_of_tile(ZOOM, X, Y)
    unit = (east - west) / EXTENT
    return [(west + x * unit, north - y * unit) for x, y in units]


def layer(places, **attributes):
    places = gpd.GeoSeries(places, crs=3857)
    return VectorTiles("roads", places, {name: pd.Series(values) for name, values in attributes.items()})


def test_a_line_is_read_back_where_it_was_with_its_row_and_what_it_says():
    drawn = layer(
        [
            shapely.LineString(at((0, 0), (100, 50), (4096, 4000))),
            None,
            shapely.LineString(at((7, 7), (9, 7))),
        ],
        name=['O\'Hara <b> "Straße" 🚲', "nowhere", None],
        rank=pd.array([0, 1, 300], dtype="Int64"),
        open=pd.array([True, None, False], dtype="boolean"),
    )
    (told,) = read(drawn.tile(ZOOM, X, Y)).values()
    one, other = told["features"]
    assert (told["extent"], told["version"]) == (EXTENT, 2)
    assert (one["id"], other["id"]) == (0, 2)
    assert one["geometry"] == {"type": "LineString", "coordinates": [[0, 0], [100, 50], [4096, 4000]]}
    assert one["properties"] == {"name": 'O\'Hara <b> "Straße" 🚲', "rank": 0, "open": True}
    # nothing is told of what is null
    assert other["properties"] == {"rank": 300, "open": False}


def test_a_line_that_leaves_a_tile_and_comes_back_is_one_feature_in_parts():
    out = shapely.LineString(at((100, 100), (-900, 100), (-900, 200), (100, 200)))
    (told,) = read(layer([out]).tile(ZOOM, X, Y)).values()
    (one,) = told["features"]
    assert one["geometry"]["type"] == "MultiLineString"
    parts = sorted(map(sorted, one["geometry"]["coordinates"]))
    assert parts == [[[-128, 100], [100, 100]], [[-128, 200], [100, 200]]]


def test_points_are_read_back_and_what_is_elsewhere_is_in_no_tile():
    drawn = layer(
        [shapely.Point(*at((5, 9))[0]), shapely.Point(), shapely.Point(0, 0)],
        severity=["fatal", "slight", "slight"],
    )
    (told,) = read(drawn.tile(ZOOM, X, Y)).values()
    assert [one["geometry"]["coordinates"] for one in told["features"]] == [[5, 9]]
    assert drawn.tile(ZOOM, X + 3, Y) == b""


def test_from_afar_no_segment_is_lost():
    lines = [shapely.LineString(at((0, y), (3, y), (6, y + 2))) for y in range(0, 4000, 40)]
    (told,) = read(layer(lines).tile(3, 3, 2)).values()
    assert [one["id"] for one in told["features"]] == list(range(100))
    assert all(len(one["geometry"]["coordinates"]) >= 2 for one in told["features"])


def test_a_line_of_a_hundred_thousand_kilometres_is_drawn_in_each_tile():
    across = layer([shapely.LineString([(-HALF_M, 1.0), (HALF_M, 1.0)])])
    for x in (0, 511, 1023):
        (told,) = read(across.tile(10, x, 511)).values()
        (one,) = told["features"]
        assert one["geometry"]["coordinates"][0][0] in {-128, 0}


@given(
    st.lists(
        st.lists(st.tuples(*[st.integers(-100, 4196)] * 2), min_size=2, max_size=9, unique=True),
        min_size=1,
        max_size=40,
    )
)
def test_whatever_is_drawn_is_read_back_on_whole_units(lines):
    (told,) = read(layer([shapely.LineString(at(*line)) for line in lines]).tile(ZOOM, X, Y)).values()
    read_back = {one["id"]: one["geometry"] for one in told["features"]}
    for row, line in enumerate(lines):
        assert read_back[row]["type"] == "LineString"
        assert [tuple(place) for place in read_back[row]["coordinates"]] == line


@given(st.lists(st.integers(0, 2**56 - 1), min_size=1))
def test_varints_are_those_of_protocol_buffers(numbers):
    decoder = pytest.importorskip("google.protobuf.internal.decoder")
    written, place, found = varints(np.array(numbers, dtype=np.int64)), 0, []
    while place < len(written):
        number, place = decoder._DecodeVarint(written, place)
        found.append(number)
    assert found == numbers
