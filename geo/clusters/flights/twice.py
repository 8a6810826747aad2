"""Ground that two flights show: how they differ there is what a flight is, and no road."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.clusters.whitening.scatter import Scatter

MOST = 200
"""Tiles shown twice that are encoded once more for each flight."""
LEAST = 20
"""From so many on they tell how flights differ."""


def shown_twice(tiles: gpd.GeoDataFrame, flights: dict[str, str]) -> pd.DataFrame:
    """Choose tiles that several flights may show, at most `MOST`, in even steps of their ids.

    Parameters
    ----------
    tiles
        ``tile_id`` and ``image_ids``, the image that is seen first.
    flights
        Flight of each image.

    Returns
    -------
    On the index of `tiles`: ``first`` and ``second``, lists of the images of the flight that is seen and of the one
    after it.

    Examples
    --------
    >>> tiles = gpd.GeoDataFrame({"tile_id": ["s", "t"], "image_ids": [["a", "b", "c"], ["a"]]})
    >>> shown_twice(tiles, {"a": "2020", "b": "2021", "c": "2020"}).values.tolist()
    [[['a', 'c'], ['b']]]
    """
    pairs = tiles[["tile_id", "image_ids"]].explode("image_ids")
    pairs["flight"] = pairs["image_ids"].map(flights)
    pairs["row"] = pairs.index
    once = pairs.drop_duplicates(["row", "flight"])
    once = once.assign(place=once.groupby("row").cumcount())
    placed = pairs.merge(once[["row", "flight", "place"]], on=["row", "flight"])
    both = pd.DataFrame(
        {
            name: placed[placed["place"] == place].groupby("row")["image_ids"].agg(list)
            for place, name in enumerate(("first", "second"))
        }
    ).dropna()
    ordered = both.loc[tiles.loc[both.index, "tile_id"].sort_values().index]
    steps = np.unique(np.linspace(0, max(len(ordered) - 1, 0), min(len(ordered), MOST)).astype(np.int64))
    found: pd.DataFrame = ordered.iloc[steps[: len(ordered)]]
    return found


def in_equal_parts(turns: Scatter, flights: Scatter) -> Scatter:
    """Pool what turns change with what flights change, each with the same weight, however many were looked at.

    Parameters
    ----------
    turns, flights
        Scatter of the quarter turns of tiles, and of tiles that two flights show.
    """
    if not turns.n or not flights.n:
        return turns + flights
    return turns + Scatter(flights.matrix * (turns.n / flights.n), turns.n)
