"""Which lists of the worst a run can give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import geopandas as gpd

from geo.safety.expected.ranking import worst_segments
from geo.safety.junctions.worst import worst_junctions
from geo.safety.stretches.ranking import worst_stretches

Of = Literal["segments", "junctions", "roads"]
Worst = Callable[[gpd.GeoDataFrame, int], gpd.GeoDataFrame]
_WORST: dict[str, tuple[str, Worst]] = {
    "segments": ("segments", worst_segments),
    "junctions": ("junctions", worst_junctions),
    "roads": ("stretches", worst_stretches),
}


def worst_of_kind(of: str) -> tuple[str, Worst]:
    """Give the layer of a kind of place, and what lists its worst.

    Raises
    ------
    ValueError
        When there is no such kind.
    """
    if of not in _WORST:
        raise ValueError(f"of={of!r}: {', '.join(_WORST)} can be asked for")
    return _WORST[of]


def check_shown(shown: int) -> None:
    """Refuse to show none.

    Raises
    ------
    ValueError
        When fewer than one are asked for.
    """
    if shown < 1:
        raise ValueError(f"shown={shown}: one segment or more can be shown")
