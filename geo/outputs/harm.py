"""What is said of collisions that have no severity: of some it is known that nobody was hurt, of others nothing is."""

from __future__ import annotations

import pandas as pd

UNTOLD, UNHURT = "not told", "unhurt"
NOBODY = "nobody hurt"
"""What is said in place of a severity, where it is known that there is none."""


def without_severity(collisions: pd.DataFrame) -> pd.Series:
    """Say of collisions without a severity whether it is not told, or nobody was hurt.

    Parameters
    ----------
    collisions
        Rows of the layer ``collisions``; ``severity_known`` may be missing, as in files that an older roadprint wrote.

    Returns
    -------
    `UNTOLD` or `UNHURT`, by the rows' index.
    """
    if "severity_known" not in collisions:
        return pd.Series(UNTOLD, index=collisions.index, dtype=object)
    known = collisions["severity_known"].astype("boolean").fillna(value=False)
    return known.map({True: UNHURT, False: UNTOLD}).astype(object)
