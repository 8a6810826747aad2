"""Roads that look like the worst ones: those with few collisions, and those that have no record yet."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances_chunked

from geo.clusters.likeness.chance import MORE_ALIKE_THAN, Likeness, likeness_of_pairs
from geo.clusters.space import to_space
from geo.config import Clusters
from geo.config.sections.safety import Gathering
from geo.ledger import Entry
from geo.roads.lines import Floats, Integers
from geo.safety.expected.overdispersion import NO_SPREAD
from geo.safety.rates import Outcome

SAME_FORM, NO_RECORD = "same form, few collisions", "looks like the worst, no record yet"
APART_TILES = 1.5
"""Segments nearer than so many tiles' sides may show the same pixels: a diagonal is 1.41."""
_MEMORY_MB = 64
_ESTIMATES = ("", "_low", "_high", "_eb", "_eb_low", "_eb_high")
REMARK = (
    "Chosen for its record, the worst segment will look better next time, changed or not (regression to the mean), and "
    "one chosen for having few will look worse."
)


@dataclass(frozen=True, slots=True)
class LookAlikes:
    """What is looked for.

    Attributes
    ----------
    worst
        How many of the segments with the greatest score are looked at.
    neighbours
        How many look-alikes each of them gets.
    apart_m
        Segments nearer to each other than this on the ground (metres) are no look-alikes: their tiles show the same
        pixels. A tile's diagonal, or more.
    unrecorded
        How many segments without a record are told.
    least_length
        A look-alike is at least this share as long as the worst segment: on a short one no collisions say nothing.
    more_alike_than
        A pair is more alike than this share of random pairs of its road class, or it is none.
    """

    worst: int
    neighbours: int
    apart_m: float
    unrecorded: int = 25
    least_length: float = 0.5
    more_alike_than: float = MORE_ALIKE_THAN


def alike_to_worst(
    segments: gpd.GeoDataFrame,
    embeddings: NDArray[np.floating],
    outcome: Outcome,
    settings: Gathering,
    clusters: Clusters,
    *,
    tile_m: float,
) -> pd.DataFrame:
    """Find the roads that look like the worst, in the space in which types are found.

    The worst are those with the most to be gained: the shrunk rate less what the safety performance function predicts.

    Parameters
    ----------
    segments
        Segments with their rates (`look_alikes`), and ``<outcome>_per_km_year_potential``.
    embeddings
        Array ``(segments, dimension)``; a row with null has no look.
    outcome
        Which collisions make a road one of the worst: KSI, or all.
    settings
        The section ``safety.concentration`` of the city's file.
    clusters
        The section ``clusters`` of the city's file, which says how types' space is made
        (`geo.clusters.space.to_space`).
    tile_m
        Side of a tile (metres).

    Returns
    -------
    See `look_alikes`.
    """
    seen = np.isfinite(embeddings).all(axis=1)
    points = to_space(embeddings[seen].astype(np.float32), clusters)
    space = np.full((len(embeddings), points.shape[1]), np.nan)
    space[seen] = points
    wanted = LookAlikes(settings.worst_segments, settings.look_alikes, apart_m=APART_TILES * tile_m)
    return look_alikes(segments, space, segments[f"{outcome}_per_km_year_potential"], outcome, wanted)


