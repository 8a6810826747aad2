"""What is known of a junction from the roads that meet at it: their classes, and the traffic that enters by them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.roads.importance import importance
from geo.safety.places import type_of

MAIN_ARMS = 2
"""The road with most traffic has so many arms; the next arm is of the other road."""


def known_of_junctions(
    junctions: gpd.GeoDataFrame, segments: pd.DataFrame, traffic: pd.Series
) -> pd.DataFrame:
    """Bring together what is known of each junction but its collisions.

    The major road of a junction is that of the two arms with most traffic, of which the higher figure is taken; the
    minor road is that of the arm after them (Highway Safety Manual 2010, section 10.6.2: the larger of the two figures
    of each road). The minor road's and the entering traffic are known only where every arm has a figure: of arms that
    were not counted one could be the busier. The major road's is known where an arm of the junction's highest class
    has one.

    Parameters
    ----------
    junctions
        ``arms``, ``form`` and Points, by ``junction_id``; perhaps ``signalised``.
    segments
        ``u, v`` and ``road_class`` of each segment, by ``segment_id``. A segment that begins and ends at a junction is
        two arms of it.
    traffic
        Motor vehicles a day on each segment, by ``segment_id``; null or 0 is not known.

    Returns
    -------
    By ``junction_id``, in the order of `junctions`: ``junction_type`` (`geo.safety.places.type_of`), ``highest_class``
    (of its arms, see `geo.roads.importance`; of equals the one that more arms have, then the first by name; null where
    no arm has a class), ``traffic_entering`` (half the sum over the arms, vehicles a day), ``traffic_major`` and
    ``traffic_minor``.

    Examples
    --------
    A side street that meets a main road:

    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> junctions = gpd.GeoDataFrame(
    ...     {"arms": [3], "form": ["crossing"]}, index=["j"], geometry=[Point(0, 0)], crs=27700
    ... )
    >>> segments = pd.DataFrame(
    ...     {"u": ["j", "j", None], "v": [None, None, "j"], "road_class": ["residential", "primary", "primary"]},
    ...     index=["a", "b", "c"],
    ... )
    >>> known_of_junctions(junctions, segments, pd.Series({"a": 500.0, "b": 9000.0, "c": 8500.0})).T["j"].tolist()
    ['T or Y (3 arms)', 'primary', 9000.0, 9000.0, 500.0]
    """
    arms = _arms(junctions.index, segments, traffic)
    known = pd.DataFrame({"junction_type": type_of(junctions)}, index=junctions.index)
    known["highest_class"] = _highest(arms).reindex(junctions.index)
    by = arms.groupby("junction_id")
    all_known = (by["aadt"].count() == by.size()) & (by.size() > MAIN_ARMS)
    known["traffic_entering"] = (by["aadt"].sum() / 2).where(all_known)
    ranked = arms.sort_values("aadt", ascending=False, kind="stable").groupby("junction_id")["aadt"]
    of_highest = arms["road_class"] == arms["junction_id"].map(known["highest_class"])
    seen = (of_highest & arms["aadt"].notna()).groupby(arms["junction_id"]).any()
    known["traffic_major"] = by["aadt"].max().where(seen)
    minor = ranked.nth(MAIN_ARMS)
    minor.index = arms["junction_id"].loc[minor.index]
    known["traffic_minor"] = minor.where(all_known.reindex(minor.index))
    return known


def _arms(junctions: pd.Index, segments: pd.DataFrame, traffic: pd.Series) -> pd.DataFrame:
    """List the arms: ``junction_id, road_class, aadt``, a row each, in the order of segments."""
    aadt = traffic.reindex(segments.index).astype("Float64").astype("float64")
    told = segments[["road_class"]].assign(aadt=aadt.where(aadt > 0))
    both = pd.concat([told.assign(junction_id=segments[end]) for end in ("u", "v")])
    return both[both["junction_id"].isin(junctions)].reset_index(drop=True)


def _highest(arms: pd.DataFrame) -> pd.Series:
    """Find the most important class among the arms of each junction."""
    named = arms[arms["road_class"].notna()]
    counted = named.groupby(["junction_id", "road_class"]).size().rename("n").reset_index()
    step = {name: importance(str(name)) for name in counted["road_class"].unique()}
    counted["step"] = counted["road_class"].map(step).astype(np.int64)
    ordered = counted.sort_values(
        ["junction_id", "step", "n", "road_class"], ascending=[True, True, False, True]
    )
    found: pd.Series = ordered.drop_duplicates("junction_id").set_index("junction_id")["road_class"]
    return found.astype(object)
