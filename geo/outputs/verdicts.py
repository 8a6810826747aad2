"""What may be said of a type beside other roads, by the rows of the layer ``tests``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from geo.outputs.layers.layers import LAYERS
from geo.outputs.wording import OTHERS, number, shorten, verdict, where_like
from geo.safety.rates import Outcome

REASON = 200
"""Characters that are shown of why a type was not tested, at most."""


def tested(tests: pd.DataFrame | None, comparison: str, outcome: Outcome) -> pd.DataFrame:
    """Take the rows of the layer ``tests`` of a comparison and an outcome; none without the layer."""
    if tests is None:
        return pd.DataFrame(columns=[column.name for column in LAYERS["tests"].columns])
    return tests[tests["comparison"].eq(comparison) & tests["outcome"].eq(f"n_{outcome}")]


def all_collisions_verdict(row: Mapping[Any, Any]) -> str:
    """Say of a row of ``tests`` on all collisions what may be said of the type beside other roads near it."""
    low, high, q = (number(row[name]) for name in ("ratio_adjusted_low", "ratio_adjusted_high", "q_value"))
    why = "" if pd.isna(row["reason_adjusted"]) else shorten(str(row["reason_adjusted"]), REASON)
    pooled = number(row.get("ratio_pooled_low")), number(row.get("ratio_pooled_high"))
    return verdict(low, high, q, "collisions", OTHERS + where_like(row.get("adjusted_for")), why, pooled)
