"""Which segments to show for a cluster, each kind named for what it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.clusters.fit import Clustering

SHOWN = 5
COLUMNS = ("cluster", "kind", "rank", "segment_id")


def pick(
    segment_ids: pd.Index,
    clustering: Clustering,
    probability: NDArray[np.float64] | None = None,
    *,
    seed: int,
    shown: int = SHOWN,
) -> pd.DataFrame:
    """Pick the segments that stand for each cluster.

    Parameters
    ----------
    segment_ids
        ``segment_id`` of each segment, in the order of the clustering.
    clustering
        The clusters of the segments, and how near each is to its centroid.
    probability
        How surely each segment is of its cluster (`geo.clusters.evidence.groupings.membership`); None: all are alike.
    seed
        Seed of the random draw: the same one picks the same segments.
    shown
        How many segments of each kind a cluster gets.

    Returns
    -------
    Rows of ``cluster``, ``kind``, ``rank`` (from 1) and ``segment_id``. The kinds: ``prototype``, nearest to the
    centroid; ``edge``, the least sure, and of these of the smallest margin (none where there is one cluster);
    ``random``, a seeded draw.
    """
    frame = pd.DataFrame(
        {
            "segment_id": segment_ids,
            "cluster": clustering.labels,
            "prototype": clustering.distance,
            "edge": clustering.margin,
            "sure": 1.0 if probability is None else probability,
            "random": np.random.default_rng(seed).random(len(segment_ids)),
        }
    )
    picks = []
    for kind in ("prototype", "edge", "random"):
        by = ["sure", kind] if kind == "edge" else [kind]
        ordered = frame.dropna(subset=[kind]).sort_values(["cluster", *by, "segment_id"])
        best = ordered.groupby("cluster").head(shown)
        picks.append(best.assign(kind=kind, rank=best.groupby("cluster").cumcount() + 1)[list(COLUMNS)])
    return pd.concat(picks, ignore_index=True)


def pick_with_tiles(
    segment_ids: pd.Index,
    clustering: Clustering,
    probability: NDArray[np.float64],
    tiles: pd.DataFrame,
    *,
    seed: int,
) -> pd.DataFrame:
    """Pick the segments that stand for each cluster (`pick`), by cluster, each with the ``tile_id`` to show of it.

    Parameters
    ----------
    segment_ids, clustering, probability, seed
        As of `pick`.
    tiles
        The encoded tiles, as of `central_tiles`.
    """
    picks = pick(segment_ids, clustering, probability, seed=seed)
    picks["tile_id"] = central_tiles(picks, tiles)
    return picks.sort_values("cluster", kind="stable", ignore_index=True)


def central_tiles(picks: pd.DataFrame, tiles: pd.DataFrame) -> pd.Series:
    """Choose the tile to show of each picked segment: the encoded one nearest to the segment's middle.

    Parameters
    ----------
    picks
        Picked segments, one row each, with ``segment_id``.
    tiles
        The encoded tiles: ``tile_id``, ``segment_id``, ``position_m``.

    Returns
    -------
    ``tile_id`` on the index of `picks`.
    """
    middle = tiles.groupby("segment_id")["position_m"].transform("mean")
    off = (tiles["position_m"] - middle).abs()
    best = tiles.assign(off=off).sort_values(["segment_id", "off", "tile_id"]).drop_duplicates("segment_id")
    return picks["segment_id"].map(best.set_index("segment_id")["tile_id"]).rename("tile_id")
