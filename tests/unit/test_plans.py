"""Road plans of the demo town: whole networks of all forms, on which even collisions show no type as different."""

import hashlib
from functools import lru_cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from scipy.stats import norm

from geo.collisions.assign import place_collisions
from geo.collisions.reach import counted_length
from geo.collisions.schema import CollisionSource, canonical_table
from geo.config import Collisions, Segments
from geo.demo.collisions import ORIGIN, REACH_M, true_forms
from geo.demo.layout import FORMS, SIZE_M
from geo.demo.plans import NAMES
from geo.demo.plans.registry import plan_of
from geo.demo.write import make_town
from geo.errors import ConfigurationError
from geo.roads.segments import build_network

CRS = pyproj.CRS.from_epsg(27700)
DRAWN = [name for name in NAMES if name != "town"]
EVEN = 20_000
SURE = 0.001
"""Chance that any of the ratios of even collisions is taken as different from 1 when none is."""
NOBODY = gpd.GeoDataFrame({name: [] for name in ("name", "ref", "road_class")}, geometry=[], crs=CRS)


@lru_cache(maxsize=12)
def laid_out(name, seed=1):
    """Roads of a plan, and their network with the form of each segment."""
    plan = plan_of(name, seed)
    table = gpd.GeoDataFrame(
        {
            "source_id": [str(i) for i in range(1, len(plan.roads) + 1)],
            "name": [road.name for road in plan.roads],
            "road_class": [road.look.highway for road in plan.roads],
            "ref": [road.ref for road in plan.roads],
            "level": [int(road.bridge) for road in plan.roads],
            "roundabout": [road.form == "roundabout" for road in plan.roads],
        },
        geometry=[shapely.transform(road.line, lambda xy: np.round(xy + ORIGIN, 2)) for road in plan.roads],
        crs=CRS,
    )
    found = build_network(table, Segments())
    segments = found.segments.assign(form=true_forms(found.segments, plan.roads).to_numpy())
    return plan, segments, found.junctions


every = pytest.mark.parametrize("seed", [1, 2])
each = pytest.mark.parametrize("name", NAMES)


@each
@every
def test_all_forms_are_there_and_no_other(name, seed):
    _, segments, _ = laid_out(name, seed)
    by_form = segments.groupby("form")["length_m"].agg(["size", "sum"])
    assert set(by_form.index) == set(FORMS)
    assert by_form["size"].min() >= 8
    assert by_form["sum"].min() > 800


@each
@every
def test_the_network_is_as_long_as_the_plan_says(name, seed):
    plan, segments, _ = laid_out(name, seed)
    planned = sum(road.line.length for road in plan.roads if road.form != "roundabout")
    assert segments["length_m"].sum() == pytest.approx(planned, rel=0.005)


@each
@every
def test_no_two_roads_cross_without_a_junction(name, seed):
    """But for a bridge, segments meet at their ends alone, and where three or more do, there is a junction."""
    _, segments, junctions = laid_out(name, seed)
    lines = segments.geometry.to_numpy()
    first, second = shapely.STRtree(lines).query(lines, predicate="intersects")
    level = segments["level"].to_numpy() if "level" in segments else np.zeros(len(segments))
    bridged = segments["name"].eq("Ring Way").to_numpy() & (name == "town")
    pairs = (first < second) & (level[first] == level[second]) & ~(bridged[first] ^ bridged[second])
    meeting = shapely.intersection(lines[first[pairs]], lines[second[pairs]])
    ends = shapely.boundary(lines)
    for side in (first, second):
        assert (shapely.distance(meeting, ends[side[pairs]]) < 0.02).all()
    assert shapely.length(meeting).max() < 0.02
    spots = shapely.get_coordinates(ends)
    reach = shapely.buffer(junctions.geometry.to_numpy(), junctions["radius_m"].to_numpy() + 0.05)
    _, of, many = np.unique(np.round(spots, 2), axis=0, return_inverse=True, return_counts=True)
    crossing = shapely.points(spots[many[of.ravel()] > 2])
    assert shapely.intersects(shapely.union_all(reach), crossing).all()


@pytest.mark.parametrize("name", DRAWN)
@every
def test_a_dual_carriageway_is_met_at_roundabouts_alone(name, seed):
    plan, *_ = laid_out(name, seed)
    dual = shapely.union_all([road.line for road in plan.roads if road.form == "dual_carriageway"])
    rings = shapely.union_all([shapely.Point(at).buffer(radius + 1) for at, radius in plan.roundabouts])
    others = [road.line for road in plan.roads if road.form not in {"dual_carriageway", "roundabout"}]
    assert not shapely.intersects(shapely.difference(dual, rings), np.array(others)).any()


@pytest.mark.parametrize("name", DRAWN)
def test_the_class_of_a_road_does_not_tell_its_form(name):
    """In the usual plan it nearly does: there, roads of one class are of two forms at most."""
    _, segments, _ = laid_out(name)
    forms = segments.groupby("road_class")["form"].nunique()
    classes = segments.groupby("form")["road_class"].nunique()
    assert (forms >= 3).sum() >= 3
    assert (classes >= 2).sum() >= 5


