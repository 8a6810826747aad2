"""What sees pieces of ground: a lattice of chips in the city's CRS, and the encoder's maps of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.config import Imagery, Tiles
from geo.config.sections.ground import Ground
from geo.features.dense import Lattice
from geo.features.encoder import EncoderCard, Pixels
from geo.features.encoders.kind import ModelKind
from geo.features.encoders.raster import Raster
from geo.features.lengths import of_length_1
from geo.ground.contract import Features
from geo.ground.kind import GroundKind
from geo.imagery.reading.reader import TileImage

if TYPE_CHECKING:
    from geo.config import EncoderSettings
    from geo.features.runtime import Runtime
    from geo.ground.maps.strides import StrideMaps

FINEST_M, COARSEST_M = 0.25, 0.5
"""Imagery is brought to pixels between these (metres): networks of photographs tell aerial scenes apart best so."""
MOST_PER_CELL = 64
CHIP_PX = 448
"""Side of a chip without its rim (pixels), a multiple of `MOST_PER_CELL`."""
GRAIN_PX = 32
"""Sides of images are multiples of the largest stride."""
RIM_STRIDES = 2
"""A chip is seen with so many cells of its coarsest map about it."""


def pixels_per_cell(settings: Ground, finest_m: float) -> int:
    """Tell how many pixels a cell has along each side: a power of two, so that cells fill every chip.

    Parameters
    ----------
    settings
        The section ``ground``: ``cell_m`` and ``pixel_m``.
    finest_m
        Ground that a pixel of the finest raster shows (metres).

    Examples
    --------
    >>> pixels_per_cell(Ground(), 0.1), pixels_per_cell(Ground(), 0.3), pixels_per_cell(Ground(), 1.0)
    (8, 8, 4)
    """
    asked = settings.pixel_m or min(max(finest_m, FINEST_M), COARSEST_M)
    steps = round(math.log2(max(settings.cell_m / asked, 1.0)))
    return int(min(2**steps, MOST_PER_CELL))


def lattice_of(settings: Ground, finest_m: float) -> Lattice:
    """Lay out the chips of a city; parameters as of `pixels_per_cell`."""
    per_cell = pixels_per_cell(settings, finest_m)
    rim_px = max(RIM_STRIDES * max(settings.strides), GRAIN_PX, per_cell)
    return Lattice(cell_m=settings.cell_m, cells=CHIP_PX // per_cell, rim=rim_px // per_cell)


def chips_of(settings: Ground, finest_m: float) -> tuple[Lattice, int]:
    """Lay out the chips of a city as its way wants them, with pixels of a cell; parameters as of `pixels_per_cell`."""
    pixel_m = settings.pixel_m or min(max(finest_m, FINEST_M), COARSEST_M)
    own = settings.chips(pixel_m) if isinstance(settings, GroundKind) else None
    return own or (lattice_of(settings, finest_m), pixels_per_cell(settings, finest_m))


class Sight:
    """Sees chips of ground; for any number of threads, one of which encodes at a time.

    Parameters
    ----------
    lattice
        The chips.
    card
        What is known of the encoder.
    per_cell
        Pixels of a cell along each side.
    maps
        The encoder's maps; None: chips are seen as pictures alone.
    runtime
        What executes them.
    turns
        Quarter turns that features are averaged over.

    Attributes
    ----------
    side
        Side of a chip with its rim (pixels).
    pixel_m
        Ground that a pixel shows (metres).
    """

    def __init__(
        self,
        lattice: Lattice,
        card: EncoderCard,
        per_cell: int,
        *,
        maps: StrideMaps | None = None,
        runtime: Runtime | None = None,
        turns: int = 1,
    ) -> None:
        self.lattice = lattice
        self.card = card
        self.per_cell = per_cell
        self.side = (lattice.cells + 2 * lattice.rim) * per_cell
        self.pixel_m = lattice.cell_m / per_cell
        self.strides = () if maps is None else maps.strides
        self.widths = () if maps is None else maps.widths
        self._runtime = runtime
        self._turns = turns

    @property
    def dimension(self) -> int:
        """How many features a cell has."""
        return sum(self.widths)

    @property
    def runtime(self) -> str:
        """What executes the encoder, for the run's record; empty: it is not asked."""
        return "" if self._runtime is None else self._runtime.name

    def tiles(self, *, upright: bool) -> Tiles:
        """Describe chips as tiles; see `geo.features.embed.chip_shape`."""
        return Tiles(tile_m=self.lattice.shown_m, pixel_m=self.pixel_m, align="north" if upright else "road")

    def fit(self, chip: TileImage) -> TileImage:
        """Bring a chip that was read to ``side`` x ``side`` pixels; 0 where it has no data."""
        from geo.features.model import resize

        if chip.pixels.shape[1:] == (self.side, self.side):
            return chip
        valid = np.ones((self.side, self.side), dtype=np.bool_)
        if not chip.valid.all():
            valid = resize(chip.valid[None].astype(np.uint8) * 255, self.side)[0] >= 128
        return replace(chip, pixels=resize(chip.pixels, self.side), valid=valid)

    def features(self, chips: list[TileImage]) -> Features:
        """Map chips: ``(chips, cells, cells, dimension)``, without their rims."""
        cells = self.lattice.cells
        if self._runtime is None:
            return np.zeros((len(chips), cells, cells, 0), dtype=np.float32)
        from geo.features.model import fill_gaps, quarter_turns

        images: Pixels = np.stack([fill_gaps(one.pixels, one.valid, self.card) for one in chips])
        if self._turns == 1:
            return np.ascontiguousarray(np.moveaxis(self._runtime.embed(images), 1, -1))
        turned = quarter_turns(images, self._turns)
        mean: NDArray[np.float32] = np.zeros((len(chips), self.dimension, cells, cells), dtype=np.float32)
        for turn in range(self._turns):
            found = self._runtime.embed(np.ascontiguousarray(turned[:, turn]))
            mean += np.rot90(found, -turn, (2, 3)) / np.float32(self._turns)
        ends = np.cumsum(self.widths)[:-1]
        parts = [of_length_1(part) for part in np.split(np.moveaxis(mean, 1, -1), ends, axis=-1)]
        return np.concatenate(parts, axis=-1)


