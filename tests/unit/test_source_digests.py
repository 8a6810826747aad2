"""Every byte that a driver reads is an input: what changes what GDAL gives changes the digest.

Each change is one that people make. That a driver sees it is shown by reading the source before and after.
"""

import ctypes
import os
import sys
from pathlib import Path

import pyogrio._io
import pytest
from databases import let_go
from raster_changes import RASTERS, picture
from table_changes import TABLES, table

from geo.sources.digest import SourceDigests, digest_source
from tasks.store.digests import FileDigests


@pytest.fixture(autouse=True)
def _closed():
    yield
    let_go()


@pytest.mark.parametrize("make", [*RASTERS, *TABLES], ids=lambda make: make.__name__)
def test_what_changes_what_gdal_gives_changes_the_digest(make, tmp_path):
    (tmp_path / "inputs").mkdir()
    look = picture if make in RASTERS else table
    source, change = make(tmp_path / "inputs")
    memory = tmp_path / "digests.json"
    first = FileDigests(memory)
    before = first.of(str(source))
    first.save()
    seen = look(source)
    again = FileDigests(memory)
    assert again.of(str(source)) == before, "reading it changes nothing"
    again.save()
    change()
    assert look(source) != seen, "the change is one that a driver sees"
    after = FileDigests(memory).of(str(source))
    assert after != before
    assert after == digest_source(str(source)), "what is remembered leads to what is found afresh"


def told_by_gdal(source):
    """Ask GDAL's own function for the files of a table or raster: neither of the libraries hands on the former."""
    gdal = ctypes.CDLL(pyogrio._io.__file__)
    gdal.GDALOpenEx.restype = ctypes.c_void_p
    gdal.GDALOpenEx.argtypes = [ctypes.c_char_p, ctypes.c_uint, *[ctypes.c_void_p] * 3]
    gdal.GDALGetFileList.restype = ctypes.POINTER(ctypes.c_char_p)
    gdal.GDALGetFileList.argtypes = gdal.GDALClose.argtypes = [ctypes.c_void_p]
    dataset = gdal.GDALOpenEx(os.fsencode(source), 0, None, None, None)
    assert dataset
    files = gdal.GDALGetFileList(dataset)
    found = set()
    for i in range(10_000):
        if not files or files[i] is None:
            break
        found.add(os.path.normpath(os.fsdecode(files[i])))
    gdal.GDALClose(dataset)
    return found


@pytest.mark.skipif(
    sys.platform == "win32", reason="a library does not hand on the functions of another there"
)
@pytest.mark.parametrize("make", [*RASTERS, *TABLES], ids=lambda make: make.__name__)
def test_no_file_is_left_out_that_gdal_names(make, tmp_path):
    source, _ = make(tmp_path)
    told = {name for name in told_by_gdal(source) if Path(name).is_file()}
    assert str(source) in told or source.is_dir()
    assert told <= {str(file) for file in SourceDigests().files(source)}
