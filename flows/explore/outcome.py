"""Types are corrected blind: collisions are answered to a page that asks for them, and it is remembered that it did."""

from __future__ import annotations

import re
from threading import Lock

from starlette.requests import Request

from geo.errors import BlindError

ASKED = "collisions"
"""Parameter of an address that asks for collisions, in the name of a page."""
_PAGE = re.compile(r"[A-Za-z0-9-]{8,64}")
MOST_PAGES = 10_000
"""So many pages are remembered; one more, and all count as having seen collisions."""


class Outcome:
    """Who has seen collisions while types are corrected.

    Parameters
    ----------
    edit
        Whether types may be corrected. Where they may not, everybody sees collisions.

    Examples
    --------
    >>> from starlette.requests import Request
    >>> outcome = Outcome(edit=True)
    >>> outcome.asked(Request({"type": "http", "query_string": b""})), outcome.seen("page-0001")
    (False, False)
    >>> outcome.asked(Request({"type": "http", "query_string": b"collisions=page-0001"})), outcome.seen("page-0001")
    (True, True)
    """

    def __init__(self, *, edit: bool) -> None:
        self.edit = edit
        self._pages: set[str] = set()
        self._lock = Lock()

    def asked(self, request: Request) -> bool:
        """Tell whether an answer may tell of collisions, and remember which page asked for it.

        Parameters
        ----------
        request
            Its address says ``collisions=PAGE`` where it asks for them.
        """
        if not self.edit:
            return True
        page = request.query_params.get(ASKED, "")
        if not _PAGE.fullmatch(page):
            return False
        with self._lock:
            if len(self._pages) < MOST_PAGES:
                self._pages.add(page)
        return True

    def need(self, request: Request) -> None:
        """Refuse what tells of collisions to a page that did not ask for them.

        Raises
        ------
        BlindError
            When it did not.
        """
        if not self.asked(request):
            raise BlindError(
                "collisions are not shown while types are corrected: types must not be drawn after the outcome",
                where="collisions",
                todo="Switch them on in the page; what is said from then on is marked so.",
            )

    def seen(self, page: str) -> bool:
        """Tell whether a page was ever answered with collisions; one without a name counts as if it had been."""
        return not _PAGE.fullmatch(page) or page in self._pages or len(self._pages) >= MOST_PAGES
