"""Classes of ground that were found are called, numbered and made one as an analyst says, from run to run."""

import json

import numpy as np
import pandas as pd
import rasterio
from quick import FEW, chosen
from results import latest, table

AREA = "[-1.8139, 52.36176, -1.80713, 52.36591]"
"""460 m x 460 m in the middle of the town."""
GROUND = {"area": AREA, "ground.method": "unsupervised", "ground.rotations": "1", "clusters.k": "2"} | FEW
BANDS = ("0_6m", "6_15m", "15_30m")


def shares_of(folder, key):
    segments = table(folder, "segments").set_index("segment_id")
    return segments[[f"ground_{key}_{band}" for band in BANDS]].to_numpy(dtype=np.float64)


def read_map(run, name="ground.tif"):
    with rasterio.open(run / name) as raster:
        return raster.read(1)


def said(folder):
    return json.loads((latest(folder) / "run.json").read_text())["numbering"]["ground"]


def test_classes_keep_their_numbers_and_what_an_analyst_says_of_them(town, call, tmp_path):
    folder = tmp_path / "demo-town"

    def run():
        done = call("run", town.city, "--out", tmp_path, "--json", *chosen(GROUND))
        assert done.code == 0, done.err
        return {row["name"] for row in done.summary["stages"] if not row["cached"]}

    run()
    before, first, numbers = (
        read_map(latest(folder)),
        table(folder, "ground_classes"),
        said(folder)["classes"],
    )
    found = sorted(first["class"])
    lines = pd.read_csv(folder / "ground.csv").set_index("class")
    assert sorted(lines.index) == found
    assert set(table(folder, "ground_tree")["class"].dropna()) == set(found)
    one, other = np.bincount(before[before > 0]).argsort()[:-3:-1]
    apart = [shares_of(folder, key) for key in (one, other)]

    # nothing is learned or encoded again for what an analyst says
    says = f"class,name,colour,merged_into,mine\n{one},paved,#112233,,kept\n{other},,,{one},\n"
    (folder / "ground.csv").write_text(says)
    redone = run()
    assert "ground" in redone
    assert not redone & {"ground_classes", "features", "clusters"}
    assert said(folder)["classes"] == numbers
    lines = pd.read_csv(folder / "ground.csv").set_index("class")
    assert sorted(lines.index) == found
    assert lines.loc[one, ["name", "mine"]].tolist() == ["paved", "kept"]
    now = table(folder, "ground_classes").set_index("class")
    assert sorted(now.index) == sorted(set(found) - {other})
    assert now.loc[one, ["name", "colour"]].tolist() == ["paved", "#112233"]
    assert ">paved<" in (latest(folder) / "ground.tif.aux.xml").read_text()
    share = first.set_index("class")["share"]
    assert np.isclose(now.loc[one, "share"], share[one] + share[other], atol=1e-5)
    assert np.allclose(shares_of(folder, one), sum(apart), equal_nan=True)
    known = ~np.isnan(shares_of(folder, one))
    together = sum(np.nan_to_num(shares_of(folder, key)) for key in (*now.index, "unknown"))
    assert np.allclose(together[known], 1)
    assert np.array_equal(read_map(latest(folder)), np.where(before == other, one, before))
    assert np.array_equal(read_map(latest(folder), "ground_found.tif"), before)
    assert other not in set(table(folder, "ground_tree")["class"].dropna())
