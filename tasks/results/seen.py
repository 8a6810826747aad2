"""The roads of a run that have a fingerprint, in the space in which types are found."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.clusters.found.road_types import into
from geo.clusters.likeness.alike import most_like
from geo.clusters.likeness.chance import Likeness, likeness_of_pairs
from geo.clusters.space import Points, fit_space
from geo.clusters.whitening.scatter import Scatter
from geo.clusters.whitening.whiten import even_out
from geo.config import Clusters, cluster_settings
from geo.config.file import expand
from geo.errors import LayerError
from geo.features.encoder import Embeddings
from geo.outputs.files.reading import GEOMETRY, read_table
from geo.search.looks import Looks
from geo.search.words.learned import Learned, read_learned
from tasks.earlier import TABLES
from tasks.results.encoded import tile_side
from tasks.results.seen_tiles import SeenTiles
from tasks.stages.types.concepts import FILE as LEARNED_WORDS
from tasks.tables import TILE_FINGERPRINTS, TURN_SCATTER

if TYPE_CHECKING:
    from tasks.results.opened import OpenRun

ALIKE = (
    "place",
    "segment_id",
    "likeness",
    "alike_than_pairs",
    "metres_apart",
    "name",
    "ref",
    "road_class",
    "cluster",
    "length_m",
    "counted_m",
    "years",
    "n_collisions",
    "n_ksi",
    "ksi_per_km_year",
    "ksi_per_km_year_low",
    "ksi_per_km_year_high",
    "ksi_per_km_year_eb",
)
"""Columns of look-alikes, beside their lines."""


class SeenRoads:
    """What a run knows of roads with a fingerprint, read when it is asked for, and kept.

    Parameters
    ----------
    run
        The run, with its folder.
    check_left
        Refuses a file that is not as the run left it.
    left
        Names of the files that the run left, in its folder.
    """

    def __init__(self, run: OpenRun, check_left: Callable[[Path], None], left: Collection[str]) -> None:
        self._run, self._check_left, self._left = run, check_left, left

    @cached_property
    def segments(self) -> gpd.GeoDataFrame:
        """The segments with a fingerprint, in the order of these.

        Raises
        ------
        LayerError
            When there is none, or they are not of the run.
        """
        ids = self._run.fingerprints["segment_id"].astype("string")
        if ids.empty:
            raise LayerError(
                "no road has a fingerprint: too little imagery covers them",
                where=str(self._run.folder),
                todo="Run the city with imagery that shows its roads.",
            )
        segments = self._run.segments.set_index("segment_id")
        if not ids.isin(segments.index).all():
            raise LayerError(
                "fingerprints and segments are not of one run",
                where=str(self._run.folder),
                todo="Copy the run's folder again, whole.",
            )
        return segments.loc[ids].reset_index()

    @cached_property
    def likeness(self) -> Likeness:
        """How alike random pairs are."""
        middles = self.segments.geometry.interpolate(0.5, normalized=True)
        return likeness_of_pairs(
            self.points, self.segments["road_class"], middles.get_coordinates().to_numpy()
        )

    @property
    def points(self) -> Points:
        """Where they lie in the space."""
        return self._in_space[1]

    @cached_property
    def vectors(self) -> Embeddings:
        """Their fingerprints, ``(segments, dimension)``."""
        return np.stack(self._run.fingerprints["vector"].tolist()).astype(np.float32)

    @cached_property
    def looks(self) -> Looks:
        """What they look like, laid out to be asked."""
        tiles = self._run.tiles.drop(columns=["thumbnail"], errors="ignore")
        segments, (bring, points) = self.segments, self._in_space
        return Looks(
            segments,
            tiles,
            self.vectors,
            points.astype(np.float32),
            bring,
            tile_side(self._run),
            self._tiles(tiles, bring),
        )

    def _tiles(self, tiles: gpd.GeoDataFrame, into: Callable[[Embeddings], Points]) -> SeenTiles | None:
        """Lay tiles with a fingerprint out; None where the run is of a roadprint that kept none."""
        name = f"{TABLES}/{TILE_FINGERPRINTS.name}.parquet"
        if self._run.folder is None or name not in self._left:
            return None
        file = self._run.folder / name
        self._check_left(file)
        return SeenTiles(file, tiles, pd.Index(self.segments["segment_id"]), into)

    @cached_property
    def learned(self) -> Learned | None:
        """The words that were learned from a map; None: none were."""
        name = f"{TABLES}/{LEARNED_WORDS}"
        if self._run.folder is None or name not in self._left:
            return None
        self._check_left(self._run.folder / name)
        return read_learned(self._run.folder / name)

    def within(self, row: int, reach_m: float) -> NDArray[np.bool_]:
        """Tell the roads whose middles lie within some metres of that of one, by its place among `segments`."""
        middles = self.segments.geometry.interpolate(0.5, normalized=True)
        near: NDArray[np.bool_] = (middles.distance(middles.iloc[row]) < reach_m).to_numpy()
        return near

    def most_alike(
        self, row: int, left_out: NDArray[np.bool_], shown: int, more_alike_than: float
    ) -> gpd.GeoDataFrame:
        """Give the roads that look most like one, without those that are less alike than pairs of its class may be.

        Parameters
        ----------
        row
            Its place among `segments`.
        left_out
            Which of them are not asked, ``(segments,)``.
        shown, more_alike_than
            As of `tasks.results.opened.OpenRun.alike`, with what it gives.
        """
        segments = self.segments
        rows, likeness = most_like(self.points, row, left_out, shown=shown)
        own_class = segments["road_class"].iloc[[row]]
        alike = likeness >= self.likeness.limits(own_class, more_alike_than)[0] - 1e-9
        rows, likeness = rows[alike], likeness[alike]
        answers = segments.iloc[rows].reset_index(drop=True)
        usual = pd.Series([own_class.iloc[0]] * len(rows), dtype=object)
        answers = answers.assign(
            place=np.arange(1, len(rows) + 1),
            likeness=likeness,
            alike_than_pairs=self.likeness.share_less_alike(usual, likeness),
            metres_apart=answers.geometry.distance(segments.geometry.iloc[row]),
        )
        return answers[[*ALIKE, GEOMETRY]]

    @cached_property
    def _in_space(self) -> tuple[Callable[[Embeddings], Points], Points]:
        """What brings fingerprints into the space, and those of the segments there."""
        settings = self._clusters()
        scatter = self._scatter(settings)
        space, points = fit_space(even_out(self.vectors, settings, scatter), settings)
        return into(space, self.vectors, scatter), points

    def _scatter(self, settings: Clusters) -> Scatter | None:
        """Read what fingerprints were evened out by; None where they were not."""
        if not settings.turn_whitening or self._run.folder is None:
            return None
        file = self._run.folder / TABLES / f"{TURN_SCATTER.name}.parquet"
        self._check_left(file)
        return Scatter.of_frame(read_table(file))

    def _clusters(self) -> Clusters:
        """Read a section of the configuration by itself: others may name places that are not there any more."""
        written: Any = expand(self._run.configuration.get("clusters") or {}, str(self._run.geopackage))
        return cluster_settings(**written)