def _of_pictures(bands: Sequence[int]) -> EncoderCard:
    """Describe imagery that no encoder sees: 8 bit, as it is."""
    names = tuple(f"band {band}" for band in bands)
    grey = (0.0,) * len(names)
    return EncoderCard("picture", 0, None, None, names, (0.0, 255.0), grey, (1.0,) * len(names), "", "")


def load_sight(
    settings: Ground, encoder: EncoderSettings, imagery: Imagery, *, finest_m: float, encodes: bool = True
) -> Sight:
    """Load what sees the ground of a city.

    Parameters
    ----------
    settings, encoder, imagery
        The sections ``ground``, ``encoder`` and ``imagery`` of the city's file.
    finest_m
        Ground that a pixel of the finest raster shows (metres).
    encodes
        Whether features are asked for, or the picture alone.

    Raises
    ------
    EncoderError
        When the encoder shows no maps, or cannot be loaded.
    """
    return sight_of(settings, encoder, imagery.seen, finest_m=finest_m, encodes=encodes)


def sight_of(
    settings: Ground, encoder: EncoderSettings, bands: Sequence[int], *, finest_m: float, encodes: bool
) -> Sight:
    """Load what sees the ground by imagery of some bands; see `load_sight`."""
    lattice, per_cell = chips_of(settings, finest_m)
    if not encodes:
        return Sight(lattice, _of_pictures(bands), per_cell)
    from geo.features.encoder import check_bands
    from geo.features.model import Normalised, trial_images
    from geo.features.runtime import choose_runtime
    from geo.ground.maps.strides import Frame, StrideMaps, no_maps

    if isinstance(encoder, Raster):
        raise no_maps(encoder.name, "it reads no imagery")
    if not isinstance(encoder, ModelKind):
        raise no_maps(encoder.name, "it is no network")
    side = (lattice.cells + 2 * lattice.rim) * per_cell
    plain = {"stages": None, "pooling": "model"}
    kept = {key: value for key, value in plain.items() if key in type(encoder).model_fields}
    model, card = encoder.model_copy(update=kept | {"input_px": None}).load_model()
    check_bands(card.name, card.bands, bands)
    frame = Frame(side, lattice.cells, lattice.rim)
    maps = StrideMaps(model, frame, settings.strides, len(card.bands), card.name).eval()
    runtime = choose_runtime(Normalised(maps, card), trial_images(card, side), encoder)
    return Sight(lattice, card, per_cell, maps=maps, runtime=runtime, turns=settings.rotations)
