"""A city's file says what is written in it: text stays text, whatever YAML takes it for."""

from datetime import date
from pathlib import Path

import pytest

from geo.config import load
from geo.errors import ConfigurationError
from tasks.planning import folder_name

PLAIN = "city: x\nimagery: {sources: [a.tif]}\nroads: {source: r.gpkg}\n"
RECORDS = PLAIN + "collisions:\n  schema: columns\n  sources: [c.csv]\n  columns: {x: lon, y: lat}\n"
TRAPS = [
    "no",
    "Yes",
    "on",
    "true",
    "01",
    "1",
    "1.50",
    "1_000",
    "0x1F",
    "0o7",
    "1:30",
    "1e3",
    ".5",
    "2024-01-31",
]
"""False, true, octal, hexadecimal and sexagesimal numbers, powers of ten, and days, of one YAML or the other."""


def loaded(folder, text, overrides=None):
    file = folder / "city.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(file, overrides)


@pytest.mark.parametrize("word", TRAPS)
@pytest.mark.parametrize("quote", ["{}", "'{}'", '"{}"'], ids=["plain", "single", "double"])
def test_text_is_what_stands_there_with_and_without_quotes(word, quote, tmp_path):
    it = quote.format(word)
    text = RECORDS.replace("x: lon", f"x: {it}") + f"  severity_values: {{fatal: [{it}], slight: [b]}}\n"
    text += f"  keep: {{{it}: [{it}, b]}}\n"
    found = loaded(tmp_path, f"crs: {it}\n{text}")
    assert (found.crs, found.collisions.columns.x) == (word, word)
    assert found.collisions.severity_values == {"fatal": [word], "slight": ["b"]}
    assert found.collisions.keep == {word: [word, "b"]}


@pytest.mark.parametrize("word", TRAPS)
def test_what_is_set_from_outside_is_read_as_in_the_file(word, tmp_path):
    changes = {
        "crs": word,
        "collisions.columns.severity": word,
        "collisions.severity_values.fatal": f"[{word}]",
        "collisions.keep.type": word,
    }
    found = loaded(tmp_path, RECORDS, changes)
    assert (found.crs, found.collisions.columns.severity) == (word, word)
    assert found.collisions.severity_values == {"fatal": [word]}
    assert found.collisions.keep == {"type": [word]}


@pytest.mark.parametrize(
    ("written", "metres"),
    [("80", 80), ("080", 80), ("'80'", 80), ("8e1", 80), ("80.", 80), ("1_000", 1000), ("+8.5", 8.5)],
)
def test_numbers_are_decimal(written, metres, tmp_path):
    assert loaded(tmp_path, f"{PLAIN}tiles: {{tile_m: {written}}}\n").tiles.tile_m == metres


@pytest.mark.parametrize(
    "written", ["1:30", "yes", "true", "0x50", "0o120", "eighty", "[80, 90]", "", ".nan"]
)
def test_what_is_no_decimal_number_is_none(written, tmp_path):
    with pytest.raises(ConfigurationError, match=r"tiles\.tile_m"):
        loaded(tmp_path, f"{PLAIN}tiles: {{tile_m: {written}}}\n")


@pytest.mark.parametrize(("word", "meant"), [("no", False), ("Yes", True), ("off", False), ("true", True)])
def test_words_for_true_and_false_are_those_where_they_are_meant(word, meant, tmp_path):
    found = loaded(tmp_path, f"{PLAIN}clusters: {{keep_numbers: {word}}}\n")
    assert found.clusters.keep_numbers is meant


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("[2024-01-02, 2024-11-30]", (2024, 1, 2), (2024, 11, 30)),
        ("['2024-1-2', \"2024-11-30\"]", (2024, 1, 2), (2024, 11, 30)),
        ("[2019, 2023]", (2019, 1, 1), (2023, 12, 31)),
        ("['2019', '2023']", (2019, 1, 1), (2023, 12, 31)),
        ("[2023-03, 2024-02]", (2023, 3, 1), (2024, 2, 29)),
        ("[2023, 2024-06-15]", (2023, 1, 1), (2024, 6, 15)),
        ("2022", (2022, 1, 1), (2022, 12, 31)),
    ],
)
def test_a_period_is_of_days_or_of_whole_months_and_years(written, first, last, tmp_path):
    period = date(*first), date(*last)
    assert loaded(tmp_path, f"{RECORDS}  period: {written}\n").collisions.period == period
    assert loaded(tmp_path, RECORDS, {"collisions.period": written}).collisions.period == period


@pytest.mark.parametrize(
    "written",
    ["[01/02/2024, 2024]", "[20240101, 20241231]", "[2024-02-30, 2024]", "[2023, 2019]", "[x, y]"],
)
def test_a_period_that_is_none_is_refused(written, tmp_path):
    with pytest.raises(ConfigurationError, match=r"collisions(\.period)?: "):
        loaded(tmp_path, f"{RECORDS}  period: {written}\n")


def test_one_value_is_a_list_of_one_where_a_list_is_meant_and_the_other_way_round(tmp_path):
    text = "city: [x]\nimagery: {sources: a.tif, bands: [1, 2, 3]}\nroads: {source: r.gpkg, keep: primary}\n"
    text += "collisions: {schema: [columns], sources: c.csv, columns: {x: [lon], y: lat}, keep: {type: 1}}\n"
    found = loaded(tmp_path, text)
    assert (found.city, found.roads.keep, found.collisions.columns.x) == ("x", ["primary"], "lon")
    assert found.imagery.sources == [str(tmp_path / "a.tif")]
    assert found.collisions.keep == {"type": ["1"]}
    with pytest.raises(ConfigurationError, match=r"(?s)city: text is expected.*imagery\.scale"):
        loaded(tmp_path, text.replace("[x]", "[x, y]").replace("bands:", "scale: 5, bands:"))


