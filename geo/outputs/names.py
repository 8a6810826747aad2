"""What the analyst calls the road types: a small table, ``clusters.csv``, that is kept from run to run."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from geo.errors import SourceError
from geo.faults import reason_of
from geo.outputs.palette import Look, look
from geo.sources.by_hand import BOM, as_declared, no_formula, refused_line, rows_by_hand, whole

FILE = "clusters.csv"
JUNCTION_FILE = "junction_types.csv"
COLUMNS = ("cluster", "name", "colour", "note")
MERGED = "merged_into"
"""Column of `FILE` that makes a type one with another."""
MERGES = "merges of types"
"""What a run calls them, in its layer ``run`` and its ledger."""
MOST = 10_000
"""The highest number of a type."""
GROUPING = "grouping"
"""Column of `JUNCTION_FILE` that says which grouping its numbers are of: they are not kept from one to the next."""


class Named(BaseModel):
    """One row of ``clusters.csv``; columns beside ours are kept as they are.

    Attributes
    ----------
    column
        What the file calls the column of numbers.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    column: ClassVar[str] = COLUMNS[0]

    cluster: Annotated[int, Field(ge=1, le=MOST)]
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    colour: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    merged_into: Annotated[int, Field(ge=1, le=MOST)] | None = None

    _formula = field_validator("name", "note")(no_formula)

    @field_validator("cluster", "merged_into", mode="before")
    @classmethod
    def _whole(cls, number: object) -> object:
        return whole(number)

    @field_validator("colour")
    @classmethod
    def _colour(cls, colour: str) -> str:
        if colour and not re.fullmatch(r"#[0-9A-Fa-f]{6}", colour):
            raise ValueError(f"a colour is written #RRGGBB, found {colour[:20]!r}")
        return colour.upper()

    @property
    def plain_colour(self) -> str:
        """What colour it has as long as nobody says otherwise."""
        return look(self.cluster).colour.upper()

    @property
    def said(self) -> dict[str, object]:
        """What it says in our own columns."""
        said = self.model_dump(include=set(COLUMNS)) | {"colour": self.colour or self.plain_colour}
        return said if self.merged_into is None else said | {MERGED: self.merged_into}

    @property
    def edited(self) -> bool:
        """Whether it says anything that a fresh table would not."""
        told = self.name or self.note or self.merged_into
        return bool(told or self.colour not in {"", self.plain_colour})


_Row = TypeVar("_Row", bound=Named)


def read_names(path: Path) -> dict[int, Named]:
    """Read ``clusters.csv`` or ``junction_types.csv``, see `read_rows`."""
    return read_rows(path, Named)


def read_rows(path: Path, kind: type[_Row]) -> dict[int, _Row]:
    """Read a table of names as an analyst or a spreadsheet left it.

    Parameters
    ----------
    path
        Path of the file; fields are parted by comma, semicolon or tab, text is UTF-8 or Windows-1252.
    kind
        What its rows are.

    Returns
    -------
    The rows by their cluster; none where there is no file.

    Raises
    ------
    SourceError
        Naming the line and what is wrong with it.
    """
    found: dict[int, _Row] = {}
    lines: dict[int, int] = {}
    for line, row in rows_by_hand(path, [kind.column], (kind.column, *COLUMNS[1:], MERGED)):
        one = as_declared(kind, path, line, row)
        if one.cluster in found:
            raise refused_line(path, line, f"{kind.column} {one.cluster} has an earlier line too")
        if one.merged_into is not None and path.name == JUNCTION_FILE:
            raise refused_line(path, line, f"{MERGED}: types of junction are not made one")
        found[one.cluster], lines[one.cluster] = one, line
    for cluster in ring(found):
        fault = (
            "it is merged into itself" if found[cluster].merged_into == cluster else "merges lead in a ring"
        )
        raise refused_line(path, lines[cluster], f"{MERGED}: {kind.column} {cluster}: {fault}")
    return found


