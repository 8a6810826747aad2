"""The page of a run in a real browser: its map, its legend, the card of a segment, its address, and the keyboard."""

import time
from pathlib import Path

import numpy as np
import pyogrio
import pytest
from browser import WITHIN_S
from explore_page import READY, ask_from_card, choose, complaints, press, reads, served, show, text
from made_run import make_run

from geo.outputs.layers.arrange import empty_layer

LEGEND = "[...document.querySelectorAll('#legend li:has(.n)')].map(row => row.innerText.split('\\n'))"
CARD = "document.querySelector('#card h2')?.innerText"
SMALL = """
[...document.querySelectorAll('button, select, input:not(.unseen), summary, label.tick, label.button, [role=tab]')]
  .filter(one => one.checkVisibility() && !['checkbox', 'radio'].includes(one.type))
  .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 44).map(([what]) => what)
"""
CONTRAST = """
(() => {
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const channels = (colour, under) => {
    paint.globalCompositeOperation = 'copy';
    paint.fillStyle = under ? `rgb(${under})` : '#fff';
    paint.fillRect(0, 0, 1, 1);
    paint.globalCompositeOperation = 'source-over';
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const ground = element => {
    const up = [];
    for (let one = element; one; one = one.parentElement) up.unshift(getComputedStyle(one).backgroundColor);
    return up.reduce((under, colour) => channels(colour, under.join()), [255, 255, 255]);
  };
  const light = rgb => {
    const [r, g, b] = rgb.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const own = element => [...element.childNodes].some(one => one.nodeType === 3 && one.data.trim());
  return [...document.querySelectorAll('body *')]
    .filter(one => own(one) && one.checkVisibility() && !one.disabled && one.tagName !== 'OPTION')
    .map(one => {
      const under = ground(one);
      const [dark, bright] = [light(channels(getComputedStyle(one).color, under.join())), light(under)].sort();
      return [one.innerText.slice(0, 40), (bright + 0.05) / (dark + 0.05)];
    })
    .filter(([, ratio]) => ratio < 4.5);
})()
"""


def rows_of(tab):
    """Give the rows of the legend: what they say, and how many segments they count."""
    return [(label, int(number.replace(",", ""))) for label, number in tab.run(LEGEND)]


@pytest.fixture(scope="module")
def segments(demo):
    """The segments of the run, read by another library than the page's."""
    return pyogrio.read_dataframe(demo["geopackage"], layer="segments")


@pytest.fixture(scope="module")
def collisions(demo):
    return pyogrio.read_dataframe(demo["geopackage"], layer="collisions", read_geometry=False)


def at_middle(segments, row, zoom=17):
    """Give the part of an address that shows the middle of a segment in the middle of the map."""
    middle = segments.geometry.iloc[[row]].interpolate(0.5, normalized=True).to_crs(4326).iloc[0]
    return f"#view={middle.x:.6f},{middle.y:.6f},{zoom}"


def middle_of_map(tab):
    box = tab.run("document.getElementById('map').getBoundingClientRect().toJSON()")
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def point_until(tab, x, y, script):
    """Move the pointer about a place until an expression holds: a map that still draws hears nothing of it."""
    end = time.monotonic() + WITHIN_S
    while not tab.run(script):
        assert time.monotonic() < end, script
        for off in (1, 0):
            tab.move(x + off, y)


def test_the_page_shows_all_segments_by_type_and_asks_no_other_machine(explored, demo_page, segments):
    legend = dict(rows_of(explored))
    counts = segments["cluster"].value_counts(dropna=False)
    assert sum(legend.values()) == len(segments)
    assert legend["No type"] == segments["cluster"].isna().sum()
    assert sorted(legend.values()) == sorted(counts)
    assert all(url.startswith(demo_page.address) for url in explored.requests if "blank" not in url)


def test_classes_of_a_rate_say_where_they_begin_and_end_and_what_is_not_known(explored, segments):
    choose(explored, "#colour", "ksi_per_km_year_eb")
    explored.wait("document.querySelector('#legend h2').innerText.startsWith('KSI per km and year, shrunk')")
    rate = segments["ksi_per_km_year_eb"]
    *known, (last, unknown) = rows_of(explored)
    assert (last, unknown) == ("not known", rate.isna().sum())
    assert sum(n for _, n in known) == rate.notna().sum()
    top = [(label, n) for label, n in known if "top 1 %" in label]
    # the class of the highest hundredth: those above the 99th percentile, as numpy gives it
    assert [n for _, n in top] == [(rate > np.nanquantile(rate, 0.99, method="inverted_cdf")).sum()]
    assert "top 0.1 %: less than one segment" in text(explored, "#legend").lower()
    begins = [float(label.split()[0].replace(",", "")) for label, _ in known]
    assert begins == sorted(begins)
    assert begins[0] == pytest.approx(rate.min(), abs=0.01)


