"""A first look at files that may hold roads or records: their layers, sheets and members, a sample of what is large."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import python_calamine as calamine
import shapely

from geo.collisions.tables.cells import text_columns
from geo.collisions.tables.containers import members_of
from geo.collisions.tables.kinds import Kind, kind_of
from geo.collisions.tables.reading import read_tables
from geo.collisions.tables.table import BROKEN, Form, Rows
from geo.collisions.tables.vector import centres, crs_of
from geo.errors import RoadprintError, SourceError
from geo.roads.files import UNREADABLE, leaving_nothing
from geo.roads.reading.encoding import WESTERN
from geo.starting.files import Left
from geo.starting.layers import (
    OTHER,
    Layer,
    geometry_of_parquet,
    is_made_here,
    kinds_of_layers,
    read_layers,
    read_parquet_layer,
)

WHOLE_BYTES, WHOLE_ROWS = 32_000_000, 200_000
"""Up to so many bytes, of layers so many rows, a table is read whole."""
PIECES, PIECE_BYTES, PIECE_ROWS = 8, 1_000_000, 5_000
"""Of a larger one, so many pieces of so many bytes or rows are read, evenly chosen."""
MOST_BYTES = 400_000_000
"""Larger ones that cannot be read in pieces are not looked into."""
_WIDE = (b"\xff\xfe", b"\xfe\xff")
"""Marks of text with two bytes a letter, which cannot be cut anywhere."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, with or without points.

    Attributes
    ----------
    source
        The file, with a member of an archive after it.
    key, part
        What names a part of it in the city's file, ``layer`` or ``sheet``, and its name; None: the only one.
    rows
        Its rows as text, or some of them.
    whole
        Whether these are all.
    encoding
        What its text is taken to be in, where that is not UTF-8.
    """

    source: str
    key: str
    part: str | None
    rows: Rows
    whole: bool
    encoding: str = ""

    @property
    def title(self) -> str:
        """The file's name, with the layer's or sheet's where there are several."""
        return Path(self.source).name + (f", {self.key} {self.part}" if self.part else "")

    @property
    def columns(self) -> list[str]:
        """Names of its columns."""
        return [str(name) for name in self.rows.frame if name != BROKEN]


@dataclass(slots=True)
class Seen:
    """What a file holds: layers of lines and areas, tables, and why something is left."""

    layers: list[Layer]
    tables: list[Table]
    left: list[Left]


def look_into(path: str) -> Seen:
    """Look at all that a file holds."""
    seen = Seen([], [], [])
    try:
        _look(path, seen)
    except RoadprintError as error:
        seen.left.append(Left(path, error.what))
    except (*UNREADABLE, calamine.CalamineError) as error:
        seen.left.append(Left(path, f"it cannot be read ({str(error).strip()[:200]})"))
    return seen


def _look(path: str, seen: Seen) -> None:
    kind = kind_of(Path(path), path)
    if kind == "zip":
        for member in members_of(Path(path)):
            seen.tables += _tables(f"{path}/{member}", "text")
        return
    if kind == "parquet":
        told = geometry_of_parquet(path)
        layer = None if told is None else read_parquet_layer(path, told)
        if layer is not None:
            seen.layers.append(layer)
            return
    if kind == "vector" or Path(path).suffix.lower() == ".geojson":
        kinds = kinds_of_layers(path)
        if is_made_here([*kinds]):
            seen.left.append(Left(path, "it is what an earlier run of roadprint gave"))
            return
        seen.layers += read_layers(path, kinds)
        others = [name for name, what in kinds.items() if what == OTHER]
        for name in others:
            seen.tables += _of_layer(path, kind, name, alone=len(kinds) == 1)
        return
    seen.tables += _tables(path, kind)


