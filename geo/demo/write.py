"""The files of the demo town."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import rasterio
import shapely
import yaml
from affine import Affine
from numpy.typing import NDArray
from PIL import Image

from geo.config import Roads, Segments
from geo.demo.collisions import DIRT, ORIGIN, YEARS, Truth, draw_collisions, soil, tell_truth
from geo.demo.ground import GROUND_FILE, THINGS_FILE, Ground, count_things, write_ground
from geo.demo.layout import SIZE_M, Road
from geo.demo.plans import SEED
from geo.demo.plans.registry import USUAL, plan_of
from geo.demo.records import draw_casualties, draw_counts
from geo.demo.scene import Scene, paint
from geo.demo.treatments import draw_treatments
from geo.roads.read import read_roads
from geo.roads.segments import build_network

CRS = "EPSG:27700"
FILES_ACROSS = 4
GAP = (3, 0)
"""Column and row (from the south-west) of the imagery file that is missing."""
NODATA = (0, 3)
"""Of the file whose north-west corner has no data."""


@dataclass(frozen=True, slots=True)
class DemoTown:
    """Where the files of the town are."""

    folder: Path

    @property
    def city(self) -> Path:
        """The city's file."""
        return self.folder / "city.yaml"

    def truth(self) -> Truth:
        """Read the true rates."""
        segments = gpd.read_parquet(self.folder / "truth_segments.parquet")
        return Truth(segments, gpd.read_parquet(self.folder / "truth_junctions.parquet"))

    def things(self) -> gpd.GeoDataFrame:
        """Read what can be counted on its ground (`geo.demo.ground.count_things`); `read_ground` there has the map."""
        return gpd.read_parquet(self.folder / THINGS_FILE)


def make_town(
    folder: Path,
    *,
    seed: int = SEED,
    pixel_m: float = 0.25,
    plan: str = USUAL,
    treated: bool = False,
    mapped: bool = False,
) -> DemoTown:
    """Draw the demo town; the same seed gives the same bytes.

    Parameters
    ----------
    folder
        An existing folder, which gets ``imagery/*.tif``, ``roads.gpkg``, ``collisions.csv``,
        ``casualties.csv``, ``traffic.csv``, ``city.yaml`` and the truth: ``truth_segments.parquet``,
        ``truth_junctions.parquet``; of the ground, ``truth_ground.tif`` and ``truth_things.parquet``.
    seed
        Seed of the picture, the rates and the collisions, and of what a kind of plan leaves open.
    pixel_m
        Ground size of a pixel of the imagery (metres).
    plan
        How its roads lie: one of `geo.demo.plans.registry.PLANS`. ``town`` is the same for every seed.
    treated
        Whether some segments are treated, to no effect (`geo.demo.treatments`): ``treatments.csv``, a section of the
        city's file, and the truth, ``truth_treatments.parquet``. All other files are the same.
    mapped
        Whether the city's file asks what lies on the ground.

    Raises
    ------
    ConfigurationError
        When there is no plan of that name.
    """
    town = DemoTown(folder)
    laid_out = plan_of(plan, seed)
    roads = laid_out.roads
    scene = paint(laid_out, size_m=SIZE_M, pixel_m=pixel_m, seed=seed)
    shown = _write_imagery(scene.picture, folder / "imagery", pixel_m, seed)
    _write_roads(roads, folder / "roads.gpkg")
    source = read_roads(Roads(source=str(folder / "roads.gpkg"), id_field="road_id"), crs=CRS, area=None)
    network = build_network(source.kept, Segments())
    truth = tell_truth(network.segments, network.junctions, laid_out, seed=seed)
    truth.segments.to_parquet(folder / "truth_segments.parquet")
    truth.junctions.to_parquet(folder / "truth_junctions.parquet")
    _write_ground(scene, shown, network.segments, folder, pixel_m)
    collisions = draw_collisions(truth, seed=seed)
    write_collisions(collisions, folder / "collisions.csv", seed=seed)
    write_table(draw_casualties(collisions, seed=seed), folder / "casualties.csv")
    write_table(draw_counts(network.segments, seed=seed), folder / "traffic.csv")
    town.city.write_text(_city(plan, treated=treated, mapped=mapped), encoding="utf-8")
    if treated:
        treatments = draw_treatments(truth.segments, collisions, seed=seed)
        treatments.to_parquet(folder / "truth_treatments.parquet")
        write_table(treatments.drop(columns=["segment_id", "effect"]), folder / "treatments.csv")
    return town


