"""The types of a city's roads: segments grouped by what they look like, with what shows and judges each group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from geo.clusters.evidence.choose import SILHOUETTE_SAMPLE, choose_k, less_stable
from geo.clusters.evidence.doubts import doubts
from geo.clusters.evidence.groupings import NONE, Membership, match, membership
from geo.clusters.evidence.merging import what_merging_loses
from geo.clusters.evidence.regrouping import regroup
from geo.clusters.fit import Clustering, Labels, about, cluster
from geo.clusters.found.prototypes import pick_with_tiles
from geo.clusters.graph.ground import same_ground
from geo.clusters.graph.smoothing import smooth
from geo.clusters.hands.taking_up import CORRECTED, MADE, NO_HANDS, Hands, TakenUp, take_up
from geo.clusters.likeness.alike import most_alike
from geo.clusters.likeness.chance import likeness_of_pairs
from geo.clusters.methods.heads.views import Looks, views_of
from geo.clusters.methods.kind import Beside, ClusteringKind
from geo.clusters.registry import method_of
from geo.clusters.space import Points, Space, fit_space, to_space
from geo.clusters.whitening.scatter import Scatter
from geo.clusters.whitening.whiten import Whitening, even_out
from geo.config import Clusters, Tiles
from geo.features.encoder import Embeddings
from geo.features.fingerprints import Fingerprints
from geo.features.pooling import judge

APART_TILES = 2.0
"""Segments that look alike are so many tiles' sides apart, or they would show the same street."""
_AS_CONFIGURED, _TILES = Clusters(), Tiles()


@dataclass(frozen=True, slots=True)
class RoadTypes:
    """Segments in groups.

    Attributes
    ----------
    segments
        One row a segment with imagery, by id: ``segment_id``, ``cluster`` (from 1; 1 is the largest, unless numbers are
        kept), ``cluster_found`` and ``cluster_source`` (see `geo.clusters.hands.taking_up.TakenUp`),
        ``cluster_margin`` (see `geo.clusters.fit.Clustering`), ``cluster_probability`` and ``cluster_second`` (see
        `geo.clusters.evidence.groupings.Membership`; null: none), ``cluster_baseline`` (the same method on band
        statistics) and ``looks_like`` (ids joined by ``;``, null without any: fewer where fewer look so much like it as
        `geo.clusters.likeness.chance` asks).
    picks
        Segments that stand for each type (`geo.clusters.found.prototypes.pick`), with the ``tile_id`` to show of each.
    choice
        The evidence for the number of types, one row a number (`geo.clusters.evidence.choose.choose_k`).
    groupings
        One row a segment, as in `segments`: ``segment_id`` and ``clusters``, the type that it belongs to in each of
        ``clusters.groupings`` bootstrap groupings (`geo.clusters.evidence.regrouping`; 0: what is none of the types).
    merging
        What is lost where two types are made one (`geo.clusters.evidence.merging.what_merging_loses`).
    quality
        ``encoder`` and ``baseline``: effective rank, spread, warnings and ``silhouette`` (null where there is none);
        ``agreement_with_baseline`` (adjusted Rand index), ``k``, and ``hands``: what analysts said, in figures (null:
        nothing).
    taken
        What was taken up of what analysts said; None: types are those of a typology.
    """

    segments: pd.DataFrame
    picks: pd.DataFrame
    choice: pd.DataFrame
    groupings: pd.DataFrame
    merging: pd.DataFrame
    quality: dict[str, Any]
    taken: TakenUp | None = None

    def without_baseline(self) -> RoadTypes:
        """Leave out the baseline where there is no imagery of which band statistics could be made."""
        segments = self.segments.assign(
            cluster_baseline=pd.Series(pd.NA, index=self.segments.index, dtype="Int64")
        )
        none = {"effective_rank": np.nan, "spread": np.nan, "warnings": [], "silhouette": None}
        baseline = self.quality["baseline"] | none
        quality = self.quality | {"baseline": baseline, "agreement_with_baseline": np.nan}
        return replace(self, segments=segments, quality=quality)


