"""Types of road found in several cities together, kept in a file."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from geo.clusters.typology.file import read_typology, write_typology
from geo.clusters.typology.model import Typology, Weight
from geo.config import CityConfig, Clusters, cluster_settings
from geo.config.faults import describe as faults_of
from geo.config.section import leaf_keys
from geo.errors import ConfigurationError, LayerError, meant
from tasks.typology.looks import looks_of_run, spread

if TYPE_CHECKING:
    from geo.clusters.typology.fit import CityLooks

SECTION = "clusters."
NO_SAY = ("typology", "keep_numbers", "turn_whitening")


def _keys() -> list[str]:
    """List the keys that have a say."""
    named = [key for key in leaf_keys(CityConfig) if key.startswith(SECTION)]
    return [key for key in named if key.removeprefix(SECTION) not in NO_SAY]


def settings_of(overrides: Mapping[str, str]) -> Clusters:
    """Make the section ``clusters`` of overrides: ``{"clusters.k": "6"}``.

    Raises
    ------
    ConfigurationError
        When a key is of another section, or a value is not valid.
    """
    for key in overrides:
        if not key.startswith(SECTION) or key in {f"{SECTION}{name}" for name in NO_SAY}:
            raise ConfigurationError(
                f"{key} has no say in fitting a typology{meant(key, _keys())}",
                where="--set",
                todo="Set keys such as clusters.k=6.",
            )
    try:
        return cluster_settings(
            **{key.removeprefix(SECTION): yaml.safe_load(text) for key, text in overrides.items()}
        )
    except ValidationError as error:
        raise ConfigurationError(
            faults_of(error, CityConfig, within=(SECTION.rstrip("."),)),
            where="--set",
            todo="See docs/city-file.md for every key.",
        ) from error
    except yaml.YAMLError as error:
        raise ConfigurationError(
            "a value is not valid YAML", where="--set", todo="Write clusters.k=6."
        ) from error


def read_earlier(file: Path, names_from: Path | None) -> Typology | None:
    """Read the typology whose names are carried on, before anything is fitted.

    Raises
    ------
    ConfigurationError
        When there is a typology in place of the one to be written, and nobody says what becomes of its names.
    SourceError
        When it cannot be read.
    """
    if names_from is None and file.exists():
        raise ConfigurationError(
            "there is a file already, whose names and numbers would be lost",
            where=str(file),
            todo=f"Give --names-from {file} to carry them on (it is then kept beside), or another name.",
        )
    return None if names_from is None else read_typology(names_from)


def fit_cities(
    cities: Sequence[CityLooks],
    file: Path,
    settings: Clusters,
    *,
    weight: Weight,
    earlier: Typology | None = None,
) -> dict[str, Any]:
    """Find types in cities together, and write them to a file; gives what the command line prints.

    Parameters
    ----------
    cities
        At least one.
    file
        Path of the typology; one that is there is kept beside it, with its version in its name.
    settings, weight
        See `geo.clusters.typology.fit.fit_typology`.
    earlier
        The typology whose names are carried on.
    """
    from geo.clusters.typology.assign import assign  # noqa: PLC0415 - as of the command line
    from geo.clusters.typology.fit import fit_typology  # noqa: PLC0415
    from geo.clusters.typology.names import named  # noqa: PLC0415

    start = time.monotonic()
    fitted = fit_typology(cities, settings, weight=weight)
    typology = named(fitted, cities, earlier)
    if file.exists():
        before = read_typology(file)
        file.replace(file.with_name(f"{file.stem}-v{before.card.version}{file.suffix}"))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_typology(file, typology)
    numbers = typology.card.numbers
    own = [
        float((assign(typology, one.vectors[rows]).nearest == numbers[mine]).mean())
        for one, rows, mine in _parts(fitted.kept, fitted.labels, cities)
    ]
    return {
        "file": str(file.resolve()),
        **describe(typology),
        "own_again": {one.city: round(share, 4) for one, share in zip(cities, own, strict=True)},
        "seconds": round(time.monotonic() - start, 3),
    }


def describe(typology: Typology) -> dict[str, Any]:
    """Say what a typology is, as the command line prints it."""
    card = typology.card
    return {
        "version": card.version,
        "digest": typology.digest,
        "encoder": card.made_by.get("emb:model.name"),
        "settings": card.settings.model_dump(mode="json"),
        "cities": [one.model_dump(mode="json") for one in card.cities],
        "types": [one.model_dump(mode="json") for one in card.types],
    }


def looks_of_folders(places: Sequence[Path]) -> list[CityLooks]:
    """Read finished runs, see `tasks.typology.looks_of_run`."""
    if not places:
        raise LayerError(
            "there is no city to find types in",
            where="roadprint typology fit",
            todo="Name cities' files or folders of finished runs.",
        )
    return [looks_of_run(place) for place in spread(places)]


def _parts(kept: Sequence[Any], labels: Any, cities: Sequence[CityLooks]) -> list[tuple[CityLooks, Any, Any]]:  # noqa: ANN401
    start, found = 0, []
    for one, rows in zip(cities, kept, strict=True):
        found.append((one, rows, labels[start : start + len(rows)]))
        start += len(rows)
    return found
