"""What counts as one thing, settled on labelled ground; and how well that is counted at places left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from geo.ground.things.peaks import Evidence, Rule, peaks

BLURS_M = (0.5, 0.75, 1.0, 1.5, 2.5)
APARTS_M = (1.25, 1.75, 2.5, 4.0, 6.0, 10.0)
LEASTS = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
FARTHEST = 4.0
"""Blurs of a far smaller thing than those that are so far apart are not tried."""
WITHIN_M = 1.0
"""A thing is found where a peak lies on its label, or within this of it (metres)."""
MIN_THINGS, MIN_PLACES = 10, 3
HALF = 0.5
"""Of fewer than this, found or right, no count is made."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Labelled ground on which no thing was left unlabelled, as it is told by what learned nothing from it.

    Attributes
    ----------
    place
        Number of the place.
    evidence
        How likely each place of the map shows a thing, ``(rows, columns)``.
    x, y
        West and north edge (metres, city's CRS).
    place_m
        Side of a place of the map (metres).
    extent
        The ground that was labelled (Polygon).
    things
        A label a thing: points, lines or polygons.
    """

    place: int
    evidence: Evidence
    x: float
    y: float
    place_m: float
    extent: shapely.Geometry
    things: NDArray[np.object_]

    def inner(self) -> NDArray[np.bool_]:
        """Tell the things that the edge of the labelled ground does not cut."""
        edge = shapely.boundary(self.extent)
        whole = shapely.covers(self.extent, self.things)
        return np.asarray(whole & (shapely.distance(self.things, edge) > WITHIN_M))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many things are labelled, are found, and are found rightly; tallies add up."""

    labelled: int = 0
    found: int = 0
    right: int = 0
    recalled: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Add what was counted elsewhere."""
        return Tally(
            self.labelled + other.labelled,
            self.found + other.found,
            self.right + other.right,
            self.recalled + other.recalled,
        )

    @property
    def precision(self) -> float:
        """Share of what is found that is right."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of what is labelled that is found."""
        return self.recalled / self.labelled if self.labelled else 0.0

    @property
    def both(self) -> float:
        """Harmonic mean of precision and recall, F1 (van Rijsbergen 1979, Information Retrieval, chapter 7)."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Count:
    """How things of a class are counted, and how well.

    Attributes
    ----------
    rule
        What counts as one; None: they are not counted.
    tally
        At places left out, with what the others settled.
    why
        Why they are not counted.
    """

    rule: Rule | None
    tally: Tally
    why: str = ""


def tally(found: NDArray[np.object_], ground: Ground) -> Tally:
    """Compare what is found on labelled ground with the labels, each with one at most.

    The most pairs that there can be are made (Hopcroft and Karp 1973). Labels that the edge cuts, and what is found on
    them, count neither for nor against.

    Parameters
    ----------
    found
        Points (metres).
    ground
        The labels.
    """
    found = found[shapely.intersects(found, ground.extent)]
    inner = ground.inner()
    one, label = shapely.STRtree(ground.things).query(found, predicate="dwithin", distance=WITHIN_M)
    to = np.full(len(found), -1, dtype=np.int64)
    if len(one):
        shape = (len(found), len(ground.things))
        links = coo_array((np.ones(len(one), dtype=np.int8), (one, label)), shape=shape).tocsr()
        to = np.asarray(maximum_bipartite_matching(links, perm_type="column"), dtype=np.int64)
    hit = to >= 0
    cut = np.zeros(len(found), dtype=bool)
    cut[hit] = ~inner[to[hit]]
    right = int((hit & ~cut).sum())
    return Tally(int(inner.sum()), len(found) - int(cut.sum()), right, right)


def points_of(ground: Ground, rule: Rule) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """Find things on labelled ground: Points and scores."""
    rows, columns, scores = peaks(ground.evidence, rule, ground.place_m)
    x, y = (
        ground.x + (columns + HALF) * ground.place_m,
        ground.y - (rows + HALF) * ground.place_m,
    )
    return np.asarray(shapely.points(x, y)).reshape(-1), scores


def judge(grounds: Sequence[Ground]) -> Count:
    """Settle what counts as one thing, and say how well that counts where nothing was settled.

    The rule is that of the largest F1 on all places. For each place, another one is settled on the others, and that is
    what its precision and recall are of.

    Parameters
    ----------
    grounds
        Labelled ground, several of one place or not.
    """
    places = sorted({ground.place for ground in grounds})
    labelled = sum(int(ground.inner().sum()) for ground in grounds)
    shown = len({ground.place for ground in grounds if ground.inner().any()})
    if labelled < MIN_THINGS or shown < MIN_PLACES:
        return Count(
            None,
            Tally(labelled),
            f"{labelled} whole ones are labelled at {shown} places on ground where none was left out, and "
            f"{MIN_THINGS} at {MIN_PLACES} are needed",
        )
    rules, tallies = _tried(grounds)
    place = np.array([ground.place for ground in grounds])
    out = Tally()
    for one in places:
        others = [sum((t for t, p in zip(row, place, strict=True) if p != one), Tally()) for row in tallies]
        best = int(np.argmax([each.both for each in others]))
        out = sum((t for t, p in zip(tallies[best], place, strict=True) if p == one), out)
    best = int(np.argmax([sum(row, Tally()).both for row in tallies]))
    if min(out.precision, out.recall) < HALF:
        return Count(None, out, f"at places left out {said(out)}, and a half of each is needed")
    return Count(rules[best], out)


def said(counted: Tally) -> str:
    """Tell precision and recall to a reader."""
    return f"{counted.precision:.2f} of what is found is right, and {counted.recall:.2f} of {counted.labelled} is found"


def _tried(grounds: Sequence[Ground]) -> tuple[list[Rule], list[list[Tally]]]:
    """Try all rules on all labelled ground: rules, and for each its tallies."""
    rules: list[Rule] = []
    tallies: list[list[Tally]] = []
    for blur, apart in product(BLURS_M, APARTS_M):
        if not blur <= apart <= FARTHEST * blur:
            continue
        found = [points_of(ground, Rule(blur, apart, min(LEASTS))) for ground in grounds]
        for least in LEASTS:
            rules.append(Rule(blur, apart, least))
            pairs = zip(found, grounds, strict=True)
            tallies.append([tally(points[scores >= least], ground) for (points, scores), ground in pairs])
    return rules, tallies
