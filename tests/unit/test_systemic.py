"""Systemic analysis: what to look at, which factors stand, and which sites without a record carry them."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import binom, norm
from shapely import LineString, Point, affinity
from statsmodels.stats.proportion import proportion_confint

from geo.outputs.report.parts.systemic import systemic
from geo.safety.comparison.adjusted import trend_of
from geo.safety.comparison.covariance import RiskCovariance
from geo.safety.comparison.heldout import Periods
from geo.safety.systemic.analysis import Screened, Sites, analyse, of_types
from geo.safety.systemic.factors import (
    ENDS,
    TRAFFIC,
    forms_of_ends,
    in_levels,
    segment_factors,
    turned_per_100_m,
)
from geo.safety.systemic.focus import AT, BETWEEN, Focus, focus_of, focus_types, share_interval
from geo.safety.systemic.later import check_later
from geo.safety.systemic.screening import joint_ratios, risk_factors, screen_sites, where_else
from geo.safety.systemic.tested import ALL, COLUMNS, IN_CLASS, compare_factors, covariances_of
from geo.safety.systemic.words import findings, screening_sentence
from tests.unit.networks import network

POISSON = RiskCovariance(0.0, 0.0, np.nan, 100)


# the shape of roads, and levels


def arc(radius, degrees, n=400):
    angle = np.radians(np.linspace(0, degrees, n))
    return LineString(np.column_stack([radius * np.sin(angle), radius * (1 - np.cos(angle))]))


def frame_of(*lines):
    return gpd.GeoDataFrame(index=[f"s{i}" for i in range(len(lines))], geometry=list(lines), crs=27700)


@pytest.mark.parametrize("radius", [60.0, 150.0, 400.0])
def test_an_arc_turns_by_its_length_over_its_radius(radius):
    """But for what turns within the first and the last stretch between points that are kept."""
    turned = turned_per_100_m(frame_of(arc(radius, 160)))
    assert 0.85 < turned.iloc[0] / np.degrees(100 / radius) <= 1


def test_turns_do_not_hang_on_where_a_road_lies_or_which_way_it_was_drawn():
    line = arc(90, 120)
    others = [affinity.rotate(line, 67), affinity.translate(line, 3e5, 1e5), LineString(line.coords[::-1])]
    turned = turned_per_100_m(frame_of(line, *others))
    assert turned.to_numpy() == pytest.approx(turned.iloc[0], rel=0.02)


def test_a_straight_road_that_was_drawn_shakily_does_not_bend():
    x = np.arange(0, 200, 5.0)
    shaky = np.column_stack([x, np.random.default_rng(0).uniform(-0.4, 0.4, len(x))])
    assert turned_per_100_m(frame_of(LineString(shaky))).iloc[0] < 1


def test_numbers_become_bands_of_about_as_many_sites_each():
    values = pd.Series(np.random.default_rng(0).lognormal(8, 1, 900))
    levels = in_levels(pd.DataFrame({"traffic": values}), {"traffic": "a day"})["traffic"]
    assert levels.value_counts().between(295, 305).all()
    highest = levels[levels.str.startswith("over")].index
    assert values[highest].min() > values.drop(highest).max()


def test_a_lowest_value_that_many_have_is_a_band_of_its_own():
    values = pd.Series([0.0] * 50 + list(np.linspace(1, 90, 40)))
    levels = in_levels(pd.DataFrame({"bends": values}), {})["bends"]
    assert levels.value_counts().to_dict() == {"0": 50, "0 to 44.4": 20, "over 44.4": 20}


def test_unknown_values_stay_unknown_and_few_values_stay_as_they_are():
    known = pd.DataFrame(
        {
            "limit": [20, 30, None, np.inf],
            "lit": pd.array([True, None, False, True], "boolean"),
            "surface": ["gravel", None, "asphalt", "gravel"],
        }
    )
    levels = in_levels(known, {"limit": "mph"})
    assert levels["limit"].tolist() == ["20 mph", "30 mph", None, None]
    assert levels["lit"].tolist() == ["yes", None, "no", "yes"]
    assert levels["surface"].tolist() == ["gravel", None, "asphalt", "gravel"]


def test_rare_words_are_pooled():
    names = pd.Series([f"name {i:03d}" for i in range(300)] + ["high street"] * 20)
    levels = in_levels(pd.DataFrame({"name": names}), {})["name"]
    assert levels.nunique() == 12
    assert (levels == "high street").sum() == 20


@pytest.mark.parametrize("top", [[5.0] * 80, [1.0] * 80])
def test_a_greatest_or_lowest_value_that_most_have_leaves_two_sides(top):
    values = pd.Series([*top, *np.linspace(1, 5, 20)])
    assert in_levels(pd.DataFrame({"v": values}), {})["v"].nunique() >= 2


def test_ends_of_roads_are_told_by_what_is_there():
    segments, junctions = network(
        (((0, 0), (200, 0)), "a"), (((200, 0), (400, 0)), "a"), (((200, 0), (200, 300)), "b"),
        (((400, 0), (400, 200)), "c"), (((400, 0), (500, 0)), "a"), max_length_m=150,
    )  # fmt: skip
    found = forms_of_ends(segments.set_index("segment_id"), junctions.set_index("junction_id"))
    between = segments.geometry.apply(
        lambda line: line.bounds[0] >= 199 and line.bounds[2] <= 401 and line.bounds[3] == 0
    )
    assert {"a dead end", "cut from a longer road"} >= set(found[~between.to_numpy()])
    ring = junctions.set_index("junction_id").assign(form="roundabout")
    assert "a roundabout" in set(forms_of_ends(segments.set_index("segment_id"), ring))


# focus


def records(rows):
    """Collisions: place (an id of a segment, or of a junction), severity, pedestrian."""
    return pd.DataFrame(
        {
            "segment_id": [place if place.startswith("s") else None for place, _, _ in rows],
            "junction_id": [place if place.startswith("j") else None for place, _, _ in rows],
            "severity": [severity for _, severity, _ in rows],
            "pedestrian": pd.array([walks for _, _, walks in rows], "boolean"),
            "cyclist": pd.array([False] * len(rows), "boolean"),
            "motorcyclist": pd.array([None] * len(rows), "boolean"),
            "car_occupant": pd.array(
                [None if walks is None else not walks for _, _, walks in rows], "boolean"
            ),
        }
    )


SEGMENTS = pd.DataFrame(
    {"road_class": ["high", "low", None], "length_m": [100.0, 200.0, 100.0]}, ["s1", "s2", "s3"]
)
JUNCTIONS = pd.DataFrame({"form": ["crossing", "roundabout"], "arms": [4, 3]}, ["j1", "j2"])
TOLD = ("fatal", "serious", "slight"), ("pedestrian", "cyclist", "car_occupant")
ROWS = [
    ("s1", "serious", True),
    ("s1", "fatal", True),
    ("s2", "slight", True),
    ("s2", "serious", False),
    ("s3", "serious", None),
    ("j1", "serious", False),
    ("j2", "slight", False),
]


def test_the_focus_is_the_road_user_and_the_roads_with_most_ksi():
    table = focus_types(records(ROWS), SEGMENTS, JUNCTIONS, *TOLD)
    chosen = table[table["focus"]]
    told = chosen[["place", "road_user", "facility"]].to_numpy().tolist()
    assert sorted(told) == [
        [AT, "car_occupant", "all"],
        [AT, "car_occupant", "crossroads (4 arms)"],
        [BETWEEN, "pedestrian", "all"],
        [BETWEEN, "pedestrian", "high"],
    ]
    row = table.set_index(["place", "road_user", "facility"]).loc[(BETWEEN, "pedestrian", "all")]
    # one KSI collision does not say who was in it
    assert (row["n"], row["of"], row["n_collisions"]) == (2, 4, 3)


def test_every_collision_stands_in_the_table_once_for_all_road_users():
    table = focus_types(records(ROWS), SEGMENTS, JUNCTIONS, *TOLD)
    of_all = table[table["road_user"] == "all road users"]
    for part in (of_all["facility"] == "all", of_all["facility"] != "all"):
        assert of_all[part]["n_collisions"].sum() == len(ROWS)
        assert of_all[part]["share"].sum() == pytest.approx(1)
    assert table.set_index("facility").loc["not known", "n_collisions"].max() == 1


def test_without_ksi_the_focus_is_by_all_collisions():
    table = focus_types(records(ROWS), SEGMENTS, JUNCTIONS, ("fatal",), ())
    assert set(table["outcome"]) == {"collisions"}
    assert table[["n_ksi", "n_serious", "n_slight"]].isna().all(axis=None)
    assert table["n_fatal"].sum() == 2
    assert set(table["road_user"]) == {"all road users"}
    assert table["focus"].sum() == 4


def test_without_records_there_is_no_focus():
    assert focus_types(None, SEGMENTS, JUNCTIONS, (), ()).empty
    none = focus_types(records([]), SEGMENTS, JUNCTIONS, *TOLD)
    assert none.empty
    focus = focus_of(none, BETWEEN, counts_of(pd.array([None] * 3, "Int64")))
    assert focus.column == "n_collisions"


def test_intervals_of_shares_are_those_of_statsmodels():
    n, of = pd.Series([0, 1, 7, 20, 20]), pd.Series([10, 10, 30, 20, 0])
    low, high = share_interval(n, of)
    theirs = proportion_confint(n[:4], of[:4], method="beta")
    assert np.nan_to_num(low[:4]) == pytest.approx(np.nan_to_num(theirs[0]))
    assert high[:4] == pytest.approx(np.where(np.isnan(theirs[1]), 1.0, theirs[1]))
    assert np.isnan([low[4], high[4]]).all()


def counts_of(collisions, **others):
    table = pd.DataFrame({"n_collisions": collisions})
    for name in (
        "ksi",
        *(f"{user}_collisions" for user in ("pedestrian", "cyclist", "motorcyclist", "car_occupant")),
    ):
        table[f"n_{name}"] = others.get(name, pd.array([pd.NA] * len(table), "Int64"))
    return table


def test_too_few_collisions_of_the_focus_give_way_to_a_wider_kind():
    types = focus_types(records(ROWS), SEGMENTS, JUNCTIONS, *TOLD)
    many, some, few = (pd.array([n] * 30, "Int64") for n in (10, 2, 1))
    assert (
        focus_of(types, BETWEEN, counts_of(many, pedestrian_collisions=some, ksi=some)).column
        == "n_pedestrian_collisions"
    )
    by_ksi = focus_of(types, BETWEEN, counts_of(many, pedestrian_collisions=few, ksi=some))
    assert by_ksi.column == "n_ksi"
    assert by_ksi.why == "30 collisions with a pedestrian: fewer than 50"
    assert (
        focus_of(types, BETWEEN, counts_of(many, pedestrian_collisions=few, ksi=few)).column == "n_collisions"
    )
    assert focus_of(types, BETWEEN, counts_of(many)).why.startswith("collisions with a pedestrian: not known")


# factors and sites


def town(seed=0, n=400, effect=1.0, total=500, hidden=0.3):
    """Segments with five factors of three levels; the first may go with more collisions. Risk is shared by place."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 2000, (n, 2))
    waves = sum(np.cos(places @ rng.normal(0, 1 / 300, 2) + rng.uniform(0, 7)) for _ in range(20)) / np.sqrt(
        10
    )
    levels = pd.DataFrame({f"f{i}": rng.choice(list("abc"), n) for i in range(5)}, dtype=object)
    length = rng.uniform(40, 200, n)
    risk = (
        length * np.exp(hidden * waves) * rng.gamma(4, 0.25, n) * np.where(levels["f0"] == "a", effect, 1.0)
    )
    mean = total * risk / risk.sum()
    sites = pd.DataFrame(
        {
            "exposure": length / 1000 * 4,
            "length_m": length,
            "x": places[:, 0],
            "y": places[:, 1],
            "road_class": rng.choice(["high", "low"], n),
            "predicted": mean / length,
        },
        index=[f"s{i:04d}" for i in range(n)],
    )
    first, last = (pd.DataFrame({"n_collisions": rng.poisson(mean / 2)}, index=sites.index) for _ in range(2))
    sites = sites.assign(n_collisions=first["n_collisions"] + last["n_collisions"])
    sites = sites.assign(n_ksi=rng.binomial(sites["n_collisions"], 0.2))
    return sites, levels.set_axis(sites.index), Periods(first, last, 2.0, 2.0)


