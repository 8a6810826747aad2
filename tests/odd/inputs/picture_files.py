"""Where imagery lies on the ground, and the files that it comes in."""

from __future__ import annotations

from pathlib import Path

import rasterio
from forms import RIGHT, Refused, Told
from rasterio.shutil import copy
from small_town import SmallTown, write_picture

from inputs.pictures import part, picture, shown, whole


def _world(town: SmallTown, folder: Path, name: str, world: str | None, *, driver: str | None = None) -> None:
    kind = driver or {"jpg": "JPEG", "png": "PNG", "tif": "GTiff"}[name.rsplit(".", 1)[1]]
    options = {"quality": 95} if kind == "JPEG" else {}
    write_picture(folder / "made.tif", town.picture, town, crs=None, transform=None)
    if kind == "GTiff":
        (folder / "made.tif").rename(folder / name)
    else:
        copy(folder / "made.tif", folder / name, driver=kind, **options)
        (folder / "made.tif").unlink()
    (folder / f"{name}.aux.xml").unlink(missing_ok=True)
    if world is not None:
        (folder / world).write_text(f"1\n0\n0\n-1\n{town.place.x - 99.5}\n{town.place.y + 599.5}\n")


def _south_up(town: SmallTown, folder: Path) -> None:
    place = rasterio.Affine(1, 0, town.place.x - 100, 0, 1, town.place.y - 100)
    write_picture(folder / "town.tif", town.picture[:, ::-1], town, transform=place)


def _gcps(town: SmallTown, folder: Path) -> None:
    x, y = town.place.x - 100, town.place.y + 600
    corners = [(0, 0, x, y), (0, 700, x + 700, y), (700, 0, x, y - 700), (700, 700, x + 700, y - 700)]
    points = [rasterio.control.GroundControlPoint(*corner) for corner in corners]
    write_picture(folder / "town.tif", town.picture, town, transform=None, gcps=points)


def _points(town: SmallTown, folder: Path) -> None:
    write_picture(folder / "town.tif", town.picture, town)
    with rasterio.open(folder / "town.tif", "r+") as raster:
        raster.update_tags(AREA_OR_POINT="Point")


def _esri_crs(town: SmallTown, folder: Path) -> None:
    write_picture(
        folder / "town.tif", town.picture, town, crs=rasterio.CRS.from_wkt(town.crs.to_wkt("WKT1_ESRI"))
    )


KIND = "ground"

picture(
    KIND,
    "pixels of 10 m",
    shown(whole(lambda p: p[:, ::10, ::10], pixel=10.0)),
    Told("pixel|coarse|wider", wrong=("pixels",)),
    Refused("pixel|coarse|wider"),
)

picture(
    KIND,
    "pixels of 5 m",
    shown(whole(lambda p: p[:, ::5, ::5], pixel=5.0)),
    Told("pixel|coarse|wider", wrong=("pixels",)),
    RIGHT,
)

picture(
    KIND,
    "a world file, imagery.crs",
    shown(
        whole(name="town.jpg", driver="JPEG", quality=95, crs=None, WORLDFILE="YES"),
        "town.jpg",
        crs="EPSG:27700",
    ),
    pixels=14,
)

picture(
    KIND,
    "a world file, no CRS",
    shown(lambda town, folder: _world(town, folder, "town.jpg", "town.jgw"), "town.jpg"),
    Refused(r"imagery\.crs"),
)

picture(
    KIND,
    "a world file .pgw, imagery.crs",
    shown(lambda town, folder: _world(town, folder, "town.png", "town.pgw"), "town.png", crs="EPSG:27700"),
)

picture(
    KIND,
    "a world file .tfw, imagery.crs",
    shown(lambda town, folder: _world(town, folder, "town.tif", "town.tfw"), "town.tif", crs="EPSG:27700"),
)

picture(
    KIND,
    "a world file .wld, imagery.crs",
    shown(lambda town, folder: _world(town, folder, "town.png", "town.wld"), "town.png", crs="EPSG:27700"),
)

picture(
    KIND,
    "a world file in capitals, imagery.crs",
    shown(
        lambda town, folder: _world(town, folder, "town.JPG", "town.JGW", driver="JPEG"),
        "town.JPG",
        crs="EPSG:27700",
    ),
    RIGHT,
    Refused("place"),
    pixels=14,
)

picture(
    KIND,
    "no world file, imagery.crs",
    shown(lambda town, folder: _world(town, folder, "town.png", None), "town.png", crs="EPSG:27700"),
    Refused("no place|world file"),
)