def ring(names: Mapping[int, Named]) -> list[int]:
    """Find types that are merged into themselves, at once or by way of others, the smallest first."""
    into = {n: one.merged_into for n, one in names.items() if one.merged_into is not None}
    found = []
    for cluster in sorted(into):
        place = into[cluster]
        for _ in into:
            if place == cluster:
                found.append(cluster)
                break
            place = into.get(place, 0)
    return found


def merges_of(names: Mapping[int, Named]) -> dict[int, int]:
    """Follow merges to their end: the type that each merged one becomes part of.

    Parameters
    ----------
    names
        Rows of ``clusters.csv`` by their cluster, without rings (`read_names` refuses them).

    Examples
    --------
    >>> rows = [Named(cluster=3, merged_into=4), Named(cluster=4, merged_into=5), Named(cluster=5)]
    >>> merges_of({one.cluster: one for one in rows})
    {3: 5, 4: 5}
    """
    into = {n: one.merged_into for n, one in sorted(names.items()) if one.merged_into is not None}
    ends = dict(into)
    for _ in into:
        ends = {n: into.get(place, place) for n, place in ends.items()}
    return ends


def names_in(file: Path, table: str = "clusters") -> dict[int, Named]:
    """Read what the clusters of a run were called from its GeoPackage; what nobody named has no row.

    Parameters
    ----------
    file
        Path of the GeoPackage.
    table
        ``clusters``, or ``junction_clusters`` for types of junction.

    Raises
    ------
    SourceError
        When the file has no table of clusters as a run writes it.
    """
    columns = ", ".join(COLUMNS)
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(f"SELECT {columns} FROM {table}").fetchall()  # noqa: S608 - our own names
            merged = merged_in(connection, MERGES) if table == "clusters" else {}
        named = [
            Named(cluster=n, name="" if name == f"Type {n}" else name, colour=colour, note=note or "")
            for n, name, colour, note in rows
        ] + [Named(cluster=int(n), merged_into=into) for n, into in merged.items()]
    except (sqlite3.Error, ValidationError) as error:
        raise SourceError(
            f"its table of clusters cannot be read ({reason_of(error)})",
            where=str(file),
            todo="Give a GeoPackage as 'roadprint run' wrote it.",
        ) from error
    return {one.cluster: one for one in named if one.edited}


def merged_in(connection: sqlite3.Connection, key: str) -> dict[str, int]:
    """Read what a run says under a key of what was made one with others: what each of them went into."""
    row = connection.execute("SELECT value FROM run WHERE key = ?", (key,)).fetchone()
    merged: dict[str, int] = {} if row is None else json.loads(row[0])
    return merged


def write_names(path: Path, clusters: pd.DataFrame, known: Mapping[int, Named]) -> None:
    """Write ``clusters.csv`` with a line for each cluster of this run, see `write_rows`."""
    write_rows(path, {int(cluster) for cluster in clusters["cluster"]}, known, Named)


def write_rows(path: Path, numbers: set[int], known: Mapping[int, _Row], kind: type[_Row]) -> None:
    """Write a table of names with a line for each number; what the analyst wrote stays, until now.

    Parameters
    ----------
    path
        Path of the file; one that would say the same is not touched.
    numbers
        Those of this run.
    known
        What was known of them when the run began; what the file says by now comes before it.
    kind
        What its rows are.

    Raises
    ------
    SourceError
        When the file cannot be read, see `read_rows`.
    """
    written = read_rows(path, kind)
    if path.exists() and numbers <= set(written):
        return
    known = {**known, **written}
    rows = {number: known.get(number) or kind(cluster=number) for number in numbers | set(known)}
    _write(path, rows, (kind.column, *COLUMNS[1:], MERGED))


def _write(path: Path, rows: Mapping[int, Named], columns: tuple[str, ...] = COLUMNS) -> None:
    """Write a table of names, a line each, in the order of their numbers."""
    more = list(dict.fromkeys(name for one in rows.values() for name in one.model_extra or {}))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*columns, *more])
    for number, one in sorted(rows.items()):
        ours = [number, one.name, one.colour or one.plain_colour, one.note, one.merged_into or ""]
        theirs = [(one.model_extra or {}).get(name, "") for name in more]
        writer.writerow([*ours[: len(columns)], *theirs])
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text.getvalue(), encoding=BOM, newline="")
    part.replace(path)


