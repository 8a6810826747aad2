"""How well roads are found by tags of whole tiles, on ground that was not tagged.

    ROADPRINT_DATA=... .venv/bin/python bench/ground_tags.py [--tags 100] [--side 48] [--rotations 4] [--draws 3]

Imagery of 1 m with masks of its roads (Massachusetts Roads, Mnih 2013): Roslindale, and Somerville with Cambridge. In
one of the two, tiles are drawn and tagged: a tile carries the tag where more than a twentieth of it is road. What is
learned is scored on the other one: IoU of cells of 2 m, beside 'all of it is road', average precision on blocks left
out, and the IoU that is told of these (`ground.truth`). ROADPRINT_DATA names the folder with `boston/imagery`.
A table is printed, and the same as JSON under bench/results/.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import rasterio
import shapely
from rasterio.merge import merge
from results import save, table

from geo.config import Imagery, encoder_settings
from geo.ground.contract import Piece, Surroundings
from geo.ground.maps.pieces import Land, Pieces, chips_on
from geo.ground.maps.sight import load_sight
from geo.ground.tags.settings import ROTATIONS, STRIDES, Tags
from geo.ground.truth import NOT_TOLD, Truth, read_truth
from geo.imagery.catalogue import open_catalogue

CRS = pyproj.CRS(26986)
AREAS = {"Roslindale": ("23128930",), "Somerville": ("23279035", "23279050")}
ROAD, GAP = 0.05, 245
"""A tile with more of it is one with roads; brighter pixels are no ground (there is none in half of two rasters)."""


def write_truth(source: Path, names: tuple[str, ...], out: Path) -> Path:
    """Write masks as a map of classes: 1 road, 2 none, 0 where there is no imagery."""
    files = []
    for name in names:
        with rasterio.open(source / f"{name}.tif") as raster:
            gap = raster.read().min(axis=0) > GAP
            profile = raster.profile | {"count": 1, "dtype": "uint8", "nodata": 0, "photometric": None}
        with rasterio.open(source / f"{name}_roads_mask.png") as mask:
            roads = mask.read(1) > 0
        profile |= {"compress": "deflate", "driver": "GTiff"}
        profile.pop("photometric")
        with rasterio.open(out / f"{name}_truth.tif", "w", **profile) as raster:
            raster.write(np.where(gap, 0, np.where(roads, 1, 2)).astype(np.uint8), 1)
        files.append(out / f"{name}_truth.tif")
    if len(files) == 1:
        return files[0]
    whole, transform = merge(files)
    path = out / f"{names[0]}_all.tif"
    with rasterio.open(
        path, "w", **profile | {"height": whole.shape[1], "width": whole.shape[2], "transform": transform}
    ) as raster:
        raster.write(whole)
    return path


def land_of(source: Path, names: tuple[str, ...], settings: Tags) -> Land:
    """Open the rasters of an area."""
    imagery = Imagery(sources=[str(source / f"{name}.tif") for name in names])
    sight = load_sight(settings, encoder_settings(name="bundled"), imagery, finest_m=1.0)
    return Land(open_catalogue(imagery, CRS).images, imagery, sight)


def tiles_of(land: Land, truth: Truth, side: float) -> tuple[Surroundings, pd.Series]:
    """Cut an area into tiles, those that are ground; gives the share of road of each."""
    west, south, east, north = land.images.total_bounds
    x, y = (
        a.ravel()
        for a in np.meshgrid(np.arange(west, east - side, side), np.arange(south, north - side, side))
    )
    cells = round(side / 2)
    seen = [truth.on(a, b + side, (cells, cells), 2.0) for a, b in zip(x, y, strict=True)]
    whole = np.array([(one != NOT_TOLD).mean() > 0.95 for one in seen])
    ids = [f"t{number}" for number in np.flatnonzero(whole)]
    boxes = shapely.box(x, y, x + side, y + side)[whole]
    tiles = gpd.GeoDataFrame({"tile_id": ids, "segment_id": "s"}, geometry=boxes, crs=CRS)
    line = gpd.GeoDataFrame(
        {"segment_id": ["s"]}, geometry=[shapely.LineString([(west, south), (east, north)])], crs=CRS
    )
    share = [(one == 0).mean() for one, good in zip(seen, whole, strict=True) if good]
    return Surroundings(line, line[:0], tiles, land.images), pd.Series(share, index=ids)


def score(pieces: list[Piece], classifier: object, truth: Truth) -> tuple[float, float]:
    """Give the IoU of roads, and that of 'all of it is road'."""
    mine, theirs = [], []
    for piece in pieces:
        said = truth.on(piece.x, piece.y, piece.shape, piece.cell_m)
        known = (said != NOT_TOLD) & piece.known()
        mine.append((classifier.classify(piece)[0] == 1)[known])  # type: ignore[attr-defined]
        theirs.append((said == 0)[known])
    found, true = np.concatenate(mine), np.concatenate(theirs)
    return float((found & true).sum() / (found | true).sum()), float(true.mean())


def main() -> None:
    """Tag, learn, score, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tags", type=int, default=100)
    parser.add_argument("--side", type=float, default=48)
    parser.add_argument("--rotations", type=int, default=ROTATIONS)
    parser.add_argument("--strides", type=int, nargs="+", default=list(STRIDES))
    parser.add_argument("--draws", type=int, default=3)
    given = parser.parse_args()
    source = Path(os.environ["ROADPRINT_DATA"]) / "boston" / "imagery"
    common = {"rotations": given.rotations, "strides": tuple(given.strides)}
    rows = []
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        truths = {area: write_truth(source, names, work) for area, names in AREAS.items()}
        plain = Tags.model_validate({"tags": str(work / "tags.csv"), **common})
        lands = {area: land_of(source, names, plain) for area, names in AREAS.items()}
        told = {
            area: read_truth(str(path), CRS, names={1: "road", 2: "none"}) for area, path in truths.items()
        }
        pieces = {
            area: list(Pieces(chips_on(land, shapely.box(*land.images.bounds.to_numpy().T)), land))
            for area, land in lands.items()
        }
        for area, other in (("Roslindale", "Somerville"), ("Somerville", "Roslindale")):
            around, share = tiles_of(lands[area], told[area], given.side)
            for draw in range(given.draws):
                chosen = share.sample(given.tags, random_state=draw)
                said = pd.DataFrame({"tile_id": chosen.index, "road": (chosen > ROAD).to_numpy()})
                said.to_csv(work / "tags.csv", index=False)
                settings = Tags.model_validate(
                    {
                        "tags": str(work / "tags.csv"),
                        "truth": str(truths[area]),
                        "truth_names": {1: "road", 2: "none"},
                        **common,
                    }
                )
                start = time.perf_counter()
                learned = settings.learn(pieces[area], around)
                seconds = time.perf_counter() - start
                assert learned.classifier is not None, learned.notes
                iou, base = score(pieces[other], learned.classifier, told[other])
                road = learned.classifier.classes[0]
                rows.append(
                    {
                        "learned on": area,
                        "draw": draw,
                        "tagged": float((chosen > ROAD).mean()),
                        "IoU elsewhere": iou,
                        "all of it": base,
                        "IoU on blocks left out": road.score,
                        "seconds": seconds,
                        "words": road.words.split(" on ")[0],
                    }
                )
                print(rows[-1], flush=True)
    print(table(rows))
    save("ground_tags", {"given": vars(given), "rows": rows})


if __name__ == "__main__":
    main()
