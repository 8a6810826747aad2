"""The GeoPackage holds what it was given, and is there whole or not at all."""

import operator
import re
import shutil
import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing
from datetime import UTC, date, datetime, time
from decimal import Decimal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import LayerError, RoadprintError, SourceError
from geo.outputs.files.geopackage import check_geopackage, write_geopackage
from geo.outputs.files.geoparquet import write_geoparquet
from geo.outputs.layers.arrange import arrange, empty_layer, names_written
from geo.outputs.layers.layers import ALWAYS
from geo.outputs.palette import look
from geo.outputs.qgis.classes import ELSE, count_bands, rate_bands
from geo.outputs.qgis.styles import city_styles

DATE = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
# the interface that others rely on, written out a second time so that a slip in the declaration shows
DESIGN = {
    "segments": "segment_id u v source_ids name road_class length_m n_tiles coverage cluster cluster_margin years "
    "n_collisions n_fatal n_serious n_slight n_ksi collisions_per_km_year ksi_per_km_year ksi_per_km_year_low "
    "ksi_per_km_year_high ksi_per_km_year_eb",
    "junctions": "junction_id arms n_collisions n_ksi",
    "tiles": "tile_id segment_id position_m bearing coverage image_id",
    "junction_tiles": "tile_id junction_id bearing coverage image_id",
    "collisions": "collision_id date severity n_casualties segment_id junction_id snap_distance_m snap_status",
    "stretches": "stretch_id rank rank_low rank_high name from_street to_street part parts",
    "windows": "window_id route_id name ref road_class from_m to_m length_m short_route n_collisions n_fatal n_serious "
    "n_slight n_ksi score_per_km rank in_high_injury_network",
    "lixels": "segment_id from_m to_m kernel_collisions_per_km kernel_collisions_per_km_year bandwidth_m",
    "clusters": "cluster n_segments length_km n_collisions n_ksi ksi_per_km_year low high rate_ratio rate_ratio_low "
    "rate_ratio_high p_value q_value prototype_tiles",
    "tests": "cluster outcome comparison n length_km share_compared observed expected ratio low high p_value q_value",
    "value_of_imagery": "model n_segments n_events n_blocks block_m penalty deviance explained explained_low "
    "explained_high explained_beyond_class",
    "models": "outcome part name value standard_error low high p_value passed says",
    "sensitivity": "finding kind says cluster outcome comparison base_estimate base_low base_high base_q_value changed "
    "setting state reason cluster_there overlap estimate low high q_value",
    "high_injury": "measure share value low high chance chance_low chance_high p_value held_out n method reason",
    "look_alikes": "kind outcome rank segment_id similar_segment_id place distance nearer_than metres_apart",
    "junction_clusters": "cluster n_junctions junction_years forms n_collisions n_ksi",
    "junction_tests": "cluster outcome comparison n share_compared observed expected ratio low high p_value q_value",
    "systemic_focus": "place road_user facility n_collisions n_fatal n_serious n_slight n_ksi outcome n of share",
    "systemic_factors": "place factor level outcome screened_by comparison n observed ratio low high p_value q_value "
    "stands n_unrecorded km_unrecorded worst_unrecorded reason",
    "systemic_held_out": "place outcome years_first years_last factors n_screened km_screened n_others km_others",
    "junction_types": "junction_type form arms n junction_years n_collisions n_ksi collisions_per_junction_year "
    "collisions_per_junction_year_low collisions_per_junction_year_high ksi_per_junction_year "
    "ksi_per_junction_year_low ksi_per_junction_year_high",
    "places": "place n_places length_km km_years junction_years n_collisions n_fatal n_serious n_slight n_ksi "
    "share_of_collisions share_of_ksi",
    "ledger": "stage item status reason count",
    "run": "key value",
}


def write(path, city, layers=None, styles=()):
    write_geopackage(path, layers or city.layers, crs=city.crs, styles=styles, date=DATE)
    return path


