"""What types of a typology are called: carried on from the typology before it, and from the cities themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from geo.clusters.evidence.groupings import NONE
from geo.clusters.found.numbers import SAME
from geo.clusters.typology.assign import assign
from geo.clusters.typology.fit import CityLooks, Fitted
from geo.clusters.typology.made_by import refuse_other
from geo.clusters.typology.model import KnownType, Typology
from geo.outputs.palette import look


def named(fitted: Fitted, cities: Sequence[CityLooks], earlier: Typology | None = None) -> Typology:
    """Give types the numbers, names and colours that they had before.

    A type is that of before where both share more than half of the length of either
    (`geo.clusters.found.numbers.SAME`), by the segments that the new one was found with. It keeps its number, name,
    colour and note; numbers that are not taken up are not given to others. What has no name yet is called as an analyst
    called it in the city where most of its length has that name.

    Parameters
    ----------
    fitted
        The new types.
    cities
        What they were found in, as `geo.clusters.typology.fit.fit_typology` was given them.
    earlier
        The typology that they follow; None: there is none.

    Raises
    ------
    EncoderError
        When the looks of the earlier one were made otherwise.
    """
    card = fitted.typology.card
    types = card.types
    if earlier is not None:
        refuse_other(card.made_by, earlier.card.made_by, where="--names-from", what="the typology before")
        types = _after(fitted, cities, earlier)
        card = card.model_copy(update={"version": earlier.card.version + 1, "earlier": earlier.digest})
    types = _called(types, fitted, cities)
    return replace(fitted.typology, card=card.model_copy(update={"types": types}))


def _after(fitted: Fitted, cities: Sequence[CityLooks], earlier: Typology) -> list[KnownType]:
    """Take up what types were in the typology before."""
    vectors = np.concatenate([one.vectors[rows] for one, rows in zip(cities, fitted.kept, strict=True)])
    apart = fitted.typology.arrays.apart
    ground = sp.csr_array((np.ones(len(apart), dtype=bool), apart.T), shape=(len(vectors), len(vectors)))
    then = pd.Series(assign(earlier, vectors, ground).numbers, dtype="Int64")
    pairs = _same(fitted.labels, then.where(then != NONE), _lengths(fitted, cities))
    known = {one.number: one for one in earlier.card.types}
    free = (number for number in count(max(known) + 1))
    found = []
    for place, one in enumerate(fitted.typology.card.types):
        before = known.get(pairs.get(place, 0))
        number = next(free) if before is None else before.number
        told = (
            {"colour": look(number).colour.upper()}
            if before is None
            else before.model_dump(include={"name", "colour", "note"})
        )
        found.append(one.model_copy(update={"number": number, **told}))
    return found


def _called(types: list[KnownType], fitted: Fitted, cities: Sequence[CityLooks]) -> list[KnownType]:
    """Take names, colours and notes of types that have none yet from where most of their length has one."""
    best: dict[int, tuple[float, dict[str, str]]] = {}
    start = 0
    for one, rows in zip(cities, fitted.kept, strict=True):
        mine = fitted.labels[start : start + len(rows)]
        start += len(rows)
        if one.types is None:
            continue
        lengths, theirs = one.lengths_m[rows], one.types.iloc[rows].reset_index(drop=True)
        for place, number in _same(mine, theirs, lengths).items():
            known = one.names.get(number)
            if known is None or not known.edited:
                continue
            shared = float(
                lengths[(mine == place) & (theirs == number).fillna(value=False).to_numpy(bool)].sum()
            )
            told = {key: text for key in ("name", "colour", "note") if (text := getattr(known, key))}
            best[place] = max(best.get(place, (0.0, {})), (shared, told), key=lambda both: both[0])
    plain = [not one.name and not one.note for one in types]
    return [
        one.model_copy(update=best[place][1]) if plain[place] and place in best else one
        for place, one in enumerate(types)
    ]


def _same(places: NDArray[np.int64], numbers: pd.Series, lengths: NDArray[np.float64]) -> dict[int, int]:
    """Pair types that share more than half of their length with numbers of other ones."""
    seen = numbers.notna().to_numpy(bool)
    if not seen.any():
        return {}
    both = pd.crosstab(
        places[seen], numbers[seen].to_numpy(dtype=np.int64), values=lengths[seen], aggfunc="sum"
    ).fillna(0.0)
    shared = both.to_numpy(dtype=np.float64)
    either = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    jaccard = np.divide(shared, either, out=np.zeros_like(shared), where=either > 0)
    rows, columns = linear_sum_assignment(jaccard, maximize=True)
    return {
        int(both.index[row]): int(both.columns[column])
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if jaccard[row, column] > SAME
    }


def _lengths(fitted: Fitted, cities: Sequence[CityLooks]) -> NDArray[np.float64]:
    return np.concatenate([one.lengths_m[rows] for one, rows in zip(cities, fitted.kept, strict=True)])
