"""Imagery of every kind, layout and depth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
from forms import RIGHT, RIGHT_FORMS, Make, Outcome, Refused, Told, add
from rasterio.enums import ColorInterp
from small_town import SmallTown, write_picture

Paint = Callable[[SmallTown, Path], None]
C = ColorInterp


def shown(paint: Paint, sources: str | list[str] = "town.tif", **keys: object) -> Make:
    """Make a city with other imagery."""

    def make(town: SmallTown, folder: Path) -> dict[str, object]:
        paint(town, folder)
        return town.config(imagery={"sources": [sources] if isinstance(sources, str) else sources} | keys)

    return make


def picture(
    kind: str, name: str, make: Make, *may: Outcome, like: str = "all columns", pixels: float = 0.0
) -> None:
    """List a form whose imagery is looked at."""
    add(kind, name, make, *may, like=like, look=True, pixels=pixels)


def whole(
    change: Callable[[np.ndarray], np.ndarray] = lambda p: p,
    *,
    name: str = "town.tif",
    colours: tuple[ColorInterp, ...] = (),
    **options: object,
) -> Paint:
    """Write the whole picture in one raster."""

    def paint(town: SmallTown, folder: Path) -> None:
        write_picture(folder / name, change(town.picture), town, **options)
        if colours:
            with rasterio.open(folder / name, "r+") as raster:
                raster.colorinterp = colours

    return paint


def part(
    town: SmallTown,
    path: Path,
    rows: slice,
    columns: slice,
    pixels: np.ndarray | None = None,
    **options: object,
) -> None:
    """Write a part of the picture where it belongs, of other pixels where these are given."""
    pixels = town.picture[:, rows, columns] if pixels is None else pixels
    place = rasterio.Affine(1, 0, town.place.x - 100 + columns.start, 0, -1, town.place.y + 600 - rows.start)
    write_picture(path, pixels, town, **({"transform": place} | options))


def collared(
    value: int, names: tuple[str, str] = ("a.tif", "b.tif"), *, spread: int = 0, **options: object
) -> Paint:
    """Write two halves, each with 120 columns beyond its own that hold no picture but one value."""

    def paint(town: SmallTown, folder: Path) -> None:
        west, east = town.picture[:, :, :470].copy(), town.picture[:, :, 230:].copy()
        noise = np.random.default_rng(0).integers(0, spread + 1, west.shape)
        empty = (value + noise if value < 128 else value - noise).astype(np.uint8)
        west[:, :, 350:] = empty[:, :, 350:]
        east[:, :, :120] = empty[:, :, :120]
        part(town, folder / names[0], slice(0, 700), slice(0, 470), west, **options)
        part(town, folder / names[1], slice(0, 700), slice(230, 700), east, **options)

    return paint


def quantised(pixels: np.ndarray) -> np.ndarray:
    """Bring each colour to six levels."""
    return (np.round(pixels / 51) * 51).astype(np.uint8)


def palette(town: SmallTown, folder: Path) -> None:
    """Write six levels of each colour as numbers of a palette."""
    levels = np.round(town.picture / 51).astype(np.uint8)
    numbers = levels[0] * 36 + levels[1] * 6 + levels[2]
    write_picture(folder / "town.tif", numbers[np.newaxis], town, photometric="palette")
    with rasterio.open(folder / "town.tif", "r+") as raster:
        raster.write_colormap(1, {n: (n // 36 * 51, n // 6 % 6 * 51, n % 6 * 51, 255) for n in range(216)})


def grey(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(pixels[1:2], 3, axis=0)


def with_alpha(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels, np.full_like(pixels[:1], 255)])


def deeper(factor: float, dtype: str, offset: float = 0.0) -> Callable[[np.ndarray], np.ndarray]:
    return lambda pixels: (pixels.astype(float) * factor + offset).astype(dtype)


def _magenta(town: SmallTown, folder: Path) -> None:
    collared(0)(town, folder)
    for name in ("a.tif", "b.tif"):
        with rasterio.open(folder / name, "r+") as raster:
            pixels = raster.read()
            pixels[:, (pixels == 0).all(axis=0)] = np.array([255, 0, 255], np.uint8)[:, None]
            raster.write(pixels)


def _deep_collar(town: SmallTown, folder: Path) -> None:
    deep = (town.picture.astype(np.uint16)) * 16
    west, east = deep[:, :, :470].copy(), deep[:, :, 230:].copy()
    west[:, :, 350:], east[:, :, :120] = 0, 0
    part(town, folder / "a.tif", slice(0, 700), slice(0, 470), west)
    part(town, folder / "b.tif", slice(0, 700), slice(230, 700), east)


RIGHT_FORMS["six levels"] = shown(whole(quantised))
RIGHT_FORMS["grey"] = shown(whole(grey))

KIND = "colours"
picture(
    KIND,
    "alpha first",
    shown(
        whole(
            lambda p: with_alpha(p)[[3, 0, 1, 2]],
            photometric="RGB",
            colours=(C.alpha, C.red, C.green, C.blue),
        )
    ),
)
picture(
    KIND, "alpha last", shown(whole(with_alpha, photometric="RGB", colours=(C.red, C.green, C.blue, C.alpha)))
)
picture(KIND, "blue, green, red", shown(whole(lambda p: p[::-1], colours=(C.blue, C.green, C.red))))
picture(
    KIND,
    "blue, green, red, near infrared",
    shown(whole(lambda p: np.concatenate([p[::-1], p[:1]]), colours=(C.blue, C.green, C.red, C.undefined))),
)
picture(
    KIND,
    "near infrared first",
    shown(whole(lambda p: np.concatenate([p[:1] // 2, p]), colours=(C.undefined, C.red, C.green, C.blue))),
)
picture(KIND, "blue, green, red, and bands: [3, 2, 1]", shown(whole(lambda p: p[::-1]), bands=[3, 2, 1]))
picture(
    KIND,
    "blue, green, red by interpretation, and bands: [3, 2, 1]",
    shown(whole(lambda p: p[::-1], colours=(C.blue, C.green, C.red)), bands=[3, 2, 1]),
)
picture(
    KIND,
    "blue, green, red by interpretation, and bands: [1, 2, 3]",
    shown(whole(lambda p: p[::-1], colours=(C.blue, C.green, C.red)), bands=[1, 2, 3]),
    Told("blue|band", wrong=("pixels",)),
    Refused("blue"),
)
picture(KIND, "interpretation all undefined", shown(whole(colours=(C.undefined, C.undefined, C.undefined))))
picture(KIND, "interpretation all grey", shown(whole(colours=(C.gray, C.undefined, C.undefined))))
picture(KIND, "a palette", shown(palette), like="six levels")
picture(
    KIND,
    "a palette, bands: [1, 1, 1]",
    shown(palette, bands=[1, 1, 1]),
    Refused("palette"),
    Told("palette", wrong=("pixels",)),
    like="six levels",
)
picture(
    KIND,
    "a palette, bands: [1, 2, 3]",
    shown(palette, bands=[1, 2, 3]),
    RIGHT,
    Refused("palette|bands"),
    like="six levels",
)
picture(KIND, "one band, nothing named", shown(whole(lambda p: p[1:2])), like="grey")
picture(KIND, "one band, bands: [1, 1, 1]", shown(whole(lambda p: p[1:2]), bands=[1, 1, 1]), like="grey")
picture(
    KIND,
    "one band, bands: [1, 2, 3]",
    shown(whole(lambda p: p[1:2]), bands=[1, 2, 3]),
    Refused("1 band"),
    like="grey",
)
picture(
    KIND,
    "two bands, grey and alpha",
    shown(whole(lambda p: np.concatenate([p[1:2], np.full_like(p[:1], 255)]), colours=(C.gray, C.alpha))),
    RIGHT,
    Refused("bands"),
    like="grey",
)
picture(KIND, "a band that is not there", shown(whole(), bands=[1, 2, 4]), Refused("3 bands"))
picture(KIND, "band 0", shown(whole(), bands=[0, 1, 2]), Refused("bands"))
picture(
    KIND,
    "JPEG's own colours (YCbCr)",
    shown(whole(compress="jpeg", photometric="ycbcr", jpeg_quality=95)),
    pixels=14,
)

KIND = "depths"
picture(
    KIND, "16 bit, scale of its whole range", shown(whole(deeper(257, "uint16")), scale=[0, 65535]), pixels=1
)
picture(KIND, "12 bit in 16, its own scale", shown(whole(deeper(16, "uint16")), scale=[0, 4080]), pixels=1)
picture(
    KIND,
    "12 bit in 16, scale of 16",
    shown(whole(deeper(16, "uint16")), scale=[0, 65535]),
    Told("scale", wrong=("pixels",)),
    Refused("scale"),
)
picture(
    KIND,
    "16 bit, scale of 12",
    shown(whole(deeper(257, "uint16")), scale=[0, 4095]),
    Told("scale", wrong=("pixels",)),
    Refused("scale"),
)
picture(
    KIND,
    "16 bit, scale far below",
    shown(whole(deeper(1, "uint16", 20000)), scale=[0, 3000]),
    Told("scale", wrong=("pixels",)),
    Refused("scale"),
)
picture(
    KIND,
    "16 bit, scale far above",
    shown(whole(deeper(16, "uint16")), scale=[10000, 20000]),
    Told("scale", wrong=("pixels",)),
    Refused("scale"),
)
picture(KIND, "16 bit, no scale", shown(whole(deeper(257, "uint16"))), Refused("scale"))
picture(KIND, "signed 16 bit", shown(whole(deeper(64, "int16")), scale=[0, 16320]), pixels=1)
picture(KIND, "reflectance of 0 to 1", shown(whole(deeper(1 / 255, "float32")), scale=[0, 1]), pixels=1)
picture(
    KIND,
    "reflectance of 0 to 1, scale of 8 bit",
    shown(whole(deeper(1 / 255, "float32")), scale=[0, 255]),
    Told("scale", wrong=("pixels",)),
    Refused("scale"),
)
picture(
    KIND,
    "reflectance of 0 to 10000, scale of 0 to 1",
    shown(whole(deeper(10000 / 255, "uint16")), scale=[0, 1]),
    Told("scale", wrong=("pixels",)),
    Refused("scale"),
)
picture(KIND, "8 bit, scale of 8 bit", shown(whole(), scale=[0, 255]))
picture(
    KIND,
    "8 bit, scale of 16 bit",
    shown(whole(), scale=[0, 65535]),
    RIGHT,
    Told("scale", wrong=("pixels",)),
    Refused("scale"),
)
picture(KIND, "scale turned round", shown(whole(deeper(257, "uint16")), scale=[65535, 0]), Refused("low"))
picture(
    KIND,
    "scale as text",
    shown(whole(deeper(257, "uint16")), scale=["0", "65535"]),
    RIGHT,
    Refused("scale"),
    pixels=1,
)
picture(
    KIND,
    "1 bit",
    shown(whole(lambda p: (p[:1] > 127).astype(np.uint8), nbits=1)),
    Told("border|scale|bit", wrong=("pixels",)),
    Told("scale|bit|values|dark", wrong=("pixels",)),
    Refused("bit|scale|values|dark"),
    like="grey",
)
picture(
    KIND,
    "heights in place of a picture",
    shown(whole(lambda p: (p[:1] * 0.5 + 30).astype("float32"))),
    Refused("scale"),
)
picture(KIND, "complex numbers", shown(whole(lambda p: p.astype("complex64"))), Refused("brightness|complex"))

KIND = "no data"
picture(KIND, "black collars", shown(collared(0), "*.tif"))
picture(
    KIND,
    "black collars, sources the other way round",
    shown(collared(0, ("b.tif", "a.tif")), ["b.tif", "a.tif"]),
)
picture(KIND, "black collars, nodata named", shown(collared(0), "*.tif", nodata=0))
picture(KIND, "black collars, nodata in the files", shown(collared(0, nodata=0), "*.tif"))
picture(KIND, "white collars", shown(collared(255), "*.tif"))
picture(KIND, "white collars, nodata named", shown(collared(255), "*.tif", nodata=255))
picture(
    KIND,
    "nearly black collars of JPEG",
    shown(collared(0, spread=3), "*.tif"),
    RIGHT,
    Told("collar|black|dark", wrong=("pixels",)),
)
picture(KIND, "magenta collars", shown(_magenta, "*.tif"), RIGHT, Told("collar|colour", wrong=("pixels",)))
picture(KIND, "16 bit, black collars", shown(_deep_collar, "*.tif", scale=[0, 4080]), pixels=1)
picture(KIND, "all black", shown(whole(np.zeros_like)), Refused("blank|black|all of it is 0"))
picture(
    KIND, "all white", shown(whole(lambda p: np.full_like(p, 255))), Refused("blank|white|all of it is 255")
)
picture(KIND, "all no data", shown(whole(np.zeros_like, nodata=0)), Refused("blank|no data|black"))
picture(
    KIND,
    "all of one grey",
    shown(whole(lambda p: np.full_like(p, 128))),
    Refused("blank|one value|alike"),
    Told("blank|one value|alike", wrong=("pixels",)),
)
picture(
    KIND,
    "alpha all zero",
    shown(
        whole(
            lambda p: np.concatenate([p, np.zeros_like(p[:1])]),
            photometric="RGB",
            colours=(C.red, C.green, C.blue, C.alpha),
        )
    ),
    Refused("blank|no data|alpha"),
    Told("alpha", wrong=("pixels",)),
    RIGHT,
)
picture(
    KIND,
    "one band black",
    shown(whole(lambda p: p * np.array([1, 0, 1], np.uint8)[:, None, None])),
    Told("band 2|one value|black", wrong=("pixels",)),
    Refused("band 2|black"),
)
picture(
    KIND,
    "nodata that is a value of the picture",
    shown(whole(), nodata=90),
    RIGHT,
    Told("nodata", wrong=("pixels",)),
)
