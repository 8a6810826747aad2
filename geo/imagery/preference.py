"""Which raster is seen where several show a place, and how that is told.

Rasters of one resolution are laid over each other by rank. Where they share no more than their rims, ranks play no
part.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.config import Imagery
from geo.imagery.cover import OVERLAP, mosaics
from geo.ledger import Entry

NEWER, LISTED, NAMED, FINER = (
    "it is newer",
    "it is listed before it in imagery.sources",
    "its name comes first, for nothing tells which is newer",
    "its pixels are smaller",
)
MUCH = 0.5
"""Share of the smaller of two rasters: of so much, both are hardly of one flight."""
TELLING = ["date", "place", "pixel_m", "rank"]
"""Of rasters, what decides which of them is seen."""
MORE = "it shows more of the tile"


def rank_images(images: gpd.GeoDataFrame, prefer: str | None) -> pd.Series[int]:
    """Rank rasters: 0 is seen before all others.

    Parameters
    ----------
    images
        ``path``, ``place`` (of its source in ``imagery.sources``), ``date`` (`geo.imagery.traits.dates`), ``pixel_m``,
        ``crs`` and ``transform`` of each.
    prefer
        ``imagery.prefer``; None: the finest.

    Returns
    -------
    On the index of `images`.
    """
    keys = pd.DataFrame(
        {
            "place": images["place"].to_numpy(),
            "age": _ages(images["date"]),
            "path": images["path"].to_numpy(),
            "mosaic": mosaics(images).to_numpy(),
        },
        index=images.index,
    )
    first = {"newest": ["age", "place"], "order": ["place", "age"]}.get(
        prefer or "", ["mosaic", "place", "age"]
    )
    ordered = keys.sort_values([*first, "path"]).index
    return pd.Series(np.arange(len(ordered)), index=ordered, name="rank", dtype="int64").reindex(images.index)


def _ages(dates: pd.Series[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Give dates numbers from the newest on; what has none is older than all."""
    known = sorted({*dates}, reverse=True)
    return dates.map({date: age for age, date in enumerate(known)}).to_numpy(dtype=np.int64)


def drawn_last_first(images: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Order rasters so that each is drawn over those that it is seen before; as they are where they hardly overlap."""
    outlines = images.geometry.to_numpy()
    one, other = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    one, other = one[one < other], other[one < other]
    shared = shapely.area(shapely.intersection(outlines[one], outlines[other]))
    least = np.minimum(shapely.area(outlines[one]), shapely.area(outlines[other]))
    return images.sort_values("rank", ascending=False) if (shared > OVERLAP * least).any() else images


def tell_overlaps(
    tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame, imagery: Imagery
) -> tuple[list[Entry], list[str]]:
    """Say which rasters were seen before which others, and why.

    Parameters
    ----------
    tiles
        ``image_ids`` of each tile, the first of which is seen.
    images
        The catalogue of the city's rasters, with ``rank``, ``date`` and ``place``.
    imagery
        The section ``imagery`` of the city's file.

    Returns
    -------
    Entries that count tiles, one a reason; and a sentence for the end of a run where nobody asked for what was chosen.
    """
    pairs = _pairs(tiles, images)
    if pairs.empty:
        return [], []
    pairs["why"] = _reasons(pairs, imagery.prefer)
    entries = [
        Entry("overlaps", "done", _told(some), some["tile"].nunique())
        for _, some in pairs.groupby("why", sort=True)
    ]
    # rims of one flight may be wide
    apart = (pairs["shared"] > MUCH) | (pairs["date"] != pairs["date_other"])
    if imagery.prefer == "newest":
        doubtful = pairs[pairs["why"].isin([LISTED, NAMED]) & apart]
    elif imagery.prefer is None:
        older = (pairs["why"] == FINER) & (pairs["date_other"] > pairs["date"])
        doubtful = pairs[(pairs["why"].isin([NEWER, LISTED, NAMED]) & apart) | older]
    else:
        doubtful = pairs.iloc[:0]
    return entries, [
        f"{some['tile'].nunique():,} tiles are shown by several rasters: {_told(some)} (imagery.prefer decides)"
        for _, some in doubtful.groupby("why", sort=True)
    ]


def _pairs(tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame) -> pd.DataFrame:
    """List each tile with the raster that is seen, and each other one that shows the same ground."""
    several = tiles.loc[tiles["image_ids"].str.len() > 1, "image_ids"]
    if several.empty:
        return pd.DataFrame()
    pairs = pd.DataFrame({"tile": several.index, "seen": several.str[0], "other": several.str[1:]})
    pairs = pairs.explode("other")
    both = pairs[["seen", "other"]].drop_duplicates().sort_values(["seen", "other"])
    columns = ["image_id", *TELLING, "geometry"]
    both = both.merge(images[columns], left_on="seen", right_on="image_id")
    both = both.merge(images[columns], left_on="other", right_on="image_id", suffixes=("", "_other"))
    mine, theirs = both["geometry"].to_numpy(), both["geometry_other"].to_numpy()
    least = np.minimum(shapely.area(mine), shapely.area(theirs))
    both["shared"] = shapely.area(shapely.intersection(mine, theirs)) / least
    both = both[both["shared"] > OVERLAP]
    return pairs.merge(both, on=["seen", "other"]).sort_values(["seen", "other", "tile"], ignore_index=True)


def _reasons(pairs: pd.DataFrame, prefer: str | None) -> pd.Series[str]:
    """Say why one raster of each pair is seen before the other."""
    newer = pairs["date"] > pairs["date_other"]
    listed = pairs["place"] < pairs["place_other"]
    finer = pairs["pixel_m"] < pairs["pixel_m_other"] * (1 - 1e-3)
    order = {
        "newest": [(newer, NEWER), (listed, LISTED)],
        "order": [(listed, LISTED), (newer, NEWER)],
    }.get(prefer or "", [(finer, FINER), (listed, LISTED), (newer, NEWER)])
    more = pairs["rank"] > pairs["rank_other"]
    conditions, texts = zip((more, MORE), *order, strict=True)
    return pd.Series(np.select(conditions, texts, NAMED), index=pairs.index)


def _told(pairs: pd.DataFrame) -> str:
    """Word one reason with its first pair."""
    first = pairs.iloc[0]
    others = len(pairs[["seen", "other"]].drop_duplicates()) - 1
    one, other = (
        f"{first[name]!r}" + (f" ({first[date]})" if first[date] else "")
        for name, date in (("seen", "date"), ("other", "date_other"))
    )
    more = f" (and so in {others:,} other pairs)" if others else ""
    return f"{one} is seen before {other}{more}: {first['why']}"
