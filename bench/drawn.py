"""Sets whose truth is known, each drawn many times and measured: what benches of expected counts share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import numpy as np
import pandas as pd
from results import save, table

Drawn = TypeVar("Drawn")
Sets: TypeAlias = Mapping[str, tuple[Callable[[np.random.Generator], Drawn], int]]
"""How each set is drawn, by its name, and which share (per cent) of the draws that are asked for it gets."""


def measure_sets(
    name: str,
    what: str,
    sets: Callable[[], Sets[Drawn]],
    measure: Callable[[Drawn, np.random.Generator], Mapping[str, float]],
    row: Callable[[str, pd.DataFrame], Mapping[str, Any]],
) -> None:
    """Measure every set that is asked for, print a line for each, and save them under bench/results/.

    A draw of a set has a seed of its own, so that more draws add to fewer, and sets can be run apart.

    Parameters
    ----------
    name, what
        Of the file of results, and of its list.
    sets
        Makes `Sets`.
    measure
        Measures one draw.
    row
        Sums up the draws of a set, a row each, as a line of the table.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--only", default="", help="sets whose names hold this")
    asked = parser.parse_args()
    rows = []
    for number, (one, (draw, share)) in enumerate(sets().items()):
        if asked.only not in one:
            continue
        many = []
        for at in range(max(asked.draws * share // 100, 1)):
            rng = np.random.default_rng([number, at])
            many.append(measure(draw(rng), rng))
        rows.append(row(one, pd.DataFrame(many).astype("float64")))
    print(table(rows))
    save(name, {what: rows})
