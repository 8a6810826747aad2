"""The high-injury network: windows that slide along roads, scored by the collisions in them and their severity."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.config import SEVERITIES, Severity
from geo.roads.lines import Floats, Integers, measure, stretches
from geo.roads.routes import Routes

UNHURT = "unhurt"
KINDS = (*SEVERITIES, UNHURT, "unknown")
_MM = 1000


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows along routes, and the cells that their limits and the ends of segments cut the network into.

    Routes lie one after another on one axis of whole millimetres, so that nothing is lost or counted twice by rounding.

    Attributes
    ----------
    routes
        Roads as chains of segments, along which the windows lie.
    base
        Where each route begins on the axis (millimetres).
    route
        Number of the route that each window lies on; windows are sorted by it.
    start, end
        Limits of each window on the axis (millimetres).
    limits
        Limits of the cells on the axis (millimetres): one more than there are cells.
    row
        Row in the graph of the segment that each cell is part of.
    divisor_km
        Kilometres that each window's score is divided by: its length, or that of the shortest window that is taken at
        its word.
    window_m
        Length of a window on a route that is long enough (metres).
    """

    routes: Routes
    base: Integers
    route: Integers
    start: Integers
    end: Integers
    limits: Integers
    row: Integers
    divisor_km: Floats
    window_m: float

    @property
    def cell_m(self) -> Floats:
        """Length of each cell (metres)."""
        length: Floats = np.diff(self.limits) / _MM
        return length

    def total(self, cells: Floats) -> Floats:
        """Add up over each window what lies in cells: ``(cells, ...)`` to ``(windows, ...)``."""
        running = np.concatenate([np.zeros((1, *cells.shape[1:])), np.cumsum(cells, axis=0)])
        first, last = (np.searchsorted(self.limits, each) for each in (self.start, self.end))
        found: Floats = running[last] - running[first]
        return found

    def best(self, score: Floats) -> Floats:
        """Give each cell the greatest score of the windows that cover it."""
        first = np.searchsorted(self.end, self.limits[1:], side="left")
        last = np.searchsorted(self.start, self.limits[:-1], side="right")
        bounds = np.column_stack([first, last]).ravel()
        found: Floats = np.maximum.reduceat(np.append(score, -np.inf), bounds)[::2]
        return found


