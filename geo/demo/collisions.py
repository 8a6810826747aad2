"""What is true of collisions in the demo town, and records drawn from it, with the usual dirt."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geo.collisions.reach import counted_length
from geo.demo.layout import Plan, Road

YEARS = (2019, 2023)
RATES: dict[str, tuple[float, float]] = {
    "dual_carriageway": (2.4, 0.28),
    "high_street": (9.0, 0.16),
    "distributor_road": (4.0, 0.22),
    "terraced_street": (3.0, 0.14),
    "cul_de_sac": (1.4, 0.14),
    "industrial_road": (2.0, 0.22),
    "rural_lane": (1.4, 0.40),
}
"""Collisions per kilometre and year between junctions, and the share of them that kill or seriously injure."""
JUNCTION_RATES: dict[str, tuple[float, float]] = {
    "roundabout": (2.2, 0.12),
    "signalised_crossroads": (2.0, 0.18),
    "crossroads": (0.35, 0.18),
    "t_junction": (0.18, 0.20),
}
"""Collisions per year that the junction itself brings about, and the share that kill or seriously injure."""
REACH_M = 20.0
"""A collision within this of a junction is recorded as at it (metres), as STATS19 defines it: those of the roads that
meet there included."""
FRAILTY_SHAPE = 4.0
"""Segments of one form differ: their rates are gamma about the form's, of this shape (deviation: half the mean)."""
FATAL_SHARE = 0.08
"""Of the collisions that kill or seriously injure."""
STEP_M = 0.5
"""Roads are walked in steps of at most this to find what of them lies within reach of which junction (metres)."""
LATERAL_M = 2.5
CLASS_CODE = {"trunk": 3, "primary": 3, "secondary": 4, "tertiary": 4}
JUNCTION_CODE = {"roundabout": 1, "signalised_crossroads": 16, "crossroads": 16, "t_junction": 13}


@dataclass(frozen=True, slots=True)
class Truth:
    """The true rates of the town.

    Attributes
    ----------
    segments
        ``segment_id, form, length_m, counted_m`` (outside the reach of junctions), ``road_class, ref,
        collisions_per_km_year, ksi_per_km_year`` and geometry. The rates hold along the whole of a segment; what
        happens within `REACH_M` of a junction is the junction's.
    junctions
        ``junction_id, form, radius_m, collisions_per_year, ksi_per_year`` (its own, and those of the roads within its
        reach), ``own_per_year, own_ksi_per_year`` and geometry.
    """

    segments: gpd.GeoDataFrame
    junctions: gpd.GeoDataFrame


def true_forms(segments: pd.DataFrame, roads: list[Road]) -> pd.Series:
    """Tell the form of each segment by the source roads that it is made of.

    Parameters
    ----------
    segments
        ``segment_id`` and ``source_ids``; a source id is the number of a road in `roads`, counted from 1; higher
        numbers repeat a road (see `geo.demo.write`) and are passed over.

    Returns
    -------
    The form, by ``segment_id``.
    """
    first = segments["source_ids"].str.split(";").explode().astype(int)
    form = first[first <= len(roads)].map(lambda number: roads[number - 1].form)
    return form.groupby(level=0).first().set_axis(segments["segment_id"]).rename("form")


def tell_truth(segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame, plan: Plan, *, seed: int) -> Truth:
    """Give each segment and junction its true rates: those of its form, times a chance of its own.

    Parameters
    ----------
    segments, junctions
        The network of the town (see docs/stages.md).
    plan
        The plan of the town.
    seed
        Seed of the town's rates: the same for every draw of collisions.
    """
    rng = np.random.default_rng([seed, 2])
    frailty = rng.gamma(FRAILTY_SHAPE, 1 / FRAILTY_SHAPE, len(segments))
    own = segments[["segment_id", "length_m", "road_class", "ref", "geometry"]].copy()
    own["form"] = true_forms(segments, plan.roads).to_numpy()
    own["collisions_per_km_year"] = own["form"].map({f: rate for f, (rate, _) in RATES.items()}) * frailty
    own["ksi_per_km_year"] = own["collisions_per_km_year"] * own["form"].map(
        {f: s for f, (_, s) in RATES.items()}
    )
    spots = junctions[["junction_id", "radius_m", "geometry"]].copy()
    signals = shapely.multipoints([list(point) for point in plan.signals])
    at_signals = shapely.distance(_local(junctions), signals) < 6
    spots["form"] = np.select(
        [junctions["form"] == "roundabout", at_signals, junctions["arms"] > 3],
        ["roundabout", "signalised_crossroads", "crossroads"],
        "t_junction",
    )
    own["counted_m"] = counted_length(own, spots, REACH_M)
    spots["own_per_year"] = spots["form"].map({f: rate for f, (rate, _) in JUNCTION_RATES.items()})
    spots["own_ksi_per_year"] = spots["own_per_year"] * spots["form"].map(
        {f: s for f, (_, s) in JUNCTION_RATES.items()}
    )
    for total, mine, along in (
        ("collisions_per_year", "own_per_year", "collisions_per_km_year"),
        ("ksi_per_year", "own_ksi_per_year", "ksi_per_km_year"),
    ):
        spots[total] = spots[mine] + _within_reach(own, spots, own[along])
    return Truth(own, spots)


