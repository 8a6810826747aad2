"""Which choices are made otherwise, one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from geo.config import CityConfig

GROUPINGS = "other samples of roads"
"""What differs in bootstrap groupings, which every run keeps: no run is made for it."""


OF_TYPES, SEEN = ("type", "other types"), ("imagery",)
ALL = (*OF_TYPES, *SEEN, "concentration", "worst roads")
REACHES = {
    "number of types": OF_TYPES,
    "seed": ALL,
    "encoder": (*OF_TYPES, *SEEN),
    "segment length": ALL,
    "reach of junctions": ALL,
    "size of blocks": SEEN,
}
"""Which findings each choice can change: that the others are as they were says nothing."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One choice made otherwise.

    Attributes
    ----------
    changed
        What is otherwise, in words.
    setting
        How, as a reader would write it: ``clusters.k = 6``.
    overrides
        Values of keys of the city's file, as YAML.
    """

    changed: str
    setting: str
    overrides: dict[str, str]

    @property
    def reaches(self) -> tuple[str, ...]:
        """Kinds of findings (`geo.sensitivity.findings.KINDS`) that the choice can change at all."""
        return REACHES[self.changed]


def variants(config: CityConfig, k: int) -> list[Variant]:
    """List what is tried of a city, by the section ``sensitivity`` of its file.

    Parameters
    ----------
    config
        The city's configuration; what is as it has it already is passed over.
    k
        The number of types that the city has.
    """
    return [one for one in _all(config, k) if one.overrides]


def _all(config: CityConfig, k: int) -> Iterator[Variant]:
    asked = config.sensitivity
    # a typology has its own number of types, and takes no other encoder
    found_here = config.clusters.typology is None
    for number in (k - 1, k + 1) if asked.k == "near" else asked.k:
        if found_here and number != k and number >= 2:
            yield _one("number of types", "clusters.k", number)
    for seed in asked.seeds:
        if (seed, seed) != (config.clusters.seed, config.safety.seed):
            both = {"clusters.seed": str(seed), "safety.seed": str(seed)}
            yield Variant("seed", f"clusters.seed = safety.seed = {seed}", both)
    for name in asked.encoders if config.imagery.sources else ():
        if found_here and name != config.encoder.name:
            yield _of_encoder(config, name)
    of_length, of_reach, of_block = (
        config.segments.max_length_m,
        config.collisions.junction_reach_m,
        config.safety.block_m,
    )
    for words, key, own, values, near in (
        ("segment length", "segments.max_length_m", of_length, asked.max_length_m, (0.5, 1.5)),
        ("reach of junctions", "collisions.junction_reach_m", of_reach, asked.junction_reach_m, (0.5, 1.5)),
        ("size of blocks", "safety.block_m", of_block, asked.block_m, (0.5, 2.0)),
    ):
        for value in [own * factor for factor in near] if values == "near" else values:
            if value != own:
                yield _one(words, key, value)


def _of_encoder(config: CityConfig, name: str) -> Variant:
    """Take another encoder, with the defaults of its kind."""
    turns = _turns(name)
    section = {
        "name": name,
        "device": config.encoder.device,
        "batch_size": config.encoder.batch_size,
        "keep_turns": config.encoder.keep_turns and turns,
    }
    changes = {"encoder": json.dumps(section)}
    if config.clusters.turn_whitening and not turns:
        changes["clusters.turn_whitening"] = "false"
    return Variant("encoder", f"encoder.name = {name}", changes)


def _turns(name: str) -> bool:
    """Tell whether encoders of a kind see each tile turned."""
    from geo.features.registry import KINDS  # noqa: PLC0415 - a run that changes nothing needs no encoder

    return any(kind.turns for kind in KINDS if kind.tag == name.partition(":")[0])


def _one(words: str, key: str, value: float) -> Variant:
    return Variant(words, f"{key} = {value:g}", {key: f"{value:g}"})
