"""What stands if choices were made otherwise: which choices, the same roads and types, and how findings fare."""

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.config import CityConfig
from geo.outputs.report.parts.otherwise import otherwise
from geo.sensitivity.findings import (
    GONE,
    IMAGERY,
    KEPT,
    KINDS,
    NEW,
    REST,
    REVERSED,
    STANDS,
    TYPE,
    UNKNOWN,
    WORST,
    Seen,
    fares,
    findings_of,
    with_groupings,
)
from geo.sensitivity.matching import counterparts, shared_length
from geo.sensitivity.told import by_finding, sentences
from geo.sensitivity.variants import variants
from tasks.sensitivity import STAGES_OF_VARIANT, failed, keep, kept, rows_of
from tasks.stages.order import STAGES

N = 40


def street(cuts, name="s"):
    """One street of 4 km along x, cut into so many pieces."""
    ends = np.linspace(0, 4000, cuts + 1)
    lines = shapely.linestrings([[(a, 0), (b, 0)] for a, b in itertools.pairwise(ends)])
    return gpd.GeoDataFrame({"segment_id": [f"{name}{i:03}" for i in range(cuts)]}, geometry=lines, crs=27700)


def a_test(cluster, ratio, *, claimed, outcome="n_ksi", comparison="all clustered roads", pooled=None):
    """A row of the table of tests; limits are a third of the ratio's logarithm, or three times it, away."""
    reach = abs(np.log(ratio)) * (1 / 3 if claimed else 3)
    low, high = ratio * np.exp(-reach), ratio * np.exp(reach)
    pooled_low, pooled_high = pooled or (low, high)
    return {
        "cluster": cluster,
        "outcome": outcome,
        "comparison": comparison,
        "ratio_adjusted": ratio,
        "ratio_adjusted_low": low,
        "ratio_adjusted_high": high,
        "q_value": 0.01 if claimed else 0.4,
        "reason": None,
        "reason_adjusted": None,
        "ratio_pooled_low": pooled_low,
        "ratio_pooled_high": pooled_high,
        "reason_pooled": None,
    }


def seen(roads, clusters, tests, *, adds=False, held_out=0.2, share=0.3, rank=None):
    """A run of a street."""
    n = len(roads)
    low = 0.01 if adds else -0.02
    value = pd.DataFrame(
        {
            "model": ["class", "class and embeddings"],
            "explained_beyond_class": [0.0, low + 0.03],
            "explained_beyond_class_low": [0.0, low],
            "explained_beyond_class_high": [0.0, low + 0.06],
            "reason": None,
        }
    )
    headline = pd.DataFrame(
        {
            "measure": ["share_of_length_with_50_pct_of_ksi"],
            "value": [share],
            "low": [share - 0.05],
            "high": [share + 0.05],
            "held_out_p_value": [held_out],
        }
    )
    segments = roads.assign(
        cluster=pd.array(clusters, dtype="Int64"), rank=np.arange(1.0, n + 1) if rank is None else rank
    )
    return Seen(segments, pd.DataFrame(tests), value, headline)


