"""The bytes of single files, and disks that fail while they are read."""

from __future__ import annotations

import hashlib
from pathlib import Path

from geo.addresses import is_url
from geo.errors import SourceError


def digest_file(path: Path) -> str:
    """Digest the bytes of a file (BLAKE2b, 32 hex digits)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def check_disk(source: str) -> None:
    """Read a file that GDAL cannot use, to tell a damaged one from a disk that fails.

    Raises
    ------
    SourceError
        When its bytes cannot be read although the file is there and may be read: what is wrong then may pass.
    """
    if is_url(source):
        return
    try:
        digest_file(Path(source))
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        return
    except OSError as error:
        raise failing_disk(source, error) from error


def failing_disk(source: str, error: OSError) -> SourceError:
    """Make the error of a file whose bytes cannot be read for now."""
    return SourceError(
        f"its bytes cannot be read ({error.strerror})",
        where=source,
        todo="Look at the disk or the network drive that holds it. What was finished is kept, the same command goes on "
        "from there.",
    )
