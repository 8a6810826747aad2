"""What the analyst calls the road types: a small table, ``clusters.csv``, that is kept from run to run."""

from __future__ import annotations

import csv
import io
import os
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from geo.errors import SourceError
from geo.outputs.palette import Look, look

FILE = "clusters.csv"
JUNCTION_FILE = "junction_types.csv"
COLUMNS = ("cluster", "name", "colour", "note")
GROUPING = "grouping"
"""Column of `JUNCTION_FILE` that says which grouping its numbers are of: they are not kept from one to the next."""
_BOM = "utf-8-sig"
"""Excel takes a table for UTF-8 only where it begins with this mark."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Named(BaseModel):
    """One row of ``clusters.csv``; columns beside ours are kept as they are."""

    model_config = ConfigDict(extra="allow", frozen=True)

    cluster: Annotated[int, Field(ge=1, le=10_000)]
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    colour: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""

    @field_validator("name", "note")
    @classmethod
    def _no_formula(cls, text: str) -> str:
        if text.startswith(_FORMULA):
            raise ValueError(f"a spreadsheet would run {text[:20]!r} as a formula; begin with a letter")
        if not text.isprintable():
            raise ValueError("line breaks and control characters are not allowed")
        return text

    @field_validator("colour")
    @classmethod
    def _colour(cls, colour: str) -> str:
        if colour and not re.fullmatch(r"#[0-9A-Fa-f]{6}", colour):
            raise ValueError(f"a colour is written #RRGGBB, found {colour[:20]!r}")
        return colour.upper()

    @property
    def said(self) -> dict[str, object]:
        """What it says in our own columns."""
        return self.model_dump(include=set(COLUMNS))

    @property
    def edited(self) -> bool:
        """Whether it says anything that a fresh table would not."""
        return bool(self.name or self.note or self.colour not in {"", look(self.cluster).colour.upper()})


def read_names(path: Path) -> dict[int, Named]:
    """Read ``clusters.csv`` as an analyst or a spreadsheet left it.

    Parameters
    ----------
    path
        Path of the file; fields are parted by comma, semicolon or tab, text is UTF-8 or Windows-1252.

    Returns
    -------
    The rows by their cluster; none where there is no file.

    Raises
    ------
    SourceError
        Naming the line and what is wrong with it.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return {}
    found: dict[int, Named] = {}
    for line, row in _rows(path, raw):
        if not any(value.strip() for value in row.values()):
            continue
        try:
            one = Named.model_validate(row)
        except ValidationError as error:
            fault = error.errors()[0]
            raise _refused(
                path, line, f"{fault['loc'][0]}: {fault['msg'].removeprefix('Value error, ')}"
            ) from error
        if one.cluster in found:
            raise _refused(path, line, f"cluster {one.cluster} has an earlier line too")
        found[one.cluster] = one
    return found


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
        named = [
            Named(cluster=n, name="" if name == f"Type {n}" else name, colour=colour, note=note or "")
            for n, name, colour, note in rows
        ]
    except (sqlite3.Error, ValidationError) as error:
        raise SourceError(
            f"its table of clusters cannot be read ({error})",
            where=str(file),
            todo="Give a GeoPackage as 'roadprint run' wrote it.",
        ) from error
    return {one.cluster: one for one in named if one.edited}


def _rows(path: Path, raw: bytes) -> list[tuple[int, dict[str, str]]]:
    """Take the table apart, each row with its line in the file."""
    try:
        text = raw.decode(_BOM)
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    head = text.splitlines()[0] if text.strip() else ""
    reader = csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=head.count))
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    if "cluster" not in reader.fieldnames:
        raise _refused(path, 1, f"the column 'cluster' is missing; expected {', '.join(COLUMNS)}")
    try:
        # a field too many comes as a list under None, one too few as None
        return [
            (reader.line_num, {k: v or "" for k, v in row.items() if isinstance(k, str)}) for row in reader
        ]
    except csv.Error as error:
        raise _refused(path, reader.line_num, str(error)) from error


def _refused(path: Path, line: int, fault: str) -> SourceError:
    return SourceError(
        fault, where=f"{path}, line {line}", todo="Correct the line, or delete the file for a fresh one."
    )


def write_names(path: Path, clusters: pd.DataFrame, known: Mapping[int, Named]) -> None:
    """Write ``clusters.csv`` with a line for each cluster of this run; what the analyst wrote stays, until now.

    Parameters
    ----------
    path
        Path of the file; one that would say the same is not touched.
    clusters
        The clusters of this run, one row each, with ``cluster``.
    known
        What was known of clusters when the run began; what the file says by now comes before it.

    Raises
    ------
    SourceError
        When the file cannot be read, see `read_names`.
    """
    numbers = {int(cluster) for cluster in clusters["cluster"]}
    written = read_names(path)
    if path.exists() and numbers <= set(written):
        return
    known = {**known, **written}
    _write(path, {number: known.get(number) or Named(cluster=number) for number in numbers | set(known)})


def _write(path: Path, rows: Mapping[int, Named]) -> None:
    """Write a table of names, a line each, in the order of their numbers."""
    more = list(dict.fromkeys(name for one in rows.values() for name in one.model_extra or {}))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*COLUMNS, *more])
    for number, one in sorted(rows.items()):
        theirs = [(one.model_extra or {}).get(name, "") for name in more]
        writer.writerow([number, one.name, one.colour or look(number).colour.upper(), one.note, *theirs])
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text.getvalue(), encoding=_BOM, newline="")
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
        colour=[one.colour or look(one.cluster).colour.upper() for one in rows],
        note=pd.array([one.note or pd.NA for one in rows], dtype="string"),
    )


def title(cluster: int, name: str) -> str:
    """Name a cluster by number and name: ``Type 3``, or ``Type 3: leafy streets``."""
    plain = f"Type {cluster}"
    return plain if name == plain else f"{plain}: {name}"


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