def test_without_shared_risk_a_level_is_compared_as_by_statsmodels():
    sites, levels, _ = town(effect=1.5)
    none = {ALL: POISSON, IN_CLASS: POISSON}
    table = compare_factors(sites, levels, ["n_collisions"], none)
    trend = trend_of(sites[["x", "y"]].to_numpy())
    ordered = table.set_index(["factor", "level", "comparison"])
    for comparison, classes in (
        (ALL, np.ones((len(sites), 1))),
        (IN_CLASS, pd.get_dummies(sites["road_class"]).to_numpy(float)),
    ):
        inside = (levels["f0"] == "a").to_numpy(float)
        model = sm.GLM(
            sites["n_collisions"].to_numpy(),
            np.column_stack([inside, classes, trend]),
            family=sm.families.Poisson(),
            exposure=sites["exposure"].to_numpy(),
        ).fit(tol=1e-12)
        row = ordered.loc[("f0", "a", comparison)]
        assert np.log(row["ratio"]) == pytest.approx(model.params[0], abs=1e-5)
        assert np.log(row["high"] / row["ratio"]) == pytest.approx(norm.ppf(0.975) * model.bse[0], rel=1e-4)


@pytest.mark.parametrize("own", [0.0, 0.5])
def test_factors_taken_together_are_those_of_a_regression_with_its_covariance(own):
    """Without what neighbours share, weights are those of a negative binomial of known dispersion."""
    sites, levels, _ = town(effect=1.6)
    has = np.column_stack([levels["f0"] == "a", levels["f1"] == "b"])
    ratio, low, high = joint_ratios(sites, has, "n_collisions", RiskCovariance(own, 0.0, np.nan, 100))
    family = sm.families.NegativeBinomial(alpha=own) if own else sm.families.Poisson()
    design = np.column_stack([has.astype(float), np.ones(len(sites)), trend_of(sites[["x", "y"]].to_numpy())])
    model = sm.GLM(
        sites["n_collisions"].to_numpy(), design, family=family, exposure=sites["exposure"].to_numpy()
    ).fit(tol=1e-12)
    mine = has.astype(float)
    # one step from the Poisson fit, which is nearly all of the way
    assert np.log(ratio) == pytest.approx(mine @ model.params[:2], abs=0.01)
    spread = np.sqrt(np.einsum("ij,jk,ik->i", mine, model.cov_params()[:2, :2], mine))
    assert np.log(high / low) / 2 == pytest.approx(norm.ppf(0.975) * spread, rel=0.02, abs=1e-9)
    assert (ratio[~has.any(axis=1)] == 1).all()


