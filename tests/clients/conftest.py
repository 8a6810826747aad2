"""One browser for all tests of a process that draw maps, and one page of the demo town."""

from pathlib import Path

import pytest
from browser import DRAWING, Line, attached, chromium, fresh_tab, needs_chromium
from explore_page import complaints, served, show


@pytest.fixture(scope="session")
def drawing(tmp_path_factory):
    """Chromium, which draws maps: a line to it as a whole, and where its tabs are reached."""
    needs_chromium()
    folder = tmp_path_factory.mktemp("browser")
    with chromium(folder, DRAWING):
        port, path = (folder / "chromium" / "DevToolsActivePort").read_text().split()
        address = f"ws://127.0.0.1:{port}"
        with attached(f"{address}{path}") as socket:
            yield Line(socket), address


@pytest.fixture
def tab(drawing):
    """A tab of it that has seen nothing yet, and leaves nothing to the next test."""
    with fresh_tab(*drawing) as page:
        yield page


@pytest.fixture(scope="session")
def demo_page(demo, tmp_path_factory):
    """The server of the demo town's page, read only."""
    with served(Path(demo["geopackage"]).parent, tmp_path_factory.mktemp("kept")) as server:
        yield server


@pytest.fixture
def explored(tab, demo_page):
    """The demo town's page, opened anew; what it complains of fails the test."""
    show(tab, demo_page.address)
    yield tab
    assert complaints(tab) == []
