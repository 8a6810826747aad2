"""The city on A3: by type of road, and by the rate that is to be expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from geo.outputs.qgis.layouts.expressions import breakable, literal, shown
from geo.outputs.qgis.layouts.legend import fitting
from geo.outputs.qgis.layouts.pages import Box, Shown, fitted, scale_step
from geo.outputs.qgis.project import EB_OF, map_id, view
from geo.outputs.qgis.styles import RATES, TYPES
from geo.outputs.qgis.tables import Style

BOX: Box = (10, 27, 305, 245)
READING = {
    TYPES: "Types are found from imagery alone, before any collision is looked at. Roads of one type look alike; that "
    "says nothing of why collisions happen on them.",
    "rate": "Shrunk: a road's own record is weighed against what roads like it have, so that a single collision on a "
    "short road does not colour it. The rate is per km and year, not per vehicle. Association, not cause.",
}


@dataclass(frozen=True, slots=True)
class CityMap:
    """A map of the whole city, with its legend."""

    name: str
    title: str
    subtitle: str
    layer: Shown
    extent: Box
    labels: tuple[tuple[int, str], ...]
    size: float
    columns: int
    reading: str
    unit: str
    step: float
    box: Box = BOX


def city_maps(
    city: str, layers: Mapping[str, pd.DataFrame], styles: Sequence[Style], file: str
) -> list[CityMap]:
    """Lay the maps of the city out: rates first where under half of the length has a type.

    Parameters
    ----------
    city
        Its name.
    layers
        The frames that are written, by the name of their layer.
    styles
        QGIS styles of the layers.
    file
        Name of the GeoPackage.
    """
    segments = gpd.GeoDataFrame(layers["segments"])
    by_name = {style.name: style for style in styles if style.layer == "segments"}
    rate = EB_OF[bool(segments["n_ksi"].notna().any())]
    column, heading = RATES[rate]
    known = column in segments and bool(segments[column].notna().any())
    typed = segments["cluster"].notna()
    found = []
    if typed.any():
        said = f"{_km(segments[typed])} of {_km(segments)} have a type"
        found.append(_map(TYPES, "Types of road", said, city, by_name[TYPES], file, view(segments)))
    if known:
        said = f"{heading}; {_km(segments[segments[column].notna()])} of {_km(segments)} have a rate"
        found.append(_map(rate, heading, said, city, by_name[rate], file, everywhere(segments)))
    if not found:
        said = "No road has a type or a rate: there are neither imagery nor collision records"
        found.append(_map(TYPES, "Roads", said, city, by_name[TYPES], file, everywhere(segments)))
    if segments.loc[typed, "length_m"].sum() < segments["length_m"].sum() / 2:
        found.reverse()
    return found


def _map(style: str, what: str, said: str, city: str, of: Style, file: str, bounds: Box) -> CityMap:
    """Lay one map out."""
    extent = fitted(bounds, BOX)
    unit, step = scale_step(extent, BOX)
    legend = fitting(of.qml)
    return CityMap(
        name=f"City (A3): {what[:1].lower()}{what[1:]}" if what[1:2].islower() else f"City (A3): {what}",
        title=shown(literal(breakable(f"{what} of {city}" if style == TYPES else f"{what}: {city}"))),
        subtitle=shown(literal(said)),
        layer=Shown(map_id("segments", style, other=style != TYPES), what, f"./{file}|layername=segments"),
        extent=extent,
        labels=legend.labels,
        size=legend.size,
        columns=legend.columns,
        reading=READING.get(style, READING["rate"]),
        unit=unit,
        step=step,
    )


def everywhere(segments: gpd.GeoDataFrame) -> Box:
    """Give the rectangle of all segments, with and without a type (city's CRS, metres)."""
    return view(segments.assign(cluster=None))


def _km(segments: pd.DataFrame) -> str:
    return f"{segments['length_m'].sum() / 1000:,.1f} km".replace(",", "\N{NO-BREAK SPACE}")