def test_a_factor_that_is_there_twice_is_counted_once():
    sites, levels, _ = town(effect=2.0)
    has = (levels["f0"] == "a").to_numpy()[:, None]
    once = joint_ratios(sites, has, "n_collisions", POISSON)
    twice = joint_ratios(sites, np.column_stack([has, has]), "n_collisions", POISSON)
    for one, two in zip(once, twice, strict=True):
        assert two == pytest.approx(one, rel=1e-6)


def test_sites_carry_the_factors_that_stand_whether_they_have_a_record_or_not():
    sites, levels, _ = town(effect=2.5, total=800)
    sites.loc[sites.index[:3], "exposure"] = 0.0
    standing = pd.DataFrame({"factor": ["f0", "f1"], "level": ["a", "b"]})
    found = screen_sites(sites, levels, standing, "n_collisions", POISSON)
    assert found.iloc[:3].isna().all(axis=None)
    rest, both = found.iloc[3:], (levels["f0"] == "a").iloc[3:] & (levels["f1"] == "b").iloc[3:]
    assert (
        rest["n_risk_factors"] == (levels["f0"] == "a").iloc[3:].astype(int) + (levels["f1"] == "b").iloc[3:]
    ).all()
    assert set(rest.loc[both, "risk_factors"]) == {"f0: a; f1: b"}
    assert (rest["focus_recorded"] == (sites["n_collisions"].iloc[3:] > 0)).all()
    none = rest["n_risk_factors"] == 0
    assert (rest.loc[none, "systemic_ratio"] == 1).all()
    assert rest.loc[none, "systemic_rank"].isna().all()
    by_ratio = rest[~none].sort_values("systemic_rank")
    assert by_ratio["systemic_ratio"].is_monotonic_decreasing
    assert by_ratio["systemic_ratio"].nunique() == by_ratio["systemic_rank"].nunique()
    assert (
        (rest["systemic_ratio_low"] <= rest["systemic_ratio"])
        & (rest["systemic_ratio"] <= rest["systemic_ratio_high"])
    ).all()


