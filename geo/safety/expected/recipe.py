"""How what is known of units becomes the terms of a function: kept, so that other units can be predicted by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

OTHER, UNKNOWN = "other", "unknown"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Covariate:
    """How one covariate becomes terms.

    Attributes
    ----------
    name
        Of the term, ``log traffic`` where it enters as a logarithm.
    logarithm
        Whether it does.
    low, high
        Fences that values far out are drawn in to.
    mean
        What a unit gets of which it is not known.
    own_level
        Whether such units have an indicator of their own.
    """

    name: str
    logarithm: bool
    low: float
    high: float
    mean: float
    own_level: bool

    def terms(self, values: Floats) -> dict[str, Floats]:
        """Lay its terms out: values of each unit, NaN where not known."""
        known = np.isfinite(values)
        filled = np.where(known, np.clip(values, self.low, self.high), self.mean)
        unknown = {f"{self.name} unknown": (~known).astype(np.float64)} if self.own_level else {}
        return {self.name: filled} | unknown


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the terms of a function are laid out for any units.

    Attributes
    ----------
    groups
        The group or pool that stands for each group, by the names that were seen.
    reference
        The one whose level is the intercept.
    covariates
        See `Covariate`.
    kept
        The terms of the function, in order; others were constant, or determined by these.
    """

    groups: Mapping[str, str]
    reference: str
    covariates: tuple[Covariate, ...]
    kept: tuple[str, ...]

    def keeping(self, kept: Sequence[str]) -> Recipe:
        """Give the recipe with these terms kept."""
        return replace(self, kept=tuple(kept))

    def lay(
        self, groups: pd.Series, numeric: pd.DataFrame | None, logs: pd.Series | pd.DataFrame | None
    ) -> pd.DataFrame:
        """Lay out the terms of units that the function may not have seen.

        Parameters
        ----------
        groups, numeric, logs
            As in `geo.safety.expected.design.design`. A group that was not seen is taken for one of ``other``, or,
            where there is none, has null terms: nothing is predicted of it.

        Raises
        ------
        KeyError
            When a covariate of the function is not among the columns.
        """
        terms = self.all_terms(groups, numeric, logs)[list(self.kept)]
        named = groups.astype(object).where(groups.notna(), UNKNOWN).astype(str)
        strange = ~named.isin(self.groups) & (OTHER not in self.groups.values())
        return terms.mask(strange.to_numpy()[:, None] & np.ones(terms.shape, dtype=bool))

    def all_terms(
        self, groups: pd.Series, numeric: pd.DataFrame | None, logs: pd.Series | pd.DataFrame | None
    ) -> pd.DataFrame:
        """Lay out all terms, those that are not kept too."""
        named = groups.astype(object).where(groups.notna(), UNKNOWN).astype(str)
        stands = named.map(dict(self.groups)).fillna(OTHER)
        terms: dict[str, Floats] = {"intercept": np.ones(len(groups))}
        for name in sorted(set(self.groups.values()) - {self.reference}):
            terms[f"class {name}"] = np.asarray(stands == name, dtype=np.float64)
        values = covariates_of(numeric, logs)
        for covariate in self.covariates:
            terms |= covariate.terms(values[covariate.name][0])
        return pd.DataFrame(terms, index=groups.index)


def covariates_of(
    numeric: pd.DataFrame | None, logs: pd.Series | pd.DataFrame | None
) -> dict[str, tuple[Floats, bool]]:
    """Give the values of each covariate by the name of its term, NaN where not known, and whether it is a logarithm."""
    found = {} if numeric is None else {str(name): (as_floats(numeric[name]), False) for name in numeric}
    if logs is None:
        return found
    positive = logs.to_frame("traffic") if isinstance(logs, pd.Series) else logs
    for name in positive:
        values = as_floats(positive[name])
        usable = values > 0
        logarithm = np.log(np.where(usable, values, 1.0))
        found[f"log {name}"] = (np.where(usable, logarithm, np.nan), True)
    return found


def as_floats(values: pd.Series) -> Floats:
    """Give numbers of any type as floats, null and infinite ones as NaN."""
    found = np.asarray(values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    return np.where(np.isfinite(found), found, np.nan)
