"""How well a city can be asked: labelled scenes, the true forms of a made town, and how long many tiles take.

Scenes: half of the UC Merced land use data (Yang and Newsam 2010), 21 classes of 50 (`--scenes FOLDER`, a folder a
class). One scene asks for the others of its class; those beside it in the numbering are left out, for they may overlap.
Printed are mean average precision and precision at 10, in the space of types alone and drawn along the graph of
likeness, and what share of a class is found after 60 scenes were looked at, ten at a time, each told as meant or not.

Town: precision at 10 by true form, of a finished run of the demo town (`--town RUN`).

Many: seconds and memory of one question to `--many` tiles, drawn by a seed.
"""

from __future__ import annotations

import argparse
import re
import resource
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geo.clusters.space import to_space
from geo.config import Clusters, encoder_settings
from geo.demo.write import DemoTown
from geo.features.lengths import of_length_1
from geo.features.registry import load_encoder
from geo.search.ranking import LEARNT_FROM, Ranked, cosines, rank, spread
from tasks.results.opening import open_run

SCENE_M, BESIDE = 76.8, 3
"""Side of a scene (metres); scenes whose numbers differ by so much or less lie beside each other."""
ROUNDS, LOOKED_AT = 6, 10


def scenes(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.str_], NDArray[np.int64]]:
    """Encode labelled scenes: embeddings of length 1, classes, and numbers within them."""
    files = sorted(folder.glob("*/*.jpg"))
    encoder = load_encoder(encoder_settings(), tile_m=SCENE_M)
    found = []
    for start in range(0, len(files), 32):
        tiles = [
            np.moveaxis(np.asarray(Image.open(one).convert("RGB")), -1, 0)
            for one in files[start : start + 32]
        ]
        found.append(encoder.encode(tiles, [np.ones(one.shape[1:], dtype=bool) for one in tiles]))
    numbers = [int(re.findall(r"\d+", one.stem)[-1]) for one in files]
    return of_length_1(np.concatenate(found)), np.array([one.parent.name for one in files]), np.array(numbers)


def precision(meant: NDArray[np.bool_], there: int) -> tuple[float, float]:
    """Give average precision and precision at 10 of answers in their order."""
    at = np.cumsum(meant) / np.arange(1, len(meant) + 1)
    return float((at * meant).sum() / there), float(meant[:10].mean())


def one_scene_asks(
    points: NDArray[np.float32], classes: NDArray[np.str_], numbers: NDArray[np.int64], every: int
) -> None:
    """Print how well one scene finds the others of its class."""
    rows = {"cosine alone": [], "drawn along the graph": []}
    spreads: list[float] = []
    by_class: dict[str, list[float]] = {}
    for row in range(0, len(points), every):
        same = classes == classes[row]
        out = same & (np.abs(numbers - numbers[row]) <= BESIDE)
        there = int((same & ~out).sum())
        plain = np.argsort(-np.where(out, -np.inf, cosines(points, points[row][None])[:, 0]), kind="stable")
        found = rank(points, points[row][None], points[:0], left_out=out, shown=10)
        rows["cosine alone"].append(precision(same[plain[: (~out).sum()]], there))
        rows["drawn along the graph"].append(precision(same[found.rows], there))
        spreads.append(float(same[found.rows[spread(points, found, 10)]].mean()))
        by_class.setdefault(classes[row], []).append(rows["drawn along the graph"][-1][0])
    for name, values in rows.items():
        means = np.mean(values, axis=0)
        print(f"{name}: mean average precision {means[0]:.3f}, precision at 10 {means[1]:.3f}", flush=True)
    print(f"answers spread: precision at 10 {np.mean(spreads):.3f}")
    for name, got in sorted(by_class.items(), key=lambda item: np.mean(item[1])):
        print(f"  {name}: {np.mean(got):.2f}")


def looked_at(
    points: NDArray[np.float32], classes: NDArray[np.str_], numbers: NDArray[np.int64], every: int
) -> None:
    """Print which share of a class is found by looking at ten answers, six times."""
    shares = []
    for row in range(0, len(points), every):
        same = classes == classes[row]
        out = same & (np.abs(numbers - numbers[row]) <= BESIDE)
        yes, no = [row], []
        for _ in range(ROUNDS):
            seen = out.copy()
            seen[[*yes, *no]] = True
            found = rank(points, points[yes], points[no], left_out=seen, shown=LOOKED_AT)
            for one in found.rows[:LOOKED_AT].tolist():
                (yes if same[one] else no).append(one)
        shares.append((len(yes) - 1) / int((same & ~out).sum()))
    print(f"of a class, found after {ROUNDS * LOOKED_AT} were looked at: {np.mean(shares):.3f}", flush=True)


def town(run_folder: Path, drawn: Path, asked: int) -> None:
    """Print precision at 10 by true form."""
    looks = open_run(run_folder)._roads.looks  # noqa: SLF001 - as `OpenRun.find` asks
    truth = DemoTown(drawn).truth().segments.set_index("segment_id")["form"]
    form = truth.reindex(looks.segments["segment_id"]).to_numpy()
    everyone = np.ones(len(form), dtype=bool)
    for balance in (1.0, 0.8):
        got = []
        for row in np.random.default_rng(0).permutation(len(form))[:asked].tolist():
            answers = looks.find([looks.example(row)], [], among=everyone, shown=10, balance=balance)
            got.append((truth.reindex(answers["segment_id"]).to_numpy() == form[row]).mean())
        print(
            f"demo town, {asked} roads, balance {balance}: precision at 10 by true form {np.mean(got):.3f}",
            flush=True,
        )


def many(count: int) -> None:
    """Print how long one question to many tiles takes."""
    rng = np.random.default_rng(0)
    points = of_length_1(rng.standard_normal((count, 64), dtype=np.float32))
    nobody = np.zeros(count, dtype=bool)
    for examples in (1, LEARNT_FROM):
        start = time.perf_counter()
        found: Ranked = rank(points, points[:examples], points[9 : 9 + examples], left_out=nobody, shown=20)
        spread(points, found, 20)
        print(
            f"{count:,} tiles, {examples} and {examples} examples: {time.perf_counter() - start:.2f} s",
            flush=True,
        )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=Path, help="folder of labelled scenes")
    parser.add_argument("--embeddings", type=Path, help="file that keeps the scenes' embeddings (.npz)")
    parser.add_argument("--every", type=int, default=1, help="ask with each so many-th scene")
    parser.add_argument(
        "--town", type=Path, nargs=2, metavar=("RUN", "DRAWN"), help="run of a demo town, and its folder"
    )
    parser.add_argument("--many", type=int, help="number of tiles")
    asked = parser.parse_args(arguments)
    if asked.scenes:
        if asked.embeddings and asked.embeddings.exists():
            kept = np.load(asked.embeddings)
            found = kept["vectors"], kept["classes"], kept["numbers"]
        else:
            found = scenes(asked.scenes)
            if asked.embeddings:
                np.savez(asked.embeddings, vectors=found[0], classes=found[1], numbers=found[2])
        points = to_space(found[0], Clusters()).astype(np.float32)
        one_scene_asks(points, found[1], found[2], asked.every)
        looked_at(points, found[1], found[2], asked.every)
    if asked.town:
        town(*asked.town, asked=60)
    if asked.many:
        many(asked.many)


if __name__ == "__main__":
    main()
