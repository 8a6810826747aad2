"""What lies in a run's folder: names that last, tables for others, imagery, and a file that can repeat its run."""

import json
import os
import shutil
import sqlite3
import subprocess
import zipfile
from contextlib import closing, contextmanager

import geopandas as gpd
import networkx as nx
import osmnx
import pandas as pd
import pyogrio
import pytest
import rasterio
from quick import QUICK
from results import latest, table

from geo.outputs.layers.layers import ALWAYS
from geo.roads.graph import to_osmnx


@pytest.fixture(scope="module")
def folder(shared, quick):
    """A copy of the runs of the town."""
    return shared.copy(quick) / "demo-town"


def test_each_layer_is_there_as_geoparquet_with_the_same_rows(folder):
    file = latest(folder) / "demo-town.gpkg"
    for name, layer in ALWAYS.items():
        path = latest(folder) / "layers" / f"{name}.parquet"
        rows = pyogrio.read_info(file, layer=name)["features"]
        if layer.geometry is None:
            assert len(pd.read_parquet(path)) == rows
            continue
        frame = gpd.read_parquet(path)
        assert len(frame) == rows
        assert frame.crs == "EPSG:27700"
    segments = gpd.read_parquet(latest(folder) / "layers" / "segments.parquet")
    part = tuple(segments.geometry.iloc[:1].buffer(150).total_bounds)
    some = gpd.read_parquet(latest(folder) / "layers" / "segments.parquet", bbox=part)
    assert 0 < len(some) < len(segments)


def test_the_layers_of_roads_and_junctions_are_a_network(folder):
    """Whichever file they are read from."""
    file = latest(folder) / "demo-town.gpkg"
    segments, junctions = (gpd.read_file(file, layer=name) for name in ("segments", "junctions"))
    arms = junctions.set_index("junction_id")["arms"].to_dict()
    graph = osmnx.graph_from_gdfs(*to_osmnx(segments, junctions)).to_undirected()
    assert {node: graph.degree(node) for node in arms} == arms
    assert graph.size("length") == pytest.approx(segments["length_m"].sum())
    stored = gpd.read_parquet(latest(folder) / "layers" / "segments.parquet").dropna(subset=["u", "v"])
    plain = nx.from_pandas_edgelist(stored, "u", "v", edge_key="segment_id", create_using=nx.MultiGraph)
    dead_ends = [node for node, count in graph.degree() if count == 1]
    assert nx.number_connected_components(plain) == nx.number_connected_components(graph)
    assert set(plain) == set(graph) - set(dead_ends)


def test_the_imagery_lies_beside_the_file_as_one_picture(folder, town):
    with rasterio.open(latest(folder) / "imagery.vrt") as picture:
        assert picture.count == 4
        with rasterio.open(min((town.folder / "imagery").glob("*.tif"))) as one:
            middle = (one.bounds.left + one.bounds.right) / 2, (one.bounds.bottom + one.bounds.top) / 2
            assert next(picture.sample([middle]))[:3].tolist() == next(one.sample([middle])).tolist()
        assert next(picture.sample([middle]))[3] == 255
    assert str(town.folder) not in (latest(folder) / "imagery.vrt").read_text()


def test_the_project_beside_the_file_is_the_one_in_it(folder):
    with closing(sqlite3.connect(latest(folder) / "demo-town.gpkg")) as connection:
        ((inside,),) = connection.execute("SELECT content FROM qgis_projects")
    beside = (latest(folder) / "overview.qgz").read_bytes()
    assert beside == bytes.fromhex(inside)
    assert "overview.qgz" in json.loads((latest(folder) / "run.json").read_text())["files"]


