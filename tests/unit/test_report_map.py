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
from geo.outputs.backdrop import Backdrop
from geo.outputs.palette import look
from geo.outputs.pictures import middle_tiles
from geo.outputs.report.map import alike as alike_module
from geo.outputs.report.map import data as module
from geo.outputs.report.map import points as points_module
from geo.outputs.report.map.alike import Shown
from geo.outputs.report.map.colours import MARGIN, NETWORK, RATE, TYPE, paints
from geo.outputs.report.map.data import Layers
from geo.outputs.report.map.data import map_data as data_of
from geo.outputs.report.map.figure import MARKERS, collision_layer_names, map_figure, map_script
from geo.outputs.report.map.packing import pack, safe_json, unpack
from geo.outputs.report.map.part import map_part
from geo.outputs.report.map.points import ELSEWHERE, JUNCTION, PLACED, UNPLACED, USERS, points
from geo.outputs.wording import LONGEST, severity_words, shorten

TITLES = {1: "Type 1", 2: "Type 2: <leafy>", 3: "Type 3"}
NOTHING = Shown(
    tiles=pd.DataFrame(columns=["tile_id", "segment_id", "position_m"]),
    pictures={},
    on_page=frozenset(),
    look_alikes=None,
)


LOOKS = {cluster: look(cluster) for cluster in TITLES}


def layers_of(segments, collisions=None, shown=NOTHING, rate_of="ksi", titles=TITLES, **more):
    return Layers(
        segments=segments,
        collisions=collisions,
        shown=shown,
        rate_of=rate_of,
        looks=LOOKS,
        titles=titles,
        severities=severity_words(segments),
        **more,
    )


def map_data(*given, **more):
    return data_of(layers_of(*given, **more))


def read(made):
    return json.loads(unpack(made.packed))


def lying(columns):
    """Where collisions lie, from the corner (metres)."""
    return np.cumsum(np.array([columns["x"], columns["y"]]), axis=1).T * module.UNIT_M


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
    assert made.points.severities == expected
    unhurt = collisions.assign(severity_known=True)
    told = map_data(segments, unhurt, NOTHING, "ksi", TITLES).points.severities
    assert told == {"unhurt" if name == "unknown" else name: n for name, n in expected.items()}
    assert "unknown" in expected
    assert made.points.n_placeable == len(matched)
    told = read(made)["collisions"]
    first = (lying(told) + segments.total_bounds[:2])[np.array(told["layer"]) == PLACED.index("fatal")]
    fatal = shapely.get_coordinates(matched[matched["severity"] == "fatal"].geometry)
    assert sorted(map(tuple, first.round(1))) == sorted(map(tuple, fatal.round(1)))


def test_collisions_on_no_road_are_told_apart(segments, collisions):
    far = collisions.assign(snap_status=collisions["snap_status"].replace("matched", "beyond_limit"))
    assert set(map_data(segments, far).points.severities) == {UNPLACED}


def test_a_city_too_large_keeps_what_has_most_to_tell(monkeypatch, segments, collisions):
    monkeypatch.setattr(module, "MOST_SEGMENTS", 12)
    monkeypatch.setattr(points_module, "MOST_COLLISIONS", 20)
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
    assert sum(made.points.severities.values()) <= 20 < made.points.n_placeable
    assert made.points.severities["fatal"] == 15


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
    made = map_data(grid_city.layers["segments"], None, shown, "ksi", TITLES)
    told = read(made)
    assert list(json.loads(made.pictures)) == [other]
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
    plain = len(unpack(map_data(segments).packed))
    long = segments.assign(name="ü🚲 <x> " * 1250, road_class="long " * 2000)
    made = map_data(long, None, NOTHING, "ksi", TITLES)
    told = read(made)["segments"]
    assert {len(name) for name in told["name"]} == {LONGEST}
    assert all(name.endswith("…") for name in told["name"] + told["class"])
    assert len(unpack(made.packed)) < plain + len(segments) * LONGEST * 2 * 12


