"""Which numbers classes of ground have in a run: those of an earlier one, and merged ones are one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geo.ground.names import FILE
from geo.ground.registry import way_of
from tasks.plan import Plan

if TYPE_CHECKING:
    import pyproj

    from geo.ground.contract import Classes, Classifier, GroundClass
    from geo.ground.numbers import Counts
    from geo.ground.raster import MapGrid
    from geo.ground.shares import Places

BY_SIZE = (
    f"{FILE} tells of classes of ground by their numbers, and no earlier run says which had which (there is none, or "
    "clusters.keep_numbers is off): numbers are by size, and what was said may be of other classes"
)


@dataclass(frozen=True, slots=True)
class Final:
    """Classes as a run shows them.

    Attributes
    ----------
    classes
        By their number in the run.
    lasting
        The number of each class that was found, before any are made one; empty where none are found.
    alone, merged
        What each number of a shard's map becomes before and after classes are made one, ``(256,)``.
    warnings
        What is told of the numbers at the end of the run.
    """

    classes: tuple[GroundClass, ...]
    lasting: dict[int, int]
    alone: Classes
    merged: Classes
    warnings: tuple[str, ...] = ()

    def maps(self, shards: list[Path]) -> Iterator[tuple[Places, Classes]]:
        """Read the maps of shards, one piece at a time, with the numbers of the run."""
        from tasks.shards.map_ground import read_maps

        return ((place, self.merged[numbers]) for place, numbers in read_maps(shards))


def final_classes(
    plan: Plan, classifier: Classifier, shards: list[Path], grid: MapGrid | None, crs: pyproj.CRS
) -> Final:
    """Give classes that were found the numbers of an earlier run, as far as they are the same, and make some one.

    Parameters
    ----------
    plan
        Of the run.
    classifier
        What told the classes of the shards.
    shards
        Files of the pieces of the map.
    grid, crs
        Its grid; None: no chip has data.
    """
    from geo.ground.numbers import LEVELS, keep_class_numbers, renumbered, with_numbers

    if not way_of(plan.config.ground).finds:
        same = np.arange(LEVELS, dtype=np.uint8)
        return Final(classifier.classes, {}, same, same)
    found = [one.number for one in classifier.classes]
    names, numbers = plan.ground.names, plan.ground.numbers
    told: tuple[str, ...] = ()
    if set(plan.ground.kept) == set(found):
        lasting = plan.ground.kept
    elif numbers is None or numbers.shown is None or grid is None:
        lasting = keep_class_numbers(found, [])
        told = (BY_SIZE,) if any(one.edited for one in names.values()) else ()
    else:
        earlier = [_shared(file, shards, grid, crs) for file in (numbers.shown, *numbers.older)]
        lasting = keep_class_numbers(found, earlier, numbers.reserved)
    merged = renumbered(lasting, names)
    return Final(with_numbers(classifier.classes, merged), lasting, renumbered(lasting, {}), merged, told)


def _shared(file: Path, shards: list[Path], grid: MapGrid, crs: pyproj.CRS) -> Counts:
    """Count the places of shards by their class and by that of an earlier run's map."""
    from geo.ground.numbers import LEVELS, shared_ground
    from geo.ground.raster import read_on
    from tasks.shards.map_ground import read_maps

    found = np.zeros((LEVELS, LEVELS), dtype=np.int64)
    there = read_on(file, grid, (place for place, _ in read_maps(shards)), crs)
    for (_, numbers), earlier in zip(read_maps(shards), there, strict=True):
        found += shared_ground(numbers, earlier)
    return found
