"""The columns of their records that collisions take over, for whoever filters by them.

They are a stage of their own, so that another choice of them counts and compares nothing anew.
"""

from __future__ import annotations

from pathlib import Path

from geo.errors import SourceError
from geo.ledger import Entry
from geo.sources.columns import carried_name
from tasks.documents import Carried
from tasks.plan import Plan
from tasks.stages.records.collisions import sources_of
from tasks.store.stage import Stage
from tasks.tables import CARRIED, COLLISIONS

TOLD = "carried.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``collisions``, the carried columns (see docs/stages.md)."""
    from geo.collisions.read import read_collisions

    asked = plan.config.collisions
    if not asked.sources or not asked.carry:
        Carried(warnings=[]).write(folder / TOLD)
        return []
    source = read_collisions(asked)
    placed = COLLISIONS.read(plan.stage_folder("collisions"))
    ids = source.table["collision_id"]
    if ids.tolist() != placed["collision_id"].tolist():
        raise SourceError(
            "its rows are not those that were placed",
            where=", ".join(asked.sources),
            todo="The files were edited during the run: run again.",
        )
    names = [carried_name(name) for name in dict.fromkeys(asked.carry)]
    CARRIED.write(source.table[["collision_id", *names]], folder)
    Carried(warnings=source.carried.warnings).write(folder / TOLD)
    return [Entry("carried columns", "done", "", len(names)), *source.carried.entries]


def load_carried(plan: Plan) -> Carried:
    """Read what is to be known of carried columns."""
    return Carried.read(plan.stage_folder("carried") / TOLD)


STAGE = Stage(
    "carried",
    build,
    counts=("carried columns",),
    after=("collisions",),
    settings=("collisions",),
    inputs=sources_of,
    tables=(CARRIED,),
    documents=(Carried,),
)
