"""All stages, in the order in which they run: what may refuse an input before what takes hours."""

from __future__ import annotations

from tasks.stages import (
    clusters,
    collisions,
    concentration,
    exposure,
    features,
    fingerprints,
    flights,
    inference,
    interventions,
    junction_clusters,
    junction_tests,
    matching,
    package,
    pictures,
    report,
    roads,
    safety,
    systemic,
    tiles,
)

STAGES = (
    roads.STAGE,
    tiles.STAGE,
    collisions.STAGE,
    exposure.STAGE,
    matching.STAGE,
    features.STAGE,
    fingerprints.STAGE,
    clusters.STAGE,
    flights.STAGE,
    junction_clusters.STAGE,
    safety.STAGE,
    inference.STAGE,
    junction_tests.STAGE,
    systemic.STAGE,
    concentration.STAGE,
    interventions.STAGE,
    pictures.STAGE,
    package.STAGE,
    report.STAGE,
)
