"""How many input pixels the bundled encoder wants of coarse imagery: scenes shrunk to 64 pixels, and told apart.

    ROADPRINT_DATA=... .venv/bin/python bench/coarse.py [--side 64]

The 21 land uses of the UC Merced scenes (Yang and Newsam 2010), 0.3 m, shrunk by area; the accuracy of 5 nearest
neighbours (cosine) in 5 folds of scenes that follow each other, for neighbouring scenes overlap on the ground. A table
is printed, and the same as JSON under bench/results/.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from results import save, table

from geo.config import encoder_settings
from geo.features.registry import load_encoder

FOLDS, NEIGHBOURS, AT_ONCE = 5, 5, 32
INPUTS = (96, 128, 192, 256, 512)


def main() -> None:
    """Embed all scenes with each input, and tell them apart."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--side", type=int, default=64)
    side = asked.parse_args().side
    files = sorted((Path(os.environ["ROADPRINT_DATA"]) / "scenes_ucmerced").rglob("*.jpg"))
    names = np.array([file.parent.name for file in files])
    scenes = [_shrunk(file, side) for file in files]
    rows = []
    for px in INPUTS:
        encoder = load_encoder(encoder_settings(input_px=px, rotations=1), tile_m=100)
        valid = [np.ones((side, side), dtype=np.bool_)] * AT_ONCE
        parts = [scenes[i : i + AT_ONCE] for i in range(0, len(scenes), AT_ONCE)]
        found = np.concatenate([encoder.encode(part, valid[: len(part)]) for part in parts])
        rows.append({"input_px": px, "accuracy": round(_accuracy(found, names), 3)})
    print(table(rows))
    save("coarse", {"side": side, "scenes": len(files), "rows": rows})


def _shrunk(file: Path, side: int) -> NDArray[np.uint8]:
    with Image.open(file) as picture:
        small = picture.convert("RGB").resize((side, side), Image.Resampling.BOX)
    return np.moveaxis(np.asarray(small), -1, 0).copy()


def _accuracy(embeddings: NDArray[np.float32], names: NDArray[np.str_]) -> float:
    """Share of scenes whose nearest ones, of other folds, are mostly of their class."""
    classes, label = np.unique(names, return_inverse=True)
    within = np.concatenate([np.arange(count) * FOLDS // count for count in np.bincount(label)])
    fold = np.empty(len(label), dtype=np.int64)
    fold[np.argsort(label, kind="stable")] = within
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    likeness = unit @ unit.T
    likeness[fold[:, None] == fold[None, :]] = -np.inf
    nearest = label[np.argsort(-likeness, axis=1)[:, :NEIGHBOURS]]
    votes = np.stack([(nearest == i).sum(axis=1) for i in range(len(classes))], axis=1)
    return float((votes.argmax(axis=1) == label).mean())


if __name__ == "__main__":
    main()
