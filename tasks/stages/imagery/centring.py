"""Fingerprints centred by flight, where that is asked for and does no harm: a part of the stage ``fingerprints``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.config import CityConfig
from geo.config.section import effective
from tasks.documents import Centring, tried_of
from tasks.plan import Plan
from tasks.stages.imagery.trial import HEEDED

if TYPE_CHECKING:
    from geo.features.fingerprints import Fingerprints

DOCUMENT = "centring.json"
WHAT = "imagery.centre"
TRIED = 1500
"""Segments of each flight that it is tried on: nothing is encoded for it."""


def centre_roads(plan: Plan, found: Fingerprints, tiles: pd.DataFrame, folder: Path) -> Fingerprints:
    """Centre the fingerprints of segments by flight, unless that lowers the transfer of road class.

    Parameters
    ----------
    found
        Fingerprints of segments.
    tiles
        The encoded tiles that they are pooled from: ``segment_id, image_id, coverage``.
    folder
        Of the stage, where ``centring.json`` is written.
    """
    if not plan.config.imagery.centre:
        Centring(asked=False, centred=False, left_out={}, tried=None, notes=[], warnings=[]).write(
            folder / DOCUMENT
        )
        return found
    from geo.clusters.flights.centring import centre
    from geo.clusters.flights.trial import choose_tried, try_correction

    segments = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet").set_index("segment_id")
    mine = segments.loc[found.segment_ids]
    middle = mine.geometry.interpolate(0.5, normalized=True)
    roads = pd.DataFrame(mine[["road_class", "length_m"]]).assign(
        flight=_flights(plan, tiles).reindex(mine.index), x=middle.x, y=middle.y
    )
    moved, left_out = centre(found.vectors, roads["flight"])
    several = roads["flight"].nunique() - len(left_out) > 1
    trial = None
    if several:
        rows = roads.index.get_indexer(choose_tried(roads, TRIED))
        trial = try_correction(found.vectors[rows], moved[rows], roads.iloc[rows], plan.config.clusters)
    done = several and (trial is None or not trial.undone)
    told = [] if trial is None else [trial.said(WHAT)]
    if not several:
        told.append(f"{WHAT} changes nothing: fewer than two flights have a mean of their own")
    elif left_out:
        why = "; ".join(f"{name}: {reason}" for name, reason in list(left_out.items())[:3])
        told.append(f"{WHAT} leaves {len(left_out)} flights as they are ({why})")
    Centring(
        asked=True,
        centred=done,
        left_out=left_out,
        tried=None if trial is None else tried_of(trial),
        notes=told if done else [],
        warnings=[] if done else told,
    ).write(folder / DOCUMENT)
    return replace(found, vectors=moved) if done else found


def centre_junctions(plan: Plan, found: Fingerprints, tiles: pd.DataFrame, folder: Path) -> Fingerprints:
    """Centre the fingerprints of junctions by flight, where those of roads were; parameters as of the above."""
    if not load_centring(folder).centred:
        return found
    from geo.clusters.flights.centring import centre

    moved, _ = centre(found.vectors, _flights(plan, tiles).reindex(found.segment_ids))
    return replace(found, vectors=moved)


def load_centring(folder: Path) -> Centring:
    """Read whether fingerprints were centred, from the folder of their stage."""
    return Centring.read(folder / DOCUMENT)


def _flights(plan: Plan, tiles: pd.DataFrame) -> pd.Series[str]:
    """Tell which flight shows most of each place."""
    from geo.clusters.flights.evidence import by_segment
    from geo.imagery.flights.naming import flight_of

    images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet")
    flights = flight_of(images, plan.config.imagery)
    return by_segment(tiles, dict(zip(images["image_id"], flights, strict=True)))


def centring_inputs(config: CityConfig) -> list[str]:
    """Name the file of outlines of flights, where it is read."""
    if not config.imagery.centre:
        return []
    outlines = config.imagery.footprints
    return [] if outlines is None else [outlines]


def centring_settings(config: CityConfig) -> object:
    """Name what decides the centring; nothing where it is not asked for."""
    if not config.imagery.centre:
        return None
    names = ("imagery.flight", "imagery.footprints", "imagery.flight_field")
    return effective(config, [*names, *(f"clusters.{key}" for key in HEEDED)])