def _within_reach(
    segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame, per_km: pd.Series
) -> NDArray[np.float64]:
    """Add up what lies within reach of each junction of something that is spread evenly along each segment."""
    lines, km = segments.geometry.to_numpy(), segments["length_m"].to_numpy() / 1000
    steps = np.ceil(km * 1000 / STEP_M).astype(int)
    row = np.repeat(np.arange(len(lines)), steps)
    part = (np.arange(len(row)) - np.repeat(np.cumsum(steps) - steps, steps) + 0.5) / steps[row]
    at = _junction_at(junctions, shapely.line_interpolate_point(lines[row], part, normalized=True))
    amount = (per_km.to_numpy() * km / steps)[row]
    near = at >= 0
    return np.asarray(np.bincount(at[near], amount[near], minlength=len(junctions)), dtype=np.float64)


def _junction_at(junctions: gpd.GeoDataFrame, points: NDArray[np.object_]) -> NDArray[np.int64]:
    """Find the junction that each point is within `REACH_M` of the rim of, the nearest of several: its row, or -1."""
    radius = junctions["radius_m"].to_numpy()
    discs = shapely.buffer(junctions.geometry.to_numpy(), radius + REACH_M, quad_segs=64)
    point, junction = shapely.STRtree(discs).query(points, predicate="within")
    rim = shapely.distance(points[point], junctions.geometry.to_numpy()[junction]) - radius[junction]
    order = np.lexsort((junction, np.maximum(rim, 0), point))
    first = order[np.append(True, np.diff(point[order]) != 0)[: len(order)]]
    found = np.full(len(points), -1)
    found[point[first]] = junction[first]
    return found


ORIGIN = np.array([412000.0, 273000.0])
"""South-west corner of the town on the British National Grid (metres)."""


def _local(frame: gpd.GeoDataFrame) -> NDArray[np.object_]:
    return np.asarray(shapely.transform(frame.geometry.to_numpy(), lambda xy: xy - ORIGIN))


def draw_collisions(truth: Truth, *, seed: int) -> pd.DataFrame:
    """Draw five years of collisions by chance from the true rates.

    Parameters
    ----------
    truth
        The true rates of the town (`tell_truth`).
    seed
        Seed of this draw of collisions.

    Returns
    -------
    One row a collision in the DfT's columns of `columns`, all valid, located, in the town and in the period.
    """
    rng = np.random.default_rng([seed, 3])
    years = YEARS[1] - YEARS[0] + 1
    segments, junctions = truth.segments, truth.junctions
    on = np.repeat(
        np.arange(len(segments)),
        rng.poisson(segments["collisions_per_km_year"] * segments["length_m"] / 1000 * years),
    )
    at = np.repeat(np.arange(len(junctions)), rng.poisson(junctions["own_per_year"] * years))
    n = len(on) + len(at)
    share = np.concatenate(
        [
            (segments["ksi_per_km_year"] / segments["collisions_per_km_year"]).to_numpy()[on],
            (junctions["own_ksi_per_year"] / junctions["own_per_year"]).to_numpy()[at],
        ]
    )
    ksi = rng.random(n) < share
    severity = np.where(ksi, np.where(rng.random(n) < FATAL_SHARE, 1, 2), 3)
    places = np.vstack([_on_segments(segments, on, rng), _at_junctions(junctions, at, rng)])
    road_class = segments["road_class"].map(CLASS_CODE).fillna(6).astype(int)
    number = segments["ref"].str.extract(r"(\d+)", expand=False).fillna("0").astype(int)
    first = np.arange(n) < len(on)
    near = _junction_at(junctions, np.asarray(shapely.points(np.round(places))))
    near[~first] = at
    code = junctions["form"].map(JUNCTION_CODE).to_numpy()
    table = pd.DataFrame(
        {
            "easting": np.round(places[:, 0]).astype(int),
            "northing": np.round(places[:, 1]).astype(int),
            "severity": severity,
            "road_class": np.where(first, np.resize(road_class.to_numpy()[on], n), 6) if len(on) else 6,
            "road_number": np.where(first, np.resize(number.to_numpy()[on], n), 0) if len(on) else 0,
            "junction": np.where(near >= 0, code[near], 0),
        }
    )
    table.loc[~first, "road_class"] = -1
    return columns(
        table.sample(frac=1, random_state=np.random.default_rng([seed, 4])).reset_index(drop=True), rng
    )


