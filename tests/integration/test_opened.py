"""A run that ended, opened again: by its folder, its city, or its GeoPackage alone."""

import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from html import unescape

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from quick import FEW, chosen
from rasterio.windows import from_bounds

import roadprint
from geo.errors import LayerError, SourceError
from tasks.results.opening import open_run
from tasks.store.summary import RunSummary

TABLES = ("segments", "junctions", "tiles", "collisions", "types", "tests")


@pytest.fixture(scope="module")
def folder(finished):
    """The folder of the city's newest run."""
    out, _ = finished
    return (out / "demo-town" / "latest").resolve()


@pytest.fixture(scope="module")
def run(folder):
    return open_run(folder)


@pytest.fixture
def copied(folder, tmp_path):
    """A copy of the run's folder, which a test may damage."""
    return shutil.copytree(folder, tmp_path / folder.name)


@pytest.fixture
def alone(folder, tmp_path):
    """The GeoPackage, moved elsewhere without all that lay beside it."""
    return shutil.copy(folder / "demo-town.gpkg", tmp_path / "from a colleague.gpkg")


def plain(frame):
    return pd.DataFrame(frame).assign(
        **{"geometry": frame.geometry.to_wkb()} if isinstance(frame, gpd.GeoDataFrame) else {}
    )


def test_a_run_is_the_same_by_its_folder_its_city_and_its_geopackage_alone(run, folder, alone):
    others = [open_run(str(folder.parent)), open_run(folder / "demo-town.gpkg"), open_run(alone)]
    for name in TABLES:
        mine = getattr(run, name)
        assert len(mine)
        for other in others:
            pd.testing.assert_frame_equal(plain(getattr(other, name)), plain(mine))
    assert {other.city for other in others} == {"demo-town"}
    assert run.crs == "EPSG:27700"
    assert run.worst(5).equals(others[-1].worst(5))


@pytest.mark.parametrize("shown", [0, -1])
def test_fewer_than_one_road_cannot_be_shown(run, shown):
    for asked in (run.worst, lambda shown: run.alike(run.segments["segment_id"].iloc[0], shown)):
        with pytest.raises(ValueError, match=f"shown={shown}: one segment or more"):
            asked(shown)
    assert len(run.worst(1)) == 1


def test_tables_have_their_types_and_their_units(run):
    collisions, segments = run.collisions, run.segments
    assert isinstance(collisions["date"].dtype, pd.DatetimeTZDtype)
    assert collisions["pedestrian"].dtype == "boolean"
    assert collisions["src_hour"].dropna().between(0, 23).all()
    assert set(collisions["src_junction_detail"].dropna()) > {"T or staggered junction", "Crossroads"}
    assert segments["n_ksi"].dtype == segments["cluster"].dtype == "Int64"
    assert segments.geometry.length.to_numpy() == pytest.approx(segments["length_m"].to_numpy(), abs=0.01)
    placed = collisions["segment_id"].dropna()
    assert placed.isin(segments["segment_id"]).all()
    assert placed.value_counts().sum() == segments["n_collisions"].sum()


def test_what_is_changed_in_a_table_changes_no_other(run):
    segments = run.segments
    segments["n_ksi"] = 0
    assert run.segments["n_ksi"].sum() > 0


def test_each_type_is_in_the_table_of_types_with_its_segments(run):
    counted = run.segments["cluster"].value_counts()
    types = run.types.set_index("cluster")
    assert types["n_segments"].to_dict() == counted.to_dict()
    assert set(run.tests["cluster"]) == set(types.index)


def test_every_layer_can_be_read_by_its_name(run):
    for name in ("windows", "lixels", "ledger"):
        assert len(run.layer(name))
    with pytest.raises(LayerError, match="no layer is called 'roads'"):
        run.layer("roads")


def test_a_geopackage_alone_says_that_fingerprints_are_not_in_it(alone):
    run = open_run(alone)
    for asked in (lambda: run.fingerprints, lambda: run.alike(run.segments["segment_id"].iloc[0])):
        with pytest.raises(SourceError, match="not in the GeoPackage") as refused:
            asked()
        assert "Open the run's own folder" in refused.value.todo


def test_what_was_found_in_short_is_what_the_report_begins_with(run, folder, alone):
    report = unescape(re.sub("<[^>]*>", "", (folder / "report.html").read_text(encoding="utf-8")))
    assert "Types of road" in run.in_short
    for title, sentence in run.in_short.items():
        assert sentence in report[report.index(title) :]
    with pytest.raises(SourceError, match="not told beside the GeoPackage"):
        open_run(alone).in_short  # noqa: B018 - it is asked for


def test_a_tile_at_full_resolution_is_the_imagery_under_it(run, town):
    tiles = run.tiles
    tile = tiles[tiles["encoded"] & (tiles["coverage"] == 1) & ~tiles["image_id"].str.contains(";")].iloc[0]
    picture = np.asarray(run.tile(tile["tile_id"], full=True))
    with rasterio.open(town.folder / "imagery" / f"{tile['image_id']}.tif") as raster:
        pixels = raster.read([1, 2, 3], window=from_bounds(*tile.geometry.bounds, raster.transform))
        side = round(tile.geometry.bounds[2] - tile.geometry.bounds[0]) / raster.res[0]
    assert picture.shape == (side, side, 3)
    # the reader begins at the nearest whole pixel
    shifts = [
        np.abs(
            np.roll(pixels, (dy, dx), (1, 2)).transpose(1, 2, 0)[2:-2, 2:-2].astype(int) - picture[2:-2, 2:-2]
        )
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
    ]
    assert min(shift.max() for shift in shifts) == 0


