"""How junctions are drawn in QGIS: by counts, by type, by their shrunk rate, and by how surely they are the worst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from geo.outputs.palette import SEQUENCE, UNKNOWN
from geo.outputs.qgis.classes import ELSE, Band, count_bands, rate_bands
from geo.outputs.wording import NOT_KNOWN

COUNTS, TYPES, RATE, WORST = "counts", "junction types", "shrunk rate", "worst junctions"
_SIZE = "2.4"
"""Of a circle that stands for no number (mm)."""
_SURE = ((0.95, "0.95 or more"), (0.5, "0.5 to 0.95"), (0.05, "0.05 to 0.5"))
"""Steps of the probability of being among the worst."""


def junction_maps(
    junctions: pd.DataFrame, types: Mapping[int, tuple[str, str]]
) -> dict[str, tuple[str, list[Band]]]:
    """Lay out the maps of junctions: heading of the legend, and classes, by the name of the style.

    Parameters
    ----------
    junctions
        The frame of the layer ``junctions``.
    types
        Title and colour (``#RRGGBB``) of each type of junction, by its number.
    """
    known = junctions["n_ksi"].notna().any()
    column, heading = ("n_ksi", "KSI collisions") if known else ("n_collisions", "Collisions")
    return {
        COUNTS: (heading, count_bands(junctions[column])),
        TYPES: _types(types),
        RATE: _rate(junctions),
        WORST: worst_bands("junctions"),
    }


def _types(types: Mapping[int, tuple[str, str]]) -> tuple[str, list[Band]]:
    """Colour junctions by what they look like."""
    bands = [
        Band(f'"cluster" = {number}', title, colour, _SIZE)
        for number, (title, colour) in sorted(types.items())
    ]
    return "Types of junction by their look", [*bands, Band(ELSE, "no imagery", UNKNOWN, "1.2", filled=False)]


def _rate(junctions: pd.DataFrame) -> tuple[str, list[Band]]:
    """Colour junctions by what is to be expected of them in a year."""
    what, said = "ksi", "KSI"
    if "ksi_per_year_eb" not in junctions or junctions["ksi_per_year_eb"].isna().all():
        what, said = "collisions", "Collisions"
    column = f"{what}_per_year_eb"
    rates = junctions[column] if column in junctions else pd.Series(dtype=float, name=column)
    bands = [replace(band, size="1.2" if band.filter == ELSE else _SIZE) for band in rate_bands(rates)]
    return f"{said} per year, shrunk", bands


def worst_bands(places: str, sizes: tuple[str, str, str] = (_SIZE, "1.2", "0.8")) -> tuple[str, list[Band]]:
    """Colour places by how surely they are among the worst: heading of the legend, and classes.

    Parameters
    ----------
    places
        What they are, for the heading.
    sizes
        Of those that may be among them, of others, and of those of which it is not known (mm).
    """
    column, top = '"p_worst_5_percent"', None
    bands = []
    for (low, label), colour in zip(_SURE, reversed(SEQUENCE[::2]), strict=True):
        upper = "" if top is None else f" AND {column} < {top}"
        bands.append(Band(f"{column} >= {low}{upper}", label, colour, sizes[0]))
        top = low
    bands.append(Band(f"{column} < {top}", f"under {top}", UNKNOWN, sizes[1], filled=False))
    heading = f"Probability of being among the worst 5 % of {places}"
    return heading, [*bands, Band(ELSE, NOT_KNOWN, UNKNOWN, sizes[2], filled=False)]
