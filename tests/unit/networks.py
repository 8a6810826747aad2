"""Small networks, and collisions on them."""

import geopandas as gpd
import numpy as np
import shapely

from geo.config import Segments
from geo.roads.segments import build_network


def network(*roads, max_length_m=10_000.0):
    """Segments and junctions of roads: coordinates, and a name (or None); class 'road'."""
    n = len(roads)
    table = gpd.GeoDataFrame(
        {
            "source_id": [f"w{i}" for i in range(n)],
            "name": [name for _, name in roads],
            "road_class": "road",
            "ref": None,
            "level": 0,
            "roundabout": False,
        },
        geometry=[shapely.LineString(line) for line, _ in roads],
        crs=27700,
    )
    found = build_network(table, Segments(max_length_m=max_length_m, min_length_m=1))
    return found.segments, found.junctions


def collisions(segments, junctions, *places):
    """Place collisions: on the nearest segment, or at the junction when a point is one."""
    points = np.array([shapely.Point(*xy) for xy in places], dtype=object)
    lines = segments.geometry.to_numpy()
    row = [int(np.argmin(shapely.distance(lines, each))) for each in points]
    where = junctions.geometry.to_numpy()
    at = [
        next((k for k, spot in enumerate(where) if shapely.distance(spot, each) < 0.01), None)
        for each in points
    ]
    ids, names = segments["segment_id"].to_numpy(), junctions["junction_id"].to_numpy()
    return gpd.GeoDataFrame(
        {
            "segment_id": [ids[r] if k is None else None for r, k in zip(row, at, strict=True)],
            "junction_id": [None if k is None else names[k] for k in at],
        },
        geometry=list(points),
        crs=27700,
    ).astype({"segment_id": object, "junction_id": object})


def grid(side, metres=100.0):
    """Streets of a square grid, each named by its line."""
    far = (side - 1) * metres
    return [(((0, i * metres), (far, i * metres)), f"row {i}") for i in range(side)] + [
        (((i * metres, 0), (i * metres, far)), f"column {i}") for i in range(side)
    ]


def backwards(segments, which):
    """Draw some of the segments from the other end."""
    lines = segments.geometry.to_numpy().copy()
    lines[which] = shapely.reverse(lines[which])
    u, v = (np.where(which, segments[other], segments[own]) for own, other in ("uv", "vu"))
    turned = segments.assign(u=u, v=v)
    return turned.set_geometry(gpd.GeoSeries(lines, index=segments.index, crs=segments.crs))
