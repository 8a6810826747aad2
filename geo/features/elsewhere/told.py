"""Which year and which version files of embeddings are of, and whether they agree: vectors of two never mix."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from geo.config.sections.elsewhere import Elsewhere
from geo.errors import LayerError
from geo.features.elsewhere.products import PRODUCTS
from geo.secrets import redact

SIDECAR = "tessera_metadata.json"
"""Beside TESSERA's files, as its client leaves them."""
_YEAR = re.compile(r"(?<!\d)(20[12]\d)(?!\d)")
_VERSION = ("TESSERA_DATASET_VERSION", "DATASET_VERSION", "MODEL_VERSION")
_VARIANT = "TESSERA_DATASET_VARIANT"
_YEARS = ("TESSERA_YEAR", "YEAR")
WHERE = "the sources of the embeddings"


@dataclass(frozen=True, slots=True)
class Told:
    """What one file tells: its path, versions and years; none where it is silent."""

    path: str
    versions: tuple[str, ...] = ()
    years: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Agreed:
    """What all files tell: year and version (empty: not told), and warnings."""

    year: str
    version: str
    warnings: tuple[str, ...]


def told_by(path: str, product: str, tags: dict[str, str]) -> Told:
    """Read version and year of a raster from its tags, a file beside it, or its path as it is published.

    Parameters
    ----------
    path
        Of the file.
    product
        Name of the product.
    tags
        What the raster says of itself, keys in capitals.

    Examples
    --------
    >>> told_by("/aef/v1/annual/2024/10N/x8-0000000000-0000008192.tiff", "alphaearth", {})
    Told(path='/aef/v1/annual/2024/10N/x8-0000000000-0000008192.tiff', versions=('1',), years=('2024',))
    """
    beside = Path(path).parent / SIDECAR
    if product == "tessera" and beside.is_file():
        tags = _sidecar(beside) | tags
    version = next((tags[key] for key in _VERSION if tags.get(key)), "")
    year = next((tags[key] for key in _YEARS if tags.get(key)), "")
    place = PRODUCTS[product].place
    by_path = place.search(path) if place is not None else None
    if by_path is not None:
        version, year = version or by_path["version"], year or by_path["year"]
    if not year:
        named = set(_YEAR.findall(PurePosixPath(path).name))
        year = named.pop() if len(named) == 1 else ""
    if version and tags.get(_VARIANT):
        version = f"{version} {tags[_VARIANT]}"
    return Told(path, (plain(version),) if version else (), (year,) if year else ())


def plain(version: str) -> str:
    """Write a version as numbers: v1, 1 and 1.0 are one.

    Examples
    --------
    >>> plain("v1"), plain("1.0"), plain("v1.1-cam")
    ('1', '1', '1.1-cam')
    """
    first, *rest = version.strip().lower().removeprefix("v").split(" ")
    return " ".join([first.removesuffix(".0"), *rest])


def _sidecar(path: Path) -> dict[str, str]:
    """Read version, variant and year of a folder of TESSERA's files; one that is no JSON tells nothing."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    keys = {"dataset_version": _VERSION[0], "dataset_variant": _VARIANT, "year": _YEARS[0]}
    return {tag: str(found[key]) for key, tag in keys.items() if isinstance(found, dict) and found.get(key)}


def agreed(files: Sequence[Told], settings: Elsewhere) -> Agreed:
    """Make sure that files are of one year and one version, which are those that the configuration names.

    Raises
    ------
    LayerError
        Naming two files that differ.
    """
    wanted = None if settings.version is None else plain(settings.version)
    version = _one_of("version", {v: one.path for one in files for v in one.versions}, wanted)
    asked = None if settings.year is None else str(settings.year)
    year = _one_of("year", {y: one.path for one in files for y in one.years}, asked)
    warnings = [
        f"{silent:,} of {len(files):,} files of embeddings do not say which {what} they are of: vectors of two {what}s "
        f"cannot be told apart by looking (encoder.{what} or encoder.beside.{what} records it)"
        for what, found, silent in (
            ("version", wanted, sum(not one.versions for one in files)),
            ("year", asked, sum(not one.years for one in files)),
        )
        if silent and found is None
    ]
    return Agreed(year, version, tuple(warnings))


def _one_of(what: str, found: dict[str, str], asked: str | None) -> str:
    """Give the one that all tell of."""
    if len(found) > 1:
        (first, here), (second, there), *_ = sorted(found.items())
        raise LayerError(
            f"their {what}s differ: {first} ({_name(here)}) and {second} ({_name(there)})",
            where=WHERE,
            todo=f"Give files of one {what}: vectors of two are not comparable"
            + (", or set the year (of chips, those of that year are taken)." if what == "year" else "."),
        )
    known = next(iter(found), "")
    if asked is not None and known and known != asked:
        raise LayerError(
            f"the {what} asked for is {asked}, and {_name(found[known])} is of {known}",
            where=WHERE,
            todo=f"Mend the {what} in the city's file, or give the files of that {what}.",
        )
    return known or asked or ""


def _name(path: str) -> str:
    return PurePosixPath(redact(path)).name
