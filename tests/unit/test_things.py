"""Things on the ground are found where they are, counted once, and not counted where that cannot be done."""

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.demo.ground import Ground as Kind
from geo.demo.ground import read_ground
from geo.ground.shares import Places
from geo.ground.things.counting import count_along, count_at, place_things, seen_of
from geo.ground.things.finding import find_things, kept_evidence
from geo.ground.things.judging import MIN_THINGS, WITHIN_M, Ground, Tally, judge, tally
from geo.ground.things.peaks import FLOOR, Rule, evidence_of, margin, peaks

PLACE_M = 0.5
CAR = Rule(0.75, 1.25, 0.3)
CRS = "EPSG:27700"


def of_boxes(shape, boxes):
    """Evidence of oblongs: row, column, rows, columns (metres)."""
    evidence = np.zeros([round(side / PLACE_M) for side in shape], dtype=np.uint8)
    for row, column, rows, columns in boxes:
        down, across = (
            slice(round(at / PLACE_M), round((at + size) / PLACE_M))
            for at, size in ((row, rows), (column, columns))
        )
        evidence[down, across] = 230
    return evidence


def test_cars_at_a_kerb_and_side_by_side_are_counted_one_by_one():
    kerb = [(10, 4 + 5.5 * i, 2, 4.5) for i in range(8)]
    yard = [(20, 4 + 3.0 * i, 4.5, 2) for i in range(9)]
    rows, columns, scores = peaks(of_boxes((40, 60), kerb + yard), CAR, PLACE_M)
    assert len(rows) == len(kerb) + len(yard)
    middles = np.array([(row + high / 2, column + wide / 2) for row, column, high, wide in kerb + yard])
    found = np.column_stack([rows + 0.5, columns + 0.5]) * PLACE_M
    away = np.linalg.norm(found[:, None] - middles[None], axis=2)
    assert away.min(axis=0).max() < 1
    assert len(set(away.argmin(axis=1))) == len(middles)
    assert ((scores >= CAR.least) & (scores <= 1)).all()


def test_a_flat_top_is_one_thing_and_empty_ground_none():
    evidence = np.zeros((60, 60), dtype=np.uint8)
    assert len(peaks(evidence, CAR, PLACE_M)[0]) == 0
    evidence[20:24, 20:24] = 255
    assert len(peaks(evidence, Rule(0.5, 3.0, 0.1), PLACE_M)[0]) == 1


def test_no_two_things_are_nearer_than_the_rule_says():
    evidence = np.random.default_rng(0).integers(0, 256, (200, 200)).astype(np.uint8)
    rule = Rule(0.5, 2.5, 0.1)
    rows, columns, _ = peaks(evidence, rule, PLACE_M)
    points = shapely.points(columns * PLACE_M, rows * PLACE_M)
    near, _ = shapely.STRtree(points).query(points, predicate="dwithin", distance=rule.apart_m)
    assert len(points) > 50
    assert len(near) == len(points)


def city(seed=1, side=230):
    """Evidence of a part of a city that lies about its origin, with flat tops, as a table."""
    rng = np.random.default_rng(seed)
    raw = rng.integers(0, 256, (side, side)).astype(np.uint8)
    raw[40:60, 100:140] = 200
    raw[rng.random(raw.shape) < 0.4] = 0
    rows, columns = np.nonzero(raw)
    return raw, pd.DataFrame(
        {"thing": "car", "column": columns - 100, "row": rows - 90, "evidence": raw[rows, columns]}
    )


@pytest.mark.parametrize("block", [37, 64])
@pytest.mark.parametrize("rule", [CAR, Rule(2.5, 6.0, 0.2), Rule(0.5, 10.0, 0.1)], ids=str)
def test_seams_neither_cut_nor_double_a_thing(block, rule):
    """Whatever blocks a city is looked at in, the same things are found as in all of it at once."""
    raw, table = city()
    rim = margin(rule, PLACE_M)
    rows, columns, scores = peaks(np.pad(raw, rim), rule, PLACE_M)
    found = find_things(table.sample(frac=1, random_state=0), {"car": rule}, PLACE_M, block=block)
    assert len(rows) > 3
    assert found["x"].tolist() == ((columns - rim - 100 + 0.5) * PLACE_M).tolist()
    assert found["y"].tolist() == (-(rows - rim - 90 + 0.5) * PLACE_M).tolist()
    assert found["score"].tolist() == scores.tolist()


def test_pieces_are_kept_by_their_place_in_the_city():
    """A car across the edge of four pieces is one; columns count from x = 0, rows from y = 0."""
    whole = of_boxes((32, 32), [(15, 14, 2, 4.5)])
    parts = [
        kept_evidence(
            Places(400.0 + 16 * j, 300.0 - 16 * i, 32, 32, PLACE_M),
            "car",
            whole[32 * i : 32 * i + 32, 32 * j : 32 * j + 32],
        )
        for i in (0, 1)
        for j in (0, 1)
    ]
    assert min(len(part) for part in parts) > 0
    found = find_things(pd.concat(parts), {"car": CAR}, PLACE_M)
    assert len(found) == 1
    assert abs(found["x"][0] - (400 + 14 + 2.25)) <= PLACE_M
    assert abs(found["y"][0] - (300 - 16)) <= PLACE_M
    (alone,) = {len(find_things(part, {"tree": CAR}, PLACE_M)) for part in parts}
    assert alone == 0


