"""How what is known of units becomes the terms of a function: kept, so that other units can be predicted by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

OTHER, UNKNOWN = "other", "unknown"
FENCE = 3.0
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
    levels
        Groups of the pool that have a level of their own within it (`geo.safety.expected.levels`).
    """

    groups: Mapping[str, str]
    reference: str
    covariates: tuple[Covariate, ...]
    kept: tuple[str, ...]
    levels: tuple[str, ...] = ()

    def keeping(self, kept: Sequence[str]) -> Recipe:
        """Give the recipe with these terms kept."""
        return replace(self, kept=tuple(kept))

    def with_length(self, low: float, high: float) -> Recipe:
        """Give the recipe with the logarithm of length as a term, drawn in to these fences."""
        length = Covariate("log length", logarithm=True, low=low, high=high, mean=0.0, own_level=False)
        return replace(self, covariates=(*self.covariates, length), kept=(*self.kept, length.name))

    def with_levels(self, groups: Sequence[str]) -> Recipe:
        """Give the recipe with a term for each of these groups of the pool."""
        terms = tuple(level_term(name) for name in groups)
        return replace(self, levels=tuple(groups), kept=(*self.kept, *terms))

    def lay(
        self, groups: pd.Series, numeric: pd.DataFrame | None, logs: pd.Series | pd.DataFrame | None
    ) -> pd.DataFrame:
        """Lay out the terms of units that the function may not have seen.

        Parameters
        ----------
        groups, numeric, logs
            As in `geo.safety.expected.design.design`. A group that was not seen has null terms: nothing is known of
            its level.

        Raises
        ------
        KeyError
            When a covariate of the function is not among the columns.
        """
        terms = self.all_terms(groups, numeric, logs)[list(self.kept)]
        named = groups.astype(object).where(groups.notna(), UNKNOWN).astype(str)
        strange = ~named.isin(self.groups)
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
        return pd.DataFrame(terms, index=groups.index).join(self.level_terms(groups))

    def level_terms(self, groups: pd.Series) -> pd.DataFrame:
        """Lay out the terms of the groups that have levels of their own within the pool."""
        named = groups.astype(object).where(groups.notna(), UNKNOWN).astype(str)
        terms = {level_term(name): np.asarray(named == name, dtype=np.float64) for name in self.levels}
        return pd.DataFrame(terms, index=groups.index, dtype="float64")


def level_term(group: str) -> str:
    """Name the term of a group that has a level of its own within the pool."""
    return f"class {group} within {OTHER}"


def with_length(
    logs: pd.Series | pd.DataFrame | None, length: pd.Series | None
) -> pd.DataFrame | pd.Series | None:
    """Put lengths (km) beside what enters as a logarithm."""
    if length is None:
        return logs
    if logs is None:
        return length.to_frame("length")
    beside = logs.to_frame("traffic") if isinstance(logs, pd.Series) else logs
    return beside.assign(length=length.reindex(beside.index))


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


def fences(values: Floats) -> tuple[float, float]:
    """Find the outer fences of values, `FENCE` quartile ranges beyond the quartiles; none where the quartiles are one.

    Tukey 1977, Exploratory Data Analysis, section 2D.
    """
    first, third = np.quantile(values, [0.25, 0.75])
    if first == third:
        return -np.inf, np.inf
    return float(first - FENCE * (third - first)), float(third + FENCE * (third - first))


def as_floats(values: pd.Series) -> Floats:
    """Give numbers of any type as floats, null and infinite ones as NaN."""
    found = np.asarray(values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    return np.where(np.isfinite(found), found, np.nan)
