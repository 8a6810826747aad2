"""What the report says of ground: shares of each type, classes, the tree that they came from, and pictures of them."""

from __future__ import annotations

import io
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rasters import write_raster

from geo.ground.there.columns import Band
from geo.outputs.layers.ground_words import tell_apart
from geo.outputs.layers.layers import LAYERS
from geo.outputs.report.figures.charts import fitted_text, text_width
from geo.outputs.report.figures.ground_pictures import examples
from geo.outputs.report.figures.ground_tree import LABEL, LABEL_AT, LETTERS, WIDTH, draw_tree
from geo.outputs.report.map.packing import unpack
from geo.outputs.report.page import ReportData, render
from geo.outputs.report.parts.ground import GroundTold, ground_part, ink_on
from geo.outputs.thumbnails import thumbnail
from geo.tiles.along import squares

CLASSES = pd.DataFrame(
    {
        "class": [1, 2, 3],
        "key": ["1", "2", "3"],
        "name": ["roof & <wall>", None, "grass"],
        "colour": ["#CC6677", "#332288", "#DDCC77"],
        "source": ["found", "found", "found"],
        "share": [0.25, 0.002, 0.748],
        "score": [0.52, np.nan, np.nan],
        "spread": [0.04, np.nan, np.nan],
        "baseline": [0.2, np.nan, np.nan],
        "words": ["", "", "threshold <0.3>"],
    }
)
TREE = pd.DataFrame(
    {
        "node": [1, 2, 3, 4, 5, 6, 7],
        "parent": pd.array([5, 5, 6, 6, 7, 7, None], dtype="Int64"),
        "height": [0, 0, 0, 0, 0.1, 0.5, 1.0],
        "share": [0.1, 0.15, 0.002, 0.748, 0.25, 0.75, 1.0],
        "class": pd.array([1, 1, 2, 3, 1, None, None], dtype="Int64"),
    }
)


def types(low=(0.02, -0.01, -0.2), high=(0.2, 0.01, -0.02), reason=None):
    rows = [
        (1, key, band, share, other, share - other, down, up, 0.9, 12, 20.0, 300.0, reason)
        for band in ("whole", Band(0, 6).column, Band(6, 15).column)
        for key, share, other, down, up in zip(
            "123", (0.41, 0.002, 0.588), (0.3, 0.002, 0.698), low, high, strict=True
        )
    ]
    return pd.DataFrame(rows, columns=[column.name for column in LAYERS["ground_types"].columns])


def told(**changed):
    return GroundTold(**({"classes": CLASSES, "types": types(), "tree": TREE} | changed))


def test_a_type_is_told_what_is_surely_more_or_less_the_greatest_difference_first():
    here = ground_part(told()).beside[1]
    assert here.sentence == (
        "More roof & <wall> (41 % of the ground, 30 % beside the others); "
        "less grass (59 % of the ground, 70 % beside the others)."
    )
    assert [(row.title, row.differs) for row in here.rows] == [
        ("roof & <wall>", True),
        ("class 2", False),
        ("grass", True),
    ]
    assert (here.rows[0].difference, here.rows[0].limits) == ("+11", "+2 to +20")
    assert here.known == "Known of 90 % of the ground."


def test_nothing_is_claimed_without_limits_or_where_they_hold_zero():
    none = np.full(3, np.nan)
    here = ground_part(told(types=types(none, none, "too few parts"))).beside[1]
    assert here.sentence.endswith("cannot be told.")
    assert here.known == "Known of 90 % of the ground. No limits: too few parts."
    assert not any(row.differs or row.limits for row in here.rows)
    same = ground_part(told(types=types((-0.1, -0.1, -0.2), (0.2, 0.1, 0.1)))).beside[1]
    assert same.sentence.startswith("No class of ground is surely more or less")


def test_bars_are_as_long_as_shares_and_written_on_legibly():
    bars = ground_part(told()).beside[1].bars
    assert [one.title for one in bars] == ["0 to 6 m from the centreline", "6 to 15 m from the centreline"]
    own = bars[0].own
    assert sum(block.width for block in own) == pytest.approx(320, abs=0.1)
    assert [block.label for block in own] == ["41", "", "59"]
    assert own[2].x == pytest.approx(own[0].width + own[1].width, abs=0.02)
    # against black and white by the contrast that WCAG asks of text
    assert (ink_on("#332288"), ink_on("#DDCC77"), ink_on("#FFFFFF"), ink_on("#000000")) == (
        "#fff",
        "#1b1b1b",
        "#1b1b1b",
        "#fff",
    )


def test_how_well_a_class_is_told_stands_beside_what_calling_all_so_would_get():
    rows = ground_part(told()).classes
    assert rows[0].sure == "0.52 (spread 0.04); all of it: 0.2"
    assert rows[1].sure == "not measured"
    assert rows[1].share == "under 1 %"
    assert "threshold <0.3>" in rows[2].words


