"""Method sam of the section ground: windows of imagery, the network's weights, what is kept of it."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter
from shapely import LineString, Point
from transformers import SamConfig, SamModel

from geo.config.kinds import one_of
from geo.errors import EncoderError
from geo.ground.contract import UNKNOWN, Piece, Surroundings
from geo.ground.file import read_classifier, write_classifier
from geo.ground.prompted.carriageways import Carriageways, lay_windows, roads_of, window_of
from geo.ground.prompted.network.network import STRIDE, Masks
from geo.ground.prompted.settings import Sam
from geo.ground.registry import way_of

CRS = "EPSG:27700"


def saved_network(folder: Path) -> str:
    """A small network of SAM's architecture with random weights, for pictures of 256 pixels, as transformers does."""
    import torch

    torch.manual_seed(5)
    decoder = {"hidden_size": 32, "mlp_dim": 64, "iou_head_hidden_dim": 32}
    vision = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "global_attn_indexes": [1]}
    vision |= {"image_size": 256, "output_channels": 32, "num_pos_feats": 16, "window_size": 7}
    prompts = {"hidden_size": 32, "image_size": 256}
    SamModel(
        SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    ).save_pretrained(folder)
    return str(folder)


def around() -> Surroundings:
    """Two roads that meet."""
    lines = [LineString([(-40, 30), (30, 30)]), LineString([(30, 30), (120, 30)])]
    classes = ["residential", None]
    segments = gpd.GeoDataFrame({"segment_id": ["a", "b"], "road_class": classes}, geometry=lines, crs=CRS)
    junctions = gpd.GeoDataFrame(
        {"junction_id": ["j"], "radius_m": [np.nan]}, geometry=[Point(30, 30)], crs=CRS
    )
    none = gpd.GeoDataFrame({"tile_id": []}, geometry=[], crs=CRS)
    return Surroundings(segments, junctions, none, none)


def piece(bands: int = 3, *, shown: bool = True) -> Piece:
    """The piece that a lattice of windows of 256 px at 0.25 m has at the CRS's origin, with its rim."""
    lattice, per_cell = lay_windows(256, 0.25)
    size, rim = lattice.cells * per_cell, lattice.rim * per_cell
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 255, (bands, 256, 256)).astype(np.uint8)
    valid = np.full((256, 256), shown)
    inside = slice(rim, rim + size), slice(rim, rim + size)
    features = np.zeros((lattice.cells, lattice.cells, 0), dtype=np.float32)
    own = picture[:, *inside], valid[inside]
    return Piece("0_0", features, *own, 0.0, lattice.chip_m, lattice.cell_m, 0.25, around=(picture, valid))


class Road:
    """A network that draws a road of 8 m along y = 30."""

    side = 256

    def encode(self, picture: np.ndarray, valid: np.ndarray) -> None:
        assert picture.shape == (3, 256, 256)
        assert valid.shape == (256, 256)

    def masks(self, embedded: None, points: np.ndarray, labels: np.ndarray) -> Masks:  # noqa: ARG002
        north = 48.0 + 8.0
        y = north - (np.arange(64) + 0.5) * STRIDE * 0.25
        field = np.repeat((4 - np.abs(y - 30))[:, None], 64, axis=1)
        fields = np.broadcast_to(field, (len(points), 3, 64, 64)).astype(np.float32)
        return Masks(fields, np.full((len(points), 3), 0.8, dtype=np.float32))


def test_windows_are_of_the_networks_side_and_overlap_by_their_rims() -> None:
    lattice, per_cell = lay_windows(1024, 0.25)
    assert (lattice.cells + 2 * lattice.rim) * per_cell == 1024
    assert lattice.shown_m == 256
    assert lattice.chip_m == 192
    with_rim = window_of(piece())
    assert with_rim.core == (0.0, 0.0, 48.0, 48.0)
    assert with_rim.picture.shape == (3, 256, 256)


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_imagery_of_any_number_of_bands_is_seen_in_three(bands: int) -> None:
    assert window_of(piece(bands)).picture.shape == (3, 256, 256)


def test_a_piece_has_its_carriageway_mapped_and_what_lies_beside_is_not_known() -> None:
    own = Carriageways(roads_of(around()))
    own.network = Road()
    seen = own.see(piece())
    rows, columns = seen.classes.shape
    side = 48 / rows
    y = 48 - (np.arange(rows) + 0.5) * side
    assert rows == columns
    on = np.abs(y - 30) < 3.9
    assert (seen.classes[on] == 1).all()
    assert (seen.classes[np.abs(y - 30) > 4.1] == UNKNOWN).all()
    told = own.measured(seen.measures).set_index("segment_id")
    # of the second road all in this piece lies near the junction, or is measured by the next one
    assert told["carriageway_width_m"].loc["a"] == pytest.approx(8, abs=0.1)


def test_a_piece_without_data_is_not_known_and_measures_nothing() -> None:
    own = Carriageways(roads_of(around()))
    own.network = Road()
    seen = own.see(piece(shown=False))
    assert (seen.classes == UNKNOWN).all()
    assert seen.measures is None


