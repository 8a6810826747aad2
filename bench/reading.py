"""Read the same tiles in several ways, in one run: roadprint, torchgeo's RasterDataset, a rasterio loop, and the floor.

    .venv/bin/python bench/reading.py [--side 12288] [--tiles 5670] [--memory 56]

One raster of three bands in JPEG blocks of 512 pixels, tiles of 256 pixels along random lines. All ways
get the same memory for decoded blocks (MB). The floor decodes each block that a tile needs once, and does nothing else.
A table is printed, and the same as JSON under bench/results/.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import torch
from rasterio.windows import Window
from results import save, table
from torchgeo.datasets import RasterDataset

from geo.config import Imagery, Tiles
from geo.imagery.blocks import BlockStore
from geo.imagery.catalogue import open_catalogue
from geo.imagery.cover import cover_tiles
from geo.imagery.reader import GDAL_CACHE_MB, TileReader
from geo.tiles.along import squares
from geo.tiles.shards import assign_shards, spatial_order

CRS, WEST, NORTH = "EPSG:26986", 230000.0, 900000.0
BLOCK, TILE = 512, 256


def make_raster(path: Path, side: int) -> None:
    """Write a raster with structure at several scales, strip by strip."""
    rng = np.random.default_rng(0)
    tile = rng.integers(0, 80, (3, BLOCK, BLOCK)).astype(np.uint8)
    tile += np.kron(rng.integers(0, 150, (3, 32, 32)), np.ones((1, 16, 16))).astype(np.uint8)
    profile = {"driver": "GTiff", "count": 3, "dtype": "uint8", "width": side, "height": side, "crs": CRS}
    layout = {
        "tiled": True,
        "blockxsize": BLOCK,
        "blockysize": BLOCK,
        "compress": "JPEG",
        "photometric": "YCBCR",
    }
    transform = rasterio.transform.from_origin(WEST, NORTH, 1, 1)
    with rasterio.open(path, "w", **profile, **layout, transform=transform) as raster:
        for row in range(0, side, BLOCK):
            for col in range(0, side, BLOCK):
                raster.write(
                    np.roll(tile, (row // 7, col // 5), (1, 2)), window=Window(col, row, BLOCK, BLOCK)
                )


def place(side: int, n: int) -> gpd.GeoDataFrame:
    """Place tiles every half tile along random lines as long as streets at 0.25 m are."""
    rng = np.random.default_rng(1)
    points: list[np.ndarray] = []
    while sum(map(len, points)) < n:
        start, angle = rng.uniform(0, side, 2), rng.uniform(0, 2 * np.pi)
        steps = np.arange(0, rng.uniform(200, 1200), TILE / 2)[:, None]
        line = start + steps * np.array([np.cos(angle), np.sin(angle)])
        points.append(line[((line > TILE / 2 + 1) & (line < side - TILE / 2 - 1)).all(axis=1)])
    # whole pixels, so that all ways read the very same ones
    xy = np.round(np.concatenate(points)[:n])
    xy = np.column_stack([WEST + xy[:, 0], NORTH - xy[:, 1]])
    frame = gpd.GeoDataFrame(
        {"tile_id": [f"t{i:06d}" for i in range(n)], "x": xy[:, 0], "y": xy[:, 1], "bearing": 0.0},
        geometry=squares(xy, np.zeros(n), TILE),
        crs=CRS,
    )
    return frame.assign(shard=assign_shards(pd.DataFrame(frame[["x", "y"]])))


def ours(path: Path, tiles: gpd.GeoDataFrame, memory: float) -> tuple[dict[str, int], BlockStore]:
    """Read all shards as a run does; gives the sum of each tile's pixels."""
    imagery, shape = Imagery(sources=[str(path)]), Tiles(tile_m=TILE)
    images = open_catalogue(imagery, crs=tiles.crs).images
    tiles = tiles.join(cover_tiles(tiles, images))
    store, sums = BlockStore(memory - GDAL_CACHE_MB), {}
    for shard in sorted(tiles["shard"].unique(), key=spatial_order):
        with TileReader(images, imagery, shape, store=store) as reader:
            for tile in reader.read(tiles[tiles["shard"] == shard]):
                sums[tile.tile_id] = int(tile.pixels.sum())
    return sums, store


