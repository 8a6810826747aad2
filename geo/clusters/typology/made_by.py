"""What made embeddings, as far as it decides whether two of them can be compared."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from geo.config import CityConfig
from geo.config.sections.elsewhere import Elsewhere
from geo.errors import EncoderError
from geo.features.store import postprocessing

MadeBy = dict[str, object]
"""By dotted names of the metadata of embeddings (`geo.features.store`)."""
WEIGHTS = "emb:weights"
"""Digest of the files that the encoder was loaded from, by `;`; empty where it names none."""
NO_MATTER = (
    "emb:runtime",
    "emb:source-data",
    "emb:model.license",
    "emb:preprocessing.imagery",
    "emb:chip_layout.stride_m",
    "emb:quantization",
    "emb:turns",
    "emb:source-digests",
    "emb:model.year",
    *(f"emb:beside.{key}" for key in ("year", "digests", "source", "licence", "runtime")),
)
"""Who computed, which imagery was seen and how densely, whether turns are kept beside their mean: what differs there
may be compared."""
WORDS = {
    "emb:model.name": ("encoder", "encoder.name"),
    "emb:model.source": ("encoder's source", "encoder.name"),
    WEIGHTS: ("digest of the encoder's weights", "encoder.name"),
    "emb:model.product": ("product of embeddings", "encoder.product"),
    "emb:model.version": ("version of the embeddings", "encoder.sources"),
    "emb:beside.product": ("product of the embeddings beside", "encoder.beside"),
    "emb:beside.version": ("version of the embeddings beside", "encoder.beside"),
    "emb:beside.weight": ("weight of the embeddings beside", "encoder.beside.weight"),
    "emb:dimensions": ("length of embeddings", "encoder.name"),
    "emb:postprocessing": ("turns", "encoder.rotations and encoder.centre_crop"),
    "emb:chip_layout.chip_size_m": ("side of a tile (m)", "tiles.tile_m"),
    "gsd": ("ground per pixel of the encoder's input (m)", "encoder.input_px and tiles.tile_m"),
    "emb:chip_layout.chip_size": ("encoder's input (pixels)", "encoder.input_px"),
    "emb:chip_layout.align": ("alignment of tiles", "tiles.align"),
    "emb:chip_layout.mode": ("mode of tiles", "tiles.mode"),
    "emb:chip_layout.pool": ("pooling", "tiles.pool"),
    "emb:chip_layout.corridor_m": ("corridor (m)", "tiles.corridor_m"),
    "emb:chip_layout.context_m": ("context (m)", "tiles.context_m"),
    "emb:pooling": ("pooling of tiles", "encoder"),
}
"""In words, and the key of a city's file that decides it; the first that differs is named first."""


def made_by(metadata: Mapping[bytes, bytes]) -> MadeBy:
    """Take what matters out of the metadata of embeddings.

    Parameters
    ----------
    metadata
        Of a file of fingerprints (`geo.features.fingerprints.write_fingerprints`).

    Examples
    --------
    >>> made_by({b"emb:model": b'{"name": "bundled", "license": "mine"}', b"gsd": b"0.5", b"geo": b"{}"})
    {'emb:model.name': 'bundled', 'gsd': 0.5}
    """
    found: MadeBy = {}
    for raw, value in sorted(metadata.items()):
        key = raw.decode()
        if key.startswith("emb:") or key == "gsd":
            found |= _flat(key, _parsed(value.decode()))
    return {
        key: value
        for key, value in found.items()
        if not any(key == one or key.startswith(f"{one}.") for one in NO_MATTER)
    }


def expected(config: CityConfig) -> MadeBy:
    """Tell what is known of a city's embeddings before they are made, from its file alone."""
    tiles, encoder = config.tiles, config.encoder
    if isinstance(encoder, Elsewhere):
        return {"emb:model.product": encoder.product, "emb:chip_layout.corridor_m": encoder.corridor_m}
    return {
        "emb:model.name": encoder.name,
        "emb:postprocessing": postprocessing(encoder),
        "emb:chip_layout.chip_size_m": tiles.tile_m,
        "emb:chip_layout.align": tiles.align,
        "emb:chip_layout.mode": tiles.mode,
    }


def differences(mine: MadeBy, theirs: MadeBy, *, known: bool = False) -> list[str]:
    """Say what differs between how two sets of embeddings were made, a phrase each.

    Parameters
    ----------
    mine, theirs
        How each was made (`made_by`).
    known
        Whether `mine` holds but what is known so far (`expected`): no more than that is looked at.
    """
    keys = list(mine) if known else [*mine, *(key for key in theirs if key not in mine)]
    order = list(WORDS)
    keys.sort(key=lambda key: (order.index(key) if key in order else len(order), key))
    return [
        f"{WORDS.get(key, (key, ''))[0]} {_shown(mine.get(key))} in place of {_shown(theirs.get(key))}"
        for key in keys
        if not _same(mine.get(key), theirs.get(key))
    ]


def refuse_other(mine: MadeBy, theirs: MadeBy, *, where: str, what: str, known: bool = False) -> None:
    """Refuse embeddings that were made otherwise than those of a typology.

    Parameters
    ----------
    mine, theirs, known
        As of `differences`.
    where
        The key or the city concerned.
    what
        What `theirs` are of, in words.

    Raises
    ------
    EncoderError
        Naming all that differs, and the keys that decide it.
    """
    found = differences(mine, theirs, known=known)
    if not found:
        return
    keys = list(
        dict.fromkeys(
            WORDS[key][1]
            for key in WORDS
            if key in {*mine, *theirs}
            and (key in mine or not known)
            and not _same(mine.get(key), theirs.get(key))
        )
    )
    raise EncoderError(
        f"its looks cannot be held against those of {what}: {'; '.join(found)}",
        where=where,
        todo=f"Set {' and '.join(keys) or 'encoder'} as they were there, or fit types with this encoder "
        "('roadprint typology fit').",
    )


def _flat(key: str, value: object) -> MadeBy:
    if isinstance(value, dict):
        return {k: v for name, part in value.items() for k, v in _flat(f"{key}.{name}", part).items()}
    return {key: value}


def _parsed(text: str) -> object:
    try:
        found: object = json.loads(text)
    except json.JSONDecodeError:
        return text
    return found


def _same(mine: object, theirs: object) -> bool:
    if isinstance(mine, float | int) and isinstance(theirs, float | int):
        return math.isclose(mine, theirs, rel_tol=1e-6)
    return mine == theirs


def _shown(value: object) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
