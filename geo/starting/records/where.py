"""Which columns tell where collisions happened, and in which CRS: their numbers are held against the roads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyproj

from geo.collisions.cells.numbers import decimal_mark, numbers
from geo.collisions.cells.places.points import points as points_in
from geo.collisions.cells.text import text
from geo.collisions.tables.table import Rows
from geo.errors import RoadprintError
from geo.starting.guess import Guess, Option, best_first
from geo.starting.places import NONE, Points, in_degrees, named, share_within, told_crs
from geo.starting.rasters import Box
from geo.starting.records.names import matching, spelled

DEGREES = pyproj.CRS.from_epsg(4326)
_MATES = (
    *(("longitude", "latitude"), ("longitud", "latitud"), ("long", "lat"), ("lon", "lat"), ("lng", "lat")),
    *(
        ("easting", "northing"),
        ("east", "north"),
        ("rechtswert", "hochwert"),
        ("ita", "pohj"),
        ("x", "y"),
        ("e", "n"),
    ),
)
"""How columns with both coordinates are called, the surest first."""
_POINT = (r"^(point|geom|geometry|the_geom|wkt|coordinates|location|geolocation|geo_point|lat_?long?)",)
_TELLS_DEGREES = re.compile(r"lon|lng|wgs|deg|gps")
_RANGE = np.array([180.0, 90.0])
_NEARLY = 0.95
_CLEARLY = 3.0
_GRIDS = {
    "osgr": 27700,
    "bng": 27700,
    "itm": 2157,
    "lambert93": 2154,
    "rd_": 28992,
    "lv95": 2056,
    "nztm": 2193,
}
"""Grids that the names of columns tell."""


@dataclass(frozen=True, slots=True)
class Where:
    """What tells places.

    Attributes
    ----------
    guesses
        Keys of the section ``collisions``; none: the table's own points are taken.
    points
        Places in degrees, as far as they are known.
    used
        Columns that are read for it.
    known
        Whether anything tells places.
    """

    guesses: tuple[Guess, ...] = ()
    points: Points = field(default_factory=lambda: NONE)
    used: tuple[str, ...] = ()
    known: bool = True


def guess_place(
    rows: Rows, columns: Sequence[str], candidates: Sequence[pyproj.CRS], near: Box | None
) -> Where:
    """Find what tells places.

    Parameters
    ----------
    rows
        Of the table.
    columns
        Those that may be meant.
    candidates
        CRSs of roads and imagery.
    near
        Edges of the roads in degrees; None: there are none.
    """
    if rows.points is not None and np.isfinite(rows.points).all(axis=1).mean() > 0.5:
        return _of_geometry(rows, candidates, near)
    found = [
        where
        for pair in _pairs(columns)
        if (where := _of_pair(rows.frame, *pair, candidates, near)) is not None
    ]
    if found:
        best = found[0]
        others = [f"{one.used[0]} and {one.used[1]} hold places, too." for one in found[1:]]
        first = best.guesses[0]
        told = Guess(first.key, first.value, (*first.why, *others), first.doubt, first.options)
        return Where((told, *best.guesses[1:]), best.points, best.used)
    return next(
        (
            where
            for column in matching(columns, _POINT)
            if (where := _of_point(rows.frame, column, candidates, near)) is not None
        ),
        Where(known=False),
    )


def _of_geometry(rows: Rows, candidates: Sequence[pyproj.CRS], near: Box | None) -> Where:
    """Take the table's own points; ask for their CRS where it states none."""
    assert rows.points is not None
    xy = rows.points[np.isfinite(rows.points).all(axis=1)]
    if rows.crs is not None:
        return Where((), in_degrees(xy, rows.crs))
    guess, points = _crs(xy, candidates, near, "The points state no CRS.")
    return Where((guess,), points)


