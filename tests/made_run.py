"""The folder of a run that never ran: the grid's layers, laid out as a run leaves them."""

import json
import pickle
import shutil
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from geo.features.fingerprints import Fingerprints, write_fingerprints
from geo.outputs.files.geopackage import write_geopackage
from geo.outputs.files.geoparquet import write_geoparquet
from geo.sources.files import digest_file
from tasks.store.summary import Numbered, RunSummary, Told

RUN_ID = "0123456789ab"


_written = {}
"""Folders of files of runs that were written in this process, by what they hold."""


def make_run(grid_city, folder):
    """Lay out a run of the grid below the folder of its city; gives the run's folder.

    Its files are written once for all that hold the same, for that takes a second, and copied.
    """
    held = pickle.dumps((vars(grid_city), facts()))
    if held not in _written:
        kept = tempfile.TemporaryDirectory(prefix="made-run-")
        _write_files(grid_city, Path(kept.name))
        _written[held] = kept
    run = folder / RUN_ID
    shutil.copytree(_written[held].name, run, copy_function=shutil.copyfile)
    _write_summary(run)
    (folder / "latest").symlink_to(RUN_ID)
    return run


def _write_files(grid_city, run):
    (run / "layers").mkdir()
    layers = grid_city.layers | {"run": facts()}
    segments = layers["segments"]
    known = segments["cluster"].notna()
    layers["segments"] = segments.assign(
        expected_rank=segments["ksi_per_km_year_eb"].rank(ascending=False),
        rank_of="ksi",
        p_worst_5_percent=(segments["ksi_per_km_year_eb"] / segments["ksi_per_km_year_eb"].max()) ** 4,
    )
    write_geopackage(
        run / "grid.gpkg", layers, crs=grid_city.crs, styles=[], date=datetime(2026, 1, 1, tzinfo=UTC)
    )
    write_geoparquet(run / "layers", layers, grid_city.crs)
    rng = np.random.default_rng(1)
    seen = segments[known].sort_values("segment_id")
    vectors = (np.eye(3)[seen["cluster"].astype(int) - 1] @ rng.normal(size=(3, 8))) + rng.normal(
        scale=0.3, size=(len(seen), 8)
    )
    found = Fingerprints(
        pd.Index(seen["segment_id"], name="segment_id"),
        vectors.astype(np.float32),
        np.ones((len(seen), 3), dtype=np.float32),
        np.full(len(seen), 1),
        np.ones(len(seen)),
    )
    write_fingerprints(run / "layers" / "fingerprints.parquet", found, segments, {})


def _write_summary(run):
    files = {
        file.relative_to(run).as_posix(): digest_file(file)
        for file in sorted(run.rglob("*"))
        if file.is_file()
    }
    RunSummary(
        city="grid",
        run_id=RUN_ID,
        geopackage=str(run / "grid.gpkg"),
        report="",
        seconds=1.0,
        stages=[],
        in_short=[Told(title="Types of road", sentence="None of three types differs from other roads.")],
        notes=[],
        warnings=[],
        files=files,
        finished=datetime(2026, 1, 1, tzinfo=UTC),
        made_of=[],
        numbering=Numbered(key="", own_key="", reserved=[], names=[]),
        base="..",
    ).write(run / "run.json")


def facts():
    """What the run says of itself."""
    configuration = {
        "city": "grid",
        "imagery": {"sources": ["imagery/*.tif"]},
        "roads": {"source": "roads.gpkg"},
        "tiles": {"tile_m": 50},
    }
    said = {
        "city": "grid",
        "configuration": json.dumps(configuration),
        "version roadprint": version("roadprint"),
    }
    return pd.DataFrame(sorted(said.items()), columns=["key", "value"])
