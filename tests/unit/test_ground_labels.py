"""Classes of ground from a few labels: what is read of them, what is learned, and what is refused."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely
from scipy.special import log_softmax
from scipy.stats import vonmises_fisher
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import jaccard_score
from sklearn.neural_network import MLPClassifier

from geo.errors import ConfigurationError, LayerError, SourceError
from geo.ground.contract import GroundClass, Piece, Surroundings
from geo.ground.file import read_classifier, write_classifier
from geo.ground.kind import Learned
from geo.ground.labels.drawn.places import part_into_places
from geo.ground.labels.fitted.context import around as around_place
from geo.ground.labels.fitted.context import line_means
from geo.ground.labels.fitted.judging import overlaps
from geo.ground.labels.fitted.scorers import fit_scorer
from geo.ground.labels.settings import Labels
from geo.ground.labels.sheet import write_sheet
from geo.ground.labels.suggesting import suggest, write_suggestions
from geo.ground.shares import Places
from geo.ground.things.finding import find_things, kept_evidence
from tasks.shards.map_ground import _common as common

CRS = "EPSG:27700"
SIDE, CELL_M, PER_CELL = 24, 2.0, 4
ORIGIN = (412_000.0, 273_000.0)


def piece(number: int, seed: int = 0) -> Piece:
    """Ground of which the west is meadow, the east is street and a square in the middle is water; 48 m a side."""
    rng = np.random.default_rng(1000 * seed + number)
    kind = np.zeros((SIDE, SIDE), dtype=int)
    kind[:, 14:] = 1
    kind[8:14, 4:10] = 2
    features = rng.normal(0, 0.25, (SIDE, SIDE, 8)).astype(np.float32)
    features[..., :3] += np.eye(3)[kind]
    features /= np.linalg.norm(features, axis=-1, keepdims=True)
    colour = np.array([[60, 140, 60], [120, 120, 120], [40, 60, 160]])[kind]
    fine = colour.repeat(PER_CELL, 0).repeat(PER_CELL, 1) + rng.normal(
        0, 12, (SIDE * PER_CELL, SIDE * PER_CELL, 3)
    )
    picture = np.moveaxis(np.clip(fine, 0, 255).astype(np.uint8), -1, 0)
    x, y = ORIGIN[0] + 500 * number, ORIGIN[1]
    valid = np.ones(picture.shape[1:], dtype=bool)
    return Piece(f"{number}_0", features, picture, valid, x, y, CELL_M, CELL_M / PER_CELL)


MANY = [piece(n) for n in range(9)]
PIECES = MANY[:5]
MEADOW, STREET, WATER = (2, 2, 26, 14), (30, 2, 46, 46), (9, 21, 19, 31)
"""Boxes in a piece, metres from its west and its north: within one kind of ground."""


def box(number: int, inside: tuple[float, float, float, float]) -> shapely.Polygon:
    west, north, east, south = inside
    x, y = MANY[number].x, MANY[number].y
    return shapely.box(x + west, y - south, x + east, y - north)


def around(count: int = 5) -> Surroundings:
    area = gpd.GeoDataFrame(geometry=[box(n, (0, 0, 48, 48)) for n in range(count)], crs=CRS)
    none = gpd.GeoDataFrame(geometry=[], crs=CRS)
    return Surroundings(none, none, none, area)


def drawn(numbers: range = range(5)) -> gpd.GeoDataFrame:
    kinds = {"meadow": MEADOW, "street": STREET, "water": WATER}
    rows = [(name, box(n, where)) for n in numbers for name, where in kinds.items()]
    return gpd.GeoDataFrame({"class": [r[0] for r in rows]}, geometry=[r[1] for r in rows], crs=CRS)


def learn(labels: gpd.GeoDataFrame, folder: Path, pieces: int = 5, **keys: Any) -> Learned:
    path = folder / "labels.gpkg"
    labels.to_file(path, layer="labels")
    return Labels(labels=str(path), **keys).learn(MANY[:pieces], around(pieces))


def told(learned: Learned) -> dict[tuple[str, str], int]:
    return {(e.status, e.reason): e.count for e in learned.entries if e.item == "labels"}


@pytest.mark.parametrize(
    ("scorer", "places"), [("network", 5), ("network", 9), ("logistic", 9), ("density", 5)]
)
def test_three_kinds_of_ground_are_told_apart_on_ground_that_was_not_seen(
    scorer: str, places: int, tmp_path: Path
) -> None:
    learned = learn(drawn(range(places)), tmp_path, places, scorer=scorer)
    assert learned.classifier is not None
    words = {one.words for one in learned.classifier.classes}
    assert all(("held back" in said) == (scorer == "network" and places == 5) for said in words)
    hidden = learned.classifier.arrays().get("scorer_second_into", np.zeros((0, 0))).shape[1]
    assert (hidden > 0) == (scorer == "network" and places == 9)
    assert [one.key for one in learned.classifier.classes] == ["meadow", "street", "water"]
    classes, _ = learned.classifier.classify(piece(9, seed=7))
    finer = learned.classifier.finer
    truth = np.ones((SIDE, SIDE), dtype=int)
    truth[:, 14:] = 2
    truth[8:14, 4:10] = 3
    truth = truth.repeat(finer, 0).repeat(finer, 1)
    seen = classes > 0
    assert seen.mean() > 0.9
    assert (classes == truth)[seen].mean() > 0.9
    assert told(learned) == {("done", ""): 3 * places}


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    return learn(drawn(), tmp_path_factory.mktemp("labels"), scorer="logistic")


def test_classes_say_how_well_they_are_told_at_places_left_out(learned: Learned) -> None:
    assert learned.classifier is not None
    assert learned.notes == ()
    for one in learned.classifier.classes:
        assert one.score is not None
        assert one.baseline is not None
        assert one.spread is not None
        assert one.score > 0.8
        assert one.baseline == pytest.approx(one.share, abs=1e-4)
    # 24 x 12, 16 x 44 and 10 x 10 m
    assert [one.share for one in learned.classifier.classes] == pytest.approx(
        [288 / 1092, 704 / 1092, 100 / 1092], abs=0.02
    )


def test_what_was_learned_is_the_same_when_it_is_learned_or_read_again(
    learned: Learned, tmp_path: Path
) -> None:
    assert learned.classifier is not None
    write_classifier(tmp_path / "one", learned.classifier)
    write_classifier(tmp_path / "read", read_classifier(tmp_path / "one"))
    path = tmp_path / "labels.gpkg"
    drawn().to_file(path)
    again = Labels(labels=str(path), scorer="logistic").learn(PIECES[::-1], around())
    assert again.classifier is not None
    write_classifier(tmp_path / "again", again.classifier)
    assert (tmp_path / "read").read_bytes() == (tmp_path / "one").read_bytes()
    assert (tmp_path / "again").read_bytes() == (tmp_path / "one").read_bytes()


def test_ground_like_nothing_that_was_labelled_stays_blank(learned: Learned) -> None:
    assert learned.classifier is not None
    strange = piece(9, seed=7)
    strange.features[:, 14:] = np.eye(8)[7]
    classes, _ = learned.classifier.classify(strange)
    finer = learned.classifier.finer
    assert (classes[:, 16 * finer :] == 0).mean() > 0.9
    assert (classes[:, : 12 * finer] > 0).mean() > 0.8


def test_labels_in_degrees_are_those_of_the_citys_grid(learned: Learned, tmp_path: Path) -> None:
    again = learn(drawn().to_crs(4326), tmp_path, scorer="logistic")
    assert learned.classifier is not None
    assert again.classifier is not None
    one, other = learned.classifier.classify(piece(9))[0], again.classifier.classify(piece(9))[0]
    assert (one == other).mean() > 0.99


def test_points_and_lines_are_labels_of_what_they_touch(tmp_path: Path) -> None:
    """A layer of each, in one file; a street along its line, meadow at many points."""
    path = tmp_path / "drawn.gpkg"
    lines = [shapely.LineString([(p.x + 38, p.y - 2), (p.x + 38, p.y - 46)]) for p in PIECES]
    points = [shapely.Point(p.x + x, p.y - y) for p in PIECES for x in (4, 8, 14) for y in range(2, 46, 3)]
    points = [p for p in points if not any(box(n, (7, 15, 21, 29)).contains(p) for n in range(5))]
    gpd.GeoDataFrame({"class": "street"}, geometry=lines, crs=CRS, index=range(5)).to_file(
        path, layer="lines"
    )
    gpd.GeoDataFrame({"class": "meadow"}, geometry=points, crs=CRS, index=range(len(points))).to_file(
        path, layer="points"
    )
    found = Labels(labels=str(path), scorer="logistic").learn(PIECES, around())
    assert found.classifier is not None
    classes, _ = found.classifier.classify(piece(9))
    finer = found.classifier.finer
    assert [one.name for one in found.classifier.classes] == ["meadow", "street"]
    assert (classes[:, 16 * finer :] == 2).mean() > 0.9
    assert (classes[: 6 * finer, : 12 * finer] == 1).mean() > 0.9


def test_in_an_extent_what_is_not_labelled_is_something_else(tmp_path: Path) -> None:
    """Water alone is labelled; the extents say that the rest is none."""
    water = drawn().query("`class` == 'water'")
    outlines = gpd.GeoDataFrame(
        {"class": "extent"}, geometry=[box(n, (0, 0, 48, 48)) for n in range(5)], crs=CRS, index=range(5)
    )
    found = learn(pd.concat([water, outlines], ignore_index=True), tmp_path, scorer="logistic")
    assert found.classifier is not None
    assert [one.key for one in found.classifier.classes] == ["water", "other"]
    classes, _ = found.classifier.classify(piece(9))
    finer = found.classifier.finer
    assert (classes[9 * finer : 13 * finer, 5 * finer : 9 * finer] == 1).mean() > 0.9
    assert (classes[:, 16 * finer :] == 2).mean() > 0.9
    assert told(found) == {("done", ""): 5, ("done", "outlines of labelled ground"): 5}


def test_a_class_alone_is_refused_where_nothing_says_where_it_is_not(tmp_path: Path) -> None:
    with pytest.raises(LayerError, match="only the class 'water' can be learned"):
        learn(drawn().query("`class` == 'water'"), tmp_path)


def test_a_class_at_two_points_is_left_out_and_told(tmp_path: Path) -> None:
    two = gpd.GeoDataFrame(
        {"class": "lamp"}, geometry=[box(n, (28, 40, 29, 41)) for n in (0, 1)], crs=CRS, index=range(2)
    )
    found = learn(pd.concat([drawn(), two], ignore_index=True), tmp_path, scorer="logistic")
    assert found.classifier is not None
    assert "lamp" not in {one.name for one in found.classifier.classes}
    reason = "class 'lamp': labelled at 2 places, and 3 are needed"
    assert told(found) == {("done", ""): 15, ("skipped", reason): 2}


def test_labels_at_too_few_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LayerError, match="labelled at 2 places, and 3 are needed"):
        learn(drawn(range(2)), tmp_path)


def test_a_class_that_nothing_shows_is_not_written(tmp_path: Path) -> None:
    """Half of the streets' labels, at random, are called something that looks no other."""
    rng = np.random.default_rng(0)
    rows = drawn().query("`class` != 'street'")
    squares = [
        box(n, (30 + 4 * i, 4 * j, 34 + 4 * i, 4 * j + 4))
        for n in range(5)
        for i in range(4)
        for j in range(11)
    ]
    ghost = gpd.GeoDataFrame(
        {"class": np.where(rng.random(len(squares)) < 0.15, "ghost", "street")}, geometry=squares, crs=CRS
    )
    found = learn(pd.concat([rows, ghost], ignore_index=True), tmp_path, scorer="logistic")
    assert found.classifier is not None
    assert "ghost" not in {one.name for one in found.classifier.classes}
    assert any(e.status == "rejected" and "'ghost' is not written" in e.reason for e in found.entries)
    assert any("ghost" in note for note in found.notes)


