"""Answers of a search, handed on: as rows, as a layer, as a page of pictures."""

from __future__ import annotations

import io
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from geo.errors import ConfigurationError, SourceError
from geo.outputs.answers.layer import write_answers
from geo.outputs.answers.sheet import write_sheet

if TYPE_CHECKING:
    from tasks.results.finding import Asked
    from tasks.results.opened import OpenRun

ENDINGS = (".gpkg", ".geojson", ".html")
SHEET_PX = 320
"""Side of a picture on the page (pixels)."""
_QUALITY = 85
DIGITS = 6


def check_out(path: Path) -> Path:
    """Make sure that answers can be written to a file, before they are sought.

    Raises
    ------
    ConfigurationError
        When its ending is none of `ENDINGS`, or its folder is not there.
    """
    if path.suffix.lower() not in ENDINGS:
        raise ConfigurationError(
            f"{path.name!r} has none of the endings {', '.join(ENDINGS)}",
            where="--out",
            todo="Name a file with one of them.",
        )
    if not path.resolve().parent.is_dir():
        raise ConfigurationError(
            f"there is no folder {path.resolve().parent}", where="--out", todo="Make it, or name another one."
        )
    return path


def as_rows(answers: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Give answers as plain values; null where something is not known."""
    plain = pd.DataFrame(answers.drop(columns=answers.geometry.name))
    rows = plain.astype(object).where(plain.notna(), None).to_dict("records")
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows]


def write(found: Asked, path: Path, *, without: Collection[str] = ()) -> None:
    """Write answers to a file, by its ending.

    Parameters
    ----------
    found
        What was asked, and the answers.
    path
        One of `ENDINGS`.
    without
        Columns of the layer that are left out.

    Raises
    ------
    SourceError
        When it cannot be written.
    """
    if path.suffix.lower() != ".html":
        write_answers(path, found.answers, without=without)
        return
    tiles = [str(one) for one in found.answers["tile_id"].dropna()]
    write_sheet(
        path,
        pd.DataFrame(found.answers.drop(columns=found.answers.geometry.name)),
        {tile: jpeg for tile in tiles if (jpeg := _picture(found.run, tile)) is not None},
        city=found.run.city,
        meant=[one.label for one in found.yes],
        unlike=[one.label for one in found.no],
    )


def _picture(run: OpenRun, tile_id: str) -> bytes | None:
    """Give the picture of a tile as JPEG; None: its imagery is gone."""
    try:
        picture = run.tile(tile_id)
    except SourceError:
        return None
    picture.thumbnail((SHEET_PX, SHEET_PX))
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=_QUALITY)
    return jpeg.getvalue()


def _plain(value: object) -> object:
    """Give a value as JSON knows it."""
    whole = getattr(value, "item", None)
    found = value if whole is None else whole()
    return round(found, DIGITS) if isinstance(found, float) else found
