"""What every way to tell classes of ground is: a section of a city's file that knows how to learn them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from geo.config.sections.ground import Ground
from geo.ground.contract import Classifier, Piece, Surroundings
from geo.ledger import Entry

if TYPE_CHECKING:
    from geo.features.dense import Lattice

Shapes = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned.

    Attributes
    ----------
    classifier
        What tells the class of each place; None: nothing could be learned, and the ledger says why.
    entries
        What became of every row of input: labels, tags.
    notes
        What a reader of the report must know, in words.
    """

    classifier: Classifier | None
    entries: tuple[Entry, ...] = ()
    notes: tuple[str, ...] = ()


class GroundKind(Ground, ABC):
    """A way to tell classes of ground; a subclass a module, listed in `geo.ground.registry`.

    Attributes
    ----------
    tag, form
        How ``ground.method`` is told to mean it (`geo.config.kinds.Kind`).
    key
        Its own key of the section: where it is there and no method is named, this way is meant; empty: none.
    words
        What a reader of the report calls it.
    gives_way
        Whether an encoder that cannot map the ground is told and left at that: nobody drew or listed anything in vain.
    encodes
        Whether it looks at features of the encoder, or at the picture alone.
    finds
        Whether its classes are found, and have no names but those that an analyst gives them (`geo.ground.names`).
    """

    tag: ClassVar[str]
    form: ClassVar[str]
    key: ClassVar[str] = ""
    words: ClassVar[str] = ""
    gives_way: ClassVar[bool] = False
    encodes: ClassVar[bool] = True
    finds: ClassVar[bool] = False

    @classmethod
    def classifier(cls) -> type[Classifier] | None:
        """Give the class of what it learns, which a file of it is read as; None where nothing is mapped.

        It is imported here: who reads a city's file does without.
        """
        return None

    def refuse_early(self) -> None:
        """Refuse what would end a run late, such as files that are not there.

        Raises
        ------
        RoadprintError
            When there is such a thing.
        """

    def chips(self, pixel_m: float) -> tuple[Lattice, int] | None:  # noqa: ARG002 - most kinds have none of their own
        """Lay out chips of its own, of pixels so large (metres), with pixels of a cell; None: the usual ones."""
        return None

    def ready(self, classifier: Classifier) -> Classifier:
        """Give a classifier that was read what lies in no file of a run, before it sees pieces."""
        return classifier

    def shapes(self, around: Surroundings) -> Shapes | None:  # noqa: ARG002 - as above
        """Say which ground must be seen to learn (Polygons, metres); None: a seeded sample of that beside roads."""
        return None

    @abstractmethod
    def learn(self, pieces: Sequence[Piece], around: Surroundings) -> Learned:
        """Learn classes. The same pieces, settings and seed give the same bytes.

        Parameters
        ----------
        pieces
            Of the ground of `shapes`, those that have data, in an order of no meaning; each is read anew when it is
            asked for, so one at a time is to be held.
        around
            What else is known of the city.

        Raises
        ------
        RoadprintError
            When its inputs cannot be read or nothing can be learned of them: see docs/ground.md.
        """