def test_where_two_classes_are_drawn_on_each_other_nothing_is_learned(tmp_path: Path) -> None:
    rows = drawn()
    twice = rows.query("`class` == 'street'").assign(**{"class": "water"})
    found = learn(pd.concat([rows, twice], ignore_index=True), tmp_path, scorer="logistic")
    assert found.classifier is not None
    assert [one.name for one in found.classifier.classes] == ["meadow", "water"]
    assert ("done", "") in told(found)
    assert {e.reason: e.count for e in found.entries if e.status == "skipped"} == {
        "no cell of the map is mostly of it and of no other class": 10
    }


def test_labels_that_all_lie_on_others_of_another_class_are_refused_by_what_is_wrong_with_them(
    tmp_path: Path,
) -> None:
    """An analyst who drew them sees fifteen labels at five places, not none."""
    other = {"meadow": "street", "street": "water", "water": "meadow"}
    twice = pd.concat([drawn(), drawn().assign(**{"class": drawn()["class"].map(other)})], ignore_index=True)
    with pytest.raises(
        LayerError, match="nothing is left, 30: no cell of the map is mostly of it and of no other"
    ):
        learn(twice, tmp_path)


def test_each_row_that_cannot_be_used_is_told_with_its_reason(tmp_path: Path) -> None:
    odd = gpd.GeoDataFrame(
        {"class": ["street", "street", None, "  ", "street", "extent"]},
        geometry=[
            None,
            shapely.Point(),
            *(box(n, STREET) for n in (0, 1)),
            shapely.box(0, 0, 9, 9),
            shapely.Point(PIECES[0].x + 5, PIECES[0].y - 5),
        ],
        crs=CRS,
    )
    mixed = gpd.GeoDataFrame(
        {"class": ["street"]},
        geometry=[shapely.GeometryCollection([box(0, STREET), shapely.Point(PIECES[0].x, PIECES[0].y)])],
        crs=CRS,
    )
    found = learn(pd.concat([drawn(), odd, mixed], ignore_index=True), tmp_path, scorer="logistic")
    assert told(found) == {
        ("done", ""): 15,
        ("rejected", "no geometry"): 2,
        ("rejected", "no class is told"): 2,
        ("rejected", "outside the imagery"): 1,
        ("rejected", "an extent that is no polygon"): 1,
        ("rejected", "neither points, lines nor polygons"): 1,
    }


