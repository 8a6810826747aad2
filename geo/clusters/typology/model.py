"""What a typology is: types of road with all that tells to which of them a segment belongs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from geo.clusters.space import Space
from geo.clusters.typology.head import FORMAT
from geo.config import Clusters

Weight = Literal["city", "length", "segment"]
Floats = NDArray[np.float64]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KnownType(_Told):
    """A type of a typology."""

    number: int = Field(ge=1)
    name: str = ""
    colour: str = Field(pattern=r"^#[0-9A-F]{6}$")
    note: str = ""
    segments: int = Field(description="Segments that it was found with.")
    length_km: float = Field(description="Their length (km).")


class FittedCity(_Told):
    """A city that a typology was fitted on."""

    city: str
    fingerprints: str = Field(description="Digest of its file of fingerprints.")
    segments: int = Field(description="Segments with a fingerprint.")
    kept: int = Field(description="Of these, segments that took part.")
    length_km: float = Field(description="Length of the segments with a fingerprint (km).")


class Evidence(_Told):
    """What speaks for a number of types (`geo.clusters.evidence.choose.choose_k`)."""

    k: int
    silhouette: float | None
    silhouette_smoothed: float | None = None
    stability: float | None
    chosen: bool


class Settings(_Told):
    """How types were found: keys of the section ``clusters`` that bear on new segments."""

    method: str
    components: int | None
    whitening: Annotated[float, Field(ge=0, le=1)]
    neighbours: int
    smoothing: int
    seed: int
    weight: Weight
    tile_m: float

    def clusters(self) -> Clusters:
        """Give them as a section of a city's file."""
        told = self.model_dump(include={"components", "whitening", "neighbours", "smoothing", "seed"})
        return Clusters(method=self.method, **told)


class Card(_Told):
    """What a typology says of itself.

    Attributes
    ----------
    version
        From 1; one that carries on the names of another has the next number.
    earlier
        Digest of the typology whose names and numbers it carries on; None: of none.
    made_by
        What made the embeddings (`geo.clusters.typology.made_by.made_by`).
    """

    format: int = Field(default=FORMAT, ge=FORMAT, le=FORMAT)
    version: int = Field(ge=1)
    earlier: str | None = None
    made_by: dict[str, Any]
    settings: Settings
    cities: list[FittedCity] = Field(min_length=1)
    types: list[KnownType] = Field(min_length=1)
    choice: list[Evidence]

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The numbers of the types, in the order of the arrays, ``(k,)``."""
        return np.array([one.number for one in self.types], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Arrays:
    """What tells to which type a segment belongs.

    Attributes
    ----------
    mean, axes, deviation
        Of the space of looks (`geo.clusters.space.Space`).
    anchors
        Segments that new ones are drawn towards, where they lie in the space, ``(anchors, components)`` of float32.
    apart
        Pairs of rows of these that show the same ground, and are no neighbours, ``(pairs, 2)``.
    centroids
        Middles of the types among smoothed segments, ``(k, components)``: a segment is of the nearest one.
    middles
        The same among segments as they were.
    limits
        99th percentile of the distance of a type's segments from its middle, ``(k,)``.
    partitions
        Centroids of bootstrap groupings, ``(groupings, k, components)``.
    counterparts
        Place of the type that each of these is the counterpart of; -1: of none, ``(groupings, k)``.
    """

    mean: Floats
    axes: Floats
    deviation: Floats
    anchors: NDArray[np.float32]
    apart: NDArray[np.int32]
    centroids: Floats
    middles: Floats
    limits: Floats
    partitions: Floats
    counterparts: NDArray[np.int64]

    def by_name(self) -> dict[str, NDArray[Any]]:
        """Give them by their names."""
        return {one.name: np.ascontiguousarray(getattr(self, one.name)) for one in fields(self)}


@dataclass(frozen=True, slots=True)
class Typology:
    """Types of road, and what tells to which of them a segment belongs."""

    card: Card
    arrays: Arrays

    @property
    def space(self) -> Space:
        """The space of looks."""
        parts = self.arrays
        return Space(parts.mean, parts.axes, parts.deviation, self.card.settings.whitening)

    @property
    def digest(self) -> str:
        """Digest of all that it holds (BLAKE2b, 32 hex digits): two of the same are the same typology."""
        found = hashlib.blake2b(self.told.encode(), digest_size=16)
        for name, array in sorted(self.arrays.by_name().items()):
            found.update(f"{name} {array.dtype} {array.shape}".encode())
            found.update(array.tobytes())
        return found.hexdigest()

    @property
    def told(self) -> str:
        """Its card as JSON, the same text for the same card."""
        return json.dumps(self.card.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
