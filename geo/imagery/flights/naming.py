"""Which flight each raster is of: where imagery was taken on several days, its light and haze differ, not its roads."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy.sparse as sp
import shapely

from geo.addresses import is_url, place_of
from geo.config import Imagery
from geo.imagery.cover import mosaics
from geo.imagery.flights.footprints import named_by_footprints

SERIES_DIGITS = 4
"""Names that differ in their digits alone are sheets of one series where they have at least so many of them."""
NEAR_PIXELS = 2.0
"""Sheets adjoin that are so near to each other (pixels)."""
CORNER = 25.0
"""Of the square of that, so many times share sheets that adjoin along a side."""
_DIGITS = re.compile(r"\d+")


def flight_of(images: gpd.GeoDataFrame, imagery: Imagery) -> pd.Series[str]:
    """Name the flight of each raster.

    Parameters
    ----------
    images
        The catalogue of the city's rasters: ``image_id, path, date, pixel_m, crs, transform`` and footprints (Polygon,
        city's CRS).
    imagery
        The section ``imagery`` of the city's file: ``flight``, ``footprints`` and ``flight_field``.

    Returns
    -------
    On the index of `images`. By ``auto`` it is the day, month or year in which the raster was taken, where that is
    known; else its folder, where rasters lie in several; else its file, and sheets of one series that adjoin (on one
    grid, their names alike but for at least `SERIES_DIGITS` digits) are one flight, called by its first sheet. What no
    outline of ``imagery.footprints`` names is of a flight by ``auto``.

    Raises
    ------
    SourceError, LayerError
        When ``imagery.footprints`` cannot be read, or lacks the field.

    Examples
    --------
    >>> wkt = gpd.GeoSeries(crs=27700).crs.to_wkt()
    >>> images = gpd.GeoDataFrame(
    ...     {"image_id": ["a", "b"], "path": ["x/a.tif", "x/b.tif"], "date": ["2021-05", ""], "pixel_m": 1.0},
    ...     geometry=[shapely.box(0, 0, 9, 9), shapely.box(9, 0, 18, 9)],
    ...     crs=27700,
    ... )
    >>> images["crs"], images["transform"] = wkt, [[1.0, 0.0, 0.0, 0.0, -1.0, 0.0]] * 2
    >>> flight_of(images, Imagery(sources=["x"])).tolist()
    ['2021-05', 'b']
    >>> flight_of(images, Imagery(sources=["x"], flight="folder")).tolist()
    ['x', 'x']
    """
    how = imagery.flight
    if how == "date":
        named = _dates(images).fillna("no date")
    elif how == "folder":
        named = _folders(images)
    elif how == "file":
        named = _files(images)
    else:
        named = _best(images)
    if imagery.footprints is not None and imagery.flight_field is not None:
        known = named_by_footprints(images, imagery.footprints, imagery.flight_field)
        named = known.where(known.notna(), named)
    return named.astype("str").rename("flight")


def _best(images: gpd.GeoDataFrame) -> pd.Series[str]:
    """Take what is known of each raster: its date, else its folder, else its file."""
    folders = _folders(images)
    other = folders if len(folders.unique()) > 1 else _series(images)
    dates = _dates(images)
    return dates.where(dates.notna(), other)


def _dates(images: gpd.GeoDataFrame) -> pd.Series[str]:
    """Give the dates that are known; null where one is not."""
    dates = images["date"].astype(object)
    known: pd.Series[str] = dates.where(dates.astype("str") != "", None)
    return known


def _folders(images: gpd.GeoDataFrame) -> pd.Series[str]:
    """Name the folder of each raster by as little of its path as tells folders apart."""
    parents = [place_of(path).parent for path in images["path"]]
    folders = {parent.as_posix(): parent.parts for parent in parents}
    depth = 1
    longest = max((len(parts) for parts in folders.values()), default=1)
    while depth < longest and len({parts[-depth:] for parts in folders.values()}) < len(folders):
        depth += 1
    names = ["/".join(parent.parts[-depth:]) or "." for parent in parents]
    return pd.Series(names, index=images.index, dtype=object)


def _files(images: gpd.GeoDataFrame) -> pd.Series[str]:
    """Name each raster by its file; one at an address by the file there, without what is asked of the server."""
    names = [
        PurePosixPath(name.split("?", 1)[0]).with_suffix("").as_posix() if is_url(path) else name
        for path, name in zip(images["path"], images["image_id"], strict=True)
    ]
    return pd.Series(names, index=images.index, dtype=object)


def _series(images: gpd.GeoDataFrame) -> pd.Series[str]:
    """Name each raster by itself, or by the first of the sheets of its series that it adjoins."""
    stems = [place_of(path).name for path in images["path"]]
    numbered = [sum(map(len, _DIGITS.findall(stem))) >= SERIES_DIGITS for stem in stems]
    kind = [
        (_DIGITS.sub("#", stem), int(mosaic)) if many else (stem, number)
        for number, (stem, many, mosaic) in enumerate(zip(stems, numbered, mosaics(images), strict=True))
    ]
    codes = pd.factorize(pd.Series(kind, dtype=object))[0]
    outlines = images.geometry.to_numpy()
    reach = NEAR_PIXELS * float(images["pixel_m"].max())
    one, other = shapely.STRtree(outlines).query(outlines, predicate="dwithin", distance=reach)
    shared = shapely.area(shapely.intersection(shapely.buffer(outlines[one], reach), outlines[other]))
    # corners that meet tell of a grid, sides that do of neighbours
    same = (codes[one] == codes[other]) & (shared > CORNER * reach**2)
    joined = sp.coo_array((np.ones(same.sum()), (one[same], other[same])), shape=(len(images),) * 2)
    _, group = sp.csgraph.connected_components(joined, directed=False)
    first = _files(images).groupby(group).transform("min")
    return pd.Series(first.to_numpy(), index=images.index, dtype=object)
