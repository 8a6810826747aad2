"""Arrays as a safetensors file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from geo.errors import SourceError


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


def write_arrays(
    path: Path, arrays: Mapping[str, NDArray[Any]], metadata: dict[str, str], *, what: str, todo: str
) -> None:
    """Write arrays to a file (`arrays_as_bytes`), whole or not at all.

    Parameters
    ----------
    path
        Path of the file.
    arrays, metadata
        What it is to hold.
    what, todo
        What the arrays are, and what is to be done where they cannot be written, for the message.

    Raises
    ------
    SourceError
        When they cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(arrays_as_bytes(arrays, metadata))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SourceError(
            f"{what} cannot be written ({error.strerror})", where=str(path), todo=todo
        ) from error
