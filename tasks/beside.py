"""What lies beside the GeoPackage: imagery as one virtual raster, and the analyst's names of the road types."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.imagery.mosaic import plan_mosaics, write_mosaic
from geo.outputs.names import FILE, write_names
from tasks.earlier import TABLES
from tasks.plan import Plan


def write_mosaics(plan: Plan, folder: Path) -> None:
    """Write the virtual rasters that the project shows, for where the run will be in the end."""
    images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet")
    for one in plan_mosaics(images):
        write_mosaic(folder, one, plan.config.imagery, seen_from=plan.run_folder)


def keep_names(plan: Plan, folder: Path) -> None:
    """Give every cluster of the run, whose layers lie in `folder`, its line in ``clusters.csv``."""
    write_names(plan.folder / FILE, pd.read_parquet(folder / TABLES / "clusters.parquet"), plan.names)
