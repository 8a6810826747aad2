"""What is expected at junctions, held against the Highway Safety Manual's examples, statsmodels and known networks."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from shapely import Point

from geo.safety.expected.empirical_bayes import empirical_bayes
from geo.safety.junctions.arms import known_of_junctions
from geo.safety.junctions.expected import OUTCOMES_THERE, expect_junctions

TWO_LANE = {"T or Y (3 arms)": (-9.86, 0.79, 0.49, 0.54), "crossroads (4 arms)": (-5.13, 0.60, 0.20, 0.11)}
"""Of the Highway Safety Manual 2010, eq. 10-8 and 10-10: three legs with a stop sign and four with signals, on rural
two-lane roads. Intercept, exponents of both roads' traffic, overdispersion."""


def network(arms: dict[str, list[tuple[str | None, float | None]]], form: str = "crossing"):
    """Lay out junctions of arms that end nowhere else: class and traffic of each arm."""
    ids = list(arms)
    junctions = gpd.GeoDataFrame(
        {"arms": [len(arms[one]) for one in ids], "form": form},
        index=pd.Index(ids, name="junction_id"),
        geometry=[Point(100 * i, 0) for i in range(len(ids))],
        crs=27700,
    )
    rows = [(one, None, *arm) for one in ids for arm in arms[one]]
    segments = pd.DataFrame(rows, columns=["u", "v", "road_class", "aadt"])
    return junctions, segments[["u", "v", "road_class"]], segments["aadt"].astype("float64")


