"""Legends on paper: the labels of a style, broken into lines that fit."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from geo.outputs.qgis.layouts.expressions import BREAK

_ENTRIES = ("rule", "category", "range")
_SIZES = ((8.0, 44, 1, 42), (6.5, 54, 1, 52), (5.0, 33, 2, 130), (4.0, 44, 2, 160))
"""Of letters (points), with how many of them a line has, in how many columns, and how many lines there is room for."""


@dataclass(frozen=True, slots=True)
class Legend:
    """A legend that fits.

    Attributes
    ----------
    labels
        Place of each entry in the style, and what is written there.
    size
        Of the letters (points).
    columns
        Side by side.
    """

    labels: tuple[tuple[int, str], ...]
    size: float
    columns: int


def entries(qml: str) -> list[str]:
    """List the labels of a style in the order of its legend."""
    renderer = ET.fromstring(qml).find("renderer-v2")  # noqa: S314 - our own
    if renderer is None:
        return []
    return [one.get("label", "") for one in renderer.iter() if one.tag in _ENTRIES]


def fitting(qml: str) -> Legend:
    """Lay the legend of a style out beside a map: smaller letters where there is more to say."""
    said = [plain(text) for text in entries(qml)]
    for size, letters, columns, room in _SIZES:
        labels = tuple(enumerate("\n".join(textwrap.wrap(text, letters)) for text in said))
        found = Legend(labels, size, columns)
        if sum(text.count("\n") + 1 for _, text in labels) <= room:
            break
    return found


def plain(text: str) -> str:
    """Keep QGIS from working out what stands in a label."""
    return text.replace("[%", f"[{BREAK}%")
