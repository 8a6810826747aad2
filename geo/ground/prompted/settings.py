"""Carriageways by a promptable network, along the lines of roads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from geo.ground.kind import GroundKind, Learned
from geo.ground.labels.settings import Labels

if TYPE_CHECKING:
    from geo.features.dense import Lattice
    from geo.ground.contract import Classifier, Piece, Surroundings
    from geo.ground.kind import Shapes

DEFAULT = "mobile_sam"
"""The smallest: seconds a window on a processor, where the others take ten and more."""


class Sam(GroundKind):
    """The carriageway of every road as Segment Anything sees it, and how wide it is; nothing is learned."""

    tag: ClassVar[str] = "sam"
    form: ClassVar[str] = "sam"
    key: ClassVar[str] = "sam"
    words: ClassVar[str] = "carriageways that a promptable network found along the lines of roads"
    encodes: ClassVar[bool] = False

    method: Literal["sam"] = Field(default="sam", description="sam.")
    sam: str = Field(
        default=DEFAULT,
        min_length=1,
        description="Weights of the network: mobile_sam, sam or sam2.1, whose published files are looked for on this "
        "machine (no package holds them: where one is missing, the message says what to put where); or the path of "
        "such a file, or of a folder in which transformers saved a SAM or SAM 2.",
    )

    points: str | None = Field(
        default=None,
        description="Points on things that are outlined as well (a vector file with a class for each): peaks that a "
        "few-label map was counted by, or points that were set in QGIS. Each is a prompt, and those of other classes "
        "near it lie beside.",
    )

    @property
    def _named(self) -> bool:
        from geo.ground.prompted.network.published import PUBLISHED

        return self.sam in PUBLISHED

    def files(self) -> list[str]:
        """See `Ground.files`."""
        from geo.ground.prompted.network.network import place_of
        from geo.ground.prompted.network.reading import parts_of

        weights = [str(part) for part in parts_of(place_of(self.sam)) if part.is_file()]
        return weights if self.points is None else [*weights, *_drawn(self.points).files()]

    def with_paths(self, resolve: Callable[[str], str]) -> Self:
        """See `Ground.with_paths`."""
        sam = self.sam if self._named else resolve(self.sam)
        points = self.points if self.points is None else resolve(self.points)
        return self.model_copy(update={"sam": sam, "points": points})

    def refuse_early(self) -> None:
        """See `GroundKind.refuse_early`: weights that are not on this machine."""
        from geo.ground.prompted.network.network import refuse_missing

        refuse_missing(self.sam)

    def chips(self, pixel_m: float) -> tuple[Lattice, int]:
        """See `GroundKind.chips`: windows of the network's side, in cells of its patches."""
        from geo.ground.prompted.carriageways import lay_windows
        from geo.ground.prompted.network.network import load_network

        return lay_windows(load_network(self.sam).side, pixel_m)

    def shapes(self, around: Surroundings) -> Shapes:  # noqa: ARG002 - nothing need be seen
        """See `GroundKind.shapes`."""
        return np.array([], dtype=object)

    @classmethod
    def classifier(cls) -> type[Classifier]:
        """See `GroundKind.classifier`."""
        from geo.ground.prompted.carriageways import Carriageways

        return Carriageways

    def learn(self, pieces: Sequence[Piece], around: Surroundings) -> Learned:  # noqa: ARG002 - as above
        """Keep the lines of roads; see `GroundKind.learn`."""
        from geo.ground.labels.drawn.reading import read_labels
        from geo.ground.prompted.carriageways import Carriageways, roads_of, things_of
        from geo.ground.prompted.network.network import load_network

        network = load_network(self.sam)
        note = (
            f"Carriageways are those that {network.family} ({self.sam if self._named else 'weights of a local file'}) "
            "found along the lines of roads; no truth of this city was seen."
        )
        if self.points is None:
            return Learned(Carriageways(roads_of(around)), notes=(note,))
        drawn = read_labels(_drawn(self.points), around)
        things, names = things_of(drawn.labels, self.points)
        return Learned(Carriageways(roads_of(around), things, names), drawn.entries, (note,))

    def ready(self, classifier: Classifier) -> Classifier:
        """See `GroundKind.ready`: give it the network."""
        from geo.ground.prompted.carriageways import Carriageways
        from geo.ground.prompted.network.network import load_network

        if isinstance(classifier, Carriageways):
            classifier.network = load_network(self.sam)
        return classifier


def _drawn(points: str) -> Labels:
    """Read points as labels are read."""
    return Labels(labels=points)
