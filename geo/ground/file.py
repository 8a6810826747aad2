"""A classifier of ground as one file: its arrays as safetensors, its classes and words as JSON. Nothing in it runs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from safetensors import SafetensorError, safe_open

from geo.errors import SourceError
from geo.ground.contract import Classifier, GroundClass
from geo.ground.registry import KINDS
from geo.sources.arrays import write_arrays

KEY = "roadprint.ground"
"""The one key of the file's metadata: of several, the order of writing would be open."""


def write_classifier(path: Path, classifier: Classifier) -> None:
    """Write a classifier, the same bytes for the same one, whole or not at all.

    Raises
    ------
    SourceError
        When it cannot be written.
    """
    head = {
        "way": type(classifier).__name__,
        "format": classifier.format,
        "classes": [asdict(one) for one in classifier.classes],
        "words": classifier.words(),
    }
    told = json.dumps(head, sort_keys=True, ensure_ascii=False)
    todo = "Name a folder that is there and can be written to."
    write_arrays(path, classifier.arrays(), {KEY: told}, what="the classifier", todo=todo)


def read_classifier(path: Path) -> Classifier:
    """Read what `write_classifier` wrote.

    Raises
    ------
    SourceError
        When it is not there, is no classifier of ground, or is of another roadprint.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            head = json.loads((file.metadata() or {})[KEY])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        kind = _known(head["way"], head["format"])
        classes = tuple(GroundClass(**one) for one in head["classes"])
        return kind.from_arrays(classes, arrays, head["words"])
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise SourceError(
            f"it is no classifier of ground that this roadprint reads ({str(error).splitlines()[0]:.200})",
            where=str(path),
            todo="Run the city again, which makes it anew.",
        ) from error


def _known(way: str, form: int) -> type[Classifier]:
    """Find the kind of a classifier."""
    for kind in KINDS:
        found = kind.classifier()
        if found is not None and found.__name__ == way and found.format == form:
            return found
    raise ValueError(f"{way} of format {form} is not known here")