def _on_segments(
    segments: gpd.GeoDataFrame, on: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Places along segments, a little off the centreline."""
    lines, length = segments.geometry.to_numpy()[on], segments["length_m"].to_numpy()[on]
    where = rng.random(len(on)) * length
    point, ahead = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines, where + d)) for d in (0, 0.5)
    )
    step = ahead - point
    across = np.column_stack([-step[:, 1], step[:, 0]]) / np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    off: NDArray[np.float64] = point + across * rng.normal(0, LATERAL_M, (len(on), 1))
    return off


def _at_junctions(
    junctions: gpd.GeoDataFrame, at: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Places about junctions: on the ring of a roundabout, near the node elsewhere."""
    centre = shapely.get_coordinates(junctions.geometry.to_numpy()[at])
    radius = junctions["radius_m"].to_numpy()[at] + np.abs(rng.normal(0, 5.0, len(at))).clip(0, 12)
    angle = rng.uniform(0, 2 * np.pi, len(at))
    places: NDArray[np.float64] = centre + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return places


def columns(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Lay collisions out in the DfT's columns of 2024 (a choice of them)."""
    n = len(table)
    days = pd.Timestamp(YEARS[1] + 1, 1, 1) - pd.Timestamp(YEARS[0], 1, 1)
    when = pd.Timestamp(YEARS[0], 1, 1) + pd.to_timedelta(rng.integers(0, days.days, n), unit="D")
    degrees = pyproj.Transformer.from_crs(27700, 4326, always_xy=True)
    longitude, latitude = degrees.transform(table["easting"].to_numpy(), table["northing"].to_numpy())
    index = [f"{year}99{i:07d}" for i, year in enumerate(when.year)]
    return pd.DataFrame(
        {
            "collision_index": index,
            "collision_year": when.year,
            "collision_ref_no": [i[4:] for i in index],
            "location_easting_osgr": table["easting"].astype(str),
            "location_northing_osgr": table["northing"].astype(str),
            "longitude": [f"{v:.6f}" for v in longitude],
            "latitude": [f"{v:.6f}" for v in latitude],
            "police_force": 99,
            "collision_severity": table["severity"],
            "number_of_vehicles": 1 + rng.binomial(2, 0.5, n),
            "number_of_casualties": 1 + rng.poisson(0.25, n),
            "date": when.strftime("%d/%m/%Y"),
            "time": [
                f"{h:02d}:{m:02d}"
                for h, m in zip(rng.integers(0, 24, n), rng.integers(0, 60, n), strict=True)
            ],
            "first_road_class": table["road_class"],
            "first_road_number": table["road_number"],
            "speed_limit": 30,
            "junction_detail": table["junction"].astype(int),
            "collision_injury_based": 1,
            "collision_adjusted_severity_serious": (table["severity"] == 2).astype(float),
            "collision_adjusted_severity_slight": (table["severity"] == 3).astype(float),
        }
    )


DIRT = {"no_geometry": 9, "duplicate": 7, "outside_area": 6, "out_of_period": 8}


def soil(collisions: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Add what real files have: rows without coordinates, repeated, outside the town, of other years.

    All come on top of the valid rows, as many as `DIRT` says; one valid row gets a severity code that does not exist.
    """
    rng = np.random.default_rng([seed, 5])
    extra = {
        kind: collisions.iloc[rng.choice(len(collisions), count, replace=False)].copy()
        for kind, count in DIRT.items()
    }
    for number, (kind, rows) in enumerate(extra.items()):
        if kind != "duplicate":
            rows["collision_index"] = [f"{y}98{number}{i:06d}" for i, y in enumerate(rows["collision_year"])]
            rows["collision_ref_no"] = rows["collision_index"].str[4:]
    place = ["location_easting_osgr", "location_northing_osgr", "longitude", "latitude"]
    extra["no_geometry"][place] = "-1"
    nowhere = extra["no_geometry"]
    nowhere.loc[nowhere.index[:4], place] = ""
    away = extra["outside_area"]
    away["location_easting_osgr"] = (away["location_easting_osgr"].astype(int) + 9000).astype(str)
    late = extra["out_of_period"]
    year = np.where(np.arange(len(late)) % 2, 2017, 2025)
    late["collision_year"] = year
    late["date"] = late["date"].str[:6] + year.astype(str)
    late["date"] = late["date"].str.replace("29/02", "28/02")
    soiled = pd.concat([collisions, *extra.values()], ignore_index=True)
    soiled["collision_severity"] = soiled["collision_severity"].astype(str)
    soiled.loc[int(rng.integers(len(collisions))), "collision_severity"] = "9"
    # a repeated row comes after the one it repeats, as everything added does
    return soiled
