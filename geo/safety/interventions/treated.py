"""A city's treatments studied: a row a site, a row a kind, what is said of them, and the account of every row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.clusters.space import to_space
from geo.config import CityConfig, Severity
from geo.ledger import Entry, Status
from geo.safety.interventions import reading, sites
from geo.safety.interventions.alike import Alike, look_alikes
from geo.safety.interventions.known import junctions_known, network_of, outcomes_of, segments_known
from geo.safety.interventions.placing import NO_PLACE, NO_SUCH_ID, place_treatments
from geo.safety.interventions.reading import Treatments
from geo.safety.interventions.sentences import few_sentence, in_words, one_line
from geo.safety.interventions.sites import Clock, Sites, clock_of, lay_out_sites
from geo.safety.interventions.study import OF_KINDS, study

ITEM = "treatments"
NO_RECORDS = "no collision records with a known period are configured"
REJECTED = frozenset((reading.BROKEN_ROW, sites.NO_DATE, sites.ENDS_FIRST, NO_PLACE, NO_SUCH_ID))
"""Fates that are faults of the input; all others are rightly left out."""
APART_TILES = 1.5
"""Segments nearer than so many tiles' sides may show the same pixels: a diagonal is 1.41."""
OUTCOMES = ("collisions", "ksi")
"""What is told of single sites."""
OF_SITES = (
    *("expected", "expected_se", "index", "index_low", "index_high", "q_value"),
    *("naive", "naive_low", "naive_high", "comparison", "comparison_low", "comparison_high"),
    *("look_alike", "look_alike_low", "look_alike_high", "regression_to_mean"),
)


@dataclass(frozen=True, slots=True)
class Town:
    """A city as treatments are studied in it.

    Attributes
    ----------
    segments, junctions, others
        The network, and roads that were left out, as the stage ``roads`` writes them (docs/stages.md).
    area
        Polygon of the city, if one was given.
    of_segments, of_junctions
        What the stage ``safety`` says of each, by its id.
    records
        Placed collisions; None: the city has none.
    period
        First and last day of the records; None: not known.
    severities, users
        What the records tell apart.
    """

    segments: gpd.GeoDataFrame
    junctions: gpd.GeoDataFrame
    others: gpd.GeoDataFrame
    area: shapely.Geometry | None
    of_segments: pd.DataFrame
    of_junctions: pd.DataFrame
    records: pd.DataFrame | None
    period: tuple[date, date] | None
    severities: frozenset[Severity]
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Studied:
    """What is found: the layers ``interventions`` and ``interventions_by_kind``, sentences, and the account."""

    sites: gpd.GeoDataFrame
    by_kind: pd.DataFrame
    notes: list[str]
    entries: list[Entry]


def study_town(
    town: Town, treatments: Treatments, vectors: NDArray[np.floating], config: CityConfig
) -> Studied:
    """Place treatments, and study those that can be.

    Parameters
    ----------
    town
        The city.
    treatments
        What was changed (`geo.safety.interventions.reading.read_interventions`).
    vectors
        Fingerprint of each segment, ``(segments, dimension)``; rows with null have no look.
    config
        The city's configuration.
    """
    laid, clock, day, notes = lay_out(town, treatments, config)
    table = treatments.table.reset_index(drop=True)
    entries = [*account(laid.table["fate"]), *treatments.notes, *notes]
    rows = np.flatnonzero(laid.table["fate"].isna())
    by_site, by_kind = pd.DataFrame(), pd.DataFrame({name: [] for name in (*OF_KINDS, "says")})
    if len(rows):
        assert town.records is not None
        by_site, by_kind = _studied(town, table["kind"], laid, clock, day, vectors, config)
        by_kind["says"] = in_words(by_kind)
    layer = _layer(town, table, laid, by_site)
    line = one_line(by_kind, len(rows), len(table))
    few = few_sentence(0 if town.records is None else len(town.records)) if len(rows) else []
    return Studied(layer, by_kind, [line, *few], entries)


def lay_out(
    town: Town, treatments: Treatments, config: CityConfig
) -> tuple[Sites, Clock, NDArray[np.float64], list[Entry]]:
    """Find the place and time of each treatment, and say which can be studied.

    Returns
    -------
    Treatments with places and times; the time of the records; the day of each; notes for the ledger.
    """
    placed, fate = place_treatments(
        treatments,
        town.segments,
        town.junctions,
        town.others,
        collisions=config.collisions,
        settings=config.interventions,
        area=town.area,
    )
    table = treatments.table.reset_index(drop=True)
    records = town.records
    if records is None or town.period is None:
        nowhere = Clock(pd.Timestamp("2000-01-01"), 0, np.zeros(1), None)
        fate = fate.where(fate.notna(), NO_RECORDS)
        laid = lay_out_sites(table, placed, fate, nowhere, config.interventions, pd.Series(dtype=bool))
        return laid, nowhere, np.zeros(0), []
    clock, day = clock_of(town.period, records["date"], records["source_year"])
    counted = pd.concat(
        [
            town.of_segments["counted_m"] > 0,
            pd.Series(data=True, index=pd.Index(town.junctions["junction_id"])),
        ]
    )
    laid = lay_out_sites(table, placed, fate, clock, config.interventions, counted)
    lost = int(np.isnan(day).sum())
    said = [Entry("dates", "skipped", "collisions without a day take no part before and after", lost)]
    if clock.new_years is not None:
        said.append(Entry("dates", "done", "are years alone: before and after are whole years", len(records)))
    return laid, clock, day, [one for one in said if one.count]


