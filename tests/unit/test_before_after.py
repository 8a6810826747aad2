"""Before and after: treatments in a town whose truth is known, and formulas against other sources."""

import io

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from networks import grid, network
from scipy.sparse import csr_array
from scipy.stats import nbinom

from geo.config import collision_settings
from geo.config.sections.interventions import Interventions
from geo.errors import LayerError
from geo.safety.expected.empirical_bayes import Prior
from geo.safety.expected.overdispersion import is_overdispersed, most_likely
from geo.safety.interventions.comparison import expected_by_comparison
from geo.safety.interventions.index import index_of_effectiveness, ratio_of_rates
from geo.safety.interventions.mixing import expect
from geo.safety.interventions.placing import place_treatments
from geo.safety.interventions.reading import NO_KIND, read_interventions
from geo.safety.interventions.sentences import FEW, few_sentence, in_words
from geo.safety.interventions.sites import clock_of, lay_out_sites
from geo.safety.interventions.study import ALL, Network, study
from geo.safety.interventions.times import course
from geo.safety.interventions.treated import account
from geo.safety.interventions.without import Windows

PERIOD = (pd.Timestamp("2015-01-01").date(), pd.Timestamp("2020-12-31").date())


def test_an_index_has_the_mean_and_interval_of_a_million_draws():
    """L is Poisson about an unknown mean with Jeffreys' prior, P gamma: drawn, not worked out."""
    rng = np.random.default_rng(0)
    for after, expected, variance in ((30, 40.0, 16.0), (2, 3.5, 2.0), (0, 5.0, 1.0)):
        shape = expected**2 / variance
        ratio = rng.gamma(after + 0.5, 1, 1_000_000) / rng.gamma(shape, expected / shape, 1_000_000)
        found = index_of_effectiveness([after], [expected], [variance]).iloc[0]
        low, high = np.quantile(ratio, [0.025, 0.975])
        assert found["index_high"] == pytest.approx(high, rel=0.01)
        assert found["index_low"] == pytest.approx(low if after else 0, rel=0.01)
        below = (ratio < 1).mean()
        assert found["p_value"] == pytest.approx(2 * min(below, 1 - below), rel=0.03)


def test_dividing_by_what_is_uncertain_does_not_raise_the_index():
    """E(1 / P) is above 1 / E(P): the mean index over many studies is the truth, the plain ratio's is not."""
    rng = np.random.default_rng(1)
    guess = rng.normal(40, 6, 200_000)
    counted = rng.poisson(0.8 * 40, len(guess))
    found = index_of_effectiveness(counted, guess, np.full(len(guess), 36.0))["index"]
    assert np.mean(counted / guess) > 0.816
    assert found.mean() == pytest.approx(0.8, abs=0.003)


def test_a_comparison_group_as_hauer_works_it_out():
    """Right turns on red in Virginia (Hauer 1997, chapter 9): 167 before and 313 after, compared with 3566 and 6121.

    r = (6121 / 3566) / (1 + 1 / 3566) and 286.6 expected.
    """
    windows = Windows(np.array([0]), np.array([100]), np.array([100]), np.array([200]))
    place = np.zeros(3566 + 6121, dtype=int)
    day = np.repeat([50, 150], [3566, 6121])
    one = csr_array(np.ones((1, 1)))
    found = expected_by_comparison(np.array([167.0]), windows, one, place, day, one, 200).iloc[0]
    assert found["expected"] == pytest.approx(286.6, abs=0.05)
    assert found["variance"] / found["expected"] ** 2 == pytest.approx(
        1 / 167 + 1 / 3566 + 1 / 6121, rel=1e-3
    )
    index = index_of_effectiveness([313], [found["expected"]], [found["variance"]]).iloc[0]
    assert index["index"] == pytest.approx(313 / 286.6 / (1 + 1 / 167 + 1 / 3566 + 1 / 6121), abs=1e-3)


