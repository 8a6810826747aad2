"""Reference systems that a city's file names."""

from __future__ import annotations

import pyproj
from pyproj.exceptions import CRSError

from geo.errors import ConfigurationError

EXAMPLE = "Give EPSG:4326, for example."


def crs_of_user(crs: str, key: str, todo: str = "Give its number: EPSG:...") -> pyproj.CRS:
    """Read a CRS that the city's file names by a key; `todo` is what to do where PROJ knows none such.

    Raises
    ------
    ConfigurationError
        Where it does not.
    """
    try:
        return pyproj.CRS.from_user_input(crs)
    except CRSError as error:
        raise ConfigurationError(f"{crs!r} is no CRS that PROJ knows", where=key, todo=todo) from error
