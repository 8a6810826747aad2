"""From noded roads to segments: from junction to junction, cut evenly where long, named by their geometry."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.config import Segments
from geo.errors import LayerError
from geo.ledger import Entry
from geo.roads.crossings import Crossings, Settled, count_named_nodes, settle_crossings
from geo.roads.doubles import tell_doubles
from geo.roads.junctions import Nodes, find_roundabouts, gather_ends, is_among, lay_out_junctions
from geo.roads.lines import GRID_M, TOUCH_M, Floats, Integers, canonical, cut_lines
from geo.roads.noding import WHEREVER, find_touches, join_ends, node, untangled

SAME_ROAD = ("name", "road_class", "ref", "level")
_AS_CONFIGURED = Segments()
_OWN = ("source_id", "roundabout", "level", "geometry")


@dataclass(frozen=True, slots=True)
class Network:
    """Segments and junctions (see docs/stages.md), what became of the pieces of road, and what is to be told."""

    segments: gpd.GeoDataFrame
    junctions: gpd.GeoDataFrame
    entries: list[Entry]
    warnings: list[str] = field(default_factory=list)


def build_network(roads: gpd.GeoDataFrame, settings: Segments = _AS_CONFIGURED) -> Network:
    """Turn road centrelines into segments and junctions.

    Parameters
    ----------
    roads
        LineStrings in a projected CRS in metres, with ``source_id``, ``name``, ``road_class``, ``ref``, ``level``,
        ``roundabout`` and any other columns: see `geo.roads.read.read_roads`.
    settings
        Lengths, the size of roundabouts, and where roads meet.

    Returns
    -------
    The network. A segment's id follows from its rounded geometry alone: it changes when its road is moved by more than
    a few centimetres, or when a junction on it comes or goes, and with nothing else.

    Raises
    ------
    LayerError
        When nothing is left.

    Examples
    --------
    A road of 300 m that another one meets in its middle:

    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> roads = gpd.GeoDataFrame(
    ...     {
    ...         "source_id": ["1", "2"],
    ...         "name": ["High Street", "Mill Lane"],
    ...         "road_class": ["primary", "residential"],
    ...         "ref": None,
    ...         "level": 0,
    ...         "roundabout": False,
    ...     },
    ...     geometry=[LineString([(0, 0), (300, 0)]), LineString([(150, 0), (150, 90)])],
    ...     crs=27700,
    ... )
    >>> network = build_network(roads)
    >>> sorted(network.segments["length_m"])
    [90.0, 150.0, 150.0]
    >>> network.junctions["arms"].tolist(), network.junctions.geometry.to_wkt().tolist()
    ([3], ['POINT (150 0)'])
    """
    rounded = canonical(
        shapely.transform(roads.geometry.to_numpy(), lambda xy: np.round(xy / GRID_M) * GRID_M + 0.0)
    )
    # in an order of their own, so that nothing depends on how and in which order they were drawn
    order = np.lexsort(
        [pd.factorize(key, sort=True)[0] for key in (roads["source_id"], shapely.to_wkb(rounded))]
    )
    roads, rounded = roads.iloc[order].reset_index(drop=True), rounded[order]
    joined = join_ends(rounded)
    tiny = shapely.is_closed(joined) & (shapely.length(rounded) < 2 * TOUCH_M)
    if tiny.all():
        raise LayerError(
            f"no road is longer than {2 * TOUCH_M:g} m",
            where="roads.source",
            todo="Check the CRS that the file states, and the key crs.",
        )
    roads = roads.set_geometry(gpd.GeoSeries(joined, crs=roads.crs))[~tiny]
    noded, settled = _noded(roads, settings.crossings)
    pieces, duplicates = _without_duplicates(noded)
    nodes = gather_ends(pieces.geometry.to_numpy())
    rings = find_roundabouts(pieces, nodes, settings.roundabout_max_diameter_m)
    pieces = _merge_chains(pieces[~rings.pieces].reset_index(drop=True), rings.points)
    stub = _stubs(pieces, rings.points, settings.min_length_m)
    segments = pieces[~stub].reset_index(drop=True)
    if segments.empty:
        raise LayerError(
            f"no segment is left: {int(stub.sum())} pieces are dead ends shorter than {settings.min_length_m:g} m, "
            f"{int(rings.pieces.sum())} belong to roundabouts",
            where="roads.source",
            todo="Check that these are all the roads of the place, its CRS and area; or lower segments.min_length_m.",
        )
    if stub.any():
        segments = _merge_chains(segments, rings.points)
    segments = _cut_long(segments, settings.max_length_m)
    nodes = gather_ends(segments.geometry.to_numpy())
    junctions, node_name = lay_out_junctions(nodes, rings)
    segments = _name(segments, node_name[nodes.first], node_name[nodes.last])
    entries = [
        *settled.entries,
        Entry("segments", "done", "", len(segments)),
        Entry("junctions", "done", "", len(junctions)),
        Entry(
            "road pieces",
            "skipped",
            f"shorter than {2 * TOUCH_M:g} m, both ends in one place",
            int(tiny.sum()),
        ),
        Entry("road pieces", "skipped", "duplicate geometry", duplicates),
        Entry(
            "road pieces", "skipped", "part of a roundabout, kept as one junction", int(rings.pieces.sum())
        ),
        Entry(
            "road pieces", "skipped", f"dead end shorter than {settings.min_length_m:g} m", int(stub.sum())
        ),
    ]
    told = [entry for entry in entries if entry.count]
    return Network(segments, junctions, told, [*settled.warnings, *tell_doubles(segments)])


def _noded(roads: gpd.GeoDataFrame, crossings: Crossings) -> tuple[gpd.GeoDataFrame, Settled]:
    """Split roads where they meet, which is settled from where they touch."""
    plain = untangled(roads)
    touches = find_touches(plain)
    settled = settle_crossings(plain, touches, crossings, named=count_named_nodes(roads))
    if settled.meeting != WHEREVER:
        # they were split where they cross themselves to be looked at
        plain = untangled(roads, settled.meeting)
        touches = find_touches(plain)
    return node(plain, touches, settled.meeting), settled


def _without_duplicates(pieces: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, int]:
    """Keep one of the pieces that lie on each other, with the source ids of all; gives how many were left out."""
    lines = canonical(pieces.geometry.to_numpy())
    pieces = pieces.set_geometry(gpd.GeoSeries(lines, crs=pieces.crs))
    # the same place, whatever vertices stand on its straight stretches
    plain = canonical(shapely.simplify(lines, GRID_M))
    number, _ = pd.factorize(shapely.to_wkb(plain))
    drawn, _ = pd.factorize(shapely.to_wkb(lines), sort=True)
    order = np.lexsort((drawn, number))
    chosen = lines[order[np.concatenate([[True], np.diff(number[order]) != 0])]]
    one = _combine(pieces, number).set_geometry(gpd.GeoSeries(chosen, crs=pieces.crs))
    return one, len(pieces) - len(one)


def _combine(pieces: gpd.GeoDataFrame, group: Integers) -> gpd.GeoDataFrame:
    """Make one row of each group: attributes of its longest piece, source ids of all; geometry of that piece."""
    order = np.lexsort((np.arange(len(pieces)), -shapely.length(pieces.geometry.to_numpy()), group))
    longest = order[np.concatenate([[True], np.diff(group[order]) != 0])]
    combined = pieces.iloc[longest].reset_index(drop=True)
    several = np.bincount(group)[group] > 1
    ids = pieces["source_id"].to_numpy(dtype=object)
    joined = (
        pd.DataFrame({"group": group[several], "id": ids[several]})
        .assign(id=lambda t: t["id"].str.split(";"))
        .explode("id")
        .drop_duplicates()
        .sort_values("id")
        .groupby("group")["id"]
        .agg(";".join)
    )
    several_ids = pd.Series(group[longest]).map(joined).astype(object)
    combined["source_id"] = several_ids.where(several_ids.notna(), combined["source_id"])
    return combined


def _merge_chains(pieces: gpd.GeoDataFrame, ring_points: Floats) -> gpd.GeoDataFrame:
    """Join pieces of one road where exactly two ends meet."""
    lines = pieces.geometry.to_numpy()
    nodes = gather_ends(lines)
    through = (nodes.degree == 2) & ~is_among(nodes.points, ring_points)
    end_node = np.concatenate([nodes.first, nodes.last])
    owner = np.tile(np.arange(len(lines)), 2)
    at = np.flatnonzero(through[end_node])
    at = at[np.argsort(end_node[at], kind="stable")]
    left, right = owner[at[::2]], owner[at[1::2]]
    told = pieces[list(SAME_ROAD)].astype(object)
    road, _ = pd.factorize(pd.MultiIndex.from_frame(told.where(told.notna(), "")))
    joined = (road[left] == road[right]) & (left != right)
    left, right = left[joined], right[joined]
    links = coo_array((np.ones(len(left)), (left, right)), shape=(len(lines), len(lines)))
    _, group = connected_components(links, directed=False)
    merged = _combine(pieces, group.astype(np.int64))
    order = np.argsort(group, kind="stable")
    chains = shapely.line_merge(shapely.multilinestrings(lines[order], indices=group[order]))
    closed = np.flatnonzero(shapely.is_closed(chains) & (np.bincount(group) > 1))
    chains[closed] = [_from_junction(chain, nodes, through) for chain in chains[closed]]
    return merged.set_geometry(gpd.GeoSeries(canonical(chains), crs=pieces.crs))


def _from_junction(ring: shapely.LineString, nodes: Nodes, through: NDArray[np.bool_]) -> shapely.LineString:
    """Start a closed line at its junction, else at its smallest point."""
    points = shapely.get_coordinates(ring)[:-1]
    at_junction = is_among(points, nodes.points[~through])
    candidates = np.flatnonzero(at_junction) if at_junction.any() else np.arange(len(points))
    start = candidates[np.lexsort(points[candidates].T[::-1])[0]]
    turned = np.roll(points, -start, axis=0)
    return shapely.LineString(np.vstack([turned, turned[:1]]))


def _stubs(pieces: gpd.GeoDataFrame, ring_points: Floats, min_length_m: float) -> NDArray[np.bool_]:
    """Tell which pieces are short dead ends."""
    nodes = gather_ends(pieces.geometry.to_numpy())
    loose = (nodes.degree == 1) & ~is_among(nodes.points, ring_points)
    stubs: NDArray[np.bool_] = loose[nodes.first] | loose[nodes.last]
    stubs &= shapely.length(pieces.geometry.to_numpy()) < min_length_m
    return stubs


def _cut_long(segments: gpd.GeoDataFrame, max_length_m: float) -> gpd.GeoDataFrame:
    """Cut segments that are too long into equal parts."""
    lines = segments.geometry.to_numpy()
    length = shapely.length(lines)
    parts = np.maximum(np.ceil(length / max_length_m - 1e-9), 1).astype(np.int64)
    which = np.repeat(np.arange(len(lines)), parts - 1)
    number = np.arange(len(which)) - np.repeat(np.cumsum(parts - 1) - (parts - 1), parts - 1) + 1
    cuts, owner = cut_lines(lines, which, number * (length / parts)[which])
    shorter = segments.iloc[owner].reset_index(drop=True)
    return shorter.set_geometry(gpd.GeoSeries(canonical(cuts), crs=segments.crs))


def _name(segments: gpd.GeoDataFrame, u: NDArray[np.object_], v: NDArray[np.object_]) -> gpd.GeoDataFrame:
    """Give ids and the columns of the segments table, with the nodes at both ends, sorted by id."""
    lines = segments.geometry.to_numpy()
    rough = shapely.to_wkb(shapely.transform(lines, lambda xy: np.round(xy, 1) + 0.0))
    # two lines that are the same after rounding are told apart by their full coordinates
    again = pd.Series(rough).duplicated(keep=False).to_numpy()
    rough[again] = shapely.to_wkb(lines[again])
    kept = [column for column in segments.columns if column not in _OWN]
    named = segments[[*kept, "geometry"]].copy()
    named.insert(0, "segment_id", [hashlib.blake2b(wkb, digest_size=8).hexdigest() for wkb in rough])
    named.insert(1, "u", pd.Series(u, named.index, dtype=object))
    named.insert(2, "v", pd.Series(v, named.index, dtype=object))
    named.insert(3, "source_ids", segments["source_id"])
    named.insert(len(named.columns) - 1, "length_m", shapely.length(lines))
    front = ["segment_id", "u", "v", "source_ids", "name", "road_class", "ref", "length_m"]
    rest = [column for column in named.columns if column not in front]
    return named[front + rest].sort_values("segment_id", ignore_index=True)
