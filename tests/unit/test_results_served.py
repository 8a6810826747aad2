"""Prefect's page links to what runs left where it is served, and the server of ``make serve`` gives that alone."""

import json
import socket
from pathlib import Path

import httpx
import pytest
from made_run import make_run
from starlette.testclient import TestClient

from flows.page.addresses import VARIABLE, served_at, served_here
from flows.page.files import KNOWN, known, make_app, make_known, serving
from geo.errors import ConfigurationError

PORT = 4201
HERE = f"http://127.0.0.1:{PORT}"


@pytest.fixture(scope="module")
def laid(make_grid, tmp_path_factory):
    """A run whose city has said where its results are, another city that has not, and what must not be seen."""
    folder = tmp_path_factory.mktemp("results & more")
    runs = [make_run(make_grid(), folder / city) for city in ("grid", "unsaid")]
    (folder / "grid" / "labels.gpkg").write_bytes(b"of an analyst")
    (folder / "grid" / "stages").mkdir()
    (folder / "grid" / "stages" / "run.json").write_text(
        json.dumps({"run_id": "x", "files": {"key.txt": ""}})
    )
    (folder / "grid" / "stages" / "key.txt").write_text("secret")
    (folder / "key.txt").write_text("secret")
    (runs[0] / "by-hand.txt").write_text("not of the run")
    listed = json.loads((runs[0] / "run.json").read_text())
    for name in ("report.html", "tables.xlsx", "layers/away.parquet", "../key.txt"):
        listed["files"][name] = ""
    (runs[0] / "run.json").write_text(json.dumps(listed))
    (runs[0] / "report.html").write_text("<!DOCTYPE html><title>the report</title>")
    (runs[0] / "tables.xlsx").write_bytes(b"PK")
    (runs[0] / "layers" / "away.parquet").symlink_to(folder / "key.txt")
    kept = folder / "known"
    kept.mkdir()
    assert make_known(folder / "grid", {KNOWN: str(kept)})
    return runs[0], runs[1], kept


@pytest.fixture(scope="module")
def client(laid):
    return TestClient(make_app(laid[2], PORT), base_url=HERE)


def address(path):
    """Give the address that the page links to, as ``make serve`` has it."""
    return served_at(f"/={HERE}").link(path, Path("/nowhere"))


def test_a_report_is_shown_and_a_geopackage_is_put_aside(client, laid):
    run, _, _ = laid
    report = client.get(address(run / "report.html"))
    assert report.status_code == 200
    assert report.headers["content-type"].startswith("text/html")
    assert "content-disposition" not in report.headers
    assert "the report" in report.text
    for name, kind in (
        ("grid.gpkg", "application/geopackage+sqlite3"),
        ("tables.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ):
        given = client.get(address(run / name))
        assert given.content == (run / name).read_bytes()
        assert given.headers["content-type"] == kind
        assert given.headers["content-disposition"].startswith("attachment")
        assert given.headers["x-content-type-options"] == "nosniff"
    assert client.get(address(run.parent / "latest" / "report.html")).text == report.text
    assert client.head(address(run / "report.html")).status_code == 200


def test_the_folder_of_a_run_lists_what_it_left(client, laid):
    run, _, _ = laid
    page = client.get(f"{address(run)}/")
    links = [part.partition('"')[0] for part in page.text.split('href="')[1:]]
    assert any(link.endswith("/layers/segments.parquet") for link in links)
    assert not any("by-hand" in link for link in links)
    told = [client.get(link) for link in links if not link.endswith(("away.parquet", "/../key.txt"))]
    assert {one.status_code for one in told} == {200}


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "labels.gpkg",
        "stages/key.txt",
        "stages/",
        "",
        "0123456789ab/by-hand.txt",
        "0123456789ab/run.json",
        "0123456789ab/layers",
        "0123456789ab/layers/away.parquet",
        "0123456789ab/../key.txt",
        "0123456789ab/%2e%2e/%2E%2E/key.txt",
        "0123456789ab/..%2f..%2fkey.txt",
        "0123456789ab/%2e%2e%5ckey.txt",
        "0123456789ab/report.html%00",
        "0123456789ab/report.html/",
        "0123456789ab/" + "x" * 5000,
        "../unsaid/0123456789ab/grid.gpkg",
        "../../../../../../../../../etc/passwd",
        "/etc/passwd",
    ],
)
def test_nothing_else_is_given(client, laid, path):
    answer = client.get(f"{address(laid[0].parent)}/{path}")
    # a slash at the end, of a file, is no other file
    assert answer.status_code == (200 if path.endswith("html/") else 404)
    assert "secret" not in answer.text


