"""A town is encoded by a network of pictures and text, and its roads are asked for in words."""

import geopandas as gpd
import pytest

from flows.cli import main
from geo.demo.ground import THINGS_FILE
from geo.errors import EncoderError, LayerError
from tasks.results.finding import Question, askable
from tasks.results.opening import open_run
from tests.quick import FEW, chosen
from tests.tiny_clip import write_tiny

pytest.importorskip("open_clip")
WORDS = "a roundabout with trees"


def test_a_town_is_encoded_by_the_one_tower_and_asked_by_the_other(town, tmp_path, capsys):
    network = write_tiny(tmp_path)
    # what stands in the town, as a map would have it; and what roads say of themselves
    things = town.folder / THINGS_FILE
    settings = {
        "encoder.name": "open_clip:tiny",
        "encoder.weights": str(network),
        "encoder.runtime": "torch",
        "encoder.rotations": "1",
        "clusters.k": "3",
        "clusters.junctions.types": "false",
        "concepts.source": str(things),
        "concepts.column": "kind",
        "concepts.roads": "[oneway]",
    } | FEW
    assert main(["run", str(town.city), "--out", str(tmp_path / "runs"), *chosen(settings)]) == 0
    place = tmp_path / "runs" / "demo-town"
    run = open_run(place)
    tests = run.layer("word_tests").set_index("word")
    held = tests.index[tests["offered"]]
    assert [one.word for one in askable(run)] == [*held, ""]
    assert [one.source for one in askable(run)] == ["map"] * len(held) + ["network"]
    ledger = run.layer("ledger")
    words = ledger[(ledger["stage"] == "concepts") & (ledger["item"] == "words")]
    assert words["count"].sum() >= len(tests) > 0
    features = ledger[(ledger["stage"] == "concepts") & (ledger["item"] == "features of words")]
    assert features["count"].sum() == len(gpd.read_parquet(things))
    for word in held:
        found = run.asked(Question(text=[f"map:{word}"]), top=3)
        assert found.said[0].words[0].reliability == pytest.approx(
            tests.loc[word, "average_precision"], abs=1e-3
        )
    asked = run.asked(Question(text=[WORDS]), top=5)
    assert asked.answers["likeness"].iloc[0] > 0
    assert asked.answers["why"].unique().tolist() == [f"{WORDS} (network)"]
    other = run.find(text=["a car park"], top=5)
    assert set(other["segment_id"]) != set(asked.answers["segment_id"])
    with pytest.raises(LayerError, match="another encoder"):
        run.find(text=["bank:forest"])
    capsys.readouterr()
    assert main(["find", str(place), "--text", WORDS, "--top", "5"]) == 0
    assert "nobody has judged" in capsys.readouterr().out
    write_tiny(network, seed=1)
    with pytest.raises(EncoderError, match="not those that the run was made with"):
        run.find(text=["a car park"])
