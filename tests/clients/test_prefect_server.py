"""A scheduled run by a real server and a real worker, from a city's file to its GeoPackage."""

import json
import shutil
import sqlite3
import subprocess
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from postgres import postgres, programs
from prefect_server import free_port, server_and_worker

from tasks.stages.order import STAGES

EVERY_MINUTE = "* * * * *"
QUICK = ("--set", "encoder.name=bands")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_postgres = pytest.mark.skipif(programs() is None, reason="no PostgreSQL (Debian: postgresql)")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium")


@pytest.fixture(scope="module")
def sqlite_server(tmp_path_factory):
    with server_and_worker(tmp_path_factory.mktemp("prefect")) as server:
        yield server


@pytest.fixture(scope="module")
def by_schedule(sqlite_server, town, tmp_path_factory):
    """The town, run by its schedule: the server, the run and the folder of results."""
    out = tmp_path_factory.mktemp("runs")
    run = run_on_schedule(sqlite_server, town.city, out)
    return sqlite_server, run, out


def run_on_schedule(server, city, out):
    told = server.roadprint(
        "deploy", city, "--out", out, "--cron", EVERY_MINUTE, "--timezone", "Europe/London", *QUICK, "--json"
    )
    assert json.loads(told)["deployment"] == "city-flow/demo-town"
    deployment = server.read("deployments/name/city-flow/demo-town")
    run = server.wait_for_end(deployment, seconds=240)
    for schedule in deployment["schedules"]:
        # one run is enough
        server.prefect("deployment", "schedule", "pause", "city-flow/demo-town", schedule["id"])
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    assert run["auto_scheduled"]
    return run


def check_results(out):
    (package,) = (out / "demo-town" / "latest").glob("*.gpkg")
    with sqlite3.connect(package) as db:
        assert db.execute("select count(*) from segments where cluster is not null").fetchone()[0] > 100
    assert (package.parent / "report.html").stat().st_size > 10_000


def test_a_schedule_brings_the_town_to_a_geopackage(by_schedule):
    _, _, out = by_schedule
    check_results(out)


def test_a_deployment_tells_its_parameters_schedule_and_limit(by_schedule):
    server, _, _ = by_schedule
    deployment = server.read("deployments/name/city-flow/demo-town")
    fields = deployment["parameter_openapi_schema"]["properties"]
    assert set(fields) == {"config", "overrides", "out", "base"}
    assert all(field["description"] for field in fields.values())
    (schedule,) = deployment["schedules"]
    assert schedule["schedule"]["cron"] == EVERY_MINUTE
    assert schedule["schedule"]["timezone"] == "Europe/London"
    assert deployment["global_concurrency_limit"]["limit"] == 1
    assert set(deployment["tags"]) == {"roadprint", "demo-town"}
    assert deployment["entrypoint"] == "roadprint.city_flow"


def test_the_page_has_progress_ledger_links_and_prototypes(by_schedule):
    server, run, _ = by_schedule
    made = server.ask("artifacts/filter", artifacts={"flow_run_id": {"any_": [run["id"]]}}, limit=100)
    by_key = {artifact["key"]: artifact for artifact in made}
    progress = [artifact for artifact in made if artifact["type"] == "progress"]
    assert len(progress) == len(STAGES)
    assert all(artifact["data"] == 100 for artifact in progress)
    assert "done" in by_key["demo-town-01-roads"]["description"]
    rows = json.loads(by_key["demo-town-ledger"]["data"])
    assert {row["stage"] for row in rows} > {"roads", "tiles", "collisions"}
    assert all(set(row) == {"stage", "item", "status", "reason", "count"} for row in rows)
    assert "report.html" in by_key["demo-town-report"]["data"]
    assert "demo-town.gpkg" in by_key["demo-town-geopackage"]["data"]
    picture = by_key["demo-town-prototypes"]["data"].removeprefix("data:image/jpeg;base64,")
    assert Image.open(BytesIO(b64decode(picture))).size[0] == 320
    assert len(picture) < 100_000


def test_a_failure_tells_its_reason_in_the_state(sqlite_server, town, tmp_path):
    city = tmp_path / "broken.yaml"
    city.write_text(town.city.read_text().replace("demo-town", "broken-town"))
    sqlite_server.roadprint("deploy", city, "--cron", "never", "--out", tmp_path / "runs")
    sqlite_server.prefect("deployment", "run", "city-flow/broken-town")
    deployment = sqlite_server.read("deployments/name/city-flow/broken-town")
    run = sqlite_server.wait_for_end(deployment, seconds=120)
    assert run["state_type"] == "FAILED"
    assert "no such file" in run["state"]["message"]
    told = json.loads(sqlite_server.roadprint("status", city, "--out", tmp_path / "runs", "--json"))
    assert "no such file" in told["last_failure"]["reason"]


def test_all_deployments_of_the_project_are_taken(sqlite_server, tmp_path):
    sqlite_server.settings["ROADPRINT_DATA"] = str(tmp_path)
    sqlite_server.prefect("--no-prompt", "deploy", "--all")
    for name in ("demo-town", "cambridge-ma"):
        deployment = sqlite_server.read(f"deployments/name/city-flow/{name}")
        assert deployment["schedules"][0]["schedule"]["timezone"]
        assert deployment["global_concurrency_limit"]["limit"] == 1
        assert "roadprint" in deployment["tags"]


@needs_chromium
def test_the_page_of_a_run_shows_in_a_browser(by_schedule, tmp_path):
    server, run, _ = by_schedule
    screenshot(f"{server.address}/runs/flow-run/{run['id']}?tab=Artifacts", tmp_path).rename(
        tmp_path / "artifacts.png"
    )
    picture = screenshot(f"{server.address}/runs/flow-run/{run['id']}", tmp_path)
    colours = Image.open(picture).convert("RGB").getcolors(maxcolors=1 << 24)
    assert len(colours) > 200, "an empty page"


def screenshot(address: str, folder: Path) -> Path:
    """Picture a page when it has come to rest."""
    picture = folder / "page.png"
    subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
         "--window-size=1400,1800", "--virtual-time-budget=20000", f"--screenshot={picture}", address],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return picture


@needs_postgres
def test_the_same_against_postgresql(town, tmp_path):
    with (
        postgres(free_port()) as database,
        server_and_worker(tmp_path, PREFECT_API_DATABASE_CONNECTION_URL=database) as server,
    ):
        out = tmp_path / "runs"
        run_on_schedule(server, town.city, out)
        assert not (tmp_path / "home" / "prefect.db").exists()
    check_results(out)
