"""Where a label would teach most: places at which classes are hard to tell apart, and that are unlike each other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geo.features.lengths import of_length_1
from geo.ground.contract import UNKNOWN, Classifier, GroundClass, Piece
from geo.outputs.qgis.drawing import Drawing, write_drawings

SIDE_M = 48.0
"""Side of the square that is asked about (metres), about; a piece is parted evenly."""
LEAST_KNOWN = 0.5
"""A square is asked about where at least this share of it has data and lies near roads."""
LAYER, COLOUR = "suggestions", "#CC3311"
COLUMNS = ("rank", "unsure", "share_unsure", "known", "between", "geometry")


def suggest(
    pieces: Iterable[Piece],
    classifier: Classifier,
    near: NDArray[np.object_],
    labelled: NDArray[np.object_],
    *,
    number: int,
    apart_m: float,
) -> gpd.GeoDataFrame:
    """Choose squares of ground to label next.

    A square's doubt is the mean of its places': how close the second class comes to the first (margin sampling,
    Scheffer et al. 2001), by the rank of that margin among all places, and 1 where nothing is known. From the most
    doubtful on, each next square is the one whose doubt times its distance in the space of features from all that were
    chosen is largest (as in the core-set of Sener and Savarese 2018), so that ten squares are not ten of one kind.

    Parameters
    ----------
    pieces
        Of the ground beside roads, one after the other.
    classifier
        What was learned or found so far.
    near
        The ground that is mapped (Polygons, metres): what lies farther from roads is not asked about.
    labelled
        What was labelled (metres); nothing is asked about within `apart_m` of it.
    number
        How many squares are asked for.
    apart_m
        How far from each other they are at least (metres).

    Returns
    -------
    Polygons without a CRS, the most telling first: ``rank``, ``unsure`` (0 to 1), ``known`` (share with data),
    ``between`` (the two classes that are mistaken most, in words); fewer than asked for where there are no more.
    """
    rows = [square for piece in pieces for square in _squares(piece, classifier, near)]
    if not rows:
        return gpd.GeoDataFrame({name: [] for name in COLUMNS if name != "geometry"}, geometry=[])
    shapes = np.array([row[0] for row in rows])
    margins = np.stack([row[1] for row in rows])
    known, between = np.array([row[2] for row in rows]), np.array([row[3] for row in rows])
    features = of_length_1(np.stack([row[4] for row in rows]))
    edges = np.sort(margins[np.isfinite(margins)])
    ranks = 1 - np.searchsorted(edges, margins, side="right") / max(1, len(edges))
    doubt = ranks.mean(axis=1)
    free = np.ones(len(rows), dtype=bool)
    if len(labelled):
        taken = shapely.STRtree(labelled).query(shapes, predicate="dwithin", distance=apart_m)[0]
        free[np.unique(taken)] = False
    chosen = _choose(doubt, features, shapes, free, number, apart_m)
    names = _names(classifier.classes)
    return gpd.GeoDataFrame(
        {
            "rank": np.arange(1, len(chosen) + 1),
            "unsure": np.round(doubt[chosen], 3),
            "known": np.round(known[chosen], 3),
            "between": [_between(names, pair) for pair in between[chosen]],
        },
        geometry=shapes[chosen],
    )


def _choose(
    doubt: NDArray[np.float64],
    features: NDArray[np.float32],
    shapes: NDArray[np.object_],
    free: NDArray[np.bool_],
    number: int,
    apart_m: float,
) -> NDArray[np.int64]:
    """Choose one square after the other, see `suggest`."""
    chosen: list[int] = []
    far = np.ones(len(doubt))
    left = free.copy()
    while left.any() and len(chosen) < number:
        worth = np.where(left, doubt * far, -np.inf)
        best = int(worth.argmax())
        chosen.append(best)
        left &= shapely.distance(shapes, shapes[best]) >= apart_m
        left[best] = False
        far = np.minimum(far, (1 - features @ features[best]).clip(0, 1))
    return np.array(chosen, dtype=np.int64)


Square = tuple[shapely.Geometry, NDArray[np.float64], float, tuple[int, int], NDArray[np.float32]]
KEPT = 64
"""Margins of so many places stand for a square."""


def _squares(piece: Piece, classifier: Classifier, near: NDArray[np.object_]) -> list[Square]:
    """Part a piece into squares, each with margins, share of data, most mistaken classes and mean features."""
    scores = classifier.scores(piece)
    numbers, _ = classifier.classify(piece)
    order = np.argsort(-scores, axis=0, kind="stable")
    top = np.take_along_axis(scores, order[:2], axis=0)
    margin = top[0] - top[1] if len(top) > 1 else -top[0]
    has_data = piece.known(classifier.finer)
    margin = np.where(numbers == UNKNOWN, -np.inf, margin)
    parts = max(1, round(piece.shape[0] * piece.cell_m / SIDE_M))
    cells, places = piece.shape[0] // parts, piece.shape[0] // parts * classifier.finer
    side = cells * piece.cell_m
    found: list[Square] = []
    for down in range(parts):
        for across in range(parts):
            west, north = piece.x + across * side, piece.y - down * side
            box = shapely.box(west, north - side, west + side, north)
            window = slice(down * places, (down + 1) * places), slice(across * places, (across + 1) * places)
            data = has_data[window]
            here = shapely.STRtree(near).query(box, predicate="intersects")
            beside = shapely.area(shapely.intersection(shapely.union_all(near[here]), box)) / side**2
            if min(float(data.mean()), beside) < LEAST_KNOWN:
                continue
            mine = np.where(data, margin[window], np.nan)
            pair = _most_mistaken(order[:2, *window], margin[window], data)
            middle = piece.features[down * cells : (down + 1) * cells, across * cells : (across + 1) * cells]
            found.append((box, _spread(mine), float(data.mean()), pair, middle.mean(axis=(0, 1))))
    return found


def _spread(margins: NDArray[np.floating]) -> NDArray[np.float64]:
    """Take `KEPT` margins that are spread evenly over those of a square, so that all squares have as many."""
    told = np.sort(margins[~np.isnan(margins)])
    at = np.linspace(0, len(told) - 1, KEPT).round().astype(np.int64)
    return told[at].astype(np.float64)


def _most_mistaken(
    order: NDArray[np.int64], margin: NDArray[np.floating], data: NDArray[np.bool_]
) -> tuple[int, int]:
    """Find the two classes, by their index, between which the doubtful half of a square wavers most."""
    if len(order) < 2:
        return 0, 0
    unsure = data & (margin <= np.median(margin[data]))
    low, high = np.sort(order[:, unsure], axis=0)
    pairs, counts = np.unique(np.stack([low, high]), axis=1, return_counts=True)
    first, second = pairs[:, counts.argmax()]
    return int(first), int(second)


def _names(classes: Iterable[GroundClass]) -> list[str]:
    return [one.name or f"class {one.number}" for one in classes]


def _between(names: list[str], pair: NDArray[np.int64]) -> str:
    first, second = (names[int(one)] for one in pair)
    return first if first == second else f"{first} or {second}"


def write_suggestions(path: Path, squares: gpd.GeoDataFrame) -> None:
    """Write squares as a styled layer of a GeoPackage that is not there yet.

    Raises
    ------
    SourceError
        When it is there, or cannot be written.
    """
    shown = '"rank" || \': \' || "between"'
    told = squares[["between", "rank", "unsure", "known", "geometry"]]
    drawing = Drawing(
        LAYER, "Polygon", told, shown, {}, "label all that lies in it", outline=True, colour=COLOUR
    )
    write_drawings(path, [drawing])
