"""The page of a run as a browser asks for it, without a server."""

from starlette.testclient import TestClient

from flows.explore.app import make_app
from tasks.explore.opening import open_page

PORT, TOKEN = 8123, "a-token-that-nobody-guesses"
ORIGIN = f"http://127.0.0.1:{PORT}"


def page_of(place, kept, *, edit=False):
    """Open the page of a run (its folder, its GeoPackage, ...) and ask it by relative addresses.

    `kept` is the folder for what the page keeps, a temporary one; ``client.page`` is the `tasks.explore.page.Page`.
    """
    page = open_page(place, edit=edit, kept=kept)
    client = TestClient(
        make_app(page, TOKEN, PORT),
        base_url=f"{ORIGIN}/{TOKEN}/",
        headers={"origin": ORIGIN},
        raise_server_exceptions=False,
    )
    client.page = page
    return client
