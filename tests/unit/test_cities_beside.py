"""Several cities beside each other: what they say together, and how much of each type they have."""

import json

import geopandas as gpd
import made_run
import numpy as np
import pandas as pd
import pyogrio
import pytest
import statsmodels.api as sm
from shapely import LineString
from statsmodels.stats.meta_analysis import combine_effects

from geo.cities.beside import TypedCity, lengths, summarise, types_by_city
from geo.cities.pooled import pooled
from geo.errors import ConfigurationError, LayerError
from geo.outputs.names import with_names
from tasks.typology.comparing import compare

# Colditz et al. 1994: tuberculosis among the vaccinated and others in 13 trials of BCG, as metafor's dat.bcg has it:
# vaccinated with and without it, others with and without it
BCG = np.array(
    [
        (4, 119, 11, 128),
        (6, 300, 29, 274),
        (3, 228, 11, 209),
        (62, 13536, 248, 12619),
        (33, 5036, 47, 5761),
        (180, 1361, 372, 1079),
        (8, 2537, 10, 619),
        (505, 87886, 499, 87892),
        (29, 7470, 45, 7232),
        (17, 1699, 65, 1600),
        (186, 50448, 141, 27197),
        (5, 2493, 3, 2338),
        (27, 16886, 29, 17825),
    ],
    dtype=float,
)


def log_risk_ratios(table):
    a, b, c, d = table.T
    return np.log(a / (a + b) / (c / (c + d))), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def test_trials_of_a_vaccine_give_what_metafor_gives_for_them():
    """rma(yi, vi, method="DL"): -0.7141, tau2 0.3088, I2 92.12 %."""
    found = pooled(*log_risk_ratios(BCG))
    assert found.n == 13
    assert found.mean == pytest.approx(-0.7141, abs=5e-5)
    assert found.tau**2 == pytest.approx(0.3088, abs=5e-5)
    assert found.i2 == pytest.approx(0.9212, abs=5e-5)


def test_the_interval_is_that_of_a_weighted_mean_whose_scale_is_estimated():
    """Hartung and Knapp's variance is that of weighted least squares on a constant."""
    effects, variances = log_risk_ratios(BCG)
    tau2 = combine_effects(effects, variances, method_re="dl").tau2
    fit = sm.WLS(effects, np.ones(13), weights=1 / (variances + tau2)).fit()
    found = pooled(effects, variances)
    theirs = combine_effects(effects, variances, method_re="dl")
    assert (found.mean, found.tau**2, found.i2) == pytest.approx(
        (theirs.mean_effect_re, theirs.tau2, theirs.i2)
    )
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int()[0]))


def test_the_interval_is_never_narrower_than_without_their_factor():
    """Three cities that agree by chance are no surer than their own intervals make them."""
    found = pooled(np.array([0.50, 0.51, 0.49]), np.full(3, 0.25))
    assert found.high - found.mean == pytest.approx(4.302653 * np.sqrt(0.25 / 3), rel=1e-6)
    assert (found.tau, found.i2) == (0, 0)


def test_one_city_says_nothing_together_and_two_nothing_of_a_third():
    assert pooled(np.array([1.0]), np.array([1.0])) is None
    found = pooled(np.array([0.0, 1.0]), np.array([0.1, 0.1]))
    assert np.isfinite(found.low)
    assert np.isnan(found.predicted_low)


def city(name, clusters, ksi, *, ratio=None, crs=27700):
    """Draw a city with segments of 1 km, of which 0.8 km count, over five years."""
    n = len(clusters)
    segments = gpd.GeoDataFrame(
        {
            "segment_id": [f"{name}{i}" for i in range(n)],
            "length_m": 1000.0,
            "counted_m": 800.0,
            "years": 5.0,
            "cluster": pd.array(clusters, dtype="Int64"),
            "cluster_baseline": pd.array([1] * (n - 1) + [None], dtype="Int64"),
            "n_collisions": pd.array([4] * n, dtype="Int64"),
            "n_ksi": pd.array(ksi, dtype="Int64"),
        },
        geometry=[LineString([(i, 0), (i, 1000)]) for i in range(n)],
        crs=crs,
    )
    present = sorted({one for one in clusters if one is not None})
    types = pd.DataFrame({"cluster": present, "outcome": "ksi", "q_value": 0.01})
    types["rate_ratio_adjusted"] = 2.0 if ratio is None else ratio
    types["rate_ratio_adjusted_low"] = types["rate_ratio_adjusted"] / 1.5
    types["rate_ratio_adjusted_high"] = types["rate_ratio_adjusted"] * 1.5
    return TypedCity(name, segments, types)


CITIES = [
    city("a", [1, 1, 2, None, None], [1, 3, 0, 0, 0], ratio=2.0),
    city("b", [1, 3, 3, 3, None], [2, 1, 1, 1, 1], ratio=3.0, crs=32618),
]


def test_the_length_of_a_city_is_what_has_a_type_what_is_like_none_and_what_has_no_imagery():
    table = lengths(CITIES).set_index("city")
    assert table.loc["a", ["length_km", "typed_km", "like_none_km", "unseen_km"]].tolist() == [5, 3, 1, 1]
    assert table.loc["b", ["length_km", "typed_km", "like_none_km", "unseen_km"]].tolist() == [5, 4, 0, 1]
    assert table["km_years"].tolist() == [20, 20]


