"""No cell, header, encoding, delimiter, date, attribute or key ends a reader otherwise than in one of our own messages.

``make fuzz`` draws ten thousand inputs, other ones each time; the tests a few, the same ones.
"""

import os

import geopandas as gpd
import pandas as pd
import pytest
import shapely
import yaml
from drawing import (
    CASUALTY_NAMES,
    CODE,
    KEYS,
    SCALAR,
    STATS19_NAMES,
    STRANGE,
    features,
    mappings,
    tables,
    write_keys,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_town import SmallTown

from geo.collisions.assign import place_collisions
from geo.collisions.period import period_covered
from geo.collisions.read import read_collisions
from geo.config import Roads, collision_settings, load
from geo.errors import RoadprintError
from geo.exposure.counts import read_counts
from geo.roads.read import read_roads
from geo.roads.segments import build_network

DRAWN = int(os.environ.get("ROADPRINT_FUZZ", "0")) // 5


"""Inputs by reader; 0: a few."""


FUZZED = settings(
    settings.get_profile("hunt" if DRAWN else "fixed"),
    max_examples=DRAWN or 25,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return SmallTown("england", tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def place(town):
    source = read_roads(Roads(source=str(town.folder / "roads.gpkg")), crs="EPSG:27700")
    return source, build_network(source.kept)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@FUZZED
@given(
    table=tables(),
    mapping=mappings(),
    name=st.sampled_from(("t.csv", "t.txt", "t", "t.json", "t.xlsx", "t.zip", "t.dbf", "t.gz")),
)
def test_tables_of_collisions_end_in_rows_or_in_a_message(folder, place, table, mapping, name):
    path = folder / name
    path.write_bytes(table)
    try:
        asked = collision_settings(**mapping | {"sources": [str(path)]})
    except ValueError:
        return
    try:
        records = read_collisions(asked)
    except RoadprintError:
        return
    time = period_covered(records.table[records.table["kept"]], asked.period)
    roads, network = place
    placed = place_collisions(
        records, network.segments, network.junctions, roads.others, crs=roads.crs, settings=asked
    )
    assert sum(entry.count for entry in placed.entries if entry.item == "collisions") == len(
        placed.collisions
    )
    assert time.years is None or time.years > 0


@FUZZED
@given(
    rows=st.lists(st.tuples(*[CODE] * len(STATS19_NAMES)), max_size=8),
    people=st.lists(st.tuples(*[CODE] * len(CASUALTY_NAMES)), max_size=8),
)
def test_tables_of_stats19_end_in_rows_or_in_a_message(folder, rows, people):
    pd.DataFrame(rows, columns=STATS19_NAMES).to_csv(folder / "collision.csv", index=False, escapechar="\\")
    pd.DataFrame(people, columns=CASUALTY_NAMES).to_csv(folder / "casualty.csv", index=False, escapechar="\\")
    asked = collision_settings(
        sources=[str(folder / "collision.csv")], casualties=str(folder / "casualty.csv")
    )
    try:
        records = read_collisions(asked)
    except RoadprintError:
        pass
    else:
        assert len(records.table) <= len(rows)


@FUZZED
@given(
    text=features(),
    keys=st.fixed_dictionaries(
        {},
        optional={
            "name_field": st.sampled_from(("name", "names", "names.primary", None)),
            "id_field": st.sampled_from(("osm_id", "fid", "cell")),
            "keep": st.just(["primary", "residential"]),
            "ref_field": st.sampled_from(("ref", None)),
        },
    ),
)
def test_roads_end_in_a_network_or_in_a_message(folder, text, keys):
    path = folder / "roads.geojson"
    path.write_text(text, encoding="utf-8")
    try:
        source = read_roads(Roads(source=str(path), **keys), crs="EPSG:27700")
        network = build_network(source.kept)
    except RoadprintError:
        pass
    else:
        assert (network.segments["length_m"] > 0).all()


@FUZZED
@given(
    values=st.dictionaries(st.sampled_from(KEYS), SCALAR, min_size=1, max_size=3),
    whole=st.one_of(st.none(), SCALAR),
)
def test_city_files_end_in_a_configuration_or_in_a_message(folder, values, whole):
    path = folder / "city.yaml"
    tree = {"city": "x", "imagery": {"sources": "[a.tif]"}, "roads": {"source": "r.gpkg"}}
    for key, value in values.items():
        *above, last = key.split(".")
        below = tree
        for name in above:
            below = below.setdefault(name, {}) if isinstance(below.get(name, {}), dict) else {}
        below[last] = value
    path.write_text(write_keys(tree) if whole is None else whole, encoding="utf-8", errors="replace")
    try:
        config = load(path)
    except RoadprintError:
        pass
    else:
        assert config.city


@FUZZED
@given(
    table=tables(),
    keys=st.fixed_dictionaries(
        {"x": st.just("x"), "y": st.just("y"), "aadt": st.sampled_from(("n_casualties", "x"))},
        optional={
            "id": st.just("id"),
            "year": st.just("date"),
            "road_name": st.just("road_name"),
            "decimal": st.sampled_from((".", ",")),
            "encoding": st.sampled_from(("latin-1", "utf-16")),
        },
    ),
)
def test_tables_of_counts_end_in_rows_or_in_a_message(folder, town, table, keys):
    path = folder / "counts.csv"
    path.write_bytes(table)
    config = load(town.folder / "city.yaml") if (town.folder / "city.yaml").exists() else _configured(town)
    exposure = type(config.exposure).model_validate(
        {"sources": [str(path)], "schema": "columns", "columns": keys}
    )
    try:
        counts = read_counts(exposure, town.crs)
    except RoadprintError:
        pass
    else:
        assert len(counts.table)


def _configured(town):
    (town.folder / "city.yaml").write_text(
        yaml.safe_dump(town.config(), allow_unicode=True), encoding="utf-8"
    )
    return load(town.folder / "city.yaml")


def test_the_strange_cells_are_not_refused_for_their_encoding_alone(folder):
    """Else nothing would be tried of what they mean."""
    frame = pd.DataFrame({"id": range(len(STRANGE)), "note": STRANGE, "x": -1.82, "y": 52.35})
    frame[~frame["note"].str.contains("\x00")].to_csv(folder / "strange.csv", index=False)
    columns = {"id": "id", "x": "x", "y": "y", "road_name": "note"}
    records = read_collisions(
        collision_settings(sources=[str(folder / "strange.csv")], schema="columns", columns=columns)
    )
    assert len(records.table) == len(STRANGE) - 1
    assert shapely.is_valid(gpd.points_from_xy(records.table["x"], records.table["y"])).all()
