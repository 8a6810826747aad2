"""What the interactive map of the report holds, as JSON that is safe within HTML, and small."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.config import SEVERITIES
from geo.ground.there.different import say_both
from geo.outputs.report.figures.charts import picture_address
from geo.outputs.wording import figure, interval, number, road_name, shorten, untold, untyped
from geo.safety.rates import Outcome

MOST_SEGMENTS = 20_000
"""More would make the page slow and large; those left out are the ones with the least to tell."""
MOST_COLLISIONS = 30_000
UNIT_M = 0.1
"""Coordinates are whole numbers of this, from the south-west corner of the segments."""
FINEST_M = 0.5
DETAIL = 10_000
"""A line may be simplified by the extent of the city over this, at least by `FINEST_M`."""
LEAST_VIEW_M = 100.0
"""Ground that the map shows at least when it opens."""
PLACED = (*SEVERITIES, "unknown")
UNPLACED = "unplaced"
MOST_ALIKE = "looks most like it, of its type"
EDGE = "#1B1B1B"
"""Colour of the edge of lines and points, which the pale ones among them need."""


@dataclass(frozen=True, kw_only=True)
class MapData:
    """The map's data.

    Attributes
    ----------
    json
        The data as JSON that may stand in a ``script`` element: nothing in it ends the element or is markup.
    width_m, height_m
        Extent of the segments, west to east and south to north (metres).
    n_segments, n_shown
        How many segments the city has, and how many the map shows.
    collisions
        How many collisions the map shows: by severity, those of unknown severity, and those on no road.
    n_collisions
        How many collisions have a place, on the map or not.
    tolerance_m
        How far a line on the map may lie from the true one (metres).
    """

    json: str
    width_m: float
    height_m: float
    n_segments: int
    n_shown: int
    collisions: Mapping[str, int] = field(default_factory=dict)
    n_collisions: int = 0
    tolerance_m: float = FINEST_M


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the page can show of single segments.

    Attributes
    ----------
    tiles
        ``tile_id, segment_id, position_m`` of the tiles that have a picture.
    pictures
        JPEG of each tile, by ``tile_id``.
    on_page
        Tiles whose picture stands elsewhere on the page, and is not put in again.
    look_alikes
        Pairs of segments that look alike: ``segment_id, similar_segment_id, kind, place``, and where it is known
        ``alike_than_pairs``.
    classes
        What each class of ground is called, by its key; none where ground was not mapped.
    listed
        Segments that a list on the page leads to: the map holds them.
    """

    tiles: pd.DataFrame
    pictures: Mapping[str, bytes]
    on_page: frozenset[str]
    look_alikes: pd.DataFrame | None
    classes: Mapping[str, str] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()


