"""Which rows the configured filter keeps, by the values of their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from geo.collisions.cells.seen import Seen
from geo.collisions.cells.text import comparable
from geo.errors import LayerError


def kept_rows(frame: pd.DataFrame, keep: Mapping[str, Sequence[str]], seen: Seen | None = None) -> pd.Series:
    """Tell which rows have one of the wanted values in every named column.

    Parameters
    ----------
    frame
        Cells of one file, as text.
    keep
        The wanted values by column.
    seen
        Takes note of the values of these columns, for `kept_values`.
    """
    kept = pd.Series(data=True, index=frame.index)
    for column, values in keep.items():
        kept &= comparable(frame[column]).isin(comparable(pd.Series(list(values), dtype="string")))
        if seen is not None:
            seen.add(f"collisions.keep.{column}", frame[column])
    return kept.astype(bool)


def kept_values(kept: pd.Series, keep: Mapping[str, Sequence[str]], seen: Seen, where: str) -> list[str]:
    """Tell wanted values that no row has.

    Parameters
    ----------
    kept
        Which rows of all files are kept.
    keep, seen
        See `kept_rows`.
    where
        The files, for the message.

    Raises
    ------
    LayerError
        When the filter keeps no row at all, with the values that there are.
    """
    keys = {f"collisions.keep.{column}": values for column, values in keep.items()}
    absent = {key: seen.absent(key, values) for key, values in keys.items()}
    if keep and not kept.any():
        never = [key for key, values in keys.items() if len(absent[key]) == len(values)]
        told = "; ".join(
            f"{key} wants {', '.join(map(repr, keys[key]))}, and there are {seen.found(key)}"
            for key in never or keys
        )
        lead = "no row is kept" if never else "no row has all that is wanted at once"
        raise LayerError(f"{lead}: {told}", where=where, todo="Mend collisions.keep, or leave it out.")
    return [
        f"{key} wants {', '.join(map(repr, values))}, which no row has; there are {seen.found(key)}"
        for key, values in absent.items()
        if values
    ]