def look_alikes(
    segments: gpd.GeoDataFrame,
    space: NDArray[np.floating],
    score: pd.Series,
    outcome: Outcome,
    settings: LookAlikes,
) -> pd.DataFrame:
    """Find the segments that look most like the worst.

    Likeness is the cosine of embeddings within one road class. A pair that is no more alike than `more_alike_than` of
    random pairs of the class (`geo.clusters.likeness.chance`) is none, though nothing is more alike: a segment that
    looks like no other has no look-alikes. 'Few' is an empirical Bayes rate no greater than the median of the class, so
    that shortness alone does not make a segment safe; the worst are never look-alikes of each other. The difference
    between a pair is given as recorded and as shrunk (empirical Bayes). The share of it that shrinking takes away
    is what is expected to vanish at the next look, without anything being done (Hauer 1997, 'Observational
    before-after studies in road safety', ch. 11; Copas 1997, Statistical Methods in Medical Research 6:167-183).

    Parameters
    ----------
    segments
        ``segment_id, road_class, length_m``; for `outcome` the count ``n_<outcome>`` and ``<outcome>_per_km_year`` with
        ``_low, _high, _eb, _eb_low, _eb_high``; LineStrings in metres.
    space
        Array ``(segments, dimension)``, the space that clusters are found in; a row that is not finite or zero has no
        look. See `geo.clusters.space.to_space`.
    score
        How bad each segment is, on the index of `segments`: greater is worse; null or not above 0 is never among the
        worst.
    outcome
        Which collisions the score is of: KSI, or all.
    settings
        How many look-alikes are sought, and how far apart.

    Returns
    -------
    ``kind`` (`SAME_FORM`: the worst first; `NO_RECORD`: the most like the worst first), ``rank`` (within its kind),
    ``segment_id`` (the worst one; under `NO_RECORD` the one without a record), ``similar_segment_id``, ``place`` (of
    the look-alike: 1 is the nearest), ``distance`` (1 - cosine), ``nearer_than`` (share of the class that is less like
    it), ``alike_than_pairs`` (share of random pairs of the class that is less alike), ``metres_apart`` (on the ground);
    for both, the second with ``similar_`` before it: ``length_m``, the count, the rate with its interval, and the
    shrunk rate with its own; ``difference``, ``difference_eb`` (first minus second), ``expected_to_vanish`` (share;
    null where the recorded rates are the same), ``remark``. Empty without a worst segment or without look-alikes.
    """
    rate = f"{outcome}_per_km_year"
    table = segments.assign(_score=score.astype("float64"), _row=np.arange(len(segments)))
    table = table.sort_values("segment_id").reset_index(drop=True)
    points = np.asarray(space, dtype=np.float64)[table["_row"].to_numpy()]
    length = np.linalg.norm(points, axis=1)
    seen = np.isfinite(length) & (length > 0)
    points = np.where(seen[:, None], points / np.where(seen, length, 1)[:, None], 0.0)
    ordered = np.flatnonzero(seen & (table["_score"] > 0).to_numpy())
    ordered = ordered[np.argsort(-table["_score"].to_numpy()[ordered], kind="stable")]
    worst = ordered[: settings.worst]
    usual = _usual(table[seen], points[seen])
    pairs = _pairs(table, points, seen, worst, settings)
    road_class = table["road_class"].iloc[pairs["worst"].to_numpy(dtype=np.int64)]
    pairs = pairs.assign(
        alike_than_pairs=usual.share_less_alike(road_class, 1 - pairs["distance"].to_numpy())
    )
    pairs = pairs[
        (1 - pairs["distance"]).to_numpy() >= usual.limits(road_class, settings.more_alike_than) - 1e-9
    ]
    is_worst = np.isin(np.arange(len(table)), worst)
    pairs = pairs[~is_worst[pairs["other"]]]
    shrunk = table[f"{rate}_eb"].astype("float64")
    class_median = shrunk.groupby(table["road_class"].fillna("")).transform("median")
    few = (shrunk <= class_median).to_numpy()
    none = table[f"n_{outcome}"].eq(0).fillna(value=False).to_numpy(dtype=bool)
    same_form = pairs[few[pairs["other"]]].groupby("worst", sort=False).head(settings.neighbours)
    same_form = same_form.assign(place=same_form.groupby("worst").cumcount() + 1)
    rank = pd.Series(np.arange(1, len(worst) + 1), index=worst)
    same_form = same_form.assign(rank=rank.loc[same_form["worst"]].to_numpy()).sort_values(["rank", "place"])
    reverse = pairs[none[pairs["other"]]].sort_values(["distance", "other", "worst"]).drop_duplicates("other")
    reverse = reverse.head(settings.unrecorded)
    reverse = reverse.assign(place=1, rank=np.arange(1, len(reverse) + 1))
    return pd.concat(
        [
            _lay_out(table, same_form, ("worst", "other"), SAME_FORM, outcome),
            _lay_out(table, reverse, ("other", "worst"), NO_RECORD, outcome),
        ],
        ignore_index=True,
    )


