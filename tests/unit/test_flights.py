"""Whether types follow the flight of the imagery: what a flight is, and what is said of it."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from scipy.stats import entropy
from sklearn.metrics import normalized_mutual_info_score
from sklearn.neighbors import KNeighborsClassifier

from geo.clusters.flights import likeness
from geo.clusters.flights.centring import centre
from geo.clusters.flights.edges import edge_warnings
from geo.clusters.flights.evidence import by_segment, gather_evidence
from geo.clusters.flights.following import follow, normalised_information
from geo.clusters.flights.likeness import alike, compare
from geo.config import Imagery
from geo.errors import LayerError, SourceError
from geo.imagery.flights.footprints import of_several
from geo.imagery.flights.naming import flight_of

FLIGHTS = {"west": 0, "east": 20_000}


def of_length_1(points):
    return points / np.linalg.norm(points, axis=1, keepdims=True)


@pytest.fixture
def town():
    """Two flights 20 km apart, three classes of road that look different, segments 600 m from each other."""
    rng = np.random.default_rng(3)
    n = 90
    rows = []
    for flight, west in FLIGHTS.items():
        place = np.arange(n)
        rows.append(
            pd.DataFrame(
                {
                    "flight": flight,
                    "road_class": np.array(["primary", "secondary", "residential"])[place % 3],
                    "x": west + 600.0 * (place % 10),
                    "y": 600.0 * (place // 10),
                    "length_m": 100.0,
                }
            )
        )
    roads = pd.concat(rows, ignore_index=True)
    looks = np.eye(3)[pd.factorize(roads["road_class"])[0]]
    points = of_length_1(np.hstack([looks, np.zeros((2 * n, 3))]) + rng.normal(scale=0.25, size=(2 * n, 6)))
    return roads.assign(cluster=pd.factorize(roads["road_class"])[0] + 1), points


def hazed(roads, points, strength=3.0):
    """Move all that the second flight shows."""
    shift = strength * (roads["flight"] == "east").to_numpy()[:, None] * np.eye(points.shape[1])[5]
    return of_length_1(points + shift)


def test_mutual_information_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(5):
        types, flights = rng.integers(0, 6, 200), rng.integers(0, 3, 200)
        types = np.where(rng.random(200) < 0.4, flights, types)
        counts = pd.crosstab(types, flights).to_numpy(dtype=float)
        assert normalised_information(counts) == pytest.approx(normalized_mutual_info_score(types, flights))
    assert entropy([0.5, 0.5]) > 0
    assert normalised_information(np.array([[3.0, 4.0]])) == 0


def test_types_that_are_flights_are_told_from_types_that_are_not(town):
    roads, _ = town
    innocent = follow(roads, seed=0)
    assert innocent.nmi <= innocent.chance_high
    assert innocent.of_one_flight.empty
    flown = follow(roads.assign(cluster=pd.factorize(roads["flight"])[0] + 1), seed=0)
    assert flown.nmi == pytest.approx(1)
    assert flown.p_value == pytest.approx(1 / 200)
    assert flown.of_one_flight["top_flight"].tolist() == ["west", "east"]


def test_a_flight_that_shows_one_class_alone_is_no_sign_that_its_type_is_of_the_flight(town):
    """Motorways are in one flight only: shuffled within road class, they are there in every shuffle."""
    roads, _ = town
    west = roads["flight"] == "west"
    classes = np.where(west & (roads["road_class"] == "primary"), "motorway", "residential")
    found = follow(roads.assign(road_class=classes, cluster=np.where(classes == "motorway", 1, 2)), seed=0)
    first = found.types.iloc[0]
    assert (first["top_flight_share"], first["by_chance"]) == (1.0, 1.0)
    assert found.of_one_flight.empty
    assert found.nmi <= found.chance_high + 1e-9


def test_the_share_of_a_type_in_a_flight_is_by_length():
    roads = pd.DataFrame({"cluster": 1, "flight": ["a", "b"], "road_class": None, "length_m": [30.0, 10.0]})
    assert follow(roads, seed=0).types.iloc[0].to_dict() == {
        "cluster": 1,
        "top_flight": "a",
        "top_flight_share": 0.75,
        "by_chance": pytest.approx(follow(roads, seed=1).types["by_chance"].iloc[0], abs=0.2),
    }


def test_neighbours_mix_where_flights_look_the_same_and_keep_apart_where_they_do_not(town):
    roads, points = town
    assert alike(points, roads).mixing == pytest.approx(1, abs=0.15)
    assert alike(hazed(roads, points), roads).mixing < 0.1


def test_transfer_is_what_a_classifier_of_scikit_learn_finds_in_the_other_flight(town):
    """Classes are of one size, so votes count alike; all of the other flight is far enough away."""
    roads, points = town
    right = np.zeros(len(roads), dtype=bool)
    for flight in FLIGHTS:
        mine = (roads["flight"] == flight).to_numpy()
        other = KNeighborsClassifier(n_neighbors=5, metric="cosine").fit(
            points[~mine], roads.loc[~mine, "road_class"]
        )
        right[mine] = other.predict(points[mine]) == roads.loc[mine, "road_class"]
    found = alike(points, roads)
    assert found.transfer == pytest.approx(right.mean(), abs=0.02)
    assert found.transfer > 0.8 > found.chance


def test_neighbours_are_none_within_the_distance_that_keeps_blocks_apart(town, monkeypatch):
    roads, points = town
    near = roads.assign(x=roads["x"] / 1000, y=roads["y"] / 1000)
    found = alike(
        points, near[near["flight"] == "west"].assign(flight=["a", "b", "b"] * 30).reset_index(drop=True)
    )
    assert found is None
    monkeypatch.setattr(likeness, "APART_M", 0.0)
    assert alike(points, near) is not None


def test_a_correction_that_lowers_transfer_is_undone_and_one_that_changes_nothing_is_not(town):
    roads, points = town
    good, bad = (
        alike(points, roads),
        alike(of_length_1(np.random.default_rng(1).normal(size=points.shape)), roads),
    )
    worse = compare(good, bad, seed=0)
    assert worse.undone
    assert worse.high < 0
    assert worse.difference == pytest.approx(bad.transfer - good.transfer)
    assert not compare(bad, good, seed=0).undone
    same = compare(good, good, seed=0)
    assert (same.difference, same.low, same.high, same.undone) == (0, 0, 0, False)


def test_what_cannot_be_told_is_said_and_no_figure_is_given(town):
    roads, points = town
    for odd in (
        roads.assign(road_class=None),
        roads.assign(flight=["one", *(["other"] * (len(roads) - 1))]),
        roads.assign(flight=[str(i) for i in range(len(roads))]),
    ):
        found = gather_evidence(odd, points, seed=0)
        assert found.figures()["transfer"] is None
        assert "cannot be told" in found.notes()[1]
    alone = gather_evidence(roads.assign(flight="only"), points, seed=0)
    assert (alone.notes(), alone.warnings(), alone.figures()["transfer"]) == ([], [], None)


def test_a_flight_that_is_of_one_colour_has_a_defined_answer(town):
    roads, points = town
    points = points.copy()
    points[(roads["flight"] == "east").to_numpy()] = 0
    found = gather_evidence(roads, points, seed=0).figures()
    assert 0 <= found["transfer"] <= 1
    assert found == gather_evidence(roads, points, seed=0).figures()


def test_a_type_of_one_flight_is_warned_of_by_name(town):
    roads, points = town
    flown = roads.assign(cluster=pd.factorize(roads["flight"])[0] + 1)
    first, second = gather_evidence(flown, points, seed=0).warnings()
    assert first.startswith("type 1 is of one flight: 100% of its length is of 'west'")
    assert "'east'" in second


def test_a_segment_is_of_the_flight_that_shows_most_of_it():
    tiles = pd.DataFrame(
        {
            "segment_id": ["s", "s", "t", "u"],
            "image_id": ["a", "b;a", "a", "elsewhere"],
            "coverage": [0.5, 0.9, 1.0, 1.0],
        }
    )
    assert by_segment(tiles, {"a": "2020", "b": "2021"}).to_dict() == {"s": "2021", "t": "2020"}


def sheets(names, dates=None, width=1000.0, gap=0.0):
    """Rasters of 1 m in a row, from west to east."""
    west = [i * (width + gap) for i in range(len(names))]
    return gpd.GeoDataFrame(
        {
            "image_id": [name.rpartition("/")[2].removesuffix(".tif") for name in names],
            "path": names,
            "date": dates or [""] * len(names),
            "pixel_m": 1.0,
            "crs": pyproj.CRS(27700).to_wkt(),
            "transform": [[1.0, 0.0, x, 0.0, -1.0, 1000.0] for x in west],
        },
        geometry=[shapely.box(x, 0, x + width, 1000) for x in west],
        crs=27700,
    )


def named(images, **settings):
    return flight_of(images, Imagery(sources=["x"], **settings)).tolist()


def test_a_flight_is_the_date_else_the_folder_else_the_file():
    assert named(sheets(["x/a.tif", "x/b.tif"], ["2021-05-03", "2022"])) == ["2021-05-03", "2022"]
    assert named(sheets(["p/a.tif", "p/b.tif", "q/a.tif"])) == ["p", "p", "q"]
    assert named(sheets(["p/x/a.tif", "q/x/a.tif"])) == ["p/x", "q/x"]
    assert named(sheets(["x/east.tif", "x/west.tif"])) == ["east", "west"]
    assert named(sheets(["p/a.tif", "q/b.tif"], ["2021", ""])) == ["2021", "q"]


def test_numbered_sheets_that_adjoin_are_one_flight():
    names = ["x/SU4012.tif", "x/SU4112.tif", "x/SU4212.tif"]
    assert named(sheets(names)) == ["SU4012"] * 3
    assert named(sheets(names, gap=500.0)) == ["SU4012", "SU4112", "SU4212"]
    assert named(sheets(names), flight="file") == ["SU4012", "SU4112", "SU4212"]
    # so few digits are no grid of sheets
    assert named(sheets(["x/flight1.tif", "x/flight2.tif"])) == ["flight1", "flight2"]


def test_sheets_that_meet_at_a_corner_alone_do_not_adjoin():
    images = sheets(["x/SU4012.tif", "x/SU4113.tif"])
    images.loc[1, "geometry"] = shapely.box(1000, 1000, 2000, 2000)
    assert named(images) == ["SU4012", "SU4113"]


@pytest.fixture
def outlines(tmp_path):
    """Two flights over four sheets, one of them nameless, and a field that names files."""
    file = tmp_path / "flights.gpkg"
    gpd.GeoDataFrame(
        {"day": pd.to_datetime(["2021-05-03", "2022-06-01", None]), "strip": [7.0, 8.0, 9.0]},
        geometry=[
            shapely.box(0, 0, 1800, 1000),
            shapely.box(1800, 0, 3000, 1000),
            shapely.box(3000, 0, 4000, 1000),
        ],
        crs=27700,
    ).to_crs(4326).to_file(file)
    return str(file)


def test_outlines_name_the_flight_by_most_of_a_raster_and_what_they_leave_open_is_named_otherwise(outlines):
    images = sheets(["x/a.tif", "x/b.tif", "x/c.tif", "x/d.tif"])
    assert named(images, footprints=outlines, flight_field="day") == [
        "2021-05-03",
        "2021-05-03",
        "2022-06-01",
        "d",
    ]
    assert named(images, footprints=outlines, flight_field="strip") == ["7", "7", "8", "9"]
    assert of_several(images, outlines, "day") == ["b"]


def test_stac_items_name_flights_by_the_file_or_by_place(tmp_path):
    def item(name, day, west):
        ring = [[west, 0], [west + 1000, 0], [west + 1000, 1000], [west, 1000], [west, 0]]
        corners = gpd.GeoSeries([shapely.Polygon(ring)], crs=27700).to_crs(4326).iloc[0]
        return {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": name,
            "geometry": shapely.geometry.mapping(corners),
            "properties": {"datetime": day, "file": f"{name}.tif"},
            "links": [],
            "assets": {"image": {"href": f"./{name}.tif"}},
        }

    # by place they would be the other way round
    found = {
        "type": "FeatureCollection",
        "features": [item("b", "2021-05-03T10:00:00Z", 0), item("a", None, 1000)],
    }
    file = tmp_path / "items.json"
    file.write_text(json.dumps(found))
    images = sheets(["x/a.tif", "x/b.tif"])
    assert named(images, footprints=str(file), flight_field="datetime") == ["a", "2021-05-03"]
    one = tmp_path / "item.json"
    one.write_text(json.dumps(item("elsewhere", "2022-01-01T00:00:00Z", 1000)))
    assert named(images, footprints=str(one), flight_field="datetime") == ["a", "2022-01-01"]


def test_outlines_that_cannot_be_used_are_refused_in_words(outlines, tmp_path):
    images = sheets(["x/a.tif"])
    with pytest.raises(LayerError, match="no field 'when', only day, strip"):
        named(images, footprints=outlines, flight_field="when")
    with pytest.raises(SourceError, match="cannot be read"):
        named(images, footprints=str(tmp_path / "none.gpkg"), flight_field="day")
    bare = tmp_path / "bare.csv"
    bare.write_text("day\n1\n")
    with pytest.raises(LayerError, match="no outlines"):
        named(images, footprints=str(bare), flight_field="day")
    with pytest.raises(ValueError, match="stand together"):
        Imagery(sources=["x"], footprints="a.gpkg")


def test_flights_are_moved_to_one_mean_and_small_ones_stay():
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(85, 4)) + np.repeat([0.0, 5.0, 9.0], [40, 40, 5])[:, None]
    flights = pd.Series(np.repeat(["a", "b", "c"], [40, 40, 5])).astype(object)
    flights.iloc[0] = None
    moved, stay = centre(vectors, flights)
    known = flights.notna().to_numpy()
    of = {name: moved[known & (flights == name).to_numpy()].mean(axis=0) for name in "ab"}
    assert of["a"] == pytest.approx(of["b"], abs=1e-5)
    big = known & flights.isin(["a", "b"]).to_numpy()
    assert moved[big].mean(axis=0) == pytest.approx(vectors[big].mean(axis=0), abs=1e-5)
    # differences within a flight stay
    assert moved[1] - moved[2] == pytest.approx(vectors[1] - vectors[2], abs=1e-5)
    assert moved[~big] == pytest.approx(vectors[~big], abs=1e-6)
    assert stay == {"c": "5 segments are too few to tell its mean (at least 20)"}


def test_one_flight_has_nothing_to_be_moved_to():
    vectors = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    assert (centre(vectors, pd.Series(["a"] * 30))[0] == vectors).all()
    assert (centre(vectors, pd.Series([None] * 30, dtype=object))[0] == vectors).all()
    assert (centre(vectors, pd.Series([str(i) for i in range(30)]))[0] == vectors).all()


def test_a_type_of_the_edge_of_the_imagery_is_warned_of_and_a_city_at_the_edge_is_not():
    table = pd.DataFrame({"cluster": [1] * 8 + [2] * 2, "length_m": 100.0, "coverage": [1.0] * 7 + [0.6] * 3})
    assert [warning[:39] for warning in edge_warnings(table)] == ["type 2 is of the edge of the imagery: 1"]
    assert not edge_warnings(table.assign(coverage=0.6))
    assert not edge_warnings(table.assign(cluster=pd.NA))


def test_rasters_at_addresses_are_named_as_their_files_are_whatever_is_asked_of_the_server():
    here = sheets(["x/SU4012.tif", "x/SU4112.tif", "x/SU4212.tif"])
    asked = [f"?token=x/{number}b" for number in range(3)]
    there = here.assign(
        path=[f"https://tiles.example/{path}{more}" for path, more in zip(here["path"], asked, strict=True)],
        image_id=[f"{name}.tif{more}" for name, more in zip(here["image_id"], asked, strict=True)],
    )
    for how in ("auto", "file", "folder"):
        assert named(there, flight=how) == named(here, flight=how)
