"""The report page in a browser: by mouse, by keyboard, on a phone, on paper, and without scripts."""

import io
import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import given
from explore_page import press, show
from PIL import Image

from geo.outputs.report.map.points import WHY
from geo.outputs.report.page import ReportData, write_report
from geo.outputs.thumbnails import thumbnail

HOSTILE = "</script><img src=x onerror=\"document.title='broken'\"><!-- 🚲 \u2028 'quoted' & so on"
READY = "document.documentElement?.dataset.map === 'ready'"
MIDDLE = """(id => {
  const { city, view } = reportMap, line = city.lines[city.place.get(id)];
  const frame = document.getElementById("map").getBoundingClientRect(), at = view.now();
  const x = (line.xs[0] + line.xs[1]) / 2 - at.x, y = (line.ys[0] + line.ys[1]) / 2 - at.y;
  return [frame.left + frame.width / 2 + x / at.metres, frame.top + frame.height / 2 - y / at.metres];
})"""
POINT = """(k => {
  const { city, view } = reportMap, { x, y } = city.points;
  view.show(x[k], y[k], 0.5);
  const frame = document.getElementById("map").getBoundingClientRect();
  return [frame.left + frame.width / 2, frame.top + frame.height / 2];
})"""
WITH_SHOTS_AND_LOOK_ALIKES = """(() => {
  const { data } = reportMap, pairs = Object.values(data.alike)[0];
  return pairs.map(pair => data.segments.id[pair[0]]).find(id => data.shots[id]);
})()"""
SHOWN = "[...document.querySelectorAll('#details img')].filter(one => one.naturalWidth > 0).length"
SCALE = "reportMap.view.now().metres"
PLACE = "reportMap.view.now().x"
HEIGHT = "reportMap.view.now().y"
PAPER_PX = 695
"""Width of A4 between its margins."""
DETAILS = "document.getElementById('details')"


@pytest.fixture
def page(demo, tab):
    """The demo town's report, opened anew in the one tab of all tests."""
    return at_map(tab, Path(demo["report"]))


def at_map(tab, file, shown=""):
    """Open a report at its map."""
    show(tab, file.as_uri(), shown, ready=READY)
    if not shown:
        tab.run("document.getElementById('overview').scrollIntoView()")
        tab.settle()
    return tab


@contextmanager
def phone(page):
    """Give a tab the size and the fingers of a phone, for a while."""
    page.size(390, 844, phone=True)
    page.send("Emulation.setTouchEmulationEnabled", enabled=True)
    page.run("document.getElementById('map').scrollIntoView({ block: 'center' })")
    page.settle()
    try:
        yield
    finally:
        page.send("Emulation.setTouchEmulationEnabled", enabled=False)
        page.send("Emulation.clearDeviceMetricsOverride")


def swipe(page, start, step, steps=8):
    """Draw one finger over the page, step by step."""
    x, y = start
    page.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
    for n in range(1, steps + 1):
        points = [{"x": x + n * step[0], "y": y + n * step[1]}]
        page.send("Input.dispatchTouchEvent", type="touchMove", touchPoints=points)
    page.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    page.settle()


@pytest.fixture
def report_of(grid_city, tmp_path):
    """Write a report of the grid city, its names replaced."""

    def write(names, statuses=None, **changed):
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
            stretches=grid_city.layers["stretches"].assign(name=names, from_street=names, to_street=names),
        )
        if statuses is not None:
            collisions = data.collisions.assign(pedestrian=True, snap_status=statuses)
            data = replace(data, collisions=collisions[collisions.geometry.notna()])
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
    page.wait("!document.getElementById('tip').hidden && tip.textContent.includes('Type')")
    page.click(*at)
    page.wait(f"{DETAILS}.dataset.segment === '{segment}'")
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
    page.wait(f"document.querySelector('#details h3')?.textContent === {json.dumps(name)}")
    page.run("document.getElementById('map').focus()")
    scale, place = page.run(SCALE), page.run(PLACE)
    page.key("+", 187, "+")
    page.key("ArrowRight", 39)
    page.wait(f"{SCALE} < {scale} && {PLACE} > {place}")
    page.key("0", 48, "0")
    page.wait(f"{SCALE} > {scale}")
    assert_quiet(page)


