"""Things that points tell of, outlined by a network: each point is a prompt, those of other classes lie beside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from geo.ground.contract import UNKNOWN, Classes
from geo.ground.prompted.prompts import Prompts
from geo.ground.prompted.sections import Field, Floats, Numbers
from geo.ground.prompted.window import Promptable, Window, ask

SMALLEST_M2, LARGEST_M2 = 0.5, 600.0
"""What is smaller or larger than this is no thing (square metres)."""
BESIDE_M, BESIDE_MOST = 15.0, 5
"""Points of other classes that are so near lie beside a thing (metres), and so many of them are told."""
REACH_M = 16.0
"""A thing reaches so far from its point (metres)."""


@dataclass(frozen=True, slots=True)
class Things:
    """Points on things.

    Attributes
    ----------
    place
        ``(things, 2)`` (metres).
    number
        Class of each, as maps hold it.
    """

    place: Floats
    number: Numbers

    def near(self, window: Window) -> Things:
        """Keep those whose thing may reach into a window's core."""
        west, south, east, north = window.core
        more = min(REACH_M, window.rim_m / 2)
        x, y = self.place.T
        here = (x > west - more) & (x < east + more) & (y > south - more) & (y < north + more)
        return Things(self.place[here], self.number[here])


def outline(window: Window, things: Things, network: Promptable, shape: tuple[int, int]) -> Classes:
    """Paint the things of a window's core as a map of their classes.

    Parameters
    ----------
    window
        The window.
    things
        Points of the city.
    network
        Makes the masks.
    shape
        Rows and columns of the map.

    Returns
    -------
    `UNKNOWN` where none is; where two overlap, the one whose mask the network is surer of.
    """
    painted: Classes = np.full(shape, UNKNOWN, dtype=np.uint8)
    here = things.near(window)
    seen = window.shows(here.place)
    here = Things(here.place[seen], here.number[seen])
    if not len(here.number):
        return painted
    masks = ask(window, _prompts(here), network)
    count, each, rows, columns = masks.fields.shape
    cell_m = window.cell_m(masks)
    field = Field(masks.fields.reshape(count * each, rows, columns), window.west, window.north, cell_m)
    area = (masks.fields > 0).sum(axis=(2, 3)) * cell_m**2
    first = np.arange(count) * each
    holds = np.stack([field.at(here.place, first + mask) > 0 for mask in range(each)], axis=1)
    score = np.where(holds & (area >= SMALLEST_M2) & (area <= LARGEST_M2), np.maximum(masks.iou, 0), 0)
    best, some = score.argmax(axis=1), score.max(axis=1) > 0
    order = np.flatnonzero(some)[np.argsort(score.max(axis=1)[some], kind="stable")]
    _paint(painted, window, here, field, first + best, order)
    return painted


def _prompts(things: Things) -> Prompts:
    """Make a prompt of each point, with the nearest of other classes beside."""
    _, near = KDTree(things.place).query(
        things.place, k=min(BESIDE_MOST + 1, len(things.number)), distance_upper_bound=BESIDE_M
    )
    near = np.atleast_2d(near.reshape(len(things.number), -1))
    thing, at = np.nonzero(near < len(things.number))
    other = near[thing, at]
    beside = things.number[other] != things.number[thing]
    thing, other = thing[beside], other[beside]
    own = np.arange(len(things.number))
    return Prompts(
        np.concatenate([own, thing]),
        np.concatenate([things.place, things.place[other]]),
        np.repeat([True, False], [len(own), len(thing)]),
    )


def _paint(
    painted: Classes, window: Window, things: Things, field: Field, mask: Numbers, order: NDArray[np.int64]
) -> None:
    """Paint things on a map, the last one on top."""
    west, _, east, north = window.core
    rows, columns = painted.shape
    side = (east - west) / columns
    steps = np.arange(-round(REACH_M / side), round(REACH_M / side) + 1)
    middle = np.floor(np.column_stack([north - things.place[order, 1], things.place[order, 0] - west]) / side)
    row = middle[:, 0, None, None].astype(np.int64) + steps[:, None]
    column = middle[:, 1, None, None].astype(np.int64) + steps
    row, column = np.broadcast_arrays(row, column)
    places = np.stack([west + (column + 0.5) * side, north - (row + 0.5) * side], axis=-1)
    on = (field.at(places, mask[order]) > 0) & (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    numbers = np.broadcast_to(things.number[order][:, None, None], on.shape)
    # of places that are named several times the last one stays
    painted[row[on], column[on]] = numbers[on]