@given(st.text(max_size=2000))
def test_what_is_short_stays_as_it_is_and_what_is_long_is_cut(text):
    short = shorten(text)
    assert len(short) <= LONGEST
    line = " ".join(text.split())
    assert short == line if len(line) <= LONGEST and len(text) <= 8 * LONGEST else short.endswith("…")


def test_the_order_of_rows_does_not_show(segments, collisions):
    def made(rows, points):
        return map_data(rows, points).packed

    turned = segments.iloc[::-1].reset_index(drop=True), collisions.iloc[::-1].reset_index(drop=True)
    assert made(segments, collisions) == made(*turned)


def test_a_figure_is_the_same_whatever_was_drawn_before():
    first = map_figure()
    assert map_figure() == first
    assert not re.search(r'"p\d{4}"', json.dumps(first))


def test_every_layer_of_points_has_a_mark_and_a_name():
    known = pd.DataFrame({"n_fatal": [0], "n_serious": [1]})
    names = collision_layer_names(severity_words(known))
    assert set(MARKERS) == set(names) == {*PLACED, UNPLACED}
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
    first = [[ids[i] for i in pair] for pair in told["alike"][alike_module.MOST_ALIKE][:2]]
    assert first == [[f"{0:016x}", f"{3:016x}"], [f"{0:016x}", f"{1:016x}"]]
    assert told["titles"]["2"] == "Type 2: <leafy>"


@given(st.text())
def test_what_is_packed_is_read_back_and_is_no_markup(text):
    whole = text.encode("utf-8", "ignore").decode("utf-8")
    assert unpack(pack(whole)) == whole
    assert re.fullmatch(r"[A-Za-z0-9+/=]*", pack(whole))


def place_of(segments):
    return {name: at for at, name in enumerate(segments["segment_id"])}


def test_of_every_collision_the_map_tells_date_who_was_hurt_and_where_it_was_placed(segments, collisions):
    rows = collisions.iloc[:4].copy()
    ids = segments["segment_id"]
    rows["collision_id"] = ["a", "b", "c", "d"]
    rows["severity"] = "slight"
    rows["snap_status"] = ["matched", "matched", "matched", "beyond_limit"]
    rows["segment_id"] = [ids.iloc[1], None, "of another part", None]
    rows["junction_id"] = [None, "j", None, None]
    rows["snap_distance_m"] = [3.4, 0.2, 1.0, 61.0]
    rows["date"] = pd.to_datetime(["2020-02-29", None, "2021-07-01", "2021-12-31"], utc=True)
    rows["source_year"] = [2020, 2019, 2021, 2021]
    rows["pedestrian"] = pd.array([True, None, False, None], dtype="boolean")
    rows["cyclist"] = pd.array([True, None, False, True], dtype="boolean")
    rows["motorcyclist"] = rows["car_occupant"] = pd.array([False, None, False, None], dtype="boolean")
    box = tuple(segments.total_bounds)
    told = points(rows, box, place_of(segments), 0.1).columns
    at = {name: i for i, name in enumerate(told["id"])}

    def of(column):
        return [told[column][at[name]] for name in "abcd"]

    assert of("on") == [1, JUNCTION, ELSEWHERE, None]
    assert of("away") == [3, 0, 1, 61]
    assert of("year") == [2020, 2019, 2021, 2021]
    assert pd.to_datetime(of("day")[0], unit="D") == pd.Timestamp("2020-02-29")
    assert of("day")[1] is None
    # on foot and by bicycle; not told; none of these; by bicycle at least
    assert of("users") == [0b11, None, 0, 0b10]
    assert of("layer") == [PLACED.index("slight")] * 3 + [len(PLACED)]
    assert [bool(status) for status in of("status")] == [False, False, False, True]


def test_collisions_that_the_study_leaves_out_are_not_on_the_map(segments, collisions):
    out = collisions.assign(snap_status="out_of_period")
    assert points(out, tuple(segments.total_bounds), place_of(segments), 0.1).severities == {}


