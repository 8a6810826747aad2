"""Types of road found in several cities together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from geo.clusters.evidence.choose import EVIDENCE, choose_k
from geo.clusters.evidence.groupings import NONE, match
from geo.clusters.evidence.regrouping import SAMPLED
from geo.clusters.fit import order_by_size
from geo.clusters.graph.ground import same_ground
from geo.clusters.graph.smoothing import smooth
from geo.clusters.methods.kind import Beside, ClusteringKind, Fit
from geo.clusters.methods.mending import distinct, middles
from geo.clusters.registry import method_of
from geo.clusters.space import Points, Space, fit_space
from geo.clusters.typology.made_by import MadeBy, refuse_other
from geo.clusters.typology.model import (
    Arrays,
    Card,
    Evidence,
    FittedCity,
    KnownType,
    Settings,
    Typology,
    Weight,
)
from geo.config import Clusters
from geo.errors import ConfigurationError, LayerError
from geo.features.encoder import Embeddings
from geo.outputs.names import Named
from geo.outputs.palette import look

A_CITY: Weight = "city"
"""Every city counts alike, unless told otherwise."""
MOST = 20_000
"""So many segments take part at most; of more, as many of each city as there is room for, evenly by id."""
BEYOND = 99.0
"""Percentile of the distances of a type's own segments beyond which a new one is like none."""
FOLDS = 5
"""Into so many parts a single city is divided, to see how far segments lie that were not there."""
NO_SPREAD = 1e-3
"""Segments of a type that lie no further from its middle than this do not differ: it is one segment, or of one look."""
ANY = 2.0
"""No two points of length 1 lie further apart."""
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class CityLooks:
    """What the segments of a city look like, and what is known of them.

    Attributes
    ----------
    city
        Its name.
    vectors
        Fingerprints, ``(segments, dimension)``.
    roads
        One row a fingerprint, in their order: ``segment_id``, lines in metres; ``name`` and ``ref`` where known.
    made_by
        What made the fingerprints (`geo.clusters.typology.made_by.made_by`).
    digest
        Of the file of fingerprints; empty: there is none.
    types
        Number of the type of each segment in the city's own run, null: none; by row. None: not known.
    names
        What the analyst calls these types, by number.
    """

    city: str
    vectors: Embeddings
    roads: gpd.GeoDataFrame
    made_by: MadeBy
    digest: str
    types: pd.Series | None = None
    names: Mapping[int, Named] = field(default_factory=dict)

    @property
    def lengths_m(self) -> NDArray[np.float64]:
        """Length of each segment (metres)."""
        found: NDArray[np.float64] = self.roads.geometry.length.to_numpy(dtype=np.float64)
        return found


@dataclass(frozen=True)
class Fitted:
    """A typology as it was fitted, and where the segments that took part are in it.

    Attributes
    ----------
    typology
        With types numbered by falling weight, and no names.
    kept
        Rows of each city that took part.
    labels
        Place of the type of each of these, cities one after the other.
    """

    typology: Typology
    kept: list[Rows]
    labels: Rows


