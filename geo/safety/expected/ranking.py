"""Which segments are the worst, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from geo.counting import doing, step
from geo.errors import LayerError
from geo.safety.expected.draws import BLOCK, draw_in_turn
from geo.safety.expected.empirical_bayes import Prior
from geo.safety.expected.recipe import as_floats

Measure = Literal["rate", "potential"]
Floats = NDArray[np.float64]
CELLS = 4_000_000
"""Drawn at once, at most: 32 MB a table."""
_MOST, _LEAST_DRAWS = 24_000_000, 1000
"""Numbers drawn in all, at most, unless that would leave fewer draws than the second."""
_PLACE = ("segment_id", "name", "ref", "road_class", "length_m", "cluster", "years")
_RANKS = ("expected_rank", "rank_deviation", "p_above_predicted", "p_worst_5_percent")
_COLUMNS = ("rank", "mean_rank", "rank_deviation", "p_above", "p_worst", "p_worst_20", "p_worst_1_percent")
N_WORST = 20
_PLURALS = {"segment": "segments", "junction": "junctions", "stretch": "stretches"}
_LEAST_BLOCKS = 8
"""From as many blocks of draws their means tell how well the mean of all is known."""


def rank_segments(
    before: Prior,
    counts: pd.Series,
    exposure: pd.Series,
    *,
    seed: int,
    draws: int,
    measure: Measure = "rate",
    worst: float = 0.05,
) -> pd.DataFrame:
    """Rank segments by draws from the posterior of their expected counts.

    Each draw takes coefficients and k from what the counts leave possible, then every segment's expected count from
    its gamma posterior (`empirical_bayes`), and ranks them. A segment's share of draws among the
    worst, and its mean rank, say more than the rank of its estimate, which few segments deserve (Goldstein and
    Spiegelhalter 1996, JRSS A 159:385-443; Miaou and Song 2005, Accident Analysis and Prevention 37:699-720; mean
    ranks are best under squared error: Laird and Louis 1989, Journal of Educational Statistics 14:29-46).

    Parameters
    ----------
    before
        What is expected of each segment before its own record is looked at
        (`geo.safety.expected.empirical_bayes.prior`).
    counts, exposure
        Events, and kilometres times years, of each segment. Where either is null there is no rank.
    seed
        Seed of the draws: the same one gives the same ranks.
    draws
        How many times all segments are drawn and ranked, at most (see `_MOST`), in turns that tell more than as many
        plain draws (`geo.safety.expected.draws.draw_in_turn`). A probability is known to a standard error of at most
        ``0.5 / sqrt(draws)``: 0.0035 of 20,000.
    measure
        ``rate``: expected events per km and year; ``potential``: these less the predicted ones.
    worst
        Share of segments that counts as the worst (0 to 1), rounded up to whole segments.

    Returns
    -------
    On the index of `counts`: ``rank`` (Int64, by mean rank, 1 is the worst; segments whose mean ranks the draws do not
    tell apart share the best rank among them, and the next one follows after as many), ``mean_rank``,
    ``rank_deviation`` (standard deviation of the rank over draws), ``p_above`` (probability that more is to be expected
    of it than is predicted), ``p_worst``, and, as this one, ``p_worst_20`` and ``p_worst_1_percent``: of being among
    the 20 and the 1 % that are worst.
    """
    index = before.predicted.index
    table = pd.DataFrame(np.nan, index=index, columns=list(_COLUMNS))
    y = as_floats(counts.reindex(index))
    length = as_floats(exposure.reindex(index))
    known = np.isfinite(y) & before.predicted.notna().to_numpy() & (length > 0)
    if known.any():
        table.loc[known] = _ranks(before, y, length, known, seed, measure, worst, draws)
    return table.astype({"rank": "Int64"}).reindex(counts.index)


def worst_segments(segments: gpd.GeoDataFrame, shown: int = 20) -> gpd.GeoDataFrame:
    """List the segments that rank worst, with what the ranks rest on and how sure they are.

    The order is that of ``expected_rank``, the mean rank over what is possible given the counts: neither the highest
    count nor the highest rate, both of which favour chance (see `rank_segments`).

    Parameters
    ----------
    segments
        The layer ``segments`` of a run.
    shown
        How many of the worst segments are given.

    Returns
    -------
    The worst first: ``place`` (from 1), ``segment_id``, ``name``, ``ref``, ``road_class``, ``length_m`` (metres),
    ``cluster``, ``years`` (of records), ``expected_rank`` with ``rank_deviation``, ``p_above_predicted`` (probability
    that more is to be expected of it than of roads like it), ``p_worst_5_percent`` (of being among the worst 5 %),
    ``rank_of`` (the outcome: ``ksi`` or ``collisions``); then of that outcome the number, the recorded rate and the
    shrunk one (``_eb``), each with its 95 % interval, what is predicted for roads like it and the potential (shrunk
    less predicted), all per km and year; ``n_collisions``, ``looks_like``, and the line.

    Raises
    ------
    LayerError
        When no segment has a rank: there are no records, or too few.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> segments = gpd.GeoDataFrame(
    ...     {
    ...         "segment_id": ["a", "b", "c"],
    ...         "name": ["Elm Road", None, "High Street"],
    ...         "rank_of": ["ksi", "ksi", None],
    ...         "expected_rank": [1.8, 1.2, None],
    ...         "ksi_per_km_year": [0.0, 2.5, None],
    ...     },
    ...     geometry=[LineString([(0, y), (100, y)]) for y in (0, 100, 200)],
    ...     crs=27700,
    ... )
    >>> worst_segments(segments, 2)[["place", "segment_id", "expected_rank"]].values.tolist()
    [[1, 'b', 1.2], [2, 'a', 1.8]]
    """
    return worst_of(segments, "segment", known=(*_PLACE, *_RANKS), per="km_year", shown=shown)


def worst_of(
    units: gpd.GeoDataFrame, unit: str, *, known: Sequence[str], per: str, shown: int
) -> gpd.GeoDataFrame:
    """List the units of any kind that rank worst, the worst first, see `worst_segments`.

    Parameters
    ----------
    units
        A layer of a run, with ``expected_rank`` and ``rank_of``.
    unit
        What one is called: ``segment``, ``junction`` or ``stretch``.
    known
        Columns that stand before the rates, where they are there.
    per
        What rates are per, as their columns say: ``km_year`` or ``year``.
    shown
        How many of the worst are given.

    Raises
    ------
    LayerError
        When none has a rank.
    """
    ranked = units[units["expected_rank"].notna()] if "expected_rank" in units else units.iloc[:0]
    if ranked.empty:
        raise LayerError(
            f"no {unit} has a rank",
            where=f"layer '{_PLURALS[unit]}'",
            todo="Give the city collision records (collisions.sources); the ledger says what became of them.",
        )
    outcome = str(ranked["rank_of"].iloc[0])
    # a stretch has rates of the outcome that it is ranked by alone
    rate = f"{outcome}_per_{per}" if f"{outcome}_per_{per}" in units else f"per_{per}"
    ends = ("", "_low", "_high", "_eb", "_eb_low", "_eb_high", "_predicted", "_potential")
    wanted = [
        *known,
        "rank_of",
        f"n_{outcome}",
        *(f"{rate}{end}" for end in ends),
        "n_collisions",
        "n_collisions_at_junctions",
        "looks_like",
        ranked.geometry.name,
    ]
    there = [name for name in dict.fromkeys(wanted) if name in ranked]
    found = ranked.sort_values(["expected_rank", f"{unit}_id"], kind="stable", ignore_index=True)[there]
    worst: gpd.GeoDataFrame = found.head(shown).copy()
    worst.insert(0, "place", range(1, len(worst) + 1))
    return worst


@dataclass(frozen=True, slots=True)
class Drawn:
    """Some draws of units: the number of their block, what they rank by, and which are above what is predicted."""

    block: int
    worth: Floats
    above: NDArray[np.bool_]


def draws_for(units: int, draws: int) -> int:
    """Tell how many draws of so many units are made: as many as asked for, or what a large city can bear."""
    return min(draws, max(_LEAST_DRAWS, _MOST // max(units, 1)))


def tally_ranks(drawn: Iterable[Drawn], n: int, draws: int, worst: float = 0.05) -> dict[str, Floats]:
    """Rank units in each draw, and bring the ranks together.

    Parameters
    ----------
    drawn
        The draws, ``(some draws, n)`` at a time; the highest value ranks first.
    n, draws
        How many units and draws there are.
    worst
        Share of units that counts as the worst (0 to 1), rounded up to whole units.

    Returns
    -------
    Columns of `rank_segments`, ``(n,)`` each.
    """
    n_worst = np.array([int(np.ceil(worst * n)), min(N_WORST, n), int(np.ceil(0.01 * n))])
    squares, higher, among = np.zeros(n), np.zeros(n), np.zeros((len(n_worst), n))
    sums = np.zeros((-(-draws // BLOCK), n))
    doing("draws of ranks", draws)
    for one in drawn:
        ranks = np.empty_like(one.worth)
        np.put_along_axis(ranks, np.argsort(-one.worth, axis=1), np.arange(1.0, n + 1)[None, :], axis=1)
        sums[one.block] += ranks.sum(axis=0)
        squares += (ranks**2).sum(axis=0)
        higher += one.above.sum(axis=0)
        for place, most in enumerate(n_worst):
            among[place] += (ranks <= most).sum(axis=0)
        step(len(ranks))
    mean = sums.sum(axis=0) / draws
    deviation = np.sqrt(np.clip(squares / draws - mean**2, 0, None))
    # means are known to about this: beyond it, an order would be one of the draws
    grain = 2 * max(_error(sums, deviation, draws), np.finfo(np.float64).eps)
    order = rankdata(np.round(mean / grain), method="min").astype(np.float64)
    return dict(zip(_COLUMNS, (order, mean, deviation, higher / draws, *(among / draws)), strict=True))


def _ranks(
    before: Prior,
    y: Floats,
    length: Floats,
    known: NDArray[np.bool_],
    seed: int,
    measure: Measure,
    worst: float,
    draws: int,
) -> Floats:
    """Rank, mean rank, its deviation and the share of draws among the worst, of the known segments."""
    n = int(known.sum())
    draws = draws_for(n, draws)
    turns = draw_in_turn(before, y, known, draws, np.random.default_rng(seed), CELLS)
    drawn = (
        Drawn(block, (count - m if measure == "potential" else count) / length[known], count > m)
        for block, m, count in turns
    )
    return np.column_stack(list(tally_ranks(drawn, n, draws, worst).values()))


def _error(sums: Floats, deviation: Floats, draws: int) -> float:
    """Tell the standard error of mean ranks, that of nearly all units: from the blocks of draws, if they are enough."""
    blocks = len(sums)
    if blocks < _LEAST_BLOCKS:
        return float(deviation.max() / np.sqrt(draws))
    return float(np.quantile(sums.std(axis=0, ddof=1), 0.95) * np.sqrt(blocks) / draws)


def false_among_worst(ranks: pd.DataFrame) -> pd.DataFrame:
    """Tell which share of the segments that rank worst is to be expected not to belong there.

    The mean, over those listed, of the probability that one of them is false, given the counts (Newton, Noueiry, Sarkar
    and Ahlquist 2004, Biostatistics 5:155-176; of sites with many collisions: Miranda-Moreno, Labbe and Fu 2007,
    Accident Analysis and Prevention 39:1192-1201). False is, first, one that is not truly among as many worst; second,
    one of which no more is to be expected than of segments like it.

    Parameters
    ----------
    ranks
        As `rank_segments` gives them.

    Returns
    -------
    ``worst`` (``20``, ``1 %``, ``5 %``), ``n`` (how many they are), ``not_among`` and ``not_above`` (shares, 0 to 1);
    only where they are fewer than half of all that have a rank.

    Examples
    --------
    >>> import pandas as pd
    >>> ranks = pd.DataFrame({"mean_rank": range(1, 101), "p_above": [0.9] * 20 + [0.4] * 80})
    >>> ranks["p_worst_20"] = [0.7] * 20 + [0.075] * 80
    >>> ranks["p_worst_1_percent"] = ranks["p_worst"] = 0.1
    >>> false_among_worst(ranks)[["n", "not_among", "not_above"]].iloc[0].round(2).tolist()
    [20.0, 0.3, 0.1]
    """
    ranked = ranks[ranks["mean_rank"].notna()].sort_values("mean_rank", kind="stable")
    sizes = (
        ("20", N_WORST, "p_worst_20"),
        ("1 %", int(np.ceil(0.01 * len(ranked))), "p_worst_1_percent"),
        ("5 %", int(np.ceil(0.05 * len(ranked))), "p_worst"),
    )
    rows = [
        (name, n, float(1 - ranked[column].iloc[:n].mean()), float(1 - ranked["p_above"].iloc[:n].mean()))
        for name, n, column in sizes
        if 2 * n < len(ranked)
    ]
    return pd.DataFrame(rows, columns=["worst", "n", "not_among", "not_above"])
