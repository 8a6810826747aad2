"""The pictures of single segments that the report's map shows, and which segments look like which."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd

from geo.ground.there.different import say_both
from geo.outputs.report.figures.charts import picture_address
from geo.outputs.wording import number, road_name, shorten

MOST_ALIKE = "looks most like it, of its type"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the page can show of single segments.

    Attributes
    ----------
    tiles
        ``tile_id, segment_id, position_m`` of the tiles that have a picture.
    pictures
        JPEG of each tile, by ``tile_id``.
    on_page
        Tiles whose picture stands elsewhere on the page, and is not put in again.
    look_alikes
        Pairs of segments that look alike: ``segment_id, similar_segment_id, kind, place``, and where it is known
        ``alike_than_pairs``.
    classes
        What each class of ground is called, by its key; none where ground was not mapped.
    listed
        Segments that a list on the page leads to: the map holds them.
    """

    tiles: pd.DataFrame
    pictures: Mapping[str, bytes]
    on_page: frozenset[str]
    look_alikes: pd.DataFrame | None
    classes: Mapping[str, str] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()

    @property
    def told(self) -> set[str]:
        """Segments that there is something to show of: pictures, look-alikes, or a place in a list."""
        pairs = _pairs(self.look_alikes)
        return {*self.tiles["segment_id"], *pairs["segment_id"], *pairs["similar_segment_id"], *self.listed}


def pictures_of(shown: Shown) -> tuple[dict[str, list[list[Any]]], dict[str, str]]:
    """Say which tiles each segment has pictures of, and bring the pictures that are not on the page yet."""
    tiles = shown.tiles.sort_values(["segment_id", "position_m", "tile_id"])
    shots: dict[str, list[list[Any]]] = {}
    for row in tiles.to_dict("records"):
        shots.setdefault(str(row["segment_id"]), []).append([str(row["tile_id"]), round(row["position_m"])])
    own = {
        str(tile): picture_address(shown.pictures[tile])
        for tile in tiles["tile_id"]
        if tile not in shown.on_page
    }
    return shots, own


def pairs_of(shown: Shown, segments: gpd.GeoDataFrame) -> pd.DataFrame:
    """Give the pairs of look-alikes of lists, and those that segments name, with what differs there."""
    found = pd.concat([_pairs(shown.look_alikes), _most_alike(segments)], ignore_index=True)
    return _with_ground(found, segments, shown.classes)


def _pairs(look_alikes: pd.DataFrame | None) -> pd.DataFrame:
    """Give the pairs of look-alikes, in an order of their own."""
    columns = ["segment_id", "kind", "place", "similar_segment_id"]
    if look_alikes is None or look_alikes.empty:
        return pd.DataFrame(columns=[*columns, "how"])
    found = look_alikes[columns].assign(how=None)
    if "alike_than_pairs" in look_alikes:
        found["how"] = [how_alike_pairs(number(share)) for share in look_alikes["alike_than_pairs"]]
    return found.sort_values(columns).drop_duplicates(columns, ignore_index=True)


def how_alike_pairs(share: float) -> str | None:
    """Say how alike two segments are: beside random pairs of their class, of which so large a share is less alike."""
    if math.isnan(share):
        return None
    # rounded down, so that no pair is said to be more alike than all
    return f"more alike than {math.floor(share * 1000) / 10:.3g} % of random pairs"


def _most_alike(segments: pd.DataFrame) -> pd.DataFrame:
    """Take the pairs apart that segments name in ``looks_like``."""
    if "looks_like" not in segments or segments["looks_like"].isna().all():
        return pd.DataFrame(columns=["segment_id", "kind", "place", "similar_segment_id"])
    known = segments.loc[segments["looks_like"].notna(), ["segment_id", "looks_like"]]
    pairs = known.assign(similar_segment_id=known["looks_like"].str.split(";")).explode("similar_segment_id")
    place = pairs.groupby("segment_id").cumcount() + 1
    pairs = pairs.assign(kind=MOST_ALIKE, place=place).drop(columns="looks_like")
    return pd.DataFrame(pairs.sort_values(["segment_id", "place"]))


def _with_ground(pairs: pd.DataFrame, segments: gpd.GeoDataFrame, classes: Mapping[str, str]) -> pd.DataFrame:
    """Say beside how alike two segments are what differs on the ground beside them, as it reads from both sides."""
    if not classes or pairs.empty:
        return pairs
    names = segments.set_index("segment_id")["name"]
    ones, others = (
        [
            road_name(name, None) or str(at)
            for name, at in zip(names.loc[pairs[side]], pairs[side], strict=True)
        ]
        for side in ("segment_id", "similar_segment_id")
    )
    same = [one == other for one, other in zip(ones, others, strict=True)]
    ones = [str(at) if twice else one for one, at, twice in zip(ones, pairs["segment_id"], same, strict=True)]
    others = [
        str(at) if twice else other
        for other, at, twice in zip(others, pairs["similar_segment_id"], same, strict=True)
    ]
    said = say_both(pairs, segments, classes, ones, others)
    if said is None:
        return pairs
    how = pairs["how"] if "how" in pairs else pd.Series(None, index=pairs.index, dtype=object)
    both = [f"{one}; {more}" if isinstance(one, str) else more for one, more in zip(how, said, strict=True)]
    return pairs.assign(how=both)


def alike_of(pairs: pd.DataFrame, place: Mapping[str, int]) -> dict[str, Any]:
    """Say which segments look like which, by kind: pairs of places in the columns of the segments, and how alike."""
    kinds: dict[str, list[list[Any]]] = {}
    for row in pairs.to_dict("records"):
        one, other = place.get(row["segment_id"]), place.get(row["similar_segment_id"])
        if one is not None and other is not None:
            how = row.get("how")
            told = [one, other, how] if isinstance(how, str) else [one, other]
            kinds.setdefault(shorten(str(row["kind"])), []).append(told)
    return {"alike": kinds}
