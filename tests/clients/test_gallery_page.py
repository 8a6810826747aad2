"""The gallery of a page in Chromium: all tiles of a type, by pointer and by keys, and their places on the map."""

import numpy as np
import pytest
from explore_page import choose, press, text

CELLS = "document.querySelectorAll('#gallery .cell').length"
PICTURES = "document.querySelectorAll('#gallery .picture img').length"
SAID = "document.querySelector('#gallery [role=status]').textContent"
LABEL = "document.activeElement.getAttribute('aria-label')"
TYPES, SORT = "#gallery .choices label:nth-child(1) select", "#gallery .choices label:nth-child(2) select"


@pytest.fixture
def gallery(explored):
    press(explored, "#tab-gallery")
    explored.wait(f"{PICTURES} > 8")
    return explored


def in_view(tab):
    """Whether the cell that has the focus is wholly in view."""
    return tab.run(
        "(([a, b]) => a.top >= b.top - 1 && a.bottom <= b.bottom + 1)([document.activeElement, "
        "document.querySelector('#gallery .tiles')].map(one => one.getBoundingClientRect()))"
    )


def test_tiles_are_looked_at_by_keys_and_pointer(gallery, demo_page):
    tab, tiles = gallery, demo_page.page.tiles
    shown = int(np.count_nonzero(tiles["encoded"]))
    assert text(tab, "#gallery [role=status]").startswith(f"{shown} tiles.")
    assert tab.run(CELLS) < 60
    first = tab.run("document.querySelector('#gallery .cell').dataset.tile")
    tab.run("document.querySelector('#gallery .picture').focus()")
    tab.key("ArrowRight")
    assert tab.run(LABEL) == f"Tile 2 of {shown}"
    tab.key("End")
    assert tab.run(LABEL) == f"Tile {shown} of {shown}"
    assert in_view(tab)
    assert tab.run(CELLS) < 60
    tab.key("Home")
    assert tab.run(f"{LABEL}.startsWith('Tile 1 of')")
    tab.wait("document.querySelector('#gallery .cell[aria-current]')?.dataset.tile === " + repr(first))

    # one says that it is meant, and takes it back
    pressed = "document.activeElement.closest('.cell').querySelector('.vote.yes').ariaPressed"
    for wanted in ("true", "false"):
        tab.key("+", text="+")
        assert tab.run(pressed) == wanted

    # one is opened, the next one looked at, and the focus comes back to it
    tab.key("Enter", 13, "\r")
    tab.wait(
        "document.querySelector('dialog.tile')?.open && document.querySelector('dialog.tile img').naturalWidth >= 512"
    )
    tab.key("ArrowRight")
    tab.wait("!!document.querySelector('dialog.tile .facts strong')")
    tab.key("Escape", 27)
    tab.wait(f"{LABEL} === 'Tile 2 of {shown}'")


def test_a_type_is_shown_alone_and_in_the_order_that_is_asked_for(gallery, demo_page):
    tab, page = gallery, demo_page.page
    kinds = page.segments.set_index("segment_id")["cluster"].reindex(page.tiles["segment_id"]).to_numpy()
    choose(tab, TYPES, "2")
    shown = int(np.count_nonzero(page.tiles["encoded"].to_numpy() & (kinds == 2)))
    tab.wait(f"{SAID}.startsWith('{shown} tiles')")
    assert tab.run("location.hash.includes('type=2')")
    for name in ("middle", "street", "typical"):
        choose(tab, SORT, name)
        tab.wait(f"{SAID}.startsWith('{shown} tiles') && {PICTURES} > 8")
        rows = tab.run(
            "[...document.querySelectorAll('#gallery .cell')].map(one => Number(one.dataset.tile))"
        )
        assert {int(kinds[row]) for row in rows} == {2}
    choose(tab, TYPES, "all")
    tab.wait("!location.hash.includes('type=')")
