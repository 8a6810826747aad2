"""Colours that the styles and the report share, chosen to be told apart by colour-blind readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Pattern = Literal["solid", "dash", "dot", "dash dot"]

# Paul Tol, Colour Schemes, SRON/EPS/TN/09-002 (2021): 'muted', the largest of his qualitative schemes.
MUTED = ("#CC6677", "#332288", "#DDCC77", "#117733", "#88CCEE", "#882255", "#44AA99", "#999933", "#AA4499")
# No scheme keeps more than about ten hues apart for every reader: beyond nine, the line's pattern changes.
PATTERNS: tuple[Pattern, ...] = ("solid", "dash", "dot", "dash dot")
# ColorBrewer 'YlOrBr' (Brewer, Harrower), without its palest steps, which a thin line on white would lose.
SEQUENCE = ("#FEC44F", "#FE9929", "#EC7014", "#CC4C02", "#8C2D04")
# the last step of 'RdPu' and one that is nearly black: what stands beyond the darkest brown
EXTREME = ("#7A0177", "#1A0026")
# ColorBrewer 'Blues', again without its palest steps.
CERTAINTY = ("#9ECAE1", "#6BAED6", "#3182BD", "#08519C", "#08306B")
# ColorBrewer 'PuOr', which colour-blind readers can tell apart; from fewer than expected to more.
DIVERGING = ("#5E3C99", "#B2ABD2", "#BDBDBD", "#FDB863", "#E66101")
UNKNOWN = "#8C8C8C"
# roads without a type are grey as well: dots of that colour would be lost on them
SEVERITY_UNKNOWN = "#4477AA"
SEVERITY = {"fatal": "#000000", "serious": "#CC3311", "slight": "#EE9944"}


@dataclass(frozen=True, slots=True)
class Look:
    """How the lines of a cluster are drawn: colour as ``#RRGGBB``, and pattern."""

    colour: str
    pattern: Pattern


def look(cluster: int) -> Look:
    """Give the look of a cluster (from 1): nine colours, then the same ones dashed, dotted and dash-dotted.

    From the 37th cluster on, looks come again.
    """
    return Look(MUTED[(cluster - 1) % len(MUTED)], PATTERNS[(cluster - 1) // len(MUTED) % len(PATTERNS)])
