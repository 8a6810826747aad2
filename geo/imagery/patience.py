"""How GDAL asks a server for parts of a raster: again where it is busy, and not for ever where it is silent."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        # a busy or failing server is asked again after 0.5 s, 1 s and 2 s
        "GDAL_HTTP_MAX_RETRY": "3",
        "GDAL_HTTP_RETRY_DELAY": "0.5",
        "GDAL_HTTP_RETRY_CODES": "429,500,502,503,504",
        # one that is silent is given up
        "GDAL_HTTP_CONNECTTIMEOUT": "15",
        "GDAL_HTTP_LOW_SPEED_TIME": "30",
        "GDAL_HTTP_LOW_SPEED_LIMIT": "1",
        # the header of a cloud-optimised GeoTIFF in one request
        "GDAL_INGESTED_BYTES_AT_OPEN": "32768",
    }
)


def patience(environment: Mapping[str, str]) -> dict[str, str]:
    """Choose the settings of GDAL for rasters behind HTTP: those that an environment does not say already.

    Parameters
    ----------
    environment
        Environment of the process: GDAL reads it in every thread.
    """
    return {name: value for name, value in SETTINGS.items() if name not in environment}
