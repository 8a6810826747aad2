"""What would end a run late, or beside its inputs, is said beforehand, in the words of the run."""

import shutil
from types import SimpleNamespace

import geopandas as gpd
import pandas as pd
import pytest
from rasters import noise, write_raster

from geo.clusters.methods.ward import Ward
from geo.config import CityConfig
from geo.errors import ConfigurationError, FullDiskError, LayerError, SourceError
from tasks.ahead import refusals
from tasks.ahead.refusals import check_results, check_what_follows
from tasks.ahead.room import bytes_of_geopackage, bytes_of_run, refuse_full
from tasks.store.folder import city_folder
from tasks.store.lock import one_run


@pytest.fixture
def images(tmp_path):
    return gpd.GeoDataFrame({"path": [str(write_raster(tmp_path / "a.tif", noise(8, 8)))]})


def city(**sections):
    imagery = {"sources": ["a.tif"]} | sections.pop("imagery", {})
    return CityConfig.model_validate(
        {"city": "x", "roads": {"source": "r.gpkg"}, "imagery": imagery, **sections}
    )


def tiles(seen, unseen=0):
    """Two tiles a segment, one of which imagery shows; then segments that it does not show at all."""
    ids = [f"s{i}" for i in range(seen + unseen)] * 2
    return pd.DataFrame({"segment_id": ids}).assign(coverage=[1.0] * seen + [0.0] * (unseen + seen + unseen))


def test_a_band_for_pictures_that_a_raster_lacks_is_refused_by_its_key(images):
    check_what_follows(city(imagery={"picture_bands": [3, 2, 1]}), tiles(1), images)
    with pytest.raises(LayerError, match=r"imagery\.picture_bands asks for band 7"):
        check_what_follows(city(imagery={"picture_bands": [1, 2, 7]}), tiles(1), images)


def test_segments_that_imagery_shows_are_counted_once_against_what_a_clustering_takes(images, monkeypatch):
    monkeypatch.setattr(Ward, "most_segments", 4)
    ward = city(clusters={"method": "ward"})
    check_what_follows(ward, tiles(4, unseen=3), images)
    with pytest.raises(ConfigurationError, match=r"clusters\.method.*at most 4 segments, and 5 have imagery"):
        check_what_follows(ward, tiles(5), images)
    check_what_follows(city(), tiles(5), images)


def test_a_runner_that_is_not_installed_is_told_before_anything_is_encoded(images, monkeypatch):
    dask = city(run={"runner": "dask"})
    monkeypatch.setattr(refusals, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"(?s)run\.runner: .*roadprint\[dask\]"):
        check_what_follows(dask, tiles(1), images)
    check_what_follows(city(), tiles(1), images)


def refused_alike(folder, kind, name="x"):
    """Have a folder of results refused by a check and by a run, in the same words; nothing is made."""
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(kind) as checked:
        check_results(city().model_copy(update={"city": name}), folder)
    assert sorted(folder.parent.rglob("*")) == before
    with pytest.raises(kind) as run:
        city_folder(folder, name)
    assert str(checked.value) == str(run.value)


def test_a_folder_that_cannot_be_written_to_is_told_and_not_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    refused_alike(tmp_path / "file" / "x", ConfigurationError)
    assert check_results(city(), tmp_path / "runs" / "x") == []
    assert not (tmp_path / "runs").exists()


def test_a_folder_of_another_city_is_told(tmp_path):
    city_folder(tmp_path / "Zurich", "Zürich")
    assert check_results(city().model_copy(update={"city": "Zürich"}), tmp_path / "Zurich") == []
    refused_alike(tmp_path / "Zurich", ConfigurationError, "Zurich")


def test_names_of_types_that_cannot_be_read_are_told(tmp_path):
    (tmp_path / "clusters.csv").write_text("cluster,name\none,leafy\n")
    with pytest.raises(SourceError, match=r"clusters\.csv, line 2"):
        check_results(city(), tmp_path)


def test_a_run_that_goes_on_is_told_with_what_another_would_do(tmp_path):
    with one_run(tmp_path, wait=False, tell=print):
        (waits,) = check_results(city(), tmp_path)
        (ends,) = check_results(city(output={"when_busy": "refuse"}), tmp_path)
    assert waits.endswith("a run would wait for it")
    assert ends.endswith("a run is refused until it has ended")
    assert check_results(city(), tmp_path) == []


def test_a_disk_without_room_is_told_and_a_folder_that_is_not_there_is_on_the_disk_above_it(
    tmp_path, monkeypatch
):
    needed = bytes_of_run(bytes_of_geopackage({"segments": 1000}, pictures=100), covered=2000)
    assert needed > 2 * 1000 * 1000 + 2000 * 1000
    refuse_full(tmp_path / "not" / "there", needed)

    def usage(place):
        return SimpleNamespace(free=needed - 1 if place == tmp_path else 0)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    with pytest.raises(FullDiskError, match=r"MB are free .*, and a run writes"):
        refuse_full(tmp_path / "not" / "there", needed)
    refuse_full(tmp_path / "not" / "there", needed - 1)
