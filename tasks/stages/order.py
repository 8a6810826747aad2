"""All stages, in the order in which they run: what may refuse an input before what takes hours."""

from __future__ import annotations

from tasks.stages.ground import beside_types, classes, mapping, things, vegetation
from tasks.stages.imagery import features, fingerprints, matching
from tasks.stages.network import roads, tiles
from tasks.stages.outputs import backdrop, package, pictures, report
from tasks.stages.records import carried, collisions, exposure
from tasks.stages.safety import concentration, inference, interventions, junction_tests, safety, systemic
from tasks.stages.types import clusters, concepts, flights, junction_clusters, words

STAGES = (
    roads.STAGE,
    tiles.STAGE,
    collisions.STAGE,
    carried.STAGE,
    exposure.STAGE,
    matching.STAGE,
    classes.STAGE,
    features.STAGE,
    mapping.STAGE,
    vegetation.STAGE,
    things.STAGE,
    fingerprints.STAGE,
    clusters.STAGE,
    flights.STAGE,
    concepts.STAGE,
    words.STAGE,
    junction_clusters.STAGE,
    safety.STAGE,
    inference.STAGE,
    beside_types.STAGE,
    junction_tests.STAGE,
    systemic.STAGE,
    concentration.STAGE,
    interventions.STAGE,
    backdrop.STAGE,
    pictures.STAGE,
    package.STAGE,
    report.STAGE,
)
