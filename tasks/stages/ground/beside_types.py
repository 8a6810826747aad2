"""What lies beside roads of each type, and whether it tells where collisions will be, where the ground is mapped."""

from __future__ import annotations

from pathlib import Path

from geo.ledger import Entry
from geo.outputs.layers.ground import BESIDE_TYPES, VALUE_OF_GROUND
from tasks.documents import Findings
from tasks.plan import Plan
from tasks.stages.ground.classes import load_learned
from tasks.stages.ground.mapping import OF_SEGMENTS
from tasks.stages.safety.inference import FINDINGS, load_frame
from tasks.store.stage import Stage
from tasks.store.table import Table
from tasks.tables import as_layer, of_layer

BESIDE = as_layer(BESIDE_TYPES, key=("cluster", "key", "band"))
VALUE = Table(
    VALUE_OF_GROUND,
    "Rows of `value_of_imagery` of models that know shares of ground; there is no such file where it is not mapped.",
    of_layer("value_of_imagery"),
    key=("model",),
    part=True,
)


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``ground_types`` and ``ground_value`` where the ground is mapped (see docs/stages.md)."""
    from geo.ground.there.compared import compare_ground
    from geo.safety.picture.imagery_value import CLUSTER_AND_GROUND, GROUND, sentence_of, value_of_imagery
    from geo.safety.picture.terms import ground_terms

    nothing = Findings(notes=[])
    if not load_learned(plan).mapped:
        nothing.write(folder / FINDINGS)
        return []
    settings = plan.config.safety
    shares = OF_SEGMENTS.read(plan.stage_folder("ground")).set_index("segment_id")
    frame = load_frame(plan)
    frame = frame.join(shares)
    found = compare_ground(frame, seed=settings.seed)
    BESIDE.write(found, folder)
    counted = frame.assign(count=frame["n_collisions"])
    value = value_of_imagery(
        counted,
        ground=ground_terms(shares.reindex(frame.index)),
        block_m=settings.block_m,
        seed=settings.seed,
    ).table
    value = value[value["model"].isin([GROUND, CLUSTER_AND_GROUND])]
    VALUE.write(value.assign(outcome="collisions"), folder)
    # why nothing can be compared is said once, of the picture
    compared = len(value) > 0 and bool(value["reason"].isna().all())
    said = sentence_of(value, "the map of the ground", "what lies beside roads") if compared else None
    (nothing if said is None else Findings(notes=[said])).write(folder / FINDINGS)
    return [Entry("types of road by their ground", "done", "", int(found["cluster"].nunique()))]


def notes_of_ground(plan: Plan) -> list[str]:
    """Read what is said of the ground at the end of a run."""
    return Findings.read(plan.stage_folder(STAGE.name) / FINDINGS).notes


STAGE = Stage(
    "ground_types",
    build,
    counts=("types of road by their ground",),
    after=("roads", "clusters", "safety", "ground_classes", "ground"),
    settings=("safety.seed", "safety.block_m"),
    tables=(BESIDE, VALUE),
    documents=(Findings,),
)