def test_where_else_a_factor_is_found_adds_up_and_names_the_worst():
    sites, levels, _ = town(effect=2.5, total=400)
    found = compare_factors(sites, levels, ["n_collisions"])
    screened = screen_sites(sites, levels, risk_factors(found, "n_collisions"), "n_collisions", POISSON)
    table = found.join(where_else(found, screened, levels, sites))
    row = table[(table["factor"] == "f0") & (table["level"] == "a")].iloc[0]
    there = (levels["f0"] == "a") & (sites["n_collisions"] == 0)
    assert row["stands"]
    assert row["n_unrecorded"] == there.sum()
    assert row["km_unrecorded"] == pytest.approx(sites.loc[there, "length_m"].sum() / 1000)
    expected = sites[there].sort_values("predicted", ascending=False).index[:10]
    assert row["worst_unrecorded"].split(";") == list(expected)
    assert table.loc[~table["stands"], "worst_unrecorded"].isna().all()


# what comes of it


def run(seed, effect, **others):
    sites, levels, periods = town(seed, effect=effect, **others)
    covariances = covariances_of(sites, ["n_collisions"])
    found = compare_factors(sites, levels, ["n_collisions"], covariances)
    return risk_factors(found, "n_collisions"), check_later(
        sites, levels, "n_collisions", periods, covariances
    ).iloc[0]


