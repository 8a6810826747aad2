"""Cells that hold both coordinates: WKT, WKB, GeoJSON, or two numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from geo.collisions.cells.numbers import decimal_mark, numbers
from geo.collisions.cells.places.degrees import degrees
from geo.collisions.cells.samples import shown
from geo.errors import LayerError

_WKT = r"(?i)^(?:srid=\d+;)?\s*(?:multi)?point"
_OTHER = r"(?i)^(?:srid=\d+;)?\s*(?:(?:multi)?(?:point|linestring|polygon)|geometrycollection)\b"
"""What is a geometry and no pair of numbers."""
_SRID = r"(?i)^srid=(\d+);"
_WKB = r"(?i)^0[01][0-9a-f]{40,}$"
_NAMED = (
    r"""(?i)["']?(?:longitude|lng|lon|x)["']?\s*[:=]\s*["']?(?P<x>[+-]?[\d.]+)""",
    r"""(?i)["']?(?:latitude|lat|y)["']?\s*[:=]\s*["']?(?P<y>[+-]?[\d.]+)""",
)
_PAIRS = (
    r"(?i)^(?P<one>.*?[nsew])[\s,;]+(?P<two>.*[nsew])$",
    r"(?i)^(?P<one>[nsew].*?)[\s,;]+(?P<two>[nsew].*)$",
    r"^(?P<one>[^;|/]+)[;|/](?P<two>[^;|/]+)$",
    r"^(?P<one>\S+?),?\s+(?P<two>\S+)$",
    r"^(?P<one>[^,]+),(?P<two>[^,]+)$",
)
"""How two numbers stand beside each other, the surest first."""
_LAST_LATITUDE = 90.0


def points(
    values: pd.Series, *, order: str | None, decimal: str | None, geographic: bool, where: str
) -> tuple[pd.Series, pd.Series, frozenset[int]]:
    """Read both coordinates of cells.

    Parameters
    ----------
    values
        Cells, as text.
    order
        ``xy`` or ``yx``, of two plain numbers; None: found out, for a grid the easting is first.
    decimal
        Decimal mark; None: found out.
    geographic
        Whether they are degrees.
    where
        The file and column, for the message.

    Returns
    -------
    x and y, NaN where a cell holds none; and the EPSG codes that geometries name for themselves.

    Raises
    ------
    LayerError
        Where the order of two numbers cannot be told.
    """
    cells = values.astype("string").str.strip()
    x, y = (pd.Series(np.nan, index=values.index) for _ in "xy")
    shapes, srids = _geometries(cells)
    of = (shapely.get_type_id(shapes) == shapely.GeometryType.POINT) & ~shapely.is_empty(shapes)
    shapes[~of] = None
    held = pd.DataFrame({"x": shapely.get_x(shapes), "y": shapely.get_y(shapes)}, index=values.index)
    x, y = x.mask(of, held["x"]), y.mask(of, held["y"])
    left = cells.mask(of)
    for axis, pattern in zip("xy", _NAMED, strict=True):
        told = pd.to_numeric(left.str.extract(pattern)[axis], errors="coerce").astype("float64")
        x, y = (x.fillna(told), y) if axis == "x" else (x, y.fillna(told))
    other = left.str.contains(_OTHER, regex=True).fillna(value=False).astype(bool)
    left = left.mask((x.notna() & y.notna()) | other).dropna()
    if left.empty:
        return x, y, srids
    own_x, own_y = _pairs(left, order, decimal, geographic=geographic, where=where)
    return x.fillna(own_x), y.fillna(own_y), srids


def _geometries(cells: pd.Series) -> tuple[np.ndarray, frozenset[int]]:
    """Read WKT (with PostGIS's SRID), WKB in hexadecimal digits, and GeoJSON; None for all else."""
    found = np.full(len(cells), None, dtype=object)
    plain = cells.fillna("")
    wkt = plain.str.contains(_WKT, regex=True).to_numpy(dtype=bool)
    wkb = plain.str.contains(_WKB, regex=True).to_numpy(dtype=bool)
    json = plain.str.startswith("{").to_numpy(dtype=bool)
    text = plain.str.replace(_SRID, "", regex=True).to_numpy(dtype=object)
    found[wkt] = shapely.from_wkt(text[wkt], on_invalid="ignore")
    found[wkb] = shapely.from_wkb(text[wkb], on_invalid="ignore")
    quoted = plain.str.replace("'", '"', regex=False).to_numpy(dtype=object)
    found[json] = shapely.from_geojson(quoted[json], on_invalid="ignore")
    several = shapely.get_type_id(found) == shapely.GeometryType.MULTIPOINT
    alone = several & (shapely.get_num_geometries(found) == 1)
    found[alone] = shapely.get_geometry(found[alone], 0)
    stated = pd.to_numeric(plain[wkt].str.extract(_SRID)[0], errors="coerce").dropna().unique().tolist()
    held = shapely.get_srid(found[wkb]).tolist()
    return found, frozenset(int(srid) for srid in (*stated, *held) if srid > 0)


def _pairs(
    cells: pd.Series, order: str | None, decimal: str | None, *, geographic: bool, where: str
) -> tuple[pd.Series, pd.Series]:
    """Read two numbers side by side, in the order that letters, values or the key tell."""
    # what stands before brackets is an address
    bare = cells.str.extract(r"[\[({]([^\[\](){}]*)[\])}]\s*$")[0].fillna(cells).str.strip()
    one, two = (pd.Series(pd.NA, index=cells.index, dtype="string") for _ in range(2))
    for pattern in _PAIRS:
        parts = bare.where(one.isna()).str.extract(pattern)
        one, two = one.fillna(parts["one"].str.strip()), two.fillna(parts["two"].str.strip())
    mark = decimal or decimal_mark([one, two], degrees=geographic, where=where)
    if geographic:
        (first, first_axis), (second, second_axis) = degrees(one, mark), degrees(two, mark)
    else:
        first, second = (numbers(part, mark) for part in (one, two))
        first_axis = second_axis = pd.Series(pd.NA, index=cells.index, dtype="string")
    turned = ((first_axis == "y") & (second_axis == "x")).fillna(value=False).astype(bool)
    lettered = first_axis.notna() & second_axis.notna()
    wrong = lettered & (first_axis == second_axis).fillna(value=False).astype(bool)
    first, second = first.mask(wrong), second.mask(wrong)
    bare_ones = first.notna() & second.notna() & ~lettered
    if bare_ones.any():
        asked = order or _order(
            cells, first[bare_ones], second[bare_ones], geographic=geographic, where=where
        )
        turned = turned.mask(~lettered, asked == "yx")
    return first.mask(turned, second), second.mask(turned, first)


def _order(cells: pd.Series, first: pd.Series, second: pd.Series, *, geographic: bool, where: str) -> str:
    """Find out which of two numbers is the longitude: the one that is beyond the poles."""
    if not geographic or (first.abs() > _LAST_LATITUDE).any() > (second.abs() > _LAST_LATITUDE).any():
        return "xy"
    if (second.abs() > _LAST_LATITUDE).any() > (first.abs() > _LAST_LATITUDE).any():
        return "yx"
    raise LayerError(
        f"it does not tell which of two numbers is the longitude: {shown(cells)}",
        where=where,
        todo="Say so in collisions.columns.point_order: xy (longitude first) or yx (latitude first).",
    )