@pytest.fixture(scope="module")
def written_once(make_grid, tmp_path_factory):
    return write(tmp_path_factory.mktemp("once") / "grid.gpkg", make_grid())


@pytest.fixture
def written(written_once, tmp_path):
    """A file of the grid, which a test may change."""
    return shutil.copyfile(written_once, tmp_path / "grid.gpkg")


def query(path, sql):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_layers_come_in_their_order_with_the_promised_columns_first(written):
    names = [row[0] for row in query(written, "SELECT table_name FROM gpkg_contents ORDER BY rowid")]
    assert names == [*DESIGN, "layer_styles"]
    for layer, columns in DESIGN.items():
        found = [row[1] for row in query(written, f"PRAGMA table_info({layer})")]
        assert found[0] == "fid"
        own = [name for name in found if name not in {"fid", "geom"}]
        assert own[: len(columns.split())] == columns.split()


def test_what_another_reader_reads_is_what_was_written(written, grid_city):
    segments = gpd.read_file(written, layer="segments", use_arrow=False)
    given_ = grid_city.layers["segments"]
    assert segments["name"].fillna("-").tolist() == given_["name"].fillna("-").tolist()
    np.testing.assert_array_equal(segments["ksi_per_km_year"], given_["ksi_per_km_year"])
    assert segments.geometry.geom_equals(given_.geometry).all()
    assert segments.crs == grid_city.crs
    collisions = gpd.read_file(written, layer="collisions", use_arrow=True)
    assert collisions["date"].isna().sum() == 3
    assert collisions["date"].dropna().tolist() == grid_city.layers["collisions"]["date"].dropna().tolist()
    assert collisions.geometry.isna().sum() == 3


def test_a_null_is_null_and_never_zero(written):
    counts = query(written, "SELECT typeof(cluster), count(*) FROM segments GROUP BY 1 ORDER BY 1")
    assert counts == [("integer", 36), ("null", 4)]
    assert query(written, "SELECT count(*) FROM junctions WHERE n_ksi IS NULL") == [(1,)]
    assert query(written, "SELECT count(*) FROM collisions WHERE snap_distance_m IS NULL") == [(3,)]


def test_dates_are_times_in_utc(written):
    ((first,),) = query(written, "SELECT date FROM collisions WHERE fid = 1")
    assert first == "2019-03-31T00:30:00.000Z"


def test_a_city_without_collisions_and_clusters_has_their_layers_all_the_same(tmp_path, grid_city):
    layers = grid_city.layers | {
        name: empty_layer(name, grid_city.crs) for name in ("collisions", "clusters")
    }
    path = write(tmp_path / "grid.gpkg", grid_city, layers, city_styles(layers))
    for name in ("collisions", "clusters"):
        assert pyogrio.read_info(path, layer=name)["features"] == 0
        kinds = {row[1]: row[2] for row in query(path, f"PRAGMA table_info({name})")}
        assert set(DESIGN[name].split()) <= set(kinds)
    assert kinds["cluster"] == "INTEGER"
    assert kinds["q_value"] == "REAL"
    info = pyogrio.read_info(path, layer="collisions")
    assert (info["geometry_type"], info["crs"]) == ("Point", "EPSG:27700")


def test_the_same_city_gives_the_same_bytes_in_whatever_order_its_segments_come(tmp_path, grid_city):
    styles = city_styles(grid_city.layers)
    first = write(tmp_path / "grid.gpkg", grid_city, styles=styles).read_bytes()
    turned = grid_city.layers | {"segments": grid_city.layers["segments"].iloc[::-1]}
    (tmp_path / "again").mkdir()
    again = write(tmp_path / "again" / "grid.gpkg", grid_city, turned, city_styles(turned)).read_bytes()
    assert first == again


def test_the_clock_of_gdal_is_set_back(tmp_path, grid_city):
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2001-01-01T00:00:00.000Z"})
    try:
        write(tmp_path / "grid.gpkg", grid_city)
        assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") == "2001-01-01T00:00:00.000Z"
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


