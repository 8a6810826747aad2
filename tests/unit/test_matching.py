"""Flights are brought to one look by a table a band, on the values as they are read."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rasters import NORTH, WEST, catalogue, noise, read_tiles, tiles_at, write_raster
from test_shard_job import make_job

from geo.clusters.flights.trial import KEPT, choose_tried, try_correction
from geo.config import Clusters, Imagery, Tiles
from geo.errors import LayerError
from geo.imagery.cover import cover_tiles
from geo.imagery.flights.measuring import LEAST, match_flights
from geo.imagery.flights.tables import LookUp, count_values, look_up
from geo.imagery.reading.blocks import BlockStore
from geo.imagery.reading.reader import TABLE
from tasks.shards.encode import encode_shard, read_look_ups
from tasks.stages.imagery.trial import HEEDED
from tasks.tables import LOOK_UPS

SHAPE = Tiles(tile_m=20)
HAZE = {"uint8": lambda light: light * 0.5 + 90, "uint16": lambda light: light * 0.4 + 9000}


def counts_of(values, dtype="uint8"):
    pixels = np.asarray(values, dtype=dtype)[None, None, :]
    return count_values(pixels, np.ones(pixels.shape[1:], dtype=bool))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_a_table_takes_values_to_the_distribution_of_others(dtype):
    """Quantiles are those of the other, as numpy finds them; order stays."""
    rng = np.random.default_rng(0)
    top = {"uint8": 255, "uint16": 60_000, "int16": 30_000}[dtype]
    own = rng.beta(2, 5, 20_000) * top * 0.4 + top * 0.3 - (top // 2 if dtype == "int16" else 0)
    wanted = rng.beta(4, 2, 20_000) * top * 0.8
    table = look_up(counts_of(own, dtype), counts_of(wanted, dtype), dtype)
    became = table.apply(own.astype(dtype)[None, None, :]).ravel()
    shares = np.linspace(0.05, 0.95, 19)
    assert np.quantile(became, shares) == pytest.approx(
        np.quantile(wanted.astype(dtype), shares), abs=0.015 * top
    )
    assert (np.diff(table.becomes[0].astype(int)) >= 0).all()


def test_a_flight_that_is_as_all_are_stays_as_it_is():
    counts = counts_of(np.random.default_rng(1).integers(20, 230, 50_000))
    values = np.arange(20, 230)
    assert np.abs(look_up(counts, counts, "uint8").becomes[0, values].astype(int) - values).max() == 0


def test_a_table_of_other_values_than_the_pixels_is_refused():
    table = look_up(counts_of([1, 2]), counts_of([3, 4]), "uint8")
    for pixels in (np.ones((1, 2, 2), dtype="uint16"), np.ones((3, 2, 2), dtype="uint8")):
        with pytest.raises(LayerError, match="the table is of 1 bands of uint8"):
            table.apply(pixels)


def flown(tmp_path, dtype="uint8", few=None):
    """The same ground flown twice, side by side, the second time through haze; tiles on both."""
    rng = np.random.default_rng(2)
    light = rng.beta(2, 3, (3, 200, 400)) * {"uint8": 200, "uint16": 20_000}[dtype]
    paths = [
        write_raster(tmp_path / "clear.tif", light.astype(dtype)),
        write_raster(tmp_path / "hazed.tif", HAZE[dtype](light).astype(dtype), west=WEST + 1000),
    ]
    settings = {} if dtype == "uint8" else {"scale": (0, 25_000)}
    images = catalogue(*paths, **settings).images
    places = [
        (WEST + shift + x, NORTH - y)
        for shift, count in ((0, 36), (1000, few or 36))
        for x, y in [(20 + 40 * (i % 9), 20 + 40 * (i // 9)) for i in range(count)]
    ]
    tiles = tiles_at(places, SHAPE)
    tiles = tiles.join(cover_tiles(tiles, images))
    return tiles, images, images["image_id"].rename("flight"), Imagery(sources=paths, **settings), places


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_matched_flights_show_the_same_ground_alike(tmp_path, dtype):
    tiles, images, flights, imagery, places = flown(tmp_path, dtype)
    found = match_flights(tiles, images, flights, imagery, SHAPE)
    assert found.left_out == {}
    looked_up = images.assign(**{TABLE: found.of_images(flights)})
    settings = imagery.model_dump(include={"scale"})
    plain = read_tiles(places, images=images, tiles=SHAPE, **settings)
    matched = read_tiles(places, images=looked_up, tiles=SHAPE, **settings)
    apart = [
        np.mean(
            [
                np.abs(a.pixels.astype(float) - b.pixels).mean()
                for a, b in zip(some[:36], some[36:], strict=True)
            ]
        )
        for some in (plain, matched)
    ]
    assert apart[0] > 20
    assert apart[1] < 2
    assert [tile.image_id for tile in matched] == [tile.image_id for tile in plain]


def test_pixels_without_data_are_not_looked_up(tmp_path):
    _, images, *_ = flown(tmp_path)
    table = LookUp(np.full((3, 256), 77, dtype="uint8"))
    images[TABLE] = [table, None]
    edge = read_tiles([(WEST, NORTH)], images=images, tiles=SHAPE)[0]
    assert set(np.unique(edge.pixels[:, ~edge.valid])) == {0}
    assert set(np.unique(edge.pixels[:, edge.valid])) == {77}


def test_blocks_that_were_looked_up_are_not_taken_for_others(tmp_path):
    """A process that keeps blocks reads the same rasters as they are, and by two tables."""
    _, images, _, _, places = flown(tmp_path)
    store = BlockStore(64)
    seen = []
    for value in (None, 50, 60):
        table = None if value is None else LookUp(np.full((3, 256), value, dtype="uint8"))
        looked_up = images.assign(**{TABLE: [table, table]})
        seen.append(read_tiles(places[:1], images=looked_up, tiles=SHAPE, store=store)[0].pixels)
    assert len(np.unique(seen[0])) > 50
    assert [np.unique(one).tolist() for one in seen[1:]] == [[50], [60]]


def test_a_flight_of_three_tiles_and_one_of_one_colour_stay_as_they_are(tmp_path):
    tiles, images, flights, imagery, _ = flown(tmp_path, few=3)
    found = match_flights(tiles, images, flights, imagery, SHAPE)
    assert found.tables == {}
    assert found.left_out["hazed"] == f"3 tiles of roads are too few to tell its light (at least {LEAST})"
    assert found.left_out["clear"] == "no other flight is there to bring it to"
    tiles, images, flights, imagery, _ = flown(tmp_path)
    write_raster(tmp_path / "hazed.tif", np.full((3, 200, 400), 120, dtype="uint8"), west=WEST + 1000)
    assert (
        match_flights(tiles, images, flights, imagery, SHAPE).left_out["hazed"]
        == "a band of it is of one value"
    )


def test_values_that_have_no_table_are_refused_with_what_to_do(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(100, 100, dtype="uint16").astype("float32"))
    images = catalogue(path, scale=(0, 4000)).images
    tiles = tiles_at([(WEST + 50, NORTH - 50)], SHAPE)
    tiles = tiles.join(cover_tiles(tiles, images))
    with pytest.raises(
        LayerError, match="needs values of one of uint8, uint16, int16, and these are float32"
    ):
        match_flights(tiles, images, images["image_id"], Imagery(sources=[path], scale=(0, 4000)), SHAPE)


def write_look_ups(path, value):
    rows = [
        {"flight": "a", "band": band, "image_ids": ["a"], "dtype": "uint8", "values": [value] * 256}
        for band in range(3)
    ]
    LOOK_UPS.write(pd.DataFrame(rows), path.parent)
    return path.parent / f"{LOOK_UPS.name}.parquet"


@pytest.mark.parametrize("mode", ["tile", "dense"])
def test_a_shard_is_encoded_with_the_tables_of_its_job_and_says_so(tmp_path, mode):
    job = make_job(tmp_path, mode)
    config = job.config.model_copy(
        update={"imagery": job.config.imagery.model_copy(update={"match": "histogram"})}
    )
    encode_shard(replace(job, config=config))
    plain = pq.read_table(job.out)
    looked_up = replace(
        job,
        config=config,
        look_ups=write_look_ups(tmp_path / "x", 99),
        out=job.out.with_name("shard-2.parquet"),
    )
    encode_shard(looked_up)
    matched = pq.read_table(looked_up.out)
    bands = [
        np.stack([row for row in table["bands"].to_pylist() if row is not None]) for table in (plain, matched)
    ]
    assert bands[0].std(axis=0).max() > 0
    # all is of one value: the statistics of both tiles are the same
    assert np.ptp(bands[1], axis=0).max() == 0
    told = [table.schema.metadata[b"emb:preprocessing"] for table in (plain, matched)]
    assert [b'"match": "histogram"' in one for one in told] == [False, True]


def test_tables_are_read_as_they_were_written(tmp_path):
    (one, none) = read_look_ups(write_look_ups(tmp_path / "x", 7), ["a", "b"])
    assert none is None
    assert one.key == LookUp(np.full((3, 256), 7, dtype="uint8")).key


def roads_of(n=60):
    """Two flights far apart, three classes, segments 600 m from each other."""
    place = np.arange(2 * n)
    return pd.DataFrame(
        {
            "flight": np.repeat(["a", "b"], n),
            "road_class": np.array(["primary", "secondary", "residential"])[place % 3],
            "length_m": 100.0,
            "x": 600.0 * (place % 10) + 50_000 * (place >= n),
            "y": 600.0 * (place % n // 10),
        },
        index=[f"s{i:03d}" for i in place],
    )


def test_a_correction_that_brings_flights_together_stays_and_one_that_blurs_classes_is_undone():
    roads = roads_of()
    rng = np.random.default_rng(5)
    looks = np.eye(8)[pd.factorize(roads["road_class"])[0]] + rng.normal(scale=0.15, size=(len(roads), 8))
    hazed = looks + 1.5 * (roads["flight"] == "b").to_numpy()[:, None] * np.eye(8)[6]
    good = try_correction(hazed, looks, roads, Clusters(k=6))
    assert not good.undone
    assert good.after["nmi"] < good.before["nmi"] / 2
    assert good.after["mixing"] > good.before["mixing"]
    blurred = rng.normal(size=looks.shape)
    bad = try_correction(looks, blurred, roads, Clusters(k=3))
    assert bad.undone
    assert "was undone, for it takes the transfer of road class" in bad.said("imagery.match: histogram")
    unknown = try_correction(hazed, looks, roads.assign(road_class=None), Clusters(k=3))
    assert not unknown.undone
    assert "stays unjudged" in unknown.said("it")


def test_a_trial_takes_classes_in_turn_so_that_rare_ones_are_tried(monkeypatch):
    monkeypatch.setattr("geo.clusters.flights.trial.TRIED", 12)
    roads = roads_of(60)
    roads["road_class"] = np.where(np.arange(len(roads)) % 15 == 0, "primary", "residential")
    chosen = roads.loc[choose_tried(roads)]
    assert chosen.groupby("flight").size().to_dict() == {"a": 12, "b": 12}
    assert (chosen["road_class"] == "primary").sum() == 8


def test_a_trial_heeds_the_settings_that_name_its_work():
    assert set(HEEDED) == set(KEPT)
