"""Classes of ground that are learned from labels: the section of the city's file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator

from geo.config.section import Metres
from geo.config.sections.ground import Stride
from geo.config.sections.records import as_list
from geo.ground.kind import GroundKind, Learned, Shapes

if TYPE_CHECKING:
    from geo.ground.contract import Classifier, Piece, Surroundings

STRIDES: tuple[Stride, ...] = (8, 16, 32)
PLACE_M, MIN_PLACES, MIN_CELLS = 100.0, 3, 50
Scorer = Literal["network", "logistic", "density"]


class Labels(GroundKind):
    """Classes that labels on some of the ground are examples of."""

    tag: ClassVar[str] = "labels"
    form: ClassVar[str] = "labels"
    key: ClassVar[str] = "labels"
    words: ClassVar[str] = "classes that were learned from labels"

    method: Literal["labels"] = Field(default="labels", description="labels.")
    labels: str | list[str] = Field(
        description="File of points, lines or polygons with a class, or several, or globs; all layers with that column "
        "are read. Polygons of the class ``extent``, or in a layer of that name, outline ground on which nothing was "
        "left unlabelled."
    )
    layer: str | list[str] | None = Field(
        default=None, description="Layers to read, one, a list or patterns; default: all with rows."
    )
    class_field: str = Field(default="class", description="Column with the class, in words.")
    crs: str | None = Field(
        default=None, description="CRS of labels whose file states none; default: such a file is refused."
    )
    strides: tuple[Stride, ...] = Field(
        default=STRIDES,
        min_length=1,
        description="Which of the encoder's feature maps are joined, by how many pixels a cell of them is wide.",
    )
    scorer: Scorer = Field(
        default="network",
        description="What tells classes apart: network (a small one, of features and of the picture's own colours), "
        "logistic (regression on both) or density (of labelled ground in the space of features, coarse).",
    )
    place_m: Metres = Field(
        default=PLACE_M,
        description="Labels nearer to each other than this are one place, which is learned from or left out whole "
        "(metres).",
    )
    min_places: Annotated[int, Field(ge=2)] = Field(
        default=MIN_PLACES, description="A class that is labelled at fewer places is not learned (number)."
    )
    min_cells: Annotated[int, Field(ge=1)] = Field(
        default=MIN_CELLS,
        description="A class of which labels cover fewer cells of the map is not learned (number).",
    )

    count: list[str] = Field(
        default_factory=list,
        description="Classes of which each label is one thing, such as car or tree, that are counted per 100 m of "
        "segment and at junctions; only ground in extents settles what counts as one.",
    )

    @field_validator("labels")
    @classmethod
    def _some(cls, labels: str | list[str]) -> str | list[str]:
        if not labels or not all(one.strip() for one in as_list(labels)):
            raise ValueError("the path of a file is expected")
        return labels

    def files(self) -> list[str]:
        """See `GroundKind.files`."""
        from geo.collisions.tables.places import expand_globs, files_of

        return files_of(expand_globs(as_list(self.labels)))

    def with_paths(self, resolve: Callable[[str], str]) -> Self:
        """See `GroundKind.with_paths`."""
        return self.model_copy(update={"labels": [resolve(one) for one in as_list(self.labels)]})

    def shapes(self, around: Surroundings) -> Shapes | None:
        """Ask for the ground that is labelled; see `GroundKind.shapes`."""
        from geo.ground.labels.drawn.reading import read_labels

        return read_labels(self, around).ground()

    @classmethod
    def classifier(cls) -> type[Classifier]:
        """See `GroundKind.classifier`."""
        from geo.ground.labels.classifier import FewLabels

        return FewLabels

    def learn(self, pieces: Sequence[Piece], around: Surroundings) -> Learned:
        """Learn classes; see `GroundKind.learn`."""
        from geo.ground.labels.learning import learn_classes

        return learn_classes(pieces, self, around)
