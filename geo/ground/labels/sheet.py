"""The empty layers that an analyst draws labels in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyproj

from geo.ground.contract import GroundClass
from geo.outputs.qgis.drawing import Drawing, empty_rows, write_drawings

FILE = "labels.gpkg"
COLUMNS = ("class", "note")
OUTLINE = "#000000"
_DRAWN = {"points": "Point", "lines": "LineString", "areas": "Polygon"}


def write_sheet(path: Path, crs: pyproj.CRS, classes: Sequence[GroundClass]) -> bool:
    """Write layers to draw labels in: points, lines, areas, and extents; none where a file is there.

    Parameters
    ----------
    path
        The GeoPackage, ``labels.gpkg`` beside ``clusters.csv``.
    crs
        The city's CRS.
    classes
        Whose names and colours the layers begin with; those that were found and have no name are left out.

    Returns
    -------
    Whether it was written: what an analyst drew is never overwritten.

    Raises
    ------
    SourceError
        When it cannot be written.
    """
    if path.exists():
        return False
    looks = {one.name: one.colour for one in classes if one.name}
    layers = [
        Drawing(
            name, geometry, empty_rows(COLUMNS, crs), "class", looks, "another class", suggests=("class",)
        )
        for name, geometry in _DRAWN.items()
    ]
    outlines = Drawing(
        "extents",
        "Polygon",
        empty_rows(("note",), crs),
        "note",
        {},
        "all of it is labelled",
        outline=True,
        colour=OUTLINE,
    )
    write_drawings(path, [*layers, outlines])
    return True
