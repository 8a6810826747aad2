"""Text held against pictures: what a network of both makes of words, as a score of roads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from geo.features.encoder import Embeddings
from geo.features.lengths import of_length_1
from geo.search.words.fit import Askable, Fit

TEMPLATES = (
    "an aerial photograph of {}.",
    "a satellite image of {}.",
    "an overhead view of {}.",
    "{} seen from above.",
    "a road with {}, from the air.",
)
"""Of several sentences the mean is taken, for one may mean another thing (Radford et al. 2021, ICML, section 3.1.4)."""
PLAIN = (
    "a place",
    "a street",
    "a town",
    "something",
    "the ground",
    "a landscape",
    "a neighbourhood",
    "many things",
)
"""What anything is: their mean is what all text has in common."""
NOTE = "by the text tower of the network that encoded the roads; how well it knows these words, nobody has judged"
ANY = Askable("", "network", None, f"any words, {NOTE}")
EmbedText = Callable[[Sequence[str]], Embeddings]


def text_fit(words: str, embed: EmbedText, middle: NDArray[np.float64]) -> Fit:
    """Tell how well words fit roads: the cosine, each side less its own mean.

    Text lies far from pictures in such spaces, and a picture near the middle of all is near every text (Liang et al.
    2022, NeurIPS 35, 'Mind the Gap'; Radovanovic et al. 2010, JMLR 11:2487-2531, of hubs): without the means, the same
    roads would answer everything.

    Parameters
    ----------
    words
        Any words.
    embed
        Embeds sentences, ``(sentences, dimension)``, in the space of the roads.
    middle
        Mean of the roads' fingerprints, each of length 1, ``(dimension,)``.

    Returns
    -------
    A fit whose score is a cosine (-1 to 1); at 0 or below, the words fit no better than any.
    """
    sentences = [template.format(one) for one in (words.strip(), *PLAIN) for template in TEMPLATES]
    embedded = of_length_1(embed(sentences).astype(np.float64)).reshape(len(PLAIN) + 1, len(TEMPLATES), -1)
    asked, *plain = of_length_1(embedded.mean(axis=1))
    wanted = of_length_1(asked - np.mean(plain, axis=0))

    def score(embeddings: Embeddings) -> NDArray[np.float64]:
        seen = of_length_1(of_length_1(embeddings.astype(np.float64)) - middle)
        found: NDArray[np.float64] = seen @ wanted
        return found

    return Fit(words, (Askable(words.strip(), "network", None, NOTE),), score, 0.0)
