"""Roads as they are exported, downloaded and drawn."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
from forms import RIGHT, Make, Refused, Told, add
from small_town import SmallTown

Draw = Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]


def drawn(
    change: Draw | None = None,
    *,
    name: str = "drawn.gpkg",
    write: Callable[[gpd.GeoDataFrame, Path], None] | None = None,
    source: str | list[str] | None = None,
    links: bool = False,
    segments: dict[str, object] | None = None,
    city_crs: str | None = "right",
    **keys: object,
) -> Make:
    """Make a city whose roads were changed, written otherwise, or are read with other keys."""

    def make(town: SmallTown, folder: Path) -> dict[str, object]:
        frame = (town.links if links else town.roads).copy()
        frame = frame if change is None else change(frame)
        if write is None:
            frame.to_file(folder / name)
        else:
            write(frame, folder / name)
        asked = f"EPSG:{town.place.crs}" if city_crs == "right" else city_crs
        return town.config(roads={"source": source or name} | keys, segments=segments, crs=asked)

    return make


def beside(value: str | None, *, shift: float = 4.0, column: str = "highway", **others: object) -> Draw:
    """Draw a way of another kind along every street, as OpenStreetMap has pavements."""

    def change(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        ways = roads.iloc[:12].assign(**{column: value, "name": None, "ref": None} | others)
        moved = ways.set_geometry(ways.translate(shift, shift))
        return pd.concat([roads, moved], ignore_index=True)

    return change


def called(column: str, into: Callable[[object], object]) -> Draw:
    return lambda roads: roads.assign(**{column: [into(value) for value in roads[column]]})


KIND = "roads that are none"
for value in (
    "footway",
    "steps",
    "path",
    "cycleway",
    "pedestrian",
    "proposed",
    "construction",
    "bridleway",
    "track",
    "service",
    "corridor",
    "platform",
    "elevator",
    "raceway",
    "abandoned",
    "razed",
    "no",
    "rest_area",
):
    add(
        KIND,
        f"{value} beside each street",
        drawn(beside(value)),
        RIGHT,
        Told(value, wrong=("segments", "junctions", "place", "collisions")),
    )
add(
    KIND,
    "pavements in GeoJSON",
    drawn(beside("footway"), name="osm.geojson", write=lambda f, p: f.to_crs(4326).to_file(p)),
)
add(
    KIND,
    "pavements in a Shapefile",
    drawn(beside("footway"), name="osm.shp", write=lambda f, p: f.to_file(p, encoding="utf-8")),
)
add(
    KIND,
    "pavements in GeoParquet",
    drawn(beside("footway"), name="osm.parquet", write=lambda f, p: f.to_parquet(p)),
)
add(
    KIND,
    "pavements, classes in fclass (Geofabrik)",
    drawn(lambda r: beside("footway")(r).rename(columns={"highway": "fclass"}), class_field="fclass"),
)
add(
    KIND,
    "pavements, keep names the roads",
    drawn(beside("footway"), keep=["primary", "secondary", "tertiary", "residential"]),
)
add(KIND, "pavements, drop names others", drawn(beside("footway"), drop=["steps"]), RIGHT, Told("footway"))
add(KIND, "keep that no road has", drawn(keep=["Residential road"]), Refused("residential"))
add(
    KIND,
    "keep with one value misspelt",
    drawn(keep=["primary", "secondary", "tertiery", "residential"]),
    Refused("tertiery"),
    Told("tertiery", wrong=("segments", "junctions", "collisions")),
)
add(
    KIND,
    "keep in capitals",
    drawn(keep=["PRIMARY", "SECONDARY", "TERTIARY", "RESIDENTIAL"]),
    RIGHT,
    Refused("PRIMARY|residential"),
)
add(KIND, "drop that no road has", drawn(drop=["foot way"]), RIGHT, Told("foot way"), Refused("foot way"))
add(
    KIND,
    "railways and rivers without a class (QGIS's osm lines)",
    drawn(beside(None, railway="rail")),
    RIGHT,
    Told(
        "without a class|no class|not a (road|highway)|none",
        wrong=("segments", "junctions", "place", "collisions"),
    ),
)
add(
    KIND,
    "power lines, classes null",
    drawn(beside(None)),
    RIGHT,
    Told(
        "without a class|no class|not a (road|highway)|none",
        wrong=("segments", "junctions", "place", "collisions"),
    ),
)
add(
    KIND,
    "areas among the lines",
    drawn(
        lambda r: pd.concat(
            [r, r.iloc[:3].assign(geometry=r.geometry.iloc[:3].buffer(3))], ignore_index=True
        ),
        write=lambda f, p: f.to_file(p),
    ),
    RIGHT,
    Told("not a line"),
)
add(
    KIND,
    "points among the lines",
    drawn(
        lambda r: pd.concat([r, r.iloc[:3].assign(geometry=r.geometry.iloc[:3].centroid)], ignore_index=True)
    ),
    RIGHT,
    Told("not a line"),
)
add(
    KIND,
    "one road of null geometry",
    drawn(lambda r: pd.concat([r, r.iloc[:1].assign(geometry=None)], ignore_index=True)),
    Told("no geometry"),
)
add(KIND, "every road twice", drawn(lambda r: pd.concat([r, r], ignore_index=True)))
add(
    KIND,
    "every road twice, the second the other way round",
    drawn(lambda r: pd.concat([r, r.assign(geometry=r.reverse())], ignore_index=True)),
)
add(
    KIND,
    "every road twice, 30 cm apart",
    drawn(lambda r: pd.concat([r, r.assign(geometry=r.translate(0.3, 0.3))], ignore_index=True)),
    RIGHT,
    Told("twice|parallel|duplicate", wrong=("segments", "junctions", "place", "collisions")),
    Refused("twice|parallel"),
)

KIND = "lists and structures"
add(
    KIND,
    "osmnx's lists as text",
    drawn(called("highway", lambda v: f"['{v}', 'unclassified']" if v == "residential" else v)),
    RIGHT,
    Told("residential"),
    lacks=("road_class",),
)
add(
    KIND,
    "osmnx's lists as text, and keep",
    drawn(
        called("highway", lambda v: f"['{v}', 'tertiary_link']"),
        keep=["primary", "secondary", "tertiary", "residential"],
    ),
)
add(
    KIND,
    "osmnx's lists, the kept class second",
    drawn(
        called("highway", lambda v: f"['unclassified', '{v}']"),
        keep=["primary", "secondary", "tertiary", "residential"],
    ),
    lacks=("road_class",),
)
add(
    KIND,
    "osmnx's names as lists",
    drawn(called("name", lambda v: str([v, "Old " + v]))),
    RIGHT,
    Told("list|several"),
    lacks=("name",),
)
add(
    KIND,
    "lists with semicolons (Overpass)",
    drawn(
        called("highway", lambda v: f"{v};unclassified"),
        keep=["primary", "secondary", "tertiary", "residential"],
    ),
    RIGHT,
    Refused("residential"),
    lacks=("road_class",),
)
add(
    KIND,
    "lists in GeoParquet",
    drawn(
        called("highway", lambda v: [v, "unclassified"]),
        name="osm.parquet",
        write=lambda f, p: f.to_parquet(p),
    ),
    RIGHT,
    Refused("highway"),
    lacks=("road_class",),
)
add(
    KIND,
    "osmnx's bridges as lists",
    drawn(called("bridge", lambda v: "['yes', 'viaduct']" if v else None)),
    RIGHT,
)
add(
    KIND,
    "osmnx's layers as lists",
    drawn(lambda r: called("layer", lambda v: "['1', '2']" if v else None)(r).drop(columns="bridge")),
    RIGHT,
)


def overture(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write as Overture does: a name within a structure."""
    names = [
        {"primary": name, "common": None, "rules": [{"variant": "common", "value": name}]}
        for name in frame["name"]
    ]
    frame.drop(columns="name").assign(names=names).rename(columns={"highway": "class"}).to_parquet(path)


