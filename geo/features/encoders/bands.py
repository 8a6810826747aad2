"""Band statistics in place of a model: the baseline by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, NoReturn

from pydantic import Field

from geo.config.sections.imagery import Tiles
from geo.features.bands import BandStatistics
from geo.features.encoders.kind import EncoderKind

if TYPE_CHECKING:
    from geo.features.encoder import Encoder


class Bands(EncoderKind):
    """Mean, deviation and percentiles of each band, of any number of bands."""

    tag: ClassVar[str] = "bands"
    form: ClassVar[str] = "bands"

    name: Literal["bands"] = Field(description="bands.")

    def load(self, *, tile_m: float, bands: Sequence[int], pixel_m: float | None = None) -> Encoder:  # noqa: ARG002 - of tiles of any size
        """See `EncoderKind.load`."""
        return BandStatistics.of(bands)

    def load_mapper(self, tiles: Tiles, *, bands: Sequence[int], pixel_m: float | None = None) -> NoReturn:  # noqa: ARG002
        """Refuse: there is no map; see `EncoderKind.load_mapper`."""
        from geo.features.dense import no_map

        raise no_map("bands", "it is computed from the pixels of a tile")
