"""Files that a driver looks for beside the one that is named: world files, masks, overviews, parts of a Shapefile."""

from __future__ import annotations

import os
import time
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

AFTER_THE_NAME = (".aux", ".aux.xml", ".hdr", ".msk", ".ovr")
"""Follow a raster's whole name: GDAL's documentation of PAM, of masks and of overviews; ``.hdr`` of ENVI's rasters."""
_OF_TABLES = {
    "csv": ("csvt", "prj"),
    "tsv": ("csvt", "prj"),
    "gml": ("gfs", "xsd"),
    **dict.fromkeys(
        ("shp", "dbf"),
        ("shp", "shx", "dbf", "prj", "cpg", "cst", "qix", "sbn", "sbx", "idm", "ind", "dbt", "fpt"),
    ),
    **dict.fromkeys(("tab", "mif"), ("tab", "dat", "dbf", "map", "id", "ind", "mif", "mid")),
    # one file each; another file of that name is another source
    **dict.fromkeys(("fgb", "geojson", "gpkg", "json", "ods", "parquet", "pbf", "sqlite", "xlsx"), ()),
}
"""By the ending of a table, the endings that replace it (documentation of GDAL's vector drivers)."""
_OF_RASTERS = ("aux", "clr", "hdr", "ige", "imd", "prj", "rpb", "rrd", "stx", "tab", "wld")
"""Endings that replace that of a raster (documentation of GDAL's raster drivers)."""
_OF_A_DATABASE = ("-wal", "-shm", "-journal")
COARSE_NS, FINE_NS = 2_000_000_000, 50_000_000
"""How much may pass between two changes that a file system gives one time: where it counts in seconds or pairs of them,
and where it takes the clock of the kernel, which ticks at least a hundred times a second."""


def endings(name: str) -> tuple[set[str], set[str]]:
    """List the endings, with their point, of the files that belong to one of that name.

    Returns
    -------
    Those that follow the name, and those that replace its own ending.
    """
    own = Path(name).suffix[1:].lower()
    if own in _OF_TABLES:
        return set(AFTER_THE_NAME), {f".{end}" for end in _OF_TABLES[own]}
    # a world file: first and last letter of the ending and w, or all of it and w
    world = {own[0] + own[-1] + "w", own + "w"} if own else set()
    return set(AFTER_THE_NAME), {f".{end}" for end in {*_OF_RASTERS, *world}}


def is_settled(changed_ns: int, seen_ns: int) -> bool:
    """Tell whether what was seen at a time is told from what was changed since by the time of change alone.

    Parameters
    ----------
    changed_ns
        When the file says that it was changed (nanoseconds).
    seen_ns
        When reading of the file began (nanoseconds since 1970).
    """
    reach = FINE_NS if changed_ns % 1_000_000_000 else COARSE_NS
    return abs(seen_ns - changed_ns) >= reach


@dataclass(frozen=True, slots=True)
class _Listing:
    """The names in a folder by what they begin with, up to each of their points; None where it may not be listed."""

    changed_ns: int
    seen_ns: int
    names: dict[str, list[str]] | None


class Folders:
    """Names of files in folders, each folder listed once as long as nothing comes or goes in it."""

    def __init__(self) -> None:
        self._listings: dict[Path, _Listing] = {}
        self._looked: set[Path] = set()

    def look_again(self) -> None:
        """See at the next question whether anything came or went."""
        self._looked.clear()

    def beside(self, path: Path) -> list[Path]:
        """Find what belongs to a file by its name, of whatever case; where a folder may not be listed, guesses."""
        after, instead = endings(path.name)
        names = self._names(path.parent)
        if names is None:
            guesses = {path.name + end for end in after} | {path.stem + end for end in instead}
            guesses |= {guess[: -len(Path(guess).suffix)] + Path(guess).suffix.upper() for guess in guesses}
            return sorted(path.with_name(name) for name in guesses - {path.name})
        whole, stem = _plain(path.name), _plain(path.stem)
        wanted = {whole + end for end in after} | {stem + end for end in instead}
        return sorted(
            path.with_name(n) for n in names.get(stem, []) if n != path.name and _plain(n) in wanted
        )

    def alike(self, path: Path) -> list[Path]:
        """List what else has a name that begins as that of a file, up to its ending, but for SQLite's passing files."""
        names = (self._names(path.parent) or {}).get(_plain(path.stem), [])
        return sorted(path.with_name(n) for n in names if n != path.name and not n.endswith(_OF_A_DATABASE))

    def may_hold(self, path: Path) -> bool:
        """Tell whether a path is there, or may be where its folder may not be listed."""
        names = self._names(path.parent)
        return names is None or _plain(path.name) in names

    def _names(self, folder: Path) -> dict[str, list[str]] | None:
        """List a folder, or take the listing from before."""
        known = self._listings.get(folder)
        if known is None or folder not in self._looked:
            self._looked.add(folder)
            changed = folder.stat().st_mtime_ns
            if known is None or known.changed_ns != changed or not is_settled(changed, known.seen_ns):
                known = self._listings[folder] = _Listing(changed, time.time_ns(), _index(folder))
        return known.names


def _index(folder: Path) -> dict[str, list[str]] | None:
    try:
        found = os.listdir(folder)  # noqa: PTH208 - names are enough
    except PermissionError:
        return None
    names: dict[str, list[str]] = defaultdict(list)
    for name in found:
        plain = _plain(name)
        for i, letter in enumerate(plain):
            if letter == ".":
                names[plain[:i]].append(name)
        names[plain].append(name)
    return dict(names)


def _plain(name: str) -> str:
    """Write a name as file systems that tell no case compare it."""
    return unicodedata.normalize("NFC", name).casefold()