def account(fate: pd.Series) -> list[Entry]:
    """Account for every treatment, once."""
    done = int(fate.isna().sum())
    entries = [Entry(ITEM, "done", "", done)] if done else []
    for reason, count in fate.value_counts().sort_index().items():
        status: Status = "rejected" if reason in REJECTED else "skipped"
        entries.append(Entry(ITEM, status, str(reason), int(count)))
    return entries


def _studied(
    town: Town,
    kinds: pd.Series,
    laid: Sites,
    clock: Clock,
    day: NDArray[np.float64],
    vectors: NDArray[np.floating],
    config: CityConfig,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Study the treatments that can be."""
    records = town.records
    assert records is not None
    frame = town.segments.set_index("segment_id")
    known = segments_known(town.of_segments.reindex(frame.index), frame["road_class"])
    at = junctions_known(town.of_junctions.reindex(pd.Index(town.junctions["junction_id"])))
    treated = laid.windows("segment", known.index, known["exposure"].to_numpy() > 0)[0].place
    seen = np.isfinite(vectors).all(axis=1)
    space = np.full((len(vectors), 1), np.nan)
    if seen.any():
        points = to_space(vectors[seen].astype(np.float32), config.clusters)
        space = np.full((len(vectors), points.shape[1]), np.nan)
        space[seen] = points
    settings = config.interventions
    wanted = Alike(settings.look_alikes, settings.traffic_band, APART_TILES * config.tiles.tile_m)
    alike = look_alikes(frame.assign(aadt=known["traffic"]), space, treated, wanted)
    networks = [
        network_of("segment", known, records, day, alike),
        network_of("junction", at, records, day),
    ]
    return study(networks, laid, kinds, clock, outcomes_of(records, town.severities, list(town.users)))


def _layer(town: Town, table: gpd.GeoDataFrame, laid: Sites, by_site: pd.DataFrame) -> gpd.GeoDataFrame:
    """Lay out the layer: a row a treatment, in the source's order."""
    units = laid.units
    layer = pd.DataFrame(
        {
            "treatment_id": table["treatment_id"].astype(object),
            "kind": table["kind"].astype(object),
            "start": _day(table["start"]),
            "end": _day(table["end"]),
            "reason": laid.table["fate"].to_numpy(),
        }
    )
    for unit in ("segment", "junction"):
        mine = units[units["unit"] == unit]
        layer[f"n_{unit}s"] = mine.groupby("row").size().reindex(layer.index).fillna(0).astype("int64")
        named = mine.groupby("row")["id"].agg(";".join).reindex(layer.index).astype(object)
        layer[f"{unit}_ids"] = named.where(named.notna(), None)
    studied = laid.table["fate"].isna()
    for name in ("years_before", "years_after"):
        layer[name] = laid.table[name].where(studied).astype("float64")
    for what in OUTCOMES:
        mine = by_site[by_site["outcome"] == what].set_index("row") if len(by_site) else pd.DataFrame()
        for side in ("before", "after"):
            counts = mine[f"n_{side}"] if len(mine) else pd.Series(dtype="float64")
            layer[f"n_{what}_{side}"] = counts.reindex(layer.index).astype("Int64")
        for name in OF_SITES:
            values = mine[name] if len(mine) else pd.Series(dtype="float64")
            layer[f"{what}_{name}"] = values.reindex(layer.index).astype("float64")
    alike = by_site.groupby("row")["n_look_alikes"].max() if len(by_site) else pd.Series(dtype="float64")
    layer["n_look_alikes"] = alike.reindex(layer.index).astype("Int64")
    return gpd.GeoDataFrame(layer, geometry=_points(town, table, units), crs=town.segments.crs)


def _day(when: pd.Series) -> pd.Series:
    told = pd.to_datetime(when).dt.strftime("%Y-%m-%d").astype(object)
    return told.where(when.notna(), None)


def _points(town: Town, table: gpd.GeoDataFrame, units: pd.DataFrame) -> NDArray[np.object_]:
    """Give a point for each treatment: on its own geometry, else on the first of its places."""
    middle = shapely.line_interpolate_point(town.segments.geometry.to_numpy(), 0.5, normalized=True)
    at = pd.concat(
        [
            pd.Series(middle, index=pd.Index(town.segments["segment_id"])),
            pd.Series(town.junctions.geometry.to_numpy(), index=pd.Index(town.junctions["junction_id"])),
        ]
    )
    first = units.drop_duplicates("row").set_index("row")["id"]
    found = np.asarray(shapely.point_on_surface(table.geometry.to_numpy()), dtype=object)
    bare = np.flatnonzero(shapely.is_missing(found) & table.index.isin(first.index))
    found[bare] = at.reindex(first.reindex(bare)).to_numpy()
    return found
