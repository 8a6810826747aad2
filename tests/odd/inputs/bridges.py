"""Bridges, and where roads meet."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from forms import RIGHT, Refused, Told, add
from small_town import BRIDGE

from inputs.roads import drawn


def _noded(links: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    ends = [[f"{x:.0f}-{y:.0f}" for x, y in (g.coords[0], g.coords[-1])] for g in links.geometry]
    return links.assign(start_node=[a for a, _ in ends], end_node=[b for _, b in ends])


def _rules(links: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    noded = _noded(links)
    return gpd.GeoDataFrame(
        {
            "class": noded["highway"],
            "names": [{"primary": name} for name in noded["name"]],
            "connectors": [
                [{"connector_id": a, "at": 0.0}, {"connector_id": b, "at": 1.0}]
                for a, b in zip(noded["start_node"], noded["end_node"], strict=True)
            ],
            "level_rules": [
                [{"value": 1, "between": None}] if name == BRIDGE else None for name in noded["name"]
            ],
        },
        geometry=links.geometry,
        crs=links.crs,
    )


def _vertexed(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    bridge = roads.geometry.iloc[-1]
    x, low, high = bridge.coords[0][0], bridge.coords[0][1], bridge.coords[-1][1]
    line = shapely.LineString([(x, y) for y in (low, *(low + 60 + 100 * np.arange(6)), high)])
    streets = [shapely.LineString(sorted([*g.coords, (x, g.coords[0][1])])) for g in roads.geometry.iloc[:6]]
    return roads.assign(geometry=[*streets, *roads.geometry.iloc[6:-1], line])


def without_tags(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.drop(columns=["bridge", "layer"])


KIND = "bridges"

add(KIND, "the layer alone", drawn(lambda r: r.drop(columns="bridge")))

add(KIND, "the bridge alone", drawn(lambda r: r.drop(columns="layer")))

add(
    KIND,
    "a bridge as a truth value",
    drawn(lambda r: r.assign(bridge=r["bridge"] == "yes").drop(columns="layer")),
)

add(
    KIND,
    "a bridge as 1 and 0",
    drawn(lambda r: r.assign(bridge=(r["bridge"] == "yes") * 1).drop(columns="layer")),
)

add(
    KIND,
    "a bridge as T and F (Geofabrik)",
    drawn(lambda r: r.assign(bridge=np.where(r["bridge"] == "yes", "T", "F")).drop(columns="layer")),
)

add(
    KIND,
    "a bridge as Y and N",
    drawn(lambda r: r.assign(bridge=np.where(r["bridge"] == "yes", "Y", "N")).drop(columns="layer")),
)

add(
    KIND,
    "a viaduct",
    drawn(lambda r: r.assign(bridge=np.where(r["bridge"] == "yes", "viaduct", None)).drop(columns="layer")),
)

add(KIND, "a tunnel below", drawn(lambda r: r.assign(tunnel=r["bridge"], bridge=None, layer=None)))

add(
    KIND,
    "the layer as -1",
    drawn(lambda r: r.assign(layer=np.where(r["bridge"] == "yes", "-1", None), bridge=None)),
)

add(
    KIND,
    "the layer as a number, 0 elsewhere",
    drawn(lambda r: r.assign(layer=(r["bridge"] == "yes") * 1.0).drop(columns="bridge")),
)

add(
    KIND,
    "names of columns in capitals",
    drawn(lambda r: r.rename(columns={"bridge": "BRIDGE", "layer": "LAYER"})),
)

add(
    KIND,
    "links of nodes, untagged, with start and end nodes (OS Open Roads)",
    drawn(lambda r: _noded(without_tags(r)), links=True),
)

add(
    KIND,
    "links of nodes, untagged, in capitals of a Shapefile (OS Open Roads)",
    drawn(
        lambda r: _noded(without_tags(r)).rename(columns={"start_node": "startNode", "end_node": "endNode"}),
        name="oproad.shp",
        write=lambda f, p: f.to_file(p, encoding="utf-8"),
        links=True,
    ),
)

add(
    KIND,
    "links, untagged, with no other sign",
    drawn(without_tags, links=True),
    RIGHT,
    Told("cross", wrong=("segments", "junctions", "place", "length", "collisions")),
)

add(KIND, "links, untagged, crossings: ends", drawn(without_tags, links=True, segments={"crossings": "ends"}))

add(KIND, "links, tagged", drawn(links=True))

add(
    KIND,
    "links of osmnx with u and v",
    drawn(lambda r: _noded(without_tags(r)).rename(columns={"start_node": "u", "end_node": "v"}), links=True),
)

add(
    KIND,
    "Overture's connectors and level_rules",
    drawn(
        _rules,
        name="seg.parquet",
        write=lambda f, p: f.to_parquet(p),
        links=True,
        class_field="class",
        name_field="names.primary",
    ),
)

add(
    KIND,
    "Overture's connectors alone",
    drawn(
        lambda r: _rules(r).drop(columns="level_rules"),
        name="seg.parquet",
        write=lambda f, p: f.to_parquet(p),
        links=True,
        class_field="class",
        name_field="names.primary",
    ),
)

add(
    KIND,
    "whole roads, untagged",
    drawn(without_tags),
    Told("cross", wrong=("segments", "junctions", "place", "length", "collisions")),
)

add(
    KIND,
    "whole roads, untagged, crossings: all",
    drawn(without_tags, segments={"crossings": "all"}),
    Told("cross", wrong=("segments", "junctions", "place", "length", "collisions")),
    RIGHT,
)

add(
    KIND,
    "TIGER's separate links, untagged",
    drawn(
        lambda r: without_tags(r).rename(columns={"highway": "MTFCC", "name": "FULLNAME"}),
        links=True,
        class_field="MTFCC",
        name_field="FULLNAME",
    ),
    RIGHT,
    Told("cross", wrong=("segments", "junctions", "place", "length", "collisions")),
)

add(
    KIND,
    "ATKIS's hierarchy (HDU 1)",
    drawn(lambda r: r.assign(hdu=np.where(r["bridge"] == "yes", 1, 0)).drop(columns=["bridge", "layer"])),
    RIGHT,
    Told("cross", wrong=("segments", "junctions", "place", "length", "collisions")),
)

add(
    KIND,
    "BD TOPO's POS_SOL",
    drawn(lambda r: r.assign(POS_SOL=np.where(r["bridge"] == "yes", 1, 0)).drop(columns=["bridge", "layer"])),
    RIGHT,
    Told("cross", wrong=("segments", "junctions", "place", "length", "collisions")),
)

add(KIND, "the bridge drawn with a vertex at each crossing, tagged", drawn(_vertexed))

add(KIND, "crossings: none of the words", drawn(segments={"crossings": "none"}), Refused("crossings"))
