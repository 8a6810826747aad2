"""A bank of concepts: a linear classifier of embeddings, learned from labelled aerial scenes, kept without pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from scipy.special import expit

from geo.errors import SourceError
from geo.faults import reason_of
from geo.features.encoder import Embeddings
from geo.features.lengths import of_length_1
from geo.search.words.called import known_as
from geo.search.words.fit import Askable, Fit
from geo.sources.arrays import write_arrays

BUNDLED = Path(__file__).with_name("ucmerced.safetensors")
KEY = "roadprint.concepts"
"""The one key of the file's metadata: of several, the order of writing would be open."""
COMPARED = ("emb:model.name", "emb:model.source", "emb:weights", "emb:dimensions", "emb:postprocessing")
"""What embeddings and the bank must have in common (`geo.clusters.typology.made_by`)."""
MOST_APART = 2.0
"""The tiles may be so many times as large or as small as the scenes, and be seen so much finer or coarser."""
LEAST_PROBABILITY = 0.45
"""A tile has a word where its likeliest class is at least so probable (docs/types.md has how often that is right)."""
LEAST_ASKED = 0.2
"""What is asked for by a word is no answer where it is less probable."""
ALSO = {
    "farmland": ("fields", "agricultural land"),
    "forest": ("wood", "woodland"),
    "freeway": ("motorway", "highway"),
    "harbour": ("harbor", "marina"),
    "intersection": ("junction", "crossroads"),
    "large buildings": ("large building", "big buildings"),
    "overpass": ("flyover",),
    "parking lot": ("car park", "parking"),
    "rows of small houses": ("mobile home park", "small houses"),
    "scrub": ("chaparral", "bushes"),
}
"""What else people may call a word of the bank."""