def test_the_shrunk_count_is_that_of_the_tutorial():
    """Hauer, Harwood, Council and Griffith 2002: 1.8 km with 2.41 a km and year predicted, k = 1 / (2.05 x 1.8).

    One year with 12 collisions gives 4.71 +- 1.19 a km; three years with 27 give 7.97 +- 1.44 a year.
    """

    def prior_of(predicted):
        nothing = np.empty(0)
        frame = pd.DataFrame(index=range(1))
        k = pd.Series([1 / (2.05 * 1.8)])
        return Prior(
            "negative binomial", None, pd.Series([predicted]), k, frame, np.empty((0, 0)), nothing, nothing
        )

    one = expect(prior_of(2.41 * 1.8), np.array([12.0]))
    assert one.mean[0] / 1.8 == pytest.approx(4.71, abs=0.01)
    assert one.variance[0, 0] ** 0.5 / 1.8 == pytest.approx(1.19, abs=0.01)
    three = expect(prior_of(3 * 2.41 * 1.8), np.array([27.0]))
    assert three.mean[0] / 3 == pytest.approx(7.97, abs=0.01)
    assert three.variance[0, 0] ** 0.5 / 3 == pytest.approx(1.44, abs=0.01)


@pytest.mark.parametrize("shape", ["gamma", "lognormal"])
def test_counts_tell_which_shape_risk_has(shape):
    """With 20,000 places the shape that made the counts has nearly all of the weight."""
    rng, n, k = np.random.default_rng(1), 20_000, 1.0
    sigma = np.sqrt(np.log1p(k))
    risk = rng.gamma(1 / k, k, n) if shape == "gamma" else np.exp(rng.normal(-(sigma**2) / 2, sigma, n))
    m = np.full(n, 2.0)
    y = rng.poisson(m * risk).astype(float)
    nodes = np.linspace(0.8, 1.2, 9)
    before = Prior(
        "negative binomial",
        None,
        pd.Series(m),
        pd.Series(k, range(n)),
        pd.DataFrame(index=range(n)),
        np.empty((0, 0)),
        nodes,
        np.exp(
            [nbinom.logpmf(y, 1 / v, 1 / (1 + v * m)).sum() for v in nodes] - nbinom.logpmf(y, 1, 1 / 3).sum()
        ),
    )
    found = expect(before, y)
    of_gamma = found.share[: len(nodes)].sum()
    assert (of_gamma > 0.9) == (shape == "gamma")
    worst = y >= np.sort(y)[-100]
    assert found.mean[worst].mean() == pytest.approx((m * risk)[worst].mean(), rel=0.1)


def test_the_course_of_time_sees_through_the_choice_of_the_worst():
    """Nothing changes; the worst half by count leaves. Plain totals of the rest would rise, their course must not."""
    rng, n, days = np.random.default_rng(2), 4000, 2000
    risk = rng.gamma(1.0, 2.0, n)
    counts = rng.poisson(risk, (2, n))
    where = np.concatenate([np.repeat(np.arange(n), side) for side in counts])
    day = np.concatenate([rng.integers(0, 1000, counts[0].sum()), rng.integers(1000, days, counts[1].sum())])
    worst = counts[0] > 2
    until = np.where(worst, 1000, days)
    stays = ~worst
    assert counts[1][stays].sum() > 1.2 * counts[0][stays].sum()
    inside = day < until[where]
    seen = np.bincount(where[inside], minlength=n)
    rates = (seen + 1) / (np.where(worst, 1, 2) + 0.5)
    found = course(day[inside], rates, until, days, 2.0)
    halves = found.effective_years(np.array([0, 1000]), np.array([1000, days]))
    assert halves[1] / halves[0] == pytest.approx(1.0, abs=0.05)
    assert found.summed[-1] == pytest.approx(2.0)


