"""Any table of collisions, through the mapping of columns in the city's file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd
import pyproj
from pydantic import Field, model_validator

from geo.collisions.cells.kept import kept_rows, kept_values
from geo.collisions.cells.numbers import whole
from geo.collisions.cells.places.coordinates import Place, check_place, placed
from geo.collisions.cells.places.doubts import doubtful
from geo.collisions.cells.samples import unread
from geo.collisions.cells.seen import Seen
from geo.collisions.cells.severities import questioned, told_apart
from geo.collisions.cells.text import text
from geo.collisions.rows.origin import Origin, origin_of, together
from geo.collisions.schema import CollisionSource, canonical_table, check_names
from geo.collisions.schemas import mapped
from geo.collisions.schemas.kind import SchemaKind
from geo.collisions.schemas.published.known import hint
from geo.collisions.schemas.schemes import SCHEMES, Scheme
from geo.collisions.tables.places import expand_globs
from geo.collisions.tables.reading import read_all
from geo.collisions.tables.table import BROKEN, Form, Rows, broken_rows
from geo.config.sections.records import (
    ROAD_USERS,
    SEVERITIES,
    Collisions,
    Columns,
    Severity,
    SeverityScheme,
    SeverityValue,
    UserValues,
    as_list,
)
from geo.errors import LayerError
from geo.sources.crs import EXAMPLE, crs_of_user

_SHOWN = 3


class Tabular(SchemaKind):
    """Any table, by a mapping of its columns and of the values of its severity."""

    tag: ClassVar[str] = "columns"
    form: ClassVar[str] = "columns"

    schema_: Literal["columns"] = Field(default="columns", alias="schema", description="columns.")
    columns: Columns | None = Field(
        default=None, description="Which column holds what; with sources required."
    )
    severity_values: dict[SeverityValue, list[str]] | None = Field(
        default=None,
        description="Values of the severity column under fatal, serious and slight, an empty list: the source does not "
        "tell this one apart; under none those that mean no injury, '' for an empty cell.",
    )
    severity_scheme: SeverityScheme | None = Field(
        default=None,
        description="Published codes of the severity column in place of severity_values: kabco (United States), german "
        "(UKATEGORIE), swiss (as1 to as4), finnish (Vakavuusko) or irish (Fatal, Serious, Minor).",
    )

    @model_validator(mode="after")
    def _mapped(self) -> Self:
        if self.sources and self.columns is None:
            raise ValueError("schema: columns needs the mapping 'columns'")
        if self.severity_scheme is not None and self.severity_values is not None:
            raise ValueError("give severity_values or severity_scheme, not both")
        return self

    def read(self) -> CollisionSource:
        """See `SchemaKind.read`."""
        return read_tabular(self)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What values of a severity column mean.

    Attributes
    ----------
    scheme
        The codes.
    named
        What gives them their meaning, for messages.
    listed
        The values that a user lists, each of which is expected; None: a scheme lists them.
    """

    scheme: Scheme
    named: str
    listed: Mapping[SeverityValue, Sequence[str]] | None = None


def read_tabular(collisions: Tabular) -> CollisionSource:
    """Read collisions by ``collisions.columns``, ``severity_values`` and ``keep``.

    Raises
    ------
    SourceError, LayerError
        When a file cannot be read, or lacks a mapped column or coordinates.
    ConfigurationError
        When the CRS of the coordinates is not known, or a value stands for two severities.
    """
    columns = collisions.columns or Columns()
    form = _form(collisions, columns)
    tables = read_all(expand_globs(collisions.sources), form)
    return read_mapped(collisions, ((rows, columns) for rows in tables), _meaning(collisions))


