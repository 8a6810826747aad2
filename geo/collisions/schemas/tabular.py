"""Any table of collisions, through the mapping of columns in the city's file."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd
import pyproj
from pydantic import Field, model_validator
from pyproj.exceptions import CRSError

from geo.collisions.cells.coordinates import Place, check_place, placed
from geo.collisions.cells.kept import kept_rows, kept_values
from geo.collisions.cells.numbers import whole
from geo.collisions.cells.samples import unread
from geo.collisions.cells.seen import Seen
from geo.collisions.cells.severities import questioned, told_apart
from geo.collisions.cells.text import text
from geo.collisions.rows.origin import Origin, origin_of, together
from geo.collisions.schema import CollisionSource, canonical_table, check_names
from geo.collisions.schemas import mapped
from geo.collisions.schemas.kind import SchemaKind
from geo.collisions.schemas.schemes import SCHEMES, Scheme
from geo.collisions.tables.places import expand_globs
from geo.collisions.tables.reading import read_tables
from geo.collisions.tables.table import BROKEN, Form, Rows, broken_rows
from geo.config.records import (
    ROAD_USERS,
    SEVERITIES,
    Columns,
    Severity,
    SeverityScheme,
    SeverityValue,
    UserValues,
    as_list,
)
from geo.errors import ConfigurationError, LayerError

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
    origins: list[Origin] = []
    crs = _crs(columns.crs)
    keep, seen = collisions.keep or {}, Seen()
    parts: list[mapped.Told] = []
    form = _form(collisions, columns)
    for rows in (rows for source in expand_globs(collisions.sources) for rows in read_tables(source, form)):
        source = rows.name
        check_names(rows.frame, _wanted(collisions, columns), source)
        parts.append(_canonical(rows, collisions, columns, crs, source, seen))
        whence = {what: as_list(getattr(columns, what)) for what in ("id", "date", "year", "x", "y")}
        origins.append(origin_of(rows.frame, source, whence))
    table = canonical_table(pd.concat([pd.DataFrame(part.columns) for part in parts], ignore_index=True))
    table[mapped.unseen_users(columns, seen)] = pd.NA
    warnings = [warning for part in parts for warning in part.warnings]
    warnings += kept_values(table["kept"], keep, seen, ", ".join(collisions.sources))
    warnings += mapped.unknown_values(columns, collisions.severity_values, seen)
    scheme, named = _scheme(collisions)
    warnings += questioned(table.loc[table["kept"], "severity"], named)
    counted = [name for name in SEVERITIES if getattr(columns, name) is not None]
    coded = [name for name in SEVERITIES if columns.severity is not None and scheme.codes.get(name)]
    return CollisionSource(
        table.drop(columns="cells", errors="ignore"),
        crs,
        told_apart(table, counted or coded),
        has_ids=columns.id is not None,
        entries=[entry for part in parts for entry in part.entries if entry.count],
        origin=together(origins),
        warnings=tuple(dict.fromkeys(warnings)),
        cells=table["cells"].dropna().iloc[:_SHOWN] if "cells" in table else pd.Series(dtype="string"),
    )


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
    )


def _wanted(collisions: Tabular, columns: Columns) -> dict[str, str | None]:
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
    return wanted | {f"collisions.keep.{name}": name for name in collisions.keep or {}}


def _scheme(collisions: Tabular) -> tuple[Scheme, str]:
    """Take the published scheme of severities that is named, else the values that are listed, and what to call it."""
    if collisions.severity_scheme is not None:
        name = collisions.severity_scheme
        return SCHEMES[name], f"collisions.severity_scheme: {name} ({SCHEMES[name].source})"
    listed = collisions.severity_values or {}
    codes: dict[Severity, list[str]] = {name: listed[name] for name in SEVERITIES if name in listed}
    return Scheme(codes, tuple(listed.get("none", ())), (), ""), "collisions.severity_values"


def _crs(given: str) -> pyproj.CRS:
    try:
        return pyproj.CRS.from_user_input(given)
    except CRSError as error:
        raise ConfigurationError(
            f"{given!r} is no CRS that PROJ knows",
            where="collisions.columns.crs",
            todo="Give EPSG:4326, for example.",
        ) from error


def _canonical(
    rows: Rows, collisions: Tabular, columns: Columns, crs: pyproj.CRS, source: str, seen: Seen
) -> mapped.Told:
    """Bring one table to the canonical columns, with what is to be told of it."""
    frame = rows.frame
    trusted = ~frame[BROKEN].astype(bool)
    kept = kept_rows(frame, collisions.keep or {}, seen)
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
    scheme, named = _scheme(collisions)
    time = mapped.time(frame, columns, source)
    users = mapped.users(frame, columns, trusted, seen)
    severity = mapped.severity(frame, columns, scheme, named, kept, seen)
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
