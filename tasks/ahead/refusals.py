"""What would end a run late, or for a reason beside its inputs: said by a check, and before the hours of encoding.

No stage reads this: what a stage refuses by itself it refuses still, whoever runs it.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import geopandas as gpd
import pyarrow.parquet as pq

from geo.clusters.hands.corrections import FILE as CORRECTIONS
from geo.clusters.hands.corrections import read_corrections
from geo.clusters.registry import method_of
from geo.config import CityConfig, Run
from geo.errors import ConfigurationError, RoadprintError
from geo.ground.names import FILE as GROUND_FILE
from geo.ground.names import read_class_names
from geo.ground.registry import way_of
from geo.imagery.catalogue import check_pictured
from geo.outputs.files.geopackage import refuse_taken
from geo.outputs.names import FILE as NAMES
from geo.outputs.names import JUNCTION_FILE, read_names
from tasks.ahead.room import bytes_of_geopackage, bytes_of_run, pictures_at_most, refuse_full
from tasks.plan import Plan
from tasks.store.folder import refuse_other_city, refuse_unwritable
from tasks.store.status import finished_runs, running


def refuse_before_encoding(plan: Plan) -> None:
    """Read the tiles and the images of a run, and hold them against what comes after their encoding.

    Raises
    ------
    RoadprintError
        As `check_what_follows` and `tasks.ahead.room.refuse_full`.
    """
    folder = plan.stage_folder("tiles")
    tiles = gpd.read_parquet(folder / "tiles.parquet", columns=["segment_id", "coverage", "geometry"])
    images = gpd.read_parquet(folder / "images.parquet", columns=["path", "geometry"])
    check_what_follows(plan.config, tiles, images)
    rows = {
        what: pq.read_metadata(file).num_rows
        for what, stage, name in (
            ("segments", "roads", "segments"),
            ("junctions", "roads", "junctions"),
            ("collision_rows", "collisions", "collisions"),
        )
        if (file := plan.stage_folder(stage) / f"{name}.parquet").exists()
    }
    covered = int((tiles["coverage"] > 0).sum())
    size = bytes_of_geopackage(rows | {"tiles": len(tiles)}, pictures_at_most(plan.config, covered))
    refuse_full(plan.folder, bytes_of_run(size, covered))


def check_what_follows(config: CityConfig, tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame) -> None:
    """Make sure that pictures can be drawn, that there are not more segments than can be grouped, and who encodes.

    Parameters
    ----------
    config
        The city's configuration.
    tiles, images
        Tables of the stage ``tiles``: ``segment_id`` and ``coverage`` of each tile, ``path`` of each raster.

    Raises
    ------
    LayerError
        When a raster lacks a band of ``imagery.picture_bands``.
    ConfigurationError
        When ``clusters.method`` takes fewer segments than there are under footprints of images, or ``run.runner`` needs
        a package that is not there.
    SourceError, EncoderError
        See `refuse_typology`; or when weights that map the ground are not there.
    """
    if config.imagery.sources:
        check_pictured(images, config.imagery)
    method_of(config.clusters).check_size(tiles.loc[tiles["coverage"] > 0, "segment_id"].nunique())
    refuse_typology(config)
    refuse_runner(config.run)
    way_of(config.ground).refuse_early()


def refuse_typology(config: CityConfig) -> None:
    """Refuse a typology that cannot be read, or whose looks were made otherwise, as far as the city's file tells.

    Raises
    ------
    SourceError
        When it is none that can be used.
    EncoderError
        When it is of another encoder, other turns or tiles.
    """
    if config.clusters.typology is None:
        return
    from geo.clusters.typology.file import read_typology  # noqa: PLC0415 - few cities have one
    from geo.clusters.typology.made_by import expected, refuse_other  # noqa: PLC0415

    theirs = read_typology(Path(config.clusters.typology)).card.made_by
    refuse_other(expected(config), theirs, where="clusters.typology", what="the typology", known=True)


def refuse_runner(run: Run) -> None:
    """Refuse a runner whose package is not installed.

    Raises
    ------
    ConfigurationError
        When it is not.
    """
    if run.runner == "dask" and find_spec("prefect_dask") is None:
        raise ConfigurationError(
            "runner dask needs the package prefect-dask",
            where="run.runner",
            todo="Install it: pip install 'roadprint[dask]'.",
        )


def check_results(config: CityConfig, folder: Path) -> list[str]:
    """Make sure that results can be written, as far as that is known beforehand; nothing is made.

    Parameters
    ----------
    config
        The city's configuration.
    folder
        Folder of all runs of the city, which need not be there.

    Returns
    -------
    Warnings: another run that goes on, a GeoPackage that is open in another program.

    Raises
    ------
    ConfigurationError
        When the folder is another city's, or cannot be written to.
    SourceError
        When ``clusters.csv``, ``junction_types.csv``, ``ground.csv`` or ``corrections.csv`` in it cannot be read.
    """
    refuse_other_city(folder, config.city)
    refuse_unwritable(folder)
    for names in (NAMES, JUNCTION_FILE):
        read_names(folder / names)
    read_class_names(folder / GROUND_FILE)
    read_corrections(folder / CORRECTIONS)
    warnings = []
    holder = running(folder)
    if holder is not None:
        does = "would wait for it" if config.output.when_busy == "wait" else "is refused until it has ended"
        who = f"process {holder.get('process')} on {holder.get('host')}"
        warnings.append(f"another run of this city is going on ({who}): a run {does}")
    for run in finished_runs(folder):
        for name in run.summary.files:
            if name.endswith(".gpkg"):
                try:
                    refuse_taken(run.folder / name)
                except RoadprintError as error:
                    warnings.append(f"{error.where}: {error.what}; a run that makes it again is refused")
    return warnings
