"""What every kind of encoder is: a section of a city's file that knows how to load what it names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from geo.config.sections.encoder import EncoderSettings
from geo.config.sections.imagery import Tiles
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

    centre_crop: bool = Field(
        default=False,
        description="Whether the middle of each tile, half as wide, is encoded as well and counts half as much as the "
        "whole; in tiles.mode: tile. Encoding takes a third longer, or twice as long where input_px is fixed.",
    )

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


class StagedKind(ModelKind):
    """An encoder that is a model whose stages can be taken in place of its output."""

    stages: tuple[Annotated[int, Field(ge=1, le=1000)], ...] | None = Field(
        default=None,
        min_length=1,
        description="Stages of the network that make the embedding, counted from 1 (of a transformer, its blocks): the "
        "mean of each one's map, several brought to length 1 and joined; bundled has 7, and [6, 7] are its last two. "
        "Default: the network's output, for bundled its last stage.",
    )

    @field_validator("stages")
    @classmethod
    def _once_each(cls, stages: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if stages is not None and list(stages) != sorted(set(stages)):
            raise ValueError(f"rising numbers are expected, each once, found {list(stages)}")
        return stages

    def staged(self) -> str:
        """Say which stages make the embedding, to be added to its source; empty: none were asked for."""
        if self.stages is None:
            return ""
        numbers = " and ".join(map(str, self.stages))
        return f", stage {numbers}" if len(self.stages) == 1 else f", stages {numbers} joined"


class TimmKind(StagedKind):
    """An encoder that is a model of an architecture of timm."""

    pooling: Literal["model", "class", "mean"] = Field(
        default="model",
        description="Which tokens of a transformer make the embedding: as timm pools them, the class token, or the "
        "mean of those of patches, without class and register tokens.",
    )

    @model_validator(mode="after")
    def _one_pooling(self) -> Self:
        if self.stages is not None and self.pooling == "class":
            raise ValueError("pooling: of stages the mean is taken; leave out pooling: class, or stages")
        return self

    def staged(self) -> str:
        """See `StagedKind.staged`; which tokens were pooled as well."""
        tokens = {"class": ", class token", "mean": ", mean of patches"}
        return super().staged() + tokens.get(self.pooling, "")

    def made_of(self, model: torch.nn.Module, bands: int, side: int) -> tuple[torch.nn.Module, int, int]:
        """Take of a model what the settings ask for.

        Parameters
        ----------
        model
            A model of timm with its weights, without its classifier.
        bands, side
            Of the images that it was made for.

        Returns
        -------
        The module, the side of its images (pixels) and the length of its embedding.

        Raises
        ------
        EncoderError
            When it does not have that, or takes no images of ``encoder.input_px``.
        """
        from geo.features.encoders.hub import measure
        from geo.features.encoders.stages import timm_stages
        from geo.features.encoders.tokens import fit_side, pool_tokens

        side = self.input_px or side
        fit_side(model, side, self.name)
        pool_tokens(model, self.pooling, self.name)
        length = measure(model, bands, side, self.name)
        if self.stages is not None:
            model = timm_stages(model, self.stages, self.name, bands, side)
            length = measure(model, bands, side, self.name)
        return model, side, length
