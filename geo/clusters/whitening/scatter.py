"""How embeddings of one place scatter: by how it is turned, or by which flight shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits


@dataclass(frozen=True, slots=True)
class Scatter:
    """Sums over places of how looks at one place differ from their mean.

    Attributes
    ----------
    matrix
        Sum of the outer products of the differences, ``(dimension, dimension)``, symmetric.
    n
        Number of differences summed.
    """

    matrix: NDArray[np.float64]
    n: int

    @classmethod
    def none(cls, dimension: int) -> Self:
        """Make that of no place."""
        return cls(np.zeros((dimension, dimension)), 0)

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean outer product, ``(dimension, dimension)``; zeros of no place."""
        return self.matrix / max(self.n, 1)

    def __add__(self, other: Scatter) -> Scatter:
        """Pool with that of other places, each difference counting alike.

        Raises
        ------
        ValueError
            When the two are of embeddings of other lengths.
        """
        if self.matrix.shape != other.matrix.shape:
            raise ValueError(
                f"scatter of {len(self.matrix)} numbers and of {len(other.matrix)} cannot be pooled"
            )
        return Scatter(self.matrix + other.matrix, self.n + other.n)

    def as_frame(self) -> pd.DataFrame:
        """Lay it out as a table: ``row`` from 0, ``scatter`` (its figures), ``n``."""
        return pd.DataFrame({"row": np.arange(len(self.matrix)), "scatter": list(self.matrix), "n": self.n})

    @classmethod
    def of_frame(cls, frame: pd.DataFrame) -> Self:
        """Read what `as_frame` laid out."""
        ordered = frame.sort_values("row")
        return cls(np.stack(ordered["scatter"].tolist()).astype(np.float64), int(ordered["n"].iloc[0]))


def scatter_of_looks(looks: NDArray[np.floating]) -> Scatter:
    """Measure how the looks at each place scatter about their mean.

    Parameters
    ----------
    looks
        Embeddings ``(places, looks at each, dimension)``, each of length 1: the quarter turns of a tile, or one tile as
        several flights show it.

    Examples
    --------
    Two looks at one place, which differ in the second number alone:

    >>> found = scatter_of_looks(np.array([[[1.0, 0.2], [1.0, -0.2]]]))
    >>> found.matrix.round(2).tolist(), found.n
    ([[0.0, 0.0], [0.0, 0.08]], 2)
    """
    exact = np.asarray(looks, dtype=np.float64)
    apart = (exact - exact.mean(axis=1, keepdims=True)).reshape(-1, exact.shape[-1])
    # sums over several threads come in any order
    with threadpool_limits(limits=1):
        return Scatter(apart.T @ apart, len(apart))
