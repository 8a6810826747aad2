"""Vegetation beside roads by its own index, where imagery has red and near-infrared bands; nothing is learned."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.config import CityConfig
from geo.config.sections.ground import VEGETATION as KEYS
from geo.imagery.sources import expand_sources
from geo.ledger import Entry
from geo.outputs.layers.ground import VEGETATION
from tasks.documents import Findings
from tasks.plan import Plan
from tasks.stages.ground.mapping import not_read
from tasks.store.stage import Stage
from tasks.store.table import Table
from tasks.tables import of_layer

if TYPE_CHECKING:
    from geo.ground.shares import Places
    from geo.ground.vegetation.reading import Green
    from tasks.shards.map_ground import Roads

FINDINGS, MAP = "findings.json", "ground_vegetation.tif"
PACKED = 6
"""How hard maps of chips are packed while others are read (zlib)."""
OF_SEGMENTS, OF_JUNCTIONS = (
    Table(
        f"{what}_vegetation",
        f"Shares of vegetation about {what}s of which any is known, by the index of red and near-infrared light; none "
        "where no such bands are named.",
        of_layer(f"{what}s", f"{what}_id", *(column.name for column in VEGETATION)),
        key=(f"{what}_id",),
        joins=f"{what}s",
    )
    for what in ("segment", "junction")
)


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``findings.json``, and where bands are named the map and shares (see docs/stages.md).

    Raises
    ------
    LayerError, SourceError
        When a raster has not both bands, cannot be reached, or was changed meanwhile.
    """
    settings = plan.config.ground
    if settings.ndvi is None:
        for table in (OF_SEGMENTS, OF_JUNCTIONS):
            table.write(table.empty(), folder)
        Findings(notes=[]).write(folder / FINDINGS)
        return [Entry("chips", "done", "", 0)]
    from geo.ground.maps.pieces import beside
    from geo.ground.vegetation.ndvi import Spread, doubts
    from geo.ground.vegetation.reading import check_has_bands, lay_out, see_green
    from geo.imagery.reading.reader import TileFailure
    from tasks.shards.map_ground import read_roads

    images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet")
    check_has_bands(images, settings.ndvi)
    roads = read_roads(
        *(plan.stage_folder("roads") / f"{name}.parquet" for name in ("segments", "junctions"))
    )
    lattice, chips = lay_out(settings, images, beside(roads.segments, settings.reach_m))
    seen, spread, entries = _Seen(), Spread.none(), []
    for green in see_green(chips, images, plan.config.imagery, settings, lattice):
        if isinstance(green, TileFailure):
            entries.append(Entry("chips", "failed", green.reason, 1))
            continue
        entries += [Entry("reads", "failed", fault, 1) for fault in green.faults]
        if not green.valid.any():
            entries.append(Entry("chips", "skipped", "no data there", 1))
        else:
            inside = seen.add(green, roads, settings.reach_m)
            spread = spread.add(green.index, green.valid & inside, green.ends)
            entries.append(Entry("chips", "done", "", 1))
    seen.write(folder, roads, images)
    notes = doubts(spread, settings.ndvi_threshold, settings.ndvi)
    Findings(notes=notes).write(folder / FINDINGS)
    plan.check_inputs()
    return entries


class _Seen:
    """What was seen of chips: their maps, packed, and how often what lies about each segment and junction."""

    def __init__(self) -> None:
        self.maps: dict[str, tuple[Places, bytes]] = {}
        self.counts: dict[str, list[pd.DataFrame]] = {"segment": [], "junction": []}

    def add(self, green: Green, roads: Roads, reach_m: float) -> np.ndarray:
        """Add a chip; tells which of its places lie within reach of a road."""
        from geo.ground.contract import UNKNOWN
        from geo.ground.shares import FARTHEST_M, count_near, find_near

        far = max(FARTHEST_M, reach_m)
        here = roads.near(green.places.box, far)
        near = find_near(green.places, here.segments, far)
        inside = near.within(reach_m, green.classes.size).reshape(green.classes.shape)
        shown = np.where(inside, green.classes, np.uint8(UNKNOWN))
        self.maps[green.name] = green.places, zlib.compress(shown.tobytes(), PACKED)
        self.counts["segment"].append(count_near(near, shown, here.segment_ids))
        at = find_near(green.places, here.junctions, FARTHEST_M)
        self.counts["junction"].append(count_near(at, shown, here.junction_ids))
        return inside

    def write(self, folder: Path, roads: Roads, images: gpd.GeoDataFrame) -> None:
        """Write the map, none where no chip has data, and the shares."""
        from geo.ground.raster import MapGrid, write_map
        from geo.ground.shares import count_unseen
        from geo.ground.vegetation.shares import CLASSES, shares_of

        names = sorted(self.maps)
        places = {name: self.maps[name][0] for name in names}
        if names:
            parts = (
                (at, np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(at.rows, at.columns))
                for at, packed in (self.maps[name] for name in names)
            )
            write_map(folder / MAP, MapGrid.about(places.values()), parts, CLASSES, images.crs)
        for table, ids, shapes in (
            (OF_SEGMENTS, roads.segment_ids, roads.segments),
            (OF_JUNCTIONS, roads.junction_ids, roads.junctions),
        ):
            if not names:
                table.write(table.empty(), folder)
                continue
            counts = self.counts[table.key[0].removesuffix("_id")]
            known = np.isin(ids.astype(str), _known_of(counts))
            counts = [*counts, count_unseen(ids[known], shapes[known], not_read(shapes[known], places))]
            table.write(shares_of(counts, table.key[0]), folder)


def _known_of(counts: list[pd.DataFrame]) -> np.ndarray:
    """Name the segments or junctions of which any ground is known."""
    from geo.ground.contract import UNKNOWN

    return np.unique(np.concatenate([one.loc[one["number"] != UNKNOWN, "id"].astype(str) for one in counts]))


def load_notes(plan: Plan) -> list[str]:
    """Read what is to be told of the index."""
    return Findings.read(plan.stage_folder("vegetation") / FINDINGS).notes


def _sources(config: CityConfig) -> list[str]:
    return [] if config.ground.ndvi is None else expand_sources(config.imagery.sources)


def _extent(config: CityConfig) -> object:
    """Name what else decides the map, where there is one."""
    return None if config.ground.ndvi is None else [config.ground.reach_m, config.ground.cell_m]


STAGE = Stage(
    "vegetation",
    build,
    counts=("chips", "reads"),
    after=("roads", "tiles"),
    settings=tuple(f"ground.{key}" for key in KEYS),
    also=_extent,
    inputs=_sources,
    tables=(OF_SEGMENTS, OF_JUNCTIONS),
    documents=(Findings,),
)
