"""The imagery of a run as its page finds it: there, changed or gone, looked for again when it may have come back."""

from __future__ import annotations

import hashlib
import json
import threading
import time

from geo.errors import RoadprintError, SourceError
from geo.imagery.sources import expand_sources
from tasks.explore.page import Page
from tasks.results.cutting import RunImagery, open_imagery

BACK = "Put the imagery back where it was when the city was run, and reload the page."
CACHE_MB = 128
"""Memory for decoded blocks, beside that of what else the page shows (megabytes)."""
AGAIN_S = 5.0
"""So long nothing is looked for that was not there (seconds)."""


class SeenImagery:
    """The imagery of a page's run, opened when it is first asked for.

    Parameters
    ----------
    page
        The page.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._lock = threading.Lock()
        self._found: RunImagery | None = None
        self._lacks: frozenset[str] = frozenset()
        self._there: list[str] = []
        self._looked = 0.0
        self._why: SourceError | None = None

    def get(self) -> RunImagery:
        """Give it.

        Raises
        ------
        SourceError
            When there is none, with what to do.
        """
        with self._lock:
            if time.monotonic() - self._looked >= AGAIN_S and (self._found is None or self._more()):
                self._look()
                self._looked = time.monotonic()
            if self._found is None:
                assert self._why is not None
                raise self._why
            return self._found

    def lacks(self) -> list[str]:
        """Name the rasters that tiles were read from, of which nothing is there; `get` comes first."""
        return sorted(self._lacks)

    def _more(self) -> bool:
        """Tell whether rasters that were not there may have come back."""
        if not self._lacks or self._found is None:
            return False
        return expand_sources(self._found.config.imagery.sources) != self._there

    def _look(self) -> None:
        run = self._page.run
        try:
            found = open_imagery(run.geopackage, run.crs, run.base, cache_mb=CACHE_MB)
        except RoadprintError as error:
            text = f"the imagery cannot be shown: {error.what}"
            self._found, self._why = None, SourceError(text, where=error.where, todo=error.todo)
            return
        self._there = expand_sources(found.config.imagery.sources)
        texts = self._page.tiles["image_id"].dropna().unique()
        names = {name for text in texts for name in str(text).split(";") if name}
        self._lacks = frozenset(name for name in names if found.rasters_of(name) is None)
        self._found = found


def key_of(page: Page, *more: str) -> str:
    """Name what is made from a page's run, with the digests of its inputs, and from more.

    Parameters
    ----------
    page
        The page.
    more
        What else it is made from, and in which way.
    """
    facts = json.dumps(page.run.facts, sort_keys=True)
    return hashlib.sha256("\n".join([facts, *more]).encode()).hexdigest()[:32]
