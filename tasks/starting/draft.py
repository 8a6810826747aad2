"""A city's first file from what lies in a folder: every key guessed, settled and written."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyproj

from geo.counting import counted as every
from geo.counting import doing
from geo.errors import ConfigurationError, LayerError
from geo.roads.reading.paths import is_openstreetmap
from geo.starting import imagery, roads
from geo.starting.files import Files, Left, find_files
from geo.starting.guess import Guess, counted, listed
from geo.starting.imagery import beside
from geo.starting.layers import AREA, LINE, Layer
from geo.starting.places import NONE, Points, box_of, share_within, some_points
from geo.starting.rasters import Box, Raster, look_at_rasters
from geo.starting.records import section as records
from geo.starting.records.mapping import Surroundings
from geo.starting.records.series import in_series, joined_sets
from geo.starting.records.sets import Records, find_records
from geo.starting.tables import Table, look_into
from tasks.planning import folder_name
from tasks.starting.answers import Answers, Ask
from tasks.starting.paths import refuse_missing, refuse_unwritable

_GRIDS = (4326, 27700, 3857)
"""CRSs that are tried where a file states none, besides those of the other files."""
TOLD = 20
"""Lines of what is not used, at most."""
_OSM = "© OpenStreetMap contributors, ODbL"


@dataclass(slots=True)
class Draft:
    """A city's file before it is written.

    Attributes
    ----------
    file
        Where it goes.
    city
        Its name.
    guesses
        Its keys, in order.
    open
        Keys that are not sure, and that nobody was asked about.
    left
        What was found and is not used, and why.
    """

    file: Path
    city: str
    guesses: list[Guess]
    open: list[Guess] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)


@dataclass(slots=True)
class _Seen:
    """All that lies in the places that were named."""

    files: Files
    groups: imagery.Groups
    layers: list[Layer]
    tables: list[Table]
    left: list[Left]

    @property
    def lines(self) -> list[Layer]:
        return [layer for layer in self.layers if layer.kind == LINE]

    @property
    def boxes(self) -> list[Box]:
        return [raster.box for group in self.groups for raster in group if raster.box is not None]

    @property
    def crss(self) -> list[pyproj.CRS]:
        """The CRSs that any file states, with some others, each once."""
        stated = [raster.crs for group in self.groups for raster in group[:1] if raster.crs is not None]
        stated += [pyproj.CRS(layer.sample.crs) for layer in self.layers if layer.sample.crs is not None]
        stated += [table.rows.crs for table in self.tables if table.rows.crs is not None]
        return list(dict.fromkeys([*stated, *map(pyproj.CRS.from_epsg, _GRIDS)]))


def draw_up(
    places: Sequence[Path],
    file: Path | None = None,
    given: Mapping[str, str] | None = None,
    ask: Ask | None = None,
    *,
    overwrite: bool = False,
) -> Draft:
    """Guess a city's file from what lies in some places; nothing is written.

    Parameters
    ----------
    places
        Folders and files.
    file
        Where the city's file goes; None: beside whoever calls, named after the city.
    given
        Values of keys as YAML, said beforehand.
    ask
        Asks about what is not sure; None: nobody is there.
    overwrite
        Whether a file that is there may be replaced.

    Raises
    ------
    SourceError
        When a place is not there.
    ConfigurationError
        When the file is there already, or cannot be written.
    LayerError
        When nothing is found that could be imagery, roads or records.
    """
    answers = Answers(given or {}, ask)
    named = answers.settle(_city(places))
    target = file or Path(f"{folder_name(str(named.value))}.yaml")
    if target.exists() and not overwrite:
        raise ConfigurationError(
            "the file is there already",
            where=str(target),
            todo="Give another name (--out FILE), or --overwrite to replace it.",
        )
    refuse_unwritable(target)
    seen = _look(places)
    if seen.boxes:
        _leave_elsewhere(seen)
    if not (seen.groups or seen.lines or seen.tables):
        raise LayerError(
            "nothing is there that could be imagery, roads or records"
            + "".join(f"\n  {one.path}: {one.why}" for one in seen.left[:12]),
            where=", ".join(map(str, places)),
            todo="Name the folders or files that hold rasters, lines of roads and tables of collisions.",
        )
    base = target.parent
    layer = _roads(seen, answers, base)
    group = _imagery(seen, answers, base, layer)
    if layer is not None and layer.sample.crs is not None:
        answers.settle(roads.guess_crs(layer.sample, group))
    _area(seen, answers, base, layer)
    found = _records(seen, answers, base, layer)
    _flown(answers, group, found)
    settled = _with_what_was_said([*answers.settled, *answers.rest()])
    return Draft(target, str(named.value), _in_order(settled), answers.open, [*seen.left, *seen.files.left])


def _city(places: Sequence[Path]) -> Guess:
    """Guess the city's name: that of the folder."""
    first = places[0].resolve()
    folder = first if first.is_dir() and first.suffix.lower() != ".gdb" else first.parent
    return Guess("city", folder.name or "my-city", ("Named after the folder.",))


