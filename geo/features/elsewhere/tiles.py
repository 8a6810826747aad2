"""Tiles with the embeddings of others: each has that of its whole road, or of its square at a junction."""

from __future__ import annotations

import json
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pyarrow as pa

from geo.config import CityConfig
from geo.config.sections.elsewhere import Elsewhere
from geo.features.bands import PER_BAND
from geo.features.elsewhere.others import Others, card_of, decoding
from geo.features.elsewhere.pool import corridor, pool
from geo.features.elsewhere.products import PRODUCTS
from geo.features.store import finish, rows
from geo.ledger import Entry


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of a tile, see `geo.features.store.Seen`."""

    tile_id: str
    image_id: str
    coverage: float


def others(files: gpd.GeoDataFrame, settings: Elsewhere) -> Others:
    """Say what stands in an encoder's place.

    Parameters
    ----------
    files
        ``dimension, year, version, dtype, pixel_m``: see ``embeddings`` in docs/stages.md.
    settings
        What they are, and what is taken along a road.
    """
    first = files.iloc[0]
    dtypes = "; ".join(sorted(set(files["dtype"])))
    card = card_of(settings, int(first["dimension"]), first["year"] or "", first["version"] or "", dtypes)
    return Others(card, float(round(files["pixel_m"].median())))


def pool_tiles(
    tiles: gpd.GeoDataFrame,
    lines: gpd.GeoSeries | None,
    files: gpd.GeoDataFrame,
    settings: Elsewhere,
    config: CityConfig,
) -> tuple[pa.Table, list[Entry]]:
    """Pool embeddings along the road of each tile: all tiles of a road have the same, that of its whole corridor.

    Parameters
    ----------
    tiles
        ``tile_id, x, y`` and footprints (Polygon, metres); with ``segment_id``, or of junctions, whose squares are
        pooled over.
    lines
        Line of each segment, by ``segment_id``; None: of junctions.
    files
        See `geo.features.elsewhere.catalogue.describe`.
    settings
        What they are, and what is taken.
    config
        ``tiles.min_coverage``: less of a corridor with data gives no embedding; and what stands in the metadata.

    Returns
    -------
    The rows of a shard, laid out by `geo.features.store.finish`, and what became of the tiles.
    """
    made = others(files, settings)
    if lines is None:
        shapes, of_tile = tiles.geometry.to_numpy(), np.arange(len(tiles))
    else:
        names, of_tile = np.unique(tiles["segment_id"].to_numpy(dtype=str), return_inverse=True)
        shapes = corridor(lines.loc[names].to_numpy(), settings.corridor_m)
    found = pool(shapes, settings, files, int(files["dimension"].iloc[0]))
    enough = (found.coverage >= max(config.tiles.min_coverage, float(np.nextafter(0, 1)))) & np.isfinite(
        found.vectors
    ).all(axis=1)
    seen = [
        _Seen(name, found.sources[road], float(found.coverage[road]))
        for name, road in zip(tiles["tile_id"], of_tile, strict=True)
    ]
    whole = np.flatnonzero(enough[of_tile])
    thin = np.flatnonzero(~enough[of_tile])
    bands = np.zeros((len(whole), len(made.card.bands) * PER_BAND), dtype=np.float32)
    full = rows([seen[i] for i in whole], made, found.vectors[of_tile[whole]], bands)
    table = pa.concat_tables([full, rows([seen[i] for i in thin], made)])
    reason = f"embeddings of others cover less than {config.tiles.min_coverage:.0%} of its road's corridor"
    entries = [Entry("tiles", "done", "", len(whole)), Entry("tiles", "skipped", reason, len(thin))]
    return _told(finish(table, tiles, made, config), made, settings, files), entries


def _told(table: pa.Table, made: Others, settings: Elsewhere, files: gpd.GeoDataFrame) -> pa.Table:
    """Say in the metadata what was taken of which product: year, version, decoding and digests."""
    first = files.iloc[0]
    about = {
        "emb:model": {
            "name": made.card.name,
            "product": settings.product,
            "version": first["version"],
            "year": first["year"],
            "source": PRODUCTS[settings.product].source,
            "license": made.card.licence,
        },
        "emb:chip_layout": {
            "layout_type": "corridor",
            "corridor_m": settings.corridor_m,
            "pool": settings.pool,
            "of": "the whole road of each tile; the square of a junction's",
        },
        "emb:preprocessing": None,
        "emb:postprocessing": f"{', '.join(settings.pool)} along the corridor, brought to length 1",
        "emb:quantization": {"method": decoding(settings, first["dtype"]), "original_dtype": first["dtype"]},
        "emb:source-digests": dict(zip(files["image_id"], files["digest"], strict=True)),
    }
    plain = {key.encode(): json.dumps(value, sort_keys=True).encode() for key, value in about.items()}
    return table.replace_schema_metadata({**table.schema.metadata, **plain})
