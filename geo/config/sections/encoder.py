"""The section of a city's file that says what turns a tile into an embedding: what all kinds of encoders are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geo.config.section import NO_EFFECT, Section
from geo.config.sections.elsewhere import Beside


class EncoderSettings(Section):
    """What turns a tile into an embedding."""

    name: str = Field(
        default="bundled",
        description="Which encoder: bundled, or as one of the kinds below is written.",
    )
    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], NO_EFFECT] = Field(
        default="auto", description="Where it runs."
    )
    runtime: Literal["auto", "openvino", "torch"] = Field(
        default="auto",
        description="What executes the model; auto: OpenVINO on a processor, torch on a graphics card.",
    )
    input_px: Annotated[int, Field(ge=32, le=1024)] | None = Field(
        default=None, description="Side of the encoder's input (pixels); default: the encoder's own rule."
    )
    rotations: Literal[1, 4] = Field(
        default=4, description="Embeddings are averaged over this many quarter turns of a tile."
    )
    keep_turns: bool = Field(
        default=False,
        description="Whether the embedding of each quarter turn is kept beside their mean, which "
        "clusters.turn_whitening needs; files of embeddings become three times as large.",
    )
    batch_size: Annotated[int, Field(ge=1, le=4096), NO_EFFECT] = Field(
        default=32, description="Tiles read and encoded at a time."
    )
    beside: Beside | None = Field(
        default=None,
        description="Embeddings that others have computed, joined to the encoder's own; a road that lacks either has "
        "no type.",
    )

    @model_validator(mode="after")
    def _turned(self) -> Self:
        if self.keep_turns and self.rotations == 1:
            raise ValueError("keep_turns needs rotations: 4; of one turn there is nothing to keep apart")
        return self

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.beside is not None and self.keep_turns:
            raise ValueError(
                "keep_turns is of imagery alone, and beside joins what does not turn: leave one out"
            )
        return self

    def files(self) -> list[str]:
        """Name the local files that it is loaded from, which are inputs of a run."""
        return []

    def with_paths(self, resolve: Callable[[str], str]) -> Self:  # noqa: ARG002 - most kinds name no file
        """Bring the paths of files to what `resolve` makes of them."""
        return self

    def check_bands(self, bands: Sequence[int]) -> None:
        """Refuse ``imagery.bands`` that the encoder is known not to take, before anything of it is loaded.

        Raises
        ------
        EncoderError
            Naming what it needs and what there is.
        """
