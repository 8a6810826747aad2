"""The section of a city's file that says from what words are learned by which its roads can be asked."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from geo.config.section import Section
from geo.config.sections.records import as_list

MOST = 40
"""So many words are learned at most: each is judged, and more of them ask more of each."""


class Concepts(Section):
    """Words that are learned from a map of the city, or from what its roads say, and told how well they hold.

    Examples
    --------
    >>> Concepts().asked, Concepts(source="city.osm.pbf").asked
    (False, True)
    """

    source: str | None = Field(
        default=None,
        description="Map whose features are words for the tiles that they lie in: an extract of OpenStreetMap "
        "(.osm.pbf), or any vector file; what is not drawn counts as not there. Default: no words are learned.",
    )
    layer: str | list[str] | None = Field(
        default=None, description="Layers to read of a file with several; default: all that can be meant."
    )
    column: str | list[str] | None = Field(
        default=None,
        description="Columns (tags) whose values are words; default: those keys of OpenStreetMap that say what can be "
        "seen from above, such as building, landuse, natural, amenity.",
    )
    roads: list[str] = Field(
        default=[],
        description="Columns of the roads whose values are words as well, as their source calls them: [surface, lit].",
    )
    most: Annotated[int, Field(ge=1, le=200)] = Field(
        default=MOST, description="How many words are learned at most, those that most tiles have (number)."
    )

    @property
    def asked(self) -> bool:
        """Whether words are learned."""
        return self.source is not None or bool(self.roads)

    def layers(self) -> list[str]:
        """Name the layers that are read."""
        return as_list(self.layer)

    def columns(self) -> list[str]:
        """Name the columns whose values are words."""
        return as_list(self.column)
