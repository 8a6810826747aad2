"""Which columns tell of collisions: types must not be drawn after the outcome, so the page that corrects hides them."""

from __future__ import annotations

from geo.outputs.layers.systemic import SCREENED
from tasks.tables import HOT_SPOTS, RATES, TRAFFIC

_KEYS = {"segment_id", "cluster"}
_KNOWN_BEFORE = {
    *(column.name for column in TRAFFIC.columns),
    "years",
    "flight",
    "counted_m",
    "million_vkm",
    "million_pedestrian_km",
    "million_cyclist_km",
    "junction_ends_per_km",
}
"""Columns that stand among the rates and are known without a single collision: exposure, lengths, the imagery."""
OUTCOME = frozenset(
    {
        *(column.name for table in (RATES, HOT_SPOTS) for column in table.columns),
        *(column.name for column in SCREENED),
        "in_high_injury_network",
    }
    - _KEYS
    - _KNOWN_BEFORE
)
"""Columns of segments that tell of collisions."""
