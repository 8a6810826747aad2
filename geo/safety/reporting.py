"""What the records do not hold: bands of how many collisions there were, where the share that is reported is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from geo.config import ROAD_USERS, Severity
from geo.config.sections.given import Band
from geo.safety.rates import LEVEL

SEVERITIES: tuple[Severity, ...] = ("fatal", "serious", "slight")
COLUMNS = (
    "place",
    "outcome",
    "per",
    "n_recorded",
    "share_low",
    "share_high",
    "number_low",
    "number_high",
    "rate_recorded",
    "rate_low",
    "rate_high",
    "rate_low_limit",
    "rate_high_limit",
    "says",
)
ASSUMED = (
    "from the highest share reported to the lowest, as if it were the same everywhere; limits add the chance of the "
    "count; source of the shares: {source}"
)
NO_SHARE = "no band: the share reported is not given of {names}"
NOT_TOLD = "no band: the records do not tell {names}"
Floats = NDArray[np.float64]


def weighted_limits(counts: ArrayLike, weights: ArrayLike) -> tuple[float, float]:
    """Find the 95 % limits of a weighted sum of independent Poisson means.

    By the gamma distribution that matches mean and variance (Fay and Feuer 1997, Statistics in Medicine 16:791-801); of
    one count they are the exact ones of Garwood, times its weight.

    Parameters
    ----------
    counts, weights
        Events of each part, and what each stands for (above 0).

    Examples
    --------
    >>> low, high = weighted_limits([4], [1.0])
    >>> round(low, 2), round(high, 2)
    (1.09, 10.24)
    """
    y, w = (np.asarray(value, dtype=np.float64) for value in (counts, weights))
    total, variance, most = float((w * y).sum()), float((w**2 * y).sum()), float(w.max())
    tail = (1 - LEVEL) / 2
    low = variance / (2 * total) * float(chi2.ppf(tail, 2 * total**2 / variance)) if total > 0 else 0.0
    up, wide = total + most, variance + most**2
    return low, wide / (2 * up) * float(chi2.ppf(1 - tail, 2 * up**2 / wide))


def reporting_bands(places: pd.DataFrame, shares: Mapping[str, Band], source: str) -> pd.DataFrame:
    """Tell between which numbers collisions lie, if the share that is reported lies between two.

    Never one number in place of the record: the share is known in a band at best. What severities add up to (KSI, all
    collisions) is the sum of their bands. Of collisions whose severity is not known the whole range is possible, from
    the highest share of any severity to the lowest.

    Parameters
    ----------
    places
        A row a place: ``place``, ``exposure`` and ``per`` (what rates are per, in words; exposure null: no rate), and
        counts ``n_collisions, n_fatal, n_serious, n_slight, n_severity_unknown, n_<user>_collisions``; null is not
        told by the records.
    shares
        Lowest and highest share reported (0 to 1), by severity or road user.
    source
        Where they are from.

    Returns
    -------
    `COLUMNS`, a row a place and outcome (``fatal, serious, slight, ksi, collisions`` and road users for which the
    city's file gives a share).
    """
    outcomes = [
        *(name for name in SEVERITIES if name in shares),
        *(("ksi", "collisions") if set(SEVERITIES) & set(shares) else ()),
        *(name for name in ROAD_USERS if name in shares),
    ]
    rows = [
        _row(place, outcome, shares, source) for place in places.to_dict("records") for outcome in outcomes
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(
    place: Mapping[Any, Any], outcome: str, shares: Mapping[str, Band], source: str
) -> dict[str, object]:
    """Lay out the band of one outcome at one place."""
    row: dict[str, object] = dict.fromkeys(COLUMNS) | {
        "place": place["place"],
        "outcome": outcome,
        "per": place["per"],
    }
    parts = _parts(outcome, place)
    untold = [name for name, count in parts.items() if pd.isna(count)]
    recorded = None if untold else int(sum(parts.values()))
    if outcome == "collisions" and pd.notna(place["n_collisions"]):
        recorded = int(place["n_collisions"])
    exposure = float(place["exposure"])
    row["n_recorded"] = recorded
    if recorded is not None and exposure > 0:
        row["rate_recorded"] = recorded / exposure
    there = {name: count for name, count in parts.items() if pd.notna(count) and count != 0}
    lacking = [name for name in there if _share(name, shares) is None]
    if untold or lacking:
        row["says"] = (NOT_TOLD if untold else NO_SHARE).format(
            names=", ".join(untold or lacking).replace("_", " ")
        )
        return row
    counts = np.array([float(count) for count in parts.values()])
    bands = [_share(name, shares) or (1.0, 1.0) for name in parts]
    lowest, highest = np.array(bands).T
    number = float((counts / highest).sum()), float((counts / lowest).sum())
    row |= {"number_low": number[0], "number_high": number[1], "says": ASSUMED.format(source=source)}
    unknown = place["n_severity_unknown"]
    if outcome in {"ksi", *SEVERITIES} and pd.notna(unknown) and unknown > 0:
        row["says"] = f"{row['says']}; {int(unknown)} of unknown severity are in no band of a severity"
    if number[1] > 0:
        row |= {"share_low": counts.sum() / number[1], "share_high": counts.sum() / number[0]}
    if exposure > 0:
        row |= {
            "rate_low": number[0] / exposure,
            "rate_high": number[1] / exposure,
            "rate_low_limit": weighted_limits(counts, 1 / highest)[0] / exposure,
            "rate_high_limit": weighted_limits(counts, 1 / lowest)[1] / exposure,
        }
    return row


def _parts(outcome: str, place: Mapping[Any, Any]) -> dict[str, Any]:
    """Give the counts that an outcome is made of, by the name of their share."""
    if outcome in ROAD_USERS:
        return {outcome: place[f"n_{outcome}_collisions"]}
    if outcome == "ksi":
        return {name: place[f"n_{name}"] for name in ("fatal", "serious")}
    if outcome == "collisions":
        return {name: place[f"n_{name}"] for name in SEVERITIES} | {"unknown": place["n_severity_unknown"]}
    return {outcome: place[f"n_{outcome}"]}


def _share(name: str, shares: Mapping[str, Band]) -> Band | None:
    """Give the share of a part; that of an unknown severity is anything between those of known ones."""
    if name != "unknown":
        return shares.get(name)
    known = [shares[severity] for severity in SEVERITIES if severity in shares]
    return (
        (min(low for low, _ in known), max(high for _, high in known))
        if len(known) == len(SEVERITIES)
        else None
    )


def places_to_band(
    segments: pd.DataFrame, classes: pd.Series, junctions: pd.DataFrame, years: float | None
) -> pd.DataFrame:
    """Add up what `reporting_bands` asks for: between junctions, on each class of road, and at junctions.

    Parameters
    ----------
    segments, junctions
        Counts of each (`geo.safety.places.count_places`); segments with ``counted_m``.
    classes
        Road class of each segment.
    years
        Time of the records (years); None: not known, and there are no rates.
    """
    names = [
        *("n_collisions", "n_fatal", "n_serious", "n_slight", "n_severity_unknown"),
        *(f"n_{user}_collisions" for user in ROAD_USERS),
    ]
    span = np.nan if years is None else years

    def added(frame: pd.DataFrame, place: str, exposure: float, per: str) -> pd.Series:
        sums = frame[names].astype("Float64").sum(min_count=1)
        row: pd.Series = pd.concat(
            [pd.Series({"place": place, "exposure": exposure, "per": per}), sums.astype(object)]
        )
        return row

    kilometres = segments["counted_m"] / 1000 * span
    of = classes.astype("object").fillna("not known")
    rows = [added(segments, "between junctions", float(kilometres.sum()), "km and year")]
    rows += [
        added(
            segments.loc[index], f"between junctions, {name}", float(kilometres[index].sum()), "km and year"
        )
        for name, index in of.groupby(of).groups.items()
    ]
    rows.append(added(junctions, "at junctions", len(junctions) * span, "junction and year"))
    return pd.DataFrame(rows).reset_index(drop=True)


def band_sentences(bands: pd.DataFrame) -> list[str]:
    """Say in a sentence what KSI between junctions and at them, and each road user, may have been beside the record."""
    told = bands[bands["place"].isin(["between junctions", "at junctions"]) & bands["number_low"].notna()]
    told = told[told["outcome"].isin(["ksi", *ROAD_USERS])]
    return [
        f"{WORDS[row['outcome']]} {row['place']}: {row['n_recorded']:,} are recorded; between {row['number_low']:,.0f} "
        f"and {row['number_high']:,.0f} if {row['share_low']:.0%} to {row['share_high']:.0%} are"
        for row in told.to_dict("records")
    ]


WORDS = {"ksi": "KSI collisions"} | {
    user: f"collisions with a {user.replace('_', ' ')}" for user in ROAD_USERS
}
