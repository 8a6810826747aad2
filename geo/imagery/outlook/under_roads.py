"""A look at the imagery under the roads before anything is encoded: whether anything is to be seen there."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.config import Imagery, Tiles
from geo.errors import LayerError
from geo.imagery.band_set import BandSet
from geo.imagery.reading.reader import TileImage, TileReader
from geo.imagery.traits.values import (
    LEAST_LEVELS,
    LOST,
    MARKS,
    NARROW,
    Scale,
    Values,
    few_colours,
    levels,
    marks_in,
    plain,
    proposed,
    words,
)

PLACES = 48
"""So many places are looked at, of each raster one at least as far as that goes."""
MOST_OF_A_RASTER = 8
SIDE_PX = 128
"""Side of what is looked at (pixels of the finest raster)."""
BLANK_SHARE, EMPTY_SHARE = 0.2, 0.8
"""Shares of places that show one value, or have no data, from which on it is told."""
COARSE_M = 3.0
"""From this side of a pixel on (metres), a road is a few pixels wide."""


def look_under_roads(
    tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame, imagery: Imagery, shape: Tiles
) -> list[str]:
    """Look at some places under the roads, and say what a run would not show.

    Parameters
    ----------
    tiles
        ``tile_id, x, y, bearing, image_ids, coverage``, see docs/stages.md.
    images
        The catalogue of the city's rasters (``images`` in docs/stages.md).
    imagery, shape
        The sections ``imagery`` and ``tiles`` of the city's file.

    Returns
    -------
    Warnings in words: places that are blank, values that ``imagery.scale`` cuts off or crowds, marks of no data, pixels
    that are wider than a road.

    Raises
    ------
    LayerError
        When there is no data, or one value, wherever roads are, or nothing is left of them by ``imagery.scale``.
    SourceError
        When a raster cannot be reached.
    """
    shown = tiles[tiles["coverage"] > 0]
    chosen = _chosen(shown)
    found = _seen(shown.loc[chosen], images, imagery, shape)
    if _is_blank(found):
        # before a city is refused for it, all of its places are looked at
        distinct = _distinct(shown, images, imagery, shape)
        if _is_blank(distinct):
            raise _nothing_there(distinct)
    told = [*_too_coarse(shown, images, shape), *_blank_places(found)]
    return [*told, *_values_told(found, images, imagery)]


def _chosen(tiles: pd.DataFrame) -> list[object]:
    """Choose tiles that lie apart, of each raster that is seen first; their index."""
    first = tiles["image_ids"].str[0]
    names = sorted(first.unique())
    names = [names[i] for i in _spread(len(names), PLACES)]
    each = min(MOST_OF_A_RASTER, max(1, PLACES // len(names)))
    groups = first.groupby(first).groups
    return [groups[name][i] for name in names for i in _spread(len(groups[name]), each)]


def _spread(count: int, wanted: int) -> list[int]:
    """Choose at most so many of some places, evenly spread."""
    wanted = min(count, wanted)
    return [int((i + 0.5) * count / wanted) for i in range(wanted)]


def _seen(tiles: pd.DataFrame, images: gpd.GeoDataFrame, imagery: Imagery, shape: Tiles) -> pd.DataFrame:
    """Read the rasters' own values at tiles: ``image_id, values`` of each that can be read."""
    return _frame(list(_read(tiles, images, imagery, shape)))


def _distinct(tiles: pd.DataFrame, images: gpd.GeoDataFrame, imagery: Imagery, shape: Tiles) -> pd.DataFrame:
    """Read tiles until two of them show something else, or one shows several colours; one of each kind stays."""
    kinds: dict[tuple[float, ...] | None, TileImage] = {}
    for tile in _read(tiles, images, imagery, shape):
        values = tile.pixels[:, tile.valid]
        kinds.setdefault(_colour(values) if values.shape[1] else (), tile)
        if not _is_blank(_frame(list(kinds.values()))):
            break
    return _frame(list(kinds.values()))


def _read(
    tiles: pd.DataFrame, images: gpd.GeoDataFrame, imagery: Imagery, shape: Tiles
) -> Iterator[TileImage]:
    """Read the middle of each tile that can be read, in the rasters' own values."""
    finest = Tiles(tile_m=min(shape.tile_m, SIDE_PX * float(images["pixel_m"].min())))
    with TileReader(images, imagery, finest, band_set=BandSet.seen(imagery, own_values=True)) as reader:
        for tile in reader.read(tiles):
            if isinstance(tile, TileImage):
                yield tile


def _frame(found: list[TileImage]) -> pd.DataFrame:
    values = pd.Series([tile.pixels[:, tile.valid] for tile in found], dtype=object)
    return pd.DataFrame({"image_id": [tile.image_id.split(";")[0] for tile in found], "values": values})


def _colour(values: Values) -> tuple[float, ...] | None:
    """Give the one colour of some pixels; None where there are several, or none."""
    if not values.shape[1] or (values != values[:, :1]).any():
        return None
    return tuple(float(value) for value in values[:, 0])


def _is_blank(found: pd.DataFrame) -> bool:
    """Tell whether there is no data anywhere, or one colour."""
    shown = [values for values in found["values"] if values.shape[1]]
    colours = {_colour(values) for values in shown}
    return len(found) > 0 and (not shown or (len(colours) == 1 and None not in colours))


