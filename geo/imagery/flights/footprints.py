"""Flights as a file of outlines tells them: seamlines, an index of sheets, or a STAC item or collection of items."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyogrio.errors import DataSourceError
from pyproj.exceptions import ProjError

from geo.errors import LayerError, SourceError

KEY = "imagery.footprints"
HALF = 0.5
"""Outlines say of which flight a raster is where they hold at least this share of it."""
SPLIT = 0.1
"""A raster of which other flights hold more than this share is of several."""


def named_by_footprints(images: gpd.GeoDataFrame, file: str, field: str) -> pd.Series[str]:
    """Name the flight of each raster by a field of the outlines that show it.

    Parameters
    ----------
    images
        The catalogue of the city's rasters: ``path`` and footprints (Polygon, city's CRS).
    file
        Outlines with attributes, in any format of GDAL's: GeoPackage, Shapefile, GeoJSON, and so a STAC item or a
        collection of items.
    field
        Attribute that names the flight: an id, or a date, of which the day counts.

    Returns
    -------
    On the index of `images`: the value of the row that names a raster's file in one of its texts; of a raster that none
    names, that of the outlines with the largest share of it, of at least half. Null where there is none, or it is
    empty.

    Raises
    ------
    SourceError
        When the file cannot be read.
    LayerError
        When it has no outlines, no CRS, or no such field.
    """
    rows = _read(file, images, field)
    values = _words(rows[field])
    row = _row_of_name(images, rows)
    by_name = row.map(values.to_dict())
    return by_name.where(row.notna(), _shares(images, rows, values)["flight"]).rename("flight")


def of_several(images: gpd.GeoDataFrame, file: str, field: str) -> list[str]:
    """Name the rasters, by ``image_id``, of which outlines of several flights each show a part; see the above."""
    rows = _read(file, images, field)
    values = _words(rows[field])
    split = _shares(images, rows, values)["split"] & _row_of_name(images, rows).isna()
    return [str(name) for name in images.loc[split, "image_id"]]


def _read(file: str, images: gpd.GeoDataFrame, field: str) -> gpd.GeoDataFrame:
    """Read the outlines in the CRS of the city."""
    where = f"{KEY} {file}"
    todo = "Give a file of outlines with a CRS, and name its field in imagery.flight_field."
    try:
        rows = gpd.read_file(Path(file))
    except (DataSourceError, OSError, ValueError) as error:
        raise SourceError("it cannot be read", where=where, todo=todo) from error
    if not isinstance(rows, gpd.GeoDataFrame) or rows.geometry.isna().all():
        raise LayerError("it has no outlines", where=where, todo=todo)
    if rows.crs is None:
        raise LayerError("it states no CRS", where=where, todo=todo)
    if field not in rows.columns or field == rows.geometry.name:
        there = ", ".join(str(name) for name in rows.columns if name != rows.geometry.name) or "none"
        raise LayerError(f"it has no field {field!r}, only {there}", where=where, todo="Name one of these.")
    try:
        return rows[rows.geometry.notna()].to_crs(images.crs).reset_index(drop=True)
    except ProjError as error:
        raise LayerError(
            f"its CRS ({rows.crs.name}) cannot be brought to that of the city", where=where, todo=todo
        ) from error


def _words(values: pd.Series) -> pd.Series[str]:
    """Write what a field holds as text: of a moment the day, of a whole number no decimals; null where it is empty."""
    if pd.api.types.is_datetime64_any_dtype(values):
        words = values.dt.strftime("%Y-%m-%d").astype(object)
    elif pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        words = values.astype("Int64").astype(object)
    else:
        words = values.astype(object)
    words = words.where(values.notna(), None).map(lambda value: str(value).strip(), na_action="ignore")
    known: pd.Series[str] = words.where(words != "", None)
    return known


def _row_of_name(images: gpd.GeoDataFrame, rows: gpd.GeoDataFrame) -> pd.Series[float]:
    """Find the row that holds the name of each raster's file in a text, with its ending or without; else null."""
    texts = rows.drop(columns=rows.geometry.name).select_dtypes(["object", "string"])
    found = pd.Series(np.nan, index=images.index)
    names = pd.Series([PurePosixPath(path).name for path in images["path"]], index=images.index)
    stems = names.map(lambda name: PurePosixPath(name).stem)
    for column in texts:
        there = texts[column].astype("str").str.replace("\\", "/").str.rpartition("/")[2]
        known = pd.Series(rows.index, index=there)
        known = known[~known.index.duplicated(keep=False)]
        for wanted in (names, stems):
            found = found.fillna(wanted.map(known))
    return found


def _shares(images: gpd.GeoDataFrame, rows: gpd.GeoDataFrame, values: pd.Series) -> pd.DataFrame:
    """Find the value whose outlines hold most of each raster, and whether those of others hold some of it as well."""
    outlines = images.geometry.to_numpy()
    held = rows.assign(flight=values)[values.notna()].dissolve("flight", method="unary", sort=True)
    shapes = shapely.make_valid(held.geometry.to_numpy())
    image, shape = shapely.STRtree(shapes).query(outlines, predicate="intersects")
    share = shapely.area(shapely.intersection(outlines[image], shapes[shape])) / shapely.area(outlines[image])
    pairs = pd.DataFrame({"image": image, "flight": held.index.to_numpy()[shape], "share": share})
    pairs = pairs.sort_values(["image", "share", "flight"], ascending=[True, False, True])
    first = pairs.drop_duplicates("image").set_index("image").reindex(range(len(images)))
    second = pairs[pairs.duplicated("image")].groupby("image")["share"].max().reindex(range(len(images)))
    known = (first["share"] >= HALF).to_numpy()
    flights = first["flight"].astype(object).where(known, None).to_numpy()
    return pd.DataFrame(
        {"flight": flights, "split": known & (second.fillna(0) > SPLIT).to_numpy()}, index=images.index
    )
