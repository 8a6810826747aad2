"""Which roads look like a road, and which of them only show its own place once more."""

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, box
from sklearn.metrics.pairwise import cosine_similarity

from geo.clusters.likeness.alike import most_like, same_place

CRS = 27700


def roads(*rows):
    """Lay out roads of 90 m towards the east: id, name, number, x and y of the start."""
    lines = [LineString([(x, y), (x + 90, y)]) for *_, x, y in rows]
    ids, names, refs = zip(*(row[:3] for row in rows), strict=True)
    return gpd.GeoDataFrame({"segment_id": ids, "name": names, "ref": refs}, geometry=lines, crs=CRS)


def tiles(segments, side=100):
    middle = segments.geometry.interpolate(0.5, normalized=True)
    return gpd.GeoDataFrame(
        {"segment_id": segments["segment_id"]}, geometry=middle.buffer(side / 2, cap_style="square"), crs=CRS
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_most_alike_are_those_of_the_greatest_cosine(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(200, 8))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    row, left_out = int(rng.integers(200)), rng.random(200) < 0.3
    rows, cosines = most_like(points, row, left_out, shown=20)
    expected = cosine_similarity(points)[row]
    assert row not in rows
    assert not left_out[rows].any()
    assert cosines == pytest.approx(expected[rows])
    others = np.setdiff1d(np.flatnonzero(~left_out), [row, *rows])
    assert expected[others].max() <= cosines.min()
    assert (np.diff(cosines) <= 0).all()


def test_fewer_come_out_where_there_are_fewer():
    points = np.eye(4)
    rows, cosines = most_like(points, 1, np.array([False, False, True, False]), shown=20)
    assert rows.tolist() == [0, 3]
    assert cosines.tolist() == [0, 0]


def test_a_part_of_the_same_road_is_its_own_place_only_where_it_is_near():
    segments = roads(
        ("here", "High Street", None, 0, 0),
        ("next", "High Street", None, 280, 0),
        ("at the other end", "High Street", None, 300, 0),
        ("another road", "Low Street", None, 150, 0),
    )
    assert same_place(segments, tiles(segments), "here").tolist() == [True, True, False, False]


def test_a_road_is_known_by_its_number_and_never_by_having_none():
    segments = roads(
        ("here", None, "A1", 0, 0),
        ("same number", "Great North Road", "A1", 150, 0),
        ("nameless", None, None, 150, 110),
        ("nameless too", None, None, 150, 220),
    )
    assert same_place(segments, tiles(segments), "here").tolist() == [True, True, False, False]
    assert same_place(segments, tiles(segments), "nameless").tolist() == [False, False, True, False]


def test_tiles_that_share_ground_are_of_one_place_and_those_that_share_an_edge_are_not():
    segments = roads(
        ("here", "High Street", None, 0, 0),
        ("round the corner", "Low Street", None, 0, 99),
        ("a block away", "Mill Lane", None, 0, -100),
    )
    assert same_place(segments, tiles(segments), "here").tolist() == [True, True, False]


def test_any_tile_of_a_segment_counts():
    segments = roads(("here", "High Street", None, 0, 0), ("long", "Low Street", None, 500, 500))
    ends = gpd.GeoDataFrame(
        {"segment_id": ["here", "long", "long"]},
        geometry=[box(0, -50, 100, 50), box(500, 450, 600, 550), box(90, 0, 190, 100)],
        crs=CRS,
    )
    assert same_place(segments, ends, "here").tolist() == [True, True]


def test_the_place_of_several_segments_is_that_of_each():
    rng = np.random.default_rng(5)
    names = rng.choice(["High Street", "Low Street", None], 60)
    segments = roads(*((f"s{i}", name, None, *rng.uniform(0, 1500, 2)) for i, name in enumerate(names)))
    each = [same_place(segments, tiles(segments), one) for one in ("s3", "s20", "s41")]
    several = same_place(segments, tiles(segments), ["s3", "s20", "s41"])
    assert several.tolist() == np.any(each, axis=0).tolist()
    assert not same_place(segments, tiles(segments), []).any()