def find_types(
    fingerprints: Fingerprints,
    tiles: pd.DataFrame,
    segments: gpd.GeoDataFrame,
    settings: Clusters = _AS_CONFIGURED,
    *,
    tile_m: float = _TILES.tile_m,
    scatter: Scatter | None = None,
    looks: Iterable[Looks] = (),
    hands: Hands = NO_HANDS,
) -> RoadTypes:
    """Group segments by what they look like, and beside it by band statistics alone, which no encoder made.

    Parameters
    ----------
    fingerprints
        What the segments look like.
    tiles
        One row an encoded tile: ``tile_id, segment_id, position_m`` (metres).
    segments
        ``segment_id`` and LineStrings in metres; those without a fingerprint are in no group. With ``road_class``,
        look-alikes are held against random pairs of their class, else against those of all roads.
    settings
        The section ``clusters`` of the city's file.
    tile_m
        Side of a tile (metres).
    scatter
        How the quarter turns of a tile scatter, by which fingerprints are evened out before all else; None where
        ``clusters.turn_whitening`` is off.
    looks
        Other looks of segments, of tiles or of turns, part by part; for ways of clustering that use them
        (`geo.clusters.methods.kind.ClusteringKind.uses_views`).
    hands
        What types are called by earlier runs, and what analysts say of them: taken up before anything tells of them.

    Returns
    -------
    The types. No collision is seen in finding them.

    Raises
    ------
    LayerError
        When it is on and turns are not known.

    Examples
    --------
    Twenty roads of two looks, which lie 300 m apart:

    >>> from geo.config import Clusters, Tiles
    >>> from geo.features.fingerprints import fingerprint
    >>> from shapely import LineString
    >>> ids = [f"s{i:02d}" for i in range(20)]
    >>> lines = [LineString([(300 * i, 0), (300 * i + 90, 0)]) for i in range(20)]
    >>> segments = gpd.GeoDataFrame({"segment_id": ids}, geometry=lines, crs=27700)
    >>> tiles = pd.DataFrame({"tile_id": ids, "segment_id": ids, "position_m": 45.0, "coverage": 1.0})
    >>> tiles["embedding"] = [[1.0, 0.1 * i, 0.0] if i < 12 else [0.0, 0.1 * i, 9.0] for i in range(20)]
    >>> tiles["bands"] = tiles["embedding"]
    >>> types = find_types(fingerprint(tiles), tiles, segments, Clusters(k=2))
    >>> types.segments["cluster"].value_counts().sort_index().tolist()
    [12, 8]
    >>> types.segments["looks_like"].iloc[3].split(";")[0] in ids[:12]
    True
    """
    ids, settings = fingerprints.segment_ids, method_of(settings)
    roads = segments.set_index("segment_id").loc[ids]
    same = _same(roads, settings, tile_m)
    space, points = fit_space(even_out(fingerprints.vectors, settings, scatter), settings)
    beside = Beside(same, views_of(looks, ids, into(space, fingerprints.vectors, scatter)))
    smoothed = _drawn(points, settings, same)
    found = _by_looks(points, smoothed, settings, beside)
    labels, groupings = _numbered(found.types.labels, found.groupings, ids, hands)
    taken = take_up(points if smoothed is None else smoothed, labels, ids, hands)
    final, groupings = _described(points, found.types, labels, taken), _after(groupings, taken, hands.merges)
    by_bands = _by_bands(fingerprints.bands, found.k, settings, same)
    table = _membership(ids, final, membership(final.labels, groupings), taken) | {
        "cluster_found": pd.array(labels, dtype="Int64"),
        "cluster_source": taken.source,
        "cluster_baseline": pd.array(by_bands[1].labels, dtype="Int64"),
        "looks_like": looks_like(ids, points, final, roads, APART_TILES * tile_m),
    }
    quality = _quality(fingerprints, (points, final), by_bands, [*too_few(settings, len(ids)), *found.told])
    said = taken.as_dict() if hands.corrections or hands.merges else None
    return RoadTypes(
        pd.DataFrame(table),
        pick_with_tiles(ids, final, table["cluster_probability"], tiles, seed=settings.seed),
        found.choice,
        pd.DataFrame({"segment_id": ids, "clusters": list(groupings)}),
        what_merging_loses(points, final.labels, groupings),
        quality | {"hands": said},
        taken,
    )