def test_labels_on_gaps_of_the_imagery_are_told(tmp_path: Path) -> None:
    path = tmp_path / "labels.gpkg"
    drawn().to_file(path)
    empty = PIECES[4].valid & False
    holed = [*PIECES[:4], replace(PIECES[4], valid=empty)]
    found = Labels(labels=str(path), scorer="logistic").learn(holed, around())
    assert told(found) == {("done", ""): 12, ("skipped", "no imagery under it"): 3}


@pytest.mark.parametrize(
    ("name", "key"), [("'; DROP TABLE segments; --", "drop_table_segments"), ("Straße <b>", "strasse_b")]
)
def test_hostile_names_become_columns_that_harm_nobody(name: str, key: str, tmp_path: Path) -> None:
    rows = drawn()
    found = learn(
        rows.assign(**{"class": rows["class"].replace("street", name)}), tmp_path, scorer="logistic"
    )
    assert found.classifier is not None
    assert key in {one.key for one in found.classifier.classes}


def test_names_that_differ_in_case_and_spaces_are_one_class(tmp_path: Path) -> None:
    rows = drawn()
    rows.loc[:4, "class"] = ["Meadow ", "STREET", "water", "meadow", " street"]
    found = learn(rows, tmp_path, scorer="logistic")
    assert found.classifier is not None
    assert len(found.classifier.classes) == 3


