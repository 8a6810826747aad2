"""What can happen to a file between two runs."""

import os


def flip(path):
    """Change one bit in its midst."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def empty(path):
    """Leave nothing in it."""
    path.write_bytes(b"")


def truncate(path):
    """Leave its first half."""
    os.truncate(path, path.stat().st_size // 2)


def remove(path):
    """Take it away."""
    path.unlink()


KINDS = (flip, empty, truncate, remove)
