"""Pictures from elsewhere, brought to an encoder as a tile is."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pyproj
import rasterio
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from pyproj.exceptions import ProjError
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

from geo.errors import LayerError, SourceError, meant_file
from geo.imagery.traits.colours import PLAIN, RGB, Light, light_of

MOST_PIXELS = 100_000_000
"""A picture with more is an image of a town, of which a tile is to be cut first."""
LEAST_SHARE = 0.5
"""A picture shows so much of a tile's side at least, or another thing is compared than the tiles are."""
LEAST_PIXELS = 16
COLOURS = 3
KINDS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\x00": "GTiff",
    b"MM\x00*": "GTiff",
    b"II+\x00": "GTiff",
    b"MM\x00+": "GTiff",
    b"RIFF": "WEBP",
    b"\x00\x00\x00\x0cjP  \r\n\x87\n": "JP2OpenJPEG",
    b"\xff\x4f\xff\x51": "JP2OpenJPEG",
    b"BM": "BMP",
}
"""What counts as a picture, by how it begins. GDAL reads many things besides, some of which fetch others by name."""
ENDINGS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".jp2", ".j2k", ".bmp")
"""How their files are called."""
FINEST_M, COARSEST_M = 0.01, 10.0
"""Ground that a pixel of a picture may show (metres)."""


