"""Widths of carriageways from masks along lines: masks are drawn, so that every width is known."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from shapely import LineString, Point

from geo.demo.ground import GROUND_FILE, Ground
from geo.demo.layout import FORMS
from geo.ground.prompted.choosing import NONE, choose
from geo.ground.prompted.network.network import STRIDE, Masks
from geo.ground.prompted.prompts import BESIDE_M, prompts, usual_width
from geo.ground.prompted.sections import ACROSS_M, APART_M, CLEAR_M, Field, lay, look
from geo.ground.prompted.widths import widths
from geo.ground.prompted.window import CORRIDOR_M, Roads, Window, see

SIDE_M = 256.0


def drawn(shape: shapely.Geometry, cell_m: float = 1.0) -> Field:
    """Draw a shape on a field of 256 m; how far cells lie inside (metres), as a network's smooth masks do."""
    middle = (np.arange(round(SIDE_M / cell_m)) + 0.5) * cell_m
    x, y = np.meshgrid(middle, middle[::-1])
    points = shapely.points(x, y)
    shapely.prepare(shape)
    inside = np.where(shapely.contains_properly(shape, points), 1.0, -1.0)
    far = np.minimum(shapely.distance(points, shape.boundary), 5.0)
    return Field((inside * far).astype(np.float32)[None], 0.0, SIDE_M, cell_m)


def measured(
    lines: list[LineString], field: Field, junctions: tuple[Point, ...] = (), valid: Field | None = None
) -> pd.DataFrame:
    """Measure lines on one mask, by their place."""
    sections = lay(np.array(lines), np.array(junctions, dtype=object))
    seen = look(sections, field, np.zeros(len(sections), dtype=np.int64), valid)
    rows = {"segment_id": sections.line, "known": seen.known, "found": seen.found, "iou": 0.9}
    told = pd.DataFrame(rows | {"left_m": seen.left, "right_m": seen.right})
    return widths(told, apart_m=APART_M).set_index("segment_id")


STRAIGHT = LineString([(20, 100), (220, 100)])
SLANTED = LineString([(30, 40), (210, 190)])
ARC = LineString([(128 + 60 * np.cos(t), 128 + 60 * np.sin(t)) for t in np.linspace(0.2, 2.9, 90)])


@pytest.mark.parametrize("line", [STRAIGHT, SLANTED, ARC], ids=["straight", "slanted", "bend"])
@pytest.mark.parametrize("width", [3.5, 7.0, 12.0, 22.0])
def test_a_carriageway_of_one_width_is_measured_to_a_few_centimetres(line: LineString, width: float) -> None:
    found = measured([line], drawn(line.buffer(width / 2, cap_style="flat"))).loc[0]
    assert found["carriageway_width_m"] == pytest.approx(width, abs=0.1)
    assert found["carriageway_width_sd_m"] < 0.15
    assert found["carriageway_hidden_share"] == 0
    assert found["carriageway_seen_m"] == pytest.approx(line.length, abs=2 * APART_M)


def test_a_line_that_lies_beside_the_middle_or_wanders_measures_the_same_width() -> None:
    road = STRAIGHT.buffer(4, cap_style="flat")
    beside = LineString([(20, 102.5), (220, 102.5)])
    wandering = LineString([(20, 98), (120, 102), (220, 98)])
    off_it = LineString([(20, 106), (220, 106)])
    field = drawn(road)
    assert measured([beside], field).loc[0, "carriageway_width_m"] == pytest.approx(8, abs=0.1)
    assert measured([wandering], field).loc[0, "carriageway_width_m"] == pytest.approx(8, abs=0.1)
    assert measured([off_it], field).loc[0, "carriageway_width_m"] == pytest.approx(8, abs=0.1)


def test_one_that_is_too_far_from_its_line_is_not_found() -> None:
    found = measured([LineString([(20, 110), (220, 110)])], drawn(STRAIGHT.buffer(4, cap_style="flat"))).loc[
        0
    ]
    assert np.isnan(found["carriageway_width_m"])
    assert found["carriageway_hidden_share"] == 1