def test_files_without_labels_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        Labels(labels=str(tmp_path / "none.gpkg")).learn(PIECES, around())
    (tmp_path / "broken.gpkg").write_bytes(b"SQLite format 3\x00" + bytes(50))
    with pytest.raises(SourceError, match="cannot be read"):
        Labels(labels=str(tmp_path / "broken.gpkg")).learn(PIECES, around())
    drawn().iloc[:0].to_file(tmp_path / "empty.gpkg")
    with pytest.raises(LayerError, match="no rows"):
        Labels(labels=str(tmp_path / "empty.gpkg")).learn(PIECES, around())
    drawn().rename(columns={"class": "kind"}).to_file(tmp_path / "kind.gpkg")
    with pytest.raises(LayerError, match="no column 'class'; there are kind"):
        Labels(labels=str(tmp_path / "kind.gpkg")).learn(PIECES, around())
    drawn().set_crs(None, allow_override=True).to_file(tmp_path / "bare.gpkg")
    with pytest.raises(LayerError, match="states no CRS"):
        Labels(labels=str(tmp_path / "bare.gpkg")).learn(PIECES, around())
    drawn().translate(1e5, 0).to_frame("geometry").assign(**{"class": "street"}).to_file(
        tmp_path / "far.gpkg"
    )
    with pytest.raises(LayerError, match="15: outside the imagery"):
        Labels(labels=str(tmp_path / "far.gpkg")).learn(PIECES, around())


