"""A grid with a dense centre: short blocks about crossing high streets, longer ones outwards, a motorway beside it."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.demo.layout import Park, Plan, Point, Road
from geo.demo.plans.drawing import BIRDS, PEOPLE, TREES, Draft, fair_copy, led_off, numbered, smooth, straight

BLOCKS_M = np.array([66.0, 70.0, 84.0, 104.0, 128.0, 150.0])
"""Depth of the blocks from the centre outwards (metres)."""
SHOPS_M, AVENUE_SHOPS_M, TERRACES_M = 140.0, 330.0, 330.0
"""How far from the centre shops, shops of the avenues, and terraces reach (metres)."""
AVENUE = 4
"""Which line from the middle is an avenue beside the two in the middle."""
MOTORWAY_M = 800.0
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def plan_grid(seed: int) -> Plan:
    """Lay out a grid with a dense centre."""
    rng = np.random.default_rng([seed, 11])
    centre = np.array([1000.0, 930.0]) + rng.uniform(-25, 25, 2)
    at = [_lines(rng), _lines(rng)]
    roads = [
        road
        for axis in (0, 1)
        for line in range(-len(BLOCKS_M), len(BLOCKS_M) + 1)
        for road in _street(axis, line, at, centre)
    ]
    roads += _outside(at, centre, rng)
    lines = [road.line for road in roads]
    spines = [road.line for road in roads if road.form == "cul_de_sac"]
    roads += [
        Road(numbered(BIRDS, "Close", number), None, "cul_de_sac", line)
        for number, line in enumerate(led_off(spines, lines, 75.0, rng))
    ]
    west, east = at[0][[len(BLOCKS_M), len(BLOCKS_M) + AVENUE]]
    rings = tuple(((float(centre[0] + x), float(centre[1] + MOTORWAY_M)), 24.0) for x in (west, east))
    signals = [(u, v) for u, v in ((0, 0), (0, 1), (1, 0), (AVENUE, 0), (0, -AVENUE))]
    return fair_copy(
        Draft(roads, rings, tuple(_node(u, v, at, centre) for u, v in signals), (_park(at, centre),)), rng
    )


def _lines(rng: np.random.Generator) -> Floats:
    """Place the lines of one direction, from the centre to both sides (metres)."""
    sides = [np.cumsum(BLOCKS_M * rng.uniform(0.93, 1.07, len(BLOCKS_M))) for _ in range(2)]
    return np.concatenate([-sides[0][::-1], [0.0], sides[1]])


def _node(u: int, v: int, at: list[Floats], centre: Floats) -> Point:
    middle = len(BLOCKS_M)
    return float(centre[0] + at[0][middle + u]), float(centre[1] + at[1][middle + v])


def _street(axis: int, line: int, at: list[Floats], centre: Floats) -> list[Road]:
    """Draw one line of the grid: a road for each stretch of one form, none where blocks are joined."""
    middle = len(BLOCKS_M)
    mine, along = at[axis][middle + line], at[1 - axis]
    ends = np.stack([along[:-1], along[1:]])
    halfway = ends.mean(axis=0)
    uv = np.stack([np.full_like(halfway, mine), halfway])[:: 1 - 2 * axis]
    forms = _forms(line, uv, far=at[0][middle + AVENUE])
    runs = np.flatnonzero(np.append(True, forms[1:] != forms[:-1]))
    stops = np.append(runs[1:], len(forms))
    roads = []
    for first, stop in zip(runs.tolist(), stops.tolist(), strict=True):
        if forms[first]:
            span = np.stack([np.full(2, mine), np.array([ends[0][first], ends[1][stop - 1]])])[
                :: 1 - 2 * axis
            ]
            (x, y), (to_x, to_y) = (span.T + centre).tolist()
            name, highway = _called(axis, line, forms[first])
            roads.append(
                Road(name, _number(line, axis), forms[first], straight((x, y), (to_x, to_y)), highway=highway)
            )
    return roads


def _forms(line: int, uv: Floats, far: float) -> NDArray[np.object_]:
    """Tell the form of stretches by where they are; empty where there is no street."""
    out = np.abs(uv).max(axis=0)
    sheds = (uv[0] < -100) & (uv[1] < -100)
    between = (np.abs(line) % 2 == 1) & (out > far)
    # a park takes in six blocks
    green = (
        (uv[0] > 72)
        & (uv[0] < 300)
        & (uv[1] < -72)
        & (uv[1] > -300)
        & (line not in {0, AVENUE, -AVENUE, 1, -1})
    )
    return np.select(
        [
            between | green,
            (abs(line) <= 1) & (out < SHOPS_M),
            (line == 0) & (out < AVENUE_SHOPS_M),
            (line == 0) | ((abs(line) == AVENUE) & ~(sheds & (out > far))),
            out < TERRACES_M,
            sheds,
        ],
        ["", "high_street", "high_street", "distributor_road", "terraced_street", "industrial_road"],
        "cul_de_sac",
    ).astype(object)


def _called(axis: int, line: int, form: str) -> tuple[str, str | None]:
    """Name a street, and give its class, which goes with the line and not with the form."""
    kind = {"cul_de_sac": "Drive", "industrial_road": "Way", "distributor_road": "Avenue"}.get(form, "Street")
    names = PEOPLE if form == "industrial_road" else TREES
    name = numbered(names, f"{'West' if axis else 'North'} {kind}", line % len(names))
    if line == 0:
        return name, "primary" if axis == 0 else "secondary"
    if abs(line) == AVENUE:
        return name, "secondary" if line > 0 else "tertiary"
    return name, {1: "tertiary", 3: "tertiary", -2: "unclassified"}.get(line, "residential")


def _number(line: int, axis: int) -> str | None:
    return f"A{500 + axis}" if line == 0 else f"B{5000 + 10 * axis + line}" if abs(line) == AVENUE else None


def _park(at: list[Floats], centre: Floats) -> Park:
    west, south = _node(1, -AVENUE, at, centre)
    east, north = _node(AVENUE, -1, at, centre)
    ground = shapely.box(west + 16, south + 16, east - 16, north - 16)
    x, y = (west + east) / 2, (south + north) / 2
    return Park(
        ground, pond=((x + 45, y - 20), 30.0), paths=(((west + 16, y), (x, y + 25), (east - 16, y - 30)),)
    )


def _outside(at: list[Floats], centre: Floats, rng: np.random.Generator) -> list[Road]:
    """Lead avenues and lanes out of the grid, and a motorway past it."""
    middle = len(BLOCKS_M)
    (left, right), (low, high) = ([line[0], line[-1]] for line in at)
    second = at[0][middle + AVENUE]

    def winding(*points: tuple[float, float]) -> shapely.LineString:
        inner = rng.normal(0, 14, (len(points), 2))
        inner[[0, -1]] = 0
        return smooth(np.array(points) + inner + centre)

    motorway = smooth(np.array([(-1150, 785), (0, MOTORWAY_M), (second, MOTORWAY_M), (1150, 812)]) + centre)
    dual = [Road("Northern Way", "A50", "dual_carriageway", line, highway="trunk") for line in [motorway]]
    avenues = [
        Road(
            f"{name} Gate",
            "A500",
            "distributor_road",
            straight(*((x + centre[0], y + centre[1]) for y in (high, MOTORWAY_M))),
            highway=highway,
        )
        for name, x, highway in (("North", 0.0, "primary"), ("Moor", second, "secondary"))
    ]
    lanes = [
        ("North Lane", "primary", winding((0, MOTORWAY_M), (15, 930), (-20, 1150))),
        ("Moor Lane", None, winding((second, MOTORWAY_M), (second + 40, 920), (second + 20, 1150))),
        ("West Lane", "secondary", winding((left, 0), (-800, 20), (-960, -30), (-1150, 0))),
        ("East Lane", "secondary", winding((right, 0), (760, -20), (900, 30), (1150, 0))),
        ("South Lane", "primary", winding((0, low), (20, -760), (-20, -900), (0, -1150))),
        ("Ford Lane", "tertiary", winding((second, low), (second + 20, -750), (second - 10, -1150))),
        (
            "Heath Lane",
            None,
            winding(
                (right, high),
                (740, 640),
                (860, 420),
                (830, 150),
                (810, -15),
                (850, -300),
                (760, -640),
                (560, -790),
                (second + 8, -820),
                (150, -790),
                (5, -800),
            ),
        ),
        (
            "Mill Lane",
            None,
            winding(
                (left, high),
                (-720, 560),
                (-830, 300),
                (-790, 15),
                (-820, -300),
                (-740, -700),
                (-400, -790),
                (5, -830),
            ),
        ),
    ]
    return [
        *dual,
        *avenues,
        *(Road(name, None, "rural_lane", line, highway=highway) for name, highway, line in lanes),
    ]
