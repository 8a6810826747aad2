"""Features of the ground, averaged over the cells around each."""

from __future__ import annotations

from geo.ground.contract import Features

AROUND = 3


def smoothed(features: Features, side: int = AROUND) -> Features:
    """Average features ``(rows, columns, dimension)`` over squares of so many cells along each side."""
    from scipy.ndimage import uniform_filter

    found: Features = uniform_filter(features, size=(side, side, 1), mode="nearest")
    return found
