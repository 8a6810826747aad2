"""What differs most in the ground beside two roads that look alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.ground.there.columns import Ground, ground_of

LEAST = 0.1
"""A smaller difference of shares is not told: maps of classes err by as much."""
NO_DIFFERENCE = "no class of ground differs by 10 points or more"
NOT_KNOWN = "ground not known of both"
SEPARATOR = ";"
"""Between ids in a column of segments that look like one."""


def differ_most(ground: Ground, one: NDArray[np.int64], other: NDArray[np.int64]) -> pd.DataFrame:
    """Find the class and the band of which the first road has most more, or most less, than the second.

    Parameters
    ----------
    ground
        Shares of all segments.
    one, other
        Places of the two roads of each pair among them, ``(pairs,)``.

    Returns
    -------
    One row a pair: ``band`` and ``key`` (places in `ground`; -1 where no band is known of both), ``share`` and
    ``share_other`` of the known ground (0 to 1, NaN). Of equal differences the nearest band's counts, and its first
    class.
    """
    shares = ground.of_known
    mine, theirs = shares[one], shares[other]
    difference = np.abs(mine - theirs).reshape(len(one), len(ground.bands) * len(ground.keys))
    known = np.isfinite(difference).any(axis=1)
    place = np.where(np.isfinite(difference), np.round(difference, 9), -1.0).argmax(axis=1)
    rows = np.arange(len(one))
    band, key = np.divmod(place, len(ground.keys))
    return pd.DataFrame(
        {
            "band": np.where(known, band, -1),
            "key": np.where(known, key, -1),
            "share": np.where(known, mine[rows, band, key], np.nan),
            "share_other": np.where(known, theirs[rows, band, key], np.nan),
        }
    )


def say_difference(ground: Ground, found: pd.DataFrame, titles: Mapping[str, str]) -> pd.Series:
    """Say of each pair what differs most, in words from the first road's side.

    Parameters
    ----------
    ground, found
        See `differ_most`.
    titles
        What each class is called, by its key.

    Returns
    -------
    Such as ``more roof 15 to 30 m from the centreline (41 % against 12 %)``; `NO_DIFFERENCE` below `LEAST`,
    `NOT_KNOWN` where no band is known of both.
    """
    share, other = found["share"], found["share_other"]
    more = np.where(share > other, "more ", "less ").astype(object)
    said = more + _place(ground, found, titles) + " (" + _percent(share) + " against " + _percent(other) + ")"
    return _where_told(said, found)


def _place(ground: Ground, found: pd.DataFrame, titles: Mapping[str, str]) -> pd.Series:
    """Name the class and the band of each pair."""
    names = np.array([titles.get(key, key) for key in ground.keys], dtype=object)
    bands = np.array([band.words for band in ground.bands], dtype=object)
    words = names[found["key"]] + " " + bands[found["band"]] + " from the centreline"
    return pd.Series(words, index=found.index, dtype=object)


def _percent(shares: pd.Series) -> pd.Series:
    percent: pd.Series = (100 * shares).round().map("{:.0f} %".format).astype(object)
    return percent


def _where_told(said: pd.Series, found: pd.DataFrame) -> pd.Series:
    """Keep what is said of pairs that differ; of the others say that they do not, or that it is not known."""
    differ = (found["share"] - found["share_other"]).abs() >= LEAST - 1e-9
    return said.where(differ, NO_DIFFERENCE).where(found["key"] >= 0, NOT_KNOWN)


def differences_of_pairs(
    pairs: pd.DataFrame, segments: pd.DataFrame, titles: Mapping[str, str]
) -> pd.Series | None:
    """Say of pairs of look-alikes what differs.

    Parameters
    ----------
    pairs
        ``segment_id`` and ``similar_segment_id``.
    segments
        ``segment_id`` and shares of ground (`geo.ground.there.columns`).
    titles
        What each class is called, by its key.

    Returns
    -------
    Words on the index of `pairs` (`say_difference`); None where there are no shares of ground.
    """
    ground = ground_of(segments)
    if ground is None:
        return None
    return say_difference(ground, _of_pairs(ground, pairs, segments), titles)


def _of_pairs(ground: Ground, pairs: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Find what differs most, on the index of the pairs."""
    place = pd.Series(np.arange(len(segments)), index=segments["segment_id"].astype(str))
    one, other = (
        place.loc[pairs[name].astype(str)].to_numpy() for name in ("segment_id", "similar_segment_id")
    )
    return differ_most(ground, one, other).set_axis(pairs.index)


def say_both(
    pairs: pd.DataFrame,
    segments: pd.DataFrame,
    titles: Mapping[str, str],
    ones: Sequence[str],
    others: Sequence[str],
) -> pd.Series | None:
    """Say of pairs what differs, in words that hold from both sides.

    Parameters
    ----------
    pairs, segments, titles
        See `differences_of_pairs`.
    ones, others
        What the two roads of each pair are called.

    Returns
    -------
    Such as ``roof 15 to 30 m from the centreline: Mill Road 41 %, High Street 12 %``; None where there are no shares.
    """
    ground = ground_of(segments)
    if ground is None:
        return None
    found = _of_pairs(ground, pairs, segments)
    mine, theirs = (pd.Series(list(names), index=found.index, dtype=object) for names in (ones, others))
    said = _place(ground, found, titles) + ": " + mine + " " + _percent(found["share"])
    return _where_told(said + ", " + theirs + " " + _percent(found["share_other"]), found)


def differences_of_named(segments: pd.DataFrame, titles: Mapping[str, str]) -> pd.Series | None:
    """Say of each segment what differs from the segment that looks most like it.

    Parameters
    ----------
    segments
        ``segment_id``, ``looks_like`` (ids, `SEPARATOR` between them, the most alike first; null: none) and shares.
    titles
        What each class is called, by its key.

    Returns
    -------
    Words on the index of `segments`, null where none looks like it; None where there are no shares of ground.
    """
    if "looks_like" not in segments:
        return None
    named = segments["looks_like"].notna().to_numpy(dtype=bool)
    likes = segments.loc[named, "looks_like"].astype("string").str.split(SEPARATOR).str[0]
    pairs = segments.loc[named, ["segment_id"]].assign(similar_segment_id=likes)
    said = differences_of_pairs(pairs, segments, titles)
    return None if said is None else said.reindex(segments.index)
