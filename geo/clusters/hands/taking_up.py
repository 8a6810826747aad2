"""Types as analysts would have them: what was found, with their words taken up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.clusters.hands.constraints import Asked, Group, asked
from geo.clusters.hands.corrections import IS, LIKE, Correction
from geo.clusters.methods.kind import Fit
from geo.clusters.methods.mending import middles
from geo.clusters.space import Points

Labels = NDArray[np.int64]
FOUND, CORRECTED, MADE, MERGED = "found", "corrected", "made", "merged"
SOURCES = (FOUND, CORRECTED, MADE, MERGED)
ROUNDS = 20
"""Centroids move no more often than this."""
NO_TYPE = "no type is left that it allows"


@dataclass(frozen=True, slots=True)
class Hands:
    """What analysts say of types.

    Attributes
    ----------
    corrections
        In the order in which they were said.
    segments
        Which segments each tells of (`geo.clusters.hands.placing.placed`).
    merges
        What merged types become, by their number (`geo.outputs.names.merges_of`).
    numbering
        What gives found types the numbers that they had before, in which all of this is said, from ``segment_id`` and
        ``cluster``; None: they have those by size.
    """

    corrections: Sequence[Correction] = ()
    segments: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["segment", "other", "why"]))
    merges: Mapping[int, int] = field(default_factory=dict)
    numbering: Callable[[pd.DataFrame], Mapping[int, int]] | None = None


NO_HANDS = Hands()


@dataclass(frozen=True, slots=True)
class TakenUp:
    """Types with what analysts said of them.

    Attributes
    ----------
    labels
        Type of each segment in the end, ``(n,)``.
    source
        Where it is from, one of `SOURCES`, ``(n,)``: it was `FOUND`; an analyst gave it, and another one was found
        (`CORRECTED`); it is one that an analyst made by examples (`MADE`); or it was found, and made one with others
        (`MERGED`).
    looked_at, stood
        How many segments analysts spoke of, and of how many of these the type is what was found.
    made
        Number of examples of each type that was made.
    merged
        Found types that are one, by the number that they have.
    why
        Of each correction why it was not taken up; empty: it was.
    in_view
        How many that were taken up were said with collisions in view.
    """

    labels: Labels
    source: NDArray[np.object_]
    looked_at: int
    stood: int
    made: dict[int, int]
    merged: dict[int, list[int]]
    why: list[str]
    in_view: int

    def as_dict(self) -> dict[str, Any]:
        """Give what is kept of it, in figures."""
        counts = {source: int((self.source == source).sum()) for source in SOURCES}
        taken = sum(not one for one in self.why)
        return counts | {
            "said": len(self.why),
            "taken_up": taken,
            "looked_at": self.looked_at,
            "stood": self.stood,
            "made_of": self.made,
            "merged_of": self.merged,
            "in_view": self.in_view,
        }


def take_up(points: Points, labels: Labels, ids: pd.Index, hands: Hands) -> TakenUp:
    """Take up what analysts say: k-means that starts from their examples, under their constraints, then merges.

    As in seeded k-means (Basu, Banerjee and Mooney 2002, ICML, 27-34) segments that are said to be of a type stay with
    it, and those of a type that was not found are its examples, about whose middle it is sought elsewhere; as in
    COP-k-means (Wagstaff, Cardie, Rogers and Schroedl 2001, ICML, 577-584) segments that are alike go together, and
    those that are not go apart, one group after the other, to the nearest type that is allowed. A segment that nobody
    spoke of keeps the type that was found, unless one that was made is nearer. Middles move until nothing changes, at
    most `ROUNDS` times.

    Parameters
    ----------
    points
        Where the segments lie in the space that types were found in, ``(n, components)``.
    labels
        The types that were found, in their lasting numbers, ``(n,)``.
    ids
        ``segment_id`` of each.
    hands
        What analysts say.

    Examples
    --------
    Two types; an analyst makes a third one of one segment, and it is found again where another one looks like it:

    >>> points = np.array([[0.0], [0.1], [0.6], [0.62], [2.0], [2.1]])
    >>> said = [Correction(segment_id="c", says="is", value="7")]
    >>> segments = pd.DataFrame({"segment": ["c"], "other": [None], "why": [""]})
    >>> taken = take_up(points, np.array([1, 1, 1, 1, 2, 2]), pd.Index(list("abcdef")), Hands(said, segments))
    >>> taken.labels.tolist(), taken.source.tolist()[1:4], taken.made
    ([1, 1, 7, 7, 2, 2], ['found', 'made', 'made'], {7: 1})
    """
    merges, found = dict(hands.merges), np.unique(labels)
    wanted = asked(hands.corrections, hands.segments, ids, found.tolist(), merges)
    seeds: dict[int, int] = {}
    for group in wanted.groups:
        if group.fixed is not None and group.fixed not in found:
            seeds[group.fixed] = seeds.get(group.fixed, 0) + len(group.members)
    numbers = np.union1d(found, np.array(sorted(seeds), dtype=np.int64))
    raw = _grouped(points, labels, numbers, _rows(wanted, ids), merges)
    becomes = np.array([merges.get(int(number), int(number)) for number in numbers], dtype=np.int64)
    final, then = (becomes[np.searchsorted(numbers, one)] for one in (raw, labels))
    merged = _merged(found, merges)
    made = np.isin(raw, list(seeds))
    source = np.select(
        [made, final != then, np.isin(final, list(merged))], [MADE, CORRECTED, MERGED], FOUND
    ).astype(object)
    why = _checked(hands, wanted.why, dict(zip(ids, final.tolist(), strict=True)), merges)
    told = hands.segments[np.array([not one for one in why], dtype=bool)]
    spoken = ids.isin(pd.concat([told["segment"], told["other"]]).dropna())
    stood = spoken & (final == then) & ~made
    in_view = sum(
        one.collisions_in_view is True and not w for one, w in zip(hands.corrections, why, strict=True)
    )
    return TakenUp(final, source, int(spoken.sum()), int(stood.sum()), seeds, merged, why, in_view)


def _merged(found: Labels, merges: Mapping[int, int]) -> dict[int, list[int]]:
    """List which of the found types each merged one is made of."""
    parts: dict[int, list[int]] = {}
    for number in found.tolist():
        parts.setdefault(merges.get(number, number), []).append(number)
    return {number: of for number, of in parts.items() if of != [number]}


@dataclass(frozen=True, slots=True)
class _Rows:
    """A group by the rows of its members, and by the places of the groups that it is apart from."""

    rows: NDArray[np.int64]
    fixed: int | None
    not_of: frozenset[int]
    apart: frozenset[int]


def _rows(wanted: Asked, ids: pd.Index) -> list[_Rows]:
    """Lay groups out in the order in which they choose: fixed ones, then those that others are held against."""

    def turn(group: Group) -> tuple[bool, bool, str]:
        return group.fixed is None, group.told, min(group.members)

    ordered = sorted(wanted.groups, key=turn)
    place = {name: number for number, group in enumerate(ordered) for name in group.members}
    return [
        _Rows(
            np.sort(ids.get_indexer(pd.Index(group.members))),
            group.fixed,
            frozenset(group.not_of),
            frozenset(place[name] for name in group.apart),
        )
        for group in ordered
    ]


def _grouped(
    points: Points, labels: Labels, numbers: Labels, groups: Sequence[_Rows], merges: Mapping[int, int]
) -> Labels:
    """Let centroids and labels follow each other; see `take_up`. Labels are numbers before merges."""
    now = labels.copy()
    for group in groups:
        if group.fixed is not None:
            now[group.rows] = group.fixed
    if not groups:
        return now
    ends = np.array([merges.get(number, number) for number in numbers.tolist()])
    made = ~np.isin(numbers, labels)
    free = np.ones(len(labels), dtype=bool)
    free[np.concatenate([group.rows for group in groups])] = False
    centres = np.zeros((len(numbers), points.shape[1]))
    own = np.searchsorted(numbers, labels)
    for _ in range(ROUNDS):
        before = now.copy()
        moved = middles(points, np.searchsorted(numbers, now), len(numbers))
        # one without segments stays where it was
        centres = np.where(np.isnan(moved), centres, moved)
        distances = Fit(own, centres).distances(points)
        plain = labels.copy()
        if made.any():
            best = np.where(made, distances, np.inf).argmin(axis=1)
            row = np.arange(len(labels))
            plain = np.where(distances[row, best] < distances[row, own], numbers[best], labels)
        now = np.where(free, plain, now)
        _choose(now, plain, distances**2, numbers, ends, groups)
        if (now == before).all():
            break
    return now


def _choose(
    now: Labels,
    plain: Labels,
    squares: NDArray[np.float64],
    numbers: Labels,
    ends: Labels,
    groups: Sequence[_Rows],
) -> None:
    """Let groups choose one after the other: the type that all have already, or the nearest that is allowed."""
    taken: dict[int, int] = {}
    for place, group in enumerate(groups):
        if group.fixed is None:
            others = {taken[other] for other in group.apart if other in taken}
            costs = squares[group.rows].sum(axis=0)
            # types that nothing forbids, else those that segments are not to share, else all: what fails is told
            for forbidden in (group.not_of | others, group.not_of, frozenset[int]()):
                allowed = ~np.isin(ends, list(forbidden))
                if allowed.any():
                    break
            has = np.unique(plain[group.rows])
            keeps = len(has) == 1 and bool(allowed[numbers == has[0]].all())
            now[group.rows] = has[0] if keeps else numbers[np.where(allowed, costs, np.inf).argmin()]
        taken[place] = int(ends[numbers == now[group.rows[0]]][0])


def _checked(
    hands: Hands, why: Sequence[str], final: Mapping[object, int], merges: Mapping[int, int]
) -> list[str]:
    """Say of corrections that should hold whether they do."""
    told = list(why)
    for place, (one, row) in enumerate(
        zip(hands.corrections, hands.segments.itertuples(index=False), strict=True)
    ):
        if told[place]:
            continue
        mine = final[row.segment]
        other = final[row.other] if row.other is not None else merges.get(one.type, one.type)
        if (mine == other) != (one.says in {IS, LIKE}):
            told[place] = NO_TYPE
    return told