def _look(places: Sequence[Path]) -> _Seen:
    """Look at all files."""
    files = find_files(places)
    doing("rasters")
    rasters, left = look_at_rasters(files.rasters)
    groups, none = imagery.groups_of(rasters)
    seen = _Seen(files, groups, [], [], [*left, *none])
    for path in every(files.tables, "files"):
        found = look_into(path)
        seen.layers += found.layers
        seen.tables += found.tables
        seen.left += found.left
    return seen


def _leave_elsewhere(seen: _Seen) -> None:
    """Leave out layers of lines that the imagery shows nothing of, where it shows others."""
    shown = [layer for layer in seen.lines if roads.lies_within(layer, seen.boxes)]
    if not shown:
        return
    away = [layer for layer in seen.lines if not any(layer is one for one in shown)]
    away = [layer for layer in away if layer.sample.crs is not None]
    seen.left += [
        Left(layer.source, f"{layer.title}: its lines lie elsewhere than the imagery") for layer in away
    ]
    seen.layers = [layer for layer in seen.layers if not any(layer is one for one in away)]


def _roads(seen: _Seen, answers: Answers, base: Path) -> Layer | None:
    """Settle the section ``roads``; gives the layer that was chosen, None where it was not looked at."""
    source = answers.settle(
        roads.guess_source(seen.lines, seen.boxes, base), partial(refuse_missing, base=base)
    )
    mine = [layer for layer in seen.lines if _is_one_of(layer.source, source.value, base)]
    if not mine and isinstance(source.value, str) and (base / source.value).exists():
        mine = [layer for layer in look_into(str(base / source.value)).layers if layer.kind == LINE]
    if not mine:
        return None
    part = roads.guess_layer(mine, seen.boxes) if isinstance(source.value, str) else None
    named = mine[0].name if part is None else answers.settle(part).value
    layer = next((one for one in mine if one.name == named), mine[0])
    if not isinstance(source.value, str) and len(mine) > 1:
        layer = _joined(mine)
    missing = roads.crs_missing(layer.sample, seen.boxes, seen.crss)
    rows = layer.sample
    if missing is not None:
        said = answers.settle(missing)
        rows = rows if said.left_out else gpd.GeoDataFrame(rows.set_crs(str(said.value)))
    answers.settle_all(roads.guess_columns(rows, extract=is_openstreetmap(layer.source)))
    if roads.is_of_openstreetmap(layer):
        why = "They look like OpenStreetMap's, which asks to be named."
        answers.settle(Guess("roads.licence", _OSM, (why,)))
    else:
        answers.settle(_licence("roads", seen.files.texts, layer.source))
    return Layer(layer.source, layer.name, layer.kind, layer.count, rows)


def _joined(layers: Sequence[Layer]) -> Layer:
    """Put samples of several files together, in the CRS of the first."""
    crs = layers[0].sample.crs
    samples = [
        one.sample if crs is None or one.sample.crs is None else one.sample.to_crs(crs) for one in layers
    ]
    rows = gpd.GeoDataFrame(pd.concat(samples, ignore_index=True), crs=crs)
    return Layer(layers[0].source, None, LINE, sum(one.count for one in layers), rows)


def _is_one_of(source: str, value: object, base: Path) -> bool:
    values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return any(Path(source).match(os.path.abspath(base / str(one))) for one in values)  # noqa: PTH100


def _imagery(seen: _Seen, answers: Answers, base: Path, layer: Layer | None) -> list[Raster]:
    """Settle the section ``imagery``; gives its rasters, as far as they were looked at."""
    points = _points(layer)
    source = answers.settle(
        imagery.guess_sources(seen.groups, points, base), partial(refuse_missing, base=base)
    )
    group = imagery.chosen(seen.groups, source.value, base)
    settled = answers.settle_all(imagery.guess_rest(group, seen.crss, points))
    crs = next((one.value for one in settled if one.key == "imagery.crs" and not one.left_out), None)
    answers.settle(_licence("imagery", seen.files.texts, group[0].path if group else ""))
    return imagery.with_crs(group, crs)


def _points(layer: Layer | None) -> Points:
    return NONE if layer is None else some_points(layer.sample)


def _licence(section: str, texts: Sequence[str], source: str) -> Guess:
    """Say that the licence is to be named, and which texts may tell it."""
    near = [text for text in texts if source and Path(source).is_relative_to(Path(text).parent)]
    where = f"; {listed([Path(text).name for text in near])} may tell" if near else ""
    why = f"Licence and source, quoted in the outputs: only you know them{where}."
    return Guess(f"{section}.licence", "who made it, and under which licence", (why,), left_out=True)