def test_a_section_with_nothing_in_it_has_its_defaults(tmp_path):
    empty = loaded(tmp_path, PLAIN + "tiles:\ncollisions: ~\nexposure: null\nencoder:\nclusters:\n")
    assert empty == loaded(tmp_path, PLAIN)
    with pytest.raises(ConfigurationError, match=r"imagery\.sources: it is missing"):
        loaded(tmp_path, PLAIN.replace("{sources: [a.tif]}", ""))


@pytest.mark.parametrize(
    "line", ["output: {folder: ~}", "output: {folder: }", "roads: {source: r, keep: [null]}"]
)
def test_nothing_where_text_is_meant_is_refused_with_what_to_do(line, tmp_path):
    text = PLAIN if line.startswith("output") else PLAIN.replace("roads: {source: r.gpkg}\n", "")
    with pytest.raises(ConfigurationError, match=r"nothing stands there; .* put text in 'quotes'"):
        loaded(tmp_path, text + line)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("tile_m: 80", "tile_m: no such key; did you mean tiles.tile_m or ground.tags.tile_m?"),
        ("tiles: {tilem: 80}", "tiles.tilem: no such key; did you mean tiles.tile_m?"),
        ("Tiles: {tile_m: 80}", "Tiles: no such key; did you mean tiles?"),
        ("colisions: {}", "colisions: no such key; did you mean collisions?"),
        (
            "collisions: {schema: columns, columns: {date-format: x}}",
            "did you mean collisions.columns.date_format?",
        ),
        ("safety: {concentration: {window: 5}}", "did you mean safety.concentration.window_m?"),
        ("zebra: 1", "zebra: no such key (found 1)"),
    ],
)
def test_a_key_that_is_not_known_is_told_with_the_one_that_is_like_it(line, told, tmp_path):
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, PLAIN + line)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.encode("utf-16"),
        ("# Zürich\n" + PLAIN).encode(),
    ],
    ids=["byte order mark", "CRLF", "UTF-16", "umlauts"],
)
def test_a_file_is_read_as_editors_save_it(text, tmp_path):
    assert loaded(tmp_path, text) == loaded(tmp_path, PLAIN)


@pytest.mark.parametrize(
    ("text", "todo"),
    [
        (PLAIN + "tiles:\n\ttile_m: 80\n", "spaces"),
        (PLAIN.replace("a.tif", "*.tif"), "single quotes"),
        (PLAIN.replace("r.gpkg", "@r.gpkg"), "single quotes"),
        (PLAIN.replace("r.gpkg", r'"C:\data\r.gpkg"'), "single quotes"),
        (PLAIN.replace("city: x", "city: Zürich").encode("latin-1"), "UTF-8"),
        (PLAIN + "roads: {source: s.gpkg}\n", "'roads' stands there twice"),
        (PLAIN + "collisions: {keep: {1: [a], '1': [b]}}\n", "'1' stands there twice"),
        (PLAIN + "tiles: &a [*a]\n", "contains itself"),
        (PLAIN + "tiles: !!python/object:os.system {}\n", "is not known"),
    ],
)
def test_a_file_that_is_no_yaml_is_refused_with_what_to_do(text, todo, tmp_path):
    with pytest.raises(ConfigurationError, match="not valid YAML") as refused:
        loaded(tmp_path, text)
    assert todo in str(refused.value)


def test_keys_of_another_mapping_are_taken_over_where_none_of_their_own_stands(tmp_path):
    merged = loaded(tmp_path, PLAIN + "tiles: {tile_m: 80, <<: {tile_m: 90, spacing_m: 40}}\n")
    assert (merged.tiles.tile_m, merged.tiles.spacing_m) == (80, 40)


def test_paths_of_the_home_folder_and_of_variables_are_found(tmp_path, monkeypatch):
    monkeypatch.setenv("CITY_DATA", "/data")
    monkeypatch.setenv("HOME", "/home/me")
    text = PLAIN.replace("r.gpkg", "~/r.gpkg").replace("[a.tif]", "'${CITY_DATA}/a.tif'")
    found = loaded(tmp_path, text)
    assert (Path(found.roads.source), found.imagery.sources) == (Path("/home/me/r.gpkg"), ["/data/a.tif"])


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("demo-town", "demo-town"),
        ("A__b-1", "A__b-1"),
        ("2019", "2019"),
        ("no", "no"),
        ("Zürich", "Zurich"),
        ("São Paulo / Mitte", "Sao-Paulo-Mitte"),
        ("St. John's", "St-John-s"),
        ("a/../../b", "a-b"),
        ("東京", "Dong-Jing"),
        ("x" * 100, "x" * 64),
    ],
)
def test_a_city_keeps_its_name_and_gives_its_folder_a_plain_one(name, folder, tmp_path):
    found = loaded(tmp_path, PLAIN.replace("city: x", f"city: {name}"))
    assert (found.city, folder_name(found.city)) == (name, folder)


@pytest.mark.parametrize("name", ["..", "///", "' '", "x" * 101, '"a\\nb"', ""])
def test_a_name_that_is_none_is_refused(name, tmp_path):
    with pytest.raises(ConfigurationError, match="city: "):
        loaded(tmp_path, PLAIN.replace("city: x", f"city: {name}"))
