"""The page of a run: who may ask, and what is told."""

import shutil
from urllib.parse import quote

import mapbox_vector_tile
import numpy as np
import pandas as pd
import pytest
from made_run import make_run
from pages import ORIGIN, PORT, TOKEN, page_of

from flows.explore.kept import Kept
from geo.outputs.layers.arrange import empty_layer
from tasks.explore.outcome import OUTCOME


@pytest.fixture(scope="module")
def made(make_grid, tmp_path_factory):
    """The run of the grid, for all who change nothing."""
    return make_run(make_grid(), tmp_path_factory.mktemp("pages") / "grid")


@pytest.fixture(scope="module")
def asked(made, tmp_path_factory):
    return page_of(made, tmp_path_factory.mktemp("kept"))


def test_the_page_says_which_run_it_shows(asked):
    about = asked.get("about.json").json()
    assert about["city"] == "grid"
    assert about["counts"]["segments"] == 40
    west, south, east, north = about["bounds"]
    assert -2 < west < east < -1
    assert 52 < south < north < 53


@pytest.mark.parametrize(
    "address",
    [
        f"{ORIGIN}/about.json",
        f"{ORIGIN}/",
        f"{ORIGIN}/{TOKEN}x/about.json",
        f"{ORIGIN}/{TOKEN}",
        f"{ORIGIN}/é/",
    ],
)
def test_who_does_not_know_the_address_learns_nothing(asked, address):
    answer = asked.get(address)
    assert answer.status_code == 404
    assert "grid" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": f"evil.example:{PORT}"},
        {"host": "127.0.0.1"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"https://127.0.0.1:{PORT}"},
    ],
)
def test_no_other_host_and_no_other_origin_is_answered(asked, headers):
    answer = asked.get("about.json", headers=headers)
    assert answer.status_code in {403, 421}
    assert "grid" not in answer.text
    assert "access-control-allow-origin" not in answer.headers


def test_every_answer_says_what_a_browser_is_to_keep_to(asked):
    for address in ("about.json", "", "nothing", f"{ORIGIN}/"):
        headers = asked.get(address).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_a_page_for_reading_writes_nothing(asked):
    for address in ("said.json", "types/1.json", "undo.json", "concepts.json", "about.json"):
        answer = asked.post(address, json={})
        assert answer.status_code == 403
        assert "--edit" in answer.json()["todo"]


def test_a_run_that_is_replaced_meanwhile_is_told(made, tmp_path):
    folder = shutil.copytree(made.parent, tmp_path / "grid", symlinks=True) / made.name
    asked = page_of(folder, tmp_path / "kept")
    assert asked.get("changed.json").json() | {"version": ""} == {
        "changed": False,
        "newer": None,
        "version": "",
    }
    (folder / "run.json").write_text("{}")
    assert asked.get("changed.json").json()["changed"]
    # what was not read before is not read from another run
    for address in ("about.json", "segment/1.json", "segments/0/0/0.pbf", "columns/cluster.json"):
        answer = asked.get(address)
        assert answer.status_code == 400
        assert "replaced or removed" in answer.json()["what"]


def test_a_newer_run_of_the_city_is_told(made, tmp_path):
    city = shutil.copytree(made.parent, tmp_path / "grid", symlinks=True)
    asked = page_of(city, tmp_path / "kept")
    (city / "latest").unlink()
    (city / "latest").symlink_to("ba9876543210")
    assert asked.get("changed.json").json()["newer"] == "ba9876543210"


def test_a_segment_is_told_with_its_figures_their_intervals_and_why_it_has_no_type(asked, make_grid):
    segments = make_grid().layers["segments"]
    one = asked.get("segment/1.json").json()
    figures = {row["name"]: row for row in one["rows"]}
    shown = figures["ksi_per_km_year"]
    assert one["segment_id"] == segments["segment_id"][1]
    assert one["name"] == "<b>Bold & Sons</b> Road"
    assert shown["value"] == segments["ksi_per_km_year"][1]
    assert shown["interval"] == [segments[f"ksi_per_km_year_{end}"][1] for end in ("low", "high")]
    assert shown["title"] == "KSI per km and year"
    assert figures["length_m"] | {"value": 0} == {
        "name": "length_m",
        "title": "Length",
        "unit": "m",
        "value": 0,
        "interval": None,
        "note": None,
        "outcome": False,
    }
    assert "ksi_per_km_year_low" not in figures
    assert asked.get("segment/9.json").json()["untyped"] == "no imagery"
    alike = [asked.page.segments["segment_id"][other["segment"]] for other in one["alike"]]
    assert alike == segments["looks_like"][1].split(";")


