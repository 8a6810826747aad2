"""The main job, end to end, on a town whose truth is known."""

import csv
import json
import shutil
import sqlite3
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import yaml
from quick import FEW, OVERRIDES, QUICK, chosen, run_stages
from sklearn.metrics import adjusted_rand_score

from geo.config import load
from geo.demo.collisions import DIRT
from geo.errors import RoadprintError
from geo.outputs.layers.layers import ALWAYS
from tasks.ahead.forecast import forecast
from tasks.ahead.seconds import STARTING, seconds_by_size
from tasks.stages.order import STAGES
from tasks.store.stage import account_of

PLAIN = {
    "encoder": {"name": "bands"},
    "clusters": {"k": 4, "resamples": 2, "groupings": 3},
    "safety": {"permutations": 99, "rank_draws": 1000, "block_m": 50_000},
}
FEWER = {name: value for name, value in FEW.items() if name.startswith("safety.")}
"""What of `FEW` leaves types as they are."""


@pytest.fixture(scope="module")
def layers(finished):
    path = finished[1]["geopackage"]
    return {
        name: gpd.read_file(path, layer=name) if layer.geometry else pyogrio.read_dataframe(path, layer=name)
        for name, layer in ALWAYS.items()
    }


def change(town, folder: Path, **sections) -> Path:
    """Copy the city's file with other values, its paths still pointing to the town."""
    city = yaml.safe_load(town.city.read_text())
    city["imagery"]["sources"] = [str(town.folder / "imagery" / "*.tif")]
    city["roads"]["source"] = str(town.folder / "roads.gpkg")
    city["collisions"]["sources"] = [str(town.folder / "collisions.csv")]
    city["collisions"]["casualties"] = str(town.folder / "casualties.csv")
    city["exposure"]["sources"] = [str(town.folder / "traffic.csv")]
    for name, values in sections.items():
        city[name] = (city.get(name) or {}) | values if isinstance(values, dict) else values
    path = folder / "city.yaml"
    path.write_text(yaml.safe_dump(city))
    return path


def test_the_summary_says_what_the_interface_promises(finished):
    summary = finished[1]
    assert [row["name"] for row in summary["stages"]] == [stage.name for stage in STAGES]
    for row in summary["stages"]:
        assert set(row) == {"name", "seconds", "done", "skipped", "rejected", "failed", "cached"}
    assert Path(summary["geopackage"]).is_file()
    assert Path(summary["report"]).is_file()
    assert (finished[0] / "demo-town" / "latest").resolve() == Path(summary["geopackage"]).parent


def test_clusters_find_the_true_forms_again_and_better_than_band_statistics(town, layers):
    true = town.truth().segments.set_index("segment_id")["form"]
    found = layers["segments"].set_index("segment_id")["cluster"].dropna()
    baseline = layers["segments"].set_index("segment_id")["cluster_baseline"].dropna()
    scores = [adjusted_rand_score(true[labels.index], labels) for labels in (found, baseline)]
    assert scores[0] >= 0.6
    assert scores[0] > scores[1] + 0.1


def test_every_segment_has_a_tile_and_those_without_imagery_no_type(layers):
    segments, tiles = layers["segments"], layers["tiles"]
    counted = tiles.groupby("segment_id").size()
    assert (segments.set_index("segment_id")["n_tiles"] == counted).all()
    unseen = segments["coverage"] == 0
    assert 0 < unseen.sum() < 30
    assert segments.loc[unseen, "cluster"].isna().all()
    assert segments.loc[segments["coverage"] > 0.6, "cluster"].notna().all()


def test_every_row_of_the_records_is_accounted_for(town, layers):
    with (town.folder / "collisions.csv").open(newline="") as file:
        rows = sum(1 for _ in csv.reader(file)) - 1
    collisions, ledger = layers["collisions"], layers["ledger"]
    assert len(collisions) == rows
    assert ledger.loc[ledger["item"] == "collisions", "count"].sum() == rows
    found = collisions["snap_status"].value_counts()
    for kind, count in DIRT.items():
        assert found[kind] == count
    assert found["matched"] >= 0.98 * (rows - sum(DIRT.values()))


