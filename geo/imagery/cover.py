"""Which rasters show which tile, and which of them is to be read."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

WHOLE = 0.999
"""A share of a tile from which on it counts as covered wholly: outlines that change CRS differ by slivers."""
OVERLAP = 0.01
"""A share of a tile from which on rasters show it twice; less are the rims that neighbours share."""
SAME_GRID = 1e-3
"""Pixel sizes that differ by less than this share are one resolution: 1 pixel in 1000, over a tile's width."""


def mosaics(images: gpd.GeoDataFrame) -> pd.Series[int]:
    """Tell which images form one mosaic: those of one CRS and resolution, which a tile may be read across.

    Parameters
    ----------
    images
        The catalogue of the city's rasters (``images`` in docs/stages.md), one row a raster.

    Returns
    -------
    Number of each image's mosaic on the images' index, counted from 0, the finest first by the ground that a pixel
    shows; mosaics of one resolution in the order of their first image's id.
    """
    ordered = images.sort_values(["pixel_m", "image_id"])
    system = _systems(ordered["crs"])
    linear = np.array([list(numbers) for numbers in ordered["transform"]]).reshape(-1, 6)[:, [0, 1, 3, 4]]
    found: list[tuple[int, NDArray[np.float64]]] = []
    numbers = []
    for crs, grid in zip(system, linear, strict=True):
        slack = SAME_GRID * np.abs(grid).max()
        same = (i for i, (c, g) in enumerate(found) if c == crs and (np.abs(g - grid) <= slack).all())
        number = next(same, len(found))
        if number == len(found):
            found.append((crs, grid))
        numbers.append(number)
    return pd.Series(numbers, index=ordered.index, dtype="int64", name="mosaic").reindex(images.index)


def cover_tiles(tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame) -> pd.DataFrame:
    """Find the images of each tile, the best first.

    Of the mosaics (see `mosaics`) that cover a tile wholly the finest wins; where none does, the one that covers most
    of it, the finest among equals. Where rasters have ranks (`geo.imagery.preference`), the best of these counts in
    place of the finest. The others follow by the same rule, for the reader to fall back on where the winner has no
    data.

    Parameters
    ----------
    tiles
        Footprints of the tiles (Polygon), in the city's CRS.
    images
        Footprints of the rasters (Polygon), in the city's CRS (`geo.imagery.catalogue.Catalogue`); with ``rank`` or
        without.

    Returns
    -------
    On the tiles' index: ``coverage``, the share of the footprint inside the winning mosaic, from 0 to 1, and
    ``image_ids``, a list of ids: mosaic by mosaic, in each the image first that shows most of the tile; where several
    show the same part of it, the image with the best rank.

    Examples
    --------
    A tile on the border of two photographs, and one of which a half lies outside both:

    >>> north_up, wkt = [0.5, 0.0, 0.0, 0.0, -0.5, 0.0], pyproj.CRS(27700).to_wkt()
    >>> images = gpd.GeoDataFrame(
    ...     {"image_id": ["west", "east"], "pixel_m": 0.5, "crs": wkt, "transform": [north_up, north_up]},
    ...     geometry=[shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)],
    ...     crs=27700,
    ... )
    >>> tiles = gpd.GeoDataFrame(geometry=[shapely.box(70, 20, 110, 60), shapely.box(180, 20, 220, 60)], crs=27700)
    >>> covered = cover_tiles(tiles, images)
    >>> covered["coverage"].tolist(), covered["image_ids"].tolist()
    ([1.0, 0.5], [['west', 'east'], ['east']])
    """
    pairs = _pairs(tiles.geometry.to_numpy(), images)
    best = pairs.groupby(["tile", "mosaic"], as_index=False).agg(
        share=("share", "sum"), parts=("share", "size"), first=("order", "min")
    )
    several = pairs.merge(best.loc[best["parts"] > 1, ["tile", "mosaic"]], on=["tile", "mosaic"])
    united = _united(several, tiles.geometry.area.to_numpy())
    best = best.merge(united, on=["tile", "mosaic"], how="left")
    # images that overlap show the same ground once
    best["twice"] = best["share"] - best["united"].fillna(best["share"]) > OVERLAP
    best["share"] = best["united"].fillna(best["share"]).clip(upper=1.0).round(6)
    whole = best["share"] >= WHOLE
    best["order"] = best["share"].where(~whole, 2.0)
    best = best.sort_values(["tile", "order", "first"], ascending=[True, False, True])
    best["rank"] = best.groupby("tile").cumcount()

    winner = best[best["rank"] == 0].set_index("tile")["share"]
    ranked = pairs.merge(best[["tile", "mosaic", "rank", "twice"]], on=["tile", "mosaic"])
    share = ranked["share"].round(6)
    ranked["within"] = np.where(ranked["twice"], ranked["order"], -share)
    ranked = ranked.sort_values(["tile", "rank", "within", "image_id"])
    # the rows of a tile follow each other
    ends = np.searchsorted(ranked["tile"].to_numpy(), np.arange(len(tiles)), side="right")
    lists = [
        part.tolist() for part in np.split(ranked["image_id"].to_numpy(dtype=object), ends)[: len(tiles)]
    ]
    return pd.DataFrame(
        {
            "coverage": winner.reindex(range(len(tiles)), fill_value=0.0).to_numpy(dtype=float),
            "image_ids": pd.Series(lists, index=tiles.index, dtype=object),
        },
        index=tiles.index,
    )


