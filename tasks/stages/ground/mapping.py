"""The ground beside roads is mapped, a shard at a time, and put together as one map and as shares.

Shards are kept by a digest of their own, as those of tiles are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.config import CityConfig
from geo.config.section import effective
from geo.config.sections.ground import VEGETATION
from geo.errors import SourceError
from geo.ledger import Entry
from geo.outputs.layers.declare import Column
from geo.outputs.layers.ground import CARRIAGEWAYS
from tasks.documents import GroundMapped
from tasks.earlier import GROUND_MAP, GROUND_MAP_ALONE
from tasks.plan import Plan
from tasks.stages.ground.classes import CHIPS, MODEL, as_table, load_learned, read_for_ground, seen_by
from tasks.stages.ground.numbering import Final, final_classes
from tasks.stages.imagery.features import look_ups_of
from tasks.store.code import code_digest
from tasks.store.document import digest
from tasks.store.stage import Stage, is_whole
from tasks.store.table import Table
from tasks.tables import JUNCTION, SEGMENT, as_layer, of_layer

if TYPE_CHECKING:
    from geo.ground.shares import Places
    from tasks.shards.map_ground import GroundJob, Roads

DOCUMENT, MAP, MAPPING = "ground.json", GROUND_MAP, "tasks.shards.map_ground"
MAP_ALONE = GROUND_MAP_ALONE
CLASSES = as_layer("ground_classes", key=("class",))
TREE = as_layer("ground_tree", key=("node",))
SHARES = (
    "of each class and band of distance `ground_<class>_<from>_<to>m`, the share of the ground that lies so far away "
    "(0 to 1); `ground_unknown_...`, with which these add up to 1, and `ground_known_...`"
)
GROUND_SHARD = Table(
    "shard-<digest>",
    "What lies on the ground of the chips of one shard, beside the stages, in a file a shard.",
    (
        Column("tile_id", "text", "Column and row of the chip"),
        Column("x", "real", "Its western edge (m, city's CRS)"),
        Column("y", "real", "Its northern edge (m, city's CRS)"),
        Column("rows", "integer", "Rows of its map"),
        Column("columns", "integer", "Columns of its map"),
        Column("side_m", "real", "Side of a place of its map (m)"),
        Column(
            "classes", "blob", "Number of the class of each place, row by row, packed by zlib; 0: not known"
        ),
        Column(
            "measures",
            "blob",
            "What was measured of segments on it (Arrow), packed by zlib; null: nothing",
        ),
        Column(
            "evidence",
            "blob",
            "Where there is data (1), then for each class that is counted, by its key, how likely each place shows one "
            "(in 255ths), row by row, packed by zlib; null: nothing is counted",
            optional=True,
        ),
        *(
            Column(f"{what}_{name}", "list", f"{title} of each count about {what}s")
            for what in ("segment", "junction")
            for name, title in (
                ("id", "Id"),
                ("band", "Band of distance, from 0,"),
                ("number", "Class"),
                ("places", "Places"),
            )
        ),
    ),
    key=("tile_id",),
)
OF_SEGMENTS = Table(
    "ground_segments",
    "Shares of the ground about segments of which any is known; none where the ground is not mapped.",
    (SEGMENT,),
    key=("segment_id",),
    more=SHARES,
    joins="segments",
)
OF_CARRIAGEWAYS = Table(
    "ground_carriageways",
    "Widths of carriageways, by cross sections on what a promptable network saw; none by other ways.",
    of_layer("segments", "segment_id", *CARRIAGEWAYS),
    key=("segment_id",),
    joins="segments",
)
OF_JUNCTIONS = Table(
    "ground_junctions",
    "Shares of the ground about junctions, by the distance from their middle, or from the rim of a roundabout.",
    (JUNCTION,),
    key=("junction_id",),
    more=SHARES,
    joins="junctions",
)


def plan_shards(plan: Plan) -> list[GroundJob]:
    """List the shards of ground, each with the file of its digest."""
    if not load_learned(plan).mapped:
        return []
    from geo.tiles.shards import spatial_order
    from tasks.shards.map_ground import GroundJob, read_roads

    learned, roads_in = plan.stage_folder("ground_classes"), plan.stage_folder("roads")
    files = {
        "chips": learned / f"{CHIPS.name}.parquet",
        "images": plan.stage_folder("tiles") / "images.parquet",
        "segments": roads_in / "segments.parquet",
        "junctions": roads_in / "junctions.parquet",
        "model": learned / MODEL,
    }
    look_ups, tables = look_ups_of(plan)
    images = gpd.read_parquet(files["images"], columns=["image_id", "digest", "pixel_m", "geometry"])
    pixels = images.set_index("image_id")["digest"]
    code = code_digest(MAPPING)
    made_by = digest(_seen_as(plan), float(images["pixel_m"].min()), code)
    roads = read_roads(files["segments"], files["junctions"])
    jobs = []
    for shard, mine in gpd.read_parquet(files["chips"]).groupby("shard"):
        rasters = sorted({name for names in mine["image_ids"] for name in names})
        read = [(name, pixels[name], tables.get(name)) for name in rasters]
        places = [mine["tile_id"].tolist(), [";".join(names) for names in mine["image_ids"]]]
        key = digest("ground", made_by, places, read, _about(mine, roads, plan.config.ground.reach_m))
        jobs.append(
            GroundJob(
                shard=str(shard),
                out=plan.stages / "shards" / f"shard-{key}.parquet",
                n_tiles=len(mine),
                config=plan.config,
                code=code,
                look_ups=look_ups,
                **files,
            )
        )
    return sorted(jobs, key=lambda job: spatial_order(job.shard))


def _seen_as(plan: Plan) -> str:
    """Digest what decides a map besides pixels and roads: settings, weights, and what tells classes."""
    pixels_by = plan.config.imagery.model_dump(include={"crs", "bands", "scale", "nodata", "collars"})
    weights = [plan.sources[file] for file in plan.config.encoder.files()]
    settings = effective(plan.config, ["ground", *(f"-ground.{key}" for key in VEGETATION), "encoder"])
    return digest(settings, pixels_by, weights, plan.keys["ground_classes"])


def _about(chips: gpd.GeoDataFrame, roads: Roads, reach_m: float) -> list[str]:
    """Write down the roads and junctions about some chips."""
    from geo.ground.shares import FARTHEST_M

    near = roads.near(shapely.box(*chips.total_bounds), max(FARTHEST_M, reach_m))
    shapes = np.concatenate([near.segments, near.junctions])
    ids = np.concatenate([near.segment_ids, near.junction_ids])
    return [f"{name} {shape}" for name, shape in zip(ids, shapely.to_wkb(shapes, hex=True), strict=True)]


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Map what is not mapped yet; write ``ground.json``, ``ground.tif`` and shares (see docs/stages.md).

    Raises
    ------
    SourceError
        When an input was changed meanwhile.
    """
    jobs = plan_shards(plan)
    entries = [entry for job in jobs for entry in job.work()]
    shards = [job.out for job in jobs]
    told = GroundMapped(shards=[str(one.relative_to(plan.stages)) for one in shards])
    if not jobs:
        told.write(folder / DOCUMENT)
        OF_SEGMENTS.write(OF_SEGMENTS.empty(), folder)
        OF_JUNCTIONS.write(OF_JUNCTIONS.empty(), folder)
        OF_CARRIAGEWAYS.write(OF_CARRIAGEWAYS.empty(), folder)
        return [Entry("chips", "done", "", 0)]
    final = _write_map(plan, shards, folder)
    told = told.model_copy(update={"numbers": final.lasting, "warnings": list(final.warnings)})
    told.write(folder / DOCUMENT)
    _write_shares(plan, shards, final, folder)
    _write_measures(plan, shards, folder)
    try:
        plan.check_inputs()
    except SourceError:
        for job in jobs:
            job.account.unlink(missing_ok=True)
        raise
    return entries


