"""The pictures of the page: those of single tiles, and the contact sheets of types, as large as there is room for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from geo.outputs.report.figures.charts import picture_address
from geo.outputs.report.figures.contact_sheet import Sheet, contact_sheets
from geo.outputs.report.figures.tile_pictures import (
    as_jpeg,
    fitted,
    of_tiles,
    pictures_within,
    ways_on,
    with_way,
)

MOST_OF_TILES, MOST_OF_SHEETS = 1_300_000, 1_100_000
"""Characters of the page that pictures of single tiles may take together, and contact sheets."""
FACE_PX, FACE_QUALITY = 72, 70
"""Side of the picture that stands for a type in tables (pixels), and quality of its JPEG."""


@dataclass(frozen=True, slots=True)
class PagePictures:
    """What the page shows of the imagery.

    Attributes
    ----------
    tiles
        JPEG of single tiles, by ``tile_id``, with their segment drawn on them.
    faces
        The small picture that stands for each type (its prototype), as a data address.
    sheets
        The contact sheet of each type.
    """

    tiles: dict[str, bytes]
    faces: dict[int, str]
    sheets: dict[int, Sheet]


def page_pictures(
    pictures: Mapping[str, bytes],
    picks: pd.DataFrame,
    tiles: gpd.GeoDataFrame | pd.DataFrame | None,
    segments: gpd.GeoDataFrame,
    sheets: tuple[pd.DataFrame | None, Mapping[str, bytes]],
) -> PagePictures:
    """Draw the pictures of the page.

    Parameters
    ----------
    pictures
        JPEG of each tile that is shown by itself, by ``tile_id``.
    picks
        Segments that stand for each type: ``cluster, kind, rank, tile_id``.
    tiles, segments
        The layers of the GeoPackage, by which segments are drawn on pictures; no tiles: they are not.
    sheets
        ``segment_id, tile_id`` of the tile that stands for each segment on a contact sheet (None: there are no
        sheets), and JPEG of these by ``tile_id``.
    """
    on_sheets, small = sheets
    ways = ways_on(of_tiles(tiles, {*pictures, *small}), segments)
    typical = picks[picks["kind"].eq("prototype") & picks["tile_id"].isin(list(pictures))]
    typical = typical.sort_values(["cluster", "rank"]).drop_duplicates("cluster")
    faces = {
        int(cluster): picture_address(
            as_jpeg(with_way(fitted(pictures[tile], FACE_PX), ways.get(tile, ())), FACE_QUALITY)
        )
        for cluster, tile in zip(typical["cluster"], typical["tile_id"], strict=True)
    }
    laid = {} if on_sheets is None else contact_sheets(segments, on_sheets, small, ways, MOST_OF_SHEETS)
    return PagePictures(pictures_within(pictures, ways, MOST_OF_TILES), faces, laid)
