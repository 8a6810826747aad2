"""Types that are made of the edge of the imagery: tiles look alike by what they lack."""

from __future__ import annotations

import pandas as pd

WHOLE = 0.9
"""A segment whose tiles are covered by less than this is seen in part."""
MOSTLY = 0.5
"""A type of which so much of the length is seen in part is of the edge, where that is more than of other roads."""


def edge_warnings(table: pd.DataFrame) -> list[str]:
    """Warn of types that are of the edge of the imagery, and no kind of road.

    Parameters
    ----------
    table
        One row a segment with a fingerprint: ``cluster`` (null: none), ``length_m`` (metres) and ``coverage``, the mean
        share of its tiles that imagery shows.

    Examples
    --------
    >>> table = pd.DataFrame({"cluster": [1, 1, 2, 2], "length_m": 100.0, "coverage": [1.0, 0.95, 0.6, 0.55]})
    >>> edge_warnings(table)[0][:53]
    'type 2 is of the edge of the imagery: 100% of its len'
    """
    in_part = table["length_m"].where(table["coverage"] < WHOLE, 0.0)
    shares = in_part.groupby(table["cluster"]).sum() / table["length_m"].groupby(table["cluster"]).sum()
    of_all = in_part.sum() / table["length_m"].sum()
    return [
        f"type {cluster} is of the edge of the imagery: {share:.0%} of its length has tiles of which less than "
        f"{WHOLE:.0%} is shown ({of_all:.0%} of all roads): it may look alike by what is missing "
        "(see tiles.min_coverage)"
        for cluster, share in zip(shares.index.astype(int), shares, strict=True)
        if share >= MOSTLY and share >= 2 * of_all
    ]
