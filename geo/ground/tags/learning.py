"""Classes of ground from tags of tiles: what is learned, how well it holds elsewhere, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from geo.errors import LayerError
from geo.ground.contract import Features, GroundClass, Piece, Surroundings
from geo.ground.keys import OTHER, keys_of
from geo.ground.kind import Learned
from geo.ground.tags.classifier import TagScorer
from geo.ground.tags.judging import MOST_SHARE, Judged, blocks_of, folds_of, judge, overlap, together
from geo.ground.tags.pooling import Scorer, as_bags, fit_scorer, pooled
from geo.ground.tags.zones import ITEM, LEAST_CELLS, UNSEEN, Cells, Tagged, gather, tagged
from geo.ground.truth import NOT_TOLD, Truth, read_truth
from geo.ledger import Entry, merge
from geo.outputs.palette import UNKNOWN, look

if TYPE_CHECKING:
    from geo.ground.tags.settings import Tags

COMPONENTS, WHITENING = 64, 0.2
FITTED_ON = 100_000
"""The space is fitted on so many cells at most."""
LEAST_ZONES, LEAST_EACH = 40, 5
"""Fewer tiles with a tag known, or fewer that carry it or do not, teach nothing."""
SMALL_M = 60.0
"""Zones of a larger side are too large for tags that nearly all of them carry."""
CLASSES = "classes of tags"


@dataclass(frozen=True, slots=True)
class Space:
    """What features less `mean` are multiplied by, `axes`: ``(dimension,)`` and ``(dimension, components)``."""

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]

    def place(self, features: Features) -> Features:
        """Bring features ``(..., dimension)`` into the space."""
        return np.asarray((features - self.mean) @ self.axes, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Class:
    """What became of a tag: its scorer and how it was judged; `why` it is none where it is left out."""

    name: str
    why: str = ""
    scorer: Scorer | None = None
    judged: Judged | None = None
    ious: tuple[float, float, float] | None = None
    yes: int = 0
    known: int = 0


def learn_tags(pieces: Sequence[Piece], around: Surroundings, settings: Tags) -> Learned:
    """Learn a class of each tag; see `geo.ground.kind.GroundKind.learn`.

    Raises
    ------
    SourceError, LayerError
        When tags or truth cannot be read, or fewer than forty zones are tagged and seen.
    """
    found = tagged(settings, around)
    truth = _truth(settings, around)
    cells = gather(pieces, found.zones.geometry.to_numpy(), truth, settings.seed)
    seen = np.diff(cells.starts) >= LEAST_CELLS
    entries = [
        *found.entries,
        Entry(ITEM, "done", "", int(seen.sum())),
        Entry(ITEM, "rejected", UNSEEN, int((~seen).sum())),
    ]
    if int(seen.sum()) < LEAST_ZONES:
        raise LayerError(
            f"{len(seen):,} {found.unit}s are tagged, of which imagery shows {int(seen.sum()):,}; at least "
            f"{LEAST_ZONES} are needed",
            where="ground.tags",
            todo=f"Tag more {found.unit}s, yes as well as no, that imagery shows.",
        )
    kept = _Kept.of(cells, found, seen)
    space = fit_space(kept.cells, settings.seed)
    bags = as_bags(space.place(kept.cells), kept.starts)
    learned = [_learn(str(name), bags, kept, truth, settings.seed) for name in found.tags]
    entries += [
        Entry(CLASSES, "rejected" if one.why else "done", f"{one.name}: {one.why or _words(one)}", 1)
        for one in learned
    ]
    notes = [*_doubts(kept, found), *_refusals(learned), *_unnamed(learned, truth)]
    good = [one for one in learned if not one.why]
    classifier = _classifier(good, space) if good else None
    return Learned(classifier, tuple(entry for entry in merge(entries) if entry.count), tuple(notes))


def _truth(settings: Tags, around: Surroundings) -> Truth | None:
    if settings.truth is None:
        return None
    return read_truth(
        settings.truth, around.segments.crs, names=settings.truth_names, column=settings.truth_column
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    """Zones that are seen: their cells, zone after zone, tags, middles (metres), and what truth says of the cells."""

    cells: Features
    starts: NDArray[np.int64]
    truth: NDArray[np.int16]
    tags: pd.DataFrame
    places: NDArray[np.float64]

    @classmethod
    def of(cls, cells: Cells, found: Tagged, seen: NDArray[np.bool_]) -> _Kept:
        sizes = np.diff(cells.starts)
        mine = np.repeat(seen, sizes)
        starts = np.concatenate([[0], np.cumsum(sizes[seen])])
        middles = shapely.get_coordinates(shapely.centroid(found.zones.geometry.to_numpy()[seen]))
        tags = found.tags[seen].reset_index(drop=True)
        return cls(cells.features[mine], starts, cells.truth[mine], tags, middles)


def fit_space(cells: Features, seed: int) -> Space:
    """Fit the space that scorers work in: principal components, a little evened out, of a mean square of 1 in all.

    Parameters
    ----------
    cells
        ``(cells, dimension)``.
    seed
        Of the cells that it is fitted on, where there are many.
    """
    drawn = cells[np.random.default_rng(seed).permutation(len(cells))[:FITTED_ON]]
    with threadpool_limits(limits=1):
        pca = PCA(n_components=min(COMPONENTS, *drawn.shape), svd_solver="covariance_eigh").fit(drawn)
    variance = np.maximum(pca.explained_variance_, np.finfo(np.float32).tiny)
    axes = pca.components_ / np.sqrt(variance)[:, None] ** WHITENING
    axes /= np.sqrt((variance ** (1 - WHITENING)).sum())
    return Space(pca.mean_.astype(np.float32), axes.T.astype(np.float32))


def _learn(name: str, bags: Features, kept: _Kept, truth: Truth | None, seed: int) -> _Class:
    """Learn a class, or say why there is none."""
    told = kept.tags[name]
    rows = np.flatnonzero(told.notna())
    tags = told.iloc[rows].to_numpy(dtype=bool)
    yes, no = int(tags.sum()), int((~tags).sum())
    why = too_few(yes, no)
    if why:
        return _Class(name, why, yes=yes, known=len(rows))
    blocks = blocks_of(kept.places[rows])
    if blocks is None:
        why = "all that is tagged lies too close together to be judged on ground left out"
        return _Class(name, why, yes=yes, known=len(rows))
    folds = folds_of(tags, blocks, seed)
    scores = np.zeros(bags.shape[:2], dtype=np.float32)
    for fold in np.unique(folds):
        learned_on, left_out = rows[folds != fold], rows[folds == fold]
        if len(np.unique(tags[folds != fold])) == 2:
            scores[left_out] = fit_scorer(bags[learned_on], tags[folds != fold])(bags[left_out])
    judged = judge(tags, pooled(scores[rows]).astype(np.float64), blocks, seed)
    if not judged.better:
        why = f"no better than chance where it was not learned: {judged.words}"
        return _Class(name, why, judged=judged, yes=yes, known=len(rows))
    ious = None if truth is None else _ious(name, scores, rows, folds, kept, truth)
    return _Class(name, "", fit_scorer(bags[rows], tags), judged, ious, yes, len(rows))


def too_few(yes: int, no: int) -> str:
    """Say why so many that carry a tag, and so many that do not, teach nothing; empty where they do."""
    if not no:
        return f"all {yes:,} that are told carry it: nothing tells it from anything else"
    if not yes:
        return f"none of {no:,} carries it"
    if yes + no < LEAST_ZONES:
        return f"told of {yes + no:,}, and at least {LEAST_ZONES} are needed"
    if min(yes, no) < LEAST_EACH:
        return f"{yes:,} carry it and {no:,} do not: at least {LEAST_EACH} of each are needed"
    return ""


def _ious(
    name: str,
    scores: NDArray[np.float32],
    rows: NDArray[np.int64],
    folds: NDArray[np.int64],
    kept: _Kept,
    truth: Truth,
) -> tuple[float, float, float] | None:
    """Hold cells of zones left out against truth: IoU, its deviation over folds, and that of 'all of it is this'."""
    number = dict(zip(keys_of(truth.names), range(len(truth.names)), strict=True)).get(keys_of([name])[0])
    if number is None:
        return None
    sizes = np.diff(kept.starts)
    mine = np.isin(np.repeat(np.arange(len(sizes)), sizes), rows)
    told = kept.truth[mine] != NOT_TOLD
    own = scores[rows][np.arange(scores.shape[1]) < sizes[rows, None]]
    found, true = own[told] > 0, kept.truth[mine][told] == number
    fold_of = np.repeat(folds, sizes[rows])[told]
    if not true.any():
        return None
    each = [overlap(found[fold_of == fold], true[fold_of == fold]) for fold in np.unique(fold_of)]
    return overlap(found, true), float(np.nanstd(each)), float(true.mean())


def _words(one: _Class) -> str:
    """Say how well a class is told."""
    assert one.judged is not None, "a class that is kept was judged"
    told = f"{one.judged.words}; {one.yes:,} of {one.known:,} carry it"
    if one.ious is None:
        return told
    iou, spread, base = one.ious
    return f"{told}; IoU {iou:.2f} (deviation over folds {spread:.2f}), {base:.2f} if all were of it"


def _classifier(good: Sequence[_Class], space: Space) -> TagScorer:
    """Put the scorers of classes together, and what is none of them last."""
    told = []
    for number, (one, key) in enumerate(zip(good, keys_of([one.name for one in good]), strict=True), start=1):
        iou, spread, base = (None, None, None) if one.ious is None else (round(x, 4) for x in one.ious)
        colour = look(number).colour
        told.append(
            GroundClass(
                number,
                key,
                one.name,
                colour,
                "tags",
                score=iou,
                spread=spread,
                baseline=base,
                words=_words(one),
            )
        )
    rest = GroundClass(len(told) + 1, OTHER, "none of these", UNKNOWN, "tags")
    scorers = [one.scorer for one in good if one.scorer is not None]
    weights = np.stack([scorer.weights for scorer in scorers], axis=1)
    bias = np.array([scorer.bias for scorer in scorers], dtype=np.float32)
    return TagScorer((*told, rest), space.mean, space.axes, weights, bias)


def _doubts(kept: _Kept, found: Tagged) -> list[str]:
    """Warn of tags that are nearly everywhere, and of those that go together."""
    side = float(np.sqrt(np.median(shapely.area(found.zones.geometry.to_numpy()))))
    notes = []
    for name in kept.tags:
        share = kept.tags[name].dropna().astype(float).mean()
        if MOST_SHARE < share < 1:
            large = f"; {found.unit}s of about {side:.0f} m are too large for it" if side > SMALL_M else ""
            notes.append(
                f"{name}: {share:.0%} of what is told carries this tag, so that what else is there counts as part of "
                f"it{large}. Tag smaller ground, of which a fifth to three fifths carry it."
            )
    for one, other, phi in together(kept.tags):
        how = "nearly always lie together" if phi > 0 else "hardly ever lie together"
        notes.append(
            f"{one} and {other} {how} (phi {phi:.2f}): what tells the one tells the other. Tag ground where one "
            "lies alone."
        )
    return notes


def _refusals(learned: Sequence[_Class]) -> list[str]:
    """Say which tags are no classes of the map."""
    return [f"{one.name} is not mapped: {one.why}" for one in learned if one.why]


def _unnamed(learned: Sequence[_Class], truth: Truth | None) -> list[str]:
    """Say which classes truth does not name."""
    if truth is None:
        return []
    lacking = [one.name for one in learned if not one.why and one.ious is None]
    if not lacking:
        return []
    return [
        f"truth tells of {', '.join(truth.names):.200}, and nothing of {', '.join(lacking)} where it was tagged: no IoU"
    ]