def read_picture(
    path: Path, *, tile_m: float, pixel_m: float | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Read the middle of a picture, as large as a tile.

    Parameters
    ----------
    path
        A single image of one of `KINDS`, in 8-bit colours: red, green and blue are the bands that it calls so, those of
        a palette, or else the first three.
    tile_m
        Side of a tile (metres).
    pixel_m
        Ground that a pixel shows (metres); None: as its georeference says.

    Returns
    -------
    Pixels ``(3, side, side)`` and which of them hold data, ``(side, side)``; what the picture lacks has none.

    Raises
    ------
    SourceError
        When it cannot be read as a picture.
    LayerError
        When it is not in 8-bit colours, shows nothing, its ground is not known, or it is too small.
    """
    try:
        with warnings.catch_warnings():
            # a photograph has no place; its ground is asked for then
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            # which `MOST_PIXELS` settles
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            # what a broken photograph lacks would be read as grey
            whole = rasterio.Env(GDAL_ERROR_ON_LIBJPEG_WARNING=True)
            with whole, rasterio.open(path, driver=_kind(path)) as image:
                ground = _ground(image) if pixel_m is None else pixel_m
                light = _light(image, path)
                _check(image, path, ground)
                raw = image.read(list(light.bands))
                pixels, opaque = light.expand(raw), light.opaque(raw)
                valid = (image.dataset_mask() > 0) & (True if opaque is None else opaque)
    except (RasterioIOError, OSError) as error:
        raise SourceError(
            "it cannot be read as a picture, or not to its end",
            where=str(path),
            todo="Give a JPEG, PNG or GeoTIFF that is whole.",
        ) from error
    if ground is None:
        raise LayerError(
            "it does not say how much ground a pixel shows",
            where=str(path),
            todo="Say it in metres, such as 0.25, beside the picture or with --pixel-m.",
        )
    side = round(tile_m / ground)
    if min(valid.shape) < max(LEAST_PIXELS, LEAST_SHARE * side):
        raise LayerError(
            f"it shows {valid.shape[1] * ground:.4g} x {valid.shape[0] * ground:.4g} m, and a tile {tile_m:g} m",
            where=str(path),
            todo="Give a picture of as much ground, or say what a pixel of it shows.",
        )
    if not valid.any() or all(np.ptp(band[valid]) == 0 for band in pixels):
        raise LayerError("it is of one colour", where=str(path), todo="Give a picture that shows a road.")
    return _middle(pixels, valid, side)


def _kind(path: Path) -> str:
    """Tell which of `KINDS` a file is, by how it begins."""
    if not path.is_file():
        why = "it is no file" if path.exists() else f"there is no such file{meant_file(path)}"
        raise SourceError(why, where=str(path), todo="Give the path of a picture.")
    with path.open("rb") as file:
        begin = file.read(max(map(len, KINDS)))
    kind = next((kind for mark, kind in KINDS.items() if begin.startswith(mark)), None)
    if kind is None:
        raise SourceError(
            "it cannot be read as a picture: it is none", where=str(path), todo="Give a JPEG, PNG or GeoTIFF."
        )
    return kind


def _light(image: rasterio.DatasetReader, path: Path) -> Light:
    """Say which bands show red, green and blue: those that are called so, of a palette, or else the first three.

    Raises
    ------
    LayerError
        When it is no picture in 8-bit colours.
    """
    called, kinds = image.colorinterp, set(image.dtypes)
    if kinds == {"uint8"} and called == (ColorInterp.palette,):
        return light_of(image, None)
    if kinds != {"uint8"} or image.count < COLOURS:
        bands = "1 band" if image.count == 1 else f"{image.count} bands"
        raise LayerError(
            f"it has {bands} of {image.dtypes[0]}, and a picture in colours has three of uint8",
            where=str(path),
            todo="Save it as an RGB picture with 8 bits a colour.",
        )
    named = set(RGB) <= set(called)
    return light_of(image, tuple(called.index(colour) + 1 for colour in RGB) if named else PLAIN)


def _check(image: rasterio.DatasetReader, path: Path, ground: float | None) -> None:
    """Refuse what is more than one picture, or too large, or of which the ground cannot be what is said."""
    if image.width * image.height > MOST_PIXELS:
        raise LayerError(
            f"it has {image.width} x {image.height} pixels",
            where=str(path),
            todo="Cut out the place that is meant.",
        )
    several = len(image.subdatasets) or _frames(path, image.driver)
    if several > 1:
        raise LayerError(
            f"it holds {several} pictures", where=str(path), todo="Save the one that is meant by itself."
        )
    if ground is not None and not FINEST_M <= ground <= COARSEST_M:
        raise LayerError(
            f"a pixel of it would show {ground:.3g} m",
            where=str(path),
            todo=f"Say how much it shows, from {FINEST_M:g} to {COARSEST_M:g} m.",
        )


def _frames(path: Path, kind: str) -> int:
    """Count the pictures of a file that may move, and make sure that a PNG is whole.

    Raises
    ------
    SourceError
        When it is not: GDAL gives what it lacks as black.
    """
    if kind not in {"PNG", "WEBP"}:
        return 1
    try:
        with Image.open(path) as picture:
            frames = int(getattr(picture, "n_frames", 1))
            picture.verify()
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise SourceError(
            "it cannot be read as a picture to its end", where=str(path), todo="Give one that is whole."
        ) from error
    return frames


def _ground(image: rasterio.DatasetReader) -> float | None:
    """Tell the ground that a pixel shows (metres); None: the picture does not say."""
    if image.crs is None or image.transform.is_identity:
        return None
    crs = pyproj.CRS.from_user_input(image.crs)
    left, bottom, right, top = image.bounds
    x, y = (left + right) / 2, (bottom + top) / 2
    across = x + float(np.hypot(image.transform.a, image.transform.d))
    try:
        to_degrees = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
    except ProjError:
        # a grid of a building site lies nowhere on the earth
        return None
    (lon, lat), (lon_next, lat_next) = to_degrees.transform(x, y), to_degrees.transform(across, y)
    metres = pyproj.Geod(ellps="WGS84").inv(lon, lat, lon_next, lat_next)[2]
    return float(metres) if np.isfinite(metres) and metres > 0 else None


def _middle(
    pixels: NDArray[np.uint8], valid: NDArray[np.bool_], side: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Cut the middle square out; where the picture is smaller, there is no data around it."""
    height, width = valid.shape
    top, left = (height - side) // 2, (width - side) // 2
    found = np.zeros((COLOURS, side, side), dtype=np.uint8)
    there = np.zeros((side, side), dtype=bool)
    rows, columns = slice(max(top, 0), top + side), slice(max(left, 0), left + side)
    cut = pixels[:, rows, columns]
    down, right = max(-top, 0), max(-left, 0)
    into = slice(down, down + cut.shape[1]), slice(right, right + cut.shape[2])
    found[:, *into] = cut
    there[into] = valid[rows, columns]
    return found, there
