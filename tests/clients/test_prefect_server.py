"""A scheduled run by a real server and a real worker, from a city's file to its GeoPackage."""

import json
import shutil
import sqlite3
import subprocess
import time
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from postgres import postgres, programs
from prefect_server import free_port, server_and_worker
from quick import QUICK

from tasks.stages.order import STAGES

MONTHLY = "0 3 2 * *"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_postgres = pytest.mark.skipif(programs() is None, reason="no PostgreSQL (Debian: postgresql)")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium")


@pytest.fixture(scope="module")
def sqlite_server(tmp_path_factory):
    with server_and_worker(tmp_path_factory.mktemp("prefect")) as server:
        yield server


@pytest.fixture(scope="module")
def by_schedule(sqlite_server, town, tmp_path_factory):
    """The town, run by its schedule: the server, the run, the folder of results, and the deployment before that."""
    out = tmp_path_factory.mktemp("runs")
    return run_on_schedule(sqlite_server, town.city, out)


def run_on_schedule(server, city, out):
    told = server.roadprint(
        "deploy", city, "--out", out, "--cron", MONTHLY, "--timezone", "Europe/London", *QUICK, "--json"
    )
    assert json.loads(told)["deployment"] == "city-flow/demo-town"
    deployment = server.deployment()
    run_id = server.wait(lambda: due_in_seconds(server, deployment))
    run = server.wait_for_end(run_id)
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    assert run["auto_scheduled"]
    return server, run, out, deployment


def due_in_seconds(server, deployment):
    """Give the schedule another date, soon and once; the run that the server makes of it, unless it was too late."""
    (schedule,) = deployment["schedules"]
    soon = datetime.now(UTC) + timedelta(seconds=8)
    rule = f"DTSTART:{soon:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=SECONDLY;COUNT=1"
    server.change(
        f"deployments/{deployment['id']}/schedules/{schedule['id']}",
        schedule={"rrule": rule, "timezone": "UTC"},
    )
    of_it = {"id": {"any_": [deployment["id"]]}}
    while datetime.now(UTC) < soon:
        near = {"expected_start_time": {"before_": (soon + timedelta(seconds=1)).isoformat()}}
        if runs := server.ask("flow_runs/filter", deployments=of_it, flow_runs=near):
            return runs[0]["id"]
        time.sleep(0.3)
    return None


def check_results(out):
    (package,) = (out / "demo-town" / "latest").glob("*.gpkg")
    with sqlite3.connect(package) as db:
        assert db.execute("select count(*) from segments where cluster is not null").fetchone()[0] > 100
    assert (package.parent / "report.html").stat().st_size > 10_000


def test_a_schedule_brings_the_town_to_a_geopackage(by_schedule):
    _, _, out, _ = by_schedule
    check_results(out)


def test_a_deployment_tells_its_parameters_schedule_and_limit(by_schedule):
    _, _, _, deployment = by_schedule
    fields = deployment["parameter_openapi_schema"]["properties"]
    assert set(fields) == {"config", "overrides", "out", "base"}
    assert all(field["description"] for field in fields.values())
    (schedule,) = deployment["schedules"]
    assert schedule["schedule"]["cron"] == MONTHLY
    assert schedule["schedule"]["timezone"] == "Europe/London"
    assert deployment["global_concurrency_limit"]["limit"] == 1
    assert set(deployment["tags"]) == {"roadprint", "demo-town"}
    assert deployment["entrypoint"] == "roadprint.city_flow"


def test_the_page_has_progress_ledger_links_and_prototypes(by_schedule):
    server, run, _, _ = by_schedule
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
    run = sqlite_server.wait_for_end(sqlite_server.run("broken-town"))
    assert run["state_type"] == "FAILED"
    assert "no such file" in run["state"]["message"]
    told = json.loads(sqlite_server.roadprint("status", city, "--out", tmp_path / "runs", "--json"))
    assert "no such file" in told["last_failure"]["reason"]


def test_all_deployments_of_the_project_are_taken(sqlite_server, tmp_path):
    sqlite_server.settings["ROADPRINT_DATA"] = str(tmp_path)
    sqlite_server.prefect("--no-prompt", "deploy", "--all")
    for name in ("demo-town", "cambridge-ma"):
        deployment = sqlite_server.deployment(name)
        assert deployment["schedules"][0]["schedule"]["timezone"]
        assert deployment["global_concurrency_limit"]["limit"] == 1
        assert "roadprint" in deployment["tags"]


@needs_chromium
def test_the_page_of_a_run_shows_in_a_browser(by_schedule, tmp_path):
    server, run, _, _ = by_schedule
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
