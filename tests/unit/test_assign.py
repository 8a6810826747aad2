"""Each collision lies on one road or at one junction, or is left with its reason."""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.collisions.assign import PREFERENCE_M, place_collisions
from geo.collisions.evidence import NAME, NUMBER, agreement, spell
from geo.collisions.schema import CollisionSource, canonical_table
from geo.config import Collisions

GRID = pyproj.CRS.from_epsg(27700)
STATUSES = {
    *("matched", "ambiguous", "beyond_limit", "no_geometry"),
    *("outside_area", "duplicate", "out_of_period", "excluded_class"),
}


def street(name, *points, road_class="residential", ref=None, segment_id=None):
    return {
        "segment_id": segment_id or name,
        "source_ids": f"way/{segment_id or name}",
        "name": name,
        "ref": ref,
        "road_class": road_class,
        "geometry": shapely.LineString(points),
    }


COLUMNS = ["segment_id", "source_ids", "name", "ref", "road_class", "geometry"]


def network(*streets):
    return gpd.GeoDataFrame(list(streets), columns=COLUMNS, geometry="geometry", crs=GRID)


def crossings(*places):
    """Junctions as (id, x, y, radius)."""
    return gpd.GeoDataFrame(
        {"junction_id": [p[0] for p in places], "radius_m": [float(p[3]) for p in places]},
        geometry=[shapely.Point(p[1], p[2]) for p in places],
        crs=GRID,
    )


def records(*rows, crs=GRID, has_ids=True):
    """Collisions with the given cells; what is not given is null, and the id is the row's number."""
    table = pd.DataFrame([{"collision_id": f"c{i}"} | row for i, row in enumerate(rows)])
    for column, dtype in (("at_junction", "boolean"), ("year", "Int64"), ("n_casualties", "Int64")):
        if column in table:
            table[column] = table[column].astype(dtype)
    if "date" in table:
        table["date"] = pd.to_datetime(table["date"], utc=True)
    if "repeats" in table:
        table["repeats"] = table["repeats"].eq(other=True)
    if "kept" in table:
        table["kept"] = table["kept"].fillna(value=True).astype(bool)
    return CollisionSource(canonical_table(table), crs, frozenset(), has_ids=has_ids, entries=[])


def place(rows, segments, *, junctions=(), others=(), area=None, source=None, **section):
    return place_collisions(
        source or records(*rows),
        network(*segments),
        crossings(*junctions),
        network(*others).drop(columns=["segment_id", "source_ids"]),
        crs=GRID,
        area=area,
        settings=Collisions(**section),
    )


def one(row, segments, **more):
    return place([row], segments, **more).collisions.iloc[0]


HIGH = street("High Street", (0, 0), (200, 0))
MILL = street("Mill Lane", (0, 20), (200, 20))


def test_a_collision_goes_to_the_nearest_road():
    found = one({"x": 100, "y": 6}, [HIGH, MILL])
    assert found[["snap_status", "segment_id", "junction_id", "snap_distance_m"]].tolist() == [
        *("matched", "High Street"),
        None,
        6.0,
    ]
    assert found.geometry == shapely.Point(100, 6)


def test_coordinates_in_degrees_are_brought_to_the_city():
    lon, lat = pyproj.Transformer.from_crs(GRID, "EPSG:4326", always_xy=True).transform(400100, 300006)
    road = street("High Street", (400000, 300000), (400200, 300000))
    source = records({"x": lon, "y": lat}, crs=pyproj.CRS.from_epsg(4326))
    found = place([], [road], source=source).collisions
    assert found["segment_id"].tolist() == ["High Street"]
    assert found["snap_distance_m"].iloc[0] == pytest.approx(6.0, abs=0.01)
    assert found.crs == GRID


# what the record says of its road


@pytest.mark.parametrize(
    "told",
    [
        {"road_name": "MILL LN."},
        {"road_ref": "B6144"},
        {"road_class": "B"},
        {"road_name": "Mill Lane", "road_class": "Unclassified"},
        {"road_ref": "B 6144", "road_name": "High Street"},
    ],
)
def test_a_collision_near_two_roads_goes_to_the_one_that_the_record_names(told):
    mill = MILL | {"ref": "B6144", "road_class": "secondary"}
    assert one({"x": 100, "y": 8}, [HIGH, mill])["segment_id"] == "High Street"
    found = one({"x": 100, "y": 8} | told, [HIGH, mill])
    assert found[["segment_id", "snap_distance_m"]].tolist() == ["Mill Lane", 12.0]


