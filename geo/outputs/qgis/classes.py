"""Classes of numbers for maps: where they begin and end, what the legend says, and how they are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.outputs.palette import DIVERGING, EXTREME, SEQUENCE, UNKNOWN
from geo.outputs.wording import NOT_KNOWN
from geo.roads.importance import importance

ELSE = "ELSE"
"""What QGIS takes for 'whatever no other rule drew'."""
ZERO = "#BDBDBD"
WORST = (
    (0.01, EXTREME[0], "1.2", "worst 1 % of length"),
    (0.001, EXTREME[1], "1.6", "worst 0.1 % of length"),
)
"""Shares of length that maps of rates show apart: colour, width (mm) and words."""
MOST_PLACES = 9
"""Decimals of a legend's figures, at most."""
OTHER_WIDTH = 0.6
WIDTHS = (1.5, 1.2, 0.95, 0.75, OTHER_WIDTH, 0.4)
"""Width of a line (mm) by the importance of its road class (`geo.roads.importance.importance`)."""


@dataclass(frozen=True, slots=True)
class Band:
    """One class of a graduated style: a QGIS expression, its label, and how it is drawn (size in mm)."""

    filter: str
    label: str
    colour: str
    size: str
    filled: bool = True


@dataclass(frozen=True, slots=True)
class Cut:
    """One class of rates: those above `low` up to `top`, and how it is drawn (size in mm)."""

    low: float
    top: float
    label: str
    colour: str
    size: str


def rate_bands(
    rates: pd.Series, colours: Sequence[str] = SEQUENCE, *, lengths: pd.Series | None = None
) -> list[Band]:
    """Write the classes of rates (`rate_cuts`) for QGIS.

    Parameters
    ----------
    rates, colours, lengths
        See `rate_cuts`; the series has the name of its column.

    Returns
    -------
    The classes, and one for what is not known.
    """
    column = f'"{rates.name}"'
    bands = [
        Band(
            f"{column} = 0" if cut.top == 0 else f"{column} > {cut.low!r} AND {column} <= {cut.top!r}",
            cut.label,
            cut.colour,
            cut.size,
        )
        for cut in rate_cuts(rates, colours, lengths=lengths)
    ]
    return [*bands, Band(ELSE, NOT_KNOWN, UNKNOWN, "0.4")]


def rate_cuts(
    rates: pd.Series, colours: Sequence[str] = SEQUENCE, *, lengths: pd.Series | None = None
) -> list[Cut]:
    """Cut rates into classes of about equally many segments each, and the worst of them finer.

    Parameters
    ----------
    rates
        Rate of each segment, null where not known, none below 0.
    colours
        Colours from the lowest class to the highest; there are as many classes at most.
    lengths
        Length of each segment, on the index of `rates`; None: nothing is cut finer.

    Returns
    -------
    A class for exactly 0 where there are any, and quantile classes of the rest (fewer where quantiles coincide), of
    which the highest is cut at the worst 1 % and 0.1 % of the length with a rate.
    """
    values = rates.dropna().to_numpy(dtype=np.float64)
    positive = values[values > 0]
    cuts = [Cut(-math.inf, 0.0, "0", ZERO, "0.5")] if (values == 0).any() else []
    if len(positive):
        # quantiles that occur, so that no class is empty
        inner = np.quantile(positive, np.linspace(0, 1, len(colours) + 1)[1:-1], method="inverted_cdf")
        tops = np.unique(np.append(inner, positive.max()))
        worst = (
            [] if lengths is None else _worst_by_length(rates, lengths, tops[-2] if len(tops) > 1 else 0.0)
        )
        plain = len(tops)
        tops = np.unique(np.append(tops, [low for low, *_ in worst]))
        bottoms = np.concatenate([[0.0], tops[:-1]])
        places = _places(tops)
        drawn = [(colour, "0.9", "") for colour in colours[-plain:]]
        drawn += [(colour, size, f" ({said})") for _, colour, size, said in worst]
        for low, top, (colour, size, said) in zip(bottoms.tolist(), tops.tolist(), drawn, strict=True):
            least = positive[positive > low].min()
            label = _plain(top, places)
            if least != top:
                label = f"{_plain(least, places)} to {label}"
            cuts.append(Cut(low, top, label + said, colour, size))
    return cuts


def _worst_by_length(rates: pd.Series, lengths: pd.Series, above: float) -> list[tuple[float, str, str, str]]:
    """Find the rates that the worst shares of length exceed, where they are within the highest class.

    Returns
    -------
    Of each share: the rate that is exceeded, and colour, size and words of those that do.
    """
    known = rates[rates.notna()].sort_values(ascending=False, kind="stable")
    share = lengths.reindex(known.index).astype("float64").cumsum() / lengths.reindex(known.index).sum()
    found: list[tuple[float, str, str, str]] = []
    for part, colour, size, said in WORST:
        lower = known[share > part]
        low = float(lower.iloc[0]) if len(lower) else 0.0
        if above < low < known.iloc[0] and (not found or low > found[-1][0]):
            found.append((low, colour, size, said))
    return found


