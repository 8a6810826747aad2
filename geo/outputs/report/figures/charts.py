"""The geometry of the report's drawings; the template draws them."""

from __future__ import annotations

import base64
import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.outputs.palette import UNKNOWN, Look
from geo.outputs.wording import figure, shorten

STRIP_WIDTH, STRIP_MARGIN = 320.0, 14.0
WIDEST = 16.0
"""No axis of rate ratios goes beyond 1/16 to 16; an interval that does ends in an arrow."""
MAP_WIDTH = 1000.0
TOLERANCE = 0.5
FINEST, BROADEST = 0.9, 2.4
INKED = 0.1
"""Share of the map that lines may cover before they are drawn finer."""
_DASHES = {"solid": "none", "dash": "7 3", "dot": "1.5 3", "dash dot": "7 3 1.5 3"}


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis of rate ratios, the same for all strips of a report.

    Attributes
    ----------
    reach
        Greatest ratio on the axis, which goes from 1/reach to reach.
    """

    reach: float

    def place(self, ratio: float) -> float:
        """Where a ratio lies on a strip, those beyond the axis at its end."""
        share = 0.5 if self.reach == 1 else 0.5 + 0.5 * _log(ratio) / _log(self.reach)
        return round(STRIP_MARGIN + min(max(share, 0.0), 1.0) * (STRIP_WIDTH - 2 * STRIP_MARGIN), 1)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Place and label of the powers of two on it, at most nine."""
        most = round(math.log2(self.reach))
        return [(self.place(2.0**n), str(2**n) if n >= 0 else f"1/{2**-n}") for n in range(-most, most + 1)]


def _log(ratio: float) -> float:
    return -math.inf if ratio <= 0 else math.inf if math.isinf(ratio) else math.log2(ratio)


@dataclass(frozen=True, slots=True)
class Strip:
    """A rate ratio and its interval on an axis: places of the limits and the estimate.

    Attributes
    ----------
    low, high, estimate
        Where the limits and the estimate lie along the strip (units of the drawing).
    below, above
        Whether the interval goes on beyond the lower and the upper end of the axis.
    """

    low: float
    high: float
    estimate: float
    below: bool
    above: bool


def ratio_axis(*ratios: pd.DataFrame) -> Axis:
    """Choose the axis that holds all of these rate ratios and limits."""
    values = np.concatenate(
        [table.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan).ravel() for table in ratios]
    )
    found = values[np.isfinite(values) & (values > 0)]
    most = float(np.abs(np.log2(found)).max()) if len(found) else 1.0
    return Axis(min(WIDEST, 2.0 ** max(1, math.ceil(most))))


def ratio_strip(ratio: float, low: float, high: float, axis: Axis) -> Strip | None:
    """Place a rate ratio on an axis; None when it or its interval is not known."""
    if any(math.isnan(value) for value in (ratio, low, high)):
        return None
    return Strip(
        axis.place(low),
        axis.place(high),
        axis.place(ratio),
        below=low < 1 / axis.reach,
        above=high > axis.reach,
    )


@dataclass(frozen=True, slots=True)
class MapLine:
    """All segments of one cluster as an SVG path; cluster None: those without imagery."""

    cluster: int | None
    colour: str
    dash: str
    path: str


@dataclass(frozen=True, slots=True)
class Overview:
    """A map of the segments, north up.

    Attributes
    ----------
    width, height
        Size of the drawing (its own units).
    lines
        The segments, those without imagery first (undermost).
    stroke
        Width of the lines on the screen (pixels), finer where they are many.
    bar, bar_label
        Length of the scale bar in the drawing, and what it stands for.
    """

    width: float
    height: float
    lines: list[MapLine]
    stroke: float
    bar: float
    bar_label: str


