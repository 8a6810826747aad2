"""Which rasters there are, what ground each shows, and which cannot be used."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj
import rasterio
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError

from geo.addresses import is_url, reveal
from geo.config import Imagery
from geo.counting import counted
from geo.errors import ConfigurationError, LayerError, RoadprintError, SourceError, meant_file
from geo.imagery.preference import rank_images
from geo.imagery.remote import opening, persistently
from geo.imagery.sources import places_in, why_missing
from geo.imagery.traits.describe import check_bands, describe
from geo.imagery.traits.unusable import UnusableError, reason_of
from geo.ledger import Entry
from geo.secrets import redact
from geo.sources.digest import digest_source
from geo.sources.files import check_disk

NOT_READ = {".ecw": "ECW", ".sid": "MrSID"}
"""Kinds of rasters whose drivers belong to others, by their endings."""
COLUMNS = (
    *("image_id", "path", "place", "crs", "pixel_m", "width", "height", "dtype", "digest", "transform"),
    *("date", "rank", "collar"),
)


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


def open_catalogue(
    imagery: Imagery,
    crs: pyproj.CRS,
    *,
    digest: Callable[[str], str] = digest_source,
    only: Collection[str] | None = None,
) -> Catalogue:
    """Open every raster of a city and describe it.

    A raster is rejected, with the reason, when it cannot be read or is cut short, has no CRS or no place in it, lacks
    a band, has bands of several dtypes, is not 8 bit while no ``scale`` is given, lies where the city's CRS is not
    defined, is all black or white, or has one band beside others in colour while ``bands`` is not given.

    Parameters
    ----------
    imagery
        The section ``imagery`` of the city's file: sources (absolute paths), CRS, bands and scale.
    crs
        The city's projected CRS, in metres.
    digest
        Gives the digest of a raster with all that belongs to it, by its path; pass a function that remembers in order
        not to read imagery twice.
    only
        Paths of the rasters that are opened; None: all of them.

    Raises
    ------
    SourceError
        When no source gives a raster that can be read, or one cannot be reached for now (its server, the disk): without
        it, the run would say less of the city than it could.
    LayerError
        When rasters can be read, but none can be used.
    ConfigurationError
        When ``crs`` is no CRS.

    Examples
    --------
    >>> import numpy as np
    >>> from geo.config import Imagery
    >>> profile = {"driver": "GTiff", "width": 200, "height": 100, "count": 3, "dtype": "uint8", "crs": 27700}
    >>> place = rasterio.Affine(0.5, 0, 400_000, 0, -0.5, 300_000)
    >>> with rasterio.open("photo.tif", "w", transform=place, **profile) as raster:
    ...     raster.write(np.full((3, 100, 200), 90, dtype="uint8"))
    >>> found = open_catalogue(Imagery(sources=["photo.tif"]), pyproj.CRS(27700))
    >>> found.images[["image_id", "pixel_m"]].values.tolist(), found.images.total_bounds.tolist()
    ([['photo', 0.5]], [400000.0, 299950.0, 400100.0, 300000.0])
    """
    _check_crs(imagery)
    rows: list[dict[str, Any]] = []
    entries: list[Entry] = []
    readable = False
    places = places_in(imagery.sources)
    for path in counted(sorted(places if only is None else only), "rasters"):
        missing = why_missing(path)
        if missing is not None:
            entries.append(_rejected(path, f"{missing} ({redact(path)})"))
            continue
        try:
            row, lost = persistently(path, partial(_look_at, path, imagery, crs, digest))
        except UnusableError as error:
            readable = True
            entries.append(_rejected(path, reason_of(error)))
        except (RasterioError, CRSError, OSError) as error:
            # the header, the CRS in it, or the bytes to digest cannot be read
            check_disk(path)
            entries.append(_rejected(path, _without_driver(path) or reason_of(error)))
        else:
            rows.append(row | {"place": places[path]})
            entries += [_rejected(path, f"it refers to {name}, which is not there") for name in lost]
    for leave_out in (_no_grey_beside_colour, partial(_one_depth, imagery=imagery)):
        rows, left_out = leave_out(rows)
        entries += left_out
    if not rows:
        raise _nothing_usable(entries, places, readable=readable)
    entries = [*_usable(rows), *entries]
    names = image_ids([row["path"] for row in rows])
    images = gpd.GeoDataFrame(rows, geometry="geometry", crs=crs).assign(image_id=names)
    images = images.sort_values("image_id", ignore_index=True)
    images = images.assign(rank=rank_images(images, imagery.prefer))[[*COLUMNS, "geometry"]]
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
        row, lost = describe(raster, path, imagery, crs)
        row["digest"] = digest(path)
    return row, lost


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
                check_bands(raster, imagery, "picture_bands", imagery.picture_bands)
        except RasterioError:
            # that it cannot be read is found out, and told, where it is
            continue
        except UnusableError as error:
            raise LayerError(
                str(error), where=redact(path), todo="Name three bands that every raster has."
            ) from error


def _check_crs(imagery: Imagery) -> None:
    """Refuse a CRS that PROJ does not know."""
    if imagery.crs is None:
        return
    try:
        pyproj.CRS.from_user_input(imagery.crs)
    except pyproj.exceptions.CRSError as error:
        raise ConfigurationError(
            f"{imagery.crs!r} is no CRS that is known ({reason_of(error)})",
            where="imagery.crs",
            todo="Give its code, such as EPSG:27700.",
        ) from error


def _without_driver(path: str) -> str | None:
    """Say what to do with a raster of a kind that GDAL, as installed here, cannot read; None: it is of another kind."""
    kind = NOT_READ.get(PurePosixPath(path).suffix.lower())
    with rasterio.Env() as settings:
        if kind is None or kind in settings.drivers():
            return None
    name = PurePosixPath(path)
    return (
        f"GDAL as it is installed here cannot read {kind}: convert it where GDAL can (QGIS on Windows, OSGeo4W) with "
        f"gdal_translate -of COG {name.name} {name.stem}.tif"
    )


def _no_grey_beside_colour(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Entry]]:
    """Leave out rasters of one band beside those in colour: masks, labels and shaded reliefs lie there."""
    if all(row["grey"] for row in rows):
        return rows, []
    reason = (
        "it has one band beside rasters in colour, as masks, labels and shaded reliefs have: name imagery.bands if it "
        "is imagery"
    )
    kept = [row for row in rows if not row["grey"]]
    return kept, [_rejected(row["path"], reason) for row in rows if row["grey"]]


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
    """Enter the rasters that can be used; how their colours are read is told where it may surprise."""
    counts = Counter(row["told"] for row in rows)
    plain = counts.pop("", 0)
    told = [Entry("rasters", "done", text, n) for text, n in sorted(counts.items())]
    return [Entry("rasters", "done", "", plain), *told] if plain or not told else told


def image_ids(paths: list[str]) -> list[str]:
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


def _nothing_usable(entries: list[Entry], named: Iterable[str], *, readable: bool) -> RoadprintError:
    """Quote the reasons when no raster is left, with the file that may be meant by one that is not there."""
    lost = (Path(path) for path in named if not is_url(path) and not Path(path).exists())
    like = next(filter(None, map(meant_file, lost)), "")
    shown = [entry.reason for entry in entries[:5]]
    more = [f"and {len(entries) - 5} more"] if len(entries) > 5 else []
    kind = LayerError if readable else SourceError
    what = "none of the rasters can be used" if readable else "no raster can be read"
    return kind(
        f"{what}{like}\n  " + "\n  ".join([*shown, *more]),
        where="imagery.sources",
        todo="Mend the files, or name others.",
    )
