"""Models of torchgeo, trained on imagery of the earth from above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from geo.errors import EncoderError
from geo.features.encoder import EIGHT_BIT_STD, RGB, EncoderCard, name_bands
from geo.features.encoders.kind import ModelKind

if TYPE_CHECKING:
    from geo.features.encoders.kind import Loaded

SENTINEL2_WHITE = 3558.0
"""Digital number (reflectance x 10,000) that 255 of an 8-bit Sentinel-2 true-colour image stands for (ESA,
Sentinel-2 Products Specification Document, TCI)."""


class Torchgeo(ModelKind):
    """Weights of torchgeo.

    Those of red, green and blue get 8-bit imagery, those trained on Sentinel-2 digital numbers brought to their range
    (`SENTINEL2_WHITE`). Weights of other bands get the rasters' own values.
    """

    tag: ClassVar[str] = "torchgeo"
    form: ClassVar[str] = "torchgeo:NAME"

    name: str = Field(
        pattern="^torchgeo:.",
        description="torchgeo:NAME, of weights, such as torchgeo:ResNet50_Weights.SENTINEL2_RGB_MOCO.",
    )

    def look_up_bands(self) -> tuple[str, ...]:
        """See `ModelKind.look_up_bands`."""
        meta = self._weights().meta
        count = meta.get("in_chans")
        if not isinstance(count, int):
            raise EncoderError(
                "torchgeo does not say how many bands it takes",
                where=f"encoder {self.name}",
                todo="Choose weights of a ResNet, Swin or ViT.",
            )
        return tuple(meta.get("bands") or name_bands(count))

    def load_model(self) -> Loaded:
        """Load the model; see `ModelKind.load_model`."""
        from torchgeo import models

        from geo.features.encoders.hub import (
            builder_of,
            compose_normalisation,
            crop_side,
            fetch_url,
            measure,
            without_head,
        )

        weights, bands = self._weights(), self.look_up_bands()
        mean, std = compose_normalisation(weights.transforms, self.name, len(bands))
        white = SENTINEL2_WHITE if max(std) > EIGHT_BIT_STD else 255.0
        fetch_url(self.name, weights.url)
        builder = builder_of(weights, models.list_models(), models.get_model_weights)
        options = {} if builder.startswith("swin") else {"num_classes": 0}
        model = models.get_model(builder, weights=weights, **options)
        model = without_head(model, self.name) if builder.startswith("swin") else model
        side = crop_side(weights.transforms) or 224
        card = EncoderCard(
            name=self.name,
            dimension=measure(model, len(bands), side),
            input_px=side,
            pixel_m=10.0 if "SENTINEL2" in self.name else None,
            bands=bands,
            value_range=(0.0, white) if len(bands) == len(RGB) else None,
            mean=mean,
            std=std,
            licence=f"see {weights.meta.get('repo', 'the publication')}",
            source=f"torchgeo {self._enum}, trained on {weights.meta.get('dataset', 'data that it does not name')}",
        )
        return model, card

    @property
    def _enum(self) -> str:
        return self.name.partition(":")[2]

    def _weights(self) -> Any:  # noqa: ANN401
        """Find what torchgeo knows of the weights."""
        from torchgeo import models

        try:
            return models.get_weight(self._enum)
        except (ValueError, KeyError, AttributeError) as error:
            raise EncoderError(
                "torchgeo knows no weights of that name",
                where=f"encoder {self.name}",
                todo="Use an enum name such as ResNet50_Weights.SENTINEL2_RGB_MOCO, or of aerial imagery "
                "Swin_V2_B_Weights.NAIP_RGB_MI_SATLAS.",
            ) from error
