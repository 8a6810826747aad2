"""Paths of a first file: whether it can be written where it is to go, and whether what is named is there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from geo.addresses import is_url
from geo.collisions.tables.places import expand_globs, locate
from geo.errors import ConfigurationError, meant_file
from geo.secrets import PLACEHOLDER
from geo.starting.guess import Guess


def refuse_unwritable(file: Path) -> None:
    """Refuse a place that no file can be written to, as far as that is known without writing.

    Raises
    ------
    ConfigurationError
        When its folder is not there, or is closed to writing.
    """
    folder = file.parent
    if not folder.is_dir():
        raise unwritable(file, "there is no such folder")
    if not os.access(folder, os.W_OK) or (file.exists() and not os.access(file, os.W_OK)):
        raise unwritable(file, os.strerror(errno.EACCES))


def refuse_missing(guess: Guess, base: Path) -> None:
    """Refuse files that somebody named and that are not there.

    Parameters
    ----------
    guess
        A key that names files, as it was said.
    base
        Folder that relative paths of the city's file start at.

    Raises
    ------
    ConfigurationError
        When one is not there, or nothing matches a pattern.
    """
    values = guess.value if isinstance(guess.value, list) else [guess.value]
    for one in () if guess.left_out else map(str, values):
        path = base / one
        if is_url(one) or PLACEHOLDER.search(one) or locate(str(path))[0].exists():
            continue
        if expand_globs([str(path)]) != [str(path)]:
            continue
        raise ConfigurationError(
            f"there is no {one}{meant_file(path)}",
            where=guess.key,
            todo=f"Mend the path: it starts at {base.resolve()}, the folder of the city's file.",
        )


def unwritable(file: Path, why: str) -> ConfigurationError:
    """Say that a file cannot be written."""
    return ConfigurationError(
        f"the file cannot be written ({why})",
        where=str(file),
        todo="Name a file in a folder that is there and can be written to: --out FILE.",
    )
