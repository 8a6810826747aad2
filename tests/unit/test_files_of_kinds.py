"""A file that a kind of encoder or of schema reads is an input of a run: the kind names it, and its edits are seen."""

from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
from pydantic import Field

from geo.collisions.registry import KINDS as SCHEMAS
from geo.collisions.schemas.stats19 import Stats19
from geo.collisions.schemas.tabular import Tabular
from geo.config.sections.encoder import EncoderSettings
from geo.config.sections.records import Collisions
from geo.features.encoders.file import WeightsFile
from geo.features.encoders.raster import Raster
from geo.features.encoders.torchgeo import Torchgeo
from geo.features.registry import KINDS as ENCODERS

PLACE = "near/this.file"
NO_PATHS = {
    (WeightsFile, "architecture"),
    (WeightsFile, "bands"),
    (Torchgeo, "bands"),
    (Tabular, "severity_values"),
    (Raster, "version"),
    (Raster, "column"),
}
"""Fields that take any text, and are no path: who adds one to a kind says which it is, here or in the kind."""


def takes_any_text(annotation):
    """Tell whether a type has room for a path."""
    if get_origin(annotation) is Literal:
        return False
    return annotation in (str, Path) or any(map(takes_any_text, get_args(annotation)))


def path_fields(kind):
    """Name the fields that may hold a path, beyond those that all kinds of the section have."""
    base = Collisions if issubclass(kind, Collisions) else EncoderSettings
    own = {
        name: field.annotation
        for name, field in kind.model_fields.items()
        if name not in base.model_fields or (":PATH" in kind.form and name == "name")
    }
    return [name for name, of in own.items() if takes_any_text(of) and (kind, name) not in NO_PATHS]


def section(kind, field):
    """Fill one field with a path, whatever else the kind would ask for."""
    one = kind.form.replace("PATH", PLACE) if field == "name" else PLACE
    several = get_origin(kind.model_fields[field].annotation) is list
    return kind.model_construct(**{field: [one] if several else one})


def named(made):
    return made.linked() if isinstance(made, Collisions) else made.files()


def unnamed(kind):
    """List the fields whose path the kind does not name, or not where it lies from the city's file."""
    found = []
    for field in path_fields(kind):
        made = section(kind, field)
        there = made.with_paths(lambda path: f"/city/{path}")
        if named(made) != [PLACE] or named(there) != [f"/city/{PLACE}"]:
            found.append(field)
    return found


@pytest.mark.parametrize("kind", [*ENCODERS, *SCHEMAS], ids=lambda kind: kind.__name__)
def test_each_path_of_a_kind_is_named_as_an_input(kind):
    assert unnamed(kind) == []


def test_the_paths_that_kinds_have_today_are_looked_at():
    assert path_fields(Stats19) == ["casualties", "vehicles"]
    assert path_fields(WeightsFile) == ["name"]


def test_a_path_that_a_kind_forgets_is_found():
    class Weather(Stats19):
        stations: str | None = Field(default=None, description="Table of weather stations.")
        days: Path | None = Field(default=None, description="Table of days.")

    assert unnamed(Weather) == ["stations", "days"]

    class Half(Stats19):
        stations: str | None = Field(default=None, description="Table of weather stations.")

        def linked(self):
            return [*super().linked(), *([self.stations] if self.stations else [])]

    assert unnamed(Half) == ["stations"]
