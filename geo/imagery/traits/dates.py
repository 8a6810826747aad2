"""When a raster's ground was seen, as far as the file or its name tells."""

from __future__ import annotations

import re

import rasterio

from geo.addresses import place_of

_WRITTEN = re.compile(r"\s*((?:19|20)\d\d)[:-](0[1-9]|1[0-2])[:-](0[1-9]|[12]\d|3[01])")
_NAMED = re.compile(
    r"(?<!\d)((?:19[3-9]|20[0-4])\d)(?:[-_.]?(0[1-9]|1[0-2])(?:[-_.]?(0[1-9]|[12]\d|3[01]))?)?(?!\d)"
)
_TAKEN = (
    ("IMAGERY", "ACQUISITIONDATETIME"),
    (None, "ACQUISITIONDATETIME"),
    (None, "EXIF_DateTimeOriginal"),
    ("EXIF", "EXIF_DateTimeOriginal"),
)
"""Where GDAL tells when a picture was taken: https://gdal.org/user/raster_data_model.html, its JPEG driver."""


def date_of(raster: rasterio.DatasetReader, path: str) -> str:
    """Find the date of a raster: when it was taken, else the one in its name, else when the file was made.

    Parameters
    ----------
    raster
        An open raster.
    path
        Its path or address, whose file name counts, or the folder's where that has no date.

    Returns
    -------
    ``2021``, ``2021-06`` or ``2021-06-30``; empty where nothing tells.
    """
    for domain, key in _TAKEN:
        taken = _of_tag(raster.tags(ns=domain).get(key, ""))
        if taken:
            return taken
    return date_in_name(path) or _of_tag(raster.tags().get("TIFFTAG_DATETIME", ""))


def date_in_name(path: str) -> str:
    """Find the date in a file's name, else in its folder's; none where several stand there."""
    place = place_of(path)
    for name in (place.stem, place.parent.name):
        found = {"-".join(part for part in match.groups() if part) for match in _NAMED.finditer(name)}
        if len(found) == 1:
            return found.pop()
    return ""


def _of_tag(text: str) -> str:
    match = _WRITTEN.match(text)
    return "-".join(match.groups()) if match else ""