def test_what_is_kept_are_the_lines_alone_and_the_same_bytes(tmp_path: Path) -> None:
    weights = saved_network(tmp_path / "net")
    way = Sam(sam=weights)
    learned = way.learn([], around())
    assert learned.classifier is not None
    assert "no truth" in learned.notes[0]
    for name in ("one", "other"):
        write_classifier(tmp_path / name, learned.classifier)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert str(tmp_path).encode() not in (tmp_path / "one").read_bytes(), "where weights lie is no part of it"
    again = way.ready(read_classifier(tmp_path / "one"))
    seen = again.see(piece())
    own = way.ready(learned.classifier).see(piece())
    assert (seen.classes == own.classes).all()
    pd.testing.assert_frame_equal(seen.measures, own.measures)
    # random weights find what they find; every section of the piece is told all the same
    assert set(seen.measures["segment_id"]) <= {"a", "b"}
    assert len(seen.measures) > 0
    with pytest.raises(ValueError, match="network"):
        read_classifier(tmp_path / "one").see(piece())


def test_weights_are_inputs_of_a_run_and_names_are_no_paths(tmp_path: Path) -> None:
    weights = saved_network(tmp_path / "net")
    assert [Path(file).name for file in Sam(sam=weights).files()] == ["config.json", "model.safetensors"]
    assert Sam(sam="mobile_sam").files() == []
    moved = Sam(sam="net").with_paths(lambda path: str(tmp_path / path))
    assert moved.sam == weights
    assert Sam(sam="sam2.1").with_paths(lambda path: f"/x/{path}").sam == "sam2.1"


def test_the_method_follows_from_its_key_and_is_off_by_default() -> None:
    adapter = TypeAdapter(one_of("geo.ground.registry", key="method"))
    assert way_of(adapter.validate_python({"method": "sam"})).encodes is False
    assert adapter.validate_python({}).method == "none"
    assert isinstance(adapter.validate_python({"method": "sam", "sam": "sam2.1"}), Sam)


def test_a_run_ends_before_it_reads_where_weights_are_of_another_model(tmp_path: Path) -> None:
    weights = saved_network(tmp_path / "net")
    (tmp_path / "net" / "config.json").write_text('{"model_type": "detr"}')
    with pytest.raises(EncoderError, match="detr"):
        Sam(sam=weights).learn([], around())
    with pytest.raises(EncoderError, match="detr"):
        Sam(sam=weights).chips(0.25)


class Discs:
    """A network that draws a disc of 3 m about the first point of each prompt, a mask of all, and one of nothing."""

    side = 256

    def __init__(self) -> None:
        self.encoded, self.labels = 0, []

    def encode(self, picture: np.ndarray, valid: np.ndarray) -> None:  # noqa: ARG002
        self.encoded += 1

    def masks(self, embedded: None, points: np.ndarray, labels: np.ndarray) -> Masks:  # noqa: ARG002
        self.labels += labels.tolist()
        middle = (np.arange(64) + 0.5) * STRIDE
        far = np.hypot(middle - points[:, 0, 0, None, None], middle[:, None] - points[:, 0, 1, None, None])
        disc = 3 - far * 0.25
        fields = np.stack([disc, np.ones_like(disc), -np.ones_like(disc)], axis=1)
        return Masks(
            fields.astype(np.float32), np.tile([[0.6, 0.9, 0.9]], (len(points), 1)).astype(np.float32)
        )


def _points(tmp_path: Path, names: list[str], places: list[tuple[float, float]]) -> str:
    points = gpd.GeoDataFrame({"class": names}, geometry=[Point(one) for one in places], crs=CRS)
    points.to_file(tmp_path / "things.gpkg")
    return str(tmp_path / "things.gpkg")


def _seen_area() -> Surroundings:
    told = around()
    area = gpd.GeoDataFrame({"image_id": ["i"]}, geometry=[Point(24, 24).buffer(200)], crs=CRS)
    return Surroundings(told.segments, told.junctions, told.tiles, area)


def test_points_of_a_few_label_map_are_prompts_and_their_things_are_outlined(tmp_path: Path) -> None:
    names, places = ["tree", "Car park", "tree", "tree"], [(10, 10), (18, 10), (40, 42), (500, 500)]
    way = Sam(sam=saved_network(tmp_path / "net"), points=_points(tmp_path, names, places))
    assert [Path(file).name for file in way.files()][-1] == "things.gpkg"
    learned = way.learn([], _seen_area())
    told = {(entry.status, entry.count) for entry in learned.entries}
    assert sum(count for _, count in told) == 4, "every point is accounted for"
    own = learned.classifier
    assert [(one.number, one.key, one.name) for one in own.classes] == [
        (1, "carriageway", "carriageway"),
        (2, "car_park", "Car park"),
        (3, "tree", "tree"),
    ]
    write_classifier(tmp_path / "kept", own)
    again = read_classifier(tmp_path / "kept")
    assert again.classes == own.classes
    again.network = Discs()
    seen = again.see(piece())
    assert again.network.encoded == 1, "once for roads and things"
    # the two that are 8 m apart lie beside each other, the third has none near
    assert sorted(labels for labels in again.network.labels if len(labels) < 3)[:2] == [[1], [1, 0]]
    area = (48 / len(seen.classes)) ** 2
    for number, discs in ((2, 1), (3, 2)):
        assert (seen.classes == number).sum() * area == pytest.approx(discs * np.pi * 9, rel=0.1)
    side = 48 / len(seen.classes)
    row, column = int((48 - 10) / side), int(18 / side)
    assert seen.classes[row, column] == 2
    assert again.scores(piece())[1, row, column] > 0
