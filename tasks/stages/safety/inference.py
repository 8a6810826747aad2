"""What can be said of the types: tests against comparable roads, and whether the picture adds anything."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.ledger import Entry
from tasks.documents import Findings
from tasks.plan import Plan
from tasks.stages.imagery.fingerprints import load_fingerprints
from tasks.stages.records.collisions import load_placed
from tasks.store.stage import Stage
from tasks.tables import CLUSTERS, GROUPINGS, TESTS, TYPES, VALUE

FINDINGS = "findings.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``tests``, ``clusters`` and ``value_of_imagery`` (see docs/stages.md)."""
    from threadpoolctl import threadpool_limits

    from geo.clusters.evidence.groupings import found_again, share_sure
    from geo.safety.comparison.compared import compare_types, count_tests
    from geo.safety.comparison.effects import cluster_table, with_tests
    from geo.safety.comparison.heldout import halves
    from geo.safety.picture.imagery_value import value_of_imagery

    settings = plan.config.safety
    frame = load_frame(plan)
    records, told = load_placed(plan)
    periods = None
    if records is not None:
        periods = halves(
            pd.DataFrame(records),
            frame.index,
            period=told.period,
            years=told.years,
            severities=told.severities,
            users=told.users,
        )
    groupings = load_groupings(plan)
    # many small systems: several threads would only wait for each other, the longer the busier the machine
    with threadpool_limits(limits=1):
        tests = compare_types(
            frame, periods, permutations=settings.permutations, seed=settings.seed, groupings=groupings
        )
    TESTS.write(tests, folder)
    typed = TYPES.read(plan.stage_folder("clusters")).set_index("segment_id")
    # what an analyst gave says nothing of how surely it is found
    given = typed.index[typed["cluster_probability"].isna() & typed["cluster"].notna()]
    again = found_again(frame["cluster"], groupings.drop(index=given))
    table = with_tests(cluster_table(frame), tests)
    sure = table["cluster"].map(share_sure(typed, frame["length_m"]))
    CLUSTERS.write(table.assign(found_again=table["cluster"].map(again), share_sure=sure), folder)
    fingerprints = load_fingerprints(plan)
    value = value_of_imagery(
        frame.assign(count=frame["n_collisions"]),
        fingerprints.vectors_of(frame.index),
        fingerprints.bands_of(frame.index) if plan.config.imagery.sources else None,
        block_m=settings.block_m,
        seed=settings.seed,
    )
    VALUE.write(value.table.assign(outcome="collisions"), folder)
    Findings(notes=[] if records is None else [value.sentence]).write(folder / FINDINGS)
    return count_tests(tests)


def load_frame(plan: Plan) -> pd.DataFrame:
    """Read what is known of each segment, with its type and its middle, by ``segment_id``."""
    from geo.safety.comparison.compared import known_of_segments

    types, found = (
        pd.read_parquet(plan.stage_folder(stage) / "segments.parquet").set_index("segment_id")
        for stage in ("clusters", "safety")
    )
    return known_of_segments(gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet"), types, found)


def load_groupings(plan: Plan) -> pd.DataFrame:
    """Read the type of each segment in bootstrap groupings, a column each, by ``segment_id``."""
    from geo.clusters.evidence.groupings import stacked

    table = GROUPINGS.read(plan.stage_folder("clusters"))
    return pd.DataFrame(stacked(table), index=pd.Index(table["segment_id"]))


STAGE = Stage(
    "inference",
    build,
    counts=("comparisons",),
    after=("roads", "fingerprints", "clusters", "collisions", "safety"),
    settings=("imagery.sources", "safety.seed", "safety.permutations", "safety.block_m"),
    tables=(TESTS, CLUSTERS, VALUE),
    documents=(Findings,),
)
