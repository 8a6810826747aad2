"""An estate within a ring road: loops and closes about a parade of shops, roundabouts on the ring, lanes beyond."""

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
    stretches,
    works,
)

GATES = 5
"""Roundabouts of the ring, with a way in from each."""
RING_M = 590.0
PARADE_M, LONG_PARADE_M = 180.0, 300.0
"""How far from the middle shops reach along the ways in (metres)."""
LOOPS_M = (180.0, 310.0, 450.0)
"""How far from the middle the loops are (metres)."""
TERRACES = (1, 3)
"""Quarters (from one way in to the next) with terraces between the outer loops, not closes."""
WAY_CLASSES = ("secondary", "tertiary", "secondary", "residential", "tertiary")
LOOP_CLASSES = ("residential", "tertiary", "unclassified")
WORKS_CLASSES = ("tertiary", "unclassified", "residential")
Floats = NDArray[np.float64]


def plan_estate(seed: int) -> Plan:
    """Lay out an estate within a ring road."""
    rng = np.random.default_rng([seed, 13])
    x, y = 1000 + rng.uniform(-25, 25, 2)
    centre: Point = (float(x), float(y))
    angles = np.pi / 2 + (np.arange(GATES) + rng.uniform(-0.12, 0.12, GATES)) * 2 * np.pi / GATES
    gates = polar(centre, RING_M + rng.uniform(-15, 15, GATES), angles)
    ways = [_way_in(centre, gate, rng) for gate in gates]
    loops = [closed(ring(centre, radius, 12.0, rng, np.arange(15) * 2 * np.pi / 15)) for radius in LOOPS_M]
    out = (gates - centre) / np.hypot(*(gates - centre).T)[:, None]
    roads = [
        *_ring_road(centre, angles, gates, rng),
        *_ways_in(centre, ways),
        *_loops(centre, angles, loops, ways),
        *_terraces(centre, angles, loops, rng),
        *_works(gates[1], out[1], rng),
        *_lanes(centre, angles, gates, out, rng),
    ]
    spines = [road.line for road in roads if road.form == "cul_de_sac"]
    closes = led_off(spines, [road.line for road in roads], 52.0, rng)
    roads += [
        Road(numbered(BIRDS, "Close", number), None, "cul_de_sac", line, highway=highway)
        for number, line in enumerate(closes)
        for highway in ["unclassified" if number % 4 == 3 else None]
    ]
    signals = shapely.get_parts(shapely.intersection(shapely.union_all(ways[:2]), loops[0]))
    return fair_copy(
        Draft(
            roads,
            (*(((float(x), float(y)), 26.0) for x, y in gates), (centre, 20.0)),
            tuple((spot.x, spot.y) for spot in signals),
            _greens(centre, ways),
        ),
        rng,
    )


def _greens(centre: Point, ways: list[shapely.LineString]) -> tuple[Park, ...]:
    """Leave a green behind the shops in the middle."""
    square = shapely.box(centre[0] - 105, centre[1] - 105, centre[0] - 35, centre[1] - 35)
    parts = shapely.get_parts(shapely.difference(square, shapely.union_all(ways).buffer(14)))
    return tuple(Park(part) for part in parts if part.area > 900)


def _way_in(centre: Point, gate: Floats, rng: np.random.Generator) -> shapely.LineString:
    """Draw a road from the parade to a roundabout of the ring."""
    share = np.linspace(0, 1, 5)[:, None]
    points = np.array(centre) + (gate - centre) * share
    out = (gate - centre) / np.hypot(*(gate - centre))
    sway = rng.normal(0, 16, 5)
    sway[[0, -1]] = 0
    return smooth(points + sway[:, None] * [-out[1], out[0]])


def _ring_road(centre: Point, angles: Floats, gates: Floats, rng: np.random.Generator) -> list[Road]:
    """Draw the ring from roundabout to roundabout."""
    stops = np.append(angles[1:], angles[0] + 2 * np.pi)
    roads = []
    for number, (start, stop) in enumerate(zip(angles, stops, strict=True)):
        points = ring(centre, RING_M + 18, 8.0, rng, np.linspace(start, stop, 6))
        points[[0, -1]] = gates[number], gates[(number + 1) % GATES]
        highway = ("primary", "trunk")[number % 2]
        name, ref = f"Ring Road {number + 1}", f"A{60 + number}"
        roads.append(Road(name, ref, "dual_carriageway", smooth(points), highway=highway))
    return roads


