"""Answers of a search as a contact sheet: one page with the pictures of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from geo.errors import SourceError
from geo.outputs.report.figures.charts import picture_address
from geo.outputs.templates import templates
from geo.search.looks import OF_TILES

UNNAMED = "unnamed road"


def write_sheet(
    path: Path,
    answers: pd.DataFrame,
    pictures: Mapping[str, bytes],
    *,
    city: str,
    meant: Sequence[str],
    unlike: Sequence[str] = (),
) -> None:
    """Write the page: one HTML file that asks for no other.

    Parameters
    ----------
    path
        Path of the file; one that is there is replaced.
    answers
        See `geo.search.looks.Looks.find`.
    pictures
        JPEG of tiles, by ``tile_id``; an answer whose tile has none says so.
    city
        Its name.
    meant, unlike
        Examples of what was asked for, and of what was not meant, in words.

    Raises
    ------
    SourceError
        When it cannot be written.
    """
    rows = [
        row
        | {
            "name": UNNAMED if pd.isna(row["name"]) else row["name"],
            "picture": picture_address(pictures[row["tile_id"]]) if row["tile_id"] in pictures else "",
        }
        for row in answers.to_dict("records")
    ]
    page = (
        templates("geo.outputs", "answers")
        .get_template("sheet.html.jinja")
        .render(city=city, meant=meant, unlike=unlike, answers=rows, over_tiles=OF_TILES in answers)
    )
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(page, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise SourceError(
            f"the page cannot be written ({error.strerror})",
            where=str(path),
            todo="Free disk space, or choose a place that can be written to.",
        ) from error
