"""The contract of every way to tell classes of ground: pieces of ground in, a class for each place out.

A `Piece` is what is seen of one square of ground. A way (`geo.ground.kind.GroundKind`) learns from pieces and gives a
`Classifier`, which is kept as arrays and words (`geo.ground.file`) and is then shown every piece once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.features.encoder import Valid

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from geo.ground.things.peaks import Evidence, Rule

Features = NDArray[np.float32]
Scores = NDArray[np.float32]
Classes = NDArray[np.uint8]
Source = Literal["found", "labels", "tags", "sam", "ndvi"]
UNKNOWN = 0
"""The number of what is not known in a map of classes."""
MOST_CLASSES = 60
"""A map holds no more classes: columns of the segments' table grow by three for each."""
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """What is seen of a square of ground, the first row in the north.

    Attributes
    ----------
    name
        Its chip: ``column_row`` of the lattice (`geo.features.dense.Lattice`).
    features
        Feature maps of the encoder, each of length 1 in each cell, joined: ``(rows, columns, dimension)``; of no
        dimension where a way asks for none.
    picture
        Imagery at `pixel_m`, 8 bit, ``(bands, rows * k, columns * k)`` with k pixels a cell.
    valid
        Where there is data, ``(rows * k, columns * k)``.
    x, y
        Its western and its northern edge (metres, city's CRS).
    cell_m, pixel_m
        Sides of a cell and of a pixel (metres).
    widths
        How many features each of the joined maps has.
    around
        `picture` and `valid` with the chip's rim at every side; None: nothing is known of it.
    """

    name: str
    features: Features
    picture: NDArray[np.uint8]
    valid: Valid
    x: float
    y: float
    cell_m: float
    pixel_m: float
    widths: tuple[int, ...] = ()
    around: tuple[NDArray[np.uint8], Valid] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns of cells it has."""
        rows, columns = self.features.shape[:2]
        return rows, columns

    @property
    def per_cell(self) -> int:
        """How many pixels a cell has along each side."""
        pixels: int = self.valid.shape[0]
        return pixels // self.shape[0]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north edge (metres, city's CRS)."""
        rows, columns = self.shape
        return (self.x, self.y - rows * self.cell_m, self.x + columns * self.cell_m, self.y)

    def known(self, finer: int = 1) -> Valid:
        """Tell the places of which at least half have data, on a grid so many times finer than the cells.

        Parameters
        ----------
        finer
            A divisor of `per_cell`.
        """
        side = self.per_cell // finer
        rows, columns = self.shape
        blocks = self.valid.reshape(rows * finer, side, columns * finer, side)
        found: Valid = blocks.mean(axis=(1, 3)) >= HALF
        return found


@dataclass(frozen=True, slots=True)
class GroundClass:
    """A class of ground.

    Attributes
    ----------
    number
        From 1, as maps hold it.
    key
        What its columns are called by: its number where classes are found, else a slug of its name.
    name
        What people call it; empty where it has no name yet.
    colour
        ``#RRGGBB``.
    source
        By what it came about.
    share
        Of the ground that was learned from (0 to 1); None: not known.
    score, spread, baseline
        Of a class that was learned: IoU on places left out, its standard deviation over them, and that of 'all of it
        is this class'; None: not measured.
    words
        What a reader must know of it beside, such as the kept threshold.
    """

    number: int
    key: str
    name: str
    colour: str
    source: Source
    share: float | None = None
    score: float | None = None
    spread: float | None = None
    baseline: float | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a classifier sees of a piece.

    Attributes
    ----------
    classes, scores
        See `Classifier.classify`.
    measures
        What it measures of segments beside, rows for `Classifier.measured`; None: nothing there.
    """

    classes: Classes
    scores: Scores
    measures: pd.DataFrame | None = None


class Classifier(ABC):
    """What tells the class of each place; a subclass a way, named by its kind.

    Attributes
    ----------
    finer
        Its maps have so many places a cell along each side.
    """

    finer: int = 1
    format: ClassVar[int] = 1
    """Raised when arrays of before mean something else."""

    @property
    @abstractmethod
    def classes(self) -> tuple[GroundClass, ...]:
        """The classes, by rising number: 1, 2, ..."""

    @abstractmethod
    def scores(self, piece: Piece) -> Scores:
        """Score each class at each place: ``(classes, rows * finer, columns * finer)``; higher is likelier."""

    def classify(self, piece: Piece) -> tuple[Classes, Scores]:
        """Give the class of each place and its score, ``(rows * finer, columns * finer)``.

        Returns
        -------
        Numbers of classes, `UNKNOWN` where there is no data or nothing can be told; and the scores.
        """
        scores = self.scores(piece)
        best = scores.argmax(axis=0)
        numbers = np.array([one.number for one in self.classes], dtype=np.uint8)[best]
        known = piece.known(self.finer)
        found: Classes = np.where(known, numbers, np.uint8(UNKNOWN))
        return found, np.take_along_axis(scores, best[None], axis=0)[0]

    def see(self, piece: Piece) -> Seen:
        """Classify a piece, and measure what the way measures beside."""
        return Seen(*self.classify(piece))

    def measured(self, measures: pd.DataFrame) -> pd.DataFrame:
        """Bring what `see` measured on all pieces together: a row a ``segment_id`` with columns of its own."""
        return measures

    @property
    def counted(self) -> dict[str, Rule]:
        """Give what counts as one thing of each class whose things are counted, by its key."""
        return {}

    def evidence(self, piece: Piece) -> dict[str, Evidence]:  # noqa: ARG002 - most count nothing
        """Tell how likely each place shows a thing of each class of `counted` (`geo.ground.things.peaks`)."""
        return {}

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give what it is made of as arrays, by name."""

    def words(self) -> dict[str, str]:
        """Give what else it is made of as text, by name."""
        return {}

    def tree(self, numbers: Classes | None = None) -> pd.DataFrame | None:  # noqa: ARG002 - most have none
        """Say how classes came about of smaller groups, see `geo.ground.unsupervised.tree`; None: not of any.

        Parameters
        ----------
        numbers
            What each number of a class is by now, ``(256,)``; None: it is as it was.
        """
        return None

    @classmethod
    @abstractmethod
    def from_arrays(
        cls, classes: tuple[GroundClass, ...], arrays: Mapping[str, NDArray[Any]], words: Mapping[str, str]
    ) -> Self:
        """Make it again of its classes and of what `arrays` and `words` gave.

        Raises
        ------
        KeyError, ValueError
            When they do not fit together.
        """


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a way is told of the city beside pieces of its ground.

    Attributes
    ----------
    segments, junctions
        The stage ``roads``: LineStrings and Points (metres) with ``segment_id`` and ``junction_id``.
    tiles
        The stage ``tiles``: ``tile_id, segment_id``, footprints (Polygon, metres).
    area
        Where there is imagery (Polygons, metres), the footprints of the rasters.
    """

    segments: gpd.GeoDataFrame
    junctions: gpd.GeoDataFrame
    tiles: gpd.GeoDataFrame
    area: gpd.GeoDataFrame
