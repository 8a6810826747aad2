"""Shares of vegetation about roads and junctions."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from geo.ground.contract import GroundClass
from geo.ground.shares import lay_out
from geo.ground.vegetation.ndvi import BARE, GREEN

CLASSES = (
    GroundClass(BARE, "bare", "no vegetation", "#C8BEB4", "ndvi"),
    GroundClass(GREEN, "vegetation", "vegetation", "#3C8C3C", "ndvi"),
)
_OURS = "ground_"


def shares_of(counts: Sequence[pd.DataFrame], id_name: str) -> pd.DataFrame:
    """Add counts up to shares of vegetation.

    Parameters
    ----------
    counts
        See `geo.ground.shares.count_near`; of all chips, those that were not seen among them.
    id_name
        What the ids are called.

    Returns
    -------
    ``vegetation_<from>_<to>m``, of all ground of that band whether it is known or not, null where none is; and
    ``vegetation_known_...``, the share of it that is known.
    """
    table = lay_out(
        pd.concat(list(counts), ignore_index=True), {one.number: one.key for one in CLASSES}, id_name
    )
    names = [str(name) for name in table]
    named = {name: name.replace(_OURS, "", 1) for name in names if "_vegetation_" in name}
    named |= {name: name.replace(_OURS, "vegetation_", 1) for name in names if "_known_" in name}
    return table.rename(columns=named)[[id_name, *named.values()]]
