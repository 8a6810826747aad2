"""Which rasters there are, what ground each shows, and which cannot be used."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import rasterio
import shapely
from rasterio.enums import ColorInterp
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError

from geo.addresses import is_url, reveal
from geo.config import Imagery
from geo.errors import LayerError, RoadprintError, SourceError
from geo.imagery.canvas import alpha_bands
from geo.imagery.remote import opening, persistently
from geo.imagery.sources import expand_sources, why_missing
from geo.ledger import Entry
from geo.secrets import redact
from geo.sources.digest import digest_source
from geo.sources.files import check_disk
from geo.tiles.grid import map_pixels

COLUMNS = ("image_id", "path", "crs", "pixel_m", "width", "height", "dtype", "digest", "transform")
OUTLINE_POINTS = 21
"""Points on each side of a raster's outline when it changes CRS, as many as GDAL takes: straight lines bend."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The rasters of a city.

    Attributes
    ----------
    images
        One row a usable raster, sorted by ``image_id``: see ``images`` in docs/stages.md, and ``transform``, the six
        numbers of its affine transform from pixels to its own CRS. The footprints are in the city's CRS.
    entries
        How many rasters are usable, and why each other one is not.
    """

    images: gpd.GeoDataFrame
    entries: list[Entry]


class _UnusableError(Exception):
    """A raster that cannot be used; the message says why."""


class _CutShortError(_UnusableError, RasterioError):  # type: ignore[misc] # rasterio has no types
    """A raster whose end cannot be decoded; where it lies on a server, that is tried again."""


def open_catalogue(
    imagery: Imagery, crs: pyproj.CRS, *, digest: Callable[[str], str] = digest_source
) -> Catalogue:
    """Open every raster of a city and describe it.

    A raster is rejected, with the reason, when it cannot be read or is cut short, has no CRS or no place in it, lacks
    a band, has bands of several dtypes, is not 8 bit while no ``scale`` is given, or lies where the city's CRS is not
    defined.

    Parameters
    ----------
    imagery
        The section ``imagery`` of the city's file: sources (absolute paths), bands and scale.
    crs
        The city's projected CRS, in metres.
    digest
        Gives the digest of a raster with all that belongs to it, by its path; pass a function that remembers in order
        not to read imagery twice.

    Raises
    ------
    SourceError
        When no source gives a raster that can be read, or one cannot be reached for now (its server, the disk): without
        it, the run would say less of the city than it could.
    LayerError
        When rasters can be read, but none can be used.

    Examples
    --------
    >>> from geo.config import Imagery
    >>> profile = {"driver": "GTiff", "width": 200, "height": 100, "count": 3, "dtype": "uint8", "crs": 27700}
    >>> place = rasterio.Affine(0.5, 0, 400_000, 0, -0.5, 300_000)
    >>> with rasterio.open("photo.tif", "w", transform=place, **profile) as raster:
    ...     raster.write(np.full((3, 100, 200), 90, dtype="uint8"))
    >>> found = open_catalogue(Imagery(sources=["photo.tif"]), pyproj.CRS(27700))
    >>> found.images[["image_id", "pixel_m"]].values.tolist(), found.images.total_bounds.tolist()
    ([['photo', 0.5]], [400000.0, 299950.0, 400100.0, 300000.0])
    """
    rows: list[dict[str, Any]] = []
    entries: list[Entry] = []
    readable = False
    for path in expand_sources(imagery.sources):
        missing = why_missing(path)
        if missing is not None:
            entries.append(_rejected(path, f"{missing} ({path})"))
            continue
        try:
            row, lost = persistently(path, partial(_look_at, path, imagery, crs, digest))
        except _UnusableError as error:
            readable = True
            entries.append(_rejected(path, _reason(error)))
        except (RasterioError, CRSError, OSError) as error:
            # the header, the CRS in it, or the bytes to digest cannot be read
            check_disk(path)
            entries.append(_rejected(path, _reason(error)))
        else:
            rows.append(row)
            entries += [_rejected(path, f"it refers to {name}, which is not there") for name in lost]
    rows, mixed = _one_depth(rows, imagery)
    entries += mixed
    if not rows:
        raise _nothing_usable(entries, readable=readable)
    entries = [*_usable(rows), *entries]
    names = _image_ids([row["path"] for row in rows])
    images = gpd.GeoDataFrame(rows, geometry="geometry", crs=crs).assign(image_id=names)
    images = images.sort_values("image_id", ignore_index=True)[[*COLUMNS, "geometry"]]
    return Catalogue(images, entries)


@contextmanager
def open_raster(path: str, **options: object) -> Iterator[rasterio.DatasetReader]:
    """Open a raster; one without a place in its CRS gives no warning, for its reader finds that out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with opening(path):
            raster = rasterio.open(reveal(path), **options)
    with raster:
        yield raster