def _places(tops: NDArray[np.float64]) -> int:
    """Give the decimals that all figures of a legend have: one more than keeps the ends of its classes apart."""
    enough = (n for n in range(MOST_PLACES) if len(np.unique(np.append(0, tops.round(n)))) > len(tops))
    fewest = next(enough, MOST_PLACES - 1)
    return 0 if fewest == 0 and bool((tops == tops.round()).all()) else fewest + 1


def _plain(value: float, places: int) -> str:
    """Write a value with so many decimals."""
    return f"{value:,.{places}f}".replace(",", "\N{NO-BREAK SPACE}")


def difference_bands(differences: pd.Series) -> list[Band]:
    """Cut differences into classes that lie the same on both sides of 0.

    Parameters
    ----------
    differences
        Difference of each segment, null where not known; the series has the name of its column.

    Returns
    -------
    Two classes below, one about 0 (the smallest third of those that are not 0), two above, and one for what is not
    known; those that no value falls into are left out.
    """
    column = f'"{differences.name}"'
    values = differences.dropna().to_numpy(dtype=np.float64)
    unknown = Band(ELSE, NOT_KNOWN, UNKNOWN, "0.4")
    if not values.any():
        return [Band(f"{column} = 0", "0", DIVERGING[2], "0.5"), unknown] if len(values) else [unknown]
    # of the values that are not 0, so that the outer classes are never empty for a mass of zeros
    sizes = np.abs(values[values != 0])
    near, far = (float(np.quantile(sizes, q, method="inverted_cdf")) for q in (1 / 3, 5 / 6))
    places = max(0, 1 - math.floor(math.log10(far)))
    classes = (
        (f"{column} < {-far!r}", values < -far),
        (f"{column} >= {-far!r} AND {column} < {-near!r}", (values >= -far) & (values < -near)),
        (f"{column} >= {-near!r} AND {column} <= {near!r}", np.abs(values) <= near),
        (f"{column} > {near!r} AND {column} <= {far!r}", (values > near) & (values <= far)),
        (f"{column} > {far!r}", values > far),
    )
    bands = []
    for (condition, inside), colour in zip(classes, DIVERGING, strict=True):
        if inside.any():
            label = f"{_signed(values[inside].min(), places)} to {_signed(values[inside].max(), places)}"
            size = "0.5" if colour == DIVERGING[2] else "0.9"
            bands.append(Band(condition, label, colour, size))
    return [*bands, unknown]


def _signed(value: float, places: int) -> str:
    """Write a difference with its sign, and so many decimals."""
    text = f"{abs(value):.{places}f}"
    if not float(text):
        return text
    return f"+{text}" if value > 0 else f"\N{MINUS SIGN}{text}"


def count_bands(counts: pd.Series) -> list[Band]:
    """Cut counts into classes that double: 0, 1, 2 to 3, 4 to 7, 8 to 15, 16 or more.

    Parameters
    ----------
    counts
        Count of each place, null where not known; the series has the name of its column.

    Returns
    -------
    The classes up to the greatest count, and one for what is not known.
    """
    column = f'"{counts.name}"'
    greatest = int(counts.max()) if counts.notna().any() else 0
    bands = [Band(f"{column} = 0", "0", UNKNOWN, "1.2", filled=False)]
    for step, colour in enumerate(SEQUENCE):
        low, top = 2**step, 2 ** (step + 1) - 1
        if low > greatest:
            break
        size = f"{1.8 + 0.9 * step:.1f}"
        if step == len(SEQUENCE) - 1:
            bands.append(Band(f"{column} >= {low}", f"{low} or more", colour, size))
        else:
            label = "1" if step == 0 else f"{low} to {top}"
            bands.append(Band(f"{column} >= {low} AND {column} <= {top}", label, colour, size))
    return [*bands, Band(ELSE, NOT_KNOWN, UNKNOWN, "0.8", filled=False)]


def width_expression(classes: pd.Series) -> str:
    """Write the QGIS expression that gives a segment's line its width (mm) by its road class."""
    wide: dict[float, list[str]] = {}
    for name in sorted(classes.dropna().astype(str).unique()):
        wide.setdefault(width_of(name), []).append("'" + name.replace("'", "''") + "'")
    cases = [
        f'WHEN "road_class" IN ({", ".join(names)}) THEN {width}'
        for width, names in wide.items()
        if width != OTHER_WIDTH
    ]
    return f"CASE {' '.join(cases)} ELSE {OTHER_WIDTH} END" if cases else str(OTHER_WIDTH)


def width_of(road_class: str) -> float:
    """Width of the lines of a road class (mm)."""
    return WIDTHS[importance(road_class)]
