"""The demo town's true map says what was drawn where, and how many of each thing there are."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.windows import from_bounds

from geo.demo.collisions import ORIGIN
from geo.demo.ground import Ground, Thing, count_things, read_ground
from geo.demo.layout import CARRIAGEWAY_OFFSET_M, FORMS
from geo.demo.plans.registry import plan_of


@pytest.fixture(scope="module")
def ground(town):
    return read_ground(town.folder)


def classes_at(ground, points):
    classes, transform = ground
    column, row = (~transform) @ (points[:, 0], points[:, 1])
    return classes[row.astype(int), column.astype(int)]


def along(form, aside_m):
    """Points every 10 m beside the roads of a form, 20 m from their ends and from roads of other forms."""
    points = []
    roads = plan_of().roads
    for road in roads:
        if road.form != form or road.bridge:
            continue
        others = shapely.union_all([other.line for other in roads if other.form != form])
        beside = shapely.offset_curve(road.line, aside_m)
        spots = shapely.line_interpolate_point(beside, np.arange(20, beside.length - 20, 10))
        points.append(shapely.get_coordinates(spots[shapely.distance(spots, others) > 25]))
    return np.vstack(points) + ORIGIN


def test_the_map_lies_pixel_for_pixel_on_the_imagery_and_is_empty_where_that_is(town, ground):
    classes, transform = ground
    assert classes.dtype == np.uint8
    covered = np.zeros(classes.shape, dtype=bool)
    for path in (town.folder / "imagery").iterdir():
        with rasterio.open(path) as raster:
            window = from_bounds(*raster.bounds, transform)
            rows, columns = window.toslices()
            assert raster.res == (transform.a, -transform.e)
            covered[rows, columns] = raster.dataset_mask() > 0
    assert np.array_equal(classes != Ground.NOTHING, covered)
    assert set(np.unique(classes)) == set(Ground)


def test_the_map_names_its_classes_in_words_and_colours(town):
    path = town.folder / "truth_ground.tif"
    with rasterio.open(path) as raster:
        assert len({raster.colormap(1)[kind] for kind in Ground}) == len(Ground)
    # GDAL's own notes: https://gdal.org/en/stable/user/raster_data_model.html, category names
    named = "".join(f"<Category>{kind.name.lower()}</Category>" for kind in Ground)
    assert f'band="1"><CategoryNames>{named}</CategoryNames>' in Path(f"{path}.aux.xml").read_text()


@pytest.mark.parametrize("form", ["terraced_street", "high_street", "distributor_road"])
def test_carriageways_and_pavements_are_where_the_plan_has_them(ground, form):
    look = FORMS[form]
    on_road = classes_at(ground, along(form, 0.2 * look.width_m))
    on_road = on_road[on_road != Ground.NOTHING]
    assert np.isin(on_road, [Ground.CARRIAGEWAY, Ground.MARKING, Ground.CAR]).mean() > 0.98
    beside = [
        classes_at(ground, along(form, side * (look.width_m + look.pavement_m) / 2)) for side in (1, -1)
    ]
    beside = np.concatenate(beside)
    beside = beside[(beside != Ground.NOTHING) & (beside != Ground.TREE)]
    assert (beside == Ground.PAVEMENT).mean() > 0.9


def test_between_the_carriageways_of_a_trunk_road_grows_grass(ground):
    middle = [
        classes_at(ground, along("dual_carriageway", side * CARRIAGEWAY_OFFSET_M * 0.8)) for side in (1, -1)
    ]
    assert max((part == Ground.GRASS).mean() for part in middle) > 0.8


def test_a_pond_is_water(ground):
    ponds = [park.pond for park in plan_of().parks if park.pond is not None]
    assert ponds
    for centre, _ in ponds:
        assert classes_at(ground, np.array([centre]) + ORIGIN) == Ground.WATER


def test_seen_vehicles_cover_what_the_map_calls_cars(town, ground):
    """Their areas add up to that of the class, but for what overlaps: a box is drawn up to half a pixel larger."""
    things = town.things()
    vehicles = things[things["kind"].isin(["car", "lorry"])]
    classes, transform = ground
    drawn = (vehicles["length_m"] + transform.a) * (vehicles["width_m"] + transform.a)
    area = (drawn * vehicles["seen"]).sum()
    mapped = (classes == Ground.CAR).sum() * transform.a**2
    assert area == pytest.approx(mapped, rel=0.1)
    assert vehicles["parked"].mean() > 0.5
    assert not things.loc[~things["kind"].isin(["car", "lorry"]), "parked"].any()


def test_each_thing_belongs_to_the_segment_it_is_nearest_to(town):
    things, segments = town.things(), town.truth().segments
    lines = segments.set_index("segment_id").geometry
    away = shapely.distance(things.geometry.to_numpy(), lines.loc[things["segment_id"]].to_numpy())
    assert np.allclose(away, things["distance_m"])
    some = things.sample(200, random_state=0)
    nearest = [shapely.distance(point, lines.to_numpy()).min() for point in some.geometry]
    assert np.allclose(nearest, some["distance_m"])
    kerbside = things[things["parked"] & (things["distance_m"] < 3.5)].merge(segments[["segment_id", "form"]])
    assert kerbside["form"].value_counts().index[0] == "terraced_street"


def test_there_is_an_island_in_each_roundabout_and_a_crossing_on_each_arm_of_signals(town):
    counted = town.things()["kind"].value_counts()
    plan = plan_of()
    assert counted["island"] == len(plan.roundabouts)
    assert 0 < counted["crossing"] <= 4 * len(plan.signals)


def test_what_is_seen_of_a_thing_is_its_share_that_nothing_hides():
    """A car of 4 m, a quarter of it under a crown; one outside the map."""
    classes = np.full((40, 40), Ground.CARRIAGEWAY, dtype=np.uint8)
    classes[18:22, 10:26] = Ground.CAR
    classes[18:22, 10:14] = Ground.TREE
    east = np.array([1.0, 0.0])
    things = [
        Thing("car", np.array([4.5, 5.0]), east, 4.0, 1.0, parked=True),
        Thing("car", np.array([90.0, 5.0]), east, 4.0, 1.0),
    ]
    lines = gpd.GeoDataFrame(
        {"segment_id": ["s1", "s2"]},
        geometry=[shapely.LineString([(100, 102), (110, 102)]), shapely.LineString([(180, 102), (200, 102)])],
        crs="EPSG:27700",
    )
    found = count_things(
        things, classes, lines, corner=(100.0, 110.0), pixel_m=0.25, origin=np.array([100.0, 100.0])
    )
    assert found["seen"].tolist() == pytest.approx([7 / 9, 0])
    assert found["segment_id"].tolist() == ["s1", "s2"]
    assert found["distance_m"].tolist() == [3.0, 3.0]


def test_a_part_of_the_map_is_read_as_it_lies_in_the_whole(town, ground):
    west, south = ORIGIN
    part, transform = read_ground(town.folder, (west - 10, south + 5, west + 40, south + 45))
    classes, whole = ground
    assert part.shape == (round(40 / whole.a), round(50 / whole.a))
    assert (transform.c, transform.f) == (west - 10, south + 45)
    edge = round(10 / whole.a)
    assert (part[:, :edge] == Ground.NOTHING).all()
    rows = slice(classes.shape[0] - round(45 / whole.a), classes.shape[0] - round(5 / whole.a))
    assert np.array_equal(part[:, edge:], classes[rows, : round(40 / whole.a)])
