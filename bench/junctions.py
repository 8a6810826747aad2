"""How right expected counts of junctions are: coverage of their intervals, and how well they predict the next years.

    .venv/bin/python bench/junctions.py [--draws 50] [--only TEXT]

Junctions whose true rates are known: those of the demo town on each of its road plans, of all collisions and of KSI;
and larger sets that follow the Highway Safety Manual's functions for rural two-lane roads (2010, eq. 10-8 to 10-10:
three legs, four legs, four legs with signals) with gamma frailty of the manual's overdispersion, traffic known of all,
of 40 % or of none, and a sixth of the collisions KSI. Each draw is two periods of five years: the function is fitted to
the first, and held against the true rates and the second.

- coverage: share of junctions whose 95 % interval holds the true rate.
- error: root mean square of estimate less the second period's count, by recorded counts and by EB.
- worst 5 %: of junctions that are among them with a probability above a half, the mean of that probability and the
  share that truly is.

A table is printed, and JSON written under bench/results/.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from drawn import measure_sets
from numpy.typing import NDArray

from geo.config import Roads, Segments
from geo.demo.plans import NAMES
from geo.demo.write import make_town
from geo.roads.read import read_roads
from geo.roads.segments import build_network
from geo.safety.junctions.arms import known_of_junctions
from geo.safety.junctions.expected import expect_junctions

YEARS = 5.0
MANUAL = {
    "T or Y (3 arms)": (0.6, -9.86, 0.79, 0.49, 0.54),
    "crossroads (4 arms)": (0.3, -8.56, 0.60, 0.61, 0.24),
    "crossroads (4 arms), signals": (0.1, -5.13, 0.60, 0.20, 0.11),
}
"""Share of junctions, intercept, exponents of the traffic of the major and the minor road, overdispersion."""
KSI = 1 / 6
Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator], "Junctions"]


@dataclass(frozen=True)
class Junctions:
    """What is known of junctions, and their true rates per year."""

    known: pd.DataFrame
    rate: Floats


def by_the_manual(
    rng: np.random.Generator, n: int, told: float, ksi: float = 1.0, level: float = 1.0
) -> Junctions:
    """Draw junctions that follow the manual's functions."""
    names = list(MANUAL)
    kind = rng.choice(names, n, p=[MANUAL[name][0] for name in names])
    _, a, b, c, k = np.array([MANUAL[name] for name in kind]).T
    major = np.exp(rng.normal(8.3, 0.7, n))
    minor = major * rng.uniform(0.05, 0.5, n)
    rate = ksi * level * np.exp(a + b * np.log(major) + c * np.log(minor)) * rng.gamma(1 / k, k)
    seen = rng.random(n) < told
    known = pd.DataFrame(
        {
            "junction_type": kind,
            "highest_class": np.where(major > 5000, "primary", "secondary"),
            "traffic_major": np.where(seen, major, np.nan),
            "traffic_minor": np.where(seen, minor, np.nan),
        },
        index=pd.Index([f"j{i:06d}" for i in range(n)], name="junction_id"),
    )
    return Junctions(known, rate)


def demo_town(plan: str) -> dict[str, Junctions]:
    """Draw the demo town, and take its junctions with their true rates, of all collisions and of KSI."""
    with tempfile.TemporaryDirectory() as folder:
        town = make_town(Path(folder), seed=1, pixel_m=8.0, plan=plan)
        truth = gpd.GeoDataFrame(town.truth().junctions).set_index("junction_id")
        roads = read_roads(Roads(source=str(Path(folder) / "roads.gpkg")), crs="EPSG:27700")
        network = build_network(roads.kept, Segments())
    segments = network.segments.set_index("segment_id")
    junctions = network.junctions.set_index("junction_id")
    known = known_of_junctions(junctions, segments, pd.Series(np.nan, index=segments.index))
    known = known.loc[truth.index]
    return {
        name: Junctions(known, truth[f"{name}_per_year"].to_numpy(dtype=np.float64))
        for name in ("collisions", "ksi")
    }