def test_a_tile_with_a_thumbnail_shows_it_even_where_the_imagery_is_gone(run, alone):
    shown = run.tiles.dropna(subset=["thumbnail"])["tile_id"].iloc[0]
    small = open_run(alone).tile(shown)
    assert small.size == (160, 160)
    whole = run.tile(shown, full=True).resize(small.size)
    assert np.abs(np.asarray(small, dtype=int) - np.asarray(whole, dtype=int)).mean() < 10
    with pytest.raises(SourceError, match="cannot be cut from the imagery") as refused:
        open_run(alone).tile(shown, full=True)
    assert "base=FOLDER" in refused.value.todo


def test_a_moved_geopackage_finds_its_imagery_in_the_folder_that_is_named(run, alone, town):
    shown = run.tiles.loc[run.tiles["encoded"], "tile_id"].iloc[3]
    moved = open_run(alone, base=town.folder).tile(shown, full=True)
    assert moved == run.tile(shown, full=True)


def test_imagery_that_was_changed_since_is_not_shown_as_that_of_the_run(run, alone, town, tmp_path):
    other = shutil.copytree(town.folder, tmp_path / "town")
    for file in (other / "imagery").glob("*.tif"):
        with rasterio.open(file, "r+") as raster:
            raster.write(255 - raster.read())
    shown = run.tiles.loc[run.tiles["encoded"], "tile_id"].iloc[0]
    with pytest.raises(SourceError, match="is not the file that the run was made from"):
        open_run(alone, base=other).tile(shown, full=True)


def test_a_tile_that_is_not_there_is_told(run):
    with pytest.raises(LayerError, match="no such tile"):
        run.tile("0000-00")


def test_a_folder_that_is_not_whole_is_not_opened(copied):
    (copied / "layers" / "tests.parquet").unlink()
    with pytest.raises(SourceError, match=r"not whole: layers/tests\.parquet is not there"):
        open_run(copied)
    (copied / "run.json").unlink()
    with pytest.raises(SourceError, match=r"there is no run\.json, which a run writes at its end"):
        open_run(copied)


def test_a_table_that_was_changed_since_is_told_when_it_is_asked_for(copied):
    file = copied / "layers" / "tests.parquet"
    pd.read_parquet(file).head(3).to_parquet(file)
    run = open_run(copied)
    assert len(run.types)
    with pytest.raises(SourceError, match="not as the run left it"):
        _ = run.tests


def test_a_run_of_a_newer_roadprint_is_left_to_that(alone):
    with closing(sqlite3.connect(alone)) as file, file:
        file.execute("UPDATE run SET value = '0.99.1' WHERE key = 'version roadprint'")
    with pytest.raises(SourceError, match=r"made by roadprint 0\.99\.1, and this is") as refused:
        open_run(alone)
    assert "pip install" in refused.value.todo


def test_what_is_no_run_is_refused_with_what_to_give(tmp_path, town, folder):
    (tmp_path / "empty").mkdir()
    for place, why in (
        (tmp_path / "nowhere", "no such file or folder"),
        (tmp_path / "empty", "no run that has ended"),
        (town.city, "it is no GeoPackage"),
        (town.folder / "roads.gpkg", "no layer 'run'"),
        (folder.parent.parent, "holds those of demo-town"),
    ):
        with pytest.raises((SourceError, LayerError), match=why):
            open_run(place)


def test_a_city_whose_first_run_failed_says_why(tmp_path, town):
    from flows.city import city_flow

    with pytest.raises(Exception, match=r"nowhere\.gpkg"):
        city_flow(str(town.city), {"roads.source": "nowhere.gpkg"}, str(tmp_path))
    with pytest.raises(
        SourceError, match=r"no run of the city has ended well; the last one failed:.*nowhere\.gpkg"
    ):
        open_run(tmp_path / "demo-town")


def test_the_newest_run_is_the_one_that_latest_points_to_where_links_are_files(copied, tmp_path):
    """On Windows and some network drives ``latest`` is a file with the run's name."""
    told = RunSummary.read(copied / "run.json")
    older = shutil.copytree(copied, tmp_path / "0123456789ab")
    late = datetime(2099, 1, 1, tzinfo=UTC)
    told.model_copy(update={"run_id": older.name, "finished": late}).write(older / "run.json")
    assert open_run(tmp_path).folder == older
    (tmp_path / "latest").write_text(copied.name + "\n")
    assert open_run(tmp_path).folder == copied
    assert open_run(tmp_path / "latest").folder == copied


def test_a_city_run_from_python_is_the_run_of_the_command_line(folder, town, call, tmp_path):
    out = folder.parent.parent
    assert roadprint.run_city(town.city, out=out, progress=False).folder == folder
    few = {"encoder.name": "bands"} | {key: int(value) for key, value in FEW.items()}
    other = roadprint.run_city(town.city, {"clusters.k": 3} | few, out=str(tmp_path), progress=False)
    assert len(other.types) == 3
    told = call("run", town.city, "--set", "clusters.k=3", *chosen(few), "--out", tmp_path, "--json")
    assert told.summary["run_id"] == other.folder.name
    assert all(stage["cached"] for stage in told.summary["stages"])
    with pytest.raises(roadprint.ConfigurationError, match="clusters"):
        roadprint.run_city(town.city, {"clusters.k": "many"}, out=tmp_path, progress=False)
