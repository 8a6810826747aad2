"""Read the same tiles in several ways, in one run: roadprint, torchgeo's RasterDataset, a rasterio loop, and the floor.

    .venv/bin/python bench/reading.py [--side 12288] [--tiles 5670] [--memory 56]

One raster of three bands in JPEG blocks of 512 pixels, tiles of 256 pixels along random lines. All ways
get the same memory for decoded blocks (MB), one thread, and do nothing with the pixels while the clock runs; before
that, all are read once to see that they are the same. The floor decodes each block that a tile needs once, and does
nothing else.
A table is printed, and the same as JSON under bench/results/.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from rasterio.windows import Window
from results import save, table
from torchgeo.datasets import RasterDataset

from geo.config import Imagery, Tiles
from geo.imagery.catalogue import open_catalogue
from geo.imagery.cover import cover_tiles
from geo.imagery.reading.blocks import BlockStore
from geo.imagery.reading.reader import GDAL_CACHE_MB, TileImage, TileReader, reach
from geo.imagery.reading.schedule import ReadingOrder
from geo.tiles.along import squares
from geo.tiles.shards import assign_shards

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
    return frame.assign(shard=assign_shards(pd.DataFrame(frame[["x", "y"]]), tiles_per_shard=400))


Use = Callable[[str, np.ndarray], None]
"""What is done with a tile's pixels: nothing while the clock runs."""


def ours(path: Path, tiles: gpd.GeoDataFrame, memory: float, use: Use) -> BlockStore:
    """Read all shards as a run does."""
    imagery, shape = Imagery(sources=[str(path)]), Tiles(tile_m=TILE)
    images = open_catalogue(imagery, crs=tiles.crs).images
    tiles = tiles.join(cover_tiles(tiles, images))
    schedule = ReadingOrder(tiles, reach_m=reach(shape), crs=tiles.crs)
    store = BlockStore(memory - GDAL_CACHE_MB, schedule)
    with TileReader(images, imagery, shape, store=store) as reader:
        for shard in schedule.order:
            with store.during(shard):
                for tile in reader.read(tiles[tiles["shard"] == shard]):
                    assert isinstance(tile, TileImage), tile
                    use(tile.tile_id, tile.pixels)
    return store


def windows(tiles: gpd.GeoDataFrame) -> Iterator[tuple[str, Window]]:
    """Windows of the tiles, in the order of the lines that they lie on."""
    for tile_id, x, y in zip(tiles["tile_id"], tiles["x"], tiles["y"], strict=True):
        yield tile_id, Window(x - WEST - TILE / 2, NORTH - y - TILE / 2, TILE, TILE)


def loop(path: Path, tiles: gpd.GeoDataFrame, memory: float, use: Use) -> None:
    """Read tile after tile from one open dataset."""
    with rasterio.Env(GDAL_CACHEMAX=int(memory * 2**20)), rasterio.open(path) as raster:
        for tile_id, window in windows(tiles):
            use(tile_id, raster.read(window=window))


def by_torchgeo(path: Path, tiles: gpd.GeoDataFrame, memory: float, use: Use) -> None:
    """Ask torchgeo's dataset for each tile."""
    half = TILE / 2
    with rasterio.Env(GDAL_CACHEMAX=int(memory * 2**20)):
        dataset = RasterDataset(paths=str(path))
        for tile_id, x, y in zip(tiles["tile_id"], tiles["x"], tiles["y"], strict=True):
            use(tile_id, dataset[x - half : x + half, y - half : y + half]["image"].numpy())


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


def sums(way: Callable[[Use], Any]) -> dict[str, int]:
    """Read in one way; gives the sum of each tile's pixels."""
    found: dict[str, int] = {}

    def add(tile_id: str, pixels: np.ndarray) -> None:
        found[tile_id] = int(pixels.sum(dtype=np.float64))

    way(add)
    return found


def nothing(_tile_id: str, _pixels: np.ndarray) -> None:
    """Use a tile in no way."""


def main() -> None:
    """Read in all ways, compare what was read, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=12_288)
    parser.add_argument("--tiles", type=int, default=5_670)
    parser.add_argument("--memory", type=float, default=56)
    parser.add_argument("--rounds", type=int, default=2, help="the least time of so many counts")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "raster.tif"
        make_raster(path, given.side)
        tiles = place(given.side, given.tiles)
        mixed = tiles.sample(frac=1, random_state=2)
        ways: dict[str, Callable[[Use], Any]] = {
            "roadprint": lambda use: ours(path, tiles, given.memory, use),
            "rasterio loop, same memory, road by road": lambda use: loop(path, tiles, given.memory, use),
            "the same, in random order": lambda use: loop(path, mixed, given.memory, use),
            "torchgeo RasterDataset, same memory, road by road": lambda use: by_torchgeo(
                path, tiles, given.memory, use
            ),
            "the same as that, in random order": lambda use: by_torchgeo(path, mixed, given.memory, use),
        }
        read = [sums(way) for way in ways.values()]
        assert all(one == read[0] for one in read), "the ways do not read the same pixels"
        least, blocks = min(timed(lambda: floor(path, tiles)) for _ in range(given.rounds))
        seconds = {
            name: min(timed(partial(way, nothing))[0] for _ in range(given.rounds))
            for name, way in ways.items()
        }
        store = ours(path, tiles, given.memory, nothing)
    decoded = {"each needed block once (floor)": blocks * 3 * BLOCK**2, "roadprint": store.decoded_bytes}
    rows = [
        {
            "way": name,
            "ms_per_tile": 1000 * s / len(tiles),
            "times_ours": s / seconds["roadprint"],
            "mb_decoded_per_tile": decoded[name] / len(tiles) / 2**20 if name in decoded else None,
        }
        for name, s in {"each needed block once (floor)": least, **seconds}.items()
    ]
    imagery_mb = 3 * given.side**2 / 2**20
    print(f"{len(tiles):,} tiles, imagery {imagery_mb:.0f} MB decoded, memory {given.memory:.0f} MB")
    print(f"blocks decoded / needed in the run: {store.decoded / blocks:.2f} ({store.decoded} / {blocks})\n")
    print(table(rows))
    save("reading", {"rows": rows, "decoded": store.decoded, "needed": blocks, "imagery_mb": imagery_mb})


if __name__ == "__main__":
    main()
