"""Tables of tags: which tile or segment carries which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.collisions.cells.text import comparable, text
from geo.collisions.cells.users import flags, silent
from geo.collisions.schema import check_names
from geo.collisions.tables.places import expand_globs
from geo.collisions.tables.reading import read_all
from geo.collisions.tables.table import BROKEN, Form, Rows
from geo.errors import LayerError
from geo.ground.contract import Surroundings
from geo.ground.tags.settings import TagSource
from geo.ledger import Entry
from geo.sources.by_hand import no_formula

ROWS, CELLS = "rows of tags", "tags"
IDS = ("tile_id", "segment_id")
"""Columns that name what is tagged; where both are there, the tile is."""
BARE = frozenset(("1", "0", "y", "yes", "true", "t", "j", "ja", "n", "no", "false", "f", "nein", ""))
"""What cells of a tag say where nobody named its column: a column of numbers is none."""
LONGEST_NAME = 60
BROKEN_ROW = "other number of fields than the header"
NAMELESS = "it names no tile and no segment"
NOT_HERE = "its {unit} is not in this run"
SAYS_NOTHING = "it says nothing of any tag"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Told:
    """What tables say.

    Attributes
    ----------
    unit
        ``tile_id`` or ``segment_id``.
    tags
        By the id of what is tagged, a column a tag: yes, no or null (not known).
    entries
        What became of every row, and of every cell of a tag.
    """

    unit: str
    tags: pd.DataFrame
    entries: list[Entry]


def read_tags(source: TagSource, around: Surroundings) -> Told:
    """Read the tables of tags.

    Parameters
    ----------
    source
        With at least one table.
    around
        Tiles and segments that there are.

    Raises
    ------
    SourceError, LayerError
        When one cannot be read, names no tile or segment of this run, or has no column of a tag.
    """
    form = Form(section="ground.tags", named_by="ground.tags", columns=None, parts=source.parts())
    tables = read_all(expand_globs(source.tables()), form)
    unit = _unit(tables)
    there = around.tiles if unit == "tile_id" else around.segments
    ids = pd.Index(there[unit].astype("string"))
    entries: list[Entry] = []
    parts = []
    for rows in tables:
        names, left = _columns(rows, source, unit)
        parts.append(_values(rows.frame, names, unit))
        entries += [*rows.notes, *left]
    frame = pd.concat(parts, ignore_index=True)
    fate = _fates(frame, ids, unit)
    if not (fate == "").any():
        _refuse(frame, fate, ids, unit, tables[0].name)
    tags, cells = _agreed(frame[fate == ""], unit)
    return Told(unit, tags, [*entries, *_account(fate), *cells])


def _unit(tables: Sequence[Rows]) -> str:
    """Tell by which column tables name what they tag; the same for all."""
    for unit in IDS:
        if all(unit in map(str.casefold, map(str, rows.frame.columns)) for rows in tables):
            return unit
    lacking = next(
        rows for rows in tables if not {*IDS} & {str(name).casefold() for name in rows.frame.columns}
    )
    raise LayerError(
        f"it has no column tile_id or segment_id; there are {_listed(lacking.frame)}",
        where=lacking.name,
        todo="Tag the tiles or segments of a run's GeoPackage, whose layers have these columns.",
    )


def _listed(frame: pd.DataFrame) -> str:
    return ", ".join(str(name) for name in frame.columns if name != BROKEN)


def _columns(rows: Rows, source: TagSource, unit: str) -> tuple[dict[str, str], list[Entry]]:
    """Find the columns of a table that are tags, by the name of the tag.

    Returns
    -------
    The name of each tag's column, that of the ids under `unit`; and which columns are none.
    """
    frame = rows.frame
    spelled = [str(name) for name in frame.columns if name != BROKEN]
    own = [name for name in spelled if name.casefold() == unit]
    wanted = source.columns
    check_names(
        frame,
        {"ids": own[0], **{f"ground.tags.columns {name!r}": name for name in wanted or ()}},
        rows.name,
        todo="Mend ground.tags.columns.",
    )
    left: list[Entry] = []
    if wanted is None:
        others = [name for name in spelled if name.casefold() not in IDS]
        wanted = [name for name in others if spelled.count(name) == 1 and _says_yes_or_no(frame[name])]
        others = [name for name in others if name not in wanted]
        left = [Entry("columns of tags", "skipped", "they say more than yes and no", len(others))]
    else:
        _check_told(frame, wanted, rows.name)
    named = {name: name for name in wanted if _is_plain(name)}
    hostile = [name for name in wanted if name not in named]
    if hostile and source.columns is not None:
        raise LayerError(
            f"{hostile[0]!r:.80} cannot be the name of a class",
            where=rows.name,
            todo=f"Rename the column: a letter first, at most {LONGEST_NAME} letters, no line breaks.",
        )
    left.append(Entry("columns of tags", "rejected", "their names cannot be those of classes", len(hostile)))
    if not named:
        raise LayerError(
            f"it has no column that says yes and no of each row; there are {', '.join(spelled)}",
            where=rows.name,
            todo="Add a column for each tag, with yes, no or nothing in each row.",
        )
    return named | {unit: own[0]}, [one for one in left if one.count]


def _is_plain(name: str) -> bool:
    """Tell whether people and spreadsheets can be shown a name."""
    try:
        return 0 < len(no_formula(name).strip()) <= LONGEST_NAME
    except ValueError:
        return False


def _says_yes_or_no(cells: pd.Series) -> bool:
    """Tell whether a column says yes or no somewhere, and nothing else anywhere."""
    said = comparable(cells.mask(text(cells).isna(), ""))
    return bool(said.isin(BARE).all() and (said != "").any())


def _check_told(frame: pd.DataFrame, wanted: Sequence[str], source: str) -> None:
    """Refuse a column that was named and says neither yes nor no in any row."""
    for name in wanted:
        found = flags(frame[name], empty_is_none=False)
        odd = silent(frame[name], found).dropna()
        if found.isna().all() and len(odd):
            raise LayerError(
                f"its column {name!r} says neither yes nor no; it says {odd.iloc[0]!r:.40}, for example",
                where=source,
                todo="Write yes, no or nothing in each row, one column for each tag (ground.tags.columns).",
            )


def _values(frame: pd.DataFrame, names: dict[str, str], unit: str) -> pd.DataFrame:
    """Lay the rows of a table out: id, whether it is broken, and of each tag what it says and what cannot be read."""
    found = {unit: text(frame[names[unit]]), BROKEN: frame[BROKEN].astype(bool)}
    for tag, name in names.items():
        if tag != unit:
            found[f"tag {tag}"] = flags(frame[name], empty_is_none=False)
            found[f"odd {tag}"] = silent(frame[name], found[f"tag {tag}"]).notna()
    return pd.DataFrame(found)


def _names(frame: pd.DataFrame) -> list[str]:
    return [name.removeprefix("tag ") for name in frame.columns if name.startswith("tag ")]


def _fates(frame: pd.DataFrame, ids: pd.Index, unit: str) -> pd.Series:
    """Say of each row why it cannot be used; empty where it can."""
    said = frame[[f"tag {name}" for name in _names(frame)]].notna().any(axis=1)
    fate = np.select(
        [frame[BROKEN], frame[unit].isna(), ~frame[unit].isin(ids), ~said],
        [BROKEN_ROW, NAMELESS, NOT_HERE.format(unit=unit.removesuffix("_id")), SAYS_NOTHING],
        "",
    )
    return pd.Series(fate, index=frame.index)


def _refuse(frame: pd.DataFrame, fate: pd.Series, ids: pd.Index, unit: str, source: str) -> None:
    """Refuse tables none of whose rows can be used."""
    what = unit.removesuffix("_id")
    foreign = frame.loc[fate == NOT_HERE.format(unit=what), unit].head(_SHOWN)
    if len(foreign):
        raise LayerError(
            f"none of its {what}s is in this run: it names {', '.join(foreign)}, and there are "
            f"{', '.join(map(str, ids[:_SHOWN]))}",
            where=source,
            todo=f"Take {unit} from the GeoPackage of a run of this city with the sections roads, segments and tiles "
            "as they are now: ids follow from where things lie.",
        )
    raise LayerError(
        f"none of its rows can be used: {fate.iloc[0]}",
        where=source,
        todo="Write the id of a tile or segment, and yes or no, in each row.",
    )


def _account(fate: pd.Series) -> list[Entry]:
    """Account for every row, once."""
    counts = fate.value_counts().sort_index()
    return [
        Entry(ROWS, "done" if not reason else "skipped" if reason == SAYS_NOTHING else "rejected", reason, n)
        for reason, n in ((str(reason), int(n)) for reason, n in counts.items())
    ]


def _agreed(frame: pd.DataFrame, unit: str) -> tuple[pd.DataFrame, list[Entry]]:
    """Bring rows of one tile or segment together: of a tag that they say otherwise of, nothing is known."""
    tags: dict[str, pd.Series] = {}
    entries: list[Entry] = []
    for name in _names(frame):
        cells = frame[f"tag {name}"].astype("boolean")
        by = cells.groupby(frame[unit])
        most, least = by.max(), by.min()
        at_odds = (most != least).fillna(value=False).astype(bool)
        tags[name] = most.mask(at_odds)
        lost = frame[unit].map(at_odds).astype(bool) & cells.notna()
        odd = frame[f"odd {name}"].astype("boolean").fillna(value=False).astype(bool)
        entries += [
            Entry(CELLS, "done", f"{name}: yes", int((cells & ~lost).sum())),
            Entry(CELLS, "done", f"{name}: no", int((~cells & ~lost).sum())),
            Entry(CELLS, "skipped", f"{name}: not known", int((cells.isna() & ~odd).sum())),
            Entry(CELLS, "rejected", f"{name}: neither yes nor no", int(odd.sum())),
            Entry(
                CELLS, "rejected", f"{name}: rows of one {unit[:-3]} contradict each other", int(lost.sum())
            ),
        ]
    table = pd.DataFrame(tags).sort_index()
    return table[table.notna().any(axis=1)], [entry for entry in entries if entry.count]
