"""The junctions that rank worst, with what the ranks rest on."""

from __future__ import annotations

import geopandas as gpd

from geo.safety.expected.ranking import worst_of

_PLACE = ("junction_id", "junction_type", "arms", "highest_class", "traffic_entering", "cluster", "years")
_RANKS = ("expected_rank", "rank_deviation", "p_worst_5_percent")


def worst_junctions(junctions: gpd.GeoDataFrame, shown: int = 20) -> gpd.GeoDataFrame:
    """List the junctions that rank worst, as `geo.safety.expected.ranking.worst_segments` does segments.

    Parameters
    ----------
    junctions
        The layer ``junctions`` of a run.
    shown
        How many of the worst are given.

    Returns
    -------
    The worst first, by ``expected_rank``: ``place`` (from 1), what is known of the junction, ``years`` (of records),
    ``expected_rank`` with ``rank_deviation``, ``p_worst_5_percent``, ``rank_of`` (``ksi`` or ``collisions``); then of
    that outcome the number, the recorded rate and the shrunk one (``_eb``), each with its 95 % interval, what is
    predicted for junctions like it and the potential (shrunk less predicted), all per year; ``n_collisions``,
    ``looks_like``, and the point.

    Raises
    ------
    LayerError
        When no junction has a rank: there are no junctions, no records, or too few.

    Examples
    --------
    >>> from shapely import Point
    >>> junctions = gpd.GeoDataFrame(
    ...     {
    ...         "junction_id": ["a", "b", "c"],
    ...         "rank_of": ["collisions", "collisions", None],
    ...         "expected_rank": [1.8, 1.2, None],
    ...         "collisions_per_year": [0.0, 2.5, None],
    ...     },
    ...     geometry=[Point(x, 0) for x in range(3)],
    ...     crs=27700,
    ... )
    >>> worst_junctions(junctions, 2)[["place", "junction_id", "expected_rank"]].values.tolist()
    [[1, 'b', 1.2], [2, 'a', 1.8]]
    """
    return worst_of(junctions, "junction", known=(*_PLACE, *_RANKS), per="year", shown=shown)