def _pairs(footprints: NDArray[np.object_], images: gpd.GeoDataFrame) -> pd.DataFrame:
    """Each tile with each image that shows some of it: ``tile, image_id, mosaic, order, share, part``."""
    outlines = images.geometry.to_numpy()
    tile, image = shapely.STRtree(outlines).query(footprints, predicate="intersects")
    part = shapely.intersection(footprints[tile], outlines[image])
    share = shapely.area(part) / shapely.area(footprints[tile])
    pairs = pd.DataFrame(
        {
            "tile": tile,
            "image_id": images["image_id"].to_numpy()[image],
            "mosaic": mosaics(images).to_numpy()[image],
            "order": _order(images)[image],
            "share": share,
            "part": part,
        }
    )
    return pairs[pairs["share"] > 0].reset_index(drop=True)


def _order(images: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Say which image is seen before which: by rank, else the finest mosaic's first, there by name."""
    if "rank" in images:
        ranks: NDArray[np.int64] = images["rank"].to_numpy(dtype=np.int64)
        return ranks
    order = np.lexsort((images["image_id"].to_numpy(dtype=str), mosaics(images).to_numpy()))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return place


def _united(several: pd.DataFrame, areas: NDArray[np.float64]) -> pd.DataFrame:
    """Share of each tile under the union of a mosaic's images: ``tile, mosaic, united``."""
    keys = several[["tile", "mosaic"]].drop_duplicates().sort_values(["tile", "mosaic"], ignore_index=True)
    group = several.groupby(["tile", "mosaic"], sort=True).ngroup().to_numpy()
    order = np.argsort(group, kind="stable")
    parts = shapely.geometrycollections(several["part"].to_numpy()[order], indices=group[order])
    union = shapely.union_all(np.asarray(parts).reshape(-1, 1), axis=1)
    return keys.assign(united=shapely.area(union) / areas[keys["tile"]])


def _systems(wkt: pd.Series[str]) -> list[int]:
    """Give each CRS a number; two texts of one CRS get the same."""
    known: list[pyproj.CRS] = []
    number: dict[str, int] = {}
    for text in wkt.drop_duplicates():
        crs = pyproj.CRS.from_wkt(text)
        number[text] = next(
            (i for i, other in enumerate(known) if crs.equals(other, ignore_axis_order=True)), len(known)
        )
        if number[text] == len(known):
            known.append(crs)
    return [number[text] for text in wkt]
