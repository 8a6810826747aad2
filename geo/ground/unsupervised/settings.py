"""Classes of ground that are found without labels: groups of the encoder's features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from geo.config.section import Metres
from geo.config.sections.ground import Stride
from geo.ground.kind import GroundKind, Learned, Shapes
from geo.ground.tags.settings import TagSource

if TYPE_CHECKING:
    from geo.ground.contract import Classifier, Piece, Surroundings
    from geo.ground.unsupervised.described import Drawn
    from geo.ledger import Entry

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

    words_from: str | None = Field(
        default=None,
        description="Map that says in words what classes mostly are: an extract of OpenStreetMap (.osm.pbf), or a "
        "vector file with a column for each key. Nothing is learned from it. Default: nothing is said.",
    )
    words_classes: dict[str, str | list[str]] | None = Field(
        default=None,
        min_length=1,
        description="What features of words_from are called, as of ground.tags.classes.",
    )

    @model_validator(mode="after")
    def _words(self) -> Self:
        if self.words_from is None and self.words_classes is not None:
            raise ValueError("words_classes belongs to words_from, and no map is named")
        if self.words_from is not None:
            self._map()
        return self

    def _map(self) -> TagSource:
        return TagSource(features=self.words_from, classes=self.words_classes)

    def files(self) -> list[str]:
        """See `GroundKind.files`."""
        return [] if self.words_from is None else [self.words_from]

    def with_paths(self, resolve: Callable[[str], str]) -> Self:
        """See `GroundKind.with_paths`."""
        return self.model_copy(
            update={"words_from": None if self.words_from is None else resolve(self.words_from)}
        )

    @classmethod
    def classifier(cls) -> type[Classifier]:
        """See `GroundKind.classifier`."""
        from geo.ground.unsupervised.centroids import Centroids

        return Centroids

    def shapes(self, around: Surroundings) -> Shapes | None:
        """Ask for any ground; a map that cannot be read is refused before that is seen. See `GroundKind.shapes`."""
        if self.words_from is not None:
            self._drawn(around)
        return None

    def learn(self, pieces: Sequence[Piece], around: Surroundings) -> Learned:
        """Find classes; see `GroundKind.learn`."""
        from geo.ground.unsupervised.finding import find_classes

        if self.words_from is None:
            return find_classes(pieces, self)
        drawn, entries = self._drawn(around)
        found = find_classes(pieces, self, drawn)
        return replace(found, entries=(*entries, *found.entries))

    def _drawn(self, around: Surroundings) -> tuple[Drawn, list[Entry]]:
        """Read the map that says what classes mostly are."""
        from geo.ground.tags.mapped import read_features
        from geo.ground.unsupervised.described import Drawn

        features, entries = read_features(
            self._map(), around.segments.crs, ("ground.words_from", "ground.words_classes")
        )
        return Drawn.of(features), entries
