"""A run as its page shows it: tables that are read once, and how it is known that they are still the run's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import geopandas as gpd
import pandas as pd

from geo.errors import LayerError, SourceError
from tasks.results.opened import OpenRun
from tasks.store.summary import SUMMARY

Made = TypeVar("Made")
Mark = tuple[int, int, int]
"""What a file is told by: when it was written (ns), its bytes, and its number on the disk."""


@dataclass(frozen=True)
class Page:
    """A run as its page shows it. Tables are read once and kept; who wants to change one copies it.

    Attributes
    ----------
    run
        The run.
    edit
        Whether corrections may be written.
    kept
        Folder for what is kept of pictures between two starts of the page.
    """

    run: OpenRun
    edit: bool
    kept: Path
    _mark: tuple[Mark | None, ...] = ()
    _made: dict[str, Any] = field(default_factory=dict, repr=False)
    _locks: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: Any = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_mark", self._seen())

    @property
    def segments(self) -> gpd.GeoDataFrame:
        """Segments in the order of the run's layer; a segment's number in the page is its row here."""
        return self._placed("segments")

    @property
    def tiles(self) -> gpd.GeoDataFrame:
        """Tiles in the order of the run's layer; a tile's number in the page is its row here."""
        return self._placed("tiles")

    @property
    def collisions(self) -> gpd.GeoDataFrame:
        """Records of collisions in the order of the run's layer, placed or not."""
        return self._placed("collisions")

    @property
    def types(self) -> pd.DataFrame:
        """The road types."""
        return self.layer("clusters")

    def layer(self, name: str) -> pd.DataFrame:
        """Read a layer of the run, once: the frame itself is given, so change none.

        Raises
        ------
        SourceError
            When the run has been replaced or removed since the page was opened: rows of two runs are never mixed.
        LayerError
            When there is no such layer.
        """
        return self.once(f"layer {name}", lambda: self._read(name))

    def _placed(self, name: str) -> gpd.GeoDataFrame:
        """Give a layer that has places: the frame itself, for a copy of a large one takes longer than an answer may."""
        frame = self.layer(name)
        return frame if isinstance(frame, gpd.GeoDataFrame) else gpd.GeoDataFrame(frame)

    def has(self, name: str) -> bool:
        """Tell whether the run has a layer that not every run has."""
        return self.run.has(name)

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """Make something of the run when it is first asked for, and keep it; others who ask meanwhile wait for it.

        Parameters
        ----------
        name
            What it is kept under.
        make
            Makes it; what it raises is raised again the next time.
        """
        with self._lock:
            lock = self._locks.setdefault(name, threading.RLock())
        with lock:
            if name not in self._made:
                self._made[name] = make()
            made: Made = self._made[name]
            return made

    def _read(self, name: str) -> pd.DataFrame:
        """Read a layer of the run that is still the one that was opened."""
        read = self.run.layer(name)
        self.check_stands()
        return read

    def segment(self, row: int) -> pd.Series:
        """Give a segment by its number.

        Raises
        ------
        LayerError
            When there is none of that number.
        """
        return _row(self.segments, row, "segment")

    def collision(self, row: int) -> pd.Series:
        """Give a record of a collision by its number.

        Raises
        ------
        LayerError
            When there is none of that number.
        """
        return _row(self.collisions, row, "collision")

    def tile(self, row: int) -> pd.Series:
        """Give a tile by its number.

        Raises
        ------
        LayerError
            When there is none of that number.
        """
        return _row(self.tiles, row, "tile")

    @property
    def run_id(self) -> str:
        """Name of the run: of its folder, or of the GeoPackage alone."""
        return self.run.geopackage.stem if self.run.folder is None else self.run.folder.name

    @property
    def city_folder(self) -> Path | None:
        """Folder of the city, where names and corrections are kept; None: there is the GeoPackage alone."""
        return None if self.run.folder is None else self.run.folder.parent

    @property
    def stands(self) -> bool:
        """Tell whether the run is as it was when the page was opened: neither replaced nor removed."""
        return self._seen() == self._mark

    def check_stands(self) -> None:
        """Refuse to read on from a run that is another one now.

        Raises
        ------
        SourceError
            When it has been replaced or removed.
        """
        if not self.stands:
            raise SourceError(
                "the run was replaced or removed since this page was opened",
                where=str(self.run.folder or self.run.geopackage),
                todo="Stop it (Ctrl-C) and start 'roadprint explore' again.",
            )

    def _seen(self) -> tuple[Mark | None, ...]:
        """Look at the files that every run replaces."""
        files = [self.run.geopackage]
        if self.run.folder is not None:
            files.append(self.run.folder / SUMMARY)
        return tuple(_mark(file) for file in files)


def _mark(file: Path) -> Mark | None:
    """Tell a file from another of its name; None: there is none."""
    try:
        seen = file.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino


def _row(frame: pd.DataFrame, row: int, what: str) -> pd.Series:
    """Give a row by its number."""
    if not 0 <= row < len(frame):
        raise LayerError(
            f"there is no {what} of that number",
            where=f"{what} {row}",
            todo=f"Give one from 0 to {len(frame) - 1}." if len(frame) else f"The run has no {what}.",
        )
    return frame.iloc[row]