def map_data(
    segments: gpd.GeoDataFrame,
    collisions: gpd.GeoDataFrame | None,
    shown: Shown,
    rate_of: Outcome,
    titles: Mapping[int, str],
) -> MapData | None:
    """Lay segments, collisions, pictures and look-alikes out for the map.

    Parameters
    ----------
    segments, collisions
        The layers of the GeoPackage, in the same projected CRS in metres; no collisions: a map without them.
    shown
        Pictures and look-alikes of single segments.
    rate_of
        Which rate is told of each segment.
    titles
        What each type is called, by its number.

    Returns
    -------
    None when the segments have no extent.
    """
    west, south, east, north = segments.total_bounds if len(segments) else (0.0, 0.0, 0.0, 0.0)
    extent = max(east - west, north - south)
    if not extent > 0:
        return None
    alike = _pairs(shown.look_alikes)
    told = set(shown.tiles["segment_id"]) | set(alike["segment_id"]) | set(alike["similar_segment_id"])
    told |= shown.listed
    alike = _with_ground(
        pd.concat([alike, _most_alike(segments)], ignore_index=True), segments, shown.classes
    )
    kept = _worth_most(segments, told)
    tolerance = max(FINEST_M, extent / DETAIL)
    origin = np.array([west, south])
    points, n_placed = _points(collisions, origin, (extent, west, south, east, north))
    content = {
        "unit": UNIT_M,
        "width": round(float(east - west), 1),
        "height": round(float(north - south), 1),
        "view": _view(segments, origin),
        "edge": EDGE,
        "untyped": untyped(segments),
        "titles": {str(cluster): title for cluster, title in titles.items()},
        "rate_of": "KSI" if rate_of == "ksi" else "Collisions",
        "segments": _segment_columns(kept, rate_of) | {"line": _lines(kept, tolerance, origin)},
        "collisions": points,
        **_pictures(shown),
        **_alike(alike, kept),
    }
    return MapData(
        json=safe_json(content),
        width_m=east - west,
        height_m=north - south,
        n_segments=len(segments),
        n_shown=len(kept),
        collisions={name: len(flat) // 2 for name, flat in points.items()},
        n_collisions=n_placed,
        tolerance_m=tolerance,
    )


def _view(segments: gpd.GeoDataFrame, origin: NDArray[np.float64]) -> list[float]:
    """Give the rectangle that the map opens on, from its corner: the segments that have a type, else all."""
    typed = segments[segments["cluster"].notna()]
    shown = segments if typed.empty else typed
    west, south, east, north = shown.total_bounds - np.tile(origin, 2)
    # of a single street that runs due east, some ground on both sides
    rim = max(0.0, (LEAST_VIEW_M - max(east - west, north - south)) / 2)
    return [round(float(side), 1) for side in (west - rim, south - rim, east + rim, north + rim)]


def safe_json(value: object) -> str:
    """Write JSON in ASCII that may stand within HTML: no character of it is markup or ends a script."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


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
        "type": _whole(segments["cluster"]),
        "length": segments["length_m"].round().astype(int).tolist(),
        "tiles": _whole(segments["n_tiles"]),
        "collisions": _whole(segments["n_collisions"]),
        "ksi": _whole(segments["n_ksi"]),
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
    return _whole(segments["expected_rank"].rank(method="first"))


def _whole(values: pd.Series) -> list[int | None]:
    return [None if pd.isna(value) else int(value) for value in values]


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


def _points(
    collisions: gpd.GeoDataFrame | None, origin: NDArray[np.float64], box: tuple[float, ...]
) -> tuple[dict[str, list[int]], int]:
    """Lay out collisions by severity, those on no road apart; at most `MOST_COLLISIONS`, the gravest first."""
    if collisions is None or collisions.empty:
        return {}, 0
    extent, west, south, east, north = box
    edge = 0.02 * extent
    at = collisions[collisions.geometry.notna() & ~collisions.geometry.is_empty]
    x, y = at.geometry.x, at.geometry.y
    at = at[x.between(west - edge, east + edge) & y.between(south - edge, north + edge)]
    on_road = at["snap_status"].eq("matched").to_numpy()
    lost = at["snap_status"].isin(["ambiguous", "beyond_limit"]).to_numpy()
    severity = at["severity"].astype("object").where(at["severity"].isin(PLACED), "unknown").to_numpy()
    layers = {name: on_road & (severity == name) for name in PLACED} | {UNPLACED: lost}
    left, found = MOST_COLLISIONS, {}
    for name, of in layers.items():
        units = np.round((shapely.get_coordinates(at.geometry.to_numpy()[of]) - origin) / UNIT_M)
        # in an order of their own, so that the same records give the same page in whatever order they come
        units = units[np.lexsort(units.T)]
        step = math.ceil(len(units) / left) if left else 0
        drawn = units[:: max(1, step)].astype(np.int64) if step else units[:0].astype(np.int64)
        left -= len(drawn)
        if len(drawn):
            found[name] = drawn.ravel().tolist()
    return found, int(on_road.sum() + lost.sum())


def _pictures(shown: Shown) -> dict[str, Any]:
    """Say which tiles each segment has pictures of, and bring the pictures that are not on the page yet."""
    tiles = shown.tiles.sort_values(["segment_id", "position_m", "tile_id"])
    shots: dict[str, list[list[Any]]] = {}
    for row in tiles.to_dict("records"):
        shots.setdefault(str(row["segment_id"]), []).append([str(row["tile_id"]), round(row["position_m"])])
    own = {
        str(tile): picture_address(shown.pictures[tile])
        for tile in tiles["tile_id"]
        if tile not in shown.on_page
    }
    return {"shots": shots, "pictures": own}


def _pairs(look_alikes: pd.DataFrame | None) -> pd.DataFrame:
    """Give the pairs of look-alikes, in an order of their own."""
    columns = ["segment_id", "kind", "place", "similar_segment_id"]
    if look_alikes is None or look_alikes.empty:
        return pd.DataFrame(columns=[*columns, "how"])
    found = look_alikes[columns].assign(how=None)
    if "alike_than_pairs" in look_alikes:
        found["how"] = [how_alike_pairs(number(share)) for share in look_alikes["alike_than_pairs"]]
    return found.sort_values(columns).drop_duplicates(columns, ignore_index=True)


def how_alike_pairs(share: float) -> str | None:
    """Say how alike two segments are: beside random pairs of their class, of which so large a share is less alike."""
    if math.isnan(share):
        return None
    # rounded down, so that no pair is said to be more alike than all
    return f"more alike than {math.floor(share * 1000) / 10:.3g} % of random pairs"


def _most_alike(segments: pd.DataFrame) -> pd.DataFrame:
    """Take the pairs apart that segments name in ``looks_like``."""
    if "looks_like" not in segments or segments["looks_like"].isna().all():
        return pd.DataFrame(columns=["segment_id", "kind", "place", "similar_segment_id"])
    known = segments.loc[segments["looks_like"].notna(), ["segment_id", "looks_like"]]
    pairs = known.assign(similar_segment_id=known["looks_like"].str.split(";")).explode("similar_segment_id")
    place = pairs.groupby("segment_id").cumcount() + 1
    pairs = pairs.assign(kind=MOST_ALIKE, place=place).drop(columns="looks_like")
    return pd.DataFrame(pairs.sort_values(["segment_id", "place"]))


def _with_ground(pairs: pd.DataFrame, segments: gpd.GeoDataFrame, classes: Mapping[str, str]) -> pd.DataFrame:
    """Say beside how alike two segments are what differs on the ground beside them, as it reads from both sides."""
    if not classes or pairs.empty:
        return pairs
    names = segments.set_index("segment_id")["name"]
    ones, others = (
        [
            road_name(name, None) or str(at)
            for name, at in zip(names.loc[pairs[side]], pairs[side], strict=True)
        ]
        for side in ("segment_id", "similar_segment_id")
    )
    same = [one == other for one, other in zip(ones, others, strict=True)]
    ones = [str(at) if twice else one for one, at, twice in zip(ones, pairs["segment_id"], same, strict=True)]
    others = [
        str(at) if twice else other
        for other, at, twice in zip(others, pairs["similar_segment_id"], same, strict=True)
    ]
    said = say_both(pairs, segments, classes, ones, others)
    if said is None:
        return pairs
    how = pairs["how"] if "how" in pairs else pd.Series(None, index=pairs.index, dtype=object)
    both = [f"{one}; {more}" if isinstance(one, str) else more for one, more in zip(how, said, strict=True)]
    return pairs.assign(how=both)


def _alike(pairs: pd.DataFrame, segments: gpd.GeoDataFrame) -> dict[str, Any]:
    """Say which segments look like which, by kind: pairs of places in the columns of the segments, and how alike."""
    place = {name: i for i, name in enumerate(segments["segment_id"])}
    kinds: dict[str, list[list[Any]]] = {}
    for row in pairs.to_dict("records"):
        one, other = place.get(row["segment_id"]), place.get(row["similar_segment_id"])
        if one is not None and other is not None:
            how = row.get("how")
            told = [one, other, how] if isinstance(how, str) else [one, other]
            kinds.setdefault(shorten(str(row["kind"])), []).append(told)
    return {"alike": kinds}
