"""The report's map tells of every segment what the layers hold, keeps hostile text as text, and stays small."""

import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.outputs import pictures
from geo.outputs.palette import look
from geo.outputs.pictures import middle_tiles
from geo.outputs.report.figures import map_data as module
from geo.outputs.report.figures.map_data import Shown, map_data, safe_json
from geo.outputs.report.figures.map_figure import MARKERS, collision_layer_names, map_figure, map_script
from geo.outputs.wording import LONGEST, severity_words, shorten

TITLES = {1: "Type 1", 2: "Type 2: <leafy>", 3: "Type 3"}
NOTHING = Shown(
    tiles=pd.DataFrame(columns=["tile_id", "segment_id", "position_m"]),
    pictures={},
    on_page=frozenset(),
    look_alikes=None,
)


def read(made):
    return json.loads(made.json)


def pairs(*rows):
    return pd.DataFrame(rows, columns=["segment_id", "similar_segment_id", "kind", "place"]).assign(rank=1)


@pytest.fixture
def segments(grid_city):
    return grid_city.layers["segments"]


@pytest.fixture
def collisions(grid_city):
    return grid_city.layers["collisions"]


def test_every_segment_lies_where_it_lies_and_tells_its_numbers(segments):
    told = read(map_data(segments, None, NOTHING, "ksi", TITLES))["segments"]
    corner = segments.total_bounds[:2]
    at = {key: i for i, key in enumerate(told["id"])}
    assert len(at) == len(segments)
    for row in segments.itertuples():
        i = at[row.segment_id]
        steps = np.array(told["line"][i]).reshape(-1, 2)
        found = np.cumsum(steps, axis=0) * module.UNIT_M + corner
        assert found == pytest.approx(shapely.get_coordinates(row.geometry), abs=module.UNIT_M)
        assert told["type"][i] == (None if pd.isna(row.cluster) else row.cluster)
        assert (told["collisions"][i], told["ksi"][i]) == (row.n_collisions, row.n_ksi)
        assert float(told["rate"][i]) == pytest.approx(row.ksi_per_km_year, rel=0.01)


def test_the_map_opens_on_the_roads_that_have_a_type_and_else_on_all(segments):
    west, south, east, north = segments.total_bounds
    middle = segments.geometry.centroid.x < (west + east) / 2
    half = segments.assign(cluster=segments["cluster"].where(middle))
    view = read(map_data(half, None, NOTHING, "ksi", TITLES))["view"]
    typed = half[half["cluster"].notna()].total_bounds
    assert view == pytest.approx(typed - [west, south, west, south], abs=0.1)
    none = segments.assign(cluster=pd.NA)
    view = read(map_data(none, None, NOTHING, "ksi", TITLES))["view"]
    assert view == pytest.approx([0, 0, east - west, north - south], abs=0.1)
    one = none.assign(cluster=segments["cluster"].where(segments.index == segments.index[0]))
    west, south, east, north = read(map_data(one, None, NOTHING, "ksi", TITLES))["view"]
    assert max(east - west, north - south) >= module.LEAST_VIEW_M


def test_what_is_not_known_is_null_and_never_zero(segments):
    blind = segments.assign(n_ksi=pd.array([None] * len(segments), dtype="Int64"), ksi_per_km_year=np.nan)
    told = read(map_data(blind, None, NOTHING, "ksi", TITLES))["segments"]
    assert set(told["ksi"]) == set(told["rate"]) == {None}


def test_collisions_are_drawn_by_severity_and_those_without_a_place_are_not(segments, collisions):
    made = map_data(segments, collisions, NOTHING, "ksi", TITLES)
    matched = collisions[collisions["snap_status"] == "matched"]
    expected = matched["severity"].fillna("unknown").value_counts().to_dict()
    assert made.collisions == expected
    assert made.n_collisions == len(matched)
    first = (
        np.array(read(made)["collisions"]["fatal"]).reshape(-1, 2) * module.UNIT_M + segments.total_bounds[:2]
    )
    fatal = shapely.get_coordinates(matched[matched["severity"] == "fatal"].geometry)
    assert sorted(map(tuple, first.round(1))) == sorted(map(tuple, fatal.round(1)))