def test_counts_of_segments_and_junctions_add_up_to_the_placed_collisions(layers):
    matched = (layers["collisions"]["snap_status"] == "matched").sum()
    assert layers["segments"]["n_collisions"].sum() + layers["junctions"]["n_collisions"].sum() == matched
    in_clusters = layers["segments"]["cluster"].notna()
    assert (
        layers["clusters"]["n_collisions"].sum() == layers["segments"].loc[in_clusters, "n_collisions"].sum()
    )


def test_rates_are_counts_over_length_and_years(layers):
    segments = layers["segments"]
    none = segments["counted_m"] == 0
    assert 0 < none.sum() < 10
    assert (
        segments.loc[none, ["ksi_per_km_year", "ksi_per_km_year_high", "ksi_per_km_year_eb"]]
        .isna()
        .all(axis=None)
    )
    assert segments.loc[none, "ksi_eb_method"].str.contains("within reach of junctions").all()
    segments = segments[~none]
    exposure = segments["counted_m"] / 1000 * segments["years"]
    assert (segments["years"] == 5).all()
    np.testing.assert_allclose(segments["ksi_per_km_year"], segments["n_ksi"] / exposure)
    assert (segments["ksi_per_km_year_low"] <= segments["ksi_per_km_year_eb"]).mean() > 0.95
    assert (segments["ksi_per_km_year_high"] > segments["ksi_per_km_year"]).all()


def test_the_default_encoder_states_what_it_is_in_the_file(layers):
    run = layers["run"].set_index("key")["value"]
    assert json.loads(run["encoder"])["mean"] == [127.0] * 3
    assert json.loads(run["configuration"])["city"] == "demo-town"
    assert json.loads(run["embeddings"])["encoder"]["effective_rank"] > 10


def test_prototype_tiles_are_tiles_of_their_cluster(layers):
    segment_of = layers["tiles"].set_index("tile_id")["segment_id"]
    cluster_of = layers["segments"].set_index("segment_id")["cluster"]
    for row in layers["clusters"].itertuples():
        for tile in row.prototype_tiles.split(";"):
            assert cluster_of[segment_of[tile]] == row.cluster


def test_nothing_changed_means_nothing_done(finished, town, call):
    outcome = call("run", town.city, "--out", finished[0], "--json")
    assert outcome.code == 0
    assert all(row["cached"] for row in outcome.summary["stages"])
    assert outcome.summary["geopackage"] == finished[1]["geopackage"]


def test_another_number_of_clusters_re_encodes_nothing(finished, town, call):
    outcome = call("run", town.city, "--out", finished[0], "--set", "clusters.k=5", *chosen(FEWER), "--json")
    cached = {row["name"]: row["cached"] for row in outcome.summary["stages"]}
    assert cached["roads"]
    assert cached["tiles"]
    assert cached["features"]
    assert cached["collisions"]
    assert not cached["clusters"]
    with sqlite3.connect(outcome.summary["geopackage"]) as file:
        assert file.execute("SELECT count(*) FROM clusters").fetchone() == (5,)


def test_a_damaged_output_is_made_again(finished, town, call):
    path = Path(finished[1]["geopackage"])
    before = path.read_bytes()
    path.write_bytes(before[:-100])
    assert call("run", town.city, "--out", finished[0], "--json").code == 0
    assert path.read_bytes() == before


def test_the_same_inputs_in_another_place_give_the_same_bytes(quick, town, tmp_path, call):
    shutil.copytree(town.folder, tmp_path / "moved")
    outcome = call("run", tmp_path / "moved" / "city.yaml", "--out", tmp_path / "runs", *QUICK, "--json")
    here = (quick / "demo-town" / "latest" / "demo-town.gpkg").read_bytes()
    assert Path(outcome.summary["geopackage"]).read_bytes() == here


def test_a_city_without_records_ends_with_clusters_alone(town, tmp_path, call):
    city = change(town, tmp_path, **PLAIN, collisions={"sources": []})
    outcome = call("run", city, "--out", tmp_path / "runs", "--json")
    assert outcome.code == 0
    segments = gpd.read_file(outcome.summary["geopackage"], layer="segments")
    assert segments["cluster"].notna().any()
    assert segments[["n_collisions", "n_ksi", "ksi_per_km_year", "years"]].isna().all(axis=None)
    clusters = pyogrio.read_dataframe(outcome.summary["geopackage"], layer="clusters")
    assert clusters[["n_collisions", "rate_ratio"]].isna().all(axis=None)


