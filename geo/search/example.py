"""What a search starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """An example of what is meant, or of what is not.

    Attributes
    ----------
    label
        What it is, in words: ``segment 3f2a..``, ``picture.jpg``, ``type 3``.
    vector
        Its fingerprint, ``(dimension,)``, before it is brought into the space of types.
    segment_id
        The segment that it is, or lies on; None: it is no single road of this city.
    tile_id
        The tile that it is; None: it is no single tile of this city.
    """

    label: str
    vector: NDArray[np.float32]
    segment_id: str | None = None
    tile_id: str | None = None
