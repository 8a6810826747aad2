"""How densely collisions lie along the network: a kernel that spreads along roads, not across what is between them."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, diags_array
from scipy.sparse.linalg import splu

from geo.counting import doing, step
from geo.roads.graph import RoadGraph
from geo.roads.lines import Floats, Integers, measure, stretches

FOLDS = 10
"""Parts into which collisions are dealt for cross-validation."""
MIN_COLLISIONS = 20
"""With fewer collisions no bandwidth is chosen from them."""
POLES = 24
"""Points of the contour; the error of the exponential is of the order of 3.9 to the power of minus this."""


@dataclass(frozen=True, slots=True)
class Lixels:
    """The network in pieces of equal length within each segment.

    Attributes
    ----------
    graph
        The road network whose segments are cut up.
    segment
        Row of the segment of each lixel; lixels follow each other along it.
    length_m
        Length of each lixel (metres).
    first
        The first lixel of each segment, and the number of all at the end.
    conductance
        Array ``(lixels, lixels)``, symmetric, rows adding up to 0: how freely heat flows between neighbours (1/m), with
        the sign of a Laplacian.
    """

    graph: RoadGraph
    segment: Integers
    length_m: Floats
    first: Integers
    conductance: csr_array


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """The bandwidth that was used, and how it was come by.

    Attributes
    ----------
    bandwidth_m
        Standard deviation of the kernel on an endless road (metres); None where there is nothing to smooth.
    how
        Where the bandwidth is from, in words: by setting, by cross-validation, or why there is none.
    scores
        ``bandwidth_m, log_likelihood`` (a held-out collision's, mean), one row a candidate, and
        an endless one for collisions spread evenly; empty where none was tried.
    """

    bandwidth_m: float | None
    how: str
    scores: pd.DataFrame


def cut_lixels(graph: RoadGraph, lixel_m: float) -> Lixels:
    """Cut each segment into equal pieces no longer than `lixel_m`, and say how they are joined.

    Heat flows between the middles of neighbours, and from the middles of all the pieces that end at a node through that
    node, where it is divided by how near they are and none is kept: the star of resistances seen from its tips.
    """
    pieces = np.maximum(np.ceil(graph.length_m / lixel_m - 1e-9), 1).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(pieces)])
    segment = np.repeat(np.arange(len(pieces)), pieces)
    length = (graph.length_m / pieces)[segment]
    n = len(segment)
    inner = np.flatnonzero(np.diff(segment) == 0)
    tip = np.column_stack([first[:-1], first[1:] - 1]).ravel()
    ends = pd.DataFrame({"node": graph.node.ravel(), "lixel": tip, "flow": 2 / length[tip]})
    ends["sum"] = ends.groupby("node")["flow"].transform("sum")
    star = ends.merge(ends, on="node")
    left = np.concatenate([inner, inner + 1, star["lixel_x"].to_numpy()])
    right = np.concatenate([inner + 1, inner, star["lixel_y"].to_numpy()])
    between = (star["flow_x"] * star["flow_y"] / star["sum_x"]).to_numpy()
    flow = np.concatenate([1 / length[inner], 1 / length[inner], between])
    apart = left != right
    joined = csr_array((flow[apart], (left[apart], right[apart])), shape=(n, n))
    laplacian = diags_array(np.asarray(joined.sum(axis=1)).ravel()) - joined
    return Lixels(graph, segment, length, first, csr_array(laplacian))


def masses(lixels: Lixels, located: pd.DataFrame, weight: NDArray[np.float64] | None = None) -> Floats:
    """Put collisions on lixels: each on the two with the nearest middles, by how near they are, or on one at an end.

    Parameters
    ----------
    lixels
        The network in pieces of equal length (`cut_lixels`).
    located
        Where each placed collision lies on the network (`geo.roads.routes.locate`): collisions at junctions are shared
        out over the arms.
    weight
        What each collision counts for, by its position in the table of collisions; None: each counts 1.

    Returns
    -------
    Collisions on each lixel; they add up to the weights of those that were located.
    """
    row = located["row"].to_numpy(dtype=np.int64)
    share = located["share"].to_numpy(dtype=np.float64)
    if weight is not None:
        share = share * weight[located["collision"].to_numpy(dtype=np.int64)]
    along = located["on_segment_m"].to_numpy(dtype=np.float64) / lixels.length_m[lixels.first[row]] - 0.5
    before = np.floor(along).astype(np.int64)
    last = lixels.first[row + 1] - 1 - lixels.first[row]
    at = np.concatenate([lixels.first[row] + np.clip(each, 0, last) for each in (before, before + 1)])
    parts = np.concatenate([share * (before + 1 - along), share * (along - before)])
    return np.bincount(at, weights=parts, minlength=len(lixels.segment)).astype(np.float64)


def kernel_density(lixels: Lixels, mass: Floats, bandwidth_m: float) -> Floats:
    """Spread collisions along the network with the heat kernel.

    The density is the heat at time ``bandwidth_m ** 2 / 2`` of a network that is hot where collisions are (McSwiggan,
    Baddeley and Nair 2017, Scandinavian Journal of Statistics 44:324-345): on an endless road the normal kernel; at a
    junction of n arms a share of 2 / n goes on into each, and 2 / n - 1 comes back; at dead ends all comes back. It is
    the continuous equal-split rule of Okabe, Satoh and Sugihara 2009 (International Journal of Geographical Information
    Science 23:7-32) for the normal kernel, summed over all paths. In space the lixels are finite volumes; the matrix
    exponential is a contour integral by the trapezoid rule on Talbot's curve (Trefethen, Weideman and Schmelzer 2006,
    BIT 46:653-670), so that the cost does not depend on the number of collisions.

    Parameters
    ----------
    lixels
        The network in pieces of equal length (`cut_lixels`).
    mass
        Collisions on each lixel, ``(lixels,)`` or ``(lixels, patterns)``.
    bandwidth_m
        Standard deviation of the kernel on an endless road (metres).

    Returns
    -------
    Collisions per metre, like `mass`: times the lixels' lengths they add up to what was there, in each part of the
    network by itself.
    """
    time = bandwidth_m**2 / 2
    theta = (2 * np.arange(POLES // 2) + 1) * np.pi / POLES
    cot = 1 / np.tan(0.6407 * theta)
    pole = POLES * (0.5017 * theta * cot - 0.6122 + 0.2645j * theta)
    turn = POLES * (0.5017 * cot - 0.5017 * 0.6407 * theta / np.sin(0.6407 * theta) ** 2 + 0.2645j)
    factor = np.exp(pole) * turn / POLES / 1j
    flow = csc_array(lixels.conductance) * time
    size = diags_array(lixels.length_m)
    heat = np.zeros(mass.shape, dtype=np.float64)
    hot = np.ascontiguousarray(mass, dtype=np.complex128)
    for each, part in zip(pole, factor, strict=True):
        solver = splu(
            csc_array(size * each + flow), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}
        )
        heat += 2 * np.real(part * solver.solve(hot))
        step()
    # of a single number, 0, the rule gives this instead of 1: the same for all, and known
    heat /= 2 * np.real(np.sum(factor / pole))
    # the kernel is positive; what is below 0 is rounding
    return np.maximum(heat, 0.0)


def choose_bandwidth(lixels: Lixels, located: pd.DataFrame, candidates: tuple[float, ...]) -> Bandwidth:
    """Choose the bandwidth under which collisions foretell each other best.

    Likelihood cross-validation (Habbema, Hermans and van den Broek 1974; Silverman 1986, 'Density estimation', 3.4.4):
    collisions are dealt, along the network, into `FOLDS` parts, each of which is foretold from the others; the
    bandwidth with the greatest mean log density at held-out collisions wins. Ten parts in place of as many as there are
    collisions (leaving one out) cost ten patterns instead of thousands; dealt in their order along the network, all
    parts cover it alike. Collisions at one spot draw the choice to the smallest candidate: give none that makes no
    sense.

    Parameters
    ----------
    lixels
        The network in pieces of equal length (`cut_lixels`); pieces longer than about half the smallest candidate blur
        it.
    located
        Where each placed collision lies on the network (`geo.roads.routes.locate`).
    candidates
        Bandwidths to choose from (metres).
    """
    count = located["collision"].nunique()
    empty = pd.DataFrame({"bandwidth_m": [], "log_likelihood": []}, dtype=np.float64)
    if count == 0:
        return Bandwidth(None, "no collisions", empty)
    if count < MIN_COLLISIONS:
        middle = float(np.median(candidates))
        return Bandwidth(
            middle, f"the middle of the candidates: {count} collisions are too few to choose by", empty
        )
    # dealt by place, so that nothing depends on the order of rows
    place = located[["collision", "route"]].assign(at=located["at_m"].round(3)).sort_values(["route", "at"])
    order = place.drop_duplicates("collision")["collision"].to_numpy()
    fold = pd.Series(np.arange(len(order)) % FOLDS, index=order)
    part = fold.loc[located["collision"]].to_numpy()
    held = np.column_stack([masses(lixels, located[part == each]) for each in range(FOLDS)])
    rest = held.sum(axis=1, keepdims=True) - held
    # what no other collision reaches has next to no density, not none: one collision in a hundred times the network
    least = 0.01 / lixels.length_m.sum()
    found = []
    doing("points of the contour", len(candidates) * POLES // 2)
    for each in candidates:
        density = kernel_density(lixels, rest, each) / rest.sum(axis=0)
        found.append(float((held * np.log(np.maximum(density, least))).sum() / held.sum()))
    even = -float(np.log(lixels.length_m.sum()))
    best = float(candidates[int(np.argmax(np.round(found, 9)))])
    note = ""
    if max(found) <= even:
        note = "; spreading collisions evenly over the network foretells them as well"
    elif best in (min(candidates), max(candidates)) and len(candidates) > 1:
        note = "; it is at the edge of the candidates"
    scores = pd.DataFrame({"bandwidth_m": [*candidates, np.inf], "log_likelihood": [*found, even]})
    return Bandwidth(best, f"likelihood cross-validation in {FOLDS} parts{note}", scores)


def density_layer(
    lixels: Lixels, density_per_m: Floats, years: float | None, crs: object = None
) -> gpd.GeoDataFrame:
    """Lay out the density.

    Parameters
    ----------
    lixels
        The network in pieces of equal length (`cut_lixels`).
    density_per_m
        Collisions per metre on each lixel (`kernel_density`).
    years
        How long the records cover (years); None: that is not known, and no density per year is told.
    crs
        CRS of the network's lines.

    Returns
    -------
    One row a lixel: ``segment_id, from_m, to_m`` (from the first point of the segment's line),
    ``kernel_collisions_per_km``, ``kernel_collisions_per_km_year`` (null without years), and its line.
    """
    start = (np.arange(len(lixels.segment)) - lixels.first[lixels.segment]) * lixels.length_m
    table = pd.DataFrame(
        {
            "segment_id": lixels.graph.segment_id[lixels.segment],
            "from_m": start,
            "to_m": start + lixels.length_m,
            "kernel_collisions_per_km": density_per_m * 1000,
            "kernel_collisions_per_km_year": density_per_m * 1000 / (np.nan if years is None else years),
        }
    )
    lines = stretches(measure(lixels.graph.lines), lixels.segment, start, start + lixels.length_m)
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(lines, crs=crs))