def test_another_city_and_the_whole_machine_are_not_given(client, laid):
    for path in (
        laid[1] / "grid.gpkg",
        laid[1],
        Path("/etc/passwd"),
        Path("/"),
        laid[0].parents[1] / "key.txt",
    ):
        assert client.get(address(path)).status_code == 404


def test_who_asks_another_host_or_from_another_page_is_refused_and_nobody_writes(client, laid):
    report = address(laid[0] / "report.html")
    for host in ("maps.example", f"maps.example:{PORT}", "127.0.0.1", "127.0.0.1:4202"):
        assert client.get(report, headers={"host": host}).status_code == 421
    assert client.get(report, headers={"host": f"localhost:{PORT}"}).status_code == 200
    follows = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get(report, headers=follows).status_code == 200
    assert client.get(report, headers=follows | {"sec-fetch-mode": "no-cors"}).status_code == 403
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert client.request(method, report).status_code == 405


def test_a_city_is_given_from_its_first_run_on_while_it_is_served(laid, tmp_path):
    run, unsaid, _ = laid
    kept = tmp_path / "made" / "known"
    with socket.create_server(("127.0.0.1", 0)) as place:
        start = f"http://127.0.0.1:{place.getsockname()[1]}"
        served = served_at(f"/={start}")
        with serving(kept, place):
            asked = served.link(unsaid / "grid.gpkg", Path("/nowhere"))
            assert httpx.get(asked, trust_env=False).status_code == 404
            assert make_known(unsaid.parent, {KNOWN: str(kept)})
            assert list(known(kept)) == [unsaid.parent]
            assert httpx.get(asked, trust_env=False).content == (unsaid / "grid.gpkg").read_bytes()
    assert make_known(run.parent, {})
    assert not make_known(run.parent, {KNOWN: str(tmp_path / "nowhere")})


def test_addresses_are_of_the_folder_of_results_or_of_the_one_that_is_named(tmp_path):
    results = tmp_path / "runs"
    report = results / "a town (2)" / "1a2b" / "report.html"
    at = "https://maps.example/road"
    assert served_at(f"{at}/").link(report, results) == f"{at}/a%20town%20%282%29/1a2b/report.html"
    assert (
        served_at(f"{tmp_path}={at}").link(report, results)
        == f"{at}/runs/a%20town%20%282%29/1a2b/report.html"
    )
    assert served_at(f"{tmp_path / 'other'}={at}").link(report, results) is None
    assert served_at(served_at(f"{tmp_path}={at}").text).folder == tmp_path
    # a folder that stands elsewhere, by a link
    elsewhere = tmp_path / "disk"
    (elsewhere / "town").mkdir(parents=True)
    results.mkdir()
    (results / "town").symlink_to(elsewhere / "town")
    assert served_at(at).link(results / "town" / "x.html", results) == f"{at}/town/x.html"
    assert served_at(f"{elsewhere}={at}").link(results / "town" / "x.html", results) == f"{at}/town/x.html"


@pytest.mark.parametrize(
    "text",
    [
        "file:///srv/runs",
        "maps.example/runs",
        "ftp://maps.example",
        "http://",
        "https://ann:word@maps.example",
        "https://maps.example/?city=1",
        "https://maps.example/#map",
        "https://maps.example:port/",
        "https://maps example",
        "runs=https://maps.example",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_address_of_a_web_server_is_refused(text):
    with pytest.raises(ConfigurationError, match=VARIABLE) as refused:
        served_here({VARIABLE: text})
    assert "word" not in str(refused.value)
    assert served_here({}) is None
    assert served_here({VARIABLE: "  "}) is None