class Card(BaseModel):
    """What must be known of a bank.

    Attributes
    ----------
    classes, words
        Classes of the scenes, and what each is called; empty: a road tile is not that, and it says nothing.
    made_by
        How embeddings were made, by the names of `geo.clusters.typology.made_by`.
    scene_m, gsd
        Side of a scene, and ground that a pixel of the encoder's input shows (metres).
    right
        Share of scenes left out whose most probable class is theirs, by what a pixel of them showed (metres, as text).
    precision
        Average precision of each class on scenes left out.
    sure, sure_right
        Share of scenes left out whose likeliest class is at least `LEAST_PROBABILITY` probable, and of these the share
        that it is right for.
    unknown_sure
        The same share of scenes of classes that were left out whole, each in turn: what is named for nothing.
    source, licence
        Of the scenes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: list[str]
    words: list[str]
    made_by: dict[str, Any]
    scene_m: float
    gsd: float
    right: dict[str, float]
    precision: dict[str, float]
    sure: float = Field(ge=0, le=1)
    sure_right: float = Field(ge=0, le=1)
    unknown_sure: float = Field(ge=0, le=1)
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class Bank:
    """A classifier of embeddings, with the words for its classes.

    Attributes
    ----------
    card
        What is known of it.
    mean
        Of the embeddings that it was learned from, each of length 1, ``(dimension,)``.
    weights, offsets
        Of each class, ``(classes, dimension)`` and ``(classes,)``, for embeddings of length 1 less the mean, brought to
        length 1 again.
    """

    card: Card
    mean: NDArray[np.float32]
    weights: NDArray[np.float32]
    offsets: NDArray[np.float32]

    def scores(self, embeddings: Embeddings) -> NDArray[np.float64]:
        """Give the score of each class for embeddings of any length, ``(tiles, dimension)``: ``(tiles, classes)``."""
        points = of_length_1(of_length_1(embeddings.astype(np.float64)) - self.mean)
        found: NDArray[np.float64] = points @ self.weights.T.astype(np.float64) + self.offsets
        return found

    def probabilities(self, embeddings: Embeddings) -> NDArray[np.float64]:
        """Tell how probable each class is for each embedding ``(tiles, dimension)``: ``(tiles, classes)``.

        Each class by itself, against all that it is not: what is none of them is improbable of all.
        """
        found: NDArray[np.float64] = expit(self.scores(embeddings))
        return found

    def askable(self) -> list[Askable]:
        """List the words that it knows, by their first letters."""
        return [self._askable(row) for row in sorted(self._rows(), key=lambda row: self.card.words[row])]

    def fit(self, words: str) -> Fit | None:
        """Tell how well words fit; None: it does not know them.

        Parameters
        ----------
        words
            One of `askable`, or what else that is called (`ALSO`); of a word for several, such as ``residential``,
            the one that is most probable counts.
        """
        terms = {row: [self.card.words[row], *ALSO.get(self.card.words[row], ())] for row in self._rows()}
        rows = known_as(words, terms)
        if not rows:
            return None

        def score(embeddings: Embeddings, rows: Sequence[int] = tuple(rows)) -> NDArray[np.float64]:
            found: NDArray[np.float64] = self.probabilities(embeddings)[:, list(rows)].max(axis=1)
            return found

        return Fit(words, tuple(self._askable(row) for row in rows), score, LEAST_ASKED)

    def _rows(self) -> list[int]:
        return [row for row, word in enumerate(self.card.words) if word]

    def _askable(self, row: int) -> Askable:
        precision = self.card.precision.get(self.card.classes[row])
        told = "" if precision is None else f"; average precision {precision:.2f} on scenes left out"
        return Askable(self.card.words[row], "bank", precision, f"learned from labelled aerial scenes{told}")

    def name(self, embeddings: Embeddings) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
        """Find the word for each embedding; empty where none is probable enough, or a road tile is not that.

        Returns
        -------
        The words, and how probable the likeliest class is, each ``(tiles,)``.
        """
        found = self.probabilities(embeddings)
        best = found.argmax(axis=1) if len(found) else np.zeros(0, dtype=np.int64)
        sure = found[np.arange(len(found)), best]
        words = np.asarray(self.card.words, dtype=object)[best]
        return np.where(sure >= LEAST_PROBABILITY, words, ""), sure

    def why_not(self, made_by: Mapping[str, object]) -> str:
        """Say why embeddings made in some way cannot be named by it; empty: they can.

        Parameters
        ----------
        made_by
            As `geo.clusters.typology.made_by.made_by` gives it.
        """
        mine = self.card.made_by
        differs = [key for key in COMPARED if made_by.get(key) != mine.get(key)]
        if differs:
            return "its words are of another encoder"
        for key, own in (("emb:chip_layout.chip_size_m", self.card.scene_m), ("gsd", self.card.gsd)):
            theirs = made_by.get(key)
            if not isinstance(theirs, int | float) or not own / MOST_APART <= theirs <= own * MOST_APART:
                return f"its words are of scenes of {self.card.scene_m:.0f} m seen at {self.card.gsd:.2g} m a pixel"
        return ""


def write_bank(path: Path, bank: Bank) -> None:
    """Write a bank in the safetensors format, the same bytes for the same one."""
    head = json.dumps(bank.card.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    arrays = {"mean": bank.mean, "weights": bank.weights, "offsets": bank.offsets}
    todo = "Name a file in a folder that is there and can be written to."
    write_arrays(path, arrays, {KEY: head}, what="the bank of concepts", todo=todo)


@cache
def read_bank(path: Path = BUNDLED) -> Bank:
    """Read what `write_bank` wrote.

    Raises
    ------
    SourceError
        When it is not there, or is no bank of concepts.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            card = Card.model_validate_json((file.metadata() or {})[KEY])
            bank = Bank(card, **{name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 - no mapping
        count, dimension = bank.weights.shape
    except (OSError, KeyError, TypeError, ValueError, SafetensorError, ValidationError) as error:
        raise _refused(path, reason_of(error)) from error
    if not len(card.classes) == len(card.words) == count == len(bank.offsets) or len(bank.mean) != dimension:
        raise _refused(path, "its arrays do not fit together")
    return bank


def _refused(path: Path, why: str) -> SourceError:
    return SourceError(
        f"it is no bank of concepts ({why:.200})", where=str(path), todo="Write it with tasks.concept_bank."
    )
