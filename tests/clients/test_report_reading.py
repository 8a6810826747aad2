"""The report as it is read in a browser: words, parts that fold away, contact sheets, drawings and paper."""

import base64
import os
import shutil
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import pytest
from browser import needs_chromium, opened
from explore_page import show

CUT = """(() => {
  const found = [];
  for (const drawing of document.querySelectorAll("svg")) {
    if (!drawing.checkVisibility({ contentVisibilityAuto: true })) continue;
    const texts = [...drawing.querySelectorAll("text")].filter((one) => one.textContent.trim());
    const edge = drawing.getBoundingClientRect(), boxes = texts.map((one) => one.getBoundingClientRect());
    boxes.forEach((box, i) => {
      const said = texts[i].textContent.trim();
      if (box.left < edge.left - 1 || box.right > edge.right + 1 || box.top < edge.top - 1 ||
          box.bottom > edge.bottom + 1)
        found.push("cut: " + said);
      for (let j = 0; j < i; j++) {
        const across = Math.min(box.right, boxes[j].right) - Math.max(box.left, boxes[j].left);
        const down = Math.min(box.bottom, boxes[j].bottom) - Math.max(box.top, boxes[j].top);
        if (across > 1 && down > 4) found.push(said + " lies on " + texts[j].textContent.trim());
      }
    });
  }
  return found;
})()"""
PAPER_PX = 695
"""Width of A4 between its margins."""
SMALL = """[...document.querySelectorAll("svg text")].filter((one) => one.checkVisibility() &&
  parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a < 8).map((one) => one.textContent)"""


@pytest.fixture(scope="module")
def page(demo, tmp_path_factory):
    needs_chromium()
    with opened(Path(demo["report"]), tmp_path_factory.mktemp("reading")) as page:
        yield page


@pytest.fixture(autouse=True)
def _as_opened(page):
    page.size(1400, 900)
    page.run("document.querySelectorAll('details[open]').forEach((one) => { one.open = false })")
    page.run("history.replaceState(null, '', location.pathname); window.scrollTo(0, 0)")


def top(page, selector):
    return page.run(f"document.querySelector({selector!r}).getBoundingClientRect().top")


def test_what_was_found_comes_first_then_the_map_and_the_worst_roads(page):
    assert page.run("document.querySelectorAll('.short dt').length") == 3
    assert top(page, ".short") < top(page, "#overview") < top(page, "#worst") < top(page, "#types")
    assert top(page, "#overview") < 450
    # the worst roads are seen beside the map without scrolling
    page.wait("document.documentElement.dataset.map === 'ready'")
    assert top(page, ".listed li:nth-child(3)") < 850
    page.size(390, 844, phone=True)
    assert top(page, "#overview") < 844
    assert page.run("document.documentElement.scrollWidth") == 390


def test_a_row_of_the_list_beside_the_map_picks_its_road_and_the_way_back_leads_to_the_list(page):
    page.wait("document.documentElement.dataset.map === 'ready'")
    segment = page.run("document.querySelector('.listed button').dataset.segment")
    page.run("document.querySelector('.listed button').click()")
    page.wait(f"document.getElementById('details').dataset.segment === '{segment}'")
    assert page.run("document.querySelector('.listed')") is None
    page.run("document.querySelector('#details .go').click()")
    assert page.run("document.activeElement.id") == "listed"
    assert page.run("[location.hash, document.querySelectorAll('.listed li').length > 10]") == ["", True]


def test_no_table_has_a_row_that_is_higher_than_a_third_of_the_window(page):
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    high = """[...document.querySelectorAll('section:not(.settings) tr')].filter((one) => one.offsetHeight > 300)
      .map((one) => one.textContent.slice(0, 80))"""
    assert page.run(high) == []


def test_methods_are_folded_away_and_a_link_into_them_opens_them(page):
    state = "[...document.querySelectorAll('details.fold')].filter((one) => one.open).length"
    assert page.run(state) == 0
    page.run("document.querySelector('a[href=\"#reading\"]').click()")
    page.wait("document.getElementById('reading').closest('details').open")
    assert page.run(state) == 1
    page.run("document.getElementById('reading').closest('details').open = false")
    # the same link once more
    page.run("document.querySelector('a[href=\"#reading\"]').click()")
    page.wait("document.getElementById('reading').closest('details').open")


@pytest.mark.parametrize("width", [1400, 390])
def test_a_word_explains_itself_where_it_is_pointed_at_reached_or_touched(page, width):
    page.size(width, 844, phone=width == 390)
    term = "document.querySelector('.short a.term')"
    x, y = page.run(f"(() => {{ const at = {term}.getClientRects()[0]; return [at.x + 2, at.y + 4]; }})()")
    if width == 390:
        page.send("Emulation.setTouchEmulationEnabled", enabled=True)
        page.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        page.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    else:
        page.move(x, y)
    page.wait("!document.getElementById('word-tip').hidden")
    box = page.run(
        "(({ left, right }) => [left, right])(document.getElementById('word-tip').getBoundingClientRect())"
    )
    assert box[0] >= 0
    assert box[1] <= width
    assert page.run(f"{term}.getAttribute('aria-describedby')") == "word-tip"
    assert page.run("location.hash") == ""
    page.key("Escape", 27)
    assert page.run("document.getElementById('word-tip').hidden")
    page.send("Emulation.setTouchEmulationEnabled", enabled=False)
    page.move(5, 5)
    page.key("Tab", 9)
    page.run(f"{term}.focus({{ focusVisible: true }})")
    page.wait("!document.getElementById('word-tip').hidden")
    page.key("Enter", 13, "\r")
    page.wait("document.getElementById('words').closest('details').open")
    page.run("document.activeElement.blur()")


