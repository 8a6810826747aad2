"""roadprint: a visual fingerprint for every road segment of a city, and what is known about collisions on each type.

`run_city` runs a city as the command line does, and `open` opens what a run found out: an `OpenRun`, with tables, the
worst roads, roads that look alike, and pictures. `run_variants` runs it with one choice made otherwise at a time, and
says which findings stand. `typology_flow` finds types in several cities together. The science behind it can be called
by itself:

- roads: `read_roads`, `build_network`, `to_osmnx`
- imagery: `open_catalogue`, `place_tiles`, `cover_tiles`, `load_encoder`, `embed_tiles`
- types: `fingerprint`, `pool_segments`, `to_space`, `find_types`, `most_like`, `same_place`
- collisions: `read_collisions`, `period_covered`, `place_collisions`
- safety: `count_places`, `rate_segments`, `poisson_interval`, `estimate_outcomes`, `worst_segments`, `cluster_tests`
- a city's file and its sections: `load_city`, `Roads`, `Segments`, `Imagery`, `Tiles`, `encoder_settings`, `Clusters`,
  `Collisions`, `collision_settings`

The code is in three packages beside this one, `geo`, `tasks` and `flows`. Those are names that other people use as
well, for a folder with their own scripts for example. Once this package is imported, the three names mean the packages
that stand beside it, whatever lies in the working folder or on ``PYTHONPATH``. Importing it imports nothing more, and
sets nothing in the environment; what it offers is imported when it is asked for.

Raises
------
ImportError
    When somebody else's package of one of these names is imported already.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.city import city_flow
    from flows.running import run_city, run_variants
    from flows.typologies import typology_flow
    from geo.clusters.found.road_types import find_types
    from geo.clusters.likeness.alike import most_like, same_place
    from geo.clusters.space import to_space
    from geo.collisions.assign import place_collisions
    from geo.collisions.period import period_covered
    from geo.collisions.read import read_collisions
    from geo.config import (
        Clusters,
        Collisions,
        Imagery,
        Roads,
        Segments,
        Tiles,
        collision_settings,
        encoder_settings,
    )
    from geo.config import load as load_city
    from geo.errors import ConfigurationError, EncoderError, LayerError, RoadprintError, SourceError
    from geo.features.embed import embed_tiles
    from geo.features.fingerprints import fingerprint
    from geo.features.pooling import pool_segments
    from geo.features.registry import load_encoder
    from geo.imagery.catalogue import open_catalogue
    from geo.imagery.cover import cover_tiles
    from geo.outputs.files.reading import read_layer
    from geo.roads.graph import to_osmnx
    from geo.roads.read import read_roads
    from geo.roads.segments import build_network
    from geo.safety.comparison.inference import cluster_tests
    from geo.safety.expected.estimates import estimate_outcomes
    from geo.safety.expected.ranking import worst_segments
    from geo.safety.places import count_places, rate_segments
    from geo.safety.rates import poisson_interval
    from geo.tiles.along import place_tiles
    from tasks.results.opened import OpenRun
    from tasks.results.opening import open_run as open  # noqa: A004 - roadprint.open, as gzip.open

__all__ = [
    "Clusters",
    "Collisions",
    "ConfigurationError",
    "EncoderError",
    "Imagery",
    "LayerError",
    "OpenRun",
    "RoadprintError",
    "Roads",
    "Segments",
    "SourceError",
    "Tiles",
    "build_network",
    "city_flow",
    "cluster_tests",
    "collision_settings",
    "count_places",
    "cover_tiles",
    "embed_tiles",
    "encoder_settings",
    "estimate_outcomes",
    "find_types",
    "fingerprint",
    "load_city",
    "load_encoder",
    "most_like",
    "open",
    "open_catalogue",
    "period_covered",
    "place_collisions",
    "place_tiles",
    "poisson_interval",
    "pool_segments",
    "rate_segments",
    "read_collisions",
    "read_layer",
    "read_roads",
    "run_city",
    "run_variants",
    "same_place",
    "to_osmnx",
    "to_space",
    "typology_flow",
    "worst_segments",
]

_BESIDE = Path(__file__).resolve().parents[1]
_FLOORS = ("geo", "tasks", "flows")
_PLACES = {
    "city_flow": "flows.city",
    "run_city": "flows.running",
    "run_variants": "flows.running",
    "typology_flow": "flows.typologies",
    "most_like": "geo.clusters.likeness.alike",
    "same_place": "geo.clusters.likeness.alike",
    "find_types": "geo.clusters.found.road_types",
    "to_space": "geo.clusters.space",
    "place_collisions": "geo.collisions.assign",
    "period_covered": "geo.collisions.period",
    "read_collisions": "geo.collisions.read",
    "Clusters": "geo.config",
    "Collisions": "geo.config",
    "Imagery": "geo.config",
    "Roads": "geo.config",
    "Segments": "geo.config",
    "Tiles": "geo.config",
    "collision_settings": "geo.config",
    "encoder_settings": "geo.config",
    "load_city": "geo.config:load",
    "ConfigurationError": "geo.errors",
    "EncoderError": "geo.errors",
    "LayerError": "geo.errors",
    "RoadprintError": "geo.errors",
    "SourceError": "geo.errors",
    "embed_tiles": "geo.features.embed",
    "fingerprint": "geo.features.fingerprints",
    "pool_segments": "geo.features.pooling",
    "load_encoder": "geo.features.registry",
    "open_catalogue": "geo.imagery.catalogue",
    "cover_tiles": "geo.imagery.cover",
    "read_layer": "geo.outputs.files.reading",
    "to_osmnx": "geo.roads.graph",
    "read_roads": "geo.roads.read",
    "build_network": "geo.roads.segments",
    "cluster_tests": "geo.safety.comparison.inference",
    "estimate_outcomes": "geo.safety.expected.estimates",
    "worst_segments": "geo.safety.expected.ranking",
    "count_places": "geo.safety.places",
    "rate_segments": "geo.safety.places",
    "poisson_interval": "geo.safety.rates",
    "place_tiles": "geo.tiles.along",
    "OpenRun": "tasks.results.opened",
    "open": "tasks.results.opening:open_run",
}
"""The module that each name is taken from, and what it is called there where that differs."""


class _Beside:
    """Finds the three packages beside this one, before any of the same name that lies elsewhere."""

    @staticmethod
    def find_spec(
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG004 - the interface's
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find one of the three; None for any other name."""
        if fullname not in _FLOORS:
            return None
        found = PathFinder.find_spec(fullname, [str(_BESIDE)], target)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(
                f"roadprint is not whole: {_BESIDE} has no package {fullname!r}", name=fullname
            )
        return found


def _refuse_strangers() -> None:
    """Make sure that what is imported already under one of the three names is ours."""
    for name in _FLOORS:
        module = sys.modules.get(name)
        if module is None:
            continue
        places = [Path(place).resolve() for place in getattr(module, "__path__", ())]
        if _BESIDE / name not in places:
            where = getattr(module, "__file__", None) or ", ".join(map(str, places))
            raise ImportError(
                f"roadprint has a package {name!r}, and another one is imported already: {where}. "
                "Import roadprint before it, or rename the other one.",
                name=name,
                path=where,
            )


if not TYPE_CHECKING:
    # a type checker would take any name for one of ours
    def __getattr__(name: str) -> object:
        """Import what is asked for (PEP 562): torch and Prefect take seconds."""
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, there = _PLACES[name].partition(":")
        found: object = getattr(import_module(module), there or name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    """List what there is, what is not imported yet included."""
    return sorted({*globals(), *_PLACES})


_refuse_strangers()
sys.meta_path.insert(0, _Beside())
