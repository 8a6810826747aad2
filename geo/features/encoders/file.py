"""A model of one's own: a file of weights, with what the file does not say in the city's configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from geo.errors import EncoderError, meant_file
from geo.features.encoder import EncoderCard, name_bands
from geo.features.encoders.kind import TimmKind

if TYPE_CHECKING:
    import torch

    from geo.features.encoders.kind import Loaded


class WeightsFile(TimmKind):
    """A local state dict (``.safetensors``, or ``.pt``/``.pth`` without code) of an architecture of timm.

    Such a file says neither what model it belongs to nor how its input was normalised.
    """

    tag: ClassVar[str] = "file"
    form: ClassVar[str] = "file:PATH"

    name: str = Field(pattern="^file:.", description="file:PATH.")
    architecture: str = Field(
        min_length=1, description="The timm architecture that the state dict belongs to, such as resnet18."
    )
    bands: tuple[str, ...] | None = Field(
        default=None,
        description="What its bands are, in their order; default: as many as mean has figures, three of them red, "
        "green and blue, a fourth near-infrared (nir).",
    )
    values: Literal["8bit", "raster"] = Field(
        default="8bit",
        description="What it was trained on, and mean and std are of: imagery of 0 to 255 (to which imagery.scale "
        "brings other rasters), or the rasters' own values, such as reflectance.",
    )
    mean: tuple[float, ...] = Field(min_length=1, description="Mean of each band.")
    std: tuple[float, ...] = Field(min_length=1, description="Deviation of each band.")

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        needed = self.needs()
        for key, figures in (("mean", self.mean), ("std", self.std)):
            if len(figures) != len(needed):
                raise ValueError(f"{key} has {len(figures)} figures for the bands {', '.join(needed)}")
        return self

    def needs(self) -> tuple[str, ...]:
        """See `EncoderKind.needs`."""
        return self.bands or name_bands(len(self.mean))

    def files(self) -> list[str]:
        """See `EncoderSettings.files`."""
        return [str(self._path)]

    def with_paths(self, resolve: Callable[[str], str]) -> Self:
        """See `EncoderSettings.with_paths`."""
        return self.model_copy(update={"name": f"file:{resolve(str(self._path))}"})

    @property
    def _path(self) -> Path:
        return Path(self.name.partition(":")[2])

    def load_model(self) -> Loaded:
        """Load the model; see `ModelKind.load_model`."""
        import timm

        model = self._filled()
        bands = self.needs()
        native = int(timm.data.resolve_model_data_config(model)["input_size"][-1])
        model, side, length = self.made_of(model, len(bands), native)
        card = EncoderCard(
            name=self.name,
            dimension=length,
            input_px=side,
            pixel_m=None,
            bands=bands,
            value_range=None if self.values == "raster" else (0.0, 255.0),
            mean=self.mean,
            std=self.std,
            licence="not stated: a local file",
            source=f"{self._path.name} as {self.architecture}{self.staged()}",
        )
        return model, card

    def _filled(self) -> torch.nn.Module:
        """Make the architecture, and fill all of it from the file."""
        from pickle import UnpicklingError

        import timm
        from safetensors import SafetensorError

        if not self._path.is_file():
            raise EncoderError(
                f"no such file{meant_file(self._path)}",
                where=f"encoder {self.name}",
                todo="Mend the path in encoder.name.",
            )
        options = {"pretrained": False, "num_classes": 0, "in_chans": len(self.needs())}
        try:
            model: torch.nn.Module = timm.create_model(self.architecture, **options)
            left_out, unknown = model.load_state_dict(_state(self._path), strict=False)
        except (
            OSError,
            RuntimeError,
            SafetensorError,
            UnpicklingError,
            ValueError,
            AttributeError,
            EOFError,
        ) as error:
            raise EncoderError(
                f"the weights cannot be loaded into {self.architecture!r} ({str(error).splitlines()[0]:.160})",
                where=f"encoder {self.name}",
                todo="Check encoder.architecture (a timm name) and that the file is a state dict of it.",
            ) from error
        if left_out:
            raise EncoderError(
                f"{len(left_out)} tensors of {self.architecture} are not in the file, {left_out[0]} among them "
                f"({len(unknown)} others in it were not used)",
                where=f"encoder {self.name}",
                todo="Check encoder.architecture: a model that is half random gives meaningless embeddings.",
            )
        return model


def _state(path: Path) -> dict[str, Any]:
    """Read a state dict; code in it is not run."""
    import torch
    from safetensors.torch import load_file

    safe = path.suffix == ".safetensors"
    state: dict[str, Any] = (
        dict(load_file(path)) if safe else torch.load(path, map_location="cpu", weights_only=True)
    )
    found: dict[str, Any] = state.get("state_dict", state)
    return found