def simulated(seed, *, truth=1.0, n=900, treated=80):
    """Segments with lasting risks of their own; those with most collisions in three years are treated."""
    rng = np.random.default_rng(seed)
    cut = 3 * 365
    exposure = rng.uniform(0.05, 0.2, n)
    classes = rng.choice(["primary", "residential"], n)
    mean = exposure * np.where(classes == "primary", 3.0, 1.0) * rng.gamma(2.0, 0.5, n)
    yearly = rng.poisson(mean[:, None] * np.array([1.1, 1, 1, 0.95, 0.9, 0.85]))
    where, year = (np.repeat(part, yearly[yearly > 0]) for part in np.nonzero(yearly))
    day = year * 365 + rng.integers(0, 365, len(year))
    worst = np.argsort(-np.bincount(where[day < cut], minlength=n) - rng.random(n) / 2)[:treated]
    after = np.isin(where, worst) & (day >= cut)
    keep = ~after | (rng.random(len(day)) < truth)
    where, day = where[keep], day[keep]
    ids = pd.Index([f"s{i:04d}" for i in range(n)])
    known = pd.DataFrame({"exposure": exposure, "road_class": classes, "traffic": np.nan}, index=ids)
    rows = pd.DataFrame(
        {"kind": "humps", "start": pd.Timestamp("2018-01-01"), "end": pd.Timestamp("2018-01-01")},
        index=range(treated),
    )
    units = pd.DataFrame({"row": range(treated), "unit": "segment", "id": ids[worst]})
    told = pd.Series(pd.Timestamp("2015-01-01") + pd.to_timedelta(day, "D"))
    clock, of_records = clock_of((PERIOD[0], pd.Timestamp("2020-12-29").date()), told, told.dt.year)
    fate = pd.Series([None] * treated, dtype=object)
    sites = lay_out_sites(
        rows, units, fate, clock, Interventions(source="x", margin_days=0), pd.Series(data=True, index=ids)
    )
    segments = Network("segment", known, where, of_records.astype(int), np.arange(len(where)))
    severe = np.random.default_rng(seed).random(len(where)) < 0.25
    outcomes = {"collisions": np.ones(len(where), dtype=bool), "ksi": severe}
    return study([segments], sites, rows["kind"], clock, outcomes)[1]


@pytest.mark.parametrize("truth", [1.0, 0.7])
def test_the_worst_sites_have_the_index_that_they_were_given(truth):
    """Twelve draws: the naive figure is too low by a fifth or more, that of the method is not, for KSI too."""
    found = pd.concat([simulated(seed, truth=truth) for seed in range(12)])
    whole = (
        found[found["kind"] == ALL]
        .groupby("outcome")[["index", "naive", "comparison", "regression_to_mean"]]
        .mean()
    )
    assert whole.loc["collisions", "naive"] < 0.8 * truth
    assert whole.loc["collisions", "comparison"] < 0.85 * truth
    assert whole.loc["collisions", "index"] == pytest.approx(truth, rel=0.1)
    assert whole.loc["ksi", "index"] == pytest.approx(truth, rel=0.2)
    assert whole.loc["collisions", "regression_to_mean"] < 0.85
    mine = found[(found["kind"] == ALL) & (found["outcome"] == "collisions")]
    assert ((mine["index_low"] <= truth) & (truth <= mine["index_high"])).sum() >= 9


def test_all_sites_treated_leave_nothing_that_tells_what_would_have_happened():
    found = simulated(0, n=60, treated=60)
    assert found["index"].isna().all()
    assert found["reason"].str.contains("no untreated place").all()
    assert all(text.startswith("Not known") for text in in_words(found))


def test_nothing_before_and_nothing_after_claims_nothing():
    index = index_of_effectiveness([0], [0.4], [0.1]).iloc[0]
    assert index["index"] == 0
    assert index["index_low"] == 0
    assert index["index_high"] > 1
    naive = ratio_of_rates([0], [0], [1.0]).iloc[0]
    assert np.isnan(naive["naive"])
    assert np.isinf(naive["naive_high"])
    assert np.isnan(index_of_effectiveness([0], [0.0], [0.0]).iloc[0]["index"])


FAR = 450_000
"""Metres from the origin of the grid, for numbers that cannot be degrees."""
ROADS, JUNCTIONS = network(*(([(x + FAR, y + FAR) for x, y in line], name) for line, name in grid(4)))