def test_the_map_is_one_stop_of_the_tabulator_key_and_every_stop_is_seen(page):
    page.run("document.querySelector('[data-paint=type] input').focus()")
    shifted = {"key": "Tab", "windowsVirtualKeyCode": 9, "modifiers": 8}
    stops = []
    for _ in range(6):
        page.send("Input.dispatchKeyEvent", type="keyDown", **shifted)
        page.send("Input.dispatchKeyEvent", type="keyUp", **shifted)
        stops.append(
            page.run(
                "document.activeElement.id || document.activeElement.dataset.zoom || document.activeElement.type"
            )
        )
        outlined = "[document.activeElement, document.activeElement.parentElement]"
        assert page.run(f"{outlined}.some(one => getComputedStyle(one).outlineStyle === 'solid')")
    assert stops == ["save-map", "all", "out", "in", "map", "imagery"]


def test_the_wheel_zooms_the_map_only_after_it_was_clicked(page):
    x, y = page.run(f"{MIDDLE}({WITH_SHOTS_AND_LOOK_ALIKES})")
    turn = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": -240}
    scale = page.run(SCALE)
    page.send("Input.dispatchMouseEvent", **turn)
    page.settle()
    assert page.run(SCALE) == scale
    page.rest()
    page.run("document.getElementById('overview').scrollIntoView()")
    page.rest()
    page.click(x, y)
    page.send("Input.dispatchMouseEvent", **turn)
    page.wait(f"{SCALE} < {scale}")
    assert_quiet(page)


def test_a_layer_can_be_switched_off_and_is_then_not_picked(page):
    segment = page.run(WITH_SHOTS_AND_LOOK_ALIKES)
    at = page.run(f"{MIDDLE}('{segment}')")
    page.run(
        "document.querySelectorAll('[data-paint=type] input').forEach(one => one.checked && one.click())"
    )
    page.settle()
    page.click(*at)
    assert page.run("document.getElementById('details').dataset.segment || 'none'") == "none"


def test_a_phone_shows_the_page_without_scrolling_sideways(page, tmp_path):
    with phone(page):
        assert page.run("document.documentElement.scrollWidth") == 390
        segment = page.run(WITH_SHOTS_AND_LOOK_ALIKES)
        page.run(
            f"(line => reportMap.view.show(line.xs[0], line.ys[0], 0.5))"
            f"(reportMap.city.lines[reportMap.city.place.get('{segment}')])"
        )
        swipe(page, page.run(f"{MIDDLE}('{segment}')"), (0, 0), steps=0)
        page.wait(SHOWN)
        page.settle()
        assert page.run("document.documentElement.scrollWidth") == 390
        page.picture(tmp_path / "report-390.png")
        assert_quiet(page)


def test_one_finger_moves_the_map_and_the_page_can_still_be_scrolled(page):
    with phone(page):
        middle = page.run(
            "(frame => [frame.left + frame.width / 2, frame.top + frame.height / 2])"
            "(document.getElementById('map').getBoundingClientRect())"
        )
        scrolled = "Math.round(window.scrollY)"
        place, top = page.run(PLACE), page.run(scrolled)
        swipe(page, middle, (-12, 1))
        page.wait(f"{PLACE} > {place} + 50 * {SCALE}")
        assert page.run(scrolled) == top
        # up and down scrolls the page, so that nobody is caught on the map, and says how to move it
        height = page.run(HEIGHT)
        # it is said for a moment, which a busy machine may let pass
        page.run(
            "new MutationObserver(([{ target }]) => { globalThis.hinted ||= !target.hidden })"
            ".observe(document.getElementById('map-hint'), { attributes: true })"
        )
        swipe(page, middle, (0, -12))
        page.wait(f"{scrolled} > {top} + 40")
        page.wait(f"Math.abs({HEIGHT} - {height}) < 1e-6 * Math.abs({height})")
        page.wait("globalThis.hinted")
        # after a tap any swipe moves the map
        page.rest()
        page.run("document.getElementById('map').scrollIntoView({ block: 'center' })")
        page.rest()
        swipe(page, middle, (0, 0), steps=0)
        page.wait("document.getElementById('map').dataset.held === 'true'")
        page.settle()
        top, height = page.run(scrolled), page.run(HEIGHT)
        swipe(page, middle, (0, -12))
        page.wait(f"{HEIGHT} < {height} - 50 * {SCALE}")
        assert page.run(scrolled) == top


