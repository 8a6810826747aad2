"""A shard of ground: what is written of its chips, once, and what becomes of those that cannot be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
from rasters import CITY, NORTH, WEST, catalogue, noise, write_raster

from geo.config import CityConfig
from geo.errors import RoadprintError
from geo.ground.contract import GroundClass
from geo.ground.file import read_classifier, write_classifier
from geo.ground.maps.pieces import Pieces, beside, chips_on
from geo.ground.names import NamedClass
from geo.ground.raster import MapGrid, write_map
from geo.ground.registry import way_of
from geo.ground.shares import FARTHEST_M, lay_out
from tasks.earlier import Numbering
from tasks.plan import OfGround, Plan
from tasks.shards import encode
from tasks.shards.map_ground import (
    GroundJob,
    map_shard,
    open_land,
    read_counts,
    read_maps,
    read_places,
    read_roads,
)
from tasks.stages.ground.numbering import BY_SIZE, Final, final_classes
from tasks.store.code import code_digest

REACH_M = 20.0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[GroundJob, Path]:
    """A road through a picture of two textures, with a junction, of which one shard is mapped."""
    folder = tmp_path_factory.mktemp("ground")
    pixels = noise(300, 500)
    pixels[:, :, 250:] = 120
    config = CityConfig.model_validate(
        {
            "city": "x",
            "imagery": {"sources": ["a.tif"]},
            "roads": {"source": "r.gpkg"},
            "ground": {"method": "unsupervised", "clusters": 6, "classes": 2, "reach_m": REACH_M},
        }
    )
    images = catalogue(write_raster(folder / "a.tif", pixels)).images
    line = shapely.LineString([(WEST + 60, NORTH - 150), (WEST + 440, NORTH - 150)])
    segments = gpd.GeoDataFrame({"segment_id": ["road"]}, geometry=[line], crs=CITY)
    junctions = gpd.GeoDataFrame(
        {"junction_id": ["j"], "radius_m": [0.0]}, geometry=[shapely.Point(line.coords[0])], crs=CITY
    )
    land = open_land(config, images, None)
    chips = chips_on(land, beside(segments.geometry.to_numpy(), REACH_M)).assign(shard="1000_0_0")
    learned = way_of(config.ground).learn(Pieces(chips, land), None)
    assert learned.classifier is not None
    write_classifier(folder / "model.safetensors", learned.classifier)
    tables = {"chips": chips, "images": images, "segments": segments, "junctions": junctions}
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    job = GroundJob(
        shard="1000_0_0",
        **{name: folder / f"{name}.parquet" for name in tables},
        model=folder / "model.safetensors",
        out=folder / "results" / "shards" / "shard-1.parquet",
        n_tiles=len(chips),
        config=config,
        code=code_digest("tasks.shards.map_ground"),
    )
    return job, folder


def way_classes(job: GroundJob) -> tuple[GroundClass, ...]:
    return read_classifier(job.model).classes


def test_a_shard_is_written_once_with_a_row_a_chip(made: tuple[GroundJob, Path]) -> None:
    job, _ = made
    account = map_shard(job)
    assert {(e.item, e.status): e.count for e in account} == {("chips", "done"): job.n_tiles}
    written = job.out.stat().st_mtime_ns
    assert job.work() == account
    assert job.out.stat().st_mtime_ns == written
    assert pq.read_table(job.out)["tile_id"].to_pylist() == sorted(gpd.read_parquet(job.chips)["tile_id"])


def test_only_the_ground_beside_roads_is_mapped(made: tuple[GroundJob, Path]) -> None:
    """Two textures, cut at x = 250 m, in a strip of the road's reach."""
    job, folder = made
    map_shard(job)
    places = read_places([job.out])
    told = way_classes(job)
    crs = gpd.read_parquet(job.chips).crs
    write_map(folder / "g.tif", MapGrid.about(places.values()), read_maps([job.out]), told, crs)
    with rasterio.open(folder / "g.tif") as raster:
        classes, grid = raster.read(1), raster.transform
    row, column = np.indices(classes.shape)
    x = grid.c + (column.ravel() + 0.5) * grid.a
    y = grid.f + (row.ravel() + 0.5) * grid.e
    line = gpd.read_parquet(job.segments).geometry.iloc[0]
    apart = shapely.distance(shapely.points(x, y), line)
    assert ((classes.ravel() > 0) == (apart <= REACH_M)).all()
    west, east = (classes.ravel()[(apart <= REACH_M) & side] for side in (x < WEST + 210, x > WEST + 290))
    assert np.bincount(west).argmax() != np.bincount(east).argmax()


