"""Saying what types are called and which segments are of them, and taking it back: nobody's words are lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from geo.clusters.hands.checking import check_merge, check_words, in_words, numbers_of
from geo.clusters.hands.corrections import COLUMNS, IS, MOST, Correction, Says, read_corrections
from geo.clusters.hands.corrections import FILE as CORRECTIONS
from geo.errors import ChangedError, SourceError, WordError
from geo.faults import plainly
from geo.outputs.names import COLUMNS as OF_TYPES
from geo.outputs.names import FILE as NAMES
from geo.outputs.names import MERGED, Named, read_names, write_names
from geo.sources.by_hand import no_formula, whole
from geo.sources.edited import EditedTable
from tasks.explore.correcting.corrected import Corrected, Standing, key_of, said_of
from tasks.explore.correcting.spoken import Spoken, TypeSaid, keep, last_of
from tasks.store.document import digest
from tasks.store.lock import one_writer

MOST_LETTERS = 80
"""Of the name of who says something."""
IN_VIEW = "collisions_in_view"
SAYABLE = ("name", "colour", "note", MERGED)
"""What can be said of a type."""
_YES_NO = {True: "yes", False: "no", None: ""}


@dataclass(frozen=True, slots=True)
class Word:
    """What is said of a segment.

    Attributes
    ----------
    segment
        Its row.
    says
        One of `geo.clusters.hands.corrections.SAYS`.
    value
        The number of a type, or the row of the other segment.
    """

    segment: int
    says: Says
    value: int


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says something, and whether collisions were in view."""

    by: str
    in_view: bool

    def __post_init__(self) -> None:
        try:
            no_formula(self.by)
        except ValueError as error:
            raise WordError(str(error), where="by", todo="Say who you are in other words.") from error
        if len(self.by) > MOST_LETTERS:
            raise WordError(f"it has more than {MOST_LETTERS} letters", where="by", todo="Say it shorter.")


def say(corrected: Corrected, words: Sequence[Word], speaker: Speaker, *, instead: bool = False) -> Spoken:
    """Say something of single segments.

    Parameters
    ----------
    corrected
        The run that it is said of.
    words, speaker
        What is said, and by whom.
    instead
        Whether it is said in the place of words that would not hold beside it.

    Raises
    ------
    WordError
        When it cannot hold (`geo.clusters.hands.checking.check_words`).
    ChangedError
        When words that stand would not hold any more, or another program writes to the table at this moment.
    SourceError
        When the table cannot be read, naming its line, or not be written.
    BusyError
        When another page, run or program holds it.
    """
    with one_writer(corrected.folder):
        rows = _corrections(corrected, words, speaker)
        return _say(corrected, corrected.standing(), rows, speaker, instead=instead)


def say_again(corrected: Corrected, name: str, speaker: Speaker) -> Spoken:
    """Say again what was said in the page and stands in the table no more, see `say`."""
    with one_writer(corrected.folder):
        standing = corrected.standing()
        there = {key_of(one) for one in standing.corrections}
        told = next((one for one in standing.spoken if one.name == name), None)
        rows = [] if told is None else [Correction.model_validate(row) for row in told.rows]
        lost = [one for one in rows if key_of(one) not in there]
        if not lost:
            raise ChangedError("it stands, or was taken back", where=CORRECTIONS, todo="See the list.")
        now = _now()
        anew = [one.model_copy(update={"by": speaker.by, "at": now}) for one in lost]
        if speaker.in_view:
            anew = [one.model_copy(update={"collisions_in_view": True}) for one in anew]
        return _say(corrected, standing, anew, speaker, makes=True)


