"""What the page is told of a run as a whole: what there is to see, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from geo.errors import SourceError
from geo.outputs.names import FILE as NAMES
from geo.outputs.names import read_names
from geo.outputs.palette import look
from geo.outputs.wording import NOT_APART, severity_words, untyped
from geo.roads.importance import importance
from tasks.explore.columns import Described, described
from tasks.explore.network import IN_NETWORK, network_of
from tasks.explore.page import Page
from tasks.explore.records import records_of
from tasks.store.status import latest
from tasks.store.summary import LATEST, SUMMARY, AnyRun

_WATCHED = (NAMES, "corrections.csv")
"""Files of the city that corrections change."""


def about(page: Page, *, blind: bool) -> dict[str, Any]:
    """Say what there is to see.

    Parameters
    ----------
    page
        The page.
    blind
        Whether nothing is to be told of what collisions do to columns.

    Returns
    -------
    ``city, run, made, edit, bounds, imagery, note, classes, users, severities, slight, years, untold, types, columns,
    counts``. ``imagery``: whether the run read any, be it there now or not; ``note``: sentences on what is missing;
    ``untold``: of how many placed collisions severity, year or road user are not known.
    """
    page.check_stands()
    segments, tiles, records = page.segments, page.tiles, records_of(page)
    known, names_note = _types(page)
    classes = segments["road_class"].dropna().astype(str).unique()
    return {
        "city": page.run.city,
        "run": page.run_id,
        "made": _made(page),
        "edit": page.edit,
        "bounds": network_of(page).bounds,
        "imagery": bool(tiles["image_id"].notna().any()),
        "note": [*_missing(page), *names_note],
        "classes": sorted(classes, key=lambda name: (importance(name), name)),
        "users": records.users,
        "severities": records.severities,
        "slight": severity_words(segments)["slight"],
        "years": sorted(map(int, records.year[records.placed].dropna().unique())),
        "untold": records.untold,
        "types": known,
        "columns": [column.told(blind=blind) for column in columns(page)],
        "counts": {
            "segments": len(segments),
            "tiles": len(tiles),
            "collisions": len(page.collisions),
            "placed": int(records.placed.sum()),
        },
    }


def prepare(page: Page) -> None:
    """Read and lay out what the page asks for first, so that it is there when it does."""
    about(page, blind=True)
    _ = network_of(page).drawn


def columns(page: Page) -> list[Described]:
    """Describe the columns that segments can be coloured by: those of the layer, and whether each is in the network."""
    found = described(page)
    if network_of(page).in_network.notna().any():
        return [*found, Described(IN_NETWORK, "In the high-injury network", "", "flag", outcome=True)]
    return found


def changes(page: Page) -> dict[str, Any]:
    """Say whether the run is still there, whether the city has a newer one, and what corrections stand: cheap.

    Returns
    -------
    ``changed`` (the run was replaced or removed), ``newer`` (name of the newest run, null: it is this one), ``version``
    (another text after each correction).
    """
    folder = page.city_folder
    newest = None if folder is None else latest(folder / LATEST)[0]
    return {
        "changed": not page.stands,
        "newer": newest if newest not in {None, page.run_id} else None,
        "version": "" if folder is None else "-".join(_mark(folder / name) for name in _WATCHED),
    }


def _mark(file: Path) -> str:
    """Tell one state of a file from another."""
    try:
        seen = file.stat()
    except OSError:
        return "0"
    return f"{seen.st_mtime_ns:x}.{seen.st_size:x}"


def _made(page: Page) -> str | None:
    """Say on which day a run ended; None: it does not say."""
    if page.run.folder is None:
        return None
    ended = AnyRun.read(page.run.folder / SUMMARY).finished
    return None if ended is None else f"{ended.day} {ended:%B %Y}"


def _types(page: Page) -> tuple[list[dict[str, Any]], list[str]]:
    """Lay the types out, by the names that they have now; and what is to be told where these cannot be read."""
    types = page.types
    folder, notes = page.city_folder, []
    try:
        said = {} if folder is None else read_names(folder / NAMES)
    except SourceError as error:
        said, notes = {}, [f"{error} Types have the names that the run knew."]
    own = page.segments["cluster"]
    tiles = page.tiles["segment_id"].map(page.segments.set_index("segment_id")["cluster"]).value_counts()
    found = []
    for row in types.to_dict("records"):
        number = int(row["cluster"])
        now = said.get(number)
        found.append(
            {
                "type": number,
                "name": (now.name if now is not None else "") or _text(row.get("name")) or f"Type {number}",
                "color": (now.colour if now is not None else "")
                or _text(row.get("colour"))
                or look(number).colour,
                "words": _text(row.get("words")),
                "note": now.note if now is not None else _text(row.get("note")),
                "merged_into": None if now is None else now.merged_into,
                "segments": int((own == number).sum()),
                "km": round(float(row["length_km"]), 3),
                "tiles": int(tiles.get(number, 0)),
            }
        )
    return found, notes


def _missing(page: Page) -> list[str]:
    """Say what a run does not have, and what follows from it."""
    segments, found = page.segments, []
    if not page.tiles["image_id"].notna().any():
        found.append("The run read no imagery: there are no pictures and no types.")
    elif segments["cluster"].isna().any() and page.types.empty:
        found.append(f"No road has a type ({untyped(segments)}).")
    if page.run.folder is None:
        found.append(
            "This is the GeoPackage alone, without the folder of its run: nothing can be searched or corrected."
        )
    if page.collisions.empty:
        found.append("The run has no records of collisions: nothing is known of rates.")
    elif severity_words(segments)["slight"] == NOT_APART:
        found.append("Records do not tell serious injuries from slight ones.")
    return found


def _text(value: object) -> str | None:
    return None if value is None or pd.isna(value) or not str(value).strip() else str(value)  # type: ignore[call-overload]
