"""Places as they are written in a question: longitude and latitude in degrees, or a box of them."""

from __future__ import annotations

import re

import numpy as np

from geo.errors import ConfigurationError

Place = str | tuple[float, float]
_PLACE = re.compile(r"\s*([-+]?\d+(?:\.\d*)?)\s*,\s*([-+]?\d+(?:\.\d*)?)\s*")


def is_place(what: str) -> bool:
    """Tell whether words are longitude and latitude."""
    return _PLACE.fullmatch(what) is not None


def place_of(what: Place) -> tuple[float, float]:
    """Read longitude and latitude.

    Raises
    ------
    ConfigurationError
        When these are not two numbers.
    """
    if not isinstance(what, str):
        return float(what[0]), float(what[1])
    match = _PLACE.fullmatch(what)
    if match is None:
        raise ConfigurationError(
            f"{what!r} is not of the form LON,LAT", where="--at", todo="Write degrees: --at=-71.1,42.37."
        )
    return float(match[1]), float(match[2])


def area_of(within: str | tuple[float, float, float, float]) -> str | tuple[float, float, float, float]:
    """Read an area: a file of polygons, or four numbers in degrees.

    Raises
    ------
    ConfigurationError
        When numbers are no box in degrees.
    """
    try:
        numbers = [float(part) for part in (within.split(",") if isinstance(within, str) else within)]
    except ValueError:
        return within
    west, south, east, north = numbers if len(numbers) == 4 else [np.nan] * 4
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ConfigurationError(
            f"{within!r} is no box", where="--within", todo="Write WEST,SOUTH,EAST,NORTH in degrees."
        )
    return west, south, east, north