def as_text(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write the same as QGIS does, structures as text."""
    names = [json.dumps({"primary": name, "common": None}) for name in frame["name"]]
    frame.drop(columns="name").assign(names=names).rename(columns={"highway": "class"}).to_file(path)


add(
    KIND,
    "Overture's names, by a dotted path",
    drawn(name="seg.parquet", write=overture, class_field="class", name_field="names.primary"),
)
add(
    KIND,
    "Overture's names, the structure named",
    drawn(name="seg.parquet", write=overture, class_field="class", name_field="names"),
    RIGHT,
    Refused("names"),
)
add(
    KIND,
    "Overture's names as JSON text, by a dotted path",
    drawn(name="seg.gpkg", write=as_text, class_field="class", name_field="names.primary"),
    RIGHT,
    Refused("names"),
)
add(
    KIND,
    "Overture's names as JSON text, the column named",
    drawn(name="seg.gpkg", write=as_text, class_field="class", name_field="names"),
    RIGHT,
    Refused("names"),
)
add(
    KIND,
    "Overture's names, a path that is not there",
    drawn(name="seg.parquet", write=overture, class_field="class", name_field="names.local"),
    Refused("names.local|primary"),
)
add(KIND, "name_field that is not there", drawn(name_field="strassenname"), Refused("strassenname"))
add(KIND, "class_field that is not there", drawn(class_field="road_class"), Refused("road_class"))
add(
    KIND,
    "no highway, class_field not named",
    drawn(lambda r: r.rename(columns={"highway": "type"})),
    Refused("class_field"),
)
add(
    KIND,
    "name in another column, name_field not named",
    drawn(lambda r: r.rename(columns={"name": "NAME_1"})),
    Told("name", wrong=("segments", "junctions", "name", "place", "collisions")),
    Refused("name"),
)
