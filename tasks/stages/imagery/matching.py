"""Flights are brought to one look before they are encoded, where that is asked for and does no harm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.config import CityConfig
from geo.config.section import effective
from geo.imagery.sources import expand_sources
from geo.ledger import Entry
from tasks.documents import Matching, tried_of
from tasks.plan import Plan
from tasks.stages.imagery.trial import HEEDED
from tasks.store.code import code_digest
from tasks.store.stage import Stage
from tasks.tables import LOOK_UPS

if TYPE_CHECKING:
    from geo.clusters.flights.trial import Trial
    from geo.imagery.flights.measuring import Matched

DOCUMENT = "matching.json"
ENCODING = "tasks.shards.encode"
WHAT = "imagery.match: histogram"
NONE = Matching(asked=False, matched=False, tables={}, left_out={}, tried=None, notes=[], warnings=[])
"""Where it is not asked for."""


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``matching.json``, and the tables where flights are matched (see docs/stages.md)."""
    if plan.config.imagery.match is None:
        LOOK_UPS.write(LOOK_UPS.empty(), folder)
        NONE.write(folder / DOCUMENT)
        return [Entry("flights", "done", "", 0)]
    from geo.imagery.flights.measuring import Matched, match_flights
    from geo.imagery.flights.naming import flight_of

    stage = plan.stage_folder("tiles")
    images = gpd.read_parquet(stage / "images.parquet")
    tiles = gpd.read_parquet(stage / "tiles.parquet")
    tiles = tiles[tiles["coverage"] > 0].reset_index(drop=True)
    flights = flight_of(images, plan.config.imagery)
    found = match_flights(tiles, images, flights, plan.config.imagery, plan.config.tiles)
    tried = _tried(plan, tiles, images, flights, found) if found.tables else None
    matched = bool(found.tables) and (tried is None or not tried.undone)
    _write_tables(found if matched else Matched({}, {}), images, flights, folder)
    told = _told(found, tried, flights)
    Matching(
        asked=True,
        matched=matched,
        tables={name: table.told() for name, table in found.tables.items()} if matched else {},
        left_out=dict(found.left_out),
        tried=None if tried is None else tried_of(tried),
        notes=told if matched else [],
        warnings=[] if matched else told,
    ).write(folder / DOCUMENT)
    entries = [Entry("flights", "done", "", len(found.tables) if matched else 0)]
    entries += [Entry("flights", "skipped", f"{name}: {why}", 1) for name, why in found.left_out.items()]
    if found.tables and not matched:
        entries.append(Entry("flights", "skipped", "the correction was undone", len(found.tables)))
    return entries


def load_matching(plan: Plan) -> Matching:
    """Read how flights were matched."""
    return Matching.read(plan.stage_folder("matching") / DOCUMENT)


def _tried(
    plan: Plan, tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame, flights: pd.Series[str], found: Matched
) -> Trial:
    """Encode a tile each of some segments with the tables and without, and hold what is found against each other."""
    from geo.clusters.flights.trial import choose_tried, try_correction
    from geo.clusters.found.prototypes import central_tiles
    from geo.imagery.reading.reader import TABLE

    segments = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet").set_index("segment_id")
    names = dict(zip(images["image_id"], flights, strict=True))
    enough = tiles[tiles["coverage"] >= plan.config.tiles.min_coverage]
    central = pd.Index(central_tiles(enough[["segment_id"]].drop_duplicates(), enough))
    middle = enough.set_index("tile_id").loc[central].reset_index().set_index("segment_id").sort_index()
    roads = pd.DataFrame(segments.loc[middle.index, ["road_class", "length_m"]]).assign(
        flight=[names[some[0]] for some in middle["image_ids"]], x=middle["x"], y=middle["y"]
    )
    sample = middle.loc[choose_tried(roads)].reset_index()
    both = [
        _embeddings(plan, sample, images),
        _embeddings(plan, sample, images.assign(**{TABLE: found.of_images(flights)})),
    ]
    ids = both[0].index.intersection(both[1].index).sort_values()
    before, after = (np.stack(one.loc[ids, "embedding"].tolist()) for one in both)
    # what shows a tile is known once it is read
    mine = roads.loc[ids].assign(flight=both[0].loc[ids, "image_id"].str.partition(";")[0].map(names))
    return try_correction(before, after, mine, plan.config.clusters)


def _embeddings(plan: Plan, tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame) -> pd.DataFrame:
    """Encode tiles as shards do; gives ``image_id`` and ``embedding``, of length 1, by segment."""
    from tasks.shards.encode import embed_some

    found = embed_some(plan.config, tiles, images, plan.stage_folder("roads") / "segments.parquet")
    found = found[found["embedding"].notna()].merge(tiles[["tile_id", "segment_id"]], on="tile_id")
    vectors = np.stack(found["embedding"].tolist()).astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = vectors / np.where(lengths > 0, lengths, 1)
    return found.assign(embedding=list(scaled)).set_index("segment_id")[["image_id", "embedding"]]


def _write_tables(found: Matched, images: gpd.GeoDataFrame, flights: pd.Series[str], folder: Path) -> None:
    """Write the tables, each with the rasters that it is of."""
    names = images["image_id"].groupby(flights.to_numpy()).agg(list)
    rows = [
        {
            "flight": name,
            "band": band,
            "image_ids": names[name],
            "dtype": table.becomes.dtype.name,
            "values": values.tolist(),
        }
        for name, table in sorted(found.tables.items())
        for band, values in enumerate(table.becomes)
    ]
    LOOK_UPS.write(pd.DataFrame(rows) if rows else LOOK_UPS.empty(), folder)


def _told(found: Matched, tried: Trial | None, flights: pd.Series[str]) -> list[str]:
    """Say what came of it."""
    told = [] if tried is None else [tried.said(WHAT)]
    if not found.tables:
        why = "; ".join(f"{name}: {reason}" for name, reason in sorted(found.left_out.items())[:3])
        told.append(f"{WHAT} changes nothing ({why})")
    elif found.left_out:
        why = "; ".join(f"{name}: {reason}" for name, reason in sorted(found.left_out.items())[:3])
        told.append(f"{WHAT} leaves {len(found.left_out)} of {len(set(flights))} flights as they are ({why})")
    return told


def _sources(config: CityConfig) -> list[str]:
    """Name what is read: nothing where flights are not matched."""
    if config.imagery.match is None:
        return []
    outlines = [] if config.imagery.footprints is None else [config.imagery.footprints]
    return [*expand_sources(config.imagery.sources), *outlines, *config.encoder.files()]


def _also(config: CityConfig) -> object:
    """Name what decides the tables, and whether they stay; nothing where flights are not matched."""
    if config.imagery.match is None:
        return None
    return [
        effective(config, ["imagery", "tiles", "encoder", *(f"clusters.{key}" for key in HEEDED)]),
        code_digest(ENCODING),
    ]


STAGE = Stage(
    "matching",
    build,
    counts=("flights",),
    after=("roads", "tiles"),
    settings=("imagery.match",),
    inputs=_sources,
    also=_also,
    tables=(LOOK_UPS,),
    documents=(Matching,),
)