def test_every_word_that_is_marked_stands_in_the_glossary_and_once_in_a_section(page):
    lost = """[...document.querySelectorAll('a.term')]
      .filter((one) => !document.getElementById(one.hash.slice(1))).length"""
    assert page.run(lost) == 0
    twice = """[...document.querySelectorAll('section')].some((section) => {
      const words = [...section.querySelectorAll('a.term')].map((one) => one.hash);
      return new Set(words).size < words.length;
    })"""
    assert not page.run(twice)


def test_a_contact_sheet_is_paged_through_by_keyboard_and_leads_to_the_map(page):
    page.wait("document.documentElement.dataset.map === 'ready'")
    sheet = "document.querySelector('details.sheet')"
    page.run(f"{sheet}.open = true; {sheet}.scrollIntoView()")
    links = f"[...{sheet}.querySelectorAll('.contacts a')]"
    margins = page.run(f"{links}.map((one) => one.querySelector('small').textContent)")
    known = [float(margin) for margin in margins if margin != "not known"]
    assert known == sorted(known)
    assert page.run(f"{links}.filter((one) => one.tabIndex === 0).length") == 1
    assert page.run(f"getComputedStyle({links}[0]).backgroundImage.startsWith('url(\"data:image/jpeg')")
    page.run(f"{links}[0].focus()")
    at = f"{links}.indexOf(document.activeElement)"
    page.key("ArrowRight", 39)
    assert page.run(at) == 1
    page.key("ArrowDown", 40)
    below = page.run(at)
    assert below > 5
    page.key("End", 35)
    assert page.run(at) == len(margins) - 1
    page.key("Home", 36)
    wanted = page.run("decodeURIComponent(document.activeElement.hash.split('=')[1])")
    page.key("Enter", 13, "\r")
    page.wait(f"decodeURIComponent(location.hash) === '#segment={wanted}'")


@pytest.mark.parametrize("width", [1400, 390])
def test_no_text_of_a_drawing_is_cut_or_lies_on_another(page, width):
    page.size(width, 844, phone=width == 390)
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    page.settle()
    assert page.run(CUT) == []
    assert page.run(SMALL) == []


def test_paper_gets_a_first_page_and_methods_with_page_numbers(page):
    whole = base64.b64decode(
        page.send("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
    )
    assert whole.startswith(b"%PDF")
    pages = whole.count(b"/Type /Page\n")
    assert pages > 5
    page.run("document.documentElement.dataset.paper = 'short'")
    short = base64.b64decode(
        page.send("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
    )
    page.run("delete document.documentElement.dataset.paper")
    assert short.count(b"/Type /Page\n") == 1
    # what is folded away on the screen is there on paper, and nothing is wider: all would be made smaller
    page.send("Emulation.setEmulatedMedia", media="print")
    page.size(PAPER_PX, 1000)
    assert page.run("document.documentElement.scrollWidth") == PAPER_PX
    assert page.run("document.querySelector('.words dd').getBoundingClientRect().height") > 0
    assert page.run("document.querySelector('.contacts').getBoundingClientRect().height") == 0
    page.send("Emulation.setEmulatedMedia", media="")


def test_paper_says_of_which_run_it_is_and_of_which_day(tab, demo, tmp_path):
    file = tmp_path / "report.html"
    shutil.copyfile(demo["report"], file)
    noon = datetime(2026, 3, 1, 12).timestamp()  # noqa: DTZ001 - the day that a browser here would say
    os.utime(file, (noon, noon))
    show(tab, file.as_uri(), ready="document.documentElement?.dataset.map === 'ready'")
    imprint = "document.getElementById('imprint')"
    assert tab.run(f"getComputedStyle({imprint}).display") == "none"
    told = tab.run(f"{imprint}.textContent")
    assert told.startswith(f"Run {demo['run_id']}. File of 2026-03-01. Printed 20")
    tab.send("Emulation.setEmulatedMedia", media="print")
    assert tab.run(f"{imprint}.getBoundingClientRect().height") > 0
    tab.send("Emulation.setEmulatedMedia", media="")
    margins = tab.run("""[...document.styleSheets].flatMap((one) => [...one.cssRules])
      .filter((one) => one instanceof CSSPageRule).map((one) => one.cssText).join()""")
    assert f"Road types of demo-town. {told}" in margins


def test_a_checker_of_accessibility_finds_nothing_serious(page):
    # axe-core of Deque, with all that is folded away opened; contrast, which takes longest, part by part
    page.run(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8") + ";0")
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    told = """.then((told) =>
      told.violations.map((one) => [one.impact, one.id, one.nodes[0].html.slice(0, 200)]))"""
    rest = "{ resultTypes: ['violations'], rules: { 'color-contrast': { enabled: false } } }"
    found = page.run(f"axe.run(document, {rest}){told}")
    parts = "document.querySelectorAll('header, section')"
    for part in range(page.run(f"{parts}.length")):
        found += page.run(f"axe.run({parts}[{part}], {{ runOnly: ['color-contrast'] }}){told}")
    assert [one for one in found if one[0] in ("serious", "critical", "moderate")] == []
