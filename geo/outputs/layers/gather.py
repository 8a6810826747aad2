"""The layers of a city brought together from the tables that its stages made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import geopandas as gpd
import pandas as pd
from pyproj import CRS

from geo.clusters.found.prototypes import central_tiles
from geo.ground.names import NamedClass, call_classes
from geo.outputs.layers.arrange import empty_layer
from geo.outputs.layers.ground import CLASSES, VALUE_OF_GROUND
from geo.outputs.layers.ground_words import tell_apart
from geo.outputs.names import Named, with_names

_Table = TypeVar("_Table", pd.DataFrame, gpd.GeoDataFrame)
STRETCHES = "stretches"
RECORDS = "collisions/collisions"
"""The table of placed collisions, which a city without records does not have."""

CARRIED = "carried/collisions"
"""The table of columns that collisions take over from their records, on the same rows."""
GROUND_VALUE = f"ground_types/{VALUE_OF_GROUND}"
"""The table of what a map of the ground adds to the value of imagery."""
FLOWN, BY_HAND, IN_WORDS = "flights/clusters", "clusters/clusters", "words/clusters"
"""The tables of the flight that shows most of each type, of types that an analyst made, and of what types look like."""


def gather_layers(
    tables: Mapping[str, pd.DataFrame],
    joined: Mapping[str, Sequence[str]],
    as_they_are: Mapping[str, str],
    pictures: Mapping[str, bytes],
    names: Mapping[int, Named],
    junction_names: Mapping[int, Named] | None = None,
    ground_names: Mapping[int, NamedClass] | None = None,
) -> dict[str, pd.DataFrame]:
    """Bring the layers of a city together.

    Parameters
    ----------
    tables
        By stage and name (``roads/segments``), see docs/stages.md; geometry in the CRS of the city. Without records of
        collisions there is no `RECORDS`.
    joined
        Which of them say something of each segment, by ``segment_id``, and which of each junction, by ``junction_id``:
        by the layer, ``segments`` or ``junctions``, that their columns are joined to.
    as_they_are
        Which of them is a layer as it is, by the layer's name.
    pictures
        JPEG by ``tile_id``: those that the layers show.
    names, junction_names, ground_names
        What the analyst calls the clusters, the types of junction, and the classes of ground that were found.

    Returns
    -------
    By name: all layers but ``ledger`` and ``run``, which tell of the run itself.
    """
    roads = gpd.GeoDataFrame(tables["roads/segments"])
    tiles = read_or_laid_out(tables["tiles/tiles"], tables["fingerprints/tiles"])
    tiles["thumbnail"] = tiles["tile_id"].map(pictures)
    of_junctions = read_or_laid_out(tables["tiles/junction_tiles"], tables["fingerprints/junction_tiles"])
    of_junctions["thumbnail"] = of_junctions["tile_id"].map(pictures)
    picks = tables["clusters/prototypes"]
    prototypes = picks[picks["kind"] == "prototype"].groupby("cluster")["tile_id"].agg(";".join)
    clusters = tables["inference/clusters"].join(prototypes.rename("prototype_tiles"), on="cluster")
    if FLOWN in tables:
        flown = tables[FLOWN].set_index("cluster")[["top_flight", "top_flight_share"]]
        clusters = clusters.join(flown, on="cluster")
    for name in (BY_HAND, IN_WORDS):
        if name in tables:
            clusters = clusters.join(tables[name].set_index("cluster"), on="cluster")
    found = {
        "segments": _segments(roads, tiles, [tables[name] for name in joined["segments"]]),
        "junctions": _junctions(tables, of_junctions, joined["junctions"]),
        "tiles": tiles,
        "junction_tiles": of_junctions,
        "collisions": _collisions(tables, roads.crs),
        "clusters": with_names(clusters, names),
        "junction_clusters": _junction_clusters(tables, junction_names or {}),
        **{layer: tables[name] for layer, name in as_they_are.items() if name in tables},
    }
    if GROUND_VALUE in tables:
        rows = [found["value_of_imagery"], tables[GROUND_VALUE]]
        found["value_of_imagery"] = pd.concat(rows, ignore_index=True)
    if STRETCHES in found:
        found[STRETCHES] = with_types(found[STRETCHES], found["segments"])
    if CLASSES in found:
        found[CLASSES] = call_classes(found[CLASSES], ground_names or {})
    return tell_apart(found)


def with_types(stretches: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Say of each stretch of road which type most of its length is of, and how much.

    Parameters
    ----------
    stretches
        ``stretch_id`` and ``length_m``.
    segments
        ``stretch_id``, ``cluster`` (null: no type) and ``length_m``.

    Returns
    -------
    The stretches with ``cluster`` (of equal lengths the lower number; null where no segment has a type) and
    ``cluster_share`` (of the whole length, 0 to 1).
    """
    typed = segments[segments["cluster"].notna()]
    length = typed.groupby(["stretch_id", "cluster"])["length_m"].sum().rename("typed_m").reset_index()
    order = length.sort_values(["stretch_id", "typed_m", "cluster"], ascending=[True, False, True])
    most = order.drop_duplicates("stretch_id").set_index("stretch_id")
    cluster = stretches["stretch_id"].map(most["cluster"]).astype("Int64")
    share = stretches["stretch_id"].map(most["typed_m"]) / stretches["length_m"]
    return stretches.assign(cluster=cluster, cluster_share=share.clip(upper=1.0))


