"""Where a source's roads meet: wherever they cross, or only where it says so, with nodes or common vertices.

A road that passes over another one crosses it on the map and meets it nowhere. Sources that say where roads meet end
their links there (OS Open Roads, Overture's connectors, osmnx) or give both a vertex there (OpenStreetMap, TIGER);
where roads cross in them without either, one passes over the other. In roads that were drawn whole, as lines of
streets from end to end, crossings are junctions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.ledger import Entry
from geo.roads.lines import GRID_M, TOUCH_M, Floats, ends
from geo.roads.noding import WHEREVER, Meeting, Touches

Crossings = Literal["auto", "all", "vertices", "ends"]
FEW = 0.25
"""A source says where its roads meet when at most this share of the places at which they could meet has no node."""
CLEAR = (0.05, 0.75)
"""Shares of places without a node, between which it is told that the choice may be wrong."""
ENOUGH = 10
"""Places with a node, from which on it can be told that a source has them."""
AGREEING = 0.95
"""Share of the ends of links with one node that must lie in one place, for a column to be of nodes."""
_MOTORWAYS = {"motorway", "s1100", "freeway", "autobahn", "autostrada", "autoroute"}
_NODES = (
    *(("startnode", "endnode"), ("fromnode", "tonode"), ("u", "v"), ("source", "target"), ("fnode", "tnode")),
    *(("tnidf", "tnidt"), ("startnodeid", "endnodeid"), ("fromnodeid", "tonodeid"), ("nodefrom", "nodeto")),
    *(("nodeidfrom", "nodeidto"), ("nodestart", "nodeend"), ("nodea", "nodeb"), ("anode", "bnode")),
    *(("node1", "node2"), ("snode", "enode"), ("begnode", "endnode"), ("sourcenode", "targetnode")),
    *(("refinid", "nrefinid"), ("fjnctid", "tjnctid"), ("inode", "jnode"), ("fromid", "toid")),
    *(("startid", "endid"), ("startconnector", "endconnector")),
)
"""What columns of nodes are called, letters alone: OS Open Roads and MasterMap, osmnx, pgRouting, ArcInfo, TIGER, New
York's LION, HERE, TomTom, EMME, Overture as `geo.roads.reading.overture` lays it out."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Where roads meet, the crossings without a common vertex as ledger entries, and what is to be told of them."""

    meeting: Meeting
    entries: list[Entry]
    warnings: list[str]


def settle_crossings(
    roads: gpd.GeoDataFrame, touches: Touches, crossings: Crossings, *, named: int = 0
) -> Settled:
    """Settle where roads meet.

    Parameters
    ----------
    roads
        The roads whose `touches` were found, with ``road_class``.
    touches
        Where they touch, see `geo.roads.noding.find_touches`.
    crossings
        The key ``segments.crossings``.
    named
        How many nodes of three or more roads the source names, see `count_named_nodes`.
    """
    noded, fourfold = _noded(roads, touches)
    over = _passing(touches)
    bare = _places(np.concatenate([over, touches.tips[_bare_ends(touches)]]))
    share = bare / (bare + noded) if bare else 0.0
    how: Crossings = crossings
    if crossings == "auto":
        how = _chosen(roads, touches, share, (noded, fourfold), named)
    meeting = {
        "all": WHEREVER,
        "vertices": Meeting(crossings=False, vertices=True, dead_ends=True),
        # who names it wants links that end; where it was found out, a dead end that touches a road is no bridge
        "ends": Meeting(crossings=False, vertices=False, dead_ends=crossings == "auto"),
    }[how]
    count = _places(over)
    if how == "all":
        entry = Entry(
            "crossings", "done", f"no common vertex, taken as junctions (segments.crossings: {how})", count
        )
    else:
        entry = Entry(
            "crossings", "skipped", f"no common vertex, taken as bridges (segments.crossings: {how})", count
        )
    doubtful = crossings == "auto" and how != "ends" and noded >= ENOUGH and CLEAR[0] < share < CLEAR[1]
    return Settled(meeting, [entry] if count else [], [_doubt(count, how)] if doubtful and count else [])


def _doubt(count: int, how: Crossings) -> str:
    """Tell that crossings may have been taken for what they are not."""
    taken, other, key = (
        ("junctions", "bridges", "vertices") if how == "all" else ("bridges", "junctions", "all")
    )
    return (
        f"{count:,} crossings of roads on one level have no vertex in common, and are taken as {taken}: if they are "
        f"{other}, set segments.crossings: {key}"
    )