def _nothing_there(found: pd.DataFrame) -> LayerError:
    shown = [values for values in found["values"] if values.shape[1]]
    if shown:
        what = f"the imagery is blank under all roads: every pixel there is {_list(_colour(shown[0]) or ())}"
    else:
        what = "the imagery has no data under any road"
    return LayerError(
        what,
        where="imagery.sources",
        todo="Look at the rasters in a GIS, and at imagery.nodata, imagery.bands and imagery.collars.",
    )


def _blank_places(found: pd.DataFrame) -> list[str]:
    """Say how many places are blank, where it is more than a few."""
    shown = found["values"][[values.shape[1] > 0 for values in found["values"]]]
    empty = len(found) - len(shown)
    if len(found) and empty / len(found) >= EMPTY_SHARE:
        return [f"of {len(found)} places looked at under the roads, {empty} have no data"]
    colours = shown.map(_colour).dropna()
    colours = colours[[not set(colour) & set(MARKS) for colour in colours]]
    if not len(shown) or len(colours) / len(shown) < BLANK_SHARE:
        return []
    common = colours.mode().iloc[0]
    told = f"of {len(shown)} places looked at under the roads, {len(colours)} are blank, {_list(common)} throughout"
    return [f"{told}: if that is where imagery has no data, say so in imagery.nodata"]


def _too_coarse(tiles: pd.DataFrame, images: gpd.GeoDataFrame, shape: Tiles) -> list[str]:
    """Say where pixels are wider than a road."""
    size = tiles["image_ids"].str[0].map(images.set_index("image_id")["pixel_m"])
    size = size.clip(lower=shape.pixel_m or 0)
    wide = size >= COARSE_M
    if not wide.any():
        return []
    told = f"{wide.sum():,} of {len(tiles):,} tiles are of pixels of {size[wide].min():.3g} m or more, a few to a road"
    return [f"{told}: types will be of its surroundings rather than of the road"]


def _values_told(found: pd.DataFrame, images: gpd.GeoDataFrame, imagery: Imagery) -> list[str]:
    """Hold the values against the range that becomes 8 bit."""
    dtypes = images.set_index("image_id")["dtype"]
    some = found[[values.shape[1] > 0 for values in found["values"]]]
    if some.empty:
        return []
    pooled = np.concatenate([values.astype(np.float64).ravel() for values in some["values"]])
    told = []
    mark = marks_in(pooled) if set(dtypes) != {"uint8"} else None
    if mark is not None and imagery.nodata != mark:
        told.append(
            f"{np.isclose(pooled, mark).mean():.1%} of the values under the roads are {mark:.6g}, which the rasters do "
            f"not call no data: if it is, write imagery.nodata: {mark:.6g}"
        )
    some = some[[_colour(values) is None for values in some["values"]]]
    numbers = (
        plain(np.concatenate([values.ravel() for values in some["values"]])) if len(some) else plain(pooled)
    )
    if not numbers.size or some.empty:
        return told
    scale = imagery.scale or (0.0, 255.0)
    told += _one_valued(some)
    told += _range_told(numbers, scale, proposed(numbers))
    colours = few_colours(np.concatenate(list(some["values"]), axis=1))
    if colours is not None:
        told.append(f"the imagery under the roads has {colours} colours only, as labels, masks and maps have")
    return [*told, *_odd_ones(some, scale, numbers)]


def _one_valued(some: pd.DataFrame) -> list[str]:
    """Name bands that hold one value while others do not."""
    pooled = np.concatenate(list(some["values"]), axis=1)
    single = np.flatnonzero((pooled == pooled[:, :1]).all(axis=1))
    if not 0 < len(single) < len(pooled):
        return []
    which = ", ".join(str(place + 1) for place in single)
    return [
        f"of the bands that are read, number {which} holds one value ({pooled[single[0], 0]:.6g}) throughout"
    ]


def _range_told(numbers: NDArray[np.float64], scale: Scale, better: Scale | None) -> list[str]:
    """Say what becomes of values when they are brought to 8 bit, where that is little."""
    low, high = np.percentile(numbers, [2, 98]).tolist()
    lie = f"nearly all values under the roads lie from {low:.6g} to {high:.6g}"
    left = levels(numbers, scale)
    advice = words(better)
    if left < LEAST_LEVELS and better is not None:
        raise LayerError(
            f"nothing is to be seen when {scale[0]:.6g} to {scale[1]:.6g} become 8 bit: {lie}",
            where="imagery.scale",
            todo=f"Write {advice}.",
        )
    if left < NARROW * 255 and better is not None:
        given = f"from {scale[0]:.6g} to {scale[1]:.6g}, which becomes 8 bit"
        return [f"{lie}, {left / 255:.0%} of the range {given}: {advice} shows more"]
    cut = float((numbers <= scale[0]).mean()), float((numbers >= scale[1]).mean())
    if max(cut) >= LOST and better is not None:
        end = "black" if cut[0] >= cut[1] else "white"
        return [
            f"imagery.scale makes {max(cut):.0%} of the values under the roads {end}: {lie}; {advice} shows them"
        ]
    return []


def _odd_ones(some: pd.DataFrame, scale: Scale, numbers: NDArray[np.float64]) -> list[str]:
    """Name rasters of which nothing is seen though of others it is."""
    if levels(numbers, scale) < LEAST_LEVELS:
        return []
    odd = []
    for name, parts in some.groupby("image_id", sort=True)["values"]:
        own = plain(np.concatenate([part.ravel() for part in parts]))
        if own.size and levels(own, scale) < LEAST_LEVELS:
            odd.append(str(name))
    if not odd:
        return []
    more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
    return [
        f"nothing is to be seen of {', '.join(odd[:3])}{more} where they were looked at: is their range another?"
    ]


def _list(colour: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in colour) + ")"
