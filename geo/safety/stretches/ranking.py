"""Which stretches of road are the worst, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.config import Safety
from geo.roads.graph import build_graph
from geo.roads.routes import chain
from geo.safety.expected.draws import draw_in_turn
from geo.safety.expected.empirical_bayes import Prior
from geo.safety.expected.estimates import Estimates
from geo.safety.expected.ranking import CELLS, Drawn, draws_for, tally_ranks, worst_of
from geo.safety.expected.recipe import as_floats
from geo.safety.rates import Outcome, poisson_interval
from geo.safety.stretches.laying import Stretches, lay_stretches

Floats = NDArray[np.float64]
_KEPT = 40_000_000
"""So many numbers are kept for intervals, at most: of a country the first draws alone, though no fewer than these."""
_LEAST_KEPT = 200
_INTERVAL = (0.025, 0.975)
SHORTEST = 0.5
"""A stretch that is shorter than this share of `stretch_m` is rated as if it were so long."""
_PLACE = (
    "stretch_id",
    "name",
    "ref",
    "from_street",
    "to_street",
    "road_class",
    "length_m",
    "cluster",
    "years",
)
RANKS = {
    "rank": "rank",
    "mean_rank": "expected_rank",
    "rank_low": "rank_low",
    "rank_high": "rank_high",
    "p_above": "p_above_predicted",
    "p_worst": "p_worst_5_percent",
    "p_worst_20": "p_worst_20",
}
"""What columns of `rank_stretches` are called in the layer."""


def rank_stretches(
    before: Prior,
    counts: pd.Series,
    exposure: pd.Series,
    of_segment: pd.Series,
    *,
    least: float,
    seed: int,
    draws: int,
) -> pd.DataFrame:
    """Rank stretches by draws of what is to be expected of their segments, added up.

    Each draw takes the expected count of every segment from its posterior, as for the ranks of segments
    (`geo.safety.expected.ranking.rank_segments`), coefficients shared, adds the counts of a stretch's segments up, and
    divides by their kilometres and years. So what is expected of a stretch is what is expected of its segments
    together, as of a facility in the Highway Safety Manual (2010, part C, A.2.4).

    Parameters
    ----------
    before
        What is expected of each segment before its own record is looked at.
    counts, exposure
        Events, and kilometres times years, of each segment. Segments of which either is null, or whose exposure is 0,
        say nothing of their stretch.
    of_segment
        Stretch of each segment.
    least
        A stretch with less exposure is taken as if it had so much (kilometres times years): one collision on a stub of
        20 m would lead any list.
    seed, draws
        As for `rank_segments`.

    Returns
    -------
    By stretch, of those that any segment tells of: ``exposure`` (kilometres times years, `least`
    or more), ``rank``, ``mean_rank``,
    ``rank_low`` and ``rank_high`` (between them the rank lies with a probability of 95 %), ``p_above``, ``p_worst`` (of
    being among the worst 5 %), ``p_worst_20``; ``eb``, ``eb_low``, ``eb_high`` (events per km and year, mean and 95 %
    interval of the draws) and ``predicted`` (per km and year).
    """
    index = before.predicted.index
    y, length = as_floats(counts.reindex(index)), as_floats(exposure.reindex(index))
    known = np.isfinite(y) & before.predicted.notna().to_numpy() & (length > 0)
    code, stretch = pd.factorize(of_segment.reindex(index)[known], sort=True)
    if not len(stretch):
        return pd.DataFrame(index=pd.Index([], dtype=object, name="stretch_id"))
    draws = draws_for(len(index), draws)
    divisor = np.maximum(np.bincount(code, weights=length[known]), least)
    together = _Together(code, divisor, draws)
    rng = np.random.default_rng(seed)
    drawn = together.follow(draw_in_turn(before, y, known, draws, rng, CELLS))
    ranks = tally_ranks(drawn, len(stretch), draws)
    predicted = np.bincount(code, weights=before.predicted.to_numpy(dtype=np.float64)[known])
    return pd.DataFrame(
        {
            "exposure": together.exposure,
            **ranks,
            **together.intervals(),
            "predicted": predicted / together.exposure,
        },
        index=pd.Index(stretch, name="stretch_id"),
    ).astype({"rank": "Int64"})


class _Together:
    """Adds draws of segments up to those of stretches, and keeps them."""

    def __init__(self, code: NDArray[np.int64], exposure: Floats, draws: int) -> None:
        self.order = np.argsort(code, kind="stable")
        self.first = np.flatnonzero(np.append(True, np.diff(code[self.order]) != 0))
        self.exposure = exposure
        self.total = np.zeros(len(self.first))
        self.draws = draws
        kept = min(draws, max(_LEAST_KEPT, _KEPT // len(self.first)))
        self.kept = np.empty((kept, len(self.first)), dtype=np.float32)

    def follow(self, drawn: Iterator[tuple[int, Floats, Floats]]) -> Iterator[Drawn]:
        """Give rates of stretches, and whether they are above what is predicted, draw by draw."""
        done = 0
        for block, predicted, expected in drawn:
            m, count = (
                np.add.reduceat(each[:, self.order], self.first, axis=1) for each in (predicted, expected)
            )
            rate = count / self.exposure
            self.total += rate.sum(axis=0)
            here = rate[: max(0, len(self.kept) - done)]
            self.kept[done : done + len(here)] = here
            done += len(rate)
            yield Drawn(block, rate, count > m)

    def intervals(self) -> dict[str, Floats]:
        """Give the mean rate of each stretch, and between which rates and ranks it lies with a probability of 95 %."""
        ranks = np.empty(self.kept.shape, dtype=np.float32)
        places = np.arange(1, self.kept.shape[1] + 1, dtype=np.float32)
        np.put_along_axis(ranks, np.argsort(-self.kept, axis=1, kind="stable"), places[None, :], axis=1)
        low, high = np.quantile(self.kept, _INTERVAL, axis=0)
        best, worst = np.quantile(ranks, _INTERVAL, axis=0, method="nearest")
        return {
            "eb": self.total / self.draws,
            "eb_low": low.astype(np.float64),
            "eb_high": high.astype(np.float64),
            "rank_low": best.astype(np.float64),
            "rank_high": worst.astype(np.float64),
        }


def rank_roads(
    network: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame],
    counted: pd.DataFrame,
    at_junctions: pd.DataFrame,
    estimates: Estimates,
    outcome: Outcome,
    settings: Safety,
) -> tuple[gpd.GeoDataFrame, pd.Series]:
    """Cut the roads of a city into stretches, and rank these.

    Parameters
    ----------
    network
        Segments and junctions, by ``segment_id`` and ``junction_id``, in metres.
    counted, at_junctions
        What was counted on each (`geo.safety.places`).
    estimates
        What is expected of segments, for the outcome that they are ranked by.
    outcome
        That outcome.
    settings
        The section ``safety`` of the city's file.

    Returns
    -------
    The layer of stretches (`stretch_layer`), and ``stretch_id`` by ``segment_id``.
    """
    segments, junctions = (each.reset_index() for each in network)
    laid = lay_stretches(chain(build_graph(segments, junctions), segments), settings.stretch_m, segments.crs)
    ranked = rank_stretches(
        estimates.before,
        counted[f"n_{outcome}"],
        estimates.exposure,
        laid.of_segment,
        least=SHORTEST * settings.stretch_m / 1000 * float(counted["years"].max()),
        seed=settings.seed,
        draws=settings.rank_draws,
    )
    return stretch_layer(laid, ranked, counted, at_junctions, outcome), laid.of_segment


def stretch_layer(
    laid: Stretches,
    ranked: pd.DataFrame,
    segments: pd.DataFrame,
    at_junctions: pd.DataFrame,
    outcome: Outcome,
) -> gpd.GeoDataFrame:
    """Lay out stretches with their counts, rates and ranks.

    Parameters
    ----------
    laid
        The stretches.
    ranked
        How they rank (`rank_stretches`).
    segments
        Counts of each segment (columns ``n_...``; adjusted ones are left out), ``counted_m`` and ``years``, by
        ``segment_id``.
    at_junctions
        ``n_collisions`` and ``n_ksi`` of each junction, by ``junction_id``.
    outcome
        Which collisions they are ranked by.

    Returns
    -------
    One row a stretch, sorted by ``stretch_id``: the columns of `Stretches.table`, ``counted_m``, ``years``, counts of
    its segments (null where one of them is not known), ``n_collisions_at_junctions`` and ``n_ksi_at_junctions`` (at
    those that it touches, so that roads which meet share them: in no rate; null where one of them is not known),
    ``rank_of``, the columns named in `RANKS`, the recorded rate of that outcome ``per_km_year`` with its exact 95 %
    interval, and the shrunk one with its own, all per kilometre of `SHORTEST` or more.
    """
    table = laid.table.set_index("stretch_id")
    of_segment = laid.of_segment.reindex(segments.index)
    counts = [name for name in map(str, segments) if name.startswith("n_") and name != "n_ksi_adjusted"]
    grouped = segments[[*counts, "counted_m"]].groupby(of_segment)
    # a sum in which one part is not known is not known
    whole = grouped.sum(min_count=1).mask(grouped.count().lt(grouped.size(), axis=0))
    table = table.join(whole.astype(dict.fromkeys(counts, "Int64")))
    table["years"] = segments["years"].groupby(of_segment).first()
    near = laid.nodes.join(at_junctions[["n_collisions", "n_ksi"]], on="junction_id")
    for name in ("n_collisions", "n_ksi"):
        touched = (
            near[name].astype("Int64").groupby(near["stretch_id"]).sum().reindex(table.index, fill_value=0)
        )
        silent = table.index.isin(near.loc[near[name].isna(), "stretch_id"])
        told = pd.concat([at_junctions[name], segments[name]]).notna().any()
        table[f"{name}_at_junctions"] = touched.mask(silent | (not told))
    ranked = ranked.reindex(table.index)
    for source, name in RANKS.items():
        table[name] = ranked.get(source, np.nan)
    events = as_floats(table[f"n_{outcome}"])
    exposure = as_floats(ranked["exposure"]) if "exposure" in ranked else np.full(len(table), np.nan)
    table["per_km_year"] = events / exposure
    table["per_km_year_low"], table["per_km_year_high"] = poisson_interval(events, exposure)
    for end in ("eb", "eb_low", "eb_high", "predicted"):
        table[f"per_km_year_{end}"] = ranked.get(end, np.nan)
    table["rank_of"] = pd.Series(outcome, index=table.index, dtype=object).where(table["rank"].notna(), None)
    return gpd.GeoDataFrame(
        table.reset_index().sort_values("stretch_id", ignore_index=True), crs=laid.table.crs
    )


def worst_stretches(stretches: gpd.GeoDataFrame, shown: int = 20) -> gpd.GeoDataFrame:
    """List the stretches of road that rank worst, by expected rank.

    Parameters
    ----------
    stretches
        The layer ``stretches`` of a run.
    shown
        How many of the worst are given.

    Raises
    ------
    LayerError
        When no stretch has a rank: there are no records, or too few.
    """
    return worst_of(stretches, "stretch", known=(*_PLACE, *RANKS.values()), per="km_year", shown=shown)
