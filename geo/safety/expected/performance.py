"""The safety performance function: how many collisions the length, class and traffic of a place lead one to expect."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from statsmodels.discrete.discrete_model import NegativeBinomial
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.tools.sm_exceptions import ConvergenceWarning, HessianInversionWarning

from geo.safety.expected import overdispersion, residuals
from geo.safety.expected.design import Design, design
from geo.safety.expected.recipe import Recipe, as_floats
from geo.safety.rates import LEVEL

LEAST_EVENTS, LEAST_UNITS = 20, 30
"""With fewer no function is fitted."""
_GRADIENT = 1e-6
"""Of the mean log-likelihood at its maximum (largest component); more is no convergence."""
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
        k of variance ``m + k m^2``, by maximum likelihood, with its interval.
    overdispersion_nodes, overdispersion_weights
        Values of k that the counts leave possible, and how much so (`geo.safety.expected.overdispersion.nodes`).
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
    units: str = "segments",
) -> Performance:
    """Fit a negative binomial safety performance function to units of one kind: segments, junctions, sites.

    The logarithm of the expected count is that of exposure (an offset: expected counts are proportional to it) plus a
    linear function of the terms (Hauer 1997, Observational Before-After Studies in Road Safety; Highway Safety Manual
    2010, part C). Counts are negative binomial with variance ``m + k m^2`` (NB2; Cameron and Trivedi 2013, Regression
    Analysis of Count Data, 2nd edition, section 3.3), all parameters by maximum likelihood (statsmodels).

    k is the same for every unit, whatever its length: as in the Highway Safety Manual's functions for urban streets
    (chapter 12), not as in that for rural two-lane roads, where it is 0.236 over the miles (chapter 10). Segments
    here are cut to a greatest length, so that lengths differ little, and what makes a street worse than its like
    (its form, its frontage) mostly goes on to its next segment, so that half a segment differs from its prediction as
    much as a whole one, in proportion. Hauer (2001, Accident Analysis and Prevention 33:799-808) gives the case for
    k per length; the check ``k per length`` tells whether the data want it.

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
    found = _maximise(as_floats(y), laid.matrix.to_numpy(), np.log(offered.to_numpy()))
    if isinstance(found, str):
        return _none(found, y, everyone, units, laid.notes)
    unbounded = _separated(found, laid.matrix)
    if unbounded:
        return _none(
            f"separation: the data do not bound the effect of {', '.join(unbounded)}",
            y,
            everyone,
            units,
            laid.notes,
        )
    return _describe(found, y, offered, laid, everyone, units)


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


@dataclass(frozen=True, slots=True)
class _Maximum:
    """Where the likelihood is greatest."""

    beta: Floats
    covariance: Floats
    k: float
    log_likelihood: float


def _maximise(y: Floats, x: Floats, offset: Floats) -> _Maximum | str:
    """Maximise the likelihood over orthogonal combinations of the terms, and go back to the terms.

    Where the likelihood falls as k leaves 0, its maximum is the Poisson one.
    """
    q, r = np.linalg.qr(x)
    turned = q * np.sqrt(len(y))
    back = np.linalg.inv(r) * np.sqrt(len(y))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # whether it converged is seen from the gradient and the information below, and said
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", HessianInversionWarning)
        model = GLM(y, turned, family=families.Poisson(), offset=offset)
        fitted = model.fit(maxiter=200, tol=1e-12)
        mean = np.asarray(fitted.fittedvalues)
        params, likelihood = np.asarray(fitted.params), float(fitted.llf)
        if np.isfinite(mean).all() and (mean > 0).all() and overdispersion.is_overdispersed(y, mean):
            model, params, likelihood = _negative_binomial(y, turned, offset, params, mean)
        steepest = np.abs(np.asarray(model.score(params))).max() / len(y)
        information = -np.asarray(model.hessian(params))
    if not (np.isfinite(params).all() and steepest < _GRADIENT and np.isfinite(information).all()):
        return "the fit did not converge"
    if np.linalg.eigvalsh(information)[0] <= 0:
        return "the fit did not converge: its information matrix cannot be inverted"
    n = x.shape[1]
    spread = back @ np.linalg.inv(information)[:n, :n] @ back.T
    k = float(params[n]) if len(params) > n else 0.0
    return _Maximum(back @ params[:n], spread, k, likelihood)