def fit_typology(
    cities: Sequence[CityLooks], settings: Clusters, *, weight: Weight = A_CITY, most: int = MOST
) -> Fitted:
    """Find types of road in several cities together.

    Segments are weighted by repetition: a sample with repetition, drawn evenly along their cumulated weight
    (systematic sampling; Madow and Madow 1944, Annals of Mathematical Statistics 15:1-24), makes the space and the
    groups, so that any way of clustering follows the weights. What each segment is drawn towards, and the evidence for
    the number of types, count each segment once.

    Parameters
    ----------
    cities
        At least one; in any CRS each.
    settings
        The section ``clusters`` of a city's file; ``k`` may be given.
    weight
        ``city``: cities count alike, whatever their size; ``length``: by the length of their segments; ``segment``: all
        segments alike.
    most
        So many segments take part at most (number).

    Raises
    ------
    LayerError
        When there is no city, one is there twice or has no fingerprints, or all segments look the same.
    EncoderError
        When the looks of two cities were not made alike.
    ConfigurationError
        When ``clusters.k`` is above the number of segments.
    """
    _check(cities, settings)
    settings = method_of(settings)
    kept = _kept([len(one.vectors) for one in cities], most)
    vectors = np.concatenate([one.vectors[rows] for one, rows in zip(cities, kept, strict=True)])
    drawn = draw_evenly(_weights(cities, kept, weight))
    space = _space(vectors, drawn, settings)
    same = _same(cities, kept)
    # as they are kept in the file, so that the same comes of it before and after
    points = _single(space.of(vectors))
    smoothed = _single(smooth(points, settings, same if settings.neighbours else None))
    beside = Beside(same)
    choice = choose_k(points, settings, smoothed=smoothed, beside=beside)
    k = int(choice.loc[choice["chosen"], "k"].iloc[0])
    fit, labels = _types(smoothed, drawn, k, settings, beside)
    centres = middles(points[drawn], labels[drawn], len(fit.centroids))
    parts = _parts([len(rows) for rows in kept])
    limits = _limits(vectors, points, centres, labels, drawn, parts, settings)
    partitions, counterparts = _partitions((points, smoothed), drawn, labels, settings, beside)
    lengths = np.concatenate([one.lengths_m[rows] for one, rows in zip(cities, kept, strict=True)])
    arrays = Arrays(
        mean=space.mean,
        axes=space.axes,
        deviation=space.deviation,
        anchors=points.astype(np.float32),
        apart=np.stack(same.nonzero(), axis=1).astype(np.int32),
        centroids=fit.centroids,
        middles=centres,
        limits=limits,
        partitions=partitions,
        counterparts=counterparts,
    )
    types = _plain_types(labels, lengths, len(fit.centroids))
    return Fitted(
        Typology(_card(cities, kept, settings, weight, (types, _evidence(choice))), arrays), kept, labels
    )


def _space(vectors: Embeddings, drawn: Rows, settings: Clusters) -> Space:
    """Fit the space to what was drawn, and refuse segments that it cannot tell apart."""
    space, _ = fit_space(vectors[drawn], settings)
    if not space.axes.any():
        raise LayerError(
            "all segments look exactly the same",
            where="fingerprints",
            todo="Look at the imagery under the roads.",
        )
    return space


def _same(cities: Sequence[CityLooks], kept: Sequence[Rows]) -> sp.csr_array:
    """Say which segments that take part show the same ground; those of two cities never do."""
    tile_m = _tile_m(cities[0].made_by)
    blocks = [
        same_ground(one.roads.iloc[rows], tile_m=tile_m) for one, rows in zip(cities, kept, strict=True)
    ]
    return sp.csr_array(sp.block_diag(blocks, format="csr"))


def _card(
    cities: Sequence[CityLooks],
    kept: Sequence[Rows],
    settings: Clusters,
    weight: Weight,
    found: tuple[list[KnownType], list[Evidence]],
) -> Card:
    """Write down what the typology was made of and with, and what was found: its types, and how many there are."""
    types, choice = found
    as_asked = ("method", "components", "whitening", "neighbours", "smoothing", "seed")
    return Card(
        version=1,
        made_by=cities[0].made_by,
        settings=Settings(
            **{name: getattr(settings, name) for name in as_asked},
            weight=weight,
            tile_m=_tile_m(cities[0].made_by),
        ),
        cities=[
            FittedCity(
                city=one.city,
                fingerprints=one.digest,
                segments=len(one.vectors),
                kept=len(rows),
                length_km=round(float(one.lengths_m.sum()) / 1000, 6),
            )
            for one, rows in zip(cities, kept, strict=True)
        ],
        types=types,
        choice=choice,
    )


def draw_evenly(weights: NDArray[np.float64], size: int | None = None) -> Rows:
    """Draw rows with repetition, each as often as its weight asks, to less than one.

    Parameters
    ----------
    weights
        Above 0, ``(n,)``.
    size
        How many are drawn; None: twice as many as there are rows, or as many where all weigh alike.

    Returns
    -------
    Rows, rising; nothing is drawn at random.

    Examples
    --------
    >>> draw_evenly(np.array([1.0, 1.0, 2.0]), 4).tolist()
    [0, 1, 2, 2]
    """
    n = len(weights)
    if size is None:
        size = n if np.allclose(weights, weights[0]) else 2 * n
    ends = np.cumsum(weights)
    places = (np.arange(size) + 0.5) * (ends[-1] / size)
    rows: Rows = np.minimum(np.searchsorted(ends, places, side="left"), n - 1)
    return rows


