"""Tokens that imagery needs reach its server, and nothing that a run writes."""

import base64
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from quick import QUICK
from range_server import serving

IN_ENVIRONMENT, IN_BLOCK, WRITTEN, PASSWORD = "env-7Qx31kPz", "blk-9Rw55mTv", "lit-2Hc84nYb", "pwd-6Jf17sLd"
TOKENS = {IN_ENVIRONMENT, IN_BLOCK, WRITTEN, PASSWORD}


@pytest.fixture(scope="module")
def guarded(town):
    """A server of the town's imagery."""
    login = base64.b64encode(f"reader:{PASSWORD}".encode()).decode()
    with serving(town.folder / "imagery", {IN_ENVIRONMENT, IN_BLOCK, WRITTEN, login}) as (address, refused):
        yield address
    assert [line for line in refused if "WRONG-TOKEN" not in line] == []


@pytest.fixture
def city(town, guarded, tmp_path, monkeypatch):
    """The town, each of its rasters behind a token that is given in another way; two cannot be read."""
    from prefect.blocks.system import Secret

    from flows.server import own_server

    address = guarded
    monkeypatch.setenv("TILES_TOKEN", IN_ENVIRONMENT)
    monkeypatch.setenv("WHOLE", f"/vsicurl/{address}/WHOLE.tif?token={IN_ENVIRONMENT}")
    with own_server() as wait:
        wait()
        Secret(value=IN_BLOCK).save("roadprint-test", overwrite=True)
    names = sorted(path.name for path in (town.folder / "imagery").glob("*.tif"))
    host = address.removeprefix("http://")
    ways = [
        f"/vsicurl/{address}/NAME?token=${{TILES_TOKEN}}",
        f"{address}/NAME?style=1.5&key=${{secret:roadprint-test}}",
        f"/vsicurl/{address}/NAME?api_key={WRITTEN}",
        f"/vsicurl/http://reader:{PASSWORD}@{host}/NAME",
    ]
    sources = [ways[i % len(ways)].replace("NAME", name) for i, name in enumerate(names)]
    sources += [f"/vsicurl/{address}/none.tif?token=${{TILES_TOKEN}}", "${WHOLE}"]
    folder = tmp_path / "city"
    shutil.copytree(town.folder, folder, ignore=shutil.ignore_patterns("imagery"))
    settings = yaml.safe_load(town.city.read_text())
    settings["imagery"]["sources"] = sources
    (folder / "city.yaml").write_text(yaml.safe_dump(settings))
    return folder / "city.yaml"


def texts(folder: Path):
    """Everything that is written below a folder, as it stands there and as its readers see it."""
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        yield path, path.read_bytes()
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            yield path, (str(table.schema.metadata) + str(table.to_pylist())).encode()
        if path.suffix in {".gpkg", ".db"}:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
                yield path, "\n".join(db.iterdump()).encode(errors="replace")


def found(tokens, *folders: Path) -> list[Path]:
    """Where a token stands, in any of the spellings that programs give it."""
    spellings = []
    for plain in (token.encode() for token in tokens):
        spellings += [
            plain,
            base64.b64encode(plain).rstrip(b"=")[:-1],
            plain.hex().encode(),
            zlib.compress(plain),
        ]
    return [
        path for folder in folders for path, text in texts(folder) if any(one in text for one in spellings)
    ]


def test_the_search_finds_a_token_in_a_table_and_in_a_database(tmp_path):
    import pandas as pd

    pd.DataFrame({"a": ["x" * 50 + WRITTEN]}).to_parquet(tmp_path / "t.parquet", compression="zstd")
    with sqlite3.connect(tmp_path / "t.db") as db:
        db.execute("create table t (a text)")
        db.execute("insert into t values (?)", [f"see {IN_BLOCK}"])
    assert {path.name for path in found([WRITTEN], tmp_path)} == {"t.parquet"}
    assert {path.name for path in found([IN_BLOCK], tmp_path)} == {"t.db"}


def test_a_run_reads_imagery_behind_tokens_and_writes_them_nowhere(city, one_server, tmp_path, call, caplog):
    out = tmp_path / "runs"
    caplog.set_level(logging.DEBUG)
    outcome = call("run", city, "--out", out, *QUICK)
    assert outcome.code == 0, outcome.err
    written = {row[4] for row in ledger(out) if row[1] == "rasters" and row[2] == "done"}
    assert written == {len(list(yaml.safe_load(city.read_text())["imagery"]["sources"])) - 2}
    reasons = [row[3] for row in ledger(out) if row[1] == "rasters" and row[2] == "rejected"]
    assert len(reasons) == 2
    assert all("404" in reason for reason in reasons)
    _, records = one_server
    assert (records / "prefect.db").exists()
    assert not found(TOKENS, out, records)
    assert not any(token in outcome.out + outcome.err + caplog.text for token in TOKENS)


