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
from sklearn.metrics import average_precision_score
from sklearn.multiclass import OneVsRestClassifier

from geo.features.encoder import Embeddings, Encoder, Pixels
from geo.features.lengths import of_length_1
from geo.search.words.bank import LEAST_PROBABILITY, Bank, Card

SIDE_PX, PIXEL_M = 256, 0.3
"""Of a scene."""
INVERSE_PENALTY = 10.0
"""Of the logistic regressions: 10 and 100 named .920 and .917 of scenes left out."""
LOOKS_M = (0.3, 0.6, 1.0)
"""What a pixel of a scene is made to show: of coarser imagery .91 are named right in place of .89."""
PARTS = 5
BATCH = 64
LEAST_SCORE = float(np.log(LEAST_PROBABILITY / (1 - LEAST_PROBABILITY)))
NO_TRIAL: dict[str, Any] = {
    "right": {},
    "precision": {},
    "sure": 0,
    "sure_right": 0,
    "unknown_sure": 0,
}
UNKNOWN: dict[str, Any] = {"made_by": {}, "scene_m": 0, "gsd": 0, "source": "", "licence": ""} | NO_TRIAL
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
    """Learn the classifier from scenes: a logistic regression of each class against the rest.

    One of all classes at once tells known scenes as well, and finds a class for what is none: at thresholds by which
    84 % of scenes left out have a word, 28 % of scenes of classes that were left out whole have one, and of one for all
    37 % by its probability, 31 % by its highest score (Shu, Xu and Liu 2017, EMNLP, 2911-2916, found the same of
    texts).

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
    points = of_length_1(np.concatenate(looks).astype(np.float64))
    mean = points.mean(axis=0)
    model = OneVsRestClassifier(LogisticRegression(C=INVERSE_PENALTY, max_iter=5000))
    model.fit(of_length_1(points - mean), np.tile(labels, len(looks)))
    classes = [str(name) for name in model.classes_]
    card = Card(classes=classes, words=[words.get(name, "") for name in classes], **told)
    weights = np.concatenate([one.coef_ for one in model.estimators_])
    offsets = np.concatenate([one.intercept_ for one in model.estimators_])
    return Bank(card, *(np.asarray(part, dtype=np.float32) for part in (mean, weights, offsets)))


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
    """Tell how often a bank of the other parts is right for each part, and what it says of classes that it lacks."""
    place = pd.Series(labels).groupby(labels).cumcount().to_numpy() * PARTS
    part = place // pd.Series(labels).map(Counter(labels)).to_numpy()
    classes = np.unique(labels)
    scores = np.zeros((len(looks), len(labels), len(classes)))
    for out in (part == one for one in range(PARTS)):
        bank = fit_bank([look[~out] for look in looks], labels[~out], UNKNOWN, {})
        for i, look in enumerate(looks):
            scores[i, out] = bank.scores(look[out])
    unknown = []
    for out in (labels == one for one in classes):
        bank = fit_bank([look[~out] for look in looks], labels[~out], UNKNOWN, {})
        unknown += [bank.scores(look[out]) for look in looks]
    right = classes[scores.argmax(axis=2)] == labels
    sure = scores.max(axis=2) >= LEAST_SCORE
    flat, told = scores.reshape(-1, len(classes)), np.tile(labels, len(looks))
    return {
        "right": {
            f"{pixel_m:g}": round(float(one.mean()), 3) for pixel_m, one in zip(LOOKS_M, right, strict=True)
        },
        "precision": {
            str(name): round(float(average_precision_score(told == name, flat[:, row])), 3)
            for row, name in enumerate(classes)
        },
        "sure": round(float(sure.mean()), 3),
        "sure_right": round(float(right[sure].mean()), 3),
        "unknown_sure": round(float((np.concatenate(unknown).max(axis=1) >= LEAST_SCORE).mean()), 3),
    }
