"""Types of a whole town: from tiles to groups, what shows them, and numbers that an earlier run gave."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from geo.clusters.evidence.doubts import doubts
from geo.clusters.fit import about
from geo.clusters.found import road_types
from geo.clusters.found.road_types import find_types, judged
from geo.clusters.graph.smoothing import smooth
from geo.clusters.hands.taking_up import Hands
from geo.clusters.registry import KINDS
from geo.clusters.space import fit_space
from geo.config import Clusters
from geo.config.sections.safety import Gathering
from geo.features.fingerprints import fingerprint
from geo.safety.picture.lookalikes import alike_to_worst

TWO = Clusters(k=2)


def town(n=30, tiles_each=2, seed=1):
    """Streets 200 m apart that look one of two ways, a third of them the second; and their tiles."""
    rng = np.random.default_rng(seed)
    look = (np.arange(n) % 3 == 0).astype(int)
    x = np.arange(n) * 200.0
    ends = np.stack([np.column_stack([x, x * 0]), np.column_stack([x, x * 0 + 100])], axis=1)
    ids = [f"s{i:02d}" for i in range(n)]
    segments = gpd.GeoDataFrame({"segment_id": ids}, geometry=list(shapely.linestrings(ends)), crs=27700)
    of = np.repeat(np.arange(n), tiles_each)
    centres = rng.normal(size=(2, 16)) * 4
    vectors = (centres[look[of]] + rng.normal(size=(len(of), 16))).astype(np.float32)
    tiles = pd.DataFrame(
        {
            "tile_id": [f"{ids[i]}-{j}" for i, j in zip(of, np.tile(range(tiles_each), n), strict=True)],
            "segment_id": np.array(ids)[of],
            "position_m": np.tile(np.arange(tiles_each) * 50.0, n),
            "coverage": 1.0,
            "embedding": list(vectors),
            "bands": list(rng.random((len(of), 6)).astype(np.float32)),
        }
    )
    return tiles, segments, look


def test_streets_that_look_one_way_are_one_type():
    tiles, segments, look = town()
    found = find_types(fingerprint(tiles), tiles, segments, TWO, tile_m=50)
    assert found.segments["segment_id"].tolist() == segments["segment_id"].tolist()
    assert adjusted_rand_score(look, found.segments["cluster"]) == 1
    # the larger group is number 1
    assert found.segments["cluster"].value_counts().to_dict() == {1: 20, 2: 10}
    assert found.quality["encoder"]["silhouette"] > found.quality["baseline"]["silhouette"]
    assert found.quality["agreement_with_baseline"] < 0.5


@pytest.mark.parametrize("method", [kind.tag for kind in KINDS])
@pytest.mark.parametrize("looks", [2, 4])
def test_few_looks_of_many_streets_are_as_many_types(method, looks):
    """Streets in one chip of 3 km, or over black imagery, look the same but for the rounding of a mean over tiles."""
    tiles, segments, _ = town(n=60, tiles_each=3)
    number = np.arange(60) % looks
    forms = np.random.default_rng(2).normal(size=(looks, 16)).astype(np.float32)
    tiles["embedding"] = list(forms[np.repeat(number, 3)])
    tiles["coverage"] = np.random.default_rng(3).uniform(0.5, 1, len(tiles))
    found = find_types(
        fingerprint(tiles), tiles, segments, Clusters(method=method, resamples=2, groupings=2), tile_m=50
    )
    assert found.quality["k"] == looks
    assert adjusted_rand_score(number, found.segments["cluster"]) == 1
    # none is as near to another type as to its own
    assert found.segments["cluster_margin"].min() > 0.99


def test_more_types_than_looks_are_no_types():
    tiles, segments, look = town()
    tiles["embedding"] = list(np.eye(2, 16, dtype=np.float32)[np.repeat(look, 2)])
    found = find_types(fingerprint(tiles), tiles, segments, Clusters(k=7, groupings=2), tile_m=50)
    assert found.quality["k"] == 2
    assert found.segments["cluster_probability"].eq(1).all()
    told = "clusters.k is 7, and segments differ in 2 looks alone: there are 2 types"
    assert told in found.quality["encoder"]["warnings"]


def test_roads_that_are_all_of_one_kind_are_grouped_and_doubted():
    tiles, segments, _ = town(n=60, tiles_each=1)
    tiles["embedding"] = list(np.random.default_rng(0).normal(size=(60, 16)).astype(np.float32))
    found = find_types(fingerprint(tiles), tiles, segments, Clusters(resamples=2), tile_m=50)
    assert "hardly found again" in " ".join(found.quality["encoder"]["warnings"])
    # where types lie apart nothing is doubted
    tiles, segments, _ = town()
    assert (
        find_types(fingerprint(tiles), tiles, segments, TWO, tile_m=50).quality["encoder"]["warnings"] == []
    )


def test_types_of_single_roads_are_doubted_though_they_are_found_again():
    labels = np.concatenate([np.ones(40, dtype=np.int64), np.arange(2, 9)])
    (told,) = doubts(labels, np.tile(labels[:, None], 3))
    assert told.startswith("7 of 8 types are of 3 segments or fewer")


def test_types_are_the_same_to_the_bit_on_any_number_of_threads():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(1500, 320)).astype(np.float32)
    one, two = [], []
    for threads, told in ((1, one), (2, two)):
        with threadpool_limits(limits=threads):
            space, points = fit_space(vectors, Clusters())
            found = about(points, np.arange(1500) % 3)
            told += [points.tobytes(), space.of(vectors[::-1]).tobytes(), judged(vectors, points, found)]
    assert one == two


def test_streets_are_drawn_towards_those_like_them_but_margins_are_told_where_they_were():
    tiles, segments, look = town(n=90)
    drawn, plain = (
        find_types(
            fingerprint(tiles), tiles, segments, Clusters(method="average", k=2, neighbours=n), tile_m=50
        )
        for n in (5, 0)
    )
    assert adjusted_rand_score(look, drawn.segments["cluster"]) == 1
    assert (drawn.segments["cluster"] == plain.segments["cluster"]).all()
    np.testing.assert_allclose(drawn.segments["cluster_margin"], plain.segments["cluster_margin"])


def test_streets_that_show_the_same_ground_do_not_draw_each_other(monkeypatch):
    tiles, segments, _ = town(n=12)
    pairs = []

    def watched(points, settings, left_out=None):
        pairs.append(left_out)
        return smooth(points, settings, left_out)

    monkeypatch.setattr(road_types, "smooth", watched)
    find_types(fingerprint(tiles), tiles, segments, Clusters(method="average", k=2), tile_m=250)
    of_embeddings, of_bands = (np.argwhere(pair.toarray()) for pair in pairs)
    # 200 m apart
    assert (np.abs(of_embeddings[:, 0] - of_embeddings[:, 1]) == 1).all()
    assert len(of_embeddings) == len(of_bands) == 22


def test_a_street_looks_like_others_of_its_type_that_are_two_tiles_away():
    tiles, segments, _ = town()
    wide = find_types(fingerprint(tiles), tiles, segments, TWO, tile_m=300).segments.set_index("segment_id")
    told = wide["looks_like"].dropna()
    # within a type looks differ by noise alone, and not every street has one that is alike
    assert len(told) >= 10
    for name, others in told.str.split(";").items():
        assert 1 <= len(others) <= 3
        assert {wide.loc[other, "cluster"] for other in others} == {wide.loc[name, "cluster"]}
        assert all(abs(int(other[1:]) - int(name[1:])) >= 3 for other in others)


def test_the_tiles_that_show_a_type_are_tiles_of_the_picked_streets():
    tiles, segments, _ = town()
    picks = find_types(fingerprint(tiles), tiles, segments, TWO, tile_m=50).picks
    assert (picks["tile_id"].str[:3] == picks["segment_id"]).all()
    assert picks["cluster"].is_monotonic_increasing


def test_other_numbers_change_the_names_of_types_and_nothing_else():
    tiles, segments, _ = town()
    found = find_types(fingerprint(tiles), tiles, segments, TWO, tile_m=50)
    numbers = {1: 7, 2: 3}
    hands = Hands(numbering=lambda _: numbers)
    other = find_types(fingerprint(tiles), tiles, segments, TWO, tile_m=50, hands=hands)
    assert other.segments["cluster"].tolist() == [numbers[c] for c in found.segments["cluster"]]
    assert other.picks["cluster"].is_monotonic_increasing
    one, two = (
        table.sort_values(["kind", "rank", "segment_id"], ignore_index=True).drop(columns="cluster")
        for table in (found.picks, other.picks)
    )
    pd.testing.assert_frame_equal(one, two)
    assert found.picks["cluster"].max() == 2


@pytest.mark.parametrize(("k", "warned"), [(3, False), (4, True)])
def test_a_type_of_one_road_is_warned_of(k, warned):
    tiles, segments, _ = town(n=6)
    warnings = find_types(fingerprint(tiles), tiles, segments, Clusters(k=k), tile_m=50).quality["encoder"][
        "warnings"
    ]
    assert any("a type of one road is no type" in text for text in warnings) is warned


def test_a_segment_without_tiles_has_no_fingerprint_and_order_is_as_asked():
    tiles, _, _ = town(n=3)
    found = fingerprint(tiles)
    onto = found.vectors_of(pd.Index(["s02", "none", "s00"]))
    assert np.isnan(onto[1]).all()
    np.testing.assert_array_equal(onto[[0, 2]], found.vectors[[2, 0]].astype(float))


def test_roads_like_the_worst_are_found_by_what_they_look_like_and_never_next_to_it():
    tiles, segments, look = town()
    n = len(segments)
    ksi = np.zeros(n, dtype=int)
    ksi[0] = 9
    rates = {
        f"ksi_per_km_year{end}": ksi / 0.5 for end in ("", "_low", "_high", "_eb", "_eb_low", "_eb_high")
    }
    potential = np.where(np.arange(n) == 0, 5.0, -1.0)
    frame = segments.assign(
        road_class="primary", length_m=100.0, n_ksi=ksi, ksi_per_km_year_potential=potential, **rates
    )
    looks = fingerprint(tiles).vectors_of(pd.Index(segments["segment_id"])).copy()
    looks[6] = np.nan
    settings = Gathering(worst_segments=1, look_alikes=5)
    pairs = alike_to_worst(frame, looks, "ksi", settings, TWO, tile_m=500)
    best = pairs[pairs["kind"] == "same form, few collisions"]["similar_segment_id"]
    assert len(best) == 5
    assert all(look[int(name[1:])] == look[0] for name in best)
    # s03 is nearer than one and a half tiles, and of s06 nothing was seen
    assert not {"s03", "s06"} & set(best)
