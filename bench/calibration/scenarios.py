"""What is drawn: risk that is shared, that falls from a centre, that is high in a few places, or even."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from calibration.networks import Network
from geo.collisions.assign import place_collisions
from geo.collisions.schema import CollisionSource, canonical_table
from geo.config import Collisions
from geo.demo.collisions import FRAILTY_SHAPE, LATERAL_M, REACH_M

TOTAL = 430.0
"""Collisions expected between junctions, as in the demo town in all of its years; where roads are even: on all roads,
five times as many."""
DOUBLED = 100.0
"""Collisions that would be expected of the form that has twice the rate, had it not."""
KSI_SHARE = 0.2
HOT = 5
"""Hot spots; and of so many junctions one is hot."""
HOT_RISK, HOT_M = 4.0, 150.0
"""How many times the risk is at a hot spot, and the distance at which what is more has fallen to 0.6 of it (metres)."""
JUNCTION_RISK, JUNCTION_M = 4.0, 50.0
"""The same of a hot junction, falling to 0.37 of it."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scenario:
    """What is drawn.

    Attributes
    ----------
    variance, range_m
        Of the logarithm of the risk that neighbours share, with the correlation ``exp(-distance / range_m)``.
    pattern
        What risk has beside: ``""``, ``gradient`` (in a direction by lot), ``centre`` (highest at the centre of the
        network), ``hot spots``, ``hot junctions``.
    times
        How many times the risk one end of a gradient has: over 2 km, or over 1 km from the centre.
    even
        Whether collisions are spread evenly along all roads and placed as those of a city are.
    told
        Whether records say if a collision was at a junction.
    doubled
        Whether one form a draw (each in turn) has twice the rate of all others, and `DOUBLED` collisions expected.
    types
        The true ``forms``, or drawn as a ``field`` anew each time.
    """

    variance: float = 0.3
    range_m: float = 100.0
    pattern: str = ""
    times: float = 1.0
    even: bool = False
    told: bool = False
    doubled: bool = False
    types: str = "forms"


SCENARIOS = {
    **{
        f"shared risk, variance {variance:g}, range {range_m} m": Scenario(variance, range_m)
        for range_m in (100, 300, 800)
        for variance in (0.3, 1.0)
    },
    "types drawn as a field": Scenario(types="field"),
    "hot spots, 4 times": Scenario(pattern="hot spots"),
    "gradient, 3 times over 2 km": Scenario(pattern="gradient", times=3),
    "gradient, 9 times over 2 km": Scenario(pattern="gradient", times=9),
    "centre gradient, 3 times a km": Scenario(pattern="centre", times=3),
    "centre gradient, 9 times a km": Scenario(pattern="centre", times=9),
    "hot junctions, 4 times": Scenario(pattern="hot junctions"),
    "even collisions": Scenario(even=True),
    "even collisions, at-junction field": Scenario(even=True, told=True),
    "one form doubled, no shared risk": Scenario(variance=0.0, doubled=True),
    "one form doubled": Scenario(doubled=True),
    "one form doubled, centre gradient, 9 times a km": Scenario(pattern="centre", times=9, doubled=True),
}


@dataclass(frozen=True)
class Drawn:
    """A table of segments with counts, ready to be tested, and the type that has twice the rate (0: none has)."""

    frame: pd.DataFrame
    doubled: int


def draw(scenario: Scenario, network: Network, seed: int) -> Drawn:
    """Draw types and collisions."""
    rng = np.random.default_rng([seed, 78])
    frame = network.frame.copy()
    frame["cluster"] = (pd.factorize(frame["form"], sort=True)[0] + 1).astype("int64")
    if scenario.types == "field":
        # of fields with more range than shared risk, so that types are patches of several roads
        root = network.root(150.0)
        frame["cluster"] = np.argmax([root @ rng.standard_normal(len(root)) for _ in range(5)], axis=0) + 1
    if scenario.even:
        frame["n_collisions"] = _even(scenario, network, rng)
        mine = 0
    else:
        frame["n_collisions"], mine = _by_risk(scenario, network, frame, rng, seed)
    frame["n_ksi"] = rng.binomial(frame["n_collisions"], KSI_SHARE)
    return Drawn(frame, mine)