def test_one_bad_raster_among_good_ones_is_rejected_with_its_reason(town, tmp_path, call):
    shutil.copytree(town.folder / "imagery", tmp_path / "imagery")
    bad = sorted((tmp_path / "imagery").iterdir())[5]
    bad.write_bytes(bad.read_bytes()[: bad.stat().st_size // 2])
    city = change(town, tmp_path, **PLAIN, imagery={"sources": [str(tmp_path / "imagery")]})
    outcome = call("run", city, "--out", tmp_path / "runs")
    assert outcome.code == 0
    assert "items were rejected" in outcome.out
    geopackage = outcome.out.strip().splitlines()[-1]
    ledger = pyogrio.read_dataframe(geopackage, layer="ledger")
    reasons = ledger.loc[(ledger["item"] == "rasters") & (ledger["status"] == "rejected"), "reason"]
    assert reasons.str.contains(bad.name).any()


def test_tiles_can_be_turned_to_the_road(town, tmp_path):
    plan = run_stages(town.city, OVERRIDES | {"tiles.align": "road"}, tmp_path, last="features")
    tiles = gpd.read_parquet(plan.stage_folder("tiles") / "tiles.parquet")
    assert tiles.geometry.area.between(9990, 10010).all()
    assert tiles["bearing"].between(0, 360, inclusive="left").all()
    done = [
        entry.count for entry in account_of(plan.stage_folder("features")).entries if entry.status == "done"
    ]
    assert sum(done) > 0.9 * len(tiles)


def test_a_check_says_what_a_run_would_meet(town, layers, call):
    outcome = call("check", town.city, "--json", *QUICK)
    assert outcome.code == 0
    found = outcome.summary["forecast"]
    assert found["segments"] == len(layers["segments"])
    assert found["tiles"] == len(layers["tiles"])
    read = ("roads", "tiles", "collisions", "exposure")
    fixed = STARTING + sum(s for name, s in seconds_by_size(found["segments"]).items() if name not in read)
    encoding = found["seconds_per_tile"] * found["tiles_with_imagery"]
    assert found["seconds"] >= round(fixed + encoding) - 1
    first, second = outcome.summary["verdict"][:2]
    assert first.startswith("Ready, about ")
    assert "segments will get a type" in second
    typed = layers["segments"]["cluster"].notna().sum()
    share = found["of_these_shown"] / found["segments_looked_at"]
    assert found["segments_with_imagery"] >= typed
    assert found["segments_with_imagery"] * share == pytest.approx(typed, rel=0.1)


def refused(outcome, *words: str) -> None:
    """One message, no traceback, naming what matters."""
    assert outcome.code == 2
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    for word in words:
        assert word in outcome.err


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize("sections", [{"tiles": {"tile_m": "wide"}}, {"imagery": {"bands": [1, 2, 9]}}])
def test_what_cannot_be_run_is_refused_with_one_message(town, tmp_path, call, command, sections):
    extra = ["--out", tmp_path / "runs"] if command == "run" else []
    refused(call(command, change(town, tmp_path, **(PLAIN | sections)), *extra), *sections)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"tiles": {"tile_m": "wide"}}, ["tiles.tile_m", "wide"]),
        ({"tile": {"tile_m": 100}}, ["tile", "no such key"]),
        ({"crs": "EPSG:4326"}, ["crs", "EPSG:4326", "metres"]),
        ({"crs": "EPSG:2263"}, ["crs", "EPSG:2263", "metres"]),
        ({"crs": "EPSG:99999999"}, ["crs", "EPSG:99999999"]),
        ({"roads": {"source": "nowhere.gpkg"}}, ["nowhere.gpkg", "roads.source"]),
        ({"roads": {"layer": "streets"}}, ["roads.gpkg", "'streets'", "roads"]),
        ({"roads": {"class_field": "class"}}, ["roads.gpkg", "'class'", "highway"]),
        ({"roads": {"keep": ["motorway"]}}, ["roads.gpkg", "residential"]),
        ({"imagery": {"sources": ["nowhere/*.tif"]}}, ["nowhere"]),
        ({"imagery": {"bands": [1, 2, 9]}}, ["band"]),
        ({"collisions": {"sources": ["nowhere.csv"]}}, ["nowhere.csv"]),
        ({"encoder": {"name": "resnet"}}, ["encoder.name", "resnet", "bundled"]),
        ({"area": [10.0, 50.0, 10.1, 50.1]}, ["area"]),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else None,
)
def test_a_check_refuses_what_a_run_refuses(town, tmp_path, sections, words):
    told_by_both(change(town, tmp_path, **(PLAIN | sections)), tmp_path / "runs", *words)


