"""What stands beside the roads of the demo town: houses, shops, sheds, trees, and what is parked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.demo.ground import EAST, Ground, Thing
from geo.demo.layout import Road
from geo.demo.painting import Colour, Floats, Painting, box_points

ROOFS: dict[str, tuple[Colour, ...]] = {
    "terraced_street": ((118, 92, 82), (104, 98, 98), (128, 88, 74), (96, 92, 90), (110, 84, 78)),
    "cul_de_sac": ((150, 98, 78), (134, 86, 70), (120, 112, 106), (160, 112, 88), (98, 90, 86)),
    "high_street": ((132, 126, 120), (108, 106, 108), (150, 144, 136), (96, 88, 84), (122, 96, 84)),
    "industrial_road": ((186, 190, 194), (160, 168, 176), (142, 152, 166), (204, 204, 200), (120, 134, 140)),
    "rural_lane": ((120, 84, 66), (98, 92, 84), (146, 140, 132)),
}
PAINT: tuple[Colour, ...] = (
    *(
        (226, 226, 226),
        (190, 192, 196),
        (150, 154, 160),
        (60, 62, 66),
        (38, 40, 44),
        (150, 34, 34),
        (36, 62, 120),
    ),
    *((82, 92, 104), (210, 206, 196), (40, 78, 58)),
)
LEAVES: tuple[Colour, ...] = ((58, 82, 44), (70, 94, 50), (50, 74, 46), (84, 100, 56), (64, 76, 40))


@dataclass(frozen=True, slots=True)
class Plot:
    """How buildings stand along a form of road (metres)."""

    frontage: tuple[float, float]
    depth: tuple[float, float]
    setback: tuple[float, float]
    gap: tuple[float, float]
    height: float


PLOTS: dict[str, Plot] = {
    "terraced_street": Plot((14, 30), (8.0, 9.0), (1.5, 2.2), (0.3, 1.2), 7.0),
    "cul_de_sac": Plot((8.5, 12.5), (7.5, 9.5), (6.0, 9.0), (2.5, 8.0), 6.0),
    "high_street": Plot((10, 24), (13, 20), (0.2, 1.0), (0.0, 1.5), 9.5),
    "industrial_road": Plot((38, 80), (28, 50), (10, 18), (12, 28), 9.0),
    "rural_lane": Plot((11, 20), (7, 10), (8, 20), (140, 420), 6.0),
}


@dataclass(frozen=True, slots=True)
class Building:
    """A building: its form, footprint corners, direction of its ridge and the side of the road it faces."""

    form: str
    corners: Floats
    along: Floats
    length: float
    depth: float
    outward: Floats


def put_up(roads: list[Road], keep_free: shapely.Geometry, rng: np.random.Generator) -> list[Building]:
    """Line the roads with buildings that stand neither on a road nor in each other."""
    found: list[Building] = []
    for road in roads:
        plot = PLOTS.get(road.form)
        if plot is not None:
            found += [b for side in (-1, 1) for b in _row(road, plot, side, rng)]
    footprints = np.asarray(shapely.polygons([b.corners for b in found]))
    shapely.prepare(keep_free)
    stands = ~np.asarray(shapely.intersects(keep_free, footprints))
    first, second = shapely.STRtree(footprints).query(footprints, predicate="intersects")
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        if i < j and stands[i] and stands[j]:
            stands[j] = False
    return [b for b, ok in zip(found, stands, strict=True) if ok]


def _row(road: Road, plot: Plot, side: int, rng: np.random.Generator) -> list[Building]:
    """Set buildings along one side of a road."""
    row: list[Building] = []
    s = rng.uniform(*plot.gap) + 4
    edge = road.look.width_m / 2 + road.look.pavement_m
    while True:
        length, depth = rng.uniform(*plot.frontage), rng.uniform(*plot.depth)
        if s + length > road.line.length:
            return row
        point, along = _at(road.line, s + length / 2)
        outward = side * np.array([-along[1], along[0]])
        centre = point + outward * (edge + rng.uniform(*plot.setback) + depth / 2)
        row.append(
            Building(road.form, box_points(centre, along, length, depth), along, length, depth, outward)
        )
        s += length + rng.uniform(*plot.gap)


def _at(line: shapely.LineString, s: float) -> tuple[Floats, Floats]:
    """Point and unit tangent of a line at a distance."""
    a, b = (
        shapely.get_coordinates(line.interpolate(max(0.0, min(line.length, s + d))))[0] for d in (-0.5, 0.5)
    )
    step = b - a
    return (a + b) / 2, step / (np.hypot(*step) or 1)


def draw_plot(painting: Painting, building: Building) -> None:
    """Draw the ground of a building: garden, yard or drive; and cast its shadow."""
    rng, centre = painting.rng, building.corners.mean(axis=0)
    if building.form == "industrial_road":
        yard = box_points(centre, building.along, building.length + 22, building.depth + 24)
        with painting.of(Ground.PAVEMENT):
            painting.fill(shapely.Polygon(yard), _tint((140, 138, 132), rng, 12), rough=8)
    elif building.form == "cul_de_sac":
        _front_and_garden(painting, building)
    elif building.form == "terraced_street":
        _back_gardens(painting, building)
    painting.shadow(building.corners, PLOTS[building.form].height * rng.uniform(0.85, 1.15))


def _front_and_garden(painting: Painting, building: Building) -> None:
    """Draw the garden behind a house, its drive and, now and then, a terrace."""
    rng, centre = painting.rng, building.corners.mean(axis=0)
    garden = box_points(centre + building.outward * 9, building.along, building.length + 4, 14)
    with painting.of(Ground.GRASS):
        painting.fill(shapely.Polygon(garden), _tint((104, 124, 68), rng, 14), rough=10)
    drive = centre - building.outward * (building.depth / 2 + 4) + building.along * rng.uniform(-2, 2)
    with painting.of(Ground.PAVEMENT):
        painting.polygon(box_points(drive, building.outward, 9, 3.2), _tint((158, 148, 140), rng, 14))
        if rng.random() < 0.3:
            painting.polygon(
                box_points(centre + building.outward * 12, building.along, 5, 4),
                _tint((150, 150, 146), rng, 16),
            )


def _back_gardens(painting: Painting, building: Building) -> None:
    """Draw the narrow yards and gardens behind a terrace: paving, grass, a shed at the end."""
    rng, centre = painting.rng, building.corners.mean(axis=0)
    houses = max(1, round(building.length / 4.9))
    width = building.length / houses
    for i in range(houses):
        middle = centre + building.along * ((i + 0.5) / houses - 0.5) * building.length
        grown = rng.random() < 0.5
        ground: Colour = (98, 120, 66) if grown else (140, 134, 124)
        plot = box_points(middle + building.outward * 11.5, building.along, width - 0.4, 15)
        with painting.of(Ground.GRASS if grown else Ground.PAVEMENT):
            painting.fill(shapely.Polygon(plot), _tint(ground, rng, 14), rough=12)
        if rng.random() < 0.55:
            shed = middle + building.outward * rng.uniform(14, 17.5) + building.along * rng.uniform(-0.8, 0.8)
            with painting.of(Ground.ROOF):
                painting.polygon(
                    box_points(shed, building.along, rng.uniform(1.6, 2.6), rng.uniform(1.8, 3.2)),
                    _tint((118, 104, 90), rng, 22),
                )


def draw_roof(painting: Painting, building: Building) -> None:
    """Draw the roof of a building."""
    {"industrial_road": _shed, "high_street": _shop, "terraced_street": _terrace}.get(building.form, _gable)(
        painting, building
    )


def _tint(colour: Colour, rng: np.random.Generator, spread: float) -> Colour:
    """Vary a colour, all of it lighter or darker and each band a little."""
    varied = np.array(colour) + rng.normal(0, spread) + rng.normal(0, spread / 4, 3)
    red, green, blue = np.clip(varied, 0, 255).astype(int).tolist()
    return red, green, blue


def _shaded(colour: Colour, factor: float) -> Colour:
    red, green, blue = (int(min(255, c * factor)) for c in colour)
    return red, green, blue


def _slopes(
    painting: Painting, centre: Floats, along: Floats, length: float, depth: float, colour: Colour
) -> None:
    """Draw a gabled roof: the slope to the sun is light, the other dark."""
    across = np.array([-along[1], along[0]])
    for side in (-1, 1):
        facing = float(side * across @ np.array([0.59, -0.81]))
        slope = box_points(centre + side * across * depth / 4, along, length, depth / 2)
        painting.polygon(slope, _shaded(colour, 1 + 0.24 * facing))
    painting.line(
        np.array([centre - along * length / 2, centre + along * length / 2]), 0.3, _shaded(colour, 0.78)
    )


def _gable(painting: Painting, building: Building) -> None:
    rng, centre = painting.rng, building.corners.mean(axis=0)
    palette = ROOFS[building.form]
    colour = _tint(palette[rng.integers(len(palette))], rng, 8)
    _slopes(painting, centre, building.along, building.length, building.depth, colour)
    if rng.random() < 0.55:
        wing = centre + building.along * rng.uniform(-1.5, 1.5) + building.outward * building.depth * 0.35
        _slopes(painting, wing, building.outward, building.depth * 0.7, building.length * 0.42, colour)
    if rng.random() < 0.5:
        garage = centre + building.along * (building.length / 2 + 1.6) - building.outward * 1.5
        painting.polygon(box_points(garage, building.along, 3.0, 5.5), _shaded(colour, 0.92))


def _terrace(painting: Painting, building: Building) -> None:
    """Draw a row of houses: one ridge, party walls with chimneys, and rear additions."""
    rng, centre = painting.rng, building.corners.mean(axis=0)
    palette = ROOFS["terraced_street"]
    row = palette[rng.integers(len(palette))]
    width = rng.uniform(4.4, 5.4)
    houses = max(1, int(building.length / width))
    for i in range(houses):
        offset = building.along * ((i + 0.5) / houses - 0.5) * building.length
        colour = _tint(row, rng, 7)
        back = centre + offset + building.outward * (building.depth / 2 + 2.2) + building.along * 0.9
        painting.polygon(box_points(back, building.outward, 4.4, width * 0.5), _shaded(colour, 0.9))
        _slopes(painting, centre + offset, building.along, building.length / houses, building.depth, colour)
        chimney = centre + offset + building.along * building.length / houses / 2
        painting.polygon(box_points(chimney, building.outward, 1.8, 0.7), (92, 70, 60))


def _shop(painting: Painting, building: Building) -> None:
    """Draw a block of shops: a flat or pitched roof with plant on it, and an awning to the street."""
    rng, centre = painting.rng, building.corners.mean(axis=0)
    palette = ROOFS["high_street"]
    units = max(1, int(building.length / rng.uniform(6, 9)))
    for i in range(units):
        colour = _tint(palette[rng.integers(len(palette))], rng, 10)
        place = centre + building.along * ((i + 0.5) / units - 0.5) * building.length
        width = building.length / units
        if rng.random() < 0.45:
            _slopes(painting, place, building.along, width, building.depth, colour)
        else:
            painting.polygon(box_points(place, building.along, width, building.depth), colour)
            painting.polygon(
                box_points(place, building.along, width - 0.9, building.depth - 0.9), _shaded(colour, 1.08)
            )
            for _ in range(int(rng.integers(1, 4))):
                spot = (
                    place
                    + building.along * rng.uniform(-0.3, 0.3) * width
                    + building.outward * rng.uniform(-0.3, 0.35) * building.depth
                )
                painting.polygon(
                    box_points(spot, building.along, rng.uniform(1, 2.4), rng.uniform(1, 2.4)),
                    _tint((200, 200, 198), rng, 14),
                )
        awning = place - building.outward * (building.depth / 2 + 0.7)
        painting.polygon(
            box_points(awning, building.along, width * 0.85, 1.4), PAINT[rng.integers(len(PAINT))]
        )


def _shed(painting: Painting, building: Building) -> None:
    """Draw an industrial shed: shallow slopes, ribs, rooflights and vents."""
    rng, centre = painting.rng, building.corners.mean(axis=0)
    palette = ROOFS["industrial_road"]
    colour = _tint(palette[rng.integers(len(palette))], rng, 8)
    across = np.array([-building.along[1], building.along[0]])
    bays = max(1, int(building.depth / 22))
    for bay in range(bays):
        middle = centre + across * ((bay + 0.5) / bays - 0.5) * building.depth
        _slopes(painting, middle, building.along, building.length, building.depth / bays, colour)
    ribs = np.arange(-building.length / 2 + 2, building.length / 2, 4.0)
    for i, rib in enumerate(ribs):
        at = centre + building.along * rib
        ends = np.array([at - across * building.depth / 2, at + across * building.depth / 2])
        painting.line(ends, 0.25, _shaded(colour, 0.93))
        if i % 3 == 1:
            for share in (-0.27, 0.27):
                painting.polygon(
                    box_points(
                        at + across * share * building.depth, building.along, 1.3, building.depth * 0.26
                    ),
                    _shaded(colour, 1.18),
                )


def draw_tree(painting: Painting, centre: Floats, radius_m: float) -> None:
    """Draw a crown of several lobes, lit from the south-east."""
    rng = painting.rng
    leaf = _tint(LEAVES[rng.integers(len(LEAVES))], rng, 6)
    lobes = rng.normal(0, radius_m * 0.38, (7, 2))
    for lobe in lobes:
        painting.disc(centre + lobe, radius_m * 0.6, _shaded(leaf, 0.86))
    for lobe in lobes[:5]:
        painting.disc(
            centre + lobe + np.array([0.22, -0.26]) * radius_m,
            radius_m * 0.34,
            _shaded(leaf, 1.1 + 0.18 * rng.random()),
        )
    painting.things.append(Thing("tree", centre, EAST, radius_m, radius_m))


def tree_shadow(painting: Painting, centre: Floats, radius_m: float) -> None:
    """Cast the shadow of a tree."""
    angles = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    rim = centre + radius_m * 0.9 * np.column_stack([np.cos(angles), np.sin(angles)])
    painting.shadow(rim, radius_m * 1.3)


def draw_vehicle(
    painting: Painting, centre: Floats, along: Floats, *, lorry: bool = False, parked: bool = True
) -> None:
    """Draw a car or a lorry with its windows and a shadow of its own."""
    rng = painting.rng
    length, width = (rng.uniform(8, 13.5), 2.5) if lorry else (rng.uniform(3.9, 4.7), 1.8)
    kind = "lorry" if lorry else "car"
    painting.things.append(Thing(kind, centre, along, length, width, parked))
    shade: NDArray[np.float64] = centre + np.array([-0.35, 0.45]) * (1.6 if lorry else 0.8)
    painting.polygon(box_points(shade, along, length, width), (58, 58, 58))
    with painting.of(Ground.CAR):
        paint = (222, 222, 220) if lorry and rng.random() < 0.6 else PAINT[rng.integers(len(PAINT))]
        painting.polygon(box_points(centre, along, length, width), _tint(paint, rng, 6))
        if lorry:
            painting.polygon(
                box_points(centre + along * (length / 2 - 1.2), along, 2.2, width),
                PAINT[rng.integers(len(PAINT))],
            )
            return
        for share in (0.16, -0.3):
            painting.polygon(
                box_points(centre + along * share * length, along, length * 0.14, width * 0.8), (44, 50, 56)
            )
