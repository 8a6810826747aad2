"""What corrections ask of a grouping, taken together: which hold, which are left because later ones say otherwise."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from geo.clusters.hands.corrections import IS, IS_NOT, LATER, LIKE, UNLIKE, Correction

CONTRADICTS = "it contradicts a later line"
NO_LOOK = "its segment has no type: no imagery shows it"
ITSELF = "it names one segment twice"


@dataclass(slots=True)
class Group:
    """Segments that are to be of one type.

    Attributes
    ----------
    members
        Their ids, in the order in which they came.
    fixed
        The type that they are said to be; None: it is for the looks to say.
    not_of
        Types that they are not, by what these become in the end.
    apart
        Ids of segments that are not to be of their type.
    told
        Those that a line named first: they give way to what they are said to be unlike.
    """

    members: list[str]
    fixed: int | None = None
    not_of: set[int] = field(default_factory=set)
    apart: set[str] = field(default_factory=set)
    told: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What holds of corrections.

    Attributes
    ----------
    groups
        Segments with constraints, each in one group, by the smallest id in it.
    why
        Of each correction why it does not hold; empty: it does.
    """

    groups: list[Group]
    why: list[str]


def asked(
    corrections: Sequence[Correction],
    segments: pd.DataFrame,
    ids: Collection[str],
    found: Collection[int],
    merges: Mapping[int, int],
) -> Asked:
    """Take corrections together; of those that cannot hold at once the latest does.

    Parameters
    ----------
    corrections
        In the order in which they were said.
    segments
        Which segments of this run each of them tells of (`geo.clusters.hands.placing.placed`).
    ids
        Segments that have a look, and so a type.
    found
        Numbers of the types that were found.
    merges
        What merged types become (`geo.outputs.names.merges_of`).

    Returns
    -------
    What holds. A merged type and the one that it became part of are the same here; a type that was not found is that
    which it became.
    """
    known, types = set(ids), set(found)
    board = _Board(dict(merges))
    why = [""] * len(corrections)
    seen: set[tuple[object, ...]] = set()
    rows = list(zip(corrections, segments.itertuples(index=False), strict=True))
    for place in reversed(range(len(rows))):
        one, (segment, other, lost) = rows[place]
        if lost:
            why[place] = lost
        elif segment not in known or (other is not None and other not in known):
            why[place] = NO_LOOK
        elif segment == other:
            why[place] = ITSELF
        else:
            keys = _keys(one, segment, other, board)
            why[place] = LATER if keys & seen else board.take(one, segment, other, types)
            seen |= keys
    groups = sorted(board.groups(), key=lambda group: min(group.members))
    return Asked(groups, why)


def _keys(one: Correction, segment: str, other: str | None, board: _Board) -> set[tuple[object, ...]]:
    """Name what a correction decides, so that a later one of the same takes its place."""
    if other is not None:
        return {("two", *sorted([segment, other]))}
    pair = ("of", segment, board.end(one.type))
    return {pair, ("is", segment)} if one.says == IS else {pair}


class _Board:
    """Groups as they grow, from the latest correction to the first."""

    def __init__(self, merges: dict[int, int]) -> None:
        self.merges = merges
        self.of: dict[str, Group] = {}

    def end(self, number: int) -> int:
        """Give what a type becomes."""
        return self.merges.get(number, number)

    def groups(self) -> list[Group]:
        """List the groups, each once."""
        return list({id(group): group for group in self.of.values()}.values())

    def take(self, one: Correction, segment: str, other: str | None, found: set[int]) -> str:
        """Let a correction hold, or say why it does not."""
        mine = self.of.get(segment) or Group([segment])
        if other is None:
            fits = self._of_type(one, mine, found)
        else:
            theirs = self.of.get(other) or Group([other])
            fits = (self._join if one.says == LIKE else self._part)(mine, theirs)
            if fits and one.says == UNLIKE:
                self.of |= dict.fromkeys(theirs.members, theirs)
                mine.told = True
        if not fits:
            return CONTRADICTS
        self.of |= dict.fromkeys(mine.members, mine)
        return ""

    def _of_type(self, one: Correction, mine: Group, found: set[int]) -> bool:
        """Fix a group's type, or forbid it one."""
        number = self.end(one.type)
        fixed = None if mine.fixed is None else self.end(mine.fixed)
        if one.says == IS_NOT:
            if fixed == number:
                return False
            mine.not_of.add(number)
            return True
        apart = {self.end(fixed) for fixed in self._fixed_apart(mine)}
        if fixed not in {None, number} or number in mine.not_of | apart:
            return False
        if mine.fixed is None:
            mine.fixed = one.type if one.type in found else number
        return True

    def _fixed_apart(self, mine: Group) -> list[int]:
        """List types of groups that a group is apart from."""
        fixed = [self.of[name].fixed for name in sorted(mine.apart)]
        return [number for number in fixed if number is not None]

    def _join(self, mine: Group, theirs: Group) -> bool:
        """Make one group of two."""
        if mine is theirs:
            return True
        types = {self.end(group.fixed) for group in (mine, theirs) if group.fixed is not None}
        apart = {self.end(fixed) for group in (mine, theirs) for fixed in self._fixed_apart(group)}
        against = mine.apart & set(theirs.members) or theirs.apart & set(mine.members)
        if len(types) > 1 or against or types & (mine.not_of | theirs.not_of | apart):
            return False
        mine.members += theirs.members
        mine.fixed = theirs.fixed if mine.fixed is None else mine.fixed
        mine.not_of |= theirs.not_of
        mine.apart |= theirs.apart
        mine.told |= theirs.told
        return True

    def _part(self, mine: Group, theirs: Group) -> bool:
        """Keep two groups apart."""
        same = mine.fixed is not None and theirs.fixed is not None
        if mine is theirs or (same and self.end(mine.fixed or 0) == self.end(theirs.fixed or 0)):
            return False
        mine.apart |= set(theirs.members)
        theirs.apart |= set(mine.members)
        return True
