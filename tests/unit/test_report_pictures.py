"""The pictures of the report: the segment lies where it is on them, and they take no more room than they have."""

import base64
import io

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image

from geo.config import Tiles
from geo.outputs import pictures as choosing
from geo.outputs.pictures import evenly, tiles_of_sheets
from geo.outputs.report.figures import contact_sheet
from geo.outputs.report.figures.contact_sheet import contact_sheets
from geo.outputs.report.figures.tile_pictures import (
    LINE,
    PICTURES,
    in_page,
    pictures_within,
    ways_on,
    with_way,
)
from geo.outputs.thumbnails import thumbnail
from geo.tiles.along import place_tiles

RNG = np.random.default_rng(5)


def road(*points, name="r"):
    return gpd.GeoDataFrame({"segment_id": [name]}, geometry=[shapely.LineString(points)], crs=27700)


def noisy(px=160):
    return thumbnail(RNG.integers(0, 255, (3, px, px), dtype=np.uint8))


def grey(level=60, px=160):
    return thumbnail(np.full((3, px, px), level, dtype=np.uint8))


@pytest.mark.parametrize(
    ("heading", "align", "ends"),
    [
        ((1, 0), "north", [(0, 0.5), (1, 0.5)]),
        ((0, 1), "north", [(0.5, 1), (0.5, 0)]),
        ((1, 1), "north", [(0, 1), (1, 0)]),
        # a tile that is turned with its road has it upright, whichever way the road goes
        ((1, 0), "road", [(0.5, 1), (0.5, 0)]),
        ((-1, 1), "road", [(0.5, 1), (0.5, 0)]),
    ],
)
def test_a_straight_road_through_the_middle_of_its_tile_is_drawn_from_edge_to_edge(heading, align, ends):
    far = 400 * np.array(heading)
    segment = road((1000, 1000), tuple(1000 + far))
    tiles = place_tiles(segment, Tiles(tile_m=100, spacing_m=2000, align=align))
    ((way,),) = ways_on(tiles, segment).values()
    np.testing.assert_allclose(way[[0, -1]], ends, atol=1e-9)


def test_a_road_that_leaves_its_tile_and_comes_back_has_two_parts_and_one_beside_it_none():
    square = shapely.box(0, 0, 100, 100)
    tiles = gpd.GeoDataFrame(
        {"tile_id": ["r-00", "s-00", "t-00"], "segment_id": ["r", "s", "t"]},
        geometry=[shapely.Polygon(square.exterior.coords[:-1]), square, None],
        crs=27700,
    )
    roads = pd.concat(
        [
            road((-10, 20), (110, 20), (110, 80), (-10, 80)),
            road((200, 0), (300, 0), name="s"),
            road((0, 0), (9, 9), name="t"),
        ]
    )
    found = ways_on(tiles, gpd.GeoDataFrame(roads, crs=27700))
    assert {name: len(parts) for name, parts in found.items()} == {"r-00": 2}
    assert ways_on(tiles.iloc[:0], roads) == {}


def test_a_line_is_drawn_pale_with_dark_edges_where_it_lies_and_nowhere_else():
    picture = Image.new("RGB", (160, 160), (120, 120, 120))
    drawn = np.asarray(with_way(picture, [np.array([[0.25, 0.0], [0.25, 1.0]])]), dtype=int)
    assert np.abs(drawn[80, 40] - LINE).max() < 40
    assert drawn[80, 37:44].sum(axis=1).min() < 200
    assert (drawn[:, 60:] == 120).all()
    assert with_way(picture, []) is picture


def test_pictures_are_made_smaller_until_all_have_room_and_none_is_left_out():
    pictures = {f"t{i}": noisy() for i in range(6)}
    large, small = pictures_within(pictures, {}, 10_000_000), pictures_within(pictures, {}, 0)
    assert large.keys() == small.keys() == pictures.keys()
    assert Image.open(io.BytesIO(large["t0"])).size == (PICTURES[0][0],) * 2
    assert Image.open(io.BytesIO(small["t0"])).size == (PICTURES[-1][0],) * 2
    most = sum(in_page(len(jpeg)) for jpeg in large.values()) - 1
    assert sum(in_page(len(jpeg)) for jpeg in pictures_within(pictures, {}, most).values()) <= most
    assert in_page(10) == len(base64.b64encode(b"0123456789"))


