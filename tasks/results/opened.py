"""Results read back: a run that ended, from its folder or from its GeoPackage alone."""

from __future__ import annotations

import io
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
from PIL import Image

from geo.clusters.likeness.alike import same_place
from geo.clusters.likeness.chance import MORE_ALIKE_THAN
from geo.errors import LayerError, SourceError
from geo.outputs.files.reading import read_layer, read_table
from geo.outputs.layers.ground import CLASSES
from geo.outputs.layers.layers import LAYERS
from geo.search.looks import Looks
from geo.search.ranking import BALANCE
from geo.search.words.learned import Learned
from tasks.earlier import TABLES
from tasks.results.cutting import cut_tile
from tasks.results.finding import Asked, Question, ask
from tasks.results.ground import OpenGround, open_ground
from tasks.results.left import refuse_changed, told_in_short
from tasks.results.seen import SeenRoads
from tasks.results.worst import Of, check_shown, worst_of_kind
from tasks.store.summary import RunSummary

FINGERPRINTS = "fingerprints"


class OpenRun:
    """What a run found out about a city: tables that are read when they are asked for, and kept.

    A table is given anew each time, so that what is changed in one changes no other.

    Parameters
    ----------
    geopackage
        Path of the run's GeoPackage.
    folder
        The run's folder; None where there is the GeoPackage alone, which holds no fingerprints.
    summary
        What the run said at its end; None: it is not there.
    tables
        Path that layers are read from: the GeoPackage, or the folder of their Parquet files.
    base
        Folder that the paths of the configuration start at; None: it is looked for.

    Raises
    ------
    SourceError
        When a table is not there, or not as the run left it: when it is asked for.

    Examples
    --------
    >>> import roadprint
    >>> run = roadprint.open("runs/grid")
    >>> run.segments[["segment_id", "road_class", "length_m", "cluster"]].head(2).values.tolist()
    [['0000000000000000', 'primary', 100.0, 1], ['0000000000000001', 'residential', 100.0, 2]]
    >>> run.types[["cluster", "n_segments"]].values.tolist(), run.tests["outcome"].unique().tolist()
    ([[1, 12], [2, 12], [3, 12]], ['n_ksi', 'n_fatal'])
    >>> import numpy as np
    >>> np.stack(run.fingerprints["vector"]).shape
    (36, 8)
    """

    def __init__(
        self,
        geopackage: Path,
        *,
        folder: Path | None = None,
        summary: RunSummary | None = None,
        tables: Path | None = None,
        base: Path | None = None,
    ) -> None:
        self.geopackage = geopackage
        self.folder = folder
        self._summary = summary
        self._files = {} if summary is None else dict(summary.files)
        self._tables = tables or geopackage
        self.base = base
        self._read: dict[str, pd.DataFrame] = {}
        self.facts: dict[str, str] = dict(self.layer("run").itertuples(index=False))

    def __repr__(self) -> str:
        return f"<run of {self.city}: {self.folder or self.geopackage}>"

    def layer(self, name: str) -> pd.DataFrame:
        """Read any layer or table of the GeoPackage.

        Parameters
        ----------
        name
            Such as ``windows``, ``lixels`` or ``ledger``.

        Returns
        -------
        Text as ``string``, whole numbers as ``Int64``, yes or no as ``boolean``, times in UTC; a GeoDataFrame in the
        city's CRS where it has places. See `geo.outputs.layers.layers.LAYERS` for columns and units.

        Raises
        ------
        SourceError
            When its file is not there, or is not as the run left it.
        LayerError
            When there is no layer of that name.

        Examples
        --------
        >>> import roadprint
        >>> roadprint.open("runs/grid").layer("ledger")[["item", "status", "count"]].head(2).values.tolist()
        [['roads', 'done', 40], ['roads', 'rejected', 2]]
        """
        if name not in self._read:
            if self._tables != self.geopackage and name in LAYERS:
                self._check_left(self._tables / f"{name}.parquet")
            self._read[name] = read_layer(self._tables, name)
        return self._read[name].copy()

    @property
    def city(self) -> str:
        """Name of the city."""
        return self.facts["city"]

    @cached_property
    def configuration(self) -> dict[str, Any]:
        """The configuration as it was written, without credentials."""
        return dict(json.loads(self.facts["configuration"]))

    @property
    def crs(self) -> pyproj.CRS:
        """The city's CRS (metres)."""
        return pyproj.CRS.from_user_input(self.segments.crs)

    @property
    def in_short(self) -> dict[str, str]:
        """What was found, in the sentences that the report begins with, by what they are of.

        Raises
        ------
        SourceError
            When there is the GeoPackage alone, or an older roadprint made the run: they are not told.
        """
        return told_in_short(self._summary, self.folder or self.geopackage)

    @property
    def segments(self) -> gpd.GeoDataFrame:
        """Road segments: LineStrings, with type, counts, rates, ranks. Association, not cause."""
        return gpd.GeoDataFrame(self.layer("segments"))

    @property
    def junctions(self) -> gpd.GeoDataFrame:
        """Junctions: points, with type, counts, rates per year, what is expected of each, and ranks."""
        return gpd.GeoDataFrame(self.layer("junctions"))

    @property
    def tiles(self) -> gpd.GeoDataFrame:
        """Tiles: square footprints along the segments; ``thumbnail`` is a JPEG's bytes, where there is one."""
        return gpd.GeoDataFrame(self.layer("tiles"))

    @property
    def collisions(self) -> gpd.GeoDataFrame:
        """Every record of a collision, with the segment or junction that it was placed on, or why on none."""
        return gpd.GeoDataFrame(self.layer("collisions"))

    @property
    def types(self) -> pd.DataFrame:
        """The road types: one row a cluster, with rates and their ratio to other roads."""
        return self.layer("clusters")

    @property
    def tests(self) -> pd.DataFrame:
        """Each type against comparable roads, for each outcome: ratios, intervals, p and q values."""
        return self.layer("tests")

    @property
    def fingerprints(self) -> pd.DataFrame:
        """The fingerprint of each segment with imagery, by ``segment_id``.

        ``vector`` (float32, the encoder's dimension), ``bands`` (band statistics, the baseline), ``n_tiles`` and
        ``coverage`` (mean share of its tiles with data). ``np.stack(run.fingerprints["vector"])`` is the matrix.

        Raises
        ------
        SourceError
            When there is the GeoPackage alone: it does not hold them.
        """
        return self._fingerprints.copy()

    @property
    def fingerprints_file(self) -> Path:
        """The file of fingerprints, as the run left it.

        Raises
        ------
        SourceError
            When it is not there, or was changed.
        """
        file = None if self.folder is None else self.folder / TABLES / f"{FINGERPRINTS}.parquet"
        if file is None or not file.exists():
            raise SourceError(
                "the fingerprints are not in the GeoPackage, and not beside it",
                where=str(self.folder or self.geopackage),
                todo=f"Open the run's own folder, with {TABLES}/{FINGERPRINTS}.parquet; 'roadprint run' writes it.",
            )
        self._check_left(file)
        return file

    @cached_property
    def _fingerprints(self) -> pd.DataFrame:
        return read_table(self.fingerprints_file)

    def _check_left(self, file: Path) -> None:
        """Refuse a file of the run's folder that is not as the run left it."""
        refuse_changed(file, self.folder or file.parent, self._files)

    @property
    def junction_types(self) -> pd.DataFrame:
        """The types of junction by their look: one row a type, with rates per junction and year, and their ratios."""
        return self.layer("junction_clusters")

    @property
    def ground(self) -> OpenGround:
        """What lies on the ground beside roads: see `tasks.results.ground.OpenGround`; LayerError where not mapped."""
        return open_ground(self, mapped=self.has(CLASSES))

    def has(self, name: str) -> bool:
        """Tell whether the run wrote a layer that not every run has.

        Parameters
        ----------
        name
            Of the layer.

        Examples
        --------
        >>> import roadprint
        >>> roadprint.open("runs/grid").has("windows")
        True
        """
        if self._tables != self.geopackage:
            return f"{TABLES}/{name}.parquet" in self._files
        return name in pyogrio.list_layers(self.geopackage)[:, 0]

    def worst(self, shown: int = 20, *, of: Of = "segments") -> gpd.GeoDataFrame:
        """List what ranks worst (`worst_segments`, `worst_junctions` and `worst_stretches` of `geo.safety`).

        Parameters
        ----------
        shown
            How many, 1 or more; fewer are given where there are fewer.
        of
            What is asked for; ``roads``: stretches of them, from street to street.

        Raises
        ------
        LayerError
            When none of them has a rank: there are no records, or too few.
        ValueError
            When fewer than one are asked for, or of anything else.

        Examples
        --------
        >>> import roadprint
        >>> worst = roadprint.open("runs/grid").worst(2)
        >>> worst[["place", "segment_id", "n_ksi", "ksi_per_km_year_eb"]].values.tolist()
        [[1, '0000000000000000', 2, 2.6], [2, '0000000000000004', 2, 2.6]]
        """
        check_shown(shown)
        layer, listed = worst_of_kind(of)
        return listed(self.layer(layer), shown)

    def alike(
        self,
        segment_id: str,
        shown: int = 20,
        *,
        same_type: bool = False,
        apart_m: float | None = None,
        more_alike_than: float = MORE_ALIKE_THAN,
    ) -> gpd.GeoDataFrame:
        """Find the segments that look most like one, by the exact cosine in the space in which types are found.

        Parameters
        ----------
        segment_id
            Id of any segment with a fingerprint.
        shown
            How many segments are given, 1 or more; fewer where fewer look like it.
        same_type
            Whether only segments of its own type are given.
        apart_m
            Least distance between the middles of two segments (metres). None: parts of the same road within 200 m, and
            segments whose tiles overlap its own, are left out instead.
        more_alike_than
            Share of random pairs of its road class (of all roads where the class is small) that must be less alike; 0:
            whatever comes nearest is given, alike or not (0 to 1).

        Returns
        -------
        The most alike first, none where none looks like it: ``place`` (from 1), ``segment_id``, ``likeness`` (cosine,
        -1 to 1), ``alike_than_pairs`` (share of random pairs less alike), ``metres_apart`` (between the lines),
        ``name``, ``ref``, ``road_class``, ``cluster``, ``length_m``, ``counted_m`` (of it, what rates refer to),
        ``years``, ``n_collisions``, ``n_ksi``, ``ksi_per_km_year`` with its interval and shrunk, and the line. That two
        roads look alike says nothing about their traffic.

        Raises
        ------
        LayerError
            When there is no such segment, or it has no fingerprint.
        SourceError
            When the fingerprints are not there.
        ValueError
            When fewer than one are asked for, or `more_alike_than` is not within 0 and 1.

        Examples
        --------
        >>> import roadprint
        >>> alike = roadprint.open("runs/grid").alike("0000000000000000", 2)
        >>> alike[["place", "segment_id", "likeness", "metres_apart"]].round(2).values.tolist()
        [[1, '0000000000000024', 0.67, 300.0]]

        The next one is no more alike than any two roads may be:

        >>> nearest = roadprint.open("runs/grid").alike("0000000000000000", 2, more_alike_than=0)
        >>> nearest[["segment_id", "likeness", "alike_than_pairs"]].round(2).values.tolist()
        [['0000000000000024', 0.67, 0.9], ['000000000000000f', 0.57, 0.84]]
        """
        check_shown(shown)
        if not 0 <= more_alike_than <= 1:
            raise ValueError(f"more_alike_than={more_alike_than}: a share from 0 to 1")
        segments = self._roads.segments
        found = segments["segment_id"] == segment_id
        if not found.any():
            known = (self.layer("segments")["segment_id"] == segment_id).any()
            raise LayerError(
                "the segment has no fingerprint: too little imagery covers it"
                if known
                else "there is no such segment",
                where=str(segment_id),
                todo="Take a segment_id of run.fingerprints.",
            )
        row = int(np.flatnonzero(found)[0])
        if apart_m is None:
            left_out = same_place(segments, gpd.GeoDataFrame(self.layer("tiles")), segment_id)
        else:
            left_out = self._roads.within(row, apart_m)
        if same_type:
            own = segments["cluster"].iloc[row]
            left_out = left_out | ~(segments["cluster"] == own).fillna(value=False).to_numpy(dtype=bool)
        return self._roads.most_alike(row, left_out, shown, more_alike_than)

    @property
    def looks(self) -> Looks:
        """What its roads and tiles look like, in the space of types (`geo.search.looks.Looks`)."""
        return self._roads.looks

    @cached_property
    def _roads(self) -> SeenRoads:
        """The roads that have a fingerprint, and the space in which types are found."""
        return SeenRoads(self, self._check_left, self._files)

    @property
    def learned_words(self) -> Learned | None:
        """The words that were learned from a map of the city (``concepts``); None: none were."""
        return self._roads.learned

    def find(
        self,
        *,
        top: int = 20,
        skip: int = 0,
        spread: float = BALANCE,
        save: str | None = None,
        **asked: Any,  # noqa: ANN401
    ) -> gpd.GeoDataFrame:
        """Find the roads that look like segments, tiles, places, pictures, or what analysts have named.

        Parameters
        ----------
        top
            How many answers are given, 1 or more; fewer where fewer can be asked about.
        skip
            How many answers have been shown before: the page after them is given.
        spread
            What likeness counts for in choosing answers, beside not being like each other (0 to 1; 1: it alone does).
        save
            Name of a concept, or path of its file, as which the question is saved.
        asked
            ``like``, ``at``, ``picture``, ``text``, ``unlike``, ``unlike_text``, ``concept``, ``pixel_m``, ``over``,
            ``road_class``, ``within``, ``collisions``, ``where``, ``threshold``, ``yes``, ``no``: see
            `tasks.results.finding.Question`.

        Returns
        -------
        The most alike first, see `geo.search.looks.Looks.find` and, ``over="tiles"``, `find_tiles`. That two roads look
        alike says nothing about their traffic.

        Raises
        ------
        LayerError, SourceError, EncoderError
            See `tasks.results.finding.ask`.
        ValueError
            When fewer than one are asked for, fewer than none skipped, or `spread` is not within 0 and 1.

        Examples
        --------
        >>> import roadprint
        >>> found = roadprint.open("runs/grid").find(like=["0000000000000000"], top=2, spread=1)
        >>> found[["rank", "segment_id", "why"]].values.tolist()[0]
        [1, '0000000000000024', 'segment 0000000000000000']
        """
        return self.asked(Question(**asked), top=top, skip=skip, spread=spread, save=save).answers

    def asked(
        self,
        question: Question,
        *,
        top: int = 20,
        skip: int = 0,
        spread: float = BALANCE,
        save: str | None = None,
    ) -> Asked:
        """Ask a question, see `find`.

        Parameters
        ----------
        question
            What is asked.
        top, skip, spread, save
            As of `find`.

        Returns
        -------
        The answers, with the examples of what is meant and what is not.

        Examples
        --------
        >>> import roadprint
        >>> from tasks.results.finding import Question
        >>> found = roadprint.open("runs/grid").asked(Question(like=["0000000000000000"]), top=2)
        >>> [one.label for one in found.yes], len(found.answers)
        (['segment 0000000000000000'], 2)
        """
        check_shown(top)
        if not 0 <= spread <= 1:
            raise ValueError(f"spread={spread}: a share from 0 to 1")
        if skip < 0:
            raise ValueError(f"skip={skip}: none or more can have been shown")
        found = ask(self, self.looks, question, shown=top, balance=spread, skip=skip)
        if save is not None:
            found.save(save)
        return found

    def tile(self, tile_id: str, *, full: bool = False) -> Image.Image:
        """Show a tile: its thumbnail where there is one, else cut from the imagery at full resolution.

        Parameters
        ----------
        tile_id
            Id of one of ``run.tiles``.
        full
            Whether the tile is cut at full resolution, whatever thumbnails there are.

        Returns
        -------
        An RGB picture; where the imagery has no data it is black.

        Raises
        ------
        LayerError
            When there is no such tile.
        SourceError
            When it must be cut from imagery that is gone, or is not what the run was made from.

        Examples
        --------
        >>> import roadprint
        >>> picture = roadprint.open("runs/grid").tile("0000000000000000-00")
        >>> picture.size, picture.mode
        ((160, 160), 'RGB')
        """
        tiles = gpd.GeoDataFrame(self.layer("tiles"))
        tile = tiles[tiles["tile_id"] == tile_id]
        if tile.empty:
            raise LayerError("there is no such tile", where=str(tile_id), todo="Take a tile_id of run.tiles.")
        jpeg = tile["thumbnail"].iloc[0]
        if not full and pd.notna(jpeg):
            return Image.open(io.BytesIO(jpeg)).convert("RGB")
        return cut_tile(tile, self.geopackage, self.base)
