"""All rows of all files and layers that roads are read from."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from pyproj.exceptions import ProjError

from geo.addresses import is_url
from geo.config import Roads
from geo.errors import ConfigurationError, LayerError, RoadprintError, SourceError, meant_file
from geo.ledger import Entry
from geo.roads.columns import ID, check_columns, ids_of
from geo.roads.files import TEXT, UNREADABLE, LayerRows, read_vector_layer
from geo.roads.lines import TOUCH_M
from geo.roads.reading.layers import Layer, choose_layers
from geo.roads.reading.paths import expand_roads, is_openstreetmap
from geo.sources.crs import crs_of_user

_OSM_TAGS = ("ref", "junction", "bridge", "tunnel", "layer", "oneway")
_PART = "__part__"
_MOST_ANEW = 0.5
"""Ids start anew in each file when at least this share of one file's ids stands for other roads in another one."""
METRES_A_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of all files together, in the CRS of the first, and what is to be told of how they were read."""

    layer: LayerRows
    entries: list[Entry]
    warnings: list[str]


def read_sources(roads: Roads) -> Rows:
    """Read the rows of all files and layers, whatever their geometry.

    Of rows with one id and one place in several files the first counts. Where each file has ids of its own that are
    the same, they are told apart by the file's name.

    Raises
    ------
    SourceError, LayerError, ConfigurationError
        When one of them cannot be read, or lacks a layer, column or CRS.
    """
    stated = None if roads.crs is None else crs_of_user(roads.crs, "roads.crs")
    parts: list[tuple[str, LayerRows]] = []
    entries: list[Entry] = []
    files = expand_roads(roads.sources)
    for source in files:
        for part, told in _of_one(source, roads):
            entries += told
            parts.append((source, part))
    full = [(source, part) for source, part in parts if len(part.rows)]
    if not full:
        raise LayerError("the layer has no rows", where=roads.where, todo="Give a layer with roads in it.")
    full, placed = _with_crs(full, stated)
    entries += placed
    warnings = [told for source, part in full for told in check_columns(_frame(part), roads, source)]
    warnings += [f"{entry.reason} ({entry.count:,} rows)" for entry in entries if entry.item == TEXT]
    if len(full) == 1:
        return Rows(full[0][1], entries, warnings)
    together, repeated = _together(full, roads)
    return Rows(together, [*entries, *repeated], warnings)


def _frame(part: LayerRows) -> gpd.GeoDataFrame:
    assert isinstance(part.rows, gpd.GeoDataFrame)
    return part.rows


def _of_one(source: str, roads: Roads) -> list[tuple[LayerRows, list[Entry]]]:
    """Read the layers of one file."""
    if not is_url(source) and not Path(source).exists():
        missing = "no file matches" if glob.has_magic(source) else f"no such file{meant_file(Path(source))}"
        raise SourceError(missing, where=source, todo="Mend the path in roads.source.")
    fid = roads.id_field
    try:
        chosen, left = choose_layers(source, roads)
        found = [
            (name, *read_vector_layer(source, name, encoding=roads.encoding, fid=fid)) for name in chosen
        ]
    except RoadprintError:
        raise
    except LookupError as error:
        raise ConfigurationError(
            f"{roads.encoding!r} is no encoding that is known ({error})",
            where="roads.encoding",
            todo="Name one such as UTF-8, windows-1252 or windows-1251.",
        ) from error
    except UNREADABLE as error:
        raise SourceError(
            f"it cannot be read as roads ({str(error).strip().splitlines()[0]:.200})",
            where=source,
            todo="Give a GeoPackage, Shapefile, GeoJSON, FlatGeobuf, GeoParquet or OSM .pbf of road lines.",
        ) from error
    read = []
    for name, layer, told in found:
        if not isinstance(layer.rows, gpd.GeoDataFrame):
            raise LayerError(
                "it has no geometry", where=source, todo="Choose a layer of lines in roads.layer."
            )
        unpacked = is_openstreetmap(source) or "other_tags" in layer.rows
        rows = with_tags(layer.rows, _OSM_TAGS) if unpacked else layer.rows
        entries = [*told, *(_told(source, name, len(rows), left) if left or len(chosen) > 1 else [])]
        read.append((LayerRows(rows, layer.broken), entries))
    return read


def _told(source: str, name: str | None, rows: int, left: list[Layer]) -> list[Entry]:
    """Tell which layer of several was read, and which were left."""
    file = Path(source).name
    entries = [Entry("rows of layers", "done", f"{file}: {name!r} was read", rows)]
    for layer in left:
        kind = layer.kind or "table"
        entries.append(
            Entry(
                "rows of layers", "skipped", f"{file}: {layer.name!r} was left ({kind})", max(layer.rows, 1)
            )
        )
    return entries


def with_tags(rows: gpd.GeoDataFrame, keys: Iterable[str]) -> gpd.GeoDataFrame:
    """Take tags out of OpenStreetMap's ``other_tags`` (``"key"=>"value"``, comma-separated), a column a key."""
    tags = rows["other_tags"] if "other_tags" in rows else pd.Series("", index=rows.index)
    tags = tags.astype("string")
    found = {
        key: tags.str.extract(rf'(?:^|,)"{re.escape(key)}"=>"((?:[^"\\]|\\.)*)"', expand=False).str.replace(
            r"\\(.)", r"\1", regex=True
        )
        for key in keys
        if key not in rows
    }
    return rows.assign(**found)


