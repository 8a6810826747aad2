"""The terms of a safety performance function: what is known of each unit, laid out as a matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.safety.expected.recipe import OTHER, UNKNOWN, Covariate, Floats, Recipe, covariates_of, fences

MIN_SEGMENTS, MIN_EVENTS = 10, 5
"""A group, or the units whose covariate is unknown, with fewer of either has no term of its own."""
_DEPENDENT = 1e-8
"""A column whose part that earlier columns do not explain is smaller (relative) says nothing of its own."""


@dataclass(frozen=True, slots=True)
class Design:
    """Terms and what was done to get them.

    Attributes
    ----------
    matrix
        One row a unit, one column a term, ``intercept`` first; of full rank.
    recipe
        How the same terms are laid out for other units.
    notes
        What was pooled, filled or left out, in words.
    """

    matrix: pd.DataFrame
    recipe: Recipe
    notes: tuple[str, ...]


def design(
    counts: pd.Series,
    groups: pd.Series,
    numeric: pd.DataFrame | None,
    logs: pd.Series | pd.DataFrame | None,
    *,
    units: str = "segments",
) -> Design:
    """Lay out the terms of a safety performance function.

    Groups, such as road classes, are indicators against the group with most events. A numeric covariate enters as it
    is; traffic and its like as logarithms, so that a coefficient is the elasticity of the usual form (Highway Safety
    Manual 2010, part C). Values of either that are far out are drawn in to Tukey's outer fences.

    Where a covariate is known for a part of the units only, the rest get its mean and an indicator of their own.
    This is sound here because the function is to predict, not to tell the covariate's own effect: with the indicator,
    the fill value does not matter, and units without the covariate are predicted at their own level. (As an
    estimate of effect the same indicator is biased: Jones 1996, JASA 91:222-230; Groenwold et al. 2012, CMAJ
    184:1265-1269. The coefficient is the one among units where the covariate is known.)

    Parameters
    ----------
    counts
        Events of each unit, none null.
    groups
        Group of each unit, such as its road class; null is the group ``unknown``.
    numeric
        Numeric covariates of each unit, one a column, or None. Null or infinite is not known.
    logs
        What enters as a logarithm, one a column; a series is ``traffic`` (vehicles a day); or None. Null, zero or
        negative is not known.
    units
        What the units are called in notes.
    """
    pooled, notes = pool_classes(groups, counts, units)
    reference = _most(pooled, counts)
    notes.append(f"the intercept is that of class {reference}")
    events = counts.to_numpy(dtype=np.float64)
    covariates: list[Covariate] = []
    for name, (values, logarithm) in covariates_of(numeric, logs).items():
        found, said = _covariate(name, values, events, units, logarithm=logarithm)
        covariates += found
        notes += said
    named = groups.astype(object).where(groups.notna(), UNKNOWN).astype(str)
    recipe = Recipe(dict(zip(named, pooled, strict=True)), reference, tuple(covariates), ())
    matrix = recipe.all_terms(groups, numeric, logs)
    kept, said = _independent(matrix)
    return Design(matrix[kept], recipe.keeping(kept), (*notes, *said))


def pool_classes(
    road_class: pd.Series, counts: pd.Series, units: str = "segments"
) -> tuple[pd.Series, list[str]]:
    """Pool the road classes, or other groups, that are too rare to stand alone into ``other``.

    A class stands alone with at least `MIN_SEGMENTS` segments and `MIN_EVENTS` events. If all the others together
    have fewer, the class with the fewest events that stands alone joins them, until they have enough: so no class is
    left without events, whose rate a regression could only put at zero (separation).

    Returns
    -------
    The class or pool of each unit, and what was pooled, in words.
    """
    named = road_class.astype(object).where(road_class.notna(), UNKNOWN).astype(str)
    by = pd.DataFrame({"class": named, "events": counts.astype("float64")}).groupby("class")["events"]
    sizes = by.agg(["size", "sum"]).reset_index().sort_values(["sum", "size", "class"])
    alone = (sizes["size"] >= MIN_SEGMENTS) & (sizes["sum"] >= MIN_EVENTS) & (sizes["class"] != OTHER)
    order = pd.concat([sizes[~alone], sizes[alone]])
    n_pooled = int((~alone).sum())
    while 0 < n_pooled < len(order) and not (
        order["size"].iloc[:n_pooled].sum() >= MIN_SEGMENTS
        and order["sum"].iloc[:n_pooled].sum() >= MIN_EVENTS
    ):
        n_pooled += 1
    pooled = sorted(order["class"].iloc[:n_pooled])
    if not pooled or pooled == [OTHER]:
        return named, []
    rule = f"fewer than {MIN_SEGMENTS} {units} or {MIN_EVENTS} events"
    return named.where(~named.isin(pooled), OTHER), [
        f"pooled into class {OTHER} ({rule}): {', '.join(pooled)}"
    ]


def _most(classes: pd.Series, counts: pd.Series) -> str:
    """Name the class with most events; of equals the first by name."""
    events = counts.astype("float64").groupby(classes).sum()
    return str(min(events.index[events == events.max()]))


def _covariate(
    name: str, values: Floats, counts: Floats, units: str, *, logarithm: bool
) -> tuple[list[Covariate], list[str]]:
    """Say how one covariate becomes terms: itself, and an indicator of where it is not known if enough are such."""

    def enough(which: NDArray[np.bool_]) -> bool:
        return bool(which.sum() >= MIN_SEGMENTS and counts[which].sum() >= MIN_EVENTS)

    known = np.isfinite(values)
    share = f"known for {known.mean():.0%} of {units}"
    if not enough(known):
        few = f"fewer than {MIN_SEGMENTS} {units} or {MIN_EVENTS} events where it is known"
        return [], [f"{name} left out: {few}"]
    low, high, notes = _fences(name, values[known])
    mean = float(np.clip(values[known], low, high).mean())
    own_level = not known.all() and enough(~known)
    if not known.all():
        rest = "the others have a level of their own" if own_level else "the few others get its mean"
        notes = [*notes, f"{name} {share}; {rest}"]
    return [Covariate(name, logarithm, low, high, mean, own_level)], notes


def _fences(name: str, values: Floats) -> tuple[float, float, list[str]]:
    """Find the fences to which values far out are drawn in, and say how many are.

    Else a few metres of road with two ends, which have hundreds of ends per km, would decide the slope for all.
    """
    low, high = fences(values)
    inside = np.clip(values, low, high)
    n_far = int((inside != values).sum())
    said = f"{name}: {n_far} values far out drawn in to between {inside.min():.4g} and {inside.max():.4g}"
    return low, high, [said] if n_far else []


def _independent(matrix: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Find the columns that those before them do not determine."""
    values = matrix.to_numpy()
    norms = np.linalg.norm(values, axis=0)
    kept: list[str] = []
    basis = np.empty((len(values), 0))
    for j, name in enumerate(matrix.columns):
        if norms[j] == 0:
            continue
        rest = values[:, j] / norms[j]
        for _ in range(2):  # twice is enough (Giraud et al. 2005, Numer. Math. 101:87-100)
            rest = rest - basis @ (basis.T @ rest)
        left = np.linalg.norm(rest)
        if left > _DEPENDENT:
            kept.append(str(name))
            basis = np.column_stack([basis, rest / left])
    lost = [str(name) for name in matrix.columns if name not in kept]
    return kept, [f"{name} left out: constant, or determined by the other terms" for name in lost]