def _ways_in(centre: Point, ways: list[shapely.LineString]) -> list[Road]:
    """Cut each way in into a parade of shops and the rest; one has no shops."""
    roads = []
    for number, way in enumerate(ways):
        reach = shapely.Point(centre).buffer(LONG_PARADE_M if number in {0, 2} else PARADE_M)
        form = "distributor_road" if number == 3 else "high_street"
        for kind, here, line in (
            ("Parade", form, longest_part(shapely.intersection(way, reach))),
            ("Way", "distributor_road", longest_part(shapely.difference(way, reach))),
        ):
            ref = f"B{600 + 10 * (kind == 'Way') + number}"
            roads.append(Road(numbered(TREES, kind, number), ref, here, line, highway=WAY_CLASSES[number]))
    return roads


def _loops(
    centre: Point, angles: Floats, loops: list[shapely.LineString], ways: list[shapely.LineString]
) -> list[Road]:
    """Cut loops where ways in cross them, and give each stretch its form."""
    cuts = shapely.union_all(ways)
    roads = []
    for number, line in enumerate(loops):
        for part in stretches(line, cuts):
            quarter = quarter_of(part, centre, angles)
            name = numbered(TREES, "Crescent", quarter + len(angles) * number)
            highway = LOOP_CLASSES[(number + 2 * quarter) % 3]
            roads.append(Road(name, None, _form_of_loop(number, quarter), part, highway=highway))
    return roads


def _form_of_loop(number: int, quarter: int) -> str:
    if number == 0:
        return "high_street" if quarter in {0, 2} else "terraced_street"
    if quarter == 4 and number == 2:
        return "distributor_road"
    return "terraced_street" if quarter in TERRACES and number == 1 else "cul_de_sac"


def _terraces(
    centre: Point, angles: Floats, loops: list[shapely.LineString], rng: np.random.Generator
) -> list[Road]:
    """Draw straight streets between the first two loops, and on to the third in the quarters of terraces."""
    lines = all_across(centre, angles, loops, lambda quarter: (3, 5 if quarter in TERRACES else 0), rng)
    return [
        Road(numbered(TREES, "Walk", number), None, "terraced_street", line, highway=highway)
        for number, line in enumerate(lines)
        for highway in ["unclassified" if number % 3 == 1 else None]
    ]


def _works(gate: Floats, outward: Floats, rng: np.random.Generator) -> list[Road]:
    """Put works beyond one of the roundabouts."""
    lines = works(gate, outward, rng, 115.0)
    return [
        Road(
            numbered(PEOPLE, "Road", number), None, "industrial_road", line, highway=WORKS_CLASSES[number % 3]
        )
        for number, line in enumerate(lines)
    ]


def _lanes(centre: Point, angles: Floats, gates: Floats, out: Floats, rng: np.random.Generator) -> list[Road]:
    """Lead lanes out from the other roundabouts, and lanes from one of these to the next."""
    lanes = {}
    for number in (0, 2, 3, 4):
        radius, sway = np.array([0.0, 150.0, 320.0, 900.0]), rng.normal(0, [0, 12, 25, 30])
        aside = np.array([-out[number][1], out[number][0]])
        lanes[number] = smooth(gates[number] + radius[:, None] * out[number] + sway[:, None] * aside)
    classes = {0: "secondary", 2: "tertiary"}
    roads = [
        Road(numbered(BIRDS, "Lane", number), None, "rural_lane", line, highway=classes.get(number))
        for number, line in lanes.items()
    ]
    for name, first in (("Heath Lane", 2), ("Moor Lane", 3)):
        points = ring(centre, RING_M + 200, 16.0, rng, np.linspace(angles[first], angles[first + 1], 6))
        roads.append(Road(name, None, "rural_lane", from_to(lanes[first], lanes[first + 1], points)))
    return roads