@pytest.mark.parametrize(("behind", "taken"), [(-0.1, "Far Road"), (0.1, "High Street")])
def test_a_road_that_is_named_but_too_far_behind_the_nearest_is_not_taken(behind, taken):
    y = 2 + PREFERENCE_M + behind
    far = street("Far Road", (0, y), (200, y))
    assert one({"x": 100, "y": 1, "road_name": "Far Road"}, [HIGH, far])["segment_id"] == taken


def test_no_record_reaches_farther_than_the_limit():
    row = {"x": 100, "y": 9.5, "road_name": "Mill Lane"}
    assert one(row, [HIGH, MILL], max_distance_m=10)["segment_id"] == "High Street"
    assert one(row, [HIGH, MILL], max_distance_m=11)["segment_id"] == "Mill Lane"


# ambiguity


def test_two_roads_as_near_as_each_other_leave_a_collision_unplaced():
    found = one({"x": 100, "y": 10.2}, [HIGH, MILL])
    assert found[["snap_status", "snap_distance_m"]].tolist() == ["ambiguous", 9.8]
    assert found[["segment_id", "junction_id"]].isna().all()
    assert one({"x": 100, "y": 10.3}, [HIGH, MILL])["segment_id"] == "Mill Lane"
    assert one({"x": 100, "y": 10.2}, [HIGH, MILL], ambiguity_m=0.3)["segment_id"] == "Mill Lane"


def test_the_record_decides_between_roads_as_near_as_each_other():
    found = one({"x": 100, "y": 10, "road_name": "high st"}, [HIGH, MILL])
    assert found[["snap_status", "segment_id"]].tolist() == ["matched", "High Street"]


def test_a_record_that_fits_both_roads_decides_nothing():
    found = one({"x": 100, "y": 10, "road_class": "Unclassified"}, [HIGH, MILL])
    assert found["snap_status"] == "ambiguous"


def test_two_cuts_of_one_road_are_no_doubt():
    cuts = [
        street("High Street", (0, 0), (100, 0), segment_id="b"),
        street("High Street", (100, 0), (200, 0), segment_id="a"),
    ]
    for order in (cuts, cuts[::-1]):
        assert one({"x": 100, "y": 5}, order)["segment_id"] == "a"


def test_two_nameless_roads_are_two_roads():
    roads = [HIGH | {"name": None}, MILL | {"name": None}]
    assert one({"x": 100, "y": 10}, roads)["snap_status"] == "ambiguous"


# junctions

CROSS = ("j", 100, 0, 0)


@pytest.mark.parametrize(
    ("told", "junction"), [({}, "j"), ({"at_junction": True}, "j"), ({"at_junction": False}, None)]
)
def test_a_collision_in_reach_of_a_junction_belongs_to_it_unless_the_record_denies_it(told, junction):
    found = one({"x": 112, "y": 5} | told, [HIGH], junctions=[CROSS])
    assert found["snap_status"] == "matched"
    assert found["junction_id"] == junction
    assert found["segment_id"] == (None if junction else "High Street")
    assert found["snap_distance_m"] == (13.0 if junction else 5.0)


@pytest.mark.parametrize(("x", "junction"), [(115, None), (125, "j"), (131, None)])
def test_a_record_that_denies_a_junction_within_20_m_says_nothing_of_one_with_a_longer_reach(x, junction):
    found = one({"x": x, "y": 0, "at_junction": False}, [HIGH], junctions=[CROSS], junction_reach_m=30)
    assert found["junction_id"] == junction


def test_beyond_its_reach_a_junction_takes_nothing_even_where_the_record_says_so():
    found = one({"x": 121, "y": 0, "at_junction": True}, [HIGH], junctions=[CROSS])
    assert found[["segment_id", "junction_id"]].tolist() == ["High Street", None]
    assert one({"x": 101, "y": 0}, [HIGH], junctions=[CROSS], junction_reach_m=0)["junction_id"] is None


def test_a_collision_between_two_junctions_goes_to_the_nearer_one():
    pair = [("west", 90, 0, 0), ("east", 110, 0, 0)]
    assert one({"x": 101, "y": 0}, [HIGH], junctions=pair)["junction_id"] == "east"
    for order in (pair, pair[::-1]):
        assert one({"x": 100, "y": 0}, [HIGH], junctions=order)["junction_id"] == "east"


