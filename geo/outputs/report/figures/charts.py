"""The geometry of the report's drawings; the template draws them."""

from __future__ import annotations

import base64
import math
import unicodedata
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.outputs.palette import Look
from geo.outputs.wording import shorten

STRIP_WIDTH, STRIP_MARGIN = 320.0, 14.0
WIDEST = 16.0
"""No axis of rate ratios goes beyond 1/16 to 16; an interval that does ends in an arrow."""
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