@dataclass(frozen=True, slots=True)
class _ByLooks:
    """Types as looks alone give them.

    Attributes
    ----------
    types
        By size.
    groupings
        The type of each segment in other groupings, in the same numbers, ``(n, groupings)``.
    choice, k
        The evidence for their number, and the one that was chosen.
    told
        What whoever relies on them must know, in words.
    """

    types: Clustering
    groupings: Labels
    choice: pd.DataFrame
    k: int
    told: list[str]


def _same(roads: gpd.GeoDataFrame, settings: ClusteringKind, tile_m: float) -> sp.csr_array | None:
    """Tell which segments show the same ground, where neighbours are asked for."""
    asked = settings.neighbours or settings.chooser().neighbours
    return same_ground(roads, tile_m=tile_m) if asked else None


def _by_looks(points: Points, smoothed: Points | None, settings: ClusteringKind, beside: Beside) -> _ByLooks:
    """Choose the number of types, find them, and group other samples of the segments into as many."""
    chooser = settings.chooser()
    weighed = smoothed if chooser is settings else _drawn(points, chooser, beside.left_out)
    choice = choose_k(points, chooser, smoothed=weighed, beside=beside)
    k = int(choice.loc[choice["chosen"], "k"].iloc[0])
    types = cluster(points, k, settings, smoothed=smoothed, beside=beside)
    again = regroup(points, [types.k], settings, settings.groupings, beside, smoothed=smoothed)
    groupings = np.column_stack([match(types.labels, groups) for (groups,) in again])
    unsteady = less_stable(types.labels, groupings, choice, settings)
    few = _fewer(settings, len(points), types.k)
    told = [*types.notes, *few, *unsteady, *doubts(types.labels, groupings)]
    return _ByLooks(types, groupings, choice, k, told)


def _quality(
    looks: Fingerprints,
    by_looks: tuple[Points, Clustering],
    by_bands: tuple[Points, Clustering],
    told: Sequence[str],
) -> dict[str, Any]:
    """Say how well segments are told apart by what they look like, and by band statistics alone."""
    encoder = judged(looks.vectors, *by_looks)
    return {
        "encoder": encoder | {"warnings": [*encoder["warnings"], *told]},
        "baseline": judged(looks.bands, *by_bands),
        "agreement_with_baseline": float(adjusted_rand_score(by_looks[1].labels, by_bands[1].labels)),
        "k": by_looks[1].k,
    }


def _by_bands(
    bands: Embeddings, k: int, settings: Clusters, same: sp.csr_array | None
) -> tuple[Points, Clustering]:
    """Group segments by band statistics alone, into as many groups; with where they lie by them."""
    points = to_space(bands, settings)
    drawn = smooth(points, settings, same)
    return points, cluster(points, k, settings, smoothed=drawn, beside=Beside(same))


def _membership(ids: pd.Index, final: Clustering, sure: Membership, taken: TakenUp) -> dict[str, Any]:
    """Say of each segment which type it is of and how surely; of a type that an analyst gave, nothing is sure."""
    known = ~np.isin(taken.source, [CORRECTED, MADE])
    second = pd.Series(sure.second, dtype="Int64")
    return {
        "segment_id": ids,
        "cluster": pd.array(final.labels, dtype="Int64"),
        "cluster_margin": final.margin,
        "cluster_probability": np.where(known, sure.probability, np.nan),
        "cluster_second": second.where(known & (sure.second != NONE)),
    }


