"""What the values of a raster of classes are called, in the file of GDAL's beside it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

_CATEGORIES = re.compile(r"<CategoryNames>(.*?)</CategoryNames>", re.DOTALL)
_CATEGORY = re.compile(r"<Category\s*/>|<Category>([^<]*)</Category>")


def write_categories(raster: Path, names: Mapping[int, str]) -> None:
    """Write names of values to ``<raster>.aux.xml``, as GDAL's category names of the first band.

    Parameters
    ----------
    raster
        Path of the raster.
    names
        What values from 0 on are called; those between have an empty name.
    """
    notes = ET.Element("PAMDataset")
    listed = ET.SubElement(ET.SubElement(notes, "PAMRasterBand", band="1"), "CategoryNames")
    for value in range(max(names, default=-1) + 1):
        ET.SubElement(listed, "Category").text = names.get(value, "")
    _beside(raster).write_bytes(ET.tostring(notes))


def read_categories(raster: Path) -> dict[int, str]:
    """Read the names that a raster's values have in the file of GDAL's beside it; an empty one is none."""
    beside = _beside(raster)
    if not beside.is_file():
        return {}
    listed = _CATEGORIES.search(beside.read_text(encoding="utf-8", errors="replace"))
    named = _CATEGORY.findall(listed[1]) if listed else []
    return {value: html.unescape(name).strip() for value, name in enumerate(named) if name.strip()}


def _beside(raster: Path) -> Path:
    return raster.with_name(f"{raster.name}.aux.xml")
