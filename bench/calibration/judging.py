"""What is told of many draws: how often something is called, how often intervals hold the truth."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.stats import binomtest

SURE = 0.05


def judge(tests: pd.DataFrame, doubled: int) -> dict[str, list[float]]:
    """Count what one table of tests gives: pairs of how often and of how many, by name.

    Parameters
    ----------
    tests
        ``cluster, outcome, comparison, q_value, ratio_adjusted_low, ratio_adjusted_high``.
    doubled
        The type whose ratio is truly 2; 0: there is none, and all ratios are truly 1.
    """
    counts: dict[str, list[float]] = {}
    mine = tests[tests["cluster"] == doubled] if doubled else tests
    truth = 2.0 if doubled else 1.0
    name = "power" if doubled else "any q < 0.05"
    counts[name] = [float(mine["q_value"].min() < SURE), 1]
    for (outcome, comparison), rows in mine.groupby(["outcome", "comparison"], sort=False):
        known = rows[rows["ratio_adjusted_low"].notna() & rows["ratio_adjusted_high"].notna()]
        inside = (known["ratio_adjusted_low"] <= truth) & (known["ratio_adjusted_high"] >= truth)
        counts[f"covered: {outcome}, {comparison}"] = [float(inside.sum()), len(known)]
        if outcome == "n_collisions":
            for cluster, hit in inside.groupby(known["cluster"]):
                counts[f"covered by type: {comparison}, {cluster}"] = [float(hit.sum()), len(hit)]
            if doubled:
                counts[f"power: {comparison}"] = [float(rows["q_value"].min() < SURE), 1]
                counts[f"power by type: {doubled}"] = counts["power"]
    return counts


def add_up(counts: Iterable[dict[str, list[float]]]) -> dict[str, list[float]]:
    """Add up the counts of many draws."""
    total: dict[str, list[float]] = {}
    for one in counts:
        for name, (often, of) in one.items():
            before = total.get(name, [0.0, 0.0])
            total[name] = [before[0] + often, before[1] + of]
    return total


def share(pair: list[float] | None) -> str:
    """Tell a share with its exact 95 % interval."""
    if not pair or not pair[1]:
        return "-"
    low, high = binomtest(int(pair[0]), int(pair[1])).proportion_ci()
    return f"{pair[0] / pair[1]:.1%} ({low:.1%}-{high:.1%})"


def row_of(
    network: str, scenario: str, counts: dict[str, list[float]], draws: int, seconds: float
) -> dict[str, object]:
    """Sum up one scenario on one network."""

    def covered(comparison: str) -> str:
        often, of = counts.get(f"covered: n_collisions, {comparison}", [0, 0])
        return f"{often / of:.1%}" if of else "-"

    least = {
        name.removeprefix("covered by type: "): often / of
        for name, (often, of) in counts.items()
        if name.startswith("covered by type") and of >= draws / 4
    }
    worst = min(least, key=lambda name: least[name], default=None)
    ksi = np.sum([pair for name, pair in counts.items() if name.startswith("covered: n_ksi")], axis=0)
    return {
        "network": network,
        "scenario": scenario,
        "draws": draws,
        "any q < 0.05": share(counts.get("any q < 0.05")),
        "power": share(counts.get("power")),
        "covered, all": covered("all clustered roads"),
        "same class": covered("same class"),
        "KSI": f"{ksi[0] / ksi[1]:.1%}" if np.size(ksi) and ksi[1] else "-",
        "least, type": f"{least[worst]:.0%} ({worst})" if worst else "-",
        "s a table": round(seconds / draws, 3),
    }
