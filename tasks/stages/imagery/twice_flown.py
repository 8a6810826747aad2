"""What another flight of the same ground changes in embeddings: a part of the stage ``fingerprints``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from geo.config import CityConfig
from geo.config.section import effective
from geo.imagery.sources import expand_sources
from geo.ledger import Entry
from tasks.plan import Plan
from tasks.stages.imagery.matching import load_matching
from tasks.tables import LOOK_UPS

if TYPE_CHECKING:
    from geo.clusters.whitening.scatter import Scatter

ITEM = "tiles shown by two flights"


def flown_twice(plan: Plan, dimension: int) -> tuple[Scatter, list[Entry]]:
    """Encode some tiles as each of two flights shows them, and measure how these differ; none where none overlap.

    Parameters
    ----------
    dimension
        Length of an embedding.
    """
    from geo.clusters.flights.twice import LEAST, shown_twice
    from geo.clusters.whitening.scatter import Scatter, scatter_of_looks
    from geo.imagery.flights.naming import flight_of
    from geo.imagery.reading.reader import TABLE
    from tasks.shards.encode import embed_some, read_look_ups

    stage = plan.stage_folder("tiles")
    images = gpd.read_parquet(stage / "images.parquet")
    flights = flight_of(images, plan.config.imagery)
    if len(set(flights)) < 2:
        return Scatter.none(dimension), []
    tiles = gpd.read_parquet(stage / "tiles.parquet")
    tiles = tiles[tiles["coverage"] > 0].reset_index(drop=True)
    both = shown_twice(tiles, dict(zip(images["image_id"], flights, strict=True)))
    if load_matching(plan).matched:
        file = plan.stage_folder("matching") / f"{LOOK_UPS.name}.parquet"
        images = images.assign(**{TABLE: read_look_ups(file, images["image_id"])})
    segments = plan.stage_folder("roads") / "segments.parquet"
    seen = []
    for which in ("first", "second"):
        some = tiles.loc[both.index].assign(image_ids=both[which])
        found = embed_some(plan.config, some, images, segments)
        seen.append(found[found["embedding"].notna()].set_index("tile_id")["embedding"])
    ids = seen[0].index.intersection(seen[1].index).sort_values()
    if len(ids) < LEAST:
        why = f"fewer than {LEAST}, too few to even fingerprints out by"
        return Scatter.none(dimension), [Entry(ITEM, "skipped", why, len(ids))] if len(ids) else []
    looks = np.stack([np.stack(one.loc[ids].tolist()) for one in seen], axis=1).astype(np.float64)
    lengths = np.linalg.norm(looks, axis=2, keepdims=True)
    told = "fingerprints are evened out by what the other flight changes"
    return scatter_of_looks(looks / np.where(lengths > 0, lengths, 1)), [Entry(ITEM, "done", told, len(ids))]


def twice_settings(config: CityConfig) -> object:
    """Name what decides it; nothing where fingerprints are not evened out."""
    if not config.clusters.turn_whitening:
        return None
    return effective(config, ["imagery.flight", "imagery.footprints", "imagery.flight_field"])


def twice_inputs(config: CityConfig) -> list[str]:
    """Name what is read for it; nothing where fingerprints are not evened out."""
    if not config.clusters.turn_whitening:
        return []
    outlines = [] if config.imagery.footprints is None else [config.imagery.footprints]
    return [*expand_sources(config.imagery.sources), *outlines, *config.encoder.files()]
