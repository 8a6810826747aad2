"""Words for tiles, from a map whose features lie in them, and from what their roads say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray

from geo.config.sections.concepts import Concepts
from geo.errors import LayerError, meant
from geo.ground.tags.mapped import NO_PLACE, has_one_of, read_map, tags_of_squares
from geo.ledger import Entry

KEYS = (
    "amenity",
    "barrier",
    "bridge",
    "building",
    "crossing",
    "cycleway",
    "highway",
    "junction",
    "landuse",
    "leisure",
    "man_made",
    "natural",
    "parking",
    "power",
    "railway",
    "sport",
    "surface",
    "waterway",
)
"""Keys of OpenStreetMap whose values can be seen from above (its wiki, 'Map features')."""
FEATURES, WORDS = "features of words", "words"
LEAST_FEATURES = 5
LISTED = 200
"""So many values are looked up in tiles, those that most features have."""
LEAST_TILES = 20
"""A word that fewer tiles have, or lack, is not learned."""
ALIKE = 0.9
"""Of two words whose tiles agree so well (phi), the one that fewer tiles have is left out."""
MAP, ROADS = "map", "roads"


@dataclass(frozen=True, slots=True)
class TileWords:
    """Words of tiles.

    Attributes
    ----------
    words
        ``word``, ``tag`` (``amenity=parking``) and ``source`` (``map``, ``roads``), one row a word.
    tiles
        A column a row of `words`, in their order: whether each tile has it; null: not known.
    """

    words: pd.DataFrame
    tiles: pd.DataFrame


def words_of_map(
    settings: Concepts, squares: NDArray[np.object_], crs: pyproj.CRS
) -> tuple[TileWords, list[Entry]]:
    """Tell which tiles have which words by the features that lie in them.

    Parameters
    ----------
    settings
        The section ``concepts``, with a source.
    squares
        Footprints of tiles, in `crs` (metres).
    crs
        The city's CRS.

    Raises
    ------
    SourceError, LayerError
        See `geo.ground.tags.mapped.read_map`; or none of its features has a word.
    """
    path = str(settings.source)
    keys = settings.columns() or list(KEYS)
    table, left_out, lost = read_map(path, settings.layers(), keys, crs, section="concepts")
    entries = [Entry(FEATURES, one.status, one.reason, one.count) for one in left_out]
    listed, rare, more = _values(table, [key for key in keys if key in table])
    if listed.empty:
        raise LayerError(
            f"none of its {len(table):,} features has a value in {', '.join(keys):.200} that {LEAST_FEATURES} of "
            "them have",
            where=path,
            todo="Name the columns whose values are words in concepts.column.",
        )
    has = {str(n): has_one_of(table, [(key, frozenset([value]))]) for n, key, value in listed.itertuples()}
    any_of = np.logical_or.reduce(list(has.values()))
    entries += [
        Entry(FEATURES, "done", "", int(any_of.sum())),
        Entry(FEATURES, "skipped", "they have none of the words that are looked up", int((~any_of).sum())),
        Entry(FEATURES, "rejected", NO_PLACE, lost),
        Entry(WORDS, "skipped", f"of fewer than {LEAST_FEATURES} features", rare),
        Entry(WORDS, "skipped", f"not among the {LISTED} that most features have", more),
    ]
    features = gpd.GeoDataFrame(pd.DataFrame(has), geometry=table.geometry.to_numpy(), crs=crs)
    tiles = tags_of_squares(squares, features)
    return TileWords(_named(listed, MAP), tiles), [one for one in entries if one.count]


def words_of_roads(columns: Sequence[str], segments: pd.DataFrame, segment_ids: pd.Series) -> TileWords:
    """Tell which tiles have which words by what their roads say.

    Parameters
    ----------
    columns
        Columns as the roads' source calls them.
    segments
        ``segment_id``, and the columns as ``src_<column>``.
    segment_ids
        Segment of each tile.

    Raises
    ------
    LayerError
        When the roads have no such column.
    """
    spelled = {
        str(name).removeprefix("src_").casefold(): name for name in segments if str(name).startswith("src_")
    }
    missing = [one for one in columns if one.removeprefix("src_").casefold() not in spelled]
    if missing:
        raise LayerError(
            f"the roads have no column {missing[0]!r}; there are {', '.join(sorted(spelled)) or 'none'}"
            f"{meant(missing[0].removeprefix('src_'), spelled)}",
            where="concepts.roads",
            todo="Name columns that the source of the roads has.",
        )
    found: dict[str, pd.Series] = {}
    rows: list[tuple[str, str]] = []
    for column in columns:
        key = column.removeprefix("src_")
        said = segments.set_index("segment_id")[spelled[key.casefold()]].astype("string").str.strip()
        of_tile = said.mask(said == "").reindex(segment_ids).reset_index(drop=True)
        for value in sorted(of_tile.dropna().unique()):
            found[str(len(rows))] = (of_tile == value).astype("boolean")
            rows.append((key, value))
    listed = pd.DataFrame(rows, columns=["key", "value"])
    return TileWords(_named(listed, ROADS), pd.DataFrame(found, index=range(len(segment_ids))))


def chosen(parts: Sequence[TileWords], most: int) -> tuple[TileWords, list[Entry]]:
    """Choose the words that are learned: those that most tiles have, without near copies of each other.

    Parameters
    ----------
    parts
        Words of the same tiles, from several sources.
    most
        How many are chosen at most.
    """
    words = pd.concat([part.words for part in parts], ignore_index=True)
    tiles = pd.concat([part.tiles for part in parts], axis=1)
    tiles = tiles.set_axis(range(len(words)), axis=1)
    yes, known = tiles.sum().astype(int), tiles.notna().sum()
    enough = ((yes >= LEAST_TILES) & (known - yes >= LEAST_TILES)).to_numpy(dtype=bool)
    order = [int(n) for n in yes[enough].sort_values(ascending=False, kind="stable").index]
    likeness = (
        tiles[order].astype("Float64").astype("float64").corr().to_numpy() if order else np.zeros((0, 0))
    )
    kept: list[int] = []
    for place in range(len(order)):
        if not (np.nan_to_num(likeness[place, kept]) > ALIKE).any():
            kept.append(place)
    copies, first = len(order) - len(kept), [order[place] for place in kept[:most]]
    entries = [
        Entry(WORDS, "skipped", f"fewer than {LEAST_TILES} tiles have it, or lack it", int((~enough).sum())),
        Entry(WORDS, "skipped", "nearly the same tiles have a word that more tiles have", copies),
        Entry(WORDS, "skipped", f"not among the {most} that most tiles have", len(kept) - len(first)),
    ]
    taken = TileWords(
        words.iloc[first].reset_index(drop=True), tiles[first].set_axis(range(len(first)), axis=1)
    )
    return taken, [one for one in entries if one.count]


def _values(table: gpd.GeoDataFrame, keys: Sequence[str]) -> tuple[pd.DataFrame, int, int]:
    """List the values that most features have; how many are too rare, and how many were left out beyond the listed."""
    counts = []
    for key in keys:
        told = table[key].astype("string").str.strip()
        found = told[~told.isin(["", "no"])].value_counts()
        counts.append(pd.DataFrame({"key": key, "value": found.index.astype(str), "count": found.to_numpy()}))
    together = (
        pd.concat(counts, ignore_index=True) if counts else pd.DataFrame(columns=["key", "value", "count"])
    )
    enough = together[together["count"] >= LEAST_FEATURES]
    ordered = enough.sort_values(["count", "key", "value"], ascending=[False, True, True], ignore_index=True)
    listed = ordered[["key", "value"]].head(LISTED)
    return listed, len(together) - len(enough), len(ordered) - len(listed)


def _named(listed: pd.DataFrame, source: str) -> pd.DataFrame:
    """Name words: by their value, or their key where it is but there; those of one name with their key."""
    plain = listed["value"].where(listed["value"] != "yes", listed["key"]).str.replace("_", " ")
    twice = plain.duplicated(keep=False)
    word = plain.where(~twice, plain + " (" + listed["key"] + ")")
    return pd.DataFrame({"word": word, "tag": listed["key"] + "=" + listed["value"], "source": source})
