"""Place a nation's collisions: by default 1,000,000 on 500,000 segments, made from a seed.

    .venv/bin/python bench/placing.py [--collisions 1000000] [--segments 500000]

A jittered grid of streets with names, classes and numbers, roundabouts among its junctions, and roads that were left
out of the city: footways beside streets, motorways across. Collisions lie a few metres off a street and every other one
names it; some lie anywhere, repeat an id, are out of the period or have no coordinates. Prints seconds, peak memory and
what became of the rows; the same as JSON under bench/results/.
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

from geo.collisions.assign import place_collisions
from geo.collisions.schema import CollisionSource, canonical_table
from geo.config import Collisions

CRS = pyproj.CRS.from_epsg(27700)
STREET_M = 100.0
SEGMENTS_A_STREET = 8
CLASSES = ("residential", "tertiary", "secondary", "primary")
TOLD = {"residential": "Unclassified", "tertiary": "C", "secondary": "B", "primary": "A"}
"""How a record spells the class of a road."""


def make_network(n: int, rng: np.random.Generator) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Make segments of four points each between the nodes of a jittered grid, and its junctions.

    One street in ten has a number, one in twenty no name; one junction in fifty is a roundabout. Rows stand in the
    order of their ids, which has nothing to do with their places.
    """
    side = int(np.ceil(np.sqrt(n / 2))) + 1
    nodes = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1) * STREET_M
    nodes = nodes + rng.uniform(-20, 20, nodes.shape) + (200_000, 100_000)
    starts = np.concatenate([nodes[:-1].reshape(-1, 2), nodes[:, :-1].reshape(-1, 2)])[:n]
    ends = np.concatenate([nodes[1:].reshape(-1, 2), nodes[:, 1:].reshape(-1, 2)])[:n]
    share = np.linspace(0, 1, 4)[None, :, None]
    lines = starts[:, None] * (1 - share) + ends[:, None] * share
    lines[:, 1:-1] += rng.normal(0, 3, (len(lines), 2, 2))
    index = pd.Series(np.arange(len(lines)))
    street = index // SEGMENTS_A_STREET
    road_class = pd.Series(np.array(CLASSES)[rng.integers(0, 4, int(street.iloc[-1]) + 1)])
    segments = gpd.GeoDataFrame(
        {
            "segment_id": [f"{number:016x}" for number in rng.integers(0, 2**63, len(lines))],
            "source_ids": "way/" + street.astype(str),
            "name": ((street % 4000).astype(str) + " Street").where(street % 20 != 0),
            "ref": ("A" + (street % 900).astype(str)).where(street % 10 == 0),
            "road_class": road_class.to_numpy()[street],
        },
        geometry=shapely.linestrings(lines),
        crs=CRS,
    ).sort_values("segment_id", ignore_index=True)
    places = nodes.reshape(-1, 2)
    junctions = gpd.GeoDataFrame(
        {
            "junction_id": "j" + pd.Series(np.arange(len(places))).astype(str),
            "radius_m": np.where(rng.random(len(places)) < 0.02, 15.0, 0.0),
        },
        geometry=shapely.points(places),
        crs=CRS,
    )
    return segments, junctions


def make_others(segments: gpd.GeoDataFrame, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Make the roads left out of the city: a footway beside every fifth segment, a motorway across every hundredth."""
    footways = segments.geometry.to_numpy()[::5]
    beside = shapely.transform(footways, lambda points: np.add(points, 3.0))
    across = shapely.get_coordinates(shapely.centroid(segments.geometry.to_numpy()[::100]))
    ends = across[:, None] + rng.uniform(-200, 200, (len(across), 2, 2))
    motorways = shapely.linestrings(ends)
    return gpd.GeoDataFrame(
        {
            "road_class": ["footway"] * len(footways) + ["motorway"] * len(motorways),
            "name": None,
            "ref": [None] * len(footways) + [f"M{i % 60}" for i in range(len(motorways))],
        },
        geometry=np.concatenate([beside, motorways]),
        crs=CRS,
    )


def make_records(n: int, segments: gpd.GeoDataFrame, rng: np.random.Generator) -> CollisionSource:
    """Make records near the segments, and some that are not to be placed."""
    on = rng.integers(0, len(segments), n)
    places = shapely.get_coordinates(
        shapely.line_interpolate_point(segments.geometry.to_numpy()[on], rng.random(n), normalized=True)
    )
    places += rng.normal(0, 6, places.shape)
    anywhere = rng.random(n) < 0.05
    west, south, east, north = segments.total_bounds
    places[anywhere] = rng.uniform((west - 500, south), (east, north), (int(anywhere.sum()), 2))
    places[rng.random(n) < 0.01] = np.nan
    named = rng.random(n) < 0.5
    mine = segments.iloc[on].reset_index(drop=True)
    at_junction = pd.Series(rng.random(n) < 0.5, dtype="boolean").mask(rng.random(n) < 0.3)
    # one id in a hundred is that of the row before
    ids = np.arange(n) - (rng.random(n) < 0.01)
    records = pd.DataFrame(
        {
            "collision_id": "c" + pd.Series(ids).astype(str),
            "date": pd.Timestamp("2023-01-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 370, n), unit="D"),
            "severity": np.array(["fatal", "serious", "slight"])[rng.choice(3, n, p=[0.02, 0.2, 0.78])],
            "n_casualties": pd.array(rng.poisson(0.3, n) + 1, dtype="Int64"),
            "x": places[:, 0],
            "y": places[:, 1],
            "road_class": mine["road_class"].map(TOLD).where(named),
            "road_ref": mine["ref"].where(named),
            "road_name": mine["name"].str.replace("Street", "St.").where(named),
            "at_junction": at_junction,
        }
    )
    known = frozenset(("fatal", "serious", "slight"))
    return CollisionSource(canonical_table(records), CRS, known, has_ids=True, entries=[])


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
    others = make_others(segments, rng)
    records = make_records(given.collisions, segments, rng)
    settings = Collisions.model_validate({"sources": ["made.csv"], "period": ["2023-01-01", "2023-12-31"]})
    before = peak_mb()
    start = time.perf_counter()
    placed = place_collisions(records, segments, junctions, others, crs=CRS, area=None, settings=settings)
    seconds = time.perf_counter() - start
    after = peak_mb()
    fates = placed.collisions["snap_status"].value_counts()
    assert fates.sum() == sum(entry.count for entry in placed.entries) == given.collisions, "a row is lost"
    row = {
        "collisions": given.collisions,
        "segments": len(segments),
        "seconds": seconds,
        "peak memory MB": after,
        "making the inputs alone MB": before,
    }
    shares = [{"snap_status": str(name), "share": count / given.collisions} for name, count in fates.items()]
    print(table([row]))
    print()
    print(table(shares))
    save("placing", row | {"share": {str(share["snap_status"]): share["share"] for share in shares}})


if __name__ == "__main__":
    main()