HALVES = [1] * (N // 2) + [2] * (N // 2)


@pytest.fixture
def base():
    """Type 1 has more KSI collisions, and of type 2 nothing is claimed."""
    return seen(street(N), HALVES, [a_test(1, 2.0, claimed=True), a_test(2, 0.9, claimed=False)])


def state_of(base, other, kind):
    found = findings_of(base)
    return fares(base, found, other).loc[found["kind"] == kind, "state"].tolist()


def city(**sections):
    return CityConfig.model_validate(
        {"city": "a", "imagery": {"sources": ["a.tif"]}, "roads": {"source": "a.gpkg"}} | sections
    )


def test_each_variant_makes_one_choice_otherwise():
    tried = variants(city(), 7)
    assert [one.setting for one in tried] == [
        "clusters.k = 6",
        "clusters.k = 8",
        "clusters.seed = safety.seed = 1",
        "clusters.seed = safety.seed = 2",
        "encoder.name = bands",
        "segments.max_length_m = 100",
        "segments.max_length_m = 300",
        "collisions.junction_reach_m = 10",
        "collisions.junction_reach_m = 30",
        "safety.block_m = 250",
        "safety.block_m = 1000",
    ]


def test_what_is_as_the_city_has_it_already_is_passed_over():
    section = {
        "k": [7, 5],
        "seeds": [0, 3],
        "encoders": ["bands"],
        "max_length_m": [200],
        "junction_reach_m": [0, 20],
    }
    told = city(encoder={"name": "bands"}, sensitivity=section | {"block_m": []})
    assert [one.overrides for one in variants(told, 7)] == [
        {"clusters.k": "5"},
        {"clusters.seed": "3", "safety.seed": "3"},
        {"collisions.junction_reach_m": "0"},
    ]
    assert "clusters.k = 1" not in [one.setting for one in variants(city(), 2)]


def test_roads_that_are_cut_otherwise_share_their_length():
    fine, coarse = street(N), street(9, "t")
    shared = shared_length(fine, coarse)
    assert shared["length_m"].sum() == pytest.approx(4000)
    # the tenth piece of 100 m ends at 1,000 m, the second of 444 m at 889 m
    of_ninth = shared[shared["first"] == "s008"].set_index("second")["length_m"]
    assert of_ninth.to_dict() == pytest.approx({"t001": 90, "t002": 10}, abs=10)
    back = shared_length(coarse, fine)
    assert back["length_m"].sum() == pytest.approx(4000)


def test_roads_elsewhere_share_nothing():
    there = street(N, "t")
    there["geometry"] = there.translate(yoff=40)
    shared = shared_length(street(N), there)
    assert shared.empty
    none = counterparts(shared, pd.Series(HALVES, [f"s{i:03}" for i in range(N)]), pd.Series(dtype="Int64"))
    assert none["cluster_there"].isna().all()
    assert none["overlap"].eq(0).all()


def test_types_are_paired_by_the_road_that_they_share():
    fine, coarse = street(N), street(8, "t")
    mine = pd.Series(HALVES, fine["segment_id"])
    theirs = pd.Series([3, 3, 3, 5, 4, 4, 4, 4], coarse["segment_id"])
    pairs = counterparts(shared_length(fine, coarse), mine, theirs)
    assert pairs["cluster_there"].to_dict() == {1: 3, 2: 4}
    assert pairs["overlap"].to_dict() == pytest.approx({1: 0.75, 2: 1.0})


@pytest.mark.parametrize(
    ("there", "state"),
    [
        (a_test(5, 1.7, claimed=True), STANDS),
        (a_test(5, 1.7, claimed=False), KEPT),
        (a_test(5, 0.9, claimed=False), GONE),
        (a_test(5, 0.5, claimed=True), REVERSED),
        (a_test(5, np.nan, claimed=False), UNKNOWN),
        (a_test(5, 1.7, claimed=True, outcome="n_collisions"), UNKNOWN),
    ],
)
def test_a_finding_of_a_type_is_looked_for_in_its_counterpart(base, there, state):
    other = seen(street(8, "t"), [5] * 4 + [9] * 4, [there, a_test(9, 1.1, claimed=False)])
    assert state_of(base, other, TYPE) == [state]


def test_a_type_that_dissolves_takes_its_finding_along(base):
    other = seen(street(N), ([1, 2, 3, 3] * N)[:N], [a_test(k, 2.0, claimed=True) for k in (1, 2, 3)])
    found = findings_of(base)
    told = fares(base, found, other).iloc[0]
    assert (told["state"], told["estimate"]) == (GONE, 2.0)
    assert told["overlap"] <= 0.5
    assert "more than half" in told["reason"]


def test_a_type_that_has_no_counterpart_at_all_takes_its_finding_along(base):
    """No type there has road of the one that something is claimed of."""
    one = seen(street(N), [None] * (N // 2) + [2] * (N // 2), [a_test(2, 0.9, claimed=False)])
    found = findings_of(base)
    told = fares(base, found, one).loc[found["kind"] == TYPE].iloc[0]
    assert told["state"] == GONE
    assert pd.isna(told["cluster_there"])
    assert state_of(base, one, REST) == [STANDS]


def test_a_claim_that_the_run_does_not_make_is_told(base):
    calm = seen(street(N), HALVES, [a_test(1, 1.8, claimed=True), a_test(2, 0.9, claimed=False)])
    other = seen(street(N), HALVES, [a_test(1, 1.8, claimed=True), a_test(2, 0.4, claimed=True)])
    assert state_of(base, calm, REST) == [STANDS]
    assert state_of(base, other, REST) == [NEW]


def test_what_the_picture_adds_and_the_worst_roads_are_looked_for_too(base):
    backwards = np.arange(N, 0.0, -1)
    same = seen(street(N), HALVES, base.tests.to_dict("records"))
    other = seen(street(N), HALVES, base.tests.to_dict("records"), adds=True, rank=backwards)
    assert (state_of(base, same, IMAGERY), state_of(base, same, WORST)) == ([STANDS], [STANDS])
    assert (state_of(base, other, IMAGERY), state_of(base, other, WORST)) == ([NEW], [GONE])
    assert state_of(other, base, IMAGERY) == [GONE]


def test_a_claim_that_the_groupings_do_not_bear_out_keeps_its_direction_alone():
    tests = [a_test(1, 2.0, claimed=True, pooled=(0.9, 4.4)), a_test(2, 0.5, claimed=True, pooled=(0.3, 0.8))]
    run = seen(street(N), HALVES, tests)
    assert with_groupings(run, findings_of(run))["state"].tolist() == [KEPT, STANDS]


def test_the_table_says_what_stands_throughout_and_what_does_not(base, tmp_path):
    found = findings_of(base)
    tried = variants(city(), 7)
    less = seen(
        street(8, "t"), [5] * 4 + [9] * 4, [a_test(5, 1.4, claimed=False), a_test(9, 1.1, claimed=False)]
    )
    parts = [
        rows_of(found, fares(base, found, base), one.changed, one.setting, one.reaches) for one in tried[:4]
    ]
    parts += [rows_of(found, fares(base, found, less), tried[5].changed, tried[5].setting, tried[5].reaches)]
    parts += [failed(found, tried[4], "no weights are there")]
    table = keep(tmp_path / "kept", parts)
    assert kept(tmp_path / "kept")
    counted = by_finding(table).set_index("kind")
    assert counted.loc[TYPE, ["n_variants", "n_stands", "n_unknown"]].tolist() == [5, 4, 1]
    assert counted.loc[TYPE, "otherwise"] == "segment length (1 of 1: direction kept)"
    said = sentences(table)
    assert said[0] == "4 of 5 findings stand in all variants that tell of them (6 were tried)"
    assert said[1].startswith(
        "Type 1: more KSI collisions than other roads: stands in 4 of 5; depends on segment"
    )
    assert said[-1] == "encoder.name = bands: it could not be run: no weights are there"
    shown = otherwise(table)
    cells = dict(zip(shown.choices, shown.rows[0].cells, strict=True))
    assert {name: (cell.text, cell.state) for name, cell in cells.items()} == {
        "number of types": ("2 of 2", "all"),
        "seed": ("2 of 2", "all"),
        "segment length": ("0 of 1", "none"),
        "encoder": ("not known", ""),
    }
    (tmp_path / "kept" / "sensitivity.parquet").write_bytes(b"damaged")
    assert not kept(tmp_path / "kept")


def test_a_city_without_records_has_no_findings(base):
    bare = Seen(
        base.segments.assign(rank=np.nan),
        base.tests.assign(q_value=np.nan),
        base.value.assign(reason="no collisions"),
        base.high_injury.iloc[:0],
    )
    assert findings_of(bare).empty
    assert otherwise(None) is None


def test_a_variant_makes_all_that_its_findings_are_read_from():
    made = {stage.name: set(stage.after) for stage in STAGES if stage.name in STAGES_OF_VARIANT}
    assert list(made) == list(STAGES_OF_VARIANT)
    assert set.union(*made.values()) <= set(made)


def test_a_choice_is_counted_for_what_it_can_change():
    for one in variants(city(), 7):
        assert set(one.reaches) <= set(KINDS)
