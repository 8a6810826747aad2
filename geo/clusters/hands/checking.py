"""Whether what an analyst says can hold, before it is written: by what a run makes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd

from geo.clusters.hands.constraints import NO_LOOK, asked
from geo.clusters.hands.corrections import IS, IS_NOT, LATER, LIKE, UNLIKE, Correction, in_order
from geo.clusters.hands.placing import placed
from geo.errors import ChangedError, WordError
from geo.outputs.names import Named, merges_of, ring

AGAINST = {IS: IS_NOT, IS_NOT: IS, LIKE: UNLIKE, UNLIKE: LIKE}
"""What says the opposite of the same."""


@dataclass(frozen=True, slots=True)
class Known:
    """What words are said of.

    Attributes
    ----------
    roads
        ``segment_id`` and LineStrings of all segments, in the city's CRS (metres).
    ids
        Segments that have a look, and so a type.
    found
        Numbers of the types that were found.
    """

    roads: gpd.GeoDataFrame
    ids: Collection[str]
    found: Collection[int]


def outcomes(corrections: Sequence[Correction], known: Known, names: Mapping[int, Named]) -> list[str]:
    """Say of each correction why it does not hold, as far as words alone decide it; empty: it does.

    Parameters
    ----------
    corrections
        In the order in which they were said.
    known
        What they tell of.
    names
        Rows of ``clusters.csv`` by their number, which say what types are merged.
    """
    segments = placed(corrections, known.roads)
    return asked(corrections, segments, known.ids, known.found, merges_of(names)).why


def numbers_of(corrections: Sequence[Correction], known: Known, names: Mapping[int, Named]) -> set[int]:
    """Give the numbers of all types: those that were found, those that were made by hand, and what they become."""
    made = {one.type for one in corrections if one.says == IS}
    return {int(number) for number in known.found} | made | set(merges_of(names).values())


def check_words(
    new: Sequence[Correction],
    standing: Sequence[Correction],
    known: Known,
    names: Mapping[int, Named],
    *,
    makes: bool = False,
    instead: bool = False,
) -> None:
    """Refuse words that cannot hold, or that others would not hold beside.

    Parameters
    ----------
    new
        What is to be said, all of one analyst.
    standing
        What has been said.
    known, names
        As of `outcomes`.
    makes
        Whether a number that no type has makes one.
    instead
        Whether words that do not hold any more are given up. One's own change of mind about the same is always taken.

    Raises
    ------
    WordError
        When a segment has no look, there is no such type, or it cannot hold.
    ChangedError
        When words that have held would not hold any more: with the words that stand.
    """
    known_types = numbers_of(standing, known, names)
    for one in new:
        if one.says in {IS, IS_NOT} and one.type not in known_types and not makes:
            raise WordError(
                f"there is no type {one.type}",
                where=f"segment {one.segment_id}",
                todo="Take one of the list, or make a type of segments.",
            )
    before = dict(zip(map(id, standing), outcomes(standing, known, names), strict=True))
    rows = in_order([*standing, *new])
    after = dict(zip(map(id, rows), outcomes(rows, known, names), strict=True))
    for one in new:
        _check_holds(one, after[id(one)])
    fallen = [one for one in standing if after[id(one)] and not before[id(one)]]
    by = {one.by for one in new}
    given_up = [one for one in fallen if instead or (after[id(one)] == LATER and _own(one, new, by))]
    against = [one for one in fallen if one not in given_up]
    if against:
        raise ChangedError(
            f"it contradicts what stands: {'; '.join(map(in_words, against[:3]))}",
            where=f"segment {new[0].segment_id}",
            todo="Say it in its place, or leave it.",
        )


def _own(fallen: Correction, new: Sequence[Correction], by: Collection[str]) -> bool:
    """Tell a change of one's mind about the type of a segment from a word against another."""
    opposite = any(one.says == AGAINST[fallen.says] and one.value == fallen.value for one in new)
    return fallen.by in by and not opposite


def _check_holds(one: Correction, why: str) -> None:
    """Refuse a word that does not hold."""
    if not why:
        return
    told = {
        NO_LOOK: "no imagery shows it, so it has no type to correct",
        LATER: "a word of a later time takes its place",
    }
    raise WordError(
        told.get(why, why),
        where=f"segment {one.segment_id}",
        todo="See that the clock of this computer is right, or correct corrections.csv."
        if why == LATER
        else "",
    )


def in_words(one: Correction) -> str:
    """Write a word out.

    Examples
    --------
    >>> in_words(Correction(segment_id="ab", says="is not", value="3", by="ada"))
    'ada: ab is not a type 3'
    """
    of_type = one.says in {IS, IS_NOT}
    what = f"{one.says} a type {one.value}" if of_type else f"is {one.says} {one.value}"
    return f"{one.by or 'somebody'}: {one.segment_id or 'the segment at its place'} {what}"


def check_merge(
    cluster: int,
    into: int | None,
    standing: Sequence[Correction],
    known: Known,
    names: Mapping[int, Named],
) -> None:
    """Refuse to make types one that cannot be, and to part them where words of single segments rest on it.

    Parameters
    ----------
    cluster, into
        The type, and the one that it is to be part of; None: it is to be one of its own.
    standing, known, names
        As of `check_words`.

    Raises
    ------
    WordError
        When there is no such type, or it would be part of itself, at once or by way of others.
    ChangedError
        When words of single segments would not hold any more.
    """
    where = f"type {cluster}"
    numbers = numbers_of(standing, known, names) | set(names)
    missing = [number for number in (cluster, into) if number is not None and number not in numbers]
    if missing:
        raise WordError(f"there is no type {missing[0]}", where=where, todo="Take one of the list.")
    one = names.get(cluster) or Named(cluster=cluster)
    then = {**names, cluster: one.model_copy(update={"merged_into": into})}
    if cluster in ring(then):
        itself = cluster == into
        raise WordError(
            "a type cannot be part of itself" if itself else f"type {into} is part of type {cluster} already",
            where=where,
            todo="" if itself else "Make that one a type of its own again first.",
        )
    pairs = zip(standing, outcomes(standing, known, names), outcomes(standing, known, then), strict=True)
    fallen = [
        word
        for word, before, after in pairs
        if after and not before and not (after == LATER and _said_twice(word, standing))
    ]
    if fallen:
        raise ChangedError(
            f"words of single segments would not hold any more: {'; '.join(map(in_words, fallen[:3]))}",
            where=where,
            todo="Take these back first.",
        )


def _said_twice(one: Correction, standing: Sequence[Correction]) -> bool:
    """Tell a word that says what another one says as well, once both types are one."""
    return any(
        other is not one and (other.segment_id, other.says) == (one.segment_id, one.says)
        for other in standing
    )
