"""Whether roads of one cluster have more or fewer collisions than comparable roads: the table of tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.config import ROAD_USERS
from geo.safety.comparison.adjusted import adjusted_ratios, covariance_of, design_of, trend_of
from geo.safety.comparison.blocks import Blocks, make_blocks
from geo.safety.comparison.contrast import (
    Contrast,
    Sums,
    add_up,
    common_ratio,
    moved_scores,
    ratio_interval,
    score,
)
from geo.safety.comparison.covariance import MIN_EVENTS, MIN_SEGMENTS, Cells, fit_covariance, make_cells
from geo.safety.comparison.discovery import gated
from geo.safety.comparison.groupings import POOLED, pool_groupings
from geo.safety.comparison.heldout import Periods, check_periods
from geo.safety.comparison.moves import find_areas, move_labels
from geo.safety.rates import LEVEL

OUTCOMES = (
    "n_collisions",
    "n_ksi",
    "n_fatal",
    "n_serious",
    "n_slight",
    *(f"n_{user}_collisions" for user in ROAD_USERS),
)
"""Columns of counts by which types are compared."""
COMPARISONS: Mapping[str, tuple[str, ...]] = {"all clustered roads": (), "same class": ("road_class",)}
MIN_EXPECTED = 5.0
"""A cluster of which fewer collisions are expected is not tested: nothing could come of it but a larger correction."""
PART_OF_TOWN = "part of town"
"""What the trend of place is called."""
Floats = NDArray[np.float64]
COLUMNS = (
    "cluster",
    "outcome",
    "comparison",
    "n",
    "length_km",
    "share_compared",
    "observed",
    "expected",
    "ratio",
    "low",
    "high",
    "p_value",
    "q_value",
    "ratio_adjusted",
    "ratio_adjusted_low",
    "ratio_adjusted_high",
    "adjusted_for",
    "ratio_first",
    "ratio_last",
    "observed_last",
    "expected_last",
    "held_out",
    "held_out_low",
    "held_out_high",
    "held_out_result",
    "method",
    "permutations",
    "blocks",
    "block_m",
    "overdispersion",
    "shared_variance",
    "shared_range_m",
    "reason",
    "p_value_adjusted",
    "reason_adjusted",
    "ratio_pooled",
    "ratio_pooled_low",
    "ratio_pooled_high",
    "share_from_grouping",
    "groupings",
    "reason_pooled",
)
"""Columns of the table of tests: `TEXTS`, `INTEGERS`, and numbers."""
TEXTS = (
    "outcome",
    "comparison",
    "adjusted_for",
    "reason_adjusted",
    "reason_pooled",
    "held_out_result",
    "method",
    "reason",
)
INTEGERS = ("cluster", "n", "observed", "observed_last", "permutations", "blocks", "groupings")


def cluster_tests(
    segments: pd.DataFrame,
    outcomes: Sequence[str],
    comparisons: Mapping[str, Sequence[str]] = COMPARISONS,
    *,
    covariates: Sequence[str] = (),
    periods: Periods | None = None,
    groupings: pd.DataFrame | None = None,
    permutations: int,
    seed: int,
) -> pd.DataFrame:
    """Compare each cluster with the other clustered roads, for each outcome and comparison.

    Expected counts are those of the other roads of the same strata (`common_ratio`). The score of each ratio, over its
    standard error under a covariance of risk fitted to the fullest outcome (`fit_covariance`), is held against those of
    maps of clusters that were moved as wholes (`move_labels`): studentised permutation (Janssen 1997, Statist. Probab.
    Lett. 36:9-21; Chung and Romano 2013, Ann. Statist. 41:484-507), so that maps that differ in what they compare are
    on one scale. The p-value is ``(1 + b) / (1 + B)``, with ``b`` of ``B`` moved maps at least as far from 0 (Davison
    and Hinkley 1997, Bootstrap Methods, ch. 4). The interval holds all ratios whose studentised score is within the
    moved maps' 95 % quantile: it leaves out 1 where p is 0.05 or less.

    A map that is moved keeps neighbours together, but not what every town has: a centre with other roads and other
    risk than its rim. The adjusted ratio is therefore that to roads of the same strata in the same part of town, with a
    smooth trend of place beside them (`geo.safety.comparison.adjusted.adjusted_ratios`), and ``q_value``, by which a
    difference is claimed, is of its p-values: one gate a cluster (`geo.safety.comparison.discovery.gated`).

    Parameters
    ----------
    segments
        ``cluster`` (null: not known, in no comparison), ``counted_m``, ``years``, ``x``, ``y`` (midpoint, metres), the
        columns of `comparisons` and `covariates` (null: a class of its own, or the covariate's mean), and `outcomes`.
        The result does not depend on the order of rows if the index is unique.
    outcomes
        Columns with each segment's count of collisions of one kind; one with a null is told to be not known.
    comparisons
        Name of each comparison, and the columns whose values must be equal for segments to be compared.
    covariates
        Numbers that the adjusted ratio takes into account beside the columns of each comparison and the part of town;
        logarithms where risk goes with a power (traffic).
    periods
        Counts of the first and of the last years, for the check whether an effect lasts; None: no such check.
    groupings
        Cluster of each segment in other groupings, on the index of `segments`, a column each; ``ratio_pooled_low`` and
        ``_high`` of `geo.safety.comparison.groupings.POOLED` allow for how they differ. None: nothing is known.
    permutations
        How many times the map of clusters is moved (number); 0: no p-value by it.
    seed
        Seed of the moves: the same one gives the same p-values.

    Returns
    -------
    One row a cluster, outcome and comparison, with `COLUMNS`. ``n`` and ``length_km`` are the cluster's segments in
    strata where others can be compared with, ``share_compared`` their share of its length. Where a value is null,
    ``reason``, or ``reason_adjusted`` of the adjusted ratio, says why, in words. A ``high`` of
    infinity: no ratio is too large for the data.

    Raises
    ------
    KeyError
        When `segments` lacks the column of an outcome.

    Examples
    --------
    A town of 400 segments of 100 m, in which every block of streets is of one of two types; roads of the second one
    have three times the collisions:

    >>> rng = np.random.default_rng(1)
    >>> x, y = (100.0 * axis.ravel() for axis in np.meshgrid(np.arange(20), np.arange(20)))
    >>> blocks = rng.integers(1, 3, (5, 5))[(y // 400).astype(int), (x // 400).astype(int)]
    >>> segments = pd.DataFrame({"cluster": blocks, "counted_m": 100.0, "years": 5.0, "x": x, "y": y})
    >>> segments["n_collisions"] = rng.poisson(np.where(blocks == 2, 1.5, 0.5))
    >>> found = cluster_tests(segments, ["n_collisions"], {"all": ()}, permutations=199, seed=0)
    >>> second = found.set_index("cluster").loc[2]
    >>> bool(second["low"] < 3 < second["high"]), bool(second["q_value"] <= 0.05)
    (True, True)
    """
    frame, asked = _compared(segments), list(outcomes)
    counts = frame[asked].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    if frame.empty or not asked:
        return typed(pd.DataFrame(columns=list(COLUMNS)))
    told = np.isfinite(counts).all(axis=0)
    setting = _setting(frame, counts[:, told], covariates, groupings, permutations=permutations, seed=seed)
    names = [name for name, is_told in zip(asked, told, strict=True) if is_told]
    untold = [name for name, is_told in zip(asked, told, strict=True) if not is_told]
    tables = [_compare(setting, names, name, list(columns), periods) for name, columns in comparisons.items()]
    tables += [_untold(setting, untold, list(comparisons))]
    table = _in_order(pd.concat([part for part in tables if len(part)]), [*asked, *comparisons])
    return typed(table.assign(q_value=gated(table)))


def _compared(segments: pd.DataFrame) -> pd.DataFrame:
    """Keep the segments that have a cluster, exposure and a place, in the order of their index."""
    known = segments["cluster"].notna() & (segments["counted_m"] > 0) & (segments["years"] > 0)
    return segments[known & segments["x"].notna() & segments["y"].notna()].sort_index(kind="stable")


def _in_order(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Sort rows by outcome and comparison, as these are named, and by cluster."""
    ranks = {name: number for number, name in enumerate(names)}
    return table.sort_values(
        ["outcome", "comparison", "cluster"],
        key=lambda column: column.map(ranks) if column.name != "cluster" else column,
        kind="stable",
        ignore_index=True,
    )


@dataclass(frozen=True, slots=True)
class _Setting:
    frame: pd.DataFrame
    clusters: NDArray[np.int64]
    labels: NDArray[np.int64]
    counts: Floats
    places: Floats
    moves: NDArray[np.int64]
    areas: int
    covariates: tuple[str, ...]
    groupings: NDArray[np.int64] | None = None

    @property
    def exposure(self) -> Floats:
        return (self.frame["counted_m"] / 1000 * self.frame["years"]).to_numpy(dtype=np.float64)


def _setting(
    frame: pd.DataFrame,
    counts: Floats,
    covariates: Sequence[str],
    groupings: pd.DataFrame | None,
    *,
    permutations: int,
    seed: int,
) -> _Setting:
    """Lay out what all comparisons have in common."""
    clusters, labels = np.unique(frame["cluster"].to_numpy(dtype=np.int64), return_inverse=True)
    places = frame[["x", "y"]].to_numpy(dtype=np.float64)
    areas = find_areas(places)
    return _Setting(
        frame,
        clusters,
        labels.ravel().astype(np.int64),
        counts,
        places,
        move_labels(places, areas, permutations, seed=seed),
        int(areas.max()) + 1,
        tuple(covariates),
        _renumbered(groupings, frame.index, clusters),
    )


def _renumbered(
    groupings: pd.DataFrame | None, index: pd.Index, clusters: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """Give the clusters of other groupings the places of `clusters`, from 0; -1 to those that are not among them."""
    if groupings is None:
        return None
    theirs = groupings.reindex(index).fillna(clusters.min() - 1).to_numpy(dtype=np.int64)
    place = np.searchsorted(clusters, theirs).clip(0, len(clusters) - 1)
    found: NDArray[np.int64] = np.where(clusters[place] == theirs, place, -1)
    return found


def _compare(
    setting: _Setting, names: list[str], comparison: str, columns: list[str], periods: Periods | None
) -> pd.DataFrame:
    """Make the rows of one comparison; those of an outcome follow each other, cluster by cluster."""
    if not names:
        return pd.DataFrame()
    contrast, blocks = _contrast(setting, columns)
    sums = add_up(contrast)
    observed, expected, ratio = common_ratio(sums)
    too_little = _reasons(contrast, sums, expected, ratio)
    unmoved = "" if len(setting.moves) else "no permutations asked for"
    reasons = np.where(too_little == "", unmoved, too_little).astype(object)
    tested = reasons == ""
    critical = np.full(ratio.shape, np.nan)
    p_value, low, high = critical.copy(), critical.copy(), critical.copy()
    if tested.any():
        moved = np.abs(moved_scores(contrast, setting.moves))
        own = np.abs(score(contrast, sums, np.ones_like(ratio)).studentised)
        beyond = (moved >= own * (1 - 1e-9) - 1e-12).sum(axis=0)
        p_value = np.where(tested, (1 + beyond) / (1 + len(moved)), np.nan)
        critical = np.where(tested, _critical(moved), np.nan)
        low, high = ratio_interval(contrast, sums, np.where(tested, ratio, np.nan), critical)
    compared = sums.comparable[contrast.strata[:, None], np.arange(contrast.k)] & (
        contrast.labels[:, None] == np.arange(contrast.k)
    )
    length = setting.frame["counted_m"].to_numpy(dtype=np.float64) / 1000
    whole = np.bincount(setting.labels, length, contrast.k)
    part = length @ compared
    table = _frame(setting, names)
    outcomes = len(names)
    table = table.assign(
        comparison=comparison,
        n=np.tile(compared.sum(axis=0), outcomes),
        length_km=np.tile(part, outcomes),
        share_compared=np.tile(part / whole, outcomes),
        observed=observed.T.ravel(),
        expected=expected.T.ravel(),
        ratio=np.where(np.isfinite(ratio), ratio, np.nan).T.ravel(),
        low=low.T.ravel(),
        high=high.T.ravel(),
        p_value=p_value.T.ravel(),
        reason=reasons.T.ravel(),
        method=_method(setting, contrast),
        permutations=len(setting.moves),
        blocks=blocks.count,
        block_m=blocks.size_m,
        overdispersion=contrast.covariance.own if not contrast.covariance.reason else np.nan,
        shared_variance=contrast.covariance.shared if not contrast.covariance.reason else np.nan,
        shared_range_m=contrast.covariance.range_m,
    )
    table = _adjust(table, setting, contrast, columns, too_little, names)
    per_year = replace(contrast, exposure=length)
    return check_periods(table, per_year, blocks, setting.frame.index, periods)


def _contrast(setting: _Setting, columns: list[str]) -> tuple[Contrast, Blocks]:
    """Lay out strata, fit the covariance of risk and cut blocks, by the outcome with the most collisions."""
    places, exposure, counts = setting.places, setting.exposure, setting.counts
    strata: NDArray[np.int64] = np.zeros(len(places), dtype=np.int64)
    if columns:
        keys = setting.frame[columns].astype(object)
        groups = keys.where(keys.notna(), "").groupby(columns, sort=True).ngroup()
        strata = np.asarray(groups, dtype=np.int64)
    fullest = counts[:, int(counts.sum(axis=0).argmax())]
    size = int(strata.max()) + 1
    expected = exposure * (np.bincount(strata, fullest, size) / np.bincount(strata, exposure, size))[strata]
    design = (strata[:, None] == np.arange(size)).astype(np.float64)
    covariance = fit_covariance(fullest, expected, design, places)
    blocks = make_blocks(fullest, expected, places)
    cells: Cells = make_cells(places)
    k = len(setting.clusters)
    contrast = Contrast(
        counts, exposure, strata, setting.labels, k, cells, np.eye(len(cells.centre)), covariance
    )
    return contrast.under(covariance), blocks


def _reasons(contrast: Contrast, sums: Sums, expected: Floats, ratio: Floats) -> NDArray[np.object_]:
    """Say why a cluster and outcome is not tested; empty where it is."""
    reasons = np.full(ratio.shape, "", dtype=object)
    total = contrast.counts.sum(axis=0)

    def note(where: NDArray[np.bool_], words: NDArray[np.object_] | str) -> None:
        free = np.logical_and(np.broadcast_to(where, ratio.shape), reasons == "").astype(np.bool_)
        reasons[free] = np.broadcast_to(np.asarray(words, dtype=object), ratio.shape)[free]

    note(np.array([contrast.k == 1]), "one cluster only: no other roads to compare with")
    note((sums.comparable.sum(axis=0) == 0)[:, None], "no other clustered roads are of its classes")
    note(total == 0, "no collisions of this kind")
    few = [f"{int(value)} collisions of this kind: fewer than {MIN_EVENTS}" for value in total]
    note(total < MIN_EVENTS, np.array(few, dtype=object))
    note(np.isinf(ratio), "no collisions on the roads compared with")
    note(np.isnan(ratio), "no collisions on comparable roads")
    least = np.minimum(expected, _expected_at_one(sums))
    note(least < MIN_EXPECTED, f"fewer than {MIN_EXPECTED:.0f} collisions expected")
    note(np.array([len(contrast.exposure) < MIN_SEGMENTS]), f"fewer than {MIN_SEGMENTS} segments in all")
    note(np.array([bool(contrast.covariance.reason)]), contrast.covariance.reason)
    return reasons


def _expected_at_one(sums: Sums) -> Floats:
    """Collisions that would be the cluster's if its ratio were 1."""
    share = np.where(sums.comparable, sums.exposure / sums.exposure.sum(axis=1, keepdims=True), 0.0)
    found: Floats = (share[:, :, None] * sums.events.sum(axis=1)[:, None, :]).sum(axis=0)
    return found


def _critical(moved: Floats) -> Floats:
    """Absolute score that is left by chance in 5 % of moved maps; infinite if there are too few maps to tell."""
    beyond = int((1 - LEVEL) * (len(moved) + 1) + 1e-9)
    if beyond < 1:
        return np.full(moved.shape[1:], np.inf)
    found: Floats = np.partition(moved, len(moved) - beyond, axis=0)[len(moved) - beyond]
    return found


def _frame(setting: _Setting, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cluster": np.tile(setting.clusters, len(names)),
            "outcome": np.repeat(np.array(names, dtype=object), len(setting.clusters)),
        }
    )


def _method(setting: _Setting, contrast: Contrast) -> str:
    many = "" if setting.areas == 1 else f", exchanged among {setting.areas} areas"
    covariance = contrast.covariance
    if covariance.reason:
        return f"none: {covariance.reason}"
    return (
        f"map of clusters moved as a whole (turned, mirrored, shifted{many}) {len(setting.moves)} times; "
        f"score over its standard error under overdispersion and risk shared by neighbours, fitted by REML"
    )


def _adjust(
    table: pd.DataFrame,
    setting: _Setting,
    contrast: Contrast,
    columns: list[str],
    too_little: NDArray[np.object_],
    names: Sequence[str],
) -> pd.DataFrame:
    """Add ratios to roads like a cluster's own in the same part of town, with class and covariates in the mean."""
    numbers = setting.frame[list(setting.covariates)].astype("Float64").astype("float64")
    numbers = numbers.fillna(numbers.mean()).fillna(0.0)
    design = design_of(contrast.strata, numbers, trend_of(setting.places))
    covariance = (
        None if contrast.k == 1 else covariance_of(contrast, design, setting.places, contrast.covariance)
    )
    found = adjusted_ratios(contrast, design, setting.places, covariance)
    reason = np.where(too_little == "", found.reason, too_little).T.ravel()
    known = reason == ""
    table = table.assign(
        ratio_adjusted=np.where(known, found.ratio.T.ravel(), np.nan),
        ratio_adjusted_low=np.where(known, found.low.T.ravel(), np.nan),
        ratio_adjusted_high=np.where(known, found.high.T.ravel(), np.nan),
        p_value_adjusted=np.where(known, found.p_value.T.ravel(), np.nan),
        adjusted_for=", ".join([*columns, *setting.covariates, PART_OF_TOWN]),
        reason_adjusted=pd.Series(reason, index=table.index).where(~known),
    )
    if setting.groupings is None or covariance is None:
        return table
    pooled = pool_groupings(
        contrast,
        replace(found, reason=np.where(too_little == "", found.reason, too_little)),
        setting.groupings,
        design,
        setting.places,
        covariance,
        [number for number, name in enumerate(names) if name in POOLED],
    )
    return table.assign(
        ratio_pooled=pooled.ratio.T.ravel(),
        ratio_pooled_low=pooled.low.T.ravel(),
        ratio_pooled_high=pooled.high.T.ravel(),
        share_from_grouping=pooled.share.T.ravel(),
        groupings=setting.groupings.shape[1],
        reason_pooled=pooled.reason.T.ravel(),
    )


def _untold(setting: _Setting, names: list[str], comparisons: list[str]) -> pd.DataFrame:
    """Make the rows of outcomes that the records do not tell."""
    parts = [
        _frame(setting, names).assign(comparison=name, reason="not known on every segment")
        for name in comparisons
        if names
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """Give every column its type; texts that say nothing are null."""
    laid_out = table.reindex(columns=list(COLUMNS))
    for name in COLUMNS:
        if name in TEXTS:
            text = laid_out[name].astype(object)
            laid_out[name] = text.where(text.notna() & (text != ""), None)
        elif name in INTEGERS:
            laid_out[name] = laid_out[name].astype("Float64").round().astype("Int64")
        else:
            laid_out[name] = laid_out[name].astype("float64")
    return laid_out
