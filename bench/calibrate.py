"""How often the tests of types are wrong, and how often they find what is there.

    .venv/bin/python bench/calibrate.py [--draws 100] [--first 0] [--only WORDS ...] [--on NETWORK ...]
        [--minutes M] [--go-on]
    .venv/bin/python bench/calibrate.py --whole

Collisions are drawn on road plans of the demo town (five layouts of each kind but ``town``) and, where
``ROADPRINT_DATA`` names the folder of it, on parts of a real city, with nothing there (every type has the same risk as
other roads beside it) or with one form of twice the rate. Beside what each scenario says, segments have a chance of
their own (gamma of the demo town's shape); where collisions are even, nothing varies, and they are placed as those of
a city are. Each draw makes the table of `cluster_tests`, without moved maps, as ``q_value`` needs none.

Told are, with exact 95 % intervals: the share of draws in which any q is below 0.05; how often a form of twice the rate
gets one; how often intervals of `ratio_adjusted` hold the truth, by comparison, of KSI, and of the type for which they
do so least often.

With ``--whole`` the whole table of tests of 25,000 segments is timed, with all outcomes, moved maps and traffic.

Tables are printed, and JSON is written under bench/results/; ``--show`` prints what is there. All of 100 draws take one
core an hour or two: ``--minutes 5 --go-on`` makes them in pieces, as does ``--only``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from calibration.judging import add_up, judge, overview, row_of
from calibration.networks import REAL, Network, drawn, real, real_is_there
from calibration.scenarios import SCENARIOS, draw
from calibration.whole import large_city, seconds_of_tests
from results import RESULTS, save, table

from geo.demo.plans import NAMES
from geo.safety.comparison.inference import cluster_tests

BATCH = 10
"""Draws that are made at a time of each scenario on each network."""
WHOLE = "25,000 segments"
LAYOUTS = 5
"""Road plans of each kind, and parts of the real city, that draws go through in turn."""


def network_for(name: str, seed: int) -> Network:
    """Give the network of a draw."""
    return real(seed % LAYOUTS) if name == REAL else drawn(name, 1 + seed % LAYOUTS)


def examine(scenario: str, network: str, draws: range) -> tuple[dict[str, list[float]], float]:
    """Make the table of tests of each draw; gives counts (`judge`) and the seconds of a core that the tables took."""
    counts, seconds = [], 0.0
    for seed in draws:
        one = draw(SCENARIOS[scenario], network_for(network, seed), seed)
        start = time.process_time()
        found = cluster_tests(one.frame, ("n_collisions", "n_ksi"), permutations=0, seed=seed)
        seconds += time.process_time() - start
        counts.append(judge(found, one.doubled))
    return add_up(counts), seconds


def go_through(record: dict[str, Any], cells: Sequence[tuple[str, str]], asked: argparse.Namespace) -> None:
    """Draw for each scenario and network, some at a time, until all have what is asked for or the time is over."""
    end = time.perf_counter() + 60 * asked.minutes
    made = {f"{scenario} | {network}": (scenario, network) for scenario, network in cells}
    for key in made:
        if not asked.go_on or key not in record:
            record[key] = {"first": asked.first, "draws": 0, "seconds": 0.0, "counts": {}}
    while any(record[key]["draws"] < asked.draws for key in made):
        for key, (scenario, network) in made.items():
            cell = record[key]
            if time.perf_counter() > end:
                return
            start = cell["first"] + cell["draws"]
            some = min(BATCH, asked.draws - cell["draws"])
            if some > 0:
                counts, seconds = examine(scenario, network, range(start, start + some))
                cell["counts"] = add_up([cell["counts"], counts])
                cell["draws"] += some
                cell["seconds"] = round(cell["seconds"] + seconds, 2)
                save("calibrate", record)


def main() -> None:
    """Run scenarios on networks, and write down what they gave."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=100, help="of each scenario on each network")
    parser.add_argument("--first", type=int, default=0, help="seed of the first draw")
    parser.add_argument("--go-on", action="store_true", help="add to what is there; else begin anew")
    parser.add_argument("--minutes", type=float, default=np.inf, help="stop after so many, whatever is made")
    parser.add_argument(
        "--only", nargs="*", default=[""], help="scenarios whose names hold one of these words"
    )
    parser.add_argument("--show", action="store_true", help="print what was made before, and draw nothing")
    parser.add_argument("--whole", action="store_true", help="time the tests of 25,000 segments, and no more")
    parser.add_argument("--on", nargs="*", choices=[*NAMES, REAL], default=[*NAMES, REAL])
    asked = parser.parse_args()
    path = RESULTS / "calibrate.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    if asked.whole:
        record[WHOLE] = seconds_of_tests(large_city())
        save("calibrate", record)
        print(table([{"what": name, **value} for name, value in record[WHOLE].items()]))
        return
    if REAL in asked.on and not real_is_there():
        print(f"{REAL}: skipped, no boston/roads in the folder that ROADPRINT_DATA names\n")
        asked.on.remove(REAL)
    names = [name for name in SCENARIOS if any(word in name for word in asked.only)]
    cells = [(scenario, network) for scenario in names for network in asked.on]
    if not asked.show:
        go_through(record, cells, asked)
    made = {cell: record.get(" | ".join(cell)) for cell in cells}
    rows = [row_of(*cell, counts) for cell, counts in made.items() if counts and counts["draws"]]
    if rows:
        print(table(rows), end="\n\n")
        print(table(overview(record, names, asked.on)))


if __name__ == "__main__":
    main()