def _write_map(plan: Plan, shards: list[Path], folder: Path) -> Final:
    """Put the map together, and write its classes; no map is written where no chip has data."""
    from geo.ground.file import read_classifier
    from geo.ground.numbers import with_numbers
    from geo.ground.raster import MapGrid, write_map
    from tasks.shards.map_ground import read_maps, read_places

    learned = plan.stage_folder("ground_classes")
    classifier = read_classifier(learned / MODEL)
    crs = gpd.read_parquet(learned / f"{CHIPS.name}.parquet").crs
    places = read_places(shards)
    grid = MapGrid.about(places.values()) if places else None
    final = final_classes(plan, classifier, shards, grid, crs)
    CLASSES.write(as_table(final.classes), folder)
    tree = classifier.tree(final.merged)
    if tree is not None:
        TREE.write(tree, folder)
    if grid is not None:
        write_map(folder / MAP, grid, final.maps(shards), final.classes, crs)
        if (final.alone != final.merged).any():
            alone = ((place, final.alone[numbers]) for place, numbers in read_maps(shards))
            write_map(folder / MAP_ALONE, grid, alone, with_numbers(classifier.classes, final.alone), crs)
    return final


def _write_shares(plan: Plan, shards: list[Path], final: Final, folder: Path) -> None:
    """Add the counts of all shards up to shares; ground that was not read counts, too."""
    from geo.ground.shares import count_unseen, lay_out
    from tasks.shards.map_ground import read_counts, read_places, read_roads

    roads = read_roads(
        *(plan.stage_folder("roads") / f"{name}.parquet" for name in ("segments", "junctions"))
    )
    keys = {one.number: one.key for one in final.classes}
    places = read_places(shards)
    for table, what, ids, shapes in (
        (OF_SEGMENTS, "segment", roads.segment_ids, roads.segments),
        (OF_JUNCTIONS, "junction", roads.junction_ids, roads.junctions),
    ):
        seen = read_counts(shards, what)
        seen = seen.assign(number=final.merged[seen["number"]].astype(np.int64))
        known = pd.Series(ids).isin(seen.loc[seen["number"] > 0, "id"].unique()).to_numpy()
        unseen = count_unseen(ids[known], shapes[known], not_read(shapes[known], places))
        table.write(lay_out(pd.concat([seen, unseen]), keys, f"{what}_id"), folder)


