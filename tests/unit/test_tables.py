"""Tables between the stages are as they are declared, and the page that says so is written from the declarations."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandera.errors import SchemaErrors
from shapely import Point

from geo.outputs.layers.declare import Column
from tasks.reference import reference
from tasks.stages.order import STAGES
from tasks.store.table import COVERING, Table

TOP = Path(__file__).resolve().parents[2]
LAMPS = Table(
    "lamps",
    "Street lamps.",
    (
        Column("lamp_id", "text", "Lamp"),
        Column("watts", "integer", "Power (W)"),
        Column("lit", "boolean", "Lit (yes or no)"),
        Column("colour", "text", "Colour", ("white", "yellow")),
        Column("seen", "datetime", "Last seen"),
        Column("spectrum", "list", "Spectrum"),
        Column("height_m", "real", "Height (m)", optional=True),
    ),
    geometry="Point",
    key=("lamp_id",),
)


def lamps(**changed):
    columns = {
        "lamp_id": ["a", "b"],
        "watts": pd.array([40, None], dtype="Int64"),
        "lit": pd.array([True, None], dtype="boolean"),
        "colour": ["white", None],
        "seen": pd.to_datetime(["2024-01-01", None]),
        "spectrum": [[1.0, 2.0], None],
    }
    return gpd.GeoDataFrame(columns | changed, geometry=[Point(0, 0), Point(1, 1)], crs=27700)


def test_a_table_as_declared_is_written_with_its_nulls(tmp_path):
    LAMPS.write(lamps(), tmp_path)
    again = gpd.read_parquet(tmp_path / "lamps.parquet")
    assert again["colour"].isna().tolist() == [False, True]
    assert again.crs.to_epsg() == 27700
    LAMPS.check(lamps(height_m=[5.0, 6]))
    LAMPS.check(lamps(watts=[None, None], colour=[None, None]))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"watts": ["40", "60"]}, "watts"),
        ({"watts": [40.5, 60.0]}, "watts"),
        ({"lit": [1, 0]}, "lit"),
        ({"colour": ["white", "green"]}, "colour"),
        ({"colour": [1, 2]}, "colour"),
        ({"seen": ["2024-01-01", "yesterday"]}, "seen"),
        ({"spectrum": [1.0, 2.0]}, "spectrum"),
        ({"lamp_id": ["a", None]}, "lamp_id"),
        ({"lamp_id": ["a", "a"]}, "lamp_id"),
        ({"height_m": ["5", "6"]}, "height_m"),
        ({"nobody_knows": [1, 2]}, "nobody_knows"),
        ({"geometry": [Point(0, 0), None]}, "geometry"),
        ({"geometry": [Point(0, 0), Point(0, 0).buffer(1)]}, "geometry"),
    ],
)
def test_what_is_not_as_declared_is_not_written(changed, told, tmp_path):
    frame = lamps(**{name: value for name, value in changed.items() if name != "geometry"})
    if "geometry" in changed:
        frame = frame.set_geometry(gpd.GeoSeries(changed["geometry"], crs=27700))
    with pytest.raises(SchemaErrors, match=told):
        LAMPS.write(frame, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("shapes", "crs", "told"),
    [
        ([Point(0, 0), Point(1, 1)], None, "geometry states no CRS"),
        ([Point(0, 0), Point(1, 1, 5)], 27700, "geometry has Z"),
        ([Point(0, 0), Point()], 27700, "geometry is empty"),
        ([Point(0, 0), Point(0, 0).buffer(1)], 27700, "geometry is not Point"),
    ],
)
def test_places_that_are_nowhere_or_above_the_map_are_not_written(shapes, crs, told, tmp_path):
    frame = gpd.GeoDataFrame(pd.DataFrame(lamps().drop(columns="geometry")), geometry=shapes, crs=crs)
    with pytest.raises(SchemaErrors, match=told):
        LAMPS.write(frame, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_row_may_be_without_a_place_where_the_table_says_so():
    somewhere = replace(LAMPS, located=False)
    for missing in (None, Point()):
        frame = lamps().set_geometry(gpd.GeoSeries([Point(0, 0), missing], crs=27700))
        somewhere.check(frame)
    nowhere = lamps().set_geometry(gpd.GeoSeries([None, None], crs=27700))
    somewhere.check(nowhere)


def test_a_table_without_rows_is_as_declared(tmp_path):
    LAMPS.write(lamps().iloc[:0], tmp_path)
    assert gpd.read_parquet(tmp_path / "lamps.parquet").crs.to_epsg() == 27700


def test_a_file_with_geometry_may_have_the_boxes_of_geoparquet_and_nothing_else_by_that_name(tmp_path):
    lamps().to_parquet(tmp_path / "lamps.parquet", write_covering_bbox=True)
    boxes = pd.read_parquet(tmp_path / "lamps.parquet")[COVERING]
    LAMPS.check(lamps().assign(bbox=boxes))
    with pytest.raises(SchemaErrors, match=COVERING):
        LAMPS.check(lamps(bbox=["wide", "narrow"]))


@pytest.mark.parametrize("index", [["p", "q"], pd.Index(["p", "q"], name="post"), [7, 3]])
def test_the_index_of_a_frame_is_not_written(index, tmp_path):
    LAMPS.write(lamps().set_index(pd.Index(index)), tmp_path)
    written = pq.read_table(tmp_path / "lamps.parquet").column_names
    assert written == [*lamps().columns]
    assert LAMPS.read(tmp_path).index.tolist() == [0, 1]


def test_every_fault_is_told_at_once():
    with pytest.raises(SchemaErrors) as caught:
        LAMPS.check(lamps(watts=["40", "60"], lit=[1, 0]).drop(columns="seen"))
    told = str(caught.value)
    assert all(name in told for name in ("watts", "lit", "seen"))


def test_a_table_of_places_has_places():
    with pytest.raises((SchemaErrors, TypeError)):
        LAMPS.check(pd.DataFrame(lamps().drop(columns="geometry")))


def test_the_page_of_stages_is_the_one_that_the_declarations_write():
    assert (TOP / "docs" / "stages.md").read_text(encoding="utf-8") == reference()


def test_every_column_says_what_it_is():
    for stage in STAGES:
        assert len({table.name for table in stage.tables}) == len(stage.tables)
        for table in stage.tables:
            assert table.meaning.endswith(".")
            assert all(column.alias for column in table.columns)
            assert set(table.key) <= {column.name for column in table.columns}
        for document in stage.documents:
            assert all(field.description for field in document.model_fields.values())