def test_names_beside_the_tree_are_cut_to_their_room_and_none_lies_on_another():
    names = {1: "WIDE MEADOWS WITH WILLOWS", 2: "\N{CJK UNIFIED IDEOGRAPH-8DEF}" * 30, 3: "grass"}
    tree = draw_tree(TREE, names, CLASSES)
    assert all(text_width(label, LETTERS) <= WIDTH - LABEL_AT for _, label, _ in tree.labels)
    assert fitted_text("grass", 200, LETTERS) == "grass"
    # parts of one class on both sides of another: the middles of both are one place
    crossed = TREE.assign(**{"class": pd.array([1, 2, 2, 1, None, None, None], dtype="Int64")})
    ys = [y for y, _, _ in draw_tree(crossed, {1: "roof", 2: "grass", 3: "sand"}, CLASSES).labels]
    assert np.diff(ys).tolist() == [LABEL]


def test_the_tree_joins_groups_where_they_are_as_far_apart_and_names_each_class_once():
    tree = draw_tree(TREE, {1: "roof", 2: "class 2", 3: "grass"}, CLASSES)
    assert [label[1] for label in tree.labels] == ["roof", "class 2", "grass"]
    ys = [label[0] for label in tree.labels]
    assert ys == sorted(ys)
    assert len(tree.branches) == 6
    assert tree.said.startswith("4 groups of ground come together in 3 classes")
    # forks lie from the root, at the left, to the leaves by 1, 1/2 and 1/10 of the greatest distance
    forks = sorted({float(branch.path.split()[0][1:]) for branch in tree.branches})
    assert (forks[1] - forks[0]) / (forks[2] - forks[0]) == pytest.approx(0.5 / 0.9, abs=0.01)
    assert draw_tree(None, {}, CLASSES) is None
    assert draw_tree(TREE[:0], {}, CLASSES) is None


@pytest.mark.parametrize("turn", [0.0, 90.0, 30.0])
def test_a_class_is_drawn_where_it_lies_on_a_tile_however_the_tile_is_turned(tmp_path, turn):
    """All ground east of x = 100 is of class 2; a tile about (100, 100) has its half there."""
    path = tmp_path / "ground.tif"
    values = np.ones((400, 400), dtype=np.uint8)
    values[:, 200:] = 2
    write_raster(path, values[None], west=0, north=200, pixel=0.5, crs="EPSG:27700")
    square = squares(np.array([[100.0, 100.0]]), np.array([turn]), 60.0)
    tiles = gpd.GeoDataFrame({"tile_id": ["a"]}, geometry=square, crs=27700)
    grey = {"a": thumbnail(np.full((3, 100, 100), 120, dtype=np.uint8), px=100)}
    found = examples({"2": (2, "#0000FF"), "3": (3, "#00FF00")}, tiles, grey, path)
    assert list(found) == ["2"]
    seen = np.asarray(Image.open(io.BytesIO(found["2"])), dtype=int)
    blue = seen[..., 2] - seen[..., 0] > 20
    y, x = np.mgrid[:100, :100]
    # east of the middle, in the tile's own axes: up is the bearing
    angle = np.radians(turn)
    east = (x - 49.5) * np.cos(angle) + (49.5 - y) * np.sin(angle)
    assert blue[east > 5].mean() > 0.95
    assert blue[east < -5].mean() < 0.05
    assert found == examples({"2": (2, "#0000FF"), "3": (3, "#00FF00")}, tiles, grey, path)
    assert examples({}, tiles, grey, path) == {}
    assert examples({"2": (2, "#0000FF")}, tiles, {}, path) == {}


@pytest.fixture
def report_of(grid_city):
    """Render the grid city's report, with a map of the ground or without."""

    def make(ground, segments=None):
        return render(
            ReportData(
                city="grid",
                config={},
                run={},
                clusters=grid_city.layers["clusters"],
                segments=grid_city.layers["segments"] if segments is None else segments,
                choice=grid_city.choice,
                quality={},
                prototypes=grid_city.prototypes,
                thumbnails={},
                ledger=grid_city.layers["ledger"],
                licences={},
                ratio_of="ksi",
                ground=ground,
            )
        )

    return make


def test_names_of_classes_are_text_and_a_report_without_a_map_says_nothing_of_ground(report_of):
    page = report_of(told())
    assert "What lies on the ground" in page
    assert "roof &amp; &lt;wall&gt;" in page
    assert "<wall>" not in page
    assert page.count("What lies beside these roads") == 1
    without = report_of(None)
    assert "ground" not in without[: without.index("<body>")].replace("--ground", "").replace(
        "background", ""
    )
    assert "What lies" not in without
    assert without == report_of(told(classes=CLASSES[:0]))


def test_look_alikes_on_the_map_are_told_apart_in_words_that_hold_from_both_sides(grid_city, report_of):
    segments = grid_city.layers["segments"]
    first = np.linspace(0, 1, len(segments))
    segments = segments.assign(ground_1_0_6m=first, ground_3_0_6m=1 - first, ground_known_0_6m=1.0)
    page = report_of(told(), segments)
    map_data = unpack(re.search(r'id="map-data">([^<]*)<', page)[1])
    assert "roof \\u0026 \\u003cwall\\u003e 0 to 6 m from the centreline: " in map_data
    layers = grid_city.layers | {"segments": segments, "ground_classes": CLASSES}
    apart = tell_apart(layers)
    assert "looks_like_differs" in apart["segments"]
    assert "looks_like_differs" not in tell_apart(grid_city.layers)["segments"]
