"""What is said of the high-injury network and of look-alikes, in sentences and in columns that any outcome shares."""

from __future__ import annotations

import pandas as pd

from geo.safety.rates import OUTCOME_NAMES, Outcome


def headline_sentences(headline: pd.DataFrame, outcome: Outcome) -> list[str]:
    """Say how few roads carry how much, and beside it what chance and a fresh look would give.

    Parameters
    ----------
    headline
        See `geo.safety.along.high_injury.headline_shares`.
    outcome
        Of which.

    Returns
    -------
    One sentence a row, without its full stop; where there is no number, one that says why.
    """
    said = []
    for row in headline.to_dict("records"):
        share = row["share"]
        if pd.isna(row["value"]):
            said.append(f"How concentrated {OUTCOME_NAMES[outcome]} are cannot be told: {row['reason']}")
            break
        between = (
            f" (95 % interval {_percent(row['low'])} to {_percent(row['high'])})"
            if pd.notna(row["low"])
            else " (no interval)"
        )
        value = _percent(row["value"])
        beside = (
            f"{_percent(row['chance'])} if the same number fell on roads at random, {_percent(row['held_out'])} "
            "where one half of them chooses the roads and the other is counted"
        )
        if row["measure"].startswith("share_of_length"):
            said.append(
                f"{_percent(share)} of {OUTCOME_NAMES[outcome]} lie on {value} of road length{between}; {beside}"
            )
        else:
            said.append(
                f"{_percent(share)} of road length carry {value} of {OUTCOME_NAMES[outcome]}{between}; {beside}"
            )
    return said


def plain_pairs(pairs: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """Name the columns of `geo.safety.picture.lookalikes.look_alikes` alike for every outcome, which gets a column.

    Returns
    -------
    ``n`` for ``n_<outcome>`` and ``per_km_year`` for ``<outcome>_per_km_year``, with all that goes before and after.
    """
    names = {
        name: name.replace(f"n_{outcome}", "n").replace(f"{outcome}_per_km_year", "per_km_year")
        for name in pairs.columns
    }
    return pairs.rename(columns=names).assign(outcome=pd.Series(outcome, index=pairs.index, dtype=object))


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"
