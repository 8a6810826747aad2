"""Classes of maps hold every value once, and widths follow road classes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.outputs.palette import DIVERGING
from geo.outputs.qgis.classes import ELSE, difference_bands, width_expression, width_of


def holds(band, value):
    """Evaluate a band's filter as QGIS does."""
    text = band.filter.replace('"d"', repr(value)).replace(" = ", " == ").replace(" AND ", " and ")
    return eval(text.replace(f"{value!r} IS NOT NULL", "True"))  # noqa: S307 - our own expression


@given(st.lists(st.floats(-1e6, 1e6) | st.just(0.0), min_size=1, max_size=40))
def test_every_difference_falls_into_exactly_one_class(values):
    bands = [band for band in difference_bands(pd.Series(values, name="d")) if band.filter != ELSE]
    assert len(bands) <= len(DIVERGING)
    for value in values:
        assert sum(holds(band, value) for band in bands) == 1
    for band in bands:
        assert any(holds(band, value) for value in values)


def test_both_sides_of_zero_have_the_same_limits_and_signs_are_written():
    bands = difference_bands(pd.Series(np.linspace(-3, 3, 61), name="d"))
    assert [band.colour for band in bands[:-1]] == list(DIVERGING)
    assert bands[0].label == "\N{MINUS SIGN}3.0 to \N{MINUS SIGN}2.6"
    assert bands[2].label == "\N{MINUS SIGN}1.0 to +1.0"
    assert bands[4].label == "+2.6 to +3.0"


def test_unknown_differences_are_not_known():
    assert [band.filter for band in difference_bands(pd.Series([np.nan], name="d"))] == [ELSE]
    assert [band.label for band in difference_bands(pd.Series([0.0, np.nan], name="d"))] == ["0", "not known"]


@pytest.mark.parametrize(
    ("road_class", "width"),
    [
        ("motorway", 1.5),
        ("A4", 1.2),
        ("A", 1.2),
        ("primary_link", 1.2),
        ("avenue", 0.6),
        ("B1234", 0.95),
        ("residential", 0.6),
        ("service", 0.4),
        ("M25", 1.5),
        ("mews", 0.6),
        ("Principal arterial", 1.2),
    ],
)
def test_a_line_is_as_wide_as_its_class_is_important(road_class, width):
    assert width_of(road_class) == width


def test_classes_are_quoted_in_the_expression():
    text = width_expression(pd.Series(["primary 'A'", None, "lane"]))
    assert text == """CASE WHEN "road_class" IN ('primary ''A''') THEN 1.2 ELSE 0.6 END"""
    assert width_expression(pd.Series(["lane"])) == "0.6"
