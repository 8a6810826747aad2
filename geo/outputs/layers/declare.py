"""What is declared of a layer and its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "integer", "real", "boolean", "datetime", "blob", "list"]
Geometry = Literal["LineString", "Point", "Polygon"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column that must be there.

    Attributes
    ----------
    name, kind
        Name and type of the column in the file; an empty cell is null, never zero.
    alias
        What QGIS shows in place of the name, with the unit.
    allowed
        The only values it may have beside null; empty: any.
    optional
        Whether a frame may lack it, and is written with nulls: not known.
    """

    name: str
    kind: Kind
    alias: str
    allowed: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer or table of the GeoPackage.

    Attributes
    ----------
    name, title, description
        Name of the table, and what QGIS calls the layer and says about it.
    geometry
        Type of geometry of the rows; None for a table.
    columns
        Columns that must be there, in order; any others follow.
    key
        Column whose values name the rows, once each; rows are sorted by it. None: rows stay as they come.
    located
        Whether every row must have a geometry.
    optional
        Whether a city may lack it: what its file does not ask for. Every other layer is written, if without rows.
    """

    name: str
    title: str
    description: str
    geometry: Geometry | None
    columns: tuple[Column, ...]
    key: str | None = None
    located: bool = True
    optional: bool = False
