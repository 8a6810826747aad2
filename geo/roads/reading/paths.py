"""The files that roads are read from, and what their names tell."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from geo.addresses import is_url


def expand_roads(sources: Iterable[str]) -> list[str]:
    """List the files that sources stand for, each once; a glob that finds nothing stays as it is."""
    found = [match for source in sources for match in _matches(source)]
    return list(dict.fromkeys(found))


def _matches(source: str) -> list[str]:
    if is_url(source) or Path(source).exists():
        return [source]
    # the library of paths cannot match an absolute pattern
    return sorted(glob.glob(source, recursive=True)) or [source]  # noqa: PTH207


def is_parquet(source: str) -> bool:
    """Tell GeoParquet by its ending."""
    return Path(source).suffix.lower() in {".parquet", ".geoparquet"}


def is_openstreetmap(source: str) -> bool:
    """Tell an extract of OpenStreetMap in a format of its own, which has ways and tags, by its ending."""
    return source.lower().endswith((".pbf", ".osm", ".osm.bz2"))
