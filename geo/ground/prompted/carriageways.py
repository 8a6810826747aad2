"""The classifier of carriageways: the lines of a city's roads, along which a network is prompted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.ground.contract import MOST_CLASSES, UNKNOWN, Classes, Classifier, GroundClass, Piece, Scores, Seen

if TYPE_CHECKING:
    import geopandas as gpd

    from geo.features.dense import Lattice
    from geo.ground.contract import Surroundings
    from geo.ground.prompted.things import Things
    from geo.ground.prompted.window import Promptable, Roads, View, Window

CARRIAGEWAY = GroundClass(
    1,
    "carriageway",
    "carriageway",
    "#6b6b70",
    "sam",
    words="as a promptable network sees it, along the lines of roads; what lies beside is not told",
)
OUTLINED = "as a promptable network outlines it about points that were given"
_SHADES = ("#c2703d", "#3f8f5b", "#c9a227", "#8a5fa8", "#3a7ca5", "#a83f5f")
PATCH_PX, RIM_SHARE = 16, 8
"""Cells of the lattice are the network's patches; an eighth of a window's cells at each edge is its neighbours'."""
FINER = 8
"""A map has so many places a cell along each side: one for two pixels."""


def lay_windows(side: int, pixel_m: float) -> tuple[Lattice, int]:
    """Lay out windows of a network's side (pixels) that overlap by their rims.

    Returns
    -------
    Their lattice, and pixels of a cell along each side.
    """
    from geo.features.dense import Lattice

    cells = side // PATCH_PX
    rim = max(cells // RIM_SHARE, 1)
    return Lattice(cell_m=PATCH_PX * pixel_m, cells=cells - 2 * rim, rim=rim), PATCH_PX


def roads_of(around: Surroundings) -> Roads:
    """Bring together what is known of a city's roads."""
    from geo.ground.prompted.prompts import usual_width
    from geo.ground.prompted.window import Roads

    segments, junctions = around.segments, around.junctions
    return Roads(
        segments["segment_id"].to_numpy(dtype=object),
        segments.geometry.to_numpy(),
        usual_width(segments["road_class"].to_numpy(dtype=object)),
        junctions.geometry.to_numpy(),
        np.nan_to_num(junctions["radius_m"].to_numpy(dtype=np.float64)),
    )


def things_of(points: gpd.GeoDataFrame, where: str) -> tuple[Things, dict[str, str]]:
    """Give classes of points their numbers, from 2 on, by name.

    Parameters
    ----------
    points
        ``name`` and a geometry each (metres); of one that is no point, a point on it.
    where
        What a message calls them.

    Returns
    -------
    The things, and names of classes by key.

    Raises
    ------
    LayerError
        When there are no points, or too many classes.
    """
    from geo.errors import LayerError
    from geo.ground.keys import keys_of
    from geo.ground.prompted.things import Things

    named = sorted(points["name"].unique())
    if not named or len(named) >= MOST_CLASSES:
        raise LayerError(
            f"{len(named)} classes of points are there that can be used",
            where=where,
            todo=f"Give points with a class, on the city's imagery, of fewer than {MOST_CLASSES} classes.",
        )
    keys = keys_of([CARRIAGEWAY.name, *named])[1:]
    place = shapely.get_coordinates(shapely.point_on_surface(points.geometry.to_numpy()))
    numbers = points["name"].map({name: 2 + i for i, name in enumerate(named)}).to_numpy(dtype=np.int64)
    return Things(place, numbers), dict(zip(keys, named, strict=True))


def window_of(piece: Piece) -> Window:
    """Take a piece with its rim as a window; imagery of one or two bands is seen as grey.

    Raises
    ------
    ValueError
        When the piece comes without its rim.
    """
    from geo.ground.prompted.window import Window

    if piece.around is None:
        raise ValueError("a window needs the rim of its piece")
    picture, valid = piece.around
    rgb = picture[:3] if len(picture) >= 3 else np.repeat(picture[:1], 3, axis=0)
    rim_m = (valid.shape[0] - piece.valid.shape[0]) / 2 * piece.pixel_m
    return Window(rgb, valid, piece.x - rim_m, piece.y + rim_m, piece.pixel_m, rim_m)


class Carriageways(Classifier):
    """Tells carriageways along the lines of roads, and measures them.

    Parameters
    ----------
    roads
        Of the city.
    things, names
        Points on things that are outlined beside, of classes from 2 on; and what these are called, by key.

    Attributes
    ----------
    network
        What is prompted; to be given before a piece is looked at.
    """

    finer = FINER

    def __init__(
        self, roads: Roads, things: Things | None = None, names: Mapping[str, str] | None = None
    ) -> None:
        self.roads = roads
        self.things = things
        self.names = dict(names or {})
        self.network: Promptable | None = None

    @property
    def classes(self) -> tuple[GroundClass, ...]:
        """See `Classifier.classes`."""
        shades = (_SHADES[i % len(_SHADES)] for i in range(len(self.names)))
        told = zip(self.names.items(), shades, strict=True)
        things = (
            GroundClass(2 + i, key, name, shade, "sam", words=OUTLINED)
            for i, ((key, name), shade) in enumerate(told)
        )
        return (CARRIAGEWAY, *things)

    def scores(self, piece: Piece) -> Scores:
        """See `Classifier.scores`: a carriageway's mask, far below 0 where none is looked for; of things 1 or -1."""
        seen, painted = self._look(piece)
        road = self._scores(seen, piece)
        numbers = np.arange(2, 2 + len(self.names))[:, None, None]
        return np.concatenate([road, np.where(painted == numbers, 1, -1).astype(np.float32)])

    def see(self, piece: Piece) -> Seen:
        """See `Classifier.see`: things lie on carriageways, and what is neither is not known."""
        view, painted = self._look(piece)
        scores = self._scores(view, piece)
        road = np.where(scores[0] > 0, np.uint8(CARRIAGEWAY.number), np.uint8(UNKNOWN))
        classes: Classes = np.where(painted != UNKNOWN, painted, road)
        known = np.where(piece.known(self.finer), classes, np.uint8(UNKNOWN))
        return Seen(known, scores[0], None if view is None else view.measures())

    def _look(self, piece: Piece) -> tuple[View | None, Classes]:
        """Look at a piece, encoded once: its roads, None where none can be prompted for, and its things.

        Raises
        ------
        ValueError
            When it has no network.
        """
        from geo.ground.prompted.things import outline
        from geo.ground.prompted.window import Once, see

        if self.network is None:
            raise ValueError("a classifier of carriageways needs its network")
        window, once = window_of(piece), Once(self.network)
        rows, columns = piece.shape
        shape = rows * self.finer, columns * self.finer
        nothing: Classes = np.full(shape, UNKNOWN, dtype=np.uint8)
        painted = nothing if self.things is None else outline(window, self.things, once, shape)
        return see(window, self.roads, once), painted

    def classify(self, piece: Piece) -> tuple[Classes, Scores]:
        """See `Classifier.classify`."""
        seen = self.see(piece)
        return seen.classes, seen.scores

    def _scores(self, view: View | None, piece: Piece) -> Scores:
        """Read the masks of a view at the places of a piece's map."""
        rows, columns = (side * self.finer for side in piece.shape)
        nowhere = float(np.finfo(np.float32).min)
        found: Scores = np.full((1, rows, columns), nowhere, dtype=np.float32)
        if view is not None:
            side = piece.cell_m / self.finer
            row, column = (axis.ravel() for axis in np.indices((rows, columns)))
            places = np.column_stack([piece.x + (column + 0.5) * side, piece.y - (row + 0.5) * side])
            found[0] = np.nan_to_num(view.carriageway(places), nan=nowhere).reshape(rows, columns)
        return found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Classifier.arrays`."""
        roads = self.roads
        points, line = shapely.get_coordinates(roads.lines, return_index=True)
        return {
            "points": points,
            "line": line.astype(np.int64),
            "width": roads.width,
            "junctions": shapely.get_coordinates(roads.junctions),
            "radius": roads.radius,
            **({} if self.things is None else {"things": self.things.place, "numbers": self.things.number}),
        }

    def words(self) -> dict[str, str]:
        """See `Classifier.words`."""
        return {"segments": "\n".join(map(str, self.roads.names))}

    @classmethod
    def from_arrays(
        cls,
        classes: tuple[GroundClass, ...],
        arrays: Mapping[str, NDArray[Any]],
        words: Mapping[str, str],
    ) -> Self:
        """See `Classifier.from_arrays`."""
        from geo.ground.prompted.things import Things
        from geo.ground.prompted.window import Roads

        names = np.array(words["segments"].split("\n") if words["segments"] else [], dtype=object)
        lines = np.asarray(shapely.linestrings(arrays["points"], indices=arrays["line"]))
        junctions = np.asarray(shapely.points(arrays["junctions"]))
        things = Things(arrays["things"], arrays["numbers"]) if "things" in arrays else None
        called = {one.key: one.name for one in classes[1:]}
        return cls(Roads(names, lines, arrays["width"], junctions, arrays["radius"]), things, called)

    def measured(self, measures: pd.DataFrame) -> pd.DataFrame:
        """See `Classifier.measured`: widths of carriageways."""
        from geo.ground.prompted.sections import APART_M
        from geo.ground.prompted.widths import widths

        return widths(measures, apart_m=APART_M)