def test_streets_are_coloured_by_what_is_chosen_and_the_legend_says_so(page):
    def seen():
        return page.run(
            "[...document.querySelectorAll('[data-paint]:not([hidden])')].map(one => one.dataset.paint)"
        )

    def colours(name):
        return set(
            page.run(f"reportMap.plot.renderers.find(one => one.name === '{name}').data_source.data.colour")
        )

    assert seen() == ["type"]
    types = colours("lines")
    press(page, "input[value=rate]")
    assert seen() == ["rate"]
    rates = colours("lines") | colours("heavy")
    assert rates
    assert not rates & types
    said = page.run("document.querySelector('[data-paint=rate] legend').textContent")
    assert "shrunk" in said
    press(page, "input[value=network]")
    assert len(colours("lines")) == 1


def test_chips_leave_the_collisions_that_they_say_and_their_numbers_follow(page):
    def numbers(key):
        return page.run(
            f"[...document.querySelectorAll('[data-filter={key}] [data-count]')].map(one => "
            "Number(one.textContent.replace(/\\D/g, '')))"
        )

    drawn = "reportMap.points.left().length"
    before, years = page.run(drawn), numbers("year")
    assert sum(years) == before
    press(page, "[data-filter=year] input")
    assert page.run(drawn) == before - years[0]
    assert numbers("year") == years
    # of the severities that are not drawn too, those of the years that are left
    without = page.run("document.querySelector('[data-filter=year] input').value")
    everything = page.run(f"reportMap.city.points.year.filter(year => String(year) !== '{without}').length")
    assert sum(numbers("layer")) == everything
    users = "[data-filter=users] input"
    page.run(f"document.querySelectorAll('{users}').forEach((one, at) => at && one.click())")
    on_foot = page.run("reportMap.points.left().every(k => reportMap.city.points.users[k] & 1)")
    assert on_foot
    assert page.run(drawn) == numbers("users")[0] > 0


def test_a_collision_says_when_who_and_why_it_was_not_placed(report_of, tab):
    page = at_map(tab, report_of("Long Lane", statuses="beyond_limit"))
    page.run(
        "document.querySelectorAll('[data-filter=layer] input').forEach(one => one.checked || one.click())"
    )
    page.move(*page.run(f"{POINT}(3)"))
    told = page.wait("document.getElementById('tip').hidden ? '' : document.getElementById('tip').innerText")
    assert f"On no road: {WHY['beyond_limit']}; 2 m from the nearest road" in told
    assert "hurt: on foot" in told
    page.click(*page.run(f"{POINT}(3)"))
    card = page.wait(f"{DETAILS}.innerText.includes('On no road') && {DETAILS}.innerText")
    for word in ("Collision ", "Date", "Severity", "Hurt", "On no road"):
        assert word in card
    # the keyboard reaches the same by the list of those in view
    page.wait("document.getElementById('near').options.length > 0")
    page.run("document.getElementById('near').focus()")
    page.key("Home", 36)
    page.key("ArrowDown", 40)
    chosen = page.run("reportMap.city.points.id[document.getElementById('near').value]")
    assert page.run(f"{DETAILS}.dataset.collision") == chosen
    assert_quiet(page)


def test_a_link_opens_a_segment_and_one_to_nothing_is_said(tab, demo):
    file = Path(demo["report"])
    page = at_map(tab, file)
    segment = page.run(WITH_SHOTS_AND_LOOK_ALIKES)
    page.click(*page.run(f"{MIDDLE}('{segment}')"))
    page.wait(f"location.hash === '#segment={segment}'")
    page = at_map(tab, file, f"#segment={segment}")
    assert page.run(f"{DETAILS}.dataset.segment") == segment
    assert page.run(SCALE) < 2.5
    page.run("location.hash = '#segment=<b>nowhere</b>'")
    page.wait(f"{DETAILS}.innerText.includes('does not hold')")
    assert "<b>nowhere</b>" in page.run(f"{DETAILS}.innerText")
    page.run(f"location.hash = '#segment={segment}'")
    page.wait(f"{DETAILS}.dataset.segment === '{segment}'")
    place = page.run(PLACE)
    page.run("reportMap.view.all()")
    page.run(
        "document.querySelector('main').append(Object.assign(document.createElement('a'), { href: location.hash }))"
    )
    press(page, "main > a")
    page.wait(f"Math.abs({PLACE} - {place}) < 1e-6 * Math.abs({place})")
    assert_quiet(page)


def test_names_of_streets_appear_when_near_and_none_over_another(page):
    names = "reportMap.plot.renderers.find(one => one.name === 'names').data_source.data"
    assert page.run(f"{names}.text.length") == 0
    page.run("reportMap.view.show(reportMap.view.now().x, reportMap.view.now().y, 0.8)")
    page.wait(f"{names}.text.length > 3")
    assert set(page.run(f"{names}.text")) <= set(page.run("reportMap.data.segments.name"))
    x, y = (np.array(page.run(f"{names}.{axis}")) / 0.8 for axis in "xy")
    apart = np.hypot(x[:, None] - x, y[:, None] - y) + 1000 * np.eye(len(x))
    assert apart.min() > 12


