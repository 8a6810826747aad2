"""How well the demo town's truth is found again: its road forms, and its rates.

    .venv/bin/python bench/recovery.py [--draws 100] [--out runs]

Forms: adjusted Rand index between clusters and true forms, for the default encoder and band statistics, with k given
and k chosen. Rates: collisions are redrawn (the imagery is not), placed and rated again, and the 95 % intervals of the
cluster table are held against the true rates of the clusters' segments. Tables are printed, and JSON written under
bench/results/.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyproj
from results import save
from sklearn.metrics import adjusted_rand_score

from flows.city import city_flow
from flows.server import own_server
from geo.clusters.found.road_types import find_types
from geo.collisions.assign import place_collisions
from geo.collisions.read import read_collisions
from geo.demo.collisions import Truth, draw_collisions
from geo.demo.write import DemoTown, write_collisions
from geo.safety.comparison.effects import cluster_table
from geo.safety.rates import count_severities, segment_rates, years_of
from tasks.demo import draw_demo
from tasks.plan import Plan
from tasks.planning import make_plan
from tasks.stages.imagery.fingerprints import load_encoded, load_fingerprints


def forms(plan: Plan, truth: Truth) -> pd.DataFrame:
    """Hold types by the encoder and by band statistics against the true forms."""
    found = load_fingerprints(plan)
    true = truth.segments.set_index("segment_id")["form"][found.segment_ids]
    roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    tiles = load_encoded(plan)
    rows = []
    for k_is, k in (("given", true.nunique()), ("auto", "auto")):
        settings = plan.config.clusters.model_copy(update={"k": k})
        types = find_types(found, tiles, roads, settings, tile_m=plan.config.tiles.tile_m)
        for name, column in (("bundled (default)", "cluster"), ("bands (baseline)", "cluster_baseline")):
            rows.append((name, k_is, types.quality["k"], adjusted_rand_score(true, types.segments[column])))
    return pd.DataFrame(rows, columns=["encoder", "k is", "k", "ari"])


def redraw(plan: Plan, truth: Truth, draws: int) -> pd.DataFrame:
    """Redraw collisions and tell, for each draw and group of segments, whether the interval covers the true rate."""
    roads = plan.stage_folder("roads")
    segments = gpd.read_parquet(roads / "segments.parquet")
    junctions = gpd.read_parquet(roads / "junctions.parquet")
    others = gpd.read_parquet(roads / "other_roads.parquet")
    found = pd.read_parquet(plan.stage_folder("clusters") / "segments.parquet").set_index("segment_id")[
        "cluster"
    ]
    true = truth.segments.set_index("segment_id")
    form_codes = true["form"].astype("category").cat.codes + 1
    settings = plan.config.collisions
    years = years_of(*settings.period) if settings.period else float("nan")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "collisions.csv"
        for seed in range(draws):
            write_collisions(draw_collisions(truth, seed=1000 + seed), path, seed=seed)
            again = settings.model_copy(update={"sources": [str(path)], "casualties": None})
            source = read_collisions(again)
            crs = pyproj.CRS.from_user_input(segments.crs)
            placed = place_collisions(
                source, segments, junctions, others, crs=crs, area=None, settings=again
            ).collisions
            frame = segments.set_index("segment_id")[["road_class", "length_m"]].join(true["counted_m"])
            counts = count_severities(placed, "segment_id", frame.index, source.severities)
            frame = frame.join(counts).join(segment_rates(counts, frame["counted_m"], years))
            for grouping, groups in (("cluster", found), ("form", form_codes)):
                grouped = frame.assign(cluster=groups.reindex(frame.index).astype("Int64"))
                rows += _covered(cluster_table(grouped), grouped, true, grouping, seed)
    return pd.DataFrame(rows, columns=["grouping", "seed", "group", "outcome", "covered"])


def _covered(
    table: pd.DataFrame, frame: pd.DataFrame, true: pd.DataFrame, grouping: str, seed: int
) -> list[tuple[str, int, int, str, bool]]:
    """Tell for each group and outcome whether the interval holds the true rate of its segments together."""
    both = frame.join(true[["ksi_per_km_year", "collisions_per_km_year"]].add_suffix("_true"))
    rows = []
    for outcome, low, high in (
        ("ksi_per_km_year", "low", "high"),
        ("collisions_per_km_year", "collisions_per_km_year_low", "collisions_per_km_year_high"),
    ):
        weighted = both[f"{outcome}_true"] * both["counted_m"]
        rate = weighted.groupby(both["cluster"]).sum() / both["counted_m"].groupby(both["cluster"]).sum()
        for row in table.to_dict("records"):
            covered = row[low] <= rate[row["cluster"]] <= row[high]
            rows.append((grouping, seed, int(row["cluster"]), outcome, bool(covered)))
    return rows


def main() -> None:
    """Run the demo town once, then measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    asked = parser.parse_args()
    city = draw_demo(asked.out)
    with own_server() as wait:
        wait()
        city_flow(str(city), None, str(asked.out))
    plan = make_plan(city, None, asked.out)
    truth = DemoTown(city.parent).truth()

    found = forms(plan, truth)
    print(found.round(3).to_string(index=False), "\n")
    clusters = pd.read_parquet(plan.stage_folder("clusters") / "segments.parquet").set_index("segment_id")[
        "cluster"
    ]
    print(pd.crosstab(truth.segments.set_index("segment_id")["form"], clusters), "\n")
    covered = redraw(plan, truth, asked.draws)
    coverage = covered.groupby(["grouping", "outcome"])["covered"].agg(["mean", "size"])
    print(coverage.round(3).to_string())
    record = {"forms": found.to_dict("records"), "coverage": coverage.reset_index().to_dict("records")}
    save("recovery", record)


if __name__ == "__main__":
    main()
