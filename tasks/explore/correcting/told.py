"""What was said of types and segments, how it stands, and what the next run makes of it: as the page shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

from geo.clusters.hands.checking import in_words, numbers_of, outcomes
from geo.clusters.hands.corrections import IS, LATER, Correction
from geo.clusters.hands.placing import placed
from geo.outputs.names import MERGED, Named, merges_of
from tasks.explore.correcting.corrected import Corrected, Standing, key_of, said_of
from tasks.explore.correcting.said import version_of
from tasks.explore.correcting.spoken import Spoken, last_of

TAKEN_UP = "taken up"
MOST = 1000
"""So many words are laid out, the newest ones."""
_CALLED = {MERGED: "part of type"}
WAITS, HOLDS, NOT, GONE, CHANGED, STANDS = "waits", "taken up", "does not hold", "gone", "changed", "stands"
"""What became of a word: the next run takes it up; this one did; it does not hold; its line is in the table no more;
somebody has said something else since; it stands."""


def told(corrected: Corrected, by: str) -> dict[str, Any]:
    """Lay out what was said, for the page.

    Parameters
    ----------
    corrected
        The run that it was said of.
    by
        Who asks: whose last word can be taken back.

    Returns
    -------
    ``version``, ``types``, ``said`` (the newest first), ``more`` (how many words of segments are older than these),
    ``next`` (what the next run changes), ``agreement`` and ``undo``.

    Raises
    ------
    WordError
        When the run cannot be corrected.
    SourceError
        When a table cannot be read, naming its line.
    """
    version = corrected.version()
    standing = corrected.standing()
    last = last_of(standing.spoken, by)
    words = _words(corrected, standing)
    return {
        "version": version,
        "types": _types(corrected, standing),
        "said": [*words[:MOST], *_of_types(standing)[:MOST], *_gone(corrected, standing)[:MOST]],
        "more": max(0, len(words) - MOST),
        "next": _next(corrected, standing, words),
        "agreement": corrected.agreement,
        "undo": None
        if last is None
        else {"name": last.name, "what": what_was_said(last), "at": _time(last.at)},
    }


def what_was_said(one: Spoken) -> list[str]:
    """Write out something that was said in the page, a sentence each."""
    rows = [in_words(Correction.model_validate(row)) for row in one.rows]
    types = [
        f"{one.by or 'somebody'}: type {each.cluster}: {_CALLED.get(what, what)} {_cell(each.after[what])}"
        for each in one.of_types
        for what in each.after
        if each.after[what] != each.before[what]
    ]
    return [*types, *rows]


def _cell(cell: object) -> str:
    return "none" if cell in {None, ""} else str(cell)


def _time(at: object) -> str | None:
    return None if at is None else pd.Timestamp(str(at)).isoformat()


def _types(corrected: Corrected, standing: Standing) -> list[dict[str, Any]]:
    """List types: those of the run, those that were merged, and those that were named or made by hand."""
    merges = merges_of(standing.names)
    examples = Counter(one.type for one in standing.corrections if one.says == IS)
    numbers = numbers_of(standing.corrections, corrected.known, standing.names) | set(standing.names)
    here = {int(number) for number in corrected.page.types["cluster"]}
    found = set(corrected.known.found)
    rows = []
    for number in sorted(numbers | here):
        line = standing.names.get(number) or Named(cluster=number)
        rows.append(
            {
                "type": number,
                "name": line.name,
                "color": line.colour or line.plain_colour,
                "note": line.note,
                MERGED: line.merged_into,
                "becomes": merges.get(number, number),
                "seen": version_of(line),
                "found": number in found,
                "here": number in here,
                "segments": corrected.sizes.get(number, 0),
                "examples": examples.get(number, 0),
            }
        )
    return rows


def _words(corrected: Corrected, standing: Standing) -> list[dict[str, Any]]:
    """List what was said of single segments, the newest first."""
    corrections = standing.corrections
    segments = placed(corrections, corrected.known.roads)
    whys = outcomes(corrections, corrected.known, standing.names)
    rows = corrected.rows(segments["segment"].tolist())
    others = corrected.rows(segments["other"].tolist())
    streets = corrected.streets
    told = []
    for one, why, row, other in zip(corrections, whys, rows, others, strict=True):
        key = key_of(one)
        became = corrected.outcomes_then.get(key)
        state = WAITS if became is None else HOLDS if became == TAKEN_UP else NOT
        told.append(
            {
                "key": key,
                "segment": row,
                "street": None if row is None else streets[row],
                "other": other,
                "other_street": None if other is None else streets[other],
                "segment_id": one.segment_id,
                "says": one.says,
                "value": one.value,
                "by": one.by,
                "at": _time(one.at),
                "collisions_in_view": one.collisions_in_view,
                "state": NOT if why else state,
                "why": why or ("" if became in {None, TAKEN_UP} else became),
            }
        )
    return told[::-1]


def _of_types(standing: Standing) -> list[dict[str, Any]]:
    """List what was said of types in the page, the newest first."""
    told, later = [], set()
    for one in reversed(standing.spoken):
        for each in one.of_types:
            line = standing.names.get(each.cluster) or Named(cluster=each.cluster)
            stands = said_of(line) == each.after
            state = STANDS if stands else CHANGED
            told.append(
                {
                    "type": each.cluster,
                    "by": one.by,
                    "at": _time(one.at),
                    "what": {key: value for key, value in each.after.items() if value != each.before[key]},
                    "state": CHANGED if each.cluster in later and not stands else state,
                }
            )
            later.add(each.cluster)
    return told


def _gone(corrected: Corrected, standing: Standing) -> list[dict[str, Any]]:
    """List words that were said in the page, not taken back, and are in the table no more."""
    there = {key_of(one) for one in standing.corrections}
    told = []
    for one in reversed(standing.spoken):
        lost = [row for row in map(Correction.model_validate, one.rows) if key_of(row) not in there]
        rows = corrected.rows([row.segment_id for row in lost])
        told += [
            {
                "name": one.name,
                "segment": row,
                "street": None if row is None else corrected.streets[row],
                "segment_id": word.segment_id,
                "says": word.says,
                "value": word.value,
                "by": word.by,
                "at": _time(word.at),
                "collisions_in_view": word.collisions_in_view,
                "state": GONE,
                "why": "its line was taken out of the table, or another program has written over it",
            }
            for word, row in zip(lost, rows, strict=True)
        ]
    return told


def _next(corrected: Corrected, standing: Standing, words: list[dict[str, Any]]) -> dict[str, Any]:
    """Say what the next run changes."""
    now, then = standing.names, corrected.names_then
    merges, before = merges_of(now), merges_of(then)
    called = [n for n in {*now, *then} if _called(now, n) != _called(then, n)]
    keys = {one["key"] for one in words}
    return {
        "words": sum(one["state"] == WAITS for one in words),
        "taken_back": sum(
            key not in keys for key, became in corrected.outcomes_then.items() if became != LATER
        ),
        "called": sorted(called),
        "merged": sorted(n for n in merges if merges[n] != before.get(n)),
        "parted": sorted(n for n in before if n not in merges),
        "made": sorted(
            {int(one["value"]) for one in words if one["says"] == IS and one["state"] == WAITS}
            - set(corrected.known.found)
            - {int(number) for number in corrected.page.types["cluster"]}
        ),
    }


def _called(names: Mapping[int, Named], number: int) -> tuple[str, str, str]:
    """Give what a type is called, its colour and note."""
    one = names.get(number) or Named(cluster=number)
    return one.name, one.colour or one.plain_colour, one.note
