"""What differs most in the ground beside two roads that look alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geo.ground.there.columns import Ground, ground_of

LEAST = 0.1
"""A smaller difference of shares is not told: maps of classes err by as much."""
NO_DIFFERENCE = "no class of ground differs by 10 points or more"
NOT_KNOWN = "ground not known of both"
SEPARATOR = ";"
"""Between ids in a column of segments that look like one."""


def differ_most(ground: Ground, one: np.ndarray, other: np.ndarray) -> pd.DataFrame:
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
    difference = np.abs(mine - theirs).reshape(len(one), -1)
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
    """Say of each pair what differs most, in words.

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
    names = np.array([titles.get(key, key) for key in ground.keys], dtype=object)
    bands = np.array([band.words for band in ground.bands], dtype=object)
    share, other = (found[name].to_numpy(dtype=np.float64) for name in ("share", "share_other"))
    more = np.where(share > other, "more ", "less ").astype(object)
    percent = [pd.Series(100 * values).round().map("{:.0f} %".format).astype(object) for values in (share, other)]
    said = pd.Series(more + names[found["key"]] + " " + bands[found["band"]] + " from the centreline", dtype=object)
    said = said + " (" + percent[0] + " against " + percent[1] + ")"
    said = said.where(np.abs(share - other) >= LEAST - 1e-9, NO_DIFFERENCE)
    return said.where(found["key"] >= 0, NOT_KNOWN).set_axis(found.index)


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
    Words on the index of `pairs`; None where there are no shares of ground.
    """
    ground = ground_of(segments)
    if ground is None:
        return None
    place = pd.Series(np.arange(len(segments)), index=segments["segment_id"].astype(str))
    one, other = (place.loc[pairs[name].astype(str)].to_numpy() for name in ("segment_id", "similar_segment_id"))
    return say_difference(ground, differ_most(ground, one, other), titles).set_axis(pairs.index)


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
    pairs = segments.loc[named, ["segment_id"]].assign(
        similar_segment_id=segments.loc[named, "looks_like"].astype(str).str.split(SEPARATOR).str[0]
    )
    said = differences_of_pairs(pairs, segments, titles)
    return None if said is None else said.reindex(segments.index)
