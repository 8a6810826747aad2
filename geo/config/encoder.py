"""The section of a city's file that says what turns a tile into an embedding."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geo.config.section import NO_EFFECT, Section


class Encoder(Section):
    """What turns a tile into an embedding."""

    name: str = Field(
        default="bundled",
        description="bundled, bands, torchgeo:NAME, timm:NAME, torchvision:NAME or file:PATH.",
    )
    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], NO_EFFECT] = Field(
        default="auto", description="Where it runs."
    )
    runtime: Literal["auto", "openvino", "torch"] = Field(
        default="auto",
        description="What executes the network; auto: OpenVINO on a processor, torch on a graphics card.",
    )
    input_px: Annotated[int, Field(ge=32, le=1024)] | None = Field(
        default=None, description="Side of the encoder's input (pixels); default: the encoder's own rule."
    )
    rotations: Literal[1, 4] = Field(
        default=4, description="Embeddings are averaged over this many quarter turns of a tile."
    )
    batch_size: Annotated[int, Field(ge=1, le=4096), NO_EFFECT] = Field(
        default=32, description="Tiles read and encoded at a time."
    )
    architecture: str | None = Field(
        default=None, description="For file: the timm architecture that the state dict belongs to."
    )
    mean: tuple[float, ...] | None = Field(
        default=None, description="For file: mean of each band, of 0 to 255."
    )
    std: tuple[float, ...] | None = Field(
        default=None, description="For file: deviation of each band, of 0 to 255."
    )