def lay_windows(routes: Routes, window_m: float, step_m: float, min_window_m: float) -> Windows:
    """Lay windows along routes.

    From the start of each route in steps, with a last one that ends where the route ends; a route shorter than a window
    is one window of its own length.

    Parameters
    ----------
    routes
        Roads as chains of segments (`geo.roads.routes.chain`).
    window_m
        Length of a window (metres).
    step_m
        Distance from the start of one window to that of the next (metres).
    min_window_m
        A route that is shorter is scored as if it were this long (metres), at most `window_m`: one collision on a dead
        end of 20 m would lead any list.
    """
    table = routes.table
    ends = np.round((table["from_m"].to_numpy() + routes.graph.length_m[table["row"]]) * _MM).astype(np.int64)
    total = np.zeros(len(routes.route_id), dtype=np.int64)
    np.maximum.at(total, table["route"], ends)
    base = np.cumsum(total) - total
    window, step = round(window_m * _MM), round(step_m * _MM)
    spare = np.maximum(total - window, 0)
    count = 1 + -(-spare // step)
    route = np.repeat(np.arange(len(total)), count)
    number = np.arange(len(route)) - np.repeat(np.cumsum(count) - count, count)
    offset = np.minimum(number * step, spare[route])
    start = base[route] + offset
    end = start + np.minimum(window, total[route])
    of_segments = base[table["route"]] + ends
    limits = np.unique(np.concatenate([[0], start, end, of_segments]))
    row = table["row"].to_numpy(dtype=np.int64)[np.searchsorted(of_segments, limits[1:], side="left")]
    divisor = np.maximum(end - start, round(min(min_window_m, window_m) * _MM)) / (1000 * _MM)
    return Windows(routes, base, route, start, end, limits, row, divisor, window_m)


def cell_of(windows: Windows, located: pd.DataFrame) -> Integers:
    """Find the cell in which each row of `geo.roads.routes.locate` lies; an end of a segment is within it."""
    table = windows.routes.table
    ends = np.round((table["from_m"] + windows.routes.graph.length_m[table["row"]]) * _MM).astype(np.int64)
    begins = np.round(table["from_m"] * _MM).astype(np.int64)
    by_row = pd.DataFrame({"begin": begins, "end": ends}).set_axis(table["row"]).loc[located["row"]]
    at = np.round(located["at_m"].to_numpy() * _MM).astype(np.int64)
    at = np.clip(at, by_row["begin"].to_numpy(), by_row["end"].to_numpy() - 1)
    where = windows.base[located["route"].to_numpy(dtype=np.int64)] + at
    cell: Integers = np.searchsorted(windows.limits, where, side="right") - 1
    return cell


def harm_of(records: pd.DataFrame) -> pd.Series:
    """Give the severity of records, `UNHURT` where it is known that nobody was hurt; null: not told.

    Parameters
    ----------
    records
        ``severity``, and perhaps ``severity_known`` (without it, a severity is known where there is one).
    """
    severity = records["severity"].astype(object)
    if "severity_known" not in records:
        return severity
    return severity.mask(severity.isna() & records["severity_known"].astype(bool), UNHURT)


def kinds_of(severity: pd.Series) -> Integers:
    """Give severities (`harm_of`) their number in `KINDS`; what is not told is the last."""
    told = severity.astype(object).where(severity.notna(), "unknown")
    found = pd.Index(KINDS).get_indexer(pd.Index(told))
    return np.where(found < 0, len(KINDS) - 1, found).astype(np.int64)


def count_in_cells(
    windows: Windows, cell: Integers, kind: Integers, share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Count collisions by cell and kind, ``(cells, kinds)``."""
    cells = len(windows.limits) - 1
    flat = np.bincount(cell * len(KINDS) + kind, weights=share, minlength=cells * len(KINDS))
    return flat.reshape(cells, len(KINDS)).astype(np.float64)


def window_scores(windows: Windows, counts: Floats, weights: Mapping[str, float]) -> Floats:
    """Score windows: weighted collisions per kilometre, of at least the shortest length that is taken at its word."""
    weight = np.array([weights[kind] for kind in KINDS])
    # rounded, so that windows with the same collisions have the same score
    found: Floats = np.round((windows.total(counts) @ weight) / windows.divisor_km, 6)
    return found


def threshold_score(best: Floats, outcome: Floats, share: float) -> float | None:
    """Find the least score of a window in the high-injury network.

    Parameters
    ----------
    best
        Greatest score of the windows that cover each cell (`Windows.best`).
    outcome
        Collisions in each cell, of which the network is to hold a share.
    share
        Share of the collisions that the network is to hold (0 to 1).

    Returns
    -------
    The greatest score at which the windows with it or a greater one hold `share` of the outcome, or the least above 0
    where all with a score hold less: where nothing counts nothing is chosen. None without any.
    """
    if outcome.sum() <= 0 or best.max() <= 0:
        return None
    scores, group = np.unique(-best, return_inverse=True)
    held = np.cumsum(np.bincount(group, weights=outcome)) / outcome.sum()
    enough = int(np.argmax(held >= share - 1e-9))
    return float(-scores[min(enough, int((scores < 0).sum()) - 1)])


def window_layer(
    windows: Windows,
    counts: Floats,
    weights: Mapping[str, float],
    severities: Collection[Severity],
    threshold: float | None,
    crs: object = None,
    untold: Floats | None = None,
) -> gpd.GeoDataFrame:
    """Lay out the windows.

    Parameters
    ----------
    windows
        Windows along the network (`lay_windows`).
    counts
        Collisions by cell and kind of severity, ``(cells, kinds)`` (`count_in_cells`).
    weights
        What a collision counts for, by its kind of severity (`KINDS`).
    severities
        Severities that the source can tell apart: counts of others are null.
    threshold
        Least score of a window in the high-injury network (`threshold_score`); None: there is no such network.
    crs
        CRS of the network's lines.
    untold
        Collisions of unknown severity by cell, ``(cells,)``; None: none are.

    Returns
    -------
    One row a window, by route and along it: ``window_id, route_id, name, ref, road_class, from_m, to_m, length_m,
    short_route`` (the route is shorter than a window), ``n_collisions, n_fatal, n_serious, n_slight, n_ksi`` (not whole
    where collisions at junctions are shared out; null where no collision in it tells its severity),
    ``n_severity_unknown``, ``score_per_km``, ``rank`` (1 is the worst; equal scores, equal rank;
    null without a collision), ``in_high_injury_network`` (null where none can be told), LineString. Windows overlap:
    their counts do not add up to the city's.
    """
    routes = windows.routes
    begin, end = windows.start - windows.base[windows.route], windows.end - windows.base[windows.route]
    held = windows.total(counts)
    found = window_scores(windows, counts, weights)
    table = pd.DataFrame(
        {
            "window_id": _number(routes.route_id[windows.route]),
            "route_id": routes.route_id[windows.route],
            "name": routes.road["name"].to_numpy()[windows.route],
            "ref": routes.road["ref"].to_numpy()[windows.route],
            "road_class": routes.road["road_class"].to_numpy()[windows.route],
            "from_m": begin / _MM,
            "to_m": end / _MM,
            "length_m": (end - begin) / _MM,
            "short_route": end - begin < round(windows.window_m * _MM),
            "n_collisions": np.round(held.sum(axis=1), 6),
        }
    )
    unknown = np.round(windows.total(np.zeros(len(counts)) if untold is None else untold), 6)
    silent = (table["n_collisions"] > 0) & (unknown >= table["n_collisions"])
    for number, kind in enumerate(KINDS[:3]):
        told = table["n_collisions"].notna() & ~silent & (kind in severities)
        table[f"n_{kind}"] = pd.Series(np.round(held[:, number], 6)).where(told)
    table["n_ksi"] = table["n_fatal"] + table["n_serious"]
    table["n_severity_unknown"] = unknown if {"fatal", "serious"} <= set(severities) else np.nan
    table["score_per_km"] = found
    rank = table["score_per_km"].where(table["n_collisions"] > 0).rank(method="min", ascending=False)
    table["rank"] = rank.astype("Int64")
    inside = pd.array(found >= threshold if threshold is not None else [None] * len(found), "boolean")
    table["in_high_injury_network"] = inside
    lines = stretches(route_lines(routes), windows.route, begin / _MM, end / _MM)
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(lines, crs=crs))


def _number(route_id: NDArray[np.object_]) -> pd.Series:
    """Name windows by their route and their place on it: two may begin within a metre."""
    routes = pd.Series(route_id, dtype=object)
    return routes + "-" + (routes.groupby(routes).cumcount() + 1).astype(str)


def route_lines(routes: Routes) -> tuple[Floats, Integers, Floats]:
    """List the points of routes, their route, and how far along it they are; a roundabout's crossing has no length."""
    table = routes.table
    lines = routes.graph.lines[table["row"]]
    lines = np.where(table["turned"], shapely.reverse(lines), lines)
    points, piece, along = measure(lines)
    # the table's lengths, which a rounding of coordinates may have moved from the lines' own
    drawn = np.bincount(piece, minlength=len(lines)) - 1
    own = along[np.cumsum(drawn + 1) - 1]
    along *= (routes.graph.length_m[table["row"]] / own)[piece]
    return points, table["route"].to_numpy(dtype=np.int64)[piece], along + table["from_m"].to_numpy()[piece]
