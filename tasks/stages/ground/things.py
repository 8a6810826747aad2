"""Things on the ground beside roads, counted along segments and at junctions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.ledger import Entry
from tasks.plan import Plan
from tasks.stages.ground.classes import CLASSES, MODEL, load_learned
from tasks.stages.ground.mapping import load_mapped
from tasks.store.stage import Stage
from tasks.store.table import Table
from tasks.tables import JUNCTION, SEGMENT, as_layer

if TYPE_CHECKING:
    from geo.ground.contract import Classifier

ITEM = "things"
THINGS = as_layer("things", geometry="Point", key=("thing_id",))
ALONG = Table(
    "things_segments",
    "Things along each segment, of which any ground is seen; none where nothing is counted.",
    (SEGMENT,),
    key=("segment_id",),
    more="of each class that is counted `things_<class>_per_100m`, those that are nearest to the segment, per 100 m of "
    "its length that is seen",
    joins="segments",
)
AT = Table(
    "things_junctions",
    "Things at each junction: those within 20 m of its middle, or of its ring, and of no nearer junction.",
    (JUNCTION,),
    key=("junction_id",),
    more="of each class that is counted `n_<class>`; null where there is no imagery of its middle",
    joins="junctions",
)


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``things``, where any are counted, with their numbers (see docs/stages.md)."""
    classifier = _counting(plan)
    if classifier is None:
        ALONG.write(ALONG.empty(), folder)
        AT.write(AT.empty(), folder)
        return [Entry(ITEM, "done", "", 0)]
    from geo.ground.things.counting import count_along, count_at, place_things, seen_of
    from tasks.shards.map_ground import read_evidence

    shards = [plan.stages / shard for shard in load_mapped(plan).shards]
    segments, junctions = (
        gpd.read_parquet(plan.stage_folder("roads") / f"{name}.parquet") for name in ("segments", "junctions")
    )
    found = _found(shards, classifier, segments)
    found["segment_id"] = place_things(found, segments, reach_m=plan.config.ground.reach_m)
    near = found[found["segment_id"].notna()].reset_index(drop=True)
    classes = CLASSES.read(plan.stage_folder("ground_classes")).set_index("key")["name"]
    THINGS.write(
        near.assign(key=near["thing"], name=near["thing"].map(classes)).drop(columns="thing"), folder
    )
    grids = ((grid, known) for shard in shards for grid, known, _ in read_evidence(shard))
    metres, seen = seen_of(segments, junctions, grids)
    keys = sorted(classifier.counted)
    along = count_along(near, segments, keys, metres)
    ALONG.write(along[along["segment_id"].map(metres) > 0].sort_values("segment_id"), folder)
    AT.write(count_at(near, junctions, keys, seen).sort_values("junction_id"), folder)
    far = Entry(ITEM, "skipped", "farther from every road than ground.reach_m", len(found) - len(near))
    return [Entry(ITEM, "done", "", len(near)), *([far] if far.count else [])]


def _counting(plan: Plan) -> Classifier | None:
    """Read what tells classes, where it counts anything."""
    if not load_learned(plan).mapped:
        return None
    from geo.ground.file import read_classifier

    classifier = read_classifier(plan.stage_folder("ground_classes") / MODEL)
    return classifier if classifier.counted else None


def _found(shards: list[Path], classifier: Classifier, segments: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Find all things in the shards: ``thing_id, thing, score`` and Points; an id tells the place."""
    from geo.ground.things.finding import find_things, kept_evidence
    from tasks.shards.map_ground import read_evidence

    keys, rules = sorted(classifier.counted), classifier.counted
    kept, side_m = [], 1.0
    for shard in shards:
        for grid, _, evidence in read_evidence(shard):
            kept += [kept_evidence(grid, key, one) for key, one in zip(keys, evidence, strict=True)]
            side_m = grid.side_m
    none = pd.DataFrame({"thing": [], "column": [], "row": [], "evidence": []})
    found = find_things(pd.concat(kept) if kept else none, rules, side_m)
    place = [np.floor(found[axis] / side_m).astype(np.int64).astype(str) for axis in ("x", "y")]
    return gpd.GeoDataFrame(
        {
            "thing_id": found["thing"] + "-" + place[0] + "-" + place[1],
            "thing": found["thing"],
            "score": found["score"],
        },
        geometry=gpd.points_from_xy(found["x"], found["y"]),
        crs=segments.crs,
    )


STAGE = Stage(
    "ground_things",
    build,
    counts=(ITEM,),
    after=("roads", "ground_classes", "ground"),
    settings=("ground.reach_m",),
    tables=(THINGS, ALONG, AT),
)
