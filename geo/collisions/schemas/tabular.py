"""Any table of collisions, through the mapping of columns in the city's file."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd
import pyproj
from pydantic import Field, model_validator
from pyproj.exceptions import CRSError

from geo.collisions.cells.dates import dates
from geo.collisions.cells.kept import kept_rows
from geo.collisions.cells.numbers import numbers, whole
from geo.collisions.cells.samples import unread
from geo.collisions.cells.severities import severities, told_apart, unknown_severities, without_injury
from geo.collisions.cells.text import text
from geo.collisions.cells.users import flags
from geo.collisions.rows.origin import Origin, origin_of, together
from geo.collisions.schema import CollisionSource, canonical_table, check_names
from geo.collisions.schemas.kind import SchemaKind
from geo.collisions.schemas.schemes import SCHEMES, Scheme
from geo.collisions.tables.places import expand_globs
from geo.collisions.tables.reading import read_tables
from geo.collisions.tables.table import BROKEN, Form, Rows, broken_rows
from geo.config.records import ROAD_USERS, SEVERITIES, Columns, Severity, SeverityScheme
from geo.errors import ConfigurationError, LayerError
from geo.ledger import Entry


class Tabular(SchemaKind):
    """Any table, by a mapping of its columns and of the values of its severity."""

    tag: ClassVar[str] = "columns"
    form: ClassVar[str] = "columns"

    schema_: Literal["columns"] = Field(default="columns", alias="schema", description="columns.")
    columns: Columns | None = Field(
        default=None, description="Which column holds what; with sources required."
    )
    severity_values: dict[Severity, list[str]] | None = Field(
        default=None,
        description="Values of the severity column; an empty list: the source does not tell this one apart.",
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
    parts: list[pd.DataFrame] = []
    origins: list[Origin] = []
    entries: list[Entry] = []
    crs = _crs(columns.crs)
    scheme = _scheme(collisions)
    form = _form(collisions, columns)
    for rows in (rows for source in expand_globs(collisions.sources) for rows in read_tables(source, form)):
        source = rows.name
        fields = ("date", "year", "x", "y", "severity", "n_casualties", "road_name", "road_class")
        wanted = {f"collisions.columns.{field}": getattr(columns, field) for field in (*fields, *ROAD_USERS)}
        wanted |= {f"collisions.columns.id: {name}": name for name in _listed(columns.id)}
        wanted |= {f"collisions.keep.{name}": name for name in collisions.keep or {}}
        check_names(rows.frame, wanted, source)
        named = {what: getattr(columns, what) for what in ("date", "year", "x", "y")}
        origins.append(origin_of(rows.frame, source, named | {"id": _listed(columns.id)}))
        part, unknown, without = _canonical(rows, collisions, columns, crs, source)
        parts.append(part)
        entries += [*rows.notes, *broken_rows(rows.frame, source)]
        if columns.date is not None:
            entries += unread(rows.frame[columns.date], part["date"], "dates")
        if columns.n_casualties is not None:
            entries += unread(rows.frame[columns.n_casualties], part["n_casualties"], "casualty counts")
        entries += _unread_users(rows.frame, part, columns)
        if columns.severity is not None:
            unknown, codes = without_injury(unknown, scheme.no_injury, scheme.not_known)
            entries += [*codes, *unknown_severities(unknown, without)]
    table = canonical_table(pd.concat(parts, ignore_index=True))
    told = told_apart(table, [s for s in SEVERITIES if columns.severity is not None and scheme.codes.get(s)])
    found = [entry for entry in entries if entry.count]
    return CollisionSource(
        table, crs, told, has_ids=bool(_listed(columns.id)), entries=found, origin=together(origins)
    )


def _listed(id_: str | list[str] | None) -> list[str]:
    """List the columns that make the id."""
    return [] if id_ is None else [id_] if isinstance(id_, str) else id_


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


def _scheme(collisions: Tabular) -> Scheme:
    """Take the published scheme of severities that is named, else the values that are listed."""
    if collisions.severity_scheme is not None:
        return SCHEMES[collisions.severity_scheme]
    return Scheme(collisions.severity_values or {}, (), (), "collisions.severity_values")


def _unread_users(frame: pd.DataFrame, part: pd.DataFrame, columns: Columns) -> list[Entry]:
    """Account for cells on road users that say neither yes nor no."""
    named = {user: getattr(columns, user) for user in ROAD_USERS if getattr(columns, user) is not None}
    return [
        entry
        for user, name in named.items()
        for entry in unread(frame[name], part[user], f"cells on {user.replace('_', ' ')}s")
    ]


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
    rows: Rows, collisions: Tabular, columns: Columns, crs: pyproj.CRS, source: str
) -> tuple[pd.DataFrame, pd.Series, int]:
    """Bring one table to the canonical columns; gives also unknown severities, and how many have none."""
    frame = rows.frame
    x, y = _place(rows, columns, crs, source)
    trusted = ~frame[BROKEN].to_numpy(dtype=bool)
    table = pd.DataFrame({"x": np.where(trusted, x, np.nan), "y": np.where(trusted, y, np.nan)})
    if _listed(columns.id):
        table["collision_id"] = _ids(frame, _listed(columns.id))
    for own, theirs in (
        ("road_name", columns.road_name),
        ("road_class", columns.road_class),
    ):
        if theirs is not None:
            table[own] = text(frame[theirs])
    if columns.date is not None:
        where = f"{source}, column {columns.date}"
        table["date"] = dates(frame[columns.date], where=where, date_format=columns.date_format)
    if columns.year is not None:
        table["year"] = whole(frame[columns.year])
    if columns.n_casualties is not None:
        table["n_casualties"] = whole(frame[columns.n_casualties])
    for user in ROAD_USERS:
        name = getattr(columns, user)
        if name is not None:
            table[user] = flags(frame[name], empty_is_none=columns.empty_is_none).where(trusted)
    unknown, without = pd.Series(dtype="string"), 0
    table["kept"] = kept_rows(frame, collisions.keep or {})
    if columns.severity is not None:
        table["severity"], unknown = severities(frame[columns.severity], _scheme(collisions).codes)
        unknown = unknown[table["kept"].reindex(unknown.index)]
        without = int((table["severity"].isna() & table["kept"]).sum()) - len(unknown)
    return table, unknown, without


def _place(rows: Rows, columns: Columns, crs: pyproj.CRS, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates from the mapped columns, else from the geometry, in the CRS of the mapping."""
    if columns.x is not None and columns.y is not None:
        return tuple(numbers(rows.frame[name], columns.decimal).to_numpy() for name in (columns.x, columns.y))  # type: ignore[return-value]
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
    change = pyproj.Transformer.from_crs(rows.crs or crs, crs, always_xy=True)
    x, y = change.transform(rows.points[:, 0], rows.points[:, 1])
    there = np.isfinite(x) & np.isfinite(y)
    return np.where(there, x, np.nan), np.where(there, y, np.nan)