def told_by_both(city, out, *words):
    """Have a city refused by a check, and by the stages of a run that read inputs."""
    for refuse in (lambda: forecast(load(city, {})), lambda: run_stages(city, {}, out, last="collisions")):
        with pytest.raises(RoadprintError) as told:
            refuse()
        for word in words:
            assert word in str(told.value)


def test_roads_of_another_place_are_refused(town, tmp_path):
    roads = gpd.read_file(town.folder / "roads.gpkg")
    roads.geometry = roads.geometry.translate(50_000, 0)
    roads.to_file(tmp_path / "away.gpkg")
    city = change(town, tmp_path, **PLAIN, roads={"source": str(tmp_path / "away.gpkg")})
    told_by_both(city, tmp_path / "runs", "imagery.sources", "roads.source")


def test_roads_without_a_crs_are_refused(town, tmp_path):
    roads = gpd.read_file(town.folder / "roads.gpkg").set_crs(None, allow_override=True)
    roads.to_file(tmp_path / "roads.shp")
    city = change(town, tmp_path, **PLAIN, roads={"source": str(tmp_path / "roads.shp")})
    told_by_both(city, tmp_path / "runs", "roads.shp", "CRS")


def test_records_without_coordinates_are_refused(town, tmp_path):
    records = pd.read_csv(town.folder / "collisions.csv")
    records[["collision_index", "collision_severity", "date"]].to_csv(tmp_path / "c.csv", index=False)
    city = change(town, tmp_path, **PLAIN, collisions={"sources": [str(tmp_path / "c.csv")]})
    told_by_both(city, tmp_path / "runs", "c.csv", "coordinates")


def test_records_of_another_place_are_refused(town, tmp_path, call):
    """Longitude and latitude the wrong way round, say: a run would tell of roads without collisions."""
    records = pd.read_csv(town.folder / "collisions.csv", dtype=str)
    records = records.drop(columns=["location_easting_osgr", "location_northing_osgr"])
    swapped = records.rename(columns={"longitude": "latitude", "latitude": "longitude"})
    swapped.to_csv(tmp_path / "c.csv", index=False)
    city = change(town, tmp_path, **PLAIN, collisions={"sources": [str(tmp_path / "c.csv")]})
    outcome = call("run", city, "--out", tmp_path / "runs")
    refused(outcome, "c.csv", "not one of its 658 rows", "outside_area")


def test_results_that_cannot_be_written_are_refused_before_anything_is_done(town, tmp_path, call):
    (tmp_path / "file").write_text("in the way")
    refused(call("run", town.city, "--out", tmp_path / "file"), "output.folder", "file")
    refused(call("demo", "--out", tmp_path / "file"), "output.folder", "file")


