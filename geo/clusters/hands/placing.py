"""Where the segments lie that corrections tell of, in a run that may have cut its roads otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.clusters.found.numbers import NEAR_M
from geo.clusters.hands.corrections import COLUMNS, LIKE, UNLIKE, Correction

NO_SEGMENT = "its segment is not in this run, and it has no place"
NOT_HERE = f"its segment is not in this run, and no road lies within {NEAR_M:g} m of its place"


def as_table(corrections: Sequence[Correction]) -> pd.DataFrame:
    """Lay rows out as the layer ``corrections`` has them."""
    table = pd.DataFrame([one.said for one in corrections], columns=list(COLUMNS))
    degrees = [name for name in COLUMNS if name.endswith("itude")]
    return table.astype(dict.fromkeys(degrees, "float64") | {"collisions_in_view": "boolean"})


def placed(corrections: Sequence[Correction], roads: gpd.GeoDataFrame) -> pd.DataFrame:
    """Find the segments of this run that corrections tell of.

    Parameters
    ----------
    corrections
        As they were said. An id that this run does not have is looked up by the place that a row gives for it.
    roads
        ``segment_id`` and LineStrings of all segments of this run, in a projected CRS (metres).

    Returns
    -------
    One row a correction: ``segment`` and, of ``like`` and ``unlike``, ``other``: ids in this run (null: none); and
    ``why``, in words, where one is missing (else empty).
    """
    ids = set(roads["segment_id"])
    places = {
        one.segment_id: (one.longitude, one.latitude) for one in corrections if one.longitude is not None
    }
    places |= {
        one.value: (one.other_longitude, one.other_latitude)
        for one in corrections
        if one.says in {LIKE, UNLIKE} and one.other_longitude is not None and one.value not in places
    }
    nameless = [(one.longitude, one.latitude) for one in corrections if not one.segment_id]
    wanted = [*places.items(), *((place, place) for place in nameless)]
    lost = {name: place for name, place in wanted if name not in ids}
    near: dict[object, str | None] = {}
    near.update(zip(lost, _nearest(list(lost.values()), roads), strict=True))
    told = [_found(one, ids, near) for one in corrections]
    return pd.DataFrame(told, columns=["segment", "other", "why"], dtype=object)


def _found(
    one: Correction, ids: set[str], near: dict[object, str | None]
) -> tuple[str | None, str | None, str]:
    """Say which segments a correction tells of, and why not."""
    names: list[object] = [one.segment_id or (one.longitude, one.latitude)]
    names += [one.value] if one.says in {LIKE, UNLIKE} else []
    found = [name if name in ids else near.get(name) for name in names]
    lost = [name for name, here in zip(names, found, strict=True) if here is None]
    why = "" if not lost else NOT_HERE if lost[0] in near else NO_SEGMENT
    segment, other = (None if here is None else str(here) for here in [*found, None][:2])
    return segment, other, why


def _nearest(
    places: Sequence[tuple[float | None, float | None]], roads: gpd.GeoDataFrame
) -> list[str | None]:
    """Find the segment nearest to each place (degrees), within `NEAR_M`."""
    if not places or roads.empty:
        return [None] * len(places)
    degrees = np.array(places, dtype=np.float64)
    points = gpd.GeoSeries(gpd.points_from_xy(degrees[:, 0], degrees[:, 1]), crs="EPSG:4326").to_crs(
        roads.crs
    )
    mine, theirs = roads.sindex.nearest(points.to_numpy(), return_all=False, max_distance=NEAR_M)
    found: list[str | None] = [None] * len(places)
    ids = roads["segment_id"].to_numpy()
    for place, road in zip(mine.tolist(), theirs.tolist(), strict=True):
        found[place] = str(ids[road])
    return found
