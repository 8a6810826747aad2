"""Classes of ground are found or learned, before the ground is mapped by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.config import CityConfig
from geo.config.section import effective
from geo.config.sections.ground import VEGETATION
from geo.errors import NoMapsError
from geo.imagery.sources import expand_sources
from geo.ledger import Entry
from geo.outputs.layers.declare import Column
from tasks.documents import GroundLearned
from tasks.plan import Plan
from tasks.store.code import code_digest
from tasks.store.stage import Stage
from tasks.store.table import Table
from tasks.tables import TILES, of_layer

if TYPE_CHECKING:
    from geo.ground.contract import Classifier, GroundClass, Surroundings
    from geo.ground.maps.pieces import Land

DOCUMENT, MODEL = "learned.json", "model.safetensors"
SEEING = "tasks.shards.map_ground"
"""The module by which ground is seen and classified."""
CHIPS_PER_SHARD, LEARNED_FROM = 48, 40
"""Chips of ground that are mapped as one piece of work; and those that classes are found in."""
NOT_ASKED = GroundLearned(asked=False, mapped=False, way="", notes=[], seen={})
CHIPS = Table(
    "chips",
    "Squares of ground beside roads that lie on imagery, each of which is read and encoded once; none where the ground "
    "is not mapped.",
    (
        Column("tile_id", "text", "Column and row of the square, counted from the CRS's origin"),
        Column("column", "integer", "Column"),
        Column("row", "integer", "Row"),
        *TILES.columns[4:7],
        Column("bearing", "real", "0: they lie upright"),
        TILES.columns[7],
        Column("shard", "text", "Piece of work: side of its square cell (m), column, row"),
    ),
    geometry="Polygon",
    key=("tile_id",),
)
CLASSES = Table(
    "classes",
    "The classes as they were found or learned; the stage `ground` gives those that were found their lasting numbers.",
    of_layer("ground_classes"),
    key=("class",),
)


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``learned.json``, and where ground is mapped the classes with what tells them (see docs/stages.md)."""
    if not plan.config.ground.maps:
        NOT_ASKED.write(folder / DOCUMENT)
        return [Entry("ground classes", "done", "", 0)]
    from geo.ground.maps.pieces import Pieces, beside, chips_on, sample_chips
    from geo.ground.registry import way_of
    from geo.tiles.shards import assign_shards
    from tasks.shards.map_ground import open_land

    way = way_of(plan.config.ground)
    around = surroundings(plan)
    try:
        land = open_land(plan.config, images_of(plan), None)
    except NoMapsError as error:
        if not way.gives_way:
            raise
        return _not_seen(folder, way.words, str(error).splitlines()[0])
    near = beside(around.segments.geometry.to_numpy(), way.reach_m)
    chips = chips_on(land, near).reset_index(drop=True)
    chips["shard"] = assign_shards(chips, tiles_per_shard=CHIPS_PER_SHARD)
    CHIPS.write(chips, folder)
    wanted = way.shapes(around)
    lattice = land.sight.lattice
    some = (
        sample_chips(chips, near, lattice, LEARNED_FROM, way.seed)
        if wanted is None
        else chips_on(land, wanted)
    )
    pieces = Pieces(some, land)
    learned = way.learn(pieces, around)
    found = learned.classifier
    if found is not None:
        _write(found, folder)
    GroundLearned(
        asked=True, mapped=found is not None, way=way.words, notes=list(learned.notes), seen=_seen(land)
    ).write(folder / DOCUMENT)
    n = 0 if found is None else len(found.classes)
    return [Entry("ground classes", "done", "", n), *learned.entries, *pieces.entries]


def _not_seen(folder: Path, words: str, why: str) -> list[Entry]:
    """Leave the ground out, and say so."""
    note = f"What lies on the ground is not told: {why}"
    GroundLearned(asked=True, mapped=False, way=words, notes=[note], seen={}).write(folder / DOCUMENT)
    return [Entry("ground classes", "skipped", why, 1)]


def _write(found: Classifier, folder: Path) -> None:
    """Write the classes, and what tells them."""
    from geo.ground.file import write_classifier

    write_classifier(folder / MODEL, found)
    CLASSES.write(as_table(found.classes), folder)


def as_table(classes: Sequence[GroundClass]) -> pd.DataFrame:
    """Lay classes out as the layer ``ground_classes`` has them."""
    frame = pd.DataFrame([asdict(one) for one in classes]).rename(columns={"number": "class"})
    text, real = ["key", "name", "colour", "source", "words"], ["share", "score", "spread", "baseline"]
    return frame.astype(dict.fromkeys(text, "string") | dict.fromkeys(real, "float64"))


def _seen(land: Land) -> dict[str, object]:
    """Say what saw the ground."""
    sight = land.sight
    return {
        "encoder": sight.card.name,
        "strides": list(sight.strides),
        "features": sight.dimension,
        "cell_m": sight.lattice.cell_m,
        "pixel_m": sight.pixel_m,
        "runtime": sight.runtime,
    }


def images_of(plan: Plan) -> gpd.GeoDataFrame:
    """Read the catalogue, with what the values of each raster become where flights are matched."""
    from geo.imagery.reading.reader import TABLE
    from tasks.shards.encode import read_look_ups
    from tasks.stages.imagery.features import look_ups_of

    images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet")
    file, _ = look_ups_of(plan)
    return images if file is None else images.assign(**{TABLE: read_look_ups(file, images["image_id"])})


def surroundings(plan: Plan) -> Surroundings:
    """Read what is known of a city beside its ground."""
    from geo.ground.contract import Surroundings

    roads, tiles = plan.stage_folder("roads"), plan.stage_folder("tiles")
    return Surroundings(
        gpd.read_parquet(roads / "segments.parquet"),
        gpd.read_parquet(roads / "junctions.parquet"),
        gpd.read_parquet(tiles / "tiles.parquet"),
        gpd.read_parquet(tiles / "images.parquet", columns=["image_id", "geometry"]),
    )


def load_learned(plan: Plan) -> GroundLearned:
    """Read how classes of ground came about."""
    return GroundLearned.read(plan.stage_folder("ground_classes") / DOCUMENT)


def read_for_ground(config: CityConfig) -> list[str]:
    """Name what is read to see the ground: nothing where it is not mapped."""
    if not config.ground.maps:
        return []
    return [*expand_sources(config.imagery.sources), *config.encoder.files()]


def _sources(config: CityConfig) -> list[str]:
    return [*read_for_ground(config), *config.ground.files()]


def seen_by(config: CityConfig) -> object:
    """Name what decides how ground is seen beside the section ``ground``; nothing where it is not mapped."""
    if not config.ground.maps:
        return None
    return [effective(config, ["encoder"]), code_digest(SEEING)]


STAGE = Stage(
    "ground_classes",
    build,
    counts=("ground classes", "reads"),
    after=("roads", "tiles", "matching"),
    settings=("ground", *(f"-ground.{key}" for key in VEGETATION)),
    inputs=_sources,
    also=seen_by,
    tables=(CHIPS, CLASSES),
    documents=(GroundLearned,),
)