def test_a_flag_is_yes_no_or_not_known(explored):
    choose(explored, "#colour", "in_high_injury_network")
    explored.wait("document.querySelector('#legend h2').innerText.includes('high-injury')")
    assert [label for label, _ in rows_of(explored)] == ["yes", "no", "not known"]


def test_filters_leave_out_segments_by_class_and_collisions_by_what_they_are(explored, segments, collisions):
    press(explored, "#filters input[value=residential]")
    explored.wait("document.querySelector('#legend').innerText.includes('left out')")
    assert sum(n for _, n in rows_of(explored)) == (segments["road_class"] == "residential").sum()
    press(explored, "#filters input[value=residential]")
    press(explored, "#filters input[value=slight]")
    choose(explored, "#colour", "filtered_collisions")
    explored.wait("document.querySelector('#legend h2').innerText.startsWith('Collisions that meet')")
    slight = collisions[(collisions["severity"] == "slight") & collisions["segment_id"].notna()]
    without = (~segments["segment_id"].isin(slight["segment_id"])).sum()
    assert dict(rows_of(explored))["0"] == without
    assert sum(n for _, n in rows_of(explored)) == len(segments)
    assert "colour=filtered_collisions" in explored.run("location.hash")
    choose(explored, "#colour", "ksi_per_km_year_eb")
    explored.wait("document.querySelector('#legend').innerText.includes('not fitted anew')")


def test_a_click_shows_the_segment_and_the_address_leads_back_to_it(explored, demo_page, segments):
    row = int(segments["n_collisions"].argmax())
    segment = segments.iloc[row]
    show(explored, demo_page.address, at_middle(segments, row))
    point_until(explored, *middle_of_map(explored), "!document.getElementById('tip').hidden")
    reads(explored, "#tip", segment["name"])
    explored.click(*middle_of_map(explored))
    explored.wait(f"location.hash.includes('segment={segment['segment_id']}')")
    explored.wait(f"document.querySelector('#card').innerText.includes({segment['segment_id']!r})")
    card = text(explored, "#card")
    assert f"Collisions ({segment['n_collisions']})" in card
    assert f"From above ({segment['n_tiles']} tile" in card
    link = explored.run("location.hash")
    press(explored, "#card .list button")
    explored.wait(f"!location.hash.includes({segment['segment_id']!r})")
    explored.run("history.back()")
    explored.wait(f"document.querySelector('#card').innerText.includes({segment['segment_id']!r})")
    show(explored, demo_page.address, f"{link}&colour=road_class")
    explored.wait(f"document.querySelector('#card').innerText.includes({segment['segment_id']!r})")
    reads(explored, "#legend h2", "Road class")
    show(explored, demo_page.address, "#colour=filtered_collisions")
    reads(explored, "#legend h2", "Collisions that meet the filter")


def test_a_link_to_a_segment_of_another_run_is_told(explored, demo_page):
    show(explored, demo_page.address, "#segment=0000000000000000")
    reads(explored, "#card h2", "Choose a segment")
    reads(explored, "#toast", "0000000000000000")
    show(explored, demo_page.address, "#type=99")
    reads(explored, "#toast", "no type 99")
    assert "left out" not in text(explored, "#legend")


def test_one_type_is_shown_alone(explored, segments):
    press(explored, "#tab-types")
    press(explored, "#types tbody button")
    explored.wait("location.hash.includes('type=1')")
    explored.wait("document.querySelector('#legend').innerText.includes('left out')")
    shown = {label: n for label, n in rows_of(explored) if n}
    assert list(shown.values()) == [(segments["cluster"] == 1).sum()]


def test_a_collision_says_when_it_was_how_grave_and_why_it_was_not_placed(explored, demo_page, demo):
    records = pyogrio.read_dataframe(demo["geopackage"], layer="collisions")
    # outside the area they lie alone, so that a click means one
    record = records[records["snap_status"] == "outside_area"].to_crs(4326).iloc[0]
    show(explored, demo_page.address, f"#view={record.geometry.x:.6f},{record.geometry.y:.6f},17")
    press(explored, "#collisions")
    clicked = "document.querySelector('#card').innerText.includes('Id in the records')"
    for _ in range(60):
        explored.click(*middle_of_map(explored))
        if explored.run(clicked):
            break
    said = text(explored, "#card")
    assert record["collision_id"] in said
    assert f"{record['date'].day} {record['date']:%b}"[:6] in said
    assert record["severity"] in said
    assert "outside the area" in said