def _of_layer(path: str, kind: Kind, name: str, *, alone: bool) -> list[Table]:
    """Look at a layer of points, or without geometry."""
    part = None if alone else name
    if kind == "json":
        return _tables(path, kind)
    count = int(pyogrio.read_info(path, layer=name, **leaving_nothing(path))["features"])
    if count == 0:
        return []
    if count <= WHOLE_ROWS:
        rows = read_tables(path, Form(parts=(name,)))[0]
        return [Table(path, "layer", part, rows, whole=True)]
    return [Table(path, "layer", part, _pieces_of_layer(path, name, count), whole=False)]


def _pieces_of_layer(path: str, name: str, count: int) -> Rows:
    """Read some rows of a large layer as text."""
    parts, shapes, crs = [], [], None
    options: dict[str, Any] = leaving_nothing(path) | {"layer": name, "datetime_as_string": True}
    for start in np.linspace(0, count - PIECE_ROWS, PIECES).astype(int):
        meta, table = pyogrio.read_arrow(path, skip_features=int(start), max_features=PIECE_ROWS, **options)
        crs = crs_of(meta["crs"])
        if meta["geometry_type"] is not None:
            column = meta["geometry_name"] or "wkb_geometry"
            shapes.append(shapely.from_wkb(table.column(column).to_numpy(), on_invalid="ignore"))
            table = table.drop_columns([column])
        parts.append(text_columns(table))
    frame = pd.concat(parts, ignore_index=True).assign(**{BROKEN: False})
    points = centres(np.concatenate(shapes), path)[0] if shapes else None
    return Rows(frame, points, crs, path)


def _tables(path: str, kind: Kind) -> list[Table]:
    """Look at the tables of a file that is read whole, or in pieces where it is large text or Parquet."""
    real = Path(path)
    large = real.is_file() and real.stat().st_size > WHOLE_BYTES
    if large and kind in {"text", "parquet"}:
        with _piece(real, kind) as piece:
            return [replace(table, source=path, whole=False) for table in _tables(str(piece), kind)]
    if large and real.stat().st_size > MOST_BYTES:
        raise SourceError(
            f"it is too large to look into ({real.stat().st_size / 1e6:,.0f} MB of {kind})", where=path
        )
    if kind == "workbook":
        with calamine.CalamineWorkbook.from_path(path) as book:
            sheets = [name for name in book.sheet_names if book.get_sheet_by_name(name).height > 1]
        return [
            Table(path, "sheet", None if len(sheets) == 1 else sheet, rows, whole=True)
            for sheet in sheets
            for rows in read_tables(path, Form(parts=(sheet,)))
        ]
    try:
        return [Table(path, "layer", None, rows, whole=True) for rows in read_tables(path)]
    except SourceError:
        if kind != "text":
            raise
        found = read_tables(path, Form(encoding=WESTERN))
        return [Table(path, "layer", None, rows, whole=True, encoding=WESTERN) for rows in found]


@contextmanager
def _piece(path: Path, kind: Kind) -> Iterator[Path]:
    """Write some rows of a large file to a small one beside nothing else."""
    with tempfile.TemporaryDirectory(prefix="roadprint-") as folder:
        piece = Path(folder) / path.name
        if kind == "parquet":
            file = pq.ParquetFile(path)
            some = next(file.iter_batches(batch_size=PIECES * PIECE_ROWS))
            with pq.ParquetWriter(piece, some.schema) as writer:
                writer.write_batch(some)
        else:
            piece.write_bytes(_lines_of(path))
        yield piece


def _lines_of(path: Path) -> bytes:
    """Read whole lines of a large text: its beginning, and pieces from all of it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(PIECE_BYTES)
        if head.startswith(_WIDE):
            return head[: len(head) - len(head) % 2]
        found = [head[: head.rfind(b"\n") + 1]]
        for start in np.linspace(PIECE_BYTES, size - PIECE_BYTES, PIECES - 1).astype(int):
            file.seek(int(start))
            piece = file.read(PIECE_BYTES)
            found.append(piece[piece.find(b"\n") + 1 : piece.rfind(b"\n") + 1])
    return b"".join(found)
