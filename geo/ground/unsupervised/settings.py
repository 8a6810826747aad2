"""Classes of ground that are found without labels: groups of the encoder's features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from geo.ground.kind import GroundKind, Learned
from geo.ground.unsupervised.centroids import Centroids

if TYPE_CHECKING:
    from geo.ground.contract import Piece, Surroundings

FOUND, CLASSES = 24, 8


class Unsupervised(GroundKind):
    """Groups of features, merged to a few classes; nothing else is asked for."""

    tag: ClassVar[str] = "unsupervised"
    form: ClassVar[str] = "unsupervised"
    words: ClassVar[str] = "classes that were found without labels"
    classifier = Centroids

    method: Literal["unsupervised"] = Field(default="unsupervised", description="unsupervised.")
    clusters: Annotated[int, Field(ge=2, le=200)] = Field(
        default=FOUND, description="How many groups are found first (number)."
    )
    classes: Annotated[int, Field(ge=2, le=60)] = Field(
        default=CLASSES, description="How many classes these are merged to (number)."
    )

    def learn(self, pieces: Sequence[Piece], around: Surroundings) -> Learned:  # noqa: ARG002 - asks for no more
        """Find classes; see `GroundKind.learn`."""
        from geo.ground.unsupervised.finding import find_classes

        return find_classes(pieces, self)
