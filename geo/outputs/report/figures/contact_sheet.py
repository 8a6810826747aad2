"""Contact sheets: a small picture of every segment of a type, all of a type in one file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from PIL import Image

from geo.outputs.pictures import evenly
from geo.outputs.report.figures.charts import picture_address
from geo.outputs.report.figures.tile_pictures import Ways, as_jpeg, fitted, in_page, with_way
from geo.outputs.wording import NOT_KNOWN, number, road_name

SIZES = ((80, 62), (64, 58), (48, 58), (48, 48))
"""Side of a picture on a sheet (pixels) and quality of the JPEG, tried until all sheets have room. Sides are whole
blocks of a JPEG, so that no picture runs into the next one."""
_SAMPLE = 60
"""Segments by which it is told whether all have room."""
COLUMNS = 16
MISSING = (228, 228, 224)


@dataclass(frozen=True, slots=True)
class SheetTile:
    """A picture on a sheet: its column and row from 0, and what it is of, with the margin of its type in words."""

    x: int
    y: int
    segment_id: str
    road: str
    margin: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The segments of a type, the least sure first.

    Attributes
    ----------
    source
        All of its pictures in one, as a data address.
    columns, rows
        How many pictures stand side by side in it, and one below the other.
    n_segments, n_shown
        How many segments the type has, and of how many there is a picture here.
    """

    source: str
    columns: int
    rows: int
    tiles: list[SheetTile]
    n_segments: int
    n_shown: int


def contact_sheets(
    segments: pd.DataFrame, shown: pd.DataFrame, pictures: Mapping[str, bytes], ways: Ways, most: int
) -> dict[int, Sheet]:
    """Lay out the contact sheet of each type.

    Parameters
    ----------
    segments
        The layer: ``segment_id, cluster, cluster_margin, name, road_class``.
    shown
        ``segment_id, tile_id`` of the tile that stands for each segment.
    pictures
        JPEG by ``tile_id``.
    ways
        Where the segment lies on each (`ways_on`).
    most
        Characters that all sheets together may take in the page. Where the smallest pictures take more, segments are
        left out, evenly over the order of their margins.

    Returns
    -------
    By type; none of a type of which there is no picture.
    """
    there = shown[shown["tile_id"].isin(list(pictures))]
    rows = segments.loc[segments["cluster"].notna(), ["segment_id", "cluster", "name", "road_class"]].assign(
        cluster_margin=segments.get("cluster_margin")
    )
    counts = rows.groupby(rows["cluster"].astype(int)).size().to_dict()
    rows = by_doubt(rows.merge(there[["segment_id", "tile_id"]], on="segment_id"))
    if rows.empty:
        return {}
    some = rows[:: max(1, len(rows) // _SAMPLE)]
    for px, quality in SIZES:
        told = _taken(_drawn(some, pictures, ways, px, quality)) / len(some) * len(rows)
        if told > most and (px, quality) != SIZES[-1]:
            continue
        sheets = _drawn(rows, pictures, ways, px, quality)
        if (taken := _taken(sheets)) <= most:
            break
    wanted = len(rows)
    while taken > most and wanted > 1:
        # a sheet of fewer is a little less than proportionally smaller
        wanted = int(wanted * min(0.97, most / taken))
        rows = by_doubt(evenly(rows, wanted))
        sheets = _drawn(rows, pictures, ways, px, quality)
        taken = _taken(sheets)
    return {
        cluster: _sheet(rows[rows["cluster"] == cluster], jpeg, counts[cluster])
        for cluster, jpeg in sheets.items()
    }


def margin_words(margin: float) -> str:
    """Write a margin: two places tell how sure a type is.

    Examples
    --------
    >>> margin_words(0.1849), margin_words(0.0004), margin_words(float("nan"))
    ('0.18', '0.00', 'not known')
    """
    return NOT_KNOWN if math.isnan(margin) else f"{margin:.2f}"


def by_doubt(rows: pd.DataFrame) -> pd.DataFrame:
    """Sort segments by type and margin, the least sure first; those whose margin is not known come last."""
    return rows.sort_values(["cluster", "cluster_margin", "segment_id"], ignore_index=True)


def _taken(sheets: Mapping[int, bytes]) -> int:
    return sum(in_page(len(jpeg)) for jpeg in sheets.values())


def _drawn(
    rows: pd.DataFrame, pictures: Mapping[str, bytes], ways: Ways, px: int, quality: int
) -> dict[int, bytes]:
    """Draw the sheet of each type: JPEG by type."""
    found = {}
    for cluster, tiles in rows.groupby(rows["cluster"].astype(int))["tile_id"]:
        columns, lines = _grid(len(tiles))
        sheet = Image.new("RGB", (columns * px, lines * px), MISSING)
        for place, tile in enumerate(tiles):
            picture = with_way(fitted(pictures[tile], px), ways.get(tile, ()))
            sheet.paste(picture, (place % columns * px, place // columns * px))
        found[int(cluster)] = as_jpeg(sheet, quality)
    return found


def _grid(count: int) -> tuple[int, int]:
    """Say how many columns and rows a sheet of so many pictures has."""
    columns = min(COLUMNS, count)
    return columns, -(-count // columns)


def _sheet(rows: pd.DataFrame, jpeg: bytes, n_segments: int) -> Sheet:
    columns, lines = _grid(len(rows))
    tiles = [
        SheetTile(
            place % columns,
            place // columns,
            str(row["segment_id"]),
            road_name(row["name"], row["road_class"]) or "unnamed road",
            margin_words(number(row["cluster_margin"])),
        )
        for place, row in enumerate(rows.to_dict("records"))
    ]
    return Sheet(picture_address(jpeg), columns, lines, tiles, n_segments, len(rows))