def _area(seen: _Seen, answers: Answers, base: Path, layer: Layer | None) -> None:
    """Offer an outline, where one is there, to cut the roads at."""
    outlines = [
        one
        for one in seen.layers
        if one.kind == AREA
        and len(one.sample) == 1
        and (edges := box_of(one.sample)) is not None
        and share_within(_points(layer), [edges])
    ]
    if not outlines:
        return
    why = "Without it all roads of the source are the city; this outline may cut them."
    answers.settle(Guess("area", beside(outlines[0].source, base), (why,), left_out=True))


def _records(seen: _Seen, answers: Answers, base: Path, layer: Layer | None) -> Records | None:
    """Settle the section ``collisions``; gives the records that were chosen."""
    near = None if layer is None else box_of(layer.sample)
    streets = None
    if layer is not None:
        column = next((one.value for one in answers.settled if one.key == "roads.name_field"), None)
        streets = roads.names_of(layer.sample, column)
    around = Surroundings(tuple(seen.crss), records.place_of(near), streets)
    found, left = find_records(seen.tables, around)
    found, elsewhere = records.without_elsewhere(found, near)
    seen.left += [*left, *elsewhere]
    found += in_series(found, around)

    def sets_of(source: Guess) -> list[Records]:
        refuse_missing(source, base)
        return [] if source.left_out else _named_records(source.value, found, around, base)

    source = answers.settle(records.guess_sources(found, near, base), sets_of)
    mine = sets_of(source)
    if not mine:
        return None
    part = records.guess_part(mine, near)
    named = None if part is None else answers.settle(part).value
    one = next((one for one in mine if one.tables[0].part == named), mine[0])
    answers.settle_all(records.guess_rest(one, base))
    answers.settle(_licence("collisions", seen.files.texts, one.tables[0].source))
    return one


def _named_records(
    value: object, found: Sequence[Records], around: Surroundings, base: Path
) -> list[Records]:
    """Find the sets that are named: several are parts of the same files, or are read together.

    Raises
    ------
    ConfigurationError
        When they cannot be read together.
    """
    mine = records.chosen(found, value, base)
    if not mine:
        # a table that lies elsewhere, which somebody named
        tables = [table for path in records.files_of(value, base) for table in look_into(path).tables]
        mine = find_records(tables, around)[0]
    several = len({tuple(sorted(table.source for table in one.tables)) for one in mine}) > 1
    return [joined_sets(mine, around)] if several else mine


def _flown(answers: Answers, group: Sequence[Raster], found: Records | None) -> None:
    """Say with the imagery when it was taken, and whether that is the time of the records."""
    taken = imagery.dates(group)
    time = None if found is None or found.mapping is None else found.mapping.time
    of_records = (
        "" if time is None or time.first is None else f" The records are of {time.first} to {time.last}."
    )
    if not group:
        return
    told = (
        f"Its files or their names say that it was taken {taken}."
        if taken
        else "No file tells when it was taken."
    )
    told += f"{of_records} Imagery of another time than the records is to be said in the licence."
    for place, guess in enumerate(answers.settled):
        if guess.key == "imagery.licence":
            answers.settled[place] = Guess(
                guess.key, guess.value, (told, *guess.why), left_out=guess.left_out
            )


_TOGETHER = {
    "collisions.severity_values": "collisions.columns.severity",
    "collisions.columns.date_format": "collisions.columns.date",
}
"""Keys that mean nothing without others, which are written when these are said."""


def _with_what_was_said(guesses: list[Guess]) -> list[Guess]:
    """Write keys that were left out where what was said needs them; the last word on a key counts."""
    last = {guess.key: guess for guess in guesses}
    for key, other in _TOGETHER.items():
        if key in last and other in last and not last[key].left_out and last[other].left_out:
            old = last[other]
            last[other] = Guess(old.key, old.value, old.why, old.doubt, old.options)
    return list(last.values())


def _in_order(guesses: list[Guess]) -> list[Guess]:
    """Put the sections in their order, and the first keys of each first."""
    sections = ["city", "crs", "area", "imagery", "roads", "collisions"]
    place = {name: number for number, name in enumerate(sections)}
    return sorted(guesses, key=lambda guess: place.get(guess.key.partition(".")[0], len(sections)))


def told_left(left: Sequence[Left], *, most: int = TOLD) -> list[str]:
    """Say what was found and is not used, what is told alike together."""
    by_reason: dict[str, list[str]] = {}
    for one in left:
        by_reason.setdefault(one.why, []).append(one.path)
    lines = [
        f"{paths[0]}: {why}"
        if len(paths) == 1
        else f"{counted(len(paths), 'file')} ({listed(paths, most=2)}): {why}"
        for why, paths in by_reason.items()
    ]
    return [*lines[:most], *([f"and {len(lines) - most} more"] if len(lines) > most else [])]
