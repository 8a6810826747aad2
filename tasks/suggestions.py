"""Where on the ground of a city a label would teach most, from what its run learned of the ground."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from geo.errors import ConfigurationError, SourceError
from geo.ground.file import read_classifier
from geo.ground.labels.drawn.reading import read_labels
from geo.ground.labels.settings import PLACE_M, Labels
from geo.ground.labels.suggesting import suggest, write_suggestions
from geo.ground.maps.pieces import Pieces, beside, sample_chips
from geo.ground.registry import way_of
from tasks.plan import Plan
from tasks.planning import make_plan
from tasks.recall import recall
from tasks.results.opening import open_run
from tasks.shards.map_ground import open_land
from tasks.stages.ground.classes import CHIPS, MODEL, images_of, surroundings
from tasks.store.stage import read_summary

MOST_CHIPS = 160
"""So many chips of ground are looked at at most, drawn by how much of them lies near roads."""
SUGGESTIONS = "suggestions.gpkg"


def suggest_labels(
    place: Path, overrides: Mapping[str, str], results: Path | None, file: Path | None, number: int
) -> dict[str, Any]:
    """Name the places whose label would teach most, and write them as a layer to open in QGIS.

    Parameters
    ----------
    place
        A city's file, or the folder or the GeoPackage of a run.
    overrides, results
        As for a run of the city's file.
    file
        The GeoPackage to write; None: ``suggestions.gpkg`` in the city's folder.
    number
        How many places.

    Raises
    ------
    ConfigurationError
        When the city's ground is not mapped.
    SourceError
        When the city was not run so, or the file cannot be written.
    """
    plan = _plan(place, overrides, results)
    if not plan.config.ground.maps:
        raise ConfigurationError(
            "the ground of this city is not mapped, so that nothing is known of what is hard to tell apart",
            where=str(place),
            todo="Set ground: unsupervised in the city's file, and run it; labels take its place later.",
        )
    target = file or plan.folder / SUGGESTIONS
    if target.exists():
        raise SourceError(
            "it is there already",
            where=str(target),
            todo="Name another file with --out, or move that one away.",
        )

    squares = _squares(plan, number)
    write_suggestions(target, squares)
    rows = squares.drop(columns="geometry").assign(
        x=squares.geometry.centroid.x.round(1), y=squares.geometry.centroid.y.round(1)
    )
    return {
        "city": plan.config.city,
        "file": str(target),
        "crs": squares.crs.to_string(),
        "places": rows.to_dict(orient="records"),
    }


def _plan(place: Path, overrides: Mapping[str, str], results: Path | None) -> Plan:
    """Plan what a city's file, or a run, is made of."""
    if place.suffix.lower() in {".yaml", ".yml"}:
        return make_plan(place, overrides, results)
    made = open_run(place).geopackage
    recalled = recall(made, overrides)
    # a run lies in the folder of its city, and that one in the folder of results
    return make_plan(made, overrides, results or made.resolve().parents[2], base=recalled.base)


def _squares(plan: Plan, number: int) -> gpd.GeoDataFrame:
    """Choose squares on the ground that the run looked at."""
    folder = plan.stage_folder("ground_classes")
    if read_summary(folder) is None or not (folder / MODEL).exists():
        raise SourceError(
            "no classes of ground of this configuration are kept"
            if read_summary(folder) is None
            else "no class of ground could be learned, see the ledger",
            where=str(plan.folder),
            todo="Run the city with this configuration; with ground: unsupervised where labels do not suffice yet.",
        )
    way, around = way_of(plan.config.ground), surroundings(plan)
    labelled = np.zeros(0, dtype=object)
    if isinstance(way, Labels):
        labelled = read_labels(way, around).rows.geometry.to_numpy()
    land = open_land(plan.config, images_of(plan), None)
    near = beside(around.segments.geometry.to_numpy(), way.reach_m)
    chips = CHIPS.read(folder)
    some = sample_chips(chips, near, land.sight.lattice, MOST_CHIPS, way.seed)
    apart_m = way.place_m if isinstance(way, Labels) else PLACE_M
    found = suggest(
        Pieces(some, land), read_classifier(folder / MODEL), near, labelled, number=number, apart_m=apart_m
    )
    return found.set_crs(chips.crs)
