"""Pretrained models of timm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field

from geo.errors import EncoderError, meant
from geo.features.encoder import EncoderCard, name_bands
from geo.features.encoders.kind import TimmKind

if TYPE_CHECKING:
    from geo.features.encoders.kind import Loaded


class Timm(TimmKind):
    """A pretrained model of timm, its classifier cut off."""

    tag: ClassVar[str] = "timm"
    form: ClassVar[str] = "timm:NAME"

    name: str = Field(
        pattern="^timm:.",
        description="timm:NAME, such as timm:resnet18.a1_in1k or timm:vit_small_patch16_dinov3.lvd1689m.",
    )

    def files(self) -> list[str]:
        """Name the file that is taken in place of what would be fetched, where there is one."""
        place = own_file(self.name.partition(":")[2])
        return [str(place)] if place.is_file() else []

    def load_model(self) -> Loaded:
        """Load the model; see `ModelKind.load_model`.

        A ``.safetensors`` file of its name beside torch's own checkpoints is taken before anything is fetched.
        """
        import timm

        from geo.features.encoders.hub import fetch, unavailable

        name = self.name.partition(":")[2]
        config = _config(name)
        place = own_file(name)
        overlay = {"file": str(place)} if place.is_file() else {}
        model = fetch(
            lambda: timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, num_classes=0),
            lambda cause: unavailable(
                self.name, f"model.safetensors of {config.hf_hub_id}", str(place), cause
            ),
            host=None if overlay else hub_host(),
        )
        bands = name_bands(int(config.input_size[0]))
        model, side, length = self.made_of(model, len(bands), int(config.input_size[-1]))
        card = EncoderCard(
            name=self.name,
            dimension=length,
            input_px=side,
            pixel_m=None,
            bands=bands,
            value_range=(0.0, 1.0),
            mean=tuple(config.mean),
            std=tuple(config.std),
            licence=config.license or "not stated by timm",
            source=f"timm {name} ({config.hf_hub_id}){self.staged()}",
        )
        return model, card


def own_file(name: str) -> Path:
    """Name the file with the weights of a model that is taken before anything is fetched."""
    from geo.features.encoders.hub import checkpoints

    return checkpoints() / f"{name}.safetensors"


def _config(name: str) -> Any:  # noqa: ANN401
    """Look up what timm knows of a model: normalisation, licence, where its weights are."""
    import timm

    try:
        config = timm.get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError:
        config = None
    if config is None or not config.hf_hub_id:
        raise EncoderError(
            f"timm knows no pretrained model of that name{meant(name, timm.list_models(pretrained=True))}",
            where=f"encoder timm:{name}",
            todo='List the names: python -c "import timm; print(timm.list_models(pretrained=True))"',
        )
    return config


def hub_host() -> str:
    """Name of the model hub that timm fetches from."""
    from huggingface_hub import constants

    return urlsplit(constants.ENDPOINT).hostname or ""
