"""Things are peaks of a map of how likely each place shows one.

A peak is told by the places near it alone, the same wherever a map is cut: seams neither cut a thing nor double it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter
from scipy.special import softmax

from geo.ground.contract import Scores

Evidence = NDArray[np.uint8]
FULL = 255
FLOOR = 26
"""What is less likely than a tenth is no evidence: it is not kept."""
WIDE = 3.0
"""A blur reaches so many of its deviations."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What counts as one thing.

    Attributes
    ----------
    blur_m
        Standard deviation of the blur that brings what shows one thing together (metres).
    apart_m
        No two things are nearer to each other than this (metres).
    least
        Of the blurred evidence at a thing (0 to 1).
    """

    blur_m: float
    apart_m: float
    least: float


def evidence_of(scores: Scores, which: int) -> Evidence:
    """Tell how likely each place shows a class.

    Parameters
    ----------
    scores
        Logarithms of probabilities, up to what is added to them, ``(classes, rows, columns)``.
    which
        The class, an index.

    Returns
    -------
    Its probability in 255ths; 0 where that is below `FLOOR`.
    """
    likely = np.rint(softmax(scores, axis=0)[which] * FULL).astype(np.uint8)
    return np.where(likely >= FLOOR, likely, np.uint8(0))


def margin(rule: Rule, place_m: float) -> int:
    """Tell how many places around a peak tell whether it is one."""
    return _blur_reach(rule, place_m) + _window(rule, place_m)


def _blur_reach(rule: Rule, place_m: float) -> int:
    return int(np.ceil(WIDE * rule.blur_m / place_m))


def _window(rule: Rule, place_m: float) -> int:
    return max(1, int(np.floor(rule.apart_m / place_m)))


def blurred(evidence: Evidence, rule: Rule, place_m: float) -> NDArray[np.float64]:
    """Blur evidence, 0 to 1; nothing lies around it."""
    found = evidence.astype(np.float64) / FULL
    for axis in (0, 1):
        found = gaussian_filter1d(
            found, rule.blur_m / place_m, axis, mode="constant", radius=_blur_reach(rule, place_m)
        )
    return found


def peaks(
    evidence: Evidence, rule: Rule, place_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Find things.

    Of places that are equally likely, as on a flat top, the first by row and column is the peak.

    Parameters
    ----------
    evidence
        See `evidence_of`, ``(rows, columns)``.
    rule
        What counts as one.
    place_m
        Side of a place (metres).

    Returns
    -------
    Rows, columns and scores (the blurred evidence, 0 to 1), by rows and columns.
    """
    even = blurred(evidence, rule, place_m)
    half = _window(rule, place_m)
    down, across = np.mgrid[-half : half + 1, -half : half + 1]
    near = (down**2 + across**2) * place_m**2 <= rule.apart_m**2
    near |= np.abs(down) + np.abs(across) == 1
    before = near & ((down < 0) | ((down == 0) & (across < 0)))
    after = near & ((down > 0) | ((down == 0) & (across > 0)))
    top = even > maximum_filter(even, footprint=before, mode="constant", cval=0.0)
    top &= even >= maximum_filter(even, footprint=after, mode="constant", cval=0.0)
    top &= even >= rule.least
    rows, columns = np.nonzero(top & (even > 0))
    return rows.astype(np.int64), columns.astype(np.int64), even[rows, columns]