def test_collisions_on_no_road_are_told_apart(segments, collisions):
    far = collisions.assign(snap_status=collisions["snap_status"].replace("matched", "beyond_limit"))
    assert set(map_data(segments, far, NOTHING, "ksi", TITLES).collisions) == {"unplaced"}


def test_a_city_too_large_keeps_what_has_most_to_tell(monkeypatch, segments, collisions):
    monkeypatch.setattr(module, "MOST_SEGMENTS", 12)
    monkeypatch.setattr(module, "MOST_COLLISIONS", 20)
    last, other = segments["segment_id"].iloc[[-1, -11]]
    assert segments["cluster"].iloc[[-1, -11]].isna().all()
    made = map_data(
        segments.assign(looks_like=None),
        collisions,
        Shown(**vars(NOTHING) | {"look_alikes": pairs((last, other, "same form", 1))}),
        "ksi",
        TITLES,
    )
    told = read(made)
    assert (made.n_shown, made.n_segments) == (12, len(segments))
    assert {last, other} <= set(told["segments"]["id"])
    assert sum(kind is None for kind in told["segments"]["type"]) == 2
    assert told["alike"] == {
        "same form": [[told["segments"]["id"].index(last), told["segments"]["id"].index(other)]]
    }
    assert sum(made.collisions.values()) <= 20 < made.n_collisions
    assert made.collisions["fatal"] == 15


def test_lines_are_simplified_within_what_the_page_says(grid_city):
    x = np.linspace(0, 30_000, 4001)
    wave = shapely.LineString(np.column_stack([x, 40 * np.sin(x / 300)]))
    row = grid_city.layers["segments"].iloc[[0]].set_geometry(gpd.GeoSeries([wave], index=[0], crs=27700))
    made = map_data(row, None, NOTHING, "ksi", TITLES)
    points = np.cumsum(np.array(read(made)["segments"]["line"][0]).reshape(-1, 2), axis=0) * module.UNIT_M
    drawn = shapely.LineString(points + row.total_bounds[:2])
    assert len(points) < 1000
    assert made.tolerance_m == pytest.approx(3.0)
    assert shapely.hausdorff_distance(drawn, wave) <= made.tolerance_m + module.UNIT_M


def test_pictures_are_brought_once(grid_city):
    tiles = grid_city.layers["tiles"]
    one, other = tiles["tile_id"].iloc[:2]
    shown = Shown(
        tiles=tiles[tiles["tile_id"].isin([one, other])],
        pictures={one: b"one", other: b"other"},
        on_page=frozenset([one]),
        look_alikes=None,
    )
    told = read(map_data(grid_city.layers["segments"], None, shown, "ksi", TITLES))
    assert list(told["pictures"]) == [other]
    assert told["shots"] == {tile.removesuffix("-00"): [[tile, 50]] for tile in (one, other)}


HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "\u2028\u2029\x00\x1b",
    "'\"`&amp;\\",
    "👩‍👩‍👧 Straße",
)


@given(st.one_of(st.text(), st.sampled_from(HOSTILE)))
def test_json_within_the_page_is_plain_ascii_without_markup_and_reads_back(text):
    written = safe_json({text: [text]})
    assert re.fullmatch(r"[ -~]*", written)
    assert not set("<>&") & set(written)
    assert json.loads(written) == {text: [text]}


def test_long_names_are_cut_and_do_not_bloat_the_page(segments):
    plain = len(map_data(segments, None, NOTHING, "ksi", TITLES).json)
    long = segments.assign(name="ü🚲 <x> " * 1250, road_class="long " * 2000)
    made = map_data(long, None, NOTHING, "ksi", TITLES)
    told = read(made)["segments"]
    assert {len(name) for name in told["name"]} == {LONGEST}
    assert all(name.endswith("…") for name in told["name"] + told["class"])
    assert len(made.json) < plain + len(segments) * LONGEST * 2 * 12


