"""Stage 8: what can be said of the types: tests against comparable roads, and whether the picture adds anything."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.features.pooling import pool_segments
from geo.ledger import Entry
from geo.safety.comparison.effects import cluster_table, with_tests
from geo.safety.comparison.heldout import Periods
from geo.safety.comparison.inference import COMPARISONS, cluster_tests
from geo.safety.comparison.periods import halves
from geo.safety.picture.imagery_value import value_of_imagery
from geo.safety.rates import ROAD_USERS
from tasks.plan import Plan
from tasks.stages.features import load_embeddings
from tasks.store.stage import read_json, write_json

OUTCOMES = (
    "n_collisions",
    "n_ksi",
    "n_fatal",
    "n_serious",
    "n_slight",
    *(f"n_{user}_collisions" for user in ROAD_USERS),
)
LEAST_TRAFFIC = 0.2
"""Share of the clustered roads' length on which traffic must be known for it to be compared by."""
BANDS = ("low", "middle", "high")
MOST_UNTOLD = 0.05
"""With a greater share of collisions on segments none of whose records tell of a road user, that user is not tested."""


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``tests``, ``clusters`` and ``value_of_imagery`` (see docs/stages.md)."""
    frame = load_frame(plan)
    tests = compare(plan, frame.assign(**told_users(frame)))
    tests.to_parquet(folder / "tests.parquet")
    with_tests(cluster_table(frame), tests).to_parquet(folder / "clusters.parquet")
    tiles = load_embeddings(plan)
    value = value_of_imagery(
        frame.assign(count=frame["n_collisions"]),
        pool(tiles, "embedding", frame.index),
        pool(tiles, "bands", frame.index),
        block_m=plan.config.safety.block_m,
        seed=plan.config.safety.seed,
    )
    value.table.assign(outcome="collisions").to_parquet(folder / "value_of_imagery.parquet")
    write_json(folder / "findings.json", {"notes": [value.sentence] if _recorded(frame) else []})
    tested = int(tests["p_value"].notna().sum())
    return [
        Entry("comparisons", "done", "", tested),
        *(
            Entry("comparisons", "skipped", str(reason), int(count))
            for reason, count in tests.loc[tests["p_value"].isna(), "reason"]
            .value_counts()
            .sort_index()
            .items()
        ),
    ]


def load_frame(plan: Plan) -> pd.DataFrame:
    """Read what is known of each segment, with its type and its middle, by ``segment_id``."""
    roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet").set_index("segment_id")
    types = pd.read_parquet(plan.stage_folder("clusters") / "segments.parquet").set_index("segment_id")
    found = pd.read_parquet(plan.stage_folder("safety") / "segments.parquet").set_index("segment_id")
    middle = shapely.get_coordinates(
        shapely.line_interpolate_point(roads.geometry.to_numpy(), 0.5, normalized=True)
    )
    frame = roads[["road_class", "length_m"]].join(types["cluster"]).join(found)
    return pd.DataFrame(frame.assign(x=middle[:, 0], y=middle[:, 1]))


def told_users(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Take collisions that do not tell of their road users as not known to involve them, where they are few."""
    all_of_them = frame["n_collisions"].sum()
    columns = {name: frame[name] for name in (f"n_{user}_collisions" for user in ROAD_USERS)}
    return {
        name: counts.fillna(0)
        for name, counts in columns.items()
        if counts.notna().any() and frame["n_collisions"][counts.isna()].sum() <= MOST_UNTOLD * all_of_them
    }


def compare(plan: Plan, frame: pd.DataFrame) -> pd.DataFrame:
    """Make the table of tests: by outcome, against all roads, those of a class, and of a class and traffic band."""
    comparisons: dict[str, tuple[str, ...]] = dict(COMPARISONS)
    covariates: tuple[str, ...] = ()
    traffic = frame["aadt"].astype("float64").where(frame["aadt"] > 0)
    seen = frame["cluster"].notna()
    length = frame["length_m"].where(seen, 0.0)
    if seen.any() and length[traffic.notna()].sum() >= LEAST_TRAFFIC * length.sum():
        comparisons["same class and traffic band"] = ("road_class", "traffic_band")
        covariates = ("log_aadt",)
        ranks = traffic.where(seen).rank(method="average", pct=True)
        band = pd.cut(ranks, [0, 1 / 3, 2 / 3, 1], labels=list(BANDS)).astype(object)
        frame = frame.assign(traffic_band=band, log_aadt=np.log(traffic))
    return cluster_tests(
        frame,
        OUTCOMES,
        comparisons,
        covariates=covariates,
        periods=_periods(plan, frame),
        permutations=plan.config.safety.permutations,
        seed=plan.config.safety.seed,
    )


def _periods(plan: Plan, frame: pd.DataFrame) -> Periods | None:
    """Count the outcomes of the first and of the last years."""
    stage = plan.stage_folder("collisions")
    if not (stage / "collisions.parquet").exists():
        return None
    records = pd.DataFrame(gpd.read_parquet(stage / "collisions.parquet").drop(columns="geometry"))
    return halves(records[records["snap_status"] == "matched"], read_json(stage / "source.json"), frame.index)


def pool(tiles: pd.DataFrame, column: str, index: pd.Index) -> NDArray[np.float64]:
    """Pool one kind of embedding over the tiles of each segment; null where a segment has none."""
    stacked = np.stack(tiles[column].tolist()).astype(np.float32)
    ids, pooled = pool_segments(tiles["segment_id"], stacked, tiles["coverage"].to_numpy(dtype=np.float64))
    found = pd.DataFrame(pooled, index=ids, dtype="float64").reindex(index)
    return found.to_numpy(dtype=np.float64)


def _recorded(frame: pd.DataFrame) -> bool:
    return bool(frame["n_collisions"].notna().any())
