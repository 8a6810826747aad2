"""What the report's map can be coloured by, with the legend of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.outputs.palette import CERTAINTY, SEQUENCE, UNKNOWN, Look
from geo.outputs.qgis.classes import Cut, rate_cuts
from geo.outputs.report.figures.charts import bokeh_dash, dash_of
from geo.outputs.wording import NOT_KNOWN, figure, untyped
from geo.safety.rates import OUTCOME_NAMES, Outcome

TYPE, RATE, NETWORK, MARGIN = "type", "rate", "network", "margin"
FEW_TYPED = 0.5
"""Of a smaller share of the length with a type, the map opens with rates: types would leave most of it grey."""
USUAL = 1.0
"""Width of the lines of a class that does not stand out, by itself."""
COMMON_MM = 0.9
"""Width that a class of rates is drawn in where nothing is said of it (mm): wider ones stand out by their ratio."""


@dataclass(frozen=True, slots=True)
class MapClass:
    """A line of a legend.

    Attributes
    ----------
    label, note
        What it says, and more in small print (empty: nothing).
    colour, dash, svg_dash
        How its lines are drawn, for Bokeh and for SVG.
    weight
        Width of its lines by that of the others.
    quiet
        Whether it is drawn thin, beneath the others: nothing is known there.
    cluster
        Number of the type of road that it is; None: it is none.
    """

    label: str
    colour: str
    dash: tuple[int, ...] = ()
    svg_dash: str = "none"
    weight: float = USUAL
    quiet: bool = False
    note: str = ""
    cluster: int | None = None


@dataclass(frozen=True, slots=True)
class Paint:
    """One way to colour the map.

    Attributes
    ----------
    key, button, title
        Its name in the page, the words of its button, and the heading of its legend.
    classes
        The lines of its legend.
    of
        Class of each segment, by its place in `classes`, on the index of the segments.
    """

    key: str
    button: str
    title: str
    classes: tuple[MapClass, ...]
    of: pd.Series


def paints(
    segments: gpd.GeoDataFrame,
    windows: pd.DataFrame | None,
    rate_of: Outcome,
    looks: Mapping[int, Look],
    titles: Mapping[int, str],
    notes: Mapping[int, str],
) -> list[Paint]:
    """List what a city's map can be coloured by.

    Parameters
    ----------
    segments, windows
        The layers of the GeoPackage; no windows: no network.
    rate_of
        Which rate is told of each segment.
    looks, titles, notes
        Colour and pattern of each type, what it is called, and more in small print, by its number.

    Returns
    -------
    Those of which something is known in this city; by type in any case. The first one is that which the map opens with.
    """
    found = [_by_type(segments, looks, titles, notes)]
    rates = segments.get(f"{rate_of}_per_km_year_eb")
    if rates is not None and rates.notna().any():
        title = f"{OUTCOME_NAMES[rate_of]} per km and year, shrunk towards roads like it"
        cuts = rate_cuts(rates, SEQUENCE, lengths=segments["length_m"])
        found.append(_by_cuts(RATE, "Rate", title[:1].upper() + title[1:], rates, cuts))
    if windows is not None and windows["in_high_injury_network"].fillna(value=False).any():
        found.append(_network(segments, windows))
    margins = segments.get("cluster_margin")
    if margins is not None and margins.notna().any():
        title = "How sure the type is (margin; 0: as near to another type, 1: as typical as can be)"
        found.append(_by_cuts(MARGIN, "How sure the type is", title, margins, rate_cuts(margins, CERTAINTY)))
    lengths = segments["length_m"]
    typed = lengths[segments["cluster"].notna()].sum() / lengths.sum()
    if typed < FEW_TYPED:
        found.sort(key=lambda paint: paint.key != RATE)
    return found


def _by_type(
    segments: gpd.GeoDataFrame,
    looks: Mapping[int, Look],
    titles: Mapping[int, str],
    notes: Mapping[int, str],
) -> Paint:
    numbers = sorted(looks)
    classes = [
        MapClass(
            label=titles.get(number, f"Type {number}"),
            colour=looks[number].colour,
            dash=tuple(bokeh_dash(looks[number])),
            svg_dash=dash_of(looks[number]),
            note=notes.get(number, ""),
            cluster=number,
        )
        for number in numbers
    ]
    place = {number: at for at, number in enumerate(numbers)}
    n_without = int(segments["cluster"].isna().sum())
    if n_without:
        label = f"{untyped(segments)} ({figure(n_without)})"
        classes.append(MapClass(label=label, colour=UNKNOWN, quiet=True))
    of = segments["cluster"].map(place).fillna(len(numbers)).astype("int64")
    return Paint(TYPE, "Type", "Road types", tuple(classes), of)


def _by_cuts(key: str, button: str, title: str, values: pd.Series, cuts: list[Cut]) -> Paint:
    classes = [
        MapClass(label=cut.label, colour=cut.colour, weight=round(max(float(cut.size), 0.5) / COMMON_MM, 2))
        for cut in cuts
    ]
    known = values.notna().to_numpy()
    of = np.searchsorted([cut.top for cut in cuts], values.fillna(0).to_numpy(dtype=np.float64))
    of = np.where(known, of, len(cuts))
    if not known.all():
        n_without = int((~known).sum())
        classes.append(MapClass(label=f"{NOT_KNOWN} ({figure(n_without)})", colour=UNKNOWN, quiet=True))
    return Paint(key, button, title, tuple(classes), pd.Series(of, index=values.index))


def _network(segments: gpd.GeoDataFrame, windows: pd.DataFrame) -> Paint:
    """Lay the network over grey streets: its windows have lines of their own (`geo.outputs.report.map.data`)."""
    inside = int(windows["in_high_injury_network"].fillna(value=False).sum())
    classes = (
        MapClass(
            label=f"in the high-injury network ({figure(inside)} windows, which may overlap)",
            colour=SEQUENCE[-1],
        ),
        MapClass(label="other streets", colour=UNKNOWN, quiet=True),
    )
    title = "High-injury network: where collisions, weighted by severity, gather most"
    return Paint(NETWORK, "High-injury network", title, classes, pd.Series(1, index=segments.index))
