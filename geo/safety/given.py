"""A city's collisions held against functions that others published, and against its own, group by group."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import numpy as np
import pandas as pd

from geo.config import Severity
from geo.config.sections.given import GivenFunction
from geo.safety.expected.calibration import calibrate_given, calibrate_own
from geo.safety.expected.yearly import count_years
from geo.safety.rates import Outcome

OUTCOMES: tuple[Outcome, ...] = ("ksi", "collisions")
_OF = {"segments": "segment_id", "junctions": "junction_id"}


def calibrate_city(
    segments: pd.DataFrame,
    junctions: pd.DataFrame,
    functions: Sequence[GivenFunction],
    models: pd.DataFrame,
    records: pd.DataFrame | None,
    period: tuple[date, date] | None,
    severities: Collection[Severity],
    years: float | None,
) -> list[pd.DataFrame]:
    """Tell the calibration factors of published functions and of the city's own.

    Parameters
    ----------
    segments
        By ``segment_id``: ``road_class``, ``counted_m``, ``aadt``, ``years``, counts and predictions of both outcomes.
    junctions
        By ``junction_id``: ``junction_type``, ``traffic_major``, ``traffic_minor``, ``years``, counts and predictions.
    functions
        Published functions of the city's file.
    models
        The table of models, for k of the city's own functions.
    records, period, severities
        Placed collisions, the days that they cover and the severities that they tell; None: there are none.
    years
        How much of that time they cover (years).

    Returns
    -------
    Rows of the table of models.
    """
    units = {
        "segments": pd.DataFrame(
            {
                "group": segments["road_class"],
                "length_km": segments["counted_m"].astype("float64") / 1000,
                "traffic": segments["aadt"],
            }
        ),
        "junctions": pd.DataFrame(
            {
                "group": junctions["junction_type"],
                "traffic": junctions["traffic_major"],
                "minor": junctions["traffic_minor"],
            }
        ),
    }
    counts = {"segments": segments, "junctions": junctions}
    spread = models[models["name"] == "overdispersion"].set_index("outcome")["value"]
    tables = []
    for of, table in counts.items():
        for what in OUTCOMES:
            name = f"{what} at junctions" if of == "junctions" else what
            if name in spread:
                predicted = table[f"{what}_predicted"]
                tables.append(
                    calibrate_own(
                        name, units[of]["group"], table[f"n_{what}"], predicted, float(spread[name])
                    )
                )
    if not functions or records is None or period is None or years is None:
        return tables
    covered = count_years(records, period, severities, years)["covered"]
    for one in functions:
        by_year = _by_year(one, units[one.of].index, records, covered, severities)
        observed = counts[one.of][f"n_{one.outcome}"]
        tables.append(calibrate_given(one, units[one.of], observed, years, by_year))
    return tables


def _by_year(
    function: GivenFunction,
    index: pd.Index,
    records: pd.DataFrame,
    covered: pd.Series,
    severities: Collection[Severity],
) -> dict[int, tuple[float, pd.Series]]:
    """Count the events of each unit in each calendar year; nothing unless all of them have a year."""
    place = _OF[function.of]
    placed = records[records[place].notna()]
    if function.outcome == "ksi":
        if not {"fatal", "serious"} <= set(severities):
            return {}
        placed = placed[placed["severity"].isin(["fatal", "serious"]).fillna(value=False).astype(bool)]
    year = placed["date"].dt.year.astype("Int64").fillna(placed["source_year"].astype("Int64"))
    if year.isna().any():
        return {}
    return {
        int(str(one)): (
            float(share),
            placed.loc[(year == one).to_numpy(dtype=bool), place].value_counts().reindex(index, fill_value=0),
        )
        for one, share in covered.items()
    }


def factor_sentences(tables: Sequence[pd.DataFrame]) -> list[str]:
    """Say the calibration factor of each published function in a sentence."""
    rows = [
        row
        for table in tables
        for row in table.head(1).to_dict("records")
        if row["name"].startswith("factor of ")
    ]
    return [
        f"calibration {row['name']}: {row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f}); {row['says']}"
        if np.isfinite(row.get("value", np.nan))
        else f"no calibration {row['name']}: {row['says']}"
        for row in rows
    ]
