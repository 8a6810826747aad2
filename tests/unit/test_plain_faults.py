"""A value that no key takes is refused in plain words, whichever key it is: never in those of pydantic."""

import math
import re

import pytest
from pydantic import BaseModel, ValidationError

from geo.config import CityConfig
from geo.config.faults import describe
from geo.config.section import sections
from geo.errors import ConfigurationError
from geo.faults import plainly
from tasks.typology.fitting import settings_of

THEIRS = re.compile(
    r"\b(Input|input|should|String|Datetimes|instance|dictionary|valid|Value error|Field|Unable|argument)\b"
)
"""Words of pydantic's own messages."""
WRONG = (
    *("banana", "", "\x00", "2020-13-01", -1, 0, 0.5, 10**30, 1e300, math.nan, math.inf, True, None),
    *(
        [],
        ["banana"],
        [None],
        [[]],
        [{}],
        [1, 2, 3],
        {"x": 1},
        {"banana": None},
        {"banana": "banana"},
        {"banana": [1]},
    ),
)


def models(root, found):
    """Find every section that a city's file may have, of every kind."""
    if root not in found:
        found.append(root)
        for field in root.model_fields.values():
            for below in sections(field):
                models(below, found)
    return found


def lines_of(model, key, value):
    """Give what is said of a key with a value, beside what is said of keys that are missing."""
    try:
        model.model_validate({key: value})
    except ValidationError as error:
        lines = [line.strip() for line in describe(error, model).splitlines()[1:]]
        return [line for line in lines if re.match(rf"{re.escape(key)}[.:]", line)]
    return []


@pytest.mark.parametrize("model", models(CityConfig, []), ids=lambda model: model.__name__)
def test_a_wrong_value_of_any_key_is_told_in_plain_words(model):
    assert issubclass(model, BaseModel)
    said = [
        line
        for name, field in model.model_fields.items()
        for value in WRONG
        for line in lines_of(model, field.alias or name, value)
    ]
    assert said
    assert [line for line in said if THEIRS.search(line.partition(" (found ")[0])] == []
    assert [line for line in said if "[key]" in line] == []


@pytest.mark.parametrize(
    ("kind", "context", "meaning"),
    [
        ("string_too_short", {"min_length": 1}, "text that is not empty is expected"),
        ("string_pattern_mismatch", {"pattern": "^timm:."}, "text that begins with timm: is expected"),
        ("date_from_datetime_inexact", {}, "a day as 2024-01-31 is expected"),
        ("int_parsing_size", {}, "a whole number of fewer digits is expected"),
        ("greater_than_equal", {"ge": 0.05}, "a number of at least 0.05 is expected"),
        ("unexpected_keyword_argument", {}, "no such key"),
        ("value_error", {}, "it is no colour"),
    ],
)
def test_each_kind_of_fault_has_words(kind, context, meaning):
    fault = {"type": kind, "loc": ("k",), "msg": "Value error, it is no colour", "input": 1, "ctx": context}
    assert plainly(fault) == meaning


@pytest.mark.parametrize(
    ("key", "text", "meaning"),
    [
        ("clusters.k", "banana", "clusters.k: auto or a whole number is expected (found 'banana')"),
        ("clusters.method", "kmens", "did you mean kmeans?"),
        ("clusters.seeed", "4", "clusters.seeed: no such key; did you mean clusters.seed?"),
        ("clusters.k", "1e300", "a whole number"),
    ],
)
def test_a_setting_of_a_typology_is_refused_as_one_of_a_city_is(key, text, meaning):
    with pytest.raises(ConfigurationError) as refused:
        settings_of({key: text})
    assert meaning in str(refused.value)
    assert not THEIRS.search(str(refused.value))
