"""Rasters that cannot be used, and why."""

from __future__ import annotations

from rasterio.errors import RasterioError

from geo.secrets import redact


class UnusableError(Exception):
    """A raster that cannot be used; the message says why, and what mends it."""


class CutShortError(UnusableError, RasterioError):  # type: ignore[misc] # rasterio has no types
    """A raster whose end cannot be decoded; where it lies on a server, that is tried again."""


def reason_of(error: Exception) -> str:
    """Say in one line what went wrong; GDAL's own words where rasterio only points at them."""
    cause = error.__cause__ if "previous exception" in str(error) and error.__cause__ is not None else error
    return redact(" ".join(str(cause).split()))
