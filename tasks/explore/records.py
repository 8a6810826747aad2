"""Collisions on the page: where they are drawn, what is known of each, and how many a segment has of those meant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.collisions.assign import OUTCOMES
from geo.config import ROAD_USERS, SEVERITIES, Collisions
from geo.errors import LayerError
from geo.explore.vector_tiles import VectorTiles
from geo.outputs.harm import UNHURT, severity_of
from tasks.explore.network import DEGREES, PLACES
from tasks.explore.page import Page

PLACED = "matched"
UNKNOWN = "unknown"
"""What a severity is called that is not known."""


class Records:
    """The collisions of a page, by row.

    Parameters
    ----------
    page
        The page.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._collisions = page.collisions.assign(severity=severity_of(page.collisions))

    @cached_property
    def users(self) -> list[str]:
        """Road users that any record tells of; a user's place is its bit in the tiles' ``users``."""
        there = self._collisions
        return [user for user in ROAD_USERS if user in there and there[user].notna().any()]

    @cached_property
    def severities(self) -> list[str]:
        """Severities that occur, the gravest first; that nobody was hurt counts as one."""
        there = set(self._collisions["severity"].dropna())
        return [severity for severity in (*SEVERITIES, UNHURT) if severity in there]

    @cached_property
    def year(self) -> pd.Series:
        """The year of each; null: not known."""
        year: pd.Series = self._collisions["date"].dt.year.astype("Int64")
        told = self._collisions.get("source_year")
        return year if told is None else year.fillna(told.astype("Int64"))

    @cached_property
    def placed(self) -> pd.Series:
        """Whether each lies on a segment or a junction."""
        placed: pd.Series = self._collisions["snap_status"].eq(PLACED).fillna(value=False).astype(bool)
        return placed

    @cached_property
    def drawn(self) -> VectorTiles:
        """Their vector tiles: ``severity``, ``year``, ``users`` (bits), ``placed``; what is not known is left out."""
        said = self._collisions[self.users]
        bits = said.fillna(value=False).to_numpy(dtype=np.int64) @ (1 << np.arange(len(self.users)))
        users = pd.Series(bits, index=said.index, dtype="Int64").where(said.notna().any(axis=1))
        return VectorTiles(
            "collisions",
            self._collisions.geometry,
            {
                "severity": self._collisions["severity"],
                "year": self.year,
                "users": users,
                "placed": self.placed,
            },
        )

    @cached_property
    def untold(self) -> dict[str, Any]:
        """Of how many placed collisions severity, year and each road user are not known: no filter counts them."""
        there = self._collisions[self.placed]
        return {
            "severity": int(there["severity"].isna().sum()),
            "year": int(self.year[self.placed].isna().sum()),
            "users": {user: int(there[user].isna().sum()) for user in self.users},
        }

    def counts(
        self, users: Sequence[str], severities: Sequence[str], years: Sequence[int]
    ) -> NDArray[np.int64]:
        """Count the collisions on each segment that are meant.

        Parameters
        ----------
        users, severities, years
            What is meant; none: all. A collision with any of the users counts. What is not known of a collision is not
            what is meant.

        Returns
        -------
        One a segment, in row order. Collisions at junctions are on no segment.

        Raises
        ------
        LayerError
            When a user or severity is named that records do not tell of.
        """
        for what, asked, known in (
            ("users", users, self.users),
            ("severities", severities, [*self.severities, UNKNOWN]),
        ):
            strange = sorted(set(asked) - set(known))
            if strange:
                raise LayerError(
                    f"no record tells of {', '.join(map(repr, strange))}"[:200],
                    where=what,
                    todo=f"There are: {', '.join(known) or 'none'}.",
                )
        there, meant = self._collisions, self.placed & (self._on >= 0)
        if severities:
            meant &= there["severity"].fillna(UNKNOWN).isin(list(severities))
        if years:
            meant &= self.year.isin(list(years)).fillna(value=False).astype(bool)
        if users:
            meant &= there[list(users)].fillna(value=False).any(axis=1)
        return np.bincount(self._on[meant.to_numpy(dtype=bool)], minlength=len(self._page.segments))

    def on_segment(self, row: int) -> list[dict[str, Any]]:
        """Say what is known of the collisions on a segment."""
        order, on = self._by_segment
        begin, end = np.searchsorted(on, [row, row + 1])
        return [self.one(at) for at in order[begin:end].tolist()]

    def one(self, row: int) -> dict[str, Any]:
        """Say what is known of a collision.

        Returns
        -------
        ``collision`` (row), ``collision_id, date, time``, ``year`` (also where no day is told), ``severity,
        casualties``, ``users`` (names; null: not told), ``status``, ``why`` (why it was not placed; null: it was),
        ``segment`` (row) or ``junction`` (id), ``metres`` from the road, ``lon, lat``.

        Raises
        ------
        LayerError
            When there is none of that number.
        """
        record = self._page.collision(row)
        date, status = record["date"], str(record["snap_status"])
        told = [user for user in self.users if pd.notna(record[user])]
        place = self._lonlat.iloc[row]
        on = int(self._on[row])
        return {
            "collision": row,
            "collision_id": _known(record["collision_id"]),
            "date": None if pd.isna(date) else f"{date:%Y-%m-%d}",
            "time": None if pd.isna(date) or (date.hour, date.minute) == (0, 0) else f"{date:%H:%M}",
            "year": _known(self.year.iloc[row]),
            "severity": _known(self._collisions["severity"].iloc[row]),
            "casualties": _known(record["n_casualties"]),
            "users": [user for user in told if record[user]] if told else None,
            "status": status,
            "why": self._why(status),
            "segment": on if on >= 0 else None,
            "junction": _known(record["junction_id"]),
            "metres": _known(record["snap_distance_m"]),
            "lon": _known(place["lon"]),
            "lat": _known(place["lat"]),
        }

    def _why(self, status: str) -> str | None:
        """Say why a collision was not placed, with the limit that the run had."""
        if status == PLACED:
            return None
        _, reason = OUTCOMES.get(status, ("", status))
        written = (self._page.run.configuration.get("collisions") or {}).get("max_distance_m")
        limit = written if isinstance(written, int | float) else Collisions().max_distance_m
        return reason.replace("max_distance_m", f"{limit:g} m")

    @cached_property
    def _on(self) -> NDArray[np.int64]:
        """The row of the segment that each lies on; -1: it lies on none."""
        ids = pd.Index(self._page.segments["segment_id"].astype("string"))
        on = ids.get_indexer(self._collisions["segment_id"].astype("string"))
        return np.where(self._collisions["segment_id"].isna(), -1, on).astype(np.int64)

    @cached_property
    def _by_segment(self) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Rows of collisions in the order of their segments, and these."""
        order = np.argsort(self._on, kind="stable")
        return order, self._on[order]

    @cached_property
    def _lonlat(self) -> pd.DataFrame:
        places = self._collisions.geometry.to_crs(DEGREES)
        return pd.DataFrame({"lon": places.x.round(PLACES), "lat": places.y.round(PLACES)})


def records_of(page: Page) -> Records:
    """Give the collisions of a page."""
    return page.once("records", lambda: Records(page))


def _known(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """Give a value as JSON holds it; null: not known."""
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