@pytest.mark.parametrize("name", DRAWN)
def test_another_seed_lays_out_other_roads_of_the_same_kind(name):
    lines = [[road.line for road in plan_of(name, seed).roads] for seed in (1, 1, 2)]
    assert lines[0] == lines[1]
    assert lines[0] != lines[2]
    here, there = (laid_out(name, seed)[1]["length_m"].sum() for seed in (1, 2))
    assert here == pytest.approx(there, rel=0.15)


@pytest.mark.parametrize("name", DRAWN)
def test_every_road_lies_in_the_town(name):
    plan, *_ = laid_out(name, 2)
    assert shapely.within([road.line for road in plan.roads], shapely.box(0, 0, SIZE_M, SIZE_M)).all()
    for at, _ in plan.roundabouts:
        assert 0 < min(at) < max(at) < SIZE_M


def test_the_usual_plan_is_as_it_always_was():
    """A digest of the places and forms of its roads, to the centimetre, from before there were other plans."""
    roads = plan_of().roads
    assert plan_of(seed=7).roads == roads
    words = [
        f"{road.name}|{road.ref}|{road.form}|{road.look.highway}|{road.bridge}|"
        + ";".join(f"{x + 0.0:.2f},{y + 0.0:.2f}" for x, y in np.round(shapely.get_coordinates(road.line), 2))
        for road in roads
    ]
    assert hashlib.sha256("\n".join(words).encode()).hexdigest()[:16] == "d9ff6eacd82f6dc1"


def test_a_plan_that_there_is_not_is_refused_with_the_names_of_those_there_are(tmp_path):
    with pytest.raises(ConfigurationError, match=r"no plan 'village'[^$]*town, grid, market, estate"):
        make_town(tmp_path, pixel_m=4.0, plan="village")


@pytest.mark.parametrize("name", DRAWN)
def test_a_town_is_drawn_on_each_plan(name, tmp_path):
    town = make_town(tmp_path, seed=3, pixel_m=8.0, plan=name)
    truth = town.truth().segments
    assert set(truth["form"]) == set(FORMS)
    assert sorted(truth["segment_id"]) == sorted(laid_out(name, 3)[1]["segment_id"])
    assert f"city: demo-{name}" in town.city.read_text()


def ratios(name, *, told, exposure):
    """Ratios of rates of even collisions, each form over all others, and the standard errors of their logarithms.

    Counts are multinomial: given how many fall on a form and on all others, the variance of the logarithm of the ratio
    of two rates is the sum of the reciprocals of the two counts (Rothman, Greenland and Lash 2008, chapter 14).
    """
    _, segments, junctions = laid_out(name)
    rng = np.random.default_rng(len(name))
    lines, length = segments.geometry.to_numpy(), shapely.length(segments.geometry.to_numpy())
    row = rng.choice(len(lines), EVEN, p=length / length.sum())
    points = shapely.line_interpolate_point(lines[row], rng.random(EVEN) * length[row])
    table = canonical_table(pd.DataFrame({"x": shapely.get_x(points), "y": shapely.get_y(points)}))
    if told:
        reach = shapely.buffer(junctions.geometry.to_numpy(), junctions["radius_m"] + REACH_M, quad_segs=64)
        at = shapely.intersects(shapely.union_all(reach), points)
        table["at_junction"] = pd.array(at, "boolean")
    source = CollisionSource(table, CRS, frozenset(), has_ids=False, entries=[])
    settings = Collisions(junction_reach_m=REACH_M)
    placed = place_collisions(source, segments, junctions, NOBODY, crs=CRS, settings=settings).collisions
    named = segments.set_index("segment_id")
    named["counted_m"] = counted_length(named, junctions, REACH_M)
    named["n"] = placed["segment_id"].value_counts().reindex(named.index, fill_value=0)
    sums = named.groupby("form")[["n", exposure]].sum()
    others = sums.sum() - sums
    ratio = (sums["n"] / sums[exposure]) / (others["n"] / others[exposure])
    return ratio, np.sqrt(1 / sums["n"] + 1 / others["n"])


def beyond_chance(ratio, error):
    comparisons = len(FORMS) * len(NAMES) * 2
    return np.log(ratio).abs() > norm.isf(SURE / comparisons / 2) * error


@each
@pytest.mark.parametrize("told", [False, True], ids=["no field", "at-junction field"])
def test_even_collisions_show_no_form_as_different(name, told):
    assert not beyond_chance(*ratios(name, told=told, exposure="counted_m")).any()


@each
def test_over_the_whole_length_they_would(name):
    """What the reach of junctions takes from a road must be taken from its length: else roads with many look safe."""
    ratio, error = ratios(name, told=False, exposure="length_m")
    assert beyond_chance(ratio, error).sum() >= 3
    assert ratio.max() / ratio.min() > 1.25
