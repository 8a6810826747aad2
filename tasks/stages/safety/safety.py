"""Counts, rates, and what is to be expected of each segment."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.ledger import Entry
from tasks.documents import Findings, Recorded
from tasks.plan import Plan
from tasks.stages.records.collisions import load_placed
from tasks.store.stage import Stage
from tasks.tables import AT_JUNCTIONS, JUNCTION_TYPES, MODELS, PLACES, RATES, STRETCHES, UNDER_REPORTING

FINDINGS = "findings.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``segments``, ``stretches``, ``junctions``, ``models`` and what others' work says (see docs/stages.md)."""
    from geo.safety.expected.estimates import (
        estimate_both,
        gather_models,
        junction_ends_per_km,
        lay_out,
        ranked_by,
    )
    from geo.safety.given import calibrate_city, factor_sentences
    from geo.safety.places import junction_types, places
    from geo.safety.stretches.ranking import rank_roads

    settings = plan.config.safety
    roads = plan.stage_folder("roads")
    segments = gpd.read_parquet(roads / "segments.parquet").set_index("segment_id")
    junctions = gpd.read_parquet(roads / "junctions.parquet").set_index("junction_id")
    records, recorded = load_placed(plan)
    counted, at_junctions = _count(plan, segments, junctions, records, recorded)

    ends_per_km = junction_ends_per_km(segments, junctions)
    estimates = estimate_both(
        segments,
        ends_per_km,
        counted,
        seed=settings.seed,
        draws=settings.rank_draws,
        exponent=settings.length_exponent,
    )
    found, models = lay_out(counted, ends_per_km, estimates)
    ranked = ranked_by(estimates)
    stretches, of_segment = rank_roads(
        (segments, junctions), counted, at_junctions, estimates[ranked], ranked, settings
    )
    found["stretch_id"] = of_segment
    expected_there, of_junctions = _expect_there(plan, segments, junctions, counted["aadt"], at_junctions)

    of_class = found.join(segments[["road_class"]])
    fitted = [models, of_junctions, *_years(records, recorded)]
    factors = calibrate_city(
        of_class,
        expected_there,
        settings.given(),
        gather_models(fitted),
        records,
        recorded.period,
        recorded.severities,
        recorded.years,
    )
    said = _tell_unrecorded(plan, folder, of_class, at_junctions, recorded.years)
    Findings(notes=[*factor_sentences(factors), *said]).write(folder / FINDINGS)
    RATES.write(found.reset_index(), folder)
    STRETCHES.write(stretches, folder)
    MODELS.write(gather_models([*fitted, *factors]), folder)
    AT_JUNCTIONS.write(expected_there.reset_index(), folder)
    formed = at_junctions.join(junctions[["arms", "form"]])
    JUNCTION_TYPES.write(junction_types(formed, recorded.years), folder)
    PLACES.write(places(segments[["length_m"]].join(counted), at_junctions, recorded.years), folder)
    return [Entry("segments", "done", "", len(found)), Entry("junctions", "done", "", len(at_junctions))]


def _count(
    plan: Plan,
    segments: gpd.GeoDataFrame,
    junctions: gpd.GeoDataFrame,
    records: gpd.GeoDataFrame | None,
    recorded: Recorded,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count collisions on segments, with rates and traffic, and at junctions; gives a frame of each, by its id."""
    from geo.collisions.reach import counted_length
    from geo.safety.places import count_places, rate_junctions, rate_segments

    traffic = pd.read_parquet(plan.stage_folder("exposure") / "segments.parquet").set_index("segment_id")
    told = recorded.severities, recorded.users
    counts = count_places(records, "segment_id", segments.index, *told)
    reach = counted_length(segments, junctions, plan.config.collisions.junction_reach_m)
    there = count_places(records, "junction_id", junctions.index, *told)
    return (
        rate_segments(counts.join(reach), reach, traffic, recorded.years),
        rate_junctions(there, recorded.years),
    )


def _expect_there(
    plan: Plan,
    segments: gpd.GeoDataFrame,
    junctions: gpd.GeoDataFrame,
    traffic: pd.Series,
    at_junctions: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Say what is to be expected of junctions by their arms; gives what is known of each, and rows of the models."""
    from geo.safety.junctions.arms import known_of_junctions
    from geo.safety.junctions.expected import expect_junctions

    settings = plan.config.safety
    arms = known_of_junctions(junctions, segments, traffic)
    expected, models = expect_junctions(at_junctions, arms, seed=settings.seed, draws=settings.rank_draws)
    return at_junctions.join(arms).join(expected), models


def _years(records: gpd.GeoDataFrame | None, recorded: Recorded) -> list[pd.DataFrame]:
    """Tell how both outcomes changed over the years, as rows of the table of models; none without dated records."""
    from geo.safety.expected.yearly import count_years, yearly_rows

    if records is None or recorded.period is None:
        return []
    by_year = count_years(records, recorded.period, recorded.severities, recorded.years)
    return [yearly_rows(what, by_year[what], by_year["covered"]) for what in ("ksi", "collisions")]


def _tell_unrecorded(
    plan: Plan, folder: Path, segments: pd.DataFrame, junctions: pd.DataFrame, years: float | None
) -> list[str]:
    """Write ``under_reporting``, where the city gives shares that are reported, and say what it says."""
    from geo.safety.reporting import band_sentences, places_to_band, reporting_bands

    reported = plan.config.safety.reported
    if not reported.bands():
        return []
    places = places_to_band(segments, segments["road_class"], junctions, years)
    bands = reporting_bands(places, reported.bands(), reported.source)
    UNDER_REPORTING.write(bands, folder)
    return band_sentences(bands)


STAGE = Stage(
    "safety",
    build,
    counts=("segments",),
    after=("roads", "collisions", "exposure"),
    settings=(
        "safety.seed",
        "safety.rank_draws",
        "safety.length_exponent",
        "safety.stretch_m",
        "safety.functions",
        "safety.reported",
        "collisions.junction_reach_m",
    ),
    tables=(RATES, STRETCHES, AT_JUNCTIONS, JUNCTION_TYPES, PLACES, MODELS, UNDER_REPORTING),
    documents=(Findings,),
)