def windows(tiles: gpd.GeoDataFrame) -> Iterator[tuple[str, Window]]:
    """Windows of the tiles, in the order of the lines that they lie on."""
    for tile_id, x, y in zip(tiles["tile_id"], tiles["x"], tiles["y"], strict=True):
        yield tile_id, Window(x - WEST - TILE / 2, NORTH - y - TILE / 2, TILE, TILE)


def loop(path: Path, tiles: gpd.GeoDataFrame, memory: float) -> dict[str, int]:
    """Read tile after tile from one open dataset."""
    with rasterio.Env(GDAL_CACHEMAX=int(memory * 2**20)), rasterio.open(path) as raster:
        return {tile_id: int(raster.read(window=window).sum()) for tile_id, window in windows(tiles)}


def by_torchgeo(path: Path, tiles: gpd.GeoDataFrame, memory: float) -> dict[str, int]:
    """Ask torchgeo's dataset for each tile."""
    half = TILE / 2
    with rasterio.Env(GDAL_CACHEMAX=int(memory * 2**20)):
        dataset = RasterDataset(paths=str(path))
        return {
            tile_id: int(dataset[x - half : x + half, y - half : y + half]["image"].sum(dtype=torch.float64))
            for tile_id, x, y in zip(tiles["tile_id"], tiles["x"], tiles["y"], strict=True)
        }


def floor(path: Path, tiles: gpd.GeoDataFrame) -> int:
    """Decode each block that is needed once."""
    needed = {
        (row, col)
        for _, w in windows(tiles)
        for row in range(int(w.row_off) // BLOCK, int(w.row_off + TILE - 1) // BLOCK + 1)
        for col in range(int(w.col_off) // BLOCK, int(w.col_off + TILE - 1) // BLOCK + 1)
    }
    with rasterio.open(path) as raster:
        for row, col in sorted(needed):
            raster.read(window=Window(col * BLOCK, row * BLOCK, BLOCK, BLOCK))
    return len(needed)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Run something and time it."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main() -> None:
    """Read in all ways, compare what was read, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=12_288)
    parser.add_argument("--tiles", type=int, default=5_670)
    parser.add_argument("--memory", type=float, default=56)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "raster.tif"
        make_raster(path, given.side)
        tiles = place(given.side, given.tiles)
        least, blocks = timed(lambda: floor(path, tiles))
        seconds, (sums, store) = timed(lambda: ours(path, tiles, given.memory))
        looped, by_loop = timed(lambda: loop(path, tiles, given.memory))
        mixed = tiles.sample(frac=1, random_state=2)
        looped_mixed, by_mixed = timed(lambda: loop(path, mixed, given.memory))
        torch_seconds, by_dataset = timed(lambda: by_torchgeo(path, tiles, given.memory))
        torch_mixed, by_sampler = timed(lambda: by_torchgeo(path, mixed, given.memory))
    assert sums == by_loop == by_mixed == by_dataset == by_sampler, "the ways do not read the same pixels"
    raw = 3 * BLOCK * BLOCK
    rows = [
        {
            "way": name,
            "ms_per_tile": 1000 * s / len(tiles),
            "times_ours": s / seconds,
            "mb_decoded_per_tile": mb,
        }
        for name, s, mb in (
            ("each needed block once (floor)", least, blocks * raw / len(tiles) / 2**20),
            ("roadprint", seconds, store.decoded_bytes / len(tiles) / 2**20),
            ("rasterio loop, same memory, road by road", looped, None),
            ("the same, in random order", looped_mixed, None),
            ("torchgeo RasterDataset, same memory, road by road", torch_seconds, None),
            ("the same, in random order", torch_mixed, None),
        )
    ]
    imagery_mb = 3 * given.side**2 / 2**20
    print(f"{len(tiles):,} tiles, imagery {imagery_mb:.0f} MB decoded, memory {given.memory:.0f} MB")
    print(f"blocks decoded / needed in the run: {store.decoded / blocks:.2f} ({store.decoded} / {blocks})\n")
    print(table(rows))
    save("reading", {"rows": rows, "decoded": store.decoded, "needed": blocks, "imagery_mb": imagery_mb})


if __name__ == "__main__":
    main()