@pytest.fixture
def read(tmp_path):
    def make(rows, **settings):
        file = tmp_path / "treated.csv"
        cells = pd.read_csv(io.StringIO(rows), dtype=str)
        for axis in {"x", "y"} & set(cells):
            cells[axis] = (cells[axis].astype(float) + FAR).round(2)
        cells.to_csv(file, index=False)
        given = {
            "source": str(file),
            "x": "x",
            "y": "y",
            "crs": "EPSG:27700",
            "kind": "kind",
            "end": "end",
        } | settings
        return read_interventions(Interventions(**given), ROADS.crs), Interventions(**given)

    return make


def laid_out(treatments, settings, period=PERIOD):
    nothing = gpd.GeoDataFrame(
        {name: [] for name in ("name", "ref", "road_class", "level")}, geometry=[], crs=ROADS.crs
    )
    placed, fate = place_treatments(
        treatments, ROADS, JUNCTIONS, nothing, collisions=collision_settings(), settings=settings
    )
    days = pd.Series(pd.date_range(*period, freq="15D"))
    clock, _ = clock_of(period, days, days.dt.year)
    counted = pd.Series(data=True, index=[*ROADS["segment_id"], *JUNCTIONS["junction_id"]])
    return lay_out_sites(treatments.table, placed, fate, clock, settings, counted), clock


def test_each_row_is_studied_or_says_why_not(read):
    rows = """x,y,kind,date,end
50,1,humps,2018-03-01,2018-04-15
150,1,humps,soon,
50,101,humps,2015-06-01,
150,101,humps,2020-06-01,
250,101,humps,2010-06-01,
50,201,humps,2031-06-01,
5000,1,humps,2018-06-01,
,,humps,2018-06-01,
250,201,humps,2018-06-01,2018-05-01
250,1,humps,2017-01-01,
250,2,crossing,2019-06-01,
150,201,humps,2018-06-01,
150,202,humps,2018-06-01,
50,301,humps,2018-06-01,
50,302,crossing,2018-06-01,
100,101,,2018-06-01,
"""
    treatments, settings = read(rows)
    sites, _ = laid_out(treatments, settings)
    says = [None if one is None else one.split(" ")[:4] for one in sites.table["fate"]]
    starts = [
        None,
        "no date that can",
        "less time of records",
        "less time of records",
        "its works began before",
        "its works began after",
        "outside the area",
        "no geometry or coordinates",
        "its works end before",
        None,
        "after another treatment at",
        None,
        "repeats a treatment of",
        "on the day of",
        "on the day of",
        None,
    ]
    assert says == [None if one is None else one.split(" ") for one in starts]
    assert sum(entry.count for entry in account(sites.table["fate"])) == 16
    assert treatments.table["kind"].iloc[15] == NO_KIND
    # the point at the crossing of two streets treats the junction, the others a segment
    units = sites.units.set_index("row")["unit"]
    assert units[15] == "junction"
    assert units[0] == "segment"


def test_works_and_margins_belong_to_neither_side(read):
    treatments, settings = read("x,y,kind,date,end\n50,1,humps,2018-03-01,2018-04-15\n", margin_days=30)
    sites, clock = laid_out(treatments, settings)
    row = sites.table.iloc[0]
    assert clock.first + pd.Timedelta(days=int(row["before_end"])) == pd.Timestamp("2018-01-30")
    assert clock.first + pd.Timedelta(days=int(row["after_start"])) == pd.Timestamp("2018-05-16")
    assert row["after_end"] == clock.n_days


def test_the_first_of_two_treatments_is_studied_until_the_second(read):
    rows = "x,y,kind,date,end\n50,1,humps,2017-01-01,\n51,1,crossing,2019-01-01,\n"
    treatments, settings = read(rows, margin_days=0)
    sites, clock = laid_out(treatments, settings)
    assert clock.first + pd.Timedelta(days=int(sites.table["after_end"][0])) == pd.Timestamp("2019-01-01")
    assert sites.table["fate"].notna().tolist() == [False, True]


def test_a_year_alone_is_left_out_whole(read):
    treatments, settings = read("x,y,kind,date,end\n50,1,humps,2018,\n", margin_days=0)
    sites, clock = laid_out(treatments, settings)
    assert clock.first + pd.Timedelta(days=int(sites.table["before_end"][0])) == pd.Timestamp("2018-01-01")
    assert clock.first + pd.Timedelta(days=int(sites.table["after_start"][0])) == pd.Timestamp("2019-01-01")


