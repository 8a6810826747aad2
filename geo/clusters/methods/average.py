"""Flexible average linkage of smoothed points, mended as every linkage is (`geo.clusters.methods.linked`).

Average linkage (Sokal and Michener 1958, University of Kansas Science Bulletin 38:1409-1438) keeps groups of unequal
size apart, which k-means and Ward's linkage even out; made a little flexible (Belbin, Faith and Milligan 1992) it does
nearly as well as these where groups are of like size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geo.clusters.methods.linkage import average_linkage
from geo.clusters.methods.linked import LinkedKind
from geo.clusters.methods.mending import middles, pieces


class Average(LinkedKind):
    """Flexible average linkage, then k-means from its centroids; for any number of segments. Nothing is drawn."""

    tag: ClassVar[str] = "average"
    form: ClassVar[str] = "average"
    words: ClassVar[str] = "flexible average linkage, mended by k-means,"

    method: Literal["average"] = Field(default="average", description="average.")

    def _linked(self, points: NDArray[np.float64], ks: Sequence[int]) -> list[NDArray[np.int64]]:
        piece = pieces(points, self.seed)
        tree = average_linkage(middles(points, piece), np.bincount(piece).astype(np.float64))
        return [tree.cut(k)[piece] for k in ks]
