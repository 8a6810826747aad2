"""Rates refer to the length on which a collision can be counted: what the reach of junctions leaves of a road."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from networks import network

from geo.collisions.assign import place_collisions
from geo.collisions.reach import counted_length
from geo.collisions.schema import CollisionSource, canonical_table
from geo.config import Collisions

CRS = pyproj.CRS.from_epsg(27700)
REACH_M = 20.0
NOBODY = gpd.GeoDataFrame({name: [] for name in ("name", "ref", "road_class")}, geometry=[], crs=CRS)


def town():
    """Blocks of 38 and 60 m in one quarter, of 400 m elsewhere, and a street that slants."""
    at = [0, 38, 98, 158, 558, 958]
    streets = [((x, 0), (x, 958)) for x in at] + [((0, y), (958, y)) for y in at] + [((158, 158), (558, 558))]
    return network(*((line, str(i)) for i, line in enumerate(streets)), max_length_m=200)


def placed(segments, junctions, xy, at_junction=None, reach_m=REACH_M):
    """Place collisions that lie where they lie; gives the segment of each, null at a junction."""
    table = canonical_table(pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1]}))
    if at_junction is not None:
        table["at_junction"] = pd.array(at_junction, "boolean")
    source = CollisionSource(table, CRS, frozenset(), has_ids=False, entries=[])
    settings = Collisions(junction_reach_m=reach_m, ambiguity_m=0)
    found = place_collisions(source, segments, junctions, NOBODY, crs=CRS, settings=settings)
    return found.collisions["segment_id"]


def along(segments, step_m):
    """Points every so many metres of all segments, and the row of the segment that each is on."""
    length = shapely.length(segments.geometry.to_numpy())
    n = np.maximum((length / step_m).astype(int), 1)
    row = np.repeat(np.arange(len(segments)), n)
    part = (np.arange(len(row)) - np.repeat(np.cumsum(n) - n, n) + 0.5) / n[row]
    points = shapely.line_interpolate_point(segments.geometry.to_numpy()[row], part, normalized=True)
    return shapely.get_coordinates(points), row


def test_the_counted_length_is_the_share_of_even_collisions_that_placing_leaves_on_the_segment():
    segments, junctions = town()
    named = segments.set_index("segment_id")
    counted = counted_length(named, junctions, REACH_M)
    xy, row = along(segments, 0.25)
    on_road = placed(segments, junctions, xy).notna().to_numpy()
    left = np.bincount(row, on_road) / np.bincount(row) * named["length_m"]
    assert counted.to_numpy() == pytest.approx(left.to_numpy(), abs=0.6)
    assert (counted == 0).any()
    assert (counted > 0.85 * named["length_m"]).any()


def test_nothing_is_lost_where_junctions_take_nothing():
    segments, junctions = town()
    named = segments.set_index("segment_id")
    assert counted_length(named, junctions, 0).tolist() == named["length_m"].tolist()
    assert counted_length(named, junctions.iloc[:0], REACH_M).tolist() == named["length_m"].tolist()


def test_a_roundabout_reaches_from_its_rim():
    segments = gpd.GeoDataFrame(
        {"length_m": [100.0]}, index=["a"], geometry=[shapely.LineString([(0, 0), (100, 0)])], crs=CRS
    )
    ring = gpd.GeoDataFrame({"radius_m": [15.0]}, index=["j"], geometry=[shapely.Point(0, 0)], crs=CRS)
    assert counted_length(segments, ring, REACH_M).tolist() == pytest.approx([65.0], abs=0.01)


@pytest.mark.parametrize("reach_m", [REACH_M, 30.0])
@pytest.mark.parametrize("told", [False, True], ids=["no field", "at-junction field"])
def test_even_collisions_give_the_same_rate_wherever_junctions_are_dense(told, reach_m):
    segments, junctions = town()
    named = segments.set_index("segment_id")
    rng = np.random.default_rng(0)
    xy, _ = along(segments, 0.1)
    drawn = rng.choice(len(xy), 20_000)
    field = None
    if told:
        # as a record of STATS19 would say, however far junctions are to reach: whether it was within 20 m of one
        tree = shapely.STRtree(junctions.geometry.to_numpy())
        near = tree.query(shapely.points(xy[drawn]), predicate="dwithin", distance=REACH_M)[0]
        field = np.isin(np.arange(len(drawn)), near)
    where = placed(segments, junctions, xy[drawn], field, reach_m)
    counts = where.value_counts().reindex(named.index, fill_value=0)
    dense = (shapely.get_coordinates(shapely.centroid(segments.geometry.to_numpy())) < 200).all(axis=1)
    counted = counted_length(named, junctions, reach_m).to_numpy()
    even = len(drawn) / named["length_m"].sum()
    for part in (dense, ~dense):
        expected = counted[part].sum() * even
        assert counts[part].sum() == pytest.approx(expected, abs=4 * np.sqrt(expected))
    # by the whole length they would differ, although no road is more dangerous than another
    whole = [counts[part].sum() / named.loc[part, "length_m"].sum() for part in (dense, ~dense)]
    assert whole[0] < 0.6 * whole[1]