def test_a_chain_of_labels_through_the_city_is_more_than_one_place() -> None:
    along = np.array([shapely.Point(50 * i, 0) for i in range(40)])
    apart = np.array([shapely.Point(0, 5000), shapely.Point(80, 5000), shapely.Point(0, 9000)])
    none = np.zeros(43, dtype=bool)
    places = part_into_places(np.concatenate([along, apart]), none, 100.0)
    assert len(set(places[:40])) == 5
    assert places[40] == places[41] != places[42]


def test_an_outline_is_a_place_with_what_lies_in_it() -> None:
    shapes = np.array(
        [shapely.box(0, 0, 96, 96), shapely.box(120, 0, 216, 96), shapely.Point(90, 5), shapely.Point(125, 5)]
    )
    places = part_into_places(shapes, np.array([True, True, False, False]), 100.0)
    assert places.tolist() == [0, 1, 0, 1]


def test_overlaps_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 4, 500), rng.integers(0, 4, 500)
    assert overlaps(found, truth, 4) == pytest.approx(jaccard_score(truth, found, average=None))


def test_a_density_is_that_of_the_sphere() -> None:
    """Kernels of von Mises and Fisher, as scipy has them."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 3)).astype(np.float32)
    classes = np.repeat([0, 1], 20)
    scorer = fit_scorer("density", rows, classes, 0, 2)
    at = rng.normal(size=(5, 3)).astype(np.float32)
    unit = at / np.linalg.norm(at, axis=1, keepdims=True)
    points = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    each = [
        np.mean([vonmises_fisher(point, 15).pdf(unit) for point in points[classes == one]], axis=0)
        for one in (0, 1)
    ]
    assert scorer.scores(at)[:, 1] == pytest.approx(np.log(each[1] / (each[0] + each[1])), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("kinds", [2, 4])
def test_scores_are_those_of_the_library_that_fitted_them(kinds: int) -> None:
    """Those of `network` are the mean of three networks' and, as heavy as these together, of a regression's."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 5)).astype(np.float32)
    classes = np.digitize(rows[:, 0], [0.0] if kinds == 2 else [-0.7, 0.0, 0.7])
    regression = LogisticRegression(C=0.1, max_iter=300).fit(rows, classes)
    theirs = regression.predict_log_proba(rows)
    assert fit_scorer("logistic", rows, classes, 0, kinds).scores(rows) == pytest.approx(theirs, abs=1e-4)
    given = {
        "alpha": 1e-2,
        "batch_size": 300,
        "learning_rate_init": 2e-3,
        "max_iter": 15,
        "n_iter_no_change": 15,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        three = [MLPClassifier((64,), random_state=seed, **given).fit(rows, classes) for seed in (0, 1, 2)]
    mean = np.mean([theirs, theirs, theirs, *(one.predict_log_proba(rows) for one in three)], axis=0)
    assert fit_scorer("network", rows, classes, 0, kinds).scores(rows) == pytest.approx(
        log_softmax(mean, axis=1), abs=1e-4
    )


def test_the_sheet_to_draw_in_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "labels.gpkg"
    classes = (
        GroundClass(1, "roof", "roof", "#CC6677", "labels"),
        GroundClass(2, "2", "", "#332288", "found"),
    )
    assert write_sheet(path, pyproj.CRS(CRS), classes)
    kinds = dict(pyogrio.list_layers(path))
    assert {name: kinds[name] for name in ("points", "lines", "areas", "extents")} == {
        "points": "Point",
        "lines": "LineString",
        "areas": "Polygon",
        "extents": "Polygon",
    }
    drawn().rename_geometry("geom").to_file(path, layer="areas", mode="a")
    before = path.read_bytes()
    assert not write_sheet(path, pyproj.CRS(CRS), classes)
    assert path.read_bytes() == before
    styles = gpd.read_file(path, layer="layer_styles")
    assert styles.set_index("f_table_name")["styleQML"].str.contains('value="roof"').to_dict() == {
        "points": True,
        "lines": True,
        "areas": True,
        "extents": False,
    }
    # what was drawn in it is read, and its empty layers are no fault
    found = Labels(labels=str(path), scorer="logistic").learn(PIECES, around())
    assert told(found) == {("done", ""): 15}


def test_a_sheet_in_which_nothing_was_drawn_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "labels.gpkg"
    write_sheet(path, pyproj.CRS(CRS), ())
    with pytest.raises(LayerError, match="it has no labels"):
        Labels(labels=str(path)).learn(PIECES, around())


def test_what_is_asked_about_first_is_what_nothing_labelled_is_like(tmp_path: Path) -> None:
    learned = learn(drawn(range(9)), tmp_path, 9, scorer="logistic")
    assert learned.classifier is not None
    strange = piece(9, seed=7)
    strange.features[:] = np.eye(8)[7]
    more = [piece(n, seed=n) for n in (5, 6, 7, 8)]
    near = np.array([shapely.box(*one.bounds) for one in [*more, strange]])
    squares = suggest(
        [*more, strange], learned.classifier, near, np.zeros(0, object), number=3, apart_m=100.0
    )
    assert squares["rank"].tolist() == [1, 2, 3]
    assert squares.geometry.iloc[0].equals(shapely.box(*strange.bounds))
    assert squares["unsure"].is_monotonic_decreasing
    apart = shapely.distance(squares.geometry.to_numpy()[:, None], squares.geometry.to_numpy()[None, :])
    assert (apart[~np.eye(3, dtype=bool)] >= 100).all()
    write_suggestions(tmp_path / "next.gpkg", squares.set_crs(CRS))
    assert len(gpd.read_file(tmp_path / "next.gpkg", layer="suggestions")) == 3
    with pytest.raises(SourceError, match="cannot be written"):
        write_suggestions(tmp_path / "next.gpkg", squares.set_crs(CRS))


def test_what_is_labelled_or_far_from_roads_is_not_asked_about(learned: Learned) -> None:
    assert learned.classifier is not None
    more = [piece(n, seed=n) for n in (5, 6, 7)]
    boxes = np.array([shapely.box(*one.bounds) for one in more])
    squares = suggest(more, learned.classifier, boxes[1:], boxes[1:2].copy(), number=10, apart_m=100.0)
    assert squares.geometry.tolist() == [boxes[2]]


def test_what_is_something_else_at_edges_alone_is_not_learned_as_a_class(tmp_path: Path) -> None:
    """In extents a strip thinner than a cell of the map is left unlabelled: no cell is an example of it."""
    rows = [("meadow", box(n, (0, 0, 27.9, 48)).difference(box(n, (8, 16, 20, 28)))) for n in range(5)]
    rows += [("street", box(n, (28.1, 0, 48, 48))) for n in range(5)]
    rows += [("water", box(n, (8, 16, 20, 28))) for n in range(5)]
    rows += [("extent", box(n, (0, 0, 48, 48))) for n in range(5)]
    labels = gpd.GeoDataFrame({"class": [r[0] for r in rows]}, geometry=[r[1] for r in rows], crs=CRS)
    found = learn(labels, tmp_path, scorer="logistic")
    assert found.classifier is not None
    assert [one.name for one in found.classifier.classes] == ["meadow", "street", "water"]
    assert (found.classifier.classify(piece(9))[0] > 0).mean() > 0.9


def test_what_lies_around_a_place_does_not_depend_on_where_north_is() -> None:
    scores = np.random.default_rng(0).uniform(-5, 0, (2, 64, 64)).astype(np.float32)
    turned = around_place(np.ascontiguousarray(np.rot90(scores, axes=(1, 2))), 2, 2.0)
    assert turned == pytest.approx(np.rot90(around_place(scores, 2, 2.0)), abs=1e-4)


def test_a_line_is_told_from_a_square_by_its_surroundings() -> None:
    """Both of one area: along the line its mean is whole, and across it little."""
    line, square = (np.full((1, 41, 41), -8.0, dtype=np.float32) for _ in range(2))
    line[0, 20, 2:39] = 0
    square[0, 17:23, 17:23] = 0
    along = line_means(line, 5)[:, 0, 20, 20]
    assert along.max() == pytest.approx(0.0)
    assert along.min() == pytest.approx(-8 * 10 / 11)
    assert np.ptp(line_means(square, 5)[:, 0, 20, 20]) < np.ptp(along) / 2


def test_ground_is_seen_the_same_whatever_its_labels_are_called() -> None:
    """What loads the encoder once a process asks for settings that can be told apart as a whole."""
    one, other = (common(Labels(labels=[name], pixel_m=0.5)) for name in ("a.gpkg", "b.gpkg"))
    assert hash(one) == hash(other)
    assert one == other
    assert one.pixel_m == 0.5


def ponds(folder: Path, *, outlined: bool = True, count: tuple[str, ...] = ("Water",)) -> Learned:
    """Learn from twelve pieces, on each of which all of the pond is drawn, and told that there is no other."""
    pieces = [piece(n) for n in range(12)]
    frames = [shapely.box(*one.bounds) for one in pieces]
    shapes = [
        shapely.box(f.bounds[0] + 8, f.bounds[3] - 28, f.bounds[0] + 20, f.bounds[3] - 16) for f in frames
    ]
    rest = [shapely.box(f.bounds[0] + 30, f.bounds[1], *f.bounds[2:]) for f in frames]
    rows = [("water", one) for one in shapes] + [("street", one) for one in rest]
    rows += [("extent", one) for one in frames] if outlined else []
    labels = gpd.GeoDataFrame({"class": [r[0] for r in rows]}, geometry=[r[1] for r in rows], crs=CRS)
    labels.to_file(folder / "labels.gpkg", layer="labels")
    settings = Labels(labels=str(folder / "labels.gpkg"), scorer="logistic", count=list(count))
    none = gpd.GeoDataFrame(geometry=[], crs=CRS)
    return settings.learn(pieces, Surroundings(none, none, none, gpd.GeoDataFrame(geometry=frames, crs=CRS)))


def test_ponds_are_counted_on_ground_that_was_not_seen(tmp_path: Path) -> None:
    found = ponds(tmp_path)
    assert found.classifier is not None
    assert [(e.status, e.count) for e in found.entries if e.item == "things counted"] == [("done", 1)]
    assert set(found.classifier.counted) == {"water"}
    (water,) = [one for one in found.classifier.classes if one.key == "water"]
    assert "of 12 is found" in water.words
    new = piece(40, seed=3)
    side = CELL_M / found.classifier.finer
    grid = Places(new.x, new.y, round(48 / side), round(48 / side), side)
    evidence = pd.concat([kept_evidence(grid, *each) for each in found.classifier.evidence(new).items()])
    (pond,) = find_things(evidence, found.classifier.counted, side).itertuples()
    assert np.hypot(pond.x - (new.x + 14), pond.y - (new.y - 22)) < 4
    write_classifier(tmp_path / "model.safetensors", found.classifier)
    again = read_classifier(tmp_path / "model.safetensors")
    assert again.counted == found.classifier.counted
    assert np.array_equal(again.evidence(new)["water"], found.classifier.evidence(new)["water"])


def test_nothing_is_counted_where_no_outline_says_that_all_was_drawn(tmp_path: Path) -> None:
    found = ponds(tmp_path, outlined=False)
    assert found.classifier is not None
    assert found.classifier.counted == {}
    assert found.classifier.evidence(PIECES[0]) == {}
    (entry,) = [e for e in found.entries if e.item == "things counted"]
    assert entry.status == "rejected"
    assert "'water': 0 whole ones are labelled at 0 places" in entry.reason


def test_a_thing_to_be_counted_that_no_label_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"names 'cars', and the classes of the labels are street, water"
    ):
        ponds(tmp_path, count=("water", "cars"))
