"""The page of a run, served on this machine and shown in Chromium."""

import json
import socket
from contextlib import contextmanager

from flows.explore.app import make_app
from flows.threaded import ended, started
from tasks.explore.opening import open_page

TOKEN = "a-token-that-nobody-guesses"  # noqa: S105 - of a server that only the tests know
ANSWERED = "!document.querySelector('#ask .answers').hasAttribute('aria-busy')"
ANSWERS = "document.querySelectorAll('#ask .answers li').length"
READY = "document.getElementById('map')?.dataset.ready === 'true' && !!document.querySelector('#legend li')"
SAYS = "document.querySelector({!r})?.innerText.includes({!r})"
WIDE, TALL = 1400, 900


class Served:
    """A server of a page in a thread of its own."""

    def __init__(self, place, kept, *, edit=False):
        self.socket = socket.create_server(("127.0.0.1", 0))
        port = self.socket.getsockname()[1]
        self.page = open_page(place, edit=edit, kept=kept)
        self._running = started(make_app(self.page, TOKEN, port), self.socket)
        self.address = f"http://127.0.0.1:{port}/{TOKEN}/"

    def stop(self):
        """End it, as Ctrl-C does."""
        ended(*self._running, 10)
        self.socket.close()


@contextmanager
def served(place, kept, *, edit=False):
    """Serve the page of a run, and give its server; `kept` is a folder for what the page keeps."""
    server = Served(place, kept, edit=edit)
    try:
        yield server
    finally:
        server.stop()


def show(tab, address, shown="", *, ready=READY):
    """Open an address anew, with what is shown (``#segment=...``), and wait until the map is drawn."""
    tab.size(WIDE, TALL)
    tab.send("Page.navigate", url="about:blank")
    tab.wait("location.protocol === 'about:'")
    tab.complaints.clear()
    tab.requests.clear()
    tab.send("Page.navigate", url=f"{address}{shown}")
    tab.wait(ready)
    tab.settle()


def complaints(tab):
    """Give what the page complained of; that maps are drawn in software is no fault of it."""
    return [said for said in tab.complaints if "WebGL" not in str(said)]


def choose(tab, selector, value):
    """Choose a value of a list, as a reader does who waits until it is there."""
    tab.wait(f"!!document.querySelector({selector!r})")
    tab.run(
        f"(list => {{ list.value = {value!r}; list.dispatchEvent(new Event('change')) }})"
        f"(document.querySelector({selector!r}))"
    )


def press(tab, selector):
    """Press what a selector names, by its own click, when it is there."""
    tab.wait(f"!!document.querySelector({selector!r})")
    tab.run(f"document.querySelector({selector!r}).click()")


def ask_from_card(tab):
    """Ask for roads like the first one of type 1, from its card."""
    first = (
        "Promise.all(['cluster', 'segment_id'].map(name => fetch(`columns/${name}.json`).then(r => r.json())))"
        ".then(([types, ids]) => ids[types.indexOf(1)])"
    )
    segment = tab.run(first)
    tab.run(f"location.hash = '#segment=' + encodeURIComponent({json.dumps(segment)})")
    press(tab, "#card .first")
    tab.wait(f"{ANSWERS} > 5 && {ANSWERED}")


def reads(tab, selector, words):
    """Wait until an element says words, as a reader does whom a busy machine keeps waiting."""
    tab.wait(SAYS.format(selector, words))


def text(tab, selector):
    """Give what a reader sees of an element."""
    return tab.run(f"document.querySelector({selector!r})?.innerText")
