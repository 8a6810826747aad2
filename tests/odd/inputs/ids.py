"""Ids that repeat and are not repeats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from forms import RIGHT, Make, Refused, Told, add
from making import records
from small_town import SmallTown

KIND = "ids"
KEY = Refused(r"columns\.id|repeated_ids")


def anew(frame: pd.DataFrame) -> pd.DataFrame:
    """Number collisions anew each year, in the order of their dates."""
    frame = frame.sort_values("date", ignore_index=True).assign(year=lambda f: f["date"].str[:4])
    return frame.assign(number=frame.groupby("year").cumcount() + 1)


def by_year(
    columns: dict[str, object] | None = None,
    *,
    number: bool = True,
    drop: tuple[str, ...] = (),
    **keys: object,
) -> Make:
    """Write a file a year, named by it."""

    def make(town: SmallTown, folder: Path) -> dict[str, object]:
        for year, part in anew(town.collisions).groupby("year"):
            told = part.assign(id=part["number"]) if number else part
            told.drop(columns=list(drop)).to_csv(folder / f"crashes-{year}.csv", index=False)
        return town.config(collisions=town.records("crashes-*.csv", columns, **keys))

    return make


def of_others(share: float, value: str):
    """Give every so-manieth row one id that means 'none'."""
    return lambda f: f.assign(id=np.where(np.arange(len(f)) % round(1 / share) == 0, value, f["id"]))


add(
    KIND,
    "anew each year, one file",
    records(lambda f: anew(f).assign(id=anew(f)["number"])),
    RIGHT,
    KEY,
    lacks=("id",),
)
add(
    KIND,
    "anew each year, one file, the years in a column",
    records(lambda f: anew(f).assign(id=anew(f)["number"]), {"date": None, "year": "year"}),
    RIGHT,
    KEY,
    lacks=("id", "day", "period"),
)
add(
    KIND,
    "anew each year, one file, without dates",
    records(lambda f: anew(f).assign(id=anew(f)["number"]), {"date": None}),
    RIGHT,
    KEY,
    lacks=("id", "day", "year", "period", "years"),
)
add(KIND, "anew each year, a file a year", by_year(), RIGHT, KEY, lacks=("id",))
add(
    KIND,
    "anew each year, a file a year, months alone",
    by_year({"date": None, "year": "year"}),
    RIGHT,
    KEY,
    lacks=("id", "day", "period"),
)
add(KIND, "anew each year, of year and number", records(anew, {"id": ["year", "number"]}), lacks=("id",))
add(KIND, "going on over files", by_year(number=False))
add(
    KIND,
    "rounded by a spreadsheet (2.019E+09)",
    records(lambda f: f.assign(id=[f"{float(i):.3E}" for i in f["id"]])),
    RIGHT,
    KEY,
    lacks=("id",),
)
add(
    KIND,
    "rounded by a spreadsheet to 15 digits",
    records(lambda f: f.assign(id=[f"{i}00{i[-3:]}000"[:10] + "00000000" for i in f["id"]])),
    RIGHT,
    KEY,
    lacks=("id",),
)
add(
    KIND,
    "of few values: the district",
    records(lambda f: f.assign(id=np.arange(len(f)) % 7)),
    RIGHT,
    KEY,
    lacks=("id",),
)
add(KIND, "of one value", records(lambda f: f.assign(id="2019")), RIGHT, KEY, lacks=("id",))
add(KIND, "of one value, few rows", records(lambda f: f.assign(id="A12")), RIGHT, KEY, lacks=("id",))
add(KIND, "a fifth are 0", records(of_others(0.2, "0")), RIGHT, KEY, lacks=("id",))
add(KIND, "a tenth are 'unknown'", records(of_others(0.1, "unknown")), RIGHT, KEY, lacks=("id",))
add(
    KIND,
    "one in forty is 999999",
    records(of_others(0.025, "999999")),
    RIGHT,
    KEY,
    Told("repeat|duplicate|same id"),
    lacks=("id",),
)
add(KIND, "a third empty", records(of_others(1 / 3, "")), lacks=("id",))
add(KIND, "with .0, from pandas", records(lambda f: f.assign(id=[f"{i}.0" for i in f["id"]])))
add(
    KIND,
    "with thousands separators",
    records(lambda f: f.assign(id=[f"{int(i):,}" for i in f["id"]])),
    lacks=("id",),
)
add(
    KIND,
    "apart by case alone",
    records(lambda f: f.assign(id=[f"{'aA'[i % 2]}{i // 2:04d}" for i in range(len(f))])),
    RIGHT,
    KEY,
    lacks=("id",),
)
add(
    KIND,
    "apart by leading zeros alone",
    records(lambda f: f.assign(id=["0" * (i % 2) + str(i // 2 + 1) for i in range(len(f))])),
    RIGHT,
    KEY,
    lacks=("id",),
)
add(
    KIND,
    "braces of ArcGIS",
    records(lambda f: f.assign(id=["{" + i + "-0000-4000}" for i in f["id"]])),
    lacks=("id",),
)
add(KIND, "spaces around", records(lambda f: f.assign(id=" " + f["id"] + " ")))
add(
    KIND,
    "two collisions of one report, on one day at one place",
    records(
        lambda f: f.assign(
            id=f["id"].where(f.index != 5, f["id"][4]), date=f["date"].where(f.index != 5, f["date"][4])
        )
    ),
    RIGHT,
    KEY,
    Told("occurs before|repeat|duplicate|same id"),
    lacks=("id", "day", "year"),
)
add(KIND, "amended rows: the severity anew below", records(lambda f: pd.concat([f, f.iloc[:20]])), RIGHT, KEY)
add(
    KIND,
    "id and file number in a list",
    records(lambda f: f.assign(part=f["id"].str[:4], number=f["id"].str[4:]), {"id": ["part", "number"]}),
    lacks=("id",),
)
add(
    KIND,
    "a list with a column that is not there",
    records(columns={"id": ["id", "nowhere"]}),
    Refused("nowhere"),
)
