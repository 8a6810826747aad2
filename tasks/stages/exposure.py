"""Stage 6: traffic, where somebody has counted it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyproj

from geo.config import CityConfig, Exposure
from geo.exposure.counts import account, expand_counts, read_counts
from geo.exposure.points import choose_years, one_a_point, place_points
from geo.exposure.segments import coverage, nothing_known, traffic_of_column, traffic_of_points
from geo.ledger import Entry
from tasks.documents import Covered
from tasks.plan import Plan
from tasks.stages.collisions import load_recorded
from tasks.stages.roads import load_place
from tasks.store.stage import Stage

COVERED = "coverage.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``segments`` (see docs/stages.md) and what is covered."""
    segments = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    covered = load_recorded(plan).period
    table, entries = measure(
        plan.config.exposure,
        segments,
        pyproj.CRS.from_wkt(load_place(plan).crs),
        covered or plan.config.collisions.period,
    )
    table.reset_index().to_parquet(folder / "segments.parquet")
    shares = coverage(table, segments.set_index("segment_id")["length_m"])
    Covered(shares=shares, notes=notes(plan.config.exposure, shares)).write(folder / COVERED)
    return entries


def measure(
    settings: Exposure, segments: gpd.GeoDataFrame, crs: pyproj.CRS, period: tuple[date, date] | None
) -> tuple[pd.DataFrame, list[Entry]]:
    """Give each segment its traffic, by whatever the city's file names; everything is null where it names nothing."""
    if settings.column is not None:
        table, by_segment, figures = traffic_of_column(segments, settings)
        return table, [*figures, *by_segment]
    if not settings.sources:
        return nothing_known(segments), []
    rows = read_counts(settings, crs).table
    rows["fate"] = choose_years(rows, period, settings.max_years_apart)
    points = place_points(one_a_point(rows), segments, settings)
    placed = rows["point_id"].map(points["fate"])
    rows["fate"] = rows["fate"].where(rows["fate"].notna(), placed.where(placed.notna(), None))
    table, by_segment = traffic_of_points(segments, points, settings)
    return table, [*account(rows["fate"]), *by_segment]


def notes(settings: Exposure, shares: dict[str, float]) -> list[str]:
    """Say in a sentence on how much of the network traffic is known; nothing where no traffic is configured."""
    if settings.column is None and not settings.sources:
        return []
    parts = ", ".join(f"{share:.1%} {name}" for name, share in shares.items() if name != "known")
    detail = f" ({parts})" if len(shares) > 2 else ""
    return [f"traffic is known on {shares['known']:.1%} of the network's length{detail}"]


def load_covered(plan: Plan) -> Covered:
    """Read on how much of the network traffic is known."""
    return Covered.read(plan.stage_folder("exposure") / COVERED)


def _sources(config: CityConfig) -> list[str]:
    return expand_counts(config.exposure)


STAGE = Stage(
    "exposure",
    build,
    counts=("traffic figures",),
    after=("roads", "collisions"),
    settings=("exposure", "collisions.period"),
    inputs=_sources,
)
