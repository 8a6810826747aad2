"""The table of worst roads: stretches of road from street to street, with how sure their rank is."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

from geo.errors import LayerError
from geo.outputs.wording import figure, interval, number, probability_words, shorten
from geo.safety.rates import OUTCOME_NAMES
from geo.safety.stretches.ranking import worst_stretches
from geo.sources.by_hand import BOM, plain_cell

LISTED = 20
USERS = ("pedestrian", "cyclist", "motorcyclist")
"""Road users who are told of in the table, where the records tell."""


@dataclass(frozen=True, slots=True)
class WorstRoads:
    """What the report says of the worst roads.

    Attributes
    ----------
    rows
        One a stretch, the worst first, in words.
    n_ranked
        How many stretches have a rank.
    outcome
        Which collisions they are ranked by.
    users
        Road users whose counts are in the rows.
    csv
        The same as a file, Base64.
    """

    rows: list[dict[str, str]]
    n_ranked: int
    outcome: str
    users: tuple[str, ...]
    csv: str

    @property
    def listed(self) -> list[tuple[str, str]]:
        """Place of each in the list, and the segment that stands for it on a map."""
        return [(row["place"], row["segment"]) for row in self.rows]


def worst_roads(
    stretches: gpd.GeoDataFrame | None, segments: pd.DataFrame, titles: Mapping[int, str]
) -> WorstRoads | None:
    """List the stretches of road that rank worst.

    Parameters
    ----------
    stretches, segments
        The layers of the GeoPackage; no stretches: none is listed.
    titles
        What each type is called, by its number.

    Returns
    -------
    None where no stretch has a rank.
    """
    if stretches is None:
        return None
    try:
        worst = worst_stretches(stretches, LISTED)
    except LayerError:
        return None
    outcome = OUTCOME_NAMES["ksi" if worst["rank_of"].iloc[0] == "ksi" else "collisions"]
    of_list = stretches.set_index("stretch_id").loc[worst["stretch_id"].tolist()].reset_index()
    users = tuple(user for user in USERS if of_list[f"n_{user}_collisions"].notna().any())
    by_length = segments.sort_values(["length_m", "segment_id"], ascending=[False, True])
    longest = by_length.drop_duplicates("stretch_id").set_index("stretch_id")["segment_id"].to_dict()
    rows = [
        _row(row, users, titles, str(longest.get(row["stretch_id"], "")))
        for row in of_list.assign(place=worst["place"].to_numpy()).to_dict("records")
    ]
    n_ranked = int(stretches["expected_rank"].notna().sum())
    return WorstRoads(rows, n_ranked, outcome, users, _csv(worst))


def where(row: Mapping[Any, Any]) -> str:
    """Say between which streets a stretch lies, or which part of its road it is."""
    ends = [
        f"{word} {shorten(str(row[name]))}"
        for word, name in (("from", "from_street"), ("to", "to_street"))
        if not pd.isna(row[name])
    ]
    parts = f"part {int(row['part'])} of {int(row['parts'])}" if not pd.isna(row["part"]) else ""
    return " ".join(ends) if len(ends) == 2 else ", ".join(each for each in (parts, *ends) if each)


def _row(
    row: Mapping[Any, Any], users: tuple[str, ...], titles: Mapping[int, str], segment: str
) -> dict[str, str]:
    """Say one stretch in words."""
    cluster = row.get("cluster")
    named = next(
        (str(row[key]) for key in ("name", "ref", "road_class") if not pd.isna(row[key])), "unnamed road"
    )
    return {
        "place": str(row["place"]),
        "road": shorten(named),
        "where": where(row),
        "ranks": f"{int(row['rank_low'])} to {int(row['rank_high'])}",
        "p_worst": probability_words(number(row["p_worst_5_percent"])),
        "n_collisions": figure(number(row["n_collisions"])),
        "n_ksi": figure(number(row["n_ksi"])),
        "at_junctions": figure(number(row["n_collisions_at_junctions"])),
        "rate": figure(number(row["per_km_year_eb"]), 2),
        "limits": interval(number(row["per_km_year_eb_low"]), number(row["per_km_year_eb_high"])),
        "type": ""
        if cluster is None or pd.isna(cluster)
        else titles.get(int(cluster), f"Type {int(cluster)}"),
        "segment": segment,
        "users": _with(row, users),
    }


def _with(row: Mapping[Any, Any], users: tuple[str, ...]) -> str:
    """Say how many collisions were with road users of which kind, those with any."""
    counts = [(number(row[f"n_{user}_collisions"]), user) for user in users]
    if any(math.isnan(count) for count, _ in counts):
        return "not known"
    return (
        ", ".join(f"{figure(count)} {user}{'' if count == 1 else 's'}" for count, user in counts if count)
        or "none"
    )


def _csv(worst: gpd.GeoDataFrame) -> str:
    """Write the list as a table that a spreadsheet opens: no cell of it is a formula."""
    plain = pd.DataFrame(worst.drop(columns="geometry"))
    for name in plain.select_dtypes(include=["object", "string"]):
        plain[name] = [None if pd.isna(cell) else plain_cell(str(cell)) for cell in plain[name]]
    return base64.b64encode(plain.round(4).to_csv(index=False).encode(BOM)).decode("ascii")
