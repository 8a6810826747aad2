"""Fitting a scorer to labelled ground, and settling at places left out what its scores are worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.features.lengths import of_length_1
from geo.ground.contract import Features, GroundClass, Scores
from geo.ground.labels.classifier import FewLabels, averaged, score_of
from geo.ground.labels.drawn.marks import REST, SILENT
from geo.ground.labels.drawn.plots import Examples, Plot, draw, places_a_cell
from geo.ground.labels.fitted.colours import colours
from geo.ground.labels.fitted.judging import LeftOut, Verdict, judge, overlaps, settle
from geo.ground.labels.fitted.scorers import Rows, Scorer, fit_scorer
from geo.ground.labels.fitted.space import Space, fit_space, unlike

if TYPE_CHECKING:
    from geo.ground.labels.settings import Labels

FOLDS = 10
"""Where there are more places, they are left out by so many groups."""
MOST_EXAMPLES, MOST_CELLS, MOST_JUDGED = 30_000, 40_000, 100_000
"""A scorer is fitted to so many places of the map at most, the space to so many cells; and so many are judged by."""
ACROSS_M = (0.0, 1.5, 3.5, 6.0, 10.0)
"""Scores are averaged over squares of one of these sides (metres), the one that tells best at places left out."""
LIKE, STRANGE = 500, 0.01
"""Labelled cells that others are compared with, and the share of labelled ground left out that may count as strange."""
MISSING = -30.0
"""Score of a class that a fold has no example of."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was fitted, before it is known which classes are written.

    Attributes
    ----------
    verdicts
        Of each class that is scored, the rest first where there is one.
    words
        How it was settled, for a reader.
    """

    space: Space
    scorer: Scorer
    added: Rows
    examples: Rows
    least: float
    across: int
    places: int
    verdicts: list[Verdict]
    words: str

    def classifier(self, told: tuple[GroundClass, ...], numbers: NDArray[np.uint8]) -> FewLabels:
        """Make the classifier that writes some of the classes."""
        return FewLabels(
            told,
            self.space,
            self.scorer,
            numbers,
            self.added,
            self.examples,
            self.least,
            self.across,
            self.places,
        )


def fit(
    plots: Sequence[Plot],
    settings: Labels,
    *,
    rest: bool,
    left_out: Callable[[Plot, NDArray[np.bool_], Scores], None] | None = None,
) -> Fitted:
    """Fit a scorer to all of the labelled ground, after it was judged place by place.

    Parameters
    ----------
    plots
        Labelled ground; codes of classes from 1, `REST` where it is none of them.
    settings
        The section ``ground``.
    rest
        Whether there is ground that is none of the classes.
    left_out
        Is shown each plot, where a label says something of a place that was left out, and the scores of all places of
        the plot by what was learned of the others, ``(classes, rows, columns)``, before they are averaged.
    """
    first = REST if rest else REST + 1
    finer = places_a_cell(plots[0].piece)
    space = _space(plots, settings, finer)
    examples = _examples(plots, space, finer, first, settings.seed)
    folds = part_into_folds(examples)
    classes = int(examples.classes.max()) + 1
    scores: list[list[LeftOut]] = [[] for _ in ACROSS_M]
    near: list[NDArray[np.float32]] = []
    sizes = [max(1, round(side / (plots[0].piece.cell_m / finer))) | 1 for side in ACROSS_M]
    for fold in folds:
        scorer, had = _fit_part(settings, examples.without(fold))
        kept = _cells(plots, space, settings.seed, without=fold)
        for plot, mine in _left_out(plots, fold):
            raw = score_of(space, scorer, plot.piece, finer)
            full = np.full((classes, *raw.shape[1:]), MISSING, dtype=np.float32)
            full[had] = raw
            if left_out is not None:
                left_out(plot, mine, full)
            for number, across in enumerate(sizes):
                even = averaged(full, across)
                truth = plot.marks.codes[mine].astype(np.int64) - first
                scores[number].append(LeftOut(even[:, mine].T, truth, plot.marks.places[mine]))
            near.append(_nearness(plot, space, mine, kept, finer))
    judged = [_joined(parts, settings.seed) for parts in scores]
    counts = 1 if rest else 0
    some = [one.some(settings.seed) for one in judged]
    added = [settle(one, counts) for one in some]
    worth = [_worth(one, more, counts) for one, more in zip(some, added, strict=True)]
    best = int(np.argmax(worth))
    scorer, _ = _fit_part(settings, examples)
    least = float(np.quantile(np.concatenate(near), STRANGE))
    words = f"scores averaged over {ACROSS_M[best]:g} m, settled at {len(np.unique(examples.place))} places left out"
    return Fitted(
        space,
        scorer,
        added[best],
        _cells(plots, space, settings.seed),
        least,
        sizes[best],
        finer,
        judge(judged[best], counts, settings.seed),
        words,
    )


def _worth(left_out: LeftOut, added: Rows, first: int) -> float:
    """Mean overlap of the classes, as it is settled."""
    told = (left_out.scores + added).argmax(axis=1)
    return float(np.nanmean(overlaps(told, left_out.truth, left_out.scores.shape[1])[first:]))


def _space(plots: Sequence[Plot], settings: Labels, finer: int) -> Space:
    """Fit the space to labelled ground."""
    rng = np.random.default_rng(settings.seed)
    each = max(1, MOST_CELLS // len(plots))
    deep, own = [], []
    for plot in plots:
        known = plot.piece.features[plot.piece.known()]
        deep.append(known[rng.permutation(len(known))[:each]])
        if settings.scorer != "density":
            seen = colours(plot.piece, finer)[plot.piece.known(finer)]
            own.append(seen[rng.permutation(len(seen))[:each]])
    return fit_space(np.concatenate(deep), np.concatenate(own) if own else None)


def _examples(plots: Sequence[Plot], space: Space, finer: int, first: int, seed: int) -> Examples:
    """Draw the places that a scorer is fitted to, of each class and each plot alike."""
    rng = np.random.default_rng(seed)
    kinds = max(int(plot.marks.codes.max()) for plot in plots) + 1
    each = max(1, MOST_EXAMPLES // (kinds * len(plots)))
    rows, classes, place = [], [], []
    for plot in plots:
        chosen = draw(plot.marks, each, rng)
        described = space.describe(plot.piece, finer)
        rows.append(described.reshape(-1, described.shape[-1])[chosen])
        classes.append(plot.marks.codes.ravel()[chosen].astype(np.int64) - first)
        place.append(plot.marks.places.ravel()[chosen])
    return Examples(np.concatenate(rows), np.concatenate(classes), np.concatenate(place))


def part_into_folds(examples: Examples) -> list[NDArray[np.int64]]:
    """Part places into those that are left out together: each alone, or `FOLDS` groups of them.

    Places are dealt out by the rarest class that they show, so that no group has all that there is of a class.
    """
    places, number = np.unique(examples.place, return_inverse=True)
    counts = np.zeros((len(places), int(examples.classes.max()) + 1))
    np.add.at(counts, (number, examples.classes), 1)
    rare = np.argsort(np.argsort((counts > 0).sum(axis=0), kind="stable"), kind="stable")
    rarest = np.where(counts > 0, rare, len(rare)).min(axis=1)
    order = places[np.lexsort((places, rarest))]
    n = min(FOLDS, len(places))
    return [np.sort(order[one::n]) for one in range(n)]


def _fit_part(settings: Labels, examples: Examples) -> tuple[Scorer, NDArray[np.int64]]:
    """Fit a scorer to some examples; and say which classes these have, by the order of its scores."""
    had, classes = np.unique(examples.classes, return_inverse=True)
    return fit_scorer(settings.scorer, examples.rows, classes.ravel(), settings.seed), had


def _left_out(plots: Sequence[Plot], fold: NDArray[np.int64]) -> Iterator[tuple[Plot, NDArray[np.bool_]]]:
    """Give the plots that show places of a fold, and where a label says something there."""
    for plot in plots:
        mine = (plot.marks.codes != SILENT) & np.isin(plot.marks.places, fold)
        if mine.any():
            yield plot, mine


def _joined(parts: Sequence[LeftOut], seed: int) -> LeftOut:
    """Put parts together, `MOST_JUDGED` at most."""
    scores = np.concatenate([part.scores for part in parts])
    drawn = np.sort(np.random.default_rng(seed).permutation(len(scores))[:MOST_JUDGED])
    truth = np.concatenate([part.truth for part in parts])
    place = np.concatenate([part.place for part in parts])
    return LeftOut(scores[drawn], truth[drawn], place[drawn])


def _cells(
    plots: Sequence[Plot], space: Space, seed: int, *, without: NDArray[np.int64] | None = None
) -> Features:
    """Draw labelled cells, of length 1 in the space: ``(examples, components)``."""
    rng = np.random.default_rng(seed)
    found = []
    for plot in plots:
        told = plot.marks.codes != SILENT
        if without is not None:
            told &= ~np.isin(plot.marks.places, without)
        rows, columns = plot.piece.shape
        cells = told.reshape(rows, told.shape[0] // rows, columns, -1).any(axis=(1, 3))
        found.append(space.deep(plot.piece)[cells])
    rows_ = np.concatenate(found)
    return np.asarray(of_length_1(rows_[rng.permutation(len(rows_))[:LIKE]]))


def _nearness(
    plot: Plot, space: Space, mine: NDArray[np.bool_], kept: Features, finer: int
) -> NDArray[np.float32]:
    """Tell how near labelled cells of a place left out are to those of the others."""
    rows, columns = plot.piece.shape
    cells = mine.reshape(rows, finer, columns, finer).any(axis=(1, 3))
    return unlike(space.deep(plot.piece)[cells], kept)
