"""Encode the same images with roadprint's runtime and with plain torch, in one run.

    .venv/bin/python bench/encoding.py [--images 128] [--side 192] [--device cuda] [--batches 32 128 512]

The bundled model in float32 on all cores, batches of 32. Prints images per second, how many times plain torch that
is, and the least cosine between its embeddings and those of plain torch; the same as JSON under bench/results/.

With a device named, the same images are encoded there as well, in each of the batches: by plain torch in float32 (no
TF32), and by the runtime that roadprint chooses for it; and tiles of 400 pixels by the whole encoder, which resizes
them to the side and turns each four times: four images a tile. Images come from memory and embeddings go back to it;
both are within the seconds. All compare to plain torch on the processor.
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
from geo.features.registry import load_encoder
from geo.features.runtime import Runtime, available_cores, choose_device, choose_runtime

BATCH, ROUNDS = 32, 3
LEAST_BATCHES = 8
TILE_M, TILE_PX, TURNS = 100, 400, 4
PROCESSOR = torch.device("cpu")


def rate(work: Callable[[], Any], n: int) -> tuple[float, Any]:
    """Run once to warm up, then some rounds; gives images per second of the best, and what came out."""
    out = work()
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return n / min(seconds), out


def eager(
    module: torch.nn.Module,
    batches: list[torch.Tensor],
    layout: torch.memory_format = torch.contiguous_format,
    device: torch.device = PROCESSOR,
) -> np.ndarray:
    """Encode as plain torch does."""
    with torch.inference_mode():
        found = [module(batch.contiguous(memory_format=layout).to(device)).cpu() for batch in batches]
    return torch.cat(found).numpy()


def tensors(images: np.ndarray, size: int) -> list[torch.Tensor]:
    """Give the images to torch in batches of one size."""
    return [torch.from_numpy(images[i : i + size]) for i in range(0, len(images), size)]


def in_batches(runtime: Runtime, images: np.ndarray, size: int) -> np.ndarray:
    """Encode as roadprint does."""
    return np.concatenate([runtime.embed(images[i : i + size]) for i in range(0, len(images), size)])


def agreement(found: np.ndarray, plain: np.ndarray) -> float:
    """Give the least cosine between embeddings and those of plain torch, of the first images of both."""
    found = found[: len(plain)]
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(plain, axis=1)
    return float(((found * plain).sum(1) / lengths).min())


def noise(n: int, side: int) -> np.ndarray:
    """Make images ``(n, 3, side, side)`` of squares of any colour."""
    images = np.random.default_rng(0).integers(0, 256, (n, 3, side // 8, side // 8), dtype=np.uint8)
    return np.ascontiguousarray(images.repeat(8, 2).repeat(8, 3))


def on_processor(module: torch.nn.Module, images: np.ndarray) -> dict[str, tuple[float, np.ndarray]]:
    """Encode in each way on the processor: images per second and embeddings, plain torch first."""
    n, batches = len(images), tensors(images, BATCH)
    # copies: the runtime, and the second way, change the layout of the module that they are given
    runtime = choose_runtime(deepcopy(module), images[:2], encoder_settings(device="cpu"))
    last = deepcopy(module).to(memory_format=torch.channels_last)
    return {
        "plain torch": rate(lambda: eager(module, batches), n),
        "torch, channels_last": rate(lambda: eager(last, batches, torch.channels_last), n),
        f"roadprint ({runtime.name})": rate(lambda: in_batches(runtime, images, BATCH), n),
    }


def on_device(
    module: torch.nn.Module, images: np.ndarray, device: torch.device, size: int
) -> dict[str, tuple[float, np.ndarray]]:
    """Encode in each way on a device, in batches of one size: images per second and embeddings."""
    torch.backends.cudnn.allow_tf32 = False
    many = np.concatenate([images] * -(-LEAST_BATCHES * size // len(images)))
    batches = tensors(many, size)
    there = deepcopy(module).to(device)
    runtime = choose_runtime(deepcopy(module), images[:2], encoder_settings(device=device.type))
    where = f"batches of {size}"
    return {
        f"plain torch, {device.type}, float32, {where}": rate(
            lambda: eager(there, batches, device=device), len(many)
        ),
        f"roadprint ({runtime.name}), {where}": rate(lambda: in_batches(runtime, many, size), len(many)),
    }


def of_tiles(side: int, device: torch.device, size: int) -> float:
    """Encode tiles with the whole encoder, in batches of one size; gives images per second."""
    encoder = load_encoder(encoder_settings(device=device.type, input_px=side), tile_m=TILE_M)
    tiles = list(noise(size, TILE_PX))
    valid = [np.ones((TILE_PX, TILE_PX), dtype=bool)] * size
    found, _ = rate(lambda: encoder.encode(tiles, valid), size * TURNS)
    return found


def main() -> None:
    """Encode in each way, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--side", type=int, default=192)
    parser.add_argument("--device", choices=("cpu", "cuda", "mps"))
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 128, 512])
    given = parser.parse_args()
    # before anything is timed: a device that is not there is told at once
    device = choose_device(given.device or "cpu")
    torch.set_num_threads(available_cores())
    images = noise(given.images, given.side)
    model, card = Bundled().load_model()
    module = Normalised(model, card).eval()
    ways = on_processor(module, images)
    plain_rate, plain = ways["plain torch"]
    batches = given.batches if given.device else []
    for size in batches:
        ways |= on_device(module, images, device, size)
    found = [(way, speed, f"{agreement(made, plain):.6f}") for way, (speed, made) in ways.items()]
    for size in batches:
        way = f"whole encoder, {device.type}, batches of {size} tiles"
        found.append((way, of_tiles(given.side, device, size), "-"))
    rows = [
        {"way": way, "images per s": speed, "times plain torch": speed / plain_rate, "least cosine": cosine}
        for way, speed, cosine in found
    ]
    name = torch.cuda.get_device_name() if device.type == "cuda" else device.type
    print(f"{given.images} images of {given.side} px on {available_cores()} cores; device: {name}\n")
    print(table(rows))
    save("encoding", {"side": given.side, "cores": available_cores(), "device": name, "rows": rows})


if __name__ == "__main__":
    main()
