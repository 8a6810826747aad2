"""Several rasters of one place."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import rasterio
from forms import RIGHT, Refused, Told
from small_town import SmallTown, write_picture

from inputs.pictures import deeper, part, picture, shown, whole


def quarters(town: SmallTown, folder: Path) -> None:
    for i, (rows, columns) in enumerate(
        [(slice(a, a + 350), slice(b, b + 350)) for a in (0, 350) for b in (0, 350)]
    ):
        part(town, folder / f"q{i}.tif", rows, columns)


def _in_folder(town: SmallTown, folder: Path) -> None:
    (folder / "tiles").mkdir(exist_ok=True)
    quarters(town, folder / "tiles")


def _vrt(town: SmallTown, folder: Path) -> None:
    _in_folder(town, folder)
    places = [(a, b) for a in (0, 350) for b in (0, 350)]
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{band}">'
        + "".join(
            f'<SimpleSource><SourceFilename relativeToVRT="1">tiles/q{i}.tif</SourceFilename>'
            f'<SourceBand>{band}</SourceBand><SrcRect xOff="0" yOff="0" xSize="350" ySize="350"/>'
            f'<DstRect xOff="{x}" yOff="{y}" xSize="350" ySize="350"/></SimpleSource>'
            for i, (y, x) in enumerate(places)
        )
        + "</VRTRasterBand>"
        for band in (1, 2, 3)
    )
    place = f"{town.place.x - 100}, 1, 0, {town.place.y + 600}, 0, -1"
    (folder / "town.vrt").write_text(
        f'<VRTDataset rasterXSize="700" rasterYSize="700"><SRS>EPSG:{town.place.crs}</SRS>'
        f"<GeoTransform>{place}</GeoTransform>{bands}</VRTDataset>"
    )


def _zip(town: SmallTown, folder: Path) -> None:
    _in_folder(town, folder)
    with ZipFile(folder / "town.zip", "w") as file:
        for path in sorted((folder / "tiles").iterdir()):
            file.write(path, path.name)


def _cut(town: SmallTown, folder: Path) -> None:
    quarters(town, folder)
    whole_file = (folder / "q1.tif").read_bytes()
    (folder / "q1.tif").write_bytes(whole_file[: len(whole_file) // 2])


def _lost(town: SmallTown, folder: Path) -> None:
    quarters(town, folder)
    (folder / "q1.tif").unlink()


def _mixed_depth(town: SmallTown, folder: Path) -> None:
    quarters(town, folder)
    part(
        town,
        folder / "q1.tif",
        slice(0, 350),
        slice(350, 700),
        deeper(257, "uint16")(town.picture[:, :350, 350:]),
    )


def _no_crs_of_one(town: SmallTown, folder: Path) -> None:
    quarters(town, folder)
    part(town, folder / "q1.tif", slice(0, 350), slice(350, 700), crs=None)


def _dates(town: SmallTown, folder: Path, old: str, new: str, *, stated: bool = False) -> None:
    """Write the picture of today, and one of eight years before that is darker."""
    for name, pixels, year in ((old, town.picture // 2, 2015), (new, town.picture, 2023)):
        write_picture(folder / name, pixels, town)
        if stated:
            with rasterio.open(folder / name, "r+") as raster:
                raster.update_tags(TIFFTAG_DATETIME=f"{year}:06:01 10:00:00")


def _coarse_beside(town: SmallTown, folder: Path) -> None:
    write_picture(folder / "a.tif", town.picture[:, ::10, ::10], town, pixel=10.0)
    write_picture(folder / "b.tif", town.picture, town)


KIND = "several rasters"

picture(KIND, "four quarters by a glob", shown(quarters, "q*.tif"))

picture(KIND, "four quarters in a folder", shown(_in_folder, "tiles"))

picture(KIND, "four quarters in a VRT", shown(_vrt, "town.vrt"))

picture(KIND, "four quarters in a zip", shown(_zip, "town.zip"))

picture(KIND, "one quarter cut short", shown(_cut, "q*.tif"), Told("damaged|cut short", wrong=("pixels",)))

picture(
    KIND,
    "one quarter missing",
    shown(_lost, "q*.tif"),
    Told("no imagery|outside the imagery|no raster covers", wrong=("pixels",)),
)

picture(
    KIND,
    "one quarter of 16 bit",
    shown(_mixed_depth, "q*.tif", scale=[0, 65535]),
    Told("8 bit beside", wrong=("pixels",)),
    RIGHT,
    pixels=1,
)

picture(
    KIND,
    "one quarter states no CRS",
    shown(_no_crs_of_one, "q*.tif"),
    Told("no CRS", wrong=("pixels",)),
    Refused(r"imagery\.crs"),
)

picture(
    KIND,
    "the picture twice",
    shown(
        lambda town, folder: (whole(name="a.tif")(town, folder), whole(name="b.tif")(town, folder)), "*.tif"
    ),
)

picture(
    KIND,
    "two dates, the older one first by name",
    shown(lambda town, folder: _dates(town, folder, "town-2015.tif", "town-2023.tif"), "*.tif"),
    RIGHT,
    Told("town-20|prefer|newest", wrong=("pixels",)),
)

picture(
    KIND,
    "two dates, the newer one first in sources",
    shown(lambda town, folder: _dates(town, folder, "a.tif", "b.tif"), ["b.tif", "a.tif"]),
    RIGHT,
    Told("a.tif|b.tif|prefer|newest|order", wrong=("pixels",)),
)

picture(
    KIND,
    "two dates, the newer one first in sources, prefer: order",
    shown(lambda town, folder: _dates(town, folder, "a.tif", "b.tif"), ["b.tif", "a.tif"], prefer="order"),
)

picture(
    KIND,
    "two dates, stated in the files, prefer: newest",
    shown(lambda town, folder: _dates(town, folder, "a.tif", "b.tif", stated=True), "*.tif", prefer="newest"),
)

picture(
    KIND,
    "two dates, in names, prefer: newest",
    shown(
        lambda town, folder: _dates(town, folder, "town_2015.tif", "town_2023.tif"), "*.tif", prefer="newest"
    ),
    RIGHT,
    Refused("prefer|date"),
)

picture(KIND, "a coarse one beside", shown(_coarse_beside, "*.tif"))
