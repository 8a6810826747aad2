"""Fitting a scorer to labelled ground, and settling at places left out what its scores are worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.features.lengths import of_length_1
from geo.ground.contract import Features, GroundClass, Scores
from geo.ground.labels.classifier import FewLabels, averaged, score_of
from geo.ground.labels.drawn.marks import REST, SILENT
from geo.ground.labels.drawn.plots import Examples, Plot, draw, places_a_cell
from geo.ground.labels.fitted.colours import colours
from geo.ground.labels.fitted.context import InContext, around
from geo.ground.labels.fitted.judging import LeftOut, Verdict, judge, overlaps, settle
from geo.ground.labels.fitted.scorers import INVERSE_PENALTY, STRONG, Rows, Scorer, fit_scorer
from geo.ground.labels.fitted.space import LEAST, Space, fit_space, unlike

if TYPE_CHECKING:
    from geo.ground.labels.settings import Labels

FOLDS = 10
"""Where there are more places, they are left out by so many groups."""
MOST_EXAMPLES, MOST_CELLS, MOST_JUDGED = 30_000, 40_000, 100_000
"""A scorer is fitted to so many places of the map at most, the space to so many cells; and so many are judged by."""
MANY_PLACES = 8
"""Below so many places the last look is a regression that is held back: networks learn places by heart, which shows
only where ground differs from all of them."""
ACROSS_M = (0.0, 1.5, 3.5, 6.0, 10.0)
"""Scores are averaged over squares of one of these sides (metres), the one that tells best at places left out."""
LIKE, STRANGE = 500, 0.01
"""Labelled cells that others are compared with, and the share of labelled ground left out that may count as strange."""


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
    places = len(np.unique(examples.place))
    held_back = places < MANY_PLACES and settings.scorer != "density"
    looks = _Looks(settings.scorer, held_back, settings.seed, int(examples.classes.max()) + 1)
    whole = _first_looks(plots, examples, folds, (space, finer), looks)
    sizes = [max(1, round(side / (plots[0].piece.cell_m / finer))) | 1 for side in ACROSS_M]
    scores: list[list[LeftOut]] = [[] for _ in ACROSS_M]
    near: list[NDArray[np.float32]] = []
    for number, fold in enumerate(folds):
        scorer = looks.fit(whole.without(fold), number)
        kept = _cells(plots, space, settings.seed, without=fold)
        for plot, mine in _left_out(plots, fold):
            full = score_of(space, scorer, plot.piece, finer)
            if left_out is not None:
                left_out(plot, mine, full)
            truth, place = plot.marks.codes[mine].astype(np.int64) - first, plot.marks.places[mine]
            for part, across in zip(scores, sizes, strict=True):
                part.append(LeftOut(averaged(full, across)[:, mine].T, truth, place))
            near.append(_nearness(plot, space, mine, kept, finer))
    best, added, verdicts = _settled(
        [_joined(parts, settings.seed) for parts in scores], settings.seed, 1 - first
    )
    words = f"{looks.words}scores averaged over {ACROSS_M[best]:g} m, settled at {places} places left out"
    least = float(np.quantile(np.concatenate(near), STRANGE))
    like = _cells(plots, space, settings.seed)
    scorer = looks.fit(whole, None)
    return Fitted(space, scorer, added, like, least, sizes[best], finer, verdicts, words)


def _settled(judged: Sequence[LeftOut], seed: int, counts: int) -> tuple[int, Rows, list[Verdict]]:
    """Find over how much scores are averaged, what is added to them, and how well classes are told then."""
    some = [one.some(seed) for one in judged]
    added = [settle(one, counts) for one in some]
    best = int(np.argmax([_worth(one, more, counts) for one, more in zip(some, added, strict=True)]))
    return best, added[best], judge(judged[best], counts, seed)


@dataclass
class _Looks:
    """How scorers are fitted: those that know colours look twice, first by a regression.

    Attributes
    ----------
    kind, seed, count
        As for `fit_scorer`.
    held_back
        Whether the last look is, for few places are labelled.
    firsts
        First looks, those of each fold, and at last that of all examples; none where one look is all.
    middle, spread
        Of what the first look says of surroundings.
    """

    kind: str
    held_back: bool
    seed: int
    count: int
    firsts: list[Scorer] = field(default_factory=list)
    middle: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    spread: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.float32))

    @property
    def words(self) -> str:
        """Say that it is held back, for a reader; empty where it is not."""
        return "a regression held back, for few places are labelled; " if self.held_back else ""

    def fit(self, examples: Examples, fold: int | None) -> Scorer:
        """Fit a scorer to examples without a fold, or with all of them."""
        kind, penalty = ("logistic", STRONG) if self.held_back else (self.kind, INVERSE_PENALTY)
        found = fit_scorer(
            kind, examples.rows, examples.classes, self.seed, self.count, inverse_penalty=penalty
        )
        if not self.firsts:
            return found
        return InContext(self.firsts[-1 if fold is None else fold], found, self.middle, self.spread)


def _first_looks(
    plots: Sequence[Plot],
    examples: Examples,
    folds: Sequence[NDArray[np.int64]],
    seen: tuple[Space, int],
    looks: _Looks,
) -> Examples:
    """Take the first look at examples, each by what was learned of other places; gives them with what lies around."""
    space, finer = seen
    if looks.kind == "density":
        return examples
    wide = np.zeros((0, 0), dtype=np.float32)
    for fold in [*folds, np.zeros(0, dtype=np.int64)]:
        some = examples.without(fold)
        first = fit_scorer("logistic", some.rows, some.classes, looks.seed, looks.count)
        looks.firsts.append(first)
        mine = np.isin(examples.place, fold)
        for number in np.unique(examples.plot[mine]).tolist():
            piece = plots[number].piece
            about = around(score_of(space, first, piece, finer), finer, piece.cell_m)
            here = mine & (examples.plot == number)
            if not wide.size:
                wide = np.zeros((len(mine), about.shape[-1]), dtype=np.float32)
            wide[here] = about.reshape(-1, about.shape[-1])[examples.at[here]]
    looks.middle, looks.spread = wide.mean(axis=0), wide.std(axis=0) + LEAST
    return replace(examples, rows=np.hstack([examples.rows, (wide - looks.middle) / looks.spread]))


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
    rows, classes, place, numbers, at = [], [], [], [], []
    for number, plot in enumerate(plots):
        chosen = draw(plot.marks, each, rng)
        described = space.describe(plot.piece, finer)
        rows.append(described.reshape(-1, described.shape[-1])[chosen])
        classes.append(plot.marks.codes.ravel()[chosen].astype(np.int64) - first)
        place.append(plot.marks.places.ravel()[chosen])
        numbers.append(np.full(len(chosen), number))
        at.append(chosen)
    told, where, which, own = (np.concatenate(each) for each in (classes, place, numbers, at))
    return Examples(np.concatenate(rows), told, where, which, own)


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
