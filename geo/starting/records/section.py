"""The section ``collisions``: which tables are the records, and all that is guessed of them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pyproj

from geo.collisions.read import read_collisions
from geo.collisions.schemas.published.known import PRESETS
from geo.collisions.tables.places import expand_globs
from geo.config import collision_settings
from geo.config.sections.records import TEXT_ENCODING
from geo.errors import RoadprintError
from geo.starting.files import Left
from geo.starting.guess import Guess, Option, best_first, counted, listed
from geo.starting.imagery import beside
from geo.starting.places import share_within, widened
from geo.starting.rasters import Box
from geo.starting.records.repeats import guess_keep
from geo.starting.records.sets import COLUMNS, Records, left_of, together
from geo.starting.records.when import guess_period
from geo.starting.tables import Table

_NUMBER = re.compile(r"\d+")
_BESIDE = 0.1
"""Records a little beyond the outermost roads are records of the place, too (share of its width)."""
_LINKED_NAMES = {"casualties": "people", "vehicles": "vehicles", "places": "roads"}


def place_of(near: Box | None) -> Box | None:
    """Give the edges within which records are of the place of the roads."""
    return None if near is None else widened(near, _BESIDE)


def guess_sources(found: Sequence[Records], near: Box | None, base: Path) -> Guess:
    """Guess ``collisions.sources``.

    Parameters
    ----------
    found
        Sets of tables with collisions.
    near
        Edges of the roads in degrees; None: there are none.
    base
        Folder that the paths of the city's file start at.
    """
    if not found:
        why = ("No table of collisions was found: a run ends with the types of roads.",)
        return Guess("collisions.sources", ["collisions.csv"], why, left_out=True)
    by_files: dict[tuple[str, ...], list[Records]] = {}
    for records in found:
        by_files.setdefault(tuple(written(records.tables, base)), []).append(records)
    scored = [
        (
            max(score(one, near) for one in those),
            Option([*sources], "; ".join(tell(one, near) for one in those)),
        )
        for sources, those in by_files.items()
    ]
    options = best_first(scored)
    best = options[0]
    doubt = ""
    if near is not None and max(share_within(one.points, [place_of(near) or near]) for one in found) == 0:
        doubt = "None of the collisions whose place is known lies where the roads are. Are these the records?"
    elif len(options) > 1:
        doubt = (
            f"Which of {len(options)} sets of records is meant? Those that hold the same are never added up."
        )
    return Guess("collisions.sources", best.value, (f"{best.says}.",), doubt, tuple(options[1:]))


def without_elsewhere(found: Sequence[Records], near: Box | None) -> tuple[list[Records], list[Left]]:
    """Leave out records of which none lies where the roads are, where others do."""
    here = (
        [] if near is None else [one for one in found if share_within(one.points, [place_of(near) or near])]
    )
    if not here:
        return list(found), []
    away = [one for one in found if len(one.points) and not any(one is other for other in here)]
    kept = [one for one in found if not any(one is other for other in away)]
    why = "none of its collisions lies where the roads are"
    return kept, [left_of(table, why) for one in away for table in one.tables]


def score(records: Records, near: Box | None) -> float:
    """Say how much speaks for a set: how many collisions lie by the roads, and whether it tells severity and time."""
    number = float(records.count)
    if near is not None:
        number *= share_within(records.points, [place_of(near) or near]) or 1e-6
    if records.mapping is None:
        return 3.0 * number
    known = 1.0 + bool(records.mapping.severity.rank) + bool(records.mapping.time.used)
    return known * number


def tell(records: Records, near: Box | None) -> str:
    """Describe a set of records in a sentence."""
    rows = counted(records.count, "row") + ("" if records.whole else " of a sample")
    what = "columns to be mapped" if records.schema == COLUMNS else f"schema {records.schema}"
    text = f"{records.title}: {rows}, {what}"
    if near is not None and len(records.points):
        text += f", {share_within(records.points, [place_of(near) or near]):.0%} of their places where the roads are"
    if records.mapping is not None and not records.mapping.severity.rank:
        text += ", no severity that is sure"
    return text


def written(tables: Sequence[Table], base: Path) -> list[str]:
    """Write tables as sources: a pattern where it finds just them, else each by itself."""
    paths = sorted({table.source for table in tables})
    # files of several years or parts differ in numbers alone
    patterns = {str(Path(path).with_name(_NUMBER.sub("*", Path(path).name))) for path in paths}
    if len(paths) > 1 and len(patterns) == 1 and sorted(expand_globs([*patterns])) == paths:
        paths = [*patterns]
    return [beside(path, base) for path in paths]


def chosen(found: Sequence[Records], value: object, base: Path) -> list[Records]:
    """Find the sets that a value of ``collisions.sources`` stands for: those of its files, else of some of them."""
    files = {*files_of(value, base)}
    sources = [{table.source for table in one.tables} for one in found]
    whole = [one for one, mine in zip(found, sources, strict=True) if mine == files]
    return whole or [one for one, mine in zip(found, sources, strict=True) if mine <= files]


def files_of(value: object, base: Path) -> list[str]:
    """List the files that a value of ``collisions.sources`` stands for."""
    sources = [value] if isinstance(value, str) else list(value) if isinstance(value, list) else []
    found = expand_globs([str(base / str(source)) for source in sources])
    return [os.path.abspath(one) for one in found]  # noqa: PTH100 - links stay as they are


def guess_part(sets: Sequence[Records], near: Box | None) -> Guess | None:
    """Guess which layer or sheet holds the records, where a file has several; None where it has one."""
    if (
        len(sets) == 1
        and len({table.part for table in sets[0].tables}) == 1
        and sets[0].tables[0].part is None
    ):
        return None
    scored = [
        (score(one, near), Option(one.tables[0].part, tell(one, near))) for one in sets if one.tables[0].part
    ]
    if not scored:
        return None
    key = f"collisions.{sets[0].tables[0].key}"
    options = best_first(scored)
    doubt = f"Which of {len(options)} holds the records?" if len(options) > 1 else ""
    return Guess(key, options[0].value, (f"{options[0].says}.",), doubt, tuple(options[1:]))


def guess_rest(records: Records, base: Path) -> list[Guess]:
    """Give all other keys of the section."""
    if records.schema != COLUMNS:
        title = PRESETS[records.schema].title if records.schema in PRESETS else records.schema
        why = [f"Its columns are those of {title}, whose codes are known."]
        if records.schema in PRESETS and PRESETS[records.schema].note:
            why.append(PRESETS[records.schema].note)
        read, period = _as_read(records)
        guesses = [Guess("collisions.schema", records.schema, (*why, read)), *period]
        guesses += [
            Guess(
                f"collisions.{key}",
                _one(written(tables, base)),
                (f"The {_LINKED_NAMES[key]} of these collisions.",),
            )
            for key, tables in records.linked.items()
        ]
        return guesses
    assert records.mapping is not None
    none = ("No published schema has these columns: each is named.",)
    guesses = [Guess("collisions.schema", COLUMNS, none)]
    encoding = next((table.encoding for table in records.tables if table.encoding), "")
    if encoding:
        doubt = "Which encoding is its text in? It is not UTF-8: look at names with accents."
        guesses.append(Guess("collisions.columns.encoding", encoding, (f"Not {TEXT_ENCODING}.",), doubt))
    frame, columns = together(records.tables).frame, records.tables[0].columns
    return [*guesses, *records.mapping.guesses, *guess_keep(frame, columns, records.mapping)]


def _as_read(records: Records) -> tuple[str, list[Guess]]:
    """Read records of a published schema as a run does: their severities and their time, or why they are refused."""
    if not records.whole:
        return "They are large: only a sample was looked at.", []
    tables = {key: [table.source for table in linked] for key, linked in records.linked.items()}
    parts = [table.part for table in records.tables if table.part is not None]
    try:
        settings = collision_settings(
            schema=records.schema,
            sources=sorted({table.source for table in records.tables}),
            **tables,
            **({records.tables[0].key: parts} if parts else {}),
        )
        table = read_collisions(settings).table
    except RoadprintError as error:
        return f"They are refused as they are: {error.what[0].upper()}{error.what[1:]}.", []
    counts = table["severity"].value_counts()
    told = (
        listed([f"{number:,} {severity}" for severity, number in counts.items()])
        or "none of a known severity"
    )
    known = table["date"].dropna()
    period = [] if known.empty else [guess_period(known)]
    return f"Read so, they are {counted(len(table), 'collision')}: {told}.", period


def _one(paths: list[str]) -> str | list[str]:
    return paths[0] if len(paths) == 1 else paths


def grids(found: Sequence[Records]) -> list[pyproj.CRS]:
    """Name the CRSs of records' own points, which rasters without one may have, too."""
    return [table.rows.crs for records in found for table in records.tables if table.rows.crs is not None]
