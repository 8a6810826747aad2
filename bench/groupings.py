"""How often limits hold the true ratio where the grouping is unsure: those found, and those that allow for it.

    .venv/bin/python bench/groupings.py [--draws 200]

Roads look one of three ways, in six dimensions, with centres so many deviations from the origin; their true types are
those that 30,000 roads are grouped into. One type has twice the collisions of the others (or the same). 300 roads at a
time are drawn, grouped, counted and compared. Tables are printed, and JSON written under bench/results/.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from results import save, table

from geo.clusters.evidence.groupings import match
from geo.clusters.evidence.regrouping import regroup
from geo.clusters.methods.kind import Fit
from geo.clusters.methods.kmeans import KMeans
from geo.safety.comparison.adjusted import adjusted_ratios, design_of, trend_of
from geo.safety.comparison.contrast import Contrast
from geo.safety.comparison.covariance import RiskCovariance, make_cells
from geo.safety.comparison.groupings import pool_groupings

K, DIMENSIONS, ROADS, GROUPINGS = 3, 6, 300, 20
OWN = RiskCovariance(0.25, 0.0, np.nan, 100)
METHOD = KMeans(k=K)


def looks(rng: np.random.Generator, n: int, apart: float) -> np.ndarray:
    """Draw what roads look like, ``(n, DIMENSIONS)``."""
    return apart * np.eye(DIMENSIONS)[rng.choice(K, n, p=[0.5, 0.3, 0.2])] + rng.normal(size=(n, DIMENSIONS))


def one(seed: int, truth: Fit, apart: float, effect: float) -> dict[str, float] | None:
    """Draw roads and collisions, and hold limits against the truth; None where no type is that of the effect."""
    rng = np.random.default_rng([seed, 7])
    points = looks(rng, ROADS, apart)
    true = truth.nearest(points)
    target = int(np.argsort(np.bincount(truth.labels))[1])
    places, exposure, strata = (
        rng.uniform(0, 3000, (ROADS, 2)),
        rng.uniform(0.3, 2, ROADS),
        rng.integers(0, 2, ROADS),
    )
    risk = np.where(true == target, effect, 1.0) * rng.gamma(1 / OWN.own, OWN.own, ROADS)
    counts = rng.poisson(3 * exposure * risk)[:, None].astype(float)
    labels = METHOD.fit(points, K).labels
    counterpart = np.unique(labels[match(true + 1, labels) == target + 1])
    if len(counterpart) != 1:
        return None
    at = int(counterpart[0]), 0
    contrast = Contrast(counts, exposure, strata, labels, K, make_cells(places), np.eye(1), OWN)
    design = design_of(strata, pd.DataFrame(index=range(ROADS)), trend_of(places))
    found = adjusted_ratios(contrast, design, places, OWN)
    others = np.column_stack([match(labels + 1, one) for one in regroup(points, K, METHOD, GROUPINGS)]) - 1
    pooled = pool_groupings(contrast, found, others, design, places, OWN, [0])
    moved = np.log(pooled.ratio[at] / found.ratio[at])
    return {
        "rightly grouped": float((match(true + 1, labels) == true + 1).mean()),
        "covered, found": float(found.low[at] <= effect <= found.high[at]),
        "covered, pooled": float(pooled.low[at] <= effect <= pooled.high[at]),
        "covered, around the mean": float(
            np.log(pooled.low[at]) + moved <= np.log(effect) <= np.log(pooled.high[at]) + moved
        ),
        "share from grouping": float(pooled.share[at]),
        "times as wide": float(
            np.log(pooled.high[at] / pooled.low[at]) / np.log(found.high[at] / found.low[at])
        ),
    }


def main() -> None:
    """Run all, print a table and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--apart", type=float, nargs="*", default=[5.0, 3.0, 2.0, 1.5])
    asked = parser.parse_args()
    rows = []
    for apart in asked.apart:
        truth = METHOD.fit(looks(np.random.default_rng(99), 30_000, apart), K)
        for effect in (1.0, 2.0):
            drawn = [one(seed, truth, apart, effect) for seed in range(asked.draws)]
            told = pd.DataFrame([each for each in drawn if each is not None])
            rows.append({"apart": apart, "true ratio": effect, "draws": len(told), **told.mean().to_dict()})
            print(table(rows[-1:]), flush=True)
    print(table(rows))
    save("groupings", {"rows": rows})


if __name__ == "__main__":
    main()