def test_names_reach_every_output_and_numbers_last(folder, town, call):
    before = table(folder, "segments").set_index("segment_id")["cluster"]
    names = folder / "clusters.csv"
    lines = names.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "cluster,name,colour,note,merged_into"
    assert len(lines) == 5
    names.write_text(
        'cluster,name,colour,note\n2,"<i>Leafy</i> & ""wide""",#0000FF,seen by hand\n9,not here,,\n'
    )
    junctions = folder / "junction_types.csv"
    lines = junctions.read_text(encoding="utf-8-sig").splitlines()
    junctions.write_text("\n".join([lines[0], lines[1].replace("1,,", "1,Big crossings,", 1), *lines[2:]]))
    first = call("run", town.city, "--out", folder.parent, *QUICK)
    assert first.code == 0
    assert table(folder, "junction_clusters").set_index("cluster").loc[1, "name"] == "Big crossings"
    with zipfile.ZipFile(latest(folder) / "overview.qgz") as project:
        assert "Leafy" in project.read("overview.qgs").decode()
    clusters = table(folder, "clusters").set_index("cluster")
    assert clusters.loc[2, ["name", "colour", "note"]].tolist() == [
        '<i>Leafy</i> & "wide"',
        "#0000FF",
        "seen by hand",
    ]
    assert clusters.loc[1, "name"] == "Type 1"
    ledger = table(folder, "ledger")
    with closing(sqlite3.connect(latest(folder) / "demo-town.gpkg")) as connection:
        (style,) = connection.execute(
            "SELECT styleQML FROM layer_styles WHERE styleName = 'road types'"
        ).fetchone()
        (of_junctions,) = connection.execute(
            "SELECT styleQML FROM layer_styles WHERE styleName = 'junction types'"
        ).fetchone()
    assert "Type 2: &lt;i&gt;Leafy&lt;/i&gt; &amp; &#34;wide&#34;" in style
    assert "Type 1: Big crossings" in of_junctions
    assert "Big crossings" in (latest(folder) / "report.html").read_text()
    # another seed finds about the same clusters, and a fifth one takes no number that the analyst named
    again = call("run", town.city, "--out", folder.parent, *QUICK, "--set", "clusters.seed=5")
    assert again.code == 0
    after = table(folder, "segments").set_index("segment_id")["cluster"]
    assert (before == after)[before.notna()].mean() > 0.9
    assert set(after.dropna()) == {1, 2, 3, 4}
    assert table(folder, "clusters").set_index("cluster").loc[2, "name"] == '<i>Leafy</i> & "wide"'
    # junctions are grouped anew, and a name does not go to whatever has its number there
    assert table(folder, "junction_clusters").set_index("cluster").loc[1, "name"] == "Type 1"
    (aside,) = folder.glob("junction_types-*.csv")
    assert "Big crossings" in aside.read_text(encoding="utf-8-sig")
    assert not ledger.empty
    assert "9,not here" in names.read_text(encoding="utf-8-sig")
    unknown = json.loads((latest(folder) / "run.json").read_text())["warnings"]
    assert any("clusters.csv names 9" in warning for warning in unknown)


def test_a_cluster_file_that_cannot_be_used_stops_the_run_before_it_begins(folder, town, call):
    names = folder / "clusters.csv"
    kept, newest = names.read_bytes(), latest(folder)
    names.write_text("cluster,name\n1,=HYPERLINK(0)\n")
    try:
        refused = call("run", town.city, "--out", folder.parent, *QUICK)
    finally:
        names.write_bytes(kept)
    assert refused.code == 2
    assert "clusters.csv, line 2" in refused.err
    assert "Traceback" not in refused.err
    assert latest(folder) == newest


def test_a_file_repeats_its_run(folder, call, tmp_path):
    file = latest(folder) / "demo-town.gpkg"
    again = call("run", "--from", file, "--out", folder.parent, "--json")
    assert again.code == 0
    assert json.loads(again.out)["geopackage"] == str(file)
    elsewhere = tmp_path / "file.gpkg"
    shutil.copyfile(file, elsewhere)
    lost = call("run", "--from", elsewhere, "--out", folder.parent)
    assert lost.code == 2
    assert "--base FOLDER" in lost.err


def test_a_repetition_elsewhere_has_the_types_that_the_file_has(folder, town, call, tmp_path):
    names = (folder / "clusters.csv").read_text(encoding="utf-8-sig")
    (folder / "clusters.csv").write_text(names.replace("1,,", "1,plain,"))
    assert call("run", town.city, "--out", folder.parent, *QUICK, "--set", "clusters.seed=7").code == 0
    file = latest(folder) / "demo-town.gpkg"
    assert call("run", "--from", file, "--out", tmp_path).code == 0
    again = tmp_path / "demo-town"
    assert (latest(again) / "demo-town.gpkg").read_bytes() == file.read_bytes()
    assert table(again, "clusters")["name"].tolist() == table(folder, "clusters")["name"].tolist()
    assert "plain" in (again / "clusters.csv").read_text(encoding="utf-8-sig")


