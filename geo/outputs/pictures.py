"""Which tiles are shown as small pictures, and where, and the pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.clusters.found.prototypes import central_tiles
from geo.config import Imagery, Tiles
from geo.imagery.band_set import BandSet
from geo.imagery.catalogue import check_pictured
from geo.imagery.reading.reader import TileImage, TileReader
from geo.outputs.thumbnails import thumbnail

FOR_REPORT, NAMED = 800, 400
"""Segments that the report shows a picture of: all where there are so few, else so many of those that look alike."""
ON_SHEETS, LEAST_ON_SHEET = 1600, 40
"""Segments of which contact sheets hold a picture, at most, and of one type at least, where it has as many."""
KINDS = ("prototype", "edge")
"""Of the picks, those that the GeoPackage holds."""


def middle_tiles(encoded: pd.DataFrame, look_alikes: pd.DataFrame) -> set[str]:
    """Choose the tile in the middle of each segment: of all where there are few, else of those that look alike.

    Parameters
    ----------
    encoded
        ``tile_id, segment_id, position_m`` of the tiles that have an embedding.
    look_alikes
        ``segment_id, similar_segment_id, rank, place``: those of the first ranks come first.
    """
    segments = encoded[["segment_id"]].drop_duplicates()
    if len(segments) > FOR_REPORT:
        ranked = look_alikes.sort_values(["rank", "segment_id", "place"])
        names = pd.unique(ranked[["segment_id", "similar_segment_id"]].to_numpy().ravel())
        segments = segments[segments["segment_id"].isin(names[:NAMED])]
    return set(central_tiles(segments, encoded))


def tiles_of_report(encoded: pd.DataFrame, look_alikes: pd.DataFrame, picks: pd.DataFrame) -> set[str]:
    """Choose the tiles that the report shows: those picked for their types, and those beside its map.

    Parameters
    ----------
    encoded, look_alikes
        See `middle_tiles`.
    picks
        See `geo.clusters.found.prototypes.pick`, with ``tile_id`` (null: no tile of that segment has an embedding).
    """
    return middle_tiles(encoded, look_alikes) | set(picks["tile_id"].dropna())


def tiles_of_sheets(encoded: pd.DataFrame, types: pd.DataFrame) -> pd.DataFrame:
    """Choose the tile that stands for each segment on the contact sheet of its type: the one in its middle.

    Parameters
    ----------
    encoded
        See `middle_tiles`.
    types
        ``segment_id, cluster, cluster_margin``; segments without a type are left out.

    Returns
    -------
    ``segment_id, tile_id``. Of more than `ON_SHEETS` segments those are chosen that stand evenly in the order of their
    margins, see `evenly`.
    """
    typed = types.loc[types["cluster"].notna(), ["segment_id", "cluster", "cluster_margin"]]
    chosen = evenly(typed[typed["segment_id"].isin(encoded["segment_id"])], ON_SHEETS)[["segment_id"]]
    return chosen.assign(tile_id=central_tiles(chosen, encoded))


def evenly(typed: pd.DataFrame, most: int) -> pd.DataFrame:
    """Choose segments of each type evenly in the order of their margins, the first and the last among them.

    Parameters
    ----------
    typed
        ``segment_id, cluster, cluster_margin``; margins that are not known come last.
    most
        How many to choose: of each type in proportion, and of a small one `LEAST_ON_SHEET`, so that there may be
        more of them. All, where there are no more.
    """
    if len(typed) <= most:
        return typed
    ordered = typed.sort_values(["cluster", "cluster_margin", "segment_id"])
    share = most / len(typed)
    chosen = []
    for _, of_type in ordered.groupby("cluster"):
        wanted = min(len(of_type), max(1, min(LEAST_ON_SHEET, most), int(len(of_type) * share)))
        chosen.append(of_type.iloc[np.linspace(0, len(of_type) - 1, wanted).round().astype(int)])
    return pd.concat(chosen).sort_index()


def pictures_of_file(
    pictures: Mapping[str, bytes], picks: pd.DataFrame, which: Literal["none", "prototypes", "all"]
) -> dict[str, bytes]:
    """Choose the pictures that the GeoPackage holds.

    Parameters
    ----------
    pictures
        JPEG by ``tile_id``.
    picks
        ``kind`` and ``tile_id``.
    which
        ``prototypes``: those of `KINDS`.
    """
    if which == "none":
        return {}
    if which == "all":
        return dict(pictures)
    typical = set(picks.loc[picks["kind"].isin(KINDS), "tile_id"])
    return {tile: jpeg for tile, jpeg in pictures.items() if tile in typical}


def draw_pictures(
    tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame, imagery: Imagery, settings: Tiles
) -> Iterator[tuple[str, bytes]]:
    """Read tiles and shrink them; one whose imagery cannot be read is left out.

    Parameters
    ----------
    tiles, images
        See docs/stages.md.
    imagery, settings
        The sections ``imagery`` and ``tiles``.

    Yields
    ------
    ``tile_id`` and JPEG.

    Raises
    ------
    LayerError
        When a raster lacks the bands of pictures.
    """
    check_pictured(images[images["image_id"].isin(set(tiles["image_ids"].explode()))], imagery)
    with TileReader(images, imagery, settings, band_set=BandSet.pictured(imagery)) as reader:
        for tile in reader.read(tiles):
            if isinstance(tile, TileImage):
                yield tile.tile_id, thumbnail(tile.pixels)