def test_evidence_is_the_probability_of_a_class():
    odds = np.log(np.array([[[0.05, 0.6]], [[0.95, 0.4]]]))
    assert evidence_of(odds.astype(np.float32), 0).tolist() == [[0, 153]]
    assert evidence_of(odds.astype(np.float32) + 7, 1).tolist() == [[242, 102]]
    assert FLOOR > 0.05 * 255


def streets():
    """Two roads of 200 and 50 m that cross at a right angle, and one far away."""
    lines = [[(0, 0), (200, 0)], [(100, -50), (100, 0)], [(0, 500), (100, 500)]]
    return gpd.GeoDataFrame(
        {"segment_id": ["a", "b", "c"]}, geometry=[shapely.LineString(line) for line in lines], crs=CRS
    )


def things_at(*points):
    kinds, xs, ys = zip(*points, strict=True)
    return gpd.GeoDataFrame({"thing": kinds}, geometry=gpd.points_from_xy(xs, ys), crs=CRS)


def test_each_thing_is_counted_for_one_segment_the_nearest():
    found = things_at(
        ("car", 20, 3), ("car", 104, -30), ("tree", 105, -5), ("car", 20, -31), ("car", 150, 30)
    )
    owner = place_things(found, streets(), reach_m=30)
    # the third is as near to both, which goes to the first
    assert owner.tolist()[:3] == ["a", "b", "a"]
    assert owner.isna().tolist() == [False, False, False, True, False]


def test_things_are_counted_per_100_m_of_what_is_seen():
    found = things_at(("car", 20, 3), ("car", 30, 3), ("car", 104, -30), ("tree", 20, -9))
    found["segment_id"] = place_things(found, streets(), reach_m=30)
    known = pd.Series({"a": 100.0, "b": 50.0, "c": 0.0})
    counted = count_along(found, streets(), ["car", "tree", "island"], known).set_index("segment_id")
    assert counted["things_car_per_100m"].tolist()[:2] == [2.0, 2.0]
    assert counted["things_tree_per_100m"].tolist()[:2] == [1.0, 0.0]
    assert counted["things_island_per_100m"].tolist()[:2] == [0.0, 0.0]
    assert counted.loc["c"].isna().all()


def test_what_is_seen_of_a_segment_is_the_length_that_has_imagery():
    """A piece shows 60 m of the first road but for 20 m without data, and all of the second's last 10 m."""
    data = np.ones((40, 120), dtype=bool)
    data[:, 40:80] = False
    grids = [
        (Places(50.0, 10.0, 40, 120, 0.5), data),
        (Places(50.0, 600.0, 4, 4, 0.5), np.zeros((4, 4), bool)),
    ]
    nodes = gpd.GeoDataFrame(
        {"junction_id": ["p", "q"]}, geometry=gpd.points_from_xy([105, 85], [0, 0]), crs=CRS
    )
    metres, junctions = seen_of(streets(), nodes, iter(grids))
    assert metres.to_dict() == {"a": pytest.approx(40, abs=1), "b": pytest.approx(10, abs=1), "c": 0}
    assert junctions.to_dict() == {"p": True, "q": False}


def test_a_thing_between_two_junctions_is_counted_at_the_nearer_one():
    junctions = gpd.GeoDataFrame(
        {"junction_id": ["p", "q", "r"], "radius_m": [0.0, 5.0, 0.0]},
        geometry=gpd.points_from_xy([0, 30, 400], [0, 0, 0]),
        crs=CRS,
    )
    found = things_at(("car", 5, 0), ("car", 14, 0), ("car", 49, 0), ("car", 51, 0), ("tree", 60, 0))
    counted = count_at(found, junctions, ["car"], pd.Series({"p": True, "q": True, "r": False}))
    assert counted["n_car"].tolist()[:2] == [1, 3]
    assert counted["n_car"].isna().tolist() == [False, False, True]


def ground_of(evidence, boxes, place, x=0.0, y=0.0):
    rows, columns = (side * PLACE_M for side in evidence.shape)
    labels = [
        shapely.box(x + left, y - top - high, x + left + wide, y - top) for top, left, high, wide in boxes
    ]
    return Ground(
        place,
        evidence,
        x,
        y,
        PLACE_M,
        shapely.box(x, y - rows, x + columns, y),
        np.array(labels, dtype=object),
    )