def test_shares_hold_what_lies_beyond_reach_as_unknown(made: tuple[GroundJob, Path]) -> None:
    job, _ = made
    map_shard(job)
    keys = {one.number: one.key for one in way_classes(job)}
    found = lay_out(read_counts([job.out], "segment"), keys, "segment_id").iloc[0]
    assert found["ground_known_0_6m"] == found["ground_known_6_15m"] == 1
    # of 15 to 30 m, what lies within 20 m is mapped: (20 - 15) / (30 - 15), and a little at the ends
    assert found["ground_known_15_30m"] == pytest.approx(1 / 3, abs=0.05)
    for band in ("0_6m", "6_15m", "15_30m"):
        assert sum(found[f"ground_{key}_{band}"] for key in (*keys.values(), "unknown")) == pytest.approx(1)
    junction = lay_out(read_counts([job.out], "junction"), keys, "junction_id")
    assert junction["junction_id"].tolist() == ["j"]


def test_a_shard_that_is_ended_leaves_nothing(made: tuple[GroundJob, Path]) -> None:
    job, _ = made
    other = replace(job, out=job.out.with_name("shard-2.parquet"))
    encode.stop()
    try:
        with pytest.raises(RoadprintError, match="the run was ended"):
            map_shard(other)
    finally:
        encode.go_on()
    assert not other.out.exists()
    assert not other.is_done()


def test_the_same_shard_is_the_same_bytes(made: tuple[GroundJob, Path]) -> None:
    job, _ = made
    map_shard(job)
    again = replace(job, out=job.out.with_name("shard-3.parquet"))
    map_shard(again)
    assert again.out.read_bytes() == job.out.read_bytes()


def test_a_job_knows_its_files_wherever_they_lie(made: tuple[GroundJob, Path]) -> None:
    job, _ = made
    there = {path: Path("/there") / path.name for path in job.reads}
    moved = job.elsewhere(there, Path("/there/out.parquet"))
    assert [path.parent for path in moved.reads] == [Path("/there")] * 5
    assert moved.look_ups is None
    assert (moved.shard, moved.account) == (job.shard, Path("/there/out.json"))


def test_a_roundabout_is_its_disc_and_a_crossing_its_point(
    made: tuple[GroundJob, Path], tmp_path: Path
) -> None:
    job, _ = made
    both = gpd.GeoDataFrame(
        {"junction_id": ["a", "b"], "radius_m": [0.0, 15.0]},
        geometry=[shapely.Point(0, 0), shapely.Point(100, 0)],
        crs=CITY,
    )
    both.to_parquet(tmp_path / "junctions.parquet")
    roads = read_roads(job.segments, tmp_path / "junctions.parquet")
    assert [shape.geom_type for shape in roads.junctions] == ["Point", "Polygon"]
    near = roads.near(shapely.box(130, -1, 131, 1), FARTHEST_M)
    assert near.junction_ids.tolist() == ["b"]


def test_classes_take_their_numbers_from_the_map_of_an_earlier_run(made: tuple[GroundJob, Path]) -> None:
    """One that had them as 7 and 4: they are that again, and one of them where an analyst says so."""
    job, folder = made
    map_shard(job)
    classifier = read_classifier(job.model)
    grid = MapGrid.about(read_places([job.out]).values())
    crs = gpd.read_parquet(job.chips).crs
    before = np.array([0, 7, 4], dtype=np.uint8)
    classes = [replace(one, number=int(before[one.number])) for one in classifier.classes]
    parts = ((place, before[numbers]) for place, numbers in read_maps([job.out]))
    write_map(folder / "earlier.tif", grid, parts, classes, crs)

    def final(said: OfGround) -> Final:
        plan = SimpleNamespace(config=job.config, ground=said)
        return final_classes(cast(Plan, plan), classifier, [job.out], grid, crs)

    numbers = Numbering("", "", folder / "earlier.tif", (4,))
    assert final(OfGround(numbers=numbers)).lasting == {1: 7, 2: 4}
    merged = final(OfGround({7: NamedClass(cluster=7, merged_into=4)}, numbers=numbers))
    assert [one.number for one in merged.classes] == [4]
    assert (merged.lasting, merged.warnings) == ({1: 7, 2: 4}, ())
    assert {int(n) for _, part in merged.maps([job.out]) for n in np.unique(part)} == {0, 4}
    # without one they are by size, and a word of it where an analyst spoke of numbers
    alone = final(OfGround({7: NamedClass(cluster=7, name="paved")}, numbers=Numbering("", "")))
    assert (alone.lasting, alone.warnings) == ({1: 1, 2: 2}, (BY_SIZE,))
    # of the very same classes they are those of that run, on a map or not
    assert final(OfGround(numbers=numbers, kept={1: 9, 2: 5})).lasting == {1: 9, 2: 5}
