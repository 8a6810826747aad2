"""The values that the roads of each flight have, measured on some of their tiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.config import Imagery, Tiles
from geo.errors import LayerError
from geo.imagery.band_set import BandSet
from geo.imagery.flights.tables import DTYPES, Counts, LookUp, count_values, look_up
from geo.imagery.reading.reader import TileImage, TileReader

MEASURED = 300
"""Tiles of each flight whose values are counted."""
LEAST = 20
"""From so many tiles on a flight has a distribution of its own; fewer tell what stands there, not its light."""

HALF = 0.5
"""Share of a tile with data from which on it counts."""


@dataclass(frozen=True, slots=True)
class Matched:
    """How flights are brought to one look.

    Attributes
    ----------
    tables
        Look-up table of each flight that has one.
    left_out
        Why each other flight has none, in words.
    """

    tables: Mapping[str, LookUp]
    left_out: Mapping[str, str]

    def of_images(self, flights: pd.Series[str]) -> list[LookUp | None]:
        """Give the table of each image by its flight; None: it stays as it is."""
        return [self.tables.get(flight) for flight in flights]


def match_flights(
    tiles: gpd.GeoDataFrame,
    images: gpd.GeoDataFrame,
    flights: pd.Series[str],
    imagery: Imagery,
    shape: Tiles,
) -> Matched:
    """Make the table of each flight that brings the values of its roads to those of all roads.

    Parameters
    ----------
    tiles
        Tiles of roads, as for `geo.imagery.reading.reader.TileReader.read`; of each flight at most `MEASURED` of those
        that it may show are read, in even steps of their ids.
    images
        The catalogue of the city's rasters, of one of `DTYPES`.
    flights
        Flight of each, on its index (`geo.imagery.flights.naming.flight_of`).
    imagery, shape
        The sections ``imagery`` and ``tiles`` of the city's file.

    Returns
    -------
    The tables. Flights count in what all are brought to by the tiles that they may show.

    Raises
    ------
    LayerError
        When values are of a type that has too many for a table.
    """
    found = sorted(set(images["dtype"]))
    if len(found) != 1 or found[0] not in DTYPES:
        raise LayerError(
            f"imagery.match: histogram needs values of one of {', '.join(DTYPES)}, and these are {', '.join(found)}",
            where="imagery.match",
            todo="Leave it out, or bring the rasters to 16 bit (gdal_translate -ot UInt16 -scale).",
        )
    counted: dict[str, Counts] = {}
    number: dict[str, float] = {}
    left_out: dict[str, str] = {}
    for flight, mine in images.groupby(flights.to_numpy(), sort=True):
        shown, many = _shown_by(tiles, mine)
        counts, seen = _count(shown, mine, imagery, shape)
        if seen < LEAST:
            left_out[flight] = f"{seen} tiles of roads are too few to tell its light (at least {LEAST})"
        elif (np.count_nonzero(counts, axis=1) < 2).any():
            left_out[flight] = "a band of it is of one value"
        else:
            counted[flight], number[flight] = counts, many * seen / len(shown)
    if len(counted) < 2:
        return Matched({}, left_out | dict.fromkeys(counted, "no other flight is there to bring it to"))
    wanted = sum(_shares(counts) * number[flight] for flight, counts in counted.items())
    tables = {flight: look_up(counts, np.asarray(wanted), found[0]) for flight, counts in counted.items()}
    return Matched(tables, left_out)


def _shown_by(tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, int]:
    """Take some of the tiles that images may show, to be read from these alone; and tell how many there are."""
    mine = set(images["image_id"])
    names = [[name for name in some if name in mine] for some in tiles["image_ids"]]
    shown = tiles.assign(image_ids=names)[np.array([len(some) > 0 for some in names], dtype=bool)]
    shown = shown.sort_values("tile_id")
    steps = np.unique(np.linspace(0, len(shown) - 1, min(len(shown), MEASURED)).astype(np.int64))
    return shown.iloc[steps], len(shown)


def _count(
    tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame, imagery: Imagery, shape: Tiles
) -> tuple[Counts, int]:
    """Count the values that images show on tiles, and the tiles that they show most of."""
    total: Counts = np.zeros((len(imagery.seen), 1), dtype=np.int64)
    seen = 0
    plain = Tiles(tile_m=shape.tile_m)
    with TileReader(images, imagery, plain, band_set=BandSet.seen(imagery, own_values=True)) as reader:
        for tile in reader.read(tiles):
            if isinstance(tile, TileImage) and tile.coverage >= HALF:
                total = total + count_values(tile.pixels, tile.valid)
                seen += 1
    return total, seen


def _shares(counts: Counts) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return shares