def test_weights_that_cannot_be_had_end_a_check_before_a_run(town, tmp_path, call, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    city = change(town, tmp_path, encoder={"name": "torchvision:resnet18"})
    refused(call("check", city), "resnet18-f37072fd.pth", str(tmp_path), "bundled")


def test_traffic_is_on_roads_that_were_counted_and_the_run_says_on_how_much_of_the_network(finished, layers):
    segments = layers["segments"]
    known = segments["aadt"].notna()
    assert set(segments.loc[known, "traffic_source"]) == {"measured", "inherited"}
    assert (
        segments.loc[~known, ["traffic_source", "million_vkm", "ksi_per_100m_vkm_high"]].isna().all(axis=None)
    )
    vkm = segments["aadt"] * 365 * segments["counted_m"] / 1000 * 5 / 1e6
    np.testing.assert_allclose(segments.loc[known, "million_vkm"], vkm[known])
    rate = segments["n_ksi"] / (vkm / 100)
    np.testing.assert_allclose(segments.loc[known, "ksi_per_100m_vkm"], rate[known])
    share = segments.loc[known, "length_m"].sum() / segments["length_m"].sum()
    (note,) = (text for text in finished[1]["notes"] if text.startswith("traffic"))
    assert f"{share:.1%} of the network's length" in note
    ledger = layers["ledger"]
    figures = ledger[ledger["item"] == "traffic figures"]
    with (Path(finished[1]["geopackage"]).parent / "report.html").open(encoding="utf-8") as page:
        assert f"{share:.1%} of the network" in page.read()
    assert figures.loc[figures["status"] == "rejected", "count"].sum() == 3


def test_junctions_and_the_roads_between_them_make_the_whole(layers):
    together = layers["places"].set_index("place")["n_collisions"]
    assert together["between junctions"] == layers["segments"]["n_collisions"].sum()
    assert together["at junctions"] == layers["junctions"]["n_collisions"].sum()
    assert together["together"] == (layers["collisions"]["snap_status"] == "matched").sum()
    types = layers["junction_types"].set_index("junction_type")
    assert types.loc["all junctions", "n_collisions"] == together["at junctions"]
    assert types["n_collisions"].sum() == 2 * together["at junctions"]


def test_road_users_of_segments_and_junctions_are_those_of_the_placed_collisions(layers):
    matched = layers["collisions"][layers["collisions"]["snap_status"] == "matched"]
    for user in ("pedestrian", "cyclist", "motorcyclist", "car_occupant"):
        name = f"n_{user}_collisions"
        total = layers["segments"][name].sum() + layers["junctions"][name].sum()
        assert total == matched[user].sum() > 0
    assert layers["segments"]["n_ksi_adjusted"].sum() == layers["segments"]["n_ksi"].sum()


def test_types_are_tested_against_comparable_roads_and_the_table_of_types_says_the_same(layers):
    tests, clusters = layers["tests"], layers["clusters"].set_index("cluster")
    assert set(tests["comparison"]) >= {"all clustered roads", "same class"}
    of_all = tests[(tests["outcome"] == "n_ksi") & (tests["comparison"] == "all clustered roads")]
    of_all = of_all.set_index("cluster")
    pd.testing.assert_series_equal(clusters["q_value"], of_all["q_value"], check_names=False)
    assert tests["p_value"].notna().any()
    assert tests.loc[tests["p_value"].isna(), "reason"].notna().all()


def test_what_is_expected_of_segments_has_its_interval_its_model_and_its_rank(layers):
    models = layers["models"]
    segments = layers["segments"][layers["segments"]["counted_m"] > 0]
    assert segments["ksi_eb_method"].str.startswith("safety performance function").all()
    rate = segments["ksi_per_km_year_eb"]
    assert rate.between(segments["ksi_per_km_year_eb_low"], segments["ksi_per_km_year_eb_high"]).all()
    assert segments["p_worst_5_percent"].sum() == pytest.approx(np.ceil(0.05 * len(segments)), rel=1e-6)
    fitted = models[(models["outcome"] == "ksi") & (models["part"] == "model")].set_index("name")
    assert fitted.loc["events", "value"] == segments["n_ksi"].sum()
    assert fitted.loc["convergence", "passed"]


def test_the_run_says_what_the_picture_adds(finished, layers):
    assert layers["value_of_imagery"]["model"].iloc[0] == "nothing"
    assert any("picture" in note or "look like" in note for note in finished[1]["notes"])


def test_high_injury_windows_hold_their_share_and_the_run_says_what_chance_would_give(finished, layers):
    windows, headline = layers["windows"], layers["high_injury"]
    assert not windows["window_id"].duplicated().any()
    inside = windows["in_high_injury_network"].astype(bool)
    assert windows.loc[inside, "score_per_km"].min() > windows.loc[~inside, "score_per_km"].max()
    assert headline["n"].eq(layers["segments"]["n_ksi"].sum() + layers["junctions"]["n_ksi"].sum()).all()
    assert headline[["value", "chance", "held_out"]].notna().all(axis=None)
    told = [note for note in finished[1]["notes"] if "of road length" in note]
    assert len(told) == 2
    assert all("at random" in note for note in told)


def test_density_along_the_network_adds_up_to_the_placed_collisions(layers):
    lixels = layers["lixels"]
    total = (lixels["kernel_collisions_per_km"] * (lixels["to_m"] - lixels["from_m"]) / 1000).sum()
    assert total == pytest.approx((layers["collisions"]["snap_status"] == "matched").sum(), rel=1e-3)
    lengths = lixels.assign(m=lixels["to_m"] - lixels["from_m"]).groupby("segment_id")["m"].sum()
    assert lengths.sum() == pytest.approx(layers["segments"]["length_m"].sum(), rel=1e-6)


def test_look_alikes_are_of_the_class_of_the_worst_and_not_of_the_same_ground(layers):
    pairs, segments = layers["look_alikes"], layers["segments"].set_index("segment_id")
    assert len(pairs)
    one, other = (
        segments.loc[pairs[name], "road_class"].to_numpy() for name in ("segment_id", "similar_segment_id")
    )
    assert (one == other).all()
    # one and a half sides of a tile
    assert pairs["metres_apart"].ge(150).all()
    nearest_first = pairs.sort_values("place").groupby(["kind", "segment_id"])["distance"]
    assert all(distances.is_monotonic_increasing for _, distances in nearest_first)
    assert pairs["remark"].str.contains("regression to the mean").all()


def test_hot_spots_have_a_q_value_or_a_reason(layers):
    segments = layers["segments"]
    assert (segments["gi_star_q_value"].notna() ^ segments["gi_star_reason"].notna()).all()
    assert (segments["gi_star_spot"].isin(["hot", "cold"]) == (segments["gi_star_q_value"] <= 0.05)).all()


@pytest.fixture(scope="module")
def few(finished, town, tmp_path_factory, call_module):
    """Run the town with five records, one type and no traffic; imagery is encoded already."""
    folder = tmp_path_factory.mktemp("few")
    pd.read_csv(town.folder / "collisions.csv", dtype=str).head(5).to_csv(folder / "c.csv", index=False)
    city = change(
        town,
        folder,
        collisions={"sources": [str(folder / "c.csv")], "casualties": None},
        clusters={"k": 1},
        exposure={"sources": []},
    )
    return call_module(city, finished[0])


@pytest.fixture(scope="module")
def unrecorded(finished, town, tmp_path_factory, call_module):
    """Run the town without any records."""
    folder = tmp_path_factory.mktemp("unrecorded")
    city = change(town, folder, collisions={"sources": [], "casualties": None})
    return call_module(city, finished[0])


@pytest.fixture(scope="module")
def call_module():
    from flows.city import city_flow

    return lambda city, out: city_flow(str(city), FEWER, str(out))


def test_a_city_with_five_records_and_one_type_says_what_cannot_be_told(few):
    read = {name: pyogrio.read_dataframe(few["geopackage"], layer=name) for name in ("tests", "models")}
    assert read["tests"]["p_value"].isna().all()
    assert read["tests"]["reason"].notna().all()
    of = read["models"][read["models"]["part"] == "model"].set_index(["outcome", "name"])
    assert "shrinkage" in of.loc[("ksi", "model"), "says"]
    assert any("cannot be told" in note for note in few["notes"])


def test_without_records_nothing_is_said_of_collisions(unrecorded):
    path = unrecorded["geopackage"]
    windows = pyogrio.read_dataframe(path, layer="windows", read_geometry=False)
    assert len(windows)
    assert windows[["n_collisions", "score_per_km", "rank", "in_high_injury_network"]].isna().all(axis=None)
    assert pyogrio.read_dataframe(path, layer="lixels")["kernel_collisions_per_km"].isna().all()
    headline = pyogrio.read_dataframe(path, layer="high_injury")
    assert set(headline["reason"]) == {"no collision records"}
    assert headline[["value", "n"]].isna().all(axis=None)
    assert len(pyogrio.read_dataframe(path, layer="look_alikes")) == 0
    assert not any("collision" in note.lower() for note in unrecorded["notes"])
