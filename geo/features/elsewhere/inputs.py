"""Which files sources of embeddings stand for, without opening them: every run that changes nothing asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from geo.addresses import is_url
from geo.imagery.sources import expand_sources

OF_CHIPS = (".parquet", ".geoparquet", ".gpq")
"""Endings of files of chips."""
SCALES = "_scales.npy"
"""What stands for ``.npy`` in the name of the array of scales."""
_LANDMASKS = (".tiff", ".tif", "_landmask.tiff", "_landmask.tif")


def parts_of(path: str) -> list[str]:
    """Name the files that one source is read from: itself, or of an array of codes the scales and the landmask too."""
    if not path.endswith(".npy"):
        return [path]
    stem = path.removesuffix(".npy")
    masks = [stem + end for end in _LANDMASKS]
    return [path, stem + SCALES, next((mask for mask in masks if Path(mask).exists()), masks[0])]


def files_of(sources: Iterable[str]) -> list[str]:
    """List the files of embeddings that sources stand for, sorted, each once, without the parts that belong to others.

    Folders stand for what is in them at any depth: GeoParquet, ``.npy`` and their parts, or GeoTIFFs.
    """
    found: set[str] = set()
    for source in sources:
        inside = [] if is_url(source) else [str(path) for path in Path(source).rglob("*") if path.is_file()]
        tables = [path for path in inside if path.lower().endswith((*OF_CHIPS, ".npy"))]
        found.update(tables or expand_sources([source]))
    arrays = {path for path in found if path.endswith(".npy") and not path.endswith(SCALES)}
    parts = {part for path in arrays for part in parts_of(path)[1:]}
    return sorted(path for path in found if path not in parts and not path.endswith(SCALES))


def inputs_of(sources: Iterable[str]) -> list[str]:
    """List every file that is read, parts too."""
    return sorted({part for path in files_of(sources) for part in parts_of(path)})


def of_chips(path: str) -> bool:
    """Tell whether a file holds chips, else pixels."""
    return path.lower().endswith(OF_CHIPS)
