"""Addresses of sources: what is opened, and what stands for it everywhere else."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import PurePosixPath

from geo.errors import ConfigurationError
from geo.secrets import BLOCK, HIDDEN, PLACEHOLDER, recall, strike


def is_url(source: str) -> bool:
    """Tell whether a source is a URL or a GDAL virtual path, or a name for one, rather than a path on this machine."""
    return "://" in source or source.startswith(("/vsi", "${"))


def place_of(source: str) -> PurePosixPath:
    """Give a path, or the place that an address names: what is asked of a server, such as a token, is no part of it.

    Examples
    --------
    >>> place_of("https://tiles.example/2021/sheet_7.tif?token=1986").name
    'sheet_7.tif'
    """
    return PurePosixPath(source.split("?", 1)[0] if is_url(source) else source)


def reveal(address: str) -> str:
    """Put the credentials into an address, for whoever opens it and nobody else.

    Raises
    ------
    ConfigurationError
        When the value of a name is not known here.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        found = recall(name) or os.environ.get(name)
        if found is None:
            raise ConfigurationError(
                f"the value of ${{{name}}} is not known here", where=address, todo=_todo(name)
            )
        return found

    for _ in range(2):
        # a credential that was written out may itself hold a name
        address = PLACEHOLDER.sub(value, address)
    return address


def _todo(name: str) -> str:
    if name.startswith(BLOCK):
        return f"Save a Secret block named {name.removeprefix(BLOCK)!r} in the server that Prefect's settings name."
    return f"Set it first: export {name}=..."


def identity(address: str) -> str:
    """Say what an address leads to, credentials apart: it stays the same when these change."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        return match.group() if name.startswith((BLOCK, HIDDEN)) else os.environ.get(name, match.group())

    return strike(PLACEHOLDER.sub(value, address))


def digest_address(address: str) -> str:
    """Digest what an address leads to (32 hex digits): its names may stand for credentials anywhere in it."""
    return hashlib.blake2b(identity(address).encode(), digest_size=16).hexdigest()