def test_one_year_of_records_studies_nothing(read):
    treatments, settings = read("x,y,kind,date,end\n50,1,humps,2018-07-01,\n")
    year = (pd.Timestamp("2018-01-01").date(), pd.Timestamp("2018-12-31").date())
    sites, _ = laid_out(treatments, settings, year)
    assert sites.table["fate"].iloc[0].startswith("less time of records")


def test_a_line_treats_the_segments_along_it_and_the_junctions_between(tmp_path):
    lines = gpd.GeoDataFrame(
        {"date": ["2018-01-01"] * 2},
        geometry=[
            shapely.LineString([(FAR, FAR + 2), (FAR + 200, FAR + 2)]),
            shapely.LineString([(FAR + 40, FAR + 102), (FAR + 60, FAR + 102)]),
        ],
        crs=27700,
    )
    lines.to_file(tmp_path / "works.gpkg")
    settings = Interventions(source=str(tmp_path / "works.gpkg"), max_distance_m=10)
    sites, _ = laid_out(read_interventions(settings, ROADS.crs), settings)
    units = sites.units
    assert units[units["row"] == 0]["unit"].value_counts().to_dict() == {"segment": 2, "junction": 1}
    assert units[units["row"] == 1]["unit"].tolist() == ["segment"]


def test_ids_name_a_site_and_one_that_is_not_there_is_rejected(read):
    first, second = ROADS["segment_id"].iloc[:2]
    rows = f"date,end,kind,ids\n2018-01-01,,humps,{first};{second}\n2018-01-01,,humps,nowhere\n"
    treatments, settings = read(rows, x=None, y=None, segment_id="ids")
    sites, _ = laid_out(treatments, settings)
    assert sorted(sites.units["id"]) == sorted([first, second])
    assert sites.table["fate"].tolist()[1] == "no segment or junction has the id that it names"


def test_errors_name_the_keys_of_this_section(read):
    with pytest.raises(LayerError, match=r"interventions\.kind: 'sort'"):
        read("x,y,kind,date,end\n50,1,humps,2018-03-01,\n", kind="sort")
    with pytest.raises(LayerError, match=r"interventions\.date_format"):
        read("x,y,kind,date,end\n50,1,humps,tomorrow,\n")
    with pytest.raises(LayerError, match=r"interventions\.crs"):
        read("x,y,kind,date,end\n" + "50,1,humps,2018-03-01,\n" * 12, crs="EPSG:4326")


def test_records_of_years_alone_have_windows_of_whole_years(read):
    treatments, settings = read("x,y,kind,date,end\n50,1,humps,2018-03-01,2018-04-15\n")
    placed = pd.DataFrame({"row": [0], "unit": ["segment"], "id": ["a"]})
    years = pd.Series([2015, 2016, 2017, 2018, 2019, 2020])
    clock, day = clock_of(PERIOD, pd.Series([pd.NaT] * 6, dtype="datetime64[ns, UTC]"), years)
    assert day.tolist() == [0, 365, 731, 1096, 1461, 1826]
    fate = pd.Series([None], dtype=object)
    sites = lay_out_sites(treatments.table, placed, fate, clock, settings, pd.Series({"a": True}))
    row = sites.table.iloc[0]
    assert (row["before_end"], row["after_start"], row["after_end"]) == (1096, 1461, 2192)


def test_where_collisions_are_few_it_is_said_that_the_choice_of_sites_is_not_taken_out_whole():
    assert few_sentence(FEW) == []
    (said,) = few_sentence(FEW - 1)
    assert "199 collisions in all" in said
    # 130 collisions on 1,000 places whose means are known do not tell k, which is 0.5
    rng = np.random.default_rng(0)
    found = []
    for _ in range(40):
        mean = rng.gamma(2, 0.13 / 2, 1000)
        counts = rng.poisson(mean * rng.gamma(2, 0.5, 1000)).astype(float)
        found.append(most_likely(counts, mean) if is_overdispersed(counts, mean) else 0.0)
    assert np.quantile(found, 0.8) - np.quantile(found, 0.2) > 0.5
