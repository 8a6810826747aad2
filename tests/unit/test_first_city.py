"""A city's first file from what lies in a folder: what is guessed, what is asked, and nothing taken in silence."""

import io
import json
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from rasters import noise, write_raster
from shapely import LineString, Point, box

from flows.cli import main
from flows.commands.init import ask
from geo.config import load
from geo.errors import ConfigurationError, LayerError
from geo.starting.guess import Guess, Option
from geo.starting.records.sets import Surroundings, find_records
from geo.starting.tables import look_into
from tasks.starting import first
from tasks.starting.answers import Answers
from tasks.starting.draft import draw_up

WEST, NORTH = 430_000.0, 434_000.0
CRS = 27700


def imagery(path, pixels=None):
    """Draw a raster of 400 m at 2 m a pixel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = noise(200, 200) if pixels is None else pixels
    write_raster(path, pixels, west=WEST, north=NORTH, pixel=2.0, crs=f"EPSG:{CRS}")


def streets(crs=CRS, **columns):
    """Lay six streets into the imagery."""
    lines = [
        LineString([(WEST + 20 + 60 * i, NORTH - 20), (WEST + 20 + 60 * i, NORTH - 380)]) for i in range(6)
    ]
    columns = columns or {
        "highway": ["primary", *["residential"] * 5],
        "name": [f"{i} Mill Lane" for i in range(6)],
    }
    return gpd.GeoDataFrame(columns, geometry=lines, crs=CRS).to_crs(crs)


def collisions(n=120, **columns):
    """Strew collisions along the streets."""
    draw = np.random.default_rng(1)
    x, y = WEST + 20 + 60 * draw.integers(0, 6, n), NORTH - draw.uniform(30, 370, n)
    at = gpd.GeoSeries(gpd.points_from_xy(x, y), crs=CRS).to_crs(4326)
    days = pd.date_range("2022-01-01", "2022-12-31", periods=n).strftime("%Y-%m-%d")
    severity = ["Fatal"] * 2 + ["Serious"] * 20 + ["Slight"] * (n - 22)
    return pd.DataFrame(
        {"crash_id": range(n), "date": days, "lon": at.x, "lat": at.y, "severity": severity} | columns
    )


@pytest.fixture
def folder(tmp_path):
    """A folder with imagery, roads and records."""
    place = tmp_path / "Smallton"
    imagery(place / "imagery" / "a_2021-06-01.tif")
    streets().to_file(place / "roads.gpkg")
    collisions().to_csv(place / "crashes.csv", index=False)
    return place


def drawn(place, given=None, **options):
    return draw_up([place], place.parent / "city.yaml", given, **options)


def values(draft):
    return {guess.key: guess.value for guess in draft.guesses if not guess.left_out}


def test_a_folder_with_one_of_each_needs_no_answer(folder):
    draft = drawn(folder)
    assert draft.open == []
    assert values(draft) == {
        "city": "Smallton",
        "crs": "EPSG:27700",
        "imagery.sources": ["Smallton/imagery/a_2021-06-01.tif"],
        "roads.source": "Smallton/roads.gpkg",
        "roads.class_field": "highway",
        "roads.name_field": "name",
        "roads.licence": "© OpenStreetMap contributors, ODbL",
        "collisions.sources": ["Smallton/crashes.csv"],
        "collisions.schema": "columns",
        "collisions.columns.id": "crash_id",
        "collisions.columns.date": "date",
        "collisions.columns.x": "lon",
        "collisions.columns.y": "lat",
        "collisions.columns.crs": "EPSG:4326",
        "collisions.columns.severity": "severity",
        "collisions.severity_values": {"fatal": ["Fatal"], "serious": ["Serious"], "slight": ["Slight"]},
    }
    assert "2021-06-01" in next(guess.why[0] for guess in draft.guesses if guess.key == "imagery.licence")


def test_what_is_written_is_read_as_it_was_guessed(folder):
    draft = drawn(folder)
    first.write(draft)
    config = load(draft.file)
    assert config.roads.source == str(folder / "roads.gpkg")
    assert config.collisions.columns.severity == "severity"
    assert config.collisions.severity_values == {
        "fatal": ["Fatal"],
        "serious": ["Serious"],
        "slight": ["Slight"],
    }


def test_numbers_in_place_of_words_stay_text_in_the_file(folder):
    codes = {"Fatal": "01", "Serious": "02", "Slight": "03"}
    table = collisions()
    table.assign(severity=table["severity"].map(codes)).to_csv(folder / "crashes.csv", index=False)
    draft = drawn(folder)
    first.write(draft)
    assert [guess.key for guess in draft.open] == ["collisions.severity_values"]
    assert load(draft.file).collisions.severity_values == {
        "fatal": ["01"],
        "serious": ["02"],
        "slight": ["03"],
    }
    assert "NOT SURE: What do the numbers of severity mean" in draft.file.read_text(encoding="utf-8")


def test_an_answer_takes_the_place_of_a_guess_and_ends_the_doubt(folder):
    streets(fclass=["primary"] * 6, label=["A Street"] * 6).to_file(folder / "more_roads.gpkg")
    asked = []

    def second(guess):
        asked.append(guess.key)
        return "2"

    draft = drawn(folder, ask=second)
    assert asked == ["roads.source"]
    before = next(guess for guess in drawn(folder).guesses if guess.key == "roads.source")
    assert values(draft)["roads.source"] == before.options[0].value
    assert draft.open == []
    said = drawn(folder, {"roads.source": "Smallton/roads.gpkg", "tiles.tile_m": "80"})
    assert said.open == []
    assert values(said)["tiles.tile_m"] == 80


def test_roads_or_records_of_another_place_are_told_and_not_offered(folder):
    away = streets()
    away.geometry = away.geometry.translate(90_000, 50_000)
    away.to_file(folder / "roads_of_another_town.gpkg")
    far = collisions()
    far.assign(lon=far["lon"] + 1.5).to_csv(folder / "other_crashes.csv", index=False)
    draft = drawn(folder)
    assert draft.open == []
    told = {one.path.rpartition("/")[2] for one in draft.left}
    assert {"roads_of_another_town.gpkg", "other_crashes.csv"} <= told


def test_rasters_where_no_road_lies_are_doubted(folder):
    away = streets()
    away.geometry = away.geometry.translate(90_000, 50_000)
    away.to_file(folder / "roads.gpkg")
    assert "imagery.sources" in {guess.key for guess in drawn(folder).open}


def test_two_sets_of_rasters_two_flights_and_labels(folder):
    imagery(folder / "labels" / "mask.tif", np.full((1, 200, 200), 3, dtype="uint8"))
    assert drawn(folder).open == []
    imagery(folder / "flight_2018" / "a_2018-06-01.tif")
    (twice,) = drawn(folder).open
    assert twice.key == "imagery.sources"
    assert len(twice.options) == 2
    imagery(folder / "deep" / "b.tif", noise(200, 200, bands=4, dtype="uint16"))
    assert "imagery.sources" in {guess.key for guess in drawn(folder).open}


def test_values_beyond_8_bit_get_a_range_that_is_asked_about(folder):
    (folder / "imagery" / "a_2021-06-01.tif").unlink()
    imagery(folder / "imagery" / "b.tif", noise(200, 200, dtype="uint16"))
    (scale,) = drawn(folder).open
    assert scale.key == "imagery.scale"
    low, high = scale.value
    assert 0 <= low < 200
    assert 3800 < high <= 4000


def test_roads_without_classes_or_names_that_are_known_say_so(folder):
    streets(kind=["a", "b"] * 3, length=range(6)).to_file(folder / "roads.gpkg")
    draft = drawn(folder)
    found = values(draft)
    assert found["roads.class_field"] is None
    assert found["roads.name_field"] is None
    assert "roads.class_field" in {guess.key for guess in draft.open}


def test_a_layer_of_several_is_asked_about_and_an_outline_offered(folder):
    streets().to_file(folder / "roads.gpkg", layer="old_roads")
    outline = gpd.GeoDataFrame(geometry=[box(WEST, NORTH - 400, WEST + 400, NORTH)], crs=CRS)
    outline.to_file(folder / "boundary.gpkg")
    draft = drawn(folder)
    assert [guess.key for guess in draft.open] == ["roads.layer"]
    (area,) = (guess for guess in draft.guesses if guess.key == "area")
    assert area.left_out


def test_without_imagery_roads_or_anything(folder, tmp_path):
    (folder / "imagery" / "a_2021-06-01.tif").unlink()
    assert [guess.key for guess in drawn(folder).open] == ["imagery.sources"]
    (folder / "roads.gpkg").unlink()
    assert {guess.key for guess in drawn(folder).open} == {"imagery.sources", "roads.source"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(LayerError, match="nothing is there"):
        draw_up([tmp_path / "empty"], tmp_path / "empty.yaml")


def test_a_file_that_is_there_stays_until_that_is_said(folder):
    file = folder.parent / "city.yaml"
    file.write_text("mine")
    with pytest.raises(ConfigurationError, match="there already"):
        drawn(folder)
    first.write(drawn(folder, overwrite=True))
    assert load(file).city == "Smallton"


def test_tables_in_archives_workbooks_and_layers_are_looked_into(tmp_path):
    table = collisions()
    table.to_csv(tmp_path / "in.csv", index=False)
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.write(tmp_path / "in.csv", "2022/crashes.csv")
        archive.writestr("readme.txt", "no table")
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        table.to_excel(book, sheet_name="crashes", index=False)
        table.head(3).to_excel(book, sheet_name="notes", index=False)
    points = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=4326)
    points.to_file(tmp_path / "crashes.gpkg", layer="all")
    points.head(5).to_file(tmp_path / "crashes.gpkg", layer="some")
    (packed,) = look_into(str(tmp_path / "packed.zip")).tables
    assert packed.source == f"{tmp_path}/packed.zip/2022/crashes.csv"
    assert {(t.key, t.part) for t in look_into(str(tmp_path / "book.xlsx")).tables} == {
        ("sheet", "crashes"),
        ("sheet", "notes"),
    }
    assert {t.part for t in look_into(str(tmp_path / "crashes.gpkg")).tables} == {"all", "some"}


def test_of_a_large_table_pieces_of_all_of_it_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("geo.starting.tables.WHOLE_BYTES", 50_000)
    monkeypatch.setattr("geo.starting.tables.PIECE_BYTES", 4_000)
    collisions(4000).to_csv(tmp_path / "crashes.csv", index=False)
    (table,) = look_into(str(tmp_path / "crashes.csv")).tables
    assert not table.whole
    assert len(table.rows.frame) < 1500
    ids = table.rows.frame["crash_id"].astype(int)
    assert (ids.min(), ids.max() > 3900) == (0, True)
    assert ids.is_unique


def test_tables_of_one_schema_and_folder_are_read_together_with_those_beside_them(tmp_path):
    for year in (2022, 2023):
        pd.DataFrame(
            {
                "collision_index": [f"{year}1"],
                "collision_severity": ["3"],
                "date": [f"05/01/{year}"],
                "longitude": ["-1.5"],
                "latitude": ["53.8"],
            }
        ).to_csv(tmp_path / f"collision-{year}.csv", index=False)
        pd.DataFrame(
            {
                "collision_index": [f"{year}1"],
                "vehicle_reference": ["1"],
                "casualty_reference": ["1"],
                "casualty_class": ["1"],
                "casualty_type": ["9"],
                "casualty_severity": ["3"],
            }
        ).to_csv(tmp_path / f"casualty-{year}.csv", index=False)
    pd.DataFrame({"count_point_id": ["1"], "all_motor_vehicles": ["900"]}).to_csv(
        tmp_path / "aadf.csv", index=False
    )
    tables = [t for path in sorted(tmp_path.iterdir()) for t in look_into(str(path)).tables]
    (records,), left = find_records(tables, Surroundings())
    assert records.schema == "stats19"
    assert (len(records.tables), len(records.linked["casualties"])) == (2, 2)
    assert ["exposure.sources" in one.why for one in left] == [True]


def test_pictures_without_a_place_and_what_cannot_be_read_are_told(folder):
    with rasterio.open(
        folder / "a.png", "w", driver="PNG", width=9, height=9, count=3, dtype="uint8"
    ) as raster:
        raster.write(np.ones((3, 9, 9), dtype="uint8"))
    (folder / "broken.gpkg").write_bytes(b"SQLite format 3\0 and no more")
    told = {one.path.rpartition("/")[2]: one.why for one in drawn(folder).left}
    assert "without a place on the ground" in told["*.png"]
    assert "cannot be read" in told["broken.gpkg"]


def test_rasters_in_an_archive_are_named_by_it(folder):
    raster = folder / "imagery" / "a_2021-06-01.tif"
    with zipfile.ZipFile(folder / "sheets.zip", "w") as archive:
        archive.write(raster, "sheets/a.tif")
    raster.unlink()
    assert values(drawn(folder))["imagery.sources"] == ["Smallton/sheets.zip"]


def test_more_than_three_bands_that_are_not_called_by_their_colours_are_asked_about(folder):
    raster = folder / "imagery" / "a_2021-06-01.tif"
    raster.unlink()
    write_raster(
        raster,
        noise(200, 200, bands=4),
        west=WEST,
        north=NORTH,
        pixel=2.0,
        crs="EPSG:27700",
        photometric="MINISBLACK",
    )
    (bands,) = drawn(folder).open
    assert (bands.key, bands.value) == ("imagery.bands", [1, 2, 3])


def test_sheets_of_one_network_are_offered_together(folder):
    (folder / "roads.gpkg").unlink()
    streets().iloc[:3].to_file(folder / "roads_west.gpkg")
    streets().iloc[3:].to_file(folder / "roads_east.gpkg")
    draft = drawn(folder)
    assert [guess.key for guess in draft.open] == ["roads.source"]
    assert values(draft)["roads.source"] == ["Smallton/roads_east.gpkg", "Smallton/roads_west.gpkg"]
    first.write(draft)
    assert len(load(draft.file).roads.sources) == 2


def test_of_copies_the_one_nearest_to_the_top_is_named(folder):
    (folder / "old").mkdir()
    streets().to_file(folder / "old" / "roads.gpkg")
    draft = drawn(folder)
    assert [guess.key for guess in draft.open] == ["roads.source"]
    assert values(draft)["roads.source"] == "Smallton/roads.gpkg"


def test_a_question_is_asked_with_its_candidates_and_an_answer_that_does_not_come_ends_it(
    monkeypatch, capsys
):
    guess = Guess("roads.source", "a.gpkg", ("12 lines.",), "Which file?", (Option("b.gpkg", "9 lines"),))
    monkeypatch.setattr("sys.stdin", io.StringIO("2\n"))
    assert ask(guess) == "2"
    asked = capsys.readouterr().err
    assert "roads.source: Which file?" in asked
    assert "2  b.gpkg  (9 lines)" in asked
    with pytest.raises(ConfigurationError, match="answers ended"):
        ask(guess)


def test_answers_are_values_numbers_nothing_or_a_dash():
    said = iter(["", "[1, 2]", "-"])
    answers = Answers({}, lambda _: next(said))
    guess = Guess("imagery.bands", [1, 2, 3], doubt="Which bands?")
    assert answers.settle(guess) == guess
    assert answers.settle(guess).value == [1, 2]
    assert answers.settle(guess).left_out


def test_without_a_terminal_the_command_says_what_it_would_ask_and_how_it_is_said(
    folder, monkeypatch, capsys
):
    monkeypatch.chdir(folder.parent)
    gpd.GeoDataFrame({"note": ["x"]}, geometry=[Point(WEST, NORTH)], crs=CRS).to_file(folder / "points.gpkg")
    table = collisions()
    table.assign(severity=table["severity"].map({"Fatal": 1, "Serious": 2, "Slight": 3})).to_csv(
        folder / "crashes.csv", index=False
    )
    assert main(["init", "Smallton"]) == 2
    told = capsys.readouterr().err
    assert "--set 'collisions.severity_values={fatal: [1], serious: [2], slight: [3]}'" in told
    assert not (folder.parent / "Smallton.yaml").exists()


def test_with_yes_the_doubt_is_in_the_file_and_a_refusal_on_top_of_it(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder.parent)
    (folder / "roads.gpkg").unlink()
    assert main(["init", "Smallton", "--yes", "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["check"] is None
    assert "no such file" in told["refused"]
    text = (folder.parent / "Smallton.yaml").read_text(encoding="utf-8")
    assert "NOT SURE: Which file holds the roads?" in text
    assert "A run of it is refused so far" in text
