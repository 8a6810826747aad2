"""What is known of the products: how long a vector is, how it is decoded, and what its files are called."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.errors import LayerError
from geo.features.encoder import Embeddings

LENGTH_SLACK = 0.1
"""A vector that is published at length 1 may differ by so much: int8 is off by less than a hundredth."""
WHOLE_FROM = 2.0
"""Vectors of whole numbers alone, some of them as large as this, are codes that were not decoded."""


@dataclass(frozen=True, slots=True)
class Product:
    """A product of embeddings.

    Attributes
    ----------
    title
        What it is called.
    bands
        Length of a vector; None: it depends.
    coded
        Whether its rasters hold int8 codes, see `decode`.
    unit
        Whether its vectors have length 1 once they are decoded.
    place
        How ``version`` and ``year`` stand in the path of a file as it is published.
    licence, source
        Quoted in every output.
    """

    title: str
    bands: int | None
    coded: bool
    unit: bool
    place: re.Pattern[str] | None
    licence: str
    source: str


_BY_YEAR = re.compile(r"(?:^|/)(?P<version>v\d[\w.~-]*)/(?:[a-z]\w*(?:\.\w+)?_?\w*/)?(?P<year>20\d\d)(?:/|$)")

PRODUCTS = {
    "alphaearth": Product(
        "AlphaEarth Foundations Satellite Embedding, annual",
        64,
        coded=True,
        unit=True,
        place=_BY_YEAR,
        licence="CC-BY 4.0: The AlphaEarth Foundations Satellite Embedding dataset is produced by Google and Google "
        "DeepMind.",
        source="Brown et al. 2025, arXiv 2507.22291",
    ),
    "tessera": Product(
        "TESSERA",
        128,
        coded=False,
        unit=False,
        place=_BY_YEAR,
        licence="CC-BY 4.0 (TESSERA, University of Cambridge)",
        source="Feng et al. 2025, arXiv 2506.20380",
    ),
    "clay": Product(
        "Clay",
        None,
        coded=False,
        unit=False,
        place=None,
        licence="ODC-BY (Clay)",
        source="Clay Foundation Model",
    ),
    "earth_index": Product(
        "Earth Index",
        384,
        coded=False,
        unit=False,
        place=None,
        licence="CC-BY 4.0 (Earth Genome)",
        source="Earth Index, SoftCon on Sentinel-2",
    ),
    "major_tom": Product(
        "Major TOM embeddings",
        None,
        coded=False,
        unit=False,
        place=None,
        licence="CC-BY-SA 4.0 (Major TOM)",
        source="Czerkawski et al. 2024, arXiv 2412.05600",
    ),
    "other": Product(
        "embeddings of others",
        None,
        coded=False,
        unit=False,
        place=None,
        licence="not stated: files of one's own",
        source="files of one's own",
    ),
}


def decode(values: NDArray[np.generic], product: Product) -> Embeddings:
    """Decode vectors, with NaN in all of one that has no data.

    AlphaEarth's int8 codes become ``((v / 127.5) ** 2) * sign(v)``, -128 is without data (Google, 'AlphaEarth
    Foundations GCS data': the de-quantisation mapping). Others are taken as they are; what is not finite in any of its
    numbers, or 0 in all, is without data.

    Parameters
    ----------
    values
        Vectors ``(..., dimension)``, as the file holds them.
    product
        What they are.

    Returns
    -------
    Float32 of the same shape.

    Examples
    --------
    >>> decode(np.array([[127, -64], [-128, -128]], dtype=np.int8), PRODUCTS["alphaearth"]).round(3).tolist()
    [[0.992, -0.252], [nan, nan]]
    """
    if product.coded and values.dtype == np.int8:
        codes = values.astype(np.float32)
        found = np.square(codes / np.float32(127.5)) * np.sign(codes)
        lost = (values == -128).any(axis=-1)
    else:
        found = values.astype(np.float32)
        lost = ~np.isfinite(found).all(axis=-1)
    lost |= ~np.where(lost[..., None], 0, found).any(axis=-1)
    return np.where(lost[..., None], np.float32(np.nan), found)


def check_decoded(vectors: Embeddings, product: Product, where: str) -> None:
    """Make sure that vectors are decoded: whole numbers, or vectors of another length than the product's, are not.

    Parameters
    ----------
    vectors
        Decoded vectors ``(n, dimension)``; those without data (NaN) tell nothing.
    product
        What they are.
    where
        The file, for messages.

    Raises
    ------
    LayerError
        Saying what was found: likeness of codes that were not decoded is plausible, and wrong.
    """
    known = vectors[np.isfinite(vectors).all(axis=-1)]
    if not len(known):
        return
    largest = float(np.abs(known).max())
    if largest >= WHOLE_FROM and (known == np.round(known)).all():
        raise LayerError(
            f"its vectors are whole numbers up to {largest:g}: codes that were not decoded",
            where=where,
            todo="Give the file as it was published (int8 where the product is), or decode it first: likeness of "
            "undecoded codes looks plausible, and is wrong.",
        )
    if product.unit:
        lengths = np.linalg.norm(known.astype(np.float64), axis=1)
        worst = float(lengths[np.abs(lengths - 1).argmax()])
        if abs(worst - 1) > LENGTH_SLACK:
            raise LayerError(
                f"a vector has length {worst:.3g}, and those of {product.title} have length 1",
                where=where,
                todo="They are not decoded, decoded twice, averaged, or another product's: give the file as it was "
                "published, at full resolution, or mend encoder.product.",
            )
