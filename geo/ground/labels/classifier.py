"""What was learned of labels: the class of each place, and where nothing is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from threadpoolctl import threadpool_limits

from geo.ground.contract import UNKNOWN, Classes, Classifier, GroundClass, Piece, Scores
from geo.ground.labels.fitted.context import InContext, in_context_of
from geo.ground.labels.fitted.scorers import Rows, Scorer
from geo.ground.labels.fitted.space import Space, drawn_out, unlike
from geo.ground.things.judging import Count
from geo.ground.things.peaks import Evidence, Rule, evidence_of

_OWN = ("numbers", "added", "examples", "rules")
NO_RULES: NDArray[np.float64] = np.zeros((0, 4))


@dataclass(frozen=True)
class FewLabels(Classifier):
    """Classes that labels are examples of.

    Attributes
    ----------
    told
        The classes that are written.
    space, scorer
        What places are described by, and what scores them.
    numbers
        What each class that is scored is written as; `UNKNOWN` of one that is not written: ``(scored,)``.
    added
        To the score of each, ``(scored,)``.
    examples
        Labelled cells of length 1, ``(examples, components)``.
    least
        A cell that is nearer to none of them than this cosine is like nothing that was labelled.
    across
        Scores are averaged over so many places along each side.
    places
        Places a cell along each side (`Classifier.finer`).
    rules
        Of each class whose things are counted: its number, and the parts of `Rule`, ``(counted, 4)``.
    """

    told: tuple[GroundClass, ...]
    space: Space
    scorer: Scorer
    numbers: NDArray[np.uint8]
    added: NDArray[np.float32]
    examples: NDArray[np.float32]
    least: float
    across: int
    places: int
    rules: NDArray[np.float64] = field(default_factory=NO_RULES.copy)

    @property
    def finer(self) -> int:  # type: ignore[override]
        """See `Classifier.finer`."""
        return self.places

    @property
    def classes(self) -> tuple[GroundClass, ...]:
        """See `Classifier.classes`."""
        return self.told

    def scored(self, piece: Piece) -> Scores:
        """Score all classes, those that are not written too: ``(scored, rows * finer, columns * finer)``."""
        return (
            averaged(score_of(self.space, self.scorer, piece, self.places), self.across)
            + self.added[:, None, None]
        )

    def scores(self, piece: Piece) -> Scores:
        """See `Classifier.scores`."""
        found = self.scored(piece)
        return np.stack([found[self.numbers == one.number].max(axis=0) for one in self.told])

    def classify(self, piece: Piece) -> tuple[Classes, Scores]:
        """Give the class of each place; unknown where it is like nothing that was labelled.

        See `Classifier.classify`.
        """
        found = self.scored(piece)
        best = found.argmax(axis=0)
        like = unlike(self.space.deep(piece), self.examples) >= self.least
        known = piece.known(self.places) & like.repeat(self.places, axis=0).repeat(self.places, axis=1)
        classes = np.where(known, self.numbers[best], np.uint8(UNKNOWN))
        return classes, np.take_along_axis(found, best[None], axis=0)[0]

    def counting(self, counts: Mapping[int, Count]) -> Self:
        """Count things of some classes, by their numbers."""
        rules = [
            (number, one.rule.blur_m, one.rule.apart_m, one.rule.least)
            for number, one in sorted(counts.items())
            if one.rule is not None
        ]
        return replace(self, rules=np.array(rules, dtype=np.float64).reshape(-1, 4))

    @property
    def counted(self) -> dict[str, Rule]:
        """See `Classifier.counted`."""
        keys = {one.number: one.key for one in self.told}
        return {keys[int(number)]: Rule(*parts) for number, *parts in self.rules.tolist()}

    def evidence(self, piece: Piece) -> dict[str, Evidence]:
        """See `Classifier.evidence`; scores as they are, not averaged, which would melt small things away."""
        if not len(self.rules):
            return {}
        scores = score_of(self.space, self.scorer, piece, self.places)
        known = piece.known(self.places)
        which = {int(number): at for at, number in enumerate(self.numbers) if number != UNKNOWN}
        keys = {one.number: one.key for one in self.told}
        numbers = self.rules[:, 0].astype(int).tolist()
        return {keys[one]: np.where(known, evidence_of(scores, which[one]), np.uint8(0)) for one in numbers}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Classifier.arrays`."""
        own = {name: getattr(self, name) for name in _OWN}
        rest = {
            "least": np.array([self.least]),
            "across": np.array([self.across]),
            "places": np.array([self.places]),
        }
        space = {f"space_{name}": array for name, array in self.space.arrays().items()}
        return own | rest | space | {f"scorer_{name}": array for name, array in self.scorer.arrays().items()}

    @classmethod
    def from_arrays(
        cls,
        classes: tuple[GroundClass, ...],
        arrays: Mapping[str, NDArray[Any]],
        words: Mapping[str, str],  # noqa: ARG003 - there are none
    ) -> Self:
        """See `Classifier.from_arrays`."""

        def part(prefix: str) -> dict[str, NDArray[Any]]:
            return {
                name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)
            }

        return cls(
            classes,
            Space.from_arrays(part("space_")),
            in_context_of(part("scorer_")),
            **{name: arrays[name] for name in _OWN},
            least=float(arrays["least"][0]),
            across=int(arrays["across"][0]),
            places=int(arrays["places"][0]),
        )


def score_of(space: Space, scorer: Scorer, piece: Piece, finer: int) -> Scores:
    """Score places as they are, ``(classes, rows * finer, columns * finer)``."""
    with threadpool_limits(limits=1):
        if not len(space.middle):
            # what looks at features alone is scored cell by cell, and its scores are drawn out
            deep = space.deep(piece)
            cells = scorer.scores(deep.reshape(-1, deep.shape[-1])).reshape(*deep.shape[:2], -1)
            return np.ascontiguousarray(np.moveaxis(drawn_out(cells, finer), -1, 0))
        rows = space.describe(piece, finer)
        if isinstance(scorer, InContext):
            rows = scorer.joined(rows, _laid_out(scorer.first, rows), finer, piece.cell_m)
        return _laid_out(scorer, rows)


def _laid_out(scorer: Scorer, rows: Rows) -> Scores:
    """Score places that are described, ``(rows, columns, measures)``."""
    found = scorer.scores(rows.reshape(-1, rows.shape[-1]))
    return np.ascontiguousarray(found.T.reshape(-1, *rows.shape[:2]))


def averaged(scores: Scores, across: int) -> Scores:
    """Average scores over the places around each."""
    if across == 1:
        return scores
    found: Scores = uniform_filter(scores, size=(1, across, across), mode="nearest")
    return found
