"""Segments that look like treated ones: a comparison group by sight."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.metrics import pairwise_distances_chunked

from geo.safety.interventions.times import Integers

_MEMORY_MB = 64
HALF = 0.5
"""No look-alike is less alike than the half of its class that is most alike."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What is looked for.

    Attributes
    ----------
    most
        How many look-alikes a segment has at most.
    band
        A look-alike has between this times less and this times more traffic, where both are known.
    apart_m
        Segments nearer than this on the ground are none (metres): their tiles show the same pixels, and traffic that
        left the treated road may have gone there.
    """

    most: int
    band: float
    apart_m: float


def look_alikes(
    segments: gpd.GeoDataFrame, space: NDArray[np.floating], treated: Integers, wanted: Alike
) -> csr_array:
    """Find the segments that look most like treated ones.

    Of the same class, of like traffic, apart on the ground, and in the half of the class that is most alike by the
    cosine of fingerprints.

    Parameters
    ----------
    segments
        ``road_class`` and ``aadt`` (vehicles a day; null is not known); LineStrings in metres.
    space
        Array ``(segments, dimension)``, the space that types are found in; a row that is not finite has no look.
    treated
        Positions of the segments whose look-alikes are sought.
    wanted
        How many, and how near.

    Returns
    -------
    ``(segments, segments)`` of 0 and 1: rows of others than the treated ones are empty.
    """
    n = len(segments)
    points = np.asarray(space, dtype=np.float64)
    length = np.linalg.norm(points, axis=1)
    seen = np.isfinite(length) & (length > 0)
    points = np.where(seen[:, None], points / np.where(seen, length, 1.0)[:, None], 0.0)
    mine = np.asarray(treated)[seen[treated]]
    if not len(mine):
        return csr_array((n, n))
    code, _ = pd.factorize(segments["road_class"].astype(object), use_na_sentinel=False)
    traffic = np.log(segments["aadt"].astype("float64").where(lambda v: v > 0).to_numpy())
    close = _close(segments.geometry.to_numpy(), mine, wanted.apart_m)
    found: list[tuple[Integers, Integers]] = []
    start = 0
    for chunk in pairwise_distances_chunked(points[mine], points, metric="cosine", working_memory=_MEMORY_MB):
        these = mine[start : start + len(chunk)]
        peers = seen & (code == code[these][:, None]) & (np.arange(n) != these[:, None])
        distance = np.where(peers, np.round(chunk, 9), np.nan)
        rank = pd.DataFrame(distance).rank(axis=1, method="min").to_numpy()
        good = peers & (rank <= np.maximum(peers.sum(axis=1, keepdims=True) * HALF, 1.0))
        good &= ~close[start : start + len(chunk)]
        good &= ~(np.abs(traffic - traffic[these][:, None]) > np.log(wanted.band))
        order = np.argsort(np.where(good, distance, np.inf), axis=1, kind="stable")[:, : wanted.most]
        i, j = np.nonzero(np.take_along_axis(good, order, axis=1))
        found.append((these[i], order[i, j]))
        start += len(chunk)
    row, column = (np.concatenate(part) for part in zip(*found, strict=True))
    return csr_array((np.ones(len(row)), (row, column)), shape=(n, n))


def _close(lines: NDArray[np.object_], mine: Integers, apart_m: float) -> NDArray[np.bool_]:
    """Tell which segments lie near treated ones, ``(treated, segments)``."""
    near, at = shapely.STRtree(lines[mine]).query(lines, predicate="dwithin", distance=apart_m)
    found = np.zeros((len(mine), len(lines)), dtype=bool)
    found[at, near] = True
    return found
