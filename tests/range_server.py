"""A server of files that answers requests for ranges, to those who know its token.

A process of its own: GDAL opens files while it holds Python's lock, so that no thread beside it could answer.
"""

import http.server
import json
import re
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers from the folder that the server has; a careless one, which repeats what it was asked."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def log_message(self, *_):
        """Write nothing: the address would be in it."""

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, *, body: bool):
        said = self.path + str(self.headers)
        if not any(token in said for token in self.server.tokens):
            sys.stdout.write(f"refused {self.path}\n")
            sys.stdout.flush()
            return self.finish_with(403, f"no entry with {self.path}".encode(), {}, body=body)
        file = self.server.folder / urlsplit(self.path).path.lstrip("/")
        fault = self.server.fault_of(self.path, self.headers.get("Range", ""), there=file.is_file() and body)
        if fault == "unavailable":
            return self.finish_with(503, b"busy", {}, body=body)
        if not file.is_file():
            return self.finish_with(404, f"nothing at {self.path}".encode(), {}, body=body)
        content = file.read_bytes()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted is None:
            return self.finish_with(200, content, {"Accept-Ranges": "bytes"}, body=body)
        first = int(wanted[1])
        part = content[first : int(wanted[2] or len(content) - 1) + 1]
        if fault == "cut":
            return self.cut_off(part)
        place = f"bytes {first}-{first + len(part) - 1}/{len(content)}"
        return self.finish_with(206, part, {"Content-Range": place}, body=body)

    def cut_off(self, part):
        """Promise a part and send half of it."""
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part[: len(part) // 2])
        self.server.note(self.path, len(part) // 2)
        self.close_connection = True

    def finish_with(self, code, content, headers, *, body):
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)
        self.server.note(self.path, len(content) if body else 0)


class _Server(http.server.ThreadingHTTPServer):
    def __init__(self, folder: Path, tokens: set[str], fault: str, times: int, log: Path | None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.tokens = folder, tokens
        self.fault, self.times, self.log = fault, times, log
        self.asked: Counter[tuple[str, str]] = Counter()

    def fault_of(self, path: str, part: str, *, there: bool) -> str:
        """Each part of each file is refused so many times."""
        if not there:
            return ""
        self.asked[path, part] += 1
        return self.fault if self.asked[path, part] <= self.times else ""

    def note(self, path: str, sent: int):
        if self.log is not None:
            with self.log.open("a") as log:
                log.write(f"{sent} {path}\n")


@dataclass
class Sent:
    """What a server has sent so far."""

    log: Path

    def lines(self):
        """Bytes and path of each answer."""
        pairs = (
            [line.split(" ", 1) for line in self.log.read_text().splitlines()] if self.log.exists() else []
        )
        return [(int(sent), path) for sent, path in pairs]


@contextmanager
def serving(folder: Path, tokens: set[str], *, fault: str = "", times: int = 0, log: Path | None = None):
    """Serve the files of a folder on 127.0.0.1; gives the address, and what lists the requests refused when it is over.

    A request is let in when one of the tokens stands anywhere in it: in its address or its headers. Each part of a file
    is answered with a `fault` (``unavailable``: 503; ``cut``: half of it, and the connection closed) so many `times`
    before it is given. What is sent is noted in `log`.
    """
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    refused: list[str] = []
    try:
        process.stdin.write(json.dumps([str(folder), sorted(tokens), fault, times, log and str(log)]) + "\n")
        process.stdin.flush()
        yield process.stdout.readline().strip(), refused
    finally:
        process.terminate()
        refused += process.communicate(timeout=300)[0].splitlines()


if __name__ == "__main__":
    shown, known, wrong, how_often, kept = json.loads(sys.stdin.readline())
    server = _Server(Path(shown), set(known), wrong, how_often, kept and Path(kept))
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