@pytest.mark.parametrize("side", ["-wal", "-journal"])
def test_a_file_in_use_is_left_alone(tmp_path, grid_city, side):
    path = tmp_path / "grid.gpkg"
    path.write_bytes(b"an analyst's work")
    (tmp_path / f"grid.gpkg{side}").touch()
    with pytest.raises(RoadprintError, match=re.escape(f"grid.gpkg{side}")):
        write(path, grid_city)
    assert path.read_bytes() == b"an analyst's work"


def test_a_file_that_cannot_be_finished_leaves_the_old_one_and_nothing_else(tmp_path, grid_city, monkeypatch):
    path = tmp_path / "grid.gpkg"
    path.write_bytes(b"the run before")

    def disk_full(_path):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("geo.outputs.files.geopackage.settle", disk_full)
    with pytest.raises(SourceError, match="disk is full"):
        write(path, grid_city)
    assert path.read_bytes() == b"the run before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_is_not_there_is_named(tmp_path, grid_city):
    with pytest.raises(SourceError, match="nowhere"):
        write(tmp_path / "nowhere" / "grid.gpkg", grid_city)


def test_no_side_file_is_left(written):
    assert list(written.parent.iterdir()) == [written]


BAD_COLUMNS = {
    "severity": ("collisions", "severity", "fatal ", r"'fatal '.*'fatal', 'serious', 'slight'"),
    "status": ("collisions", "snap_status", "lost", "'lost'"),
    "fraction": ("segments", "n_collisions", 1.5, "'n_collisions' is not integer"),
    "word": ("segments", "length_m", "long", "'length_m' is not real"),
    "no time zone": ("collisions", "date", pd.Timestamp("2024-01-01"), "time zone"),
    "shared key": ("junctions", "junction_id", "j", "'junction_id' does not name each row once"),
    "null key": ("tiles", "tile_id", None, "'tile_id' does not name each row once"),
}


@pytest.mark.parametrize(("layer", "column", "value", "said"), BAD_COLUMNS.values(), ids=BAD_COLUMNS)
def test_a_column_that_is_not_as_declared_is_named(grid_city, layer, column, value, said):
    frame = grid_city.layers[layer].assign(**{column: value})
    with pytest.raises(LayerError, match=said) as caught:
        arrange(layer, frame, grid_city.crs)
    assert layer in caught.value.where


def test_all_faults_of_a_layer_are_told_at_once(grid_city):
    frame = grid_city.layers["segments"]
    points = frame.geometry.centroid.where(frame.index > 1).to_crs(4326)
    frame = frame.assign(n_ksi=0.5, geometry=points)
    with pytest.raises(LayerError) as caught:
        arrange("segments", frame, grid_city.crs)
    for part in ("WGS 84", "British National Grid", "Point", "2 rows have no geometry", "n_ksi"):
        assert part in caught.value.what
    with pytest.raises(LayerError, match=r"without the column 'arms'; without the column 'n_ksi'"):
        arrange("junctions", grid_city.layers["junctions"].drop(columns=["arms", "n_ksi"]), grid_city.crs)


def test_columns_that_sqlite_would_take_for_one_are_both_kept(tmp_path, grid_city):
    more = grid_city.layers["segments"].assign(
        FID=1, Name="upper", src_Lanes=2, src_when=pd.Timestamp("2020-02-03")
    )
    path = write(tmp_path / "grid.gpkg", grid_city, grid_city.layers | {"segments": more})
    found = query(
        path, "SELECT FID_2, Name_2, src_lanes, src_Lanes_2, src_when, src_tags FROM segments WHERE fid = 6"
    )
    assert found == [(1, "upper", 5, 2, "2020-02-03", "{'surface': 'asphalt'}")]


