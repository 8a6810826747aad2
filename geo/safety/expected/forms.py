"""Which form of a safety performance function the data ask for: how it goes with length, and how k does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from geo.safety.expected import overdispersion
from geo.safety.expected.likelihood import Maximum, maximise
from geo.safety.expected.recipe import Floats, fences
from geo.safety.rates import LEVEL

LengthExponent = Literal["auto", "one", "free"]
LOG_LENGTH = "log length"
SIGNIFICANT = 0.05
"""Proportional to length is the form until a likelihood ratio rejects it at this level."""
GAIN_FOR_K_PER_LENGTH = 2.0
"""Gain of the log-likelihood from which k per length is the better description: 4 of Akaike's criterion."""
_DEPENDENT = 1e-6
"""A logarithm of length whose part that the terms do not explain is smaller (relative) has no exponent to find."""
EXPONENTS = ["of", "value", "standard_error", "low", "high", "p_value", "free"]


@dataclass(frozen=True, slots=True)
class PerLength:
    """k that falls with length as 1 / length.

    Attributes
    ----------
    at
        The length that k is told for (km).
    low, high
        Fences of length, to which what is beyond is drawn in (km).
    """

    at: float
    low: float
    high: float

    def relative(self, length: Floats) -> Floats:
        """Tell what k is multiplied by for units of these lengths (km)."""
        return self.at / np.clip(length, self.low, self.high)


@dataclass(frozen=True)
class Form:
    """A function's form, fitted.

    Attributes
    ----------
    maximum
        Where the likelihood is greatest.
    matrix
        The terms, with `LOG_LENGTH` where the exponent of length is free.
    per_length
        How k falls with length; None: it is the same for all.
    relative
        What k is multiplied by for each unit; None: it is the same for all.
    exponents
        `EXPONENTS`: exponents of length and of what enters as a logarithm, with Wald's limits, the likelihood-ratio
        p-value of 1, and whether the function has that exponent free.
    """

    maximum: Maximum
    matrix: pd.DataFrame
    per_length: PerLength | None
    relative: Floats | None
    exponents: pd.DataFrame


def choose_form(
    counts: Floats,
    matrix: pd.DataFrame,
    offset: Floats,
    plain: Maximum,
    length: Floats | None,
    exponent: LengthExponent,
) -> Form:
    """Start from the form of the Highway Safety Manual, and leave it where the data ask for it.

    Expected counts are proportional to length (Highway Safety Manual 2010, eq. 10-6), and k is the same for all. Where
    k that falls with length describes the counts better (Hauer 2001, Accident Analysis and Prevention 33:799-808), by
    `GAIN_FOR_K_PER_LENGTH`, it is that; then the exponent of length is tested against 1 by the likelihood ratio, and
    free where it is rejected, or where the setting says so.

    Parameters
    ----------
    counts, matrix, offset
        Events and terms of each unit, and the logarithm of its exposure.
    plain
        The fit to these, with the same k for all.
    length
        Length of each unit (km), or None where it has none (junctions). Lengths far out are drawn in to their outer
        fences, or one stub would decide the form for all; where most are of one length, that is the form.
    exponent
        ``auto``, or ``one`` or ``free`` for good.
    """
    form = Form(plain, matrix, None, None, pd.DataFrame(columns=EXPONENTS))
    usable = length is not None and bool(np.isfinite(fences(np.log(length))).all())
    rows = []
    if length is not None and usable:
        low, high = np.exp(fences(np.log(length)))
        length = np.clip(length, low, high)
        form = _k_per_length(
            form, counts, offset, length, PerLength(float(length.mean()), float(low), float(high))
        )
    if length is not None and usable and _tells_of_length(matrix, length):
        wide = matrix.assign(**{LOG_LENGTH: np.log(length)})
        found = maximise(counts, wide.to_numpy(), offset, form.relative)
        if isinstance(found, Maximum):
            p = _likelihood_ratio(found, form.maximum)
            free = exponent == "free" or (exponent == "auto" and p < SIGNIFICANT)
            rows.append(_exponent("length", found, wide.columns.get_loc(LOG_LENGTH), 1.0, p, free=free))
            form = replace(form, maximum=found, matrix=wide) if free else form
    for name in [str(name) for name in form.matrix if str(name).startswith("log ") and name != LOG_LENGTH]:
        if name.endswith(" unknown"):
            continue
        rest = form.matrix.drop(columns=name)
        fixed = maximise(counts, rest.to_numpy(), offset + form.matrix[name].to_numpy(), form.relative)
        if isinstance(fixed, Maximum):
            p = _likelihood_ratio(form.maximum, fixed)
            place = form.matrix.columns.get_loc(name)
            rows.append(_exponent(name.removeprefix("log "), form.maximum, place, 0.0, p, free=True))
    return replace(form, exponents=pd.DataFrame(rows, columns=EXPONENTS))


def _k_per_length(form: Form, counts: Floats, offset: Floats, length: Floats, per_length: PerLength) -> Form:
    terms = form.matrix.to_numpy()
    mean = np.exp(terms @ form.maximum.beta + offset)
    if overdispersion.gain_of_k_per_length(counts, mean, length, form.maximum.k) <= GAIN_FOR_K_PER_LENGTH:
        return form
    relative = per_length.relative(length)
    found = maximise(counts, terms, offset, relative)
    if (
        isinstance(found, Maximum)
        and found.log_likelihood - form.maximum.log_likelihood > GAIN_FOR_K_PER_LENGTH
    ):
        return replace(form, maximum=found, per_length=per_length, relative=relative)
    return form


def _tells_of_length(matrix: pd.DataFrame, length: Floats) -> bool:
    terms, column = matrix.to_numpy(), np.log(length)
    rest = column - terms @ np.linalg.lstsq(terms, column, rcond=None)[0]
    return bool(np.linalg.norm(rest) > _DEPENDENT * np.sqrt(len(column)))


def _likelihood_ratio(free: Maximum, fixed: Maximum) -> float:
    return float(chi2.sf(2 * max(free.log_likelihood - fixed.log_likelihood, 0.0), 1))


def _exponent(
    of: str, found: Maximum, place: object, beside: float, p: float, *, free: bool
) -> dict[str, object]:
    at = int(str(place))
    value, error = beside + found.beta[at], float(np.sqrt(found.covariance[at, at]))
    half = float(norm.ppf((1 + LEVEL) / 2)) * error
    figures = (of, value, error, value - half, value + half, p, free)
    return dict(zip(EXPONENTS, figures, strict=True))