def noise(seed):
    sites, levels, _ = town(seed, n=180, total=300)
    found = compare_factors(sites.drop(columns="road_class"), levels, ["n_collisions"])
    return risk_factors(found, "n_collisions")


def test_factors_that_are_noise_screen_nothing_but_for_chance():
    draws = 24
    called = sum(not noise(seed).empty for seed in range(draws))
    assert called <= binom.ppf(0.999, draws, 0.05)


def test_a_factor_of_twice_the_rate_is_found_and_holds_in_later_years():
    found, ratios, observed, expected = 0, [], 0.0, 0.0
    for seed in range(5):
        standing, later = run(seed, 2.0, n=300, total=600)
        found += ["f0", "a"] in standing.to_numpy().tolist()
        if later["p_value"] == later["p_value"]:
            ratios.append(later["ratio"])
            observed, expected = observed + later["observed"], expected + later["expected"]
    assert found >= 4
    assert len(ratios) >= 3
    assert np.median(ratios) > 1.2
    assert observed > 1.15 * expected


def test_later_collisions_are_those_of_sites_without_an_earlier_one():
    sites, levels, periods = town(3, effect=3.0, total=900)
    later = check_later(sites, levels, "n_collisions", periods, covariances_of(sites, ["n_collisions"])).iloc[
        0
    ]
    none = periods.first["n_collisions"] == 0
    assert later["observed"] + later["observed_others"] == periods.last.loc[none, "n_collisions"].sum()
    assert later["n_screened"] + later["n_others"] == none.sum()
    assert later["km_screened"] + later["km_others"] == pytest.approx(
        sites.loc[none, "length_m"].sum() / 1000
    )
    share = later["km_screened"] / (later["km_screened"] + later["km_others"])
    assert later["expected"] == pytest.approx(share * (later["observed"] + later["observed_others"]))


