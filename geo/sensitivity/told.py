"""What stands if choices were made otherwise, in words."""

from __future__ import annotations

import pandas as pd

from geo.sensitivity.findings import STANDS, UNKNOWN


def by_finding(table: pd.DataFrame) -> pd.DataFrame:
    """Count how often each finding stands.

    Parameters
    ----------
    table
        The layer ``sensitivity``: one row a finding and variant.

    Returns
    -------
    One row a finding: ``finding, kind, says``, ``n_variants`` (in which it can be told), ``n_stands``, ``n_unknown``
    and ``otherwise``: what it depends on, in words; empty: on nothing that was tried.
    """
    groups = table.groupby("finding", sort=True)
    found = groups[["kind", "says"]].first()
    unknown = groups["state"].agg(lambda states: int((states == UNKNOWN).sum()))
    stands = groups["state"].agg(lambda states: int((states == STANDS).sum()))
    return found.assign(
        n_variants=groups.size() - unknown,
        n_stands=stands,
        n_unknown=unknown,
        otherwise=[_otherwise(rows) for _, rows in groups],
    ).reset_index()


def _otherwise(rows: pd.DataFrame) -> str:
    """Say what a finding depends on: ``segment length (1 of 2: gone)``."""
    told = []
    for changed, some in rows[rows["state"] != UNKNOWN].groupby("changed", sort=False):
        fell = some[some["state"] != STANDS]
        if len(fell):
            told.append(f"{changed} ({len(fell)} of {len(some)}: {', '.join(fell['state'].unique())})")
    return "; ".join(told)


def sentences(table: pd.DataFrame) -> list[str]:
    """Sum up, without full stops: how many findings stand throughout, and what the others depend on.

    Parameters
    ----------
    table
        The layer ``sensitivity``.
    """
    if table.empty:
        return ["Nothing was found that could be held against other choices"]
    counted = by_finding(table)
    tried = len(table.drop_duplicates(["changed", "setting"]))
    whole = counted[(counted["n_stands"] == counted["n_variants"]) & (counted["n_variants"] > 0)]
    first = f"{len(whole)} of {len(counted)} findings stand in all variants that tell of them ({tried} were tried)"
    rest = [
        f"{row['says'][0].upper()}{row['says'][1:]}: "
        + (
            f"stands in {row['n_stands']} of {row['n_variants']}; depends on {row['otherwise']}"
            if row["n_variants"]
            else "no variant can tell"
        )
        for row in counted[~counted["finding"].isin(whole["finding"])].to_dict("records")
    ]
    failed = table[table["reason"].fillna("").str.startswith(FAILED)].drop_duplicates("setting")
    return [first, *rest, *(f"{row['setting']}: {row['reason']}" for row in failed.to_dict("records"))]


FAILED = "it could not be run: "
"""What the reason of a variant that failed begins with."""
