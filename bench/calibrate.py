"""How often the tests of clusters are wrong, and how often they find what is there.

    .venv/bin/python bench/calibrate.py [--draws N] [--permutations 1999] [--only NAME ...] [--first 0]

Collisions are redrawn on the roads of the demo town, and on four of them side by side, under risk that is a
log-Gaussian field of stated variance and range (correlation ``exp(-distance / range)``) times a chance of
each segment's own (gamma of the demo town's shape). The true forms are the clusters, or clusters are drawn
anew as a field of their own. Each draw makes the whole table of `cluster_tests` for seven outcomes and both
comparisons. Told are: the share of draws in which any q is below 0.05 where no cluster has any effect;
whether p-values are uniform (Kolmogorov-Smirnov, one p-value a draw, of a cluster and comparison chosen by
lot, all collisions, so that they are independent); how often intervals hold the true ratio; and how often a
form whose rate is twice that of all others, with 100 collisions expected of it, gets q < 0.05. Tables are
printed, and JSON is written under bench/results/; a scenario asked for alone is written beside those that are
there.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from results import RESULTS, save, table
from scipy.spatial.distance import cdist
from scipy.stats import binomtest, kstest

from geo.config import Segments
from geo.demo.collisions import FRAILTY_SHAPE, ORIGIN, YEARS, true_forms
from geo.demo.layout import SIZE_M, plan_town
from geo.roads.segments import build_network
from geo.safety.comparison.adjusted import block_robust, design_of
from geo.safety.comparison.blocks import make_blocks
from geo.safety.comparison.contrast import Contrast, add_up, common_ratio
from geo.safety.comparison.covariance import RiskCovariance, make_cells
from geo.safety.comparison.inference import Periods, cluster_tests

TOWN_TOTAL = 430.0
"""Collisions between junctions in the demo town in all of its years."""
SHARES = {
    "n_ksi": 0.2,
    "n_slight": 0.8,
    "n_pedestrian": 0.17,
    "n_cyclist": 0.14,
    "n_motorcyclist": 0.12,
    "n_car_occupant": 0.57,
}
"""Of all collisions; KSI and slight are one another's rest, and so are the road users."""
N_YEARS = YEARS[1] - YEARS[0] + 1
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scenario:
    """What is drawn.

    Attributes
    ----------
    towns
        1, or 4 side by side.
    variance, range_m
        Of the logarithm of the shared risk.
    total
        Collisions expected in one town.
    clusters
        The true ``forms``, or drawn as a ``field`` anew each time.
    doubled
        Whether one form a draw (each in turn) has twice the rate of all others, and 100 collisions expected.
    ratios
        Whether forms have rates of their own, 0.5 to 2.
    draws
        How many, unless asked for otherwise.
    """

    towns: int = 1
    variance: float = 0.3
    range_m: float = 100.0
    total: float = TOWN_TOTAL
    clusters: str = "forms"
    doubled: bool = False
    ratios: bool = False
    draws: int = 140


SCENARIOS = {
    "nothing there, range 100 m": Scenario(draws=500),
    "nothing there, range 300 m": Scenario(range_m=300.0),
    "nothing there, clusters drawn": Scenario(clusters="field", range_m=150.0),
    "nothing there, four towns": Scenario(towns=4, range_m=300.0, draws=56),
    "known ratios": Scenario(ratios=True),
    "known ratios, range 300 m": Scenario(ratios=True, range_m=300.0),
    "one form doubled, no shared risk": Scenario(doubled=True, variance=0.0),
    "one form doubled": Scenario(doubled=True),
    "one form doubled, four towns": Scenario(doubled=True, towns=4, draws=56),
}


