"""A correction tried on a sample before it is made: what it does to types, and to what roads tell of each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.clusters.evidence.choose import choose_k
from geo.clusters.fit import cluster
from geo.clusters.flights.evidence import Evidence, gather_evidence
from geo.clusters.flights.likeness import Change, compare
from geo.clusters.graph.smoothing import smooth
from geo.clusters.registry import method_of
from geo.clusters.space import Points, to_space
from geo.config import Clusters

TRIED = 400
"""Segments of each flight that a correction is tried on."""
KEPT = ("k", "k_range", "seed", "components", "whitening", "neighbours", "smoothing", "resamples")
"""Settings of types that hold in a trial."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a correction does.

    Attributes
    ----------
    segments
        How many it was tried on.
    before, after
        Figures without it and with it (`geo.clusters.flights.evidence.Evidence.figures`).
    change
        What it does to transfer; None: that cannot be told.
    """

    segments: int
    before: dict[str, float | None]
    after: dict[str, float | None]
    change: Change | None

    @property
    def undone(self) -> bool:
        """Whether it lowers transfer."""
        return self.change is not None and self.change.undone

    def said(self, what: str) -> str:
        """Say in a sentence what came of it.

        Parameters
        ----------
        what
            Name of the correction, with its key.
        """
        tried = f"{what}, tried on {self.segments:,} segments"
        if self.change is None:
            why = "whether roads of one class look alike from flight to flight cannot be told"
            return f"{tried}, stays unjudged: {why}"
        one, other = (self.before["transfer"] or 0.0, self.after["transfer"] or 0.0)
        limits = f"{self.change.low:+.3f} to {self.change.high:+.3f}"
        became = f"the transfer of road class from flight to flight {one:.2f} to {other:.2f} ({limits})"
        share = f"information shared by type and flight {self.before['nmi'] or 0:.2f} to {self.after['nmi'] or 0:.2f}"
        if self.undone:
            return f"{tried}, was undone, for it takes {became}; {share}"
        return f"{tried}, stays: it takes {became}, and {share}"


def choose_tried(roads: pd.DataFrame, most: int | None = None) -> pd.Index:
    """Choose the segments that a correction is tried on, classes in turn.

    Parameters
    ----------
    roads
        ``flight`` (null: none) and ``road_class`` of segments, by id; ids are digests, so their order is as good as
        drawn by lot.
    most
        Of each flight at most so many; None: `TRIED`.
    """
    known = roads[roads["flight"].notna()].sort_index()
    turn = known.groupby(["flight", "road_class"], dropna=False).cumcount()
    ordered = known.assign(turn=turn).sort_values(["flight", "turn"], kind="stable")
    return ordered.groupby("flight").head(most or TRIED).index.sort_values()


def try_correction(
    before: NDArray[np.floating], after: NDArray[np.floating], roads: pd.DataFrame, settings: Clusters
) -> Trial:
    """Hold what is found with a correction against what is found without.

    Parameters
    ----------
    before, after
        Embeddings without it and with it, ``(n, dimension)``.
    roads
        One row a segment, in the same order: ``flight``, ``road_class``, ``length_m``, ``x``, ``y`` (metres).
    settings
        The section ``clusters`` of the city's file. Types are found among these segments alone by the default way, as
        many with the correction as without.
    """
    settings = method_of(Clusters.model_validate(settings.model_dump(include={*KEPT}, exclude_unset=True)))
    points = [to_space(vectors.astype(np.float32), settings) for vectors in (before, after)]
    smoothed = [smooth(one, settings) for one in points]
    choice = choose_k(points[0], settings, smoothed=smoothed[0])
    k = int(choice.loc[choice["chosen"], "k"].iloc[0])
    found = [_evidence(one, drawn, roads, k, settings) for one, drawn in zip(points, smoothed, strict=True)]
    change = None
    if found[0].alike is not None and found[1].alike is not None:
        change = compare(found[0].alike, found[1].alike, seed=settings.seed)
    return Trial(len(roads), found[0].figures(), found[1].figures(), change)


def _evidence(points: Points, smoothed: Points, roads: pd.DataFrame, k: int, settings: Clusters) -> Evidence:
    """Find types, and whether they follow the flights."""
    types = cluster(points, k, settings, smoothed=smoothed).labels
    return gather_evidence(roads.assign(cluster=types), points, seed=settings.seed)