def test_columns_are_in_row_order_and_null_where_nothing_is_known(asked, make_grid):
    segments = make_grid().layers["segments"]
    assert asked.get("columns/segment_id.json").json() == segments["segment_id"].tolist()
    types = asked.get("columns/cluster.json").json()
    assert types == [None if i % 10 == 9 else 1 + i % 3 for i in range(40)]
    margin = asked.get("columns/cluster_margin.json").json()
    assert [value is None for value in margin] == segments["cluster_margin"].isna().tolist()
    assert margin[1] == pytest.approx(segments["cluster_margin"][1])
    network = asked.get("columns/in_high_injury_network.json").json()
    assert network == [i % 5 == 0 for i in range(40)]
    for name in ("geometry", "nothing", "%3Cscript%3E", "x" * 2000):
        assert asked.get(f"columns/{name}.json").status_code == 404


def test_the_segment_at_a_place_is_found_by_its_middle_and_nothing_far_from_roads(asked):
    lons, lats = (asked.get(f"columns/{name}.json").json() for name in ("lon", "lat"))
    for row in (0, 17, 39):
        assert asked.get("at.json", params={"lon": lons[row], "lat": lats[row]}).json()["segment"] == row
    (there, here) = asked.get("lines.json?rows=17,3").json()["lines"]
    assert there == asked.get("segment/17.json").json()["line"]
    assert here[0] == pytest.approx([lons[3], lats[3]], abs=1e-3)
    for rows in ("40", "-1", "a", "1" * 5000, ",".join("1" * 501)):
        assert asked.get("lines.json", params={"rows": rows}).status_code == 404
    for lon, lat in ((0, 0), (200, 10), ("nan", 1), (0, 90)):
        assert asked.get("at.json", params={"lon": lon, "lat": lat}).status_code == 404


def test_collisions_say_why_they_are_not_placed_and_counts_are_those_of_the_layer(grid_city, tmp_path):
    segments, collisions = grid_city.layers["segments"], grid_city.layers["collisions"]
    on = np.arange(len(collisions)) % 40
    lost = collisions["snap_status"] != "matched"
    collisions["segment_id"] = segments["segment_id"].to_numpy()[on]
    collisions.loc[lost, "segment_id"] = None
    collisions["source_year"] = pd.array([2017] * 60, dtype="Int64")
    collisions["pedestrian"] = pd.array([i % 3 == 0 if i % 5 else None for i in range(60)], dtype="boolean")
    asked = page_of(make_run(grid_city, tmp_path / "grid"), tmp_path / "kept")
    assert asked.get("collision/19.json").json()["why"] == "no coordinates that can be used"
    # whose record tells no day, but a year
    assert [asked.get("collision/19.json").json()[name] for name in ("date", "year")] == [None, 2017]
    assert asked.get("collision/0.json").json()["users"] is None
    assert asked.get("collision/2.json").json()["users"] == []
    assert asked.get("collision/3.json").json() | {"lon": 0, "lat": 0} == {
        "collision": 3,
        "collision_id": "20230003",
        "date": "2019-07-02",
        "time": "00:30",
        "year": 2019,
        "severity": None,
        "casualties": 1,
        "users": ["pedestrian"],
        "status": "matched",
        "why": None,
        "segment": 3,
        "junction": None,
        "metres": 2.5,
        "lon": 0,
        "lat": 0,
    }
    meant = collisions[
        ~lost & collisions["pedestrian"].fillna(value=False) & (collisions["severity"] == "slight")
    ]
    expected = meant["segment_id"].value_counts().reindex(segments["segment_id"], fill_value=0)
    assert asked.get("counts.json?users=pedestrian&severities=slight").json() == expected.tolist()
    assert sum(asked.get("counts.json?years=2019,2020").json()) == int(
        (~lost & (collisions["date"].dt.year < 2021)).sum()
    )
    assert asked.get("counts.json?users=horse").status_code == 404
    assert asked.get("counts.json?severities=unhurt").status_code == 404
    assert asked.get("counts.json?years=drop table").status_code == 404


def test_collisions_that_hurt_nobody_are_no_collisions_of_unknown_severity(grid_city, tmp_path):
    collisions = grid_city.layers["collisions"]
    collisions["severity_known"] = True
    asked = page_of(make_run(grid_city, tmp_path / "grid"), tmp_path / "kept")
    assert asked.get("collision/3.json").json()["severity"] == "unhurt"
    about = asked.get("about.json").json()
    assert about["severities"][-1] == "unhurt"
    assert about["untold"]["severity"] == 0
    assert sum(asked.get("counts.json?severities=unhurt").json()) == sum(
        collisions["severity"].isna()
        & collisions["segment_id"].notna()
        & collisions["snap_status"].eq("matched")
    )


@pytest.mark.parametrize(
    "address",
    [
        "segment/40.json",
        "segment/-1.json",
        "segment/9999999999999999999999.json",
        "collision/60.json",
        "segments/3/9/0.pbf",
        "segments/99/0/0.pbf",
        "segments/-1/0/0.pbf",
        "segments/a/0/0.pbf",
        "../../../etc/passwd",
        "js/..%2f..%2f..%2fapp.py",
        "segment/1.json%00",
        "%2e%2e/app.py",
    ],
)
def test_what_is_not_there_is_told_and_nothing_breaks(asked, address):
    answer = asked.get(address)
    assert answer.status_code in {404, 422}
    assert "Traceback" not in answer.text