def _pairs(columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    """List pairs of columns with coordinates, by their names."""
    by_name = {spelled(column): column for column in reversed(columns)}
    given: set[tuple[str, str]] = set()
    for x, y in _MATES:
        # a single letter stands alone, begins a name or ends it
        pattern = rf"(?:^{x}|{x}$)" if len(x) == 1 else x
        for name, column in by_name.items():
            for match in re.finditer(pattern, name):
                mate = by_name.get(name[: match.start()] + y + name[match.end() :])
                if mate is not None and (column, mate) not in given:
                    given.add((column, mate))
                    yield column, mate


def _of_pair(
    frame: pd.DataFrame, x: str, y: str, candidates: Sequence[pyproj.CRS], near: Box | None
) -> Where | None:
    """Read two columns as coordinates; None where they hold none."""
    xy, decimal = _numbers(frame[x], frame[y])
    if not len(xy):
        return None
    if _are_degrees(xy) or _are_degrees(xy[:, ::-1]):
        found = _of_degrees(xy, x, y, near)
    else:
        found = _of_grid(xy, x, y, candidates, near)
    return replace(found, guesses=(*found.guesses, *decimal))


def _numbers(x: pd.Series, y: pd.Series) -> tuple[Points, tuple[Guess, ...]]:
    """Read two columns as numbers, and ask for their decimal mark where it is open; none where they hold no places."""
    written = text(x).notna() & text(y).notna()
    decimal: tuple[Guess, ...] = ()
    try:
        mark = decimal_mark((x, y), degrees=False, where="")
    except RoadprintError as error:
        mark = "."
        doubt = f"What is the decimal mark of {x.name} and {y.name}? {error.what[0].upper()}{error.what[1:]}."
        decimal = (Guess("collisions.columns.decimal", ".", (), doubt, (Option(",", "a comma"),)),)
    xy = np.column_stack([numbers(column, mark) for column in (x, y)])
    xy = xy[np.isfinite(xy).all(axis=1) & (xy != 0).any(axis=1)]
    if len(xy) < _NEARLY / 2 * int(written.sum()) or (len(np.unique(xy, axis=0)) < 2 < len(xy)):
        return NONE, ()
    return xy, decimal


def _are_degrees(xy: Points) -> bool:
    """Tell whether numbers may be longitudes and latitudes."""
    return float((np.abs(xy) <= _RANGE).all(axis=1).mean()) >= _NEARLY


def _named_pair(x: str, y: str, xy: Points, *, exchanged: bool) -> tuple[Guess, Guess]:
    """Name the columns of coordinates; where numbers say that they are exchanged, so, and asked."""
    why = (f"Such as {xy[0, 0]:.10g}.",)
    if not exchanged:
        return Guess("collisions.columns.x", x, why), Guess("collisions.columns.y", y)
    doubt = f"The numbers say that {x} holds what {y} is called for, and {y} what {x} is: is it so?"
    return Guess("collisions.columns.x", y, why, doubt), Guess("collisions.columns.y", x)


def _of_degrees(xy: Points, x: str, y: str, near: Box | None) -> Where:
    """Read numbers as degrees, in the order that they can have, or that brings them to the roads."""
    exchanged = not _are_degrees(xy)
    if near is not None and not exchanged and _are_degrees(xy[:, ::-1]):
        exchanged = _lies_exchanged(xy, near)
    places = xy[:, ::-1] if exchanged else xy
    doubt = ""
    if near is not None and share_within(places, [near]) == 0:
        doubt = f"Are {x} and {y} degrees of longitude and latitude? As such none lies near the roads."
    elif near is None and not _TELLS_DEGREES.search(spelled(x)):
        doubt = f"Are {x} and {y} degrees of longitude and latitude? Only that they are small says so."
    crs = Guess("collisions.columns.crs", "EPSG:4326", ("Their numbers are degrees.",), doubt)
    names = _named_pair(x, y, places, exchanged=exchanged)
    return Where((*names, crs), places, (y, x) if exchanged else (x, y))


def _of_grid(xy: Points, x: str, y: str, candidates: Sequence[pyproj.CRS], near: Box | None) -> Where:
    """Read numbers as those of a grid: one that the columns name, or that brings them to the roads."""
    grid = next((code for word, code in _GRIDS.items() if word in spelled(x)), None)
    if grid is not None:
        crs = pyproj.CRS.from_epsg(grid)
        guess = Guess("collisions.columns.crs", f"EPSG:{grid}", (f"{crs.name}, as their names say.",))
        return Where((*_named_pair(x, y, xy, exchanged=False), guess), in_degrees(xy, crs), (x, y))
    told = f"{x} and {y} are no degrees."
    guess, points = _crs(xy, candidates, near, told)
    if not len(points):
        other, there = _crs(xy[:, ::-1], candidates, near, told)
        if len(there):
            names = _named_pair(x, y, xy[:, ::-1], exchanged=True)
            return Where((*names, other), there, (y, x))
    return Where((*_named_pair(x, y, xy, exchanged=False), guess), points, (x, y))


def _lies_exchanged(xy: Points, near: Box) -> bool:
    """Tell whether places lie by the roads with their coordinates exchanged, and not as they are."""
    now, then = share_within(xy, [near]), share_within(xy[:, ::-1], [near])
    return then > 0 and then >= _CLEARLY * now


def _crs(xy: Points, candidates: Sequence[pyproj.CRS], near: Box | None, why: str) -> tuple[Guess, Points]:
    """Guess the CRS of coordinates on a grid: the one that brings them to the roads."""
    scored, placed = [], {}
    for crs in candidates:
        name = named(crs)
        if name is None or name in placed:
            continue
        placed[name] = in_degrees(xy, crs)
        share = 0.0 if near is None else share_within(placed[name], [near])
        if share > 0:
            scored.append(
                (share, Option(name, f"{told_crs(crs)} brings {share:.0%} of them to where the roads are"))
            )
    ordered = best_first(scored)
    if not ordered:
        doubt = f"Which CRS are they in? {why} None that was tried brings them to the roads."
        return Guess("collisions.columns.crs", "EPSG:27700", ("An example.",), doubt, left_out=True), NONE
    best = ordered[0]
    doubt = (
        ""
        if len(ordered) == 1 and best.says
        else f"Which CRS are they in? {why} Several bring them to the roads."
    )
    guess = Guess("collisions.columns.crs", best.value, (f"{why} {best.says}.",), doubt, tuple(ordered[1:]))
    return guess, placed[str(best.value)]


def _of_point(
    frame: pd.DataFrame, column: str, candidates: Sequence[pyproj.CRS], near: Box | None
) -> Where | None:
    """Read a column with both coordinates; None where it holds none."""
    if text(frame[column]).notna().mean() < 0.2:
        return None
    try:
        x, y, srids = points_in(frame[column], order=None, decimal=None, geographic=True, where=column)
    except RoadprintError:
        return None
    xy = np.column_stack([x, y]).astype(float)
    xy = xy[np.isfinite(xy).all(axis=1)]
    if len(xy) < 0.2 * len(frame):
        return None
    told = Guess(
        "collisions.columns.point", column, (f"Such as {text(frame[column]).dropna().iloc[0]!s:.60}.",)
    )
    if not srids and float((np.abs(xy) <= _RANGE).all(axis=1).mean()) < _NEARLY:
        guess, points = _crs(xy, candidates, near, f"{column} holds no degrees.")
        return Where((told, guess), points, (column,))
    code = next(iter(srids), 4326)
    crs = Guess("collisions.columns.crs", f"EPSG:{code}")
    return Where((told, crs), in_degrees(xy, pyproj.CRS.from_epsg(code)), (column,))
