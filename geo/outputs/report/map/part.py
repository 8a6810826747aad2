"""The map as a part of the page: its data, its figure, its scripts, and the words of its chips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from geo.outputs.report.map.data import Layers, MapData, map_data
from geo.outputs.report.map.figure import MARKS, collision_layer_names, map_figure, map_script
from geo.outputs.report.map.packing import pack, safe_json
from geo.outputs.report.map.points import NOT_TOLD, OTHERS, USERS

SCRIPTS = (
    "words",
    "city",
    "view",
    "painting",
    "points",
    "names",
    "card",
    "tip",
    "finder",
    "picture",
    "hand",
    "start",
)
"""Files of the map's own script, in the order in which they are read: each knows what stands before it."""
SHOWN_FIRST = ("fatal", "serious")
"""Severities that are drawn when the map opens."""
WITHOUT_YEAR = "year not known"


@dataclass(frozen=True, slots=True)
class Chip:
    """One thing that collisions can be filtered by: its value in the script, its words, how many, and its mark."""

    value: str
    label: str
    n: int
    on: bool = True
    mark: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Chips:
    """Chips of one kind, under their heading."""

    key: str
    legend: str
    chips: tuple[Chip, ...]


@dataclass(frozen=True, kw_only=True)
class MapPart:
    """What the page needs of the map.

    Attributes
    ----------
    data
        What it holds.
    figure
        The figure, as JSON that may stand in a ``script`` element.
    script, library
        Its own script, and that of the library that draws it, which stands in the page packed.
    packed_library
        The library, packed.
    chips
        What collisions can be filtered by.
    silent
        What records do not tell, so that there is no chip for it, in sentences without their full stops.
    """

    data: MapData
    figure: str
    script: str
    library: str
    packed_library: str
    chips: tuple[Chips, ...]
    silent: tuple[str, ...]

    @property
    def scripts(self) -> tuple[str, str]:
        """Scripts that the page lets run."""
        return self.library, self.script


def map_part(layers: Layers) -> MapPart | None:
    """Make the map; None when the segments have no extent."""
    data = map_data(layers)
    if data is None:
        return None
    chips, silent = _chips(data, layers.severities)
    return MapPart(
        data=data,
        figure=safe_json(map_figure()),
        script=_own_script(),
        library=map_script(),
        packed_library=_packed_library(),
        chips=chips,
        silent=silent,
    )


def _chips(data: MapData, severities: Mapping[str, str]) -> tuple[tuple[Chips, ...], tuple[str, ...]]:
    """Word the chips, and what there are none for."""
    found, silent = data.points, []
    if not found.severities:
        return (), ()
    names = collision_layer_names(severities)
    layers = list(data.content["layers"])
    severity = tuple(
        Chip(str(layers.index(name)), names[name], n, name in SHOWN_FIRST, MARKS[name])
        for name, n in found.severities.items()
    )
    groups = [Chips("layer", "Collisions by severity", severity)]
    users = {**USERS, OTHERS: "others", NOT_TOLD: "not known"}
    if set(found.users) == {NOT_TOLD}:
        silent.append("The records do not tell who was hurt")
    else:
        value = {name: str(at) for at, name in enumerate(users)}
        groups.append(
            Chips(
                "users", "Hurt", tuple(Chip(value[name], users[name], n) for name, n in found.users.items())
            )
        )
    if set(found.years) == {None}:
        silent.append("The records do not tell the year")
    elif len(found.years) > 1:
        years = ((str(year or ""), str(year or WITHOUT_YEAR), n) for year, n in found.years.items())
        groups.append(Chips("year", "Year", tuple(Chip(*one) for one in years)))
    return tuple(groups), tuple(silent)


def _own_script() -> str:
    """Put the files of the map's script together, out of the way of other scripts."""
    folder = files("geo.outputs.report").joinpath("templates", "map")
    parts = [folder.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return '(function () {\n"use strict";\n' + "".join(parts) + "})();\n"


@cache
def _packed_library() -> str:
    return pack(map_script())
