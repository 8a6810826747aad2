"""Published functions and shares reported: calibration factors and bands, against statsmodels, scipy and simulation."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.stats import gamma
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.rates import confint_poisson

from geo.config.sections.given import GivenFunction, Reported
from geo.config.sections.safety import Safety
from geo.safety.expected.calibration import calibrate_given, calibrate_own, calibration_factor, predict_given
from geo.safety.given import calibrate_city, factor_sentences
from geo.safety.reporting import band_sentences, places_to_band, reporting_bands, weighted_limits

HSM = GivenFunction(
    name="two lanes, undivided",
    source="Highway Safety Manual 2010, table 12-3",
    intercept=-15.22,
    log_traffic=1.68,
    length_unit="mile",
)
"""Multiple-vehicle non-driveway collisions of urban two-lane undivided arterials."""


def test_a_factor_of_independent_counts_is_that_of_a_poisson_regression_with_an_offset():
    rng = np.random.default_rng(0)
    predicted = rng.gamma(2, 1, 400)
    counts = rng.poisson(0.7 * predicted).astype(float)
    found = calibration_factor(counts, predicted, k=0.0)
    theirs = GLM(counts, np.ones(400), family=families.Poisson(), offset=np.log(predicted)).fit()
    assert found.value == pytest.approx(float(np.exp(theirs.params[0])))
    assert [found.low, found.high] == pytest.approx(np.exp(theirs.conf_int()[0]).tolist(), rel=1e-6)


def test_limits_of_overdispersed_counts_are_near_those_of_a_sandwich_and_hold_the_truth():
    rng = np.random.default_rng(1)
    ratios, held = [], 0
    for _ in range(300):
        predicted = rng.gamma(2, 1, 200)
        counts = rng.poisson(1.4 * predicted * rng.gamma(1.25, 0.8, 200)).astype(float)
        found = calibration_factor(counts, predicted)
        theirs = GLM(counts, np.ones(200), family=families.Poisson(), offset=np.log(predicted)).fit(
            cov_type="HC0"
        )
        low, high = np.exp(theirs.conf_int()[0])
        ratios.append(np.log(found.high / found.low) / np.log(high / low))
        held += found.low <= 1.4 <= found.high
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.03)
    assert 0.92 <= held / 300 <= 0.98


def test_without_a_collision_the_factor_is_0_with_the_upper_limit_of_an_exact_interval():
    found = calibration_factor(np.zeros(40), np.full(40, 0.05))
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(confint_poisson(0, 2.0, method="exact-c")[1])


def test_a_mile_of_an_urban_arterial_has_the_collisions_that_the_manual_predicts():
    """Eq. 12-10 with the coefficients of table 12-3: exp(-15.22 + 1.68 log 11,000) on 1.5 miles."""
    length, traffic = pd.Series([1.5 * 1.609344, 1.0, 1.0]), pd.Series([11_000.0, np.nan, 0.0])
    found = predict_given(HSM, length, traffic)
    assert found[0] == pytest.approx(np.exp(-15.22 + 1.68 * np.log(11_000)) * 1.5)
    assert found[1:].isna().all()


def test_factors_of_a_published_function_say_what_they_rest_on():
    rng = np.random.default_rng(2)
    n = 300
    units = pd.DataFrame({"length_km": rng.uniform(0.05, 0.3, n), "traffic": rng.uniform(5000, 20_000, n)})
    units["group"] = rng.choice(["primary", "secondary", "service"], n)
    units.loc[:9, "traffic"] = np.nan
    function = HSM.model_copy(update={"groups": ("primary", "secondary")})
    a_year = predict_given(function, units["length_km"], units["traffic"]).fillna(0.0)
    by_year = {year: (1.0, pd.Series(rng.poisson(2 * a_year))) for year in (2021, 2022, 2023)}
    counts = sum(events for _, events in by_year.values())
    rows = calibrate_given(function, units, counts, 3.0, by_year).set_index("name")
    used = units["group"].isin(function.groups) & units["traffic"].notna()
    whole = rows.loc["factor of two lanes, undivided"]
    assert whole["value"] == pytest.approx(counts[used].sum() / (3 * a_year[used].sum()))
    assert whole["low"] < 2 < whole["high"]
    assert "Highway Safety Manual 2010, table 12-3" in whole["says"]
    left = int((units["group"].isin(function.groups) & units["traffic"].isna()).sum())
    assert f"{left} segments are left out" in whole["says"]
    parts = {str(name).removeprefix("factor of two lanes, undivided, ") for name in rows.index[1:]}
    assert parts == {"primary", "secondary", "2021", "2022", "2023"}
    assert factor_sentences([rows.reset_index()])[0].startswith(
        "calibration factor of two lanes, undivided: "
    )


@pytest.mark.parametrize(("a_year", "enough"), [(101, True), (60, False)])
def test_a_factor_of_too_few_collisions_a_year_says_so_however_many_years_there_are(a_year, enough):
    """The manual asks for a hundred a year (part C, appendix A.1.2), not for a hundred."""
    n, years = 50, 5
    units = pd.DataFrame({"length_km": 0.2, "traffic": 9000.0, "group": "primary"}, index=range(n))
    each = pd.Series(a_year / n, index=units.index)
    by_year = {2019 + year: (1.0, each) for year in range(years)}
    says = calibrate_given(HSM, units, each * years, float(years), by_year)["says"]
    assert len(says) == 1 + years
    assert says.str.contains("100 collisions a year").eq(not enough).all()


def test_years_without_records_are_no_time_of_a_factor():
    """Four years of records in five calendar years: the factor is that of four."""
    segments = pd.DataFrame(
        {"counted_m": 200.0, "aadt": 9000.0, "road_class": "primary"}, index=list("abcdefgh")
    )
    segments = segments.assign(n_collisions=4, n_ksi=0, collisions_predicted=4.0, ksi_predicted=0.1)
    year = np.repeat([2018, 2019, 2021, 2022], len(segments))
    records = pd.DataFrame({"segment_id": list(segments.index) * 4, "severity": "slight"})
    records["source_year"] = pd.array(year, "Int64")
    records["date"] = pd.to_datetime(pd.Series([None] * len(records)), utc=True)
    none = pd.DataFrame(columns=["junction_type", "traffic_major", "traffic_minor"])
    period = date(2018, 1, 1), date(2022, 12, 31)
    models = pd.DataFrame({"name": [], "outcome": [], "value": []})
    (rows,) = calibrate_city(segments, none, [HSM], models, records, period, ["slight"], 4.0)
    predicted = predict_given(HSM, segments["counted_m"] / 1000, segments["aadt"]).sum()
    by_name = rows.set_index("name")["value"]
    assert by_name["factor of two lanes, undivided"] == pytest.approx(32 / (4 * predicted))
    years = by_name[by_name.index != "factor of two lanes, undivided"]
    assert [name[-4:] for name in years.index] == ["2018", "2019", "2021", "2022"]
    assert years.tolist() == pytest.approx([8 / predicted] * 4)


def test_where_no_unit_has_what_a_function_asks_for_there_is_no_factor_but_a_reason():
    units = pd.DataFrame({"length_km": [0.1], "traffic": [np.nan], "group": ["primary"]})
    rows = calibrate_given(HSM, units, pd.Series([3]), 1.0, {})
    assert "value" not in rows or rows["value"].isna().all()
    assert "none of 1 segments" in rows["says"].iloc[0]
    assert factor_sentences([rows])[0].startswith("no calibration factor of two lanes")


def test_a_citys_own_function_is_held_against_its_classes():
    groups = pd.Series(["a", "a", None, "b"])
    rows = calibrate_own(
        "ksi", groups, pd.Series([1, 3, 2, None], dtype="Int64"), pd.Series([2.0, 2.0, 4.0, 1.0]), 0.5
    )
    assert dict(zip(rows["name"], rows["value"], strict=True)) == {
        "observed over predicted, a": 1.0,
        "observed over predicted, not known": 0.5,
    }


def test_functions_of_a_citys_file_are_checked():
    one = {"name": "x", "source": "y", "intercept": -1}
    assert Safety(functions=[one]).given()[0].log_length == 1
    # one value will do for a list of one
    assert Safety(functions=[one | {"groups": "primary"}]).given()[0].is_of() == ("primary",)
    for wrong in ([one, one], [one | {"slope": 2}], [{"name": "x"}]):
        with pytest.raises(ValidationError):
            Safety(functions=wrong)


# what is not recorded


def test_limits_of_one_count_are_garwoods_and_of_several_hold_the_truth():
    assert weighted_limits([7], [2.0]) == pytest.approx(
        [2 * one for one in confint_poisson(7, 1, method="exact-c")]
    )
    assert weighted_limits([0, 0], [1.0, 3.0])[0] == 0
    rng = np.random.default_rng(0)
    mean, weight = np.array([0.5, 4.0, 30.0]), np.array([1.0, 1.4, 3.0])
    held = [
        low <= (mean * weight).sum() <= high
        for low, high in (weighted_limits(rng.poisson(mean), weight) for _ in range(1000))
    ]
    assert 0.94 <= np.mean(held) <= 0.99
    # the published worked form: both limits are quantiles of gamma distributions matched by mean and variance
    y, w = np.array([3, 12]), np.array([1.2, 2.5])
    total, variance = (w * y).sum(), (w**2 * y).sum()
    low = gamma.ppf(0.025, total**2 / variance, scale=variance / total)
    up = gamma.ppf(0.975, (total + 2.5) ** 2 / (variance + 2.5**2), scale=(variance + 2.5**2) / (total + 2.5))
    assert weighted_limits(y, w) == pytest.approx((low, up))


@pytest.fixture
def counted():
    names = ["n_collisions", "n_fatal", "n_serious", "n_slight", "n_severity_unknown"]
    segments = pd.DataFrame([[10, 1, 3, 4, 2], [5, 0, 1, 4, 0]], columns=names, dtype="Int64")
    for user in ("pedestrian", "cyclist", "motorcyclist", "car_occupant"):
        segments[f"n_{user}_collisions"] = pd.array(
            [2, 1] if user != "motorcyclist" else [None, None], dtype="Int64"
        )
    return segments.assign(counted_m=500.0), pd.Series(["primary", "residential"])


def test_bands_go_from_the_highest_share_to_the_lowest_and_add_up(counted):
    segments, classes = counted
    places = places_to_band(segments, classes, segments, 4.0)
    assert places["place"].tolist() == [
        "between junctions", "between junctions, primary", "between junctions, residential", "at junctions",
    ]  # fmt: skip
    shares = {"fatal": (1.0, 1.0), "serious": (0.5, 0.8), "slight": (0.2, 0.4), "cyclist": (0.1, 0.3)}
    bands = reporting_bands(places, shares, "a study")
    of = bands[bands["place"] == "between junctions"].set_index("outcome")
    assert of.loc["serious", ["number_low", "number_high"]].tolist() == pytest.approx([4 / 0.8, 4 / 0.5])
    assert of.loc["ksi", ["number_low", "number_high"]].tolist() == pytest.approx([1 + 5, 1 + 8])
    # of two whose severity is not known: all reported, or a fifth
    assert of.loc["collisions", ["number_low", "number_high"]].tolist() == pytest.approx(
        [6 + 20 + 2, 9 + 40 + 10]
    )
    assert of.loc["cyclist", ["rate_low", "rate_high"]].tolist() == pytest.approx([10 / 4, 30 / 4])
    assert of.loc["collisions", "n_recorded"] == 15
    told = of[of["number_low"].notna()]
    assert (told["rate_low_limit"] < told["rate_low"]).all()
    assert (told["rate_high_limit"] > told["rate_high"]).all()
    assert (told["rate_recorded"] <= told["rate_low"] + 1e-12).all()
    assert "2 of unknown severity" in of.loc["ksi", "says"]
    assert of["says"].str.contains("a study").all()
    by_class = (
        bands[bands["place"].str.startswith("between junctions,")].groupby("outcome")["number_high"].sum()
    )
    assert by_class["ksi"] == pytest.approx(of.loc["ksi", "number_high"])
    assert band_sentences(bands)[0].startswith(
        "KSI collisions between junctions: 5 are recorded; between 6 and 9 if "
    )


def test_without_a_share_or_a_count_there_is_no_band_but_a_reason(counted):
    segments, classes = counted
    places = places_to_band(segments, classes, segments, None)
    bands = reporting_bands(places, {"serious": (0.5, 0.8), "motorcyclist": (0.2, 0.4)}, "a study")
    of = bands[bands["place"] == "between junctions"].set_index("outcome")
    assert of["rate_low"].isna().all()
    assert of.loc["serious", "number_low"] == pytest.approx(5)
    assert of.loc["ksi", "says"] == "no band: the share reported is not given of fatal"
    assert of.loc["motorcyclist", "says"] == "no band: the records do not tell motorcyclist"
    assert of.loc[["ksi", "collisions", "motorcyclist"], ["number_low", "number_high"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fatal": [0.5, 0.9]},
        {"source": "x", "slight": [0.9, 0.2]},
        {"source": "x", "slight": [0.0, 0.2]},
        {"source": "x", "slight": 0.5},
    ],
)
def test_shares_need_a_source_and_an_order(wrong):
    with pytest.raises(ValidationError):
        Reported.model_validate(wrong)
