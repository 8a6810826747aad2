"""Pretrained models of torchvision."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from geo.errors import EncoderError, meant
from geo.features.encoder import RGB, EncoderCard
from geo.features.encoders.kind import ModelKind

if TYPE_CHECKING:
    from geo.features.encoders.kind import Loaded


class Torchvision(ModelKind):
    """A pretrained model of torchvision, its classifier cut off."""

    tag: ClassVar[str] = "torchvision"
    form: ClassVar[str] = "torchvision:NAME"

    name: str = Field(
        pattern="^torchvision:.",
        description="torchvision:NAME, of a model (resnet18) or of its weights (ResNet18_Weights.IMAGENET1K_V1).",
    )

    def load_model(self) -> Loaded:
        """Load the model; see `ModelKind.load_model`."""
        from torchvision import models

        from geo.features.encoders.hub import builder_of, fetch_url, measure, without_head

        name = self.name.partition(":")[2]
        try:
            weights = models.get_weight(name) if "." in name else models.get_model_weights(name).DEFAULT
        except (ValueError, AttributeError) as error:
            raise EncoderError(
                f"torchvision knows no weights of that name{meant(name, models.list_models())}",
                where=f"encoder {self.name}",
                todo='List the names: python -c "import torchvision; print(torchvision.models.list_models())"',
            ) from error
        builder = (
            name if "." not in name else builder_of(weights, models.list_models(), models.get_model_weights)
        )
        fetch_url(self.name, weights.url)
        model = without_head(models.get_model(builder, weights=weights, progress=False), self.name)
        preset = weights.transforms()
        side = int(preset.crop_size[0])
        card = EncoderCard(
            name=self.name,
            dimension=measure(model, len(RGB), side, self.name),
            input_px=side,
            pixel_m=None,
            bands=RGB,
            value_range=(0.0, 1.0),
            mean=tuple(preset.mean),
            std=tuple(preset.std),
            licence="BSD-3-Clause (torchvision); terms of the training data apply",
            source=f"torchvision {weights}",
        )
        return model, card
