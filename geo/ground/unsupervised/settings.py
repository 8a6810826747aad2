"""Classes of ground that are found without labels: groups of the encoder's features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from geo.config.section import Metres
from geo.config.sections.ground import Stride
from geo.ground.kind import GroundKind, Learned

if TYPE_CHECKING:
    from geo.ground.contract import Classifier, Piece, Surroundings

FOUND, CLASSES = 24, 8
STRIDES: tuple[Stride, ...] = (16, 32)
PROPOSAL_M = 12.0
ROTATIONS: Literal[1, 4] = 4


class Unsupervised(GroundKind):
    """Groups of features, merged to a few classes; nothing else is asked for."""

    tag: ClassVar[str] = "unsupervised"
    form: ClassVar[str] = "unsupervised"
    gives_way: ClassVar[bool] = True
    words: ClassVar[str] = "classes that were found without labels"
    finds: ClassVar[bool] = True

    method: Literal["unsupervised"] = Field(default="unsupervised", description="unsupervised.")
    clusters: Annotated[int, Field(ge=2, le=200)] = Field(
        default=FOUND, description="How many groups are found first (number)."
    )
    classes: Annotated[int, Field(ge=2, le=60)] = Field(
        default=CLASSES, description="How many classes these are merged to (number)."
    )
    prior: Literal["none", "superpixels", "contrast"] = Field(
        default="none",
        description="What groups make use of beside features: none; superpixels, in each of which scores are averaged, "
        "for areas with edges such as roofs; contrast, a head that is trained to tell superpixels apart.",
    )
    proposal_m: Metres = Field(
        default=PROPOSAL_M, ge=2, le=100, description="About how wide a superpixel is (metres)."
    )
    strides: tuple[Stride, ...] = Field(
        default=STRIDES,
        min_length=1,
        description="As of all methods; that of 16 counts twice as much as others.",
    )
    rotations: Literal[1, 4] = Field(
        default=ROTATIONS, description="As of all methods; classes that are found are best from four."
    )

    @classmethod
    def classifier(cls) -> type[Classifier]:
        """See `GroundKind.classifier`."""
        from geo.ground.unsupervised.centroids import Centroids

        return Centroids

    def learn(self, pieces: Sequence[Piece], around: Surroundings) -> Learned:  # noqa: ARG002 - asks for no more
        """Find classes; see `GroundKind.learn`."""
        from geo.ground.unsupervised.finding import find_classes

        return find_classes(pieces, self)
