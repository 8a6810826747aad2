"""One browser for all tests of a process that draw maps, and one page of the demo town."""

from pathlib import Path

import pytest
from browser import DRAWING, Page, attached, chromium, needs_chromium
from explore_page import complaints, served, show


@pytest.fixture(scope="session")
def tab(tmp_path_factory):
    """A tab of Chromium that draws maps."""
    needs_chromium()
    with (
        chromium(tmp_path_factory.mktemp("browser"), DRAWING) as address,
        attached(address) as socket,
    ):
        yield Page(socket)


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
    # the tab keeps what was asked for as long as it is open: the next test begins with none of it
    tab.run("sessionStorage.clear()")
    assert complaints(tab) == []