def make_type(
    corrected: Corrected, segments: Sequence[int], told: Mapping[str, object], speaker: Speaker
) -> tuple[int, Spoken]:
    """Make a type of segments, by whose look the next run finds it elsewhere.

    Parameters
    ----------
    corrected
        The run that has them.
    segments
        Their rows.
    told
        What the type is called: any of ``name``, ``colour``, ``note``.
    speaker
        Who makes it.

    Returns
    -------
    Its number, above all that were ever said or found here, and what was said.

    Raises
    ------
    WordError, ChangedError, SourceError, BusyError
        As `say` and `call`.
    """
    if not segments:
        raise WordError("a type is made of one segment or more", todo="Choose segments that show it.")
    with one_writer(corrected.folder):
        standing = corrected.standing()
        numbers = numbers_of(standing.corrections, corrected.known, standing.names)
        numbers |= {
            *standing.names,
            *corrected.names_then,
            *(n.cluster for s in standing.spoken for n in s.of_types),
        }
        number = max(numbers, default=0) + 1
        if number > MOST:
            raise WordError(f"there are numbers up to {MOST} alone", todo=f"Make {NAMES} shorter.")
        line = _named(Named(cluster=number), told)
        words = [Word(segment, IS, number) for segment in dict.fromkeys(segments)]
        rows = _corrections(corrected, words, speaker)
        check_words(rows, standing.corrections, corrected.known, standing.names, makes=True, instead=True)
        change = _write_type(corrected, standing, line)
        spoken = Spoken(by=speaker.by, rows=[one.said for one in rows], of_types=[change])
        try:
            _write_rows(corrected, standing, rows)
        except BaseException:
            keep(corrected.folder, spoken.model_copy(update={"rows": []}))
            raise
        keep(corrected.folder, spoken)
    return number, spoken


def call(
    corrected: Corrected, number: int, told: Mapping[str, object], seen: str, speaker: Speaker
) -> Spoken | None:
    """Name a type, give it a colour or a note, make it part of another, or a type of its own again.

    Parameters
    ----------
    corrected
        The run that has it.
    number
        Of the type.
    told
        What is to change, of `SAYABLE`; ``merged_into`` null: it is no part of another any more.
    seen
        Version of its line (`version_of`) that this was made from.
    speaker
        Who says it.

    Returns
    -------
    What was said; None: it stands so already.

    Raises
    ------
    ChangedError
        When somebody else has changed the line meanwhile: with what stands.
    WordError, SourceError, BusyError
        When it cannot hold; when the table cannot be read or written; when it is held.
    """
    with one_writer(corrected.folder):
        standing = corrected.standing()
        line = standing.names.get(number) or Named(cluster=number)
        if seen != version_of(line):
            raise ChangedError(
                f"somebody has changed type {number} meanwhile: {_of_type(line)}",
                where=f"type {number}",
                todo="Say it again where it is still to change.",
            )
        anew = _named(line, told)
        if anew.merged_into != line.merged_into or number not in standing.names:
            check_merge(number, anew.merged_into, standing.corrections, corrected.known, standing.names)
        if said_of(anew) == said_of(line):
            return None
        spoken = Spoken(by=speaker.by, of_types=[_write_type(corrected, standing, anew, speaker)])
        keep(corrected.folder, spoken)
        return spoken


def undo(corrected: Corrected, name: str, by: str) -> Spoken:
    """Take back what somebody said last.

    Parameters
    ----------
    corrected
        The run that it was said of.
    name
        Of what is to be taken back, as the page shows it.
    by
        Who said it, and takes it back.

    Raises
    ------
    ChangedError
        When it is not the last of one's words, or what it changed is not any more as it left it: with what stands.
    WordError, SourceError, BusyError
        As `call`.
    """
    with one_writer(corrected.folder):
        standing = corrected.standing()
        last = last_of(standing.spoken, by)
        if last is None or last.name != name:
            raise ChangedError(
                "it is not the last that you said" if last else "there is nothing of yours to take back",
                where="undo",
                todo="See the list.",
            )
        places = _places_of(corrected, standing, last)
        for one in last.of_types:
            _refuse_changed(standing, one)
            back = Named.model_validate(one.before)
            if back.merged_into != one.after.get(MERGED):
                check_merge(
                    one.cluster, back.merged_into, standing.corrections, corrected.known, standing.names
                )
        if places:
            _take_rows(corrected, standing, places)
        for one in last.of_types:
            _write_type(corrected, standing, Named.model_validate(one.before))
        gone = Spoken(by=by, takes_back=last.name)
        keep(corrected.folder, gone)
        return last


