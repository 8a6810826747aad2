"""Which files that a VRT refers to are not there or are none, and where its pixels are missing for it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError

from geo.addresses import is_url
from geo.tiles.grid import PixelWindow

BESIDE = frozenset({".aux", ".xml", ".ovr", ".msk", ".tfw", ".jgw", ".pgw", ".wld", ".prj"})
"""Of files that say more of a raster, but are none themselves."""


def lost_parts(raster: rasterio.DatasetReader) -> list[str]:
    """List the files of a raster that are not there, as paths; what lies behind an address is not looked at.

    Of a VRT also those that GDAL cannot open.
    """
    parts = (part for part in raster.files if part != raster.name and not is_url(part))
    is_found = _opens if raster.driver == "VRT" else Path.exists
    return sorted(part for part in parts if not is_found(Path(part)))


def lost_windows(raster: rasterio.DatasetReader) -> tuple[PixelWindow, ...]:
    """Find where the files of a VRT that are not there would lie.

    GDAL reports a file that it cannot open once, with many files open not even that, and gives zeros in its place:
    nothing tells them from black ground. So it is not asked for them.

    Returns
    -------
    Windows of pixels of the raster itself; none for a raster of another kind.
    """
    if raster.driver != "VRT" or not lost_parts(raster):
        return ()
    folder = Path(raster.name).parent
    # what GDAL itself wrote of a file that it has opened
    written = ET.fromstring(raster.tags(ns="xml:VRT")["xml:VRT"])  # noqa: S314
    whole = PixelWindow(0, 0, raster.height, raster.width)
    windows = {_place(source) or whole for source, path in _sources(written, folder) if not _is_there(path)}
    return tuple(sorted(windows, key=lambda one: (one.row, one.col, one.height, one.width)))


def overlap(one: PixelWindow, other: PixelWindow) -> bool:
    """Tell whether two windows share a pixel."""
    return (
        one.row < other.row + other.height
        and other.row < one.row + one.height
        and one.col < other.col + other.width
        and other.col < one.col + one.width
    )


def _sources(written: ET.Element, folder: Path) -> Iterator[tuple[ET.Element, str]]:
    """Give each source of each band, and the file that it refers to."""
    for source in written.iter():
        name = source.find("SourceFilename")
        if name is not None and name.text:
            relative = name.get("relativeToVRT") == "1" and not is_url(name.text)
            yield source, str(folder / name.text) if relative else name.text


def _is_there(path: str) -> bool:
    """Whether a file can be opened, or is none: an address, or a part of a file that GDAL has words for."""
    return is_url(path) or ":" in path or path.lstrip().startswith("<") or _opens(Path(path))


def _opens(path: Path) -> bool:
    """Whether GDAL opens a file; masks and statistics beside it, which are no rasters, need only be there."""
    try:
        found = path.stat()
    except OSError:
        return False
    return path.suffix.lower() in BESIDE or _opened(str(path), found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=100_000)
def _opened(path: str, _changed_ns: int, _size: int) -> bool:
    """Whether GDAL opens a file as it is now."""
    try:
        rasterio.open(path).close()
    except RasterioError:
        return False
    return True


def _place(source: ET.Element) -> PixelWindow | None:
    """Find the window that a source fills."""
    at = source.find("DstRect")
    if at is None:
        return None
    left, top, width, height = (float(at.get(name, "0")) for name in ("xOff", "yOff", "xSize", "ySize"))
    return PixelWindow.enclosing(left, top, left + width, top + height)
