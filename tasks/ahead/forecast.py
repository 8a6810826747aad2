"""Everything that can be known of a city without running it, and how long a run would take."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.clusters.found.road_types import too_few
from geo.collisions.reach import counted_length
from geo.collisions.read import read_collisions
from geo.collisions.told import Told, place_records
from geo.config import CityConfig
from geo.counting import doing
from geo.errors import NoMapsError
from geo.exposure.counts import read_points
from geo.exposure.people import measure_people, people_doubts
from geo.exposure.segments import coverage
from geo.exposure.traffic import measure_traffic, traffic_doubts
from geo.features.elsewhere.pool import corridor, pool
from geo.features.encoder import EncoderCard, Pixels, limiting_pixel
from geo.features.registry import load_encoder, load_mapper
from geo.ground.contract import Surroundings
from geo.ground.maps.pieces import AT_ONCE, beside, chips_on
from geo.ground.registry import way_of
from geo.imagery.reading.reader import TileImage
from geo.ledger import Entry, merge
from geo.roads.read import RoadSource, read_roads
from geo.roads.segments import Network, build_network
from geo.safety.interventions.reading import read_interventions
from geo.safety.interventions.treated import ITEM, Town, account, lay_out
from tasks.ahead.looking import Looked, look_at
from tasks.ahead.refusals import check_results, check_what_follows
from tasks.ahead.room import bytes_of_geopackage, bytes_of_run, pictures_at_most, refuse_full
from tasks.ahead.seconds import STARTING, seconds_by_size
from tasks.ahead.verdict import Met, verdict
from tasks.planning import runs_folder
from tasks.shards.encode import others_of
from tasks.shards.map_ground import open_land
from tasks.stages.ground.classes import LEARNED_FROM
from tasks.stages.network.laid import Laid, lay_tiles
from tasks.store.status import usual_seconds

SECONDS_A_CHIP = 0.1
"""Of reading a chip of ground, and of what its places are classified and counted by."""
TRIED = 40
"""Roads along which others' embeddings are pooled for a forecast."""
_READ = ("roads", "tiles", "collisions", "exposure")
"""Stages whose work a forecast does as well."""


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
    would be left out, as far as it can be told; ``warnings``; ``verdict``: the most of it in a few sentences.

    Raises
    ------
    RoadprintError
        For whatever a run would be refused for.
    """
    start = time.monotonic()
    folder = runs_folder(config, out)
    told = _Said({}, [], check_results(config, folder))
    roads, network = _network(config, told)
    tiles, images, looked = _look(config, network, told)
    period, matched = _place(config, roads, network, tiles, told)
    _drive(config, roads, network, period, told)
    _treat(config, roads, network, period, matched, told)
    known = time.monotonic() - start

    doing("the pace of the encoder")
    seen = tiles[tiles["coverage"] > 0]
    encoding = _seconds_of_roads(config, seen, images, looked, told) + told.seconds_of_others
    mapping = _seconds_of_ground(config, network, tiles, images, told) if config.ground.maps else 0.0
    told.found["seconds_per_tile"] = round(encoding / len(seen), 4)
    told.found["junction_tiles"] = len(network.junctions) if config.clusters.junctions.types else 0
    if config.tiles.mode == "dense":
        # of the ground under roads, most lies under a junction's tile as well
        encoding *= 2 if told.found["junction_tiles"] else 1
    else:
        encoding *= 1 + told.found["junction_tiles"] / len(tiles)
    besides, as_before = _seconds_besides(folder, len(network.segments))
    told.found["seconds"] = round(besides + known + encoding + mapping)
    told.found["pictures"] = pictures_at_most(config, len(seen)) if config.imagery.sources else 0
    size = bytes_of_geopackage(told.found, told.found["pictures"])
    told.found["geopackage_mb"] = round(size / 1e6, 1)
    refuse_full(folder, bytes_of_run(size, len(seen)))
    return {
        "city": config.city,
        "forecast": told.found,
        "ledger": [asdict(entry) for entry in merge(told.entries)],
        "warnings": list(dict.fromkeys(told.warnings)),
        "verdict": verdict(_met(config, told, as_before=as_before)),
    }


@dataclass(slots=True)
class _Said:
    """What is known so far: figures, entries of the ledger, warnings, and what the verdict is from."""

    found: dict[str, Any]
    entries: list[Entry]
    warnings: list[str]
    seconds_of_others: float = 0.0
    severities: frozenset[str] = frozenset()
    typed: int = 0
    shown: float = 0.0


def _seconds_besides(folder: Path, n_segments: int) -> tuple[float, bool]:
    """Say how long a run takes besides what a forecast reads and times itself, and whether earlier runs tell it."""
    usual, by_size = usual_seconds(folder), seconds_by_size(n_segments)
    left = [name for name in by_size if name not in _READ]
    seconds = sum(usual.get(name, by_size[name]) for name in left)
    return STARTING + seconds, all(name in usual for name in left)


def _met(config: CityConfig, told: _Said, *, as_before: bool) -> Met:
    """Bring together what the verdict is from."""
    found = told.found
    encoder = "reading and encoding were timed here" if config.imagery.sources else "reading was timed here"
    rest = "the rest is as in earlier runs" if as_before else "the rest is as of other cities of this size"
    return Met(
        found["seconds"],
        f"{encoder}, {rest}",
        found["segments"],
        told.typed,
        told.shown,
        "imagery" if config.imagery.sources else "embeddings",
        found.get("collision_rows"),
        found.get("collisions_placed", 0),
        told.severities,
        found.get("segments_looked_at", 0),
        found["segments_with_imagery"],
    )


def _network(config: CityConfig, told: _Said) -> tuple[RoadSource, Network]:
    """Read the roads, and part them into segments where they meet."""
    doing("roads")
    roads = read_roads(config.roads, crs=config.crs, area=config.area)
    doing("where roads meet")
    network = build_network(roads.kept, config.segments)
    told.entries += [*roads.entries, *network.entries]
    told.warnings += [*roads.warnings, *network.warnings]
    told.found |= {
        "crs": roads.crs.name,
        "segments": len(network.segments),
        "junctions": len(network.junctions),
        "length_km": round(float(network.segments["length_m"].sum()) / 1000, 1),
    }
    return roads, network


def _look(
    config: CityConfig, network: Network, told: _Said
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, Looked | None]:
    """Lay tiles out on the imagery, and look at it under some roads; gives tiles, images, and what was seen."""
    doing("imagery")
    laid = lay_tiles(config, network.segments, lambda _: "")
    tiles, images = laid.tiles, laid.images
    seen = tiles["coverage"] > 0
    under = seen & (tiles["coverage"] >= config.tiles.min_coverage)
    check_what_follows(config, tiles, images)
    told.entries += laid.entries
    told.seconds_of_others = _seconds_of_others(config, network, laid, int(seen.sum()))
    told.warnings += [*laid.warnings, *too_few(config.clusters, tiles.loc[seen, "segment_id"].nunique())]
    told.found |= {
        "images": len(images),
        "tiles": len(tiles),
        "tiles_with_imagery": int(seen.sum()),
        "segments_with_imagery": tiles.loc[under, "segment_id"].nunique(),
        "coverage": round(float(tiles["coverage"].mean()), 3),
    }
    if not seen.all():
        outside = f"{int((~seen).sum()):,} of {len(tiles):,} tiles lie outside the imagery's footprints"
        told.warnings.append(outside)
    told.typed, told.shown = told.found["segments_with_imagery"], float(under.mean())
    if not config.imagery.sources:
        return tiles, images, None
    looked = look_at(config, tiles[under], images)
    told.typed, told.shown = round(told.typed * looked.share()), told.shown * looked.share_of_tiles()
    told.found["segments_looked_at"], told.found["of_these_shown"] = looked.roads, looked.shown
    return tiles, images, looked


def _seconds_of_others(config: CityConfig, network: Network, laid: Laid, n_tiles: int) -> float:
    """Pool others' embeddings along some roads, which finds what a run would be refused for; gives the time for all."""
    if laid.others is None:
        return 0.0
    settings, lines = others_of(config), network.segments.geometry.to_numpy()
    some = lines[:: max(1, len(lines) // TRIED)][:TRIED]
    start = time.perf_counter()
    found = pool(
        corridor(some, settings.corridor_m), settings, laid.others, int(laid.others["dimension"].iloc[0])
    )
    if not np.isfinite(found.vectors).any():
        laid.warnings.append(
            f"of {len(some)} roads that were tried, the embeddings of others have data along none"
        )
    return (time.perf_counter() - start) / len(some) * n_tiles


def _place(
    config: CityConfig, roads: RoadSource, network: Network, tiles: gpd.GeoDataFrame, told: _Said
) -> tuple[tuple[date, date] | None, pd.DataFrame | None]:
    """Place the collisions; gives the first and last day of the records, as far as they are known, and those placed."""
    if not config.collisions.sources:
        told.warnings.append("no collision records are configured: a run would end with clusters alone")
        return config.collisions.period, None
    doing("collision records")
    records = read_collisions(config.collisions)
    doing("collisions on roads")
    placed = place_records(
        records,
        network.segments,
        network.junctions,
        roads.others,
        crs=roads.crs,
        area=roads.area,
        settings=config.collisions,
    )
    told.found |= _placed(placed, tiles)
    told.severities = placed.severities
    told.entries += [*records.entries, *placed.assigned.entries, *records.carried.entries]
    told.warnings += [*placed.warnings, *records.carried.warnings]
    table = placed.assigned.collisions
    matched = table[table["snap_status"] == "matched"]
    if placed.time.first is None or placed.time.last is None:
        return config.collisions.period, matched
    return (placed.time.first, placed.time.last), matched


def _drive(
    config: CityConfig,
    roads: RoadSource,
    network: Network,
    period: tuple[date, date] | None,
    told: _Said,
) -> None:
    """Bring counts of traffic and of people to the roads."""
    doing("traffic and people")
    counts = read_points(config.exposure, roads.crs)
    traffic, figures = measure_traffic(network.segments, config.exposure, counts, period)
    told.entries += figures
    if figures:
        shares = coverage(traffic, network.segments.set_index("segment_id")["length_m"])
        told.found["traffic_known"] = round(shares["known"], 3)
        told.warnings += traffic_doubts(config.exposure, shares, figures)
    people, of_people = measure_people(network.segments, config.exposure, roads.crs, period)
    told.entries += of_people
    told.warnings += people_doubts(config.exposure, people, of_people)


def _treat(
    config: CityConfig,
    roads: RoadSource,
    network: Network,
    period: tuple[date, date] | None,
    matched: pd.DataFrame | None,
    told: _Said,
) -> None:
    """Bring treatments to their places, and count those whose before and after the records cover."""
    if not config.interventions.sources():
        return
    doing("treatments")
    treatments = read_interventions(config.interventions, roads.crs)
    counted = counted_length(
        network.segments.set_index("segment_id"),
        network.junctions.set_index("junction_id"),
        config.collisions.junction_reach_m,
    )
    town = Town(
        network.segments,
        network.junctions,
        roads.others,
        roads.area,
        counted.to_frame("counted_m"),
        pd.DataFrame(),
        matched,
        period,
        frozenset(),
        (),
    )
    laid, _, _, notes = lay_out(town, treatments, config)
    fate = laid.table["fate"]
    entries = [*account(fate), *treatments.notes, *notes]
    told.entries += entries
    told.found |= {"treatments": len(fate), "treatments_to_study": int(fate.isna().sum())}
    if len(fate) and fate.notna().all():
        why = "; ".join(f"{one.count:,} {one.reason}" for one in entries if one.item == ITEM and one.reason)
        told.warnings.append(f"none of the {len(fate):,} treatments can be studied: {why}")


def _placed(told: Told, tiles: gpd.GeoDataFrame) -> dict[str, Any]:
    """Say what became of collisions, and what they tell."""
    placed = told.assigned.collisions
    matched = placed[placed["snap_status"] == "matched"]
    seen = (
        matched["segment_id"].isin(tiles.loc[tiles["coverage"] > 0, "segment_id"])
        | matched["segment_id"].isna()
    )
    first, last = told.time.first, told.time.last
    return {
        "collision_rows": len(placed),
        "collisions_placed": len(matched),
        "of_these_with_imagery": int(seen.sum()),
        "period": None if first is None else f"{first} to {last}",
        "severities": ", ".join(sorted(told.severities)) or None,
    }


def _seconds_of_roads(
    config: CityConfig, seen: gpd.GeoDataFrame, images: gpd.GeoDataFrame, looked: Looked | None, told: _Said
) -> float:
    """Say how long it takes to read and encode the imagery of the tiles that it covers; nothing where none is read."""
    if not config.imagery.sources:
        return 0.0
    if config.tiles.mode == "dense":
        told.found["chips"], seconds = _seconds_of_chips(config, seen, images)
        return seconds
    # the next tiles are read while the last ones are encoded
    reading = 0.0 if looked is None else looked.seconds_a_tile
    return len(seen) * max(reading, _seconds_per_tile(config, images))


def _seconds_of_ground(
    config: CityConfig, network: Network, tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame, told: _Said
) -> float:
    """Count the chips of ground beside roads, and time one of noise after one to warm up; what is drawn is read."""
    way = way_of(config.ground)
    way.refuse_early()
    wanted = way.shapes(Surroundings(network.segments, network.junctions, tiles, images))
    try:
        land = open_land(config, images, None)
    except NoMapsError as error:
        if not way.gives_way:
            raise
        told.warnings.append(f"what lies on the ground will not be told: {str(error).splitlines()[0]}")
        return 0.0
    chips = chips_on(land, beside(network.segments.geometry.to_numpy(), config.ground.reach_m))
    told.found["ground_chips"] = len(chips)
    if wanted is not None and chips_on(land, wanted).empty:
        told.warnings.append(
            f"no imagery shows any of what ground.{way.key} tells of: nothing could be learned of it"
        )
    sight = land.sight
    noise = _noise((len(sight.card.bands), sight.side, sight.side), sight.card)
    some = [TileImage("", noise, np.ones(noise.shape[1:], dtype=np.bool_), "", 1.0)] * AT_ONCE
    sight.features(some)
    start = time.perf_counter()
    sight.features(some)
    each = (time.perf_counter() - start) / AT_ONCE + SECONDS_A_CHIP
    return (len(chips) + min(LEARNED_FROM, len(chips))) * each


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
