"""Cumulated residuals of what is predicted of segments, as drawings; the template draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.outputs.report.figures.charts import text_width
from geo.outputs.wording import chance_words, figure
from geo.safety.expected.residuals import cure_curve
from geo.safety.rates import OUTCOME_NAMES, Outcome

WIDTH, HEIGHT = 460.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 14.0, 12.0, 40.0
LETTERS = 13.0
"""Size of the figures at its sides."""
MOST_POINTS = 400
"""A curve of more is thinned evenly: no eye, and no screen, tells them apart."""
FEWEST = 30


@dataclass(frozen=True, slots=True)
class CureChart:
    """Residuals cumulated in the order of one variable, with their limits.

    Attributes
    ----------
    of
        The variable, in words.
    walk, upper, lower
        Paths of the cumulated residuals and of two standard deviations to either side.
    nought
        Where no difference lies (units of the drawing).
    across, up
        Place and label of the marks on the axes.
    outside
        Share of segments where the curve is outside the limits (0 to 1).
    said
        What the drawing shows, in words.
    left
        Where the curve begins: what is left of it holds figures.
    """

    of: str
    walk: str
    upper: str
    lower: str
    nought: float
    across: list[tuple[float, str]]
    up: list[tuple[float, str]]
    outside: float
    said: str
    left: float


def cure_charts(segments: pd.DataFrame, outcome: Outcome) -> list[CureChart]:
    """Draw cumulated residuals over length, traffic and predicted count (CURE plots).

    Hauer and Bamfo 1997, 'Two tools for finding what function links the dependent variable to the explanatory
    variables', ICTCT conference, Lund: a function of the right form gives a curve that walks about 0 within two
    standard deviations; long rises or falls, and steps, show where it predicts too little or too much.

    Parameters
    ----------
    segments
        The layer ``segments``: the counts, and what is predicted of them.
    outcome
        ``ksi`` or ``collisions``.

    Returns
    -------
    None of a variable that is known of fewer than `FEWEST` segments, or the same for all; nothing at all without a
    safety performance function: shrinkage within classes has no form to look at.
    """
    method = segments.get(f"{outcome}_eb_method")
    if method is None or not method.dropna().astype(str).str.startswith("safety performance function").any():
        return []
    predicted = _floats(segments[f"{outcome}_predicted"])
    residual = _floats(segments[f"n_{outcome}"]) - predicted
    variables = {"length outside the reach of junctions (m)": "counted_m", "motor vehicles a day": "aadt"}
    found = {name: _floats(segments[column]) for name, column in variables.items() if column in segments}
    found[f"{OUTCOME_NAMES[outcome]} predicted (number)"] = predicted
    charts = []
    for name, values in found.items():
        known = np.isfinite(residual) & np.isfinite(values)
        if known.sum() >= FEWEST and len(np.unique(values[known])) > 2:
            charts.append(_chart(name, cure_curve(residual[known], values[known]), OUTCOME_NAMES[outcome]))
    return charts


def _floats(values: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _chart(of: str, curve: pd.DataFrame, counted: str) -> CureChart:
    out = (curve["walk"].abs() > 2 * curve["deviation"]).iloc[:-1]
    outside = float(curve["n"].iloc[:-1][out].sum() / curve["n"].sum())
    thin = curve.iloc[np.unique(np.linspace(0, len(curve) - 1, MOST_POINTS).round().astype(int))]
    # where the curve is, not what the values are, is looked at: steps of equal numbers of segments
    share = curve["n"].cumsum().loc[thin.index] / curve["n"].sum()
    most = float(max(curve["walk"].abs().max(), 2 * curve["deviation"].max(), 1e-9))
    steps = [(value, figure(value, 2)) for value in (-most, 0.0, most)]
    left = max(LEFT, *(text_width(label, LETTERS) + 8 for _, label in steps))

    def across(part: float) -> float:
        return round(left + part * (WIDTH - left - RIGHT), 1)

    def up(value: float) -> float:
        return round(TOP + (1 - value / most) / 2 * (HEIGHT - TOP - BOTTOM), 1)

    def path(values: pd.Series) -> str:
        points = zip(share, values, strict=True)
        return "".join(f"{'L' if i else 'M'}{across(x)} {up(y)}" for i, (x, y) in enumerate(points))

    parts = (0.0, 0.25, 0.5, 0.75, 1.0)
    whole = curve["n"].cumsum() / curve["n"].sum()
    marks = [float(curve["at"].iloc[int(np.searchsorted(whole, part))]) for part in parts[:-1]]
    marks.append(float(curve["at"].iloc[-1]))
    said = (
        f"{counted} less those predicted, cumulated in the order of {of}: outside two standard deviations for "
        f"{outside:.0%} of segments."
    )
    return CureChart(
        of,
        path(thin["walk"]),
        path(2 * thin["deviation"]),
        path(-2 * thin["deviation"]),
        up(0.0),
        [(across(part), figure(mark, 2)) for part, mark in zip(parts, marks, strict=True)],
        [(up(value), label) for value, label in steps],
        outside,
        said[0].upper() + said[1:],
        round(left, 1),
    )


def model_rows(models: pd.DataFrame, parts: Sequence[str], outcome: Outcome) -> list[dict[str, str]]:
    """Lay out rows of the table of models for the page: name, value, limits, and in words.

    Parameters
    ----------
    models
        The table ``models`` of a run.
    parts
        Which parts of it, such as ``ranks``.
    outcome
        Of which outcome.
    """
    rows = models[models["part"].isin(list(parts)) & (models["outcome"] == outcome)]
    return [
        {
            "name": str(row["name"]),
            "value": f"{row['value']:.0%}" if row["part"] == "ranks" else figure(row["value"]),
            "low": figure(row["low"]),
            "high": figure(row["high"]),
            "p_value": chance_words(row["p_value"]),
            "says": "" if row["says"] is None else str(row["says"]),
        }
        for row in rows.to_dict("records")
    ]
