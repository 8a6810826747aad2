"""Map themes of the project: which layers are switched on for one question each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

FOOT, BICYCLE = "on foot", "by bicycle"
USERS = {FOOT: "pedestrian", BICYCLE: "cyclist"}
"""Styles of segments and collisions by road user: the column that tells of it."""


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme: its title, and the ids of the layers that it shows."""

    title: str
    layers: tuple[str, ...]


def themes(plan: Mapping[str, Sequence[str]], known: Collection[str], below: Sequence[str]) -> list[Theme]:
    """Choose the themes of a project.

    Parameters
    ----------
    plan
        Ids of the layers of each theme by its title; the first is what the theme is about: without it there is no such
        theme.
    known
        Ids of the layers that the project has.
    below
        Ids of imagery, which every theme shows.
    """
    return [
        Theme(title, (*(one for one in layers if one in known), *below))
        for title, layers in plan.items()
        if layers[0] in known
    ]
