"""What analysts say of types is taken up by the next run, told apart from what was found, and repeated by its file."""

import json

import geopandas as gpd
import pandas as pd
import pytest
from quick import OVERRIDES, QUICK, run_stages
from results import latest, table

from tasks.store.stage import read_summary

HEAD = "segment_id,longitude,latitude,says,value,by,at,collisions_in_view"


@pytest.fixture(scope="module")
def folder(shared, quick):
    """A copy of the runs of the town."""
    return shared.copy(quick) / "demo-town"


def write_hands(folder, before):
    """Merge type 3 into 2, correct a segment, name one by its place alone, and make a type of three."""
    roads = gpd.read_parquet(latest(folder) / "layers" / "segments.parquet")[["segment_id", "geom"]]
    places = roads.set_index("segment_id").geometry.interpolate(0.5, normalized=True).to_crs(4326)
    ones, fours = (before.index[before == number] for number in (1, 4))
    rows = [f"{ones[0]},,,is,4,ada,2026-01-01T10:00,no", f"{ones[1]},,,is,1,ada,2026-01-01T10:01,no"]
    rows.append(f"cut-anew,{places[ones[2]].x},{places[ones[2]].y},is,4,ada,2026-01-01T10:02,no")
    rows += [f"{name},,,is,9,ada,2026-01-01T10:03,yes" for name in fours[:3]]
    rows.append("nowhere,,,is,2,ada,2026-01-01T10:04,no")
    (folder / "corrections.csv").write_text("\n".join([HEAD, *rows]))
    (folder / "clusters.csv").write_text("cluster,name,colour,note,merged_into\n2,both,,,\n3,,,,2\n")
    return ones, fours


def test_hands_are_taken_up_told_and_repeated(folder, town, call, tmp_path):
    before = table(folder, "segments").set_index("segment_id")["cluster"]
    ones, fours = write_hands(folder, before)
    assert call("run", town.city, "--out", folder.parent, *QUICK).code == 0
    after = table(folder, "segments").set_index("segment_id")
    assert after["cluster_found"].equals(before.rename("cluster_found"))
    assert set(after["cluster"].dropna()) == {1, 2, 4, 9}
    assert after.loc[[ones[0], ones[2]], "cluster"].tolist() == [4, 4]
    assert after.loc[ones[:3], "cluster_source"].tolist() == ["corrected", "found", "corrected"]
    assert (after.loc[before.isin([2, 3]) & ~after["cluster"].eq(9), "cluster_source"] == "merged").all()
    assert after.loc[fours[:3], "cluster"].tolist() == [9, 9, 9]
    clusters = table(folder, "clusters").set_index("cluster")
    assert clusters.loc[2, ["name", "merged_of"]].tolist() == ["both", "2;3"]
    assert clusters.loc[9, "made_from"] == 3
    assert clusters.loc[9, ["found_again", "share_sure"]].isna().all()
    ledger = table(folder, "ledger")
    counts = ledger[ledger["item"] == "corrections"].groupby("status")["count"].sum()
    assert counts.to_dict() == {"done": 6, "skipped": 1}
    assert table(folder, "corrections")["outcome"].ne("taken up").sum() == 1
    page = (latest(folder) / "report.html").read_text()
    assert "Merged of 2 and 3" in page
    assert "Made by hand from 3 examples" in page
    assert "Of the 6 segments that these tell of, 1 (17%) have the type that was found" in page
    tips = gpd.read_file(latest(folder) / "demo-town.gpkg", layer="layer_styles")["styleQML"]
    assert tips.str.contains("corrected by an analyst", regex=False).any()
    warnings = json.loads((latest(folder) / "run.json").read_text())["warnings"]
    assert any(text.startswith("corrections: its segment is not in this run") for text in warnings)

    file = latest(folder) / "demo-town.gpkg"
    assert call("run", "--from", file, "--out", tmp_path).code == 0
    assert (latest(tmp_path / "demo-town") / "demo-town.gpkg").read_bytes() == file.read_bytes()

    # types are known again by what was found, whatever was made of them
    assert call("run", town.city, "--out", folder.parent, *QUICK, "--set", "clusters.seed=5").code == 0
    again = table(folder, "segments").set_index("segment_id")
    assert (again["cluster_found"] == before)[before.notna()].mean() > 0.9
    assert again.loc[fours[:3], "cluster"].tolist() == [9, 9, 9]
    (folder / "corrections.csv").unlink()
    (folder / "clusters.csv").unlink()
    assert call("run", town.city, "--out", folder.parent, *QUICK).code == 0
    assert table(folder, "segments").set_index("segment_id")["cluster"].equals(before)


def test_a_table_of_corrections_that_cannot_be_used_stops_the_run_before_it_begins(folder, town, call):
    file = folder / "corrections.csv"
    file.write_text(f"{HEAD}\nab,,,resembles,3,,,\n")
    try:
        refused = call("run", town.city, "--out", folder.parent, *QUICK)
    finally:
        file.unlink()
    assert refused.code == 2
    assert "corrections.csv, line 2" in refused.err


def test_numbers_that_no_earlier_run_gave_are_warned_of_and_a_merge_may_name_a_new_one(town, tmp_path):
    from tasks.stages.types.clusters import load_quality

    folder = tmp_path / "demo-town"
    folder.mkdir()
    (folder / "clusters.csv").write_text("cluster,merged_into\n3,77\n8,1\n")
    plan = run_stages(town.city, OVERRIDES, tmp_path, last="clusters")
    types = pd.read_parquet(plan.stage_folder("clusters") / "segments.parquet")
    assert set(types["cluster"]) == {1, 2, 4, 77}
    assert set(types.loc[types["cluster"] == 77, "cluster_found"]) == {3}
    assert any("no earlier run says which had which" in told for told in load_quality(plan).encoder.warnings)
    told = read_summary(plan.stage_folder("clusters"))
    assert {(e.status, e.count) for e in told if e.item == "merges of types"} == {("done", 1), ("skipped", 1)}
