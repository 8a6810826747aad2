"""Junctions: nodes where three or more arms meet, and roundabouts taken as one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.roads.lines import TOUCH_M, Floats, Integers, Lines, ends

ROUND = 0.9
"""A ring is round when 4 pi area / perimeter^2 (Polsby and Popper 1991) is at least this: a circle has 1, an octagon
0.95, a square 0.79."""
MIN_ARMS = 3


@dataclass(frozen=True, slots=True)
class Nodes:
    """The ends of lines, gathered by place.

    Attributes
    ----------
    points
        Array ``(nodes, 2)``, sorted.
    first, last
        The node at which each line begins and ends.
    degree
        How many line ends each node has; a loop counts twice.
    """

    points: Floats
    first: Integers
    last: Integers
    degree: Integers


def gather(lines: Lines) -> Nodes:
    """Gather the ends of lines by place."""
    first, last = ends(lines)
    points, number = np.unique(np.concatenate([first, last]), axis=0, return_inverse=True)
    number = number.reshape(-1)
    return Nodes(
        points, number[: len(lines)], number[len(lines) :], np.bincount(number, minlength=len(points))
    )


@dataclass(frozen=True, slots=True)
class Roundabouts:
    """Rings that are taken as one junction.

    Attributes
    ----------
    table
        One row a ring: ``arms``, ``radius_m``, ``source_ids``, and its centre as geometry.
    pieces
        Which of the lines are pieces of such a ring.
    nodes
        Which of the nodes lie on one.
    """

    table: gpd.GeoDataFrame
    pieces: NDArray[np.bool_]
    nodes: NDArray[np.bool_]


def find_roundabouts(roads: gpd.GeoDataFrame, nodes: Nodes, max_diameter_m: float) -> Roundabouts:
    """Find the rings that are roundabouts.

    A face of the network is one when the diameter of the circle of its area is at most `max_diameter_m`, arms leave
    it, and either the source says so of all its pieces, or it is round (`ROUND`) with at least three arms.

    Parameters
    ----------
    roads
        Noded lines with ``roundabout`` and ``source_id``.
    nodes
        Of these lines.
    max_diameter_m
        Metres; 0: there are none.
    """
    lines = roads.geometry.to_numpy()
    faces = shapely.get_parts(shapely.polygonize(lines)) if max_diameter_m > 0 else np.empty(0, dtype=object)
    faces = faces[2 * np.sqrt(shapely.area(faces) / np.pi) <= max_diameter_m]
    near, piece = shapely.STRtree(lines).query(
        shapely.buffer(shapely.boundary(faces), TOUCH_M), predicate="contains"
    )
    members = pd.DataFrame({"face": near, "piece": piece})
    members["flagged"] = roads["roundabout"].to_numpy()[piece]
    members["source_id"] = roads["source_id"].to_numpy()[piece]
    by_face = members.groupby("face").agg(
        flagged=("flagged", "all"), source_ids=("source_id", lambda ids: ";".join(sorted(set(ids))))
    )
    on_ring = pd.concat([members.assign(node=side[piece]) for side in (nodes.first, nodes.last)])
    ends_on_ring = on_ring.groupby(["face", "node"]).size().rename("own").reset_index()
    ends_on_ring["arms"] = nodes.degree[ends_on_ring["node"]] - ends_on_ring["own"]
    by_face["arms"] = ends_on_ring.groupby("face")["arms"].sum()
    found = faces[by_face.index]
    circularity = 4 * np.pi * shapely.area(found) / shapely.length(found) ** 2
    flagged = by_face["flagged"].to_numpy() & (by_face["arms"].to_numpy() >= 1)
    round_ = (circularity >= ROUND) & (by_face["arms"].to_numpy() >= MIN_ARMS)
    rings = by_face.assign(radius_m=np.sqrt(shapely.area(found) / np.pi))
    rings = gpd.GeoDataFrame(
        rings, geometry=gpd.GeoSeries(shapely.centroid(found), rings.index, crs=roads.crs)
    )
    rings = rings[flagged | round_]
    mine = members["face"].isin(rings.index)
    pieces = np.zeros(len(roads), dtype=bool)
    pieces[members.loc[mine, "piece"]] = True
    on = np.zeros(len(nodes.points), dtype=bool)
    on[ends_on_ring.loc[ends_on_ring["face"].isin(rings.index), "node"]] = True
    return Roundabouts(rings[["arms", "radius_m", "source_ids", "geometry"]], pieces, on)


def lay_out(nodes: Nodes, roundabouts: gpd.GeoDataFrame, ring_points: Floats) -> gpd.GeoDataFrame:
    """Lay out the table of junctions (see docs/stages.md).

    Parameters
    ----------
    nodes
        Of the final segments.
    roundabouts
        See `Roundabouts.table`.
    ring_points
        Nodes that lie on a roundabout, which are no junctions of their own.
    """
    on_ring = is_among(nodes.points, ring_points)
    plain = (nodes.degree >= MIN_ARMS) & ~on_ring
    crossings = gpd.GeoDataFrame(
        {"arms": nodes.degree[plain], "form": "crossing", "radius_m": 0.0, "source_ids": None},
        geometry=gpd.GeoSeries(shapely.points(nodes.points[plain]), crs=roundabouts.crs),
    )
    table = pd.concat([crossings, roundabouts.assign(form="roundabout")], ignore_index=True)
    xy = np.round(shapely.get_coordinates(table.geometry.to_numpy()), 1) + 0.0
    table.insert(
        0, "junction_id", ["j" + hashlib.blake2b(p.tobytes(), digest_size=8).hexdigest() for p in xy]
    )
    columns = ["junction_id", "arms", "form", "radius_m", "source_ids", "geometry"]
    return table[columns].sort_values("junction_id", ignore_index=True)


def is_among(points: Floats, others: Floats) -> NDArray[np.bool_]:
    """Tell which points are among others, exactly."""
    both = np.concatenate([points, others]) if len(others) else points
    _, number = np.unique(both, axis=0, return_inverse=True)
    number = number.reshape(-1)
    return np.isin(number[: len(points)], number[len(points) :])
