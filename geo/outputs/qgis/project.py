"""The QGIS project inside the GeoPackage: all layers in order and styled, related, and first seen at the city."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from xml.etree import ElementTree as ET

import geopandas as gpd
import jinja2
import pandas as pd
from markupsafe import Markup
from pyproj import CRS

from geo.outputs.layers.layers import LAYERS
from geo.outputs.qgis import junctions
from geo.outputs.qgis.ground import GroundMap
from geo.outputs.qgis.styles import MARGIN, POTENTIAL, RATES, SPOTS, SYSTEMIC, TYPES
from geo.outputs.qgis.tables import PREFIX, Style
from geo.outputs.qgis.themes import BICYCLE, FOOT, Theme, themes
from geo.outputs.templates import templates

NAME = "overview"
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Collisions", ("collisions", "junctions")),
    ("Where collisions gather", ("stretches", "windows", "lixels")),
    ("Before and after", ("interventions",)),
)
SHOWN = ("collisions", "segments")
"""Layers that are switched on at first, beside the imagery."""
RELATIONS = (
    ("tiles", "segments", "segment_id", "Tiles of a segment"),
    ("collisions", "segments", "segment_id", "Collisions on a segment"),
    ("segments", "stretches", "stretch_id", "Segments of a stretch"),
    ("collisions", "junctions", "junction_id", "Collisions at a junction"),
    ("junction_tiles", "junctions", "junction_id", "Tile of a junction"),
)
SEGMENT_MAPS = (
    (POTENTIAL, "Potential for improvement"),
    (MARGIN, "How sure the type is"),
    (SPOTS, "Hot and cold spots"),
    (SYSTEMIC, "Risk factors, with and without a record"),
    (FOOT, "Collisions on foot"),
    (BICYCLE, "Collisions by bicycle"),
)
"""Maps of segments besides road types and the shrunk rate: style and title."""
COLLISION_MAPS = ((FOOT, "Collisions with a pedestrian"), (BICYCLE, "Collisions with a cyclist"))
"""Further maps of collisions: style and title."""
JUNCTION_MAPS = (
    (junctions.TYPES, "Types of junction"),
    (junctions.RATE, "Shrunk rate of junctions"),
    (junctions.WORST, "Worst junctions"),
)
"""Further maps of junctions: style and title."""
_GEOMETRIES = {"LineString": "Line", "Point": "Point", "Polygon": "Polygon", None: "No geometry"}
IMAGERY_OPACITY = 0.6
"""Of imagery: lines stand out from what is paler."""
_RIM = 0.03
"""Share of the city's width and height that the first view shows beyond it."""


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Imagery beside the GeoPackage.

    Attributes
    ----------
    file
        Name of the imagery's file, which lies beside the GeoPackage.
    title
        What the list of layers in QGIS shows.
    crs
        CRS of the imagery itself.
    far
        Whether it can be drawn at the scale of a city in reasonable time.
    places
        Points on some of its rasters (its own CRS): where one cannot be read, the raster is not where it was.
    """

    file: str
    title: str
    crs: CRS
    far: bool
    places: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Extras:
    """What a project holds beside its layers (`geo.outputs.qgis.layouts.layouts.city_extras`).

    Attributes
    ----------
    metadata
        What is told of each layer, as QGIS's XML by table (`geo.outputs.qgis.tables.layer_metadata`).
    layouts
        What is printed: the inside of the element ``Layouts``.
    credits
        Whose data is shown, and where imagery was left behind: text with expressions.
    note
        What is told of layers of imagery, as HTML.
    """

    metadata: Mapping[str, str]
    layouts: Markup
    credits: str
    note: str


@dataclass(frozen=True, slots=True)
class TreeLayer:
    """One layer of the project: its id, table, title, whether it is switched on, and its style."""

    id: str
    table: str
    title: str
    shown: bool
    style: Style

    @property
    def geometry(self) -> str:
        """Kind of geometry, as QGIS names it."""
        return _GEOMETRIES[LAYERS[self.table].geometry]

    @property
    def located(self) -> bool:
        """Whether it has places."""
        return LAYERS[self.table].geometry is not None

    @property
    def root(self) -> dict[str, str]:
        """Attributes that the style sets on the layer as a whole."""
        return dict(ET.fromstring(self.style.qml).attrib) | {"version": ""}  # noqa: S314 - our own

    @property
    def body(self) -> Markup:
        """Give the style's own elements, as they stand in a project too."""
        return inside(self.style.qml)


