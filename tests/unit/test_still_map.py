"""The map on paper is north up, in the colours that the page opens with, and says where the listed roads are."""

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.outputs.palette import UNKNOWN
from geo.outputs.report.figures.still_map import LABEL, still_map
from geo.outputs.report.map.colours import MapClass, Paint


def city(lines):
    """Segments named by their number."""
    return gpd.GeoDataFrame({"segment_id": [str(n) for n in range(len(lines))]}, geometry=lines, crs=27700)


def painted(of, *classes):
    return Paint("type", "Type", "Road types", classes or (MapClass("one", "#332288"),), pd.Series(of))


def test_the_map_is_north_up_in_true_proportion_with_what_is_not_known_undermost():
    segments = city([shapely.LineString([(0, 0), (0, 100)]), shapely.LineString([(0, 100), (50, 100)])])
    grave, quiet = MapClass("grave", "#332288", weight=3.0), MapClass("no imagery", UNKNOWN, quiet=True)
    drawn = still_map(segments, painted([0, 1], grave, quiet))
    assert (drawn.width, drawn.height) == (500.0, 1000.0)
    unseen, seen = drawn.lines
    assert (unseen.look, unseen.path) == (quiet, "M0.0 0.0L500.0 0.0")
    assert (seen.look, seen.path) == (grave, "M0.0 1000.0L0.0 0.0")
    assert seen.width > unseen.width
    assert (drawn.bar, drawn.bar_label) == (200.0, "20 m")
    assert drawn.title == "Road types"


def test_a_network_without_extent_has_no_map():
    assert still_map(city([]), painted([])) is None
    assert still_map(city([shapely.LineString([(5, 5), (5, 5)])]), painted([0])) is None


def test_a_number_stands_beside_the_middle_of_its_road():
    segments = city([shapely.LineString([(0, 0), (1000, 1000)]), shapely.LineString([(0, 500), (200, 500)])])
    (place,) = still_map(segments, painted([0, 0]), [("1", "1"), ("2", "a road of another map")]).places
    assert (place.number, place.x, place.y) == ("1", 100.0, 500.0)
    assert 0 < np.hypot(place.label_x - place.x, place.label_y - place.y) < 2 * LABEL[0]


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 300)), min_size=1, max_size=20))
def test_no_number_lies_over_another_or_beyond_the_map_however_near_their_roads_are(corners):
    frame = shapely.LineString([(-900, -900), (1300, 1300)])
    lines = [shapely.LineString([(x, y), (x + 5, y)]) for x, y in corners]
    segments = city([*lines, frame])
    listed = [(str(n + 1), str(n)) for n in range(len(lines))]
    drawn = still_map(segments, painted([0] * len(segments)), listed)
    assert [one.number for one in drawn.places] == [number for number, _ in listed]
    for one, other in itertools.combinations(drawn.places, 2):
        across, down = abs(one.label_x - other.label_x), abs(one.label_y - other.label_y)
        # places are told to a tenth
        assert across > LABEL[0] - 0.2 or down > LABEL[1] - 0.2
    for one in drawn.places:
        assert 0 <= one.label_x <= drawn.width
        assert 0 <= one.label_y <= drawn.height