def _by_risk(
    scenario: Scenario, network: Network, frame: pd.DataFrame, rng: np.random.Generator, seed: int
) -> tuple[Floats, int]:
    """Draw counts from risk times what is counted of each road; gives the type with twice the rate too."""
    length = frame["counted_m"].to_numpy() / 1000
    risk = network.mean_over(_pattern(scenario, network, rng))
    shared = np.sqrt(scenario.variance) * (network.root(scenario.range_m) @ rng.standard_normal(len(frame)))
    mean = length * risk * np.exp(shared - scenario.variance / 2)
    mean *= rng.gamma(FRAILTY_SHAPE, 1 / FRAILTY_SHAPE, len(frame))
    expected = length * risk
    if not scenario.doubled:
        return rng.poisson(mean * TOTAL / expected.sum()), 0
    types = frame["cluster"].to_numpy()
    mine = 1 + seed % int(types.max())
    ours = types == mine
    mean *= DOUBLED / expected[ours].sum()
    mean[ours] *= 2
    return rng.poisson(mean), mine


def _pattern(scenario: Scenario, network: Network, rng: np.random.Generator) -> Floats:
    """Give the risk at the points of a network, but for what neighbours share."""
    points, _ = network.points
    if scenario.pattern == "gradient":
        angle = rng.uniform(0, 2 * np.pi)
        return scenario.times ** ((points - points.mean(axis=0)) @ [np.cos(angle), np.sin(angle)] / 2000)
    if scenario.pattern == "centre":
        centre = (points.min(axis=0) + points.max(axis=0)) / 2
        return scenario.times ** (-np.hypot(*(points - centre).T) / 1000)
    if scenario.pattern == "hot spots":
        spots = points[rng.choice(len(points), HOT, replace=False)]
        away = ((points[:, None] - spots) ** 2).sum(axis=2) / HOT_M**2 / 2
        return 1 + (HOT_RISK - 1) * np.exp(-away).max(axis=1)
    if scenario.pattern == "hot junctions":
        hot = rng.random(len(network.junctions)) < 1 / HOT
        metres, at = network.junction_of(points)
        return 1 + (JUNCTION_RISK - 1) * hot[at] * np.exp(-metres / JUNCTION_M)
    return np.ones(len(points))


def _even(scenario: Scenario, network: Network, rng: np.random.Generator) -> NDArray[np.int64]:
    """Spread collisions evenly along the roads, and count those that placing leaves on each segment."""
    lines = network.segments.geometry.to_numpy()
    length = shapely.length(lines)
    row = np.repeat(np.arange(len(lines)), rng.poisson(5 * TOTAL * length / length.sum()))
    where = rng.random(len(row)) * length[row]
    xy = shapely.get_coordinates(shapely.line_interpolate_point(lines[row], where))
    table = canonical_table(
        pd.DataFrame(dict(zip("xy", (xy + rng.normal(0, LATERAL_M, xy.shape)).T, strict=True)))
    )
    if scenario.told:
        metres, at = network.junction_of(xy)
        radius = network.junctions["radius_m"].to_numpy(dtype=np.float64)[at]
        table["at_junction"] = pd.array(metres <= radius + REACH_M, "boolean")
    crs = pyproj.CRS(network.segments.crs)
    source = CollisionSource(table, crs, frozenset(), has_ids=False, entries=[])
    nothing = gpd.GeoDataFrame({name: [] for name in ("name", "ref", "road_class")}, geometry=[], crs=crs)
    settings = Collisions(junction_reach_m=REACH_M)
    placed = place_collisions(
        source, network.segments, network.junctions, nothing, crs=crs, settings=settings
    ).collisions
    found = placed["segment_id"].value_counts()
    return found.reindex(network.frame.index, fill_value=0).to_numpy(dtype=np.int64)
