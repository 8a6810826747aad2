"""Cumulated residuals drawn on the page: what the curve says of a right function, and of one that is bent."""

import numpy as np
import pandas as pd
import pytest

from geo.outputs.report.figures.charts import text_width
from geo.outputs.report.figures.cure_chart import LETTERS, cure_charts, model_rows
from geo.safety.expected.residuals import cumulated, cure_curve


def segments(n=400, exponent=1.0, seed=0):
    """Segments whose function takes counts for proportional to length."""
    rng = np.random.default_rng(seed)
    length = rng.uniform(20, 200, n)
    truth = 4 * (length / 100) ** exponent
    counts = rng.poisson(truth)
    return pd.DataFrame(
        {
            "n_ksi": pd.array(counts, "Int64"),
            "ksi_predicted": length * counts.sum() / length.sum(),
            "counted_m": length,
            "aadt": np.nan,
            "ksi_eb_method": "safety performance function (negative binomial)",
        }
    )


def points(path):
    return np.array([[float(v) for v in part.split()] for part in path.lstrip("M").split("L")])


def test_a_right_function_walks_about_nought_and_a_bent_one_leaves_its_limits():
    right = [cure_charts(segments(seed=seed), "ksi")[0].outside for seed in range(20)]
    bent = cure_charts(segments(exponent=0.2), "ksi")[0]
    assert np.mean(right) < 0.1
    assert bent.outside > 0.5
    assert f"outside two standard deviations for {bent.outside:.0%} of segments" in bent.said


def test_what_is_drawn_is_the_sum_of_residuals_by_hand():
    table = segments()
    chart = cure_charts(table, "ksi")[0]
    assert [one.of for one in cure_charts(table, "ksi")] == [
        "length outside the reach of junctions (m)",
        "KSI collisions predicted (number)",
    ]
    walk, upper, lower = points(chart.walk), points(chart.upper), points(chart.lower)
    by_hand = (table["n_ksi"] - table["ksi_predicted"]).to_numpy(float)[table["counted_m"].argsort()].cumsum()
    # units of the drawing from the nought line to the label at the top are those of the curve
    top, most = chart.up[1][0] - chart.up[-1][0], float(chart.up[-1][1])
    assert ((chart.nought - walk[:, 1]) / top * most).tolist() == pytest.approx(
        by_hand.tolist(), abs=most * 0.02
    )
    assert (chart.nought - upper[:, 1]).tolist() == pytest.approx(
        (lower[:, 1] - chart.nought).tolist(), abs=0.11
    )
    assert walk[-1, 1] == pytest.approx(chart.nought, abs=0.2)
    assert (np.diff(walk[:, 0]) >= 0).all()


def test_the_share_outside_is_that_of_the_check():
    rng = np.random.default_rng(1)
    residual, variable = rng.normal(size=300), rng.integers(0, 40, 300).astype(float)
    curve = cure_curve(residual, variable)
    out = (curve["walk"].abs() > 2 * curve["deviation"]).iloc[:-1]
    assert cumulated(residual, variable)[1] == pytest.approx(curve["n"].iloc[:-1][out].sum() / 300)
    assert curve["n"].sum() == 300
    assert curve["walk"].iloc[-1] == pytest.approx(residual.sum())


def test_without_a_function_there_is_nothing_to_draw():
    shrunk = segments().assign(ksi_eb_method="shrinkage within road class (gamma-Poisson)")
    assert cure_charts(shrunk, "ksi") == []
    assert cure_charts(segments(20), "ksi") == []
    assert cure_charts(segments().drop(columns="ksi_eb_method"), "ksi") == []


def test_rows_of_models_are_shares_in_words():
    models = pd.DataFrame(
        {
            "outcome": ["ksi", "ksi", "collisions"],
            "part": ["ranks", "note", "ranks"],
            "name": ["worst 20: not among them", "note", "worst 20: not among them"],
            "value": [0.424, np.nan, 0.1],
            "low": np.nan,
            "high": np.nan,
            "p_value": np.nan,
            "says": ["expected share", "n", "expected share"],
        }
    )
    assert [row["value"] for row in model_rows(models, ["ranks"], "ksi")] == ["42%"]


def test_figures_left_of_the_curve_have_room_however_long_they_are():
    few = segments()
    few["n_ksi"] = pd.array([0] * len(few), "Int64")
    long = cure_charts(few.assign(ksi_predicted=few["ksi_predicted"] * 1e-7), "ksi")[0]
    short = cure_charts(segments(), "ksi")[0]
    widest = max(text_width(label, LETTERS) for _, label in long.up)
    assert widest > short.left
    assert long.left >= widest + 6
    assert points(long.walk)[:, 0].min() >= long.left
