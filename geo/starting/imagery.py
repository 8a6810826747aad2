"""The section ``imagery``: which rasters show the city, and how their values and colours are to be read."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyproj

from geo.imagery.traits.colours import RGB
from geo.starting.files import Left
from geo.starting.guess import Guess, Option, best_first, counted, listed
from geo.starting.places import Points, named, share_within, told_crs
from geo.starting.rasters import Box, Raster, degrees_of, with_values

Groups = list[list[Raster]]
_IN_ARCHIVE = "/vsizip/"
_SAME = 0.5
"""A folder at least so many of whose rasters lie on those of another one shows the same ground."""
_ORDERS = (
    Option([3, 2, 1], "blue comes first, as in bands of satellites"),
    Option([2, 3, 4], "infrared comes first"),
)
_FINE_M = 2.0
"""Pixels larger than this (metres) show hardly more of a road than that it is there."""


def groups_of(rasters: Sequence[Raster]) -> tuple[Groups, list[Left]]:
    """Group rasters that can be read together: of one CRS, kind of value and number of bands, and like pixels.

    Returns
    -------
    The groups of what may be imagery, each with its first raster looked at closely; and what is none.
    """
    by_kind: dict[tuple[object, ...], list[Raster]] = defaultdict(list)
    for raster in rasters:
        crs = None if raster.crs is None else named(raster.crs) or raster.crs.name
        by_kind[crs, raster.dtype, raster.bands, float(f"{raster.pixel_m:.1g}")].append(raster)
    groups, left = [], []
    for kind in by_kind.values():
        first = with_values(kind[0])
        if first.grey and first.doubt:
            left += [Left(raster.path, first.doubt) for raster in kind]
        else:
            groups.append([first, *kind[1:]])
    colour = [group for group in groups if not group[0].grey]
    if colour:
        grey = [raster for group in groups if group[0].grey for raster in group]
        left += [Left(raster.path, "one band beside rasters in colour") for raster in grey]
        groups = colour
    return groups, left


def guess_sources(groups: Groups, roads: Points, base: Path) -> Guess:
    """Guess ``imagery.sources``.

    Parameters
    ----------
    groups
        Of `groups_of`.
    roads
        Places of roads in degrees; none where there are no roads.
    base
        Folder that the paths of the city's file start at.
    """
    if not groups:
        return Guess(
            "imagery.sources",
            ["imagery/*.tif"],
            ("No raster with a place on the ground was found: this is an example.",),
            doubt="Which files are the imagery?",
            example=True,
        )
    scored = []
    for group in groups:
        share = share_within(roads, _boxes(group))
        fine = 1.0 if group[0].pixel_m <= _FINE_M else 0.5
        says = tell(group) + (f", under {share:.0%} of the roads" if len(roads) and _boxes(group) else "")
        scored.append(((share if len(roads) else 1.0) * fine, Option(written(group, base), says)))
    options = best_first(scored)
    best, share = options[0], max(score for score, _ in scored)
    doubt = ""
    if len(roads) and share == 0 and any(raster.box for group in groups for raster in group):
        doubt = "No road lies in it: are imagery and roads of one place, and is the CRS of both right?"
    elif len(groups) > 1:
        doubt = f"Which of {len(groups)} sets of rasters is the imagery?"
    else:
        twice, folders = _shown_twice(groups[0], base)
        doubt, options = twice, [*options, *folders]
    return Guess("imagery.sources", best.value, (f"{best.says}.",), doubt, tuple(options[1:]))


def _shown_twice(group: Sequence[Raster], base: Path) -> tuple[str, list[Option]]:
    """Ask which of several folders is meant where they show the same ground: flights of several years, or copies."""
    folders: dict[str, list[Raster]] = defaultdict(list)
    for raster in group:
        if raster.box is not None:
            folders[str(Path(raster.path).parent)].append(raster)
    middles = {
        folder: np.array([[(r.box[0] + r.box[2]) / 2, (r.box[1] + r.box[3]) / 2] for r in mine if r.box])
        for folder, mine in folders.items()
    }
    again = {
        folder
        for folder, points in middles.items()
        for other, mine in folders.items()
        if other != folder and share_within(points, _boxes(mine)) >= _SAME
    }
    if not again:
        return "", []
    options = [
        Option(
            written(folders[folder], base),
            f"{counted(len(folders[folder]), 'raster')} of this folder {dates(folders[folder])}".strip(),
        )
        for folder in sorted(again)
    ]
    return (
        f"{len(again)} folders show the same ground: one of them, or all, with imagery.prefer saying which is seen?",
        options,
    )


def chosen(groups: Groups, value: object, base: Path) -> list[Raster]:
    """Find the rasters that a value of ``imagery.sources`` stands for; of one that somebody gave, those it names."""
    for group in groups:
        if written(group, base) == value:
            return group
    texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    wanted = [os.path.abspath(base / str(text)) for text in texts]  # noqa: PTH100 - links stay as they are
    return [
        raster
        for group in groups
        for raster in group
        if any(Path(_archive(raster.path)).match(one) or raster.path.startswith(f"{one}/") for one in wanted)
    ]


def tell(group: Sequence[Raster]) -> str:
    """Describe rasters of one kind in a sentence."""
    first = group[0]
    names = listed([Path(raster.path).name for raster in group], most=3)
    bits = "8 bit" if first.dtype == "uint8" else first.dtype
    pixel = f"pixels of {first.pixel_m:.3g} m, " if first.pixel_m else ""
    return (
        f"{counted(len(group), 'raster')} ({names}): {counted(first.bands, 'band')}, {bits}, {pixel}"
        f"{told_crs(first.crs)}"
    )


def written(group: Sequence[Raster], base: Path) -> list[str]:
    """Write rasters as sources: a pattern where it finds just them, else each by itself."""
    paths = sorted({_archive(raster.path) for raster in group})
    folders = {str(Path(path).parent) for path in paths}
    suffixes = {Path(path).suffix for path in paths}
    if len(paths) > 1 and len(suffixes) == 1:
        suffix = suffixes.pop()
        patterns = [
            f"{folder}/*{suffix}"
            for folder in sorted(folders)
            if sorted(map(str, Path(folder).glob(f"*{suffix}")))
            == [p for p in paths if str(Path(p).parent) == folder]
        ]
        if len(patterns) == len(folders):
            paths = patterns
    return [beside(path, base) for path in paths]


def _archive(path: str) -> str:
    """Name the archive that a raster lies in; of any other raster itself."""
    if not path.startswith(_IN_ARCHIVE):
        return path
    before, end, _ = path.removeprefix(_IN_ARCHIVE).partition(".zip/")
    return before + end.rstrip("/")


def beside(path: str, base: Path) -> str:
    """Write a path as it is found from a folder: relative to it where it lies below, else whole."""
    whole, start = Path(os.path.abspath(path)), Path(os.path.abspath(base))  # noqa: PTH100 - links stay as they are
    return whole.relative_to(start).as_posix() if whole.is_relative_to(start) else str(whole)


def guess_rest(group: Sequence[Raster], candidates: Sequence[pyproj.CRS], roads: Points) -> list[Guess]:
    """Guess what else the section needs: CRS, bands, scale; and say what is known of its date.

    Parameters
    ----------
    group
        The rasters that were chosen.
    candidates
        CRSs of roads and records, which one that states none may have, too.
    roads
        Places of roads in degrees.
    """
    if not group:
        return []
    guesses = []
    first = group[0]
    if any(raster.crs is None for raster in group):
        guesses.append(_crs(group, candidates, roads))
    if first.doubt:
        doubt = f"Which bands are red, green and blue? {first.doubt[0].upper()}{first.doubt[1:]}."
        value = [1, 2, 3] if first.bands >= 3 else [1, 1, 1]
        others = _ORDERS if first.bands > len(RGB) else ()
        guesses.append(Guess("imagery.bands", value, ("The file does not say.",), doubt, others))
    if first.scale is not None:
        why = f"Its values are {first.dtype}: nearly all of some that were looked at in {Path(first.path).name} lie so."
        doubt = "Which values are shown as black and white? All rasters should look natural between them."
        guesses.append(Guess("imagery.scale", list(first.scale), (why,), doubt))
    return guesses


def _crs(group: Sequence[Raster], candidates: Sequence[pyproj.CRS], roads: Points) -> Guess:
    """Guess the CRS of rasters that state none: the one that brings them to the roads."""
    options = []
    for crs in candidates:
        boxes = [box for raster in group if (box := degrees_of(raster.bounds, crs)) is not None]
        share, name = share_within(roads, boxes), named(crs)
        if share > 0 and name is not None:
            options.append((share, Option(name, f"{crs.name} puts it under {share:.0%} of the roads")))
    ordered = best_first(options)
    doubt = "Which CRS are the rasters in? They state none."
    if not ordered:
        return Guess(
            "imagery.crs", "EPSG:27700", ("An example: no CRS that was tried fits.",), doubt, left_out=True
        )
    best = ordered[0]
    return Guess("imagery.crs", best.value, (f"{best.says}.",), doubt, tuple(ordered[1:]))


def with_crs(group: Sequence[Raster], crs: object) -> list[Raster]:
    """Give rasters that state no CRS the one that was named."""
    if not isinstance(crs, str):
        return list(group)
    own = pyproj.CRS.from_user_input(crs)
    return [
        raster if raster.crs is not None else replace(raster, box=degrees_of(raster.bounds, own))
        for raster in group
    ]


def dates(group: Sequence[Raster]) -> str:
    """Say when the rasters were taken, as far as they tell: from the first to the last date; empty: none tells."""
    there = sorted({raster.date for raster in group if raster.date})
    return "" if not there else there[0] if len(there) == 1 else f"{there[0]} to {there[-1]}"


def _boxes(group: Sequence[Raster]) -> list[Box]:
    return [raster.box for raster in group if raster.box is not None]
