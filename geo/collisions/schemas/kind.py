"""What every schema of records is: a section of a city's file that knows how the tables that it names are read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from geo.collisions.cells.carried import Carrying
from geo.config.sections.records import Collisions, Row

if TYPE_CHECKING:
    import pandas as pd

    from geo.collisions.schema import CollisionSource


class SchemaKind(Collisions, ABC):
    """A schema of collision records; a subclass a module, listed in `geo.collisions.registry`.

    Attributes
    ----------
    tag, form
        How ``collisions.schema`` is told to mean it (`geo.config.kinds.Kind`).
    """

    tag: ClassVar[str]
    form: ClassVar[str]

    @abstractmethod
    def read(self) -> CollisionSource:
        """Read all records; see `geo.collisions.read.read_collisions`."""

    def row(self) -> Row | None:
        """Say what a row of its tables is; None: that is found out."""
        return self.rows

    def carrying(self) -> Carrying:
        """Make what takes the columns of ``carry`` out of each of its files; `read` hands them on."""
        return Carrying(self.carry)

    def breaks(self, records: pd.DataFrame) -> list[str]:  # noqa: ARG002 - most schemas know of none
        """Say, in words, where placed records do not compare because the way of recording changed."""
        return []