def town_roads(towns: int) -> pd.DataFrame:
    """Segments of the demo town, or of four, each turned by a right angle more: midpoints, form, class, length."""
    roads = plan_town()
    frame = gpd.GeoDataFrame(
        {
            "source_id": [str(i) for i in range(1, len(roads) + 1)],
            "name": [road.name for road in roads],
            "road_class": [road.look.highway for road in roads],
            "ref": [road.ref for road in roads],
            "level": [int(road.bridge) for road in roads],
            "roundabout": [road.form == "roundabout" for road in roads],
        },
        geometry=[shapely.transform(road.line, lambda xy: np.round(xy + ORIGIN, 2)) for road in roads],
        crs="EPSG:27700",
    )
    segments = build_network(frame, Segments()).segments
    middle = shapely.get_coordinates(
        shapely.line_interpolate_point(segments.geometry.to_numpy(), 0.5, normalized=True)
    )
    one = segments[["segment_id", "road_class", "length_m"]].copy()
    # counts are drawn on the segments themselves: nothing is lost to junctions here
    one["counted_m"] = one["length_m"]
    one["form"] = true_forms(segments, roads).to_numpy()
    parts = []
    for number in range(towns):
        xy = middle - ORIGIN - SIZE_M / 2
        for _ in range(number):
            xy = np.column_stack([-xy[:, 1], xy[:, 0]])
        xy = xy + SIZE_M * np.array([number % 2, number // 2])
        parts.append(one.assign(segment_id=one["segment_id"] + f"-{number}", x=xy[:, 0], y=xy[:, 1]))
    return pd.concat(parts).set_index("segment_id").sort_index().assign(years=float(N_YEARS))


class Drawer:
    """Draws tables of segments with counts."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.roads = town_roads(scenario.towns)
        self.forms = sorted(self.roads["form"].unique())
        distance = cdist(self.roads[["x", "y"]], self.roads[["x", "y"]])
        self.root = np.linalg.cholesky(np.exp(-distance / scenario.range_m) + 1e-8 * np.eye(len(distance)))
        self.length = self.roads["counted_m"].to_numpy() / 1000

    def field(self, rng: np.random.Generator) -> Floats:
        """Draw a Gaussian field of variance 1."""
        found: Floats = self.root @ rng.standard_normal(len(self.root))
        return found

    def draw(self, seed: int) -> tuple[pd.DataFrame, Floats, pd.DataFrame]:
        """Draw counts; give them, the true rates (per km in all years), and the counts of the last two years."""
        scenario, rng = self.scenario, np.random.default_rng([seed, 77])
        frame = self.roads.copy()
        frame["cluster"] = (
            frame["form"].map({form: i + 1 for i, form in enumerate(self.forms)}).astype("int64")
        )
        if scenario.clusters == "field":
            frame["cluster"] = np.argmax([self.field(rng) for _ in range(5)], axis=0) + 1
        relative = np.ones(len(frame))
        if scenario.ratios:
            relative = np.geomspace(0.5, 2.0, len(self.forms))[(frame["cluster"].to_numpy() * 3 - 1) % 7]
        expected = scenario.total * scenario.towns * self.length / self.length.sum() * relative
        if scenario.doubled:
            mine = (frame["cluster"] == 1 + seed % len(self.forms)).to_numpy()
            expected *= 100.0 / expected[mine].sum()
            expected[mine] *= 2
        risk = np.exp(np.sqrt(scenario.variance) * self.field(rng) - scenario.variance / 2)
        mean = expected * risk * rng.gamma(FRAILTY_SHAPE, 1 / FRAILTY_SHAPE, len(frame))
        late_share = 2 / N_YEARS
        late, early = rng.poisson(mean * late_share), rng.poisson(mean * (1 - late_share))
        frame["n_collisions"] = late + early
        frame["n_ksi"] = rng.binomial(frame["n_collisions"], SHARES["n_ksi"])
        frame["n_slight"] = frame["n_collisions"] - frame["n_ksi"]
        users = ["n_pedestrian", "n_cyclist", "n_motorcyclist", "n_car_occupant"]
        frame[users] = rng.multinomial(frame["n_collisions"], [SHARES[name] for name in users])
        return frame, expected / self.length, pd.DataFrame({"n_collisions": late}, index=frame.index)


def examine(scenario: Scenario, draws: range, permutations: int) -> pd.DataFrame:
    """Make the table of tests of each draw, with the true ratios beside it."""
    drawer = Drawer(scenario)
    rows = []
    for seed in draws:
        frame, rates, late = drawer.draw(seed)
        first = frame[["n_collisions"]] - late
        outcomes = ("n_collisions", *SHARES)
        periods = Periods(
            first.assign(**dict.fromkeys(SHARES, np.nan)),
            late.assign(**dict.fromkeys(SHARES, np.nan)),
            N_YEARS - 2.0,
            2.0,
        )
        found = cluster_tests(frame, outcomes, periods=periods, permutations=permutations, seed=seed)
        truth = pd.concat([_true_ratios(frame, rates, columns) for columns in ([], ["road_class"])])
        rows.append(found.merge(truth, on=["cluster", "comparison"]).assign(draw=seed))
    return pd.concat(rows, ignore_index=True)


def _true_ratios(frame: pd.DataFrame, rates: Floats, columns: list[str]) -> pd.DataFrame:
    """Ratios that counts equal to their means would give, and the block-robust interval of all collisions."""
    clusters, labels = np.unique(frame["cluster"], return_inverse=True)
    strata = (
        frame[columns].astype(str).agg("|".join, axis=1).astype("category").cat.codes.to_numpy()
        if columns
        else 0
    )
    strata = np.broadcast_to(np.asarray(strata, dtype=np.int64), len(frame)).copy()
    places = frame[["x", "y"]].to_numpy()
    cells = make_cells(places)
    none = RiskCovariance(0.0, 0.0, np.nan, 0)
    length = frame["counted_m"].to_numpy() / 1000
    contrast = Contrast(
        np.column_stack([rates * length, frame["n_collisions"].to_numpy(dtype=np.float64)]),
        length,
        strata,
        labels.astype(np.int64),
        len(clusters),
        cells,
        np.eye(len(places)),
        none,
    )
    ratio = common_ratio(add_up(contrast))[2][:, 0]
    counts = contrast.counts[:, 1]
    expected = length * (np.bincount(strata, counts) / np.bincount(strata, length))[strata]
    blocks = make_blocks(counts, expected, places)
    design = design_of(strata, pd.DataFrame(index=frame.index))
    robust = [block_robust(contrast, 1, label, design, blocks) for label in range(len(clusters))]
    return pd.DataFrame(
        {
            "cluster": clusters,
            "comparison": "same class" if columns else "all clustered roads",
            "true_ratio": np.round(ratio, 9),
            "robust_low": [one.low for one in robust],
            "robust_high": [one.high for one in robust],
        }
    )


def judge(name: str, scenario: Scenario, found: pd.DataFrame) -> dict[str, object]:
    """Sum up a scenario."""
    draws = found["draw"].nunique()
    tested = found[found["p_value"].notna()]
    per_draw = tested.groupby("draw")
    record: dict[str, object] = {
        "scenario": name,
        "draws": draws,
        "segments": int(town_roads(scenario.towns).shape[0]),
    }
    collisions = tested[tested["outcome"] == "n_collisions"]
    if not scenario.doubled and not scenario.ratios:
        hits = int((per_draw["q_value"].min() < 0.05).sum())
        # one independent p-value a draw: a cluster and comparison by lot
        lot = collisions.groupby("draw").sample(1, random_state=1)["p_value"].astype(float)
        low, high = binomtest(hits, draws).proportion_ci()
        record |= {
            "any q < 0.05": hits / draws,
            "its interval": f"{low:.3f}-{high:.3f}",
            "KS p": float(kstest(lot, "uniform").pvalue),
            "p < 0.05, collisions": float((collisions["p_value"] < 0.05).mean()),
            "p < 0.05, all": float((tested["p_value"] < 0.05).mean()),
        }
    if scenario.doubled:
        names = dict(enumerate(sorted(town_roads(1)["form"].unique()), start=1))
        mine = collisions[collisions["cluster"] == 1 + collisions["draw"] % collisions["cluster"].max()]
        for comparison, part in mine.groupby("comparison"):
            record[f"power, {comparison}"] = float((part["q_value"] < 0.05).mean())
            record[f"power, {comparison}, p < 0.05"] = float((part["p_value"] < 0.05).mean())
            by = part.groupby(part["cluster"].map(names))["q_value"].apply(
                lambda q: round(float((q < 0.05).mean()), 2)
            )
            record[f"by form, {comparison}"] = by.to_dict()
        either = mine.groupby("draw")["q_value"].min()
        record["power, either"] = float((either < 0.05).mean())
    record |= _coverage(collisions)
    return record


def _coverage(collisions: pd.DataFrame) -> dict[str, object]:
    """Tell how often the intervals of all collisions hold the truth."""
    truth = collisions["true_ratio"]

    def share(low: str, high: str, true: pd.Series | float) -> float:
        known = collisions[low].notna() & collisions[high].notna()
        inside = (collisions[low] <= true * (1 + 1e-9)) & (collisions[high] >= true * (1 - 1e-9))
        return float(inside[known].mean())

    return {
        "covered": share("low", "high", truth),
        "covered, adjusted": share("ratio_adjusted_low", "ratio_adjusted_high", truth),
        "covered, blocks' sandwich": share("robust_low", "robust_high", truth),
        "covered, held out": share("held_out_low", "held_out_high", 1.0),
    }


def main() -> None:
    """Run scenarios, and write down what they gave."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--draws", type=int, help="of each scenario; else 500 of the first, 140 or fewer of others"
    )
    parser.add_argument("--first", type=int, default=0, help="seed of the first draw")
    parser.add_argument("--permutations", type=int, default=1999)
    parser.add_argument("--only", nargs="*", choices=list(SCENARIOS), default=list(SCENARIOS))
    asked = parser.parse_args()
    path = RESULTS / "calibrate.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    for name in asked.only:
        scenario = SCENARIOS[name]
        draws = range(asked.first, asked.first + (asked.draws or scenario.draws))
        start = time.perf_counter()
        found = examine(scenario, draws, asked.permutations)
        told = judge(name, scenario, found)
        told["seconds"] = round(time.perf_counter() - start, 1)
        told["permutations"] = asked.permutations
        print(table([{"what": key, "value": value} for key, value in told.items()]), "\n", flush=True)
        record[name] = told
        save("calibrate", record)


if __name__ == "__main__":
    main()
