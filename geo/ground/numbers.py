"""Numbers of classes of ground that were found last from run to run, and merged classes are one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.clusters.found.numbers import lasting
from geo.ground.contract import UNKNOWN, Classes, GroundClass
from geo.ground.names import NamedClass, found_class
from geo.outputs.names import merges_of

LEVELS = 256
"""How many values a map of classes holds."""
Counts = NDArray[np.int64]


def shared_ground(now: Classes, earlier: Classes) -> Counts:
    """Count places by class (rows) and by class of an earlier run (columns), ``(256, 256)``; what neither knows too."""
    both = now.ravel().astype(np.int64) * LEVELS + earlier.ravel()
    return np.bincount(both, minlength=LEVELS**2).reshape(LEVELS, LEVELS)


def keep_class_numbers(
    classes: Sequence[int],
    shared: Sequence[Counts],
    reserved: Collection[int] = (),
) -> dict[int, int]:
    """Give classes the numbers of earlier runs, as far as they are the same on the ground that both know.

    Parameters
    ----------
    classes
        Numbers of the classes as they were found.
    shared
        What they have in common with those of earlier runs (`shared_ground`): the newest run first, then those that
        have reserved numbers which no newer one has.
    reserved
        Numbers that mean something to the analyst.

    Returns
    -------
    The lasting number of each class; see `geo.clusters.found.numbers.lasting`.
    """
    newest, *older = shared or [np.zeros((LEVELS, LEVELS), dtype=np.int64)]
    missing = set(reserved) - set(np.flatnonzero(newest.any(axis=0)).tolist())

    def in_common(counts: Counts, among: Collection[int]) -> Callable[[Collection[int]], pd.DataFrame]:
        rows = [one for one in classes if counts[one, 1:].any()]

        def without(taken: Collection[int]) -> pd.DataFrame:
            columns = sorted(set(among) - {UNKNOWN, *taken})
            return pd.DataFrame(counts[np.ix_(rows, columns)], index=rows, columns=columns)

        return without

    runs = [*(in_common(one, missing) for one in older), in_common(newest, range(LEVELS))]
    return lasting(classes, runs, reserved)


def renumbered(numbers: Mapping[int, int], names: Mapping[int, NamedClass]) -> Classes:
    """Say what each number of a map becomes: a class's lasting one, or that of the class that it is merged into."""
    merged = merges_of(names)
    table = np.zeros(LEVELS, dtype=np.uint8)
    for number, lasts in numbers.items():
        table[number] = merged.get(lasts, lasts)
    return table


def with_numbers(classes: Sequence[GroundClass], table: Classes) -> tuple[GroundClass, ...]:
    """Give classes that were found the numbers of a table (`renumbered`), those that become one as one, by number.

    What is said of classes in words is said of their numbers; of those that become one, of each.
    """
    shares: dict[int, float] = {}
    words: dict[int, list[str]] = {}
    for one in classes:
        number = int(table[one.number])
        shares[number] = shares.get(number, 0.0) + (one.share or 0.0)
        words.setdefault(number, []).extend([one.words] if one.words else [])
    return tuple(
        found_class(number, share, "; ".join(words[number])) for number, share in sorted(shares.items())
    )
