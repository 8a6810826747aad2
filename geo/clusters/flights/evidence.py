"""The evidence on flights in one piece: in figures, and in words for the end of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geo.clusters.flights.following import Following, follow
from geo.clusters.flights.likeness import LEAST, Alike, alike
from geo.clusters.space import Points


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run says of its flights.

    Attributes
    ----------
    flights
        One row a flight, by name: ``flight``, ``segments`` and ``length_km``.
    following
        How far types follow the flight (`geo.clusters.flights.following`).
    alike
        How alike roads of one class are from flight to flight (`geo.clusters.flights.likeness`); None: it cannot be
        told.
    """

    flights: pd.DataFrame
    following: Following
    alike: Alike | None

    def figures(self) -> dict[str, float | None]:
        """Give the figures, null where there is none."""
        found = {
            "nmi": self.following.nmi,
            "nmi_by_chance": self.following.chance,
            "nmi_by_chance_high": self.following.chance_high,
            "p_value": self.following.p_value,
            **measures(self.alike),
        }
        return {
            name: None if value is None or np.isnan(value) else float(value) for name, value in found.items()
        }

    def notes(self) -> list[str]:
        """Say what the figures say, a sentence each; nothing of one flight."""
        if len(self.flights) < 2:
            return []
        found = self.figures()
        told = [_said_of_types(found)]
        if found["transfer"] is None:
            told.append(
                "whether roads of one class look alike from flight to flight cannot be told: no two classes have "
                f"{LEAST} segments each in two flights"
            )
        else:
            told.append(_said_of_classes(found))
        return told

    def warnings(self) -> list[str]:
        """Name the types that are of one flight."""
        if len(self.flights) < 2:
            return []
        return [
            f"type {row['cluster']} is of one flight: {row['top_flight_share']:.0%} of its length is of "
            f"{row['top_flight']!r}; it may be a look of the imagery, or of that part of town, and no kind of road "
            "(see imagery.match)"
            for row in self.following.of_one_flight.to_dict("records")
        ]


def measures(found: Alike | None) -> dict[str, float | None]:
    """Give the figures of likeness from flight to flight, null where it could not be told."""
    names: Mapping[str, Any] = {
        "mixing": "mixing",
        "transfer": "transfer",
        "transfer_within": "within",
        "transfer_by_chance": "chance",
    }
    return {name: None if found is None else getattr(found, its) for name, its in names.items()}


def by_segment(tiles: pd.DataFrame, flights: Mapping[str, str]) -> pd.Series[str]:
    """Tell which flight shows most of each segment.

    Parameters
    ----------
    tiles
        Encoded tiles: ``segment_id``, ``image_id`` (joined by ``;``, the one with most of the tile first) and
        ``coverage`` (0 to 1).
    flights
        Flight of each image.

    Returns
    -------
    By ``segment_id``, sorted; of flights with equal parts the first by name.

    Examples
    --------
    >>> tiles = pd.DataFrame({"segment_id": ["s", "s", "s"], "image_id": ["a", "b;a", "b"], "coverage": 1.0})
    >>> by_segment(tiles, {"a": "2020", "b": "2021"}).to_dict()
    {'s': '2021'}
    """
    flight = tiles["image_id"].str.partition(";")[0].map(dict(flights))
    parts = tiles.assign(flight=flight).groupby(["segment_id", "flight"])["coverage"].sum().reset_index()
    parts = parts.sort_values(["segment_id", "coverage", "flight"], ascending=[True, False, True])
    return parts.drop_duplicates("segment_id").set_index("segment_id")["flight"]


def gather_evidence(roads: pd.DataFrame, points: Points, *, seed: int) -> Evidence:
    """Gather what is known of flights, or of any other groups of segments, such as cities.

    Parameters
    ----------
    roads
        One row a segment: ``flight``, ``cluster``, ``road_class`` (null: not known), ``length_m``, and its middle ``x``
        and ``y`` (metres).
    points
        The segments in the space of types, ``(n, components)``, in the same order (`geo.clusters.space.to_space`).
    seed
        Seed of shuffles and draws.
    """
    by_flight = roads.groupby("flight", sort=True)["length_m"].agg(["size", "sum"])
    flights = pd.DataFrame(
        {
            "flight": by_flight.index.astype("str"),
            "segments": by_flight["size"].to_numpy(dtype=np.int64),
            "length_km": by_flight["sum"].to_numpy(dtype=np.float64) / 1000,
        }
    )
    several = len(flights) > 1
    return Evidence(flights, follow(roads, seed=seed), alike(points, roads) if several else None)


def _said_of_types(found: Mapping[str, float | None]) -> str:
    nmi, chance, high = (found[name] or 0.0 for name in ("nmi", "nmi_by_chance", "nmi_by_chance_high"))
    more = "more than chance" if nmi > high else "no more than chance"
    return (
        f"type and flight share {nmi:.2f} of their information (0 none, 1 all), {more} within road class "
        f"({chance:.2f}, up to {high:.2f}); flights are places too, so a part of it is the town's"
    )


def _said_of_classes(found: Mapping[str, float | None]) -> str:
    mixing, across, within, chance = (
        found[name] for name in ("mixing", "transfer", "transfer_within", "transfer_by_chance")
    )
    inside = "" if within is None else f", {within:.2f} within one"
    mixed = (
        ""
        if mixing is None
        else f"; of neighbours of one class {mixing:.2f} of what chance gives are of others"
    )
    return (
        f"roads tell the road class of those in other flights with a recall of {across:.2f}{inside} "
        f"({chance:.2f} by chance){mixed}"
    )
