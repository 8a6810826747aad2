"""How wide the carriageway of each segment is, by what was seen on its cross sections."""

from __future__ import annotations

import numpy as np
import pandas as pd

LEAST_M = 10.0
"""A width needs both ends of the carriageway along so much of the line (metres)."""
FULL = 0.75
"""A carriageway is as wide as three quarters of its sections do not go beyond: parked cars and trees only take away.
Of each section both ends are taken together, since lines wander beside the middle of roads. On the demo town's true map
the mean error is 0.23 m, with its cars cut out 0.55 m, with lines that wander by 2 m 0.26 and 0.27 m; by the median of
each side apart it is 0.18, 1.21, 0.29 and 0.65 m (tests/unit/test_carriageways.py has the first two)."""
HALF = 0.5
"""A section on which less than this share of the width is seen hides the carriageway."""


def widths(seen: pd.DataFrame, *, apart_m: float) -> pd.DataFrame:
    """Measure segments by their sections.

    Parameters
    ----------
    seen
        A row a section: ``segment_id``, ``known``, ``found``, ``left_m``, ``right_m`` (metres from the line to the ends
        of the carriageway, null where an end is open or nothing was found; see `geo.ground.prompted.sections.Seen`) and
        ``iou`` of the mask.
    apart_m
        How far apart sections lie (metres).

    Returns
    -------
    By ``segment_id``: ``carriageway_width_m`` (see `FULL`), ``carriageway_width_sd_m``
    (standard deviation over sections with both ends), ``carriageway_hidden_share`` (of sections with imagery, those on
    which less than half of the width was found; where no width could be measured, those on which none was),
    ``carriageway_iou`` (mean of what the network predicts of its masks) and ``carriageway_seen_m`` (metres of the line
    with imagery). Null where fewer than `LEAST_M` metres tell.
    """
    rows = seen[seen["known"].to_numpy(dtype=bool)]
    groups = rows.groupby("segment_id", sort=True)
    each = rows["left_m"] + rows["right_m"]
    ends = each.groupby(rows["segment_id"])
    enough = ends.count() * apart_m >= LEAST_M
    width = ends.quantile(FULL).where(enough)
    middle = rows["segment_id"].map(width)
    # where an end is open there is carriageway up to it, and none is hidden
    hidden = ~rows["found"].to_numpy(dtype=bool) | (each < HALF * middle).to_numpy(dtype=bool)
    open_to_view = each.where(~hidden)
    found = pd.DataFrame(
        {
            "carriageway_width_m": width,
            "carriageway_width_sd_m": open_to_view.groupby(rows["segment_id"]).std().where(enough),
            "carriageway_hidden_share": pd.Series(hidden, index=rows.index)
            .groupby(rows["segment_id"])
            .mean(),
            "carriageway_iou": rows["iou"].where(rows["found"]).groupby(rows["segment_id"]).mean(),
            "carriageway_seen_m": groups.size() * apart_m,
        }
    )
    return found.astype(np.float64).rename_axis("segment_id").reset_index()
