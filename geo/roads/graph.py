"""The road network as a graph: which ends of segments meet, and how far it is between segments along the roads."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.roads.lines import Floats, Integers, Lines, ends

BLOCK_M = 1000.0
"""Distances are sought block by block, squares of this side (metres), so that no search looks at the whole city.
Results do not depend on it."""
_SOURCES = 512
"""Searches made at once within a block, to bound memory."""
_ENDS = ("u", "v")
_KEYS = ("segment_id", *_ENDS, "length_m", "geometry")


@dataclass(frozen=True, slots=True)
class RoadGraph:
    """Segments and the nodes at which their ends meet; a roundabout is one node, and going round it costs nothing.

    Attributes
    ----------
    segment_id
        ``segment_id`` of the segments, sorted: nothing depends on the order in which they were given.
    lines
        Line of each segment, in a projected CRS in metres.
    length_m
        Length of each segment (metres).
    node
        Node at the first and at the last point of each line, ``(segments, 2)``.
    xy
        Where the nodes are, ``(nodes, 2)`` (metres).
    junction_id
        ``junction_id`` of each node; None where no junction is, as at dead ends and where a long segment was cut.
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
    """Build the graph that the layers of segments and junctions hold.

    Parameters
    ----------
    segments
        ``segment_id, u, v, length_m`` and LineStrings in a projected CRS in metres. Ends meet where their nodes are
        the same: ``u`` at a line's first point, ``v`` at its last; an end without one is a dead end.
    junctions
        ``junction_id`` and Points (see docs/stages.md); may be empty.
    """
    table = segments[list(_KEYS)].sort_values("segment_id", ignore_index=True)
    lines: Lines = table.geometry.to_numpy()
    node, name = pd.factorize(name_ends(table).ravel())
    _, first = np.unique(node, return_index=True)
    xy = np.stack(ends(lines), axis=1).reshape(-1, 2)[first]
    junction = pd.Index(junctions["junction_id"], dtype=object).get_indexer(pd.Index(name, dtype=object))
    at = junction >= 0
    junction_id = np.full(len(name), None, dtype=object)
    junction_id[at] = name[at]
    xy[at] = shapely.get_coordinates(junctions.geometry.to_numpy())[junction[at]]
    return RoadGraph(
        table["segment_id"].to_numpy(dtype=object),
        lines,
        table["length_m"].to_numpy(dtype=np.float64),
        node.reshape(-1, 2).astype(np.int64),
        xy,
        junction_id,
    )


def name_ends(segments: pd.DataFrame) -> NDArray[np.object_]:
    """Name the node at every end of segments, dead ends too.

    Parameters
    ----------
    segments
        ``segment_id, u, v``, the latter null at a dead end.

    Returns
    -------
    Array ``(segments, 2)``: the names of the nodes at the first and the last point of each; a dead end, which meets
    nothing, is named by its segment (``<segment_id>-u``, ``<segment_id>-v``).
    """
    own = [segments[end].where(segments[end].notna(), segments["segment_id"] + f"-{end}") for end in _ENDS]
    return np.column_stack([each.to_numpy(dtype=object) for each in own])


def to_osmnx(
    segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Lay out segments and junctions as `osmnx.graph_from_gdfs` takes them.

    osmnx wants a row for every node, with its place: also for dead ends and for nodes that are no junction, which the
    layer of junctions does not have. Every edge leads from ``u`` to ``v``, whichever ways traffic may go.

    Parameters
    ----------
    segments
        ``segment_id, u, v, length_m`` and LineStrings, as in the layer of the GeoPackage; all other columns are kept.
    junctions
        ``junction_id`` and Points in the same CRS; all columns are kept, null for nodes that are no junction.

    Returns
    -------
    Nodes, by ``osmid``: ``x, y`` (the CRS of the segments), ``street_count`` (ends that meet there; a loop counts
    twice), and Points. Edges, by ``u, v, key``: ``osmid`` (the segment's id), ``length`` (metres), and LineStrings;
    ``key`` tells apart segments between the same two nodes, whichever of them comes first.

    Examples
    --------
    A street that ends at a junction, and one that leads from there back to it:

    >>> street = shapely.LineString([(0, 0), (100, 0)])
    >>> ring = shapely.LineString([(100, 0), (150, 30), (150, -30), (100, 0)])
    >>> segments = gpd.GeoDataFrame(
    ...     {"segment_id": ["street", "ring"], "u": [None, "j1"], "v": ["j1", "j1"], "length_m": [100.0, 176.6]},
    ...     geometry=[street, ring],
    ...     crs="EPSG:27700",
    ... )
    >>> junctions = gpd.GeoDataFrame(
    ...     {"junction_id": ["j1"], "arms": [3]}, geometry=[shapely.Point(100, 0)], crs="EPSG:27700"
    ... )
    >>> nodes, edges = to_osmnx(segments, junctions)
    >>> nodes["street_count"].to_dict()
    {'j1': 3, 'street-u': 1}
    >>> edges["length"].to_dict()
    {('street-u', 'j1', 0): 100.0, ('j1', 'j1', 0): 176.6}

    ``osmnx.graph_from_gdfs(nodes, edges)`` makes their graph.
    """
    name = name_ends(segments)
    tips = np.stack(ends(segments.geometry.to_numpy()), axis=1).reshape(-1, 2)
    spots = gpd.GeoDataFrame({"osmid": name.ravel()}, geometry=shapely.points(tips), crs=segments.crs)
    named = _plain(junctions).assign(osmid=junctions["junction_id"])
    nodes = pd.concat([named, spots]).drop_duplicates("osmid").set_index("osmid")
    nodes["x"], nodes["y"] = nodes.geometry.x, nodes.geometry.y
    count = spots["osmid"].value_counts()
    nodes["street_count"] = count.reindex(nodes.index, fill_value=0)
    low, high = np.sort(name.astype(str), axis=1).T
    key = pd.DataFrame({"low": low, "high": high}).groupby(["low", "high"]).cumcount()
    edges = _plain(segments).rename(columns={"length_m": "length"})
    edges = edges.assign(u=name[:, 0], v=name[:, 1], key=key.to_numpy(), osmid=segments["segment_id"])
    return nodes, edges.set_index(["u", "v", "key"])


def _plain(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Call the geometry of a layer ``geometry``, whatever its file calls it."""
    return gpd.GeoDataFrame(layer.drop(columns=layer.geometry.name), geometry=layer.geometry)


def distances_between(graph: RoadGraph, limit_m: float) -> tuple[Integers, Integers, Floats]:
    """Measure how far it is along the network from the middle of each segment to the middle of others.

    By limited shortest paths (Dijkstra 1959, Numerische Mathematik 1:269-271; `scipy.sparse.csgraph.dijkstra`).

    Parameters
    ----------
    graph
        The road network, with its segments as edges.
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
