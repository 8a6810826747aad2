"""Embeddings that others have computed in place of an encoder: no imagery is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, NoReturn, Self

from pydantic import Field, model_validator

from geo.config.sections.elsewhere import Elsewhere
from geo.config.sections.imagery import Tiles
from geo.errors import EncoderError
from geo.features.encoders.kind import EncoderKind

if TYPE_CHECKING:
    from geo.features.encoder import Encoder


class Raster(Elsewhere, EncoderKind):
    """Embeddings that others have computed, pooled along each road's corridor, without any imagery."""

    tag: ClassVar[str] = "raster"
    form: ClassVar[str] = "raster"

    name: Literal["raster"] = Field(description="raster.")

    @model_validator(mode="after")
    def _alone(self) -> Self:
        if self.beside is not None:
            raise ValueError("beside joins embeddings of others to an encoder of imagery, and raster is none")
        return self

    def files(self) -> list[str]:
        """See `EncoderSettings.files`."""
        from geo.features.elsewhere.inputs import inputs_of

        return inputs_of(self.sources)

    def with_paths(self, resolve: Callable[[str], str]) -> Self:
        """See `EncoderSettings.with_paths`."""
        return self.located(resolve)

    def check_bands(self, bands: Sequence[int]) -> None:
        """Take whatever there is: no band is read."""

    def load(self, *, tile_m: float, bands: Sequence[int], pixel_m: float | None = None) -> Encoder:  # noqa: ARG002
        """Refuse: it encodes no tile by itself; see `EncoderKind.load`."""
        raise self._no_encoder()

    def load_mapper(self, tiles: Tiles, *, bands: Sequence[int], pixel_m: float | None = None) -> NoReturn:  # noqa: ARG002
        """Refuse: there is no map; see `EncoderKind.load_mapper`."""
        raise self._no_encoder()

    @staticmethod
    def _no_encoder() -> EncoderError:
        return EncoderError(
            "embeddings that others have computed encode no picture",
            where="encoder raster",
            todo="Pool them by geo.features.elsewhere.pool, or choose an encoder of imagery.",
        )
