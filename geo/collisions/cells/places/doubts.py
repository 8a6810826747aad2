"""Coordinates that can be read and are still to be questioned: rounded ones, and one place for many collisions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyproj

_ENOUGH, _MOST = 30, 0.9
_DECIMALS, _METRES = 3, 100.0
"""Rounded to so many decimals of a degree or so many metres, a place is a street or more off its own."""
_ONE_PLACE = 0.1
"""A larger share of all collisions at the very same coordinates stands for no place: a police station."""


def doubtful(x: pd.Series, y: pd.Series, crs: pyproj.CRS) -> list[str]:
    """Question coordinates that place collisions on roads they were not on.

    Parameters
    ----------
    x, y
        Coordinates in `crs`, NaN where there are none.
    crs
        Their CRS.

    Returns
    -------
    Sentences for the end of a run; none for fewer than `_ENOUGH` places.
    """
    places = pd.DataFrame({"x": x, "y": y}).dropna()
    places = places[(places["x"] != 0) | (places["y"] != 0)]
    if len(places) < _ENOUGH:
        return []
    told = []
    if crs.is_geographic:
        rounded, step = places.round(_DECIMALS), f"{_DECIMALS} decimals or fewer (some {_METRES:.0f} m)"
    else:
        rounded, step = (places / _METRES).round() * _METRES, f"steps of {_METRES:.0f} units"
    coarse = np.isclose(places, rounded, rtol=0, atol=1e-9).all(axis=1)
    if coarse.mean() > _MOST:
        told.append(
            f"{coarse.mean():.0%} of the coordinates are rounded to {step}: collisions are placed on roads that they "
            "may not have been on"
        )
    most = places.value_counts()
    if most.iloc[0] > _ONE_PLACE * len(places):
        at = ", ".join(f"{axis} {value:.10g}" for axis, value in zip("xy", most.index[0], strict=True))
        told.append(
            f"{most.iloc[0]:,} of {len(places):,} rows are at one place ({at}), which may stand for places not known"
        )
    return told