def check_unchanged(path: str, expected: str, digest: Callable[[str], str] = digest_source) -> None:
    """Tell a raster that was damaged when it was catalogued from one that is lost or another one by now.

    Parameters
    ----------
    path
        Path of the raster, or its URL.
    expected
        Its ``digest`` in the catalogue.
    digest
        Gives the digest of a raster with all that belongs to it; as it stands: by reading it.

    Raises
    ------
    SourceError
        When its bytes cannot be read, or are others: results would then not be those of the inputs that they name.
    """
    if digest(path) != expected:
        raise _changed(path)


def _changed(path: str) -> SourceError:
    return SourceError(
        "the imagery was changed or removed while the run was going on",
        where=path,
        todo="Run again when it is all there. What was finished is kept.",
    )


def _look_at(
    path: str, imagery: Imagery, crs: pyproj.CRS, digest: Callable[[str], str]
) -> tuple[dict[str, Any], list[str]]:
    """Open a raster and describe it, see `_describe`, with its digest."""
    with open_raster(path) as raster:
        row, lost = _describe(raster, path, imagery, crs)
        row["digest"] = digest(path)
    return row, lost


def _describe(
    raster: rasterio.DatasetReader, path: str, imagery: Imagery, crs: pyproj.CRS
) -> tuple[dict[str, Any], list[str]]:
    """Describe a raster as a row of the catalogue, with the parts of it that are missing."""
    _check_place(raster)
    _check_bands(raster, imagery, "bands", imagery.bands)
    lost = _missing_parts(raster)
    if raster.driver != "VRT":
        _check_end(raster, imagery.bands)
    try:
        change = pyproj.Transformer.from_crs(pyproj.CRS.from_wkt(raster.crs.to_wkt()), crs, always_xy=True)
        pixel_m = _pixel_m(raster, change)
        # points that a straight side does not need would only slow down every overlay; 1 mm is nothing here
        footprint = _footprint(raster, change).simplify(0.001)
    except pyproj.exceptions.ProjError as error:
        raise _UnusableError(f"its CRS does not lead to that of the city ({_reason(error)})") from error
    row = {
        "path": path,
        "crs": raster.crs.to_wkt(),
        "pixel_m": pixel_m,
        "width": raster.width,
        "height": raster.height,
        "dtype": raster.dtypes[imagery.bands[0] - 1],
        "transform": [float(number) for number in raster.transform[:6]],
        "geometry": footprint,
        "called_alpha": tuple(band for band in alpha_bands(raster) if band in imagery.bands),
    }
    return row, lost


def _check_place(raster: rasterio.DatasetReader) -> None:
    """Refuse a raster that does not say where it lies."""
    if raster.transform.is_identity:
        points = " but ground control points: warp it with gdalwarp first" if raster.gcps[0] else ""
        raise _UnusableError(f"it has no place on the ground (no geotransform){points}")
    if raster.crs is None:
        raise _UnusableError("it states no CRS")
    if raster.transform.is_degenerate:
        raise _UnusableError("its pixels have no size (a degenerate geotransform)")


def check_pictured(images: gpd.GeoDataFrame, imagery: Imagery) -> None:
    """Make sure that rasters have the bands of pictures, where others are asked for than an encoder sees.

    Parameters
    ----------
    images
        The catalogue of the city's rasters (`Catalogue`), whose ``path`` is read.
    imagery
        The section ``imagery`` of the city's file.

    Raises
    ------
    LayerError
        Naming the first raster that has not.
    """
    if imagery.picture_bands is None:
        return
    for path in images["path"]:
        try:
            with open_raster(path) as raster:
                _check_bands(raster, imagery, "picture_bands", imagery.picture_bands)
        except RasterioError:
            # that it cannot be read is found out, and told, where it is
            continue
        except _UnusableError as error:
            raise LayerError(
                str(error), where=redact(path), todo="Name three bands that every raster has."
            ) from error


def _check_bands(raster: rasterio.DatasetReader, imagery: Imagery, key: str, bands: Sequence[int]) -> None:
    """Refuse a raster in which the bands that a key asks for are not there, or hold no light in a known range."""
    if raster.count < max(bands):
        count = "1 band" if raster.count == 1 else f"{raster.count} bands"
        raise _UnusableError(f"it has {count}, imagery.{key} asks for band {max(bands)}")
    for band in bands:
        if raster.colorinterp[band - 1] == ColorInterp.palette:
            raise _UnusableError(
                f"band {band} holds palette numbers: expand it with gdal_translate -expand rgb"
            )
        dtype = raster.dtypes[band - 1]
        if np.dtype(dtype).kind not in "uif":
            raise _UnusableError(f"band {band} is {dtype}, which is no brightness")
        if dtype != "uint8" and imagery.scale is None:
            raise _UnusableError(f"band {band} is {dtype}, not 8 bit: give imagery.scale [low, high]")
    dtypes = sorted({raster.dtypes[band - 1] for band in bands})
    if len(dtypes) > 1:
        raise _UnusableError(f"its bands are of several kinds ({', '.join(dtypes)}): bring them to one")


