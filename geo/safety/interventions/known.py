"""What is known of segments and junctions before and beside their records, and what was recorded there."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from geo.safety.expected.design import pool_classes
from geo.safety.interventions.study import Network
from geo.safety.interventions.times import Floats

KSI = ("fatal", "serious")


def segments_known(found: pd.DataFrame, road_class: pd.Series) -> pd.DataFrame:
    """Lay out what is known of segments, as for their safety performance function.

    Parameters
    ----------
    found
        By ``segment_id``: ``counted_m`` (metres), ``junction_ends_per_km`` and ``aadt`` (vehicles a day).
    road_class
        Class of each.
    """
    return pd.DataFrame(
        {
            "exposure": found["counted_m"].astype("float64") / 1000,
            "road_class": road_class.reindex(found.index),
            "traffic": found["aadt"].astype("float64"),
            "junction ends per km": found["junction_ends_per_km"].astype("float64"),
        },
        index=found.index,
    )


def junctions_known(found: pd.DataFrame) -> pd.DataFrame:
    """Lay out what is known of junctions, as for their safety performance function.

    Parameters
    ----------
    found
        By ``junction_id``: ``junction_type``, ``highest_class``, ``traffic_major`` and ``traffic_minor``, and
        ``n_collisions`` (`geo.safety.junctions.arms.known_of_junctions`).
    """
    events = found["n_collisions"].astype("Float64").astype("float64").fillna(0.0)
    classes, _ = pool_classes(found["highest_class"], events)
    others = sorted(set(classes) - {classes.mode().min()})
    table = pd.DataFrame({"exposure": 1.0, "road_class": found["junction_type"]}, index=found.index)
    for name in ("major", "minor"):
        table[f"{name} traffic"] = found[f"traffic_{name}"].astype("float64")
    for name in others:
        table[f"highest class {name}"] = (classes == name).astype("float64")
    return table


def network_of(
    unit: str, known: pd.DataFrame, records: pd.DataFrame, day: Floats, look_alikes: csr_array | None = None
) -> Network:
    """Bring places and the collisions on them together.

    Parameters
    ----------
    unit
        ``segment`` or ``junction``.
    known
        What is known of each, by its id.
    records
        Placed collisions: ``segment_id`` and ``junction_id``.
    day
        Day of each, from 0; NaN is not known, and such collisions take no part.
    look_alikes
        Which places look like which.
    """
    where = known.index.get_indexer(pd.Index(records[f"{unit}_id"]))
    record = np.flatnonzero((where >= 0) & np.isfinite(day))
    return Network(unit, known, where[record], day[record].astype(np.int64), record, look_alikes)


def outcomes_of(
    records: pd.DataFrame, severities: frozenset[str], users: list[str]
) -> dict[str, NDArray[np.bool_]]:
    """Say which collisions count: all, those of severities that records tell apart, and those with each road user."""
    found = {"collisions": np.ones(len(records), dtype=bool)}
    if set(KSI) <= severities:
        found["ksi"] = records["severity"].isin(KSI).to_numpy(dtype=bool)
    if "fatal" in severities:
        found["fatal"] = records["severity"].eq("fatal").fillna(value=False).to_numpy(dtype=bool)
    for user in users:
        found[user] = records[user].astype("boolean").fillna(value=False).to_numpy(dtype=bool)
    return found
