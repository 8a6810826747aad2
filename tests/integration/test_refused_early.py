"""A run that would end after its encoding is ended before it."""

import pytest
from quick import QUICK

from geo.clusters.methods.ward import Ward


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("imagery.picture_bands=[1,2,7]", "imagery.picture_bands asks for band 7"),
        ("clusters.method=ward", "ward takes at most 3 segments"),
    ],
)
def test_what_a_later_stage_would_refuse_is_told_before_a_shard_is_encoded(
    setting, told, town, call, tmp_path, monkeypatch
):
    monkeypatch.setattr(Ward, "most_segments", 3)
    ended = call("run", town.city, "--out", tmp_path, *QUICK, "--set", setting)
    assert ended.code != 0
    assert told in ended.err
    stages = tmp_path / "demo-town" / "stages"
    assert list(stages.glob("tiles-*/summary.json"))
    assert not list(stages.glob("shards/*"))
    assert not list(stages.glob("features-*"))
