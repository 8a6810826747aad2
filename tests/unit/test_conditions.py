"""Roads are asked about by conditions on any column, and what cannot be meant is refused with what comes nearest."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import ConfigurationError, LayerError
from geo.search.conditions import meets, read_condition
from geo.search.filters import wanted


@pytest.fixture(scope="module")
def roads():
    rng = np.random.default_rng(2)
    n = 200
    return gpd.GeoDataFrame(
        {
            "length_m": np.where(rng.random(n) < 0.2, np.nan, rng.gamma(2, 50, n).round(1)),
            "n_ksi": pd.array(np.where(rng.random(n) < 0.3, None, rng.poisson(1, n)), dtype="Int64"),
            "ground_tree_0_6m": rng.random(n).astype(np.float32),
            "road_class": pd.array(
                rng.choice(["primary", "residential", "living_street"], n), dtype="string"
            ),
            "surface": rng.choice(np.array(["asphalt", "set <t>", "", None], dtype=object), n),
            "src_maxspeed": rng.choice(np.array(["30", "50", "5", None], dtype=object), n),
            "focus_recorded": pd.array(
                rng.choice(np.array([True, False, None], dtype=object), n), dtype="boolean"
            ),
            "src_tags": [{"a": 1}] * n,
        },
        geometry=shapely.linestrings([[(i, 0), (i, 9)] for i in range(n)]),
        crs=27700,
    )


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("length_m < 100", "length_m < 100"),
        ("length_m>=1e2", "length_m >= 100"),
        (" n_ksi <= 1 ", "n_ksi <= 1"),
        ("n_ksi != 0", "n_ksi != 0 and n_ksi.notna()"),
        ("n_ksi = 2", "n_ksi == 2"),
        ("ground_tree_0_6m > .3", "ground_tree_0_6m > .3"),
        ("road_class = residential", "road_class == 'residential'"),
        ("road_class == 'living_street'", "road_class == 'living_street'"),
        ('surface != "set <t>"', "surface != 'set <t>' and surface.notna()"),
        ("surface = ''", "surface == ''"),
        ("focus_recorded = yes", "focus_recorded.fillna(False)"),
        ("focus_recorded != TRUE", "~focus_recorded.fillna(True)"),
        # words that are numbers throughout: 5 is less than 30, though not in the alphabet
        ("src_maxspeed < 30", "src_maxspeed == '5'"),
    ],
)
def test_a_condition_finds_what_pandas_finds(roads, text, query):
    met, unknown = meets(roads, read_condition(text))
    assert 0 < met.sum() < len(roads)
    assert roads.index[met].equals(roads.query(query, engine="python").index)
    assert not (met & unknown).any()
    assert (unknown == roads[read_condition(text).column].isna().to_numpy()).all()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no condition"),
        ("length_m", "no condition"),
        ("> 3", "no condition"),
        ("length_m >", "no condition"),
        ("length_m => 3", "no condition"),
        ("length_m <> 3", "no condition"),
        ("1 < length_m < 3", "no condition"),
        ("length_m > 3 and n_ksi > 1", "no condition"),
        ("lenght_m > 3", "no column 'lenght_m'.*\n.*Nearest are: length_m"),
        ("LENGTH_M > 3", "no column 'LENGTH_M'.*\n.*Nearest are: length_m"),
        ("geometry = 3", "no column 'geometry'"),
        ("length_m > nan", "'nan' is none"),
        ("length_m > 1_000", "'1_000' is none"),
        ("length_m > 1e999", "'1e999' is none"),
        ("length_m > __import__('os')", "is none"),
        ("road_class > a", "holds words such as"),
        ("road_class = residental", "of no road is 'residental'.*\n.*Nearest are: residential"),
        ("road_class != Primary", "of no road is 'Primary'.*\n.*Nearest are: primary"),
        ("focus_recorded > 0", "holds yes and no"),
        ("focus_recorded = maybe", "holds yes and no"),
        ("src_tags = 3", "neither numbers nor words"),
    ],
)
def test_what_cannot_be_asked_is_refused(roads, text, why):
    with pytest.raises((ConfigurationError, LayerError), match=why):
        wanted(roads, where=[read_condition(text)])


def test_all_conditions_are_met_and_what_is_not_known_is_counted(roads):
    texts = ["length_m > 50", "n_ksi >= 1"]
    found = wanted(roads, where=[read_condition(one) for one in texts])
    assert roads.index[found.among].equals(roads.query("length_m > 50 and n_ksi >= 1", engine="python").index)
    assert found.unknown == {
        texts[0]: int(roads["length_m"].isna().sum()),
        texts[1]: int(roads["n_ksi"].isna().sum()),
    }
    with pytest.raises(
        LayerError, match=r"where length_m > 1e6: no road .* meets it \(not known of \d+ of 200\)"
    ):
        wanted(roads, where=[read_condition("length_m > 1e6")])


def test_a_column_of_nothing_but_nulls_meets_nothing(roads):
    bare = roads.assign(length_m=np.nan, surface=None)
    for text in ("length_m < 3", "length_m != 3", "surface != a"):
        met, unknown = meets(bare, read_condition(text))
        assert not met.any()
        assert unknown.all()
