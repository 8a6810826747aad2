"""Roads from end to end: segments of one road, chained through junctions, and where collisions lie along them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from geo.roads.graph import RoadGraph
from geo.roads.lines import Floats, Integers

MAX_TURN_DEG = 120.0
"""A named road goes on through a junction when it turns by no more than this: two carriageways of one road that
meet where it ends are two."""
MAX_TURN_UNNAMED_DEG = 45.0
"""A road without name and number goes on, in its class, when it turns by no more than this."""
_CHORD_M = 20.0
"""The direction in which a segment leaves its end is that of a chord of this length (metres)."""
_ROAD = ("name", "ref", "road_class")


@dataclass(frozen=True, slots=True)
class Routes:
    """Segments in their order along routes, each segment on one route.

    Attributes
    ----------
    graph
        The road network whose segments are chained.
    table
        One row a segment, by route and along each: ``route`` (number), ``row`` (of the segment in the graph),
        ``turned`` (the route runs against the segment's line), ``from_m`` (metres from the route's start).
    route_id
        Id of each route, made from the ids of its segments.
    road
        ``name, ref, road_class`` of each route.
    length_m
        Length of each route (metres).
    """

    graph: RoadGraph
    table: pd.DataFrame
    route_id: NDArray[np.object_]
    road: pd.DataFrame
    length_m: Floats


def chain(graph: RoadGraph, segments: gpd.GeoDataFrame) -> Routes:
    """Chain segments into routes.

    Two segments of the same road (``name, ref, road_class``) follow each other where their ends meet; where more than
    two do, the two that make the straightest way, then the next, which is how a driver would tell the road (Thomson
    2006, 'The stroke concept in geographic network generalization and analysis', Progress in Spatial Data Handling,
    681-697). A route starts at the end with the smaller x, then y; a closed one at such a node too.

    Parameters
    ----------
    graph
        The road network that these segments make.
    segments
        ``segment_id, name, ref, road_class``, one row a segment.
    """
    n = len(graph.segment_id)
    told = segments.set_index("segment_id").loc[graph.segment_id, list(_ROAD)].astype(object)
    road, _ = pd.factorize(pd.MultiIndex.from_frame(told.where(told.notna(), "")), sort=True)
    named = (told["name"].notna() | told["ref"].notna()).to_numpy(dtype=bool)
    partner = _opened(graph, _pair(graph, road, named))
    paired = np.flatnonzero(partner >= 0)
    links = coo_array((np.ones(len(paired)), (paired // 2, partner[paired] // 2)), shape=(n, n))
    _, component = connected_components(links, directed=False)
    step, turned = _walk(graph, partner, component.astype(np.int64))
    # routes are numbered by the first of their segments
    first = pd.Series(np.arange(n)).groupby(component).transform("min").to_numpy(dtype=np.int64)
    _, route = np.unique(first, return_inverse=True)
    order = np.lexsort((step, route))
    table = pd.DataFrame({"route": route.reshape(-1)[order], "row": order, "turned": turned[order]})
    length = graph.length_m[order]
    table["from_m"] = pd.Series(length).groupby(table["route"]).cumsum() - length
    total = np.bincount(table["route"], weights=length).astype(np.float64)
    members = pd.Series(graph.segment_id[order]).groupby(table["route"]).agg("".join)
    ids = ["r" + hashlib.blake2b(each.encode(), digest_size=8).hexdigest() for each in members]
    begins = table["row"][~table["route"].duplicated()]
    road_of = told.iloc[begins.to_numpy(dtype=np.int64)].reset_index(drop=True)
    return Routes(graph, table, np.asarray(ids, dtype=object), road_of, total)


def _pair(graph: RoadGraph, road: Integers, named: NDArray[np.bool_]) -> Integers:
    """Pair ends of segments that follow each other: the partner of each end (2 x row, + 1 for the last point) or -1."""
    n = len(graph.segment_id)
    end = np.arange(2 * n)
    node, out = graph.node.ravel(), _outwards(graph)
    key = pd.DataFrame({"node": node, "road": np.repeat(road, 2), "end": end})
    both = key.merge(key, on=["node", "road"])
    left, right = both["end_x"].to_numpy(), both["end_y"].to_numpy()
    cosine = np.clip((out[left] * out[right]).sum(axis=1), -1, 1)
    # rounded, so that equal turns are told apart by ids and not by the last digit
    turn = np.round(180 - np.degrees(np.arccos(cosine)), 3)
    limit = np.where(named, MAX_TURN_DEG, MAX_TURN_UNNAMED_DEG)[left // 2]
    good = (left // 2 != right // 2) & (turn <= limit)
    pairs = pd.DataFrame(
        {
            "left": left,
            "right": right,
            "turn": turn,
            "lo": np.minimum(left, right),
            "hi": np.maximum(left, right),
        }
    )[good].sort_values(["turn", "lo", "hi"])
    partner = np.full(2 * n, -1, dtype=np.int64)
    while len(pairs):
        best = pairs.drop_duplicates("left")
        choice = pd.Series(best["right"].to_numpy(), best["left"].to_numpy())
        mutual = choice[choice.loc[choice.to_numpy()].to_numpy() == choice.index]
        partner[mutual.index] = mutual.to_numpy()
        pairs = pairs[(partner[pairs["left"]] < 0) & (partner[pairs["right"]] < 0)]
    return partner


def _outwards(graph: RoadGraph) -> Floats:
    """Give unit vectors from each end of each segment into it, ``(2 x segments, 2)``; zero for no direction."""
    reach = np.minimum(_CHORD_M, graph.length_m / 2)
    near = [(shapely.get_point(graph.lines, i), sign * reach) for i, sign in ((0, 1), (-1, -1))]
    chords = [
        shapely.get_coordinates(shapely.line_interpolate_point(graph.lines, along))
        - shapely.get_coordinates(tip)
        for tip, along in near
    ]
    both = np.stack(chords, axis=1).reshape(-1, 2)
    length = np.linalg.norm(both, axis=1, keepdims=True)
    unit: Floats = both / np.where(length > 0, length, 1)
    return unit


def _opened(graph: RoadGraph, partner: Integers) -> Integers:
    """Open closed routes at their node with the smallest x, then y."""
    n = len(graph.segment_id)
    paired = np.flatnonzero(partner >= 0)
    links = coo_array((np.ones(len(paired)), (paired // 2, partner[paired] // 2)), shape=(n, n))
    _, component = connected_components(links, directed=False)
    joined = np.bincount(component[paired // 2], minlength=component.max(initial=-1) + 1)
    closed = joined == 2 * np.bincount(component)
    ends = paired[closed[component[paired // 2]]]
    place = graph.xy[graph.node.ravel()[ends]]
    order = np.lexsort((ends, place[:, 1], place[:, 0], component[ends // 2]))
    _, first = np.unique(component[ends[order] // 2], return_index=True)
    cut = ends[order[first]]
    opened = partner.copy()
    opened[partner[cut]], opened[cut] = -1, -1
    return opened


def _walk(graph: RoadGraph, partner: Integers, component: Integers) -> tuple[Integers, NDArray[np.bool_]]:
    """Walk each open route from its start: the step at which each segment comes, and whether it is gone against."""
    n = len(graph.segment_id)
    loose = np.flatnonzero(partner < 0)
    place = graph.xy[graph.node.ravel()[loose]]
    # a route between two ends at one place is told by the way it leaves them
    way = np.round(_outwards(graph)[loose], 6)
    order = np.lexsort((way[:, 1], way[:, 0], place[:, 1], place[:, 0], component[loose // 2]))
    _, first = np.unique(component[loose[order] // 2], return_index=True)
    starts = loose[order[first]]
    along = np.arange(0, 2 * n, 2)
    paired = np.flatnonzero(partner >= 0)
    rows, columns = np.concatenate([along, paired]), np.concatenate([along + 1, partner[paired]])
    steps = csr_array(coo_array((np.ones(len(rows)), (rows, columns)), shape=(2 * n, 2 * n)))
    if n == 0:
        return np.empty(0, np.int64), np.empty(0, bool)
    hops = dijkstra(steps, directed=False, indices=starts, unweighted=True, min_only=True)
    both = hops.reshape(n, 2).astype(np.int64)
    return both.min(axis=1) // 2, both[:, 1] < both[:, 0]


def locate(routes: Routes, collisions: gpd.GeoDataFrame) -> pd.DataFrame:
    """Find where collisions lie along routes, each counted once.

    One on a segment is where that segment's line comes nearest to its point. One at a junction belongs to all roads
    that meet there: it is shared out equally over the junction's arms, at their ends, so that a road which runs through
    a crossing of four arms takes half of it.

    Parameters
    ----------
    routes
        Roads as chains of segments (`chain`).
    collisions
        ``segment_id, junction_id`` (one of them set) and Points, in the CRS of the network; others are left out.

    Returns
    -------
    One row a collision and arm: ``collision`` (position in `collisions`), ``row`` (of the segment in the graph),
    ``on_segment_m`` (from the line's first point), ``route``, ``at_m`` (from the route's start), ``share``. The shares
    of a collision add up to 1; one whose segment or junction is not of this network is in no row.
    """
    graph = routes.graph
    row = np.where(collisions["segment_id"].notna(), graph.rows(collisions["segment_id"]), -1)
    on = np.flatnonzero(row >= 0)
    where = shapely.line_locate_point(graph.lines[row[on]], collisions.geometry.to_numpy()[on])
    between = pd.DataFrame({"collision": on, "row": row[on], "on_segment_m": where, "share": 1.0})
    ends = pd.DataFrame(
        {
            "junction_id": graph.junction_id[graph.node.ravel()],
            "row": np.repeat(np.arange(len(graph.segment_id)), 2),
            "on_segment_m": np.column_stack([np.zeros(len(graph.length_m)), graph.length_m]).ravel(),
        }
    ).dropna(subset="junction_id")
    ends["share"] = 1 / ends.groupby("junction_id")["row"].transform("size")
    at = np.flatnonzero(collisions["segment_id"].isna() & collisions["junction_id"].notna())
    junction = collisions["junction_id"].to_numpy(dtype=object)[at]
    shared = pd.DataFrame({"collision": at, "junction_id": junction}).merge(ends, on="junction_id")
    found = pd.concat([between, shared.drop(columns="junction_id")], ignore_index=True)
    found = found.merge(routes.table, on="row", how="left")
    against = graph.length_m[found["row"].to_numpy(dtype=np.int64)] - found["on_segment_m"]
    ahead = found["on_segment_m"].where(~found["turned"].astype(bool), against)
    found["at_m"] = found["from_m"] + ahead
    found = found.astype({"collision": np.int64, "row": np.int64, "route": np.int64})
    columns = ["collision", "row", "on_segment_m", "route", "at_m", "share"]
    return found[columns].sort_values(["collision", "row", "on_segment_m"], ignore_index=True)
