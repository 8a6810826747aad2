"""How well a city can be asked: labelled scenes, the true forms of a made town, and how long many tiles take.

Scenes: half of the UC Merced land use data (Yang and Newsam 2010), 21 classes of 50 (`--scenes FOLDER`, a folder a
class). One scene asks for the others of its class; those beside it in the numbering are left out, for they may overlap.
Printed are mean average precision and precision at 10, in the space of types alone and drawn along the graph of
likeness, and what share of a class is found after 60 scenes were looked at, ten at a time, each told as meant or not.

Town: precision at 10 by true form, of a finished run of the demo town (`--town RUN`).

Many: seconds and memory of one question to `--many` tiles, drawn by a seed, in a process of its own.

Without any argument: half a million tiles, and each tenth of the scenes below the folder that ROADPRINT_DATA names
(`../shared/data` where it is not set), if they are there.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import time
from collections.abc import Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from PIL import Image

from geo.clusters.space import fit_space, to_space
from geo.config import Clusters, encoder_settings
from geo.demo.write import DemoTown
from geo.features.lengths import of_length_1
from geo.features.registry import load_encoder
from geo.features.tile_fingerprints import write_tiles
from geo.search.looks import Looks
from geo.search.ranking import LEARNT_FROM, cosines, rank, spread
from tasks.results.opening import open_run
from tasks.results.seen_tiles import SeenTiles

SCENE_M, BESIDE = 76.8, 3
"""Side of a scene (metres); scenes whose numbers differ by so much or less lie beside each other."""
ROUNDS, LOOKED_AT = 6, 10
MANY, LOOKS, DIMENSION = 500_000, 300, 320


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
    looks = open_run(run_folder).looks
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


def made_city(folder: Path, count: int) -> None:
    """Write a city of so many tiles, four a segment, drawn by a seed: lines, squares and fingerprints."""
    rng = np.random.default_rng(0)
    number = np.arange(count // 4)
    side = int(np.ceil(np.sqrt(len(number))))
    x, y = (number % side) * 210.0, (number // side) * 210.0
    ids = np.array([f"{one:016x}" for one in number])
    segments = gpd.GeoDataFrame(
        {
            "segment_id": pd.array(ids, dtype="string"),
            "name": pd.array([f"Road {one // 5}" if one % 3 else None for one in number], dtype="string"),
            "ref": pd.array([None] * len(number), dtype="string"),
        },
        geometry=shapely.linestrings(np.stack([np.stack([x, y], 1), np.stack([x + 200, y], 1)], 1)),
        crs=27700,
    )
    at = np.tile([25.0, 75.0, 125.0, 175.0], len(number))
    middle, up = np.repeat(x, 4) + at, np.repeat(y, 4)
    tiles = gpd.GeoDataFrame(
        {
            "tile_id": pd.array([f"{one}-{n:02d}" for one in ids for n in range(4)], dtype="string"),
            "segment_id": pd.array(np.repeat(ids, 4), dtype="string"),
            "position_m": at,
        },
        geometry=shapely.box(middle - 50, up - 50, middle + 50, up + 50),
        crs=27700,
    )
    looks = rng.standard_normal((LOOKS, DIMENSION), dtype=np.float32)
    own = rng.integers(0, LOOKS, len(number))
    vectors = np.empty((len(tiles), DIMENSION), dtype=np.float16)
    for start in range(0, len(tiles), 1 << 15):
        some = np.arange(start, min(start + (1 << 15), len(tiles)))
        noise = rng.standard_normal((len(some), DIMENSION), dtype=np.float32)
        vectors[some] = of_length_1(looks[own[some // 4]] + noise)
    segments.to_parquet(folder / "segments.parquet")
    tiles.to_parquet(folder / "tiles.parquet")
    write_tiles(folder / "vectors.parquet", tiles, vectors, {})
    pooled = vectors.reshape(-1, 4, DIMENSION).mean(axis=1, dtype=np.float32)
    np.save(folder / "pooled.npy", pooled)


def ask_made(folder: Path) -> None:
    """Print how long a question to a made city takes, and the most memory of this process."""
    start = time.perf_counter()
    segments, tiles = (gpd.read_parquet(folder / f"{name}.parquet") for name in ("segments", "tiles"))
    vectors = np.load(folder / "pooled.npy")
    space, points = fit_space(vectors, Clusters())
    ids = pd.Index(segments["segment_id"])
    seen = SeenTiles(folder / "vectors.parquet", tiles, ids, space.of)
    looks = Looks(segments, tiles, vectors, points.astype(np.float32), space.of, 100.0, seen)
    seen.everyone()
    print(f"{len(tiles):,} tiles, {len(segments):,} segments: opened in {time.perf_counter() - start:.1f} s")
    everyone = np.ones(len(segments), dtype=bool)
    for examples in (1, 1, LEARNT_FROM, 30):
        for name, find in (("tiles", looks.find_tiles), ("segments", looks.find)):
            start, busy = time.perf_counter(), time.process_time()
            yes, no = (
                [looks.tile(str(tiles["tile_id"].iloc[40 * n + first])) for n in range(examples)]
                for first in (8, 9000)
            )
            find(yes, no, among=everyone, shown=20)
            print(
                f"  {examples} and {examples} examples, over {name}: {time.perf_counter() - start:.2f} s, "
                f"{time.process_time() - busy:.2f} s of them on the processor",
                flush=True,
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"  peak memory of the process, opening and all: {peak:.2f} GB", flush=True)


def many(count: int) -> None:
    """Make a city of so many tiles, and ask it; each in a process of its own, so that memory is of one alone."""
    alone = get_context("spawn")
    with TemporaryDirectory(prefix="roadprint-many-") as folder:
        for work in (partial(made_city, Path(folder), count), partial(ask_made, Path(folder))):
            process = alone.Process(target=work)
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(f"{work.func.__name__} ended with {process.exitcode}")


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
    if not (asked.scenes or asked.town or asked.many):
        data = Path(os.environ.get("ROADPRINT_DATA", "../shared/data")) / "scenes_ucmerced"
        asked.scenes, asked.many, asked.every = data if data.is_dir() else None, MANY, 10
        if asked.scenes is None:
            print(f"scenes: skipped, there is no folder {data}")
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
