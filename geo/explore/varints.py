"""Whole numbers as varints of Protocol Buffers, many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BITS = 7
"""Of a number in each byte; the eighth says that another byte follows."""
_STEPS = (1 << (BITS * np.arange(1, 9, dtype=np.int64))).astype(np.int64)


def varint_sizes(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Tell how many bytes each number takes.

    Parameters
    ----------
    numbers
        From 0 to 2^56, of any shape.
    """
    return np.searchsorted(_STEPS, numbers, side="right").astype(np.int64) + 1


def varints(numbers: NDArray[np.int64]) -> bytes:
    """Write numbers one after the other, as https://protobuf.dev/programming-guides/encoding/#varints says.

    Parameters
    ----------
    numbers
        From 0 to 2^56, ``(n,)``.

    Examples
    --------
    >>> varints(np.array([1, 150])).hex()
    '019601'
    """
    sizes = varint_sizes(numbers)
    ends = np.cumsum(sizes)
    written = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
    begins = ends - sizes
    for place in range(int(sizes.max(initial=0))):
        there = sizes > place
        more = (sizes[there] > place + 1).astype(np.uint8) << BITS
        written[begins[there] + place] = (numbers[there] >> (BITS * place) & (2**BITS - 1)).astype(
            np.uint8
        ) | more
    return written.tobytes()
