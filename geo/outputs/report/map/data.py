"""What the interactive map of the report holds, laid out column by column, and packed."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.outputs.backdrop import Backdrop
from geo.outputs.harm import NOBODY, UNHURT
from geo.outputs.palette import Look
from geo.outputs.report.map.alike import Shown, alike_of, pairs_of, pictures_of
from geo.outputs.report.map.colours import NETWORK, Paint, paints
from geo.outputs.report.map.packing import pack, safe_json
from geo.outputs.report.map.points import PLACED, UNPLACED, USERS, WHY, Points, points, whole
from geo.outputs.wording import figure, interval, number, road_name, shorten, untold, untyped
from geo.safety.rates import Outcome

MOST_SEGMENTS = 25_000
"""More would make the page slow and large; those left out are the ones with the least to tell."""
UNIT_M = 0.1
"""Coordinates are whole numbers of this, from the south-west corner of the segments."""
FINEST_M = 0.5
DETAIL = 10_000
"""A line may be simplified by the extent of the city over this, at least by `FINEST_M`."""
LEAST_VIEW_M = 100.0
"""Ground that the map shows at least when it opens."""
EDGE = "#1B1B1B"
"""Colour of the edge of lines and points, which the pale ones among them need."""


@dataclass(frozen=True, kw_only=True)
class MapData:
    """The map's data.

    Attributes
    ----------
    packed
        The data (`content`), see `geo.outputs.report.map.packing.pack`.
    content
        The same as plain values.
    pictures, imagery
        As JSON that may stand in a ``script`` element: pictures of tiles by their id, as data addresses; and those of
        the ground beneath, with their edges in metres from the south-western corner.
    n_segments, n_shown
        How many segments the city has, and how many the map shows.
    paints
        What it can be coloured by; with the first one it opens.
    points
        Its collisions.
    n_imagery
        How many pictures of the ground lie beneath it.
    tolerance_m
        How far a line on the map may lie from the true one (metres).
    """

    packed: str
    content: Mapping[str, Any] = field(repr=False)
    pictures: str
    imagery: str
    n_segments: int
    n_shown: int
    paints: Sequence[Paint]
    points: Points
    n_imagery: int
    tolerance_m: float


@dataclass(frozen=True, kw_only=True)
class Layers:
    """What the map is made of.

    Attributes
    ----------
    segments, collisions, windows
        The layers of the GeoPackage, in the same projected CRS in metres; None: a map without them.
    shown
        Pictures and look-alikes of single segments.
    rate_of
        Which rate is told of each segment.
    looks, titles, notes
        Colour and pattern of each type, what it is called, and more in small print, by its number.
    backdrop
        Pictures of the ground.
    severities
        What the severities of the records mean (`geo.outputs.wording.severity_words`).
    """

    segments: gpd.GeoDataFrame
    collisions: gpd.GeoDataFrame | None
    shown: Shown
    rate_of: Outcome
    looks: Mapping[int, Look]
    titles: Mapping[int, str]
    notes: Mapping[int, str] = field(default_factory=dict)
    windows: gpd.GeoDataFrame | None = None
    backdrop: Sequence[Backdrop] = ()
    severities: Mapping[str, str] = field(default_factory=dict)


def map_data(layers: Layers) -> MapData | None:
    """Lay segments, collisions, pictures and look-alikes out for the map; None when the segments have no extent."""
    segments, shown = layers.segments, layers.shown
    west, south, east, north = map(float, segments.total_bounds) if len(segments) else (0.0, 0.0, 0.0, 0.0)
    extent = max(east - west, north - south)
    if not extent > 0:
        return None
    pairs = pairs_of(shown, segments)
    shots, pictures = pictures_of(shown)
    kept = _worth_most(segments, shown.told)
    tolerance = max(FINEST_M, extent / DETAIL)
    origin = np.array([west, south])
    place = {str(name): i for i, name in enumerate(kept["segment_id"])}
    at = points(layers.collisions, (west, south, east, north), place, UNIT_M)
    coloured = paints(segments, layers.windows, layers.rate_of, layers.looks, layers.titles, layers.notes)
    network = _network(layers.windows) if any(one.key == NETWORK for one in coloured) else None
    content = {
        "unit": UNIT_M,
        "width": round(east - west, 1),
        "height": round(north - south, 1),
        "view": _view(segments, origin),
        "edge": EDGE,
        "untyped": untyped(segments),
        "titles": {str(cluster): title for cluster, title in layers.titles.items()},
        "rate_of": "KSI" if layers.rate_of == "ksi" else "Collisions",
        "of": len(segments),
        "segments": _segment_columns(kept, layers.rate_of) | {"line": _lines(kept, tolerance, origin)},
        "paints": [_painted(one, kept) for one in coloured],
        "network": [] if network is None else _lines(network, tolerance, origin),
        "collisions": at.columns,
        "layers": [*PLACED, UNPLACED],
        "why": ["", *WHY.values()],
        "users": list(USERS.values()),
        "severities": [{**layers.severities, UNHURT: NOBODY}.get(name, "not known") for name in PLACED],
        "shots": shots,
        **alike_of(pairs, place),
    }
    return MapData(
        packed=pack(safe_json(content)),
        content=content,
        pictures=safe_json(pictures),
        imagery=safe_json([_laid(one, origin) for one in layers.backdrop]),
        n_segments=len(segments),
        n_shown=len(kept),
        paints=coloured,
        points=at,
        n_imagery=len(layers.backdrop),
        tolerance_m=tolerance,
    )


def _painted(paint: Paint, kept: gpd.GeoDataFrame) -> dict[str, Any]:
    """Lay out one way to colour the map."""
    return {
        "key": paint.key,
        "title": paint.title,
        "classes": [[one.label, one.colour, list(one.dash), one.weight, one.quiet] for one in paint.classes],
        "of": paint.of.loc[kept.index].tolist(),
    }


def _network(windows: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    """Take the windows of the high-injury network, in an order of their own."""
    if windows is None:
        return None
    inside = windows["in_high_injury_network"].fillna(value=False).astype(bool)
    return windows[inside].sort_values("window_id")


def _laid(one: Backdrop, origin: NDArray[np.float64]) -> list[Any]:
    """Write a picture of the ground as west, south, width, height (metres from the corner) and its data address."""
    west, south, east, north = one.bounds
    sides = (west - origin[0], south - origin[1], east - west, north - south)
    address = "data:image/webp;base64," + base64.b64encode(one.webp).decode("ascii")
    return [*(round(float(side), 2) for side in sides), address]


def _view(segments: gpd.GeoDataFrame, origin: NDArray[np.float64]) -> list[float]:
    """Give the rectangle that the map opens on, from its corner: the segments that have a type, else all."""
    typed = segments[segments["cluster"].notna()]
    shown = segments if typed.empty else typed
    west, south, east, north = shown.total_bounds - np.tile(origin, 2)
    # of a single street that runs due east, some ground on both sides
    rim = max(0.0, (LEAST_VIEW_M - max(east - west, north - south)) / 2)
    return [round(float(side), 1) for side in (west - rim, south - rim, east + rim, north + rim)]


def _worth_most(segments: gpd.GeoDataFrame, told: set[str]) -> gpd.GeoDataFrame:
    """Keep the segments with most to tell: pictures and look-alikes, a type, collisions, length."""
    if len(segments) > MOST_SEGMENTS:
        worth = pd.DataFrame(
            {
                "told": segments["segment_id"].isin(list(told)),
                "typed": segments["cluster"].notna(),
                "collisions": segments["n_collisions"].fillna(0).astype(float),
                "length": segments["length_m"],
                "id": segments["segment_id"],
            }
        )
        order = worth.sort_values(list(worth.columns), ascending=[False, False, False, False, True])
        segments = segments.loc[order.index[:MOST_SEGMENTS]]
    return segments.sort_values("segment_id")


def _segment_columns(segments: gpd.GeoDataFrame, rate_of: Outcome) -> dict[str, list[Any]]:
    """Lay out what is told of each segment: numbers to sort by, and figures in words; null is not known."""
    rate = f"{rate_of}_per_km_year"
    names = [rate + end for end in ("", "_low", "_high", "_eb", "_eb_low", "_eb_high")]
    value = {
        name: segments[name].map(number) if name in segments else pd.Series(np.nan, index=segments.index)
        for name in names
    }
    return {
        "id": segments["segment_id"].astype(str).tolist(),
        "name": [road_name(name, None) for name in segments["name"]],
        "class": [None if pd.isna(text) else shorten(str(text)) for text in segments["road_class"]],
        "type": whole(segments["cluster"]),
        "length": segments["length_m"].round().astype(int).tolist(),
        "tiles": whole(segments["n_tiles"]),
        "collisions": whole(segments["n_collisions"]),
        "ksi": whole(segments["n_ksi"]),
        "untold": [
            untold(number(unknown), number(total)) or None
            for unknown, total in zip(
                segments.get("n_severity_unknown", segments["n_ksi"] * 0),
                segments["n_collisions"],
                strict=True,
            )
        ],
        "rate": [None if math.isnan(one) else figure(one) for one in value[rate]],
        "limits": _limits(value, rate),
        "shrunk": [None if math.isnan(one) else figure(one) for one in value[f"{rate}_eb"]],
        "shrunkLimits": _limits(value, f"{rate}_eb"),
        "rank": _ranks(segments),
    }


def _limits(value: Mapping[str, pd.Series], rate: str) -> list[str | None]:
    """Write the intervals of a rate."""
    return [
        None if math.isnan(low) or math.isnan(high) else interval(low, high)
        for low, high in zip(value[f"{rate}_low"], value[f"{rate}_high"], strict=True)
    ]


def _ranks(segments: pd.DataFrame) -> list[int | None]:
    """Give each segment its place by expected rank, 1 for the worst; None where it has no rank."""
    if "expected_rank" not in segments:
        return [None] * len(segments)
    return whole(segments["expected_rank"].rank(method="first"))


def _lines(segments: gpd.GeoDataFrame, tolerance: float, origin: NDArray[np.float64]) -> list[list[int]]:
    """Write each line as x and y of its first point and then the steps, in units."""
    simple = shapely.simplify(segments.geometry.to_numpy(), tolerance)
    points, line = shapely.get_coordinates(simple, return_index=True)
    units = np.round((points - origin) / UNIT_M).astype(np.int64)
    steps = np.diff(units, axis=0, prepend=0)
    first = np.diff(line, prepend=-1) != 0
    steps[first] = units[first]
    parts = np.split(steps, np.flatnonzero(first)[1:])
    return [part.ravel().tolist() for part in parts]
