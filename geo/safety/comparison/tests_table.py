"""The columns of the table of tests, and their types."""

from __future__ import annotations

import pandas as pd

COLUMNS = (
    "cluster",
    "outcome",
    "comparison",
    "n",
    "length_km",
    "share_compared",
    "observed",
    "expected",
    "ratio",
    "low",
    "high",
    "p_value",
    "q_value",
    "ratio_adjusted",
    "ratio_adjusted_low",
    "ratio_adjusted_high",
    "adjusted_for",
    "ratio_first",
    "ratio_last",
    "observed_last",
    "expected_last",
    "held_out",
    "held_out_low",
    "held_out_high",
    "held_out_result",
    "method",
    "permutations",
    "blocks",
    "block_m",
    "overdispersion",
    "shared_variance",
    "shared_range_m",
    "reason",
)
TEXTS = ("outcome", "comparison", "adjusted_for", "held_out_result", "method", "reason")
INTEGERS = ("cluster", "n", "observed", "observed_last", "permutations", "blocks")


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """Give every column its type; texts that say nothing are null."""
    laid_out = table.reindex(columns=list(COLUMNS))
    for name in COLUMNS:
        if name in TEXTS:
            text = laid_out[name].astype(object)
            laid_out[name] = text.where(text.notna() & (text != ""), None)
        elif name in INTEGERS:
            laid_out[name] = laid_out[name].astype("Float64").round().astype("Int64")
        else:
            laid_out[name] = laid_out[name].astype("float64")
    return laid_out