def test_a_missing_or_unknown_layer_is_refused(tmp_path, grid_city):
    layers = dict(grid_city.layers)
    layers["roads"] = layers.pop("ledger")
    with pytest.raises(RoadprintError, match="'roads'"):
        write(tmp_path / "grid.gpkg", grid_city, layers)


def test_the_check_passes_a_good_file_and_finds_what_is_wrong_with_a_bad_one(written):
    check_geopackage(written)
    with pytest.raises(RoadprintError, match="40 rows, 41 expected"):
        check_geopackage(written, rows={"segments": 41})
    with closing(sqlite3.connect(written)) as connection, connection:
        connection.execute("DROP TABLE ledger")
        connection.execute("ALTER TABLE clusters DROP COLUMN q_value")
        connection.execute("UPDATE gpkg_ogr_contents SET feature_count = 7 WHERE table_name = 'tiles'")
        connection.execute(
            "UPDATE gpkg_geometry_columns SET geometry_type_name = 'POINT' WHERE table_name = 'tiles'"
        )
    with pytest.raises(RoadprintError) as caught:
        check_geopackage(written)
    for part in (
        "'ledger' is not there",
        "no column 'q_value'",
        "'POINT'",
        "36 rows, None expected, and says (7,)",
    ):
        assert part in caught.value.what


