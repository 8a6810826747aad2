"""A market town: roads from all sides to a market square, winding lanes around it, a bypass."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.demo.layout import Park, Plan, Point, Road, longest_part
from geo.demo.plans.drawing import (
    BIRDS,
    PEOPLE,
    TREES,
    Draft,
    all_across,
    closed,
    fair_copy,
    from_to,
    led_off,
    numbered,
    polar,
    quarter_of,
    ring,
    smooth,
    straight,
    stretches,
    works,
)

SPOKES = ("London Road", "Mill Road", "Church Road", "Castle Road", "Priory Road", "Ferry Road")
CLASSES = ("primary", "tertiary", "secondary", "primary", "unclassified", "secondary")
DIRECTIONS = np.array([0.0, 68.0, 125.0, 180.0, 236.0, 292.0])
"""Where the roads in come from: the first from the bypass, the others anticlockwise (degrees)."""
SQUARE_M = 46.0
SHOPS_M, TOWN_M = 310.0, 650.0
"""How far from the square shops reach along the roads in, and houses (metres)."""
LANES_M = (165.0, 305.0, 500.0)
"""How far from the square the lanes around it are (metres)."""
BYPASS_M = 760.0
VILLAS = (0, 1, 3, 5)
"""Quarters (from one road in to the next) where houses stand about closes, not in terraces."""
LANE_CLASSES = ("unclassified", "residential", "tertiary")
WORKS_CLASSES = ("unclassified", "tertiary", "residential")
Floats = NDArray[np.float64]


def plan_market(seed: int) -> Plan:
    """Lay out a market town."""
    rng = np.random.default_rng([seed, 12])
    x, y = np.array([1000.0, 930.0]) + rng.uniform(-25, 25, 2)
    centre: Point = (float(x), float(y))
    angles = np.radians(90 + DIRECTIONS + rng.uniform(-6, 6, len(SPOKES)))
    ways = [_way_in(centre, angle, rng) for angle in angles]
    around = [closed(ring(centre, radius, 11.0, rng, _between(angles, 3))) for radius in LANES_M]
    square = shapely.LinearRing(ring(centre, SQUARE_M, 6.0, rng, np.pi / 4 + np.arange(4) * np.pi / 2))
    bypass = smooth(np.array([(-1150, 700), (-500, 745), (0, BYPASS_M), (500, 740), (1150, 720)]) + centre)
    relief = _relief(ways[-1], bypass)
    roads = [
        Road("Market Square", "A44", "high_street", shapely.LineString(square), highway="secondary"),
        *_ways(ways, square),
        *_lanes_around(centre, angles, around, ways),
        *_terraces(centre, angles, around, rng),
        Road("Bypass", "A40", "dual_carriageway", bypass, highway="primary"),
        Road("Relief Road", "B4400", "distributor_road", relief, highway="tertiary"),
        *_works(centre, (angles[2] + angles[3]) / 2, around[-1], rng),
        *_lanes_beyond(centre, angles, ways, rng),
    ]
    spines = [road.line for road in roads if road.form == "cul_de_sac"]
    roads += [
        Road(numbered(BIRDS, "Close", number), None, "cul_de_sac", line)
        for number, line in enumerate(led_off(spines, [road.line for road in roads], 48.0, rng))
    ]
    ends = [shapely.get_parts(shapely.intersection(ways[0], bypass))[0], shapely.get_point(relief, -1)]
    signals = shapely.get_parts(shapely.intersection(ways[0], shapely.union_all(around[:2])))
    return fair_copy(
        Draft(
            roads,
            tuple(((spot.x, spot.y), 22.0) for spot in ends),
            tuple((spot.x, spot.y) for spot in signals),
            (Park(shapely.Polygon(square).buffer(-7), paved=True),),
        ),
        rng,
    )


def _relief(way: shapely.LineString, bypass: shapely.LineString) -> shapely.LineString:
    """Lead a road from one of the ways in around the houses to the bypass."""
    start, end = way.interpolate(590.0), bypass.interpolate(0.72, normalized=True)
    return smooth(np.array([(start.x, start.y), (start.x + 60, start.y + 200), (end.x, end.y)]))


def _between(angles: Floats, times: int) -> Floats:
    """Angles of the ways in, and of others between each two of them."""
    nodes = np.append(angles, angles[0] + 2 * np.pi)
    at = np.arange(len(angles) * times) / times
    found: Floats = np.interp(at, np.arange(len(nodes)), nodes)
    return found


def _way_in(centre: Point, angle: float, rng: np.random.Generator) -> shapely.LineString:
    """Draw a winding road from the middle of the square to beyond the edge of the town."""
    radius = np.array([0.0, 150.0, 320.0, 520.0, 700.0, 860.0, 1050.0, 1500.0])
    sway = rng.normal(0, [0, 5, 14, 22, 22, 30, 30, 0])
    out = np.array([np.cos(angle), np.sin(angle)])
    return smooth(np.array(centre) + radius[:, None] * out + sway[:, None] * [-out[1], out[0]])


def _ways(ways: list[shapely.LineString], square: shapely.LinearRing) -> list[Road]:
    """Cut each way in into shops, houses and fields: class and number stay the same all along."""
    middle = shapely.Polygon(square)
    rims = [middle, middle.centroid.buffer(SHOPS_M), middle.centroid.buffer(TOWN_M)]
    roads = []
    for number, way in enumerate(ways):
        rest = shapely.difference(way, rims[0])
        quarters = (
            # a smaller way in has houses where others have shops
            ("high_street" if number % 2 == 0 else "terraced_street", rims[1], rims[0], "Street"),
            ("distributor_road", rims[2], rims[1], "Road"),
            ("rural_lane", middle.buffer(5000), rims[2], "Lane"),
        )
        for form, within, beyond, kind in quarters:
            line = longest_part(shapely.intersection(shapely.difference(rest, beyond), within))
            name = SPOKES[number].removesuffix("Road") + kind
            roads.append(Road(name, f"A{441 + number}", form, line, highway=CLASSES[number]))
    return roads


def _lanes_around(
    centre: Point, angles: Floats, around: list[shapely.LineString], ways: list[shapely.LineString]
) -> list[Road]:
    """Cut the lanes around the square where roads cross them, and give each stretch the form of its quarter."""
    cuts = shapely.union_all(ways)
    roads = []
    for number, line in enumerate(around):
        for part in stretches(line, cuts):
            quarter = quarter_of(part, centre, angles)
            form = "cul_de_sac" if number == 2 and quarter in VILLAS else "terraced_street"
            kind = "Lane" if form == "terraced_street" else "Drive"
            name = numbered(TREES, kind, quarter + len(angles) * number)
            highway = LANE_CLASSES[(number + quarter) % 3]
            roads.append(Road(name, None, form, part, highway=highway))
    return roads


def _terraces(
    centre: Point, angles: Floats, around: list[shapely.LineString], rng: np.random.Generator
) -> list[Road]:
    """Draw straight streets between the first two lanes, and on to the third where there are no villas."""
    lines = all_across(centre, angles, around, lambda quarter: (2, 0 if quarter in VILLAS else 5), rng)
    return [
        Road(
            numbered(TREES, "Street", number),
            None,
            "terraced_street",
            line,
            highway="tertiary" if number % 5 == 2 else None,
        )
        for number, line in enumerate(lines)
    ]


def _works(centre: Point, angle: float, outer: shapely.LineString, rng: np.random.Generator) -> list[Road]:
    """Put works beyond the last lane, halfway between two ways in."""
    gate = shapely.intersection(outer, straight(centre, tuple(polar(centre, 900.0, angle)[0])))
    lines = works(shapely.get_coordinates(gate)[0], polar((0.0, 0.0), 1.0, angle)[0], rng)
    return [
        Road(
            numbered(PEOPLE, "Way", number), None, "industrial_road", line, highway=WORKS_CLASSES[number % 3]
        )
        for number, line in enumerate(lines)
    ]


def _lanes_beyond(
    centre: Point, angles: Floats, ways: list[shapely.LineString], rng: np.random.Generator
) -> list[Road]:
    """Draw lanes between fields from one way in to the next."""
    lanes = (("Heath Lane", 3, 820.0), ("Ford Lane", 4, 760.0), ("Moor Lane", 4, 910.0))
    return [
        Road(name, None, "rural_lane", from_to(ways[first], ways[first + 1], points))
        for name, first, radius in lanes
        for points in [ring(centre, radius, 14.0, rng, np.linspace(angles[first], angles[first + 1], 6))]
    ]
