"""Arrays as the bytes of a safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save


def arrays_as_bytes(arrays: Mapping[str, NDArray[Any]], metadata: dict[str, str]) -> bytes:
    """Write arrays in the safetensors format, the same bytes for the same ones.

    The library writes the memory of an array as it lies: one whose columns come first, as scikit-learn's often do,
    would come back with its numbers in other places.

    Examples
    --------
    >>> from safetensors.numpy import load
    >>> load(arrays_as_bytes({"a": np.array([[1, 2], [3, 4]], order="F")}, {}))["a"].tolist()
    [[1, 2], [3, 4]]
    >>> load(arrays_as_bytes({"a": np.array(0.5)}, {}))["a"].shape
    ()
    """
    return save({name: np.asarray(array, order="C") for name, array in arrays.items()}, metadata=metadata)
