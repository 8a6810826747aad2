"""How plans are drawn from centre lines: bent by a seed, carriageways set apart, rings cut out, closes led off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.demo.layout import CARRIAGEWAY_OFFSET_M, SIZE_M, Park, Plan, Point, Road, smooth_line

Floats = NDArray[np.float64]
Lines = NDArray[np.object_]
WAVES = 3
WAVE_M = (1300.0, 2200.0)
BEND_M = 8.0
"""A plan is bent by so many waves of these lengths, each of which shifts places by about as much (metres)."""
VERTEX_M = 8.0
"""Straight lines get points so far apart before they are bent: chords stay within a centimetre of curves (metres)."""
CLEAR_M = 23.0
"""A close stays as far from all other roads, so that houses stand between them (metres)."""
TREES = (
    "Alder",
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
    "Willow",
)
BIRDS = (
    "Avocet",
    "Bunting",
    "Curlew",
    "Dunlin",
    "Finch",
    "Goldcrest",
    "Heron",
    "Jay",
    "Kestrel",
    "Lapwing",
    "Merlin",
)
PEOPLE = ("Arkwright", "Boulton", "Brunel", "Faraday", "Newcomen", "Stephenson", "Telford", "Watt")


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan before it is bent: of a dual carriageway its middle, roads going through the centres of roundabouts."""

    roads: list[Road]
    roundabouts: tuple[tuple[Point, float], ...]
    signals: tuple[Point, ...] = ()
    parks: tuple[Park, ...] = ()


def numbered(names: Sequence[str], kind: str, number: int) -> str:
    """Give the name of one of many streets of a kind."""
    again = number // len(names)
    return f"{names[number % len(names)]} {kind}" + (f" {again + 1}" if again else "")


def fair_copy(draft: Draft, rng: np.random.Generator) -> Plan:
    """Bend a draft, turn it, set carriageways apart, and cut what lies in rings and beyond the town's edge."""
    bend = _bend(rng)
    lines = shapely.transform(
        shapely.segmentize(np.array([road.line for road in draft.roads], dtype=object), VERTEX_M), bend
    )
    centres = bend(np.array([centre for centre, _ in draft.roundabouts], dtype=np.float64).reshape(-1, 2))
    radii = np.array([radius for _, radius in draft.roundabouts])
    rings = shapely.buffer(shapely.points(centres), radii, quad_segs=8)
    dual = np.array([road.form == "dual_carriageway" for road in draft.roads])
    twice = np.concatenate([np.flatnonzero(~dual), np.repeat(np.flatnonzero(dual), 2)])
    side = np.concatenate([np.zeros((~dual).sum()), np.tile([1.0, -1.0], int(dual.sum()))])
    apart = np.where(side == 0, lines[twice], shapely.offset_curve(lines[twice], side * CARRIAGEWAY_OFFSET_M))
    town = shapely.box(0, 0, SIZE_M, SIZE_M)
    cut = shapely.intersection(shapely.difference(apart, shapely.union_all(rings)), town)
    parts, of = shapely.get_parts(shapely.line_merge(cut), return_index=True)
    kept = (shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING) & (shapely.length(parts) > 1)
    roads = [
        replace(draft.roads[twice[row]], line=line) for row, line in zip(of[kept], parts[kept], strict=True)
    ]
    roads += [
        Road(
            f"{numbered(TREES, 'Roundabout', number)}", None, "roundabout", shapely.LineString(ring.exterior)
        )
        for number, ring in enumerate(rings)
    ]
    return Plan(
        roads,
        tuple(((float(x), float(y)), radius) for (x, y), radius in zip(centres, radii.tolist(), strict=True)),
        tuple(
            (float(x), float(y)) for x, y in bend(np.array(draft.signals, dtype=np.float64).reshape(-1, 2))
        ),
        tuple(_moved(park, bend) for park in draft.parks),
        shapely.union_all(lines[dual]),
    )


def _bend(rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """Choose how a plan is bent, turned by right angles and mirrored; straight and parallel roads stay nearly so."""
    angle, length = rng.uniform(0, 2 * np.pi, WAVES), rng.uniform(*WAVE_M, WAVES)
    waves = 2 * np.pi / length * np.stack([np.cos(angle), np.sin(angle)])
    phase, shift = rng.uniform(0, 2 * np.pi, WAVES), rng.normal(0, BEND_M, (WAVES, 2))
    turn = np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), int(rng.integers(4)))
    turn = turn @ np.diag([rng.choice([-1, 1]), 1])

    def bend(xy: Floats) -> Floats:
        local = xy - SIZE_M / 2
        bent: Floats = (local + np.sin(local @ waves + phase) @ shift) @ turn.T + SIZE_M / 2
        return bent

    return bend


