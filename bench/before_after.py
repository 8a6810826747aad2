"""How right studies of before and after are: bias of the index of effectiveness, and coverage of its interval.

    .venv/bin/python bench/before_after.py [--draws 100] [--only TEXT]

Places are simulated, so that what a treatment does is known: to all collisions after it, the share that is in the name
of the set. Six years of records; 40 places in 1,000 (10 in 200 of a small network) are treated at the start of the
fourth year or in the course of it: those of most collisions before, of the highest rate, or by chance. Places differ by
three classes, by traffic and by a chance of their own, gamma or log-normal (variance 0.5); years differ and go down by
4 % a year. 'Few collisions' is a tenth as many, about 130 in all; the KSI of a run are studied as shares of all
collisions, which is not this.

- index: mean index of effectiveness of all treated places together over the truth, with its standard error.
- held: share of draws whose 95 % interval holds the truth; beside it that of single places.
- naive: mean of after over before, what the choice of places pretends included.

A table is printed, and JSON written under bench/results/.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from drawn import Sets, measure_sets
from numpy.typing import NDArray
from scipy.sparse import csr_array

from geo.safety.interventions.index import index_of_effectiveness, ratio_of_rates
from geo.safety.interventions.untreated import Places, describe_untreated
from geo.safety.interventions.without import Windows, expected_without

YEARS, BEFORE, DAYS, WORKS = 6, 3, 365, 60
K = 0.5
"""Variance of the chance of a place's own."""
TREATED = {1000: 40, 200: 10}
Chosen = Literal["count", "rate", "chance"]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Town:
    """Places with the collisions that they had, some of them treated.

    Attributes
    ----------
    places
        What is known of them.
    where, day
        Place and day of each collision.
    windows
        Times of the treated ones.
    truth
        What the treatment leaves of collisions.
    """

    places: Places
    where: Integers
    day: Integers
    windows: Windows
    truth: float


def simulate(
    rng: np.random.Generator, *, n: int, chosen: Chosen, truth: float, own: str, level: float = 1.5
) -> Town:
    """Draw a town: `level` collisions per kilometre and year on a place of the middle class and usual traffic."""
    length, classes = rng.uniform(0.04, 0.2, n), rng.integers(0, 3, n)
    traffic = np.exp(rng.normal(8.5, 0.7, n))
    spread = np.sqrt(np.log1p(K))
    chance = rng.gamma(1 / K, K, n) if own == "gamma" else np.exp(rng.normal(-(spread**2) / 2, spread, n))
    rate = level * np.array([0.5, 1, 2])[classes] * (traffic / np.exp(8.5)) ** 0.7 * length * chance
    course = np.exp(rng.normal(0, 0.08, YEARS) - 0.04 * np.arange(YEARS))
    place, year = np.nonzero(yearly := rng.poisson(rate[:, None] * course))
    where, year = np.repeat(place, yearly[place, year]), np.repeat(year, yearly[place, year])
    day = year * DAYS + rng.integers(0, DAYS, len(year))
    earlier = np.bincount(where[day < BEFORE * DAYS], minlength=n)
    # ties by chance
    order = rng.permutation(n)
    score = {"count": earlier, "rate": earlier / length, "chance": np.zeros(n)}[chosen]
    treated = order[np.argsort(-score[order], kind="stable")][: TREATED[n]]
    start = BEFORE * DAYS + rng.integers(0, DAYS, len(treated))
    until, since = np.full(n, YEARS * DAYS), np.full(n, YEARS * DAYS)
    until[treated], since[treated] = start, start + WORKS
    stays = (day < since[where]) | (rng.random(len(day)) < truth)
    known = pd.DataFrame({"exposure": length, "road_class": classes.astype(str), "traffic": traffic})
    windows = Windows(treated, start, start + WORKS, np.full(len(treated), YEARS * DAYS))
    places = Places(known, until, YEARS * DAYS, float(YEARS))
    return Town(places, where[stays], day[stays], windows, truth)


def measure(town: Town, _: np.random.Generator) -> dict[str, float]:
    """Study a town, and hold what is found against what is true."""
    windows, n = town.windows, len(town.places.until)
    groups = csr_array(np.vstack([np.ones((1, len(windows.place))), np.eye(len(windows.place))]))
    untreated = describe_untreated(town.places, town.where, town.day)
    expected = expected_without(untreated, windows, groups)
    since = np.full(n, YEARS * DAYS)
    since[windows.place] = windows.after_start
    after = groups @ np.bincount(town.where[town.day >= since[town.where]], minlength=n)[windows.place]
    early = town.day < np.asarray(town.places.until)[town.where]
    before = groups @ np.bincount(town.where[early], minlength=n)[windows.place]
    found = index_of_effectiveness(after, expected["expected"], expected["variance"])
    held = (found["index_low"] <= town.truth) & (town.truth <= found["index_high"])
    times = (windows.after_end - windows.after_start).sum() / windows.before_end.sum()
    naive = ratio_of_rates(after[:1], before[:1], np.array([times]))["naive"].iloc[0]
    return {
        "index": found["index"].iloc[0] / town.truth,
        "held": held.iloc[0],
        "above": found["index_low"].iloc[0] > town.truth,
        "held by place": held[found["index"].notna()].iloc[1:].mean(),
        "naive": naive,
        "after": after[0],
        "expected": expected["expected"].iloc[0],
        "known": found["index"].notna().iloc[0],
    }


def scenarios() -> Sets[Town]:
    """Name the sets, all of which get the draws that are asked for; small networks, which take less time, twice."""
    chosen: tuple[Chosen, ...] = ("count", "rate", "chance")
    sets: dict[str, tuple[partial[Town], int]] = {}
    for n, level, words, share in (
        (1000, 1.5, "", 100),
        (200, 1.5, ", small network", 200),
        (1000, 0.15, ", few collisions", 100),
    ):
        for by in chosen:
            for truth in (1.0, 0.7):
                for own in ("gamma", "log-normal"):
                    draw = partial(simulate, n=n, chosen=by, truth=truth, own=own, level=level)
                    sets[f"chosen by {by}, truth {truth}, {own}{words}"] = (draw, share)
    return sets


def _row(name: str, found: pd.DataFrame) -> dict[str, object]:
    """Sum up the draws of one set."""
    told = found[found["known"] == 1]
    mean, error = told.mean(), told["index"].std() / np.sqrt(max(len(told), 1))
    return {
        "set": name,
        "draws": len(found),
        "known": f"{found['known'].mean():.0%}",
        "after": float(mean["after"]),
        "expected": float(mean["expected"]),
        "index over truth": f"{mean['index']:.3f} (+/- {1.96 * error:.3f})",
        "held": f"{mean['held']:.1%}",
        "truth below": f"{mean['above']:.1%}",
        "held by place": f"{mean['held by place']:.1%}",
        "naive": f"{mean['naive']:.2f}",
    }


def main() -> None:
    """Measure every set and print one line for each."""
    measure_sets("before_after", "sets", scenarios, measure, _row)


if __name__ == "__main__":
    main()
