"""How many people walk and cycle along a city's segments, where somebody has counted or estimated it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from geo.config import Exposure
from geo.exposure.counts import ITEM, SECTION, read_points
from geo.exposure.traffic import measure_traffic
from geo.ledger import Entry

PEOPLE = {"pedestrian": "pedestrians", "cyclist": "cyclists"}
"""Road users whose exposure may be known, and what several are called."""


def measure_people(
    segments: gpd.GeoDataFrame, settings: Exposure, crs: pyproj.CRS, period: tuple[date, date] | None
) -> tuple[pd.DataFrame, list[Entry]]:
    """Give each segment the people who walk and cycle along it, where they are known: read and placed as traffic is.

    Parameters
    ----------
    segments
        See docs/stages.md; LineStrings in metres.
    settings
        The section ``exposure``, with its parts ``pedestrians`` and ``cyclists``.
    crs
        CRS of the segments.
    period
        First and last day of the collision records; None: not known.

    Returns
    -------
    By ``segment_id``, of both users: ``pedestrians_per_day`` (people a day, yearly average; null where not known) and
    ``pedestrians_source`` (``measured``, ``inherited``, ``column`` or null); and what became of figures and segments.

    Raises
    ------
    SourceError, LayerError, ConfigurationError
        Naming the key of the section that mends it.
    """
    table = pd.DataFrame(index=pd.Index(segments["segment_id"], name="segment_id"))
    entries = []
    asked = settings.people()
    for user, many in PEOPLE.items():
        if user not in asked:
            table[f"{many}_per_day"], table[f"{many}_source"] = np.nan, None
            continue
        section, own = f"{SECTION}.{many}", asked[user].as_traffic()
        counts = read_points(own, crs, section=section)
        found, told = measure_traffic(segments, own, counts, period, section=section)
        table[f"{many}_per_day"] = found["aadt"].reindex(table.index)
        table[f"{many}_source"] = found["traffic_source"].reindex(table.index)
        entries += [_of_people(one, many, section) for one in told]
    return table, entries


def _of_people(entry: Entry, many: str, section: str) -> Entry:
    """Word an entry on traffic for people, with the keys of their section."""
    item = {ITEM: f"counts of {many}", "segments": f"segments, {many}"}.get(entry.item, entry.item)
    reason = entry.reason.replace("traffic", f"count of {many}").replace(f"{SECTION}.", f"{section}.")
    return Entry(item, entry.status, reason, entry.count)


def people_sentences(settings: Exposure, table: pd.DataFrame, length_m: pd.Series) -> list[str]:
    """Say on how much of the network it is known how many people walk and cycle; nothing where no counts are named.

    Parameters
    ----------
    settings
        The section ``exposure``.
    table
        As `measure_people` gives it.
    length_m
        Length of each segment (metres), on the same index.
    """
    total = float(length_m.sum())
    return [
        f"how many {many} there are is known on {length_m[table[f'{many}_per_day'].notna()].sum() / total:.1%} of the "
        f"network's length; elsewhere there is no rate of collisions per {PER[user]}"
        for user, many in PEOPLE.items()
        if user in settings.people()
    ]


def people_doubts(settings: Exposure, table: pd.DataFrame, entries: list[Entry]) -> list[str]:
    """Warn where counts of people are named, and none came to a road."""
    return [
        f"no road has a count of {many} ({_lost(entries, many) or 'no figure is there'}): look at {SECTION}.{many}"
        for user, many in PEOPLE.items()
        if user in settings.people() and table[f"{many}_per_day"].isna().all()
    ]


def _lost(entries: list[Entry], many: str) -> str:
    return "; ".join(
        f"{one.count:,} {one.reason}" for one in entries if one.item == f"counts of {many}" and one.reason
    )


PER: Mapping[str, str] = {"pedestrian": "kilometre walked", "cyclist": "kilometre cycled"}
