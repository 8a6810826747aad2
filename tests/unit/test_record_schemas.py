"""Schemas of records: chosen by name from a registry; a new one is a module and a place there."""

from typing import ClassVar, Literal

import pandas as pd
import pyproj
import pytest
from pydantic import Field, ValidationError

from geo.collisions import registry
from geo.collisions.read import read_collisions
from geo.collisions.registry import KINDS, schema_of
from geo.collisions.schema import CollisionSource, canonical_table
from geo.collisions.schemas.kind import SchemaKind
from geo.collisions.schemas.stats19 import Stats19
from geo.collisions.schemas.tabular import Tabular
from geo.collisions.tables.places import expand_tables
from geo.collisions.tables.reading import read_rows
from geo.config import CityConfig, Collisions, collision_settings
from geo.config.kinds import one_of
from geo.errors import ConfigurationError

SMALL = {"city": "x", "imagery": {"sources": ["a.tif"]}, "roads": {"source": "r.gpkg"}}
CHANGED = pd.DataFrame(
    {
        "source_year": [2015, 2019],
        "police_force": ["13", "13"],
        "injury_based": pd.array([False, True], dtype="boolean"),
        "ksi_adjusted": [0.4, 1.0],
    }
)
"""Two collisions of one force, recorded in two ways."""


def test_a_section_made_without_a_file_is_of_the_schema_that_it_names():
    assert schema_of(Collisions(keep={"a": ["1"]})) == Stats19(keep={"a": ["1"]})
    assert schema_of(Collisions(schema="columns", max_distance_m=9.0)) == Tabular(max_distance_m=9.0)
    assert collision_settings(schema="columns") == Tabular()
    with pytest.raises(
        ConfigurationError, match=r"(?s)collisions\.schema: there is no 'dft'.*stats19, .*, columns"
    ):
        schema_of(Collisions(schema="dft"))


def test_a_break_in_how_severity_was_recorded_is_known_of_stats19_alone():
    assert "West Yorkshire" in Stats19().breaks(CHANGED)[0]
    assert Tabular().breaks(CHANGED) == []


def test_the_tables_of_a_run_are_those_that_its_schema_links_too():
    assert expand_tables(Stats19(sources=["c.csv"], vehicles="v.csv")) == ["c.csv", "v.csv"]
    assert expand_tables(Tabular(sources=["c.csv"], columns={})) == ["c.csv"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_section_of_any_schema_may_say_nothing_else(kind):
    assert kind().sources == []


class Injuries(SchemaKind):
    """A table with a row for each injury, on the grid of a map: a schema that a test adds."""

    tag: ClassVar[str] = "injuries"
    form: ClassVar[str] = "injuries"

    schema_: Literal["injuries"] = Field(default="injuries", alias="schema")
    grid: str = Field(default="EPSG:27700", description="CRS of east and north.")

    def read(self) -> CollisionSource:
        rows = pd.concat([read_rows(source).frame for source in self.sources], ignore_index=True)
        worst = rows.assign(rank=rows["harm"].map({"killed": 0, "hurt": 1})).sort_values("rank")
        each = worst.groupby("case", as_index=False).agg({"east": "first", "north": "first", "harm": "first"})
        table = pd.DataFrame(
            {
                "collision_id": each["case"],
                "x": each["east"].astype(float),
                "y": each["north"].astype(float),
                "severity": each["harm"].map({"killed": "fatal", "hurt": "slight"}),
                "kept": True,
            }
        )
        crs = pyproj.CRS.from_user_input(self.grid)
        return CollisionSource(
            canonical_table(table), crs, frozenset({"fatal", "slight"}), has_ids=True, entries=[]
        )


def test_a_new_schema_is_a_module_and_a_place_in_the_registry(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "KINDS", (*KINDS, Injuries))

    class City(CityConfig):
        collisions: one_of("geo.collisions.registry", key="schema") = Field(default={}, validate_default=True)

    path = tmp_path / "injuries.csv"
    path.write_text(
        "case,east,north,harm\na,430000,433000,hurt\nb,430100,433000,hurt\na,430000,433000,killed\n"
    )
    section = {"sources": [str(path)], "schema": "injuries"}
    assert isinstance(City(**SMALL).collisions, Stats19)
    with pytest.raises(ValidationError, match=r"one of stats19, .*, columns, injuries is expected"):
        City(**SMALL, collisions={"schema": "dft"})
    with pytest.raises(ValidationError, match=r"collisions\.injuries\.casualties"):
        City(**SMALL, collisions=section | {"casualties": "c.csv"})
    source = read_collisions(City(**SMALL, collisions=section).collisions)
    assert source.table[["collision_id", "severity", "x"]].to_numpy().tolist() == [
        ["a", "fatal", 430000.0],
        ["b", "slight", 430100.0],
    ]
    assert source.crs.to_epsg() == 27700
