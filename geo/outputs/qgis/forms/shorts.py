"""Short titles of columns for forms and tables; the long ones stand beside the columns in the GeoPackage."""

from __future__ import annotations

import re
from collections.abc import Mapping

_WHOLE = {
    "From (junction, or node between two segments)": "From node",
    "To (junction, or node between two segments)": "To node",
    "Type as it was found, before an analyst's words": "Type as found",
    "Length outside the reach of junctions, to which rates refer (m)": "Length counted (m)",
    "Collisions of unknown severity, in no count of KSI (number)": "Severity unknown",
    "Collisions of unknown severity (number)": "Severity unknown",
    "Collisions that leave a road user untold (number)": "Road user unknown",
    "Collisions of unknown road users (number)": "Road user unknown",
    "KSI collisions, adjusted for recording (number)": "KSI adjusted",
    "Traffic (motor vehicles per day, yearly average)": "Traffic (vehicles/day)",
    "Traffic over the records' time (million vehicle-km)": "Million vehicle-km",
    "Carriageways that share the traffic count (number)": "Carriageways",
    "Probability that more is to be expected than of those like it (0 to 1)": "P(above predicted)",
    "Probability of being among the worst 5 % (0 to 1)": "P(worst 5 %)",
    "Probability of being among the worst 20 (0 to 1)": "P(worst 20)",
    "Rank, mean over what is possible": "Expected rank",
    "Rank, standard deviation": "Rank deviation",
    "Rank (1 is the worst)": "Rank",
    "Ranks are by the rate of": "Ranked by",
    "Collisions at junctions that it touches, in no rate": "At its junctions",
    "KSI collisions at junctions that it touches, in no rate": "KSI at its junctions",
    "Severity known, or nobody hurt (yes or no)": "Severity known",
    "Severity by a list of injuries (yes or no)": "Injury-based",
    "KSI by adjusted severity (probability)": "P(KSI), adjusted",
    "Width of the carriageway, as a network saw it (m)": "Carriageway (m)",
    "Its standard deviation along the segment (m)": "Carriageway, SD (m)",
    "Share along which it was not found or not seen (0 to 1)": "Carriageway hidden",
    "Overlap (IoU) that the network predicts of its masks (0 to 1)": "Carriageway IoU",
    "Length with imagery, clear of junctions (m)": "Carriageway seen (m)",
    "People who walk there (per day, yearly average)": "Walking (per day)",
    "People who cycle there (per day, yearly average)": "Cycling (per day)",
    "Kilometres walked over the records' time (million)": "Million km walked",
    "Kilometres cycled over the records' time (million)": "Million km cycled",
    "Has a collision of the focus type (yes or no)": "Focus recorded",
    "Rank by its risk factors (1 is the worst)": "Rank by risk factors",
    "Flight of the imagery that shows most of it": "Flight",
    "Risk factors that it has (number)": "Risk factors",
    "Traffic that enters (motor vehicles per day)": "Entering (vehicles/day)",
    "Traffic of the major road (motor vehicles per day)": "Major road (vehicles/day)",
    "Traffic of the minor road (motor vehicles per day)": "Minor road (vehicles/day)",
    "How surely other samples of roads find it (0 to 1)": "Found again",
    "Share of its length that is of it with a probability of 0.8 or more (0 to 1)": "Share that is sure",
    "Found types that an analyst made one in it": "Merged of",
    "Examples that an analyst made it by (number)": "Examples by hand",
    "Looks most like (automatic; share of its tiles)": "In words (automatic)",
}
_PARTS = (
    (r"^Ground (.+) from the centreline: (.+) \(share\)$", r"\2, \1"),
    (r"^Collisions with an? (.+?) per million km (walked|cycled)", r"\1 coll. /M km"),
    (r"^Collisions with an? (.+) \(number\)$", r"With \1"),
    (r"^Collisions it is ranked by, per km and year", "Ranked rate /km/yr"),
    (r"^Rate ratio to roads without these factors", "Ratio by risk factors"),
    (r"^Rate ratio to other roads that have a type", "Rate ratio"),
    (r" to other roads of its class", " in class"),
    (r" in the same part of town", ", part of town"),
    (r" in class and part of town", ", class and part"),
    (r", with the grouping's doubt", ", pooled"),
    (r" per km and year", " /km/yr"),
    (r" per 100 million vehicle-km", " /100M vkm"),
    (r" per year", " /yr"),
    (r", predicted from (roads|junctions) like it", " predicted"),
    (r", shrunk less predicted \(potential for improvement\)", " potential"),
    (r" predicted for the records' time", " predicted, count"),
    (r" expected in the records' time, shrunk", " expected, count"),
    (r": weight of the prediction", ", weight predicted"),
    (r": how the shrunk rate was made", ", method"),
    (r": where the figure is from", ", source"),
    (r", over resampled (roads|junctions)", ", resampled"),
    (r", shrunk", " shrunk"),
    (r", lower limit", " low"),
    (r", upper limit", " high"),
    (r"^Vegetation is known, ", "Vegetation known, "),
    (r" m away", " m"),
    (r" hurt or involved", ""),
    (
        r" \((number|number squared|0 to 1|yes or no|share|probability|of the count alone; compares nothing)\)$",
        "",
    ),
    (r" \((false discovery rate|of the count alone|false discovery rate; by it).*\)$", ""),
    (r" \((of the count alone; compares nothing|segments elsewhere|junctions elsewhere).*\)$", ""),
)


def short_titles(titles: Mapping[str, str]) -> dict[str, str]:
    """Shorten the titles of a layer's columns.

    Parameters
    ----------
    titles
        Long title by column.

    Returns
    -------
    A short one by column, each but once: where two would be the same, the later column keeps its long one, or its name.

    Examples
    --------
    >>> short_titles({"n": "Collisions", "low": "KSI per km and year, shrunk, lower limit"})
    {'n': 'Collisions', 'low': 'KSI /km/yr shrunk low'}
    """
    found: dict[str, str] = {}
    for column, title in titles.items():
        found[column] = next((one for one in (_short(title), title) if one not in found.values()), column)
    return found


def _short(title: str) -> str:
    if title in _WHOLE:
        return _WHOLE[title]
    short = title
    for pattern, by in _PARTS:
        short = re.sub(pattern, by, short)
    return short[:1].upper() + short[1:]
