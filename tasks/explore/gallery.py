"""The tiles of a run as the gallery of its page shows them."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from geo.clusters.space import Points
from geo.errors import RoadprintError
from tasks.explore.order import Floats, Rows, Sort, likeness_of_tiles, order_tiles, shown
from tasks.explore.page import Page

DEGREES = 4326
PLACES = 4
"""Decimals of margins and cosines."""


class Gallery:
    """Tiles in an order, and what is known of one.

    Parameters
    ----------
    page
        The page.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._lock = threading.Lock()

    def tiles(
        self, *, sort: Sort, kind: int | None, like: int | None, segment: int | None, last_first: bool
    ) -> dict[str, Any]:
        """Give tiles in an order.

        Parameters
        ----------
        sort, kind, last_first
            See `tasks.explore.order.order_tiles`.
        like
            Row of a tile that others are compared with; None: with the middle of what is asked for.
        segment
            Row of a segment whose tiles alone are asked for.

        Returns
        -------
        ``tiles`` and ``segments`` (rows), ``values`` (what they are ordered by, null where not known; null as a whole
        in the order of streets), ``unseen`` (how many show nothing), and ``note`` (what could not be done).

        Raises
        ------
        LayerError
            When there is no such tile or segment.
        """
        page = self._page
        if like is not None:
            page.tile(like)
        if segment is not None:
            page.segment(segment)
        order: dict[str, Any] = {"kind": kind, "only": segment, "last_first": last_first}
        likeness, note = None, ""
        if sort == "likeness":
            asked = order_tiles(page.tiles, page.segments, sort="street", kind=kind, only=segment)
            likeness, note = self._likeness(like, asked.tiles)
        found = order_tiles(page.tiles, page.segments, sort=sort, likeness=likeness, **order)
        return {
            "tiles": found.tiles.tolist(),
            "segments": found.segments.tolist(),
            "values": None if found.by is None else _known(found.by),
            "unseen": found.unseen,
            "note": note,
        }

    def tile(self, row: int) -> dict[str, Any]:
        """Say what is known of a tile.

        Raises
        ------
        LayerError
            When there is no such tile.
        """
        tile = self._page.tile(row)
        place = self._page.tiles.iloc[[row]].to_crs(DEGREES).geometry.iloc[0]
        of = int(self._of[row])
        known = self._page.segments.iloc[of] if of >= 0 else pd.Series(dtype=object)
        return {
            "tile_id": str(tile["tile_id"]),
            "segment": of if of >= 0 else None,
            "name": _text(known.get("name")),
            "type": _whole(known.get("cluster")),
            "margin": _number(known.get("cluster_margin")),
            "lon": place.centroid.x,
            "lat": place.centroid.y,
            "square": [list(point) for point in place.exterior.coords],
        }

    def _likeness(self, like: int | None, asked: Rows) -> tuple[Floats | None, str]:
        """Compare all tiles with one, or with the middle of those asked for; and say what could not be done."""
        try:
            with self._lock:
                points, of = self._points
        except RoadprintError as error:
            return None, f"How alike tiles are is not known: {error.what}. {error.todo}"
        found = likeness_of_tiles(points, of, asked if like is None else np.array([like]))
        none = like is not None and bool(np.isnan(found).all())
        return found, "The tile that others are compared with has no fingerprint." if none else ""

    @cached_property
    def _points(self) -> tuple[Points, Rows]:
        """Where tiles lie in the space of types, and the row there of each; without their own, those of segments."""
        tiles, looks = self._page.tiles, self._page.run.looks
        if looks.seen is not None:
            everyone = looks.seen.everyone()
            points = np.asarray(everyone.points, dtype=np.float64)
            return points, _rows_in(everyone.tiles["tile_id"], tiles["tile_id"])
        of = _rows_in(looks.segments["segment_id"], tiles["segment_id"])
        return looks.points.astype(np.float64), np.where(shown(tiles), of, -1).astype(np.int64)

    @cached_property
    def _of(self) -> Rows:
        """Row of the segment that each tile lies on, -1 where there is none."""
        return _rows_in(self._page.segments["segment_id"], self._page.tiles["segment_id"])


def _rows_in(ids: pd.Series[str], wanted: pd.Series[str]) -> Rows:
    found: Rows = pd.Index(ids.astype(str)).get_indexer(pd.Index(wanted.astype(str))).astype(np.int64)
    return found


def _known(values: Floats) -> list[float | None]:
    """Give numbers as JSON has them: null where they are not known."""
    return [round(float(value), PLACES) if np.isfinite(value) else None for value in values]


def _number(value: object) -> float | None:
    return round(float(value), PLACES) if isinstance(value, int | float) and np.isfinite(value) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float | np.integer) and np.isfinite(value) else None