def names_of_grouping(known: Mapping[int, Named], grouping: str) -> tuple[dict[int, Named], list[int]]:
    """Part names of types of junction into those of a grouping, and numbers that were named in another one.

    Parameters
    ----------
    known
        Rows of ``junction_types.csv``; one that says of no grouping is of this one.
    grouping
        Which one it is.
    """
    mine = {n: one for n, one in known.items() if (one.model_extra or {}).get(GROUPING, "") in {"", grouping}}
    return mine, sorted(n for n, one in known.items() if n not in mine and one.edited)


def write_junction_names(
    path: Path, clusters: pd.DataFrame, known: Mapping[int, Named], grouping: str
) -> None:
    """Write ``junction_types.csv`` with a line for each type of junction; names of another grouping are put aside.

    Parameters
    ----------
    path
        Path of the file; one that would say the same is not touched. One that names types of another grouping stays
        beside it, called after that.
    clusters
        The types of this run, one row each, with ``cluster``.
    known
        What was known of them when the run began; what the file says by now comes before it.
    grouping
        Which grouping their numbers are of.

    Raises
    ------
    SourceError
        When the file cannot be read, see `read_names`.
    """
    numbers = {int(cluster) for cluster in clusters["cluster"]}
    written = read_names(path)
    mine, others = names_of_grouping(written, grouping)
    if others:
        older = (written[others[0]].model_extra or {})[GROUPING]
        path.replace(path.with_name(f"{path.stem}-{older}{path.suffix}"))
    told = all((one.model_extra or {}).get(GROUPING) == grouping for one in mine.values())
    if not numbers or (numbers <= set(mine) and told and not others):
        return
    known = {**known, **mine}
    rows = {number: known.get(number) or Named(cluster=number) for number in numbers | set(mine)}
    _write(path, {n: one.model_copy(update={GROUPING: grouping}) for n, one in rows.items()})


def with_names(clusters: pd.DataFrame, known: Mapping[int, Named]) -> pd.DataFrame:
    """Add ``name``, ``colour`` and ``note`` to the table of clusters; those that the analyst left alone get ours."""
    rows = [known.get(int(cluster)) or Named(cluster=int(cluster)) for cluster in clusters["cluster"]]
    return clusters.assign(
        name=[one.name or f"Type {one.cluster}" for one in rows],
        colour=[one.colour or one.plain_colour for one in rows],
        note=pd.array([one.note or pd.NA for one in rows], dtype="string"),
    )


def title(cluster: int, name: str) -> str:
    """Name a cluster by number and name: ``Type 3``, or ``Type 3: leafy streets``."""
    plain = f"Type {cluster}"
    return plain if name == plain else f"{plain}: {name}"


def legends_of(clusters: pd.DataFrame) -> dict[int, str]:
    """Name clusters as legends do: one without a name of the analyst's by what it looks most like, where that is told.

    Examples
    --------
    >>> told = {"cluster": [1, 2], "name": ["Type 1", "Lanes"], "colour": ["#000000"] * 2, "words": ["forest 60 %"] * 2}
    >>> legends_of(pd.DataFrame(told))
    {1: 'Type 1 (looks most like forest 60 %)', 2: 'Type 2: Lanes'}
    """
    words = clusters.set_index("cluster")["words"].dropna().to_dict() if "words" in clusters else {}
    return {
        cluster: f"{said} (looks most like {words[cluster]})"
        if cluster in words and said == f"Type {cluster}"
        else said
        for cluster, (said, _) in looks_of(clusters).items()
    }


def looks_of(clusters: pd.DataFrame) -> dict[int, tuple[str, Look]]:
    """Title and look of each cluster, as `with_names` made the table; without its columns, ours."""
    if not {"name", "colour"} <= set(clusters):
        clusters = with_names(clusters, {})
    return {
        int(row["cluster"]): (
            title(int(row["cluster"]), str(row["name"])),
            Look(str(row["colour"]), look(int(row["cluster"])).pattern),
        )
        for row in clusters.to_dict("records")
    }
