"""``roadprint explore`` as a process: its address, who is refused, its end, and ports that cannot be had."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest
from made_run import make_run
from once import TOP

from flows.cli import main
from flows.threaded import ended
from flows.threaded import started as serving

WITHIN_S = 300


def started(*arguments, **more):
    """Start it without a screen; gives the process and its address."""
    surroundings = {
        key: value for key, value in os.environ.items() if key not in {"DISPLAY", "WAYLAND_DISPLAY"}
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "explore", *map(str, arguments)],
        cwd=TOP,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )
    return process, process.stdout.readline().strip()


def fetch(address, **headers):
    """Ask without any proxy that the environment names; gives the status and the answer."""
    asking = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with asking.open(urllib.request.Request(address, headers=headers), timeout=WITHIN_S) as answer:  # noqa: S310 - an address on this machine
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def talk(port, path):
    """Ask as the page of another site does that wants to talk on; gives all that is answered."""
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://evil.example\r\n"
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S) as line:
        line.sendall(f"{head}Connection: Upgrade\r\nUpgrade: websocket\r\n{key}\r\n".encode())
        return line.recv(65_536)


@pytest.fixture(scope="module")
def run(make_grid, tmp_path_factory):
    return make_run(make_grid(), tmp_path_factory.mktemp("shown") / "grid")


def test_it_answers_who_knows_its_address_and_ends_at_once_while_a_request_is_answered(run):
    process, address = started(run)
    try:
        assert address.startswith("http://127.0.0.1:")
        assert address.endswith("/")
        assert fetch(f"{address}about.json")[0] == 200
        start, token = address.rstrip("/").rsplit("/", 1)
        assert len(token) >= 32
        for other in (f"{start}/about.json", f"{start}/{token[:-1]}x/about.json"):
            assert fetch(other)[0] == 404
        assert fetch(f"{address}about.json", Origin="http://evil.example")[0] == 403
        port = int(start.rsplit(":", 1)[1])
        assert b" 403 " in talk(port, f"/{token}/about.json").splitlines()[0]
        # a request whose body never ends, and is waited for by now
        with socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S) as slow:
            head = f"POST /{token}/ask.json HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {start}\r\n"
            body = "Content-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
            slow.sendall(f"{head}{body}".encode())
            assert b" 100 " in slow.recv(65_536)
            process.send_signal(signal.SIGINT)
            # who waits for that request waits for ever
            out, err = process.communicate(timeout=WITHIN_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert out == ""
    assert len(err.splitlines()) == 2
    assert "Traceback" not in err


def test_what_is_not_answered_by_the_end_is_told_as_no_error(capfd):
    begun = threading.Event()

    async def never_answers(_scope, _receive, _send):
        begun.set()
        await asyncio.sleep(600)

    with socket.create_server(("127.0.0.1", 0)) as place:
        server, thread = serving(never_answers, place)
        with socket.create_connection(place.getsockname()) as line:
            line.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert begun.wait(60)
            ended(server, thread, 60)
    assert not thread.is_alive()
    assert capfd.readouterr().err == ""


def test_the_address_leads_to_the_road_that_is_asked_for(run):
    process, address = started(run, "--segment", "a b/c&d#", "--quiet")
    process.kill()
    process.communicate()
    assert address.endswith("/#segment=a%20b%2Fc%26d%23")


def test_a_port_in_use_is_told_in_one_line_that_names_a_way_out(run, capfd):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["explore", str(run), "--no-open", "--port", str(port)]) == 2
    err = capfd.readouterr().err
    assert "the port is in use" in err
    assert "Give another one" in err
    for port in ("-1", "70000"):
        assert main(["explore", str(run), "--no-open", f"--port={port}"]) == 2
        assert "no such port" in capfd.readouterr().err


def test_what_is_no_run_is_refused_before_anything_is_served(tmp_path, capfd):
    for place in (tmp_path, tmp_path / "nothing", tmp_path / "city.yaml"):
        assert main(["explore", str(place), "--no-open"]) == 2
        told = capfd.readouterr()
        assert told.out == ""
        assert "Traceback" not in told.err
