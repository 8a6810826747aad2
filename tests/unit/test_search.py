"""Roads are found by how much they look like examples, and by what analysts have called them."""

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from PIL import Image
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.shutil import copy
from rasterio.transform import from_origin
from shapely import LineString, box
from sklearn.metrics.pairwise import cosine_similarity

from geo.errors import EncoderError, LayerError, SourceError
from geo.features.lengths import of_length_1
from geo.search.concepts import Concept, kept, read_concept, refuse_other_encoder, write_concept
from geo.search.example import Example
from geo.search.filters import wanted
from geo.search.looks import Looks
from geo.search.pictures import read_picture
from geo.search.ranking import Ranked, cosines, direction, rank, spread
from geo.search.words.called import called, known_as
from geo.search.words.fit import Askable, Fit

LOOKS, EACH = 4, 30


@pytest.fixture(scope="module")
def made():
    """Make points of four looks about their middles, in no order; with the look of each."""
    rng = np.random.default_rng(4)
    look = rng.permutation(np.repeat(np.arange(LOOKS), EACH))
    middles = of_length_1(rng.normal(size=(LOOKS, 16)))
    points = of_length_1(middles[look] + 0.35 * rng.normal(size=(len(look), 16))).astype(np.float32)
    return points, look


def found(made, yes, no=(), shown=10):
    points, _ = made
    examples = np.isin(np.arange(len(points)), [*yes, *no])
    return rank(points, points[list(yes)], points[list(no)], left_out=examples, shown=shown)


def test_cosines_are_those_of_sklearn_whatever_the_block(made, monkeypatch):
    points, _ = made
    whole = cosines(points, points[:3])
    np.testing.assert_allclose(whole, cosine_similarity(points, points[:3]), atol=1e-6)
    monkeypatch.setattr("geo.search.ranking.BLOCK", 7)
    np.testing.assert_allclose(cosines(points, points[:3]), whole, atol=1e-7)


def test_one_example_finds_its_look_and_the_graph_of_likeness_finds_more_of_it(made):
    points, look = made
    drawn, plain = [], []
    for row in range(0, len(points), 7):
        drawn.append((look[found(made, [row]).rows[: EACH - 1]] == look[row]).mean())
        order = np.argsort(-cosine_similarity(points[row : row + 1], points)[0], kind="stable")
        plain.append((look[order[1:EACH]] == look[row]).mean())
    assert np.mean(drawn) > 0.8
    assert np.mean(drawn) > np.mean(plain)


def test_the_same_question_gives_the_same_bytes(made):
    first, second = (found(made, [0, 1, 2], [3, 4, 5]) for _ in range(2))
    assert first.learnt
    assert (
        first.rows.tobytes() + first.likeness.tobytes() == second.rows.tobytes() + second.likeness.tobytes()
    )


def test_the_cosine_of_an_answer_hangs_on_no_other_road(made):
    points, _ = made
    all_of_them = found(made, [0])
    few = rank(points[:60], points[:1], points[:0], left_out=np.arange(60) == 0)
    np.testing.assert_allclose(
        all_of_them.cosine, cosine_similarity(points[all_of_them.rows], points[:1])[:, 0], atol=1e-6
    )
    kept_rows = dict(zip(all_of_them.rows.tolist(), all_of_them.cosine.tolist(), strict=True))
    assert few.cosine.tolist() == pytest.approx([kept_rows[row] for row in few.rows.tolist()], abs=1e-6)


def test_what_is_not_meant_is_pushed_away(made):
    _, look = made
    yes, no = np.flatnonzero(look == 0), np.flatnonzero(look == 1)
    both = [yes[0], no[0]]
    mixed = look[found(made, both).rows[:20]]
    told = look[found(made, [yes[0]], [no[0]]).rows[:20]]
    assert (mixed == 1).any()
    assert not (told == 1).any()


def test_three_examples_of_each_kind_are_learnt_from(made):
    _, look = made
    yes, no = np.flatnonzero(look == 2)[:3], np.flatnonzero(look == 3)[:3]
    learnt = found(made, yes, no)
    assert learnt.learnt
    assert (look[learnt.rows[:20]] == 2).mean() > 0.8
    assert ((learnt.likeness >= 0) & (learnt.likeness <= 1)).all()
    assert not found(made, yes, no[:2]).learnt