def test_near_a_junction_nothing_is_measured_and_a_mouth_beside_widens_nothing() -> None:
    side = LineString([(120, 100), (120, 200)])
    west, east = LineString([(20, 100), (120, 100)]), LineString([(120, 100), (220, 100)])
    # the mouth of a side road with kerbs of a radius of 8 m
    mouth = Point(120, 104).buffer(8)
    field = drawn(shapely.unary_union([STRAIGHT.buffer(3.5), side.buffer(2.5), mouth]))
    found = measured([west, east, side], field, (Point(120, 100),))
    assert found["carriageway_width_m"].to_list() == pytest.approx([7, 7, 5], abs=0.15)
    assert (found["carriageway_seen_m"] <= 100 - CLEAR_M).all()


def test_of_two_carriageways_that_touch_each_is_measured_to_the_middle_and_told_open() -> None:
    one, other = LineString([(20, 100), (220, 100)]), LineString([(20, 107), (220, 107)])
    field = drawn(shapely.union(one.buffer(3.5, cap_style="flat"), other.buffer(3.6, cap_style="flat")))
    sections = lay(np.array([one, other]), np.array([], dtype=object))
    seen = look(sections, field, np.zeros(len(sections), dtype=np.int64))
    own = sections.line == 0
    assert np.isnan(seen.left[own]).all(), "an end between both is no kerb"
    assert seen.right[own] == pytest.approx(3.5, abs=0.1)
    assert np.isnan(measured([one, other], field)["carriageway_width_m"]).all()


def test_dual_carriageways_apart_by_a_verge_are_two() -> None:
    one, other = LineString([(20, 100), (220, 100)]), LineString([(20, 112), (220, 112)])
    field = drawn(shapely.union(one.buffer(3.5, cap_style="flat"), other.buffer(4, cap_style="flat")))
    assert measured([one, other], field)["carriageway_width_m"].to_list() == pytest.approx([7, 8], abs=0.1)


def test_a_car_in_the_middle_is_no_kerb_and_cars_parked_on_both_sides_take_nothing_from_the_width() -> None:
    road = STRAIGHT.buffer(4, cap_style="flat")
    cars = [shapely.box(x, 99.2, x + 4.4, 101) for x in range(25, 215, 12)]
    assert measured([STRAIGHT], drawn(road.difference(shapely.unary_union(cars)))).loc[
        0, "carriageway_width_m"
    ] == pytest.approx(8, abs=0.1)
    parked = [shapely.box(x, y, x + 4.4, y + 2) for x in range(25, 215, 8) for y in (96, 102)]
    found = measured([STRAIGHT], drawn(road.difference(shapely.unary_union(parked)))).loc[0]
    assert found["carriageway_width_m"] == pytest.approx(8, abs=0.1)
    assert found["carriageway_width_sd_m"] > 1


def test_trees_over_one_side_then_the_other_leave_the_width_and_over_all_of_it_hide_it() -> None:
    road = STRAIGHT.buffer(4, cap_style="flat")
    trees = shapely.union(shapely.box(20, 96, 80, 100.9), shapely.box(150, 99.1, 200, 104))
    found = measured([STRAIGHT], drawn(road.difference(trees))).loc[0]
    assert found["carriageway_width_m"] == pytest.approx(8, abs=0.15)
    # of either less than half is left
    assert found["carriageway_hidden_share"] == pytest.approx(110 / 200, abs=0.03)
    crown = shapely.box(20, 90, 100, 110)
    found = measured([STRAIGHT], drawn(road.difference(crown))).loc[0]
    assert found["carriageway_width_m"] == pytest.approx(8, abs=0.1)
    assert found["carriageway_hidden_share"] == pytest.approx(80 / 200, abs=0.03)


