"""The print layouts of a city's project, fitted to what is known of it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cache

import geopandas as gpd
import jinja2
import pandas as pd
from markupsafe import Markup, escape

from geo.outputs.layers.layers import LAYERS
from geo.outputs.qgis.layouts.city import city_maps
from geo.outputs.qgis.layouts.expressions import literal, shown
from geo.outputs.qgis.layouts.imagery import NOTE, caption, map_credits
from geo.outputs.qgis.layouts.pages import FONT, Shown, Told, sources_line
from geo.outputs.qgis.layouts.sites import NAME as SITES
from geo.outputs.qgis.layouts.sites import listed, sites_of
from geo.outputs.qgis.layouts.types import NAME as TYPES
from geo.outputs.qgis.layouts.types import types_of
from geo.outputs.qgis.project import Extras, Mosaic, exact, view
from geo.outputs.qgis.styles import rgba
from geo.outputs.qgis.tables import NOT_XML, PREFIX, Style
from geo.outputs.templates import templates

MARK = "#D81B60"
"""Colour of the road that a page is about: no type and no severity has it."""
NO_SITES = (
    "No road has a rank: there are no collision records, or too few to say what is to be expected of a road. "
    "With records in the city's file, this layout has one page a road."
)
NO_TYPES = "No road has a type: no imagery shows it. With imagery in the city's file, this layout has one page a type."
_ARROW = "M12 12 19 35 12 30 5 35ZM7.5 10V1h2l5 6V1h2v9h-2l-5-6v6z"
_NORTH = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 28 40">'
    f'<path d="{_ARROW}" fill="#ffffff" stroke="#ffffff" stroke-width="3"/><path d="{_ARROW}" fill="#141414"/></svg>'
)
"""An arrow to the north of the grid, with an edge that stands out from imagery."""


def city_extras(
    file: str,
    layers: Mapping[str, pd.DataFrame],
    styles: Sequence[Style],
    told: Told,
    mosaics: Sequence[Mosaic] = (),
    metadata: Mapping[str, str] | None = None,
) -> Extras:
    """Write what a project holds beside its layers.

    Its layouts are the city on A3, one page a road of the worst, and one page a type. Each is there whatever is known:
    where there is nothing to show, its page says why.

    Parameters
    ----------
    file
        Name of the GeoPackage.
    layers
        The frames that are written, by the name of their layer.
    styles
        QGIS styles of the layers.
    told
        What is told of the inputs.
    mosaics
        Imagery beside the GeoPackage, the topmost first.
    metadata
        What is told of each layer, as QGIS's XML by table (`geo.outputs.qgis.tables.layer_metadata`).
    """
    layouts = _layouts(file, layers, styles, told, mosaics)
    return Extras(metadata or {}, layouts, map_credits(mosaics, told.licences), NOTE)


def _layouts(
    file: str,
    layers: Mapping[str, pd.DataFrame],
    styles: Sequence[Style],
    told: Told,
    mosaics: Sequence[Mosaic],
) -> Markup:
    """Write the layouts."""
    refs = {
        name: Shown(f"{PREFIX}{name}", layer.title, f"./{file}|layername={name}")
        for name, layer in LAYERS.items()
    }
    pictures = [
        Shown(f"{PREFIX}imagery_{n}", mosaic.title, f"./{mosaic.file}", "gdal")
        for n, mosaic in enumerate(mosaics)
    ]
    segments = gpd.GeoDataFrame(layers["segments"])
    sites, ids = None, listed(gpd.GeoDataFrame(layers["stretches"]))
    if ids:
        (collisions,) = (style.qml for style in styles if style.layer == "collisions" and style.default)
        has_imagery = bool(segments["n_tiles"].gt(0).any())
        said = caption(mosaics, told.licences.get("imagery"), has_imagery=has_imagery)
        sites = sites_of(layers, ids, refs, pictures, collisions, said)
    types = None if layers["clusters"].empty else types_of(layers, refs, view(segments))
    return Markup(  # noqa: S704 - the template escapes
        NOT_XML.sub(
            "",
            _environment()
            .get_template("layouts/templates/layouts.xml")
            .render(
                cities=city_maps(told.city, layers, styles, file),
                sites=sites,
                types=types,
                without_sites=(SITES, shown(literal(f"Worst roads of {told.city}")), NO_SITES),
                without_types=(TYPES, shown(literal(f"Types of road of {told.city}")), NO_TYPES),
                sources=sources_line(told),
                page=shown("'Page ' || @atlas_featurenumber || ' of ' || @atlas_totalfeatures"),
                north="base64:" + base64.b64encode(_NORTH.encode()).decode(),
            ),
        )
    )


@cache
def _environment() -> jinja2.Environment:
    # from the folder above, whose styles are made of the same parts
    environment = templates("geo.outputs.qgis", ".", rgba=rgba, exact=exact, broken=_broken)
    environment.globals |= {"family": FONT, "mark": MARK}
    return environment


def _broken(text: str) -> Markup:
    """Keep the ends of lines within an attribute."""
    return Markup(str(escape(text)).replace("\n", "&#10;"))  # noqa: S704 - escaped