def _with_crs(
    parts: list[tuple[str, LayerRows]], given: pyproj.CRS | None
) -> tuple[list[tuple[str, LayerRows]], list[Entry]]:
    """Give each part its CRS: what ``roads.crs`` names to those that state none, and where all state one, to all."""
    states = [_frame(part).crs is not None for _, part in parts]
    if given is None:
        silent = [source for (source, _), says in zip(parts, states, strict=True) if not says]
        if silent:
            raise LayerError(
                "it states no CRS",
                where=silent[0],
                todo="Name it in roads.crs (EPSG:...), or write it into the file (ogr2ogr -a_srs EPSG:...).",
            )
        return parts, []
    placed, entries = [], []
    for (source, part), says in zip(parts, states, strict=True):
        rows, told = _frame(part), ""
        if not says:
            told = f"{Path(source).name}: it states no CRS; {given.name} by roads.crs"
        elif all(states) and not pyproj.CRS(rows.crs).equals(given, ignore_axis_order=True):
            told = f"{Path(source).name}: it states {pyproj.CRS(rows.crs).name}; {given.name} by roads.crs"
        if told:
            entries.append(Entry("places of roads", "done", told, len(rows)))
            rows = rows.set_crs(given, allow_override=True)
        placed.append((source, LayerRows(rows, part.broken)))
    return placed, entries


def _together(parts: list[tuple[str, LayerRows]], roads: Roads) -> tuple[LayerRows, list[Entry]]:
    """Put rows of several files and layers into one table."""
    first = _frame(parts[0][1]).crs
    frames: list[gpd.GeoDataFrame] = []
    for number, (source, part) in enumerate(parts):
        rows = _frame(part)
        rows = rows if rows.geometry.name == "geometry" else rows.rename_geometry("geometry")
        rows = rows.rename(columns=_as_before(rows, frames))
        try:
            rows = rows.to_crs(first)
        except ProjError as error:
            raise LayerError(
                f"its CRS ({rows.crs.name}) cannot be brought to {first.name!r}, that of {parts[0][0]}",
                where=source,
                todo="Write the CRS that its coordinates are in into the file (ogr2ogr -a_srs EPSG:...).",
            ) from error
        frames.append(rows.assign(**{_PART: number, ID: ids_of(rows, roads)}))
    table = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=first)
    broken = np.concatenate([part.broken for _, part in parts])
    again, other = _same_ids(table)
    mine = table[_PART].to_numpy()
    entries = []
    if _start_anew(table, again, other):
        names = [Path(source).stem for source, _ in parts]
        stems = pd.Series([names[number] for number in mine], index=table.index)
        if len(set(names)) < len(names):
            stems += "-" + table[_PART].astype(str)
        table[ID] = (stems + ":" + table[ID]).where(table[ID].notna(), None)
        entries.append(
            Entry(
                "ids of roads",
                "done",
                "they start anew in each file, and are told apart by its name",
                len(table),
            )
        )
    entries.append(
        Entry("roads", "skipped", "repeats a road of another file: one id, one place", int(again.sum()))
    )
    kept = table[~again].drop(columns=_PART).reset_index(drop=True)
    return LayerRows(kept, broken[~again]), entries


def _as_before(rows: gpd.GeoDataFrame, frames: list[gpd.GeoDataFrame]) -> dict[str, str]:
    """Spell columns as the files before do that have them in another case."""
    spelled = {str(name).casefold(): str(name) for frame in reversed(frames) for name in frame.columns}
    mine = {str(name) for name in rows.columns}
    return {
        name: known
        for name in mine
        if (known := spelled.get(name.casefold(), name)) != name and known not in mine
    }


def _same_ids(table: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Tell which rows repeat one of a file before, by id and place, and which have its id and another place."""
    again, other = np.zeros(len(table), dtype=bool), np.zeros(len(table), dtype=bool)
    known = pd.DataFrame({"id": table[ID], "part": table[_PART], "row": np.arange(len(table))}).dropna()
    known = known[known["id"].isin(known.groupby("id")["part"].nunique().loc[lambda n: n > 1].index)]
    pairs = known.merge(known, on="id", suffixes=("", "_before"))
    pairs = pairs[pairs["part_before"] < pairs["part"]]
    if pairs.empty:
        return again, other
    shapes = shapely.normalize(shapely.force_2d(table.geometry.to_numpy()))
    near = TOUCH_M / METRES_A_DEGREE if pyproj.CRS(table.crs).is_geographic else TOUCH_M
    same = shapely.equals_exact(shapes[pairs["row"]], shapes[pairs["row_before"]], tolerance=near)
    again[pairs.loc[same, "row"]] = True
    other[pairs["row"]] = True
    return again, other & ~again


def _start_anew(table: gpd.GeoDataFrame, again: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether each file counts its roads anew: most ids of one of them stand for other roads in another."""
    by_part = pd.DataFrame({"part": table[_PART], "other": other, "told": table[ID].notna() & ~again})
    share = by_part.groupby("part")[["other", "told"]].sum()
    return bool(
        (share["other"] >= _MOST_ANEW * share["told"]).where(share["told"] > 0, other=False)[1:].any()
    )
