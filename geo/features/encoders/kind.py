"""What every kind of encoder is: a section of a city's file that knows how to load what it names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator

from geo.config.encoder import EncoderSettings
from geo.config.imagery import Tiles
from geo.features.encoder import Encoder, EncoderCard, check_bands

if TYPE_CHECKING:
    import torch

    from geo.features.dense import Mapper

    Loaded = tuple[torch.nn.Module, EncoderCard]


class EncoderKind(EncoderSettings, ABC):
    """A kind of encoder; a subclass a module, listed in `geo.features.registry`.

    Attributes
    ----------
    tag, form
        How ``encoder.name`` is told to mean this kind (`geo.config.kinds.Kind`).
    turns
        Whether it sees each tile turned by quarters, so that ``encoder.keep_turns`` can be asked of it.
    """

    tag: ClassVar[str]
    form: ClassVar[str]
    turns: ClassVar[bool] = False

    @model_validator(mode="after")
    def _can_keep_turns(self) -> Self:
        if self.keep_turns and not self.turns:
            raise ValueError(f"keep_turns: {self.form} sees no turned images, so there are none to keep")
        return self

    def needs(self) -> tuple[str, ...] | None:
        """Say which bands it takes, in order, as far as it knows without being loaded; None: that is seen then."""
        return None

    def check_bands(self, bands: Sequence[int]) -> None:
        """See `EncoderSettings.check_bands`."""
        needed = self.needs()
        if needed is not None:
            check_bands(self.name, needed, bands)

    @abstractmethod
    def load(self, *, tile_m: float, bands: Sequence[int], pixel_m: float | None = None) -> Encoder:
        """Load what encodes single tiles; see `geo.features.registry.load_encoder`."""

    @abstractmethod
    def load_mapper(self, tiles: Tiles, *, bands: Sequence[int], pixel_m: float | None = None) -> Mapper:
        """Load what maps imagery; see `geo.features.registry.load_mapper`."""


class ModelKind(EncoderKind):
    """An encoder that is a model of torch.

    Torch and the libraries of models take seconds to import; a rerun that encodes nothing, and whoever reads a city's
    file, do without them. A module of such a kind therefore imports them where it loads.
    """

    turns: ClassVar[bool] = True

    def look_up_bands(self) -> tuple[str, ...] | None:
        """Look up which bands the model takes before it is fetched and loaded; None: that is seen then."""
        return self.needs()

    @abstractmethod
    def load_model(self) -> Loaded:
        """Load the model, and say what is known of it.

        Raises
        ------
        EncoderError
            Naming what is wrong, and an encoder that works without downloads.
        """

    def load(self, *, tile_m: float, bands: Sequence[int], pixel_m: float | None = None) -> Encoder:
        """See `EncoderKind.load`."""
        from geo.features.model import ModelEncoder

        module, card = self._for(bands)
        return ModelEncoder(module, card, self, tile_m=tile_m, pixel_m=pixel_m)

    def load_mapper(self, tiles: Tiles, *, bands: Sequence[int], pixel_m: float | None = None) -> Mapper:
        """See `EncoderKind.load_mapper`."""
        from geo.features.mapper import ModelMapper

        module, card = self._for(bands)
        return ModelMapper(module, card, self, tiles, pixel_m=pixel_m)

    def _for(self, bands: Sequence[int]) -> Loaded:
        """Load the model, unless it takes other bands than there are."""
        needed = self.look_up_bands()
        if needed is not None:
            check_bands(self.name, needed, bands)
        module, card = self.load_model()
        check_bands(self.name, card.bands, bands)
        return module, card
