"""How long the stages of a run may take: as long as before, or as long as cities of its size take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.stages.order import STAGES
from tasks.store.status import usual_seconds

if TYPE_CHECKING:
    from tasks.plan import Plan

COUNTED = ("ground_classes", "features", "ground")
"""Stages whose time hangs on the encoder and the imagery: what is counted in them tells it, or an earlier run."""
BY_SIZE: dict[str, tuple[float, float]] = {
    "roads": (0.5, 0.25),
    "tiles": (1.5, 0.02),
    "collisions": (0.5, 0.06),
    "fingerprints": (0.5, 0.02),
    "clusters": (4.0, 0.04),
    "words": (0.7, 0.0),
    "junction_clusters": (1.5, 0.02),
    "safety": (2.0, 0.42),
    "inference": (3.5, 0.09),
    "junction_tests": (1.0, 0.17),
    "systemic": (1.0, 0.4),
    "concentration": (1.5, 0.58),
    "pictures": (2.0, 0.0),
    "package": (2.0, 0.07),
    "report": (2.5, 0.05),
}
"""Seconds that a stage takes of any city, and of each 1000 segments: as ``run.json`` tells of the demo town and of the
real case (23,722 segments, docs/real-case.md), on two cores. Stages that are not named take next to nothing."""
STARTING = 8.0
"""Seconds that a run takes before its first stage, of which Prefect's temporary server is the most."""


def expected_seconds(plan: Plan) -> dict[str, float | None]:
    """Say how long each stage of a run may take, before any is run (seconds).

    Returns
    -------
    By stage, in their order: 0 where it is kept, else how long it took the last time; None where nothing tells yet.
    """
    usual = usual_seconds(plan.folder)
    asked = {"ground_classes": plan.config.ground.maps, "ground": plan.config.ground.maps}
    return {
        name: 0.0 if plan.stage_folder(name).is_dir() or not asked.get(name, True) else usual.get(name)
        for name in plan.keys
    }


def seconds_by_size(n_segments: int) -> dict[str, float]:
    """Say how long stages take of a city of so many segments (seconds), but those that are counted (`COUNTED`).

    Parameters
    ----------
    n_segments
        Segments of the city.
    """
    sizes = {stage.name: BY_SIZE.get(stage.name, (0.0, 0.0)) for stage in STAGES if stage.name not in COUNTED}
    return {name: once + each * n_segments / 1000 for name, (once, each) in sizes.items()}
