"""Cells as coordinates, held against what their CRS can mean: no column is read as another kind of numbers unseen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray

from geo.collisions.cells.numbers import decimal_mark, numbers
from geo.collisions.cells.places.degrees import degrees
from geo.collisions.cells.places.points import points
from geo.collisions.cells.samples import SHOWN
from geo.collisions.cells.text import text
from geo.config.sections.records import Columns
from geo.errors import LayerError

_MOST, _LEAST = 0.5, 10
"""More cells than this share that hold something and no number, and at least so many, are written otherwise."""
_DEGREES = (180.0, 90.0)
_SAMPLE = 1000
_LONGEST = 60
_BESIDE = 5.0
"""Degrees beside the area that a CRS is made for, in which it is used all the same."""


@dataclass(frozen=True, slots=True)
class Place:
    """Coordinates of rows.

    Attributes
    ----------
    x, y
        In the CRS of the mapping; NaN where a row has none.
    cells
        What they were read from, as it stands in the file: text, one column a coordinate or one for both.
    """

    x: pd.Series
    y: pd.Series
    cells: pd.DataFrame

    def shown(self) -> pd.Series:
        """Give the cells of the first rows with a place, as text; null for all others."""
        first = self.cells[self.x.notna() & self.y.notna()].head(SHOWN)
        told = [" and ".join(repr(str(cell)[:_LONGEST]) for cell in row) for row in first.to_numpy()]
        return pd.Series(told, index=first.index, dtype="string").reindex(self.cells.index)

    def sample(self, which: NDArray[np.bool_]) -> str:
        """Show what was read of some rows: cells as they stand in the file, and what they were taken for."""
        some = self.cells[which].drop_duplicates().head(SHOWN)
        raw = [" and ".join(repr(str(cell)[:_LONGEST]) for cell in row) for row in some.to_numpy()]
        made = [
            "nothing" if not np.isfinite([x, y]).all() else f"x {x:.10g}, y {y:.10g}"
            for x, y in zip(self.x[some.index], self.y[some.index], strict=True)
        ]
        return "; ".join(f"{cell} read as {value}" for cell, value in zip(raw, made, strict=True))


def placed(frame: pd.DataFrame, columns: Columns, crs: pyproj.CRS, source: str) -> Place:
    """Read the coordinates of the mapped columns.

    Parameters
    ----------
    frame
        Cells, as text.
    columns
        The mapping, with ``x`` and ``y``, or ``point``.
    crs
        CRS of the coordinates.
    source
        Path of the file, for messages.

    Raises
    ------
    LayerError
        Where most cells cannot be read, or are no places in this CRS: showing some, what was made of them, and the key
        that mends it.
    """
    geographic = crs.is_geographic
    if columns.point is not None:
        where = f"{source}, column {columns.point}"
        x, y, srids = points(
            frame[columns.point],
            order=columns.point_order,
            decimal=columns.decimal,
            geographic=geographic,
            where=where,
        )
        place = Place(x, y, frame[[columns.point]])
        _check_srids(srids, crs, where)
    else:
        assert columns.x is not None
        assert columns.y is not None
        pair = (frame[columns.x], frame[columns.y])
        where = f"{source}, columns {columns.x} and {columns.y}"
        mark = columns.decimal or decimal_mark(pair, degrees=geographic, where=where)
        if geographic:
            (x, x_axis), (y, y_axis) = (degrees(cells, mark) for cells in pair)
            place = Place(x, y, frame[[columns.x, columns.y]])
            if (x_axis == "y").any() or (y_axis == "x").any():
                turned = ((x_axis == "y") | (y_axis == "x")).fillna(value=False).to_numpy(dtype=bool)
                raise LayerError(
                    f"a letter says that x holds a latitude, or y a longitude: {place.sample(turned)}",
                    where=where,
                    todo="Name the column with the longitude in collisions.columns.x, that with the latitude in .y.",
                )
        else:
            place = Place(numbers(pair[0], mark), numbers(pair[1], mark), frame[[columns.x, columns.y]])
    check_place(place, crs, where)
    return place


def check_place(place: Place, crs: pyproj.CRS, where: str) -> None:
    """Refuse coordinates that cannot be meant.

    Raises
    ------
    LayerError
        Where most cells that hold something are no numbers; or no places in this CRS.
    """
    written = place.cells.apply(text).notna().all(axis=1).to_numpy()
    x, y = place.x.to_numpy(dtype=float), place.y.to_numpy(dtype=float)
    read = np.isfinite(x) & np.isfinite(y)
    lost = written & ~read
    if lost.any() and (not read.any() or (lost.sum() >= _LEAST and lost.sum() > _MOST * written.sum())):
        raise LayerError(
            f"{lost.sum():,} of {written.sum():,} coordinates cannot be read: {place.sample(lost)}",
            where=where,
            todo="Say how they are written (collisions.columns.decimal), or name other columns in "
            "collisions.columns.x and .y, or one with both coordinates in collisions.columns.point.",
        )
    there = read & ~((x == 0) & (y == 0))
    if there.any():
        _check_crs(place, x, y, there, crs, where)


def _check_crs(
    place: Place,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    there: NDArray[np.bool_],
    crs: pyproj.CRS,
    where: str,
) -> None:
    """Hold coordinates against the range of degrees, and against the area that their CRS is made for."""
    east, north = _DEGREES
    small = (np.abs(x) <= east) & (np.abs(y) <= north)
    name = crs.to_string() if len(crs.to_string()) <= 20 else crs.name
    if crs.is_geographic:
        beyond = there & ~small
        if beyond.sum() > _MOST * there.sum():
            turned = (np.abs(x) <= north) & (np.abs(y) <= east)
            raise LayerError(
                f"{beyond.sum():,} of {there.sum():,} places are no degrees, which {name} asks for: "
                f"{place.sample(beyond)}",
                where=where,
                todo="Exchange collisions.columns.x and .y: x is the longitude."
                if turned[beyond].all()
                else "Say in collisions.columns.crs which grid they are in, EPSG:27700 for example, or what their "
                "decimal mark is (collisions.columns.decimal).",
            )
    elif (there & small).sum() > _MOST * there.sum():
        raise LayerError(
            f"{(there & small).sum():,} of {there.sum():,} places look like degrees, and {name} counts in "
            f"{crs.axis_info[0].unit_name}s: {place.sample(there & small)}",
            where=where,
            todo="Say which CRS they are in (collisions.columns.crs): EPSG:4326 for longitude and latitude.",
        )
    _check_area(place, x, y, there, crs, where, name)


def _check_area(
    place: Place,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    there: NDArray[np.bool_],
    crs: pyproj.CRS,
    where: str,
    name: str,
) -> None:
    """Refuse places of which none lies where their CRS is used."""
    area = crs.area_of_use
    if area is None or area.west > area.east:
        return
    some = np.flatnonzero(there)[:: max(1, int(there.sum()) // _SAMPLE)]
    lon, lat = pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform(x[some], y[some])
    inside = (lon >= area.west - _BESIDE) & (lon <= area.east + _BESIDE)
    inside &= (lat >= area.south - _BESIDE) & (lat <= area.north + _BESIDE)
    if inside.any():
        return
    raise LayerError(
        f"no place lies where {name} is used ({area.name.rstrip('.')}): {place.sample(there)}",
        where=where,
        todo="Say which CRS they are in (collisions.columns.crs), or exchange collisions.columns.x and .y.",
    )


def _check_srids(srids: frozenset[int], crs: pyproj.CRS, where: str) -> None:
    """Hold the CRS that geometries name for themselves against that of the mapping."""
    for srid in srids:
        if not pyproj.CRS.from_epsg(srid).equals(crs, ignore_axis_order=True):
            raise LayerError(
                f"its geometries say EPSG:{srid}, and collisions.columns.crs says {crs.to_string()}",
                where=where,
                todo=f"Give collisions.columns.crs: EPSG:{srid}.",
            )
