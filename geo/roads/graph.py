"""The network as a graph: which ends of segments meet, and how far it is between segments along the roads."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.roads.lines import GRID_M, Floats, Integers, Lines, ends

RING_REACH = 2.0
"""An arm of a roundabout ends within this many radii of its centre: a ring need not be a circle."""
BLOCK_M = 1000.0
"""Distances are sought block by block, squares of this side (metres), so that no search looks at the whole city.
Results do not depend on it."""
_SOURCES = 512
"""Searches made at once within a block, to bound memory."""
_KEYS = ("segment_id", "length_m", "geometry")


@dataclass(frozen=True, slots=True)
class RoadGraph:
    """Segments and the nodes at which their ends meet; a roundabout is one node, and going round it costs nothing.

    Attributes
    ----------
    segment_id
        Sorted: nothing depends on the order in which segments were given.
    lines
        Their geometries, in a projected CRS in metres.
    length_m
        Of each.
    node
        Array ``(segments, 2)``: the node at the first and at the last point of each line.
    xy
        Array ``(nodes, 2)``: where the nodes are.
    junction_id
        Of each node; None where no junction is, as at dead ends and where a long segment was cut.
    """

    segment_id: NDArray[np.object_]
    lines: Lines
    length_m: Floats
    node: Integers
    xy: Floats
    junction_id: NDArray[np.object_]

    @property
    def degree(self) -> Integers:
        """How many ends of segments each node has; a loop counts twice."""
        return np.bincount(self.node.ravel(), minlength=len(self.xy))

    def rows(self, segment_id: pd.Series) -> Integers:
        """Find the rows of segments; -1 where an id is not among them."""
        found: Integers = pd.Index(self.segment_id).get_indexer(pd.Index(segment_id.to_numpy(dtype=object)))
        return found.astype(np.int64)


def build_graph(segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame) -> RoadGraph:
    """Find which ends of segments meet.

    Ends meet where their coordinates are the same to `geo.roads.lines.GRID_M`, as noded segments' are. The arms of a
    roundabout, whose ring is no segment, end on that ring: they are the ends nearest to it, as many as the junction has
    arms, within `RING_REACH` radii of its centre, that are at no other junction.

    Parameters
    ----------
    segments
        ``segment_id, length_m`` and LineStrings in a projected CRS in metres.
    junctions
        ``junction_id, arms, form, radius_m`` and Points (see docs/stages.md); may be empty.
    """
    table = segments[list(_KEYS)].sort_values("segment_id", ignore_index=True)
    lines: Lines = table.geometry.to_numpy()
    tips = np.concatenate(ends(lines)) if len(lines) else np.empty((0, 2))
    spots, number = np.unique(_on_grid(tips), axis=0, return_inverse=True)
    junctions = junctions.sort_values("junction_id", ignore_index=True)
    name = _crossings(spots, junctions)
    shown: Floats = (spots * GRID_M).astype(np.float64)
    ring = _arms_of_roundabouts(shown, np.bincount(number.reshape(-1)), name, junctions)
    name[ring >= 0] = junctions["junction_id"].to_numpy(dtype=object)[ring[ring >= 0]]
    # the ends on one ring are one node, named by the first of them
    first = pd.Series(np.arange(len(spots))).groupby(np.where(ring >= 0, ring, -2 - np.arange(len(spots))))
    _, place = np.unique(first.transform("min").to_numpy(dtype=np.int64), return_inverse=True)
    place = place.reshape(-1).astype(np.int64)
    centres = shapely.get_coordinates(junctions.geometry.to_numpy())
    shown[ring >= 0] = centres[ring[ring >= 0]]
    _, representative = np.unique(place, return_index=True)
    node = place[number.reshape(-1)].reshape(2, len(lines)).T
    return RoadGraph(
        table["segment_id"].to_numpy(dtype=object),
        lines,
        table["length_m"].to_numpy(dtype=np.float64),
        node,
        shown[representative],
        name[representative],
    )


def _on_grid(xy: Floats) -> Integers:
    rounded: Integers = np.round(xy / GRID_M).astype(np.int64)
    return rounded


def _index(spots: Integers) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([spots[:, 0], spots[:, 1]])


def _crossings(spots: Integers, junctions: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Name the spots that are crossings, by their place."""
    crossings = junctions[junctions["form"] == "crossing"]
    at = _index(_on_grid(shapely.get_coordinates(crossings.geometry.to_numpy())))
    row = at.get_indexer(_index(spots)) if len(at) else np.full(len(spots), -1)
    name = np.full(len(spots), None, dtype=object)
    name[row >= 0] = crossings["junction_id"].to_numpy(dtype=object)[row[row >= 0]]
    return name


