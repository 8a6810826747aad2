"""What is said of collisions that have no severity: of some it is known that nobody was hurt, of others nothing is."""

from __future__ import annotations

import pandas as pd

UNTOLD, UNHURT = "not told", "unhurt"
NOBODY = "nobody hurt"
"""What is said in place of a severity, where it is known that there is none."""


def severity_of(collisions: pd.DataFrame) -> pd.Series:
    """Give the severity of collisions, and `UNHURT` where it is known that nobody was hurt.

    Parameters
    ----------
    collisions
        Rows of the layer ``collisions``; ``severity_known`` may be missing, as in files that an older roadprint wrote.

    Returns
    -------
    By the rows' index; null: not told.
    """
    severity = collisions["severity"].astype("object")
    if "severity_known" not in collisions:
        return severity
    known = collisions["severity_known"].astype("boolean").fillna(value=False).astype(bool)
    return severity.mask(severity.isna() & known, UNHURT)