def _check_end(raster: rasterio.DatasetReader, bands: list[int]) -> None:
    """Refuse a raster whose last pixel cannot be read: the file is cut short."""
    last = ((raster.height - 1, raster.height), (raster.width - 1, raster.width))
    try:
        raster.read(bands, window=last)
    except RasterioError as error:
        raise _CutShortError(f"it is damaged or cut short ({_reason(error)})") from error


def _missing_parts(raster: rasterio.DatasetReader) -> list[str]:
    """Files that a VRT refers to and that are not there; refused when that is all of them."""
    parts = [part for part in raster.files if part != raster.name and not is_url(part)]
    lost = [part for part in parts if not Path(part).exists()]
    if raster.driver == "VRT" and lost and len(lost) == len(parts):
        raise _UnusableError(f"none of the files that it refers to is there ({lost[0]}, ...)")
    return sorted(PurePosixPath(part).name for part in lost)


def _footprint(raster: rasterio.DatasetReader, change: pyproj.Transformer) -> shapely.Polygon:
    """Outline of a raster in the city's CRS."""
    step = np.linspace(0, 1, OUTLINE_POINTS)[:-1]
    zero, one = np.zeros_like(step), np.ones_like(step)
    col = np.concatenate([step, one, 1 - step, zero]) * raster.width
    row = np.concatenate([zero, step, one, 1 - step]) * raster.height
    x, y = change.transform(*map_pixels(raster.transform, col, row))
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise _UnusableError("it reaches to where the city's CRS is not defined: cut it to the city first")
    outline = shapely.Polygon(np.column_stack([x, y]))
    if not outline.is_valid:
        raise _UnusableError("its outline crosses itself in the city's CRS: cut it to the city first")
    return outline


def _pixel_m(raster: rasterio.DatasetReader, change: pyproj.Transformer) -> float:
    """Side of a square with the area that the raster's middle pixel has on the ground (metres)."""
    col, row = raster.width / 2, raster.height / 2
    cols, rows = np.array([[col, col + 1, col], [row, row, row + 1]])
    x, y = change.transform(*map_pixels(raster.transform, cols, rows))
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    return float(np.sqrt(abs(area)))


def _one_depth(rows: list[dict[str, Any]], imagery: Imagery) -> tuple[list[dict[str, Any]], list[Entry]]:
    """Leave out 8 bit rasters beside deeper ones: the scale of these would make those black or white."""
    deeper = sorted({row["dtype"] for row in rows} - {"uint8"})
    if not deeper:
        return rows, []
    reason = (
        f"8 bit beside {', '.join(deeper)}: one imagery.scale {list(imagery.scale or ())} cannot serve both"
    )
    kept = [row for row in rows if row["dtype"] != "uint8"]
    return kept, [_rejected(row["path"], reason) for row in rows if row["dtype"] == "uint8"]


def _usable(rows: list[dict[str, Any]]) -> list[Entry]:
    """Enter the rasters that can be used; what they call transparency is told where it is read as light."""
    counts = Counter(row["called_alpha"] for row in rows)
    plain = counts.pop((), 0)
    told = [
        Entry(
            "rasters", "done", f"band {called[0]} is called transparency, and read as imagery.bands says", n
        )
        for called, n in sorted(counts.items())
    ]
    return [Entry("rasters", "done", "", plain), *told] if plain or not told else told


def _image_ids(paths: list[str]) -> list[str]:
    """Name images by file name without ending, with ending or with folders where several would be called the same.

    Ids are joined with ``;`` where a tile shows several images, so a name keeps none.
    """
    pure = [PurePosixPath(path.replace(";", "_")) for path in paths]
    names = pd.Series([path.stem for path in pure], dtype="str")
    for depth in range(1, max(len(path.parts) for path in pure) + 1):
        twice = names.duplicated(keep=False).to_numpy()
        longer = pd.Series(["/".join(path.parts[-depth:]) for path in pure], dtype="str")
        names = names.where(~twice, longer)
    return names.to_list()


def _rejected(path: str, reason: str) -> Entry:
    """Enter a raster that cannot be used, by its file name."""
    return Entry("rasters", "rejected", f"{PurePosixPath(path).name}: {reason}", 1)


def _reason(error: Exception) -> str:
    """Say in one line what went wrong; GDAL's own words where rasterio only points at them."""
    cause = error.__cause__ if "previous exception" in str(error) and error.__cause__ is not None else error
    return redact(" ".join(str(cause).split()))


def _nothing_usable(entries: list[Entry], *, readable: bool) -> RoadprintError:
    """Quote the reasons when no raster is left."""
    shown = [entry.reason for entry in entries[:5]]
    more = [f"and {len(entries) - 5} more"] if len(entries) > 5 else []
    kind = LayerError if readable else SourceError
    what = "none of the rasters can be used" if readable else "no raster can be read"
    return kind(
        f"{what}\n  " + "\n  ".join([*shown, *more]),
        where="imagery.sources",
        todo="Mend the files, or name others.",
    )
