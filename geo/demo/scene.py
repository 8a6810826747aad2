"""Painting the demo town, from the ground up: fields, roads, markings, shadows, vehicles, roofs, trees."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from PIL import Image
from shapely.ops import substring

from geo.demo.buildings import (
    Building,
    draw_plot,
    draw_roof,
    draw_tree,
    draw_vehicle,
    put_up,
    tree_shadow,
)
from geo.demo.ground import EAST, Ground, Thing
from geo.demo.layout import CARRIAGEWAY_OFFSET_M, Park, Plan, Road, smooth_line
from geo.demo.painting import Colour, Floats, Painting, box_points

WHITE, YELLOW = (214, 214, 208), (206, 178, 74)
GRASS, STONE = (96, 128, 62), (150, 146, 138)
ZONES: tuple[tuple[str, float, Colour, float, Ground], ...] = (
    ("distributor_road", 20, (104, 122, 70), 12, Ground.GRASS),
    ("dual_carriageway", 26, (110, 122, 74), 13, Ground.GRASS),
    ("cul_de_sac", 40, (106, 124, 70), 13, Ground.GRASS),
    ("industrial_road", 62, (134, 130, 118), 12, Ground.BARE),
    ("terraced_street", 40, (120, 118, 98), 15, Ground.BARE),
    ("high_street", 34, (146, 142, 134), 10, Ground.PAVEMENT),
)
CROPS: tuple[tuple[Colour, float, Ground], ...] = (
    ((118, 132, 70), 1.2, Ground.GRASS),
    ((146, 138, 88), 2.5, Ground.BARE),
    ((132, 112, 84), 3.0, Ground.BARE),
    ((98, 122, 62), 0.0, Ground.GRASS),
    ((170, 158, 104), 2.0, Ground.BARE),
    ((108, 126, 74), 0.0, Ground.GRASS),
)
"""Colour of a field, spacing of its drills (metres; 0: pasture), and its ground: young crops pass for grass."""
Tree = tuple[Floats, float]
"""Centre and radius of its crown (metres)."""


class Avenue(NamedTuple):
    """A row of trees beside a road: from the edge of its pavement, every so many metres, some of them missing."""

    from_edge_m: float
    step_m: float
    radius_m: tuple[float, float]
    chance: float


AVENUES: dict[str, tuple[Avenue, ...]] = {
    "rural_lane": (Avenue(2.0, 2.3, (1.1, 1.8), 0.93), Avenue(2.6, 26.0, (3.5, 6.0), 0.5)),
    "distributor_road": (Avenue(4.5, 13.0, (2.6, 4.2), 0.85),),
    "dual_carriageway": (Avenue(9.0, 7.0, (1.5, 4.5), 0.35),),
    "terraced_street": (Avenue(-0.9, 22.0, (1.4, 2.4), 0.12),),
    "industrial_road": (Avenue(4.0, 18.0, (1.6, 3.0), 0.2),),
}


class Scene(NamedTuple):
    """The town from the air: its picture, the class of each pixel (`Ground`), and what can be counted on it."""

    picture: Image.Image
    ground: Image.Image
    things: list[Thing]


def paint(plan: Plan, *, size_m: float, pixel_m: float, seed: int) -> Scene:
    """Paint the town as it looks from the air, and the true map of what is seen.

    Parameters
    ----------
    plan
        The plan of the town (`geo.demo.plans.registry.plan_of`).
    size_m, pixel_m
        Side of the town and of a pixel (metres).
    seed
        Seed of everything that the plan leaves open.
    """
    painting = Painting(size_m, pixel_m, np.random.default_rng([seed, 1]))
    roads = plan.roads
    corridors = shapely.union_all(
        [shapely.buffer(r.line, r.look.width_m / 2 + r.look.pavement_m) for r in roads]
    )
    buildings = put_up(
        roads, shapely.union_all([corridors, *(park.ground for park in plan.parks)]), painting.rng
    )
    trees = _ground(painting, plan) + _planting(painting, roads, buildings, corridors)
    for building in buildings:
        draw_plot(painting, building)
    _carriageways(painting, plan)
    for tree in trees:
        tree_shadow(painting, *tree)
    painting.apply_shadows()
    _vehicles(painting, roads, buildings)
    with painting.of(Ground.ROOF):
        for building in buildings:
            draw_roof(painting, building)
    with painting.of(Ground.TREE):
        for tree in trees:
            draw_tree(painting, *tree)
    _bridges(painting, roads)
    return Scene(painting.develop(), painting.ground, painting.things)


def _ground(painting: Painting, plan: Plan) -> list[Tree]:
    """Paint fields, the ground of each quarter and the parks; gives the trees of their hedges and edges."""
    rng, size = painting.rng, painting.size_m
    grid = np.linspace(-60, size + 60, 14)
    x, y = np.meshgrid(grid, grid)
    x, y = x + rng.normal(0, 22, x.shape), y + rng.normal(0, 22, y.shape)
    zones = [
        (shapely.union_all([r.line for r in plan.roads if r.form == form]).buffer(reach), colour, rough, lies)
        for form, reach, colour, rough, lies in ZONES
    ]
    estates = [shapely.Polygon(part.exterior) for zone, *_ in zones for part in shapely.get_parts(zone)]
    built = shapely.union_all([*estates, *(park.ground for park in plan.parks)])
    shapely.prepare(built)
    trees: list[Tree] = []
    for i in range(len(grid) - 1):
        for j in range(len(grid) - 1):
            corners = np.array(
                [(x[a, b], y[a, b]) for a, b in ((i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j))]
            )
            colour, drills, ground = CROPS[rng.integers(len(CROPS))]
            rows = (float(rng.uniform(0, 180)), drills) if drills else None
            with painting.of(ground):
                painting.fill(shapely.Polygon(corners), colour, rough=9, rows=rows)
            for edge in (corners[[0, 1]], corners[[0, 3]]):
                trees += [t for t in _hedge(edge, rng, 2.6) if not shapely.intersects_xy(built, *t[0])]
    for zone, colour, rough, ground in zones:
        with painting.of(ground):
            for part in shapely.get_parts(zone):
                painting.fill(shapely.Polygon(part.exterior), colour, rough=rough)
    for park in plan.parks:
        if park.paved:
            with painting.of(Ground.PAVEMENT):
                painting.fill(park.ground, STONE, rough=5)
        else:
            trees += _park_trees(painting, park.ground)
    for park in plan.parks:
        _park_furniture(painting, park)
    return trees


def _park_trees(painting: Painting, ground: shapely.Polygon) -> list[Tree]:
    """Mow a park, and plant trees on it: most of them near its edge."""
    rng = painting.rng
    with painting.of(Ground.GRASS):
        painting.fill(ground, GRASS, rough=7, rows=(90.0, 9.0))
    spots = rng.uniform(ground.bounds[:2], ground.bounds[2:], (int(ground.area / 900), 2))
    return [(spot, rng.uniform(2.5, 6)) for spot in spots if _near_edge(ground, spot) or rng.random() < 0.25]


def _near_edge(park: shapely.Polygon, spot: Floats) -> bool:
    return bool(shapely.Point(spot).distance(park.exterior) < 22)


def _park_furniture(painting: Painting, park: Park) -> None:
    """Draw the pond, paths and pitches of a park."""
    if park.pond is not None:
        centre, radius = park.pond
        with painting.of(Ground.WATER):
            painting.fill(shapely.Point(centre).buffer(radius), (62, 78, 82), rough=4)
    with painting.of(Ground.PAVEMENT):
        for path in park.paths:
            painting.stroke(smooth_line(path), 2.4, (176, 164, 140))
    for corner in park.pitches:
        outline = np.array([(0, 0), (62, 0), (62, 95), (0, 95), (0, 0)], dtype=float)
        painting.line(np.array(corner) + outline, 0.3, WHITE)
        painting.line(np.array(corner) + np.array([(0, 47.5), (62, 47.5)]), 0.3, WHITE)


def _hedge(edge: Floats, rng: np.random.Generator, step: float) -> list[Tree]:
    """Plant a hedge along a line: shrubs close together, a tree now and then, a gate."""
    length = float(np.hypot(*(edge[1] - edge[0])))
    shares = np.arange(0, length, step) / max(length, 1)
    gate = rng.uniform(0.2, 0.8)
    return [
        (
            edge[0] + share * (edge[1] - edge[0]) + rng.normal(0, 0.4, 2),
            rng.uniform(3, 5.5) if rng.random() < 0.05 else rng.uniform(1.0, 1.7),
        )
        for share in shares
        if abs(share - gate) * length > 4
    ]


def _planting(
    painting: Painting, roads: list[Road], buildings: list[Building], corridors: shapely.Geometry
) -> list[Tree]:
    """Plant hedges along lanes, avenues along distributors, and trees in gardens and verges."""
    trees = [
        tree
        for road in roads
        for side in (-1, 1)
        for avenue in AVENUES.get(road.form, ())
        for tree in _along(road, side, avenue, painting.rng)
    ]
    for building in buildings:
        if building.form in {"cul_de_sac", "rural_lane"}:
            trees += _garden_trees(building, painting.rng)
    shapely.prepare(corridors)
    footprints = shapely.union_all(shapely.polygons([b.corners for b in buildings]))
    shapely.prepare(footprints)
    spots = shapely.points([t[0] for t in trees])
    on_street = np.array([t[1] < 2.5 for t in trees])
    clear = ~shapely.intersects(footprints, spots) & (on_street | ~shapely.intersects(corridors, spots))
    clear &= ~shapely.intersects(shapely.buffer(corridors, -1.2), spots)
    return [tree for tree, ok in zip(trees, clear, strict=True) if ok]


def _along(road: Road, side: int, avenue: Avenue, rng: np.random.Generator) -> list[Tree]:
    """Plant trees along one side of a road."""
    starts = np.arange(avenue.step_m / 2, road.line.length, avenue.step_m)
    starts = starts[rng.random(len(starts)) < avenue.chance]
    points, tangents = _frames(road.line, starts)
    across = side * np.column_stack([-tangents[:, 1], tangents[:, 0]])
    offset = road.look.width_m / 2 + road.look.pavement_m + avenue.from_edge_m
    spots = points + across * (offset + rng.normal(0, 0.3, (len(starts), 1)))
    return [(spot, float(rng.uniform(*avenue.radius_m))) for spot in spots]


def _garden_trees(building: Building, rng: np.random.Generator) -> list[Tree]:
    """Plant one to three trees behind a house."""
    centre = building.corners.mean(axis=0)
    trees = []
    for _ in range(int(rng.integers(1, 4))):
        away, aside = rng.uniform(8, 16), rng.uniform(-8, 8)
        trees.append((centre + building.outward * away + building.along * aside, rng.uniform(1.5, 4.0)))
    return trees


def _frames(line: shapely.LineString, where: Floats) -> tuple[Floats, Floats]:
    """Points and unit tangents of a line at distances."""
    before, after = (
        shapely.get_coordinates(shapely.line_interpolate_point(line, np.clip(where + d, 0, line.length)))
        for d in (-0.5, 0.5)
    )
    step = after - before
    return (before + after) / 2, step / np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]


def _carriageways(painting: Painting, plan: Plan) -> None:
    """Draw pavements, then asphalt, then markings, so that roads flow into each other at junctions."""
    rng, roads = painting.rng, plan.roads
    bulbs = [
        shapely.get_coordinates(r.line.interpolate(1, normalized=True))[0]
        for r in roads
        if r.form == "cul_de_sac" and r.line.length < 150
    ]
    with painting.of(Ground.PAVEMENT):
        for road in roads:
            if road.look.pavement_m:
                stone = (160, 156, 148) if road.form == "high_street" else STONE
                painting.stroke(road.line, road.look.width_m + 2 * road.look.pavement_m, stone)
        for bulb in bulbs:
            painting.disc(bulb, 9.6, STONE)
    with painting.of(Ground.CARRIAGEWAY):
        for road in sorted(roads, key=lambda r: r.bridge):
            tone = int(rng.normal(92 if road.form != "rural_lane" else 104, 5))
            painting.stroke(road.line, road.look.width_m, (tone, tone, tone - 2))
            _wear(painting, road, tone)
        for bulb in bulbs:
            painting.disc(bulb, 8.0, (92, 92, 90))
    for road in roads:
        _markings(painting, road, plan.median)
    for centre, radius in plan.roundabouts:
        _island(painting, np.array(centre, dtype=float), radius)
    with painting.of(Ground.MARKING):
        for signal in plan.signals:
            _signals(painting, np.array(signal, dtype=float), roads)


def _wear(painting: Painting, road: Road, tone: int) -> None:
    """Draw wheel tracks and patches of repair."""
    rng = painting.rng
    for offset in (-0.3, 0.3):
        track = shapely.offset_curve(road.line, offset * road.look.width_m)
        if track.geom_type == "LineString" and not track.is_empty:
            painting.line(shapely.get_coordinates(track), 1.0, (tone - 7, tone - 7, tone - 8))
    spots = rng.uniform(0, road.line.length, int(road.line.length / 35))
    for point, along in zip(*_frames(road.line, spots), strict=True):
        across = np.array([-along[1], along[0]]) * rng.uniform(-0.3, 0.3) * road.look.width_m
        shade = tone + int(rng.integers(-16, 14))
        painting.polygon(
            box_points(point + across, along, rng.uniform(2, 9), rng.uniform(0.8, 2.4)), (shade, shade, shade)
        )


def _markings(painting: Painting, road: Road, median: shapely.Geometry) -> None:
    """Draw the lines of a road, short of its ends."""
    line = road.line
    if not road.look.marked or line.length < 30 or line.is_closed:
        return
    inner = shapely.LineString(shapely.get_coordinates(substring(line, 9, line.length - 9)))
    if road.form != "dual_carriageway":
        with painting.of(Ground.MARKING):
            painting.dashes(inner, *((4, 2) if road.form == "high_street" else (3, 6)), 0.25, WHITE)
        return
    with painting.of(Ground.MARKING):
        painting.dashes(inner, 6, 6, 0.25, WHITE)
        for side in (-1, 1):
            edge = shapely.offset_curve(inner, side * (road.look.width_m / 2 - 0.45))
            painting.line(shapely.get_coordinates(edge), 0.25, WHITE)
    barrier = shapely.offset_curve(line, _median_side(line, median) * CARRIAGEWAY_OFFSET_M)
    painting.line(shapely.get_coordinates(barrier), 0.5, (176, 178, 180))


def _median_side(line: shapely.LineString, median: shapely.Geometry) -> int:
    """Tell on which side of a carriageway its twin lies: towards the middle of both."""
    left, right = (
        shapely.offset_curve(line, side * CARRIAGEWAY_OFFSET_M).distance(median) for side in (1, -1)
    )
    return 1 if left < right else -1


def _island(painting: Painting, centre: Floats, radius: float) -> None:
    """Draw the island of a roundabout and the give-way lines around it."""
    with painting.of(Ground.PAVEMENT):
        painting.disc(centre, radius - 4.5, STONE)
    with painting.of(Ground.GRASS):
        painting.fill(shapely.Point(centre).buffer(radius - 5.5), (100, 126, 66), rough=8)
    with painting.of(Ground.TREE):
        painting.disc(centre, max(2.0, radius * 0.2), (70, 92, 50))
    side = (radius - 4.5) * np.sqrt(2)
    painting.things.append(Thing("island", centre, EAST, side, side))
    ring = shapely.LineString(shapely.Point(centre).buffer(radius + 4.6).exterior)
    with painting.of(Ground.MARKING):
        painting.dashes(ring, 1.2, 1.2, 0.35, WHITE)


def _signals(painting: Painting, centre: Floats, roads: list[Road]) -> None:
    """Draw a yellow box, and on each arm a stop line and a crossing."""
    box = shapely.box(-4.5, -4.5, 4.5, 4.5)
    for c in np.linspace(-7.5, 7.5, 9):
        for slope in (1, -1):
            hatch = box.intersection(shapely.LineString([(-9, slope * -9 + c), (9, slope * 9 + c)]))
            if hatch.length > 0:
                painting.line(centre + shapely.get_coordinates(hatch), 0.2, YELLOW)
    spot = shapely.Point(centre)
    for road in roads:
        if road.line.distance(spot) > 6:
            continue
        s = road.line.project(spot)
        for direction in (-1, 1):
            if not 14 < s + direction * 14 < road.line.length:
                continue
            (stop,), (along,) = _frames(road.line, np.array([s + direction * 12.5]))
            painting.polygon(box_points(stop, along, 0.6, road.look.width_m * 0.95), WHITE)
            (cross,), (along,) = _frames(road.line, np.array([s + direction * 9.2]))
            across = np.array([-along[1], along[0]])
            for lane in np.arange(-road.look.width_m / 2 + 0.6, road.look.width_m / 2, 1.2):
                painting.polygon(box_points(cross + across * lane, along, 3.0, 0.6), WHITE)
            painting.things.append(Thing("crossing", cross, along, 3.0, road.look.width_m))


def _vehicles(painting: Painting, roads: list[Road], buildings: list[Building]) -> None:
    """Park and drive vehicles as each form of road has them."""
    rng = painting.rng
    driving = {
        "dual_carriageway": 38.0,
        "high_street": 34.0,
        "distributor_road": 75.0,
        "industrial_road": 90.0,
        "rural_lane": 300.0,
        "terraced_street": 160.0,
        "cul_de_sac": 260.0,
    }
    for road in roads:
        spots = np.sort(
            rng.uniform(
                5, max(6, road.line.length - 5), rng.poisson(road.line.length / driving.get(road.form, 40.0))
            )
        )
        for point, along in zip(*_frames(road.line, spots), strict=True):
            lane = rng.choice([-0.25, 0.25]) * road.look.width_m
            lorry = rng.random() < (
                0.5 if road.form == "industrial_road" else 0.14 if road.look.marked else 0.03
            )
            across = np.array([-along[1], along[0]])
            draw_vehicle(painting, point + across * lane, along, lorry=bool(lorry), parked=False)
        _kerbside(painting, road)
    for building in buildings:
        _yard(painting, building)


def _kerbside(painting: Painting, road: Road) -> None:
    """Park cars along the kerbs."""
    rng = painting.rng
    chance = {
        "terraced_street": rng.uniform(0.5, 0.85),
        "high_street": 0.3,
        "cul_de_sac": 0.1,
        "industrial_road": 0.16,
    }.get(road.form, 0.0)
    spots = np.arange(12, road.line.length - 12, 5.6)
    for side in (-1, 1):
        for point, along in zip(*_frames(road.line, spots[rng.random(len(spots)) < chance]), strict=True):
            across = np.array([-along[1], along[0]]) * side * (road.look.width_m / 2 - 1.1)
            draw_vehicle(painting, point + across, along)


def _yard(painting: Painting, building: Building) -> None:
    """Park vehicles on drives and in yards."""
    rng, centre = painting.rng, building.corners.mean(axis=0)
    if building.form == "cul_de_sac" and rng.random() < 0.6:
        draw_vehicle(
            painting,
            centre - building.outward * (building.depth / 2 + 3.4) + building.along * rng.uniform(-1, 1),
            building.outward,
        )
    if building.form == "industrial_road":
        lorries = rng.random() < 0.5
        step = 4.2 if lorries else 2.6
        front = centre - building.outward * (building.depth / 2 + 7.5)
        for offset in np.arange(-building.length / 2 + 3, building.length / 2 - 3, step):
            if rng.random() < (0.4 if lorries else 0.7):
                draw_vehicle(painting, front + building.along * offset, building.outward, lorry=bool(lorries))


def _bridges(painting: Painting, roads: list[Road]) -> None:
    """Draw bridges again above the trees of what they cross, with parapets."""
    for road in roads:
        if road.bridge:
            with painting.of(Ground.PAVEMENT):
                painting.stroke(road.line, road.look.width_m + 1.2, (156, 154, 148))
            with painting.of(Ground.CARRIAGEWAY):
                painting.stroke(road.line, road.look.width_m, (94, 94, 92))
            with painting.of(Ground.MARKING):
                painting.dashes(road.line, 6, 6, 0.25, WHITE)