def counted(sites):
    """Give sites the counts of road users that are not told."""
    return sites.join(counts_of(sites["n_collisions"]).drop(columns=["n_collisions", "n_ksi"]))


TYPES = focus_types(records(ROWS), SEGMENTS, JUNCTIONS, ("fatal", "serious", "slight"), ())


def test_where_no_factor_stands_nothing_is_screened_and_one_sentence_says_so():
    sites, levels, _ = town(effect=1.0, total=300)
    found = analyse(Sites(BETWEEN, counted(sites), levels[["f1"]]), TYPES)
    assert found.sites.drop(columns="focus_recorded").isna().all(axis=None)
    assert found.sites["focus_recorded"].notna().all()
    assert screening_sentence(found).endswith("than chance would make, so no site is screened")
    assert len(findings(TYPES, found)) == 2
    few = replace(found, focus=replace(found.focus, why="of KSI collisions there are too few"))
    assert screening_sentence(few).endswith("no site is screened (of KSI collisions there are too few)")


def test_one_year_of_records_says_that_nothing_is_held_out():
    sites, levels, _ = town(effect=2.5)
    found = analyse(Sites(BETWEEN, counted(sites), levels), TYPES)
    assert found.later["reason"].item() == "the records are of less than two years, or cannot be divided"
    assert found.later["p_value"].isna().all()


def test_records_that_tell_nothing_leave_empty_cells_and_reasons():
    sites, levels, _ = town(n=60)
    blank = counted(sites).assign(n_collisions=pd.array([pd.NA] * 60, "Int64"), exposure=np.nan)
    found = analyse(Sites(BETWEEN, blank, levels), focus_types(None, SEGMENTS, JUNCTIONS, (), ()))
    assert found.sites.isna().all(axis=None)
    assert found.factors["ratio"].isna().all()
    assert found.factors["reason"].notna().all()


def test_no_sites_and_no_factors_are_no_reason_to_fail():
    sites, levels, _ = town(n=30)
    for one, other in (
        (sites.iloc[:0], levels.iloc[:0]),
        (sites, levels.iloc[:, :0]),
        (sites.iloc[:1], levels.iloc[:1]),
    ):
        found = analyse(Sites(AT, counted(one), other), TYPES)
        assert len(found.sites) == len(one)
        assert not found.factors["stands"].astype(bool).any()


def test_one_class_and_unknown_traffic_are_told_not_compared():
    sites, levels, _ = town()
    levels = levels.assign(**{"road class": "street", TRAFFIC: None})[["f0", "road class", TRAFFIC]]
    table = compare_factors(sites.assign(road_class="street"), levels, ["n_collisions"]).set_index("factor")
    assert table.loc["road class", "reason"] == "the same everywhere it is known"
    assert set(np.atleast_1d(table.loc[TRAFFIC, "reason"])) == {"not known of any site"}
    assert np.allclose(
        *(table.loc["f0"].set_index("comparison").loc[each, "ratio"] for each in (ALL, IN_CLASS))
    )


