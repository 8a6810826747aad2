"""Which layers of a file hold roads."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import pyogrio

from geo.addresses import reveal
from geo.config import Roads
from geo.errors import LayerError, meant
from geo.roads.files import layer_kinds, leaving_nothing
from geo.roads.reading.paths import is_openstreetmap, is_parquet

LINES = ("linestring", "multicurve", "compoundcurve", "circularstring", "linearring")
POLYGONS = ("polygon", "surface")
"""What stands in the names of kinds of geometry."""
_ANY = ("unknown", "geometry", "collection")
_SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a file: its name, the kind of its geometries (None: a table), and how many rows (-1: not told)."""

    name: str
    kind: str | None
    rows: int


def choose_layers(source: str, roads: Roads) -> tuple[list[str | None], list[Layer]]:
    """Choose the layers of a file that roads are read from: those named, else the only one with lines.

    Returns
    -------
    The names of those to read; None stands for the only one of a file that has no names for it. And those that are
    left, where there are several.

    Raises
    ------
    LayerError
        When a layer that is named is not there, or several have lines and none is named.
    """
    if is_parquet(source):
        return [None], []
    layers = [Layer(name, kind, -1) for name, kind in layer_kinds(reveal(source))]
    named = [roads.layer] if isinstance(roads.layer, str) else roads.layer
    if named is not None:
        return _named(source, layers, named, several=len(roads.sources) > 1)
    if is_openstreetmap(source):
        return ["lines"], []
    if len(layers) < 2:
        return [layers[0].name if layers else None], []
    counted, found = layers_with(source, LINES)
    if len(found) > 1:
        raise LayerError(
            f"it has {len(found)} layers of lines: {listed(found)}",
            where=source,
            todo="Name the one that holds the roads in roads.layer, or several of them as a list.",
        )
    chosen = found[0] if found else counted[0]
    return [chosen.name], [layer for layer in counted if layer is not chosen]


def layers_with(source: str, kind: tuple[str, ...]) -> tuple[list[Layer], list[Layer]]:
    """List the layers of a file, and those among them that have rows with geometries of a kind, `LINES` for example."""
    layers = [_counted(source, Layer(name, of, -1)) for name, of in layer_kinds(reveal(source))]
    return layers, [layer for layer in layers if layer.rows and _holds(source, layer, kind)]


def listed(layers: list[Layer]) -> str:
    """Name layers in a sentence."""
    return ", ".join(f"{layer.name!r} ({_rows(layer)})" for layer in layers)


def _named(
    source: str, layers: list[Layer], named: list[str], *, several: bool
) -> tuple[list[str | None], list[Layer]]:
    """Find the layers that the city's file names; of several files each must have one of them."""
    there = [layer.name for layer in layers]
    missing = [name for name in named if name not in there]
    if missing and not (several and len(missing) < len(named)):
        raise LayerError(
            f"it has no layer {missing[0]!r}; there are {', '.join(there)}{meant(missing[0], there)}",
            where=source,
            todo="Mend roads.layer.",
        )
    chosen = list(dict.fromkeys(name for name in named if name in there))
    return [*chosen], []


def _counted(source: str, layer: Layer) -> Layer:
    if layer.kind is None:
        return layer
    info = pyogrio.read_info(reveal(source), layer=layer.name, **leaving_nothing(source))
    return Layer(layer.name, layer.kind, int(info["features"]))


def _holds(source: str, layer: Layer, kind: tuple[str, ...]) -> bool:
    """Tell whether a layer holds geometries of a kind; where it may hold anything, from its first rows."""
    stated = (layer.kind or "").casefold().replace(" ", "")
    if not any(mark in stated for mark in _ANY):
        return any(mark in stated for mark in kind)
    some = pyogrio.read_dataframe(
        reveal(source), layer=layer.name, columns=[], max_features=_SAMPLE, **leaving_nothing(source)
    )
    if not isinstance(some, gpd.GeoDataFrame):
        return False
    found = some.geom_type.dropna().str.casefold().unique()
    return any(mark in each for mark in kind for each in found)


def _rows(layer: Layer) -> str:
    return "rows not counted" if layer.rows < 0 else f"{layer.rows:,} rows"
