"""Labelled aerial scenes as a bank of concepts is learned from: UC Merced, and what its classes are called of roads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression

from geo.features.encoder import Embeddings, Encoder, Pixels
from geo.features.lengths import of_length_1
from geo.search.words.bank import LEAST_PROBABILITY, Bank, Card

SIDE_PX, PIXEL_M = 256, 0.3
"""Of a scene."""
INVERSE_PENALTY = 10.0
"""Of the logistic regression: 1, 10 and 100 named .920, .930 and .924 of scenes left out."""
LOOKS_M = (0.3, 0.6, 1.0)
"""What a pixel of a scene is made to show: of coarser imagery .91 are named right in place of .89."""
PARTS = 5
BATCH = 64
NO_TRIAL: dict[str, Any] = {"right": {}, "sure": 0, "sure_right": 0}
WORDS = {
    "agricultural": "farmland",
    "beach": "beach",
    "buildings": "large buildings",
    "chaparral": "scrub",
    "denseresidential": "dense residential",
    "forest": "forest",
    "freeway": "freeway",
    "golfcourse": "golf course",
    "harbor": "harbour",
    "intersection": "intersection",
    "mediumresidential": "medium residential",
    "mobilehomepark": "rows of small houses",
    "overpass": "overpass",
    "parkinglot": "parking lot",
    "river": "river",
    "sparseresidential": "sparse residential",
    "storagetanks": "storage tanks",
}
"""Classes that a road's surroundings can be. Airplanes, runways, baseball diamonds and tennis courts are told apart and
say nothing. Mobile home parks stand for dense rows of small houses, which elsewhere are no such parks."""
SOURCE = (
    "UC Merced Land Use (Yang and Newsam 2010, Bag-of-visual-words and spatial extensions for land-use "
    "classification): aerial imagery of the USGS National Map, 0.3 m"
)
LICENCE = "public domain (USGS)"


def read_scenes(files: Sequence[Path], pixel_m: float) -> Iterator[Pixels]:
    """Read scenes as imagery would show them whose pixels show more: ``(3, side, side)`` each."""
    side = round(SIDE_PX * PIXEL_M / pixel_m)
    for file in files:
        with Image.open(file) as opened:
            # a few are some pixels smaller
            whole = opened.convert("RGB").resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)
        seen = whole if side == SIDE_PX else whole.resize((side, side), Image.Resampling.BOX)
        yield np.moveaxis(np.array(seen), 2, 0)


def embed_scenes(files: Sequence[Path], encoder: Encoder, pixel_m: float) -> Embeddings:
    """Embed scenes, ``(scenes, dimension)``, brought to some ground a pixel (metres)."""
    found = []
    for start in range(0, len(files), BATCH):
        images = list(read_scenes(files[start : start + BATCH], pixel_m))
        found.append(encoder.encode(images, [np.ones(one.shape[1:], dtype=np.bool_) for one in images]))
    return np.concatenate(found)


def fit_bank(
    looks: Sequence[Embeddings],
    labels: NDArray[np.object_],
    told: Mapping[str, Any],
    words: Mapping[str, str],
) -> Bank:
    """Learn the classifier from scenes.

    Parameters
    ----------
    looks
        Embeddings of the same scenes, each brought to other metres a pixel: ``(scenes, dimension)``.
    labels
        Class of each scene.
    told
        The rest of the card.
    words
        What some of the classes are called.
    """
    points = np.concatenate(looks).astype(np.float64)
    mean = points.mean(axis=0)
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=5000)
    model.fit(of_length_1(points - mean), np.tile(labels, len(looks)))
    classes = [str(name) for name in model.classes_]
    card = Card(classes=classes, words=[words.get(name, "") for name in classes], **told)
    arrays = (np.asarray(part, dtype=np.float32) for part in (mean, model.coef_, model.intercept_))
    return Bank(card, *arrays)


def learn(files: Sequence[Path], encoder: Encoder, made_by: dict[str, object]) -> Bank:
    """Learn a bank from scenes, after a trial of how often it is right.

    Parameters
    ----------
    files
        Of the scenes, each in the folder of its class. Those beside each other in a class may overlap, so parts that
        are left out in the trial are runs of them.
    encoder
        Gives embeddings.
    made_by
        How it makes them (`geo.search.words.bank.Card`).
    """
    labels = np.array([file.parent.name for file in files], dtype=object)
    looks = [embed_scenes(files, encoder, pixel_m) for pixel_m in LOOKS_M]
    told = {
        "made_by": made_by,
        "scene_m": SIDE_PX * PIXEL_M,
        "gsd": encoder.ground_m,
        "source": SOURCE,
        "licence": LICENCE,
    }
    return fit_bank(looks, labels, told | _trial(looks, labels), WORDS)


def _trial(looks: Sequence[Embeddings], labels: NDArray[np.object_]) -> dict[str, Any]:
    """Tell how often a bank of the other parts is right for each part: the figures of a card."""
    place = pd.Series(labels).groupby(labels).cumcount().to_numpy() * PARTS
    part = place // pd.Series(labels).map(Counter(labels)).to_numpy()
    right = np.zeros((len(looks), len(labels)), dtype=np.bool_)
    sure = np.zeros_like(right)
    unknown = {"made_by": {}, "scene_m": 0, "gsd": 0, "source": "", "licence": ""}
    for out in (part == one for one in range(PARTS)):
        bank = fit_bank([look[~out] for look in looks], labels[~out], unknown | NO_TRIAL, {})
        names = np.asarray(bank.card.classes, dtype=object)
        for i, look in enumerate(looks):
            found = bank.probabilities(look[out])
            right[i, out] = names[found.argmax(axis=1)] == labels[out]
            sure[i, out] = found.max(axis=1) >= LEAST_PROBABILITY
    of_each = {
        f"{pixel_m:g}": round(float(one.mean()), 3) for pixel_m, one in zip(LOOKS_M, right, strict=True)
    }
    return {
        "right": of_each,
        "sure": round(float(sure.mean()), 3),
        "sure_right": round(float(right[sure].mean()), 3),
    }