def version_of(line: Named) -> str:
    """Tell a line of ``clusters.csv`` from what it was, by what it says."""
    return digest(said_of(line))


def _say(
    corrected: Corrected,
    standing: Standing,
    rows: Sequence[Correction],
    speaker: Speaker,
    *,
    makes: bool = False,
    instead: bool = False,
) -> Spoken:
    """Check, write and keep what is said; the lock is held."""
    known = corrected.known
    check_words(rows, standing.corrections, known, standing.names, makes=makes, instead=instead)
    _write_rows(corrected, standing, rows)
    spoken = Spoken(by=speaker.by, rows=[one.said for one in rows])
    keep(corrected.folder, spoken)
    return spoken


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _corrections(corrected: Corrected, words: Sequence[Word], speaker: Speaker) -> list[Correction]:
    """Write what is said of segments as lines of the table have it."""
    named = [word.segment for word in words]
    named += [word.value for word in words if not word.says.startswith(IS)]
    places = dict(zip(named, corrected.places(named), strict=True))
    now = _now()
    rows = []
    for word in words:
        name, longitude, latitude = places[word.segment]
        other, x, y = (None, None, None) if word.says.startswith(IS) else places[word.value]
        try:
            row = Correction(
                segment_id=name,
                longitude=longitude,
                latitude=latitude,
                says=word.says,
                value=other or str(word.value),
                by=speaker.by,
                at=now,
                collisions_in_view=speaker.in_view,
                other_longitude=x,
                other_latitude=y,
            )
        except ValidationError as error:
            raise _no_word(error) from error
        rows.append(row)
    return rows


def _named(line: Named, told: Mapping[str, object]) -> Named:
    """Write what is said of a type into its line."""
    unknown = set(told) - set(SAYABLE)
    if unknown:
        raise WordError(f"{min(unknown)} cannot be said of a type", where=f"type {line.cluster}")
    try:
        return Named.model_validate(line.model_dump() | dict(told))
    except ValidationError as error:
        raise _no_word(error) from error


def _no_word(error: ValidationError) -> WordError:
    fault = error.errors()[0]
    where = str(fault["loc"][0]) if fault["loc"] else ""
    return WordError(plainly(fault), where=where, todo="Say it otherwise.")


def _of_type(line: Named) -> str:
    """Write out what a line says."""
    told = [
        f"it is called {line.name!r}" if line.name else "it has no name",
        f"its colour is {line.colour or line.plain_colour}",
    ]
    told += [f"its note is {line.note!r}"] if line.note else []
    told += [f"it is part of type {line.merged_into}"] if line.merged_into else []
    return ", ".join(told)


def _write_rows(corrected: Corrected, standing: Standing, rows: Sequence[Correction]) -> None:
    """Add lines to ``corrections.csv``."""
    path = corrected.folder / CORRECTIONS
    table = EditedTable(path, COLUMNS)
    for one in rows:
        table.add(_cells(one))
    table.write(lambda part: _check_rows(part, [*standing.corrections, *rows]))


def _cells(one: Correction) -> dict[str, str]:
    """Lay a correction out as cells."""
    said = {name: "" if cell is None else str(cell) for name, cell in one.said.items()}
    said[IN_VIEW] = _YES_NO[one.collisions_in_view]
    return said


def _check_rows(part: Path, expected: Sequence[Correction]) -> None:
    """Refuse a table that would not be read as it is meant: nothing is written then."""
    if Counter(map(key_of, read_corrections(part))) != Counter(map(key_of, expected)):
        raise SourceError(
            "what is added to it would be read otherwise: its last line may have an open quotation mark",
            where=CORRECTIONS,
            todo="Save it anew from the program that it is from.",
        )