def _moved(park: Park, bend: Callable[[Floats], Floats]) -> Park:
    """Bend the outline of a park, and what is on it."""

    def at(points: Sequence[Point]) -> tuple[Point, ...]:
        return tuple((float(x), float(y)) for x, y in bend(np.array(points, dtype=np.float64).reshape(-1, 2)))

    return Park(
        shapely.transform(shapely.segmentize(park.ground, VERTEX_M), bend),
        park.paved,
        None if park.pond is None else (at([park.pond[0]])[0], park.pond[1]),
        tuple(at(path) for path in park.paths),
    )


def straight(*points: Point) -> shapely.LineString:
    """Draw a line from point to point."""
    return shapely.LineString(points)


def polar(centre: Point, radius_m: float | Floats, angle: float | Floats) -> Floats:
    """Give places at distances and angles (radians, anticlockwise from the east) from a centre, ``(n, 2)``."""
    radius_m, angle = np.broadcast_arrays(np.atleast_1d(radius_m), np.atleast_1d(angle))
    found: Floats = np.array(centre) + radius_m[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return found


def ring(centre: Point, radius_m: float, wobble_m: float, rng: np.random.Generator, at: Floats) -> Floats:
    """Choose the points of a closed way around a centre, one at each angle, ``(n, 2)``."""
    return polar(centre, radius_m + rng.normal(0, wobble_m, len(at)).clip(-2 * wobble_m, 2 * wobble_m), at)


def closed(points: Floats) -> shapely.LineString:
    """Draw a smooth closed line through points."""
    return smooth_line([(float(x), float(y)) for x, y in points], closed=True)


def smooth(points: Floats) -> shapely.LineString:
    """Draw a smooth line through points."""
    return smooth_line([(float(x), float(y)) for x, y in points])


def stretches(line: shapely.LineString, cuts: shapely.Geometry) -> list[shapely.LineString]:
    """Cut a line where others cross it."""
    parts: list[shapely.LineString] = np.asarray(shapely.get_parts(shapely.difference(line, cuts))).tolist()
    return parts


def quarter_of(line: shapely.LineString, centre: Point, angles: Floats) -> int:
    """Tell between which two angles (rising, less than a turn) the middle of a line lies as seen from a centre."""
    x, y = shapely.get_coordinates(line.interpolate(0.5, normalized=True))[0] - centre
    turned = np.mod(np.arctan2(y, x) - angles[0], 2 * np.pi)
    return int(np.searchsorted(angles - angles[0], turned, side="right")) - 1


def across(
    centre: Point,
    angles: tuple[float, float],
    count: int,
    inner: shapely.Polygon,
    outer: shapely.Polygon,
    rng: np.random.Generator,
) -> list[shapely.LineString]:
    """Draw straight streets between two angles, outwards from one way around a centre to the next."""
    share = (np.arange(count) + 0.5 + rng.uniform(-0.12, 0.12, count)) / count
    ends = polar(centre, 900.0, angles[0] + share * (angles[1] - angles[0]))
    spokes = shapely.linestrings(np.stack([np.broadcast_to(centre, ends.shape), ends], axis=1))
    between: Lines = np.asarray(shapely.intersection(shapely.difference(spokes, inner), outer))
    streets: list[shapely.LineString] = between.tolist()
    return streets


def all_across(
    centre: Point,
    angles: Floats,
    ways: Sequence[shapely.LineString],
    counts: Callable[[int], Sequence[int]],
    rng: np.random.Generator,
) -> list[shapely.LineString]:
    """Draw straight streets all around a centre: of each quarter so many from one way around it to the next."""
    discs = [shapely.Polygon(way) for way in ways]
    stops = np.append(angles[1:], angles[0] + 2 * np.pi)
    return [
        line
        for quarter, between in enumerate(zip(angles, stops, strict=True))
        for count, (inner, outer) in zip(counts(quarter), pairwise(discs), strict=True)
        if count
        for line in across(centre, between, count, inner, outer, rng)
    ]


def from_to(first: shapely.LineString, second: shapely.LineString, points: Floats) -> shapely.LineString:
    """Draw a smooth line through points, the ends of which are moved onto two roads."""
    ends = shapely.points(points[[0, -1]])
    roads = np.array([first, second])
    feet = shapely.line_interpolate_point(roads, shapely.line_locate_point(roads, ends))
    return smooth(
        np.vstack([shapely.get_coordinates(feet[0]), points[1:-1], shapely.get_coordinates(feet[1])])
    )


def led_off(
    spines: Sequence[shapely.LineString],
    others: Sequence[shapely.LineString],
    apart_m: float,
    rng: np.random.Generator,
) -> list[shapely.LineString]:
    """Lead closes off roads, on both sides, wherever there is room for them and the houses along them.

    Parameters
    ----------
    spines
        Roads that closes begin on.
    others
        Every road of the draft, the spines among them: closes stay `CLEAR_M` from all of it but where they begin.
    apart_m
        About how far it is from one close to the next on the same side (metres).
    """
    bases, side = _bases(spines, apart_m, rng)
    n = len(side)
    base, along = bases
    across = side[:, None] * np.column_stack([-along[:, 1], along[:, 0]])
    length, sway = rng.uniform(60, 125, n), rng.uniform(12, 26, n) * rng.choice([-1, 1], n)
    share = np.linspace(0, 1, 12)[None, :, None]
    lines = base[:, None] + across[:, None] * length[:, None, None] * share
    lines = lines + along[:, None] * sway[:, None, None] * share**2
    found = np.asarray(shapely.linestrings(lines))
    # the first stretch is near its own spine; what begins near a junction is no close
    tails = np.asarray(shapely.linestrings(lines[:, 4:]))
    known = shapely.STRtree(np.array(others, dtype=object))
    blocked = np.zeros(n, dtype=bool)
    blocked[known.query(tails, predicate="dwithin", distance=CLEAR_M)[0]] = True
    spots = np.asarray(shapely.points(base))
    touching, _ = known.query(spots, predicate="dwithin", distance=CLEAR_M + 7)
    blocked |= np.bincount(touching, minlength=n) > 1
    blocked |= ~shapely.within(tails, shapely.box(25.0, 25.0, SIZE_M - 25.0, SIZE_M - 25.0))
    tree = shapely.STRtree(found)
    first, second = tree.query(found, predicate="dwithin", distance=CLEAR_M + 4)
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        if i < j and not blocked[i]:
            blocked[j] = True
    return [line for line, lost in zip(found, blocked, strict=True) if not lost]


def _bases(
    spines: Sequence[shapely.LineString], apart_m: float, rng: np.random.Generator
) -> tuple[tuple[Floats, Floats], Floats]:
    """Choose where closes begin, ``(n, 2)``, with the direction of the road there, and on which side they go off."""
    lines: Lines = np.array(spines, dtype=object)
    length = shapely.length(lines)
    n = (length / apart_m * 2).astype(int)
    row = np.repeat(np.arange(len(lines)), n)
    number = np.arange(len(row)) - np.repeat(np.cumsum(n) - n, n)
    where = (number + rng.uniform(0.2, 0.8, len(row))) / n[row] * length[row]
    here, ahead = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines[row], where + step))
        for step in (0.0, 1.0)
    )
    step = ahead - here
    along = step / np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    return (here, along), np.where(number % 2, 1.0, -1.0)


def works(
    gate: Floats, outward: Floats, rng: np.random.Generator, first_m: float = 80.0
) -> list[shapely.LineString]:
    """Lay out streets between sheds: a way in from a gate, streets across it, and links between these."""
    outward = outward / np.hypot(*outward)
    across = np.array([-outward[1], outward[0]])
    bays = first_m + np.array([0.0, 120.0, 240.0]) + rng.uniform(-12, 12, 3)
    left, right = rng.uniform(170, 230, 2)

    def at(out_m: float, aside_m: float) -> Point:
        x, y = gate + outward * out_m + across * aside_m
        return float(x), float(y)

    return [
        straight(tuple(gate), at(bays[-1], 0)),
        *(straight(at(bay, -right), at(bay, left)) for bay in bays),
        straight(at(bays[0], left), at(bays[-1], left)),
        straight(at(bays[1], -right), at(bays[-1], -right)),
    ]