def test_where_there_is_no_imagery_nothing_is_hidden_and_nothing_counted() -> None:
    field = drawn(STRAIGHT.buffer(4, cap_style="flat"))
    valid = np.full_like(field.masks, -1)
    valid[:, :, : valid.shape[2] // 2] = 1
    found = measured([STRAIGHT], field, valid=Field(valid, 0.0, SIDE_M, 1.0)).loc[0]
    assert found["carriageway_hidden_share"] == 0
    assert found["carriageway_seen_m"] == pytest.approx(108, abs=3)
    none = measured([STRAIGHT], field, valid=Field(-np.ones_like(valid), 0.0, SIDE_M, 1.0))
    assert none.empty


def test_a_square_that_a_road_opens_into_has_no_kerb_there() -> None:
    square = shapely.box(20, 100, 220, 180)
    found = measured([STRAIGHT], drawn(shapely.union(STRAIGHT.buffer(4, cap_style="flat"), square))).loc[0]
    assert np.isnan(found["carriageway_width_m"]), "one side is open all along"
    assert found["carriageway_hidden_share"] == 0


def test_points_lie_twelve_metres_apart_on_the_road_and_beside_it_where_no_other_road_is() -> None:
    lines = np.array([STRAIGHT, LineString([(120, 100), (120, 200)]), LineString([(20, 112), (100, 112)])])
    sections = lay(lines, np.array([Point(120, 100)]))
    found = prompts(sections, lines, np.array([7.0, 5.0, 7.0]))
    on, beside = found.place[found.on], found.place[~found.on]
    assert np.bincount(found.line[found.on]).max() <= 10
    assert shapely.distance(shapely.points(on), Point(120, 100)).min() >= CLEAR_M
    gaps = np.diff(np.sort(on[found.line[found.on] == 1][:, 1]))
    assert ((gaps >= 10) & (gaps <= 15)).all()
    for line in range(3):
        own = beside[found.line[~found.on] == line]
        others = np.delete(lines, line)
        if len(own):
            assert min(shapely.distance(shapely.points(own), other).min() for other in others) >= 15
    north_of_first = beside[(found.line[~found.on] == 0) & (beside[:, 1] > 100)]
    assert north_of_first[:, 0].min() > 110, "where the third road runs beside there is none"
    assert beside[found.line[~found.on] == 0][:, 1].min() == pytest.approx(100 - 3.5 - BESIDE_M)


def test_roads_without_a_known_class_have_a_usual_width() -> None:
    found = usual_width(np.array(["motorway", "Residential", None, "byway"], dtype=object))
    assert (found > 3).all()
    assert found[0] > found[1]


def _fields(shapes: list[shapely.Geometry]) -> Field:
    return Field(np.concatenate([drawn(one, 1.0).masks for one in shapes]), 0.0, SIDE_M, 1.0)


def test_the_mask_is_chosen_by_predicted_iou_and_the_share_of_the_line_inside_and_as_wide_as_roads() -> None:
    half = LineString([(20, 100), (100, 100)]).buffer(4, cap_style="flat")
    road = STRAIGHT.buffer(4, cap_style="flat")
    everything, lane = shapely.box(0, 0, 256, 256), STRAIGHT.buffer(1, cap_style="flat")
    sections = lay(np.array([STRAIGHT, SLANTED]), np.array([], dtype=object))
    field = _fields([everything, half, road, lane, everything, half])
    valid = Field(np.ones((1, 256, 256), dtype=np.float32), 0.0, SIDE_M, 1.0)
    iou = np.array([[0.99, 0.95, 0.8], [0.9, 0.9, 0.9]], dtype=np.float32)
    found = choose(sections, sections.line, field, iou, valid)
    assert found.mask.tolist() == [2, NONE]
    assert found.iou[0] == pytest.approx(0.8)
    assert np.isnan(found.iou[1])
    assert not found.seen.found[sections.line == 1].any(), "no mask, nothing found"


class Drawn:
    """A network that draws each road which it is asked for; beside it a mask of all, and one of nothing."""

    side = 1024

    def __init__(self, roads: dict[LineString, float], pixel_m: float) -> None:
        self.roads, self.pixel_m, self.encoded = roads, pixel_m, 0

    def encode(self, picture: np.ndarray, valid: np.ndarray) -> int:
        assert picture.shape == (3, self.side, self.side)
        assert valid.shape == (self.side, self.side)
        self.encoded += 1
        return self.encoded

    def masks(self, embedded: int, points: np.ndarray, labels: np.ndarray) -> Masks:
        assert embedded == self.encoded
        fields = []
        for own, kinds in zip(points, labels, strict=True):
            x, y = own[kinds == 1].T * self.pixel_m
            places = shapely.points(x, SIDE_M - y)
            line = min(self.roads, key=lambda one: shapely.distance(places, one).max())
            assert shapely.distance(places, line).max() < 0.1, "points on the carriageway lie on the line"
            road = drawn(line.buffer(self.roads[line] / 2, cap_style="flat"), self.pixel_m * STRIDE).masks[0]
            fields.append(np.stack([road, np.ones_like(road), -np.ones_like(road)]))
        return Masks(np.stack(fields), np.tile([[0.7, 0.9, 0.9]], (len(points), 1)).astype(np.float32))


def _window() -> Window:
    picture = np.zeros((3, 1024, 1024), dtype=np.uint8)
    return Window(picture, np.ones((1024, 1024), dtype=bool), 0.0, SIDE_M, 0.25, 32.0)


def test_a_window_is_encoded_once_for_all_roads_and_each_is_measured_by_its_own_mask() -> None:
    roads = {
        STRAIGHT: 8.0,
        LineString([(120, 100), (120, 250)]): 5.0,
        LineString([(40, 160), (100, 160)]): 11.0,
    }
    lines = np.array(list(roads))
    junctions = np.array([Point(120, 100)])
    net = Drawn(roads, 0.25)
    around = Roads(np.array(["a", "b", "c"], dtype=object), lines, np.full(3, 7.0), junctions, np.zeros(1))
    view = see(_window(), around, net)
    assert view is not None
    assert net.encoded == 1
    found = widths(view.measures(), apart_m=APART_M).set_index("segment_id")
    assert found["carriageway_width_m"].to_dict() == pytest.approx({"a": 8, "b": 5, "c": 11}, abs=0.2)
    assert found["carriageway_iou"].to_list() == pytest.approx([0.7] * 3)
    # the first runs out of the core at both ends
    assert found.loc["a", "carriageway_seen_m"] == pytest.approx(188 - 2 * CLEAR_M, abs=2 * APART_M)
    x, y = np.meshgrid(np.arange(33, 223, 2.0), np.arange(33, 223, 2.0))
    places = np.column_stack([x.ravel(), y.ravel()])
    told = view.carriageway(places)
    truth = shapely.unary_union([one.buffer(width / 2) for one, width in roads.items()])
    far = shapely.distance(shapely.points(places), shapely.union_all(lines)) > CORRIDOR_M / 2
    assert np.isnan(told[far]).all()
    assert not np.isnan(told[~far]).any()
    agree = (told > 0)[~far] == shapely.contains(truth, shapely.points(places))[~far]
    assert agree.mean() > 0.97


def test_a_window_without_roads_or_without_data_is_not_encoded() -> None:
    net = Drawn({STRAIGHT: 8.0}, 0.25)
    none = Roads(*(np.array([], dtype=object),) * 2, np.zeros(0), np.array([], dtype=object), np.zeros(0))
    assert see(_window(), none, net) is None
    around = Roads(
        np.array(["a"], dtype=object),
        np.array([STRAIGHT]),
        np.full(1, 7.0),
        np.array([], dtype=object),
        np.zeros(0),
    )
    dark = Window(
        np.zeros((3, 1024, 1024), dtype=np.uint8), np.zeros((1024, 1024), dtype=bool), 0.0, SIDE_M, 0.25, 32.0
    )
    assert see(dark, around, net) is None
    assert net.encoded == 0


def test_two_windows_side_by_side_measure_a_road_once() -> None:
    long = LineString([(-150, 100), (220, 100)])
    sections = lay(np.array([long]), np.array([], dtype=object))
    around = Roads(
        np.array(["a"], dtype=object),
        np.array([long]),
        np.full(1, 7.0),
        np.array([], dtype=object),
        np.zeros(0),
    )
    counted = 0
    for west in (-192.0, 0.0):
        window = Window(
            np.zeros((3, 1024, 1024), dtype=np.uint8),
            np.ones((1024, 1024), dtype=bool),
            west,
            SIDE_M,
            0.25,
            32.0,
        )

        class Every(Drawn):
            def masks(self, embedded: int, points: np.ndarray, labels: np.ndarray) -> Masks:  # noqa: ARG002
                return Masks(
                    np.ones((len(points), 3, 256, 256), dtype=np.float32),
                    np.ones((len(points), 3), dtype=np.float32),
                )

        view = see(window, around, Every({}, 0.25))
        assert view is not None
        counted += len(view.measures())
    inside = (sections.place[:, 0] >= -160) & (sections.place[:, 0] < 224)
    assert counted == inside.sum()
    assert ACROSS_M > CORRIDOR_M / 2


def _on_the_true_map(town, classes: set[str]) -> tuple[np.ndarray, np.ndarray]:
    """Widths of the demo town's segments on its true map, and the true ones (metres)."""
    truth = gpd.read_parquet(town.folder / "truth_segments.parquet")
    junctions = gpd.read_parquet(town.folder / "truth_junctions.parquet")
    with rasterio.open(town.folder / GROUND_FILE) as source:
        numbers, bounds, cell = source.read(1), source.bounds, source.res[0]
    inside = np.isin(numbers, [Ground[name.upper()] for name in classes])
    field = Field(np.where(inside, 0.5, -0.5).astype(np.float32)[None], bounds.left, bounds.top, cell)
    radius = junctions["radius_m"].to_numpy(dtype=np.float64)
    sections = lay(truth.geometry.to_numpy(), junctions.geometry.to_numpy(), radius)
    seen = look(sections, field, np.zeros(len(sections), dtype=np.int64))
    rows = {"segment_id": sections.line, "known": seen.known, "found": seen.found, "iou": 1.0}
    told = pd.DataFrame(rows | {"left_m": seen.left, "right_m": seen.right})
    found = widths(told, apart_m=APART_M).set_index("segment_id")["carriageway_width_m"]
    width = truth["form"].map({name: form.width_m for name, form in FORMS.items()})
    both = pd.DataFrame({"found": found, "true": width}).dropna()
    assert len(both) > 0.9 * width.notna().sum()
    return both["found"].to_numpy(), both["true"].to_numpy()


def test_on_the_demo_towns_true_map_widths_are_those_it_was_drawn_with(town) -> None:
    # who draws colours every pixel that a road touches: it is half a metre wider, as pixels are
    whole, true = _on_the_true_map(town, {"carriageway", "marking", "car"})
    wrong = np.abs(whole - 0.5 - true)
    assert wrong.mean() < 0.3
    # on industrial roads lorries stand in yards, and touch the carriageway
    wide = wrong > 3
    assert wide.mean() < 0.02
    assert np.corrcoef(whole[~wide], true[~wide])[0, 1] > 0.98
    # as a network may see it: parked cars are none of the carriageway
    cut, true = _on_the_true_map(town, {"carriageway", "marking"})
    assert np.abs(cut - 0.5 - true).mean() < 0.9
    assert np.corrcoef(cut, true)[0, 1] > 0.85
