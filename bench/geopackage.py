"""How long a GeoPackage of a big city takes to write, and QGIS to open.

    .venv/bin/python bench/geopackage.py [--segments 100000]

Every layer is filled: a grid of segments with all declared columns, half as many junctions, collisions and windows, as
many tiles, and twice as many lixels, with the project. Told are seconds to write it, its size, and what QGIS (Debian's,
in a process of its own) takes to open all layers with their styles, to open the project, and to draw the segments once:
all of them, and one percent.
A table is printed, and JSON is written under bench/results/.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from results import save, table

from geo.outputs.files.geopackage import write_geopackage
from geo.outputs.layers.declare import Column
from geo.outputs.layers.layers import LAYERS
from geo.outputs.palette import look
from geo.outputs.qgis.project import NAME, city_project
from geo.outputs.qgis.styles import city_styles
from geo.outputs.thumbnails import thumbnail

CITY_CRS = CRS.from_epsg(27700)
SHARES = {"segments": 1.0, "junctions": 0.5, "tiles": 1.0, "collisions": 0.5, "windows": 0.5, "lixels": 2.0}
FEW, PICTURES = 40, 120
PICTURE = thumbnail(np.random.default_rng(0).integers(0, 255, (3, 160, 160), dtype=np.uint8))
SYSTEM_PYTHON = "/usr/bin/python3"
OPEN = """
import json, os, sys, time
from qgis.core import QgsApplication, QgsMapRendererSequentialJob, QgsMapSettings, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QSize
app = QgsApplication([], False)
app.initQgis()
path, names = sys.argv[1], sys.argv[2].split(",")
start = time.perf_counter()
layers = [QgsVectorLayer(f"{path}|layername={name}", name, "ogr") for name in names]
assert all(layer.isValid() for layer in layers)
found = {"open all layers": time.perf_counter() - start}
start = time.perf_counter()
assert QgsProject.instance().read(f"geopackage:{path}?projectName=overview")
found["open the project"] = time.perf_counter() - start
for what, share in (("draw all segments", 1.0), ("draw one percent", 0.1)):
    settings = QgsMapSettings()
    settings.setLayers(layers[:1])
    settings.setDestinationCrs(layers[0].crs())
    extent = layers[0].extent()
    extent.scale(share)
    settings.setExtent(extent)
    settings.setOutputSize(QSize(1400, 1000))
    start = time.perf_counter()
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    found[what] = time.perf_counter() - start
print(json.dumps(found), flush=True)
os._exit(0)
"""


def fill(column: Column, n: int, rng: np.random.Generator) -> pd.Series:
    """Make up a column; one value in ten is null where a column is optional."""
    if column.allowed:
        values = pd.Series(rng.choice(column.allowed, n), dtype=object)
    elif column.kind == "text":
        values = pd.Series([f"{column.name} {i % 997}" for i in range(n)], dtype=object)
    elif column.kind == "integer":
        values = pd.Series(rng.integers(0, 9, n), dtype="Int64")
    elif column.kind == "real":
        values = pd.Series(rng.gamma(1.0, 2.0, n))
    elif column.kind == "boolean":
        values = pd.Series(rng.random(n) < 0.1, dtype="boolean")
    elif column.kind == "blob":
        # of prototypes and edge cases alone, as by default
        values = pd.Series([PICTURE if i < PICTURES else None for i in range(n)], dtype=object)
    else:
        values = pd.Series(pd.to_datetime(rng.integers(1.5e9, 1.7e9, n), unit="s", utc=True))
    return values.mask(rng.random(n) < 0.1) if column.optional else values


def places(geometry: str, n: int, rng: np.random.Generator) -> NDArray[np.object_]:
    """Lay lines of five points, points or squares out on a grid of 100 m."""
    side = int(np.ceil(np.sqrt(n)))
    corner = np.column_stack([np.arange(n) % side, np.arange(n) // side]) * 100.0 + [400_000, 250_000]
    if geometry == "Point":
        return np.asarray(shapely.points(corner))
    if geometry == "Polygon":
        return np.asarray(shapely.box(corner[:, 0], corner[:, 1], corner[:, 0] + 99, corner[:, 1] + 99))
    steps = np.column_stack([np.linspace(0, 90, 5), np.zeros(5)])
    bent = corner[:, None, :] + steps + rng.normal(0, 2, (n, 5, 2))
    return np.asarray(shapely.linestrings(bent))


def make_layers(n: int) -> dict[str, pd.DataFrame]:
    """Fill every layer for a city of `n` segments."""
    rng = np.random.default_rng(0)
    layers: dict[str, pd.DataFrame] = {}
    for name, layer in LAYERS.items():
        rows = int(n * SHARES[name]) if name in SHARES else FEW
        frame = pd.DataFrame({column.name: fill(column, rows, rng) for column in layer.columns})
        if layer.key is not None:
            kind = next(column.kind for column in layer.columns if column.name == layer.key)
            frame[layer.key] = (
                np.arange(rows) + 1 if kind == "integer" else [f"{i:016x}" for i in range(rows)]
            )
        if layer.geometry is not None:
            frame = gpd.GeoDataFrame(
                frame, geometry=gpd.GeoSeries(places(layer.geometry, rows, rng), crs=CITY_CRS)
            )
        layers[name] = frame
    clusters = layers["clusters"]["cluster"]
    layers["clusters"] = layers["clusters"].assign(colour=[look(int(c)).colour for c in clusters])
    layers["segments"]["cluster"] = rng.integers(1, 9, len(layers["segments"]))
    return layers


def main() -> None:
    """Write, open, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--segments", type=int, default=100_000)
    asked = parser.parse_args()
    layers = make_layers(asked.segments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "city.gpkg"
        start = time.perf_counter()
        styles = city_styles(layers)
        write_geopackage(
            path,
            layers,
            crs=CITY_CRS,
            styles=styles,
            date=datetime(2000, 1, 1, tzinfo=UTC),
            projects={NAME: city_project(path.name, "bench", layers, styles, CITY_CRS)},
        )
        record: dict[str, object] = {
            "segments": asked.segments,
            "rows in all": sum(len(frame) for frame in layers.values()),
            "write s": time.perf_counter() - start,
            "size MB": path.stat().st_size / 1e6,
        }
        if Path(SYSTEM_PYTHON).exists():
            opened = subprocess.run(  # noqa: S603 - our own text
                [SYSTEM_PYTHON, "-I", "-c", OPEN, str(path), ",".join(LAYERS)],
                capture_output=True,
                text=True,
                check=True,
                env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
            )
            record |= {f"QGIS: {what} s": seconds for what, seconds in json.loads(opened.stdout).items()}
    print(table([{"what": what, "value": value} for what, value in record.items()]))
    save("geopackage", record)


if __name__ == "__main__":
    main()