def known(kind: str, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw what is known of junctions of one type on two-lane roads."""
    major = rng.uniform(2000, 12_000, n)
    return pd.DataFrame(
        {
            "junction_type": kind,
            "highest_class": "primary",
            "traffic_entering": np.nan,
            "traffic_major": major,
            "traffic_minor": major * rng.uniform(0.05, 0.4, n),
        },
        index=pd.Index([f"{kind[0]}{i:04d}" for i in range(n)], name="junction_id"),
    )


def by_the_manual(one: pd.DataFrame) -> np.ndarray:
    """Collisions a year by the functions of the Highway Safety Manual."""
    a, b, c, _ = np.array([TWO_LANE[kind] for kind in one["junction_type"]]).T
    return np.exp(a + b * np.log(one["traffic_major"]) + c * np.log(one["traffic_minor"])).to_numpy()


# what is known of a junction


def test_the_minor_road_is_that_of_the_arm_after_the_two_with_most_traffic():
    junctions, segments, traffic = network(
        {"j": [("primary", 9000), ("primary", 8000), ("tertiary", 2500), ("tertiary", 1500)]}
    )
    found = known_of_junctions(junctions, segments, traffic).loc["j"]
    assert found[["traffic_major", "traffic_minor", "traffic_entering"]].tolist() == [9000, 2500, 10_500]
    assert found["highest_class"] == "primary"


def test_an_arm_that_was_not_counted_could_be_busier_than_the_minor_road():
    arms = [("primary", 9000), ("primary", 8000), ("tertiary", 2500), ("tertiary", None)]
    found = known_of_junctions(*network({"j": arms})).loc["j"]
    assert found["traffic_major"] == 9000
    assert found[["traffic_minor", "traffic_entering"]].isna().all()


def test_of_a_side_street_alone_the_major_road_is_not_known():
    found = known_of_junctions(*network({"j": [("A38", None), ("A38", None), ("minor", 500)]})).loc["j"]
    assert found["highest_class"] == "A38"
    assert found[["traffic_major", "traffic_minor", "traffic_entering"]].isna().all()


def test_a_segment_that_leads_back_to_its_junction_is_two_arms():
    junctions, segments, traffic = network({"j": [("residential", 400), ("residential", 100)]})
    segments["v"] = [None, "j"]
    found = known_of_junctions(junctions.assign(arms=3), segments, traffic).loc["j"]
    assert found[["traffic_entering", "traffic_minor"]].tolist() == [300, 100]


def test_classes_without_a_known_order_are_those_of_most_arms():
    found = known_of_junctions(*network({"j": [("X", None), ("Y", None), ("Y", None), (None, None)]}))
    assert found["highest_class"].tolist() == ["Y"]
    nothing = known_of_junctions(*network({"k": [(None, None)] * 3}))
    assert nothing["highest_class"].isna().all()


# what is expected of it


def test_the_manuals_worked_example_comes_out():
    # Highway Safety Manual 2010, chapter 10, sample problems 3 and 4: 1.867 and 6.796 a year at base conditions
    examples = pd.DataFrame(
        {"junction_type": list(TWO_LANE), "traffic_major": [8000, 10_000], "traffic_minor": [1000, 2000]}
    )
    assert by_the_manual(examples) == pytest.approx([1.867, 6.796], abs=1e-3)
    # sample problem 5, worksheet 3A: predicted, k and observed of intersection 1, its weight and its expected count
    weight, expected, _ = empirical_bayes(3, 2.907, 0.54)
    assert (float(weight), float(expected)) == pytest.approx((0.389, 2.964), abs=1e-3)


def test_the_manuals_functions_are_found_again_in_records_that_follow_them():
    rng = np.random.default_rng(8)
    there = pd.concat([known(kind, 1500, rng) for kind in TWO_LANE])
    k = there["junction_type"].map({kind: told[3] for kind, told in TWO_LANE.items()}).to_numpy()
    counts = rng.poisson(5 * by_the_manual(there) * rng.gamma(1 / k, k))
    for kind, (_, major, minor, k_of) in TWO_LANE.items():
        mine = there["junction_type"] == kind
        counted = pd.DataFrame(
            {"n_collisions": counts[mine], "n_ksi": pd.NA, "years": 5.0}, index=there.index[mine]
        )
        _, models = expect_junctions(counted, there[mine], seed=0, draws=100)
        told = models[models["outcome"] == "collisions at junctions"].set_index("name")
        for name, truth in (
            ("intercept", TWO_LANE[kind][0]),
            ("log traffic of the major road", major),
            ("log traffic of the minor road", minor),
            ("overdispersion", k_of),
        ):
            assert told.loc[name, "low"] < truth < told.loc[name, "high"], (kind, name)


def test_coefficients_are_those_of_statsmodels():
    rng = np.random.default_rng(3)
    there = pd.concat([known(kind, 200, rng) for kind in TWO_LANE])
    counts = pd.Series(rng.poisson(5 * by_the_manual(there) * rng.gamma(2, 0.5, 400)), index=there.index)
    counted = pd.DataFrame({"n_collisions": counts, "n_ksi": pd.NA, "years": 5.0})
    found, models = expect_junctions(counted, there, seed=0, draws=100)
    told = models[models["outcome"] == "collisions at junctions"].set_index("name")["value"]
    terms = pd.DataFrame(
        {
            "intercept": 1.0,
            "type T or Y (3 arms)": (there["junction_type"] == "T or Y (3 arms)").astype(float),
            "log traffic of the major road": np.log(there["traffic_major"]),
            "log traffic of the minor road": np.log(there["traffic_minor"]),
        }
    )
    theirs = sm.NegativeBinomial(counts, terms, offset=np.full(400, np.log(5.0))).fit(disp=0, maxiter=500)
    assert told[list(terms)].tolist() == pytest.approx(theirs.params[list(terms)].tolist(), abs=1e-3)
    assert told["overdispersion"] == pytest.approx(theirs.params["alpha"], abs=1e-3)
    weight = 1 / (1 + theirs.params["alpha"] * theirs.predict())
    shrunk = (weight * theirs.predict() + (1 - weight) * counts) / 5
    assert found["collisions_per_year_eb"].tolist() == pytest.approx(shrunk.tolist(), rel=1e-3)


def test_intervals_hold_the_true_rates_of_junctions():
    rng = np.random.default_rng(12)
    there = pd.concat([known(kind, 300, rng) for kind in TWO_LANE])
    true = by_the_manual(there) * rng.gamma(2, 0.5, 600)
    inside = []
    for _ in range(4):
        counted = pd.DataFrame({"n_collisions": rng.poisson(5 * true), "years": 5.0}, index=there.index)
        counted["n_ksi"] = rng.binomial(counted["n_collisions"], 0.15)
        found, _ = expect_junctions(counted, there, seed=0, draws=100)
        for what, rate in (("collisions", true), ("ksi", 0.15 * true)):
            low, high = found[f"{what}_per_year_eb_low"], found[f"{what}_per_year_eb_high"]
            inside.append(float(((low <= rate) & (rate <= high)).mean()))
    assert 0.93 <= np.mean(inside) <= 0.97


@pytest.mark.parametrize(
    ("n", "counts", "years", "reason"),
    [
        (0, 0, 5.0, "no junction has both a count and an exposure"),
        (1, 40, 5.0, "1 junctions, fewer than 30"),
        (60, 0, 5.0, "no collisions"),
        (15, 2, 5.0, "15 junctions, fewer than 30"),
        (60, 2, np.nan, "no junction has both a count and an exposure"),
    ],
)
def test_too_little_to_fit_to_is_said(n, counts, years, reason):
    there = known("T or Y (3 arms)", n, np.random.default_rng(0))
    counted = pd.DataFrame({"n_collisions": counts, "n_ksi": pd.NA, "years": years}, index=there.index)
    counted = counted.astype({"n_collisions": "Int64", "n_ksi": "Int64"})
    found, models = expect_junctions(counted, there, seed=0, draws=100)
    assert len(found) == n
    told = models[models["name"] == "model"].set_index("outcome")["says"]
    assert list(told.index) == list(OUTCOMES_THERE)
    assert told["collisions at junctions"].endswith(reason)
    assert (
        told["ksi at junctions"] == "none: nothing is estimated; no junction has both a count and an exposure"
    )
    assert found["ksi_per_year_eb"].isna().all()
    if counts * n > 0 and years == 5:
        assert found["collisions_per_year_eb"].notna().all()
        assert found["collisions_eb_method"].iloc[0].startswith("shrinkage within form and arms")


def test_junctions_of_one_form_are_ranked_all_the_same():
    there = known("T or Y (3 arms)", 90, np.random.default_rng(1)).assign(
        traffic_major=np.nan, traffic_minor=np.nan
    )
    counts = np.random.default_rng(2).poisson(1, 90)
    counts[0] = 12
    counted = pd.DataFrame({"n_collisions": counts, "n_ksi": pd.NA, "years": 5.0}, index=there.index)
    found, models = expect_junctions(counted, there, seed=0, draws=400)
    assert found["rank"].idxmin() == there.index[0]
    assert found["p_worst_5_percent"].iloc[0] > 0.9
    names = models.loc[models["part"] == "coefficient", "name"].tolist()
    assert names == ["intercept"]
