"""What stands in an encoder's place where vectors are others' work: what is known of them, and how they are joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.config.sections.elsewhere import Elsewhere
from geo.features.elsewhere.products import PRODUCTS
from geo.features.encoder import Embeddings, EncoderCard
from geo.features.lengths import of_length_1

NO_BANDS = ("none",)
"""There is no imagery of which band statistics could be made."""
RUNTIME = "numpy"
"""What decodes and pools them."""


@dataclass(frozen=True, slots=True)
class Others:
    """Embeddings of others in an encoder's place (`geo.features.encoder.Made`).

    Attributes
    ----------
    card
        What is known of them.
    ground_m
        Ground that a vector stands for (metres a side).
    """

    card: EncoderCard
    ground_m: float | None
    side: int | None = None
    runtime: str = RUNTIME
    kept_turns: int = 0


def card_of(settings: Elsewhere, dimension: int, year: str, version: str, dtype: str) -> EncoderCard:
    """Say what is known of embeddings of others.

    Parameters
    ----------
    settings
        What they are, and what is taken along a road.
    dimension
        How many numbers a vector has, before it is pooled.
    year, version
        As they are told; empty: not told.
    dtype
        Of the values as they are stored.
    """
    product = PRODUCTS[settings.product]
    told = [f"{what} {value or 'not told'}" for what, value in (("year", year), ("version", version))]
    coded = decoding(settings, dtype)
    pooled = ", ".join(settings.pool)
    return EncoderCard(
        name=f"raster: {settings.product}",
        dimension=dimension * len(settings.pool),
        input_px=None,
        pixel_m=None,
        bands=NO_BANDS,
        value_range=None,
        mean=(0.0,),
        std=(1.0,),
        licence=product.licence,
        source=f"{product.title} ({', '.join(told)}; stored as {dtype}, decoding: {coded}; {pooled} along a corridor "
        f"of {settings.corridor_m:g} m, brought to length 1). {product.source}",
    )


def decoding(settings: Elsewhere, dtype: str) -> str:
    """Say how stored values become vectors."""
    if "int8" not in dtype:
        return "none"
    return "code x scale of its pixel" if settings.product == "tessera" else "((v / 127.5) ** 2) * sign(v)"


def join(own: NDArray[np.floating], others: NDArray[np.floating], weight: float) -> Embeddings:
    """Join two embeddings of the same places: each brought to length 1, the likeness of the second counted by `weight`.

    The cosine of two joined vectors is the mean of both cosines, weighted 1 and `weight`.

    Parameters
    ----------
    own, others
        Arrays ``(n, dimension)``.
    weight
        What the likeness of `others` counts for, where that of `own` counts 1.

    Examples
    --------
    >>> join(np.array([[0.0, 5.0]]), np.array([[3.0]]), 1.0).round(3).tolist()
    [[0.0, 0.707, 0.707]]
    """
    shares = np.sqrt(np.array([1.0, weight]) / (1 + weight))
    return np.concatenate(
        [of_length_1(own.astype(np.float64)) * shares[0], of_length_1(others.astype(np.float64)) * shares[1]],
        axis=1,
    ).astype(np.float32)


def again_of_length_1(vectors: NDArray[np.floating], own: int, weight: float | None) -> Embeddings:
    """Bring fingerprints of others' embeddings to length 1 after the mean over tiles, part by part where joined.

    Parameters
    ----------
    vectors
        Means ``(n, dimension)`` of vectors of length 1.
    own
        How many of the numbers, the first, are the encoder's own; 0: none.
    weight
        See `join`; None: nothing is joined.
    """
    if weight is None:
        return of_length_1(vectors.astype(np.float64)).astype(np.float32)
    return join(vectors[:, :own], vectors[:, own:], weight)
