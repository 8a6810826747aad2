"""What a layer was when it was handed over, it is when it is read back, from either kind of file."""

from datetime import UTC, datetime

import geopandas as gpd
import pandas as pd
import pytest

from geo.errors import LayerError, SourceError
from geo.outputs.files.geopackage import write_geopackage
from geo.outputs.files.geoparquet import write_geoparquet
from geo.outputs.files.reading import GEOMETRY, read_layer
from geo.outputs.layers.arrange import arrange
from geo.outputs.layers.layers import ALWAYS


@pytest.fixture
def files(grid_city, tmp_path):
    """The grid's layers as a GeoPackage and as Parquet."""
    file, folder = tmp_path / "grid.gpkg", tmp_path / "layers"
    folder.mkdir()
    date = datetime(2026, 7, 30, tzinfo=UTC)
    write_geopackage(file, grid_city.layers, crs=grid_city.crs, styles=[], date=date)
    write_geoparquet(folder, grid_city.layers, grid_city.crs)
    return file, folder


def values(frame):
    return pd.DataFrame(frame).drop(columns=GEOMETRY, errors="ignore")


def test_each_layer_is_the_same_from_the_geopackage_and_from_parquet(files, grid_city):
    for name, layer in ALWAYS.items():
        handed_over = arrange(name, grid_city.layers[name], grid_city.crs)
        expected = pd.DataFrame(handed_over).drop(columns="geom", errors="ignore")
        declared = [column.name for column in layer.columns]
        both = [read_layer(source, name) for source in files]
        pd.testing.assert_frame_equal(*map(values, both))
        for read in both:
            pd.testing.assert_frame_equal(values(read)[declared], expected[declared])
            assert sorted(values(read).columns) == sorted(expected.columns)
            if layer.geometry is not None:
                assert read.crs == grid_city.crs
                assert read.geometry.to_wkb().tolist() == handed_over.geometry.to_wkb().tolist()


def test_what_is_not_known_stays_unknown_and_whole_numbers_stay_whole(files):
    for source in files:
        segments, collisions = read_layer(source, "segments"), read_layer(source, "collisions")
        assert segments["cluster"].dtype == "Int64"
        assert segments["cluster"].isna().sum() == 4
        assert segments["src_lanes"].dtype == "Int64"
        assert isinstance(collisions["date"].dtype, pd.DatetimeTZDtype)
        assert collisions["date"].isna().sum() == 3
        # half past midnight in winter time is half past midnight
        assert collisions["date"].iloc[0] == pd.Timestamp("2019-03-31T00:30", tz="UTC")
        assert read_layer(source, "windows")["in_high_injury_network"].dtype == "boolean"
        assert isinstance(collisions, gpd.GeoDataFrame)


def test_a_layer_that_is_not_there_is_told_with_its_file(files):
    file, folder = files
    for source in files:
        with pytest.raises(LayerError, match="no layer is called 'roads'"):
            read_layer(source, "roads")
    (folder / "tests.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(SourceError, match=r"tests\.parquet"):
        read_layer(folder, "tests")
    with pytest.raises(SourceError, match=r"lost\.gpkg"):
        read_layer(file.with_name("lost.gpkg"), "tests")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(SourceError, match=r"grid\.gpkg"):
        read_layer(file, "tests")


def test_a_geopackage_of_somebody_else_is_none_of_ours(tmp_path):
    point = gpd.GeoDataFrame({"name": ["here"]}, geometry=gpd.points_from_xy([0], [0]), crs=27700)
    point.to_file(tmp_path / "theirs.gpkg", layer="places_of_interest")
    with pytest.raises(LayerError, match="no layer 'segments'"):
        read_layer(tmp_path / "theirs.gpkg", "segments")
