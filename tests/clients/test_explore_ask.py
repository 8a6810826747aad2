"""The page is asked where else it looks like a road, and told yes and no, in a real browser."""

import base64
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from browser import given
from explore_page import (
    ANSWERED,
    ANSWERS,
    ask_from_card,
    choose,
    complaints,
    press,
    reads,
    served,
    show,
    text,
)
from PIL import Image


def examples(tab, kind):
    return tab.run(f"document.querySelectorAll('#ask .examples[data-list={kind}] li').length")


def ranks(tab):
    """Give the accessible names of the answers, in their order."""
    return tab.run("[...document.querySelectorAll('#ask .look')].map(one => one.getAttribute('aria-label'))")


@pytest.fixture
def asked(explored):
    """Ask for roads like the first one of type 1, from its card."""
    ask_from_card(explored)
    return explored


def test_answers_are_refined_by_yes_and_no_from_the_keyboard(asked):
    assert examples(asked, "yes") == 1
    before = ranks(asked)
    asked.run(
        "(window.heard = [], new MutationObserver(() => heard.push(document.getElementById('live').textContent))"
        ".observe(document.getElementById('live'), {childList: true, characterData: true, subtree: true}))"
    )
    assert before[0].startswith("Answer 1: ")
    asked.wait("document.querySelectorAll('#map .rank').length > 5")
    asked.run("document.querySelector('#ask .look').focus()")
    asked.key("ArrowRight", 39)
    asked.key("y", 89, "y")
    asked.wait(f"document.querySelectorAll('#ask .examples[data-list=yes] li').length === 2 && {ANSWERED}")
    asked.wait("heard.some(said => /answers/.test(said))")
    assert ranks(asked) != before
    assert asked.run("document.activeElement.className") == "look"
    asked.key("n", 78, "n")
    asked.wait(f"document.querySelectorAll('#ask .examples[data-list=no] li').length === 1 && {ANSWERED}")
    for left in (0, 0):
        asked.key("u", 85, "u")
        asked.wait(
            f"document.querySelectorAll('#ask .examples[data-list=no] li').length === {left} && {ANSWERED}"
        )
    asked.wait("document.querySelectorAll('#ask .examples[data-list=yes] li').length === 1")
    asked.wait(f"{ANSWERED} && document.querySelectorAll('#ask .look').length === {len(before)}")
    assert ranks(asked) == before


def test_a_question_outlives_a_reload_and_may_be_of_places_in_a_street(asked):
    choose(asked, "#ask-over", "tiles")
    asked.wait("/ tiles, in /.test(document.getElementById('ask-state').textContent)")
    asked.reload()
    asked.wait("/ tiles, in /.test(document.getElementById('ask-state')?.textContent)")
    assert examples(asked, "yes") == 1
    press(asked, "#ask-examples .row button:last-child")
    asked.wait(f"{ANSWERS} === 0")


def test_words_that_nobody_knows_are_told_with_those_that_are_known(asked):
    before = ranks(asked)
    asked.run("document.querySelector('#ask-words').value = 'zebra'")
    press(asked, "#ask-by-words button[type=submit]")
    asked.wait("!document.querySelector('#ask .refused').hidden")
    told = text(asked, "#ask .refused")
    assert "'zebra'" in told
    assert "dense residential" in told
    assert "--" not in told
    assert (examples(asked, "yes"), ranks(asked)) == (1, before)
    asked.complaints.clear()  # the browser complains of every answer that refuses


def test_words_that_nobody_knows_are_no_more_taken_for_what_is_not_meant(asked):
    before = ranks(asked)
    asked.run("document.querySelector('#ask-words').value = 'zebra'")
    press(asked, "#ask-by-words button[type=button]")
    reads(asked, "#ask .refused", "'zebra'")
    assert (examples(asked, "yes"), examples(asked, "no"), ranks(asked)) == (1, 0, before)
    asked.complaints.clear()  # the browser complains of every answer that refuses
    asked.run("document.querySelector('#ask-words').value = 'harbour'")
    press(asked, "#ask-by-words button[type=button]")
    asked.wait(f"document.querySelectorAll('#ask .examples[data-list=no] li').length === 1 && {ANSWERED}")


def test_a_browser_that_may_keep_nothing_asks_all_the_same(tab, demo_page):
    forbidden = (
        "for (const name of ['sessionStorage', 'localStorage'])"
        " Object.defineProperty(window, name, { get() { throw new DOMException('denied', 'SecurityError') } })"
    )
    tab.send("Page.addScriptToEvaluateOnNewDocument", source=forbidden)
    show(tab, demo_page.address)
    ask_from_card(tab)
    assert examples(tab, "yes") == 1
    assert complaints(tab) == []


def put(tab, name, data, kind):
    """Give the page a file, as a reader who drops it does."""
    tab.run(
        f"(() => {{ const bytes = Uint8Array.from(atob({base64.b64encode(data).decode()!r}), c => c.charCodeAt(0));"
        f" const files = new DataTransfer(); files.items.add(new File([bytes], {name!r}, {{type: {kind!r}}}));"
        " document.querySelector('#ask .drop').dispatchEvent("
        "new DragEvent('drop', {dataTransfer: files, bubbles: true, cancelable: true})) })()"
    )
    tab.wait("document.querySelector('#ask-pixel') && !document.querySelector('#ask .ground').hidden")
    tab.run("document.querySelector('#ask-pixel').value = '0.5'")
    press(tab, "#ask .ground button[type=submit]")


def test_a_dropped_picture_asks_and_what_is_none_is_told(asked):
    put(asked, "letter.png", b"%PDF-1.7 this is a letter", "image/png")
    reads(asked, "#ask .refused", "letter.png: it cannot be read as a picture")
    assert examples(asked, "yes") == 1
    asked.complaints.clear()  # the browser complains of every answer that refuses
    pixels = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "PNG")
    put(asked, "<b>mine</b>.png", held.getvalue(), "image/png")
    asked.wait("document.querySelectorAll('#ask .examples[data-list=yes] li').length === 2")
    reads(asked, "#ask .examples", "<b>mine</b>.png")
    asked.wait(ANSWERED)


def test_a_search_is_saved_and_exported(tab, demo, tmp_path):
    city = tmp_path / "demo-town"
    run = Path(demo["geopackage"]).parent
    shutil.copytree(run, city / run.name)
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    with served(city / run.name, tmp_path / "kept", edit=True) as server:
        show(tab, server.address)
        ask_from_card(tab)
        tab.keep_downloads(downloads)
        tab.run("document.querySelector('#ask-name').value = 'Long terraces'")
        press(tab, "#ask-save button[type=submit]")
        tab.wait("/Long terraces/.test(document.querySelector('#ask .concepts').textContent)")
        assert (city / "concepts" / "Long terraces.json").exists()
        press(tab, "#ask [data-form=geojson]")
        tab.wait("/saved as a file/.test(document.getElementById('live').textContent)")
        file = given(downloads / "demo-town-answers.geojson")
        assert len(json.loads(file.read_text())["features"]) == tab.run(ANSWERS)
