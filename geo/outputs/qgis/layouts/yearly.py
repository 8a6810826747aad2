"""Collisions of the roads that are printed, by year and severity."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from geo.config import SEVERITIES
from geo.outputs.harm import UNHURT, UNTOLD, severity_of

YEARS = 8
"""So many years have a line of their own, at most."""
UNDATED, EARLIER = "year not known", "before {}"


def by_year(stretches: Sequence[str], segments: pd.DataFrame, collisions: pd.DataFrame) -> pd.DataFrame:
    """Count collisions on stretches of road by year and severity.

    Parameters
    ----------
    stretches
        Ids of the stretches.
    segments, collisions
        The layers; of collisions those count that are placed on a segment of a stretch.

    Returns
    -------
    By ``stretch_id`` and ``year``, a column for each severity, for `UNHURT` and `UNTOLD`: years that have any collision
    in the city, the newest `YEARS` of them each, those before together, and last those of an unknown year, where there
    are any.
    """
    placed = collisions[collisions["snap_status"].eq("matched")]
    year = pd.to_datetime(placed["date"], utc=True).dt.year.astype("float64")
    if "source_year" in placed:
        year = year.where(year.notna(), placed["source_year"].astype("float64"))
    years = sorted({int(one) for one in year.dropna()})
    newest = years[-YEARS:]
    before = EARLIER.format(newest[0]) if len(years) > YEARS else ""
    counted = pd.DataFrame(
        {
            "stretch_id": placed["segment_id"].map(segments.set_index("segment_id")["stretch_id"]),
            "year": year.map({one: str(one) if one in newest else before for one in years}).fillna(UNDATED),
            "severity": severity_of(placed).fillna(UNTOLD),
        }
    )
    counted = counted[counted["stretch_id"].isin(list(stretches))]
    names = [before] * bool(before) + [str(one) for one in newest]
    names += [UNDATED] * bool(counted["year"].eq(UNDATED).any())
    index = pd.MultiIndex.from_product([list(stretches), names], names=["stretch_id", "year"])
    columns = [*SEVERITIES, UNHURT, UNTOLD]
    if counted.empty:
        return pd.DataFrame(0, index=index, columns=columns)
    table = pd.crosstab([counted["stretch_id"], counted["year"]], counted["severity"])
    return table.reindex(index=index, columns=columns, fill_value=0)