def read_mapped(
    collisions: SchemaKind, tables: Iterable[tuple[Rows, Columns]], meaning: Meaning
) -> CollisionSource:
    """Read collisions by a mapping of each table.

    Parameters
    ----------
    collisions
        The section, of which ``keep`` and ``carry`` count.
    tables
        Tables, each with the mapping of its columns.
    meaning
        Of the values in severity columns.

    Returns
    -------
    The records, in the CRS of the first table's coordinates.

    Raises
    ------
    LayerError, ConfigurationError
        As `read_tabular`.
    """
    keep, seen, carrying = collisions.keep or {}, Seen(), collisions.carrying()
    origins: list[Origin] = []
    parts: list[mapped.Told] = []
    mappings: list[Columns] = []
    crs: pyproj.CRS | None = None
    for rows, columns in tables:
        source = rows.name
        own = crs_of_user(columns.crs, "collisions.columns.crs", EXAMPLE)
        crs = crs or own
        wanted = _wanted(columns) | {f"collisions.keep.{name}": name for name in keep}
        check_names(rows.frame, wanted, source, todo=_mend(rows, collisions))
        told = _canonical(rows, keep, columns, own, meaning, seen)
        told.columns.update(_brought(told.columns["x"], told.columns["y"], own, crs))
        told.columns.update(carrying.take(rows.frame, source))
        parts.append(told)
        mappings.append(columns)
        used = [name for name in wanted.values() if name is not None]
        whence = {"id": as_list(columns.id), "mapped": used}
        origins.append(origin_of(rows.frame, source, whence))
    assert crs is not None
    table = canonical_table(pd.concat([pd.DataFrame(part.columns) for part in parts], ignore_index=True))
    table[mapped.unseen_users(columns, seen)] = pd.NA
    warnings = [warning for part in parts for warning in part.warnings]
    warnings += kept_values(table["kept"], keep, seen, ", ".join(collisions.sources))
    warnings += mapped.unknown_values(mappings[0], meaning.listed, seen)
    warnings += doubtful(table.loc[table["kept"], "x"], table.loc[table["kept"], "y"], crs)
    warnings += questioned(table.loc[table["kept"], "severity"], meaning.named)
    counted = [name for name in SEVERITIES if getattr(mappings[0], name) is not None]
    coded = [
        name for name in SEVERITIES if mappings[0].severity is not None and meaning.scheme.codes.get(name)
    ]
    return CollisionSource(
        table.drop(columns="cells", errors="ignore"),
        crs,
        told_apart(table, counted or coded),
        has_ids=any(columns.id is not None for columns in mappings),
        entries=[entry for part in parts for entry in part.entries if entry.count],
        origin=together(origins),
        warnings=tuple(dict.fromkeys(warnings)),
        cells=table["cells"].dropna().iloc[:_SHOWN] if "cells" in table else pd.Series(dtype="string"),
        carried=carrying.doubts(),
    )


def _mend(rows: Rows, collisions: Collisions) -> str:
    """Say what to do where a table has other columns than were asked for."""
    known = hint(map(str, rows.frame.columns), collisions.schema_)
    return f"{known}Mend the mapping, or the delimiter (collisions.columns.delimiter)."


def _brought(x: pd.Series, y: pd.Series, own: pyproj.CRS, crs: pyproj.CRS) -> dict[str, pd.Series]:
    """Bring one table's coordinates to the CRS of all."""
    if own == crs:
        return {"x": x, "y": y}
    change = pyproj.Transformer.from_crs(own, crs, always_xy=True)
    pair = pd.DataFrame(
        dict(zip("xy", change.transform(x.to_numpy(), y.to_numpy()), strict=True)), index=x.index
    )
    finite = pd.Series(np.isfinite(pair.to_numpy()).all(axis=1), index=x.index)
    return {"x": pair["x"].where(finite), "y": pair["y"].where(finite)}


def _ids(frame: pd.DataFrame, names: list[str]) -> pd.Series:
    """Take the id from one column, or put it together from several; null where one of them is empty."""
    first, *others = [text(frame[name]) for name in names]
    for other in others:
        first = first + "/" + other
    return first


def _form(collisions: Tabular, columns: Columns) -> Form:
    return Form(
        parts=collisions.parts(),
        delimiter=columns.delimiter,
        encoding=columns.encoding,
        skip_lines=columns.skip_lines,
        numbered=(*as_list(columns.id), *collisions.carry),
    )