@pytest.mark.parametrize(
    ("x", "junction", "distance"),
    [(100, "ring", 0.0), (115, "ring", 0.0), (135, "ring", 15.0), (141, None, 0.0)],
)
def test_a_roundabout_reaches_from_its_rim(x, junction, distance):
    found = one({"x": x, "y": 0}, [HIGH], junctions=[("ring", 100, 0, 20)])
    assert found[["junction_id", "snap_distance_m"]].tolist() == [junction, distance]


def test_a_collision_at_a_junction_is_not_ambiguous():
    roads = [street("North", (100, 0), (100, 90)), street("East", (100, 0), (190, 0))]
    assert one({"x": 105, "y": 5}, roads, junctions=[CROSS])["junction_id"] == "j"
    assert (
        one({"x": 105, "y": 5, "at_junction": False}, roads, junctions=[CROSS])["snap_status"] == "ambiguous"
    )


# roads that are left out of the city

MOTORWAY = street(None, (0, 12), (200, 12), road_class="motorway", ref="M62", segment_id="out")


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"y": 10}, "excluded_class"),
        ({"y": 2}, "matched"),
        ({"y": 2, "road_ref": "M62"}, "excluded_class"),
        ({"y": 2, "road_class": "Motorway"}, "excluded_class"),
        ({"y": 10, "road_name": "High Street"}, "matched"),
        ({"y": 6.1}, "ambiguous"),
        ({"y": 5.9}, "ambiguous"),
    ],
)
def test_a_collision_of_a_road_that_was_left_out_is_put_on_no_other(told, status):
    found = one({"x": 100} | told, [HIGH], others=[MOTORWAY])
    assert found["snap_status"] == status
    assert found["segment_id"] == ("High Street" if status == "matched" else None)


def test_between_two_roads_that_were_left_out_nothing_is_in_doubt():
    other = street("M1", (0, 16), (200, 16), road_class="motorway")
    assert one({"x": 100, "y": 14}, [HIGH], others=[MOTORWAY, other])["snap_status"] == "excluded_class"


@pytest.mark.parametrize("road_class", ["footway", "cycleway", "steps"])
def test_a_pavement_drawn_beside_its_street_takes_none_of_its_collisions(road_class):
    pavement = street(None, (0, 4), (200, 4), road_class=road_class, segment_id="path")
    assert one({"x": 100, "y": 4}, [HIGH], others=[pavement])["segment_id"] == "High Street"


# rows that are not placed


@pytest.mark.parametrize(
    ("x", "y"), [(np.nan, 0), (0, np.nan), (np.inf, 0), (0, 0)], ids=["no x", "no y", "infinite", "zero"]
)
def test_a_row_without_usable_coordinates_has_no_geometry(x, y):
    found = one({"x": x, "y": y}, [HIGH])
    assert found["snap_status"] == "no_geometry"
    assert found.geometry is None
    assert np.isnan(found["snap_distance_m"])


def test_degrees_off_the_globe_are_no_place():
    source = records({"x": 5831815.3, "y": 13.6}, {"x": 13.6, "y": 91.0}, crs=pyproj.CRS.from_epsg(4326))
    assert set(place([], [HIGH], source=source).collisions["snap_status"]) == {"no_geometry"}


def test_a_road_beyond_the_limit_is_not_taken_and_its_distance_is_told():
    slanted = street("Long Road", (0, 0), (300, 300))
    found = one({"x": 100, "y": 200}, [slanted])
    assert found["snap_status"] == "beyond_limit"
    assert found["snap_distance_m"] == pytest.approx(100 / np.sqrt(2), abs=0.001)
    assert one({"x": 100, "y": 30}, [HIGH])["snap_status"] == "matched"
    assert (
        one({"x": 100, "y": 30.01}, [HIGH, street("Top", (0, 300), (9, 300))])["snap_status"]
        == "beyond_limit"
    )


def test_outside_is_outside_the_area_or_else_the_box_of_the_network():
    assert one({"x": 231, "y": 0}, [HIGH])["snap_status"] == "outside_area"
    assert one({"x": 229, "y": 0}, [HIGH])["snap_status"] == "matched"
    west = shapely.box(-50, -50, 100, 50)
    assert one({"x": 101, "y": 0}, [HIGH], area=west)["snap_status"] == "outside_area"
    assert one({"x": 99, "y": 0}, [HIGH], area=west)["snap_status"] == "matched"


def test_rows_that_repeat_another_one_are_duplicates():
    rows = [
        {"collision_id": "a", "x": 50, "y": 0, "kept": False},
        {"collision_id": "a", "x": 60, "y": 0},
        {"collision_id": "a", "x": 60, "y": 0, "repeats": True},
        {"collision_id": "b", "x": 80, "y": 0},
    ]
    found = place(rows, [HIGH]).collisions["snap_status"].tolist()
    assert found == ["excluded_class", "matched", "duplicate", "matched"]


