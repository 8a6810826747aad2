"""A scheduled run by a real server and a real worker, from a city's file to its GeoPackage."""

import json
import re
import shutil
import sqlite3
import subprocess
import time
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from PIL import Image
from postgres import postgres, programs
from prefect_server import free_port, server_and_worker
from quick import QUICK, lay_stages

import roadprint
from flows.cli import main
from flows.page.addresses import VARIABLE
from tasks.stages.order import STAGES

MONTHLY = "0 3 2 * *"
SERVED = "https://maps.example/runs"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_postgres = pytest.mark.skipif(programs() is None, reason="no PostgreSQL (Debian: postgresql)")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium")


@pytest.fixture(scope="module")
def sqlite_server(tmp_path_factory):
    of_workers = {VARIABLE: "https://of-workers.example"}
    with server_and_worker(tmp_path_factory.mktemp("prefect"), **of_workers) as server:
        yield server


@pytest.fixture(scope="module")
def by_schedule(sqlite_server, town, tmp_path_factory):
    """The town, run by its schedule: the server, the run, the folder of results, and the deployment before that."""
    out = tmp_path_factory.mktemp("runs")
    return run_on_schedule(sqlite_server, town.city, out, "--runs-url", SERVED)


def run_on_schedule(server, city, out, *more):
    told = server.roadprint(
        "deploy",
        city,
        "--out",
        out,
        "--cron",
        MONTHLY,
        "--timezone",
        "Europe/London",
        *QUICK,
        *more,
        "--json",
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


def made_by(server, run):
    """Give what the page shows of a run, by its key."""
    made = server.ask("artifacts/filter", artifacts={"flow_run_id": {"any_": [run["id"]]}}, limit=100)
    shown = {artifact["key"]: artifact for artifact in made}
    assert len(shown) == len(made)
    return shown


def test_the_page_begins_with_a_summary_and_has_progress_ledger_and_prototypes(by_schedule):
    server, run, _, _ = by_schedule
    shown = made_by(server, run)
    assert {key.removeprefix("demo-town-") for key in shown} == {
        "summary",
        "progress",
        "ledger",
        "prototypes",
    }
    # Prefect's page shows what belongs to the run itself before what belongs to its tasks, else in no order
    assert [key for key, artifact in shown.items() if not artifact["task_run_id"]] == ["demo-town-summary"]
    progress = shown["demo-town-progress"]
    assert (progress["type"], progress["data"]) == ("progress", 100)
    lines = progress["description"].splitlines()
    assert [line.split()[1].rstrip(":") for line in lines] == [stage.name for stage in reversed(STAGES)]
    assert "done" in lines[-1]
    rows = json.loads(shown["demo-town-ledger"]["data"])
    assert {row["stage"] for row in rows} > {"roads", "tiles", "collisions"}
    assert all(set(row) == {"stage", "item", "status", "reason", "count"} for row in rows)
    picture = shown["demo-town-prototypes"]["data"].removeprefix("data:image/jpeg;base64,")
    assert Image.open(BytesIO(b64decode(picture))).size[0] == 320
    assert len(picture) < 100_000


def test_the_summary_says_what_the_run_says_and_links_to_where_it_is_served(by_schedule):
    server, run, out, _ = by_schedule
    folder = (out / "demo-town" / "latest").resolve()
    told = json.loads((folder / "run.json").read_text())
    rejected = sum(stage["rejected"] for stage in told["stages"])
    assert run["state"]["message"].startswith(f"four types; {rejected} rows rejected")
    page = MarkdownIt("commonmark").enable("table").render(made_by(server, run)["demo-town-summary"]["data"])
    seen = re.sub("<[^>]*>", "", unescape(page))
    assert all(one["sentence"] in seen and one["sure"] in seen for one in told["in_short"])
    assert all(warning in seen for warning in told["warnings"])
    links = [part.partition('"')[0] for part in page.split('href="')[1:]]
    start = f"{SERVED}/demo-town/{folder.name}/"
    *roads, report, tables, package, whole = links
    assert len(roads) == len(roadprint.open(folder).worst(10, of="roads")) == 10
    assert all(re.fullmatch(f"{start}report.html#segment=[0-9a-f]{{16}}", road) for road in roads)
    names = ("report.html", "tables.xlsx", "demo-town.gpkg", "")
    assert [report, tables, package, whole] == [f"{start}{name}" for name in names]
    assert str(folder / "report.html") in seen


def test_a_failure_tells_its_reason_in_the_state(sqlite_server, town, tmp_path, capsys):
    city = tmp_path / "broken.yaml"
    city.write_text(town.city.read_text().replace("demo-town", "broken-town"))
    sqlite_server.roadprint("deploy", city, "--cron", "never", "--out", tmp_path / "runs")
    run = sqlite_server.wait_for_end(sqlite_server.run("broken-town"))
    assert run["state_type"] == "FAILED"
    assert "no such file" in run["state"]["message"]
    assert main(["status", str(city), "--out", str(tmp_path / "runs"), "--json"]) == 0
    assert "no such file" in json.loads(capsys.readouterr().out)["last_failure"]["reason"]


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
def test_the_same_against_postgresql(town, quick, tmp_path):
    with (
        postgres(free_port()) as database,
        server_and_worker(tmp_path, PREFECT_API_DATABASE_CONNECTION_URL=database) as server,
    ):
        out = tmp_path / "runs"
        lay_stages(quick, out)
        _, run, *_ = run_on_schedule(server, town.city, out)
        assert "](" not in made_by(server, run)["demo-town-summary"]["data"], "nobody serves its files"
        assert not (tmp_path / "home" / "prefect.db").exists()
    check_results(out)