def test_the_direction_is_twice_what_is_meant_less_what_is_not(made):
    points, _ = made
    yes, no = points[:4], points[4:6]
    asked = 2 * yes.mean(axis=0) - no.mean(axis=0)
    np.testing.assert_allclose(direction(yes, no), asked / np.linalg.norm(asked), rtol=1e-5)


def test_answers_are_spread_as_carbonell_and_goldstein_do(made):
    points, _ = made
    ranked = found(made, [0])
    pool = ranked.rows[:30]
    like = cosine_similarity(points[pool])
    chosen = []
    for _ in range(10):
        left = [one for one in range(30) if one not in chosen]
        worth = [0.6 * ranked.likeness[i] - 0.4 * max([like[i, j] for j in chosen], default=0) for i in left]
        chosen.append(left[int(np.argmax(worth))])
    assert spread(points, ranked, 10, balance=0.6).tolist() == sorted(chosen)
    assert spread(points, ranked, 10, balance=1.0).tolist() == list(range(10))


def test_fewer_answers_come_where_fewer_can_be_asked():
    points = np.eye(2, dtype=np.float32)
    one = Ranked(np.array([1]), np.array([0.5]), np.array([0.5]), np.array([0]), 1, learnt=False)
    assert spread(points, one, 5).tolist() == [0]


@pytest.fixture
def looks():
    """Lay twelve roads out: six of each look, 500 m apart, the first of which goes on as a second piece."""
    rng = np.random.default_rng(1)
    ids = [f"s{n:02d}" for n in range(13)]
    lines = [LineString([(500 * n, 0), (500 * n + 100, 0)]) for n in range(12)] + [
        LineString([(100, 0), (190, 0)])
    ]
    names = ["High Street", *[f"Lane {n}" for n in range(1, 12)], "High Street"]
    segments = gpd.GeoDataFrame(
        {
            "segment_id": pd.array(ids, dtype="string"),
            "name": pd.array(names, dtype="string"),
            "ref": pd.array([pd.NA] * 13, dtype="string"),
            "road_class": ["primary"] * 6 + ["tertiary"] * 7,
            "cluster": pd.array([1] * 6 + [2] * 6 + [1], dtype="Int64"),
            "ksi_per_km_year_eb": [1.0, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, np.nan],
        },
        geometry=lines,
        crs=27700,
    )
    segments.geometry = segments.geometry.translate(413_000, 274_000)
    tiles = gpd.GeoDataFrame(
        {"tile_id": [f"{one}-00" for one in ids], "segment_id": segments["segment_id"], "position_m": 50.0},
        geometry=[
            box(x - 20, y - 20, x + 20, y + 20)
            for x, y in segments.geometry.interpolate(50).get_coordinates().to_numpy()
        ],
        crs=27700,
    )
    kinds = np.array([0] * 6 + [1] * 6 + [0])
    vectors = (np.eye(8)[kinds] + 0.1 * rng.random((13, 8))).astype(np.float32)
    points = of_length_1(vectors).astype(np.float32)
    return Looks(segments, tiles, vectors, points, of_length_1, 40.0)


def test_the_same_road_close_by_is_no_answer(looks):
    among = np.ones(13, dtype=bool)
    answers = looks.find([looks.example(0)], [], among=among, shown=20)
    assert not {"s00", "s12"} & set(answers["segment_id"])
    assert set(answers["segment_id"][:5]) == {f"s{n:02d}" for n in range(1, 6)}
    assert answers["rank"].tolist() == list(range(1, 12))
    assert answers["likeness"].is_monotonic_decreasing
    assert answers["of_all"].unique().tolist() == [11]
    assert answers["why"].unique().tolist() == ["segment s00"]
    assert answers["tile_id"].tolist() == [f"{one}-00" for one in answers["segment_id"]]


def test_a_road_without_an_encoded_tile_is_an_answer_that_names_none(looks):
    bare = replace(looks, tiles=looks.tiles.assign(encoded=False))
    answers = bare.find([bare.example(0)], [], among=np.ones(13, dtype=bool), shown=3)
    assert len(answers) == 3
    assert answers[["tile_id", "x", "y"]].isna().all(axis=None)


def test_a_place_means_the_road_at_it_and_none_outside_the_city(looks):
    (there,) = gpd.GeoSeries([looks.segments.geometry[7].centroid], crs=27700).to_crs(4326)
    assert looks.at(there.x, there.y).segment_id == "s07"
    with pytest.raises(LayerError, match=r"nearest road with a fingerprint is [1-9].* away"):
        looks.at(there.x, there.y + 0.1)
    with pytest.raises(LayerError, match="no place in degrees"):
        looks.at(413_000, 274_000)


