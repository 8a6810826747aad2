"""What stages after the encoding would refuse is refused of the tiles and images alone."""

import geopandas as gpd
import pandas as pd
import pytest
from rasters import noise, write_raster

from geo.clusters.methods.ward import Ward
from geo.config import CityConfig
from geo.errors import ConfigurationError, LayerError
from tasks.refusals import check_what_follows


@pytest.fixture
def images(tmp_path):
    return gpd.GeoDataFrame({"path": [str(write_raster(tmp_path / "a.tif", noise(8, 8)))]})


def city(**sections):
    imagery = {"sources": ["a.tif"]} | sections.pop("imagery", {})
    return CityConfig.model_validate(
        {"city": "x", "roads": {"source": "r.gpkg"}, "imagery": imagery, **sections}
    )


def tiles(seen, unseen=0):
    """Two tiles a segment, one of which imagery shows; then segments that it does not show at all."""
    ids = [f"s{i}" for i in range(seen + unseen)] * 2
    return pd.DataFrame({"segment_id": ids}).assign(coverage=[1.0] * seen + [0.0] * (unseen + seen + unseen))


def test_a_band_for_pictures_that_a_raster_lacks_is_refused_by_its_key(images):
    check_what_follows(city(imagery={"picture_bands": [3, 2, 1]}), tiles(1), images)
    with pytest.raises(LayerError, match=r"imagery\.picture_bands asks for band 7"):
        check_what_follows(city(imagery={"picture_bands": [1, 2, 7]}), tiles(1), images)


def test_segments_that_imagery_shows_are_counted_once_against_what_a_clustering_takes(images, monkeypatch):
    monkeypatch.setattr(Ward, "most_segments", 4)
    ward = city(clusters={"method": "ward"})
    check_what_follows(ward, tiles(4, unseen=3), images)
    with pytest.raises(ConfigurationError, match=r"clusters\.method.*at most 4 segments, and 5 have imagery"):
        check_what_follows(ward, tiles(5), images)
    check_what_follows(city(), tiles(5), images)
