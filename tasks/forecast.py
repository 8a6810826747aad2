"""Everything that can be known of a city without running it, and how long a run would take."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from geo.collisions.period import period_covered
from geo.collisions.read import read_collisions
from geo.config import CityConfig
from geo.exposure.counts import read_points
from geo.exposure.segments import coverage
from geo.exposure.traffic import measure_traffic
from geo.features.encoder import EncoderCard, Pixels, limiting_pixel
from geo.features.registry import load_encoder, load_mapper
from geo.imagery.catalogue import open_catalogue
from geo.imagery.layout import lay_out_tiles
from geo.imagery.outlook.told import tell_imagery
from geo.ledger import merge
from geo.roads.read import read_roads
from geo.roads.segments import build_network
from tasks.planning import runs_folder
from tasks.refusals import check_results, check_what_follows
from tasks.room import bytes_of_geopackage, bytes_of_run, pictures_at_most, refuse_full

SECONDS_A_SEGMENT = 0.001
"""Of statistics."""
SECONDS_BESIDES = 20.0
"""Seconds that a run takes besides imagery and encoding, of which Prefect's temporary server is the most."""


def forecast(config: CityConfig, out: Path | None = None) -> dict[str, Any]:
    """Read roads, imagery headers and collisions, load the encoder, and time it on one batch.

    Parameters
    ----------
    config
        The city's configuration, paths absolute.
    out
        Folder for results instead of ``output.folder``.

    Returns
    -------
    ``city``; ``forecast``: segments, junctions, tiles, coverage, collisions, seconds and megabytes; ``ledger``: what
    would be left out, as far as it can be told; ``warnings``.

    Raises
    ------
    RoadprintError
        For whatever a run would be refused for.
    """
    start = time.monotonic()
    folder = runs_folder(config, out)
    warnings = check_results(config, folder)
    source = read_roads(config.roads, crs=config.crs, area=config.area)
    network = build_network(source.kept, config.segments)
    catalogue = open_catalogue(config.imagery, network.segments.crs, digest=lambda _: "")
    images = catalogue.images
    tiles, tile_entries = lay_out_tiles(network.segments, images, config.tiles)
    covered = int((tiles["coverage"] > 0).sum())
    check_what_follows(config, tiles, images)
    told, of_imagery = tell_imagery(tiles, images, config.imagery, config.tiles)
    warnings += [*source.warnings, *network.warnings, *of_imagery]
    entries = [*source.entries, *network.entries, *catalogue.entries, *tile_entries, *told]
    found: dict[str, Any] = {
        "crs": source.crs.name,
        "segments": len(network.segments),
        "junctions": len(network.junctions),
        "length_km": round(float(network.segments["length_m"].sum()) / 1000, 1),
        "images": len(images),
        "tiles": len(tiles),
        "tiles_with_imagery": covered,
        "coverage": round(float(tiles["coverage"].mean()), 3),
    }
    period = config.collisions.period
    if config.collisions.sources:
        records = read_collisions(config.collisions)
        found["collision_rows"] = len(records.table)
        entries += records.entries
        time_covered = period_covered(records.table[records.table["kept"]], period)
        warnings += [*records.warnings, *time_covered.warnings]
        if time_covered.first is not None and time_covered.last is not None:
            period = (time_covered.first, time_covered.last)
    else:
        warnings.append("no collision records are configured: a run would end with clusters alone")
    traffic, figures = measure_traffic(
        network.segments, config.exposure, read_points(config.exposure, source.crs), period
    )
    entries += figures
    if figures:
        lengths = network.segments.set_index("segment_id")["length_m"]
        found["traffic_known"] = round(coverage(traffic, lengths)["known"], 3)
    known = time.monotonic() - start
    if config.tiles.mode == "dense":
        found["chips"], encoding = _seconds_of_chips(config, tiles[tiles["coverage"] > 0], images)
    else:
        encoding = covered * _seconds_per_tile(config, images)
    found["seconds_per_tile"] = round(encoding / covered, 4)
    statistics = SECONDS_A_SEGMENT * found["segments"]
    found["seconds"] = round(SECONDS_BESIDES + statistics + known + encoding)
    found["pictures"] = pictures_at_most(config, covered)
    size = bytes_of_geopackage(found, found["pictures"])
    found["geopackage_mb"] = round(size / 1e6, 1)
    refuse_full(folder, bytes_of_run(size, covered))
    if covered < len(tiles):
        warnings.append(
            f"{len(tiles) - covered:,} of {len(tiles):,} tiles lie outside the imagery's footprints"
        )
    return {
        "city": config.city,
        "forecast": found,
        "ledger": [asdict(entry) for entry in merge(entries)],
        "warnings": warnings,
    }


def _seconds_of_chips(
    config: CityConfig, tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame
) -> tuple[int, float]:
    """Count the chips of ground that the shards need, and time one of noise after one to warm up."""
    limit = limiting_pixel(float(images["pixel_m"].min()), config.tiles.pixel_m)
    mapper = load_mapper(config.encoder, config.tiles, bands=config.imagery.seen, pixel_m=limit)
    mapper.card.check_imagery(config.imagery.seen, images["dtype"])
    chips = sum(
        len(mapper.lattice.chips(mine.to_numpy())) for _, mine in tiles.geometry.groupby(tiles["shard"])
    )
    shape = (1, len(mapper.card.bands), mapper.side, mapper.side)
    noise = _noise(shape, mapper.card)
    mapper.map(noise)
    start = time.perf_counter()
    mapper.map(noise)
    return chips, chips * (time.perf_counter() - start)


def _noise(shape: tuple[int, ...], card: EncoderCard) -> Pixels:
    """Make noise of 0 to 255, of the dtype that an encoder takes."""
    noise = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    return noise.astype(np.float32) if card.own_values else noise


def _seconds_per_tile(config: CityConfig, images: gpd.GeoDataFrame) -> float:
    """Time the encoder on a batch of noise of the tiles' size, after one to warm up."""
    pixel_m = config.tiles.pixel_m or float(images["pixel_m"].min())
    side = max(8, round(config.tiles.tile_m / pixel_m))
    limit = limiting_pixel(float(images["pixel_m"].min()), config.tiles.pixel_m)
    encoder = load_encoder(
        config.encoder, tile_m=config.tiles.tile_m, bands=config.imagery.seen, pixel_m=limit
    )
    encoder.card.check_imagery(config.imagery.seen, images["dtype"])
    batch = [_noise((len(config.imagery.seen), side, side), encoder.card)] * min(
        16, config.encoder.batch_size
    )
    valid = [np.ones((side, side), dtype=np.bool_)] * len(batch)
    encoder.encode(batch, valid)
    start = time.perf_counter()
    encoder.encode(batch, valid)
    return (time.perf_counter() - start) / len(batch)
