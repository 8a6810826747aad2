"""How severity was recorded: a break in the records that no change on the road has made.

Since 2012 police forces in Great Britain have moved, one after another, from the officer's judgement of severity to
lists of injuries from which it follows (CRASH; in London COPA). More collisions count as serious from that day on
(Department for Transport, 'Guide to severity adjustments for reported road casualties Great Britain', 2024).
"""

from __future__ import annotations

import pandas as pd

FORCES = {
    "1": "Metropolitan Police",
    "3": "Cumbria",
    "4": "Lancashire",
    "5": "Merseyside",
    "6": "Greater Manchester",
    "7": "Cheshire",
    "10": "Northumbria",
    "11": "Durham",
    "12": "North Yorkshire",
    "13": "West Yorkshire",
    "14": "South Yorkshire",
    "16": "Humberside",
    "17": "Cleveland",
    "20": "West Midlands",
    "21": "Staffordshire",
    "22": "West Mercia",
    "23": "Warwickshire",
    "30": "Derbyshire",
    "31": "Nottinghamshire",
    "32": "Lincolnshire",
    "33": "Leicestershire",
    "34": "Northamptonshire",
    "35": "Cambridgeshire",
    "36": "Norfolk",
    "37": "Suffolk",
    "40": "Bedfordshire",
    "41": "Hertfordshire",
    "42": "Essex",
    "43": "Thames Valley",
    "44": "Hampshire",
    "45": "Surrey",
    "46": "Kent",
    "47": "Sussex",
    "48": "City of London",
    "50": "Devon and Cornwall",
    "52": "Avon and Somerset",
    "53": "Gloucestershire",
    "54": "Wiltshire",
    "55": "Dorset",
    "60": "North Wales",
    "61": "Gwent",
    "62": "South Wales",
    "63": "Dyfed-Powys",
    "91": "Northern",
    "92": "Grampian",
    "93": "Tayside",
    "94": "Fife",
    "95": "Lothian and Borders",
    "96": "Central",
    "97": "Strathclyde",
    "98": "Dumfries and Galloway",
    "99": "Police Scotland",
}
"""Codes of ``police_force`` (DfT, 'Road safety open data guide', 2024)."""
FIRST_YEAR = 2012
"""In which the first force moved (Department for Transport 2024, as above)."""


def severity_breaks(records: pd.DataFrame) -> list[str]:
    """Say where records mix severities that were recorded in two ways.

    Parameters
    ----------
    records
        Those that count, of STATS19: ``source_year``, and where the source tells them ``police_force``,
        ``injury_based`` and ``ksi_adjusted``.

    Returns
    -------
    Warnings in words, by police force and year; none where all were recorded in one way. Where the source does not
    tell, and the records run over several years since `FIRST_YEAR`, that it cannot be known.
    """
    based = records.get("injury_based")
    if based is None or based.isna().all():
        return _not_told(records["source_year"])
    known = records[based.notna()]
    if known["injury_based"].nunique() < 2:
        return []
    force = pd.Series("not recorded", index=known.index, dtype="string")
    if "police_force" in known:
        force = known["police_force"].astype("string").fillna("not recorded")
    name = force.map(FORCES).astype("string").fillna("police force " + force)
    way = known["injury_based"].map({True: "by injuries", False: "by judgement"}).astype("string")
    spans = known.groupby([name, way])["source_year"].agg(["min", "max", "size"])
    spans = spans.reset_index(names=["name", "way"])
    size = spans["size"].map("{:,} collisions".format)
    told = "; ".join(spans["name"] + " " + spans["way"] + " " + _years(spans) + " (" + size + ")")
    end = "n_ksi_adjusted counts by the DfT's adjustment"
    if records["ksi_adjusted"].isna().all():
        end = "the source has no adjusted severity"
    return [
        f"serious collisions do not compare over all records, for severity was recorded in two ways: {told}; {end}"
    ]


def _not_told(year: pd.Series) -> list[str]:
    """Say that the source is silent, where that matters."""
    first, last = year.min(), year.max()
    if pd.isna(first) or first == last or last < FIRST_YEAR:
        return []
    told = (
        "the source does not say how severity was recorded (it has no collision_injury_based): police forces moved to "
        f"injury-based recording at different times since {FIRST_YEAR}, and serious collisions before and after do not "
        "compare"
    )
    return [told]


def _years(spans: pd.DataFrame) -> pd.Series:
    """Write the years of spans."""
    first, last = (spans[end].astype("Int64").astype("string") for end in ("min", "max"))
    written = ("in " + first).where(first == last, "from " + first + " to " + last)
    return written.fillna("in years not recorded")
