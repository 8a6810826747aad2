"""The files that hold collision records, and their rows as text."""

from __future__ import annotations

import csv
import glob
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from geo.config.records import TEXT_ENCODING, Collisions
from geo.errors import LayerError, SourceError
from geo.ledger import Entry
from geo.roads.files import leaving_nothing

_TEXT_FILES = {".csv", ".tsv", ".txt"}
_DELIMITERS = ",;\t|"
BROKEN = "_broken"
"""Column that marks rows with more or fewer fields than the header."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as text, as they stand in a source.

    Attributes
    ----------
    frame
        All columns as text, and `BROKEN`.
    points
        Geometry of each row as the source has it, ``(rows, 2)``; None where it has none.
    crs
        CRS of `points`; None where the source does not tell it.
    """

    frame: pd.DataFrame
    points: np.ndarray | None
    crs: pyproj.CRS | None


def expand_globs(sources: list[str]) -> list[str]:
    """List the files that patterns find, each once; a pattern that finds nothing stays as it is."""
    found = [match for source in sources for match in sorted(glob.glob(source)) or [source]]  # noqa: PTH207
    return list(dict.fromkeys(found))


def expand_tables(collisions: Collisions) -> list[str]:
    """List the files of all tables that the configuration names; a glob that finds nothing stays as it is."""
    return [*expand_globs(collisions.sources), *collisions.linked()]


def read_rows(
    source: str, *, delimiter: str | None = None, encoding: str = TEXT_ENCODING, section: str = "collisions"
) -> Rows:
    """Read a table of any format, every cell as text.

    Parameters
    ----------
    source
        CSV (any delimiter), or whatever GDAL or Parquet readers take.
    delimiter
        Field separator of a CSV; None: found from the header.
    encoding
        Text encoding of a CSV.
    section
        Section of the city's file that names the table, for messages.

    Raises
    ------
    SourceError
        When it is not there or cannot be read.
    LayerError
        When it has no rows.
    """
    path = Path(source)
    if not path.is_file():
        raise SourceError("no such file", where=source, todo=f"Mend the path in the section {section}.")
    rows = (
        _read_text(path, delimiter, encoding, section)
        if path.suffix.lower() in _TEXT_FILES
        else _read_vector(path)
    )
    if rows.frame.empty:
        raise LayerError("it has no rows", where=source, todo=f"Give a table for {section} with rows in it.")
    return rows


def _read_text(path: Path, delimiter: str | None, encoding: str, section: str) -> Rows:
    try:
        with path.open(encoding=encoding, newline="") as file:
            head = file.readline()
            file.seek(0)
            found = delimiter or max(_DELIMITERS, key=head.count)
            rows = _records(list(file), found)
    except (UnicodeDecodeError, LookupError) as error:
        raise SourceError(
            f"it is not text in the encoding {encoding} ({error})",
            where=str(path),
            todo=f"Name its encoding in {section}.columns.encoding, latin-1 for example.",
        ) from error
    except (csv.Error, TypeError, OSError) as error:
        raise SourceError(
            f"it cannot be read as CSV ({error})", where=str(path), todo="Look at the file."
        ) from error
    if not rows:
        return Rows(pd.DataFrame(), None, None)
    header, body = [name.strip() for name in rows[0]], rows[1:]
    width = np.fromiter(map(len, body), dtype=np.int64, count=len(body))
    broken = width != len(header)
    for row in np.flatnonzero(broken):
        body[row] = (body[row] + [""] * len(header))[: len(header)]
    frame = pd.DataFrame(body, columns=header, dtype="string")
    frame[BROKEN] = broken
    return Rows(frame, None, None)


def _records(lines: list[str], delimiter: str) -> list[list[str]]:
    """Part lines into records; a stray quote, which would make one of many, costs its own line alone.

    A record may stand on several lines, where a cell holds line breaks. If a line within it is a whole record by
    itself, or the last one is and opens a quote of its own, the quote that holds them together is taken for a stray
    one, and each line is read by itself.
    """
    reader = csv.reader(lines, delimiter=delimiter)
    records: list[list[str]] = []
    width, before = 0, 0
    for record in reader:
        mine, before = lines[before : reader.line_num], reader.line_num
        width = width or len(record)
        if len(mine) > 1:
            alone = [one for line in mine for one in csv.reader([line], delimiter=delimiter)]
            opens = mine[-1].startswith('"') or f'{delimiter}"' in mine[-1]
            if any(len(one) == width for one in (alone[1:] if opens else alone[1:-1])):
                records += alone
                continue
        if record:
            records.append(record)
    return records


def _read_vector(path: Path) -> Rows:
    try:
        if path.suffix.lower() in {".parquet", ".geoparquet"}:
            table = _read_parquet(path)
        else:
            table = pyogrio.read_dataframe(path, **leaving_nothing(path.name))
    except (DataSourceError, DataLayerError, ValueError, OSError) as error:
        raise SourceError(
            f"it cannot be read as a table ({str(error).strip().splitlines()[0]:.200})",
            where=str(path),
            todo="Give a CSV, GeoPackage, GeoJSON, Shapefile or Parquet file.",
        ) from error
    points, crs = None, None
    if isinstance(table, gpd.GeoDataFrame):
        points = np.column_stack(
            [f(shapely.centroid(table.geometry.to_numpy())) for f in (shapely.get_x, shapely.get_y)]
        )
        crs = None if table.crs is None else pyproj.CRS.from_user_input(table.crs)
        table = pd.DataFrame(table.drop(columns=table.geometry.name))
    frame = table.astype("string")
    frame[BROKEN] = False
    return Rows(frame, points, crs)


def _read_parquet(path: Path) -> pd.DataFrame:
    """Read Parquet with a geometry where it states one."""
    try:
        located: pd.DataFrame = gpd.read_parquet(path)
    except ValueError:
        return pd.read_parquet(path)
    return located


def broken_rows(frame: pd.DataFrame, source: str) -> list[Entry]:
    """Account for rows with a wrong number of fields, whose cells cannot be trusted."""
    return [
        Entry(
            "rows",
            "rejected",
            f"other number of fields than the header of {Path(source).name}",
            int(frame[BROKEN].sum()),
        )
    ]