@pytest.fixture
def typed():
    n = 90
    return pd.DataFrame(
        {
            "segment_id": [f"s{i:03d}" for i in range(n)],
            "cluster": pd.array([1] * 60 + [2] * 28 + [None] * 2, dtype="Int64"),
            "cluster_margin": [*RNG.random(60), *RNG.random(27), None, None, None],
            "name": ["Long Lane", None, "Church Road"] * 30,
            "road_class": "residential",
        }
    )


def sheets_of(typed, most=10_000_000, picture=noisy):
    shown = typed[["segment_id"]].assign(tile_id=typed["segment_id"] + "-00")
    pictures = {tile: picture() for tile in shown["tile_id"].iloc[1:]}
    return contact_sheets(typed, shown, pictures, {}, most)


def test_a_contact_sheet_has_every_segment_of_the_type_with_a_picture_the_least_sure_first(typed):
    sheets = sheets_of(typed)
    assert {cluster: (one.n_shown, one.n_segments) for cluster, one in sheets.items()} == {
        1: (59, 60),
        2: (28, 28),
    }
    order = typed.set_index("segment_id")["cluster_margin"]
    margins = [order[tile.segment_id] for tile in sheets[1].tiles]
    assert margins == sorted(margins)
    assert sheets[2].tiles[-1].margin == "not known"
    assert {tile.road for tile in sheets[1].tiles} == {"Long Lane", "Church Road", "residential"}
    places = [(tile.x, tile.y) for tile in sheets[1].tiles]
    assert len(set(places)) == 59
    picture = Image.open(io.BytesIO(base64.b64decode(sheets[1].source.partition(",")[2])))
    side = picture.width // sheets[1].columns
    assert picture.size == (side * sheets[1].columns, side * sheets[1].rows)
    assert max(places, key=lambda at: at[::-1]) == (58 % sheets[1].columns, sheets[1].rows - 1)


def test_a_picture_on_a_sheet_stands_where_it_is_said_to(typed):
    levels = iter(range(20, 20 + 2 * len(typed), 2))
    shown = typed[["segment_id"]].assign(tile_id=typed["segment_id"])
    pictures = {name: grey(level) for name, level in zip(typed["segment_id"], levels, strict=False)}
    sheet = contact_sheets(typed, shown, pictures, {}, 10_000_000)[1]
    whole = Image.open(io.BytesIO(base64.b64decode(sheet.source.partition(",")[2]))).convert("L")
    side = whole.width // sheet.columns
    for tile in sheet.tiles:
        level = 20 + 2 * int(tile.segment_id[1:])
        middle = whole.getpixel((tile.x * side + side // 2, tile.y * side + side // 2))
        assert abs(middle - level) <= 3


def test_sheets_that_have_no_room_leave_segments_out_evenly_and_say_how_many(typed, monkeypatch):
    monkeypatch.setattr(choosing, "LEAST_ON_SHEET", 2)
    whole = sheets_of(typed)
    most = sum(len(sheet.source) for sheet in whole.values()) // 12
    sheets = sheets_of(typed, most)
    assert sum(len(sheet.source) for sheet in sheets.values()) <= most + 30 * len(sheets)
    assert all(0 < one.n_shown < one.n_segments for one in sheets.values())
    # the least sure and the surest are there
    assert sheets[1].tiles[0].segment_id == whole[1].tiles[0].segment_id
    assert sheets[1].tiles[-1].segment_id == whole[1].tiles[-1].segment_id
    assert contact_sheet.SIZES[-1][0] * sheets[1].columns >= 48


def test_of_a_large_city_so_many_segments_are_chosen_of_each_type_in_proportion(typed, monkeypatch):
    known = typed[typed["cluster"].notna()]
    monkeypatch.setattr(choosing, "LEAST_ON_SHEET", 10)
    chosen = evenly(known, 44)
    assert chosen["cluster"].value_counts().to_dict() == {1: 30, 2: 14}
    assert evenly(known, 500) is known
    assert evenly(known, 12)["cluster"].value_counts().to_dict() == {1: 10, 2: 10}
    encoded = pd.DataFrame(
        {"tile_id": ["s000-00", "s001-00", "s001-01", "s001-02"], "position_m": [9, 5, 15, 25]}
    )
    encoded["segment_id"] = encoded["tile_id"].str[:4]
    found = tiles_of_sheets(encoded, typed)
    assert dict(zip(found["segment_id"], found["tile_id"], strict=True)) == {
        "s000": "s000-00",
        "s001": "s001-01",
    }
