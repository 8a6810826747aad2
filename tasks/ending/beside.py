"""What lies beside the GeoPackage: imagery as one virtual raster, and the analyst's names of types."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.errors import BusyError, SourceError
from geo.ground.categories import write_categories
from geo.ground.names import FILE as GROUND_FILE
from geo.ground.names import write_class_names
from geo.ground.registry import way_of
from geo.ground.vegetation.shares import CLASSES as GREEN_CLASSES
from geo.imagery.mosaic import plan_mosaics, write_mosaic
from geo.outputs.layers.ground import CLASSES
from geo.outputs.layers.ground_words import called
from geo.outputs.names import FILE, JUNCTION_FILE, write_junction_names, write_names
from tasks.earlier import TABLES
from tasks.plan import GROUPED, Plan
from tasks.stages.ground import classes, mapping, vegetation
from tasks.store.lock import one_writer
from tasks.store.stage import log


def write_mosaics(plan: Plan, folder: Path) -> None:
    """Write the virtual rasters that the project shows, for where the run will be in the end."""
    if not plan.config.imagery.sources:
        return
    images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet")
    for one in plan_mosaics(images):
        write_mosaic(folder, one, plan.config.imagery, seen_from=plan.run_folder)


def lay_ground(plan: Plan, folder: Path) -> None:
    """Lay maps of the ground beside the layers, where there are any, with what their classes are called by now."""
    green = plan.stage_folder(vegetation.STAGE.name) / vegetation.MAP
    if green.exists():
        shutil.copyfile(green, folder / green.name)
        write_categories(folder / green.name, {one.number: one.name for one in GREEN_CLASSES})
    found = plan.stage_folder(mapping.STAGE.name) / mapping.MAP
    if not found.exists():
        return
    shutil.copyfile(found, folder / found.name)
    alone = found.with_name(mapping.MAP_ALONE)
    if alone.exists():
        shutil.copyfile(alone, folder / alone.name)
    classes = pd.read_parquet(folder / TABLES / f"{CLASSES}.parquet")
    named = zip(classes["class"], classes["name"], classes["key"], strict=True)
    write_categories(folder / found.name, {int(number): called(name, key) for number, name, key in named})


def keep_names(plan: Plan, folder: Path) -> None:
    """Give every type of the run, whose layers lie in `folder`, its line in ``clusters.csv`` or ``junction_types.csv``.

    So with classes of ground that were found, in ``ground.csv``.

    Of types of a typology it says nothing: their names are there. A file that was changed since the run began, and
    cannot be read any more, stays as it is: the next run says why. So does one that is being written to all the time.
    """
    try:
        with one_writer(plan.folder):
            _keep_names(plan, folder)
    except BusyError as error:
        log.warning("%s; lines of new types are left to the next run", error)


def _keep_names(plan: Plan, folder: Path) -> None:
    """Write lines of types that have none yet, see `keep_names`."""
    at_junctions = plan.folder / JUNCTION_FILE
    try:
        types = pd.read_parquet(folder / TABLES / "junction_clusters.parquet")
        write_junction_names(at_junctions, types, plan.junction_names, plan.keys[GROUPED])
    except SourceError as error:
        log.warning("%s: %s; it is left as it is", at_junctions, error)
    _keep_class_names(plan, folder)
    if plan.typology is not None:
        return
    try:
        write_names(plan.folder / FILE, pd.read_parquet(folder / TABLES / "clusters.parquet"), plan.names)
    except SourceError as error:
        log.warning("%s: %s; it is left as it is", plan.folder / FILE, error)


def leave_sheet(plan: Plan) -> None:
    """Lay the layers beside the names of types that labels of the ground are drawn in; never over a file that is there.

    The run is whole without it: where it cannot be written, that is told.
    """
    if not plan.config.ground.maps:
        return
    from geo.ground.file import read_classifier  # noqa: PLC0415 - a run whose ground is not mapped needs none of it
    from geo.ground.labels import sheet  # noqa: PLC0415

    model = plan.stage_folder(classes.STAGE.name) / classes.MODEL
    try:
        told = read_classifier(model).classes if model.exists() else ()
        crs = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet", columns=["geometry"]).crs
        sheet.write_sheet(plan.folder / sheet.FILE, crs, told)
    except SourceError as error:
        log.warning("%s", error)


def _keep_class_names(plan: Plan, folder: Path) -> None:
    """Give every class of ground that was found its line in ``ground.csv``."""
    found = folder / TABLES / f"{CLASSES}.parquet"
    if not way_of(plan.config.ground).finds or not found.exists():
        return
    try:
        write_class_names(
            plan.folder / GROUND_FILE, pd.read_parquet(found)["class"].tolist(), plan.ground.names
        )
    except SourceError as error:
        log.warning("%s: %s; it is left as it is", plan.folder / GROUND_FILE, error)