def test_roads_are_asked_about_by_class_place_and_collisions(looks):
    segments = looks.segments
    assert wanted(segments, road_classes=["primary"]).among.sum() == 6
    # half of each class has a rate up to its median, and of what has none it is not known
    assert wanted(segments, collisions="few").among.sum() == 6
    assert wanted(segments, collisions="many").among.sum() == 6
    inside = box(413_000, 273_900, 413_600, 274_100)
    assert segments["segment_id"][wanted(segments, within=inside).among].tolist() == ["s00", "s01", "s12"]
    with pytest.raises(LayerError, match="'alley'"):
        wanted(segments, road_classes=["alley"])
    with pytest.raises(LayerError, match="lies in it"):
        wanted(segments, within=box(0, 0, 1, 1))
    with pytest.raises(LayerError, match="no records"):
        wanted(segments.assign(ksi_per_km_year_eb=np.nan), collisions="few")


MADE_BY = {"emb:model.name": "bundled", "emb:dimensions": 4}


def concept(**changes):
    yes = Example("segment a", np.array([0.5, 0.25, 0, 0], dtype=np.float32), "a")
    no = Example("segment b", np.array([0, 0, 1, 0], dtype=np.float32), "b")
    examples = [*kept([yes], meant=True), *kept([no], meant=False)]
    return Concept(
        **{"name": "bad junction", "made_by": MADE_BY, "threshold": 0.8, "examples": examples} | changes
    )


def test_a_concept_is_read_as_it_was_saved(tmp_path):
    write_concept(tmp_path / "deeper" / "one.json", concept())
    again = read_concept(tmp_path / "deeper" / "one.json")
    assert again == concept()
    (yes,) = again.of(meant=True)
    assert yes.vector.tolist() == [0.5, 0.25, 0, 0]
    # it is not said to be a road of this city, of which neighbours would be left out
    assert yes.segment_id is None


def test_a_concept_of_another_encoder_is_refused():
    refuse_other_encoder(concept(), dict(MADE_BY), where="one.json")
    with pytest.raises(EncoderError, match="encoder bundled in place of resnet50"):
        refuse_other_encoder(concept(), MADE_BY | {"emb:model.name": "resnet50"}, where="one.json")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"version": 2}, "version"),
        ({"format": "a song"}, "format"),
        ({"name": " "}, "name"),
        ({"threshold": 7}, "threshold"),
        ({"examples": []}, "examples"),
        ({"examples": [{"label": "a", "meant": False, "vector": [1.0]}]}, "no example of it is meant"),
        ({"examples": [{"label": "a", "meant": True, "vector": [0.0]}]}, "nothing but zeros"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_is_no_concept_is_refused(tmp_path, change, why):
    file = tmp_path / "one.json"
    file.write_text(json.dumps(concept().model_dump() | change))
    with pytest.raises(SourceError, match=f"no concept .*{why}"):
        read_concept(file)


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[1, 2]", b'{"examples": NaN}'])
def test_a_file_of_another_kind_is_no_concept(tmp_path, content):
    (tmp_path / "one.json").write_bytes(content)
    with pytest.raises(SourceError, match="no concept"):
        read_concept(tmp_path / "one.json")


def test_words_are_found_in_names_whatever_their_order():
    texts = {1: "Car parks, big", 2: "Leafy streets", 3: "Straßen mit Parkplätzen"}
    assert called("BIG car", texts) == [1]
    assert called("park", texts) == [1, 3]
    assert called("strasse", {1: "STRASSE", 2: "Straße"}) == [1, 2]
    assert called("bus", texts) == called("  ,", texts) == []


def test_a_word_alone_ranks_roads_by_how_well_it_fits_them(looks):
    fits = np.linspace(0, 0.9, 13)
    fit = Fit("woods", (Askable("forest", "bank", 0.9),), lambda vectors: fits[: len(vectors)], 0.3)
    examples = looks.fitted(fit, 3)
    assert [one.label for one in examples] == ["forest (bank)"] * 3
    assert (examples[0].vector == looks.vectors[12]).all()
    found = looks.find(examples, [], among=np.arange(13) != 11, shown=20, fit=fit, balance=1)
    assert found["segment_id"].tolist() == [f"s{n:02d}" for n in (12, 10, 9, 8, 7, 6, 5)]
    assert found["likeness"].tolist() == pytest.approx([fits[n] for n in (12, 10, 9, 8, 7, 6, 5)])
    assert found["why"].unique().tolist() == ["forest (bank)"]
    assert found["of_all"].unique().tolist() == [12]
    middle = np.mean([looks.into(one.vector) for one in examples], axis=0)
    assert found["cosine"].to_numpy() == pytest.approx(
        cosine_similarity(looks.points[[12, 10, 9, 8, 7, 6, 5]], middle[None])[:, 0], abs=1e-6
    )
    assert looks.fitted(replace(fit, least=0.9), 3) == []


def test_known_words_are_found_whole_and_in_the_plural_or_in_part_but_not_by_their_beginning():
    terms = {1: ["parking lot", "car park"], 2: ["dense residential"], 3: ["sparse residential"], 4: ["park"]}
    assert known_as("car_parks", terms) == [1]
    assert known_as("parks", terms) == [4], "a term of that name goes before one that has it"
    assert known_as("residential", terms) == [2, 3]
    assert known_as("resident", terms) == known_as(" ,", terms) == []


def photograph(path, shape=(80, 80, 3), **place):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, shape, dtype=np.uint8)
    if place:
        with rasterio.open(
            path, "w", driver="GTiff", width=shape[1], height=shape[0], count=3, dtype="uint8", **place
        ) as file:
            file.write(np.moveaxis(pixels, -1, 0))
    else:
        Image.fromarray(pixels).save(path)
    return np.moveaxis(pixels, -1, 0)