def text_width(text: str, size: float) -> float:
    """Say how wide a text is at most in a common sans serif, so that a drawing leaves room for it.

    Parameters
    ----------
    text
        One line.
    size
        Height of its letters as CSS gives it (units of the drawing).

    Examples
    --------
    >>> text_width("0.25", 10) < text_width("WWWW", 10) < text_width("\N{CJK UNIFIED IDEOGRAPH-8DEF}" * 5, 10)
    True
    """
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in text)
    narrow = sum(one in "ijlt.,:;|'!()[] 1" for one in text)
    broad = sum(one in "MWmw@%" for one in text)
    rest = len(text) - wide - narrow - broad
    return size * (1.05 * wide + 0.55 * narrow + 1.0 * broad + 0.7 * rest)


def fitted_text(text: str, width: float, size: float) -> str:
    """Cut a text that would be wider than a drawing has room for, with an ellipsis (see `text_width`)."""
    for most in range(len(text), 1, -1):
        if text_width(shown := shorten(text, most), size) <= width:
            return shown
    return text[:1]


def dash_of(appearance: Look) -> str:
    """Give the SVG dash array of a look."""
    return _DASHES[appearance.pattern]


def bokeh_dash(appearance: Look) -> list[int]:
    """Give the dashes of a look as Bokeh takes them; none for a solid line."""
    return (
        []
        if appearance.pattern == "solid"
        else [round(float(part) * 2) for part in dash_of(appearance).split()]
    )


def picture_address(jpeg: bytes) -> str:
    """Give the data address of a picture."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def overview(segments: gpd.GeoDataFrame, looks: Mapping[int, Look]) -> Overview | None:
    """Draw segments by cluster.

    Parameters
    ----------
    segments
        ``cluster`` and lines, in a projected CRS in metres; at least one with an extent, else None is returned.
    looks
        Colour and pattern of each cluster, by its number.
    """
    west, south, east, north = segments.total_bounds if len(segments) else (0.0, 0.0, 0.0, 0.0)
    extent = max(east - west, north - south)
    if not extent > 0:
        return None
    scale = MAP_WIDTH / extent
    # a city that is taller than wide fits the same square
    ordered = segments.sort_values("segment_id")
    drawn = shapely.transform(ordered.geometry.to_numpy(), lambda xy: (xy - [west, north]) * [scale, -scale])
    drawn = shapely.simplify(drawn, TOLERANCE)
    cluster = ordered["cluster"].astype("Int64")
    lines = (
        [MapLine(None, UNKNOWN, "2 3", _path(drawn[cluster.isna().to_numpy()]))]
        if cluster.isna().any()
        else []
    )
    for number in sorted(int(c) for c in cluster.dropna().unique()):
        appearance = looks[number]
        of = (cluster == number).fillna(value=False).to_numpy(dtype=bool)
        lines.append(MapLine(number, appearance.colour, dash_of(appearance), _path(drawn[of])))
    metres = _round_length(extent / 4)
    width, height = (east - west) * scale, (north - south) * scale
    stroke = INKED * width * height / shapely.length(drawn).sum()
    return Overview(
        round(width, 1),
        round(height, 1),
        lines,
        round(min(max(stroke, FINEST), BROADEST), 2),
        round(metres * scale, 1),
        f"{figure(metres / 1000)} km" if metres >= 1000 else f"{figure(metres)} m",
    )


def _path(lines: NDArray[np.object_]) -> str:
    """Write lines as one SVG path, to a tenth of a unit."""
    points, line = shapely.get_coordinates(lines, return_index=True)
    # minus zero is zero
    tenths = (np.round(points, 1) + 0.0).astype(str)
    starts = np.diff(line, prepend=-1) != 0
    return "".join(
        np.char.add(
            np.where(starts, "M", "L"), np.char.add(np.char.add(tenths[:, 0], " "), tenths[:, 1])
        ).tolist()
    )


def _round_length(most: float) -> float:
    """Give the longest of 1, 2 and 5 times a power of ten that is not above `most`."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(step * power for step in (1, 2, 5) if step * power <= most)
