"""What QGIS says of a segment when the pointer rests on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from markupsafe import escape

RATES = (("ksi_per_km_year", "KSI per km and year"), ("collisions_per_km_year", "Collisions per km and year"))


@dataclass(frozen=True, slots=True)
class TipRate:
    """A rate in a tip: its column, its title, and whether the recorded and the shrunk rate have an interval."""

    name: str
    title: str
    exact: bool
    shrunk: bool


@dataclass(frozen=True, slots=True)
class SegmentTip:
    """What the tip of a segment shows.

    Attributes
    ----------
    types
        QGIS expression that names its type.
    rates
        Rates that are known.
    alike, pictures
        Whether there are look-alikes, and pictures of tiles.
    """

    types: str
    rates: tuple[TipRate, ...]
    alike: bool
    pictures: bool


def segment_tip(segments: pd.DataFrame, titles: Mapping[int, str]) -> SegmentTip:
    """Fit the tip to what is known of the segments.

    Parameters
    ----------
    segments
        The layer.
    titles
        Of the clusters.
    """

    def known(column: str) -> bool:
        return column in segments and bool(segments[column].notna().any())

    rates = [
        TipRate(name, said, known(f"{name}_low"), known(f"{name}_eb_low"))
        for name, said in RATES
        if known(name) and known(f"{name}_eb")
    ]
    return SegmentTip(type_expression(titles), tuple(rates), known("looks_like"), known("shown_tile"))


def type_expression(titles: Mapping[int, str]) -> str:
    """Write the QGIS expression that names a segment's type, fit to stand in the HTML of a tip."""
    cases = " ".join(f'WHEN "cluster" = {n} THEN {_quoted(text)}' for n, text in sorted(titles.items()))
    return (
        f"""CASE {cases} ELSE coalesce('Type ' || "cluster", 'no imagery') END""" if cases else "'no imagery'"
    )


def _quoted(text: str) -> str:
    """Quote a text for a QGIS expression inside ``[% %]`` inside HTML."""
    html = str(escape(text)).replace("%", "&#37;")
    return "'" + html.replace("\\", "\\\\").replace("'", "''") + "'"
