"""Cities as a typology is fitted on them: read from runs that ended, or from the stages of a city's file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq

from geo.clusters.typology.fit import CityLooks
from geo.clusters.typology.made_by import made_by
from geo.clusters.typology.model import Typology
from geo.errors import SourceError
from geo.features.fingerprints import read_fingerprints
from geo.outputs.names import FILE as NAMES
from geo.outputs.names import names_in, read_names
from geo.sources.files import digest_file
from tasks.earlier import TABLES
from tasks.plan import Plan
from tasks.results.opened import FINGERPRINTS, OpenRun
from tasks.results.opening import open_run
from tasks.stages.imagery.fingerprints import FILE
from tasks.store.summary import LATEST, SUMMARY

STAGES_OF_LOOKS = ("roads", "tiles", "matching", "features", "fingerprints")
"""The stages behind a city's fingerprints, and no other."""
COLUMNS = ("segment_id", "name", "ref")


def is_city_file(place: Path) -> bool:
    """Tell whether a place is a city's file, of which stages are made where they are missing."""
    return place.is_file() and place.suffix.lower() in {".yaml", ".yml"}


def spread(places: Iterable[Path]) -> list[Path]:
    """Put the cities that a folder of results holds in its place; a city's file, or a run's folder, stays.

    Parameters
    ----------
    places
        Paths as they were given.
    """
    found: list[Path] = []
    for place in places:
        inside = place.is_dir() and not (place / SUMMARY).exists() and not (place / LATEST).exists()
        below = sorted(one.parent for one in place.glob(f"*/{LATEST}")) if inside else []
        found += below or [place]
    return found


def not_in(earlier: Typology | None, cities: Sequence[CityLooks]) -> list[str]:
    """Name the cities that a typology was not fitted on.

    Parameters
    ----------
    earlier
        The typology; None: there is none yet.
    cities
        Cities as they are now.
    """
    known = set() if earlier is None else {one.city for one in earlier.card.cities}
    return [one.city for one in cities if one.city not in known]


def looks_of_run(place: Path) -> CityLooks:
    """Read what a finished run knows of its segments.

    Parameters
    ----------
    place
        A run's folder, or a city's folder: its newest run.

    Raises
    ------
    SourceError
        When there is no run, or it has no fingerprints.
    """
    run = open_run(place)
    segments = run.segments
    file = fingerprints_of(run)
    typed = None if _by_typology(run) else segments.set_index("segment_id")["cluster"]
    return _looks(run.city, file, segments, typed, run.geopackage)


def looks_of_plan(plan: Plan) -> CityLooks:
    """Read what the stages of a city's file know of its segments (`STAGES_OF_LOOKS`, which have been made)."""
    segments = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    file = plan.stage_folder("fingerprints") / FILE
    return _looks(plan.config.city, file, segments, None, plan.geopackage)


def fingerprints_of(run: OpenRun) -> Path:
    """Find the file of a run's fingerprints, as the run left it.

    Raises
    ------
    SourceError
        When it is not there, or was changed.
    """
    if run.fingerprints.empty or run.folder is None:
        raise SourceError(
            "it has no fingerprints", where=str(run.geopackage), todo="Name the folder of a finished run."
        )
    return run.folder / TABLES / f"{FINGERPRINTS}.parquet"


def _by_typology(run: OpenRun) -> bool:
    """Tell whether the types of a run are those of a typology, which has their names itself."""
    return bool((run.configuration.get("clusters") or {}).get("typology"))


def _looks(
    city: str, file: Path, segments: gpd.GeoDataFrame, typed: pd.Series | None, named: Path
) -> CityLooks:
    found = read_fingerprints(file)
    roads = segments.set_index("segment_id", drop=False).loc[found.segment_ids].reset_index(drop=True)
    names = {} if typed is None else {**names_in(named), **read_names(named.parent.parent / NAMES)}
    return CityLooks(
        city=city,
        vectors=found.vectors,
        roads=gpd.GeoDataFrame(
            {name: roads[name] for name in COLUMNS if name in roads},
            geometry=roads.geometry.to_numpy(),
            crs=segments.crs,
        ),
        made_by=made_by(pq.read_schema(file).metadata),
        digest=digest_file(file),
        types=None if typed is None else typed.reindex(found.segment_ids).reset_index(drop=True),
        names=names,
    )