def _check(cities: Sequence[CityLooks], settings: Clusters) -> None:
    """Refuse what no types can be found of."""
    if not cities:
        raise LayerError(
            "there is no city to find types in",
            where="roadprint typology fit",
            todo="Name cities' files or folders of finished runs.",
        )
    _refuse_twice(cities)
    for one in cities:
        if not len(one.vectors):
            raise LayerError(
                "no segment of it has a fingerprint", where=one.city, todo="Look at its imagery."
            )
        refuse_other(one.made_by, cities[0].made_by, where=one.city, what=cities[0].city)
    segments = sum(len(one.vectors) for one in cities)
    if settings.k != "auto" and settings.k > segments:
        raise ConfigurationError(
            f"{settings.k} types are asked for, and only {segments} segments have a fingerprint",
            where="clusters.k",
            todo="Ask for fewer types, or leave the key out.",
        )


def _refuse_twice(cities: Sequence[CityLooks]) -> None:
    """Refuse a city that is there twice: it would weigh double, and never be left out where limits are found."""
    for what in ("city", "digest"):
        seen: dict[str, str] = {}
        for one in cities:
            name = getattr(one, what)
            if name and name in seen:
                same = "of one name" if what == "city" else f"of the same fingerprints ({seen[name]})"
                raise LayerError(
                    f"there are two cities {same}, which would count twice",
                    where=one.city,
                    todo="Name one run, or the file, of each city.",
                )
            seen[name] = one.city


