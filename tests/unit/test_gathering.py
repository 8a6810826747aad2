"""The layers of a city from its tables, and which pictures they and the report show."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from rasters import CITY, NORTH, WEST, catalogue, noise, tiles_at, write_raster

from geo.config import Imagery, Tiles
from geo.errors import ConfigurationError, LayerError
from geo.imagery.cover import cover_tiles
from geo.imagery.layout import TILES_PER_SHARD, lay_out_tiles
from geo.outputs.layers.gather import CARRIED, RECORDS, gather_layers, read_or_laid_out, shown_tiles
from geo.outputs.pictures import draw_pictures, pictures_of_file, tiles_of_report
from tasks.tables import JUNCTION_TYPED

PICKS = pd.DataFrame(
    {
        "cluster": [1, 1, 1],
        "kind": ["prototype", "edge", "random"],
        "segment_id": ["a", "b", "b"],
        "tile_id": ["a-01", "b-00", None],
    }
)


def laid_out():
    boxes = shapely.box(np.arange(3) * 10.0, 0, np.arange(3) * 10.0 + 10, 10)
    return gpd.GeoDataFrame(
        {
            "tile_id": ["a-00", "a-01", "b-00"],
            "segment_id": ["a", "a", "b"],
            "position_m": [0.0, 50.0, 0.0],
            "bearing": 0.0,
            "coverage": [1.0, 1.0, 0.75],
        },
        geometry=list(boxes),
        crs=CITY,
    )


def tables():
    segments = gpd.GeoDataFrame(
        {"segment_id": ["a", "b", "c"]},
        geometry=[shapely.LineString([(x, 0), (x, 90)]) for x in (0, 20, 40)],
        crs=CITY,
    )
    seen = pd.DataFrame(
        {
            "tile_id": ["a-00", "a-01"],
            "image_id": ["w", "w;e"],
            "coverage": [0.5, 1.0],
            "encoded": [False, True],
        }
    )
    return {
        "roads/segments": segments,
        "roads/junctions": gpd.GeoDataFrame(
            {"junction_id": ["j", "k"]}, geometry=gpd.points_from_xy([0, 20], [0, 0]), crs=CITY
        ),
        "tiles/junction_tiles": gpd.GeoDataFrame(
            {"tile_id": ["j-00", "k-00"], "junction_id": ["j", "k"], "bearing": 0.0, "coverage": [1.0, 0.0]},
            geometry=[shapely.box(-9, -9, 9, 9), shapely.box(11, -9, 29, 9)],
            crs=CITY,
        ),
        "fingerprints/junction_tiles": pd.DataFrame(
            {
                "tile_id": ["j-00"],
                "junction_id": ["j"],
                "image_id": ["w"],
                "coverage": [0.9],
                "encoded": [True],
            }
        ),
        "junction_clusters/junctions": pd.DataFrame({"junction_id": ["j"], "cluster": [1]}),
        "junction_clusters/prototypes": pd.DataFrame(
            {
                "cluster": [1, 1],
                "kind": ["prototype", "random"],
                "junction_id": ["j", "j"],
                "tile_id": ["j-00"] * 2,
            }
        ),
        "junction_tests/clusters": pd.DataFrame({"cluster": [1], "n_junctions": [1]}),
        "tiles/tiles": laid_out(),
        "fingerprints/tiles": seen,
        "clusters/segments": pd.DataFrame({"segment_id": ["a"], "cluster": [1]}),
        "clusters/prototypes": PICKS,
        "safety/segments": pd.DataFrame({"segment_id": ["c", "b", "a"], "n_collisions": [3, 2, 1]}),
        "safety/junctions": pd.DataFrame({"junction_id": ["j", "k"], "n_collisions": [4, 0]}),
        "concentration/segments": pd.DataFrame({"segment_id": ["b"], "gi_star_spot": ["hot"]}),
        "inference/clusters": pd.DataFrame({"cluster": [1, 2], "n_segments": [1, 0]}),
        "lamps/lamps": pd.DataFrame({"lamp_id": ["l"]}),
    }


def gathered(tables, pictures):
    joined = {
        "segments": ["clusters/segments", "safety/segments", "concentration/segments"],
        "junctions": ["junction_clusters/junctions"],
    }
    return gather_layers(tables, joined, {"lamps": "lamps/lamps"}, pictures, {})


def test_carried_columns_come_to_their_row_where_ids_stand_twice():
    records = gpd.GeoDataFrame(
        {"collision_id": ["k", "k", "m"]}, geometry=gpd.points_from_xy([0, 1, 2], [0, 0, 0]), crs=CITY
    )
    carried = pd.DataFrame({"collision_id": ["k", "k", "m"], "src_light": ["day", "night", None]})
    known = tables() | {RECORDS: records, CARRIED: carried}
    found = gathered(known, {})["collisions"]["src_light"]
    assert found.fillna("none").tolist() == ["day", "night", "none"]
    assert "src_light" not in gathered(tables(), {})["collisions"]


def test_everything_known_of_a_segment_comes_to_its_row():
    layers = gathered(tables(), {"a-00": b"jpeg"})
    segments = layers["segments"].set_index("segment_id")
    assert segments["n_collisions"].tolist() == [1, 2, 3]
    assert segments["n_tiles"].fillna(0).tolist() == [2, 1, 0]
    assert segments["coverage"].iloc[:2].tolist() == [0.75, 0.75]
    assert segments.loc["b", "gi_star_spot"] == "hot"
    # the only tile with a picture, though the other one is as near to the middle
    assert segments.loc["a", "shown_tile"] == "a-00"
    assert segments["shown_tile"].isna().tolist() == [False, True, True]
    assert layers["junctions"]["n_collisions"].tolist() == [4, 0]


def test_a_city_without_junctions_has_their_layers_all_the_same():
    """Parquet keeps no type of a column of text without rows."""
    empty = {
        name: frame.iloc[:0].assign(junction_id=pd.Series(dtype="float64"))
        for name, frame in tables().items()
        if "junction_id" in frame
    }
    empty["junction_clusters/junctions"] = JUNCTION_TYPED.empty()
    nothing = {"junction_tests/clusters": tables()["junction_tests/clusters"].iloc[:0]}
    layers = gathered(tables() | empty | nothing, {})
    assert [len(layers[name]) for name in ("junctions", "junction_tiles", "junction_clusters")] == [0, 0, 0]
    assert "cluster" in layers["junctions"]


def test_everything_known_of_a_junction_comes_to_its_row():
    layers = gathered(tables(), {"j-00": b"jpeg"})
    junctions = layers["junctions"].set_index("junction_id")
    assert junctions.loc["j", ["n_collisions", "cluster", "shown_tile"]].tolist() == [4, 1, "j-00"]
    assert junctions.loc["k", ["cluster", "shown_tile"]].isna().all()
    tiles = layers["junction_tiles"].set_index("tile_id")
    assert tiles["encoded"].tolist() == [True, False]
    assert tiles.loc["j-00", ["image_id", "coverage", "thumbnail"]].tolist() == ["w", 0.9, b"jpeg"]
    assert layers["junction_clusters"]["prototype_tiles"].tolist() == ["j-00"]
    assert layers["lamps"]["lamp_id"].tolist() == ["l"]
    assert layers["clusters"].set_index("cluster")["prototype_tiles"].fillna("").tolist() == ["a-01", ""]


def test_a_city_without_records_has_a_layer_of_collisions_without_any():
    assert len(gathered(tables(), {})["collisions"]) == 0
    records = gpd.GeoDataFrame({"collision_id": ["1"]}, geometry=[shapely.Point(0, 0)], crs=CITY)
    assert gathered(tables() | {RECORDS: records}, {})["collisions"] is records


def test_the_coverage_of_a_tile_is_that_of_its_pixels_where_they_were_read():
    found = read_or_laid_out(laid_out(), tables()["fingerprints/tiles"]).set_index("tile_id")
    assert found["coverage"].to_dict() == {"a-00": 0.5, "a-01": 1.0, "b-00": 0.75}
    assert found["encoded"].tolist() == [False, True, False]
    assert found["image_id"].isna().tolist() == [False, False, True]


def test_a_segment_is_shown_by_the_pictured_tile_nearest_to_its_middle():
    tiles = pd.DataFrame(
        {
            "tile_id": ["a-00", "a-01", "a-02", "b-00"],
            "segment_id": ["a", "a", "a", "b"],
            "position_m": [0.0, 50.0, 100.0, 0.0],
            "thumbnail": [b"1", b"2", b"3", None],
        }
    )
    assert shown_tiles(tiles).to_dict() == {"a": "a-01"}


@pytest.mark.parametrize(
    ("which", "held"), [("none", set()), ("prototypes", {"a-01", "b-00"}), ("all", {"a-01", "b-00", "z-09"})]
)
def test_the_file_holds_pictures_of_prototypes_and_edges_or_of_all_or_none(which, held):
    pictures = {"a-01": b"1", "b-00": b"2", "z-09": b"3"}
    assert pictures_of_file(pictures, PICKS, which) == {name: pictures[name] for name in held}


def test_the_report_shows_the_picks_and_the_middle_of_every_segment_of_a_small_city():
    encoded = laid_out()[["tile_id", "segment_id", "position_m"]].iloc[[0, 2]]
    alike = pd.DataFrame(columns=["segment_id", "similar_segment_id", "rank", "place"])
    assert tiles_of_report(encoded, alike, PICKS) == {"a-00", "a-01", "b-00"}


def test_a_tile_on_imagery_has_a_picture(tmp_path):
    images = catalogue(write_raster(tmp_path / "a.tif", noise(100, 100))).images
    tiles = tiles_at([(WEST + 50, NORTH - 50)], Tiles(tile_m=40))
    tiles = tiles.join(cover_tiles(tiles, images))
    ((name, jpeg),) = draw_pictures(tiles, images, Imagery(sources=["a"]), Tiles(tile_m=40))
    assert name == tiles["tile_id"].iloc[0]
    assert jpeg.startswith(b"\xff\xd8")


# tiles along roads


def road(west, east):
    line = shapely.LineString([(WEST + west, NORTH - 50), (WEST + east, NORTH - 50)])
    return gpd.GeoDataFrame({"segment_id": ["r"]}, geometry=[line], crs=CITY)


def test_tiles_of_a_road_that_leaves_the_imagery_are_counted_apart(tmp_path):
    images = catalogue(write_raster(tmp_path / "a.tif", noise(100, 100))).images
    tiles, entries = lay_out_tiles(road(0, 400), images, Tiles(tile_m=40))
    told = {entry.status: entry.count for entry in entries}
    assert told["done"] == (tiles["coverage"] > 0).sum() > 0
    assert told["skipped"] == (tiles["coverage"] == 0).sum() > 0
    assert tiles["shard"].notna().all()
    assert TILES_PER_SHARD["dense"] > TILES_PER_SHARD["tile"]


def test_a_road_far_from_all_imagery_is_refused_with_both_places(tmp_path):
    images = catalogue(write_raster(tmp_path / "a.tif", noise(100, 100))).images
    with pytest.raises(LayerError, match="no road lies on the imagery: roads within"):
        lay_out_tiles(road(50_000, 50_400), images, Tiles(tile_m=40))


def test_a_tile_of_too_many_pixels_is_refused_before_anything_is_laid_out(tmp_path):
    images = catalogue(write_raster(tmp_path / "a.tif", noise(100, 100), pixel=0.01)).images
    with pytest.raises(ConfigurationError, match="are possible"):
        lay_out_tiles(road(0, 400), images, Tiles(tile_m=200))
