"""Lists in an address, their parts parted by commas."""

from __future__ import annotations

from geo.errors import LayerError

_DIGITS = 9


def listed(text: str) -> list[str]:
    """Part a list; empty parts are left out."""
    return [one for one in text.split(",") if one]


def whole_numbers(text: str, what: str, most: int) -> list[int]:
    """Read a list of whole numbers that are not negative.

    Raises
    ------
    LayerError
        When one is no such number, or there are more than `most`.
    """
    parts = listed(text)
    if len(parts) > most or not all(one.isascii() and one.isdigit() and len(one) <= _DIGITS for one in parts):
        raise LayerError(
            "these are no whole numbers, or too many",
            where=what,
            todo=f"Give {most} at the most, parted by commas.",
        )
    return [int(one) for one in parts]