def test_types_stand_by_q_of_the_table_of_tests_alone():
    row = {
        "cluster": 1, "outcome": "n_collisions", "comparison": "same class", "n": 9, "observed": 30,
        "ratio_adjusted": 2.0, "ratio_adjusted_low": 1.2, "ratio_adjusted_high": 3.0, "p_value_adjusted": 0.001,
        "q_value": 0.2, "reason": None, "reason_adjusted": None,
    }  # fmt: skip
    tests = pd.DataFrame(
        [row, row | {"cluster": 2, "q_value": 0.01}, row | {"cluster": 3, "outcome": "n_ksi"}]
    )
    found = of_types(tests, ["n_collisions"])
    assert found["level"].tolist() == ["type 1", "type 2"]
    assert found["stands"].tolist() == [False, True]
    assert found["comparison"].tolist() == [IN_CLASS] * 2


def test_segments_of_a_network_have_factors():
    segments, junctions = network((((0, 0), (300, 0)), "a"), (((150, 0), (150, 200)), "b"))
    segments, junctions = segments.set_index("segment_id"), junctions.set_index("junction_id")
    known = pd.DataFrame(
        {"aadt": [0.0, 900.0, np.nan][: len(segments)], "junction_ends_per_km": 1.0}, segments.index
    )
    levels = segment_factors(segments, junctions, known)
    assert levels[TRAFFIC].notna().sum() == 1
    assert (levels[ENDS] == "a dead end").all()
    no_junctions = junctions.iloc[:0]
    assert len(segment_factors(segments, no_junctions, known)) == len(segments)
    assert Point(0, 0).distance(segments.geometry.iloc[0]) < 1000


# the report


def layers_of(found, types):
    factors = found.factors.assign(outcome=found.factors["outcome"].astype(object))
    return {"systemic_focus": types, "systemic_factors": factors, "systemic_held_out": found.later}


def roads_of(sites):
    return pd.DataFrame({"segment_id": sites.index, "name": "A & B <Street>", "road_class": None})


def test_the_report_names_roads_without_a_record_that_have_a_factor():
    sites, levels, _ = town(effect=2.5, total=500)
    found = analyse(Sites(BETWEEN, counted(sites), levels), TYPES)
    said = systemic(layers_of(found, TYPES), roads_of(sites), "slight")
    assert said.standing[0]["level"] == "f0: a"
    assert all("A & B <Street> (s" in row["worst"] for row in said.standing)
    assert said.later == [
        "Segments: not checked; the records are of less than two years, or cannot be divided."
    ]
    assert len(said.focus) <= 12


def test_the_report_says_that_no_factor_stands_and_names_no_road():
    sites, levels, _ = town(effect=1.0, total=300)
    found = analyse(Sites(BETWEEN, counted(sites), levels[["f1"]]), TYPES)
    said = systemic(layers_of(found, TYPES), roads_of(sites), "slight")
    assert said.standing == []
    assert said.n_tested > 0


def test_without_collisions_there_is_no_section():
    assert systemic({}, roads_of(town(n=5)[0]), "slight") is None
    sites, levels, _ = town(n=20)
    none = focus_types(None, SEGMENTS, JUNCTIONS, (), ())
    found = analyse(Sites(BETWEEN, counted(sites), levels), none)
    assert systemic(layers_of(found, none), roads_of(sites), "slight") is None


def test_where_nothing_stands_it_is_said_of_which_collisions():
    nothing = pd.DataFrame({name: [] for name in ("place", *COLUMNS)})
    focus = Focus("any", "n_collisions", "all collisions", "")
    said = screening_sentence(Screened(focus, nothing, pd.DataFrame(), pd.DataFrame()))
    assert "goes with more collisions than chance" in said
