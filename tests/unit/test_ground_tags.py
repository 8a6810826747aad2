"""Classes of ground from tags of whole tiles."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely
from pydantic import ValidationError
from rasters import write_raster
from real_data import DATA, needs_real_data
from sklearn.metrics import average_precision_score

from geo.errors import LayerError, SourceError
from geo.ground.contract import Piece, Surroundings
from geo.ground.file import read_classifier, write_classifier
from geo.ground.kind import Learned
from geo.ground.tags.judging import blocks_of, chance_precision, folds_of, judge, precisions, together
from geo.ground.tags.mapped import read_features, tags_of_squares
from geo.ground.tags.pooling import as_bags, fit_scorer, pooled
from geo.ground.tags.settings import Tags, TagSource
from geo.ground.tags.table import read_tags
from geo.ground.tags.zones import gather, tagged
from geo.ground.truth import read_truth

CRS = "EPSG:27700"
SIDE, CELLS, DIMENSION = 48.0, 24, 8
ACROSS, DOWN = 12, 10


@pytest.fixture(scope="module")
def water() -> np.ndarray:
    """A plain of tiles of 48 m, cells of 2 m; in about half of them lies a pond of a tenth of the tile."""
    rng = np.random.default_rng(1)
    there = np.zeros((DOWN * CELLS, ACROSS * CELLS), dtype=bool)
    for row, column in zip(*np.nonzero(rng.random((DOWN, ACROSS)) < 0.5), strict=True):
        y, x = row * CELLS + rng.integers(0, 16), column * CELLS + rng.integers(0, 16)
        there[y : y + 8, x : x + 8] = True
    return there


@pytest.fixture(scope="module")
def pieces(water: np.ndarray) -> list[Piece]:
    """The plain in pieces of 30 x 32 cells, which cut through tiles."""
    rng = np.random.default_rng(2)
    features = rng.normal(0, 0.5, (*water.shape, DIMENSION)).astype(np.float32)
    features[water, 0] += 1.5
    found = []
    for row in range(0, water.shape[0], 30):
        for column in range(0, water.shape[1], 32):
            part = features[row : row + 30, column : column + 32]
            picture = np.zeros((3, *part.shape[:2]), np.uint8)
            valid = np.ones(part.shape[:2], dtype=bool)
            found.append(
                Piece(f"{column}_{row}", part, picture, valid, column * 2.0, 480 - row * 2.0, 2.0, 2.0)
            )
    return found


@pytest.fixture(scope="module")
def around() -> Surroundings:
    x, y = (axis.ravel() * SIDE for axis in np.meshgrid(np.arange(ACROSS), np.arange(DOWN)[::-1]))
    tiles = gpd.GeoDataFrame(
        {
            "tile_id": [f"t{number}" for number in range(len(x))],
            "segment_id": [f"s{number // ACROSS}" for number in range(len(x))],
        },
        geometry=shapely.box(x, y, x + SIDE, y + SIDE),
        crs=CRS,
    )
    lines = [
        shapely.LineString([(0, row * SIDE + 24), (ACROSS * SIDE, row * SIDE + 24)]) for row in range(DOWN)
    ]
    segments = gpd.GeoDataFrame({"segment_id": [f"s{row}" for row in range(DOWN)]}, geometry=lines, crs=CRS)
    area = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, ACROSS * SIDE, DOWN * SIDE)], crs=CRS)
    return Surroundings(segments, segments[:0], tiles, area)


@pytest.fixture(scope="module")
def wet(water: np.ndarray) -> np.ndarray:
    """Whether a pond lies in each tile, in the order of the tiles."""
    return water.reshape(DOWN, CELLS, ACROSS, CELLS).any(axis=(1, 3)).ravel()


def settings(table: Path | str, **more: object) -> Tags:
    return Tags.model_validate({"tags": str(table), **more})


@pytest.fixture
def table(tmp_path: Path, wet: np.ndarray) -> Path:
    said = pd.DataFrame({"tile_id": [f"t{n}" for n in range(len(wet))], "pond": np.where(wet, "yes", "no")})
    said["comment"] = "seen by A. N. Other"
    said.to_csv(tmp_path / "tags.csv", index=False)
    return tmp_path / "tags.csv"


def reasons(learned: Learned, item: str) -> list[str]:
    return [entry.reason for entry in learned.entries if entry.item == item]


def test_where_ponds_lie_is_learned_from_which_tiles_have_one(
    table: Path, pieces: list[Piece], around: Surroundings, water: np.ndarray
) -> None:
    learned = settings(table).learn(pieces, around)
    assert learned.classifier is not None
    pond, rest = learned.classifier.classes
    assert (pond.key, pond.name, rest.key) == ("pond", "pond", "other")
    assert "blocks left out" in pond.words
    found, true = [], []
    for piece in pieces:
        row, column = int(480 - piece.y) // 2, int(piece.x) // 2
        found.append((learned.classifier.classify(piece)[0] == pond.number).ravel())
        true.append(water[row : row + piece.shape[0], column : column + piece.shape[1]].ravel())
    mine, theirs = np.concatenate(found), np.concatenate(true)
    iou = (mine & theirs).sum() / (mine | theirs).sum()
    assert iou > 0.4 > 4 * theirs.mean()


def test_a_tag_that_is_called_as_the_rest_is_has_columns_of_its_own(
    tmp_path: Path, pieces: list[Piece], around: Surroundings, wet: np.ndarray
) -> None:
    said = pd.DataFrame({"tile_id": around.tiles["tile_id"], "Other": wet})
    said.to_csv(tmp_path / "tags.csv", index=False)
    learned = settings(tmp_path / "tags.csv").learn(pieces, around)
    assert learned.classifier is not None
    assert [one.key for one in learned.classifier.classes] == ["class_other", "other"]


def test_more_tags_than_a_map_holds_classes_are_refused_until_some_are_named(
    tmp_path: Path, around: Surroundings, wet: np.ndarray
) -> None:
    said = pd.DataFrame({"tile_id": around.tiles["tile_id"], **{f"tag {n}": wet for n in range(60)}})
    said.to_csv(tmp_path / "tags.csv", index=False)
    with pytest.raises(
        LayerError, match=r"it has 60 tags, and a map holds fewer than 60 classes\n.*ground.tags.columns"
    ):
        tagged(settings(tmp_path / "tags.csv"), around)
    some = {"table": str(tmp_path / "tags.csv"), "columns": ["tag 3", "tag 7"]}
    assert [*tagged(settings(tmp_path / "tags.csv", tags=some), around).tags] == ["tag 3", "tag 7"]


def test_the_order_of_pieces_changes_nothing(
    table: Path, pieces: list[Piece], around: Surroundings, tmp_path: Path
) -> None:
    for name, order in (("one", pieces), ("two", pieces[::-1])):
        found = settings(table).learn(order, around).classifier
        assert found is not None
        write_classifier(tmp_path / name, found)
    assert found is not None
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    again = read_classifier(tmp_path / "one")
    assert (again.classify(pieces[0])[0] == found.classify(pieces[0])[0]).all()


def test_every_row_and_cell_of_tags_is_accounted_for(
    tmp_path: Path, pieces: list[Piece], around: Surroundings, wet: np.ndarray
) -> None:
    rows = [f"t{n},{'Y' if w else 'n'},{'' if n % 2 else 'no'}" for n, w in enumerate(wet)]
    rows += ["t0,yes,no", "t0,no,no", "elsewhere,yes,no", ",yes,no", "t1,,", "t2,perhaps,no", "t3,yes"]
    path = tmp_path / "tags.csv"
    path.write_text("\n".join(["tile_id,pond,shed", *rows]), encoding="utf-8")
    learned = settings(path, tags={"table": str(path), "columns": ["pond", "shed"]}).learn(pieces, around)
    counts = {(e.item, e.status, e.reason): e.count for e in learned.entries}
    of_rows = {key: count for key, count in counts.items() if key[0] == "rows of tags"}
    assert sum(of_rows.values()) == len(rows)
    assert counts["rows of tags", "rejected", "its tile is not in this run"] == 1
    assert counts["rows of tags", "rejected", "it names no tile and no segment"] == 1
    assert counts["rows of tags", "rejected", "other number of fields than the header"] == 1
    assert counts["rows of tags", "skipped", "it says nothing of any tag"] == 1
    assert counts["tags", "rejected", "pond: neither yes nor no"] == 1
    assert counts["tags", "rejected", "pond: rows of one tile contradict each other"] == 3
    used = counts["rows of tags", "done", ""]
    for tag in ("pond", "shed"):
        assert (
            sum(n for (item, _, why), n in counts.items() if item == "tags" and why.startswith(tag)) == used
        )
    assert any("none of" in why for why in reasons(learned, "classes of tags") if why.startswith("shed"))


def test_a_tag_that_imagery_does_not_tell_is_not_mapped(
    tmp_path: Path, pieces: list[Piece], around: Surroundings
) -> None:
    """A coin decides: whichever tiles it names, no other coin follows from what they look like."""
    refused = 0
    for seed in range(2):
        coin = np.random.default_rng(seed).integers(0, 2, ACROSS * DOWN)
        said = pd.DataFrame({"tile_id": around.tiles["tile_id"], "lucky": coin})
        said.to_csv(tmp_path / "tags.csv", index=False)
        learned = settings(tmp_path / "tags.csv").learn(pieces, around)
        refused += learned.classifier is None and "no better than chance" in " ".join(learned.notes)
    assert refused == 2


def test_tags_that_are_everywhere_or_go_together_are_warned_of(
    tmp_path: Path, pieces: list[Piece], around: Surroundings, wet: np.ndarray
) -> None:
    every = np.arange(len(wet)) % 10 > 0
    said = pd.DataFrame(
        {"tile_id": around.tiles["tile_id"], "pond": wet, "ducks": wet, "kerb": every, "sky": True}
    )
    said.to_csv(tmp_path / "tags.csv", index=False)
    notes = " | ".join(settings(tmp_path / "tags.csv").learn(pieces, around).notes)
    assert "pond and ducks nearly always lie together (phi 1.00)" in notes
    assert "kerb: 90% of what is told carries this tag" in notes
    assert "sky is not mapped: all 120 that are told carry it" in notes


def test_iou_is_told_where_truth_is_given(
    table: Path, pieces: list[Piece], around: Surroundings, water: np.ndarray, tmp_path: Path
) -> None:
    """Truth is finer than cells, and lies in a CRS of its own: that of the city turned into a local one by metres."""
    path = tmp_path / "truth.tif"
    fine = water.repeat(2, axis=0).repeat(2, axis=1).astype(np.uint8)
    write_raster(path, fine[None], west=0, north=480, crs=CRS)
    learned = settings(table, truth=str(path), truth_names={0: "meadow", 1: "Pond"}).learn(pieces, around)
    assert learned.classifier is not None
    pond = learned.classifier.classes[0]
    assert pond.score is not None
    assert pond.baseline == pytest.approx(water.mean(), abs=1e-3)
    assert pond.score > 0.3
    assert f"IoU {pond.score:.2f}" in pond.words


def test_truth_of_a_raster_and_of_polygons_say_the_same(tmp_path: Path) -> None:
    values = np.zeros((1, 8, 8), np.uint8)
    values[0, :4, :4], values[0, 4:] = 1, 9
    write_raster(tmp_path / "truth.tif", values, west=400100, north=300208, crs=CRS, nodata=9)
    named = "".join(f"<Category>{name}</Category>" for name in ("bare", "roof &amp; shed"))
    (tmp_path / "truth.tif.aux.xml").write_text(
        f'<PAMDataset><PAMRasterBand band="1"><CategoryNames>{named}</CategoryNames></PAMRasterBand></PAMDataset>'
    )
    boxes = [shapely.box(400104, 300204, 400108, 300208), shapely.box(400100, 300204, 400104, 300208)]
    polygons = gpd.GeoDataFrame({"class": ["bare", "roof & shed"]}, geometry=boxes, crs=CRS)
    polygons.to_crs(4326).to_file(tmp_path / "truth.gpkg")
    one, other = (read_truth(str(tmp_path / name), pyproj.CRS(CRS)) for name in ("truth.tif", "truth.gpkg"))
    assert one.names == other.names == ("bare", "roof & shed")
    told = one.on(400098, 300208, (6, 5), 2.0)
    assert told.tolist() == [[-1, 1, 1, 0, 0]] * 2 + [[-1] * 5] * 4
    assert (other.on(400098, 300208, (6, 5), 2.0) == told).all()
    assert (one.on(5000, 300208, (6, 5), 2.0) == -1).all()


@pytest.mark.parametrize(
    ("head", "row", "said"),
    [
        ("tile_id,pond", "old-{n},yes", "none of its tiles is in this run: it names old-0"),
        ("name,pond", "t{n},yes", "it has no column tile_id or segment_id; there are name, pond"),
        ("tile_id,width_m", "t{n},1{n}.5", "it has no column that says yes and no of each row"),
        ("tile_id,=cmd()", "t{n},yes", "it has no column that says yes and no of each row"),
        ("tile_id,pond", "t{n},", "it has no column that says yes and no of each row"),
    ],
)
def test_tables_that_tag_nothing_are_refused_with_what_they_lack(
    tmp_path: Path, around: Surroundings, head: str, row: str, said: str
) -> None:
    path = tmp_path / "tags.csv"
    path.write_text("\n".join([head, *(row.format(n=n) for n in range(50))]), encoding="utf-8")
    with pytest.raises(
        LayerError, match="^" + str(path) + ".*" + said.replace("(", r"\(").replace(")", r"\)")
    ):
        read_tags(settings(path).tags, around)


def test_a_named_column_must_say_yes_or_no_and_be_there(tmp_path: Path, around: Surroundings) -> None:
    path = tmp_path / "tags.csv"
    path.write_text("tile_id,kind\n" + "\n".join(f"t{n},car park" for n in range(50)), encoding="utf-8")
    with pytest.raises(LayerError, match="'kind' says neither yes nor no; it says 'car park'"):
        read_tags(TagSource(table=str(path), columns=["kind"]), around)
    with pytest.raises(LayerError, match=r"no column for ground\.tags\.columns 'pond'"):
        read_tags(TagSource(table=str(path), columns=["pond"]), around)


def test_fewer_than_forty_tiles_are_refused(
    tmp_path: Path, pieces: list[Piece], around: Surroundings
) -> None:
    path = tmp_path / "tags.csv"
    path.write_text("tile_id,pond\n" + "\n".join(f"t{n},{n % 2}" for n in range(39)), encoding="utf-8")
    with pytest.raises(LayerError, match="39 tiles are tagged, of which imagery shows 39; at least 40"):
        settings(path).learn(pieces, around)


def test_tags_of_segments_are_those_of_the_ground_beside_them(tmp_path: Path, around: Surroundings) -> None:
    path = tmp_path / "tags.gpkg"
    said = around.segments.assign(shops=[number % 2 == 0 for number in range(DOWN)])
    said.to_file(path, layer="mine")
    found = tagged(settings(path, reach_m=20), around)
    assert found.unit == "segment"
    assert found.tags["shops"].tolist() == [True, False] * 5
    assert found.zones.area.round().unique().tolist() == [ACROSS * SIDE * 40]


@pytest.mark.parametrize(
    "said",
    [
        {"tags": {}},
        {"tags": {"table": "a.csv", "features": "b.pbf"}},
        {"tags": {"table": "a.csv", "tile_m": 30}},
        {"tags": {"features": "b.pbf", "classes": {"car park": "parking"}}},
        {"tags": {"features": "b.pbf", "classes": {"": "a=b"}}},
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Tags.model_validate(said)


def test_features_of_a_map_are_tags_of_the_squares_that_they_lie_in() -> None:
    """An area that reaches in by a sliver, and ground beyond the map, are not known."""
    squares = shapely.box(*np.array([(x, 0, x + 48, 48) for x in range(0, 240, 48)], dtype=float).T)
    shapes = [
        shapely.box(10, 10, 49, 40),
        shapely.Point(100, 20),
        shapely.LineString([(150, 5), (150, 45)]),
        shapely.box(180, 47.9, 200, 60),
        shapely.Point(0, 0),
    ]
    features = gpd.GeoDataFrame(
        {"any": [*[True] * 4, False], "point": [False, True, False, False, False]}, geometry=shapes, crs=CRS
    )
    found = tags_of_squares(squares, features)
    # a metre of the house reaches into the second square; the last one lies beyond the map, which ends at x = 200
    told = found.astype("string").fillna("?")
    assert told["any"].tolist() == ["True", "?", "True", "True", "?"]
    assert told["point"].tolist() == ["False", "False", "True", "False", "?"]


def test_openstreetmap_gives_its_tags_by_its_own_keys(tmp_path: Path) -> None:
    path = tmp_path / "town.gpkg"
    rows = gpd.GeoDataFrame(
        {
            "amenity": ["parking", None, None, "cafe"],
            "other_tags": [None, '"natural"=>"tree","note"=>"a \\"fine\\" one"', '"building"=>"no"', None],
        },
        geometry=gpd.points_from_xy([0, 10, 20, 30], [0, 0, 0, 0]),
        crs=CRS,
    )
    rows.to_file(path)
    found, entries = read_features(TagSource(features=str(path)), rows.crs)
    assert found["car park"].tolist() == [True, False, False, False]
    assert found["trees"].tolist() == [False, True, False, False]
    assert not found["building"].any()
    assert sum(entry.count for entry in entries if entry.status == "skipped") == 2


@needs_real_data
def test_an_extract_of_openstreetmap_tells_what_stands_in_helsinki() -> None:
    path = str(DATA / "helsinki_roads" / "Helsinki.osm.pbf")
    found, _ = read_features(TagSource(features=path), pyproj.CRS("EPSG:3879"))
    points = pyogrio.read_dataframe(path, layer="points", read_geometry=False)
    trees = points["other_tags"].str.contains('"natural"=>"tree"', regex=False, na=False)
    assert (
        (found["crossing"] & (found.geom_type == "Point")).sum()
        == (points["highway"] == "crossing").sum()
        > 500
    )
    assert (found["trees"] & (found.geom_type == "Point")).sum() == trees.sum() > 500
    # the middle of the town in its own grid
    assert found[found["crossing"]].total_bounds == pytest.approx([25496500, 6672500] * 2, abs=3000)


def test_a_map_without_any_of_the_keys_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "town.gpkg"
    gpd.GeoDataFrame({"kind": ["x"]}, geometry=[shapely.Point(0, 0)], crs=CRS).to_file(path)
    with pytest.raises(LayerError, match="no geometry with a column named as one of amenity, building"):
        read_features(TagSource(features=str(path)), pyproj.CRS(CRS))
    with pytest.raises(SourceError, match="no such file"):
        read_features(TagSource(features=str(tmp_path / "none.pbf")), pyproj.CRS(CRS))


def test_small_zones_count_as_much_as_large_ones() -> None:
    cells = np.arange(5, dtype=np.float32)[:, None]
    assert as_bags(cells, np.array([0, 2, 5]))[..., 0].tolist() == [[0, 1, 0], [2, 3, 4]]


def test_chance_is_the_mean_over_all_orders() -> None:
    rng = np.random.default_rng(0)
    tags = np.arange(12) < 3
    drawn = [average_precision_score(tags, rng.random(12)) for _ in range(1000)]
    assert chance_precision(3, 12) == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / 1000**0.5)


def test_scores_by_chance_are_hardly_ever_held_better() -> None:
    rng = np.random.default_rng(3)
    places = rng.random((100, 2)) * 3000
    blocks = blocks_of(places)
    assert blocks is not None
    better = [judge(rng.random(100) < 0.4, rng.random(100), blocks, seed).better for seed in range(40)]
    assert sum(better) <= 6


def test_precision_by_weights_is_that_of_scikit_learn() -> None:
    """Ties and zones that were not drawn included."""
    rng = np.random.default_rng(6)
    tags, scores = rng.random(80) < 0.3, rng.integers(0, 20, 80).astype(float)
    weights = rng.integers(0, 3, (5, 80)).astype(float)
    theirs = [average_precision_score(tags, scores, sample_weight=one) for one in weights]
    assert precisions(tags, scores, weights) == pytest.approx(theirs)


def test_blocks_are_left_out_whole() -> None:
    rng = np.random.default_rng(4)
    blocks = blocks_of(rng.random((200, 2)) * 2000)
    assert blocks is not None
    folds = folds_of(rng.random(200) < 0.3, blocks, 0)
    assert len(set(zip(blocks.tolist(), folds.tolist(), strict=True))) == len(set(blocks.tolist()))
    assert blocks_of(rng.random((200, 2)) * 50) is None


def test_tags_that_exclude_each_other_go_together_too() -> None:
    one = pd.array([True, False] * 20, dtype="boolean")
    tags = pd.DataFrame(
        {"a": one, "b": ~one, "c": pd.array([True, True, False, False] * 10, dtype="boolean")}
    )
    ((one_name, other_name, phi),) = together(tags)
    assert (one_name, other_name) == ("a", "b")
    assert phi == pytest.approx(-1)


def test_cells_of_a_zone_are_the_same_whatever_pieces_they_come_in(
    pieces: list[Piece], around: Surroundings
) -> None:
    zones = around.tiles.geometry.to_numpy()
    one, other = gather(pieces, zones, None, 0), gather(pieces[::-1], zones, None, 0)
    assert (np.diff(one.starts) == CELLS**2).all()
    assert (one.features == other.features).all()


def test_the_highest_cells_find_what_the_mean_of_all_does_not() -> None:
    """One cell in ten tells; the mean over a tile drowns it in what the others vary by."""
    rng = np.random.default_rng(5)
    bags = rng.normal(0, 1, (200, 50, 6)).astype(np.float32)
    tags = np.arange(200) % 2 == 0
    bags[tags, :5, 2] += 3
    scorer = fit_scorer(bags[:100], tags[:100])
    assert average_precision_score(tags[100:], pooled(scorer(bags[100:]))) > 0.95
    assert np.argmax(np.abs(scorer.weights)) == 2
