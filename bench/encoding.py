"""Encode the same images with roadprint's runtime and with plain torch, in one run.

    .venv/bin/python bench/encoding.py [--images 128] [--side 192]

The bundled model in float32 on all cores, batches of 32. Prints images per second, how many times plain torch that
is, and the least cosine between its embeddings and those of plain torch; the same as JSON under bench/results/.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from results import save, table

from geo.config import encoder_settings
from geo.features.encoders.bundled import Bundled
from geo.features.model import Normalised
from geo.features.runtime import available_cores, choose_runtime

BATCH, ROUNDS = 32, 3


def rate(work: Callable[[], Any], n: int) -> tuple[float, Any]:
    """Run once to warm up, then some rounds; gives images per second of the best, and what came out."""
    out = work()
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return n / min(seconds), out


def eager(module: torch.nn.Module, batches: list[torch.Tensor], layout: torch.memory_format) -> np.ndarray:
    """Encode as plain torch does."""
    with torch.inference_mode():
        return np.concatenate([module(batch.contiguous(memory_format=layout)).numpy() for batch in batches])


def main() -> None:
    """Encode in each way, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--side", type=int, default=192)
    given = parser.parse_args()
    torch.set_num_threads(available_cores())
    n, side = given.images, given.side
    images = np.random.default_rng(0).integers(0, 256, (n, 3, side // 8, side // 8), dtype=np.uint8)
    images = np.ascontiguousarray(images.repeat(8, 2).repeat(8, 3))
    model, card = Bundled().load_model()
    module = Normalised(model, card).eval()
    # a copy: to be compared with torch, the runtime changes the layout of the module that it is given
    runtime = choose_runtime(deepcopy(module), images[:2], encoder_settings(device="cpu"))
    batches = list(torch.from_numpy(images).split(BATCH))
    plain_rate, plain = rate(lambda: eager(module, batches, torch.contiguous_format), n)
    ours_rate, ours = rate(
        lambda: np.concatenate([runtime.embed(images[i : i + BATCH]) for i in range(0, n, BATCH)]), n
    )
    last = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    last_rate, by_last = rate(lambda: eager(last, batches, torch.channels_last), n)

    def agreement(found: np.ndarray) -> float:
        lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(plain, axis=1)
        return float(((found * plain).sum(1) / lengths).min())

    rows = [
        {
            "way": name,
            "images per s": r,
            "times plain torch": r / plain_rate,
            "least cosine": f"{agreement(x):.6f}",
        }
        for name, r, x in (
            ("plain torch", plain_rate, plain),
            ("torch, channels_last", last_rate, by_last),
            (f"roadprint ({runtime.name})", ours_rate, ours),
        )
    ]
    print(f"{n} images of {side} px on {available_cores()} cores\n")
    print(table(rows))
    save("encoding", {"side": side, "cores": available_cores(), "rows": rows})


if __name__ == "__main__":
    main()
