"""What QGIS shows of ground: the map of its classes beside the imagery, and columns of shares in boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from geo.ground.there.columns import told_by
from geo.outputs.layers.ground_words import called

OPACITY = 0.6
"""Of the map of classes: the imagery below is seen through it."""
_OTHER = "In words, and what else is known"


@dataclass(frozen=True, slots=True)
class GroundMap:
    """The map of classes of ground.

    Attributes
    ----------
    file
        Name of the raster, which lies beside the GeoPackage, in the city's CRS.
    classes
        Number in the raster, what it is called, and colour (``#RRGGBB``) of each class.
    """

    file: str
    classes: tuple[tuple[int, str, str], ...]
    opacity: float = OPACITY


def ground_map(file: str, classes: pd.DataFrame) -> GroundMap:
    """Describe the map of a city.

    Parameters
    ----------
    file
        Name of the raster.
    classes
        The layer ``ground_classes``.
    """
    rows = classes.sort_values("class").to_dict("records")
    told = ((int(row["class"]), called(row["name"], row["key"]), str(row["colour"])) for row in rows)
    return GroundMap(file, tuple(told))


def boxes_of(found: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """Put columns in boxes by their distance from the centreline."""
    boxes: dict[str, list[str]] = {}
    for name in found:
        told = told_by(name)
        boxes.setdefault(_OTHER if told is None else f"{told[1].words} from the centreline", []).append(name)
    return sorted(boxes.items(), key=lambda box: box[0] == _OTHER)
