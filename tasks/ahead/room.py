"""How much room a run takes on disk, and whether it is there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from geo.clusters.found.prototypes import SHOWN
from geo.config import CityConfig
from geo.errors import FullDiskError
from tasks.store.folder import nearest_place

BYTES = {"segments": 1450, "tiles": 320, "collision_rows": 180, "junctions": 1250}
"""Of the GeoPackage by row, with what hangs on it: windows and pieces of density on segments, tiles of junctions,
indexes on all."""
BYTES_BESIDES = 700_000
"""Of styles, the project and tables."""
BYTES_A_PICTURE = 7200
BYTES_A_VECTOR = 1500
"""Of a tile's embedding and band statistics in its shard, at the least."""


def pictures_at_most(config: CityConfig, covered: int) -> int:
    """Count the pictures that the GeoPackage will hold at most.

    Parameters
    ----------
    config
        The city's configuration.
    covered
        Number of tiles with imagery.
    """
    if config.output.thumbnails == "none":
        return 0
    types, there = config.clusters, config.clusters.junctions
    asked = [(types.k, types.k_range), *([(there.k, there.k_range)] if there.types else [])]
    k = sum(most if number == "auto" else number for number, (_, most) in asked)
    return covered if config.output.thumbnails == "all" else min(covered, 2 * SHOWN * k)


def bytes_of_geopackage(rows: Mapping[str, int], pictures: int) -> int:
    """Say how large a GeoPackage will be.

    Parameters
    ----------
    rows
        Number of ``segments``, ``tiles``, ``collision_rows`` and ``junctions``; those that are not named are none.
    pictures
        See `pictures_at_most`.
    """
    told = sum(each * rows.get(name, 0) for name, each in BYTES.items())
    return BYTES_BESIDES + BYTES_A_PICTURE * pictures + told


def bytes_of_run(geopackage: int, covered: int) -> int:
    """Say how much a run writes at the least: the GeoPackage, which its stage keeps as well, and embeddings (bytes)."""
    return 2 * geopackage + BYTES_A_VECTOR * covered


def refuse_full(folder: Path, needed: int) -> None:
    """Refuse a disk that has less room than a run takes.

    Parameters
    ----------
    folder
        Folder of all runs of the city, which need not be there.
    needed
        See `bytes_of_run`.

    Raises
    ------
    FullDiskError
        When it has.
    """
    free = shutil.disk_usage(nearest_place(folder)).free
    if free < needed:
        raise FullDiskError(
            f"{free / 1e6:,.0f} MB are free on the disk, and a run writes {needed / 1e6:,.0f} MB at the least",
            where=str(folder),
            todo="Free space there, or name another folder in output.folder or with --out.",
        )
