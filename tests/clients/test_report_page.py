"""The report page in a browser: by mouse, by keyboard, on a phone, on paper, and without scripts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import needs_chromium, opened

from geo.outputs.report.page import ReportData, write_report
from geo.outputs.thumbnails import thumbnail

HOSTILE = "</script><img src=x onerror=\"document.title='broken'\"><!-- 🚲 \u2028 'quoted' & so on"
READY = "document.documentElement.dataset.map === 'ready'"
MIDDLE = """(id => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const steps = data.segments.line[data.segments.id.indexOf(id)];
  const plot = Bokeh.documents[0].roots()[0];
  const frame = document.getElementById("map").getBoundingClientRect();
  const metres = (plot.y_range.end - plot.y_range.start) / plot.inner_height;
  const x = (steps[0] + steps[2] / 2) * data.unit - (plot.x_range.start + plot.x_range.end) / 2;
  const y = (steps[1] + steps[3] / 2) * data.unit - (plot.y_range.start + plot.y_range.end) / 2;
  return [frame.left + frame.width / 2 + x / metres, frame.top + frame.height / 2 - y / metres];
})"""
WITH_SHOTS_AND_LOOK_ALIKES = """(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const pairs = Object.values(data.alike)[0];
  return pairs.map(pair => data.segments.id[pair[0]]).find(id => data.shots[id]);
})()"""
SHOWN = "[...document.querySelectorAll('#details img')].filter(one => one.naturalWidth > 0).length"
SCALE = "(({y_range: y}) => y.end - y.start)(Bokeh.documents[0].roots()[0])"
PLACE = "(({x_range: x}) => (x.start + x.end) / 2)(Bokeh.documents[0].roots()[0])"


@pytest.fixture(scope="session", autouse=True)
def _browser():
    needs_chromium()


@pytest.fixture
def page(demo, tmp_path):
    with opened(Path(demo["report"]), tmp_path) as page:
        page.wait(READY)
        page.run("document.getElementById('overview').scrollIntoView()")
        page.settle()
        yield page


@pytest.fixture
def report_of(grid_city, tmp_path):
    """Write a report of the grid city, its names replaced."""

    def write(names, **changed):
        segments = grid_city.layers["segments"]
        segments = segments.assign(name=names, road_class=names, **changed)
        tiles = grid_city.layers["tiles"]
        red = thumbnail(np.stack([np.full((40, 40), v, dtype=np.uint8) for v in (200, 30, 30)]))
        alike = tiles[["segment_id"]].assign(similar_segment_id=tiles["segment_id"].shift(1), place=1)
        data = ReportData(
            city="grid",
            config={"city": "grid"},
            run={},
            clusters=grid_city.layers["clusters"],
            segments=segments,
            choice=grid_city.choice,
            quality={},
            prototypes=grid_city.prototypes,
            thumbnails=dict.fromkeys(tiles["tile_id"], red),
            ledger=grid_city.layers["ledger"],
            licences={"Imagery": HOSTILE},
            ratio_of="ksi",
            collisions=grid_city.layers["collisions"],
            look_alikes=alike.iloc[1:].assign(kind=HOSTILE),
            tiles=tiles,
        )
        path = tmp_path / "report.html"
        write_report(path, data)
        return path

    return write


def assert_quiet(page):
    assert page.complaints == []
    assert {address.partition(":")[0] for address in page.requests} <= {"file", "data", "blob"}


def test_a_click_on_a_segment_shows_its_tiles_and_the_page_asks_for_nothing(page, demo, tmp_path):
    segment = page.run(WITH_SHOTS_AND_LOOK_ALIKES)
    at = page.run(f"{MIDDLE}('{segment}')")
    page.move(*at)
    assert "Type" in page.run("document.getElementById('tip').hidden ? '' : tip.textContent")
    page.click(*at)
    assert page.run("document.getElementById('details').dataset.segment") == segment
    assert page.wait(SHOWN) >= 1
    page.picture(tmp_path / "report-1400.png")
    page.run("document.querySelector('#details li button').click()")
    assert page.run("document.getElementById('details').dataset.segment") != segment
    assert page.wait(SHOWN) >= 1
    assert Path(demo["report"]).stat().st_size < 6_000_000
    assert_quiet(page)


def test_the_keyboard_finds_a_segment_and_moves_the_map(page):
    page.run("document.getElementById('find').focus()")
    name = page.run("document.getElementById('found').options[3].text.split(':')[0]")
    page.send("Input.insertText", text=name.lower())
    page.settle()
    assert page.run("[...document.getElementById('found').options].every(one => one.text)")
    assert 0 < page.run("document.getElementById('found').options.length") < 200
    page.key("ArrowDown", 40)
    page.key("ArrowDown", 40)
    assert page.run("document.querySelector('#details h3').textContent") == name
    page.run("document.getElementById('map').focus()")
    scale, place = page.run(SCALE), page.run(PLACE)
    page.key("+", 187, "+")
    page.key("ArrowRight", 39)
    assert page.run(SCALE) < scale
    assert page.run(PLACE) > place
    page.key("0", 48, "0")
    assert page.run(SCALE) > scale
    assert_quiet(page)


def test_the_map_is_one_stop_of_the_tabulator_key_and_every_stop_is_seen(page):
    page.run("document.getElementById('find').focus()")
    shifted = {"key": "Tab", "windowsVirtualKeyCode": 9, "modifiers": 8}
    stops = []
    for _ in range(5):
        page.send("Input.dispatchKeyEvent", type="keyDown", **shifted)
        page.send("Input.dispatchKeyEvent", type="keyUp", **shifted)
        stops.append(page.run("document.activeElement.id || document.activeElement.dataset.zoom || 'layer'"))
        assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert stops == ["all", "out", "in", "map", "layer"]


def test_the_wheel_zooms_the_map_only_after_it_was_clicked(page):
    x, y = page.run(f"{MIDDLE}({WITH_SHOTS_AND_LOOK_ALIKES})")
    turn = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": -240}
    scale = page.run(SCALE)
    page.send("Input.dispatchMouseEvent", **turn)
    page.settle()
    assert page.run(SCALE) == scale
    page.run("document.getElementById('overview').scrollIntoView()")
    page.settle()
    page.click(x, y)
    page.send("Input.dispatchMouseEvent", **turn)
    page.wait(f"{SCALE} < {scale}")
    assert_quiet(page)


def test_a_layer_can_be_switched_off_and_is_then_not_picked(page):
    segment = page.run(WITH_SHOTS_AND_LOOK_ALIKES)
    at = page.run(f"{MIDDLE}('{segment}')")
    page.run(
        "document.querySelectorAll('input[data-layer^=type]').forEach(one => one.checked && one.click())"
    )
    page.settle()
    page.click(*at)
    assert page.run("document.getElementById('details').dataset.segment || 'none'") == "none"


def test_a_phone_shows_the_page_without_scrolling_sideways(page, tmp_path):
    page.size(390, 844, phone=True)
    page.send("Emulation.setTouchEmulationEnabled", enabled=True)
    page.run("document.getElementById('map').scrollIntoView()")
    page.settle()
    assert page.run("document.documentElement.scrollWidth") == 390
    segment = page.run(WITH_SHOTS_AND_LOOK_ALIKES)
    x, y = page.run(f"{MIDDLE}('{segment}')")
    page.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
    page.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    page.wait(SHOWN)
    page.settle()
    assert page.run("document.documentElement.scrollWidth") == 390
    page.picture(tmp_path / "report-390.png")
    assert_quiet(page)


def test_paper_gets_the_still_map(page):
    page.send("Emulation.setEmulatedMedia", media="print")
    assert page.run("getComputedStyle(document.getElementById('explorer')).display") == "none"
    assert page.run("document.querySelector('.still svg').getBoundingClientRect().height") > 200


def test_without_scripts_the_still_map_is_there(demo, tmp_path):
    with opened(Path(demo["report"]), tmp_path) as page:
        page.send("Emulation.setScriptExecutionDisabled", value=True)
        page.send("Page.reload")
        page.wait("document.readyState === 'complete' && !document.documentElement.dataset.map")
        assert page.run("document.getElementById('explorer').hidden")
        assert page.run("document.querySelector('.still svg').getBoundingClientRect().height") > 200
        assert "Scripts are off" in page.run("document.querySelector('section noscript').innerText")


@pytest.mark.parametrize("name", [HOSTILE, "Lang 🚲 " * 1250], ids=["markup", "ten thousand characters"])
def test_names_stay_text_wherever_they_are_shown(report_of, tmp_path, name):
    with opened(report_of(name), tmp_path) as page:
        page.wait(READY)
        elements = page.run("document.querySelectorAll('main *').length")
        segment = page.run(WITH_SHOTS_AND_LOOK_ALIKES)
        page.run("document.getElementById('overview').scrollIntoView()")
        at = page.run(f"{MIDDLE}('{segment}')")
        page.click(*at)
        shown = page.run("document.querySelector('#details h3').textContent")
        assert " ".join(name.split()).startswith(shown.rstrip("…"))
        assert len(shown) <= 80
        assert shown in page.run("document.getElementById('tip').textContent")
        assert page.run("document.getElementById('found').options[0].text").startswith(shown)
        assert page.run("document.title") == "Road types of grid"
        # what the panel and the tip add, and nothing that came with a name
        added = page.run("document.querySelectorAll('main *').length") - elements
        own = page.run("document.querySelectorAll('#details *, #tip *').length")
        assert added == own - 1
        assert page.run("document.querySelectorAll('[onerror], img[src=x]').length") == 0
        assert page.run("document.documentElement.scrollWidth") == 1400
        assert_quiet(page)


def test_a_city_without_types_has_a_map_that_says_so(report_of, tmp_path):
    with opened(report_of("Long Lane", cluster=pd.NA), tmp_path) as page:
        page.wait(READY)
        page.run("document.getElementById('overview').scrollIntoView()")
        page.click(*page.run(f"{MIDDLE}({WITH_SHOTS_AND_LOOK_ALIKES})"))
        assert "none (no imagery)" in page.run("document.getElementById('details').textContent")
        assert_quiet(page)
