"""A city run with one choice made otherwise at a time: what is made, what is kept, and what shows it."""

import sqlite3
from pathlib import Path

import pandas as pd
from quick import OVERRIDES, chosen

FEW = OVERRIDES | {
    "sensitivity": "{k: [5], seeds: [], encoders: ['file:nowhere.pt'], max_length_m: [], junction_reach_m: [],"
    " block_m: []}"
}


def test_variants_are_made_from_kept_stages_and_shown_by_the_run_alone(call, quick, shared, town):
    out = shared.copy(quick)
    asked = ["--out", out, "--json", *chosen(FEW)]
    before = call("status", town.city, *asked).summary
    names = (Path(before["folder"]) / "clusters.csv").read_bytes()
    told = call("sensitivity", town.city, *asked)
    assert told.code == 0, told.err
    found = told.summary
    assert [one["setting"] for one in found["variants"]] == [
        "clusters.k = 5",
        "encoder.name = file:nowhere.pt",
    ]
    assert [bool(one["failed"]) for one in found["variants"]] == [False, True]
    assert any("file:nowhere.pt: it could not be run" in sentence for sentence in found["sentences"])

    # one run came of it, the city's own, with the table in it
    after = call("status", town.city, *asked).summary
    assert (after["runs"], after["last_run"]["run_id"]) == (before["runs"] + 1, found["run_id"])
    assert after["last_failure"] is None
    assert (Path(after["folder"]) / "clusters.csv").read_bytes() == names
    table = pd.read_parquet(found["table"])
    tried = {"clusters.k = 5", "encoder.name = file:nowhere.pt"}
    assert set(table["setting"]) - {f"{FEW['clusters.groupings']} groupings"} == tried
    assert (table.loc[table["setting"] == "encoder.name = file:nowhere.pt", "state"] == "not known").all()
    with sqlite3.connect(found["geopackage"]) as file:
        assert file.execute("SELECT count(*) FROM sensitivity").fetchone() == (len(table),)
        clusters = file.execute("SELECT count(*) FROM clusters").fetchone()
    assert clusters == (4,)
    assert "What stands if choices were made otherwise" in Path(found["report"]).read_text(encoding="utf-8")

    # nothing is made twice, and a run finds the same
    again = call("sensitivity", town.city, *asked).summary
    assert (again["run_id"], again["variants"]) == (found["run_id"], [])
    assert call("run", town.city, *asked).summary["run_id"] == found["run_id"]
