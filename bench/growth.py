"""How time and memory grow with a city: 1, 2, 4 and 8 demo towns side by side.

    .venv/bin/python bench/growth.py [--pixel 0.5] [--sizes 1 2 4 8]

Each is run as a user does, from nothing, in a process of its own. Prints seconds of all stages together, peak memory,
and the exponent of seconds in size (1: in proportion); the same as JSON under bench/results/.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import yaml
from results import save, table
from whole_run import ROADPRINT, timed

from geo.demo.layout import SIZE_M
from geo.demo.write import make_town

TABLES = (
    ("collisions.csv", "collision_index", "location_easting_osgr"),
    ("casualties.csv", "collision_index", None),
    ("traffic.csv", "count_point_id", "easting"),
)
"""Records of the town: file, column of ids, and of eastings (metres)."""


def repeat(town: Path, folder: Path, copies: int) -> Path:
    """Lay copies of the town side by side, from west to east; gives the city's file."""
    (folder / "imagery").mkdir(parents=True)
    for source in sorted((town / "imagery").glob("*.tif")):
        with rasterio.open(source) as raster:
            pixels, profile, mask = raster.read(), raster.profile, raster.dataset_mask()
        for i in range(copies):
            place = profile | {"transform": rasterio.Affine.translation(i * SIZE_M, 0) @ profile["transform"]}
            with (
                rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
                rasterio.open(folder / "imagery" / f"{i}_{source.name}", "w", **place) as raster,
            ):
                raster.write(pixels)
                if not mask.all():
                    raster.write_mask(mask)
    roads = gpd.read_file(town / "roads.gpkg")
    shifted = [roads.set_geometry(roads.translate(i * SIZE_M, 0)) for i in range(copies)]
    all_roads = gpd.GeoDataFrame(pd.concat(shifted, ignore_index=True), crs=roads.crs)
    all_roads["road_id"] = np.arange(len(all_roads)).astype(str)
    all_roads.to_file(folder / "roads.gpkg")
    for name, key, east in TABLES:
        frame = pd.read_csv(town / name, dtype=str)
        repeated = [_moved(frame, key, east, i) for i in range(copies)]
        pd.concat(repeated, ignore_index=True).to_csv(folder / name, index=False)
    city = yaml.safe_load((town / "city.yaml").read_text())
    (folder / "city.yaml").write_text(yaml.safe_dump(city | {"city": f"town-x{copies}"}))
    return folder / "city.yaml"


def _moved(frame: pd.DataFrame, key: str, east: str | None, number: int) -> pd.DataFrame:
    """Give the records of a copy of the town: with ids of their own, and moved where they have a place."""
    moved = frame.assign(**{key: frame[key] + str(number)})
    if east is None:
        return moved
    shifted = pd.to_numeric(moved[east], errors="coerce") + number * SIZE_M
    return moved.assign(**{east: shifted.astype("Int64").astype("string").fillna(moved[east])})


def main() -> None:
    """Run each size, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pixel", type=float, default=0.5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 2, 4, 8])
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "town").mkdir()
        make_town(folder / "town", pixel_m=given.pixel)
        for size in given.sizes:
            city = repeat(folder / "town", folder / f"x{size}", size)
            command = [str(ROADPRINT), "run", str(city), "--out", str(folder / "runs"), "--json"]
            summary, wall, memory = timed(command)
            stages = {row["name"]: row for row in summary["stages"]}
            rows.append(
                {
                    "towns": size,
                    "tiles": stages["features"]["done"],
                    "stages s": sum(row["seconds"] for row in summary["stages"]),
                    "features s": stages["features"]["seconds"],
                    "wall s": wall,
                    "peak memory MB": memory,
                }
            )
    sizes, seconds = np.array([[row["towns"], row["stages s"]] for row in rows], dtype=float).T
    exponent = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
    print(table(rows))
    print(f"\nseconds grow as size to the power of {exponent:.2f}")
    save("growth", {"rows": rows, "exponent": exponent})


if __name__ == "__main__":
    main()