def write_collisions(collisions: pd.DataFrame, path: Path, *, seed: int) -> None:
    """Write collisions with the usual dirt as the DfT publishes them."""
    write_table(soil(collisions, seed=seed), path)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table, the same bytes for the same rows."""
    table.to_csv(path, index=False, lineterminator="\n")


def _write_imagery(picture: Image.Image, folder: Path, pixel_m: float, seed: int) -> NDArray[np.bool_]:
    """Cut the picture into files, each lit a little otherwise, with a gap and a dark corner; gives what they show."""
    folder.mkdir()
    rng = np.random.default_rng([seed, 6])
    side = picture.width // FILES_ACROSS
    shown = np.zeros((side * FILES_ACROSS, side * FILES_ACROSS), dtype=bool)
    for column in range(FILES_ACROSS):
        for row in range(FILES_ACROSS):
            light = 1 + rng.normal(0, 0.03) + rng.normal(0, 0.012, 3)
            if (column, row) == GAP:
                continue
            top = (FILES_ACROSS - 1 - row) * side
            piece = np.asarray(
                picture.crop((column * side, top, (column + 1) * side, top + side)), dtype=np.float32
            )
            pixels = np.clip(piece * light.astype(np.float32), 0, 255).astype(np.uint8)
            valid = np.ones((side, side), dtype=bool)
            if (column, row) == NODATA:
                y, x = np.mgrid[0:side, 0:side]
                valid = x + y > side * 0.55
                pixels[~valid] = 0
            shown[top : top + side, column * side : (column + 1) * side] = valid
            corner = ORIGIN + np.array([column, row + 1]) * side * pixel_m
            name = f"town_{int(corner[0]) // 100}_{int(corner[1] - side * pixel_m) // 100}.tif"
            _write_raster(folder / name, pixels, valid, Affine(pixel_m, 0, corner[0], 0, -pixel_m, corner[1]))

    return shown


def _write_ground(
    scene: Scene, shown: NDArray[np.bool_], segments: gpd.GeoDataFrame, folder: Path, pixel_m: float
) -> None:
    """Write the true map of what the imagery shows, pixel for pixel, and what can be counted."""
    rows, columns = shown.shape
    ground = np.where(shown, np.asarray(scene.ground)[:rows, :columns], np.uint8(Ground.NOTHING))
    corner = float(ORIGIN[0]), float(ORIGIN[1]) + rows * pixel_m
    write_ground(folder / GROUND_FILE, ground, corner, pixel_m)
    things = count_things(scene.things, ground, segments, corner=corner, pixel_m=pixel_m, origin=ORIGIN)
    things.to_parquet(folder / THINGS_FILE)


def _write_raster(path: Path, pixels: NDArray[np.uint8], valid: NDArray[np.bool_], transform: Affine) -> None:
    height, width, bands = pixels.shape
    profile = {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": bands,
        "dtype": "uint8",
        "crs": CRS,
        "transform": transform,
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "compress": "JPEG",
        "photometric": "YCBCR",
        "jpeg_quality": 85,
    }
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **profile) as raster:
        raster.write(np.moveaxis(pixels, -1, 0))
        if not valid.all():
            raster.write_mask(valid)


def _write_roads(roads: list[Road], path: Path) -> None:
    """Write the roads with the usual dirt: one drawn twice, backwards; one of no length; heights; parts."""
    lines: list[shapely.Geometry] = [
        shapely.transform(road.line, lambda xy: np.round(xy + ORIGIN, 2)) for road in roads
    ]
    table = pd.DataFrame(
        {
            "road_id": [str(i) for i in range(1, len(roads) + 1)],
            "name": [road.name for road in roads],
            "highway": [road.look.highway for road in roads],
            "ref": [road.ref for road in roads],
            "oneway": ["yes" if road.form in {"dual_carriageway", "roundabout"} else "no" for road in roads],
            "junction": ["roundabout" if road.form == "roundabout" else None for road in roads],
            "bridge": ["yes" if road.bridge else None for road in roads],
            "layer": [1 if road.bridge else 0 for road in roads],
        }
    )
    spots = {road.form: i for i, road in enumerate(roads)}
    heights = spots["cul_de_sac"]
    lines[heights] = shapely.force_3d(lines[heights], 91.5)
    parts = spots["rural_lane"]
    middle = shapely.get_coordinates(lines[parts])
    half = len(middle) // 2
    lines[parts] = shapely.MultiLineString([middle[: half + 1], middle[half:]])
    again = table.iloc[[spots["terraced_street"], spots["industrial_road"]]].copy()
    again["road_id"] = [str(len(roads) + 1), str(len(roads) + 2)]
    point = shapely.get_coordinates(lines[spots["industrial_road"]])[0]
    lines += [shapely.reverse(lines[spots["terraced_street"]]), shapely.LineString([point, point])]
    frame = gpd.GeoDataFrame(pd.concat([table, again], ignore_index=True), geometry=lines, crs=CRS)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2024-01-01T00:00:00.000Z"})
    try:
        pyogrio.write_dataframe(
            frame,
            path,
            layer="roads",
            driver="GPKG",
            geometry_type="Unknown",
            dataset_options={"VERSION": "1.3"},
        )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _city(plan: str, *, treated: bool, mapped: bool) -> str:
    """Write the city's file."""
    city: dict[str, object] = {
        "city": f"demo-{plan}",
        "crs": CRS,
        "imagery": {"sources": ["imagery/*.tif"], "licence": "drawn by roadprint"},
        "roads": {"source": "roads.gpkg", "id_field": "road_id", "licence": "drawn by roadprint"},
        "collisions": {
            "sources": ["collisions.csv"],
            "schema": "stats19",
            "casualties": "casualties.csv",
            "carry": ["hour", "speed_limit", "junction_detail"],
            "period": [f"{YEARS[0]}-01-01", f"{YEARS[1]}-12-31"],
            "licence": "drawn by roadprint",
        },
        "exposure": {"sources": ["traffic.csv"], "schema": "dft_aadf", "licence": "drawn by roadprint"},
    }
    if treated:
        city["interventions"] = {
            "source": "treatments.csv",
            "id": "treatment_id",
            "kind": "kind",
            "date": "date",
            "end": "end",
            "x": "easting",
            "y": "northing",
            "crs": CRS,
        }
    if mapped:
        city["ground"] = "unsupervised"
    dirt = ", ".join(f"{count} {kind}" for kind, count in DIRT.items())
    return f"# A town that was drawn, not built. Dirt in its records: {dirt}.\n" + yaml.safe_dump(
        city, sort_keys=False
    )