def _kept(counts: Sequence[int], most: int) -> list[Rows]:
    """Choose rows of each city, evenly: all where there is room for them, of large cities as many of each."""
    room, kept = most, [0] * len(counts)
    by_size = sorted(range(len(counts)), key=counts.__getitem__)
    for done, city in enumerate(by_size):
        kept[city] = min(counts[city], room // (len(counts) - done))
        room -= kept[city]
    return [
        np.linspace(0, count - 1, some).round().astype(np.int64) if some else np.arange(0)
        for count, some in zip(counts, kept, strict=True)
    ]


def _weights(cities: Sequence[CityLooks], kept: Sequence[Rows], weight: Weight) -> NDArray[np.float64]:
    """Say what each segment that takes part counts for."""
    found = []
    for one, rows in zip(cities, kept, strict=True):
        if weight == "length":
            lengths = one.lengths_m
            found.append(lengths[rows] * (lengths.sum() / lengths[rows].sum()))
        else:
            found.append(np.full(len(rows), (1.0 if weight == "city" else len(one.vectors)) / len(rows)))
    return np.concatenate(found)


def _types(
    smoothed: Points, drawn: Rows, k: int, settings: ClusteringKind, beside: Beside
) -> tuple[Fit, Rows]:
    """Group what was drawn, and give all segments to the nearest centroid; types by falling weight."""
    grouped = smoothed[drawn]
    fit = settings.fit(grouped, min(k, len(distinct(grouped)[0])), beside=beside.of(drawn))
    rank = order_by_size(fit.labels) - 1
    order = np.empty(len(fit.centroids), dtype=np.int64)
    order[rank] = fit.labels
    ordered = Fit(rank, fit.centroids[order])
    return ordered, ordered.nearest(smoothed)


def _parts(counts: Sequence[int]) -> Rows:
    """Give the part that each segment is left out with: its city, or of one city every fifth segment."""
    if len(counts) > 1:
        return np.repeat(np.arange(len(counts)), counts)
    return np.arange(counts[0]) % FOLDS


def _limits(
    vectors: Embeddings,
    points: Points,
    centres: Points,
    labels: Rows,
    drawn: Rows,
    parts: Rows,
    settings: ClusteringKind,
) -> NDArray[np.float64]:
    """Say how far from the middle of each type a segment that was not there lies, if it is of the type.

    The percentile `BEYOND` of distances of segments that were left out when the space and the middles were made: a
    segment lies nearer to what it was itself part of. A type whose segments do not differ, which tell nothing of how
    far others of it lie, has the mean limit of the other types.
    """
    k = len(centres)
    own = np.linalg.norm(points - centres[labels], axis=1)
    apart = np.full(len(points), np.nan)
    for part in np.unique(parts):
        others = drawn[parts[drawn] != part]
        out = np.flatnonzero(parts == part)
        if len(others):
            space, _ = fit_space(vectors[others], settings)
            there = middles(space.of(vectors)[others], labels[others], k)
            apart[out] = np.linalg.norm(space.of(vectors[out]) - there[labels[out]], axis=1)
    mine = labels[drawn]
    inside = np.array([np.percentile(own[drawn][mine == place], BEYOND) for place in range(k)])
    seen = [apart[drawn][(mine == place) & np.isfinite(apart[drawn])] for place in range(k)]
    outside = np.array([np.percentile(one, BEYOND) if len(one) else np.nan for one in seen])
    differ = inside > NO_SPREAD
    known = np.isfinite(outside) & differ
    # a type of one city alone lies for others as much further off as types do in the mean
    further = float(np.mean(outside[known] / inside[known])) if known.any() else 1.0
    limits = np.fmax(inside, np.where(known, outside, inside * further))
    return np.where(differ, limits, limits[differ].mean() if differ.any() else ANY)


def _partitions(
    places: tuple[Points, Points], drawn: Rows, labels: Rows, settings: ClusteringKind, beside: Beside
) -> tuple[Points, Rows]:
    """Group bootstrap samples, and say which type each group is the counterpart of.

    As `geo.clusters.evidence.regrouping.regroup` does; segments that a sample has several times are smoothed as one.
    """
    points, smoothed = places
    rng = np.random.default_rng(settings.seed)
    k = int(labels.max()) + 1
    centroids = np.zeros((settings.groupings, k, smoothed.shape[1]))
    counterparts = np.full((settings.groupings, k), -1, dtype=np.int64)
    for place in range(settings.groupings):
        rows, times = np.unique(rng.choice(drawn, min(len(drawn), SAMPLED)), return_counts=True)
        sample = np.repeat(smooth(points[rows], settings, beside.of(rows).left_out), times, axis=0)
        looks = len(distinct(sample)[0])
        again = np.repeat(rows, times)
        fit = settings.fit(sample, min(k, looks), thorough=False, beside=beside.of(again))
        found = middles(smoothed[again], fit.labels)
        groups = Fit(fit.labels, found).nearest(smoothed)
        matched = match(labels + 1, groups)
        which, first = np.unique(groups, return_index=True)
        # a sample with fewer groups repeats its first, which then comes before its double
        centroids[place] = found[0]
        centroids[place, : len(found)] = found
        counterparts[place, which] = np.where(matched[first] == NONE, -1, matched[first] - 1)
    return centroids, counterparts


def _plain_types(labels: Rows, lengths: NDArray[np.float64], k: int) -> list[KnownType]:
    counts, metres = np.bincount(labels, minlength=k), np.bincount(labels, lengths, minlength=k)
    return [
        KnownType(
            number=place + 1,
            colour=look(place + 1).colour.upper(),
            segments=int(counts[place]),
            length_km=round(float(metres[place]) / 1000, 6),
        )
        for place in range(k)
    ]


def _evidence(choice: pd.DataFrame) -> list[Evidence]:
    return [
        Evidence(
            k=int(row["k"]),
            chosen=bool(row["chosen"]),
            **{name: None if pd.isna(row[name]) else float(row[name]) for name in EVIDENCE},
        )
        for row in choice.to_dict("records")
    ]


def _tile_m(made: MadeBy) -> float:
    side = made.get("emb:chip_layout.chip_size_m")
    if not isinstance(side, int | float):
        raise LayerError(
            "its fingerprints do not say how large a tile is",
            where="fingerprints",
            todo="Run the city again.",
        )
    return float(side)


def _single(points: Points) -> Points:
    return points.astype(np.float32).astype(np.float64)
