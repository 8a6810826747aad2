"""The layers as GeoParquet and Parquet, for those who work in Python, R, DuckDB or a warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pandas as pd
from pyproj import CRS

from geo.outputs.layers.arrange import arrange
from geo.outputs.layers.layers import LAYERS


def write_geoparquet(folder: Path, layers: Mapping[str, pd.DataFrame], crs: CRS) -> None:
    """Write ``<layer>.parquet`` for each layer: the same rows, columns and types as in the GeoPackage.

    Layers with places are GeoParquet 1.1 with the CRS and a bounding box of each row (``bbox``), by which readers
    skip what they do not need; tables are plain Parquet.

    Parameters
    ----------
    folder
        An empty folder, which gets the files.
    layers
        A frame for every one of `geo.outputs.layers.layers.LAYERS`.
    crs
        The city's projected CRS, in metres.

    Raises
    ------
    LayerError
        When a layer is not as declared.
    """
    for name in (one for one in LAYERS if one in layers):
        frame = arrange(name, layers[name], crs)
        path = folder / f"{name}.parquet"
        if isinstance(frame, gpd.GeoDataFrame):
            frame.to_parquet(
                path, index=False, compression="zstd", write_covering_bbox=True, schema_version="1.1.0"
            )
        else:
            frame.to_parquet(path, index=False, compression="zstd")
