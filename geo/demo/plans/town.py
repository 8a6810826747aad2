"""The demo town as it is drawn unless asked otherwise; the same for every seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from geo.demo.layout import (
    CARRIAGEWAY_OFFSET_M,
    SIZE_M,
    Park,
    Plan,
    Point,
    Road,
    longest_part,
    smooth_line,
)
from geo.demo.plans.drawing import BIRDS

ROUNDABOUTS: tuple[tuple[Point, float], ...] = (
    ((500, 1500), 24.0),
    ((1400, 1500), 24.0),
    ((330, 1000), 18.0),
)
SIGNALS: tuple[Point, ...] = ((1000, 1000), (710, 1009), (1360, 990), (1000, 1260))
"""Where the high streets cross other streets under signals."""
MEDIAN: tuple[Point, ...] = (
    *((0, 1480), (250, 1505), (500, 1500), (950, 1525)),
    *((1400, 1500), (1700, 1490), (2000, 1465)),
)
"""Middle of the Ring Way."""
PARKS = (
    Park(
        shapely.box(1070, 1050, 1590, 1310),
        pond=((1150, 1240), 34.0),
        paths=(
            ((1070, 1180), (1250, 1200), (1400, 1120), (1590, 1160)),
            ((1300, 1310), (1280, 1190), (1330, 1050)),
        ),
        pitches=((1370, 1200), (1480, 1200)),
    ),
    # a small green where a block of terraces would stand
    Park(shapely.box(578, 1140, 632, 1252)),
)


def plan_town() -> Plan:
    """Lay out the town: two grids of terraces about crossing high streets, estates, works, lanes and a ring way."""
    high_street = smooth_line([(330, 1000), (700, 1010), (1000, 1000), (1350, 990), (1680, 1000)])
    north_south = shapely.LineString([(1000, 700), (1000, 1000), (1000, 1390)])
    roads = [
        *_ring_way(),
        Road("High Street", "A4189", "high_street", high_street),
        Road("Market Street", "A4190", "high_street", north_south),
        *_distributors(),
        *_terraces(high_street, north_south),
        *_estates(),
        *_industry(),
        *_lanes(),
    ]
    rings = [shapely.Point(centre).buffer(radius, quad_segs=8) for centre, radius in ROUNDABOUTS]
    inside = shapely.union_all(rings)
    cleared = [replace(road, line=longest_part(shapely.difference(road.line, inside))) for road in roads]
    circles = [
        Road(f"{name} Roundabout", None, "roundabout", shapely.LineString(ring.exterior))
        for name, ring in zip(("Westgate", "Eastgate", "Cross Keys"), rings, strict=True)
    ]
    kept = [road for road in [*cleared, *circles] if road.line.length > 1]
    return Plan(kept, ROUNDABOUTS, SIGNALS, PARKS, smooth_line(MEDIAN))


def _ring_way() -> list[Road]:
    """Two carriageways from roundabout to roundabout, over a lane on a bridge."""
    legs = (
        [(0, 1480), (250, 1505), (500, 1500)],
        [(500, 1500), (950, 1525), (1400, 1500)],
        [(1400, 1500), (1700, 1490), (2000, 1465)],
    )
    roads = []
    for points in legs:
        centre = smooth_line(points, apart_m=10)
        for side in (-1, 1):
            line = shapely.offset_curve(centre, side * CARRIAGEWAY_OFFSET_M)
            over = line.intersection(shapely.box(1035, 1400, 1085, 1600))
            for part, bridge in ((line.difference(shapely.box(1035, 1400, 1085, 1600)), False), (over, True)):
                roads += [
                    Road("Ring Way", "A4177", "dual_carriageway", one, bridge)
                    for one in shapely.get_parts(part)
                    if one.length > 0
                ]
    return roads


def _distributors() -> list[Road]:
    lines = {
        "Westgate Road": [(500, 1500), (440, 1400), (350, 1200), (330, 1000)],
        "Eastgate Road": [(1400, 1500), (1500, 1400), (1650, 1200), (1680, 1000)],
        "Mill Road": [(1680, 1000), (1715, 800), (1700, 640)],
        "Coppice Way": [(1400, 1500), (1405, 1560), (1400, 1610)],
        "Station Road": [(1000, 1390), (1130, 1420), (1300, 1340), (1480, 1415)],
    }
    return [Road(name, "B4100", "distributor_road", smooth_line(points)) for name, points in lines.items()]


def _terraces(high_street: shapely.LineString, market: shapely.LineString) -> list[Road]:
    """Two dense grids, north-west and south-east of the crossroads."""
    trees = (
        "Ash",
        "Beech",
        "Cedar",
        "Elm",
        "Hazel",
        "Larch",
        "Maple",
        "Oak",
        "Poplar",
        "Rowan",
        "Sycamore",
        "Willow",
    )
    roads = []
    for i, x in enumerate(range(430, 990, 70)):
        start = _where(high_street, x)
        roads.append(
            Road(f"{trees[i]} Street", None, "terraced_street", shapely.LineString([start, (x, 1390)]))
        )
    for name, y in (("Albert Road", 1130), ("Victoria Road", 1260), ("Windsor Road", 1390)):
        roads.append(Road(name, None, "terraced_street", shapely.LineString([(430, y), (1000, y)])))
    for i, x in enumerate(range(1080, 1640, 70)):
        start = _where(high_street, x)
        roads.append(
            Road(
                f"{trees[-1 - i % 4]} Terrace {i}",
                None,
                "terraced_street",
                shapely.LineString([start, (x, 660)]),
            )
        )
    for name, y in (("Canal Street", 660), ("Forge Street", 780), ("Foundry Street", 890)):
        west = 1000 if y > market.bounds[1] else 1080
        roads.append(Road(name, None, "terraced_street", shapely.LineString([(west, y), (1570, y)])))
    link = shapely.LineString([(1570, 660), (1700, 640)])
    return [*roads, Road("Canal Street", None, "terraced_street", link)]


def _where(line: shapely.LineString, x: float) -> Point:
    """Point of a line at an x."""
    spot = shapely.get_parts(line.intersection(shapely.LineString([(x, 0), (x, SIZE_M)])))[0]
    return (spot.x, spot.y)


def _estates() -> list[Road]:
    """Plan a loop with closes off it in the north-east, and a smaller estate in the west."""
    loop = smooth_line(
        [
            (1400, 1610),
            (1600, 1625),
            (1840, 1640),
            (1900, 1760),
            (1840, 1890),
            (1600, 1905),
            (1330, 1895),
            (1200, 1770),
            (1250, 1640),
        ],
        closed=True,
    )
    roads = [Road("Coppice Drive", None, "cul_de_sac", loop)]
    west = smooth_line([(330, 1000), (230, 985), (150, 930), (110, 820), (150, 720), (230, 690)])
    roads.append(Road("Orchard Drive", None, "cul_de_sac", west))
    closes = [(loop, s, side) for s, side in zip(np.arange(0.03, 0.98, 0.052), [1, -1] * 20, strict=False)]
    closes += [(west, s, side) for s, side in zip(np.arange(0.2, 1.0, 0.14), [1, -1] * 9, strict=False)]
    for i, (spine, share, side) in enumerate(closes):
        roads.append(
            Road(
                f"{BIRDS[i % 11]} Close {i // 11 or ''}".strip(),
                None,
                "cul_de_sac",
                _close(spine, share, side, i),
            )
        )
    return roads


def _close(spine: shapely.LineString, share: float, side: int, number: int) -> shapely.LineString:
    """Bend a close off its spine."""
    start, ahead = (spine.interpolate(share + d, normalized=True) for d in (0, 0.002))
    along = np.array([ahead.x - start.x, ahead.y - start.y])
    along /= np.hypot(*along)
    across = side * np.array([-along[1], along[0]])
    length = 62 + 17 * (number % 4)
    base = np.array([start.x, start.y])
    bend = along * (22 if number % 3 else -18)
    line = smooth_line(
        [tuple(base), tuple(base + across * length * 0.5), tuple(base + across * length * 0.9 + bend)],
        apart_m=5,
    )
    return longest_part(line.intersection(shapely.box(15, 15, SIZE_M - 15, SIZE_M - 15)))


def _industry() -> list[Road]:
    lines = {
        "Foundry Way": [(500, 1500), (500, 1950)],
        "Brunel Road": [(60, 1640), (930, 1640)],
        "Telford Road": [(60, 1795), (930, 1795)],
        "Stephenson Way": [(60, 1950), (930, 1950)],
        "Watt Close": [(60, 1640), (60, 1950)],
        "Arkwright Road": [(930, 1640), (930, 1950)],
        "Boulton Road": [(280, 1640), (280, 1795)],
        "Newcomen Road": [(720, 1795), (720, 1950)],
    }
    return [Road(name, None, "industrial_road", shapely.LineString(points)) for name, points in lines.items()]


def _lanes() -> list[Road]:
    lines = {
        "Mill Lane": [(0, 400), (250, 470), (600, 400), (900, 480), (1250, 400), (1600, 470), (2000, 420)],
        "Cross Lane": [(330, 1000), (300, 860), (380, 640), (330, 300), (400, 0)],
        "Church Lane": [(1000, 700), (990, 580), (1060, 300), (980, 0)],
        "Ford Lane": [(1700, 640), (1740, 450), (1690, 220), (1780, 0)],
        "Hollow Lane": [(346, 150), (560, 190), (800, 120), (1018, 150)],
        "Heath Lane": [(2000, 950), (1880, 800), (1790, 640), (1725, 540)],
        "Bridge Lane": [(1060, 1412), (1060, 1520), (1040, 1650), (1120, 1740), (1207, 1790)],
        "Moor Lane": [(1030, 240), (1300, 200), (1500, 260), (1700, 235)],
    }
    return [Road(name, None, "rural_lane", smooth_line(points)) for name, points in lines.items()]
