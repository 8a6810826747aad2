"""Parquet and Arrow files, with a geometry where they state one."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from geo.collisions.tables.cells import text_columns
from geo.collisions.tables.table import BROKEN, Form, Rows
from geo.collisions.tables.vector import centres
from geo.errors import SourceError
from geo.ledger import Entry
from geo.roads.files import UNREADABLE

_GEO, _MAGIC = b"geo", b"PAR1"


def read_columnar(path: Path, form: Form, name: str) -> Rows:
    """Read Parquet or Feather.

    Raises
    ------
    SourceError
        When it is damaged.
    """
    try:
        with path.open("rb") as file:
            is_parquet = file.read(len(_MAGIC)) == _MAGIC
        table: pa.Table = pq.ParquetFile(path).read() if is_parquet else feather.read_table(path)
        located = None
        if _GEO in (table.schema.metadata or {}):
            located = gpd.read_parquet(path) if is_parquet else gpd.read_feather(path)
    except UNREADABLE as error:
        raise SourceError(
            f"it cannot be read as a table ({str(error).strip().splitlines()[0]:.200})",
            where=name,
            todo=f"Write it anew, or give another table for {form.section}.",
        ) from error
    points, crs, shapes = None, None, None
    notes: list[Entry] = []
    if located is not None:
        shapes = np.asarray(located.geometry.to_numpy())
        points, notes = centres(shapes, name)
        crs = located.crs
        places = [one for one in located.columns if isinstance(located[one], gpd.GeoSeries)]
        table = table.drop_columns(places)
    frame = text_columns(table)
    frame[BROKEN] = False
    return Rows(frame, points, crs, name, notes, shapes=shapes)