def inside(xml: str) -> Markup:
    """Give the elements of a style or of metadata, as they stand in a project too."""
    inside = [e for e in ET.fromstring(xml) if e.tag != "layerGeometryType"]  # noqa: S314 - our own
    return Markup("\n".join(ET.tostring(e, encoding="unicode") for e in inside))  # noqa: S704 - serialised XML


def city_project(
    file: str,
    city: str,
    layers: Mapping[str, pd.DataFrame],
    styles: Sequence[Style],
    crs: CRS,
    mosaics: Sequence[Mosaic] = (),
    extras: Extras | None = None,
    ground: GroundMap | None = None,
) -> str:
    """Write the project.

    Parameters
    ----------
    file
        Name of the GeoPackage, by which the project finds its layers; both may move, not be renamed.
    city
        Name of the city, as in its file.
    layers
        The frames that are written, by the name of their layer.
    styles
        QGIS styles of the layers (`geo.outputs.qgis.styles.city_styles`).
    crs
        The city's projected CRS, in metres.
    mosaics
        Imagery beside the GeoPackage, the topmost first.
    extras
        Layouts, and what is told of layers and sources; None: nothing.
    ground
        The map of classes of ground beside the GeoPackage, which lies over the imagery and is switched off at first.

    Returns
    -------
    The project's XML, as QGIS 3.22 and later read it.
    """
    rate = EB_OF[bool(layers["segments"]["n_ksi"].notna().any())]
    tree = _tree(styles, rate)
    imagery = [(f"{PREFIX}imagery_{n}", mosaic) for n, mosaic in enumerate(mosaics)]
    metadata = {} if extras is None else extras.metadata
    return (
        _environment()
        .get_template("project.qgs")
        .render(
            file=file,
            city=city,
            crs=crs,
            authority=":".join(crs.to_authority() or ()),
            groups=tree.groups,
            maps=tree.maps,
            tiles=tree.tiles,
            tables=tree.tables,
            mosaics=imagery,
            imagery_opacity=IMAGERY_OPACITY,
            ground=ground,
            entries=tree.entries,
            themes=_themes(tree.entries, rate, [id_ for id_, _ in imagery]),
            order=[
                *(entry.id for entry in tree.entries if entry.located),
                *(["roadprint_ground"] if ground else []),
                *(id_ for id_, _ in imagery),
            ],
            group_names=[*(title for title, _ in tree.groups), "Road segments", "Imagery", "Tables"],
            relations=[
                (f"{PREFIX}{a}_{b}", PREFIX + a, PREFIX + b, key, title) for a, b, key, title in RELATIONS
            ],
            extent=view(layers["segments"]),
            months=months(_counted(layers["collisions"])),
            extras=extras,
            told={table: inside(metadata.get(table, "<qgis/>")) for table in LAYERS},
        )
    )


@dataclass(frozen=True, slots=True)
class _Tree:
    """The layers of the project as the panel of QGIS lists them: titled groups, maps of segments, tiles, tables."""

    groups: list[tuple[str, list[TreeLayer]]]
    maps: list[TreeLayer]
    tiles: TreeLayer
    tables: list[TreeLayer]

    @property
    def entries(self) -> list[TreeLayer]:
        """All of them, the topmost first."""
        return [*(e for _, entries in self.groups for e in entries), *self.maps, self.tiles, *self.tables]


