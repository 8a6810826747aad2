"""What the dense mode does to the quality of embeddings, beside single tiles.

    ROADPRINT_DATA=... .venv/bin/python bench/dense_quality.py [--context 0 16 32 48]

Labelled scenes: half of UC Merced (Yang and Newsam 2010; 1,050 aerial scenes of 21 classes, 0.3 m), laid out side by
side with gaps without imagery, each with one road through its middle. A tile of the scene's own side shows all of it
and nothing else; one of 40 m shows its middle, and in the dense mode the context that it sees is the same scene.
Nearest neighbours: the share of scenes whose label is that of most of their 5 nearest, over 5 folds of neighbouring
scenes; NMI: of k-means with 21 clusters, mean of 5 seeds. Agreement: the share of a tile's 10 nearest among the single
tiles that are among its 10 nearest in the dense mode, in the demo town and, where it is there, in the real case.
ROADPRINT_DATA names the folder with the scenes, as `scenes_ucmerced/CLASS/*.jpg`; nothing runs without it.
A table is printed, and the same as JSON under bench/results/.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from results import save, table
from scenes import FOLDS, PIXEL_M, SCENE_PX, embed, folder_of_scenes, folds_of, lay_out_scenes
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from geo.demo.write import make_town

NEIGHBOURS, SEEDS, CLASSES = 5, 5, 21


def unit(frame: pd.DataFrame) -> np.ndarray:
    """Bring embeddings to length 1."""
    values = np.stack(frame["embedding"].to_numpy())
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def by_label(frame: pd.DataFrame, labels: np.ndarray) -> tuple[float, float]:
    """Score embeddings against labels: nearest neighbours, and NMI of k-means."""
    place = frame["source"].astype(int).to_numpy()
    order = np.argsort(place)
    values, truth = unit(frame)[order], labels[place[order]]
    fold = folds_of(truth)
    right = [
        KNeighborsClassifier(NEIGHBOURS, metric="cosine")
        .fit(values[fold != f], truth[fold != f])
        .score(values[fold == f], truth[fold == f])
        for f in range(FOLDS)
    ]
    nmi = [
        normalized_mutual_info_score(truth, KMeans(CLASSES, n_init=3, random_state=seed).fit_predict(values))
        for seed in range(SEEDS)
    ]
    return float(np.mean(right)), float(np.mean(nmi))


def agreement(one: pd.DataFrame, other: pd.DataFrame, k: int = 10) -> float:
    """Share of the nearest neighbours of one that are nearest in the other, over the tiles of both."""
    both = one.index.intersection(other.index)
    near = [
        NearestNeighbors(n_neighbors=k, metric="cosine")
        .fit(unit(frame.loc[both]))
        .kneighbors(return_distance=False)
        for frame in (one, other)
    ]
    return float((near[0][:, :, None] == near[1][:, None, :]).any(axis=2).mean())


def main() -> None:
    """Embed in all ways, score, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--context", type=float, nargs="+", default=[0, 16, 32, 48])
    given = parser.parse_args()
    data = folder_of_scenes(parser)
    real = Path("data/cities/cambridge-ma.yaml")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "town").mkdir()
        (folder / "scenes").mkdir()
        town = make_town(folder / "town").city
        scenes, labels = lay_out_scenes(data, folder / "scenes")
        cities = {"town": town} | ({"real case": real} if (data.parent / "boston").exists() else {})
        ways: dict[str, dict[str, str]] = {"single tiles": {}}
        ways |= {f"dense, {m:g} m": {"tiles.mode": "dense", "tiles.context_m": str(m)} for m in given.context}
        ways["dense, corridor"] = {"tiles.mode": "dense", "tiles.pool": "corridor"}
        alone: dict[str, pd.DataFrame] = {}
        rows = []
        for way, settings in ways.items():
            row: dict[str, object] = {"way": way}
            if way != "dense, corridor":
                for side in (SCENE_PX * PIXEL_M, 40.0):
                    shape = {"tiles.tile_m": str(side), "encoder.input_px": str(round(side / 0.52 / 32) * 32)}
                    found = embed(scenes, folder / "runs", settings | shape)
                    row[f"{side:g} m: neighbours"], row[f"{side:g} m: NMI"] = by_label(found, labels)
            for place, city in cities.items():
                found = embed(city, folder / "runs", settings)
                alone.setdefault(place, found)
                row[f"agreement, {place}"] = agreement(alone[place], found)
            rows.append(row)
            print(table([row]), flush=True)
    print(table(rows))
    save("dense_quality", rows)


if __name__ == "__main__":
    main()