def _usual(seen: gpd.GeoDataFrame, points: Floats) -> Likeness:
    """Tell how alike random pairs of the segments with a look are."""
    middles = shapely.line_interpolate_point(seen.geometry.to_numpy(), 0.5, normalized=True)
    return likeness_of_pairs(points, seen["road_class"], shapely.get_coordinates(middles))


def count_look_alikes(
    pairs: pd.DataFrame,
    segments: pd.DataFrame,
    embeddings: NDArray[np.floating],
    outcome: Outcome,
    settings: Gathering,
) -> list[Entry]:
    """Count the worst segments that have look-alikes, and those that look like no other.

    Parameters
    ----------
    pairs
        What was found (`alike_to_worst`).
    segments, embeddings, outcome, settings
        What it was found in.
    """
    seen = np.isfinite(embeddings).all(axis=1)
    bad = (segments[f"{outcome}_per_km_year_potential"].astype("float64") > 0).to_numpy()
    worst = min(int((seen & bad).sum()), settings.worst_segments)
    found = int(pairs.loc[pairs["kind"] == SAME_FORM, "segment_id"].nunique())
    done = [Entry("worst segments", "done", "", found)] if found else []
    why = "no segment of its class with few collisions is alike enough, long enough and elsewhere"
    return done + ([Entry("worst segments", "skipped", why, worst - found)] if worst > found else [])


def plain_pairs(pairs: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """Name the columns of `look_alikes` alike for every outcome, which gets a column.

    Returns
    -------
    ``n`` for ``n_<outcome>`` and ``per_km_year`` for ``<outcome>_per_km_year``, with all that goes before and after.
    """
    names = {
        name: name.replace(f"n_{outcome}", "n").replace(f"{outcome}_per_km_year", "per_km_year")
        for name in pairs.columns
    }
    return pairs.rename(columns=names).assign(outcome=pd.Series(outcome, index=pairs.index, dtype=object))


def _pairs(
    table: gpd.GeoDataFrame,
    points: Floats,
    seen: NDArray[np.bool_],
    worst: Integers,
    settings: LookAlikes,
) -> pd.DataFrame:
    """List what could be a look-alike of each worst segment, nearest first: class, length and ground apart suit."""
    columns = {"worst": np.int64, "other": np.int64, "distance": np.float64, "nearer_than": np.float64}
    found = [pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})]
    road_class, _ = pd.factorize(table["road_class"].astype(object), use_na_sentinel=False)
    length = table["length_m"].to_numpy(dtype=np.float64)
    lines = table.geometry.to_numpy()
    tree = shapely.STRtree(lines[worst])
    near, at = tree.query(lines, predicate="dwithin", distance=settings.apart_m)
    close = np.zeros((len(worst), len(table)), dtype=bool)
    close[at, near] = True
    start = 0
    chunks = (
        pairwise_distances_chunked(points[worst], points, metric="cosine", working_memory=_MEMORY_MB)
        if len(worst)
        else iter(())
    )
    for chunk in chunks:
        mine = worst[start : start + len(chunk)]
        peers = seen & (road_class == road_class[mine][:, None])
        peers[np.arange(len(mine)), mine] = False
        good = peers & (length >= settings.least_length * length[mine][:, None])
        good &= ~close[start : start + len(chunk)]
        distance = np.clip(np.round(chunk, 9), 0, 2)
        ranks = pd.DataFrame(np.where(peers, distance, np.nan)).rank(axis=1, method="max").to_numpy()
        behind = 1 - ranks / peers.sum(axis=1, keepdims=True).clip(min=1)
        i, other = np.nonzero(good)
        part = pd.DataFrame({"worst": mine[i], "other": other, "distance": distance[i, other]})
        found.append(part.assign(nearer_than=behind[i, other]))
        start += len(chunk)
    return pd.concat(found, ignore_index=True).sort_values(["worst", "distance", "other"])


