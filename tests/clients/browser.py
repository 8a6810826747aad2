"""A page in headless Chromium, driven over its DevTools protocol."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
import urllib.request
from contextlib import contextmanager

import pytest
from websockets.sync.client import connect

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
# maps are drawn by WebGL, which a machine without a graphics card does in software
DRAWING = (
    *(flag for flag in FLAGS if flag != "--disable-gpu"),
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)
WITHIN_S = 120
"""So long is waited for anything at most: a machine that is busy with other work may need it."""


def needs_chromium():
    """Skip the test where there is no Chromium; fail it where all clients must be there."""
    if CHROMIUM is None:
        told = "no Chromium on the path (Debian: chromium)"
        if os.environ.get("ROADPRINT_REQUIRE_CLIENTS"):
            pytest.fail(f"{told}, and ROADPRINT_REQUIRE_CLIENTS is set")
        pytest.skip(told)


NAVIGATED = (
    "Inspected target navigated or closed",
    "Execution context was destroyed.",
    "Promise was collected",
)


class NavigatedError(Exception):
    """What was asked of a page is not answered: the tab shows another one."""


class Line:
    """A line to the browser over which it is told what to do."""

    def __init__(self, socket):
        self.socket, self.numbers = socket, itertools.count(1)

    def send(self, method, **params):
        """Call a method of the protocol and give its result."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv(timeout=WITHIN_S))
            if message.get("id") == number:
                if message.get("error", {}).get("message") in NAVIGATED:
                    raise NavigatedError(method)
                assert "error" not in message, (method, message["error"])
                return message["result"]
            self._take(message)

    def _take(self, message):
        """Hear of something that nobody asked for."""


class Page(Line):
    """One tab; what it asked for and complained of is kept.

    `context` is the browser's name for what the tab alone keeps and sees; None: the browser has one for all tabs.
    """

    def __init__(self, socket, context=None):
        super().__init__(socket)
        self.requests, self.complaints, self.events = [], [], []
        self.context = context
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def _take(self, message):
        method, params = message["method"], message.get("params", {})
        self.events.append(method)
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append([value.get("value") for value in params["args"]])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])

    def run(self, script):
        """Give the value of a JavaScript expression; a promise is waited for."""
        got = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in got, got["exceptionDetails"]
        return got["result"].get("value")

    def wait(self, script):
        """Wait until a JavaScript expression holds, and give its value."""
        end = time.monotonic() + WITHIN_S
        while not (value := self._when_there(script)):
            assert time.monotonic() < end, f"not within {WITHIN_S} s: {script}; {self.complaints}"
            time.sleep(0.05)
        return value

    def _when_there(self, script):
        """Give the value of an expression; None while the page that it was asked of gives way to the next."""
        try:
            return self.run(script)
        except NavigatedError:
            return None

    def rest(self):
        """Wait until the page is not scrolling any more."""
        places = [None]
        while len(places) < 3 or len(set(places[-3:])) > 1:
            places.append(self.run("Math.round(window.scrollY)"))
            self.settle()

    def settle(self):
        """Let the page draw what it has to draw."""
        self.run(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 150))))"
        )

    def size(self, width, height, *, phone=False):
        """Give the page the size of a window, or of a phone."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        self.settle()

    def move(self, x, y):
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.settle()

    def click(self, x, y):
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.settle()

    def key(self, key, code=0, text=""):
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )
        self.settle()

    def reload(self):
        """Load the page anew; what is waited for then is of the new one."""
        self.run("window.before = true")
        self.send("Page.reload")
        self.wait("window.before === undefined")

    def keep_downloads(self, folder):
        """Put files that the page gives into a folder."""
        of = {} if self.context is None else {"browserContextId": self.context}
        self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), **of)

    def picture(self, path, *, whole=False):
        """Save what the page looks like."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def chromium(folder, flags=FLAGS):
    """Start Chromium with a profile of its own, and give the socket of its tab."""
    profile = folder / "chromium"
    profile.mkdir()
    with (folder / "chromium.log").open("w") as log:
        process = subprocess.Popen(
            [CHROMIUM, *flags, f"--user-data-dir={profile}", "about:blank"], stdout=log, stderr=log
        )
    try:
        yield _tab(profile / "DevToolsActivePort", process)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _tab(port_file, process):
    end = time.monotonic() + WITHIN_S
    while not (port_file.exists() and port_file.read_text().strip()):
        assert process.poll() is None, "Chromium ended at once: see chromium.log"
        assert time.monotonic() < end, "Chromium opened no port"
        time.sleep(0.05)
    port = port_file.read_text().split()[0]
    while True:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=WITHIN_S) as answer:
            tabs = [tab for tab in json.load(answer) if tab["type"] == "page"]
        if tabs:
            return tabs[0]["webSocketDebuggerUrl"]
        assert time.monotonic() < end, "Chromium has no tab"
        time.sleep(0.05)


def given(file):
    """Wait until a file that the page gives is there: it has its name when it is whole."""
    end = time.monotonic() + WITHIN_S
    while not file.exists():
        assert time.monotonic() < end, f"{file.name} was not given within {WITHIN_S} s"
        time.sleep(0.05)
    return file


@contextmanager
def fresh_tab(browser, address):
    """Open a tab that shares nothing with any other: no storage, no size, no colours, no downloads.

    `browser` is a line to the browser as a whole, `address` where tabs are reached.
    """
    context = browser.send("Target.createBrowserContext")["browserContextId"]
    try:
        tab = browser.send("Target.createTarget", url="about:blank", browserContextId=context, newWindow=True)
        with attached(f"{address}/devtools/page/{tab['targetId']}") as socket:
            yield Page(socket, context)
    finally:
        browser.send("Target.disposeBrowserContext", browserContextId=context)


def attached(address):
    """Connect to a tab; it may be busy, or not be asked anything, for as long as a test takes, and when it is left."""
    return connect(address, max_size=None, ping_interval=None, close_timeout=1)


@contextmanager
def opened(file, folder):
    """Open a file in Chromium, and give its page when it is loaded."""
    with chromium(folder) as address, attached(address) as socket:
        page = Page(socket)
        page.size(1400, 900)
        page.send("Page.navigate", url=file.as_uri())
        page.wait("document.readyState === 'complete' && location.protocol === 'file:'")
        yield page
