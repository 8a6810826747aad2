"""What a run says of the ground beside roads, read back by Python."""

import numpy as np
import pandas as pd
import pytest
from made_run import make_run

import roadprint
from geo.errors import LayerError
from geo.ground.there.compared import compare_ground
from geo.outputs.layers.layers import LAYERS


@pytest.fixture
def mapped(grid_city):
    """The grid with the shares of two classes, known of three in four segments and of a part of the ground."""
    segments = grid_city.layers["segments"]
    rng = np.random.default_rng(0)
    for band in ("0_6m", "6_15m"):
        first = np.where(np.arange(len(segments)) % 4 < 3, rng.uniform(0, 0.8, len(segments)), np.nan)
        segments = segments.assign(**{f"ground_1_{band}": first, f"ground_tree_{band}": 0.8 - first})
        segments[f"ground_unknown_{band}"] = 0.2 + 0 * first
    classes = {column.name: None for column in LAYERS["ground_classes"].columns}
    classes |= {
        "class": [1, 2],
        "key": ["1", "tree"],
        "name": [None, "tree"],
        "colour": "#CC6677",
        "source": "found",
    }
    middle = segments.geometry.centroid
    types = compare_ground(segments.assign(x=middle.x, y=middle.y).set_index("segment_id"), seed=0)
    grid_city.layers |= {
        "segments": segments,
        "ground_classes": pd.DataFrame(classes),
        "ground_types": types,
    }
    return grid_city


@pytest.mark.parametrize("whole", [True, False])
def test_shares_come_with_their_classes_from_the_folder_and_from_the_file_alone(mapped, tmp_path, whole):
    folder = make_run(mapped, tmp_path)
    opened = roadprint.open(folder if whole else (folder / "grid.gpkg").rename(tmp_path / "alone.gpkg"))
    ground = opened.ground
    assert ground.classes["class"].tolist() == [1, 2]
    assert set(ground.shares["name"]) == {"class 1", "tree"}
    assert len(ground.shares) == 30 * 2 * 2
    sums = ground.shares.groupby(["segment_id", "near_m"])[["share", "share_of_known"]].sum()
    assert sums["share"].to_numpy() == pytest.approx(0.8)
    assert sums["share_of_known"].to_numpy() == pytest.approx(1.0)
    assert ground.shares["known"].to_numpy() == pytest.approx(0.8)
    assert ground.table.shape == (30, 4)
    assert ground.table.loc["0000000000000000", ("tree", "0 to 6 m")] == pytest.approx(
        mapped.layers["segments"]["ground_tree_0_6m"].iloc[0] / 0.8
    )
    assert set(ground.types["key"]) == {"1", "tree"}
    assert ground.map is None


def test_the_map_is_named_where_it_lies_beside(mapped, tmp_path):
    folder = make_run(mapped, tmp_path)
    (folder / "ground.tif").write_bytes(b"raster")
    assert roadprint.open(folder).ground.map == folder / "ground.tif"


def test_a_run_that_did_not_map_the_ground_says_so(grid_city, tmp_path):
    folder = make_run(grid_city, tmp_path)
    for path in (folder, folder / "grid.gpkg"):
        with pytest.raises(LayerError, match="did not map the ground"):
            _ = roadprint.open(path).ground
