"""Pictures of tiles in a page: true to the run's rasters or not shown; and the order that they are looked at in."""

import io
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import made_run
import numpy as np
import pandas as pd
import pytest
from made_run import make_run
from pages import page_of
from PIL import Image
from rasters import write_raster
from rio_tiler.constants import WEB_MERCATOR_TMS

from geo.sources.digest import digest_source
from tasks.explore.imagery import seen
from tasks.explore.imagery.kept import Kept
from tasks.explore.imagery.together import Together
from tasks.explore.order import NO_TYPE, likeness_of_tiles, order_tiles
from tasks.results import cutting

LEFT, TOP = 411_950.0, 273_450.0


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Where the run is made once."""
    return tmp_path_factory.mktemp("made") / "grid"


@pytest.fixture
def folder(made, grid_city, tmp_path, monkeypatch):
    """A run of the grid on two rasters, one darker than the other; a copy for each test."""
    monkeypatch.setattr(cutting, "LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr(seen, "AGAIN_S", 0.0)
    if not made.exists():
        make_on_imagery(grid_city, made, monkeypatch)
    return shutil.copytree(made, tmp_path / "grid", symlinks=True) / made_run.RUN_ID


def make_on_imagery(grid_city, city, monkeypatch):
    (city / "imagery").mkdir(parents=True)
    (city / "roads.gpkg").write_bytes(b"")
    inputs = {}
    for name, value, west in (("west", 60, LEFT), ("east", 180, LEFT + 250)):
        pixels = np.full((3, 500, 250), value, dtype=np.uint8)
        path = write_raster(city / "imagery" / f"{name}.tif", pixels, west=west, north=TOP, crs=27700)
        inputs[f"input imagery/{name}.tif"] = digest_source(path)
    plain = made_run.facts
    rows = pd.DataFrame(inputs.items(), columns=["key", "value"])
    monkeypatch.setattr(made_run, "facts", lambda: pd.concat([plain(), rows], ignore_index=True))
    tiles = grid_city.layers["tiles"]
    middle = tiles.geometry.centroid.x - LEFT
    names = np.select([middle < 225, middle > 275], ["west", "east"], "west;east")
    grid_city.layers["tiles"] = tiles.assign(image_id=names, thumbnail=None, encoded=True)
    make_run(grid_city, city)


@pytest.fixture
def asked(folder, tmp_path):
    return page_of(folder, tmp_path / "kept")


def light(answer):
    assert answer.headers["content-type"] == "image/jpeg"
    return float(np.asarray(Image.open(io.BytesIO(answer.content))).mean())


def row_on(asked, name):
    return int(np.flatnonzero(asked.page.tiles["image_id"] == name)[0])


def rewrite(folder, value):
    file = folder.parent / "imagery" / "west.tif"
    write_raster(file, np.full((3, 500, 250), value, dtype=np.uint8), west=LEFT, north=TOP, crs=27700)


def test_pictures_show_the_raster_under_the_tile_and_the_road_on_it(asked):
    assert light(asked.get(f"tile/{row_on(asked, 'west')}")) == pytest.approx(60, abs=2)
    assert light(asked.get(f"tile/{row_on(asked, 'east')}")) == pytest.approx(180, abs=2)
    assert 60 < light(asked.get(f"tile/{row_on(asked, 'west;east')}")) < 180
    large = asked.get(f"tile/{row_on(asked, 'west')}?large=1")
    assert Image.open(io.BytesIO(large.content)).size == (512, 512)
    lined = np.asarray(Image.open(io.BytesIO(asked.get(f"tile/{row_on(asked, 'west')}?line=1").content)), int)
    assert lined.shape == (256, 256, 3)
    assert (lined[..., 0] - lined[..., 2] > 100).any()


def test_what_is_kept_is_found_again_and_never_stands_for_another_raster(asked, folder, tmp_path):
    row = row_on(asked, "west")
    first = asked.get(f"tile/{row}").content
    again = page_of(folder, tmp_path / "kept")
    assert again.get(f"tile/{row}").content == first
    rewrite(folder, 90)
    changed = again.get(f"tile/{row}")
    assert changed.status_code == 410
    assert "is not the file that the run was made from" in changed.json()["what"]
    # what lies on the other raster stays
    assert again.get(f"tile/{row_on(again, 'east')}").status_code == 200
    rewrite(folder, 60)
    assert again.get(f"tile/{row}").content == first


def test_imagery_that_is_gone_is_told_and_found_when_it_is_back(asked, folder):
    row, file = row_on(asked, "west"), folder.parent / "imagery" / "west.tif"
    assert asked.get("imagery.json").json()["imagery"] is True
    file.rename(file.with_suffix(".away"))
    gone = asked.get(f"tile/{row}")
    assert gone.status_code == 410
    assert "west is there any more" in gone.json()["what"]
    assert asked.get(f"tile/{row}.json").json()["why"] == gone.json()["what"].split(": ", 1)[1]
    told = asked.get("imagery.json").json()
    assert told["imagery"] is True
    assert told["note"] == "1 of 2 rasters cannot be shown"
    file.with_suffix(".away").rename(file)
    assert asked.get(f"tile/{row}").status_code == 200


def test_a_run_without_its_imagery_opens_and_says_so(folder, tmp_path):
    for file in (folder.parent / "imagery").iterdir():
        file.unlink()
    page = page_of(folder, tmp_path / "kept")
    assert page.get("imagery.json").json()["imagery"] is False
    assert page.get("imagery/17/64893/43055").status_code == 410
    assert page.get("tile/0").status_code == 410
    assert page.get("gallery.json").status_code == 200


def test_the_map_shows_the_rasters_and_nothing_elsewhere(asked):
    told = asked.get("imagery.json").json()
    west, south, east, north = told["bounds"]
    tile = WEB_MERCATOR_TMS.tile(west + (east - west) / 4, (south + north) / 2, told["zooms"][1] + 3)
    answer = asked.get(f"imagery/{tile.z}/{tile.x}/{tile.y}")
    assert light(answer) == pytest.approx(60, abs=2)
    assert asked.get(f"imagery/{tile.z}/{tile.x}/{tile.y}").content == answer.content
    assert asked.get(f"imagery/{tile.z}/0/0").status_code == 204
    assert asked.get("imagery/2/1/1").status_code == 204
    for address in ("imagery/99/0/0", "imagery/17/-1/0", "imagery/17/x/0", f"imagery/17/{2**40}/0"):
        assert asked.get(address).status_code == 422


@pytest.mark.parametrize(
    "address", ["tile/999999", "tile/-1", "gallery.json?like=-3", "gallery.json?segment=4000"]
)
def test_what_there_is_not_is_told(asked, address):
    answer = asked.get(address)
    assert answer.status_code == 404
    assert "there is no" in answer.json()["what"]


@pytest.mark.parametrize(
    "query", ["type=x", "type=-1", "sort=rates", "type='; DROP TABLE kept; --", "like=1e9"]
)
def test_what_is_no_question_is_refused(asked, query):
    assert asked.get(f"gallery.json?{query}").status_code == 422


def test_a_type_is_ordered_by_how_doubtful_its_roads_are(asked):
    found = asked.get("gallery.json?type=2").json()
    segments = asked.page.segments
    assert set(segments["cluster"].iloc[found["segments"]]) == {2}
    assert found["values"] == sorted(found["values"])
    last = asked.get("gallery.json?type=2&last=true").json()
    assert last["tiles"] == found["tiles"][::-1]
    assert asked.get("gallery.json?type=none").json()["tiles"] == []
    everything = asked.get("gallery.json").json()
    assert sorted(everything["tiles"]) == list(range(len(asked.page.tiles)))


def test_likeness_begins_with_the_tile_itself_and_keeps_to_its_type(asked):
    row = asked.get("gallery.json?type=1&sort=street").json()["tiles"][4]
    found = asked.get(f"gallery.json?sort=likeness&like={row}").json()
    assert found["tiles"][0] == row
    assert found["values"][0] == pytest.approx(1)
    types = asked.page.segments["cluster"].iloc[found["segments"][:10]]
    assert (types == 1).mean() > 0.8
    middle = asked.get("gallery.json?type=1&sort=likeness").json()
    assert middle["values"] == sorted(middle["values"], reverse=True)


def frames():
    tiles = pd.DataFrame(
        {
            "segment_id": ["a", "a", "b", "c", "lost", "d"],
            "position_m": [75.0, 25.0, 50.0, 50.0, 0.0, 10.0],
            "encoded": [True, True, True, True, True, False],
        }
    )
    segments = pd.DataFrame(
        {
            "segment_id": ["a", "b", "c", "d"],
            "name": ["Zoo Lane", None, "<b>Abbey</b>", "O'Hara's \"Way\""],
            "cluster": pd.array([1, None, 2, 1], dtype="Int64"),
            "cluster_margin": [0.4, np.nan, 0.1, 0.2],
        }
    )
    return tiles, segments


def test_what_is_not_known_comes_last_whichever_way_the_order_runs():
    tiles, segments = frames()
    first = order_tiles(tiles, segments, sort="margin")
    last = order_tiles(tiles, segments, sort="margin", last_first=True)
    assert first.tiles.tolist() == [3, 1, 0, 2]
    assert last.tiles.tolist() == [1, 0, 3, 2]
    assert first.unseen == 1


def test_streets_follow_their_names_and_tiles_their_road():
    tiles, segments = frames()
    assert order_tiles(tiles, segments, sort="street").tiles.tolist() == [3, 1, 0, 2]
    assert order_tiles(tiles, segments, sort="street", only=3).tiles.tolist() == [5]


def test_roads_without_a_type_and_runs_without_margins_are_looked_at_too():
    tiles, segments = frames()
    assert order_tiles(tiles, segments, sort="margin", kind=NO_TYPE).tiles.tolist() == [2]
    bare = segments[["segment_id"]]
    found = order_tiles(tiles.drop(columns="encoded").assign(image_id="x"), bare, sort="margin", kind=NO_TYPE)
    assert found.tiles.tolist() == [1, 0, 2, 3, 5]
    assert np.isnan(found.by).all()
    assert order_tiles(tiles, segments, sort="likeness").tiles.tolist() == [3, 1, 0, 2]


def test_likeness_is_the_cosine_with_the_middle():
    points = np.array([[1.0, 0], [0, 2.0], [3.0, 3.0]])
    found = likeness_of_tiles(points, np.array([0, 1, 2, -1]), np.array([0, 1, 3]))
    assert found[:3] == pytest.approx([2**-0.5, 2**-0.5, 1])
    assert np.isnan(found[3])
    assert np.isnan(likeness_of_tiles(points, np.array([0, -1]), np.array([1]))).all()


def test_no_more_is_kept_than_may_be(tmp_path):
    other = tmp_path / "other.pictures"
    other.write_bytes(bytes(2**20 + 1))
    kept = Kept(tmp_path, "mine", limit_mb=1)
    assert not other.exists()
    for start in range(0, 100, 10):
        kept.put({number: bytes([number]) * 30_000 for number in range(start, start + 10)})
    there = kept.has(range(100))
    assert 20 <= len(there) <= 2**20 // 30_000
    assert there == set(range(min(there), 100))
    assert kept.get(99) == bytes([99]) * 30_000
    assert kept.get(0) is None


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\x00" + bytes(50)])
def test_what_cannot_be_kept_is_made_each_time(folder, tmp_path, content):
    place = tmp_path / "kept"
    page = page_of(folder, place)
    assert page.get("tile/0").status_code == 200
    for file in place.iterdir():
        file.write_bytes(content)
    assert page_of(folder, place).get("tile/0").status_code == 200
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    assert page_of(folder, blocked).get("tile/0").status_code == 200


def test_what_many_ask_for_at_once_is_made_together():
    calls, asking = [], Barrier(20)

    def make(numbers):
        calls.append(list(numbers))
        # until the others wait for it
        until = time.monotonic() + 30
        while len(calls) == 1 and len(together._waiting) < 20 - len(numbers) and time.monotonic() < until:
            time.sleep(0.01)
        return {number: number * 2 for number in numbers}

    def ask(number):
        asking.wait(30)
        return together.ask(number)

    together = Together(make, most=8, leaders=1)
    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(ask, range(20))) == [2 * n for n in range(20)]
    assert sorted(number for numbers in calls for number in numbers) == list(range(20))
    assert len(calls) <= 4
