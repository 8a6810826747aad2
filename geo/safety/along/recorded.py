"""Where the recorded collisions of a city gather on its roads: windows, hot spots and density, by its settings."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.config import Severity
from geo.config.sections.safety import Gathering
from geo.counting import doing
from geo.roads.graph import RoadGraph, build_graph
from geo.roads.routes import Routes, chain, locate
from geo.safety.along.density import (
    POLES,
    Bandwidth,
    choose_bandwidth,
    cut_lixels,
    density_layer,
    kernel_density,
    masses,
)
from geo.safety.along.high_injury import HeadlineSettings, headline_shares
from geo.safety.along.hotspots import hot_spots
from geo.safety.along.windows import (
    cell_of,
    count_in_cells,
    harm_of,
    kinds_of,
    lay_windows,
    threshold_score,
    window_layer,
    window_scores,
)
from geo.safety.expected.empirical_bayes import standardised_excess
from geo.safety.rates import Outcome, told_outcome

COUNTS = (
    *("n_collisions", "n_fatal", "n_serious", "n_slight", "n_ksi", "n_severity_unknown", "score_per_km"),
)
"""Of a window; null without records."""
SPOTS = {
    "n_neighbours": "gi_star_neighbours",
    "p_value": "gi_star_p_value",
    "q_value": "gi_star_q_value",
    "spot": "gi_star_spot",
    "reason": "gi_star_reason",
}
"""What columns of `geo.safety.along.hotspots.hot_spots` are called among those of segments."""


@dataclass(frozen=True, slots=True)
class RecordedRoads:
    """The roads of a city with the collisions that were placed on them.

    Attributes
    ----------
    segments
        Lines of the segments, in metres, with what is known of collisions on each (`recorded_roads`).
    records
        Placed collisions: ``segment_id, junction_id, severity``, Points.
    severities
        Severities that the records tell apart; None: there are no records.
    years
        How long the records cover (years); None: that is not known.
    graph
        The road network, with its segments as edges (`geo.roads.graph.build_graph`).
    routes
        Roads as chains of segments (`geo.roads.routes.chain`).
    located
        Where each placed collision lies on the network (`geo.roads.routes.locate`).
    outcome
        Which collisions roads are judged by: KSI where known, else all.
    """

    segments: gpd.GeoDataFrame
    records: gpd.GeoDataFrame
    severities: frozenset[Severity] | None
    years: float | None
    graph: RoadGraph
    routes: Routes
    located: pd.DataFrame
    outcome: Outcome


def recorded_roads(
    segments: gpd.GeoDataFrame,
    junctions: gpd.GeoDataFrame,
    known: pd.DataFrame,
    records: gpd.GeoDataFrame | None,
    severities: Collection[Severity] = (),
    years: float | None = None,
) -> RecordedRoads:
    """Bring the network of a city and the collisions on it together.

    Parameters
    ----------
    segments, junctions
        The network as the stage ``roads`` writes it (docs/stages.md): LineStrings and Points in metres.
    known
        What is known of each segment, by ``segment_id``: ``n_ksi``, and of each outcome ``n_<outcome>``,
        ``<outcome>_predicted`` and ``<outcome>_eb_weight`` (`geo.safety.expected.estimates.estimate_outcomes`).
    records
        Placed collisions in the CRS of the segments; None: the city has no records.
    severities
        Severities that the records tell apart.
    years
        How long the records cover (years); None: that is not known.
    """
    if records is None:
        empty = {name: pd.Series([], dtype=object) for name in ("segment_id", "junction_id", "severity")}
        placed = gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=segments.crs))
    else:
        placed = records.reset_index(drop=True)
    graph = build_graph(segments, junctions)
    routes = chain(graph, segments)
    return RecordedRoads(
        segments.join(known, on="segment_id"),
        placed,
        None if records is None else frozenset(severities),
        years,
        graph,
        routes,
        locate(routes, placed),
        told_outcome(known),
    )


def sweep_windows(
    roads: RecordedRoads, settings: Gathering, seed: int
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Slide windows along the roads, and tell how few of them carry how much.

    Parameters
    ----------
    roads
        The city's roads with the collisions on them (`recorded_roads`).
    settings
        The section ``safety.concentration`` of the city's file.
    seed
        Seed of the bootstrap, of chance and of the halves: the same one gives the same numbers.

    Returns
    -------
    The windows (`geo.safety.along.windows.window_layer`) and the two numbers of
    `geo.safety.along.high_injury.headline_shares`; without records all that is counted is null, and ``reason`` says so.
    """
    weights = settings.weights.model_dump()
    windows = lay_windows(roads.routes, settings.window_m, settings.step_m, settings.min_window_m)
    severity = harm_of(roads.records)
    kind = kinds_of(severity)[roads.located["collision"].to_numpy(dtype=np.int64)]
    share = roads.located["share"].to_numpy(dtype=np.float64)
    counts = count_in_cells(windows, cell_of(windows, roads.located), kind, share)
    held = counts[:, :2].sum(axis=1) if roads.outcome == "ksi" else counts.sum(axis=1)
    threshold = threshold_score(
        windows.best(window_scores(windows, counts, weights)), held, settings.share_of_outcome
    )
    told = roads.severities or frozenset()
    untold = None
    if {"fatal", "serious"} <= told and "severity_known" in roads.records:
        silent = ~roads.records["severity_known"].to_numpy(dtype=bool)
        rows = silent[roads.located["collision"].to_numpy(dtype=np.int64)]
        cell = cell_of(windows, roads.located)
        untold = np.bincount(cell, weights=share * rows, minlength=len(counts)).astype(np.float64)
    layer = window_layer(windows, counts, weights, told, threshold, roads.segments.crs, untold)
    how = HeadlineSettings(
        settings.share_of_outcome, settings.share_of_length, block_m=settings.block_m, seed=seed
    )
    headline = headline_shares(windows, roads.located, severity, weights, roads.outcome, how)
    if roads.severities is None:
        layer[list(COUNTS)] = np.nan
        headline = headline.assign(n=pd.array([None] * len(headline), "Int64"), reason="no collision records")
    return layer, headline