def test_what_is_seen_is_saved_as_a_picture_with_its_legend(page, tmp_path):
    page.keep_downloads(tmp_path)
    width, height = page.run("[reportMap.view.width(), reportMap.view.height()]")
    press(page, "#save-map")
    file = given(tmp_path / "map.png")
    saved = np.asarray(Image.open(io.BytesIO(file.read_bytes())).convert("RGB")).astype(int)
    assert saved.shape[1] >= width
    assert saved.shape[0] > height + 40
    legend = saved[int(height) + 10 :].reshape(-1, 3)
    shown = page.run("reportMap.data.paints[0].classes.map(one => one[1])")
    for colour in shown:
        assert (legend == [int(colour[at : at + 2], 16) for at in (1, 3, 5)]).all(axis=1).any(), colour
    assert_quiet(page)


def test_a_browser_that_is_too_old_keeps_the_still_map_and_says_why(tab, demo):
    script = tab.send("Page.addScriptToEvaluateOnNewDocument", source="delete window.DecompressionStream")
    try:
        missing = "document.getElementById('map-missing')"
        show(tab, Path(demo["report"]).as_uri(), ready=f"{missing} && !{missing}.hidden")
        assert "DecompressionStream" in tab.run(f"{missing}.innerText")
        assert tab.run("document.getElementById('explorer').hidden")
        assert tab.run("document.querySelector('.still svg').getBoundingClientRect().height") > 200
    finally:
        tab.send("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])


def test_paper_gets_the_still_map(page):
    page.send("Emulation.setEmulatedMedia", media="print")
    try:
        assert page.run("getComputedStyle(document.getElementById('explorer')).display") == "none"
        assert page.run("document.querySelector('.still svg').getBoundingClientRect().height") > 200
    finally:
        page.send("Emulation.setEmulatedMedia", media="")


def test_without_scripts_the_still_map_is_there(page):
    page.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.send("Page.reload")
        page.wait("document.readyState === 'complete' && !document.documentElement.dataset.map")
        assert page.run("document.getElementById('explorer').hidden")
        assert page.run("document.querySelector('.still svg').getBoundingClientRect().height") > 200
        assert "Scripts are off" in page.run("document.querySelector('section noscript').innerText")
    finally:
        page.send("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize(
    "name",
    [HOSTILE, "Lang 🚲 " * 1250, "Llanfairpwllgwyngyll" * 9],
    ids=["markup", "ten thousand characters", "one word"],
)
def test_names_stay_text_wherever_they_are_shown(report_of, tab, name):
    page = at_map(tab, report_of(name))
    outside = "document.querySelectorAll('main :not(option):not(#details *):not(#tip *)').length"
    elements = page.run(outside)
    segment = page.run(WITH_SHOTS_AND_LOOK_ALIKES)
    at = page.run(f"{MIDDLE}('{segment}')")
    page.click(*at)
    shown = page.wait("document.querySelector('#details h3')?.textContent")
    assert " ".join(name.split()).startswith(shown.rstrip("…"))
    assert len(shown) <= 80
    page.wait(f"document.getElementById('tip').textContent.includes({json.dumps(shown)})")
    assert page.run("document.getElementById('found').options[0].text").startswith(shown)
    assert page.run("document.title") == "Road types of grid"
    # what the panel and the tip add, and nothing that came with a name
    assert page.run(outside) == elements
    assert page.run("document.querySelectorAll('[onerror], img[src=x]').length") == 0
    for width, media in ((1400, ""), (390, ""), (PAPER_PX, "print")):
        page.send("Emulation.setEmulatedMedia", media=media)
        page.size(width, 900, phone=width == 390)
        assert page.run("document.documentElement.scrollWidth") == width
    page.send("Emulation.setEmulatedMedia", media="")
    page.send("Emulation.clearDeviceMetricsOverride")
    assert_quiet(page)


def test_a_city_without_types_has_a_map_that_says_so(report_of, tab):
    page = at_map(tab, report_of("Long Lane", cluster=pd.NA))
    page.click(*page.run(f"{MIDDLE}({WITH_SHOTS_AND_LOOK_ALIKES})"))
    page.wait(f"{DETAILS}.textContent.includes('none (no imagery)')")
    assert_quiet(page)
