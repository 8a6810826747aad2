"""Junctions seen from above: their tiles, their types, and whether those of one look differ from comparable ones."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from rasters import CITY, NORTH, WEST, catalogue, noise, write_raster

from geo.clusters.found.junction_types import find_junction_types
from geo.config import Clusters, Tiles
from geo.config.sections.clusters import JunctionTypes
from geo.features.fingerprints import fingerprint
from geo.imagery.layout import lay_out_junction_tiles, lay_out_tiles
from geo.safety.comparison.inference import OUTCOMES
from geo.safety.junctions.looks import ALL, COMPARISONS, SAME_FORM, compare_looks, known_of_looks, looks_table
from geo.tiles.at_junctions import place_junction_tiles
from tasks.tables import JUNCTION_CLUSTERS, JUNCTION_GROUPINGS, JUNCTION_TESTS, JUNCTION_TYPED


def star(x: float, y: float, *arms: tuple[str, tuple[float, float]]):
    """Lay out a junction, and arms of some class that end at points beside it."""
    lines = [shapely.LineString([(x, y), (x + dx, y + dy)]) for _, (dx, dy) in arms]
    segments = gpd.GeoDataFrame(
        {
            "segment_id": [f"s{i}" for i in range(len(arms))],
            "u": "j",
            "v": None,
            "road_class": [name for name, _ in arms],
        },
        geometry=lines,
        crs=CITY,
    )
    junctions = gpd.GeoDataFrame({"junction_id": ["j"]}, geometry=[shapely.Point(x, y)], crs=CITY)
    return junctions, segments


# tiles


def test_a_junctions_tile_lies_about_its_centre_and_is_as_large_as_those_of_roads():
    junctions, segments = star(500, 500, ("primary", (0, 80)), ("primary", (0, -80)), ("service", (90, 0)))
    tile = place_junction_tiles(junctions, segments, Tiles(tile_m=64)).iloc[0]
    assert tile.geometry.equals(shapely.box(468, 468, 532, 532))
    assert tile["tile_id"] == "j-00"


@pytest.mark.parametrize("drawn_to_it", [False, True])
def test_where_tiles_are_turned_its_most_important_arm_runs_upwards(drawn_to_it):
    junctions, segments = star(0, 0, ("service", (200, 0)), ("primary", (60, 60)), ("primary", (-50, -50)))
    if drawn_to_it:
        segments = segments.assign(u=None, v="j").set_geometry(shapely.reverse(segments.geometry.to_numpy()))
        segments = segments.set_crs(CITY)
    tile = place_junction_tiles(junctions, segments, Tiles(tile_m=40, align="road")).iloc[0]
    assert tile["bearing"] == pytest.approx(45)
    ahead = shapely.Point(np.array([1, 1]) * 20 / np.sqrt(2))
    assert tile.geometry.boundary.distance(ahead) == pytest.approx(0, abs=1e-9)
    assert tile.geometry.area == pytest.approx(1600)


def test_junctions_are_read_with_the_roads_about_them_and_outside_imagery_it_is_said(tmp_path):
    images = catalogue(write_raster(tmp_path / "a.tif", noise(200, 200))).images
    settings = Tiles(tile_m=32)
    roads = gpd.GeoDataFrame(
        {"segment_id": ["a", "b"], "u": "j", "v": ["k", None], "road_class": "primary"},
        geometry=[
            shapely.LineString([(WEST + 60, NORTH - 60), (WEST + 160, NORTH - 60)]),
            shapely.LineString([(WEST + 60, NORTH - 60), (WEST + 60, NORTH - 900)]),
        ],
        crs=CITY,
    )
    junctions = gpd.GeoDataFrame(
        {"junction_id": ["j", "k"]},
        geometry=[shapely.Point(WEST + 60, NORTH - 60), shapely.Point(WEST + 5000, NORTH)],
        crs=CITY,
    )
    tiles, _ = lay_out_tiles(roads, images, settings)
    found, entries = lay_out_junction_tiles(junctions, roads, tiles, images, settings)
    assert (found["coverage"] > 0).tolist() == [True, False]
    assert set(found["shard"]) <= set(tiles["shard"])
    assert [(e.item, e.status, e.count) for e in entries] == [
        ("junction tiles", "done", 1),
        ("junction tiles", "skipped", 1),
    ]
    nothing, none = lay_out_junction_tiles(junctions.iloc[:0], roads, tiles, images, settings)
    assert nothing.empty
    assert none == []


# types


def seen(looks: list[int]):
    """Draw embeddings of junctions 300 m apart whose looks are some numbers."""
    rng = np.random.default_rng(4)
    middles = rng.normal(size=(max(looks) + 1, 12)) * 4
    ids = [f"j{i:03d}" for i in range(len(looks))]
    vectors = (middles[looks] + rng.normal(size=(len(looks), 12)) * 0.3).astype(np.float32)
    tiles = pd.DataFrame({"tile_id": [f"{one}-00" for one in ids], "segment_id": ids, "coverage": 1.0})
    tiles["embedding"] = tiles["bands"] = list(vectors)
    junctions = gpd.GeoDataFrame(
        {"junction_id": ids},
        geometry=gpd.points_from_xy(np.arange(len(ids)) * 300, 0 * np.arange(len(ids))),
        crs=CITY,
    )
    return fingerprint(tiles), tiles.rename(columns={"segment_id": "junction_id"}), junctions


def test_types_of_junction_have_a_number_of_their_own_and_the_largest_is_1():
    looks = [0] * 12 + [1] * 30 + [2] * 20
    settings = Clusters(k=2, junctions=JunctionTypes(k="auto", k_range=(2, 5)))
    found = find_junction_types(*seen(looks), settings, tile_m=50)
    cluster = found.segments["cluster"].to_numpy()
    assert [set(cluster[np.array(looks) == look]) for look in (1, 2, 0)] == [{1}, {2}, {3}]
    assert found.quality["k"] == 3
    assert set(found.picks["tile_id"].str.removesuffix("-00")) <= set(found.segments["junction_id"])
    for table, frame in ((JUNCTION_TYPED, found.segments), (JUNCTION_GROUPINGS, found.groupings)):
        table.check(frame)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_junctions_are_one_type(n):
    found = find_junction_types(*seen([0, 1, 0][:n]), Clusters(), tile_m=50)
    assert set(found.segments["cluster"]) == {1}


# tests


def town(rate, *, form=None, seed=1, years=5.0):
    """Draw 400 junctions on a grid of 150 m, of types 1 and 2 by blocks, with rates by type (and form)."""
    rng = np.random.default_rng(seed)
    x, y = (150.0 * axis.ravel() for axis in np.meshgrid(np.arange(20), np.arange(20)))
    types = rng.integers(1, 3, (5, 5))[(y // 600).astype(int), (x // 600).astype(int)]
    forms = types * 0 + 3 if form is None else form(types, rng)
    index = pd.Index([f"j{i:03d}" for i in range(400)], name="junction_id")
    junctions = gpd.GeoDataFrame(index=index, geometry=gpd.points_from_xy(x, y), crs=CITY)
    n = rng.poisson(years * rate(types, forms))
    counted = pd.DataFrame(dict.fromkeys(OUTCOMES, pd.NA), index=index).astype("Int64")
    counted["n_collisions"], counted["n_ksi"] = n, rng.binomial(n, 0.2)
    counted = counted.assign(
        years=years, junction_type=forms.astype(str), highest_class="minor", traffic_major=np.nan
    )
    return known_of_looks(junctions, pd.DataFrame({"cluster": types}, index=index), counted)


def collisions(tests: pd.DataFrame, comparison: str) -> pd.Series:
    """Take the row of type 2 and all collisions."""
    return tests[
        tests["comparison"].eq(comparison) & tests["outcome"].eq("n_collisions") & tests["cluster"].eq(2)
    ].iloc[0]


def test_junctions_of_a_look_with_three_times_the_collisions_are_found():
    frame = town(lambda types, _: np.where(types == 2, 0.6, 0.2))
    tests = compare_looks(frame, None, permutations=199, seed=0)
    found = collisions(tests, ALL)
    assert found["q_value"] < 0.05
    assert found["ratio_adjusted_low"] < 3 < found["ratio_adjusted_high"]
    JUNCTION_TESTS.check(tests)
    table = looks_table(frame, tests)
    JUNCTION_CLUSTERS.check(table)
    second = table.set_index("cluster").loc[2]
    of_it = frame["cluster"] == 2
    assert second["junction_years"] == 5 * of_it.sum()
    assert second["collisions_per_junction_year"] == pytest.approx(
        frame.loc[of_it, "n_collisions"].sum() / (5 * of_it.sum())
    )
    assert second["forms"] == f"3: {of_it.sum()}"


def test_a_look_that_only_goes_with_a_form_differs_from_no_junction_of_its_form():
    def form(types, rng):
        return np.where(rng.random(len(types)) < np.where(types == 2, 0.8, 0.2), 4, 3)

    frame = town(lambda _, forms: np.where(forms == 4, 0.9, 0.2), form=form)
    tests = compare_looks(frame, None, permutations=199, seed=0)
    assert collisions(tests, ALL)["ratio"] > 1.5
    inside = collisions(tests, SAME_FORM)
    assert inside["ratio_adjusted_low"] < 1 < inside["ratio_adjusted_high"]
    assert inside["q_value"] > 0.05


def test_a_junction_is_one_unit_a_year_however_long_the_records_are():
    shorter, longer = (town(lambda types, _: np.where(types == 2, 0.6, 0.2), years=y) for y in (5.0, 10.0))
    longer = longer.assign(**{name: shorter[name] for name in ("n_collisions", "n_ksi")})
    ratios = [
        collisions(compare_looks(one, None, permutations=0, seed=0), ALL)["ratio"]
        for one in (shorter, longer)
    ]
    assert ratios[0] == pytest.approx(ratios[1])


def test_reasons_speak_of_junctions():
    frame = town(lambda types, _: 0.01 * types)
    tests = compare_looks(frame, None, permutations=99, seed=0)
    words = pd.concat([tests[name] for name in ("reason", "reason_adjusted", "method", "held_out_result")])
    assert not words.dropna().str.contains("road|segment").any()
    one = frame.assign(cluster=pd.array([1] * len(frame), dtype="Int64"))
    told = compare_looks(one, None, permutations=99, seed=0)
    assert set(told["comparison"]) == set(COMPARISONS)
    assert told["reason"].iloc[0] == "one cluster only: no other junctions to compare with"


@pytest.mark.parametrize("what", ["no types", "no records", "no junctions"])
def test_without_types_or_records_nothing_is_claimed(what):
    frame = town(lambda types, _: 0.3 * types)
    if what == "no types":
        frame["cluster"] = pd.array([pd.NA] * len(frame), dtype="Int64")
    elif what == "no records":
        frame[list(OUTCOMES)] = pd.NA
        frame["years"] = np.nan
    else:
        frame = frame.iloc[:0]
    tests = compare_looks(frame, None, permutations=99, seed=0)
    assert tests["q_value"].isna().all()
    table = looks_table(frame, tests)
    assert len(table) == (2 if what == "no records" else 0)
    JUNCTION_TESTS.check(tests)
    JUNCTION_CLUSTERS.check(table)
