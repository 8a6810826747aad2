"""Junctions: nodes where three or more arms meet, and roundabouts taken as one; and the names of all nodes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.roads.lines import TOUCH_M, Floats, Integers, Lines, ends

ROUND = 0.9
"""A ring is round when 4 pi area / perimeter^2 (Polsby and Popper 1991) is at least this: a circle has 1, an octagon
0.95, a square 0.79."""
MIN_ARMS = 3
JOIN = "n"
"""The ids of nodes that are no junction begin with this, those of junctions with j."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """The ends of lines, gathered by place.

    Attributes
    ----------
    points
        Where the nodes are, ``(nodes, 2)`` (metres), sorted.
    first, last
        The node at which each line begins and ends.
    degree
        How many line ends each node has; a loop counts twice.
    """

    points: Floats
    first: Integers
    last: Integers
    degree: Integers


def gather_ends(lines: Lines) -> Nodes:
    """Gather the ends of lines by place."""
    first, last = ends(lines)
    points, number = np.unique(np.concatenate([first, last]), axis=0, return_inverse=True)
    number = number.reshape(-1)
    return Nodes(
        points, number[: len(lines)], number[len(lines) :], np.bincount(number, minlength=len(points))
    )


@dataclass(frozen=True, slots=True)
class Roundabouts:
    """Rings that are taken as one junction; those that touch each other are one together.

    Attributes
    ----------
    table
        One row a junction: ``radius_m`` (of the circle of its area), ``source_ids``, and its centre as geometry.
    pieces
        Which of the lines are pieces of such rings.
    points
        The nodes that lie on rings, ``(points, 2)`` (metres).
    row
        Row in `table` of the junction of each of these points.
    """

    table: gpd.GeoDataFrame
    pieces: NDArray[np.bool_]
    points: Floats
    row: Integers


def find_roundabouts(roads: gpd.GeoDataFrame, nodes: Nodes, max_diameter_m: float) -> Roundabouts:
    """Find the rings that are roundabouts.

    A face of the network is one when the diameter of the circle of its area is at most `max_diameter_m`, arms leave
    it, and either the source says so of all its pieces, or it is round (`ROUND`) with at least three arms.

    Parameters
    ----------
    roads
        Noded lines with ``roundabout`` and ``source_id``.
    nodes
        The ends of these lines, gathered by place.
    max_diameter_m
        Greatest diameter of a roundabout (metres); 0: there are none.
    """
    lines = roads.geometry.to_numpy()
    faces = shapely.get_parts(shapely.polygonize(lines)) if max_diameter_m > 0 else np.empty(0, dtype=object)
    faces = faces[2 * np.sqrt(shapely.area(faces) / np.pi) <= max_diameter_m]
    face, piece = shapely.STRtree(lines).query(
        shapely.buffer(shapely.boundary(faces), TOUCH_M), predicate="contains"
    )
    around = pd.DataFrame({"face": face, "piece": piece})
    on = pd.concat([around.assign(node=side[piece]) for side in (nodes.first, nodes.last)])
    on = on.groupby(["face", "node"]).size().reset_index(name="own")
    arms = (nodes.degree[on["node"]] - on["own"]).groupby(on["face"]).sum()
    flagged = pd.Series(roads["roundabout"].to_numpy()[piece]).groupby(face).all()
    round_ = 4 * np.pi * shapely.area(faces) / shapely.length(faces) ** 2 >= ROUND
    ring = arms.index[(flagged & (arms >= 1)) | (round_[arms.index] & (arms >= MIN_ARMS))]
    around, on = around[around["face"].isin(ring)], on[on["face"].isin(ring)]
    row = _touching(on)
    rings = shapely.multipolygons(faces[row.index], indices=row.to_numpy())
    ids = roads["source_id"].iloc[around["piece"]].groupby(row[around["face"]].to_numpy())
    table = gpd.GeoDataFrame(
        {
            "radius_m": np.sqrt(shapely.area(rings) / np.pi),
            "source_ids": ids.agg(lambda each: ";".join(sorted(set(each)))).astype(object),
        },
        geometry=gpd.GeoSeries(shapely.centroid(rings), crs=roads.crs),
    )
    pieces = np.zeros(len(lines), dtype=bool)
    pieces[around["piece"]] = True
    return Roundabouts(table, pieces, nodes.points[on["node"]], row[on["face"]].to_numpy())


def _touching(on: pd.DataFrame) -> pd.Series:
    """Give faces that have a ``node`` in common one number; sorted by it, on the faces as index."""
    face, faces = pd.factorize(on["face"], sort=True)
    node, places = pd.factorize(on["node"])
    size = len(faces) + len(places)
    links = coo_array((np.ones(len(on)), (face, len(faces) + node)), shape=(size, size))
    group = connected_components(links, directed=False)[1][: len(faces)]
    number, _ = pd.factorize(group)
    order = np.argsort(number, kind="stable")
    return pd.Series(number[order].astype(np.int64), index=np.asarray(faces)[order])


def lay_out_junctions(nodes: Nodes, roundabouts: Roundabouts) -> tuple[gpd.GeoDataFrame, NDArray[np.object_]]:
    """Lay out the table of junctions (see docs/stages.md), and name the nodes.

    Parameters
    ----------
    nodes
        The ends of the final segments, gathered by place.
    roundabouts
        Their rings are no segments; all nodes on them are one.

    Returns
    -------
    The junctions; and of each node its name: the id of its junction, an id of its own (`JOIN`) where two ends meet, as
    where a long segment was cut or a road changes its name, and None at a dead end.
    """
    row = find_among(nodes.points, roundabouts.points)
    on_ring = row >= 0
    row[on_ring] = roundabouts.row[row[on_ring]]
    plain = (nodes.degree >= MIN_ARMS) & ~on_ring
    crossings = gpd.GeoDataFrame(
        {"arms": nodes.degree[plain], "form": "crossing", "radius_m": 0.0, "source_ids": None},
        geometry=gpd.GeoSeries(shapely.points(nodes.points[plain]), crs=roundabouts.table.crs),
    )
    arms = np.bincount(row[on_ring], nodes.degree[on_ring], len(roundabouts.table)).astype(np.int64)
    rings = roundabouts.table.assign(arms=arms, form="roundabout")
    table = pd.concat([crossings, rings], ignore_index=True)
    ids = _ids("j", shapely.get_coordinates(table.geometry.to_numpy()))
    # of no junctions at all, pandas would take the ids for numbers
    table.insert(0, "junction_id", pd.array(ids, dtype="str"))
    name = np.full(len(nodes.points), None, dtype=object)
    name[plain] = table["junction_id"].iloc[: len(crossings)]
    name[on_ring] = table["junction_id"].iloc[len(crossings) + row[on_ring]]
    join = (nodes.degree == 2) & ~on_ring
    name[join] = _ids(JOIN, nodes.points[join])
    columns = ["junction_id", "arms", "form", "radius_m", "source_ids", "geometry"]
    return table[columns].sort_values("junction_id", ignore_index=True), name


def _ids(kind: str, points: Floats) -> list[str]:
    """Make an id of each place, rounded to 0.1 m; of places that are one when rounded, from their full coordinates."""
    xy = np.round(points, 1) + 0.0
    again = pd.DataFrame(xy).duplicated(keep=False).to_numpy()
    xy[again] = points[again]
    return [kind + hashlib.blake2b(each.tobytes(), digest_size=8).hexdigest() for each in xy]


def find_among(points: Floats, others: Floats) -> Integers:
    """Find the rows of points among others, exactly; -1 where they are not."""
    both = np.concatenate([points, others]) if len(others) else points
    places, number = np.unique(both, axis=0, return_inverse=True)
    number = number.reshape(-1)
    row = np.full(len(places), -1, dtype=np.int64)
    row[number[len(points) :]] = np.arange(len(others))
    found: Integers = row[number[: len(points)]]
    return found


def is_among(points: Floats, others: Floats) -> NDArray[np.bool_]:
    """Tell which points are among others, exactly."""
    among: NDArray[np.bool_] = find_among(points, others) >= 0
    return among
