"""Treatments of the demo town's worst segments, which did nothing: what a study of before and after should find."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.demo.collisions import LATERAL_M, REACH_M

SITES = 12
KINDS = ("speed humps", "zebra crossing")
CHOSEN_BY, FIRST, LAST = ("2019-01-01", "2021-03-31"), "2021-04-01", "2021-09-30"
"""Days whose collisions choose the sites, and when works begin."""
WORKS_DAYS = (20, 60)
EFFECT = 1.0
"""What treatments leave of collisions, in truth: all of them. So nothing else in the town hangs on them."""


def draw_treatments(segments: gpd.GeoDataFrame, collisions: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Treat the segments that had most collisions away from junctions, as towns do, to no effect.

    Sites chosen for many collisions have fewer afterwards, treated or not (regression to the mean: Hauer 1997,
    Observational Before-After Studies in Road Safety, chapter 11). So before against after alone shows a success that
    is none here.

    Parameters
    ----------
    segments
        The town's segments in truth (`geo.demo.collisions.Truth`), in metres.
    collisions
        Its collisions (`geo.demo.collisions.draw_collisions`), before dirt.
    seed
        Seed of the days of works.

    Returns
    -------
    ``treatment_id, kind, date, end, easting, northing`` of the middle of each site; and in truth ``segment_id`` and
    ``effect`` (collisions with the treatment over those without it).
    """
    rng = np.random.default_rng([seed, 5])
    own = segments[segments["counted_m"] > 2 * REACH_M].sort_values("segment_id", ignore_index=True)
    day = pd.to_datetime(collisions["date"], format="%d/%m/%Y")
    then = day.between(pd.Timestamp(CHOSEN_BY[0]), pd.Timestamp(CHOSEN_BY[1])).to_numpy()
    early = collisions[then & (collisions["junction_detail"] == 0).to_numpy()]
    places = shapely.points(
        early["location_easting_osgr"].to_numpy(dtype=np.float64),
        early["location_northing_osgr"].to_numpy(dtype=np.float64),
    )
    (_, mine) = shapely.STRtree(own.geometry.to_numpy()).query_nearest(
        places, max_distance=3 * LATERAL_M, all_matches=False
    )
    counts = np.bincount(mine, minlength=len(own))
    worst = own.iloc[np.argsort(-counts, kind="stable")[:SITES]]
    span = (pd.Timestamp(LAST) - pd.Timestamp(FIRST)).days
    began = pd.Timestamp(FIRST) + pd.to_timedelta(rng.integers(0, span, SITES), unit="D")
    ended = began + pd.to_timedelta(rng.integers(*WORKS_DAYS, SITES), unit="D")
    middle = shapely.get_coordinates(
        shapely.line_interpolate_point(worst.geometry.to_numpy(), 0.5, normalized=True)
    )
    return pd.DataFrame(
        {
            "treatment_id": [f"T{number:02d}" for number in range(1, SITES + 1)],
            "kind": np.resize(KINDS, SITES),
            "date": began.strftime("%Y-%m-%d"),
            "end": ended.strftime("%Y-%m-%d"),
            "easting": middle[:, 0].round(1),
            "northing": middle[:, 1].round(1),
            "segment_id": worst["segment_id"].to_numpy(),
            "effect": EFFECT,
        }
    )