def ledger(out):
    (package,) = (out / "demo-town" / "latest").glob("*.gpkg")
    with sqlite3.connect(package) as db:
        return db.execute("select stage, item, status, reason, count from ledger").fetchall()


def test_overrides_with_tokens_are_not_recorded(city, guarded, one_server, tmp_path, call, caplog):
    """Prefect keeps the parameters of every run."""
    address = guarded
    out = tmp_path / "runs"
    caplog.set_level(logging.DEBUG)
    name = yaml.safe_load(city.read_text())["imagery"]["sources"][2].split("/")[-1].split("?")[0]
    source = f"imagery.sources=['/vsicurl/{address}/{name}?access_token={WRITTEN}']"
    outcome = call("run", city, "--out", out, *QUICK, "--set", source)
    assert outcome.code == 0, outcome.err
    assert not found([WRITTEN], out, one_server[1])
    assert WRITTEN not in outcome.out + outcome.err + caplog.text


@pytest.mark.parametrize("key", ["imagery.sources", "roads.source"])
def test_a_run_that_fails_at_a_guarded_source_says_so_without_its_token(
    city, guarded, one_server, tmp_path, call, caplog, key, monkeypatch
):
    address = guarded
    monkeypatch.setenv("WRONG", "WRONG-TOKEN-5Dk92")
    out = tmp_path / "runs"
    caplog.set_level(logging.DEBUG)
    source = f"/vsicurl/{address}/town.tif?token=${{WRONG}}"
    value = f"['{source}']" if key == "imagery.sources" else f"'{source}'"
    outcome = call("run", city, "--out", out, *QUICK, "--set", f"{key}={value}")
    assert outcome.code == 2
    assert "token=${WRONG}" in outcome.err
    assert "WRONG-TOKEN-5Dk92" not in outcome.out + outcome.err + caplog.text
    assert not found(["WRONG-TOKEN-5Dk92"], out, one_server[1])


def test_a_token_that_changes_makes_no_stage_anew(city, tmp_path, call, monkeypatch):
    out = tmp_path / "runs"
    assert call("run", city, "--out", out, *QUICK).code == 0
    monkeypatch.setenv("TILES_TOKEN", WRITTEN)
    again = call("run", city, "--out", out, *QUICK, "--json")
    assert again.code == 0, again.err
    assert all(stage["cached"] for stage in again.summary["stages"])


def test_a_token_that_is_refused_while_shards_are_read_is_not_shown(
    town, guarded, one_server, tmp_path, call, monkeypatch
):
    address, records = one_server
    folder = tmp_path / "city"
    shutil.copytree(town.folder, folder, ignore=shutil.ignore_patterns("imagery"))
    settings = yaml.safe_load(town.city.read_text())
    names = sorted(path.name for path in (town.folder / "imagery").glob("*.tif"))
    settings["imagery"]["sources"] = [f"{guarded}/{name}?token=${{TILES_TOKEN}}" for name in names]
    (folder / "city.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("TILES_TOKEN", IN_ENVIRONMENT)
    out = tmp_path / "runs"
    assert call("run", folder / "city.yaml", "--out", out, *QUICK).code == 0
    stages = out / "demo-town" / "stages"
    for done in (
        *stages.glob("features-*"),
        stages / "shards",
        *(out / "demo-town").glob("[0-9a-f]*[0-9a-f]"),
    ):
        shutil.rmtree(done)
    monkeypatch.setenv("TILES_TOKEN", "WRONG-TOKEN-8Lp30")
    # as a deployed run logs
    settings = {"PREFECT_API_URL": address, "PREFECT_LOGGING_LEVEL": "INFO"}
    refused = subprocess.run(
        [sys.executable, "-m", "flows.cli", "run", folder / "city.yaml", "--out", out, *QUICK],
        cwd=Path(__file__).parents[2],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "403" in refused.stderr
    assert "WRONG-TOKEN" not in refused.stdout + refused.stderr
    assert not found(["WRONG-TOKEN-8Lp30"], out, records)
