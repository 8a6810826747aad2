"""A large picture to paint on in metres, and the textures that make it look like a photograph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from shapely.ops import substring

from geo.demo.ground import Ground, Thing

Colour = tuple[int, int, int]
Floats = NDArray[np.float64]
STRIP_PX = 1000
"""Rows that are worked on at once, to bound memory."""


class Painting:
    """A square picture whose lower left corner is the origin, in metres, and the true map of what is drawn on it.

    Parameters
    ----------
    size_m, pixel_m
        Side of the picture, and of a pixel (metres).
    rng
        Source of every random choice.

    Attributes
    ----------
    image, ground
        The picture, and the class of each of its pixels (`Ground`): that of what was drawn last there.
    things
        What was drawn that can be counted.
    """

    def __init__(self, size_m: float, pixel_m: float, rng: np.random.Generator) -> None:
        self.size_m, self.pixel_m, self.rng = size_m, pixel_m, rng
        self.side = round(size_m / pixel_m)
        self.image = Image.new("RGB", (self.side, self.side), (112, 124, 84))
        self.shade = Image.new("L", (self.side, self.side), 0)
        self.ground = Image.new("L", (self.side, self.side), int(Ground.GRASS))
        self.things: list[Thing] = []
        self.draw = ImageDraw.Draw(self.image)
        self._classes = ImageDraw.Draw(self.ground)
        self._kind: Ground | None = None
        self._shadow = ImageDraw.Draw(self.shade)
        self.bank = _noise_bank(rng)

    @contextmanager
    def of(self, kind: Ground | None) -> Iterator[None]:
        """Draw things of one class of ground; None: what is drawn leaves the class of the ground under it."""
        before, self._kind = self._kind, kind
        try:
            yield
        finally:
            self._kind = before

    def pixels(self, points: Floats) -> list[tuple[float, float]]:
        """Bring points to pixel coordinates."""
        xy = np.asarray(points, dtype=np.float64) / self.pixel_m
        return list(zip(xy[:, 0].tolist(), (self.side - xy[:, 1]).tolist(), strict=True))

    def polygon(self, points: Floats, colour: Colour) -> None:
        """Fill a polygon."""
        self.draw.polygon(self.pixels(points), fill=colour)
        if self._kind is not None:
            self._classes.polygon(self.pixels(points), fill=int(self._kind))

    def stroke(self, line: shapely.LineString, width_m: float, colour: Colour) -> None:
        """Draw a line of a width, with round ends."""
        halves = [substring(line, start, start + 0.5, normalized=True) for start in (0, 0.5)]
        for part in halves if line.is_closed else [line]:
            self.polygon(
                shapely.get_coordinates(shapely.buffer(part, width_m / 2, quad_segs=6).exterior), colour
            )

    def line(self, points: Floats, width_m: float, colour: Colour) -> None:
        """Draw a thin line."""
        width = max(1, round(width_m / self.pixel_m))
        self.draw.line(self.pixels(points), fill=colour, width=width)
        if self._kind is not None:
            self._classes.line(self.pixels(points), fill=int(self._kind), width=width)

    def dashes(
        self, line: shapely.LineString, mark_m: float, gap_m: float, width_m: float, colour: Colour
    ) -> None:
        """Draw a broken line along a line."""
        starts = np.arange(0, max(line.length - mark_m, 0), mark_m + gap_m)
        first = shapely.get_coordinates(shapely.line_interpolate_point(line, starts))
        last = shapely.get_coordinates(shapely.line_interpolate_point(line, starts + mark_m))
        for a, b in zip(first, last, strict=True):
            self.line(np.array([a, b]), width_m, colour)

    def disc(self, centre: Floats, radius_m: float, colour: Colour) -> None:
        """Fill a circle."""
        ((x, y),) = self.pixels(centre[None])
        r = radius_m / self.pixel_m
        self.draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        if self._kind is not None:
            self._classes.ellipse((x - r, y - r, x + r, y + r), fill=int(self._kind))

    def shadow(self, points: Floats, height_m: float) -> None:
        """Cast the shadow of a flat thing at a height: the sun stands in the south-east."""
        moved = np.asarray(points) + np.array([-0.55, 0.75]) * height_m
        hull = shapely.convex_hull(shapely.multipoints(np.vstack([points, moved])))
        self._shadow.polygon(self.pixels(shapely.get_coordinates(hull)), fill=255)

    def apply_shadows(self, depth: float = 0.5) -> None:
        """Darken the ground under all shadows cast so far, and forget them."""
        soft = self.shade.filter(ImageFilter.GaussianBlur(0.3 / self.pixel_m))
        # skylight is blue: shadows lose less of it
        for top in range(0, self.side, STRIP_PX):
            box = (0, top, self.side, min(top + STRIP_PX, self.side))
            share = np.asarray(soft.crop(box), dtype=np.float32)[..., None] / 255
            ground = np.asarray(self.image.crop(box), dtype=np.float32)
            dark = ground * (1 - share * depth * np.array([1.0, 0.96, 0.84], dtype=np.float32))
            self.image.paste(Image.fromarray(dark.astype(np.uint8)), box)
        self.shade.paste(0, (0, 0, self.side, self.side))

    def fill(
        self,
        shape: shapely.Polygon,
        colour: Colour,
        *,
        rough: float = 14.0,
        rows: tuple[float, float] | None = None,
    ) -> None:
        """Fill a polygon with a textured colour.

        Parameters
        ----------
        shape
            The polygon to fill, in metres.
        colour
            Mean colour of the fill (red, green and blue, 0 to 255).
        rough
            Standard deviation of its texture (grey levels).
        rows
            Direction (degrees) and spacing (metres) of drills or mowing stripes; None: without.
        """
        west, south, east, north = shape.bounds
        box = [
            int(v)
            for v in (
                west / self.pixel_m,
                self.side - north / self.pixel_m,
                east / self.pixel_m,
                self.side - south / self.pixel_m,
            )
        ]
        left, top = max(box[0], 0), max(box[1], 0)
        right, bottom = min(box[2] + 1, self.side), min(box[3] + 1, self.side)
        if right <= left or bottom <= top:
            return
        height, width = bottom - top, right - left
        texture = self._texture(height, width) * rough
        if rows is not None:
            angle, spacing = np.deg2rad(rows[0]), rows[1] / self.pixel_m
            y, x = np.ogrid[0:height, 0:width]
            texture += (
                rough * 0.7 * np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / max(spacing, 2))
            )
        patch = np.clip(np.array(colour, dtype=np.float32) + texture[..., None], 0, 255).astype(np.uint8)
        mask = Image.new("1", (width, height), 0)
        points = [(x - left, y - top) for x, y in self.pixels(shapely.get_coordinates(shape.exterior))]
        ImageDraw.Draw(mask).polygon(points, fill=1)
        self.image.paste(Image.fromarray(patch), (left, top), mask)
        if self._kind is not None:
            self.ground.paste(int(self._kind), (left, top, right, bottom), mask)

    def _texture(self, height: int, width: int) -> NDArray[np.float32]:
        """Cut a piece of the noise bank, of mean 0 and deviation about 1, repeated as often as needed."""
        side = self.bank.shape[0]
        oy, ox = self.rng.integers(0, side, 2)
        rows, columns = (np.arange(height) + oy) % side, (np.arange(width) + ox) % side
        piece: NDArray[np.float32] = self.bank[np.ix_(rows, columns)]
        return piece

    def develop(self) -> Image.Image:
        """Finish the picture as a camera would: a soft lens, grain of the sensor and of all surfaces."""
        soft = self.image.filter(ImageFilter.GaussianBlur(0.14 / self.pixel_m))
        side = self.bank.shape[0]
        for top in range(0, self.side, STRIP_PX):
            box = (0, top, self.side, min(top + STRIP_PX, self.side))
            strip = np.asarray(soft.crop(box), dtype=np.float32)
            rows = (np.arange(box[1], box[3]) * 3) % side
            columns = (np.arange(self.side) * 3) % side
            coarse = self.bank[np.ix_(rows // 3, columns // 3)] * 4.0
            grain = self.rng.standard_normal(strip.shape[:2], dtype=np.float32) * 3.0
            soft.paste(
                Image.fromarray(np.clip(strip + (coarse + grain)[..., None], 0, 255).astype(np.uint8)), box
            )
        return soft


def _noise_bank(rng: np.random.Generator, side: int = 1536) -> NDArray[np.float32]:
    """Make noise with structure at scales from one pixel to hundreds, which tiles without a seam."""
    total: NDArray[np.float32] = np.zeros((side, side), dtype=np.float32)
    for scale, weight in ((1, 0.8), (3, 0.7), (12, 0.6), (64, 0.7), (256, 0.5)):
        small = rng.standard_normal((side // scale, side // scale), dtype=np.float32)
        large = np.asarray(Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC))
        total += weight * large / large.std()
    total /= total.std()
    return total


def box_points(centre: Sequence[float] | Floats, along: Floats, length_m: float, depth_m: float) -> Floats:
    """Corners of an oriented rectangle: `length_m` along a unit vector, `depth_m` across it."""
    across = np.array([-along[1], along[0]])
    a, c = along * length_m / 2, across * depth_m / 2
    centre = np.asarray(centre)
    return np.array([centre - a - c, centre + a - c, centre + a + c, centre - a + c])
