"""How important a road is, as far as the name of its class tells."""

from __future__ import annotations

import re

BEGINS = (
    r"motorway|trunk|freeway|expressway|interstate|autobahn|m(\d|\b)",
    r"primary|principal|arterial|a(\d|\b)",
    r"secondary|b(\d|\b)",
    r"tertiary|collector|c(\d|\b)",
)
"""How classes begin, the most important first: the tags of OpenStreetMap, letters, and plain words."""
MINOR = r"service|track|path|footway|cycleway|pedestrian|steps|bridleway"
"""How the least important ones begin; what begins otherwise lies between both."""


def importance(road_class: str) -> int:
    """Tell the place of a class among the steps of `BEGINS`, 0 the most important, then all others, then `MINOR`.

    Examples
    --------
    >>> [importance(name) for name in ("Motorway", "primary_link", "B road", "residential", "service")]
    [0, 1, 2, 4, 5]
    """
    name = road_class.strip().casefold()
    step = next((step for step, begins in enumerate(BEGINS) if re.match(begins, name)), None)
    if step is not None:
        return step
    return len(BEGINS) + 1 if re.match(MINOR, name) else len(BEGINS)