def test_found_things_are_paired_with_labels_one_to_one():
    """The number of pairs is that of NetworkX's maximum matching."""
    rng = np.random.default_rng(3)
    boxes = [(float(r), float(c), 2.0, 4.0) for r in range(4, 50, 6) for c in range(4, 50, 6)]
    ground = ground_of(np.zeros((120, 120), dtype=np.uint8), boxes, 0)
    found = shapely.points(rng.uniform(0, 60, 150), rng.uniform(-60, 0, 150))
    pairs = nx.Graph()
    pairs.add_nodes_from(("found", i) for i in range(len(found)))
    for i, point in enumerate(found):
        for j in np.flatnonzero(shapely.distance(ground.things, point) <= WITHIN_M):
            pairs.add_edge(("found", i), ("label", int(j)))
    best = nx.bipartite.maximum_matching(pairs, top_nodes=[node for node in pairs if node[0] == "found"])
    counted = tally(found, ground)
    assert counted.right == counted.recalled == len(best) // 2
    assert (counted.found, counted.labelled) == (150, len(boxes))


def test_what_the_edge_of_labelled_ground_cuts_counts_neither_for_nor_against():
    boxes = [(10.0, 10.0, 2.0, 4.0), (20.0, 27.0, 2.0, 4.0)]
    ground = ground_of(np.zeros((60, 60), dtype=np.uint8), boxes, 0)
    on_both = shapely.points([12.0, 28.0, 40.0], [-11.0, -21.0, -11.0])
    assert tally(on_both, ground) == Tally(1, 1, 1, 1)
    assert tally(on_both[1:], ground) == Tally(1, 0, 0, 0)


def noisy(rng, places, boxes_a_place=14):
    """Labelled places with cars, each told with noise."""
    grounds = []
    for place in range(places):
        spots = rng.permutation([(r, c) for r in range(4, 44, 5) for c in range(4, 40, 7)])[:boxes_a_place]
        boxes = [(float(r), float(c), 2.0, 4.5) for r, c in spots]
        told = of_boxes((48, 48), boxes).astype(float) + rng.normal(0, 60, (96, 96))
        told = np.clip(told, 0, 255).astype(np.uint8)
        grounds.append(ground_of(np.where(told >= FLOOR, told, 0).astype(np.uint8), boxes, place))
    return grounds


def test_what_counts_as_one_is_settled_on_labels_and_judged_where_it_was_not():
    counted = judge(noisy(np.random.default_rng(5), 4))
    assert counted.rule is not None
    assert counted.tally.labelled == 4 * 14
    assert counted.tally.precision > 0.9
    assert counted.tally.recall > 0.9


def test_things_that_cannot_be_told_are_not_counted_and_it_is_said_why():
    rng = np.random.default_rng(6)
    blind = [
        ground_of(rng.permutation(g.evidence.ravel()).reshape(g.evidence.shape), (), g.place)
        for g in noisy(rng, 4)
    ]
    blind = [
        Ground(b.place, b.evidence, b.x, b.y, b.place_m, b.extent, g.things)
        for b, g in zip(blind, noisy(rng, 4), strict=True)
    ]
    counted = judge(blind)
    assert counted.rule is None
    assert "a half of each is needed" in counted.why
    few = judge(noisy(rng, 4, boxes_a_place=2))
    assert few.rule is None
    assert f"{MIN_THINGS} at 3 are needed" in few.why
    here = judge(noisy(rng, 2))
    assert "at 2 places" in here.why


def test_cars_of_the_demo_town_are_counted_from_a_blurred_map_of_them(town):
    """Ten labelled places settle the rule; counts of all segments go with the truth and add up to it within a fifth."""
    true = town.things()
    cars = true[true["kind"].isin(["car", "lorry"]) & (true["seen"] > 0.5)]
    segments = town.truth().segments
    classes, transform = read_ground(town.folder)
    rng = np.random.default_rng(0)
    told = np.where(classes == Kind.CAR, 190, 0) + rng.normal(0, 60, classes.shape)
    told = np.clip(told, 0, 255).astype(np.uint8)
    told[told < 2 * FLOOR] = 0
    grounds = []
    for place, spot in enumerate(cars.sample(10, random_state=1).geometry):
        box = shapely.box(spot.x - 48, spot.y - 48, spot.x + 48, spot.y + 48)
        left, top = (round(v) for v in (~transform) @ (spot.x - 48, spot.y + 48))
        part = told[max(top, 0) : top + 192, max(left, 0) : left + 192]
        x, y = transform @ (max(left, 0), max(top, 0))
        inside = cars[cars.intersects(box)].geometry.to_numpy()
        grounds.append(Ground(place, part, x, y, PLACE_M, box, shapely.buffer(inside, 0.9)))
    rule = judge(grounds).rule
    assert rule is not None
    rows, columns, _ = peaks(told, rule, PLACE_M)
    points = [transform @ (column + 0.5, row + 0.5) for row, column in zip(rows, columns, strict=True)]
    found = gpd.GeoDataFrame(geometry=shapely.points(points), crs=CRS).assign(thing="car")
    length = segments.set_index("segment_id")["length_m"]
    per_100m = []
    for each in (found, cars.assign(thing="car").drop(columns="segment_id")):
        placed = each.assign(segment_id=place_things(each, segments, reach_m=15))
        per_100m.append(count_along(placed, segments, ["car"], length)["things_car_per_100m"])
    assert np.corrcoef(*per_100m)[0, 1] > 0.9
    assert per_100m[0].sum() == pytest.approx(per_100m[1].sum(), rel=0.2)
