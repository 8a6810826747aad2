"""Single tiles are found by their look: where in a street."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import CRS
from shapely import LineString

from geo.errors import LayerError
from geo.features.fingerprints import fingerprint
from geo.features.lengths import of_length_1
from geo.features.tile_fingerprints import (
    fingerprints_of_tiles,
    read_ids,
    read_rows,
    read_vectors,
    write_tiles,
)
from geo.outputs.answers.layer import write_answers
from geo.search.looks import Looks
from geo.search.ranking import Ranked, one_of_each, spread
from geo.search.tiles import overlapping, same_place_of_tiles
from tasks.results.seen_tiles import SeenTiles

TILE_M, DIMENSION = 40.0, 12


def made_tiles(segments, rng):
    """Lay tiles along each line every 30 m, so that neighbours overlap; the third of each shows a crossing."""
    rows = [
        (f"{one.segment_id}-{n:02d}", one.segment_id, at, one.geometry.interpolate(at), n == 2)
        for one in segments.itertuples()
        for n, at in enumerate(np.arange(15, one.geometry.length, 30))
    ]
    ids, owners, at, centres, crossing = zip(*rows, strict=True)
    tiles = gpd.GeoDataFrame(
        {"tile_id": ids, "segment_id": owners, "position_m": at},
        geometry=[shapely.box(p.x - 20, p.y - 20, p.x + 20, p.y + 20) for p in centres],
        crs=segments.crs,
    )
    looks = np.where(np.array(crossing)[:, None], np.eye(DIMENSION)[0], np.eye(DIMENSION)[1])
    looks = 3 * looks + 0.3 * rng.normal(size=(len(ids), DIMENSION))
    return tiles.assign(coverage=rng.uniform(0.5, 1, len(ids)), embedding=list(looks.astype(np.float32)))


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """Twenty streets of 150 m, 500 m apart; the first goes on under its name for half a kilometre."""
    rng = np.random.default_rng(5)
    lines = [LineString([(500 * n, 0), (500 * n + 150, 0)]) for n in range(20)]
    lines += [LineString([(0, 40), (0, 190)]), LineString([(0, 200), (0, 550)])]
    segments = gpd.GeoDataFrame(
        {
            "segment_id": [f"s{n:02d}" for n in range(len(lines))],
            "name": ["High Street", *[None] * 19, "High Street", "High Street"],
            "ref": None,
            "road_class": "residential",
        },
        geometry=lines,
        crs=CRS.from_epsg(27700),
    )
    tiles = made_tiles(segments, rng)
    pooled = fingerprint(tiles.assign(bands=[[1.0]] * len(tiles)))
    file = tmp_path_factory.mktemp("tiles") / "tile_fingerprints.parquet"
    write_tiles(file, tiles, fingerprints_of_tiles(tiles, pooled, pooled), {b"emb:type": b"chip"})
    seen = SeenTiles(file, tiles, pd.Index(segments["segment_id"]), of_length_1)
    points = of_length_1(pooled.vectors).astype(np.float32)
    looks = Looks(segments, tiles, pooled.vectors, points, of_length_1, TILE_M, seen)
    return looks, tiles, pooled, file


def everyone(looks):
    return np.ones(len(looks.segments), dtype=bool)


def test_the_mean_over_its_tiles_by_coverage_is_the_fingerprint_of_a_segment(city):
    _, tiles, pooled, _ = city
    moved = replace(pooled, vectors=pooled.vectors + np.arange(len(pooled))[:, None].astype(np.float32))
    for target in (pooled, moved):
        found = pd.DataFrame(fingerprints_of_tiles(tiles, pooled, target)).mul(tiles["coverage"], axis=0)
        sums = found.groupby(tiles["segment_id"]).sum()
        means = sums.div(tiles.groupby("segment_id")["coverage"].sum(), axis=0)
        np.testing.assert_allclose(means.loc[pooled.segment_ids], target.vectors, atol=1e-5)


def test_what_is_written_is_read_by_parts_and_by_others(city, tmp_path):
    _, tiles, pooled, file = city
    exact = fingerprints_of_tiles(tiles, pooled, pooled)
    assert read_ids(file).equals(tiles[["tile_id", "segment_id"]])
    np.testing.assert_allclose(np.concatenate(list(read_vectors(file))), exact, atol=5e-4)
    parts = tmp_path / "parts.parquet"
    pq.write_table(pq.read_table(file), parts, row_group_size=7)
    rows = np.array([0, 3, 7, 8, len(tiles) - 1])
    np.testing.assert_array_equal(read_rows(parts, rows), read_rows(file, rows))
    np.testing.assert_allclose(read_rows(file, rows), exact[rows], atol=5e-4)
    assert read_rows(file, rows[:0]).shape == (0, DIMENSION)
    assert pl.read_parquet(file)["tile_id"].to_list() == tiles["tile_id"].tolist()


def test_a_crossing_finds_the_crossings_of_other_streets(city):
    looks, tiles, _, _ = city
    found = looks.find_tiles([looks.tile("s04-02")], [], among=everyone(looks), shown=10, balance=1.0)
    assert found["tile_id"].str.endswith("-02").all()
    assert found["segment_id"].is_unique
    assert "s04" not in set(found["segment_id"])
    assert found["rank"].tolist() == list(range(1, 11))
    placed = tiles.set_index("tile_id").loc[found["tile_id"]]
    assert found.geometry.geom_equals(placed.geometry.reset_index(drop=True)).all()
    assert found["x"].tolist() == pytest.approx(placed.geometry.centroid.x.tolist())
    assert found["position_m"].tolist() == [75.0] * 10


def test_a_segment_is_shown_by_its_tile_that_is_most_like_the_question(city):
    looks, tiles, _, _ = city
    found = looks.find([looks.tile("s04-02")], [], among=everyone(looks), shown=5)
    assert "s04" not in set(found["segment_id"])
    exact = of_length_1(np.stack(tiles["embedding"]))
    likeness = exact @ of_length_1(tiles.set_index("tile_id").loc["s04-02", "embedding"])
    best = tiles.assign(likeness=likeness).sort_values("likeness").groupby("segment_id")["tile_id"].last()
    assert found["tile_id"].tolist() == best.loc[found["segment_id"]].tolist()
    # without fingerprints of tiles it is the one in the middle
    plain = replace(looks, seen=None).find([looks.example(4)], [], among=everyone(looks), shown=5)
    middle = looks.segments.set_index("segment_id").length.loc[tiles["segment_id"]].to_numpy() / 2
    off = (tiles["position_m"] - middle).abs().groupby(tiles["segment_id"]).idxmin()
    assert plain["tile_id"].tolist() == tiles["tile_id"].loc[off.loc[plain["segment_id"]]].tolist()


@pytest.mark.parametrize("tile", ["s00-00", "s00-04", "s21-11", None])
def test_the_same_road_within_200_m_and_what_overlaps_is_no_answer(city, tile):
    looks, tiles, _, _ = city
    example = looks.example(0) if tile is None else looks.tile(tile)
    seen = looks.seen.everyone()
    same = same_place_of_tiles(seen, looks.segments, looks.tiles, [example])
    mine = tiles["tile_id"] == tile if tile else tiles["segment_id"] == "s00"
    place = tiles.geometry[mine].centroid.iloc[0] if tile else looks.segments.geometry[0]
    road = looks.segments.set_index("segment_id")["name"].loc[tiles["segment_id"]].to_numpy() == "High Street"
    near = tiles.geometry.centroid.distance(place) < 200
    ground = tiles.geometry.intersection(tiles.geometry[mine].union_all()).area > 0
    assert (same == ((road & near) | ground).to_numpy()).all()
    assert 0 < same.sum() < road.sum() + 1
    found = looks.find_tiles([example], [], among=everyone(looks), shown=200)
    assert not set(found["tile_id"]) & set(tiles["tile_id"][same])


def test_the_places_of_many_examples_are_those_of_each(city):
    looks, _, _, _ = city
    seen = looks.seen.everyone()
    many = [
        looks.tile("s00-01"),
        looks.example(3),
        looks.tile("s21-02"),
        looks.example(7),
        looks.tile("s00-03"),
    ]
    each = [same_place_of_tiles(seen, looks.segments, looks.tiles, [one]) for one in many]
    together = same_place_of_tiles(seen, looks.segments, looks.tiles, many)
    assert (together == np.any(each, axis=0)).all()
    elsewhere = [replace(one, segment_id=None, tile_id=None) for one in many]
    assert not same_place_of_tiles(seen, looks.segments, looks.tiles, elsewhere).any()


def test_answers_show_no_ground_twice_and_only_roads_that_are_asked_about(city):
    looks, _, _, _ = city
    among = looks.segments["segment_id"].isin(["s02", "s05", "s21"]).to_numpy()
    found = looks.find_tiles([looks.tile("s04-00")], [], among=among, shown=50)
    assert set(found["segment_id"]) == {"s02", "s05", "s21"}
    pairs = found.geometry.to_numpy()
    shared = shapely.area(shapely.intersection(pairs[:, None], pairs[None]))
    assert (shared > 0).sum() == len(found)
    assert overlapping(pairs).nnz == 0
    with pytest.raises(LayerError, match="no tile is left"):
        looks.find_tiles([looks.tile("s04-00")], [], among=looks.segments["segment_id"] == "s04", shown=5)


def test_a_run_that_kept_none_says_so(city):
    looks, _, _, _ = city
    with pytest.raises(LayerError, match="kept no fingerprints of single tiles"):
        replace(looks, seen=None).find_tiles([looks.example(0)], [], among=everyone(looks), shown=5)
    assert replace(looks, seen=None).tile("s00-00") is None
    assert looks.tile("s99-00") is None


def test_the_squares_of_tiles_are_written_with_their_style(city, tmp_path):
    looks, _, _, _ = city
    found = looks.find_tiles([looks.tile("s04-02")], [], among=everyone(looks), shown=4)
    write_answers(tmp_path / "a.gpkg", found)
    laid = gpd.read_file(tmp_path / "a.gpkg", layer="answers")
    assert laid.geom_type.unique().tolist() == ["Polygon"]
    assert laid["tile_id"].tolist() == found["tile_id"].tolist()
    (style,) = gpd.read_file(tmp_path / "a.gpkg", layer="layer_styles")["styleQML"]
    assert 'type="fill"' in style
    assert "<layerGeometryType>2</layerGeometryType>" in style


def test_the_next_page_goes_on_where_the_one_before_ended(city):
    looks, _, _, _ = city
    ask = [looks.example(3)], []
    pages = [looks.find(*ask, among=everyone(looks), shown=4, skip=skip) for skip in (0, 4, 8)]
    ids = pd.concat(pages)["segment_id"]
    assert ids.is_unique
    assert pd.concat(pages)["rank"].tolist() == list(range(1, 13))
    assert pages[0].equals(looks.find(*ask, among=everyone(looks), shown=4))
    rest = looks.find(*ask, among=everyone(looks), shown=100, skip=12)
    assert set(rest["segment_id"]) | set(ids) == set(looks.segments["segment_id"]) - {"s03"}
    assert looks.find(*ask, among=everyone(looks), shown=4, skip=50).empty


def test_pages_are_chosen_as_carbonell_and_goldstein_do_beside_all_shown_before():
    rng = np.random.default_rng(0)
    points = of_length_1(rng.normal(size=(60, 6))).astype(np.float32)
    likeness = np.sort(rng.random(60))[::-1]
    ranked = Ranked(np.arange(60), likeness, likeness, np.zeros(60, dtype=np.int64), 60, learnt=False)
    before = spread(points, ranked, 5, balance=0.5).tolist()
    left = [one for one in range(60) if one not in before][:15]
    chosen = list(before)
    for _ in range(5):
        free = [one for one in left if one not in chosen]
        worth = [
            0.5 * likeness[one] - 0.5 * max(points[one] @ points[there] for there in chosen) for one in free
        ]
        chosen.append(free[int(np.argmax(worth))])
    assert spread(points, ranked, 5, balance=0.5, skip=5).tolist() == sorted(chosen[5:])


def test_of_what_shows_the_same_the_first_stands_for_all():
    rng = np.random.default_rng(1)
    at = rng.uniform(0, 300, (80, 2))
    squares = shapely.box(at[:, 0], at[:, 1], at[:, 0] + 40, at[:, 1] + 40)
    chosen = one_of_each(overlapping(squares), 80)
    expected = []
    for one in range(80):
        if not any(squares[one].intersection(squares[there]).area > 0 for there in expected):
            expected.append(one)
    assert chosen.tolist() == expected
