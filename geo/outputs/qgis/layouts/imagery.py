"""What is said where imagery was left behind: on paper, on the map, and of the layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from geo.outputs.qgis.layouts.expressions import breakable, literal, shown
from geo.outputs.qgis.layouts.pages import FOLDER, LICENCE
from geo.outputs.qgis.project import Mosaic
from geo.outputs.qgis.tables import PREFIX
from geo.outputs.wording import shorten

_ALPHA = 4
"""Band of a mosaic that is 0 where nothing is covered, and cannot be read where a raster is gone."""
_EDGE = 90
"""Letters of a line at the edge of the map."""
GONE = "Imagery was left behind: {} is not beside the GeoPackage. Copy the whole folder of the run."
LOST = (
    "Imagery was left behind: {} is here, but not {} that it refers to, by paths from this folder. "
    "Move both together, or put the rasters back."
)

NOTE = (
    "<p>Where this layer is blank or cannot be found, its rasters were left behind: it refers to them by paths from "
    "this folder. Copy the run's folder and the imagery together, or put the rasters back where they lay from here.</p>"
)
"""Of layers of imagery, which QGIS marks with a sign that shows it."""


def notice(mosaics: Sequence[Mosaic]) -> str:
    """Write the expression that says which imagery is not where it was; an empty text where all is.

    Whether a raster is there is seen by reading it at a place that it covers: paths are not known to the project, which
    is the same wherever the inputs lie.

    Parameters
    ----------
    mosaics
        Imagery beside the GeoPackage, the topmost first.
    """
    told = []
    for number, mosaic in enumerate(mosaics):
        layer = literal(f"{PREFIX}imagery_{number}")
        lost = [
            f"try(raster_value({layer}, {_ALPHA}, make_point({x!r}, {y!r})), NULL) IS NULL"
            for x, y in mosaic.places
        ]
        cases = [
            f"WHEN NOT file_exists({FOLDER} || {literal('/' + mosaic.file)}) THEN {literal(GONE.format(mosaic.file))}"
        ]
        if lost:
            all_of = LOST.format(mosaic.file, "the rasters")
            some = LOST.format(mosaic.file, "all of the rasters")
            cases += [
                f"WHEN {' AND '.join(lost)} THEN {literal(all_of)}",
                f"WHEN {' OR '.join(lost)} THEN {literal(some)}",
            ]
        told.append(f"CASE {' '.join(cases)} ELSE '' END")
    return " || ".join(told) or "''"


def caption(mosaics: Sequence[Mosaic], licence: str | None, *, has_imagery: bool) -> str:
    """Say below a map what the picture is, or why there is none."""
    if not has_imagery:
        return "No imagery was given: roads are drawn on white."
    if not mosaics:
        return "Imagery is not drawn: it is read from a network, or turned against its grid."
    said = (
        f"Imagery: {breakable(shorten(licence, LICENCE))}"
        if licence
        else "Imagery: source and licence are not told"
    )
    return shown(f"coalesce(nullif({notice(mosaics)}, ''), {literal(said)})")


def map_credits(mosaics: Sequence[Mosaic], licences: Mapping[str, str | None]) -> str:
    """Write what stands at the edge of the map in QGIS: whose data it shows, and where imagery was left behind.

    The edge breaks no lines by itself.
    """
    said = "\n".join(f"{name}: {shorten(text, LICENCE)}" for name, text in licences.items() if text)
    return shown(
        f"coalesce(wordwrap(nullif({notice(mosaics)}, ''), {_EDGE}) || '\\n', '') || {literal(said)}"
    )
