"""Embeddings of others, pooled along roads: one vector a road."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geo.config.sections.elsewhere import Elsewhere
from geo.features.elsewhere.along import Shapes, Touched, pixels_along
from geo.features.elsewhere.chips import Chips, chips_along, read_chips
from geo.features.elsewhere.inputs import of_chips
from geo.features.elsewhere.products import PRODUCTS
from geo.features.elsewhere.summary import summarise
from geo.features.encoder import Embeddings


@dataclass(frozen=True, slots=True)
class Pooled:
    """What shapes look like to others' embeddings.

    Attributes
    ----------
    vectors
        Array ``(shapes, dimension)`` of length 1; NaN without data.
    coverage
        Share of each shape that has data (0 to 1).
    sources
        ``image_id`` of the files that each is from, joined by ``;``.
    """

    vectors: Embeddings
    coverage: NDArray[np.float64]
    sources: list[str]


def corridor(lines: Shapes, width_m: float) -> Shapes:
    """Lay a corridor about roads, which ends where they end.

    Parameters
    ----------
    lines
        LineStrings (metres).
    width_m
        Its width, half to each side (metres).
    """
    flat: Shapes = shapely.buffer(lines, width_m / 2, cap_style="flat")
    return flat


def pool(shapes: Shapes, settings: Elsewhere, files: gpd.GeoDataFrame, dimension: int) -> Pooled:
    """Pool the vectors on the ground of shapes.

    Parameters
    ----------
    shapes
        Corridors (Polygon, in the CRS of `files`, metres).
    settings
        What they are, and what is taken of them.
    files
        ``image_id, path, digest`` and footprints (`geo.features.elsewhere.catalogue.describe`).
    dimension
        How many numbers a vector has, before it is pooled.

    Raises
    ------
    LayerError
        When vectors are not decoded.
    SourceError
        When a file cannot be read.
    """
    touched, covered = _touch(shapes, settings, files, dimension)
    vectors = summarise(touched.owner, touched.area, touched.vectors, len(shapes), settings.pool)
    share = np.asarray(np.round(np.clip(covered / shapely.area(shapes), 0, 1), 6), dtype=np.float64)
    return Pooled(vectors, share, _sources(touched, files["image_id"].to_list(), len(shapes)))


def _touch(
    shapes: Shapes, settings: Elsewhere, files: gpd.GeoDataFrame, dimension: int
) -> tuple[Touched, NDArray[np.float64]]:
    """Find the vectors on the ground of shapes."""
    crs = pyproj.CRS.from_user_input(files.crs)
    chips = [of_chips(path) for path in files["path"]]
    if not any(chips):
        outlines = files.geometry.to_numpy()
        product = PRODUCTS[settings.product]
        return pixels_along(shapes, crs, files["path"].tolist(), outlines, product, dimension)
    plain = settings.model_dump_json(include=set(Elsewhere.model_fields))
    near = shapely.to_wkb(files.geometry.to_numpy())
    read = [
        _chips(path, digest, plain, crs.to_wkt(), bytes(place))
        for path, digest, place in zip(files["path"], files["digest"], near, strict=True)
    ]
    return chips_along(shapes, read, dimension)


@lru_cache(maxsize=8)
def _chips(path: str, digest: str, settings: str, crs: str, near: bytes) -> Chips:  # noqa: ARG001 - names the bytes
    """Read the chips of a city once a process."""
    return read_chips(
        path, Elsewhere.model_validate_json(settings), pyproj.CRS.from_wkt(crs), shapely.from_wkb(near)
    )


def _sources(touched: Touched, names: list[str], count: int) -> list[str]:
    """Name the files behind each shape."""
    pairs = np.unique(np.column_stack([touched.owner, touched.source]), axis=0)
    found = [list[str]() for _ in range(count)]
    for owner, source in pairs.tolist():
        found[owner].append(names[source])
    return [";".join(some) for some in found]