def test_the_check_finds_a_damaged_page(written):
    ((page, size),) = query(
        written,
        "SELECT rootpage, page_size FROM sqlite_master, pragma_page_size WHERE name = 'rtree_tiles_geom_node'",
    )
    content = bytearray(written.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    written.write_bytes(content)
    with pytest.raises(RoadprintError, match="SQLite"):
        check_geopackage(written)


def test_styles_are_where_qgis_looks_for_them(tmp_path, grid_city):
    path = write(tmp_path / "grid.gpkg", grid_city, styles=city_styles(grid_city.layers))
    rows = query(
        path, "SELECT f_table_schema, f_table_name, f_geometry_column, useAsDefault FROM layer_styles"
    )
    assert {row[0] for row in rows} == {""}
    assert [row[1] for row in rows if row[3]] == list(ALWAYS)
    assert {row[1]: row[2] for row in rows} == {
        name: "" if layer.geometry is None else "geom" for name, layer in ALWAYS.items()
    }
    (registered,) = query(
        path,
        "SELECT data_type, feature_count FROM gpkg_contents JOIN gpkg_ogr_contents USING (table_name) "
        "WHERE table_name = 'layer_styles'",
    )
    assert registered == ("attributes", len(rows))
    times = query(path, "SELECT count(DISTINCT update_time) FROM layer_styles")
    assert times == [(len(rows),)]


def test_every_style_is_well_formed_with_a_short_name(grid_city):
    for style in city_styles(grid_city.layers):
        assert len(style.name) <= 30
        root = ET.fromstring(style.qml.strip())  # noqa: S314 - our own text
        aliases = {alias.get("field"): alias.get("name") for alias in root.iter("alias")}
        promised = DESIGN[style.layer].split()
        assert list(aliases)[: len(promised)] == promised
        assert list(aliases) == names_written(style.layer, grid_city.layers[style.layer])
        assert all(aliases.values())
        assert len(set(aliases.values())) == len(aliases)


def test_each_type_of_road_has_its_own_look_and_a_legend_entry(grid_city):
    (types,) = [style for style in city_styles(grid_city.layers) if style.name == "road types"]
    root = ET.fromstring(types.qml.strip())  # noqa: S314 - our own text
    entries = [(entry.get("value"), entry.get("label")) for entry in root.iter("category")]
    assert entries == [("1", "Type 1"), ("2", "Type 2"), ("3", "Type 3"), ("", "no imagery")]
    assert len({look(cluster) for cluster in range(1, 37)}) == 36


COMPARE = {"=": operator.eq, "<=": operator.le, ">=": operator.ge, ">": operator.gt}


def drawn_by(bands, value):
    """Labels of the bands that draw a value, as QGIS reads their filters."""

    def holds(condition):
        _, sign, bound = condition.split()
        return COMPARE[sign](value, float(bound))

    hits = [b.label for b in bands if b.filter != ELSE and all(map(holds, b.filter.split(" AND ")))]
    return hits or [b.label for b in bands if b.filter == ELSE]


@given(st.lists(st.floats(0, 1e6, allow_nan=False), max_size=40))
def test_each_rate_falls_in_exactly_one_class_and_no_class_is_empty(values):
    *bands, unknown = rate_bands(pd.Series([*values, None], name="x", dtype="float64"))
    assert (unknown.filter, unknown.label) == (ELSE, "not known")
    hits = [drawn_by(bands, value) for value in values]
    assert all(len(hit) == 1 for hit in hits)
    assert len(bands) <= 6
    assert all(any(drawn_by([band], value) for value in values) for band in bands)


def test_a_legend_writes_all_its_figures_with_as_many_decimals_as_keep_its_classes_apart():
    def labels(*values):
        return [band.label for band in rate_bands(pd.Series(values, name="x", dtype="float64"))[:-1]]

    # what a kernel leaves far from any collision is as good as nothing
    dust = [2.6e-16, 0.0816, 0.1, 0.764, 0.9, 2.13, 3, 4.6, 5, 512.25]
    assert labels(*dust)[0] == "0.00 to 0.08"
    assert all(len(end.partition(".")[2]) == 2 for label in labels(*dust) for end in label.split(" to "))
    assert labels(0, 1, 2, 400) == ["0", "1", "2", "400"]
    assert labels(0.25) == ["0.25"]


@given(st.lists(st.integers(0, 500), max_size=30))
def test_each_count_falls_in_the_class_whose_label_names_it(values):
    bands = count_bands(pd.Series(values, name="x", dtype="Int64"))
    for value in values:
        (label,) = drawn_by(bands, value)
        low, _, high = label.replace("or more", "to 999").partition(" to ")
        assert int(low) <= value <= int(high or low)


@pytest.mark.parametrize("known", [True, False])
def test_collisions_of_which_it_is_known_that_nobody_was_hurt_are_not_drawn_as_not_known(grid_city, known):
    collisions = grid_city.layers["collisions"].assign(severity=None, severity_known=known)
    for style in city_styles(grid_city.layers | {"collisions": collisions}):
        if style.layer == "collisions":
            parts = [*ET.fromstring(style.qml).iter()]  # noqa: S314 - our own
            labels = {one.get("label") for one in parts}
            assert "severity not known" in labels
            assert ("nobody hurt" in labels) == known
            symbols = {one.get("name") for one in parts if one.tag == "symbol"}
            used = {one.get("symbol") for one in parts} - {None}
            (tip,) = (one.text for one in parts if one.tag == "mapTip")
            assert ("THEN 'nobody hurt' ELSE 'severity not known'" in tip) == known
            assert "'severity not known'" in tip
            assert used <= symbols


def test_junctions_are_drawn_by_all_collisions_where_ksi_is_not_known(grid_city):
    junctions = grid_city.layers["junctions"].assign(n_ksi=pd.array([None] * 21, dtype="Int64"))
    styles = city_styles(grid_city.layers | {"junctions": junctions})
    (style,) = [s for s in styles if s.layer == "junctions" and s.default]
    root = ET.fromstring(style.qml.strip())  # noqa: S314 - our own text
    assert root.find(".//rule").get("label") == "Collisions"
    assert '"n_collisions" = 0' in {rule.get("filter") for rule in root.iter("rule")}


def test_junctions_are_drawn_by_type_by_shrunk_rate_and_by_how_surely_they_are_the_worst(grid_city):
    styles = {s.name: s for s in city_styles(grid_city.layers) if s.layer == "junctions"}
    filters = {
        name: [rule.get("filter") for rule in ET.fromstring(s.qml.strip()).iter("rule")]  # noqa: S314 - our own text
        for name, s in styles.items()
    }
    assert list(styles) == ["counts", "junction types", "shrunk rate", "worst junctions"]
    assert filters["junction types"][1:] == ['"cluster" = 1', '"cluster" = 2', "ELSE"]
    assert filters["shrunk rate"][1].startswith('"collisions_per_year_eb" > 0')
    assert '"p_worst_5_percent" >= 0.5 AND "p_worst_5_percent" < 0.95' in filters["worst junctions"]
    assert "roadprint_junction_tiles" in styles["counts"].qml


KINDS_OF_CELLS = {
    "cells of S2": (pd.array([2**63 + 5, 2**64 - 1], "uint64"), [str(2**63 + 5), str(2**64 - 1)]),
    "large and null": (pd.array([2**63 + 5, None], "UInt64"), [str(2**63 + 5), None]),
    "unsigned and small": (pd.array([7, 2**63 - 1], "uint64"), [7, 2**63 - 1]),
    "decimals": ([Decimal("1.50"), None], ["1.50", None]),
    "durations": (pd.to_timedelta(["90min", None]), ["0 days 01:30:00", None]),
    "lists": ([[1, 2], None], ["[1, 2]", None]),
    "arrays": ([np.array([1, 2]), None], ["[1, 2]", None]),
    "categories": (pd.Categorical(["a", None]), ["a", None]),
    "categories of numbers": (pd.Categorical([3, 4]), ["3", "4"]),
    "times of day": ([time(8, 30), None], ["08:30:00", None]),
    "complex numbers": ([1 + 2j, 3 + 0j], ["(1+2j)", "(3+0j)"]),
    "bytes": ([b"\x41\xff", None], ["A\ufffd", None]),
    "half precision": (np.array([0.5, 2.0], "float16"), [0.5, 2.0]),
    "more than double precision": (np.array([0.5, 2.0], "longdouble"), [0.5, 2.0]),
    "days": ([date(2024, 2, 29), None], ["2024-02-29", None]),
    "months": (pd.PeriodIndex(["2024-02", None], freq="M"), ["2024-02", None]),
    "ranges": (pd.arrays.IntervalArray.from_tuples([(0, 1), (1, 2)]), ["(0, 1]", "(1, 2]"]),
    "whole numbers of any size": ([2**70, None], [str(2**70), None]),
    "mixed": ([1, "a"], ["1", "a"]),
    "sparse": (pd.arrays.SparseArray([1.0, 2.0]), [1.0, 2.0]),
    "yes and no": (pd.array([True, None], "boolean"), [1, None]),
    "of Arrow": (pd.array([2**63 + 5, None], pd.ArrowDtype(pa.uint64())), [str(2**63 + 5), None]),
    "reals of Arrow": (pd.array([0.5, None], pd.ArrowDtype(pa.float32())), [0.5, None]),
    "decimals of Arrow": (
        pd.array([Decimal("1.5"), None], pd.ArrowDtype(pa.decimal128(9, 2))),
        ["1.50", None],
    ),
    "nothing": ([None, None], [None, None]),
}


@pytest.mark.parametrize("case", KINDS_OF_CELLS)
def test_cells_of_every_kind_are_held_or_written_as_text(tmp_path, grid_city, case):
    values, expected = KINDS_OF_CELLS[case]
    segments = grid_city.layers["segments"]
    two = pd.Series(values, index=segments.index[:2])
    more = segments.iloc[:2].assign(src_cell=two)
    path = write(tmp_path / "grid.gpkg", grid_city, grid_city.layers | {"segments": more})
    order = more.sort_values("segment_id").index
    found = dict(zip(order, query(path, "SELECT src_cell FROM segments ORDER BY fid"), strict=True))
    assert [found[index][0] for index in two.index] == expected
    write_geoparquet(tmp_path, grid_city.layers | {"segments": more}, grid_city.crs)
    assert len(pd.read_parquet(tmp_path / "segments.parquet", columns=["src_cell"])) == 2
