"""No map of the ground."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from geo.ground.contract import Piece, Surroundings
from geo.ground.kind import GroundKind, Learned


class Off(GroundKind):
    """The ground is not mapped, and nothing is spent on it."""

    tag: ClassVar[str] = "none"
    form: ClassVar[str] = "none"
    words: ClassVar[str] = "not at all"
    encodes: ClassVar[bool] = False

    method: Literal["none"] = Field(default="none", description="none.")

    def learn(self, pieces: Sequence[Piece], around: Surroundings) -> Learned:  # noqa: ARG002 - it learns nothing
        """Learn nothing."""
        return Learned(None)