def _negative_binomial(
    y: Floats, turned: Floats, offset: Floats, params: Floats, mean: Floats
) -> tuple[NegativeBinomial, Floats, float]:
    """Fit by statsmodels from the Poisson fit and the likeliest k about it, or one farther off if that fails."""
    model = NegativeBinomial(y, turned, loglike_method="nb2", offset=offset)
    likeliest = overdispersion.most_likely(y, mean)
    for k in (likeliest, likeliest / 4, likeliest * 4):
        start = np.append(params, k)
        fitted = model.fit(
            start, method="bfgs", gtol=_GRADIENT / 100, maxiter=500, disp=0, warn_convergence=False
        )
        found = np.asarray(fitted.params)
        if np.isfinite(found).all() and np.abs(model.score(found)).max() / len(y) < _GRADIENT:
            break
    return model, found, float(fitted.llf)


def _separated(found: _Maximum, matrix: pd.DataFrame) -> list[str]:
    """Name the terms whose effect over their usual range the data do not bound."""
    low, high = matrix.quantile(0.01).to_numpy(), matrix.quantile(0.99).to_numpy()
    usual = np.where(high > low, high - low, matrix.max().to_numpy() - matrix.min().to_numpy())
    usual[0] = 1.0
    wild = np.sqrt(np.diag(found.covariance)) * usual > _UNBOUNDED
    return [str(name) for name in matrix.columns[wild]]


def _describe(
    found: _Maximum,
    y: pd.Series,
    exposure: pd.Series,
    laid: Design,
    everyone: pd.Index,
    units: str,
) -> Performance:
    """Put a fitted function into words and tables."""
    matrix = laid.matrix
    mean = np.exp(matrix.to_numpy() @ found.beta) * exposure.to_numpy()
    error = np.sqrt(np.diag(found.covariance))
    z = found.beta / error
    half = norm.ppf((1 + LEVEL) / 2) * error
    table = pd.DataFrame(
        dict(
            zip(
                COLUMNS,
                (
                    matrix.columns,
                    found.beta,
                    error,
                    z,
                    2 * norm.sf(np.abs(z)),
                    found.beta - half,
                    found.beta + half,
                ),
                strict=True,
            )
        )
    )
    counts = y.to_numpy()
    low, high = overdispersion.k_interval(counts, mean, found.k)
    ks, weights = overdispersion.nodes(counts, mean, matrix.to_numpy(), found.k)
    n_parameters = len(found.beta) + (found.k > 0)
    said = () if found.k > 0 else ("counts do not differ more than chance makes them: Poisson",)
    return Performance(
        model="negative binomial" if found.k > 0 else "poisson",
        reason=None,
        units=units,
        n_units=len(y),
        n_events=int(y.sum()),
        converged=True,
        coefficients=table,
        overdispersion=found.k,
        overdispersion_low=low,
        overdispersion_high=high,
        overdispersion_nodes=ks,
        overdispersion_weights=weights,
        covariance=found.covariance,
        log_likelihood=found.log_likelihood,
        aic=2 * n_parameters - 2 * found.log_likelihood,
        matrix=matrix,
        recipe=laid.recipe,
        predicted=pd.Series(mean, index=y.index).reindex(everyone),
        checks=residuals.checks(counts, mean, found.k, n_parameters, exposure.to_numpy(), matrix),
        notes=laid.notes + said,
    )


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
        covariance=np.empty((0, 0)),
        log_likelihood=np.nan,
        aic=np.nan,
        matrix=pd.DataFrame(index=y.index),
        recipe=None,
        predicted=pd.Series(np.nan, index=everyone),
        checks=residuals.NO_CHECKS,
        notes=notes,
    )
