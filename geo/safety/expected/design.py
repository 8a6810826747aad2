"""The terms of a safety performance function: what is known of each segment, laid out as a matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MIN_SEGMENTS, MIN_EVENTS = 10, 5
"""A road class, or a group whose covariate is unknown, with fewer of either has no term of its own."""
FENCE = 3.0
OTHER, UNKNOWN = "other", "unknown"
_DEPENDENT = 1e-8
"""A column whose part that earlier columns do not explain is smaller (relative) says nothing of its own."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Design:
    """Terms and what was done to get them.

    Attributes
    ----------
    matrix
        One row a segment, one column a term, ``intercept`` first; of full rank.
    notes
        What was pooled, filled or left out, in words.
    """

    matrix: pd.DataFrame
    notes: tuple[str, ...]


def design(
    counts: pd.Series, road_class: pd.Series, numeric: pd.DataFrame | None, traffic: pd.Series | None
) -> Design:
    """Lay out the terms of a safety performance function.

    Road classes are indicators against the class with most events. A numeric covariate enters as it is; traffic as
    its logarithm, so that its coefficient is the elasticity of the usual form (Highway Safety Manual 2010, part C).
    Values of either that are far out are drawn in to Tukey's outer fences.

    Where a covariate is known for a part of the segments only, the rest get its mean and an indicator of their own.
    This is sound here because the function is to predict, not to tell the covariate's own effect: with the indicator,
    the fill value does not matter, and segments without the covariate are predicted at their own level. (As an
    estimate of effect the same indicator is biased: Jones 1996, JASA 91:222-230; Groenwold et al. 2012, CMAJ
    184:1265-1269. The coefficient is the one among segments where the covariate is known.)

    Parameters
    ----------
    counts
        Events of each segment, none null.
    road_class
        Road class of each segment; null is the class ``unknown``.
    numeric
        Numeric covariates of each segment, one a column, or None. Null or infinite is not known.
    traffic
        Vehicles a day on each segment, or None. Null, zero or negative is not known.
    """
    classes, notes = pool_classes(road_class, counts)
    reference = _most(classes, counts)
    terms: dict[str, Floats] = {"intercept": np.ones(len(counts))}
    for name in sorted(set(classes) - {reference}):
        terms[f"class {name}"] = (classes == name).to_numpy(dtype=np.float64)
    notes.append(f"the intercept is that of class {reference}")
    covariates = {} if numeric is None else {str(name): as_floats(numeric[name]) for name in numeric.columns}
    if traffic is not None:
        vehicles = as_floats(traffic)
        usable = vehicles > 0
        covariates["log traffic"] = np.where(usable, np.log(np.where(usable, vehicles, 1.0)), np.nan)
    for name, values in covariates.items():
        added, said = _covariate(name, values, counts.to_numpy(dtype=np.float64))
        terms |= added
        notes += said
    matrix = pd.DataFrame(terms, index=counts.index)
    kept, said = _independent(matrix)
    return Design(matrix[kept], (*notes, *said))


def as_floats(values: pd.Series) -> Floats:
    """Give numbers of any type as floats, null and infinite ones as NaN."""
    found = np.asarray(values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def pool_classes(road_class: pd.Series, counts: pd.Series) -> tuple[pd.Series, list[str]]:
    """Pool the road classes that are too rare to stand alone into ``other``.

    A class stands alone with at least `MIN_SEGMENTS` segments and `MIN_EVENTS` events. If all the others together
    have fewer, the class with the fewest events that stands alone joins them, until they have enough: so no class is
    left without events, whose rate a regression could only put at zero (separation).

    Returns
    -------
    The class or pool of each segment, and what was pooled, in words.
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
    rule = f"fewer than {MIN_SEGMENTS} segments or {MIN_EVENTS} events"
    return named.where(~named.isin(pooled), OTHER), [
        f"pooled into class {OTHER} ({rule}): {', '.join(pooled)}"
    ]


def _most(classes: pd.Series, counts: pd.Series) -> str:
    """Name the class with most events; of equals the first by name."""
    events = counts.astype("float64").groupby(classes).sum()
    return str(min(events.index[events == events.max()]))


def _covariate(name: str, values: Floats, counts: Floats) -> tuple[dict[str, Floats], list[str]]:
    """Make the terms of one covariate: itself, and an indicator of where it is not known if enough are such."""

    def enough(which: NDArray[np.bool_]) -> bool:
        return bool(which.sum() >= MIN_SEGMENTS and counts[which].sum() >= MIN_EVENTS)

    known = np.isfinite(values)
    share = f"known for {known.mean():.0%} of segments"
    if not enough(known):
        few = f"fewer than {MIN_SEGMENTS} segments or {MIN_EVENTS} events where it is known"
        return {}, [f"{name} left out: {few}"]
    inside, notes = _fenced(name, values[known])
    filled = np.full_like(values, inside.mean())
    filled[known] = inside
    if known.all():
        return {name: filled}, notes
    if not enough(~known):
        return {name: filled}, [*notes, f"{name} {share}; the few others get its mean"]
    return {name: filled, f"{name} unknown": (~known).astype(np.float64)}, [
        *notes,
        f"{name} {share}; the others have a level of their own",
    ]


def _fenced(name: str, values: Floats) -> tuple[Floats, list[str]]:
    """Draw values that are far out in to the outer fences, three quartile ranges beyond the quartiles.

    Tukey 1977, Exploratory Data Analysis, section 2D. Else a few metres of road with two ends, which have hundreds of
    ends per km, would decide the slope for all.
    """
    low, high = np.quantile(values, [0.25, 0.75])
    if low == high:
        return values, []
    inside = np.clip(values, low - FENCE * (high - low), high + FENCE * (high - low))
    n_far = int((inside != values).sum())
    said = f"{name}: {n_far} values far out drawn in to between {inside.min():.4g} and {inside.max():.4g}"
    return inside, [said] if n_far else []


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