def _chosen(
    roads: gpd.GeoDataFrame, touches: Touches, share: float, noded: tuple[int, int], named: int
) -> Crossings:
    """Choose by what the source shows: nodes that it names, or hardly any crossing without a common vertex."""
    passing = _places(_passing(touches))
    if passing == 0:
        return "all"
    if named > passing:
        return "ends"
    # crossings of motorways are bridges anywhere, and tell nothing of the others
    plain = _places(_passing(touches, without=_of_motorways(roads, touches)))
    if noded[0] >= ENOUGH and share <= FEW and 2 * plain <= noded[1]:
        return "vertices"
    return "all"


def _places(points: Floats) -> int:
    """Count different places."""
    return len(np.unique(np.round(points / GRID_M).astype(np.int64), axis=0)) if len(points) else 0


def _passing(touches: Touches, without: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None) -> Floats:
    """List where roads pass each other without a common vertex: in the midst of both, or over the end of several."""
    spots = touches.apart & ~touches.part & ~touches.common
    tips = ~touches.at_end & ~touches.at_vertex & ~touches.dead
    if without is not None:
        spots, tips = spots & ~without[0], tips & ~without[1]
    return np.concatenate([touches.spots[spots], touches.tips[tips]])


def _bare_ends(touches: Touches) -> NDArray[np.bool_]:
    """Tell which dead ends lie on a road that has no vertex there."""
    bare: NDArray[np.bool_] = ~touches.at_end & ~touches.at_vertex & touches.dead
    return bare


def _noded(roads: gpd.GeoDataFrame, touches: Touches) -> tuple[int, int]:
    """Count the places at which three or more arms meet by ends or vertices, and those where four or more do."""
    lines = roads.geometry.to_numpy()
    _, once = np.unique(shapely.to_wkb(lines), return_index=True)
    tips = np.concatenate(ends(lines[once]))
    on_vertex = touches.at_vertex & ~touches.at_end
    through = touches.apart & ~touches.part & touches.common
    # a road that goes on has two arms
    ends_there = np.concatenate([tips, *[touches.tips[on_vertex]] * 2, *[touches.spots[through]] * 4])
    if len(ends_there) == 0:
        return 0, 0
    _, place = np.unique(np.round(ends_there / GRID_M).astype(np.int64), axis=0, return_inverse=True)
    arms = np.bincount(place.reshape(-1))
    return int((arms >= 3).sum()), int((arms >= 4).sum())


def _of_motorways(roads: gpd.GeoDataFrame, touches: Touches) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which shared points, and which ends on a road, are of a motorway."""
    plain = roads["road_class"].astype("string").str.casefold().str.strip()
    is_one = plain.isin(_MOTORWAYS).fillna(value=False).to_numpy(dtype=bool)
    return is_one[touches.left] | is_one[touches.right], is_one[touches.line]


def count_named_nodes(roads: gpd.GeoDataFrame) -> int:
    """Count the nodes of three or more roads that two columns name, where the roads end at these nodes.

    Parameters
    ----------
    roads
        LineStrings, with the columns of their source as ``src_<column>``.

    Returns
    -------
    0 where no columns name nodes, or what they name does not lie where the roads end.
    """
    pair = _node_columns(roads)
    if pair is None:
        return 0
    # a street that is drawn once in each direction counts once
    _, once = np.unique(shapely.to_wkb(shapely.normalize(roads.geometry.to_numpy())), return_index=True)
    some = roads.iloc[once]
    told = pd.concat([some[column].astype("string") for column in pair], ignore_index=True)
    known = told.notna() & (told != "")
    if known.mean() < AGREEING:
        return 0
    link = pd.Series(np.tile(np.arange(len(some)), 2), name="link")
    tips = np.round(np.concatenate(ends(some.geometry.to_numpy())) / (2 * TOUCH_M))
    at = pd.DataFrame({"link": link, "x": tips[:, 0], "y": tips[:, 1]})
    named = pd.DataFrame({"link": link, "node": told})[known.to_numpy(dtype=bool)]
    # the place of a node is the one that all of its links end at, in whichever direction they are drawn
    both = named.merge(at, on="link").drop_duplicates()
    places = both.groupby(["node", "x", "y"]).size().rename("links").reset_index()
    place = places.sort_values("links", ascending=False, kind="stable").drop_duplicates("node")
    of_node = place["node"].map(named.drop_duplicates().groupby("node").size())
    several = of_node > 1
    agree = place.loc[several, "links"].sum() >= AGREEING * of_node[several].sum()
    apart = (~place[several].duplicated(["x", "y"], keep=False)).mean() >= AGREEING
    return int((of_node >= 3).sum()) if agree and apart else 0


def _node_columns(roads: gpd.GeoDataFrame) -> tuple[str, str] | None:
    """Find two columns that name nodes."""
    plain = {re.sub(r"[^a-z0-9]", "", str(c).removeprefix("src_").casefold()): str(c) for c in roads.columns}
    return next(((plain[a], plain[b]) for a, b in _NODES if a in plain and b in plain), None)