def test_the_middle_of_a_picture_is_seen_as_large_as_a_tile(tmp_path):
    pixels = photograph(tmp_path / "a.png")
    seen, valid = read_picture(tmp_path / "a.png", tile_m=20, pixel_m=0.5)
    assert valid.all()
    assert (seen == pixels[:, 20:60, 20:60]).all()
    wide, there = read_picture(tmp_path / "a.png", tile_m=50, pixel_m=0.5)
    assert wide.shape == (3, 100, 100)
    assert (wide[:, 10:90, 10:90] == pixels).all()
    assert there.sum() == 80 * 80


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        (27700, from_origin(413_000, 274_000, 0.5, 0.5)),
        # a third more metres stand on paper at 52 degrees north than lie on the ground
        (3857, from_origin(-200_000, 6_870_000, 0.5 / 0.6125, 0.5 / 0.6125)),
        (4326, from_origin(-1.8, 52.36, 0.5 / 68_240, 0.5 / 68_240)),
    ],
)
def test_the_ground_of_a_pixel_is_read_where_the_picture_says_it(tmp_path, crs, transform):
    photograph(tmp_path / "a.tif", crs=f"EPSG:{crs}", transform=transform)
    seen, _ = read_picture(tmp_path / "a.tif", tile_m=20)
    assert abs(seen.shape[1] - 40) <= 1


def noise(side=80):
    return np.random.default_rng(1).integers(0, 255, (side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "tif", "bmp", "jp2"])
def test_a_picture_is_read_whole_or_not_at_all(tmp_path, kind):
    whole = tmp_path / f"a.{kind}"
    Image.fromarray(noise()).save(whole)
    seen, _ = read_picture(whole, tile_m=20, pixel_m=0.5)
    assert seen.shape == (3, 40, 40)
    broken = tmp_path / f"b.{kind}"
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(SourceError, match="cannot be read as a picture"):
        read_picture(broken, tile_m=20, pixel_m=0.5)


def test_a_file_that_names_others_is_no_picture(tmp_path):
    photograph(tmp_path / "a.tif", crs="EPSG:27700", transform=from_origin(413_000, 274_000, 0.5, 0.5))
    copy(tmp_path / "a.tif", tmp_path / "a.vrt", driver="VRT")
    with pytest.raises(SourceError, match="it is none"):
        read_picture(tmp_path / "a.vrt", tile_m=20, pixel_m=0.5)


@pytest.mark.parametrize("kind", ["png", "webp", "tif"])
def test_of_several_pictures_in_one_file_none_is_chosen(tmp_path, kind):
    first, second = Image.fromarray(noise()), Image.fromarray(noise().transpose(1, 0, 2))
    first.save(tmp_path / f"a.{kind}", save_all=True, append_images=[second])
    with pytest.raises(LayerError, match="holds 2 pictures"):
        read_picture(tmp_path / f"a.{kind}", tile_m=20, pixel_m=0.5)