def test_a_type_that_a_city_lacks_has_no_length_there_and_no_rate():
    table = types_by_city(CITIES).set_index(["cluster", "city"])
    assert len(table) == 6
    assert table["share"].groupby("city").sum().tolist() == pytest.approx([1, 1])
    assert table.loc[(3, "a"), ["n_segments", "length_km"]].tolist() == [0, 0]
    assert table.loc[(3, "a"), ["ksi_per_km_year", "rate_ratio", "n_ksi"]].isna().all()
    mine = table.loc[(1, "a")]
    # four KSI in 1.6 km and five years; exact limits of four (Garwood 1936): 1.0899 and 10.2416
    assert mine[["ksi_per_km_year", "ksi_per_km_year_low", "ksi_per_km_year_high"]].tolist() == pytest.approx(
        [0.5, 1.0899 / 8, 10.2416 / 8], rel=1e-4
    )


def test_types_are_summed_up_over_the_cities_that_have_them():
    table = summarise(types_by_city(CITIES)).set_index(["cluster", "measure"])
    ratio = table.loc[(1, "ratio of ksi")]
    assert ratio["n_cities"] == 2
    assert ratio["mean"] == pytest.approx(np.sqrt(6))
    assert ratio["low"] < 2
    assert ratio["high"] > 3
    assert table.loc[(3, "ratio of ksi"), "n_cities"] == 1
    assert np.isnan(table.loc[(3, "ratio of ksi"), "mean"])


def test_a_city_without_any_collision_of_a_kind_counts_too():
    none = [city("a", [1, 1], [0, 0]), city("b", [1, 1], [0, 4])]
    row = summarise(types_by_city(none)).set_index("measure").loc["ksi"]
    assert row["n_cities"] == 2
    assert 0.5 / 8 < row["mean"] < 4.5 / 8


def test_where_severity_is_not_known_nothing_is_said_of_it():
    unknown = [city("a", [1, 1], [None, None]), city("b", [1, 1], [None, None])]
    table = types_by_city(unknown)
    assert table["ksi_per_km_year"].isna().all()
    assert summarise(table).set_index("measure").loc["ksi", "n_cities"] == 0


def typed_run(grid_city, folder, name, monkeypatch, *, digest="ab", version=1):
    """Lay out the folder of a run of the grid by a typology, under another name."""
    facts = made_run.facts()
    used = {
        "digest": digest,
        "version": version,
        "cities": ["x"],
        "types": 3,
        "lacking": [],
        "like_none": 0,
        "like_none_share": 0.0,
    }
    more = pd.DataFrame({"key": ["typology"], "value": [json.dumps(used)]})
    facts = pd.concat([facts.assign(value=facts["value"].replace("grid", name)), more], ignore_index=True)
    monkeypatch.setattr(made_run, "facts", lambda: facts)
    grid_city.layers["clusters"] = with_names(grid_city.layers["clusters"], {})
    (folder / name).mkdir(parents=True)
    made_run.make_run(grid_city, folder / name)
    monkeypatch.undo()
    return folder / name


def test_runs_of_one_typology_become_a_page_and_a_file_with_the_same_bytes_again(
    grid_city, tmp_path, monkeypatch
):
    runs = [typed_run(grid_city, tmp_path, name, monkeypatch) for name in ("here", "there & <beyond>")]
    told = compare(runs, tmp_path / "one")
    compare(runs, tmp_path / "two")
    for name in ("cities.html", "cities.gpkg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    segments = pyogrio.read_dataframe(told["geopackage"], layer="segments")
    assert segments["city"].value_counts().to_dict() == {"here": 40, "there & <beyond>": 40}
    assert segments.crs.to_epsg() == 4326
    assert set(segments.loc[segments["cluster"].isna(), "untyped"]) <= {
        "no imagery",
        "like none of the types",
    }
    page = (tmp_path / "one" / "cities.html").read_text()
    assert "there &amp; &lt;beyond&gt;" in page
    assert "<beyond>" not in page


def test_runs_whose_types_mean_other_things_are_not_laid_beside_each_other(grid_city, tmp_path, monkeypatch):
    here = typed_run(grid_city, tmp_path, "here", monkeypatch)
    other = typed_run(grid_city, tmp_path, "other", monkeypatch, digest="cd", version=2)
    with pytest.raises(
        ConfigurationError, match=r"another typology \(version 2\) than those of here \(version 1\)"
    ):
        compare([here, other], tmp_path / "out")
    with pytest.raises(ConfigurationError, match="several runs of here"):
        compare([here, here], tmp_path / "out")
    with pytest.raises(LayerError, match="one city or none"):
        compare([here], tmp_path / "out")
    (tmp_path / "own").mkdir()
    made_run.make_run(grid_city, tmp_path / "own")
    with pytest.raises(ConfigurationError, match="types were found in it alone"):
        compare([here, tmp_path / "own"], tmp_path / "out")
