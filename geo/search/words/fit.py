"""Words that roads can be asked by: what each is taken for, and how well it fits what they look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geo.features.encoder import Embeddings

Source = Literal["name", "concept", "map", "bank", "network"]


@dataclass(frozen=True, slots=True)
class Askable:
    """A word that a run can be asked by.

    Attributes
    ----------
    word
        The word; empty for any words, of an image-text network.
    source
        Who knows it: an analyst who named a type (``name``) or saved a search (``concept``), a map whose features lie
        in tiles (``map``), labelled scenes (``bank``), or an image-text network (``network``).
    reliability
        Average precision on ground, or on scenes, that it was not learned from (0 to 1); None: nobody has judged it.
    note
        What is to be known of it, a sentence.
    """

    word: str
    source: Source
    reliability: float | None = None
    note: str = ""

    @property
    def label(self) -> str:
        """The word with its source: ``parking lot (bank)``."""
        return f"{self.word} ({self.source})"


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """How well words fit what roads look like.

    Attributes
    ----------
    asked
        The words that were asked for, without who is asked.
    words
        What was taken for what was asked: of several the one that fits best counts.
    score
        Gives how well it fits each of some embeddings ``(n, dimension)``, of any length: ``(n,)``.
    least
        What it fits no better than so, it does not fit.
    """

    asked: str
    words: tuple[Askable, ...]
    score: Callable[[Embeddings], NDArray[np.float64]]
    least: float

    @property
    def label(self) -> str:
        """What was taken for what was asked, with where it is from."""
        if len(self.words) == 1:
            return self.words[0].label
        sources = dict.fromkeys(one.source for one in self.words)
        return f"{self.asked.strip()} ({', '.join(sources)})"