def _write_measures(plan: Plan, shards: list[Path], folder: Path) -> None:
    """Bring together what was measured of segments, where the way measures any."""
    from geo.ground.file import read_classifier
    from tasks.shards.map_ground import read_measures

    measures = read_measures(shards)
    if measures is None:
        OF_CARRIAGEWAYS.write(OF_CARRIAGEWAYS.empty(), folder)
        return
    classifier = read_classifier(plan.stage_folder("ground_classes") / MODEL)
    OF_CARRIAGEWAYS.write(classifier.measured(measures), folder)


def not_read(shapes: np.ndarray, places: dict[str, Places]) -> list[Places]:
    """Lay out the chips about shapes that were not read."""
    from geo.features.dense import Lattice
    from geo.ground.maps.pieces import beside
    from geo.ground.shares import FARTHEST_M, Places

    if not len(shapes):
        return []
    one = next(iter(places.values()))
    lattice = Lattice(one.side_m, one.rows, 0)
    chips = lattice.chips(beside(shapes, FARTHEST_M))
    left = chips[~chips["tile_id"].isin(places)]
    half = lattice.chip_m / 2
    return [
        Places(x - half, y + half, one.rows, one.columns, one.side_m)
        for x, y in left[["x", "y"]].to_numpy().tolist()
    ]


def is_finished(plan: Plan) -> bool:
    """Tell whether the stage is there with all its shards as they were left; remains of one that is not are removed."""
    return is_whole(
        plan.stage_folder("ground"), lambda: (plan.stages / one for one in load_mapped(plan).shards)
    )


def load_mapped(plan: Plan) -> GroundMapped:
    """Read where the map of classes of ground lies."""
    return GroundMapped.read(plan.stage_folder("ground") / DOCUMENT)


def _sources(config: CityConfig) -> list[str]:
    return read_for_ground(config)


STAGE = Stage(
    "ground",
    build,
    counts=("chips", "reads"),
    after=("roads", "tiles", "matching", "ground_classes"),
    settings=("ground", *(f"-ground.{key}" for key in VEGETATION)),
    inputs=_sources,
    also=seen_by,
    tables=(GROUND_SHARD, CLASSES, TREE, OF_SEGMENTS, OF_CARRIAGEWAYS, OF_JUNCTIONS),
    documents=(GroundMapped,),
)
