"""What a network sees of the roads in one window of imagery, encoded once for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.features.encoder import Pixels, Valid
from geo.ground.prompted.choosing import NONE, Choice, choose
from geo.ground.prompted.network.network import Embedded, Masks
from geo.ground.prompted.prompts import Prompts, prompts
from geo.ground.prompted.sections import ACROSS_M, Field, Floats, Numbers, Sections, Shapes, lay

CORRIDOR_M = 25.0
"""Width of the strip along a line in which a mask counts (metres)."""
FAR_M = 2 * ACROSS_M + CORRIDOR_M
"""Roads so near to a window have a say in how far its sections reach (metres)."""


class Promptable(Protocol):
    """Anything that makes masks for prompts; see `geo.ground.prompted.network.network.Network`."""

    side: int

    def encode(self, picture: Pixels, valid: Valid) -> Embedded:
        """Encode a picture."""

    def masks(self, embedded: Embedded, points: Floats, labels: Numbers) -> Masks:
        """Make masks."""


@dataclass(frozen=True, slots=True)
class Roads:
    """Roads, and where they meet.

    Attributes
    ----------
    names
        ``segment_id`` of each.
    lines
        LineStrings (metres).
    width
        Usual width of the carriageway of each one's class (metres).
    junctions
        Points (metres).
    radius
        Of each junction (metres).
    """

    names: NDArray[np.object_]
    lines: Shapes
    width: Floats
    junctions: Shapes
    radius: Floats

    def near(self, bounds: tuple[float, float, float, float]) -> Roads:
        """Keep those that have a say in a window."""
        west, south, east, north = bounds
        box = shapely.box(west - FAR_M, south - FAR_M, east + FAR_M, north + FAR_M)
        some, meet = shapely.intersects(self.lines, box), shapely.intersects(self.junctions, box)
        return Roads(
            self.names[some], self.lines[some], self.width[some], self.junctions[meet], self.radius[meet]
        )


@dataclass(frozen=True, slots=True)
class Window:
    """A square picture of ground.

    Attributes
    ----------
    picture
        ``(3, side, side)``, red, green and blue, the first row in the north.
    valid
        Where it has data.
    west, north
        Its edges (metres).
    pixel_m
        Side of a pixel (metres).
    rim_m
        What of it at each edge belongs to its neighbours: it is seen, and not measured (metres).
    """

    picture: Pixels
    valid: Valid
    west: float
    north: float
    pixel_m: float
    rim_m: float

    @property
    def core(self) -> tuple[float, float, float, float]:
        """West, south, east and north edge of what is measured."""
        size = self.valid.shape[0] * self.pixel_m - self.rim_m
        return self.west + self.rim_m, self.north - size, self.west + size, self.north - self.rim_m

    def shows(self, places: Floats) -> NDArray[np.bool_]:
        """Tell whether there is data at places."""
        column, row = np.floor(self.pixels(places)).astype(np.int64).T
        side = self.valid.shape[0]
        inside = (row >= 0) & (row < side) & (column >= 0) & (column < side)
        found = np.zeros(len(places), dtype=np.bool_)
        found[inside] = self.valid[row[inside], column[inside]]
        return found

    def cell_m(self, masks: Masks) -> float:
        """Side of a cell of masks of this window (metres)."""
        return int(self.valid.shape[0]) * self.pixel_m / int(masks.fields.shape[-1])

    def pixels(self, places: Floats) -> Floats:
        """Bring places (metres) to pixels from its western and northern edge."""
        return np.stack([places[..., 0] - self.west, self.north - places[..., 1]], axis=-1) / self.pixel_m


@dataclass(frozen=True, slots=True)
class View:
    """What was seen in a window.

    Attributes
    ----------
    roads
        Those near it.
    sections
        On them, those of the window; with a part of its rim.
    choice
        The mask of each prompt, and what sections show.
    line
        Place of each prompt's road.
    field
        The masks, those of one prompt after another.
    each
        How many masks a prompt has.
    core
        Which sections are measured here.
    """

    roads: Roads
    sections: Sections
    choice: Choice
    line: Numbers
    field: Field
    each: int
    core: NDArray[np.bool_]

    def measures(self) -> pd.DataFrame:
        """Give what sections show, as `geo.ground.prompted.widths.widths` expects it."""
        seen = self.choice.seen
        prompt = np.searchsorted(self.line, self.sections.line)
        told = pd.DataFrame(
            {
                "segment_id": self.roads.names[self.sections.line],
                "known": seen.known,
                "found": seen.found,
                "left_m": seen.left.astype(np.float32),
                "right_m": seen.right.astype(np.float32),
                "iou": self.choice.iou[prompt].astype(np.float32),
            }
        )
        return told[self.core].reset_index(drop=True)

    def carriageway(self, places: Floats) -> Floats:
        """Read the mask of the nearest road at places ``(n, 2)``: above 0 on its carriageway.

        NaN further from a road than half of `CORRIDOR_M`, or where no mask of it was chosen.
        """
        found: Floats = np.full(len(places), np.nan)
        if not len(self.roads.lines) or not len(self.line):
            return found
        tree = shapely.STRtree(self.roads.lines)
        place, road = tree.query_nearest(
            shapely.points(places), max_distance=CORRIDOR_M / 2, all_matches=False
        )
        prompt = np.minimum(np.searchsorted(self.line, road), len(self.line) - 1)
        mask = self.choice.mask[prompt]
        seen = (self.line[prompt] == road) & (mask != NONE)
        found[place[seen]] = self.field.at(places[place[seen]], (prompt * self.each + mask)[seen])
        return found


class Once:
    """A network that encodes a picture once, however often it is asked to.

    Parameters
    ----------
    network
        What it asks.
    """

    def __init__(self, network: Promptable) -> None:
        self._network = network
        self.side = network.side
        self._last: tuple[Pixels, Embedded] | None = None

    def encode(self, picture: Pixels, valid: Valid) -> Embedded:
        """Encode a picture, or give what was made of the same one."""
        if self._last is None or self._last[0] is not picture:
            self._last = picture, self._network.encode(picture, valid)
        return self._last[1]

    def masks(self, embedded: Embedded, points: Floats, labels: Numbers) -> Masks:
        """Make masks."""
        return self._network.masks(embedded, points, labels)


def see(window: Window, roads: Roads, network: Promptable) -> View | None:
    """Encode a window, prompt for every road in it, and choose their masks.

    Parameters
    ----------
    window
        The window; its side is that of the network's pictures.
    roads
        Of the city.
    network
        Makes the masks.

    Returns
    -------
    None where no road can be prompted for: none is there, all of it is near junctions, or there is no data.
    """
    near = roads.near(window.core)
    sections = _within(lay(near.lines, near.junctions, near.radius), window, window.rim_m / 2)
    valid = Field(
        np.where(window.valid, 1, -1).astype(np.float32)[None], window.west, window.north, window.pixel_m
    )
    shown = valid.at(sections.place, np.zeros(len(sections), dtype=np.int64)) > 0
    asked = np.isin(sections.line, np.unique(sections.line[shown]))
    sections = sections.take(asked)
    if not len(sections):
        return None
    points = prompts(sections.take(shown[asked]), near.lines, near.width)
    masks = ask(window, points, network)
    prompted = np.unique(points.line)
    count, each, rows, columns = masks.fields.shape
    field = Field(
        masks.fields.reshape(count * each, rows, columns), window.west, window.north, window.cell_m(masks)
    )
    choice = choose(sections, np.searchsorted(prompted, sections.line), field, masks.iou, valid)
    west, south, east, north = window.core
    x, y = sections.place.T
    core = (x >= west) & (x < east) & (y > south) & (y <= north)
    return View(near, sections, choice, prompted, field, each, core)


def _within(sections: Sections, window: Window, more_m: float) -> Sections:
    """Keep the sections of a window's core and of so much about it."""
    west, south, east, north = window.core
    x, y = sections.place.T
    return sections.take(
        (x > west - more_m) & (x < east + more_m) & (y > south - more_m) & (y < north + more_m)
    )


def ask(window: Window, points: Prompts, network: Promptable) -> Masks:
    """Ask for the masks of all prompts, by rising line; those of as many points go together."""
    embedded = network.encode(window.picture, window.valid)
    order = np.lexsort([~points.on, points.line])
    line, place, on = points.line[order], window.pixels(points.place[order]), points.on[order]
    _, first, count = np.unique(line, return_index=True, return_counts=True)
    fields: list[NDArray[np.float32]] = []
    iou: list[NDArray[np.float32]] = []
    order_of: list[Numbers] = []
    for many in np.unique(count):
        those = np.flatnonzero(count == many)
        at = first[those][:, None] + np.arange(many)
        found = network.masks(embedded, place[at], on[at].astype(np.int64))
        fields.append(found.fields)
        iou.append(found.iou)
        order_of.append(those)
    back = np.argsort(np.concatenate(order_of))
    return Masks(np.concatenate(fields)[back], np.concatenate(iou)[back])
