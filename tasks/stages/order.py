"""All stages, in the order in which they run."""

from __future__ import annotations

from tasks.stages import (
    clusters,
    collisions,
    concentration,
    exposure,
    features,
    fingerprints,
    inference,
    package,
    pictures,
    report,
    roads,
    safety,
    tiles,
)

STAGES = (
    roads.STAGE,
    tiles.STAGE,
    features.STAGE,
    fingerprints.STAGE,
    clusters.STAGE,
    collisions.STAGE,
    exposure.STAGE,
    safety.STAGE,
    inference.STAGE,
    concentration.STAGE,
    pictures.STAGE,
    package.STAGE,
    report.STAGE,
)
