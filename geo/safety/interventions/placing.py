"""Which segments and junctions each treatment changed."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geo.collisions.assign import place_collisions
from geo.collisions.schema import CollisionSource, canonical_table
from geo.config import Collisions, Interventions
from geo.safety.interventions.reading import Treatments

NO_PLACE = "no geometry or coordinates that can be used, and no ids"
NO_SUCH_ID = "no segment or junction has the id that it names"
TOO_FAR = "farther from every road than interventions.max_distance_m"
NO_ROAD_ALONG = "lies along no road within interventions.max_distance_m"
_STATUS = {
    "beyond_limit": TOO_FAR,
    "outside_area": "outside the area",
    "ambiguous": "as near to another road, and nothing decides",
    "excluded_class": "on a road of a class that is left out",
    "no_geometry": NO_PLACE,
}
_HALF = 0.5
_POINTS = (0, 4)
"""Shapely's numbers of points."""


def place_treatments(
    treatments: Treatments,
    segments: gpd.GeoDataFrame,
    junctions: gpd.GeoDataFrame,
    others: gpd.GeoDataFrame,
    *,
    collisions: Collisions,
    settings: Interventions,
    area: shapely.Geometry | None = None,
) -> tuple[pd.DataFrame, pd.Series]:
    """Find the segments and junctions of each treatment, its site.

    Where a row names segments or junctions, these are its site. A point is placed as a collision is: at the junction
    within reach, else on the nearest road. A line or an area treats the segments of which half the length or more lies
    within ``interventions.max_distance_m`` of it (where there is none, the one of which most does), and the junctions
    where two or more of these meet.

    Parameters
    ----------
    treatments
        The treatments, in the CRS of the segments.
    segments, junctions, others
        The network, and roads that were left out, as for `geo.collisions.assign.place_collisions`.
    collisions, settings
        The sections ``collisions`` and ``interventions`` of the city's file.
    area
        Polygon of the city, if one was given.

    Returns
    -------
    ``row`` (position of the treatment), ``unit`` (``segment`` or ``junction``) and ``id``, a row each; and the fate of
    each treatment, null where it has a site.
    """
    table = treatments.table.reset_index(drop=True)
    fate = table["fate"].astype(object).where(table["fate"].notna(), None)
    named, unknown = _named(table, segments, junctions)
    fate[unknown & fate.isna()] = NO_SUCH_ID
    free = fate.isna() & ~table.index.isin(named["row"])
    kind = shapely.get_type_id(table.geometry.to_numpy())
    at_points = free & np.isin(kind, _POINTS)
    drawn = free & (kind >= 0) & ~at_points
    fate[free & (kind < 0)] = NO_PLACE
    points, told = _of_points(table[at_points], segments, junctions, others, collisions, settings, area)
    fate[told.index] = told
    lines = _of_lines(table[drawn], segments, junctions, settings.max_distance_m)
    fate[drawn & ~table.index.isin(lines["row"])] = NO_ROAD_ALONG
    found = pd.concat([named[named["row"].isin(table.index[fate.isna()])], points, lines], ignore_index=True)
    return found.drop_duplicates().sort_values(["row", "unit", "id"], ignore_index=True), fate


def _named(
    table: pd.DataFrame, segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, pd.Series]:
    """Take the sites that rows name by ids, and tell which rows name one that is not there."""
    parts = []
    for unit, column, known in (
        ("segment", "segment_ids", segments["segment_id"]),
        ("junction", "junction_ids", junctions["junction_id"]),
    ):
        ids = table[column].dropna().astype(str).str.split(";").explode().str.strip()
        ids = ids[ids != ""]
        parts.append(
            pd.DataFrame(
                {"row": ids.index, "unit": unit, "id": ids.to_numpy(), "there": ids.isin(known).to_numpy()}
            )
        )
    found = pd.concat(parts, ignore_index=True)
    lost = found.loc[~found["there"].astype(bool), "row"]
    return found.loc[~found["row"].isin(lost), ["row", "unit", "id"]], pd.Series(
        table.index.isin(lost), index=table.index
    )


def _of_points(
    table: gpd.GeoDataFrame,
    segments: gpd.GeoDataFrame,
    junctions: gpd.GeoDataFrame,
    others: gpd.GeoDataFrame,
    collisions: Collisions,
    settings: Interventions,
    area: shapely.Geometry | None,
) -> tuple[pd.DataFrame, pd.Series]:
    """Place points as collisions are placed."""
    empty = pd.DataFrame({"row": pd.Series(dtype="int64"), "unit": [], "id": []})
    if table.empty:
        return empty, pd.Series(dtype=object)
    centre = shapely.centroid(table.geometry.to_numpy())
    rows = canonical_table(pd.DataFrame({"x": shapely.get_x(centre), "y": shapely.get_y(centre)}))
    crs = pyproj.CRS.from_user_input(segments.crs)
    source = CollisionSource(rows, crs, frozenset(), has_ids=False, entries=[])
    rule = collisions.model_copy(
        update={"max_distance_m": settings.max_distance_m, "period": None, "keep": None}
    )
    placed = place_collisions(source, segments, junctions, others, crs=crs, area=area, settings=rule)
    found = placed.collisions.set_axis(table.index)
    on = found["segment_id"].notna()
    at = found["junction_id"].notna()
    sites = pd.DataFrame(
        {
            "row": found.index,
            "unit": np.where(at, "junction", "segment"),
            "id": found["junction_id"].where(at, found["segment_id"]).to_numpy(),
        }
    )
    return sites[(on | at).to_numpy()], found.loc[~(on | at), "snap_status"].map(_STATUS)


def _of_lines(
    table: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame, reach_m: float
) -> pd.DataFrame:
    """Find the segments that lines and areas run along, and the junctions between these."""
    lines: NDArray[np.object_] = segments.geometry.to_numpy()
    zones = shapely.buffer(table.geometry.to_numpy(), reach_m)
    zone, line = shapely.STRtree(lines).query(zones, predicate="intersects")
    share = shapely.length(shapely.intersection(lines[line], zones[zone])) / shapely.length(lines[line])
    pairs = pd.DataFrame({"row": table.index.to_numpy()[zone], "line": line, "share": share})
    most = pairs.groupby("row")["share"].transform("max")
    # rounding must not decide which of two that are as long is taken
    mine = pairs[(pairs["share"] >= _HALF) | ((most < _HALF) & (pairs["share"] >= most - 1e-9))]
    mine = mine[mine["share"] > 0]
    on = pd.DataFrame(
        {"row": mine["row"], "unit": "segment", "id": segments["segment_id"].to_numpy()[mine["line"]]}
    )
    ends = pd.concat(
        [
            pd.DataFrame({"row": mine["row"], "id": segments[end].to_numpy()[mine["line"]]})
            for end in ("u", "v")
        ]
    )
    ends = ends[ends["id"].isin(junctions["junction_id"])]
    many = ends.groupby(["row", "id"]).size().reset_index(name="n")
    at = many.loc[many["n"] > 1, ["row", "id"]].assign(unit="junction")
    return pd.concat([on, at[["row", "unit", "id"]]], ignore_index=True)