PERIOD = (date(2023, 1, 1), date(2024, 6, 30))


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"date": "2022-12-31T23:59"}, "out_of_period"),
        ({"date": "2023-01-01"}, "matched"),
        ({"date": "2024-06-30T23:59"}, "matched"),
        ({"date": "2024-07-01"}, "out_of_period"),
        ({"year": 2023}, "matched"),
        ({"year": 2024}, "out_of_period"),
        ({"year": 2023, "date": "2022-05-05"}, "out_of_period"),
        ({}, "out_of_period"),
    ],
)
def test_both_days_of_the_period_are_in_it_and_a_year_alone_must_be_whole(told, status):
    assert one({"x": 100, "y": 0} | told, [HIGH], period=PERIOD)["snap_status"] == status
    assert one({"x": 100, "y": 0} | told, [HIGH])["snap_status"] == "matched"


def test_a_row_has_the_first_reason_that_applies():
    nowhere, early = {"x": np.nan, "y": np.nan}, {"date": "2001-01-01"}
    rows = [
        {"collision_id": "a", "x": 100, "y": 0, "date": "2023-05-05"},
        {"collision_id": "a", "kept": False} | nowhere | early,
        {"collision_id": "a", "repeats": True} | nowhere | early,
        {"collision_id": "b"} | nowhere | early,
        {"collision_id": "c", "date": "2023-05-05"} | nowhere,
        {"collision_id": "d", "x": 9999, "y": 0, "date": "2023-05-05"},
    ]
    assert place(rows, [HIGH], period=PERIOD).collisions["snap_status"].tolist() == [
        *("matched", "excluded_class", "duplicate", "out_of_period", "no_geometry", "outside_area"),
    ]


# the account


def test_every_reason_stands_in_the_account():
    rows = [
        {"x": 100, "y": 0, "date": "2023-05-05"},
        {"x": 100, "y": 0, "date": None},
        {"x": 100, "y": 0, "date": "2020-01-01"},
        {"x": 100, "y": 0, "date": "2023-05-05", "kept": False},
        {"x": np.nan, "y": 0, "date": "2023-05-05"},
    ]
    placed = place(rows, [HIGH], period=PERIOD, keep={"source": ["MDOT"]})
    found = {(e.status, e.reason): e.count for e in placed.entries}
    assert found == {
        ("done", ""): 1,
        ("rejected", "out_of_period: a period is given, and no date is recorded"): 1,
        ("skipped", "out_of_period: outside the period"): 1,
        ("skipped", "excluded_class: left out by collisions.keep (source)"): 1,
        ("rejected", "no_geometry: no coordinates that can be used"): 1,
    }


def test_counts_of_road_users_come_along():
    found = one({"x": 100, "y": 0, "n_cyclist": 2, "n_casualties": 3}, [HIGH])
    assert found[["n_cyclist", "n_casualties"]].tolist() == [2, 3]


coordinate = st.one_of(st.floats(-60, 260, allow_nan=False), st.sampled_from([np.nan, 0.0, 10.0, 100.0]))
row = st.fixed_dictionaries(
    {
        "collision_id": st.sampled_from("abcdefghij"),
        "x": coordinate,
        "y": coordinate,
        "kept": st.booleans(),
        "at_junction": st.sampled_from([True, False, None]),
        "road_name": st.sampled_from([None, "Mill Lane", "High St", "Nowhere"]),
        "road_class": st.sampled_from([None, "A", "Unclassified"]),
        "date": st.sampled_from(["2023-02-03", "2020-01-01", None]),
    }
)
TOWN = [
    HIGH,
    MILL | {"road_class": "primary"},
    street("Cross Road", (100, -50), (100, 150)),
    street(None, (0, 60), (200, 80), segment_id="nameless"),
]


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(row, min_size=1, max_size=25), order=st.permutations(range(len(TOWN))))
def test_every_row_has_one_fate_whatever_the_order_of_the_roads(rows, order):
    both = {"junctions": [CROSS, ("ring", 0, 70, 15)], "others": [MOTORWAY], "period": PERIOD}
    placed = place(rows, TOWN, **both)
    found = placed.collisions
    assert len(found) == len(rows) == sum(e.count for e in placed.entries)
    assert found["source_row"].tolist() == list(range(len(rows)))
    assert set(found["snap_status"]) <= STATUSES
    somewhere = found["segment_id"].notna().astype(int) + found["junction_id"].notna()
    assert (somewhere == (found["snap_status"] == "matched")).all()
    limit = found["junction_id"].notna().map({True: 20.0, False: 30.0})
    matched = found["snap_status"] == "matched"
    assert (found.loc[matched, "snap_distance_m"] <= limit[matched] + 1e-3).all()
    again = place(rows, [TOWN[i] for i in order], **both).collisions
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(found))


