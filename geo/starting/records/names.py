"""Names of columns as they are compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_BETWEEN_CASES = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\W_]+")


def spelled(name: str) -> str:
    """Bring a name to lower case, its words parted by underscores.

    Examples
    --------
    >>> spelled("Crash Number"), spelled("XCoord"), spelled("IstFuss"), spelled("CRASH_DATE")
    ('crash_number', 'xcoord', 'ist_fuss', 'crash_date')
    """
    return _SEPARATORS.sub("_", _BETWEEN_CASES.sub("_", name).casefold()).strip("_")


def matching(columns: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """List columns whose names match any of some patterns, in the order of these, each once."""
    names = {column: spelled(column) for column in columns}
    found = [
        column
        for pattern in patterns
        for column, name in names.items()
        if re.search(pattern, name) is not None
    ]
    return list(dict.fromkeys(found))