def test_a_street_is_reached_by_the_keyboard_alone_and_escape_lets_it_go(explored, segments):
    name = segments["name"].value_counts().index[-1]
    row = segments.index[segments["name"] == name][0]
    explored.key("Tab", 9)
    assert explored.run("document.activeElement.className") == "skip"
    for _ in range(4):
        explored.key("Tab", 9)
        if explored.run("document.activeElement.id") == "go-field":
            break
    assert explored.run("document.activeElement.matches(':focus-visible')")
    explored.send("Input.insertText", text=name)
    explored.wait("document.querySelectorAll('#go-list [role=option]').length > 0")
    explored.key("Enter", 13, "\r")
    explored.wait(f"{CARD} === {name!r}")
    reads(explored, "#card", segments["segment_id"][row])
    assert explored.run("document.activeElement.id") == "tab-card"
    explored.key("ArrowRight", 39)
    assert explored.run("document.activeElement.getAttribute('aria-selected')") == "true"
    explored.key("Escape", 27)
    explored.wait("!location.hash.includes('segment=')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_words_can_be_read_against_their_ground(tab, demo_page, segments, scheme):
    # colours that are on their way to others are neither
    told = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    tab.send(
        "Emulation.setEmulatedMedia", features=[{"name": name, "value": said} for name, said in told.items()]
    )
    found = segments["segment_id"].iloc[int(segments["n_collisions"].argmax())]
    show(tab, demo_page.address, f"#segment={found}&colour=ksi_per_km_year_eb")
    tab.wait(f"document.querySelector('#card').innerText.includes({found!r})")
    for name in tab.run("[...document.querySelectorAll('[role=tab]')].map(one => one.id)"):
        press(tab, f"#{name}")
        assert tab.run(CONTRAST) == [], name
    assert complaints(tab) == []


def test_a_narrow_screen_has_the_panel_below_the_map_and_room_for_fingers(explored):
    explored.size(390, 844, phone=True)
    ask_from_card(explored)
    explored.wait("document.querySelectorAll('#map .rank').length > 5")
    for name in explored.run("[...document.querySelectorAll('[role=tab]')].map(one => one.id)"):
        press(explored, f"#{name}")
        if name == "tab-gallery":
            explored.wait("document.querySelectorAll('#gallery .vote').length > 5")
        explored.settle()
        assert explored.run("document.documentElement.scrollWidth") == 390, name
        assert explored.run(SMALL) == [], name
    ends = explored.run(
        "['map-room', 'side'].map(id => document.getElementById(id).getBoundingClientRect().toJSON())"
    )
    assert ends[0]["bottom"] <= ends[1]["top"]


def test_a_run_without_types_is_coloured_by_what_it_has_and_stays_so(tab, grid_city, tmp_path):
    layers = grid_city.layers
    layers["segments"] = layers["segments"].assign(cluster=None, cluster_margin=None)
    layers["clusters"] = empty_layer("clusters", grid_city.crs)
    with served(Path(make_run(grid_city, tmp_path / "run")), tmp_path / "kept") as server:
        show(tab, server.address)
        usual = tab.run("document.querySelector('#colour').value")
        assert usual
        tab.run("location.hash = '#segment=0000000000000002'")
        tab.wait("document.querySelector('#card').innerText.includes('0000000000000002')")
        assert tab.run("document.querySelector('#colour').value") == usual
        press(tab, "#card .first")
        reads(tab, "#ask .refused", "no road has a fingerprint")
        told = [one for one in complaints(tab) if "Failed to load resource" not in str(one)]
        assert told == []


def test_a_name_that_turns_its_letters_turns_nothing_beside_it(tab, grid_city, tmp_path):
    segments = grid_city.layers["segments"]
    segments["name"] = "\u202eteertS hgiH"
    with served(Path(make_run(grid_city, tmp_path / "run")), tmp_path / "kept") as server:
        show(tab, server.address, f"#segment={segments['segment_id'][0]}")
        tab.wait("!!document.querySelector('#card .list li .quiet')")
        # what follows a look-alike's name, its distance, stands at the right of it
        name, apart = (
            tab.run(f"document.querySelector('#card .list li {one}').getBoundingClientRect().toJSON()")
            for one in ("bdi", ".quiet")
        )
        assert apart["left"] >= name["right"] - 1
        assert complaints(tab) == []


def test_hostile_names_are_words_and_a_run_without_imagery_or_its_server_says_so(tab, grid_city, tmp_path):
    run = make_run(grid_city, tmp_path / "run")
    with served(Path(run), tmp_path / "kept") as server:
        show(tab, server.address)
        tab.wait("document.getElementById('of-imagery')?.innerText.includes('map and figures stay')")
        tab.run("document.getElementById('go-field').focus()")
        tab.send("Input.insertText", text="bold")
        tab.wait("document.querySelectorAll('#go-list [role=option]').length > 0")
        reads(tab, "#go-list", "<b>Bold & Sons</b> Road")
        tab.key("Enter", 13, "\r")
        tab.wait(f"{CARD} === '<b>Bold & Sons</b> Road'")
        assert tab.run("document.querySelectorAll('#card b').length") == 0
        assert complaints(tab) == []
    tab.wait("document.getElementById('banner').innerText.includes('server was ended')")
    assert tab.run(READY)