def test_without_anything_in_the_record_the_road_is_the_nearest_of_all():
    rng = np.random.default_rng(23)
    ends = rng.uniform(0, 1000, (60, 2, 2))
    roads = [street(f"road {i}", *line, segment_id=f"s{i:02d}") for i, line in enumerate(ends.tolist())]
    spots = rng.uniform(0, 1000, (500, 2))
    found = place([{"x": x, "y": y} for x, y in spots], roads, ambiguity_m=0).collisions
    apart = shapely.distance(shapely.points(spots)[:, None], shapely.linestrings(ends)[None, :])
    nearest = apart.min(axis=1)
    assert found["snap_distance_m"].to_numpy() == pytest.approx(nearest, abs=0.001)
    assert (found["snap_status"] == "matched").tolist() == (nearest <= 30).tolist()
    hit = found["snap_status"] == "matched"
    assert found.loc[hit, "segment_id"].tolist() == [f"s{i:02d}" for i in apart.argmin(axis=1)[hit]]


def test_results_do_not_depend_on_how_many_collisions_are_placed_at_once(monkeypatch):
    rng = np.random.default_rng(5)
    named = rng.choice(np.array([None, "Mill Lane", "High St", "Nowhere"], dtype=object), 300)
    # whole metres: many lie as near to one road as to another, or on the very limit
    spots = rng.integers((-60, -60), (260, 160), (300, 2)).astype(float)
    rows = [{"x": x, "y": y, "road_name": name} for (x, y), name in zip(spots, named, strict=True)]
    both = {"junctions": [CROSS, ("ring", 0, 70, 15)], "others": [MOTORWAY]}
    whole = place(rows, TOWN, **both)
    monkeypatch.setattr("geo.collisions.assign.CHUNK", 7)
    monkeypatch.setattr("geo.collisions.assign.STRIP_M", 3.0)
    parts = place(rows, TOWN, **both)
    pd.testing.assert_frame_equal(pd.DataFrame(parts.collisions), pd.DataFrame(whole.collisions))
    assert parts.entries == whole.entries


@pytest.mark.parametrize("beyond", [0.0, 1e-8, 1e-3])
@pytest.mark.parametrize("west", [0.0, 0.1, 400_000.7, 5_831_815.3])
def test_the_limit_itself_is_within_reach(west, beyond):
    x = west + 30 + beyond
    road = street("High Street", (west, -100), (west, 100))
    far = street("Far Road", (west + 500, 0), (west + 600, 0))
    found = one({"x": x, "y": 1}, [road, far])
    # the distance as far as coordinates can tell it
    assert found["snap_status"] == ("matched" if x - west <= 30 else "beyond_limit")


def test_spellings_agree_and_nulls_never_do():
    records = pd.DataFrame(
        {
            "road_class": ["A", None, None],
            "road_name": ["mill ln.", None, "x"],
            "road_ref": ["A 1", None, "b2"],
        }
    )
    roads = pd.DataFrame(
        {"road_class": ["primary", None], "name": ["Mill Lane", None], "ref": [None, None]}, dtype=object
    )
    told, called = spell(records, roads)
    assert agreement(told, called[:, [0, 0, 0]]).tolist() == [NAME, 0, 0]
    assert agreement(told, called[:, [1, 1, 1]]).tolist() == [0, 0, 0]


def test_any_of_several_names_and_numbers_of_a_road_agrees():
    records = pd.DataFrame(
        {
            "road_class": None,
            "road_name": ["old mill ln", "Cafe\u0301 Row", "x"],
            "road_ref": [None, "B2", "A1"],
        },
        dtype=object,
    )
    roads = pd.DataFrame(
        {
            "road_class": None,
            "name": ["Mill Lane;Old Mill Lane", "Caf\u00e9 Row", None],
            "ref": ["A64", "A1", "A3; A1 ;B1"],
        },
        dtype=object,
    )
    told, called = spell(records, roads)
    of_each = [agreement(told, called[:, [road] * 3]).tolist() for road in range(3)]
    assert of_each == [[NAME, 0, 0], [0, NAME, NUMBER], [0, 0, NUMBER]]