def _segments(
    roads: gpd.GeoDataFrame, tiles: gpd.GeoDataFrame, known: Sequence[pd.DataFrame]
) -> gpd.GeoDataFrame:
    """Join all that is known of segments."""
    by_segment = tiles.groupby("segment_id").agg(n_tiles=("tile_id", "size"), coverage=("coverage", "mean"))
    segments = roads.join(by_segment, on="segment_id")
    for table in known:
        segments = segments.join(table.set_index("segment_id"), on="segment_id")
    return segments.assign(shown_tile=segments["segment_id"].map(shown_tiles(tiles)))


def _junctions(
    tables: Mapping[str, pd.DataFrame], tiles: gpd.GeoDataFrame, joined: Sequence[str]
) -> gpd.GeoDataFrame:
    """Join all that is known of junctions."""
    junctions = _named(gpd.GeoDataFrame(tables["roads/junctions"]))
    for name in ("safety/junctions", *joined):
        junctions = junctions.join(_named(tables[name]).set_index("junction_id"), on="junction_id")
    shown = tiles[tiles["thumbnail"].notna()].set_index("junction_id")["tile_id"]
    return junctions.assign(shown_tile=junctions["junction_id"].map(shown))


def _collisions(tables: Mapping[str, pd.DataFrame], crs: CRS) -> pd.DataFrame:
    """Put the columns that collisions take over from their records beside them: row by row, for ids may stand twice."""
    if RECORDS not in tables:
        return empty_layer("collisions", crs)
    if CARRIED not in tables:
        return tables[RECORDS]
    carried = tables[CARRIED].drop(columns="collision_id")
    return tables[RECORDS].assign(**{str(name): carried[name].array for name in carried})


def _named(table: _Table) -> _Table:
    """Take the ids of junctions as text; where there is no junction, nothing else tells that they are."""
    return table.assign(junction_id=table["junction_id"].astype("string"))


def _junction_clusters(tables: Mapping[str, pd.DataFrame], names: Mapping[int, Named]) -> pd.DataFrame:
    """Put the tiles that show each type of junction, its name and its colour beside what is known of it."""
    picks = tables["junction_clusters/prototypes"]
    shown = picks[picks["kind"] == "prototype"].groupby("cluster")["tile_id"].agg(";".join)
    table = tables["junction_tests/clusters"].join(shown.rename("prototype_tiles"), on="cluster")
    return with_names(table, names)


def shown_tiles(tiles: pd.DataFrame) -> pd.Series:
    """Choose the tile that shows each segment: of those with a picture, the one nearest to the middle.

    Parameters
    ----------
    tiles
        ``tile_id, segment_id, position_m`` (metres along the segment) and ``thumbnail`` (null: no picture).

    Returns
    -------
    ``tile_id`` by ``segment_id``; a segment without any picture is not in it.
    """
    with_picture = tiles[tiles["thumbnail"].notna()]
    segments = with_picture[["segment_id"]].drop_duplicates()
    return central_tiles(segments, with_picture).set_axis(segments["segment_id"])


def read_or_laid_out(tiles: gpd.GeoDataFrame, seen: pd.DataFrame) -> gpd.GeoDataFrame:
    """Say of each tile what its pixels came from, and whether it has an embedding.

    Parameters
    ----------
    tiles
        As they were laid out: ``tile_id, segment_id, position_m, bearing, coverage``, Polygons; those of junctions have
        ``junction_id`` in place of segment and position.
    seen
        Of those that were read: ``tile_id, image_id, coverage, encoded``.

    Returns
    -------
    The tiles with ``image_id`` and ``encoded``; the coverage (0 to 1) of one that was not read is that of its
    footprint.
    """
    pixels = seen.set_index("tile_id")[["image_id", "coverage"]].add_suffix("_read")
    names = ("tile_id", "segment_id", "junction_id", "position_m", "bearing", "coverage", "geometry")
    joined = tiles[[name for name in names if name in tiles]].join(pixels, on="tile_id")
    joined["image_id"] = joined.pop("image_id_read")
    joined["encoded"] = joined["tile_id"].isin(seen.loc[seen["encoded"], "tile_id"])
    joined["coverage"] = joined.pop("coverage_read").fillna(joined["coverage"])
    return joined
