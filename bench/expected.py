"""How right expected counts are: coverage of their intervals, and how well they predict the next years.

    .venv/bin/python bench/expected.py [--draws 50] [--only WORDS]

Networks are simulated, so that the true rate of every segment is known: the demo town's on each of its plans (its own
truth: seven forms, gamma frailty), and larger ones whose segments differ in ways that the model does and does not
assume. Each draw is two periods of five years: the function is fitted to the first, and held against the true rates and
the second.

- coverage: share of segments whose 95 % interval holds the true rate; beside it that of shrinkage within classes.
- error: root mean square over segments of estimate less the second period's count, by raw rates, by shrinkage within
  classes and by EB; then by how much EB's mean square (and its root) is lower than raw rates', and how much lower the
  mean square is against the true rates, where the chance of the second period plays no part.
- worst 5 %: of segments that are among them with a probability above a half, the mean of that probability and the share
  that truly is.
- checks: share of draws in which each fails.

A table is printed, and JSON written under bench/results/.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from drawn import measure_sets
from numpy.typing import NDArray

from geo.demo.plans import NAMES
from geo.demo.write import make_town
from geo.safety.expected.empirical_bayes import expected_counts, prior
from geo.safety.expected.performance import fit_performance
from geo.safety.expected.ranking import rank_segments
from geo.safety.expected.shrinkage import shrink

YEARS = 5.0
CLASSES = {"primary": (0.05, 2.5), "secondary": (0.1, 1.6), "tertiary": (0.15, 0.9), "residential": (0.6, 0.35),
           "service": (0.1, 0.1)}  # fmt: skip
"""Share of segments, and collisions per kilometre and year."""
CHECKS = ("dispersion", "zeros", "k per length", "cumulated residuals")
Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator], "Network"]


@dataclass(frozen=True)
class Network:
    """Segments and their true rates."""

    segments: pd.DataFrame
    rate: Floats


def simulate(
    rng: np.random.Generator, n: int, frailty: str, *, traffic: bool = True, level: float = 1.0
) -> Network:
    """Make a network of segments of five classes, 10 to 200 m long."""
    length = rng.gamma(2.0, 50.0, n).clip(10, 200)
    classes = rng.choice(list(CLASSES), n, p=[share for share, _ in CLASSES.values()])
    flow = np.exp(rng.normal(8, 0.8, n))
    ends = rng.poisson(1.4, n) / (length / 1000)
    own = {
        "none": np.ones(n),
        "gamma 1": rng.gamma(1.0, 1.0, n),
        "gamma 1/4": rng.gamma(4.0, 0.25, n),
        "lognormal": np.exp(rng.normal(-0.32, 0.8, n)),
        "per length": rng.gamma(length / 75, 75 / length),
    }[frailty]
    base = np.array([CLASSES[name][1] for name in classes])
    rate = level * base * (flow / 3000) ** (0.6 if traffic else 0.0) * np.exp(0.004 * ends - 0.06) * own
    known = (rng.random(n) < 0.4) & traffic
    segments = pd.DataFrame(
        {
            "length_m": length,
            "road_class": classes,
            "ends_per_km": ends,
            "traffic": np.where(known, flow, np.nan),
        },
        index=pd.Index([f"{i:016x}" for i in range(n)], name="segment_id"),
    )
    return Network(segments, rate)


def demo_town(plan: str) -> dict[str, Network]:
    """Draw the demo town on a plan, and take its segments and true rates, of all collisions and of KSI.

    Their length is that on which collisions are counted; segments that are all within reach of junctions are left out.
    """
    with tempfile.TemporaryDirectory() as folder:
        truth = (
            make_town(Path(folder), seed=1, pixel_m=8.0, plan=plan).truth().segments.set_index("segment_id")
        )
    truth = truth[truth["counted_m"] > 0]
    segments = truth[["road_class"]].assign(
        length_m=truth["counted_m"], ends_per_km=2000 / truth["length_m"], traffic=np.nan
    )
    return {
        name: Network(pd.DataFrame(segments), truth[f"{name}_per_km_year"].to_numpy(dtype=np.float64))
        for name in ("collisions", "ksi")
    }


def measure(network: Network, rng: np.random.Generator) -> dict[str, float]:
    """Draw two periods, fit to the first, and hold the estimates against the truth and the second."""
    segments = network.segments
    km_years = segments["length_m"] / 1000 * YEARS
    true = network.rate * km_years.to_numpy()
    first, second = (pd.Series(rng.poisson(true), index=segments.index) for _ in range(2))
    performance = fit_performance(
        first,
        km_years,
        segments["road_class"],
        segments[["ends_per_km"]],
        segments["traffic"],
        length=segments["length_m"] / 1000,
    )
    before = prior(performance, first, km_years, segments["road_class"])
    found = expected_counts(before, first, km_years)
    shrunk = shrink(first, km_years, segments["road_class"])
    chance = rank_segments(before, first, km_years, seed=0, draws=200)["p_worst"].to_numpy()
    sure = chance > 0.5
    worst = network.rate >= np.quantile(network.rate, 0.95)
    checks = performance.checks.groupby("check")["passed"].agg(list).map(np.array)

    def covered(low: pd.Series, high: pd.Series) -> float:
        return float(((low.to_numpy() <= network.rate) & (network.rate <= high.to_numpy())).mean())

    def square(estimate: pd.Series, against: pd.Series | Floats) -> float:
        return float(np.mean((estimate.to_numpy() - np.asarray(against)) ** 2))

    return {
        "fitted": performance.model is not None,
        "events": float(first.sum()),
        "k": performance.overdispersion,
        "covered": covered(found["eb_per_km_year_low"], found["eb_per_km_year_high"]),
        "covered by class": covered(shrunk["low"], shrunk["high"]),
        "raw": square(first, second),
        "class": square(shrunk["estimate"] * km_years, second),
        "eb": square(found["eb_count"], second),
        "raw, truth": square(first, true),
        "eb, truth": square(found["eb_count"], true),
        "p_worst": float(chance[sure].sum()),
        "truly worst": float(worst[sure].sum()),
        "sure": float(sure.sum()),
    } | {name: float((checks[name] == 0).any()) if name in checks else np.nan for name in CHECKS}


def scenarios() -> dict[str, tuple[Draw, int]]:
    """Name the networks, and the share (per cent) of the draws that each gets."""
    towns = {plan: demo_town(plan) for plan in NAMES}

    def drawn(n: int, frailty: str, *, traffic: bool = True, level: float = 1.0) -> Draw:
        return lambda rng: simulate(rng, n, frailty, traffic=traffic, level=level)

    return {
        **{
            f"demo town, {plan}{words}": (lambda _, network=town[outcome]: network, 200)
            for plan, town in towns.items()
            for outcome, words in (("collisions", ""), ("ksi", ", KSI"))
        },
        "300 segments": (drawn(300, "gamma 1"), 200),
        "300 segments, no overdispersion": (drawn(300, "none", traffic=False), 200),
        "2,000 segments": (drawn(2000, "gamma 1"), 100),
        "2,000 segments, few collisions": (drawn(2000, "gamma 1", level=0.2), 100),
        "2,000 segments, many collisions": (drawn(2000, "gamma 1", level=5.0), 100),
        "2,000 segments, k 1/4": (drawn(2000, "gamma 1/4", traffic=False), 100),
        "2,000 segments, log-normal": (drawn(2000, "lognormal"), 100),
        "2,000 segments, k per length": (drawn(2000, "per length"), 100),
        "20,000 segments": (drawn(20_000, "gamma 1"), 10),
    }


def _row(name: str, found: pd.DataFrame) -> dict[str, object]:
    """Sum up the draws of one network."""
    mean, fitted = found.mean(), found[found["fitted"] == 1]
    sure = max(found["sure"].sum(), 1)
    return {
        "network": name,
        "draws": len(found),
        "fitted": f"{mean['fitted']:.0%}",
        "events": mean["events"],
        "k": float(fitted["k"].median()),
        "coverage": f"{mean['covered']:.1%}",
        "by class": f"{mean['covered by class']:.1%}",
        "error raw": float(np.sqrt(mean["raw"])),
        "error by class": float(np.sqrt(mean["class"])),
        "error EB": float(np.sqrt(mean["eb"])),
        "lower by (root)": f"{1 - mean['eb'] / mean['raw']:.0%} ({1 - np.sqrt(mean['eb'] / mean['raw']):.0%})",
        "against truth": f"{1 - mean['eb, truth'] / mean['raw, truth']:.0%}",
        "worst 5 %: said": f"{found['p_worst'].sum() / sure:.0%}",
        "truly": f"{found['truly worst'].sum() / sure:.0%}",
    } | {f"{check} fails": f"{fitted[check].mean():.0%}" for check in CHECKS}


def main() -> None:
    """Measure every set and print one line for each."""
    measure_sets("expected", "networks", scenarios, measure, _row)


if __name__ == "__main__":
    main()
