"""A typology as one file: arrays in the safetensors format, with its card as JSON. Nothing in it is executed."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load

from geo.clusters.typology.head import KEY, read_head, refused
from geo.clusters.typology.model import Arrays, Card, Typology
from geo.faults import reason_of
from geo.sources.arrays import write_arrays

ENDING = ".safetensors"


def write_typology(path: Path, typology: Typology) -> None:
    """Write a typology, the same bytes for the same one, whole or not at all.

    Parameters
    ----------
    path
        Path of the file.
    typology
        What it is to hold.

    Raises
    ------
    SourceError
        When it cannot be written.
    """
    head = json.dumps(
        {"digest": typology.digest, "card": json.loads(typology.told)},
        sort_keys=True,
        ensure_ascii=False,
    )
    todo = "Name a file in a folder that is there and can be written to."
    write_arrays(path, typology.arrays.by_name(), {KEY: head}, what="the typology", todo=todo)


def read_typology(path: Path) -> Typology:
    """Read what `write_typology` wrote, and hold it against its digest.

    Raises
    ------
    SourceError
        When it is not there, is no typology, is not whole, is not as it was written, or is of a newer roadprint.
    """
    head = read_head(path)
    try:
        arrays = load(path.read_bytes())
        card = Card.model_validate(head["card"])
    except OSError as error:
        raise refused(path, f"it cannot be read ({error.strerror})") from error
    except (SafetensorError, ValidationError) as error:
        raise refused(path, f"it is not as a typology is written ({reason_of(error):.200})") from error
    if set(arrays) != {one.name for one in fields(Arrays)}:
        raise refused(path, f"its arrays are {', '.join(sorted(arrays))}")
    typology = Typology(card, Arrays(**arrays))
    if typology.digest != head["digest"] or not _fits(typology):
        raise refused(path, "it is not as it was written")
    return typology


def _fits(typology: Typology) -> bool:
    """Tell whether the arrays fit together and hold numbers."""
    parts = typology.arrays
    k, components = parts.centroids.shape
    shapes = (
        parts.middles.shape == (k, components),
        parts.limits.shape == (k,) == (len(typology.card.types),),
        parts.axes.shape == (components, len(parts.mean)),
        parts.deviation.shape == (components,),
        parts.anchors.shape[1:] == (components,),
        parts.apart.shape[1:] == (2,),
        parts.partitions.shape[1:] == (k, components),
        parts.counterparts.shape == parts.partitions.shape[:2],
    )
    return all(shapes) and all(np.isfinite(array).all() for array in parts.by_name().values())
