"""What a run that ended says of the ground beside roads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.errors import LayerError
from geo.ground.there.columns import ground_of
from geo.outputs.layers.ground import BESIDE_TYPES, CLASSES
from geo.outputs.layers.ground_words import called

if TYPE_CHECKING:
    from tasks.results.opened import OpenRun

MAP = "ground.tif"


@dataclass(frozen=True)
class OpenGround:
    """Ground beside roads, as a run mapped it.

    A map of classes errs: ``score`` of `classes` says how well each is told (IoU on places left out), where that was
    measured; ``baseline`` beside it is what calling everything that class would get.

    Attributes
    ----------
    classes
        One row a class: ``class`` (number in the map), ``key, name, colour, source, share, score, spread,
        baseline`` and ``words``.
    shares
        One row a segment, class and band: ``segment_id, key, name, near_m, far_m`` (from the centreline, both sides),
        ``share`` (of all ground of the band, null where nothing of it is covered), ``known`` (share of the band that is
        known) and ``share_of_known`` (null where less than half of it is). Segments of which nothing is known are not
        in it.
    types
        What lies beside roads of each type, against those of the others, with limits by blocks (`ground_types`).
    map
        The raster of classes beside the GeoPackage; None where it is not there.
    """

    classes: pd.DataFrame
    shares: pd.DataFrame
    types: pd.DataFrame
    map: Path | None

    @property
    def table(self) -> pd.DataFrame:
        """Shares of the known ground as a table: a row a segment, a column a class (its name) and band (its limits)."""
        bands = self.shares["near_m"].astype(str) + " to " + self.shares["far_m"].astype(str) + " m"
        return self.shares.assign(band=bands).pivot_table(
            index="segment_id", columns=["name", "band"], values="share_of_known", sort=False
        )


def open_ground(run: OpenRun, *, mapped: bool) -> OpenGround:
    """Read what a run says of the ground.

    Parameters
    ----------
    run
        The run.
    mapped
        Whether it has the layer of classes.

    Raises
    ------
    LayerError
        When the run did not map the ground.

    Examples
    --------
    >>> import roadprint
    >>> roadprint.open("runs/grid").ground
    Traceback (most recent call last):
        ...
    geo.errors.LayerError: ...grid.gpkg: this run did not map the ground
      Set 'ground: unsupervised' in the city's file, or name labels or tags there, and run it again.
    """
    if not mapped:
        raise LayerError(
            "this run did not map the ground",
            where=str(run.geopackage),
            todo="Set 'ground: unsupervised' in the city's file, or name labels or tags there, and run it again.",
        )
    classes, raster = run.layer(CLASSES), None if run.folder is None else run.folder / MAP
    return OpenGround(
        classes,
        shares_of_segments(pd.DataFrame(run.layer("segments")), classes),
        run.layer(BESIDE_TYPES),
        raster if raster is not None and raster.is_file() else None,
    )


def shares_of_segments(segments: pd.DataFrame, classes: pd.DataFrame) -> pd.DataFrame:
    """Lay the shares of ground of segments out, a row a segment, class and band (`OpenGround.shares`).

    Parameters
    ----------
    segments
        The layer ``segments``.
    classes
        The layer ``ground_classes``.
    """
    columns = ["segment_id", "key", "name", "near_m", "far_m", "share", "known", "share_of_known"]
    ground = ground_of(segments)
    if ground is None:
        return pd.DataFrame(columns=columns)
    there = np.isfinite(ground.shares).any(axis=(1, 2))
    names = {str(key): called(name, key) for key, name in zip(classes["key"], classes["name"], strict=True)}
    index = pd.MultiIndex.from_product(
        [segments["segment_id"].to_numpy()[there], ground.bands, ground.keys],
        names=["segment_id", "band", "key"],
    )
    table = pd.DataFrame(
        {
            "share": ground.shares[there].ravel(),
            "known": np.repeat(ground.known[there].ravel(), len(ground.keys)),
            "share_of_known": ground.of_known[there].ravel(),
        },
        index=index,
    ).reset_index()
    return table.assign(
        name=[names.get(key, called(None, key)) for key in table["key"]],
        near_m=[band.near_m for band in table["band"]],
        far_m=[band.far_m for band in table["band"]],
    )[columns]
