"""The workbook and its tables: rounded, in words, the same bytes each time, and nothing in them runs."""

import zipfile
from datetime import UTC, datetime

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from geo.outputs.tables.sheets import PLACE, Sheet, sheets_of
from geo.outputs.tables.workbook import README, write_tables, write_workbook

DATE = datetime(2000, 1, 1, tzinfo=UTC)
HOSTILE = ("=1+1", "+cmd", "@x", "http://a.b/", "a\x0bb", "x" * 40_000, "{=A1}", "12")


@pytest.fixture
def sheets(grid_city) -> list[Sheet]:
    return sheets_of(grid_city.layers)


def test_every_sheet_is_there_with_titles_units_and_rows(sheets, grid_city, tmp_path):
    path = tmp_path / "tables.xlsx"
    write_workbook(path, sheets, ["What it is"], DATE)
    book = CalamineWorkbook.from_path(path)
    assert book.sheet_names == ["Worst roads", "Types", "Comparisons", "Junctions", "Ledger", README]
    roads = book.get_sheet_by_name("Worst roads").to_python()
    assert roads[0][:3] == [PLACE, "Name", "From"]
    assert len(roads) == 1 + len(grid_city.layers["stretches"])
    assert [row[0] for row in roads[1:4]] == [1, 2, 3]
    ledger = book.get_sheet_by_name("Ledger").to_python()
    assert [row[-1] for row in ledger[1:]] == grid_city.layers["ledger"]["count"].tolist()


def test_the_same_tables_give_the_same_bytes(sheets, tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(tmp_path / name, sheets, ["x"], DATE)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_nothing_runs_whatever_a_cell_holds(tmp_path):
    hostile = Sheet("Worst roads", "", pd.DataFrame({"Name": HOSTILE, "=A1": range(len(HOSTILE))}))
    path = tmp_path / "tables.xlsx"
    write_workbook(path, [hostile], list(HOSTILE), DATE)
    with zipfile.ZipFile(path) as parts:
        text = "".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml"))
        links = [name for name in parts.namelist() if "hyperlink" in parts.read(name).decode(errors="ignore")]
    assert "<f>" not in text
    assert not [name for name in links if name.endswith(".rels")]
    read = CalamineWorkbook.from_path(path).get_sheet_by_name("Worst roads").to_python()
    assert [row[0] for row in read[1:4]] == ["=1+1", "+cmd", "@x"]
    assert len(read[6][0]) == 32_767
    write_tables(tmp_path / "tables", [hostile])
    table = pd.read_csv(tmp_path / "tables" / "worst_roads.csv", dtype=str)
    assert table["Name"].tolist()[:3] == ["'=1+1", "'+cmd", "'@x"]
    assert table["Name"].tolist()[-1] == "12"


def test_what_is_not_known_is_empty_and_never_zero(grid_city, tmp_path):
    layers = grid_city.layers | {"stretches": grid_city.layers["stretches"].assign(expected_rank=None)}
    sheets = sheets_of(layers)
    assert len(sheets[0].frame) == 0
    frame = pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": [0.0, float("nan")]})
    path = tmp_path / "tables.xlsx"
    write_workbook(path, [Sheet("Types", "", frame)], [], DATE)
    read = CalamineWorkbook.from_path(path).get_sheet_by_name("Types").to_python()
    assert read[1:] == [[1.0, 0.0], ["", ""]] or read[1:] == [[1.0, 0.0]]


def test_numbers_are_rounded_and_columns_without_a_value_are_left_out(sheets):
    types = next(sheet.frame for sheet in sheets if sheet.name == "Types")
    reals = types.select_dtypes("float")
    assert (reals.round(4) == reals).where(reals.notna(), other=True).all(axis=None)
    assert types.notna().any().all()
