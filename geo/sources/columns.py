"""Columns of a source that a run carries into its own layers as they are."""

from __future__ import annotations

PREFIX = "src_"
"""How their names begin, so that none is taken for one of our own."""


def carried_name(column: str) -> str:
    """Name a column of a source as the layers have it.

    Examples
    --------
    >>> carried_name("lanes")
    'src_lanes'
    """
    return f"{PREFIX}{column}"