def _numbered(labels: Labels, groupings: Labels, ids: pd.Index, hands: Hands) -> tuple[Labels, Labels]:
    """Give types, and their counterparts in other groupings, their lasting numbers."""
    if hands.numbering is None:
        return labels, groupings
    numbers = hands.numbering(pd.DataFrame({"segment_id": ids, "cluster": pd.array(labels, dtype="Int64")}))
    lasting = np.full(labels.max(initial=0) + 1, NONE, dtype=np.int64)
    lasting[list(numbers)] = list(numbers.values())
    return lasting[labels], lasting[groupings]


def _described(points: Points, found: Clustering, labels: Labels, taken: TakenUp) -> Clustering:
    """Measure how segments lie in the types that they have in the end; where these are as found, as it was measured."""
    if (taken.labels == labels).all():
        return replace(found, labels=labels)
    return about(points, taken.labels)


def _after(groupings: Labels, taken: TakenUp, merges: Mapping[int, int]) -> Labels:
    """Bring other groupings to the types that there are in the end.

    A type that an analyst gave holds in all of them; one that an analyst made has no counterpart in any.
    """
    numbers = np.arange(groupings.max(initial=0) + 1)
    ends = np.array([merges.get(one, one) for one in numbers.tolist()], dtype=np.int64)
    after: Labels = np.where(np.isin(ends, taken.labels), ends, NONE)[groupings]
    given = taken.source == CORRECTED
    after[given] = taken.labels[given, None]
    after[taken.source == MADE] = NONE
    return after


def _drawn(points: Points, settings: Clusters, same: sp.csr_array | None) -> Points | None:
    """Give where points are drawn before they are grouped; None: nowhere."""
    drawn = smooth(points, settings, same)
    return None if drawn is points else drawn


def into(space: Space, embeddings: Embeddings, scatter: Scatter | None) -> Callable[[Embeddings], Points]:
    """Give what brings other vectors to where fingerprints were brought."""
    if scatter is None:
        return space.of
    whitening = Whitening.fit(embeddings, scatter)
    return lambda vectors: space.of(whitening.transform(vectors).astype(np.float32))


def looks_like(
    ids: pd.Index, points: Points, found: Clustering, roads: gpd.GeoDataFrame, apart_m: float
) -> list[str | None]:
    """Name the segments that look most like each, joined by ``;``.

    Parameters
    ----------
    ids
        ``segment_id`` of each segment.
    points, found
        Where they lie in the space of looks, and their types.
    roads
        Their lines in metres, with ``road_class`` where known.
    apart_m
        Least distance of two that look alike (metres).
    """
    places = roads.geometry.interpolate(0.5, normalized=True).get_coordinates().to_numpy()
    classes = roads.get("road_class", pd.Series(None, index=roads.index, dtype=object))
    least = likeness_of_pairs(points, classes, places).limits(classes)
    best = most_alike(points, found.labels, places, apart_m=apart_m, least=least)
    return [";".join(ids[row[row >= 0]]) or None for row in best]


def judged(embeddings: Embeddings, points: Points, found: Clustering) -> dict[str, Any]:
    """Say how well embeddings tell segments apart, with the mean silhouette of the partition, if it has one."""
    silhouette = None
    if 1 < found.k < len(points):
        size = min(SILHOUETTE_SAMPLE, len(points))
        with threadpool_limits(limits=1):
            silhouette = float(silhouette_score(points, found.labels, sample_size=size, random_state=0))
    return judge(embeddings).as_dict() | {"silhouette": silhouette}


def too_few(settings: Clusters, segments: int) -> list[str]:
    """Warn where more clusters are asked for than so many segments can make types of.

    Parameters
    ----------
    settings
        The section ``clusters`` of the city's file.
    segments
        Number of segments with imagery.
    """
    if settings.k == "auto" or 2 * settings.k <= segments:
        return []
    return [
        f"clusters.k is {settings.k}, and only {segments} segments have imagery: a type of one road is no type"
    ]


def _fewer(settings: Clusters, segments: int, found: int) -> list[str]:
    """Warn where many segments have fewer looks than clusters are asked for."""
    if settings.k == "auto" or found >= settings.k or too_few(settings, segments):
        return []
    return [
        f"clusters.k is {settings.k}, and segments differ in {found} looks alone: there are {found} types"
    ]
