"""What Prefect's page says first of a run: what was found, the worst roads, what went wrong, where it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

WORST = 10
"""So many roads are listed."""
UNKNOWN = "not known"
"""What a cell says that is not known."""
_NUMBERS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_MARKS = re.compile(r"[\\`*_{}\[\]<>#|&~!:@$^=+]|^-|(?<=www)\.", re.IGNORECASE)
"""What Markdown, or HTML in it, may take for more than text."""
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What is told of a run.

    Attributes
    ----------
    city, run_id
        Which run it is.
    message
        All of it in a line (`in_a_line`).
    told
        What was found: title and sentence of each.
    worst
        The worst roads in words, the worst first (`geo.outputs.report.parts.worst.WorstRoads`).
    outcome, users
        Which collisions these are ranked by, and road users that the records tell of.
    report
        Address of the report; None: no browser gets there.
    warnings
        What is odd about inputs and results.
    refused
        Entries of the ledger that were rejected, or failed: ``stage, item, status, reason, count``.
    places
        Where results are: what each is, its path, and its address (None: no browser gets there).
    """

    city: str
    run_id: str
    message: str
    told: Sequence[tuple[str, str]] = ()
    worst: Sequence[Mapping[str, str]] = ()
    outcome: str = ""
    users: Sequence[str] = ()
    report: str | None = None
    warnings: Sequence[str] = ()
    refused: Sequence[Mapping[str, Any]] = ()
    places: Sequence[tuple[str, str, str | None]] = field(default_factory=tuple)


def in_a_line(types: int, stages: Iterable[Mapping[str, Any]], warnings: int, *, unchanged: bool) -> str:
    """Say in a line how a run ended.

    Parameters
    ----------
    types
        How many types of road it has.
    stages
        How many items of each were rejected, and failed, as the run's summary has it.
    warnings
        How many warnings there are.
    unchanged
        Whether it is that of an earlier run, whose results stand.

    Examples
    --------
    >>> in_a_line(7, [{"rejected": 13, "failed": 0}], 0, unchanged=False)
    'seven types; 13 rows rejected'
    >>> in_a_line(1, [{"rejected": 0, "failed": 1}], 2, unchanged=True)
    'one type; 0 rows rejected; 1 failed; 2 warnings; nothing has changed since an earlier run, whose results stand'
    """
    rows = list(stages)
    rejected, failed = (sum(int(row[status]) for row in rows) for status in ("rejected", "failed"))
    many = _NUMBERS[types] if types < len(_NUMBERS) else f"{types:,}"
    said = [
        f"{many} type{'' if types == 1 else 's'}",
        f"{rejected:,} row{'' if rejected == 1 else 's'} rejected",
        f"{failed:,} failed" if failed else "",
        f"{warnings:,} warning{'' if warnings == 1 else 's'}" if warnings else "",
        "nothing has changed since an earlier run, whose results stand" if unchanged else "",
    ]
    return "; ".join(part for part in said if part)


def in_markdown(ended: Ended) -> str:
    """Write what is told of a run as Markdown, with nothing of the data's read as such."""
    parts = [
        f"# {plain(ended.city)}",
        f"{plain(ended.message[:1].upper() + ended.message[1:])}. Run {plain(ended.run_id)}.",
        *_found(ended),
        *_worst(ended),
        *_listed("Warnings", [plain(warning) for warning in ended.warnings]),
        *_refused(ended.refused),
        *_listed("Where it is", [_place(*place) for place in ended.places]),
    ]
    return "\n\n".join(parts) + "\n"


def plain(text: object) -> str:
    """Write a text so that Markdown shows it as it is, in one line.

    By backslashes: Prefect's page shows most entities as they are written. In the text of a link it shows backslashes
    as well, so that no text of the data's may stand there.
    """
    one = " ".join(str(text).split())
    return _NUMBERED.sub(r"\1\\\2", _MARKS.sub(r"\\\g<0>", one))


def _found(ended: Ended) -> list[str]:
    if not ended.told:
        return []
    return ["## In short", *(f"**{plain(title)}.** {plain(sentence)}" for title, sentence in ended.told)]


def _worst(ended: Ended) -> list[str]:
    """Write the worst roads as a table, without columns that tell nothing; or that none has a rank."""
    shown = ended.worst[:WORST]
    if not shown:
        return ["## The worst roads", "No road has a rank: there are no collision records, or too few."]
    # what is asked for first stands first: the page cuts a wide table, to be scrolled
    columns = {
        "": [row["place"] for row in shown],
        "Road": [_road(row, ended.report) for row in shown],
        "Rank": [row["ranks"] for row in shown],
        "Rate": [f"{row['rate']} ({row['limits']})" for row in shown],
        "In the worst 5 %": [row["p_worst"] for row in shown],
        "KSI": [row["n_ksi"] for row in shown],
        "All collisions": [row["n_collisions"] for row in shown],
        "With": [row["users"] if ended.users else "" for row in shown],
        "Type": [plain(row["type"]) for row in shown],
    }
    told = {name: cells for name, cells in columns.items() if not {*cells} <= {"", UNKNOWN}}
    title = f"## The {_NUMBERS[len(shown)]} worst roads" if len(shown) > 1 else "## The worst road"
    says = (
        f"By the rank that is expected. Rate: {ended.outcome} per km and year, shrunk. Limits of rank and rate are of "
        "95 % intervals; in the worst 5 %: how probably."
    )
    return [title, says, _table(list(told), list(zip(*told.values(), strict=True)))]


def _road(row: Mapping[str, str], report: str | None) -> str:
    """Name a stretch of road; where browsers get to the report, with a link to its place there."""
    named = ", ".join(plain(row[part]) for part in ("road", "where") if row[part])
    linked = report is not None and row["segment"]
    return f"{named} ([map](<{report}#segment={quote(row['segment'])}>))" if linked else named


def _refused(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    if not entries:
        return []
    rows = [
        [plain(entry[key]) for key in ("stage", "item", "status", "reason", "count")] for entry in entries
    ]
    return ["## Rejected", _table(["Stage", "Item", "", "Why", "Count"], rows)]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay rows, which are Markdown, out as a table."""
    head, *body = (f"| {' | '.join(line)} |" for line in (columns, *rows))
    return "\n".join([head, f"|{'---|' * len(columns)}", *body])


def _listed(title: str, lines: Sequence[str]) -> list[str]:
    return [f"## {title}", "\n".join(f"- {line}" for line in lines)] if lines else []


def _place(what: str, path: str, address: str | None) -> str:
    """Name a result: by a link where a browser gets there, and by its path."""
    named = plain(what) if address is None else f"[{plain(what)}](<{address}>)"
    return f"{named}: {plain(path)}"