def test_the_colours_of_print_are_read_as_what_they_show(tmp_path):
    sky = Image.fromarray(np.full((80, 80, 3), (90, 160, 220), dtype=np.uint8))
    sky.putpixel((40, 40), (0, 0, 0))
    sky.convert("CMYK").save(tmp_path / "a.tif")
    seen, _ = read_picture(tmp_path / "a.tif", tile_m=20, pixel_m=0.5)
    assert np.median(seen, axis=(1, 2)).tolist() == pytest.approx([90, 160, 220], abs=3)


@pytest.mark.parametrize(
    ("called", "bands"),
    [
        ((ColorInterp.blue, ColorInterp.green, ColorInterp.red), (2, 1, 0)),
        ((ColorInterp.alpha, ColorInterp.red, ColorInterp.green, ColorInterp.blue), (3, 0, 1, 2)),
        ((ColorInterp.gray, ColorInterp.undefined, ColorInterp.undefined), (0, 1, 2)),
    ],
)
def test_red_green_and_blue_are_the_bands_that_the_picture_calls_so(tmp_path, called, bands):
    colours = np.moveaxis(np.dstack([noise(), np.full((80, 80), 255, dtype=np.uint8)]), -1, 0)
    shape = {"width": 80, "height": 80, "count": len(called), "dtype": "uint8"}
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", **shape) as file:
        file.write(colours[list(bands)])
        file.colorinterp = called
    seen, valid = read_picture(tmp_path / "a.tif", tile_m=40, pixel_m=0.5)
    assert (seen == colours[:3]).all()
    assert valid.all()


def test_a_picture_with_a_palette_is_seen_in_its_colours(tmp_path):
    colours = noise() // 128 * 255
    Image.fromarray(colours).quantize(8, dither=Image.Dither.NONE).save(tmp_path / "a.png")
    seen, valid = read_picture(tmp_path / "a.png", tile_m=40, pixel_m=0.5)
    assert (seen == np.moveaxis(colours, -1, 0)).all()
    assert valid.all()


def test_a_grid_that_lies_nowhere_on_the_earth_says_nothing_of_the_ground(tmp_path):
    site = CRS.from_wkt('LOCAL_CS["site",UNIT["metre",1]]')
    photograph(tmp_path / "a.tif", crs=site, transform=from_origin(0, 0, 0.5, 0.5))
    with pytest.raises(LayerError, match="how much ground"):
        read_picture(tmp_path / "a.tif", tile_m=20)
    assert read_picture(tmp_path / "a.tif", tile_m=20, pixel_m=0.5)[0].shape == (3, 40, 40)


def test_a_picture_of_a_town_is_to_be_cut_first(tmp_path, monkeypatch):
    monkeypatch.setattr("geo.search.pictures.MOST_PIXELS", 6399)
    Image.fromarray(noise()).save(tmp_path / "a.png")
    with pytest.raises(LayerError, match="80 x 80 pixels"):
        read_picture(tmp_path / "a.png", tile_m=20, pixel_m=0.5)


def test_pictures_of_another_kind_are_refused(tmp_path):
    photograph(tmp_path / "a.png")
    with pytest.raises(LayerError, match="how much ground"):
        read_picture(tmp_path / "a.png", tile_m=20)
    with pytest.raises(LayerError, match=r"shows 8 x 8 m, and a tile 20 m"):
        read_picture(tmp_path / "a.png", tile_m=20, pixel_m=0.1)
    with pytest.raises(LayerError, match="would show 50 m"):
        read_picture(tmp_path / "a.png", tile_m=20, pixel_m=50)
    Image.fromarray(np.zeros((80, 80), dtype=np.uint8)).save(tmp_path / "grey.png")
    with pytest.raises(LayerError, match="1 band of uint8"):
        read_picture(tmp_path / "grey.png", tile_m=20, pixel_m=0.5)
    Image.fromarray(np.full((80, 80, 3), 7, dtype=np.uint8)).save(tmp_path / "plain.png")
    with pytest.raises(LayerError, match="one colour"):
        read_picture(tmp_path / "plain.png", tile_m=20, pixel_m=0.5)
    (tmp_path / "a.txt").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    for name, why in (
        ("a.txt", "cannot be read as a picture"),
        ("gray.png", r"no such file; did you mean grey\.png\?"),
        ("folder.png", "it is no file"),
    ):
        with pytest.raises(SourceError, match=why):
            read_picture(tmp_path / name, tile_m=20, pixel_m=0.5)
