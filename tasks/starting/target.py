"""Whether a city's first file can be written where it is to go: known before anybody is asked anything."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from geo.errors import ConfigurationError


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


def unwritable(file: Path, why: str) -> ConfigurationError:
    """Say that a file cannot be written."""
    return ConfigurationError(
        f"the file cannot be written ({why})",
        where=str(file),
        todo="Name a file in a folder that is there and can be written to: --out FILE.",
    )
