"""How long the tests of a large city take: towns of every plan side by side, with all that a stage is given."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from calibration.networks import N_YEARS, drawn
from calibration.scenarios import SCENARIOS, draw
from geo.config import ROAD_USERS, Safety
from geo.demo.layout import SIZE_M
from geo.demo.plans import NAMES
from geo.safety.comparison.compared import compare_types
from geo.safety.comparison.heldout import Periods

SEGMENTS = 25_000
GROUPINGS = 20
"""Other groupings of the same segments, as bootstrap partitions are, with a tenth of the segments in other types."""
LATE = 2
"""Years that are held out."""
SHARES = {"n_fatal": 0.015, "n_serious": 0.185, "n_slight": 0.8}
FORMS = 7


def large_city(segments: int = SEGMENTS) -> pd.DataFrame:
    """Lay towns side by side until there are so many segments; half of them have known traffic."""
    parts, count = [], 0
    while count < segments:
        number = len(parts)
        town = drawn(NAMES[number % len(NAMES)], 1 + number // len(NAMES) % 5)
        frame = draw(SCENARIOS["shared risk, variance 0.3, range 300 m"], town, number).frame
        side = int(np.sqrt(number))
        # towns fill a square ring by ring, so that the city is about as wide as it is high
        place = number - side**2
        east, north = (side, place) if place <= side else (2 * side - place, side)
        frame["x"] += east * SIZE_M
        frame["y"] += north * SIZE_M
        parts.append(frame.set_index(frame.index + f"-{number}"))
        count += len(frame)
    city = pd.concat(parts).iloc[:segments]
    rng = np.random.default_rng(1)
    city[list(SHARES)] = rng.multinomial(city["n_collisions"], list(SHARES.values()))
    city["n_ksi"] = city["n_fatal"] + city["n_serious"]
    for user in ROAD_USERS:
        city[f"n_{user}_collisions"] = rng.binomial(city["n_collisions"], 0.15)
    traffic = np.exp(rng.normal(8, 1, len(city)))
    return city.assign(aadt=np.where(rng.random(len(city)) < 0.5, traffic, np.nan))


def seconds_of_tests(city: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Measure the whole table of tests, as a run makes it with what it is set to, without and with groupings."""
    rng = np.random.default_rng(2)
    counts = city.filter(regex="^n_")
    late = pd.DataFrame(rng.binomial(counts, LATE / N_YEARS), counts.index, counts.columns)
    periods = Periods(counts - late, late, N_YEARS - float(LATE), float(LATE))
    others = pd.DataFrame(
        {
            number: city["cluster"].where(
                rng.random(len(city)) > 0.1, pd.Series(rng.integers(1, FORMS + 1, len(city)), city.index)
            )
            for number in range(GROUPINGS)
        },
        index=city.index,
    )
    told = {}
    for name, groupings in (("tests", None), (f"tests over {GROUPINGS} groupings", others)):
        start, work = time.perf_counter(), time.process_time()
        compare_types(city, periods, permutations=Safety().permutations, seed=0, groupings=groupings)
        told[name] = {
            "seconds": round(time.perf_counter() - start, 1),
            "of a core": round(time.process_time() - work, 1),
        }
    return told
