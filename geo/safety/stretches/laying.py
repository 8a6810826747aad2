"""Roads cut into stretches of whole segments, each with the streets that it lies between."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.roads.lines import Integers, stretches
from geo.roads.routes import Routes
from geo.safety.along.windows import route_lines

THE_END = "end of the road"
"""What stands in place of a street where nothing goes on."""
_MOST_NAMED = 2
"""So many streets that meet at one place are named."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """Roads cut into parts that do not overlap: every segment is of one, and each is of whole segments.

    Attributes
    ----------
    table
        One row a stretch, by route and along it: ``stretch_id``, ``part`` of ``parts`` of its road, ``name``, ``ref``,
        ``road_class``, ``from_street``, ``to_street`` (null: no other road meets it there), ``length_m``,
        ``n_segments``; LineString.
    of_segment
        ``stretch_id`` by ``segment_id``.
    nodes
        ``stretch_id`` and ``junction_id`` of each junction that one touches, in it or at its ends.
    """

    table: gpd.GeoDataFrame
    of_segment: pd.Series
    nodes: pd.DataFrame


def lay_stretches(routes: Routes, stretch_m: float, crs: object = None) -> Stretches:
    """Cut each road into as many stretches as come nearest to a length.

    A road of length L becomes ``round(L / stretch_m)`` stretches, one at least; a segment is of that in which its
    middle lies. Stretches end where segments do, at junctions mostly, so that counts of segments add up to theirs.

    Parameters
    ----------
    routes
        Roads as chains of segments (`geo.roads.routes.chain`), in metres.
    stretch_m
        About how long a stretch is to be (metres).
    crs
        CRS of the lines.
    """
    graph, along = routes.graph, routes.table
    row, route = along["row"].to_numpy(dtype=np.int64), along["route"].to_numpy(dtype=np.int64)
    length = graph.length_m[row]
    begin = along["from_m"].to_numpy(dtype=np.float64)
    parts = np.maximum(1, np.round(routes.length_m / stretch_m)).astype(np.int64)[route]
    share = (begin + length / 2) / np.where(routes.length_m > 0, routes.length_m, 1)[route]
    part = np.minimum(np.floor(share * parts).astype(np.int64), parts - 1)
    new = np.append(True, (np.diff(route) != 0) | (np.diff(part) != 0)) if len(row) else np.empty(0, bool)
    number = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(row))[: len(first)] - 1
    turned = along["turned"].to_numpy(dtype=bool)
    starts = np.where(turned, graph.node[row, 1], graph.node[row, 0])
    ends = np.where(turned, graph.node[row, 0], graph.node[row, 1])
    of_route = route[first]
    ids = pd.Series(routes.route_id[of_route], dtype=object)
    parts_of = ids.groupby(ids)
    table = pd.DataFrame({"part": parts_of.cumcount() + 1, "parts": parts_of.transform("size")})
    stretch_id = ids + "-" + table["part"].astype(str)
    table.insert(0, "stretch_id", stretch_id)
    for name in ("name", "ref", "road_class"):
        table[name] = routes.road[name].to_numpy(dtype=object)[of_route]
    streets = _streets(routes)
    table["from_street"] = _met(streets, starts[first], of_route)
    table["to_street"] = _met(streets, ends[last], of_route)
    table["length_m"] = np.bincount(number, weights=length, minlength=len(first))
    table["n_segments"] = np.bincount(number, minlength=len(first))
    lines = stretches(route_lines(routes), of_route, begin[first], begin[last] + length[last])
    names = stretch_id.to_numpy(dtype=object)[number]
    of_segment = pd.Series(names, index=pd.Index(graph.segment_id[row], name="segment_id"), name="stretch_id")
    touched = pd.DataFrame(
        {
            "stretch_id": np.concatenate([names, names]),
            "junction_id": graph.junction_id[np.concatenate([starts, ends])],
        }
    )
    touched = touched[touched["junction_id"].notna()].drop_duplicates(ignore_index=True)
    return Stretches(
        gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(lines, crs=crs)), of_segment.sort_index(), touched
    )


def _streets(routes: Routes) -> pd.DataFrame:
    """List what meets at each node: ``node, degree, route``, ``street`` (name, number or class) and ``named``."""
    graph, road = routes.graph, routes.road.astype(object)
    of_row = np.empty(len(graph.segment_id), dtype=np.int64)
    of_row[routes.table["row"].to_numpy(dtype=np.int64)] = routes.table["route"].to_numpy(dtype=np.int64)
    called = road["name"].where(road["name"].notna(), road["ref"])
    by_class = "unnamed " + road["road_class"].where(road["road_class"].notna(), "road").astype(str)
    node, route = graph.node.ravel(), np.repeat(of_row, 2)
    street = called.where(called.notna(), by_class).to_numpy(dtype=object)[route]
    named = called.notna().to_numpy(dtype=bool)[route]
    return pd.DataFrame(
        {"node": node, "degree": graph.degree[node], "street": street, "named": named, "route": route}
    )


def _met(streets: pd.DataFrame, nodes: Integers, routes: Integers) -> NDArray[np.object_]:
    """Name the streets that roads meet at nodes, those with names first; another road of the same name is none."""
    own = streets.drop_duplicates("route").set_index("route")["street"].reindex(routes)
    asked = pd.DataFrame({"node": nodes, "own": own.to_numpy(dtype=object), "mine": routes})
    asked["number"] = np.arange(len(nodes))
    both = asked.merge(streets, on="node", sort=False)
    ends = both.groupby("number")["degree"].max() == 1
    other = both[(both["route"] != both["mine"]) & ((both["street"] != both["own"]) | ~both["named"])]
    other = other[other["named"] | ~other.groupby("number")["named"].transform("any")]
    other = other.drop_duplicates(["number", "street"]).sort_values(["number", "street"], kind="stable")
    other = other[other.groupby("number").cumcount() < _MOST_NAMED]
    found = pd.Series(None, index=asked["number"], dtype=object)
    found[ends[ends].index] = THE_END
    met = other.groupby("number")["street"].agg(" / ".join)
    found[met.index] = met.astype(object)
    return found.to_numpy(dtype=object)
