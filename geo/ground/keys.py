"""What columns call classes of ground: short, of plain letters, each once."""

from __future__ import annotations

from collections.abc import Sequence

from slugify import slugify

LONGEST = 30
"""Letters of a key; names of columns in a GeoPackage may have more, but nobody reads them."""
OTHER = "other"
"""The key of ground that was seen and carries none of the classes."""
TAKEN = frozenset(("known", "unknown", "vegetation", OTHER))
"""What columns beside those of classes that people name are called by."""


def keys_of(names: Sequence[str]) -> list[str]:
    """Make a key of each name: small letters of ASCII, figures and underscores.

    Parameters
    ----------
    names
        What people call classes, in any script.

    Examples
    --------
    >>> keys_of(["Car park", "Gehölz", "car-park", "?!", "unknown", "Other", "7"])
    ['car_park', 'geholz', 'car_park_2', 'class_4', 'class_unknown', 'class_other', 'class_7']
    """
    keys: list[str] = []
    for number, name in enumerate(names, start=1):
        plain = slugify(name, separator="_", max_length=LONGEST).strip("_")
        if plain in TAKEN or plain.isdigit():
            plain = f"class_{plain}"
        plain = plain or f"class_{number}"
        key, again = plain, 2
        while key in keys:
            key, again = f"{plain}_{again}", again + 1
        keys.append(key)
    return keys