@given(st.text(max_size=2000))
def test_what_is_short_stays_as_it_is_and_what_is_long_is_cut(text):
    short = shorten(text)
    assert len(short) <= LONGEST
    line = " ".join(text.split())
    assert short == line if len(line) <= LONGEST and len(text) <= 8 * LONGEST else short.endswith("…")


def test_the_order_of_rows_does_not_show(segments, collisions):
    def made(rows, points):
        return map_data(rows, points, NOTHING, "ksi", TITLES).json

    turned = segments.iloc[::-1].reset_index(drop=True), collisions.iloc[::-1].reset_index(drop=True)
    assert made(segments, collisions) == made(*turned)


def test_a_figure_is_the_same_whatever_was_drawn_before():
    first = map_figure({2: look(2), 1: look(1)}, ["fatal"])
    map_figure({1: look(1)}, [])
    assert map_figure({1: look(1), 2: look(2)}, ["fatal"]) == first
    assert not re.search(r'"p\d{4}"', json.dumps(first))


def test_every_layer_of_points_has_a_mark_and_a_name():
    known = pd.DataFrame({"n_fatal": [0], "n_serious": [1]})
    names = collision_layer_names(severity_words(known))
    assert set(MARKERS) == set(names) == {*module.PLACED, module.UNPLACED}
    assert names["slight"] == "slight collisions"


def test_slight_is_not_said_of_records_that_do_not_tell_serious_injuries_apart():
    names = collision_layer_names(severity_words(pd.DataFrame({"n_fatal": [0], "n_serious": [None]})))
    assert names["slight"] == "collisions with injury, serious or slight"


def test_the_script_of_the_library_cannot_end_its_element():
    assert "</script" not in map_script().lower()
    assert len(map_script()) < 2_000_000


def test_a_network_without_extent_has_no_map(segments):
    assert map_data(segments.iloc[:0], None, NOTHING, "ksi", TITLES) is None


def test_pictures_beside_the_map_are_of_all_segments_or_of_those_that_look_alike(monkeypatch):
    tiles = pd.DataFrame(
        {
            "tile_id": ["a-00", "a-01", "a-02", "b-00", "c-00"],
            "segment_id": ["a", "a", "a", "b", "c"],
            "position_m": [0.0, 50.0, 100.0, 20.0, 20.0],
        }
    )
    assert middle_tiles(tiles, pairs()) == {"a-01", "b-00", "c-00"}
    monkeypatch.setattr(pictures, "FOR_REPORT", 2)
    assert middle_tiles(tiles, pairs()) == set()
    assert middle_tiles(tiles, pairs(("c", "a", "same form", 1))) == {"a-01", "c-00"}
    monkeypatch.setattr(pictures, "NAMED", 1)
    assert middle_tiles(tiles, pairs(("c", "a", "same form", 1))) == {"c-00"}


def test_how_alike_a_pair_is_stands_beside_it_in_words(segments):
    ids = segments["segment_id"].iloc[:2].tolist()
    alike = pairs((*ids, "same form", 1)).assign(alike_than_pairs=0.99999)
    told = read(map_data(segments, None, Shown(**vars(NOTHING) | {"look_alikes": alike}), "ksi", TITLES))
    assert told["alike"]["same form"] == [[0, 1, "more alike than 99.9 % of random pairs"]]


def test_segments_that_look_most_alike_are_told_of_every_segment(segments):
    told = read(map_data(segments, None, NOTHING, "ksi", TITLES))
    ids = told["segments"]["id"]
    first = [[ids[i] for i in pair] for pair in told["alike"][module.MOST_ALIKE][:2]]
    assert first == [[f"{0:016x}", f"{3:016x}"], [f"{0:016x}", f"{1:016x}"]]
    assert told["titles"]["2"] == "Type 2: <leafy>"
