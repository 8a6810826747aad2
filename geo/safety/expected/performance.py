"""The safety performance function: how many collisions the length, class and traffic of a place lead one to expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.stats import norm

from geo.safety.expected import overdispersion, residuals
from geo.safety.expected.design import Design, design
from geo.safety.expected.forms import EXPONENTS, LOG_LENGTH, Form, LengthExponent, PerLength, choose_form
from geo.safety.expected.levels import levels_within_pool
from geo.safety.expected.likelihood import Maximum, maximise
from geo.safety.expected.recipe import Recipe, as_floats, fences
from geo.safety.rates import LEVEL

LEAST_EVENTS, LEAST_UNITS = 20, 30
"""With fewer no function is fitted."""
_UNBOUNDED = 20.0
"""Standard error of a term's effect over its range (logarithm): more means that the data do not bound it."""
Model = Literal["negative binomial", "poisson"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Performance:
    """A safety performance function, or why there is none.

    Attributes
    ----------
    model
        ``negative binomial``; ``poisson`` where counts do not differ more than chance makes them (then
        `overdispersion` is 0); None where no function could be fitted, for the `reason` given.
    units
        What the units are called in words: ``segments``, ``junctions``.
    coefficients
        ``term, estimate, standard_error, z, p_value, low, high``: logarithms of ratios of rates. p is Wald's,
        two-sided, and takes segments as independent.
    overdispersion, overdispersion_low, overdispersion_high
        k of variance ``m + k m^2``, by maximum likelihood, with its interval; where it falls with length, that of a
        unit of that length.
    overdispersion_nodes, overdispersion_weights
        Values of k that the counts leave possible, and how much so (`geo.safety.expected.overdispersion.nodes`).
    per_length
        Where k is in proportion to 1 / length: the length that it is told for; None: it is the same for all.
    relative
        What k is multiplied by for each unit of the fit.
    exponents
        Exponents of length and traffic, tested against 1 (`geo.safety.expected.forms.EXPONENTS`).
    covariance
        Covariance of the coefficients, ``(terms, terms)``.
    matrix
        The terms of each unit (see `geo.safety.expected.design.Design`).
    recipe
        How the same terms are laid out for other units; None where there is no function.
    predicted
        Events that each unit's terms and exposure lead one to expect; null without exposure or count.
    checks
        Checks of the residuals, one row each (`geo.safety.expected.residuals.checks`).
    """

    model: Model | None
    reason: str | None
    units: str
    n_units: int
    n_events: int
    converged: bool
    coefficients: pd.DataFrame
    overdispersion: float
    overdispersion_low: float
    overdispersion_high: float
    overdispersion_nodes: Floats
    overdispersion_weights: Floats
    per_length: PerLength | None
    relative: pd.Series
    exponents: pd.DataFrame
    covariance: Floats
    log_likelihood: float
    aic: float
    matrix: pd.DataFrame
    recipe: Recipe | None
    predicted: pd.Series
    checks: pd.DataFrame
    notes: tuple[str, ...]


COLUMNS = ["term", "estimate", "standard_error", "z", "p_value", "low", "high"]


def fit_performance(
    counts: pd.Series,
    exposure: pd.Series,
    groups: pd.Series,
    numeric: pd.DataFrame | None = None,
    logs: pd.Series | pd.DataFrame | None = None,
    *,
    length: pd.Series | None = None,
    exponent: LengthExponent = "auto",
    units: str = "segments",
) -> Performance:
    """Fit a negative binomial safety performance function to units of one kind: segments, junctions, sites.

    The logarithm of the expected count is that of exposure (an offset: expected counts are proportional to it) plus a
    linear function of the terms (Hauer 1997, Observational Before-After Studies in Road Safety; Highway Safety Manual
    2010, part C). Counts are negative binomial with variance ``m + k m^2`` (NB2; Cameron and Trivedi 2013, Regression
    Analysis of Count Data, 2nd edition, section 3.3), all parameters by maximum likelihood (statsmodels).

    k is the same for every unit, whatever its length: as in the Highway Safety Manual's functions for urban streets
    (chapter 12), not as in that for rural two-lane roads, where it is 0.236 over the miles (chapter 10). What makes a
    street worse than its like (its form, its frontage) mostly goes on to its next segment, so that half a segment
    differs from its prediction as much as a whole one, in proportion. Where the counts want k per length, or another
    exponent of length than 1, the function has it (`geo.safety.expected.forms.choose_form`).

    Parameters
    ----------
    counts
        Events of each unit; null is not known, and such units take no part.
    exposure
        What expected counts are proportional to: kilometres times years of a segment, years of a junction; units with
        0 or null take no part.
    groups
        Road class of each segment, or form of each junction; null is a group of its own, rare ones are pooled
        (`geo.safety.expected.design.pool_classes`).
    numeric
        Numeric covariates of each unit, one a column, such as ends at junctions per kilometre; see `design` for those
        known in part.
    logs
        What enters as a logarithm, one a column, such as the traffic on the major and on the minor road of a junction;
        a series is ``traffic``, vehicles a day.
    length
        Length of each unit (km), by which k may fall, and whose exponent is tested; None: it has none.
    exponent
        The exponent of length: ``one``, ``free``, or ``auto`` for one until it is rejected.
    units
        What the units are called in reasons and notes.

    Returns
    -------
    The same whatever the order of rows: they are sorted by index first.
    """
    ordered = counts.sort_index()
    everyone = ordered.index
    y = pd.Series(as_floats(ordered), index=everyone)
    offered = pd.Series(as_floats(exposure.reindex(everyone)), index=everyone)
    known = y.notna() & (offered > 0)
    y, offered = y[known], offered[known]
    short = _too_little(y, units)
    if short is not None:
        return _none(short, y, everyone, units)
    laid = design(
        y,
        groups.reindex(y.index),
        None if numeric is None else numeric.reindex(y.index),
        None if logs is None else logs.reindex(y.index),
        units=units,
    )
    found = _fit(
        as_floats(y), laid, groups.reindex(y.index), np.log(offered.to_numpy()), _along(length, y), exponent
    )
    if isinstance(found, str):
        return _none(found, y, everyone, units, laid.notes)
    return _describe(found, y, offered, groups.reindex(y.index), everyone, units)


@dataclass(frozen=True)
class _Fitted:
    """A fitted function, with the levels of what was pooled."""

    form: Form
    laid: Design
    levels: pd.DataFrame
    length: Floats | None


def _along(length: pd.Series | None, y: pd.Series) -> Floats | None:
    """Give the length of each unit of the fit, if all have one."""
    if length is None:
        return None
    km = as_floats(length.reindex(y.index))
    return km if bool((km > 0).all()) else None


def _fit(
    y: Floats,
    laid: Design,
    groups: pd.Series,
    offset: Floats,
    length: Floats | None,
    exponent: LengthExponent,
) -> _Fitted | str:
    """Fit the function: its terms, the levels within the pool, then its form; or say why there is none."""
    x = laid.matrix.to_numpy()
    found = maximise(y, x, offset)
    if isinstance(found, str):
        return found
    unbounded = _separated(found, laid.matrix)
    if unbounded:
        return f"separation: the data do not bound the effect of {', '.join(unbounded)}"
    levels = levels_within_pool(groups, laid.recipe, y, np.exp(x @ found.beta + offset), found.k)
    if len(levels):
        own = laid.recipe.with_levels(levels["group"].tolist()).level_terms(groups)
        shift = own.to_numpy() @ levels["estimate"].to_numpy(dtype=np.float64)
        again = maximise(y, x, offset + shift)
        if isinstance(again, str):
            return again
        found, offset = again, offset + shift
    return _Fitted(choose_form(y, laid.matrix, offset, found, length, exponent), laid, levels, length)


def _too_little(y: pd.Series, units: str) -> str | None:
    """Say why there is too little to fit anything to, if so."""
    if not len(y):
        return f"no {units.removesuffix('s')} has both a count and an exposure"
    if y.sum() == 0:
        return "no collisions"
    if y.sum() < LEAST_EVENTS:
        return f"{y.sum():.0f} collisions, fewer than {LEAST_EVENTS}"
    if len(y) < LEAST_UNITS:
        return f"{len(y)} {units}, fewer than {LEAST_UNITS}"
    return None


def _separated(found: Maximum, matrix: pd.DataFrame) -> list[str]:
    """Name the terms whose effect over their usual range the data do not bound."""
    low, high = matrix.quantile(0.01).to_numpy(), matrix.quantile(0.99).to_numpy()
    usual = np.where(high > low, high - low, matrix.max().to_numpy() - matrix.min().to_numpy())
    usual[0] = 1.0
    wild = np.sqrt(np.diag(found.covariance)) * usual > _UNBOUNDED
    return [str(name) for name in matrix.columns[wild]]


def _coefficients(terms: pd.Index, estimate: Floats, error: Floats) -> pd.DataFrame:
    """Lay out coefficients with Wald's intervals and p-values."""
    z = estimate / error
    half = norm.ppf((1 + LEVEL) / 2) * error
    figures = (terms, estimate, error, z, 2 * norm.sf(np.abs(z)), estimate - half, estimate + half)
    return pd.DataFrame(dict(zip(COLUMNS, figures, strict=True)))


def _describe(
    fitted: _Fitted, y: pd.Series, exposure: pd.Series, groups: pd.Series, everyone: pd.Index, units: str
) -> Performance:
    """Put a fitted function into words and tables."""
    found, levels, relative = fitted.form.maximum, fitted.levels, fitted.form.relative
    recipe = fitted.laid.recipe
    if LOG_LENGTH in fitted.form.matrix and fitted.length is not None:
        recipe = recipe.with_length(*fences(np.log(fitted.length)))
    recipe = recipe.with_levels(levels["group"].tolist())
    own = recipe.level_terms(groups)
    matrix = fitted.form.matrix.join(own)
    estimate = np.append(found.beta, levels["estimate"].to_numpy(dtype=np.float64))
    covariance = block_diag(found.covariance, np.diag(levels["variance"].to_numpy(dtype=np.float64)))
    counts, terms = y.to_numpy(), matrix.to_numpy()
    mean = np.exp(terms @ estimate) * exposure.to_numpy()
    low, high = overdispersion.k_interval(counts, mean, found.k, relative)
    ks, weights = overdispersion.nodes(counts, mean, fitted.form.matrix.to_numpy(), found.k, relative)
    n_parameters = len(estimate) + (found.k > 0)
    each = np.ones(len(y)) if relative is None else relative
    at = exposure.to_numpy() if fitted.length is None else fitted.length
    return Performance(
        model="negative binomial" if found.k > 0 else "poisson",
        reason=None,
        units=units,
        n_units=len(y),
        n_events=int(y.sum()),
        converged=True,
        coefficients=_coefficients(matrix.columns, estimate, np.sqrt(np.diag(covariance))),
        overdispersion=found.k,
        overdispersion_low=low,
        overdispersion_high=high,
        overdispersion_nodes=ks,
        overdispersion_weights=weights,
        per_length=fitted.form.per_length,
        relative=pd.Series(each, index=y.index),
        exponents=fitted.form.exponents,
        covariance=covariance,
        log_likelihood=found.log_likelihood,
        aic=2 * n_parameters - 2 * found.log_likelihood,
        matrix=matrix,
        recipe=recipe,
        predicted=pd.Series(mean, index=y.index).reindex(everyone),
        checks=residuals.checks(counts, mean, found.k, n_parameters, at, matrix, relative),
        notes=(*fitted.laid.notes, *_said(fitted)),
    )


def _said(fitted: _Fitted) -> list[str]:
    """Say which form the function has, where it is not the usual one, and what the levels of rare groups are."""
    said = []
    if len(fitted.levels):
        names = ", ".join(fitted.levels["group"])
        said.append(
            f"within class other, {names} have levels of their own, drawn to that of all of them by as much as one "
            "event weighs"
        )
    if fitted.form.relative is not None:
        said.append("k falls with length as 1 / length: these counts are described better so")
    if LOG_LENGTH in fitted.form.matrix:
        said.append(
            "expected counts go with a power of length that is not 1, so that rates per km differ with length"
        )
    if fitted.form.maximum.k == 0:
        said.append("counts do not differ more than chance makes them: Poisson")
    return said


def _none(
    reason: str, y: pd.Series, everyone: pd.Index, units: str, notes: tuple[str, ...] = ()
) -> Performance:
    """Say why there is no function."""
    nothing = np.empty(0)
    return Performance(
        model=None,
        reason=reason,
        units=units,
        n_units=len(y),
        n_events=int(y.sum()),
        converged=False,
        coefficients=pd.DataFrame({name: pd.Series(dtype="float64") for name in COLUMNS}).astype(
            {"term": "object"}
        ),
        overdispersion=np.nan,
        overdispersion_low=np.nan,
        overdispersion_high=np.nan,
        overdispersion_nodes=nothing,
        overdispersion_weights=nothing,
        per_length=None,
        relative=pd.Series(np.nan, index=y.index),
        exponents=pd.DataFrame(columns=EXPONENTS),
        covariance=np.empty((0, 0)),
        log_likelihood=np.nan,
        aic=np.nan,
        matrix=pd.DataFrame(index=y.index),
        recipe=None,
        predicted=pd.Series(np.nan, index=everyone),
        checks=residuals.NO_CHECKS,
        notes=notes,
    )