def test_while_types_are_corrected_nothing_tells_of_collisions_unless_asked_for(made, tmp_path):
    asked = page_of(made, tmp_path / "kept", edit=True)
    blind = asked.get("segment/1.json").json()
    assert blind["blind"]
    assert not {"n_ksi", "ksi_per_km_year_eb", "rank", "gi_star_spot"} & {
        row["name"] for row in blind["rows"]
    }
    for address in (
        "collision/0.json",
        "counts.json",
        "columns/n_ksi.json",
        "collisions/0/0/0.pbf",
        "columns/in_high_injury_network.json",
    ):
        assert asked.get(address).status_code == 403
        assert asked.get(f"{address}?collisions=page-0001").status_code == 200
    seeing = asked.get("segment/1.json?collisions=page-0001").json()
    assert "n_ksi" in {row["name"] for row in seeing["rows"]}


def test_an_error_that_nobody_foresaw_shows_no_traceback(asked, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError("secret of the inside")

    monkeypatch.setattr("flows.explore.routes.network.card", fail)
    answer = asked.get("segment/1.json")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_hostile_names_ids_and_columns_are_data(grid_city, tmp_path):
    hostile = [
        "</script><script>alert(1)</script>",
        "' OR 1=1; --",
        "..\\../%2e%2e/\x01\x7f\u202e",
        "x" * 10_000,
    ]
    segments, column = grid_city.layers["segments"], "src_<img src=x onerror=alert(1)>/..?#%"
    segments.loc[:3, "name"] = hostile
    segments.loc[:3, "road_class"] = hostile
    segments[column] = hostile[0]
    ids = segments["segment_id"].tolist()
    segments["segment_id"] = [f"{hostile[0]}{at}" for at in ids]
    segments["looks_like"] = None
    tiles = grid_city.layers["tiles"]
    tiles["segment_id"] = [f"{hostile[0]}{at}" for at in tiles["segment_id"]]
    asked = page_of(make_run(grid_city, tmp_path / "grid"), tmp_path / "kept")
    about = asked.get("about.json")
    assert about.headers["content-type"].startswith("application/json")
    assert column[:60] in "".join(one["title"] + one["name"] for one in about.json()["columns"])
    assert asked.get(f"columns/{quote(column, safe='')}.json").json() == [hostile[0]] * 40
    for row in range(4):
        one = asked.get(f"segment/{row}.json").json()
        assert one["segment_id"].startswith(hostile[0])
        assert one["name"] == hostile[row]
    drawn = mapbox_vector_tile.decode(asked.get("segments/0/0/0.pbf").content)["segments"]["features"]
    assert [one["id"] for one in drawn] == list(range(40))


def test_a_run_without_records_types_and_imagery_shows_its_roads_and_says_what_is_missing(
    grid_city, tmp_path
):
    layers = grid_city.layers
    segments = layers["segments"]
    of_looks = {"cluster", "cluster_margin", "n_tiles", "looks_like", "shown_tile"}
    for name in of_looks | (OUTCOME & set(segments.columns)):
        segments[name] = segments[name].where(pd.Series(data=False, index=segments.index))
    layers["segments"] = segments.copy()
    for name in ("collisions", "clusters", "tiles", "windows"):
        layers[name] = empty_layer(name, grid_city.crs)
    write = make_run(grid_city, tmp_path / "grid")
    for place in (write, shutil.copy(write / "grid.gpkg", tmp_path / "alone.gpkg")):
        asked = page_of(place, tmp_path / "kept")
        about = asked.get("about.json").json()
        assert not about["imagery"]
        assert (about["types"], about["years"], about["users"], about["severities"]) == ([], [], [], [])
        assert any("no records of collisions" in said for said in about["note"])
        assert any("read no imagery" in said for said in about["note"])
        one = asked.get("segment/0.json").json()
        assert one["type"] is None
        assert one["tiles"] == one["collisions"] == one["alike"] == []
        assert asked.get("collisions/0/0/0.pbf").status_code == 204
        assert asked.get("segments/0/0/0.pbf").status_code == 200
        assert asked.get("counts.json").json() == [0] * 40
        assert asked.get("columns/cluster.json").json() == [None] * 40
    assert any("GeoPackage alone" in said for said in about["note"])


def test_tiles_are_made_once_and_those_asked_for_longest_ago_go_first():
    made, kept = [], Kept(10)

    def give(key, size):
        def make():
            made.append(key)
            return bytes(size)

        return len(kept.get(key, make))

    assert [give("a", 4), give("b", 4), give("a", 4), give("c", 4), give("a", 4), give("b", 4)] == [4] * 6
    assert made == ["a", "b", "c", "b"]
    # what is larger than all that is kept is given, and not kept
    assert give("large", 11) == give("large", 11) == 11
    assert made[4:] == ["large", "large"]
    assert give("a", 4) == 4
    assert made[-1] == "large"
