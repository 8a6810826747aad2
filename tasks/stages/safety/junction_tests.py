"""What can be said of the types of junction: tests against comparable junctions."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.ledger import Entry
from tasks.plan import Plan
from tasks.stages.records.collisions import load_placed
from tasks.stages.types.junction_clusters import load_groupings
from tasks.store.stage import Stage
from tasks.tables import JUNCTION_CLUSTERS, JUNCTION_TESTS


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``junction_tests`` and ``clusters`` (see docs/stages.md)."""
    from geo.clusters.evidence.groupings import found_again, share_sure
    from geo.safety.comparison.compared import count_tests
    from geo.safety.comparison.heldout import halves
    from geo.safety.junctions.looks import compare_looks, known_of_looks, looks_table

    settings = plan.config.safety
    junctions = gpd.read_parquet(plan.stage_folder("roads") / "junctions.parquet").set_index("junction_id")
    types, counted = (
        pd.read_parquet(plan.stage_folder(stage) / "junctions.parquet").set_index("junction_id")
        for stage in ("junction_clusters", "safety")
    )
    frame = known_of_looks(junctions, types, counted)
    records, told = load_placed(plan)
    periods = None
    if records is not None:
        at_junctions = pd.DataFrame(records).drop(columns="segment_id")
        periods = halves(
            at_junctions.rename(columns={"junction_id": "segment_id"}),
            frame.index,
            period=told.period,
            years=told.years,
            severities=told.severities,
            users=told.users,
        )
    groupings = load_groupings(plan)
    tests = compare_looks(
        frame, periods, permutations=settings.permutations, seed=settings.seed, groupings=groupings
    )
    JUNCTION_TESTS.write(tests, folder)
    table = looks_table(frame, tests)
    again = None if groupings is None else found_again(frame["cluster"], groupings)
    found = pd.Series(dtype="float64") if again is None else table["cluster"].map(again)
    sure = table["cluster"].map(share_sure(types, pd.Series(1.0, index=types.index)))
    JUNCTION_CLUSTERS.write(table.assign(found_again=found, share_sure=sure), folder)
    typed = int(frame["cluster"].notna().sum())
    return [
        Entry("junctions", "done", "", typed),
        Entry("junctions", "skipped", "it has no type", len(frame) - typed),
        *count_tests(tests),
    ]


STAGE = Stage(
    "junction_tests",
    build,
    counts=("comparisons",),
    after=("roads", "junction_clusters", "collisions", "safety"),
    settings=("safety.seed", "safety.permutations"),
    tables=(JUNCTION_TESTS, JUNCTION_CLUSTERS),
)
