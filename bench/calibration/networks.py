"""Networks on which collisions are drawn: road plans of the demo town, and the streets of a real city."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from geo.collisions.reach import counted_length
from geo.config import Segments, load
from geo.demo.collisions import ORIGIN, REACH_M, YEARS, true_forms
from geo.demo.plans.registry import plan_of
from geo.roads.read import read_roads
from geo.roads.segments import build_network

STEP_M = 5.0
"""Points along the roads at which risk is looked up (metres)."""
N_YEARS = YEARS[1] - YEARS[0] + 1
REAL_CITY = Path(__file__).parents[2] / "data" / "cities" / "cambridge-ma.yaml"
REAL_SEGMENTS = 800
"""Segments of each part of the real city: those nearest to a place of it."""
REAL_TYPES = 6
REAL = "real streets"
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Network:
    """Roads with their types, and where on them collisions are counted.

    Attributes
    ----------
    name
        Of the network and its layout.
    frame
        By ``segment_id``: ``form, road_class, length_m, counted_m, x, y, years``.
    segments, junctions
        The same roads with what placing needs (docs/stages.md), and their junctions.
    """

    name: str
    frame: pd.DataFrame
    segments: gpd.GeoDataFrame
    junctions: gpd.GeoDataFrame

    @cached_property
    def middles(self) -> Floats:
        """Middles of the segments, ``(n, 2)`` (metres)."""
        return self.frame[["x", "y"]].to_numpy(dtype=np.float64)

    @cached_property
    def _roots(self) -> dict[float, Floats]:
        return {}

    def root(self, range_m: float) -> Floats:
        """Give a root of the correlations ``exp(-distance / range)`` between middles, made once."""
        if range_m not in self._roots:
            near = np.exp(-cdist(self.middles, self.middles) / range_m)
            self._roots[range_m] = np.linalg.cholesky(near + 1e-8 * np.eye(len(near)))
        return self._roots[range_m]

    @cached_property
    def points(self) -> tuple[Floats, Integers]:
        """Points `STEP_M` apart on what is counted of the roads, ``(m, 2)``, and the row of the segment of each."""
        lines = self.segments.geometry.to_numpy()
        n = np.maximum((shapely.length(lines) / STEP_M).astype(int), 1)
        row = np.repeat(np.arange(len(lines)), n)
        part = (np.arange(len(row)) - np.repeat(np.cumsum(n) - n, n) + 0.5) / n[row]
        xy = shapely.get_coordinates(shapely.line_interpolate_point(lines[row], part, normalized=True))
        at, junction = self.junction_of(xy)
        radius = self.junctions["radius_m"].to_numpy(dtype=np.float64)[junction]
        counted = at > radius + REACH_M
        return xy[counted], row[counted]

    def junction_of(self, xy: Floats) -> tuple[Floats, Integers]:
        """Find the nearest junction of places: metres to its centre, and its row."""
        metres, row = KDTree(shapely.get_coordinates(self.junctions.geometry.to_numpy())).query(xy)
        return metres, row

    def mean_over(self, risk: Floats) -> Floats:
        """Average what is known at `points` over each segment, ``(n,)``; 1 where a segment has none."""
        _, row = self.points
        n = np.bincount(row, minlength=len(self.frame))
        return np.where(n > 0, np.bincount(row, risk, len(self.frame)) / np.maximum(n, 1), 1.0)


def network_of(
    name: str, segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame, form: NDArray[np.object_]
) -> Network:
    """Lay out segments of known form."""
    lines = segments.geometry.to_numpy()
    middle = shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    frame = segments[["segment_id", "road_class", "length_m"]].assign(
        form=form, x=middle[:, 0], y=middle[:, 1]
    )
    frame["counted_m"] = counted_length(segments, junctions, REACH_M).to_numpy()
    frame["years"] = float(N_YEARS)
    frame = pd.DataFrame(frame).set_index("segment_id").sort_index()
    named = segments.set_index("segment_id", drop=False).rename_axis(None).loc[frame.index]
    return Network(name, frame, named, junctions)


@lru_cache(maxsize=40)
def drawn(plan: str, seed: int) -> Network:
    """Lay out a road plan of the demo town; another seed gives another plan of its kind, but for ``town``."""
    roads = plan_of(plan, seed).roads
    table = gpd.GeoDataFrame(
        {
            "source_id": [str(i) for i in range(1, len(roads) + 1)],
            "name": [road.name for road in roads],
            "road_class": [road.look.highway for road in roads],
            "ref": [road.ref for road in roads],
            "level": [int(road.bridge) for road in roads],
            "roundabout": [road.form == "roundabout" for road in roads],
        },
        geometry=[shapely.transform(road.line, lambda xy: np.round(xy + ORIGIN, 2)) for road in roads],
        crs="EPSG:27700",
    )
    found = build_network(table, Segments())
    form = true_forms(found.segments, roads).to_numpy(dtype=object)
    return network_of(f"{plan} {seed}", found.segments, found.junctions, form)


def real_is_there() -> bool:
    """Tell whether the streets of the real city are where ``ROADPRINT_DATA`` says."""
    folder = os.environ.get("ROADPRINT_DATA", "")
    return bool(folder) and (Path(folder) / "boston" / "roads").is_dir()


@lru_cache(maxsize=1)
def _real_city() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Read the whole real city as a run does."""
    city = load(REAL_CITY)
    source = read_roads(city.roads, crs=city.crs, area=city.area)
    found = build_network(source.kept, city.segments)
    return found.segments, found.junctions


@lru_cache(maxsize=8)
def real(seed: int) -> Network:
    """Take a part of the real city, the streets nearest to one of its places, with types told by what roads are like.

    There is no imagery of most of it: roads are grouped by their length, how winding they are, how many dead ends they
    have, and how close the next junctions are (k-means), as types that go with places.
    """
    segments, junctions = _real_city()
    lines = segments.geometry.to_numpy()
    middle = shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    rng = np.random.default_rng([seed, 31])
    _, rows = KDTree(middle).query(middle[rng.integers(len(middle))], k=REAL_SEGMENTS)
    part = segments.iloc[np.sort(rows)].reset_index(drop=True)
    west, south, east, north = part.total_bounds
    near = junctions.cx[west - 50 : east + 50, south - 50 : north + 50].reset_index(drop=True)
    return network_of(f"{REAL} {seed}", part, near, _likes(part, near, seed))


def _likes(segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame, seed: int) -> NDArray[np.object_]:
    """Group roads by their shape and by what is near them."""
    lines = segments.geometry.to_numpy()
    ends = [shapely.get_point(lines, at) for at in (0, -1)]
    spots = KDTree(shapely.get_coordinates(junctions.geometry.to_numpy()))
    middle = shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    length = shapely.length(lines)
    near = np.stack([spots.query(shapely.get_coordinates(end))[0] for end in ends])
    known = np.column_stack(
        [
            np.log(length),
            np.log(np.maximum(length / np.maximum(shapely.distance(*ends), 1.0), 1.0) + 0.01),
            (near > 1.0).sum(axis=0),
            np.log(spots.query(middle, k=6)[0][:, -1]),
        ]
    )
    known = (known - known.mean(axis=0)) / np.maximum(known.std(axis=0), 1e-9)
    labels = KMeans(REAL_TYPES, n_init=4, random_state=seed).fit_predict(known)
    return np.array([f"shape {label + 1}" for label in labels], dtype=object)
