"""Vectors brought to one length, so that their inner products are cosines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def of_length_1(vectors: NDArray[Any]) -> NDArray[Any]:
    """Bring vectors to length 1; one of nothing but zeros stays as it is.

    Parameters
    ----------
    vectors
        Floats, ``(..., dimension)``; their type is kept.

    Examples
    --------
    >>> of_length_1(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    found: NDArray[Any] = vectors / np.where(lengths > 0, lengths, 1)
    return found