def chips_of(segments, collisions):
    made = map_part(layers_of(segments, collisions))
    return {group.key: {chip.label: chip.n for chip in group.chips} for group in made.chips}, made.silent


def test_chips_say_what_records_tell_and_a_sentence_what_they_do_not(segments, collisions):
    blind = collisions.assign(**dict.fromkeys(USERS), date=pd.NaT, source_year=pd.NA)
    chips, silent = chips_of(segments, blind)
    assert list(chips) == ["layer"]
    assert silent == ("The records do not tell who was hurt", "The records do not tell the year")
    dated = blind.assign(date=pd.Timestamp("2019-05-01", tz="UTC"), pedestrian=True)
    dated.loc[dated.index[:3], "date"] = pd.Timestamp("2021-05-01", tz="UTC")
    chips, silent = chips_of(segments, dated)
    assert chips["users"] == {"on foot": sum(chips["layer"].values())}
    assert chips["year"]["2021"] == 3
    assert silent == ()


def painted(segments, windows=None):
    found = paints(segments, windows, "ksi", LOOKS, TITLES, {})
    return {paint.key: paint for paint in found}, [paint.key for paint in found]


def test_the_map_opens_with_rates_where_under_half_of_the_length_has_a_type(segments):
    rated = segments.assign(ksi_per_km_year_eb=np.linspace(0.1, 9, len(segments)), cluster_margin=0.5)
    assert painted(rated.assign(cluster=1))[1][0] == TYPE
    # of the length, not of the segments
    long = rated["length_m"].where(rated.index != rated.index[0], rated["length_m"].sum())
    few = rated.assign(
        length_m=long, cluster=rated["cluster"].where(rated.index != rated.index[0]).astype("Int64")
    )
    assert painted(few)[1][0] == RATE
    assert painted(few.assign(ksi_per_km_year_eb=np.nan))[1] == [TYPE, MARGIN]


def test_every_class_of_rates_holds_the_segments_that_its_legend_says(segments):
    rates = pd.Series(np.linspace(0.1, 9, len(segments)), index=segments.index)
    rates.iloc[3] = np.nan
    paint = painted(segments.assign(ksi_per_km_year_eb=rates))[0][RATE]
    for at, one in enumerate(paint.classes):
        mine = rates[paint.of == at]
        assert len(mine) > 0
        if one.quiet:
            assert mine.isna().all()
            assert "not known" in one.label
        else:
            low, top = (float(part) for part in one.label.split(" (")[0].split(" to "))
            assert mine.min() == pytest.approx(low, abs=0.06)
            assert mine.max() == pytest.approx(top, abs=0.06)


def test_the_network_is_drawn_by_its_windows(segments):
    windows = segments.iloc[:3][["geometry"]].assign(
        window_id=["c", "a", "b"], in_high_injury_network=[True, False, True]
    )
    told = read(map_data(segments, windows=windows))
    assert NETWORK in [paint["key"] for paint in told["paints"]]
    corner = segments.total_bounds[:2]
    first = np.cumsum(np.array(told["network"][0]).reshape(-1, 2), axis=0) * module.UNIT_M + corner
    assert first == pytest.approx(shapely.get_coordinates(windows.geometry.iloc[2]), abs=module.UNIT_M)
    assert len(told["network"]) == 2
    nowhere = windows.assign(in_high_injury_network=False)
    assert NETWORK not in [paint["key"] for paint in read(map_data(segments, windows=nowhere))["paints"]]


def test_pictures_of_the_ground_lie_where_they_lie(segments):
    west, south, *_ = segments.total_bounds
    ground = Backdrop((west - 5, south + 10, west + 95, south + 60), b"picture")
    ((x, y, width, height, address),) = json.loads(map_data(segments, backdrop=[ground]).imagery)
    assert (x, y, width, height) == (-5, 10, 100, 50)
    assert address.startswith("data:image/webp;base64,")