def _write_type(
    corrected: Corrected, standing: Standing, anew: Named, speaker: Speaker | None = None
) -> TypeSaid:
    """Write the line of a type, and say what it was; a merge is marked where collisions were in view."""
    path = corrected.folder / NAMES
    if not path.exists():
        write_names(path, corrected.page.types, standing.names)
    before = standing.names.get(anew.cluster) or Named(cluster=anew.cluster)
    then, now = said_of(before), said_of(anew)
    cells = {key: str(now[key] or "") for key in SAYABLE if then[key] != now[key]}
    if MERGED in cells:
        cells[IN_VIEW] = _YES_NO[speaker.in_view if speaker and anew.merged_into else None]
    table = EditedTable(path, (*OF_TYPES, MERGED))
    rows = [number_of(row) for row in table.rows]
    if anew.cluster in rows:
        table.change(rows.index(anew.cluster), cells)
    else:
        table.add({OF_TYPES[0]: str(anew.cluster), "colour": str(now["colour"])} | cells)
    others = {number: said_of(one) for number, one in read_names(path).items() if number != anew.cluster}
    table.write(lambda part: _check_types(part, others | {anew.cluster: now}))
    standing.names[anew.cluster] = anew
    return TypeSaid(cluster=anew.cluster, before=then, after=now)


def number_of(row: Mapping[str, str]) -> int | None:
    """Read the number of a line of ``clusters.csv``."""
    text = str(whole(row.get(OF_TYPES[0], "")) or "")
    return int(text) if text.isdigit() else None


def _check_types(part: Path, expected: Mapping[int, Mapping[str, Any]]) -> None:
    """Refuse a table that would not be read as it is meant: nothing is written then."""
    if {number: said_of(one) for number, one in read_names(part).items()} != expected:
        raise SourceError(
            "what is written to it would be read otherwise",
            where=NAMES,
            todo="Save it anew from the program that it is from.",
        )


def _refuse_changed(standing: Standing, one: TypeSaid) -> None:
    """Refuse to take back what was said of a type that somebody has changed since."""
    line = standing.names.get(one.cluster) or Named(cluster=one.cluster)
    if said_of(line) != one.after:
        raise ChangedError(
            f"somebody has changed type {one.cluster} since: {_of_type(line)}",
            where=f"type {one.cluster}",
            todo="Change it by hand, if it is to be otherwise.",
        )


def _places_of(corrected: Corrected, standing: Standing, last: Spoken) -> list[Correction]:
    """Find the lines that were said, which must stand as they were written."""
    rows = [Correction.model_validate(row) for row in last.rows]
    there = Counter(map(key_of, standing.corrections))
    missing = [one for one in rows if not there[key_of(one)]]
    if missing:
        about = [one for one in standing.corrections if one.segment_id == missing[0].segment_id]
        stands = "; ".join(map(in_words, about[-3:])) or "nothing is said of its segment any more"
        raise ChangedError(
            f"somebody has changed it since, or taken it out of the table: {stands}",
            where=str(corrected.folder / CORRECTIONS),
            todo="Say it anew, if it is to be otherwise.",
        )
    return rows


def _take_rows(corrected: Corrected, standing: Standing, gone: Sequence[Correction]) -> None:
    """Take lines out of ``corrections.csv``."""
    table = EditedTable(corrected.folder / CORRECTIONS, COLUMNS)
    left = Counter(map(key_of, gone))
    for place in reversed(range(len(table.rows))):
        key = key_of(Correction.model_validate(table.rows[place]))
        if left[key]:
            left[key] -= 1
            table.remove(place)
    rest = Counter(map(key_of, standing.corrections)) - Counter(map(key_of, gone))
    stay = []
    for one in standing.corrections:
        if rest[key_of(one)]:
            rest[key_of(one)] -= 1
            stay.append(one)
    table.write(lambda part: _check_rows(part, stay))
