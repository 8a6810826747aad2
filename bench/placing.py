"""Place a nation's collisions: by default 1,000,000 on 500,000 segments, made from a seed.

    .venv/bin/python bench/placing.py [--collisions 1000000] [--segments 500000]

A jittered grid of streets with names, classes and numbers; collisions a few metres off a street, every other one
naming it, one in twenty anywhere. Prints seconds, peak memory and what became of the rows; the same as JSON under
bench/results/.
"""

from __future__ import annotations

import argparse
import resource
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from results import save, table

from geo.collisions.assign import assign
from geo.collisions.schema import CollisionSource
from geo.config import Collisions

CRS = pyproj.CRS.from_epsg(27700)
STREET_M = 100.0
CLASSES = ("residential", "tertiary", "secondary", "primary")


def make_network(n: int, rng: np.random.Generator) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Make segments of four points each between the nodes of a jittered grid, and its junctions."""
    side = int(np.ceil(np.sqrt(n / 2))) + 1
    nodes = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1) * STREET_M
    nodes = nodes + rng.uniform(-20, 20, nodes.shape) + (200_000, 100_000)
    starts = np.concatenate([nodes[:-1].reshape(-1, 2), nodes[:, :-1].reshape(-1, 2)])[:n]
    ends = np.concatenate([nodes[1:].reshape(-1, 2), nodes[:, 1:].reshape(-1, 2)])[:n]
    share = np.linspace(0, 1, 4)[None, :, None]
    lines = starts[:, None] * (1 - share) + ends[:, None] * share
    lines[:, 1:-1] += rng.normal(0, 3, (len(lines), 2, 2))
    street = np.arange(len(lines)) // 8
    segments = gpd.GeoDataFrame(
        {
            "segment_id": [f"{i:016x}" for i in range(len(lines))],
            "source_ids": street.astype(str),
            "name": [f"{number % 4000} Street" for number in street],
            "ref": np.where(street % 10 == 0, "A" + pd.Series(street % 900).astype(str), None),
            "road_class": np.array(CLASSES)[rng.integers(0, 4, len(lines))],
        },
        geometry=shapely.linestrings(lines),
        crs=CRS,
    )
    places = nodes.reshape(-1, 2)
    junctions = gpd.GeoDataFrame(
        {"junction_id": [f"j{i}" for i in range(len(places))], "radius_m": 0.0},
        geometry=shapely.points(places),
        crs=CRS,
    )
    return segments, junctions


def make_records(n: int, segments: gpd.GeoDataFrame, rng: np.random.Generator) -> CollisionSource:
    """Make records near the segments."""
    on = rng.integers(0, len(segments), n)
    places = shapely.get_coordinates(
        shapely.line_interpolate_point(segments.geometry.to_numpy()[on], rng.random(n), normalized=True)
    )
    places += rng.normal(0, 6, places.shape)
    anywhere = rng.random(n) < 0.05
    west, south, east, north = segments.total_bounds
    places[anywhere] = rng.uniform((west, south), (east, north), (int(anywhere.sum()), 2))
    named = rng.random(n) < 0.5
    mine = segments.iloc[on].reset_index(drop=True)
    records = pd.DataFrame(
        {
            "collision_id": np.arange(n).astype(str),
            "date": pd.Timestamp("2023-01-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 365, n), unit="D"),
            "year": pd.array([2023] * n, dtype="Int64"),
            "severity": np.array(["fatal", "serious", "slight"])[rng.choice(3, n, p=[0.02, 0.2, 0.78])],
            "n_casualties": pd.array(rng.poisson(0.3, n) + 1, dtype="Int64"),
            "x": places[:, 0],
            "y": places[:, 1],
            "road_class": mine["road_class"].where(named),
            "road_ref": mine["ref"].where(named),
            "road_name": mine["name"].where(named),
            "at_junction": pd.array([None] * n, dtype="boolean"),
            "kept": True,
            "source_row": np.arange(n),
        }
    )
    return CollisionSource(records, CRS, frozenset(("fatal", "serious", "slight")), has_ids=True, entries=[])


def peak_mb() -> float:
    """Largest memory of this process so far (MB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Make, place, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--collisions", type=int, default=1_000_000)
    parser.add_argument("--segments", type=int, default=500_000)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    segments, junctions = make_network(given.segments, rng)
    records = make_records(given.collisions, segments, rng)
    others = segments.iloc[:0].drop(columns="segment_id")
    settings = Collisions.model_validate({"sources": ["made.csv"], "period": ["2023-01-01", "2023-12-31"]})
    before = peak_mb()
    start = time.perf_counter()
    placed = assign(records, segments, junctions, others, crs=CRS, area=None, settings=settings)
    seconds = time.perf_counter() - start
    fates = placed.collisions["snap_status"].value_counts()
    assert fates.sum() == given.collisions, "a row is lost"
    rows = [
        {
            "collisions": given.collisions,
            "segments": len(segments),
            "seconds": seconds,
            "peak memory MB": peak_mb(),
            "inputs alone MB": before,
            **{str(name): int(count) for name, count in fates.items()},
        }
    ]
    print(table(rows))
    save("placing", rows[0])


if __name__ == "__main__":
    main()