def _arms_of_roundabouts(
    xy: Floats, ends_at: Integers, taken: NDArray[np.object_], junctions: gpd.GeoDataFrame
) -> Integers:
    """Find the roundabout on whose ring each spot lies: its row among the junctions, or -1."""
    is_ring = (junctions["form"] == "roundabout").to_numpy(dtype=bool)
    rings = np.flatnonzero(is_ring)
    free = np.flatnonzero([each is None for each in taken])
    found = np.full(len(xy), -1, dtype=np.int64)
    if len(rings) == 0 or len(free) == 0:
        return found
    radius = junctions["radius_m"].to_numpy(dtype=np.float64)[rings]
    centres = junctions.geometry.to_numpy()[rings]
    tree = shapely.STRtree(np.asarray(shapely.points(xy[free])))
    ring, spot = tree.query(centres, predicate="dwithin", distance=RING_REACH * radius + GRID_M)
    centre = shapely.get_coordinates(centres)[ring]
    off = np.abs(np.hypot(*(xy[free][spot] - centre).T) - radius[ring])
    near = pd.DataFrame({"ring": ring, "spot": free[spot], "off": off}).sort_values(["off", "ring", "spot"])
    # an end between two rings belongs to the one on which it lies
    near = near.drop_duplicates("spot")
    near["before"] = (
        near.assign(n=ends_at[near["spot"]]).groupby("ring")["n"].cumsum() - ends_at[near["spot"]]
    )
    arms = junctions["arms"].to_numpy(dtype=np.int64)[rings]
    near = near[near["before"] < arms[near["ring"]]]
    found[near["spot"]] = rings[near["ring"]]
    return found


def distances_between(graph: RoadGraph, limit_m: float) -> tuple[Integers, Integers, Floats]:
    """Measure how far it is along the network from the middle of each segment to the middle of others.

    By limited shortest paths (Dijkstra 1959, Numerische Mathematik 1:269-271; `scipy.sparse.csgraph.dijkstra`).

    Parameters
    ----------
    graph
        Of the network.
    limit_m
        Longer distances are left out (metres along the network).

    Returns
    -------
    Row of one segment, row of another, metres between their middles: every pair twice, once from each side, sorted;
    no segment with itself.
    """
    n = len(graph.segment_id)
    middles = shapely.get_coordinates(shapely.line_interpolate_point(graph.lines, 0.5, normalized=True))
    nodes = len(graph.xy)
    half = np.repeat(graph.length_m / 2, 2)
    # two halves of a loop lead to one node: the shorter of equals is kept, not their sum
    links = pd.DataFrame({"from": nodes + np.repeat(np.arange(n), 2), "to": graph.node.ravel(), "m": half})
    links = links.drop_duplicates(["from", "to"])
    sides = (links["from"].to_numpy(), links["to"].to_numpy())
    whole = csr_array((links["m"].to_numpy(), sides), shape=(nodes + n, nodes + n))
    places = np.concatenate([graph.xy, middles])
    tree = shapely.STRtree(np.asarray(shapely.points(places)))
    blocks = pd.Series(np.arange(n)).groupby(list(np.floor(middles / BLOCK_M).astype(np.int64).T)).indices
    found = [_within_block(whole, tree, places, np.asarray(rows), nodes, limit_m) for rows in blocks.values()]
    source, target, metres = (
        (np.concatenate(part) for part in zip(*found, strict=True))
        if found
        else (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    )
    order = np.lexsort((target, source))
    return source[order], target[order], metres[order]


def _within_block(
    whole: csr_array, tree: shapely.STRtree, places: Floats, rows: Integers, nodes: int, limit_m: float
) -> tuple[Integers, Integers, Floats]:
    """Search from the segments of one block, among all that is near enough to be reached."""
    low, high = places[nodes + rows].min(axis=0), places[nodes + rows].max(axis=0)
    # a path of this length cannot leave the box; a ring's centre may lie a little off its arms' ends
    margin = limit_m + BLOCK_M / 10
    inside = np.sort(tree.query(shapely.box(*(low - margin), *(high + margin))))
    part = whole[inside][:, inside]
    at = np.searchsorted(inside, nodes + rows)
    found = []
    for start in range(0, len(at), _SOURCES):
        far = dijkstra(part, directed=False, indices=at[start : start + _SOURCES], limit=limit_m)
        source, target = np.nonzero(np.isfinite(far))
        metres = far[source, target]
        source, target = rows[start + source], inside[target] - nodes
        other = (target >= 0) & (target != source)
        found.append((source[other], target[other], metres[other]))
    return tuple(np.concatenate(each) for each in zip(*found, strict=True))  # type: ignore[return-value]
