"""Types told in words: what the tiles of each look most like, and what lies in them by a map."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

LEAST_SHARE, SAID_SHARE, MOST_SAID = 0.25, 0.1, 3
"""A type is told in words where one of them fits so large a share of its tiles; others follow that fit so many."""
LEVEL = 0.95


def words_of_types(tiles: pd.DataFrame) -> pd.DataFrame:
    """Count the words of each type's tiles.

    Parameters
    ----------
    tiles
        ``cluster``, ``word`` (empty: none) and ``block`` (piece of town), one row a tile of a type.

    Returns
    -------
    ``cluster, word, tiles, share, low, high``: share of the type's tiles (0 to 1) with its 95 % interval, the most
    frequent first. The interval is Wilson's (1927) on the number of tiles that would tell as much were they drawn one
    by one: tiles of one block are alike, and the share is a ratio of sums over blocks (Cochran 1977, section 9A.3;
    Korn and Graubard 1998 for the number).
    """
    columns = ["cluster", "word", "tiles", "share", "low", "high"]
    if tiles.empty:
        return pd.DataFrame(columns=columns)
    rows = []
    for cluster, mine in tiles.groupby("cluster"):
        of_block = pd.crosstab(mine["block"], mine["word"])
        sizes = of_block.to_numpy(dtype=np.float64).sum(axis=1)
        for word in of_block.columns.drop("", errors="ignore"):
            hits = of_block[word].to_numpy(dtype=np.float64)
            rows.append((cluster, word, int(hits.sum()), hits.sum() / len(mine), *_interval(hits, sizes)))
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values(["cluster", "tiles", "word"], ascending=[True, False, True], ignore_index=True)


def map_words_of_types(tiles: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Count the tiles of each type in which something lies by the city's map.

    Parameters
    ----------
    tiles
        ``tile_id, cluster, block``, one row a tile of a type.
    pairs
        ``tile_id, word``, one row a word that a tile has.

    Returns
    -------
    As `words_of_types`, with ``in_all``: share of the tiles of all types.
    """
    mine = pairs[pairs["tile_id"].isin(tiles["tile_id"])]
    parts = [
        words_of_types(
            tiles[["cluster", "block"]].assign(
                word=np.where(tiles["tile_id"].isin(those["tile_id"]), word, "")
            )
        ).assign(in_all=len(those) / len(tiles))
        for word, those in ((str(name), rows) for name, rows in mine.groupby("word"))
    ]
    if not parts:
        return words_of_types(tiles.iloc[:0]).assign(in_all=pd.Series(dtype="float64"))
    found = pd.concat(parts, ignore_index=True)
    return found.sort_values(["cluster", "tiles", "word"], ascending=[True, False, True], ignore_index=True)


def _interval(hits: NDArray[np.float64], sizes: NDArray[np.float64]) -> tuple[float, float]:
    """Give Wilson's interval of a share, for blocks of so many tiles of which so many are hits."""
    n, blocks = sizes.sum(), len(sizes)
    share = hits.sum() / n
    worth = float(n)
    if blocks == 1:
        worth = 1.0
    elif 0 < share < 1:
        left = hits - share * sizes
        variance = blocks / (blocks - 1) * (left**2).sum() / n**2
        # no more than that many tiles can tell
        worth = min(worth, share * (1 - share) / variance) if variance > 0 else worth
    else:
        worth = float(blocks)
    z = stats.norm.ppf((1 + LEVEL) / 2)
    middle = (share + z**2 / (2 * worth)) / (1 + z**2 / worth)
    half = z / (1 + z**2 / worth) * np.sqrt(share * (1 - share) / worth + z**2 / (4 * worth**2))
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def told_by_map(words: pd.DataFrame) -> pd.Series:
    """Say what lies in the tiles of each type more often than in others', by ``cluster``: ``crossing 40 %``.

    What lies in fewer than `LEAST_SHARE` of them, or surely (by the lower limit) no more often than in those of all
    types, is not said; the words that are most out of the common stand first.

    Examples
    --------
    >>> words = pd.DataFrame({"cluster": [1, 1], "word": ["crossing", "building"], "share": [0.4, 0.9]})
    >>> told_by_map(words.assign(low=[0.3, 0.8], in_all=[0.1, 0.85])).to_dict()
    {1: 'crossing 40 %'}
    """
    more = words[(words["share"] >= LEAST_SHARE) & (words["low"] > words["in_all"])]
    more = more.assign(times=more["share"] / more["in_all"]).sort_values(
        ["cluster", "times", "word"], ascending=[True, False, True]
    )
    said = {cluster: _listed(mine.head(MOST_SAID)) for cluster, mine in more.groupby("cluster")}
    return pd.Series(said, dtype=object).rename_axis("cluster")


def both(looks: pd.Series, mapped: pd.Series) -> pd.Series:
    """Bring together what types look like and what lies in them: ``forest 60 %; by the map: crossing 40 %``.

    Examples
    --------
    >>> both(pd.Series({1: "forest 60 %"}), pd.Series({1: "track 40 %", 2: "crossing 30 %"})).to_dict()
    {1: 'forest 60 %; by the map: track 40 %', 2: 'by the map: crossing 30 %'}
    """
    beside = "by the map: " + mapped.astype(object)
    joined = (looks.astype(object) + "; " + beside).dropna()
    return joined.combine_first(looks.astype(object)).combine_first(beside).rename_axis("cluster")


def told(words: pd.DataFrame) -> pd.Series:
    """Say what each type looks most like, by ``cluster``: ``dense residential 63 %, parking lot 10 %``.

    A type of whose tiles no word fits `LEAST_SHARE` is not in it: nothing can be told.

    Examples
    --------
    >>> words = pd.DataFrame({"cluster": [1, 1, 2], "word": ["forest", "river", "river"], "share": [0.6, 0.1, 0.2]})
    >>> told(words).to_dict()
    {1: 'forest 60 %, river 10 %'}
    """
    said = {}
    for cluster, mine in words.groupby("cluster"):
        if mine["share"].iloc[0] >= LEAST_SHARE:
            some = mine[mine["share"] >= SAID_SHARE].head(MOST_SAID)
            said[cluster] = _listed(some)
    return pd.Series(said, dtype=object).rename_axis("cluster")


def _listed(words: pd.DataFrame) -> str:
    return ", ".join(
        f"{word} {share:.0%}".replace("%", " %")
        for word, share in zip(words["word"], words["share"], strict=True)
    )
