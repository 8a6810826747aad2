"""Feature maps of several strides: which of a network's maps are taken, and where on the ground their cells lie."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
import timm
import torch
import torchvision

from geo.config import Imagery, encoder_settings
from geo.config.sections.ground import Ground
from geo.errors import EncoderError
from geo.features.dense import Lattice
from geo.features.encoder import EncoderCard
from geo.ground.maps.pieces import Land, Pieces, beside, chips_on, sample_chips, see
from geo.ground.maps.sight import Sight, lattice_of, load_sight, pixels_per_cell
from geo.ground.maps.strides import Frame, StrideMaps
from geo.imagery.catalogue import open_catalogue

CARD = EncoderCard(
    "net", 3, None, None, ("red", "green", "blue"), (0.0, 255.0), (0.0,) * 3, (255.0,) * 3, "none", "drawn"
)


class Steps(torch.nn.Module):
    """A network that averages: its map of stride s holds the mean colour of s x s pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = torch.nn.Sequential(torch.nn.AvgPool2d(8), torch.nn.AvgPool2d(2))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.stages(images)
        return found


class OfTorch:
    """A runtime of a module as it is."""

    name = "torch"

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module

    def embed(self, images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            found: np.ndarray = self.module(torch.from_numpy(images).float()).numpy()
        return found


def stepped(turns: int = 1, *, cells: int = 16, rim: int = 4) -> Sight:
    """Sees mean colours in cells of 2 m, of pixels of 0.25 m."""
    frame = Frame((cells + 2 * rim) * 8, cells, rim)
    maps = StrideMaps(Steps(), frame, (8, 16), 3, "net")
    return Sight(Lattice(2.0, cells, rim), CARD, 8, maps=maps, runtime=OfTorch(maps), turns=turns)


def draw(path: Path, *, gap: bool = False) -> Path:
    """Draw 200 m x 200 m at 0.25 m: red in the west of x = 100, green in the east; as asked, nothing above y = 100."""
    pixels = np.zeros((3, 800, 800), dtype=np.uint8)
    pixels[0, :, :400] = 200
    pixels[1, :, 400:] = 200
    if gap:
        pixels[:, :400] = 0
    profile = {
        "driver": "GTiff",
        "width": 800,
        "height": 800,
        "count": 3,
        "dtype": "uint8",
        "crs": 27700,
        "nodata": 0,
    }
    with rasterio.open(path, "w", transform=rasterio.Affine(0.25, 0, 0, 0, -0.25, 200), **profile) as raster:
        raster.write(pixels)
    return path


def land(path: Path, sight: Sight) -> Land:
    imagery = Imagery(sources=[str(path)])
    return Land(open_catalogue(imagery, pyproj.CRS(27700)).images, imagery, sight)


@pytest.mark.parametrize(
    ("finest", "pixel"), [(0.05, 0.25), (0.3, 0.25), (0.5, 0.5), (1.0, 0.5), (10.0, 0.5)]
)
def test_imagery_is_brought_to_pixels_of_a_quarter_to_half_a_metre(finest: float, pixel: float) -> None:
    assert 2.0 / pixels_per_cell(Ground(), finest) == pixel


@pytest.mark.parametrize("cell", [0.25, 1.0, 2.0, 7.0, 20.0])
@pytest.mark.parametrize("strides", [(8, 16), (4, 8, 16, 32)])
def test_images_suit_all_strides_whatever_the_cells(cell: float, strides: tuple[int, ...]) -> None:
    settings = Ground(cell_m=cell, strides=strides)
    lattice, per_cell = lattice_of(settings, 0.3), pixels_per_cell(settings, 0.3)
    assert (lattice.cells + 2 * lattice.rim) * per_cell % 32 == 0
    assert lattice.rim * per_cell >= 2 * max(strides)


def test_a_cell_is_of_the_ground_that_it_lies_on(tmp_path: Path) -> None:
    """Red west of 100 m and green east of it, to the cell; and each stride's part has length 1."""
    ground = land(draw(tmp_path / "photo.tif"), stepped())
    found = [
        piece for piece, _, _ in see(chips_on(ground, np.array([shapely.box(40, 40, 160, 160)])), ground)
    ]
    assert len(found) == 16
    for piece in found:
        assert piece is not None
        centre = piece.x + (np.arange(16) + 0.5) * 2
        clear = np.abs(centre - 100) > 8
        colour = piece.features[:, :, :3].argmax(axis=-1)
        inside = piece.known().all(axis=0) & clear
        assert (colour[:, inside] == (centre[inside] > 100)).all()
        lengths = np.linalg.norm(piece.features.reshape(16, 16, 2, 3), axis=-1)
        assert np.allclose(lengths[piece.known()], 1, atol=1e-5)


def test_turned_and_turned_back_a_cell_stays_where_it_is(tmp_path: Path) -> None:
    path, shape = draw(tmp_path / "photo.tif"), np.array([shapely.box(70, 70, 90, 90)])
    once, four = (
        [p.features for p, _, _ in see(chips_on(ground, shape), ground) if p is not None]
        for ground in (land(path, stepped()), land(path, stepped(4)))
    )
    assert np.allclose(once, four, atol=1e-5)


def test_a_piece_says_where_there_is_no_data(tmp_path: Path) -> None:
    ground = land(draw(tmp_path / "photo.tif", gap=True), stepped())
    for piece in Pieces(chips_on(ground, np.array([shapely.box(70, 70, 130, 130)])), ground):
        y = piece.y - (np.arange(16) + 0.5) * 2
        assert (piece.known().all(axis=1) == (y < 100)).all()


def test_only_chips_beside_roads_are_laid_out(tmp_path: Path) -> None:
    """A road 5 m from the border between two columns of chips of 32 m reaches over it with 30 m, not with 4 m."""
    ground = land(draw(tmp_path / "photo.tif"), stepped())
    line = np.array([shapely.LineString([(91, 66), (91, 94)])])
    columns = [set(chips_on(ground, beside(line, reach))["column"]) for reach in (4.0, 30.0)]
    assert columns == [{2}, {1, 2, 3}]
    assert chips_on(ground, line[:0]).empty


def test_a_sample_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    ground = land(draw(tmp_path / "photo.tif"), stepped())
    near = np.array([shapely.box(0, 0, 200, 200)])
    chips = chips_on(ground, near)
    draws = [
        sample_chips(chips, near, ground.sight.lattice, 5, seed)["tile_id"].tolist() for seed in (0, 0, 1)
    ]
    assert draws[0] == draws[1] != draws[2]
    assert len(draws[0]) == 5


@pytest.mark.parametrize(
    ("model", "strides", "widths"),
    [
        (timm.create_model("resnet18", pretrained=False, num_classes=0), (8, 16), (128, 256)),
        (torchvision.models.resnet18(), (4, 8, 32), (64, 128, 512)),
        (torchvision.models.mobilenet_v3_small(), (8, 16), (24, 48)),
        (torchvision.models.swin_t(), (8, 16), (192, 384)),
    ],
)
def test_of_each_stride_the_last_map_is_taken(
    model: torch.nn.Module, strides: tuple[int, ...], widths: tuple[int, ...]
) -> None:
    maps = StrideMaps(model, Frame(128, 8, 4), strides, 3, "net")
    assert (maps.strides, maps.widths) == (strides, widths)
    with torch.inference_mode():
        assert maps(torch.rand(2, 3, 128, 128)).shape == (2, sum(widths), 8, 8)


def test_a_transformer_of_patches_has_one_map_whatever_is_asked() -> None:
    model = timm.create_model("vit_tiny_patch16_224", pretrained=False, num_classes=0)
    maps = StrideMaps(model, Frame(128, 24, 4), (8, 16), 3, "net")
    assert (maps.strides, maps.widths) == ((16,), (192,))


def test_the_tokens_of_a_transformer_stand_where_their_patches_are() -> None:
    """One patch is changed: before any block mixes them, that token alone is another one."""
    model = timm.create_model("vit_tiny_patch16_224", pretrained=False, num_classes=0, depth=1)
    model.blocks[0] = torch.nn.Identity()
    maps = StrideMaps(model, Frame(128, 8, 0), (16,), 3, "net")
    images = torch.zeros(2, 3, 128, 128)
    images[1, :, 32:48, 96:112] = 1
    with torch.inference_mode():
        other = (maps(images)[0] - maps(images)[1]).abs().sum(dim=0)
    assert torch.nonzero(other > 1e-6).tolist() == [[2, 6]]


def test_a_network_without_the_stride_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(EncoderError, match="maps of strides 8, 16, and ground"):
        StrideMaps(Steps(), Frame(192, 16, 4), (8, 32), 3, "net")


@pytest.mark.parametrize("model", [torch.nn.Sequential(torch.nn.Flatten()), torchvision.models.vit_b_16()])
def test_a_network_without_maps_is_refused(model: torch.nn.Module) -> None:
    with pytest.raises(EncoderError, match="shows no feature maps to tell the ground by"):
        StrideMaps(model, Frame(192, 16, 4), (8, 16), 3, "net")


@pytest.mark.parametrize("name", ["bands"])
def test_what_is_no_network_is_refused(name: str) -> None:
    with pytest.raises(EncoderError, match="it is no network"):
        load_sight(Ground(), encoder_settings(name=name), Imagery(sources=["a.tif"]), finest_m=1.0)


def test_a_way_that_asks_for_pictures_alone_loads_no_encoder(tmp_path: Path) -> None:
    imagery = Imagery(sources=[str(draw(tmp_path / "photo.tif"))])
    sight = load_sight(Ground(), encoder_settings(name="bands"), imagery, finest_m=0.25, encodes=False)
    ground = Land(open_catalogue(imagery, pyproj.CRS(27700)).images, imagery, sight)
    pieces = Pieces(chips_on(ground, np.array([shapely.box(20, 20, 30, 30)])), ground)
    assert pieces[0].features.shape == (56, 56, 0)
    assert pieces[0].picture.shape == (3, 448, 448)
    assert isinstance(ground.images, gpd.GeoDataFrame)