def measure(junctions: Junctions, rng: np.random.Generator) -> dict[str, float]:
    """Draw two periods, fit to the first, and hold the estimates against the truth and the second."""
    true = junctions.rate * YEARS
    first, second = (pd.Series(rng.poisson(true), index=junctions.known.index) for _ in range(2))
    counted = pd.DataFrame({"n_collisions": first, "n_ksi": pd.NA, "years": YEARS})
    found, models = expect_junctions(counted, junctions.known, seed=0, draws=200)
    told = models[models["outcome"] == "collisions at junctions"].set_index("name")
    low, high = (found[f"collisions_per_year_eb_{end}"].to_numpy() for end in ("low", "high"))
    chance = found["p_worst_5_percent"].to_numpy()
    sure = chance > 0.5
    worst = junctions.rate >= np.quantile(junctions.rate, 0.95)
    return {
        "fitted": float("overdispersion" in told.index),
        "events": float(first.sum()),
        "k": float(told["value"].get("overdispersion", np.nan)),
        "covered": float(((low <= junctions.rate) & (junctions.rate <= high)).mean()),
        "raw": float(((first - second) ** 2).mean()),
        "eb": float(((found["collisions_eb"] - second) ** 2).mean()),
        "p_worst": float(chance[sure].sum()),
        "truly worst": float(worst[sure].sum()),
        "sure": float(sure.sum()),
    }


def scenarios() -> dict[str, tuple[Draw, int]]:
    """Name the sets of junctions, and the share (per cent) of the draws that each gets."""
    towns = {plan: demo_town(plan) for plan in NAMES}

    def drawn(n: int, told: float, ksi: float = 1.0, level: float = 1.0) -> Draw:
        return lambda rng: by_the_manual(rng, n, told, ksi, level)

    return {
        **{
            f"demo town, {plan}{words}": (lambda _, one=town[outcome]: one, 200)
            for plan, town in towns.items()
            for outcome, words in (("collisions", ""), ("ksi", ", KSI"))
        },
        "300 junctions, traffic known": (drawn(300, 1.0), 200),
        "300 junctions, traffic known, KSI": (drawn(300, 1.0, KSI), 200),
        "2,000 junctions, traffic known": (drawn(2000, 1.0), 100),
        "2,000 junctions, traffic known, KSI": (drawn(2000, 1.0, KSI), 100),
        "2,000 junctions, traffic known of 40 %": (drawn(2000, 0.4), 100),
        "2,000 junctions, traffic known of 40 %, KSI": (drawn(2000, 0.4, KSI), 100),
        "2,000 junctions, no traffic": (drawn(2000, 0.0), 100),
        "2,000 junctions, no traffic, KSI": (drawn(2000, 0.0, KSI), 100),
        "2,000 junctions, few collisions": (drawn(2000, 1.0, 1.0, 0.1), 100),
    }


def _row(name: str, found: pd.DataFrame) -> dict[str, object]:
    """Sum up the draws of one set."""
    mean, sure = found.mean(), max(found["sure"].sum(), 1)
    error = 1.96 * found["covered"].std() / np.sqrt(len(found)) if len(found) > 1 else np.nan
    return {
        "junctions": name,
        "draws": len(found),
        "fitted": f"{mean['fitted']:.0%}",
        "events": mean["events"],
        "k": float(found["k"].median()),
        "coverage": f"{mean['covered']:.1%} (+/- {error:.1%})",
        "error raw": float(np.sqrt(mean["raw"])),
        "error EB": float(np.sqrt(mean["eb"])),
        "worst 5 %: said": f"{found['p_worst'].sum() / sure:.0%}",
        "truly": f"{found['truly worst'].sum() / sure:.0%}",
    }


def main() -> None:
    """Measure every set and print one line for each."""
    measure_sets("junctions", "junctions", scenarios, measure, _row)


if __name__ == "__main__":
    main()
