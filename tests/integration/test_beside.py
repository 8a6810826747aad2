"""Beside others: their folders of the names that ours have, their Prefect, and a proxy that the environment names."""

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

import prefect
import pytest
import rasterio
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from range_server import serving

from flows.processes import asking_directly, direct
from flows.server import own_server
from geo.errors import ServerError

ROOT = Path(__file__).parents[2]
NAMES = ("flows", "tasks", "geo")
DEAD = "127.0.0.1:9"
"""Nothing listens there."""

# starts the server that a run has; tells where ours come from, and what the server and a worker take
STARTS = """
import json, sys
import roadprint
from flows.server import own_server

with own_server() as wait:
    wait()
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        settings = client.request("GET", "/admin/settings").json()
told = {"flows": sys.modules["flows"].__file__, "home": settings["home"],
        "analytics": settings["server"]["analytics_enabled"]}
if "--flow" in sys.argv:
    from prefect.flows import load_flow_from_entrypoint
    told["flow"] = load_flow_from_entrypoint("roadprint.city_flow").name
print(json.dumps(told))
"""


@dataclass(frozen=True)
class Installed:
    """An environment with roadprint in it, and the folder that its packages are in."""

    bin: Path
    packages: Path


@pytest.fixture(scope="module", params=["wheel", "editable"])
def installed(request, tmp_path_factory):
    """Install roadprint as users do; all that it needs is that of these tests."""
    folder = tmp_path_factory.mktemp(request.param)
    source, env = folder / "source", folder / "env"
    for name in (*NAMES, "roadprint"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", env], check=True)
    (packages,) = env.glob("lib/python*/site-packages")
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    how = ["--editable"] if request.param == "editable" else []
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    pip = [sys.executable, "-m", "pip", "--python", env / "bin" / "python", "install", *offline, *how, source]
    done = subprocess.run([str(word) for word in pip], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Installed(env / "bin", source if how else packages)


@pytest.fixture
def strangers(tmp_path):
    """Somebody's working folder, with packages of the names that ours have, which end whoever imports them."""
    folder = tmp_path / "strangers"
    for name in NAMES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise SystemExit('the {name} of somebody else')\n")
    return folder


def run(*command, folder, **more):
    """Run a command in a folder that comes first on the path, too."""
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment |= {"PYTHONPATH": str(folder), **more}
    words = [str(word) for word in command]
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def started(done):
    """Read what `STARTS` told."""
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_an_installation_has_every_file(installed):
    packages = [*NAMES, "roadprint"]
    there = [path for name in packages for path in (ROOT / name).rglob("*") if path.is_file()]
    ours = {path.relative_to(ROOT) for path in there if "__pycache__" not in path.parts}
    assert {path.suffix for path in ours} > {".py", ".jinja", ".qml", ".typed"}
    assert [path for path in ours if not (installed.packages / path).is_file()] == []


def test_the_command_line_runs_beside_strangers(installed, strangers):
    for command in ([installed.bin / "roadprint"], [installed.bin / "python", "-m", "roadprint"]):
        done = run(*command, "check", "nowhere.yaml", folder=strangers)
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("roadprint: nowhere.yaml: ")


def test_servers_and_workers_take_ours_beside_strangers(installed, strangers):
    told = started(run(installed.bin / "python", "-c", STARTS, "--flow", folder=strangers))
    assert Path(told["flows"]) == installed.packages / "flows" / "__init__.py"
    assert told["flow"] == "city-flow"
    assert told["analytics"] is False
    assert not Path(told["home"]).exists()


def test_a_stranger_that_is_imported_already_is_told(tmp_path):
    (tmp_path / "tasks.py").write_text("")
    code = f"import sys, tasks; sys.path.insert(0, {str(ROOT)!r}); import roadprint"
    done = run(sys.executable, "-c", code, folder=tmp_path)
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert said.startswith("ImportError: roadprint has a package 'tasks', and another one is imported")
    assert str(tmp_path / "tasks.py") in said


def test_importing_roadprint_imports_and_sets_nothing_more():
    code = (
        "import os, sys; before = dict(os.environ); import roadprint; assert dict(os.environ) == before; "
        "heavy = {'numpy', 'pandas', 'torch', 'prefect', *" + repr(NAMES) + "}; print(heavy & {*sys.modules})"
    )
    done = run(sys.executable, "-c", code, folder=ROOT)
    assert done.stdout == "set()\n", done.stderr


def test_a_run_neither_needs_nor_touches_the_users_prefect(tmp_path):
    """The user's database is of a newer Prefect, another one is named twice, and the copy that we keep is damaged."""
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    with sqlite3.connect(home / "prefect.db") as db:
        db.execute("create table alembic_version (version_num varchar(32) not null primary key)")
        db.execute("insert into alembic_version values ('ffffeeeedddd')")
    before = (home / "prefect.db").read_bytes()
    nowhere = f"postgresql+asyncpg://u:p@{DEAD}/none"
    (tmp_path / "prefect.toml").write_text(f'[server.database]\nconnection_url = "{nowhere}"\n')
    kept = cache / "roadprint" / f"prefect-{prefect.__version__}.db"
    kept.parent.mkdir(parents=True)
    shutil.copy(home / "prefect.db", kept)
    theirs = {"PREFECT_HOME": str(home), "PREFECT_API_DATABASE_CONNECTION_URL": nowhere}
    told = started(
        run(
            *(sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{STARTS}"),
            folder=tmp_path,
            XDG_CACHE_HOME=str(cache),
            **theirs,
        )
    )
    assert not Path(told["home"]).exists()
    assert (home / "prefect.db").read_bytes() == before
    assert {path.name for path in home.iterdir()} == {"prefect.db"}
    with sqlite3.connect(kept) as db:
        assert db.execute("select version_num from alembic_version").fetchone() != ("ffffeeeedddd",)
        assert db.execute("select count(*) from flow_run").fetchone() == (0,)


def test_a_disk_that_is_full_before_a_server_starts_is_told(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    kept = tmp_path / "kept.db"
    kept.write_bytes(b"a database")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("flows.server.kept_database", lambda: kept)
    monkeypatch.setattr("flows.server.shutil.copyfile", full)
    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        pytest.raises(ServerError, match="No space left on device") as told,
        own_server(),
    ):
        pass
    assert told.value.where == str(tmp_path)
    assert list(tmp_path.iterdir()) == [kept]


@pytest.mark.parametrize(("level", "seen"), [("CRITICAL", False), ("ERROR", True)])
def test_what_a_library_complains_of_in_its_server_is_read_by_those_who_ask(
    tmp_path, monkeypatch, capfd, level, seen
):
    says = (
        "import logging, prefect.logging.configuration as prefects; prefects.setup_logging(); "
        "logging.getLogger('sqlalchemy.pool.impl').error('Exception during reset or similar')"
    )
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", level)
    monkeypatch.setattr("flows.server.kept_database", lambda: tmp_path / "kept.db")
    monkeypatch.setattr("flows.server.ours", lambda *_: [sys.executable, "-c", says])
    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        pytest.raises(ServerError, match="does not start"),
        own_server() as wait,
    ):
        wait()
    assert ("Exception during reset" in capfd.readouterr().err) is seen


def test_a_run_has_its_server_whatever_proxies_are_named(tmp_path):
    proxies = {"HTTP_PROXY": f"http://{DEAD}", "https_proxy": DEAD, "ALL_PROXY": f"socks5://{DEAD}"}
    told = started(
        run(
            *(sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{STARTS}"),
            folder=tmp_path,
            **proxies,
        )
    )
    assert told["analytics"] is False


def test_imagery_goes_through_the_proxy_and_what_is_on_this_machine_does_not(town, monkeypatch):
    raster = min((town.folder / "imagery").glob("*.tif"))
    with serving(town.folder / "imagery", {"in"}) as (proxy, refused):
        monkeypatch.setenv("http_proxy", proxy)
        with asking_directly(), get_client(sync_client=True) as client:
            assert client.api_healthcheck() is None
            with rasterio.open(f"/vsicurl/http://tiles.example/{raster.name}?token=in") as image:
                assert image.read(1, window=((0, 8), (0, 8))).size == 64
        assert "no_proxy" not in os.environ
    assert refused == []


def test_a_proxy_that_prefect_cannot_use_is_left_to_imagery():
    theirs = {
        "ALL_PROXY": "socks4a://proxy.example:1080",
        "https_proxy": "proxy.example:8080",
        "no_proxy": "lan",
    }
    ours = direct(theirs)
    assert "ALL_PROXY" not in ours
    assert ours["https_proxy"] == "proxy.example:8080"
    assert ours["GDAL_HTTP_PROXY"] == "socks4a://proxy.example:1080"
    assert ours["GDAL_HTTPS_PROXY"] == "proxy.example:8080"
    assert ours["no_proxy"] == ours["NO_PROXY"] == "lan,127.0.0.1,localhost"
    assert direct({"PATH": "/bin"}) == {"PATH": "/bin"}
    assert direct({"HTTP_PROXY": "http://proxy.example", "NO_PROXY": "*"})["no_proxy"] == "*"
