"""Shares of classes of ground about roads and junctions, by bands of distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.ground.contract import UNKNOWN, Classes

BANDS_M: tuple[tuple[int, int], ...] = ((0, 6), (6, 15), (15, 30))
"""Of distance to a road's line or to a junction (metres): the carriageway of most, what lies beside it, and fronts."""
FARTHEST_M = BANDS_M[-1][1]
COUNTS = ("id", "band", "number", "places")

Shapes = NDArray[np.object_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Places:
    """The middles of the places of a map, row by row from the north-west.

    Attributes
    ----------
    x, y
        Its western and its northern edge (metres).
    rows, columns
        How many places it has.
    side_m
        Side of a place (metres).
    """

    x: float
    y: float
    rows: int
    columns: int
    side_m: float

    @property
    def box(self) -> shapely.Polygon:
        """The ground that it shows."""
        return shapely.box(
            self.x, self.y - self.rows * self.side_m, self.x + self.columns * self.side_m, self.y
        )

    def points(self) -> Shapes:
        """Lay the middles out as Points, row by row."""
        row, column = (axis.ravel() for axis in np.indices((self.rows, self.columns)))
        x, y = self.x + (column + 0.5) * self.side_m, self.y - (row + 0.5) * self.side_m
        return np.asarray(shapely.points(x, y))


@dataclass(frozen=True, slots=True)
class Near:
    """Places that lie near shapes: pairs of both.

    Attributes
    ----------
    place, shape
        Numbers of both, ``(pairs,)``.
    distance
        From the middle of the place (metres).
    """

    place: NDArray[np.int64]
    shape: NDArray[np.int64]
    distance: Floats

    def within(self, reach_m: float, places: int) -> NDArray[np.bool_]:
        """Tell which of so many places lie within reach of any shape."""
        found = np.zeros(places, dtype=np.bool_)
        found[self.place[self.distance <= reach_m]] = True
        return found


def find_near(places: Places, shapes: Shapes, reach_m: float) -> Near:
    """Find the places within reach of shapes (geometries in metres)."""
    about = np.flatnonzero(shapely.dwithin(shapes, places.box, reach_m))
    points = places.points()
    # those in the box about a shape first: of these alone the distance is measured, once
    bounds = shapely.bounds(shapes[about]) + np.array([-reach_m, -reach_m, reach_m, reach_m])
    at, place = shapely.STRtree(points).query(shapely.box(*bounds.T))
    distance = shapely.distance(points[place], shapes[about[at]])
    near = distance <= reach_m
    return Near(place[near], about[at[near]], distance[near])


def count_near(near: Near, classes: Classes, ids: NDArray[np.object_]) -> pd.DataFrame:
    """Count the places of each class in each band of distance of each shape.

    Parameters
    ----------
    near
        Places near shapes, see `find_near`, to `FARTHEST_M` at least.
    classes
        Number of the class of each place, ``(rows, columns)``; `UNKNOWN` where it is not known.
    ids
        Of the shapes.

    Returns
    -------
    ``id``, ``band`` (number of `BANDS_M`), ``number`` (of the class) and ``places``, sorted by these.
    """
    band = np.searchsorted([end for _, end in BANDS_M[:-1]], near.distance, side="right")
    inside = near.distance <= FARTHEST_M
    pairs = pd.DataFrame(
        {
            "id": near.shape[inside],
            "band": band[inside].astype(np.int64),
            "number": classes.ravel()[near.place[inside]].astype(np.int64),
        }
    )
    counts = pairs.groupby(["id", "band", "number"]).size().rename("places").reset_index()
    counts["id"] = ids[counts["id"].to_numpy()].astype(object)
    return counts.astype({"places": np.int64}).sort_values(list(COUNTS[:3]), ignore_index=True)


def count_unseen(ids: NDArray[np.object_], shapes: Shapes, grids: Sequence[Places]) -> pd.DataFrame:
    """Count the places about shapes on ground that was not read, see `count_near`: of all the class is not known."""
    boxes = np.array([grid.box for grid in grids], dtype=object)
    if not len(boxes) or not len(shapes):
        return pd.DataFrame({name: pd.Series(dtype=object if name == "id" else np.int64) for name in COUNTS})
    box, shape = shapely.STRtree(shapes).query(boxes, predicate="dwithin", distance=FARTHEST_M)
    found = []
    for at in np.unique(box):
        grid, mine = grids[at], shape[box == at]
        blank = np.full((grid.rows, grid.columns), UNKNOWN, dtype=np.uint8)
        found.append(count_near(find_near(grid, shapes[mine], FARTHEST_M), blank, ids[mine]))
    return pd.concat(found, ignore_index=True)


def lay_out(counts: pd.DataFrame, keys: Mapping[int, str], id_name: str) -> pd.DataFrame:
    """Turn counts into shares of the ground of each band.

    Parameters
    ----------
    counts
        See `count_near`; rows of one shape, band and class are added.
    keys
        What columns of each class are called by, by its number.
    id_name
        What the ids are called.

    Returns
    -------
    A row a shape of which any ground is known, sorted by id: ``ground_<key>_<from>_<to>m`` (0 to 1) of each class,
    ``ground_unknown_...``, which with these adds up to 1, and ``ground_known_...``, the rest of it. Where nothing of a
    band is known, the shares of classes are null.
    """
    columns = {
        f"ground_{key}_{low}_{high}m": (band, number)
        for number, key in keys.items()
        for band, (low, high) in enumerate(BANDS_M)
    }
    known_ids = counts.loc[(counts["number"] != UNKNOWN) & (counts["places"] > 0), "id"].unique()
    mine = counts[counts["id"].isin(known_ids)]
    sums = mine.pivot_table(
        index="id", columns=["band", "number"], values="places", aggfunc="sum", fill_value=0
    )
    sums = sums.sort_index()
    none = pd.Series(0, index=sums.index)
    found: dict[str, pd.Series] = {}
    for band, (low, high) in enumerate(BANDS_M):
        there = band in sums.columns.get_level_values(0)
        parts = pd.DataFrame(sums[band]) if there else pd.DataFrame(index=sums.index)
        total = pd.Series(parts.to_numpy().sum(axis=1).astype(np.float64), index=sums.index)
        known = total - parts.get(UNKNOWN, none)
        found[f"ground_known_{low}_{high}m"] = (known / total.where(total > 0)).fillna(0.0)
        found[f"ground_unknown_{low}_{high}m"] = 1.0 - found[f"ground_known_{low}_{high}m"]
        for number, key in keys.items():
            share = parts.get(number, none) / total.where(total > 0)
            found[f"ground_{key}_{low}_{high}m"] = share.where(known > 0).astype(np.float64)
    order = [
        *columns,
        *(f"ground_{what}_{low}_{high}m" for what in ("unknown", "known") for low, high in BANDS_M),
    ]
    table = pd.DataFrame(found, index=sums.index, columns=order)
    table.insert(0, id_name, table.index.astype("string"))
    return table.reset_index(drop=True)