def _tree(styles: Sequence[Style], rate: str) -> _Tree:
    """Lay out the layers that have a style; `rate` is the style of the shrunk rate that is known."""
    by_name = {(style.layer, style.name): style for style in styles}
    default = {style.layer: style for style in styles if style.default}

    def maps_of(table: str, titled: Iterable[tuple[str, str]]) -> list[TreeLayer]:
        return [
            _tree_layer(table, style, title, other=not style.default)
            for name, title in titled
            if (style := by_name.get((table, name))) is not None
        ]

    groups = [
        (title, [_tree_layer(table, default[table]) for table in tables if table in default])
        for title, tables in GROUPS
        if set(tables) & set(default)
    ]
    groups[0][1][1:1] = maps_of("collisions", COLLISION_MAPS)
    at_junctions = [
        *maps_of("junctions", JUNCTION_MAPS),
        _tree_layer("junction_tiles", default["junction_tiles"]),
    ]
    groups.append(("Junctions", at_junctions))
    without_place = [name for name, layer in LAYERS.items() if layer.geometry is None and name in default]
    return _Tree(
        groups,
        maps_of("segments", ((TYPES, "Road types"), (rate, RATES[rate][1]), *SEGMENT_MAPS)),
        _tree_layer("tiles", default["tiles"]),
        [_tree_layer(name, default[name]) for name in without_place],
    )


def _themes(entries: Sequence[TreeLayer], rate: str, imagery: Sequence[str]) -> list[Theme]:
    """Lay out the themes of a project, as far as it has their layers."""
    plan = {
        "Types": (f"{PREFIX}segments",),
        "Rates": (map_id("segments", rate, other=True),),
        "Worst": (f"{PREFIX}stretches", map_id("junctions", junctions.WORST, other=True)),
        "On foot": (map_id("segments", FOOT, other=True), map_id("collisions", FOOT, other=True)),
        "By bicycle": (map_id("segments", BICYCLE, other=True), map_id("collisions", BICYCLE, other=True)),
        "Doubtful": (map_id("segments", MARGIN, other=True), f"{PREFIX}tiles"),
    }
    return themes(plan, {entry.id for entry in entries}, imagery)


EB_OF = {True: "ksi rate (EB)", False: "collision rate (EB)"}
"""Style of the shrunk rate, by whether KSI is known."""


def _tree_layer(table: str, style: Style, title: str | None = None, *, other: bool = False) -> TreeLayer:
    """Lay out one layer; a further map of a table has an id of its own."""
    name = map_id(table, style.name, other=other)
    return TreeLayer(name, table, title or LAYERS[table].title, table in SHOWN and not other, style)


def map_id(table: str, style: str, *, other: bool) -> str:
    """Give the id of a layer in the project; a further map of a table is named after its style."""
    more = "_" + "_".join(style.replace("(", "").replace(")", "").split()) if other else ""
    return f"{PREFIX}{table}{more}"


def view(segments: gpd.GeoDataFrame) -> tuple[float, float, float, float]:
    """Give the rectangle of the first view: all segments that have a type, and a rim (city's CRS, metres)."""
    seen = segments[segments["cluster"].notna()]
    shown = segments if seen.empty else seen
    if shown.empty:
        return (0.0, 0.0, 1.0, 1.0)
    west, south, east, north = (float(side) for side in shown.total_bounds)
    rim = max(east - west, north - south, 100.0) * _RIM
    return (west - rim, south - rim, east + rim, north + rim)


def months(dates: pd.Series) -> tuple[str, str] | None:
    """Give the first day of the first month and of the month after the last, in UTC; None without dates."""
    known = dates.dropna()
    if known.empty:
        return None
    first, last = known.min().astimezone(UTC), known.max().astimezone(UTC)
    after = (last.replace(day=1) + timedelta(days=32)).replace(day=1)
    return _day(first.replace(day=1)), _day(after)


def _counted(collisions: pd.DataFrame) -> pd.Series:
    """Give the dates of the collisions that have a place."""
    return collisions.loc[collisions["snap_status"].eq("matched"), "date"]


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT00:00:00Z")


@cache
def _environment() -> jinja2.Environment:
    return templates("geo.outputs.qgis", "templates", exact=exact)


def exact(number: float) -> str:
    """Write a coordinate to the millimetre."""
    return repr(round(number, 3)) if math.isfinite(number) else "0"
