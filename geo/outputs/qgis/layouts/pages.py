"""What all print layouts share: layers as maps name them, extents that fill a box, scale bars, and sources."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from geo.outputs.qgis.layouts.expressions import breakable, literal, shown
from geo.outputs.wording import shorten

Box = tuple[float, float, float, float]
"""Of an item on paper: x, y, width and height in mm; or of a map: west, south, east and north in the city's CRS."""
FONT = "DejaVu Sans"
LICENCE = 100
"""Characters of a source and its licence that are printed, at most; all of it is in the metadata of the layers."""
_RIM = 1.04
"""How much wider a map is than what it shows."""
_STEPS = (1.0, 2.0, 5.0, 10.0)
_BAR_MM = 28
"""Length of one of the two segments of a scale bar, at most."""
FOLDER = "replace(@project_folder, 'geopackage:', '')"
"""Expression of QGIS for the folder in which the project lies, in a GeoPackage or by itself."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A layer of the project, as maps and legends name it."""

    id: str
    title: str
    source: str
    provider: str = "ogr"


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of the inputs.

    Attributes
    ----------
    city
        Name of the city, as in its file.
    licences
        Source and licence of each input (``imagery``, ``roads``, ``collisions``, ``exposure``); None: not told.
    period
        First and last day of the collision records; None: not known.
    made_by
        Name and version of the program.
    """

    city: str
    licences: Mapping[str, str | None]
    period: tuple[date, date] | None = None
    made_by: str = "roadprint"


def fitted(bounds: Box, box: Box) -> Box:
    """Widen bounds on the ground to the shape of a box on paper, and by a rim (city's CRS, metres)."""
    west, south, east, north = bounds
    width = max(east - west, (north - south) * box[2] / box[3], 100.0) * _RIM
    height = width * box[3] / box[2]
    x, y = (west + east) / 2, (south + north) / 2
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def scale_step(extent: Box, box: Box) -> tuple[str, float]:
    """Give the unit of a scale bar (``m`` or ``km``), and a round length of its segments in it."""
    metres = (extent[2] - extent[0]) / box[2] * _BAR_MM
    power = 10.0 ** math.floor(math.log10(metres))
    step = max(one * power for one in _STEPS if one * power <= metres)
    return ("km", step / 1000) if step >= 1000 else ("m", step)


def sources_line(told: Told) -> str:
    """Write source and licence of each input, of which time records are, which run it was, and when it is printed."""
    parts = [
        f"{name[:1].upper()}{name[1:]}: {breakable(shorten(text, LICENCE))}"
        for name, text in told.licences.items()
        if text
    ]
    if told.period is not None:
        parts.append(f"Collision records of {told.period[0].isoformat()} to {told.period[1].isoformat()}")
    parts.append(f"Made by {told.made_by}. Association, not cause")
    said = "; ".join(part.rstrip(".;") for part in parts)
    # a run's folder is called after it, as long as nobody moves its files into another one
    run = f"coalesce('Run ' || nullif(regexp_substr({FOLDER}, '([0-9a-f]{{12}})$'), '') || '. ', '')"
    return shown(f"{literal(said + '. ')} || {run} || 'Printed ' || format_date(now(), 'yyyy-MM-dd')")
