"""Runs of several cities by one typology laid out beside each other: a page and a GeoPackage."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geo.cities.beside import TypedCity, lengths, summarise, types_by_city
from geo.errors import ConfigurationError, LayerError, SourceError
from geo.outputs.cities.layers import LAYERS, SEGMENTS
from geo.outputs.cities.package import CRS, write_cities
from geo.outputs.cities.page import render
from geo.outputs.files.dated import FILE_DATE
from geo.outputs.names import looks_of
from geo.outputs.palette import Look
from geo.outputs.wording import LIKE_NONE, NO_IMAGERY
from tasks.results.opened import OpenRun
from tasks.results.opening import open_run

PAGE, PACKAGE = "cities.html", "cities.gpkg"
LEAST = 2


def compare(places: Sequence[Path], out: Path) -> dict[str, Any]:
    """Lay runs out beside each other.

    Parameters
    ----------
    places
        Folders of runs or of cities, at least two cities, all with the types of one typology.
    out
        Folder that the page and the GeoPackage go to.

    Returns
    -------
    What the command line prints.

    Raises
    ------
    LayerError
        When there are fewer than two cities.
    ConfigurationError
        When a run has types of its own, types of another typology, or two runs are of one city.
    SourceError
        When a run cannot be read, or the results not written.
    """
    runs = [open_run(place) for place in places]
    used = _one_typology(runs)
    cities = [TypedCity(run.city, run.segments, run.types) for run in runs]
    looks = _looks(cities)
    tables = {
        "cities": lengths(cities).assign(
            run=[run.facts.get("run", run.geopackage.parent.name) for run in runs]
        ),
        "types_by_city": types_by_city(cities),
        SEGMENTS.name: _segments(cities),
    }
    tables["types_together"] = summarise(tables["types_by_city"])
    for name in ("types_by_city", "types_together"):
        numbers = tables[name]["cluster"].astype("int64")
        tables[name] = tables[name].assign(
            name=[looks[number][0] for number in numbers],
            colour=[looks[number][1].colour for number in numbers],
        )
    page = render(tables, looks, version=used["version"], fitted=used["cities"], file=PACKAGE)
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_cities(out / PACKAGE, tables, looks, date=FILE_DATE)
        part = out / f".{PAGE}.{os.getpid()}"
        part.write_text(page, encoding="utf-8")
        part.replace(out / PAGE)
    except OSError as error:
        raise SourceError(
            f"the results cannot be written ({error.strerror})",
            where=str(out),
            todo="Name a folder that can be written to.",
        ) from error
    return {
        "page": str((out / PAGE).resolve()),
        "geopackage": str((out / PACKAGE).resolve()),
        "version": used["version"],
        **{
            layer.name: json.loads(
                tables[layer.name].reindex(columns=[c.name for c in layer.columns]).to_json(orient="records")
            )
            for layer in LAYERS
            if layer.geometry is None
        },
    }


def _one_typology(runs: Sequence[OpenRun]) -> dict[str, Any]:
    """Make sure that the types of all runs are those of one typology; gives what the first says of it."""
    if len(runs) < LEAST:
        raise LayerError(
            "there is one city or none: nothing to lay it beside",
            where="roadprint typology compare",
            todo="Name the folders of finished runs of two cities or more.",
        )
    told = []
    for run in runs:
        said = run.facts.get("typology")
        if said is None:
            raise ConfigurationError(
                "its types were found in it alone, and mean nothing elsewhere",
                where=str(run.geopackage),
                todo="Run it with clusters.typology.",
            )
        told.append(json.loads(said))
    for run, said in zip(runs, told, strict=True):
        if said["digest"] != told[0]["digest"]:
            raise ConfigurationError(
                f"its types are of another typology (version {said['version']}) than those of {runs[0].city} "
                f"(version {told[0]['version']})",
                where=str(run.geopackage),
                todo="Run all cities with one file in clusters.typology.",
            )
    names = [run.city for run in runs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(
            f"there are several runs of {', '.join(twice)}, which would count as several cities",
            where="roadprint typology compare",
            todo="Name one run of each city.",
        )
    return dict(told[0])


def _looks(cities: Sequence[TypedCity]) -> dict[int, tuple[str, Look]]:
    """Give the title and look of each type, which are the same in every city that has it."""
    found: dict[int, tuple[str, Look]] = {}
    for one in cities:
        found = looks_of(one.types) | found
    return found


def _segments(cities: Sequence[TypedCity]) -> gpd.GeoDataFrame:
    """Bring the segments of all cities together, in degrees."""
    parts = []
    for one in cities:
        frame = one.segments.to_crs(CRS)
        kept = frame.reindex(columns=[column.name for column in SEGMENTS.columns])
        untyped = frame["cluster"].isna()
        unseen = frame.get("cluster_baseline", pd.Series(pd.NA, index=frame.index)).isna()
        why = pd.Series(pd.NA, index=frame.index, dtype="string")
        why = why.mask(untyped & unseen, NO_IMAGERY).mask(untyped & ~unseen, LIKE_NONE)
        parts.append(
            gpd.GeoDataFrame(
                kept.assign(city=one.city, untyped=why), geometry=frame.geometry.to_numpy(), crs=CRS
            )
        )
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=CRS)
