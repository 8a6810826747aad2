"""What stands for the bytes of a source: the same for the same content, remembered only while it holds."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import rasterio
import shapely
from databases import write_roads
from rasterio.shutil import copy as copy_raster
from rasters import CITY, NORTH, WEST, catalogue, noise, read_tiles, write_raster

from geo.addresses import digest_address
from geo.config import Roads
from geo.errors import SourceError
from geo.roads.files import read_vector_layer
from geo.roads.read import read_roads
from geo.sources import digest as digests
from geo.sources.beside import Folders, is_settled
from geo.sources.digest import MISSING, SourceDigests, digest_source
from geo.sources.named import files_named
from tasks.store.digests import FileDigests


@pytest.fixture
def town(tmp_path):
    (tmp_path / "city").mkdir()
    return Path(write_raster(tmp_path / "city" / "town.tif", noise(40, 40)))


@pytest.fixture
def roads(tmp_path):
    return write_roads(tmp_path / "city")


# ---- the same content


def test_a_look_at_a_raster_that_leaves_statistics_beside_it_changes_nothing(town):
    """QGIS leaves them there when it stretches the colours."""
    before = digest_source(str(town))
    with rasterio.open(town) as raster:
        raster.statistics(1)
    notes = Path(f"{town}.aux.xml")
    subprocess.run(["gdalinfo", "-hist", "-stats", town], check=False, capture_output=True)
    if not notes.exists():
        notes.write_text(
            "<PAMDataset><PAMRasterBand band='1'><Histograms><HistItem><HistMin>0</HistMin></HistItem></Histograms>"
            "<Metadata><MDI key='STATISTICS_MEAN'>127</MDI></Metadata></PAMRasterBand></PAMDataset>"
        )
    assert "STATISTICS_MEAN" in notes.read_text()
    assert digest_source(str(town)) == before


def test_statistics_are_told_from_all_else_that_gdal_keeps_beside_a_raster(town):
    notes = Path(f"{town}.aux.xml")
    nodata = "<NoDataValue>0</NoDataValue>"
    counted = "<Metadata>\n  <MDI key='STATISTICS_MEAN'>127</MDI>\n</Metadata>"
    found = []
    for band in ("", nodata, counted, nodata + counted, nodata.replace("0", "255")):
        notes.write_text(f"<PAMDataset>\n <PAMRasterBand band='1'>{band}\n</PAMRasterBand>\n</PAMDataset>")
        found.append(digest_source(str(town)))
    empty, kept, only_counted, both, other = found
    assert kept == both
    assert len({kept, only_counted, other}) == 3
    notes.write_text("<PAMDataset> cut sho")
    assert digest_source(str(town)) not in found
    assert empty != kept


def test_a_city_that_was_moved_has_the_same_inputs(town, tmp_path):
    vrt = town.with_name("all.vrt")
    with rasterio.open(town) as raster:
        copy_raster(raster, vrt, driver="VRT")
    assert 'relativeToVRT="1"' in vrt.read_text()
    shutil.copytree(town.parent, tmp_path / "elsewhere")
    for name in (town.name, vrt.name):
        assert digest_source(str(town.with_name(name))) == digest_source(str(tmp_path / "elsewhere" / name))


def test_files_of_its_name_that_no_driver_reads_change_nothing(town, tmp_path):
    memory = tmp_path / "digests.json"
    first = FileDigests(memory)
    before = first.of(str(town))
    first.save()
    for ending in (".qgz", ".gpkg", ".txt", ".yaml", ".tif.bak", "_old.tif"):
        town.with_name("town" + ending).write_bytes(b"1")
    os.utime(town)
    assert FileDigests(memory).of(str(town)) == digest_source(str(town)) == before


def test_locks_of_those_who_look_into_a_geodatabase_change_nothing(tmp_path):
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.LineString([(0, 0), (1, 1)])], crs=CITY)
    pyogrio.write_dataframe(frame, tmp_path / "roads.gdb", driver="OpenFileGDB")
    before = digest_source(str(tmp_path / "roads.gdb"))
    (tmp_path / "roads.gdb" / "_gdb.HERE.4711.sr.lock").write_bytes(b"")
    assert digest_source(str(tmp_path / "roads.gdb")) == before
    (tmp_path / "roads.gdb" / "a00000042.gdbtable").write_bytes(b"1")
    assert digest_source(str(tmp_path / "roads.gdb")) != before


# ---- what is remembered


def test_an_unchanged_source_is_not_read_again(town, roads, tmp_path, monkeypatch):
    vrt = town.with_name("all.vrt")
    with rasterio.open(town) as raster:
        copy_raster(raster, vrt, driver="VRT")
    _settle(town.parent)
    memory = tmp_path / "digests.json"
    first = FileDigests(memory)
    before = [first.of(str(file)) for file in (vrt, town, roads)]
    first.save()

    def fail(*_):
        raise AssertionError("read again")

    for name in ("digest_content", "names_within"):
        monkeypatch.setattr(digests, name, fail)
    monkeypatch.setattr("geo.sources.gdal.files_of_raster", fail)
    assert [FileDigests(memory).of(str(file)) for file in (vrt, town, roads)] == before


def _settle(folder):
    """Wait until the times of change of all files tell them from later changes."""
    import time

    newest = max(f.stat().st_ctime_ns for f in folder.iterdir())
    while not is_settled(newest, time.time_ns()):
        time.sleep(0.01)


def test_an_unchanged_source_needs_no_library_for_rasters(town, tmp_path):
    _settle(town.parent)
    look = (
        "import sys; from pathlib import Path; from tasks.store.digests import FileDigests;"
        "digests = FileDigests(Path(sys.argv[2])); digests.of(sys.argv[1]); digests.save();"
        "print('rasterio' in sys.modules)"
    )
    command = [sys.executable, "-c", look, town, tmp_path / "digests.json"]
    asked = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(2)]
    assert asked == ["True\n", "False\n"]


def test_bytes_are_read_once(town, tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(digests, "digest_content", lambda path: read.append(path.name) or "0" * 32)
    _settle(town.parent)
    memory = tmp_path / "digests.json"
    for _ in range(2):
        known = FileDigests(memory)
        catalogue_digest = known.of(str(town))
        known.save()
    assert catalogue_digest
    assert read == ["town.tif"]


def test_changes_within_a_tick_of_the_clock_are_seen(tmp_path):
    """Of the same length and, as far as the file system tells, the same time."""
    path, known = tmp_path / "town.wld", FileDigests()
    found = []
    for i in range(300):
        path.write_text(f"{i:06d}")
        found.append(known.of(str(path)))
    assert len(set(found)) == 300


def test_a_file_that_comes_within_a_tick_of_the_clock_is_seen(town):
    known = FileDigests()
    for _ in range(100):
        before = known.of(str(town))
        town.with_suffix(".tfw").write_text("1\n0\n0\n-1\n0\n0\n")
        assert known.of(str(town)) != before
        town.with_suffix(".tfw").unlink()
        assert known.of(str(town)) == before


@pytest.mark.parametrize("left", ["", "{}", "[]", '{"code": "0", "known": {}, "seal": "0"}', "\x00"])
def test_a_memory_that_cannot_be_used_is_made_again(town, tmp_path, left):
    memory = tmp_path / "digests.json"
    memory.write_text(left)
    known = FileDigests(memory)
    assert known.of(str(town)) == digest_source(str(town))
    known.save()
    assert FileDigests(memory)._known == known._known


def test_what_other_code_has_found_is_not_taken(town, tmp_path, monkeypatch):
    memory = tmp_path / "digests.json"
    known = FileDigests(memory)
    known.of(str(town))
    known.save()
    assert FileDigests(memory)._known
    monkeypatch.setattr("tasks.store.digests.code_digest", lambda *_: "other")
    assert not FileDigests(memory)._known


# ---- what cannot be read


def test_a_source_that_is_not_there_or_closed_is_digested_as_such(town, monkeypatch):
    assert digest_source(str(town.with_name("no.tif"))) == MISSING
    whole = digest_source(str(town))
    town.with_suffix(".tfw").write_text("1\n0\n0\n-1\n0\n0\n")
    open_ = digest_source(str(town))
    read = digests.digest_content

    def closed(path):
        if path.suffix == ".tfw":
            raise PermissionError
        return read(path)

    monkeypatch.setattr(digests, "digest_content", closed)
    shut = digest_source(str(town))
    assert len({whole, open_, shut}) == 3
    write_raster(town, noise(40, 40, seed=1))
    assert digest_source(str(town)) != shut, "a part that may not be read hides no change of another"


def test_a_disk_that_fails_ends_the_run(town, monkeypatch):
    def fail(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(digests, "digest_content", fail)
    with pytest.raises(SourceError, match="Input/output error"):
        FileDigests().of(str(town))


def test_a_folder_that_may_not_be_listed_is_asked_for_each_name(town, monkeypatch):
    world = town.with_name("town.TFW")
    world.write_text("1\n0\n0\n-1\n0\n0\n")
    listed = Folders().beside(town)

    def refuse(_):
        raise PermissionError

    monkeypatch.setattr("geo.sources.beside.os.listdir", refuse)
    assert listed == [world]
    assert world in Folders().beside(town)


def test_a_vrt_that_leads_to_itself_or_nowhere_has_a_digest(tmp_path):
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{name}.vrt").write_text(
            f"<VRTDataset><SourceFilename relativeToVRT='1'>{other}.vrt</SourceFilename>"
            f"<SourceFilename>{'x' * 300}/\x01</SourceFilename><SourceFilename></SourceFilename>"
            "<SourceFilename>https://example.org/a.tif</SourceFilename></VRTDataset>"
        )
    files = SourceDigests().files(tmp_path / "a.vrt")
    assert files == [tmp_path / "a.vrt", tmp_path / "b.vrt"]
    assert len(digest_source(str(tmp_path / "a.vrt"))) == 32


# ---- names and addresses


@pytest.mark.parametrize(
    "name",
    [
        *(
            "town.tif",
            "./town.tif",
            "vrt://town.tif?bands=1,2",
            "GTIFF_DIR:1:town.tif",
            'NETCDF:"town.tif":sst',
        ),
        *("/vsizip/town.tif/in/a.tif", "/vsizip/{town.tif}/a.tif", "/vsigzip/town.tif", ":::BASE:::town.tif"),
        *(
            "/vsisubfile/10_20,town.tif",
            "/vsitar//vsigzip/town.tif/a.tif",
            "DERIVED_SUBDATASET:PHASE:town.tif",
        ),
    ],
)
def test_names_as_gdal_takes_them_lead_to_files(town, name):
    assert files_named([name], [town.parent], Path.is_file) == [town]


@pytest.mark.parametrize(
    "name",
    [
        "https://example.org/town.tif",
        "/vsicurl/https://example.org/town.tif",
        "/vsis3/town/town.tif",
        "",
        ".",
    ],
)
def test_names_of_what_lies_elsewhere_lead_to_none(town, name):
    assert files_named([name], [town.parent], Path.is_file) == []


def test_an_address_within_an_archive_on_this_machine_has_the_bytes_of_the_archive(tmp_path):
    address = f"/vsizip/{tmp_path}/flight.zip/town.tif"
    assert digest_source(address) == digest_address(address)
    (tmp_path / "flight.zip").write_bytes(b"1")
    before = digest_source(address)
    assert before != digest_address(address)
    (tmp_path / "flight.zip").write_bytes(b"2")
    assert digest_source(address) != before


# ---- reading leaves nothing beside the inputs


def test_reading_imagery_leaves_nothing_beside_it(town):
    images = catalogue(town).images
    assert images["digest"].item() == digest_source(str(town))
    read_tiles([(WEST + 20, NORTH - 20)], town)
    assert [f.name for f in town.parent.iterdir()] == ["town.tif"]


@pytest.mark.parametrize(
    "ending", ["gml", "shp", "gpkg", "geojson", "fgb", "tab", "mif", "csv", "gdb", "kml"]
)
def test_reading_a_table_leaves_nothing_beside_it(tmp_path, ending):
    from geo.collisions.tables.reading import read_rows

    lines = [shapely.LineString([(i, 0), (i, 1)]) for i in (1, 2)]
    crs = 4326 if ending == "kml" else CITY
    frame = gpd.GeoDataFrame({"label": ["a", "b"]}, geometry=lines, crs=crs)
    options = {"gdb": {"driver": "OpenFileGDB"}, "kml": {"driver": "KML"}}
    options["csv"] = {"driver": "CSV", "GEOMETRY": "AS_WKT"}
    source = tmp_path / f"roads.{ending}"
    pyogrio.write_dataframe(frame, source, **options.get(ending, {}))
    (tmp_path / "roads.xsd").unlink(missing_ok=True)
    before = digest_source(str(source)), sorted(tmp_path.rglob("*"))
    read_vector_layer(str(source), None)
    if ending not in {"csv", "gdb"}:
        asked = Roads(source=str(source), class_field=None, name_field=None)
        assert len(read_roads(asked, crs=None if ending == "kml" else CITY, area=None).kept) == 2
        read_rows(str(source))
    assert (digest_source(str(source)), sorted(tmp_path.rglob("*"))) == before