def _wanted(columns: Columns) -> dict[str, str | None]:
    """Name the columns that the mapping asks for, by their keys."""
    fields = (
        *("id", "date", "year", "month", "day", "x", "y", "point", "severity", *SEVERITIES, "n_casualties"),
        *("road_name", "road_ref", "road_class", *ROAD_USERS),
    )
    wanted: dict[str, str | None] = {}
    for field in fields:
        given = getattr(columns, field)
        names = [given.column] if isinstance(given, UserValues) else as_list(given)
        key = f"collisions.columns.{field}"
        wanted |= {key if len(names) == 1 else f"{key}: {name}": name for name in names}
    return wanted


def _meaning(collisions: Tabular) -> Meaning:
    """Take the published scheme of severities that is named, else the values that are listed."""
    if collisions.severity_scheme is not None:
        name = collisions.severity_scheme
        return Meaning(SCHEMES[name], f"collisions.severity_scheme: {name} ({SCHEMES[name].source})")
    listed = collisions.severity_values or {}
    codes: dict[Severity, list[str]] = {name: listed[name] for name in SEVERITIES if name in listed}
    scheme = Scheme(codes, tuple(listed.get("none", ())), (), "")
    return Meaning(scheme, "collisions.severity_values", collisions.severity_values)


def _canonical(
    rows: Rows,
    keep: Mapping[str, Sequence[str]],
    columns: Columns,
    crs: pyproj.CRS,
    meaning: Meaning,
    seen: Seen,
) -> mapped.Told:
    """Bring one table to the canonical columns, with what is to be told of it."""
    frame, source = rows.frame, rows.name
    trusted = ~frame[BROKEN].astype(bool)
    kept = kept_rows(frame, keep, seen)
    place = _place(rows, columns, crs, source)
    found: dict[str, pd.Series] = {
        "x": place.x.where(trusted),
        "y": place.y.where(trusted),
        "kept": kept,
        "cells": place.shown(),
    }
    if columns.id is not None:
        found["collision_id"] = _ids(frame, as_list(columns.id))
    for own, theirs in (
        ("road_name", columns.road_name),
        ("road_ref", columns.road_ref),
        ("road_class", columns.road_class),
    ):
        if theirs is not None:
            found[own] = text(frame[theirs])
    time = mapped.time(frame, columns, source)
    users = mapped.users(frame, columns, trusted, seen)
    severity = mapped.severity(frame, columns, meaning.scheme, meaning.named, kept, seen, source)
    entries = [*rows.notes, *broken_rows(frame, source), *time.entries]
    found |= time.columns | users.columns | severity.columns
    if columns.n_casualties is not None:
        found["n_casualties"] = whole(frame[columns.n_casualties])
        entries += unread(frame[columns.n_casualties], found["n_casualties"], "casualty counts")
    entries += [*users.entries, *severity.entries]
    return mapped.Told(found, entries, [*time.warnings, *users.warnings, *severity.warnings])


def _place(rows: Rows, columns: Columns, crs: pyproj.CRS, source: str) -> Place:
    """Coordinates from the mapped columns, else from the geometry, in the CRS of the mapping."""
    if columns.point is not None or (columns.x is not None and columns.y is not None):
        return placed(rows.frame, columns, crs, source)
    if rows.points is None:
        there = ", ".join(str(name) for name in rows.frame.columns if name != BROKEN)
        raise LayerError(
            f"no coordinates: it has no geometry, and collisions.columns.x and .y name no columns; there are {there}",
            where=source,
            todo="Name the columns with longitude and latitude (or easting and northing).",
        )
    if rows.crs is None and "crs" not in columns.model_fields_set:
        raise LayerError(
            "its geometry states no CRS", where=source, todo="Say which one it is in collisions.columns.crs."
        )
    given = pd.DataFrame(rows.points, index=rows.frame.index, columns=["x", "y"])
    check_place(
        Place(given["x"], given["y"], given.astype("string")), rows.crs or crs, f"{source}, its geometry"
    )
    change = pyproj.Transformer.from_crs(rows.crs or crs, crs, always_xy=True)
    x, y = change.transform(rows.points[:, 0], rows.points[:, 1])
    there = np.isfinite(x) & np.isfinite(y)
    found = pd.DataFrame(
        {"x": np.where(there, x, np.nan), "y": np.where(there, y, np.nan)}, index=rows.frame.index
    )
    return Place(found["x"], found["y"], given.astype("string"))