def find_spots(roads: RecordedRoads, settings: Gathering, seed: int) -> pd.DataFrame:
    """Find hot and cold spots along the network: of what was counted beyond what is predicted of each segment.

    Of shrunk rates they would be those of the model: where classes lie together, their predictions do.

    Parameters
    ----------
    roads
        The city's roads with the collisions on them (`recorded_roads`).
    settings
        The section ``safety.concentration`` of the city's file.
    seed
        Seed of the permutations: the same one gives the same p-values.

    Returns
    -------
    See `geo.safety.along.hotspots.hot_spots`, with the names of `SPOTS` and ``segment_id`` as a column.
    """
    known = roads.segments.set_index("segment_id")
    excess = standardised_excess(
        known[f"n_{roads.outcome}"], known[f"{roads.outcome}_predicted"], known[f"{roads.outcome}_eb_weight"]
    )
    found = hot_spots(
        roads.graph, excess, settings.hot_spot_m, permutations=settings.hot_spot_permutations, seed=seed
    )
    return found.rename(columns=SPOTS).reset_index()


def smooth(roads: RecordedRoads, settings: Gathering) -> tuple[gpd.GeoDataFrame, Bandwidth]:
    """Spread the collisions along the network, with the bandwidth that is set or foretells them best.

    Parameters
    ----------
    roads
        The city's roads with the collisions on them (`recorded_roads`).
    settings
        The section ``safety.concentration`` of the city's file.

    Returns
    -------
    Lixels (`geo.safety.along.density.density_layer`) with ``bandwidth_m``, and how the bandwidth was come by; without
    records densities are null.
    """
    lixels = cut_lixels(roads.graph, settings.lixel_m)
    if settings.bandwidth_m is None:
        chosen = choose_bandwidth(lixels, roads.located, settings.bandwidths_m)
    else:
        chosen = Bandwidth(
            settings.bandwidth_m, "by setting", pd.DataFrame({"bandwidth_m": [settings.bandwidth_m]})
        )
    density = np.zeros(len(lixels.segment))
    if roads.severities is None:
        density = np.full(len(lixels.segment), np.nan)
    elif chosen.bandwidth_m is not None:
        doing("points of the contour", POLES // 2)
        density = kernel_density(lixels, masses(lixels, roads.located), chosen.bandwidth_m)
    layer = density_layer(lixels, density, roads.years, roads.segments.crs)
    return layer.assign(bandwidth_m=chosen.bandwidth_m), chosen
