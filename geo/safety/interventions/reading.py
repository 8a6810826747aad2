"""Tables and layers of what was changed on roads, read into rows with a place and a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geo.collisions.cells.days.dates import dates
from geo.collisions.cells.places.coordinates import placed
from geo.collisions.cells.text import text
from geo.collisions.schema import check_names
from geo.collisions.tables.places import expand_globs
from geo.collisions.tables.reading import read_all
from geo.collisions.tables.table import BROKEN, Form, Rows
from geo.config import Interventions
from geo.errors import LayerError, RoadprintError
from geo.ledger import Entry
from geo.sources.crs import EXAMPLE, crs_of_user

NO_KIND = "kind not told"
"""What treatments are called whose kind is not told."""
BROKEN_ROW = "other number of fields than the header"
_YEAR = r"\d{4}"
Shapes = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Treatments:
    """What was changed, before it is brought to roads.

    Attributes
    ----------
    table
        One row a source row, in the source's order: ``treatment_id``, ``kind``, ``start`` and ``end`` (first and last
        day of works, without a time zone; null where they cannot be read), ``segment_ids`` and ``junction_ids`` (as
        text with semicolons between, null where none is named), ``fate`` (why a row cannot be used, null where it can)
        and the geometry in the city's CRS, None where a row has none.
    notes
        What is to be told of cells and files beside the rows.
    """

    table: gpd.GeoDataFrame
    notes: list[Entry]


def expand_interventions(settings: Interventions) -> list[str]:
    """List the files of treatments; a glob that finds nothing stays as it is."""
    return expand_globs(settings.sources())


def read_interventions(settings: Interventions, crs: pyproj.CRS) -> Treatments:
    """Read all treatments.

    Parameters
    ----------
    settings
        The section ``interventions`` of the city's file, with at least one source.
    crs
        The city's projected CRS, that geometries are brought to.

    Raises
    ------
    SourceError, LayerError, ConfigurationError
        Naming the file, the column or key, what was found, and what to do.
    """
    tables = read_all(expand_interventions(settings), _form(settings))
    parts = [_read(rows, settings, crs) for rows in tables]
    notes = [note for rows in tables for note in rows.notes if note.item != "geometries"]
    table = pd.concat([part for part, _ in parts], ignore_index=True)
    made = "row " + pd.Series(np.arange(1, len(table) + 1), index=table.index).astype(str)
    table["treatment_id"] = table["treatment_id"].where(table["treatment_id"].notna(), made)
    notes += [note for _, said in parts for note in said]
    return Treatments(gpd.GeoDataFrame(table, geometry="geometry", crs=crs), notes)


def _form(settings: Interventions) -> Form:
    numbered = [name for name in (settings.id,) if name is not None]
    return Form(
        section="interventions",
        named_by="interventions",
        columns="interventions",
        parts=settings.parts(),
        delimiter=settings.delimiter,
        encoding=settings.encoding,
        skip_lines=settings.skip_lines,
        numbered=tuple(numbered),
    )


@contextmanager
def _by_our_keys() -> Iterator[None]:
    """Name the keys of this section in the errors of what reads the cells of records."""
    try:
        yield
    except RoadprintError as error:
        told = {
            name: getattr(error, name).replace("collisions.columns.", "interventions.")
            for name in ("what", "where", "todo")
        }
        raise type(error)(told["what"], where=told["where"], todo=told["todo"]) from error


def _read(rows: Rows, settings: Interventions, crs: pyproj.CRS) -> tuple[pd.DataFrame, list[Entry]]:
    """Read one table."""
    frame = rows.frame
    named = ("date", "end", "kind", "id", "x", "y", "point", "segment_id", "junction_id")
    check_names(
        frame,
        {f"interventions.{name}": getattr(settings, name) for name in named},
        rows.name,
        todo="Name the columns in the section interventions, or the delimiter (interventions.delimiter).",
    )
    table = pd.DataFrame(index=frame.index)
    for own, theirs in (
        ("treatment_id", settings.id),
        ("kind", settings.kind),
        ("segment_ids", settings.segment_id),
        ("junction_ids", settings.junction_id),
    ):
        cells = None if theirs is None else text(frame[theirs]).astype(object)
        table[own] = None if cells is None else cells.where(cells.notna(), None)
    notes: list[Entry] = []
    if settings.kind is None:
        table["kind"] = "treatment"
    else:
        untold = int(table["kind"].isna().sum())
        notes += [Entry("kinds", "skipped", f"not told: studied as {NO_KIND!r}", untold)] if untold else []
        table["kind"] = table["kind"].fillna(NO_KIND)
    table["start"], table["end"] = _times(frame, settings, rows.name)
    table["geometry"] = _shapes(rows, settings, crs)
    broken = frame[BROKEN].astype(bool)
    table["fate"] = pd.Series(None, index=frame.index, dtype=object).mask(broken, BROKEN_ROW)
    return table, notes


def _times(frame: pd.DataFrame, settings: Interventions, source: str) -> tuple[pd.Series, pd.Series]:
    """First and last day of works; a cell with a month or a year alone stands for the whole of it."""
    first, last = _days(frame[settings.date], settings, f"{source}, column {settings.date}")
    if settings.end is None:
        return first, last
    ends = _days(frame[settings.end], settings, f"{source}, column {settings.end}")[1]
    told = text(frame[settings.end]).notna()
    # an end that is told and cannot be read is not the day of the beginning
    return first, ends.where(told, last)


def _days(cells: pd.Series, settings: Interventions, where: str) -> tuple[pd.Series, pd.Series]:
    """First and last day that cells may mean."""
    bare = text(cells).str.fullmatch(_YEAR).fillna(value=False).astype(bool)
    years = pd.to_numeric(text(cells).where(bare), errors="coerce")
    with _by_our_keys():
        rest = cells.mask(bare) if settings.date_format is None else cells
        when = dates(rest, where=where, date_format=settings.date_format)
    year = when.year.astype("Float64").fillna(years if settings.date_format is None else np.nan)
    month = when.month.astype("Float64")
    day = when.date.dt.tz_localize(None).dt.normalize()
    first = {"year": year, "month": month.fillna(1).where(year.notna()), "day": (year * 0 + 1)}
    begins = pd.to_datetime(pd.DataFrame(first).astype("float64"), errors="coerce")
    ends = (begins + pd.offsets.YearEnd(0)).mask(month.notna(), begins + pd.offsets.MonthEnd(0))
    return day.fillna(begins), day.fillna(ends)


def _shapes(rows: Rows, settings: Interventions, crs: pyproj.CRS) -> Shapes:
    """Geometry of each row in the city's CRS: from coordinates where they are mapped, else as the file has it."""
    none: Shapes = np.full(len(rows.frame), None, dtype=object)
    own = crs_of_user(settings.crs, "interventions.crs", EXAMPLE)
    columns = settings.as_columns()
    if columns.point is not None or columns.x is not None:
        if text(rows.frame[columns.point or columns.x]).notna().sum() == 0:
            return none
        with _by_our_keys():
            place = placed(rows.frame, columns, own, rows.name)
        xy = place.x.to_numpy(dtype=np.float64), place.y.to_numpy(dtype=np.float64)
        there = np.isfinite(xy[0]) & np.isfinite(xy[1]) & ~((xy[0] == 0) & (xy[1] == 0))
        shapes: Shapes = np.asarray(shapely.points(*(np.where(there, axis, 0.0) for axis in xy)))
        shapes[~there] = None
    elif rows.shapes is not None:
        if rows.crs is None and "crs" not in settings.model_fields_set:
            raise LayerError(
                "its geometry states no CRS",
                where=rows.name,
                todo="Say which one it is in interventions.crs.",
            )
        own = rows.crs or own
        shapes = np.asarray(shapely.force_2d(rows.shapes))
        shapes[shapely.is_empty(shapes)] = None
    elif settings.segment_id is not None or settings.junction_id is not None:
        return none
    else:
        there = ", ".join(str(name) for name in rows.frame.columns if name != BROKEN)
        raise LayerError(
            "no places: it has no geometry, and neither interventions.x and .y nor .segment_id and .junction_id name "
            f"columns; there are {there}",
            where=rows.name,
            todo="Name the columns with longitude and latitude (or easting and northing), or with ids.",
        )
    brought: Shapes = np.asarray(gpd.GeoSeries(shapes, crs=own).to_crs(crs).to_numpy()).copy()
    finite = np.isfinite(shapely.bounds(brought)).all(axis=1)
    brought[~finite] = None
    return brought
