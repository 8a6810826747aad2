"""Models of torchgeo, trained on imagery of the earth from above."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from geo.errors import EncoderError
from geo.features.encoder import EIGHT_BIT_STD, RGB, EncoderCard, name_bands
from geo.features.encoders.kind import ModelKind

if TYPE_CHECKING:
    import torch

    from geo.features.encoder import Encoder
    from geo.features.encoders.bandnames import Band
    from geo.features.encoders.kind import Loaded

SENTINEL2_WHITE = 3558.0
"""Digital number (reflectance x 10,000) that 255 of an 8-bit Sentinel-2 true-colour image stands for (ESA,
Sentinel-2 Products Specification Document, TCI)."""
Nanometres = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]


class Torchgeo(ModelKind):
    """Weights of torchgeo.

    Those of red, green and blue get 8-bit imagery, those trained on Sentinel-2 digital numbers brought to their range
    (`SENTINEL2_WHITE`). Weights of other bands get the rasters' own values. Networks that take any bands (DOFA,
    Copernicus-FM, Panopticon) are told the wavelength of each, and how imagery is normalised.
    """

    tag: ClassVar[str] = "torchgeo"
    form: ClassVar[str] = "torchgeo:NAME"

    name: str = Field(
        pattern="^torchgeo:.",
        description="torchgeo:NAME, of weights, such as torchgeo:ResNet50_Weights.SENTINEL2_RGB_MOCO or, of any bands, "
        "torchgeo:DOFABase16_Weights.DOFA_MAE.",
    )
    bands: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="Of a network that takes any bands, what those of imagery.bands are, by names whose wavelengths "
        "are known: red, green, blue, nir, sentinel2:B8A, landsat8:B5.",
    )
    wavelengths: tuple[Nanometres, ...] | None = Field(
        default=None,
        min_length=1,
        description="In place of bands: the middle wavelength of each (nanometres).",
    )
    bandwidths: tuple[Nanometres, ...] | None = Field(
        default=None,
        min_length=1,
        description="With wavelengths, how much each band sees (nanometres); Copernicus-FM asks for it.",
    )
    values: Literal["8bit", "raster"] | None = Field(
        default=None,
        description="Where the weights state no normalisation, what mean and std are of: imagery of 0 to 255, or the "
        "rasters' own values.",
    )
    mean: tuple[float, ...] | None = Field(
        default=None, min_length=1, description="Where the weights state none, the mean of each band."
    )
    std: tuple[float, ...] | None = Field(
        default=None, min_length=1, description="Where the weights state none, the deviation of each band."
    )

    @model_validator(mode="after")
    def _of_one_length(self) -> Self:
        if self.bands is not None and self.wavelengths is not None:
            raise ValueError("give bands or wavelengths, not both")
        if self.bandwidths is not None and self.wavelengths is None:
            raise ValueError("bandwidths go with wavelengths; those of bands that are named are known")
        stated = {"values": self.values, "mean": self.mean, "std": self.std}
        missing = [key for key, value in stated.items() if value is None]
        if missing and len(missing) < len(stated):
            raise ValueError(f"values, mean and std belong together: {' and '.join(missing)} are missing")
        lists = {key: getattr(self, key) for key in ("bands", "wavelengths", "bandwidths", "mean", "std")}
        lengths = {key: len(one) for key, one in lists.items() if one is not None}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{key} {length}" for key, length in lengths.items())
            raise ValueError(f"one figure for each band is expected in all of them, found {found}")
        if self.bands is not None:
            from geo.features.encoders.bandnames import known_bands

            known_bands(self.bands)
        return self

    def needs(self) -> tuple[str, ...] | None:
        """See `EncoderKind.needs`."""
        if self.wavelengths is not None:
            if self.bandwidths is None:
                return tuple(f"{one:g} nm" for one in self.wavelengths)
            both = zip(self.wavelengths, self.bandwidths, strict=True)
            return tuple(f"{one:g} nm, {width:g} wide" for one, width in both)
        return self.bands

    def look_up_bands(self) -> tuple[str, ...]:
        """See `ModelKind.look_up_bands`."""
        from geo.features.encoders.bandnames import CROMA_BANDS
        from geo.features.encoders.spectral import spectral_of

        weights = self._weights()
        spectral, told = spectral_of(self._enum), self.needs()
        if spectral == "CROMA":
            told = CROMA_BANDS if told is None else told
            if told != CROMA_BANDS:
                raise self._refusal(
                    "it takes twelve bands of Sentinel-2, in their order", "Leave encoder.bands out."
                )
        elif spectral is not None and told is None:
            raise self._refusal(
                "it takes any bands, and must be told their wavelengths",
                "Set encoder.bands to their names, such as [red, green, blue, nir], or encoder.wavelengths.",
            )
        if spectral is not None:
            return told or ()
        if told is not None:
            raise self._refusal(
                "its bands are known",
                "Leave encoder.bands and encoder.wavelengths out; imagery.bands lists them.",
            )
        count = weights.meta.get("in_chans")
        if not isinstance(count, int):
            raise self._refusal(
                "torchgeo does not say how many bands it takes",
                "Choose weights of a ResNet, Swin or ViT, of DOFA, Copernicus-FM or Panopticon.",
            )
        return tuple(weights.meta.get("bands") or name_bands(count))

    def load(self, *, tile_m: float, bands: Sequence[int], pixel_m: float | None = None) -> Encoder:
        """See `EncoderKind.load`; Scale-MAE is told how much ground a pixel of its input shows."""
        module, card = self._for(bands)
        told: Any = module
        if hasattr(told, "res"):
            if self.centre_crop:
                raise self._refusal(
                    "it is told one resolution, and the middle of a tile has another",
                    "Leave encoder.centre_crop out.",
                )
            told.res = tile_m / card.input_side(tile_m, asked_px=self.input_px, pixel_m=pixel_m)
        from geo.features.model import ModelEncoder

        return ModelEncoder(module, card, self, tile_m=tile_m, pixel_m=pixel_m)

    def load_model(self) -> Loaded:
        """Load the model; see `ModelKind.load_model`."""
        from geo.features.encoders.hub import crop_side, fetch_url, measure
        from geo.features.encoders.spectral import SPECTRAL, spectral_of
        from geo.features.encoders.tokens import fit_side

        weights, bands = self._weights(), self.look_up_bands()
        mean, std, value_range = self._normalisation(weights, len(bands))
        fetch_url(self.name, weights.url)
        spectral = spectral_of(self._enum)
        model = self._plain(weights) if spectral is None else self._told(weights, spectral)
        native = (crop_side(weights.transforms) or 224) if spectral is None else SPECTRAL[spectral][2]
        side = self.input_px or native
        fit_side(getattr(model, "model", model), side, self.name)
        card = EncoderCard(
            name=self.name,
            dimension=measure(model, len(bands), side, self.name),
            input_px=side,
            pixel_m=10.0 if "SENTINEL2" in self.name else None,
            bands=bands,
            value_range=value_range,
            mean=mean,
            std=std,
            licence=f"see {weights.meta.get('repo', 'the publication')}",
            source=f"torchgeo {self._enum}, trained on {weights.meta.get('dataset', 'data that it does not name')}",
        )
        return model, card

    def _normalisation(
        self,
        weights: Any,  # noqa: ANN401 - an enum of torchgeo
        bands: int,
    ) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, float] | None]:
        """Find mean, deviation and range of the input, in the weights or where they state none in the settings."""
        from geo.features.encoders.hub import compose_normalisation, states_normalisation

        if states_normalisation(weights.transforms):
            if self.mean is not None:
                raise self._refusal(
                    "its weights state how imagery is normalised", "Leave encoder.mean, std and values out."
                )
            mean, std = compose_normalisation(weights.transforms, self.name, bands)
            white = SENTINEL2_WHITE if max(std) > EIGHT_BIT_STD else 255.0
            return mean, std, (0.0, white) if bands == len(RGB) else None
        if self.mean is None or self.std is None:
            raise self._refusal(
                "its weights state no normalisation of the input",
                "Set encoder.values, mean and std, a figure for each band: those of its training, or of the imagery.",
            )
        if len(self.mean) != bands:
            raise self._refusal(
                f"it takes {bands} bands, and encoder.mean has {len(self.mean)} figures",
                "Give one for each band.",
            )
        return self.mean, self.std, None if self.values == "raster" else (0.0, 255.0)

    def _plain(self, weights: Any) -> torch.nn.Module:  # noqa: ANN401 - as above
        """Load a model that takes an image and nothing else."""
        from torchgeo import models

        from geo.features.encoders.hub import builder_of, without_head

        builder = builder_of(weights, models.list_models(), models.get_model_weights)
        options = {} if builder.startswith("swin") else {"num_classes": 0}
        model = models.get_model(builder, weights=weights, **options)
        return without_head(model, self.name) if builder.startswith("swin") else model

    def _told(self, weights: Any, spectral: str) -> torch.nn.Module:  # noqa: ANN401 - as above
        """Load a network of any bands, and tell it which it will see."""
        from torchgeo import models

        from geo.features.encoders.hub import builder_of
        from geo.features.encoders.spectral import SPECTRAL

        builder = builder_of(weights, models.list_models(), models.get_model_weights)
        how, options, _ = SPECTRAL[spectral]
        return how(models.get_model(builder, weights=weights, **options), self._bands(spectral))

    def _bands(self, spectral: str) -> list[Band]:
        """Give the wavelength and the width of each band (nanometres)."""
        from geo.features.encoders.bandnames import CROMA_BANDS, known_bands

        if self.wavelengths is None:
            return known_bands(self.bands or CROMA_BANDS)
        if spectral == "CopernicusFM" and self.bandwidths is None:
            raise self._refusal(
                "it asks how much each band sees",
                "Set encoder.bandwidths (nanometres) beside encoder.wavelengths.",
            )
        widths = self.bandwidths or (0.0,) * len(self.wavelengths)
        return list(zip(self.wavelengths, widths, strict=True))

    def _refusal(self, what: str, todo: str) -> EncoderError:
        return EncoderError(what, where=f"encoder {self.name}", todo=todo)

    @property
    def _enum(self) -> str:
        return self.name.partition(":")[2]

    def _weights(self) -> Any:  # noqa: ANN401
        """Find what torchgeo knows of the weights."""
        from torchgeo import models

        try:
            return models.get_weight(self._enum)
        except (ValueError, KeyError, AttributeError) as error:
            raise self._refusal(
                "torchgeo knows no weights of that name",
                "Use an enum name such as ResNet50_Weights.SENTINEL2_RGB_MOCO, or of aerial imagery "
                "Swin_V2_B_Weights.NAIP_RGB_MI_SATLAS.",
            ) from error