picture(
    KIND,
    "imagery.crs of another CRS than the file states",
    shown(whole(), crs="EPSG:32630"),
    RIGHT,
    Refused(r"imagery\.crs"),
)

picture(
    KIND,
    "a world file, imagery.crs of degrees",
    shown(lambda town, folder: _world(town, folder, "town.png", "town.pgw"), "town.png", crs="EPSG:4326"),
    Refused("CRS|crs|place|road lies"),
)

picture(KIND, "imagery.crs that is none", shown(whole(), crs="EPSG:1"), Refused(r"imagery\.crs|crs"), RIGHT)

picture(KIND, "south up", shown(_south_up))

picture(KIND, "ground control points alone", shown(_gcps), Refused("gdalwarp|ground control"))

picture(KIND, "pixels that are points", shown(_points))

picture(
    KIND,
    "of another town",
    shown(
        lambda town, folder: write_picture(
            folder / "town.tif", town.picture, town, transform=rasterio.Affine(1, 0, 300_000, 0, -1, 300_000)
        )
    ),
    Refused("no road lies"),
)

picture(
    KIND,
    "of half of the town",
    shown(lambda town, folder: part(town, folder / "town.tif", slice(0, 700), slice(0, 350))),
    Told("outside|no imagery|no raster covers", wrong=("pixels",)),
)

picture(KIND, "a CRS without a code", shown(_esri_crs))

picture(
    KIND,
    "a picture of a picture (screenshot)",
    shown(lambda town, folder: _world(town, folder, "town.png", None), "town.png"),
    Refused("no place"),
)

KIND = "raster files"

picture(
    KIND,
    "JPEG 2000 without loss",
    shown(whole(name="town.jp2", driver="JP2OpenJPEG", quality=100, reversible="YES"), "town.jp2"),
)

picture(KIND, "PNG with its world file and .aux.xml", shown(whole(name="town.png", driver="PNG"), "town.png"))

picture(KIND, "WebP without loss", shown(whole(compress="webp", webp_lossless=True)))

picture(KIND, "a cloud optimised GeoTIFF", shown(whole(name="town.tif", driver="COG", compress="deflate")))

picture(KIND, "LERC", shown(whole(compress="lerc_deflate", max_z_error=0)))

picture(KIND, "interleaved by band", shown(whole(interleave="band", tiled=True)))

picture(KIND, "BigTIFF", shown(whole(bigtiff="yes")))

picture(KIND, "Erdas Imagine", shown(whole(name="town.img", driver="HFA"), "town.img"))

picture(
    KIND, "GeoPackage of tiles", shown(whole(name="town.gpkg", driver="GPKG", tile_format="PNG"), "town.gpkg")
)

picture(KIND, "ending .TIF", shown(whole(name="TOWN.TIF"), "TOWN.TIF"))

picture(KIND, "no ending", shown(whole(name="town"), "town"))

picture(
    KIND,
    "a PDF",
    shown(lambda _, folder: (folder / "town.pdf").write_bytes(b"%PDF-1.4\n"), "town.pdf"),
    Refused("town.pdf"),
)

picture(
    KIND,
    "ECW without its driver",
    shown(lambda _, folder: (folder / "town.ecw").write_bytes(bytes(2000)), "town.ecw"),
    Refused("ECW"),
)

picture(
    KIND,
    "MrSID without its driver",
    shown(lambda _, folder: (folder / "town.sid").write_bytes(b"msid" + bytes(2000)), "town.sid"),
    Refused("MrSID"),
)

picture(
    KIND,
    "tiles of a map service (XYZ)",
    shown(lambda *_: None, "https://tile.example.org/{z}/{x}/{y}.png"),
    Refused("XYZ|map service|tiles"),
)

picture(
    KIND,
    "a WMS",
    shown(lambda *_: None, "https://example.org/wms?SERVICE=WMS&REQUEST=GetMap&LAYERS=dop"),
    Refused("WMS"),
)

picture(
    KIND,
    "a file that is no raster",
    shown(lambda _, folder: (folder / "town.tif").write_text("<html>"), "town.tif"),
    Refused("town.tif"),
)

picture(KIND, "a file that is not there", shown(lambda *_: None, "nowhere.tif"), Refused("nowhere.tif"))

picture(
    KIND,
    "the roads in place of imagery",
    lambda town, _: town.config(imagery={"sources": [str(town.folder / "roads.gpkg")]}),
    Refused("roads.gpkg"),
)

picture(
    KIND,
    "a folder without rasters",
    shown(lambda _, folder: (folder / "tiles").mkdir(exist_ok=True), "tiles"),
    Refused("tiles"),
)
