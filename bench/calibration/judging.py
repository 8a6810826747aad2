"""What is told of many draws: how often something is called, how often intervals hold the truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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


def row_of(scenario: str, network: str, cell: Mapping[str, Any]) -> dict[str, object]:
    """Sum up one scenario on one network."""
    counts, draws = cell["counts"], cell["draws"]

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
        "s a table": round(cell["seconds"] / max(draws, 1), 3),
    }


def overview(
    record: Mapping[str, Any], scenarios: Iterable[str], networks: Sequence[str]
) -> list[dict[str, object]]:
    """Set scenarios beside each other: what was called on each network and on all, and how often intervals held.

    Parameters
    ----------
    record
        By ``scenario | network``: ``counts`` (`add_up`) and ``draws``.
    """
    rows = []
    for scenario in scenarios:
        cells = {name: record.get(f"{scenario} | {name}") for name in networks}
        made = [cell["counts"] for cell in cells.values() if cell and cell["draws"]]
        if not made:
            continue
        together = add_up(made)
        called = "power" if "power" in together else "any q < 0.05"
        rows.append(
            {
                "scenario": scenario,
                "told": called,
                **{
                    name: _percent(cell["counts"].get(called)) if cell else "-"
                    for name, cell in cells.items()
                },
                "all": share(together.get(called)),
                "draws": int(together[called][1]),
                "covered, all roads": _range(made, "covered: n_collisions, all clustered roads"),
                "covered, same class": _range(made, "covered: n_collisions, same class"),
            }
        )
    return rows


def _percent(pair: list[float] | None) -> str:
    return f"{100 * pair[0] / pair[1]:.0f} %" if pair and pair[1] else "-"


def _range(made: Iterable[dict[str, list[float]]], name: str) -> str:
    """Tell a share over all networks, and the least and the most of one."""
    pairs = [counts[name] for counts in made if counts.get(name, [0, 0])[1]]
    if not pairs:
        return "-"
    each = [100 * often / of for often, of in pairs]
    total = np.sum(pairs, axis=0)
    return f"{100 * total[0] / total[1]:.1f} % ({min(each):.0f}-{max(each):.0f})"
