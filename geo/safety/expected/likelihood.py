"""Where the likelihood of a safety performance function is greatest."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln
from statsmodels.discrete.discrete_model import NegativeBinomial
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.tools.sm_exceptions import ConvergenceWarning, HessianInversionWarning

from geo.safety.expected import overdispersion
from geo.safety.expected.recipe import Floats

_GRADIENT = 1e-6
"""Of the mean log-likelihood at its maximum (largest component); more is no convergence."""
_ROUNDS, _SAME_K = 50, 1e-10
"""Coefficients and k are found in turns, at most so many, until k changes by less than this share."""
NO_CONVERGENCE = "the fit did not converge"


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where the likelihood is greatest.

    Attributes
    ----------
    beta, covariance
        Coefficients, ``(terms,)``, and their covariance.
    k
        Overdispersion of variance ``m + k m^2``; 0 where the likelihood falls as k leaves 0.
    log_likelihood
        With all its constants.
    """

    beta: Floats
    covariance: Floats
    k: float
    log_likelihood: float


def maximise(y: Floats, x: Floats, offset: Floats, relative: Floats | None = None) -> Maximum | str:
    """Maximise the likelihood over orthogonal combinations of the terms, and go back to the terms.

    Where the likelihood falls as k leaves 0, its maximum is the Poisson one.

    Parameters
    ----------
    y, x, offset
        Events of each unit, its terms, ``(units, terms)``, and the logarithm of its exposure.
    relative
        What k is multiplied by for each unit; None: it is the same for all.

    Returns
    -------
    The maximum, or why there is none.
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
        usable = bool(np.isfinite(mean).all() and (mean > 0).all())
        if usable and relative is not None:
            return _turns(y, turned, offset, relative, mean, back)
        if usable and overdispersion.is_overdispersed(y, mean):
            model, params, likelihood = _negative_binomial(y, turned, offset, params, mean)
        steepest = np.abs(np.asarray(model.score(params))).max() / len(y)
        information = -np.asarray(model.hessian(params))
    if not (np.isfinite(params).all() and steepest < _GRADIENT and np.isfinite(information).all()):
        return NO_CONVERGENCE
    if np.linalg.eigvalsh(information)[0] <= 0:
        return f"{NO_CONVERGENCE}: its information matrix cannot be inverted"
    n = x.shape[1]
    spread = back @ np.linalg.inv(information)[:n, :n] @ back.T
    k = float(params[n]) if len(params) > n else 0.0
    return Maximum(back @ params[:n], spread, k, likelihood)


def _turns(
    y: Floats, turned: Floats, offset: Floats, relative: Floats, mean: Floats, back: Floats
) -> Maximum | str:
    """Maximise over coefficients (statsmodels) and k in turns, where k is in proportion to something known.

    k and the coefficients are orthogonal, so that few turns are needed and the covariance of the coefficients is the
    inverse of their own expected information (Lawless 1987, Canadian Journal of Statistics 15:209-225).
    """
    k, before = overdispersion.most_likely(y, mean, relative), 0.0
    for _ in range(_ROUNDS):
        model = GLM(y, turned, family=families.NegativeBinomial(alpha=k * relative), offset=offset)
        fitted = model.fit(start_params=None, maxiter=200, tol=1e-12)
        mean = np.asarray(fitted.fittedvalues)
        if not (np.isfinite(mean).all() and (mean > 0).all()):
            return NO_CONVERGENCE
        if abs(k - before) <= _SAME_K * k:
            break
        before, k = k, overdispersion.most_likely(y, mean, relative)
    weight = mean / (1 + k * relative * mean)
    steepest = np.abs(turned.T @ (weight * (y - mean) / mean)).max() / len(y)
    information = turned.T @ (turned * weight[:, None])
    if not (steepest < _GRADIENT and np.linalg.eigvalsh(information)[0] > 0):
        return NO_CONVERGENCE
    likelihood = overdispersion.log_likelihood(y, mean, k, relative) - float(gammaln(y + 1).sum())
    spread = back @ np.linalg.inv(information) @ back.T
    return Maximum(back @ np.asarray(fitted.params), spread, k, likelihood)


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
