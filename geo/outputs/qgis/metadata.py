"""What QGIS shows of a layer under Properties > Information: what it is, where it is from, and of when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import jinja2
from pyproj import CRS

from geo.outputs.layers.layers import LAYERS

SOURCES: dict[str, tuple[str, ...]] = {
    "junctions": ("roads", "collisions"),
    "tiles": ("imagery", "roads"),
    "collisions": ("collisions",),
    "junction_types": ("roads", "collisions"),
    "places": ("roads", "collisions"),
    "windows": ("roads", "collisions"),
    "lixels": ("roads", "collisions"),
    "high_injury": ("roads", "collisions"),
}
"""Which inputs a layer is made of; all, where it is not named."""
_ALL = ("imagery", "roads", "collisions", "exposure")


def layer_metadata(
    city: str, crs: CRS, licences: Mapping[str, str | None], period: tuple[date, date] | None
) -> dict[str, str]:
    """Write the metadata of every layer.

    Parameters
    ----------
    city
        Its name.
    crs
        The city's.
    licences
        Source and licence of each input (``imagery``, ``roads``, ``collisions``, ``exposure``); None: not told.
    period
        First and last day of the collision records.

    Returns
    -------
    QGIS's XML by table.
    """
    template = _environment().get_template("metadata.xml")
    written = {}
    for name, layer in LAYERS.items():
        known = [(part, licences[part]) for part in SOURCES.get(name, _ALL) if licences.get(part)]
        written[name] = template.render(
            city=city,
            layer=layer,
            crs=None if layer.geometry is None else crs,
            authority=":".join(crs.to_authority() or ()),
            licences=known,
            period=period if "collisions" in SOURCES.get(name, _ALL) else None,
        )
    return written


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("geo.outputs.qgis", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