def test_a_file_that_was_moved_alone_takes_no_roads_of_another_city(folder, town, tmp_path, monkeypatch):
    from tasks.recall import recall

    right, here = tmp_path / "right", tmp_path / "here"
    shutil.copytree(town.folder, right)
    here.mkdir()
    (right / "deep").mkdir()
    file = shutil.copyfile(latest(folder) / "demo-town.gpkg", right / "deep" / "moved.gpkg")
    roads = next(path for path in right.iterdir() if path.name.startswith("roads"))
    shutil.copyfile(roads, here / roads.name)
    with (here / roads.name).open("ab") as other:
        other.write(b"another city")
    monkeypatch.chdir(here)
    assert recall(file).base == right


def test_a_repetition_says_which_inputs_are_others_now(folder, town, call, tmp_path):
    copy = tmp_path / "town"
    shutil.copytree(town.folder, copy)
    records = copy / "collisions.csv"
    records.write_text("".join(records.read_text().splitlines(keepends=True)[:-1]))
    file = latest(folder) / "demo-town.gpkg"
    again = call("run", "--from", file, "--base", copy, "--out", tmp_path / "runs", "--json")
    assert again.code == 0
    assert any("collisions.csv" in warning for warning in json.loads(again.out)["warnings"])


@pytest.mark.parametrize("which", ["all", "none"])
def test_pictures_are_stored_as_asked(folder, town, call, which):
    assert (
        call("run", town.city, "--out", folder.parent, *QUICK, "--set", f"output.thumbnails={which}").code
        == 0
    )
    tiles = pyogrio.read_dataframe(latest(folder) / "demo-town.gpkg", layer="tiles", use_arrow=True)
    seen = tiles["encoded"]
    if which == "all":
        assert tiles.loc[seen, "thumbnail"].map(lambda jpeg: bytes(jpeg)[:3] == b"\xff\xd8\xff").all()
    assert tiles.loc[~seen if which == "all" else slice(None), "thumbnail"].isna().all()


@contextmanager
def small_disk(folder, size, content=None):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        if content is not None:
            shutil.copytree(content, folder, symlinks=True, dirs_exist_ok=True)
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
@pytest.mark.parametrize("size", ["150k", "1200k", "3500k"])
def test_a_disk_that_fills_up_early_or_late_is_told_in_one_message(town, call, tmp_path, size):
    with small_disk(tmp_path / "disk", size) as disk:
        full = call("run", town.city, "--out", disk, *QUICK)
        assert full.code == 2
        # found out when it is, or foretold before anything is encoded
        told = full.err.splitlines()[-2]
        assert (
            told.endswith("demo-town: the disk is full")
            or "MB are free on the disk, and a run writes" in told
        )
        assert full.err.count("roadprint:") == 1
        assert [path.name for path in (disk / "demo-town").iterdir() if path.name[0] != "."] == ["stages"]
        assert not list((disk / "demo-town" / "stages").rglob(".*"))


def shown(folder):
    """List what is not hidden in a folder."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_fills_up_leaves_the_last_good_run_as_it_is(quick, town, call, tmp_path):
    with small_disk(tmp_path / "disk", "24m", quick) as disk:
        newest = latest(disk / "demo-town")
        before = (newest / "demo-town.gpkg").read_bytes()
        there = shown(disk / "demo-town")
        assert {newest.name, "latest", "stages", "clusters.csv"} <= set(there)
        with (disk / "ballast").open("wb") as ballast:
            ballast.write(b"\0" * (shutil.disk_usage(disk).free - 1_500_000))
        full = call("run", town.city, "--out", disk, *QUICK, "--set", "output.thumbnails=all")
        assert full.code in {1, 2}
        assert full.err.count("roadprint:") == 1
        assert "Traceback" not in full.err
        assert "disk" in full.err
        assert latest(disk / "demo-town") == newest
        assert (newest / "demo-town.gpkg").read_bytes() == before
        assert shown(disk / "demo-town") == there


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_full_before_the_run_begins_is_told_in_one_message(quick, town, call, tmp_path):
    with small_disk(tmp_path / "disk", "24m", quick) as disk:
        before = sorted(path.name for path in (disk / "demo-town").rglob("*"))
        with (disk / "ballast").open("wb") as ballast:
            ballast.write(b"\0" * shutil.disk_usage(disk).free)
        full = call("run", town.city, "--out", disk, *QUICK, "--set", "clusters.k=3")
        assert full.code == 2
        assert full.err.count("roadprint:") == 1
        assert "the disk is full" in full.err
        assert "Traceback" not in full.err
        assert sorted(path.name for path in (disk / "demo-town").rglob("*")) == before