def _lay_out(
    table: gpd.GeoDataFrame, pairs: pd.DataFrame, sides: tuple[str, str], kind: str, outcome: Outcome
) -> pd.DataFrame:
    """Set out pairs with what is known of both."""
    rate = f"{outcome}_per_km_year"
    known = ["length_m", f"n_{outcome}", *(f"{rate}{each}" for each in _ESTIMATES)]
    one, other = (table.iloc[pairs[side].to_numpy(dtype=np.int64)].reset_index(drop=True) for side in sides)
    out = pd.DataFrame({"kind": kind, "rank": pairs["rank"].to_numpy(), "segment_id": one["segment_id"]})
    out["similar_segment_id"] = other["segment_id"]
    for name in ("place", "distance", "nearer_than", "alike_than_pairs"):
        out[name] = pairs[name].to_numpy()
    out["metres_apart"] = shapely.distance(one.geometry.to_numpy(), other.geometry.to_numpy())
    for prefix, side in (("", one), ("similar_", other)):
        for name in known:
            out[prefix + name] = side[name]
    out["difference"] = out[rate] - out[f"similar_{rate}"]
    out["difference_eb"] = out[f"{rate}_eb"] - out[f"similar_{rate}_eb"]
    differs = out["difference"].astype("float64") != 0
    out["expected_to_vanish"] = 1 - out["difference_eb"] / out["difference"].where(differs)
    method = table.get(f"{outcome}_eb_method", pd.Series(dtype=object)).astype("string")
    out["remark"] = _remarks(out, silent=bool(method.str.contains(NO_SPREAD).any()))
    return out


def _remarks(out: pd.DataFrame, *, silent: bool) -> pd.Series:
    """Say in words how alike a pair is, and what of its difference is expected to vanish."""
    share = out["expected_to_vanish"]
    part = (share * 100).round().map("{:.0f} %".format).astype(object)
    said = pd.Series(REMARK, index=out.index, dtype=object)
    some = share.between(0, 1, inclusive="left")
    said = said.where(
        ~some, REMARK + " Of the difference in rates, " + part + " is expected to vanish by itself."
    )
    said = said.where(~(share >= 1), REMARK + " The whole difference is expected to vanish by itself.")
    said = said.where(
        ~(share < 0), REMARK + " The shrunk rates differ by more than the recorded ones: exposure differs."
    )
    if silent:
        words = (
            f"{REMARK} Here {NO_SPREAD}: shrunk rates are predictions, or near them, and of any difference in the "
            "records nearly all is expected to vanish."
        )
        said = pd.Series(words, index=out.index, dtype=object)
    return how_alike(out["nearer_than"], out["alike_than_pairs"]) + " " + said


def how_alike(nearer_than: pd.Series, alike_than_pairs: pd.Series) -> pd.Series:
    """Say in a sentence how alike two segments are.

    Parameters
    ----------
    nearer_than
        Share of the class that is less like the one than the other is.
    alike_than_pairs
        Share of random pairs of the class that is less alike.

    Examples
    --------
    >>> how_alike(pd.Series([0.97]), pd.Series([0.9996])).iloc[0]
    'More like it than 97 % of its class, and more alike than 99.9 % of random pairs.'
    """
    told = [
        pd.Series(np.floor(each * 1000) / 10, index=each.index) for each in (nearer_than, alike_than_pairs)
    ]
    of_class, of_pairs = (each.map("{:.3g} %".format).astype(object) for each in told)
    found: pd.Series = (
        "More like it than "
        + of_class
        + " of its class, and more alike than "
        + of_pairs
        + " of random pairs."
    )
    return found
