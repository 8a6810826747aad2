"""What stands beside the collisions of the demo town: who was hurt, and counts of traffic."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

CASUALTIES = {
    "0": (0.20, 3),
    "1": (0.12, 1),
    "5": (0.08, 1),
    "9": (0.52, 1),
    "11": (0.06, 2),
    "-1": (0.02, 1),
}
"""Share of each ``casualty_type``, and its ``casualty_class``."""
TRAFFIC = {"trunk": 24_000, "primary": 14_000, "secondary": 8_000, "tertiary": 4_000, "residential": 700}
"""Motor vehicles per day, about which counts lie."""
SPREAD = 0.25
"""Deviation of the logarithm of counts about those of `TRAFFIC`."""
COUNT_YEARS = (2018, 2023)
MINOR_SHARE = 0.2
"""Of the residential streets that are counted."""
COUNT_DIRT = {"zero": 1, "no number": 1, "no coordinates": 1, "far": 2}
"""Faulty rows of the counts, on top of the good ones."""


def draw_casualties(collisions: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Draw casualties in the DfT's columns (a choice of them), as many as each collision has.

    Parameters
    ----------
    collisions
        The town's collisions in the DfT's columns (`geo.demo.collisions.draw_collisions`).
    seed
        Seed of this draw of casualties.
    """
    rng = np.random.default_rng([seed, 7])
    number = collisions["number_of_casualties"].to_numpy(dtype=np.int64)
    of = np.repeat(np.arange(len(collisions)), number)
    share = np.array([share for share, _ in CASUALTIES.values()])
    kind = rng.choice(list(CASUALTIES), len(of), p=share / share.sum())
    table = (
        collisions[["collision_index", "collision_year", "collision_ref_no"]].iloc[of].reset_index(drop=True)
    )
    table["casualty_reference"] = table.groupby("collision_index").cumcount() + 1
    table["casualty_class"] = pd.Series(kind).map({code: role for code, (_, role) in CASUALTIES.items()})
    table["casualty_type"] = kind
    return table


def draw_counts(segments: gpd.GeoDataFrame, *, seed: int) -> pd.DataFrame:
    """Draw counts of traffic as the DfT publishes them: a point on each major road and on some streets, row a year.

    Counts tell nothing of the true collision rates.

    Parameters
    ----------
    segments
        Segments of the town's network, LineStrings in metres.
    seed
        Seed of this draw of counts.

    Returns
    -------
    Rows in the DfT's columns (a choice of them), `COUNT_DIRT` at their end.
    """
    rng = np.random.default_rng([seed, 8])
    road = segments["ref"].fillna(segments["name"]) + "|" + segments["road_class"]
    longest = segments.assign(road=road).sort_values(["road", "length_m", "segment_id"])
    longest = longest[longest["road"].notna() & longest["road_class"].isin(list(TRAFFIC))]
    one = longest.drop_duplicates("road", keep="last").reset_index(drop=True)
    minor = one["road_class"] == "residential"
    one = one[~minor | (rng.random(len(one)) < MINOR_SHARE)].reset_index(drop=True)
    spots = shapely.get_coordinates(
        shapely.line_interpolate_point(one.geometry.to_numpy(), 0.5, normalized=True)
    )
    usual = one["road_class"].map(TRAFFIC).to_numpy() * np.exp(rng.normal(0, SPREAD, len(one)))
    years = np.arange(COUNT_YEARS[0], COUNT_YEARS[1] + 1)
    rows = np.repeat(np.arange(len(one)), len(years))
    flow = usual[rows] * np.exp(rng.normal(0, 0.03, len(rows)))
    letter = one["road_class"].map({"residential": "U", "tertiary": "C"})
    table = pd.DataFrame(
        {
            "count_point_id": 900_000 + rows,
            "year": np.tile(years, len(one)),
            "region_name": "Demo",
            "road_name": one["ref"].fillna(letter).to_numpy()[rows],
            "road_type": np.where(minor[one.index].to_numpy()[rows], "Minor", "Major"),
            "easting": np.round(spots[rows, 0]).astype(int).astype(str),
            "northing": np.round(spots[rows, 1]).astype(int).astype(str),
            "estimation_method": "Counted",
            "pedal_cycles": rng.poisson(60, len(rows)),
            "all_motor_vehicles": np.round(flow).astype(int).astype(str),
        }
    )
    return pd.concat([table, _dirt(table)], ignore_index=True)


def _dirt(table: pd.DataFrame) -> pd.DataFrame:
    """Make rows that cannot be used, each of a point of its own."""
    rows = table.iloc[[0] * sum(COUNT_DIRT.values())].copy()
    kinds = [kind for kind, count in COUNT_DIRT.items() for _ in range(count)]
    rows["count_point_id"] = 990_000 + np.arange(len(rows))
    rows["kind"] = kinds
    rows.loc[(rows["kind"] == "zero").to_numpy(), "all_motor_vehicles"] = "0"
    rows.loc[(rows["kind"] == "no number").to_numpy(), "all_motor_vehicles"] = "n/a"
    rows.loc[(rows["kind"] == "no coordinates").to_numpy(), ["easting", "northing"]] = ""
    rows.loc[(rows["kind"] == "far").to_numpy(), "easting"] = "430000"
    return rows.drop(columns="kind")
