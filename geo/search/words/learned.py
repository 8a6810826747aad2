"""Words learned from the tiles of a city, and how well each holds on blocks of it that it was not learned from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from scipy import stats
from scipy.spatial import cKDTree
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from geo.errors import SourceError
from geo.faults import reason_of
from geo.features.encoder import Embeddings
from geo.features.lengths import of_length_1
from geo.ground.tags.judging import Judged, blocks_of, folds_of, judge
from geo.ground.tags.learning import Space, fit_space, too_few
from geo.search.words.called import known_as
from geo.search.words.chance import Chance, average_precisions
from geo.search.words.fit import Askable, Fit
from geo.search.words.mapped import TileWords
from geo.sources.arrays import write_arrays

MOST_TILES = 4_000
"""So many tiles of a larger city are drawn: more of them teach little more."""
PENALTY = 100.0
"""How much the weights are held down (``alpha`` of scikit-learn's Ridge)."""
LEAST_BLOCKS = 5
"""A word that lies in fewer blocks of the city cannot be judged on others."""
LEVEL = 0.05
"""Share of words that are offered and are no better than chance, on average (Benjamini and Hochberg 1995)."""
KEY = "roadprint words"
TOO_CLOSE = "all tiles lie too close together to be judged on ground left out"


class Card(BaseModel):
    """What is known of words: each with its tag, average precision, what chance would have, and its share of tiles."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: list[str]
    tags: list[str]
    precision: list[float]
    low: list[float]
    high: list[float]
    prevalence: list[float]


@dataclass(frozen=True, slots=True)
class Learned:
    """Classifiers of words: `weights` ``(words, dimension)`` and `offsets`, for embeddings of length 1."""

    card: Card
    weights: NDArray[np.float32]
    offsets: NDArray[np.float32]

    def probabilities(self, embeddings: Embeddings) -> NDArray[np.float64]:
        """Tell how probable each word is for embeddings of any length, ``(n, dimension)``: ``(n, words)``."""
        unit = of_length_1(embeddings.astype(np.float64))
        found: NDArray[np.float64] = expit(unit @ self.weights.T.astype(np.float64) + self.offsets)
        return found

    def askable(self) -> list[Askable]:
        """List the words."""
        return [self._askable(row) for row in range(len(self.card.words))]

    def fit(self, words: str) -> Fit | None:
        """Tell how well words fit; None: it does not know them. What it fits no better than any tile is no answer."""
        terms = {
            row: [word, tag.replace("=", " "), tag]
            for row, (word, tag) in enumerate(zip(self.card.words, self.card.tags, strict=True))
        }
        rows = known_as(words, terms)
        if not rows:
            return None

        def score(embeddings: Embeddings) -> NDArray[np.float64]:
            found: NDArray[np.float64] = self.probabilities(embeddings)[:, rows].max(axis=1)
            return found

        least = max(self.card.prevalence[row] for row in rows)
        return Fit(words, tuple(self._askable(row) for row in rows), score, least)

    def _askable(self, row: int) -> Askable:
        card = self.card
        note = (
            f"{card.tags[row]}, learned from this city's tiles: average precision {card.precision[row]:.2f} "
            f"({card.low[row]:.2f} to {card.high[row]:.2f}) on blocks left out, {card.prevalence[row]:.2f} by chance"
        )
        return Askable(card.words[row], "map", card.precision[row], note)


@dataclass(frozen=True, slots=True)
class _One:
    """What became of a word."""

    why: str = ""
    yes: int = 0
    known: int = 0
    judged: Judged | None = None
    p_value: float = float("nan")
    weights: NDArray[np.float64] | None = None
    offset: float = 0.0


def learn_words(
    embeddings: Embeddings, words: TileWords, places: NDArray[np.float64], *, tile_m: float, seed: int
) -> tuple[pd.DataFrame, Learned | None]:
    """Learn a linear classifier of each word, and judge it on blocks of the city that it was not learned from.

    Least squares on principal components of embeddings (`geo.ground.tags.learning.fit_space`), held down (ridge).
    Blocks of ground are left out by fifths; tiles that overlap one that is left out teach nothing then. Its average
    precision is held against that of words drawn at random which lie together as much (`geo.search.words.chance`;
    Benjamini and Hochberg for all words at once).

    Parameters
    ----------
    embeddings
        Of tiles, ``(tiles, dimension)``, of any length.
    words
        Which words tiles have.
    places
        Centres of the tiles, ``(tiles, 2)`` (metres).
    tile_m
        Side of a tile (metres).
    seed
        Of what is drawn at random.

    Returns
    -------
    A row a word, as the layer ``word_tests``; and those that are better than chance, None where there is none.
    """
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.permutation(len(embeddings))[:MOST_TILES])
    unit = of_length_1(embeddings[drawn].astype(np.float64)).astype(np.float32)
    space, where = fit_space(unit, seed), places[drawn]
    points = space.place(unit).astype(np.float64)
    pairs = cKDTree(where).query_pairs(np.sqrt(2) * tile_m, output_type="ndarray")
    tiles = words.tiles.iloc[drawn].reset_index(drop=True)
    with threadpool_limits(limits=1):
        chance = Chance(where, tile_m=tile_m, seed=seed)
        found = [_learn(tiles[column], points, where, pairs, chance, seed) for column in tiles]
    return _together(words.words, found, space)


def _learn(
    told: pd.Series,
    points: NDArray[np.float64],
    where: NDArray[np.float64],
    pairs: NDArray[np.intp],
    chance: Chance,
    seed: int,
) -> _One:
    """Learn one word, or say why it is not."""
    rows = np.flatnonzero(told.notna())
    tags = told.iloc[rows].to_numpy(dtype=bool)
    yes, known = int(tags.sum()), len(rows)
    if why := too_few(yes, known - yes):
        return _One(why, yes, known)
    blocks = blocks_of(where[rows])
    if blocks is None:
        return _One(TOO_CLOSE, yes, known)
    with_it = len(np.unique(blocks[tags]))
    if with_it < LEAST_BLOCKS:
        return _One(f"it lies in {with_it} blocks of the city alone", yes, known)
    together = np.column_stack([tags, chance.words(tags, rows)])
    mine = _among(pairs, rows, len(points))
    scores = _left_out(points[rows], together, folds_of(tags, blocks, seed), mine)
    own = scores[:, 0]
    precision, *by_chance = average_precisions(together, scores)
    p_value = (1 + int((np.array(by_chance) >= precision).sum())) / (1 + len(by_chance))
    model = Ridge(PENALTY).fit(points[rows], tags.astype(np.float64))
    # what a score is worth is told by tiles that were left out
    scale = LogisticRegression(C=1e6).fit(own[:, None], tags)
    gain, shift = max(float(scale.coef_[0, 0]), 0.0), float(scale.intercept_[0])
    offset = gain * float(model.intercept_) + shift
    return _One("", yes, known, judge(tags, own, blocks, seed), p_value, gain * model.coef_, offset)


def _among(pairs: NDArray[np.intp], rows: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Give the pairs of which both are among some rows, by their places there."""
    place = np.full(count, -1)
    place[rows] = np.arange(len(rows))
    both = place[pairs]
    found: NDArray[np.intp] = both[(both >= 0).all(axis=1)]
    return found


def _left_out(
    points: NDArray[np.float64], tags: NDArray[np.bool_], folds: NDArray[np.int64], pairs: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Score each tile, for several words at once, by what was learned without its block and what overlaps it."""
    scores = np.zeros(tags.shape)
    for fold in np.unique(folds):
        out = folds == fold
        near = out.copy()
        for one, other in ((0, 1), (1, 0)):
            near[pairs[out[pairs[:, one]], other]] = True
        scores[out] = Ridge(PENALTY).fit(points[~near], tags[~near].astype(np.float64)).predict(points[out])
    return scores


def _together(words: pd.DataFrame, found: list[_One], space: Space) -> tuple[pd.DataFrame, Learned | None]:
    """Lay the tests of all words out, and put the classifiers of those that hold together."""
    p_values = pd.Series([one.p_value for one in found], dtype="float64")
    tested = p_values.notna().to_numpy()
    q_values = p_values.copy()
    if tested.any():
        q_values[tested] = stats.false_discovery_control(p_values[tested].to_numpy())
    good = (q_values <= LEVEL).to_numpy(dtype=bool)
    table = words.assign(
        tiles=[one.known for one in found],
        with_it=[one.yes for one in found],
        blocks=pd.array([one.judged.blocks if one.judged else None for one in found], dtype="Int64"),
        **{
            name: [getattr(one.judged, of) if one.judged else np.nan for one in found]
            for name, of in (
                ("average_precision", "precision"),
                ("low", "low"),
                ("high", "high"),
                ("prevalence", "chance"),
            )
        },
        p_value=p_values.to_numpy(),
        q_value=q_values.to_numpy(),
        offered=good,
        reason=[
            one.why or ("" if holds else "no better than chance on blocks left out")
            for one, holds in zip(found, good, strict=True)
        ],
    )
    if not good.any():
        return table, None
    mine = table[good]
    weights = np.stack([one.weights for one in found if one.weights is not None])[good[tested]]
    through = weights @ space.axes.T
    offsets = np.array([one.offset for one in found])[good] - through @ space.mean
    card = Card(
        words=mine["word"].tolist(),
        tags=mine["tag"].tolist(),
        precision=mine["average_precision"].round(4).tolist(),
        low=mine["low"].round(4).tolist(),
        high=mine["high"].round(4).tolist(),
        prevalence=mine["prevalence"].round(4).tolist(),
    )
    return table, Learned(card, through.astype(np.float32), offsets.astype(np.float32))


def write_learned(path: Path, learned: Learned) -> None:
    """Write words in the safetensors format, the same bytes for the same ones."""
    head = json.dumps(learned.card.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    arrays: Mapping[str, NDArray[Any]] = {"weights": learned.weights, "offsets": learned.offsets}
    todo = "Name a folder that can be written to (output.folder)."
    write_arrays(path, arrays, {KEY: head}, what="words that were learned", todo=todo)


def read_learned(path: Path) -> Learned:
    """Read what `write_learned` wrote.

    Raises
    ------
    SourceError
        When it holds no such words.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            card = Card.model_validate_json((file.metadata() or {})[KEY])
            found = Learned(card, file.get_tensor("weights"), file.get_tensor("offsets"))
        fits = len(card.words) == len(found.weights) == len(found.offsets)
    except (OSError, KeyError, ValueError, SafetensorError, ValidationError) as error:
        raise SourceError(
            f"it holds no words ({reason_of(error):.200})", where=str(path), todo="Run the city again."
        ) from error
    if not fits:
        raise SourceError("its arrays do not fit together", where=str(path), todo="Run the city again.")
    return found
