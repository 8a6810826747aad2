"""The open data of the Department for Transport, and other published layouts read through a mapping."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from forms import RIGHT, RIGHT_FORMS, Make, Outcome, Refused, Told, add
from making import csv, workbook
from small_town import SmallTown

KIND = "STATS19"
SEVERITY = {"fatal": 1, "serious": 2, "slight": 3}
TYPE = {"pedestrian": 0, "cyclist": 1, "motorcyclist": 3, "car_occupant": 9}
LABELS = {
    0: "Pedestrian",
    1: "Cyclist",
    3: "Motorcycle 125cc and under rider or passenger",
    9: "Car occupant",
}
Change = Callable[[pd.DataFrame], pd.DataFrame]
USERS = tuple(TYPE)


def collisions(town: SmallTown) -> pd.DataFrame:
    made = town.collisions
    when = pd.to_datetime(made["date"])
    return pd.DataFrame(
        {
            "collision_index": made["id"],
            "collision_year": when.dt.year,
            "collision_ref_no": made["id"].str[4:],
            "location_easting_osgr": made["easting"],
            "location_northing_osgr": made["northing"],
            "longitude": made["lon"],
            "latitude": made["lat"],
            "police_force": 20,
            "collision_severity": made["severity"].map(SEVERITY),
            "number_of_casualties": made["n_casualties"],
            "date": when.dt.strftime("%d/%m/%Y"),
            "time": when.dt.strftime("%H:%M"),
            "first_road_class": 6,
            "first_road_number": 0,
            "junction_detail": made["at_junction"].map({True: 3, False: 0}),
        }
    )


def casualties(town: SmallTown) -> pd.DataFrame:
    people = town.people[town.people["injury"] != "none"]
    return pd.DataFrame(
        {
            "collision_index": people["id"],
            "collision_year": people["id"].str[:4],
            "collision_ref_no": people["id"].str[4:],
            "vehicle_reference": 1,
            "casualty_reference": people.groupby("id").cumcount() + 1,
            "casualty_class": people["person"].map(lambda p: 3 if p == "pedestrian" else 1),
            "casualty_severity": people["injury"].map(SEVERITY),
            "casualty_type": people["person"].map(TYPE),
        }
    )


def published(
    change: Change | None = None,
    of_people: Change | None = None,
    *,
    names: tuple[str, str] = ("collisions.csv", "casualties.csv"),
    write: Callable[[pd.DataFrame, Path], None] | None = None,
    write_people: Callable[[pd.DataFrame, Path], None] | None = None,
    **keys: object,
) -> Make:
    """Make a city with STATS19's tables of collisions and casualties, of which one was changed or written otherwise."""

    def make(town: SmallTown, folder: Path) -> dict[str, object]:
        rows, people = collisions(town), casualties(town)
        (write or csv())(rows if change is None else change(rows), folder / names[0])
        (write_people or csv())(people if of_people is None else of_people(people), folder / names[1])
        section = {"sources": [names[0]], "schema": "stats19", "casualties": names[1]} | keys
        return town.config(collisions={key: value for key, value in section.items() if value is not None})

    return make


RIGHT_FORMS["STATS19"] = published()
RIGHT_FORMS["STATS19 alone"] = published(casualties=None)


def dft(name: str, make: Make, *may: Outcome, like: str = "STATS19", lacks: tuple[str, ...] = ()) -> None:
    add(KIND, name, make, *may, like=like, lacks=lacks)


def renamed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the names of before 2023."""
    return frame.rename(
        columns=lambda c: c.replace("collision_ref_no", "accident_reference").replace(
            "collision_", "accident_"
        )
    )


def oldest(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the names of before 2020."""
    return renamed(frame).rename(
        columns=lambda c: "_".join(word.capitalize() for word in c.split("_")).replace("Osgr", "OSGR")
    )


def by_year(folder: Path, stem: str, frame: pd.DataFrame) -> None:
    for year, part in frame.groupby(frame["collision_year"].astype(str)):
        part.to_csv(folder / f"{stem}-{year}.csv", index=False)


def yearly(*, source: object, casualties_of: object) -> Make:
    def make(town: SmallTown, folder: Path) -> dict[str, object]:
        by_year(folder, "collision", collisions(town))
        by_year(folder, "casualty", casualties(town))
        return town.config(collisions={"sources": source, "schema": "stats19", "casualties": casualties_of})

    return make


def _wrong_table(town: SmallTown, folder: Path) -> dict[str, object]:
    casualties(town).to_csv(folder / "casualties.csv", index=False)
    return town.config(collisions={"sources": ["casualties.csv"], "schema": "stats19"})


def _joined(town: SmallTown, folder: Path) -> dict[str, object]:
    both = collisions(town).merge(
        casualties(town).drop(columns=["collision_year", "collision_ref_no"]), on="collision_index"
    )
    both.to_csv(folder / "joined.csv", index=False)
    return town.config(collisions={"sources": ["joined.csv"], "schema": "stats19"})


def _one_book(town: SmallTown, folder: Path) -> dict[str, object]:
    workbook({"Collisions": collisions(town), "Casualties": casualties(town)}, folder / "stats19.xlsx")
    return town.config(
        collisions={"sources": ["stats19.xlsx"], "schema": "stats19", "casualties": "stats19.xlsx"}
    )


FIVE = [f"casualty-{year}.csv" for year in range(2019, 2024)]
NO_USERS = (*USERS, "users")
dft("names of before 2023", published(renamed, renamed))
dft("names of before 2020", published(oldest, oldest))
dft(
    "Acc_Index",
    published(
        lambda f: f.rename(columns={"collision_index": "Acc_Index"}),
        lambda f: f.rename(columns={"collision_index": "Acc_Index"}),
    ),
    RIGHT,
    Refused("collision_index|Acc_Index"),
)
dft(
    "labels in place of codes (R's stats19)",
    published(
        lambda f: f.assign(
            collision_severity=f["collision_severity"].map({1: "Fatal", 2: "Serious", 3: "Slight"})
        ),
        lambda f: f.assign(
            casualty_type=f["casualty_type"].map(LABELS),
            casualty_class=f["casualty_class"].map({1: "Driver or rider", 3: "Pedestrian"}),
        ),
    ),
)
dft(
    "casualty types of another label set",
    published(
        of_people=lambda f: f.assign(
            casualty_type=f["casualty_type"].map({0: "On foot", 1: "Bike", 3: "Moto", 9: "Auto"})
        )
    ),
    Told("Bike|casualty_type|On foot", but=NO_USERS),
    Refused("Bike|casualty_type"),
)
dft(
    "casualty types in German",
    published(
        of_people=lambda f: f.assign(
            casualty_type=f["casualty_type"].map({0: "Fußgänger", 1: "Radfahrer", 3: "Krad", 9: "Pkw"}),
            casualty_class="Person",
        )
    ),
    Told("Radfahrer|casualty_type|Fußgänger", but=NO_USERS),
    Refused("Radfahrer|casualty_type"),
)
dft(
    "casualty types in small letters",
    published(of_people=lambda f: f.assign(casualty_type=f["casualty_type"].map(LABELS).str.lower())),
    RIGHT,
    Told("cyclist|casualty_type", but=NO_USERS),
    Refused("casualty_type"),
)
dft(
    "casualty classes of another label set",
    published(
        of_people=lambda f: f.assign(casualty_class=f["casualty_class"].map({1: "Operator", 3: "Walker"}))
    ),
    RIGHT,
    Told("Operator|casualty_class|Walker", but=NO_USERS),
    Refused("casualty_class"),
)
dft(
    "codes with .0",
    published(
        lambda f: f.assign(collision_severity=f["collision_severity"].astype(float)),
        lambda f: f.assign(casualty_type=f["casualty_type"].astype(float)),
    ),
)
dft(
    "severity codes that rise with harm",
    published(lambda f: f.assign(collision_severity=4 - f["collision_severity"]), casualties=None),
    Refused("fatal"),
    Told("fatal.*%|% .*fatal", wrong=("severity",)),
    like="STATS19 alone",
)
dft("dates with times", published(lambda f: f.assign(date=f["date"] + " " + f["time"])))
dft(
    "ISO dates",
    published(lambda f: f.assign(date=pd.to_datetime(f["date"], dayfirst=True).dt.strftime("%Y-%m-%d"))),
)
dft(
    "ISO dates with times",
    published(
        lambda f: f.assign(date=pd.to_datetime(f["date"], dayfirst=True).dt.strftime("%Y-%m-%dT%H:%M:%S"))
    ),
)
dft("dates of ArcGIS: day first with times", published(lambda f: f.assign(date=f["date"] + " 00:00:00")))
dft(
    "dates month first",
    published(lambda f: f.assign(date=pd.to_datetime(f["date"], dayfirst=True).dt.strftime("%m/%d/%Y"))),
    RIGHT,
    Refused("date"),
)
dft(
    "dates with dots",
    published(lambda f: f.assign(date=f["date"].str.replace("/", "."))),
    RIGHT,
    Refused("date"),
)
dft(
    "two digits of the year",
    published(lambda f: f.assign(date=pd.to_datetime(f["date"], dayfirst=True).dt.strftime("%d/%m/%y"))),
    RIGHT,
    Refused("date"),
)
dft(
    "Excel serials",
    published(
        lambda f: f.assign(
            date=(pd.to_datetime(f["date"], dayfirst=True) - pd.Timestamp("1899-12-30")).dt.days
        )
    ),
    RIGHT,
    Refused("date"),
)
dft(
    "no index, year and reference",
    published(lambda f: f.drop(columns="collision_index"), lambda f: f.drop(columns="collision_index")),
)
dft(
    "an index that a spreadsheet rounded, with year and reference",
    published(
        lambda f: f.assign(collision_index=[f"{float(i):.5E}" for i in f["collision_index"]]),
        lambda f: f.assign(collision_index=[f"{float(i):.5E}" for i in f["collision_index"]]),
    ),
    RIGHT,
    Refused("collision_index|id|rounded|E"),
    lacks=("id",),
)
dft(
    "an index that a spreadsheet rounded, alone",
    published(
        lambda f: f.drop(columns=["collision_ref_no"]).assign(
            collision_index=[f"{float(i):.3E}" for i in f["collision_index"]]
        ),
        casualties=None,
    ),
    RIGHT,
    Refused("id|rounded|E"),
    like="STATS19 alone",
    lacks=("id",),
)
dft(
    "leading zeros lost in the casualties' index",
    published(
        lambda f: f.assign(collision_index="00" + f["collision_index"]),
        lambda f: f.assign(collision_index=f["collision_index"]),
    ),
    RIGHT,
    Refused("casualt"),
    Told("casualt|their collision is not among", but=(*NO_USERS, "n_casualties")),
    lacks=("id",),
)
dft("a file a year, globs", yearly(source=["collision-*.csv"], casualties_of="casualty-*.csv"))
dft("a file a year, a list of casualties", yearly(source=["collision-*.csv"], casualties_of=FIVE))
dft(
    "a file a year, one year of casualties missing",
    yearly(source=["collision-*.csv"], casualties_of=FIVE[:4]),
    Told("casualt|their collision is not among", but=(*NO_USERS, "n_casualties")),
    Refused("casualt"),
)
dft(
    "casualties of another year alone",
    published(of_people=lambda f: f.assign(collision_index="1999" + f["collision_index"].str[4:])),
    Refused("casualt"),
    Told("casualt|their collision is not among", but=(*NO_USERS, "n_casualties")),
)
dft(
    "casualties twice over",
    published(of_people=lambda f: pd.concat([f, f])),
    RIGHT,
    Told("casualt|twice|repeat"),
    Refused("casualt"),
)
dft("the casualties in place of collisions", _wrong_table, Refused("column|collision"))
dft("the collisions' file also as casualties", published(casualties="collisions.csv"), Refused("casualt"))
dft(
    "casualties joined to the collisions, a row a casualty",
    _joined,
    RIGHT,
    Refused("rows"),
    like="STATS19 alone",
)
dft("grid references alone", published(lambda f: f.drop(columns=["longitude", "latitude"])))
dft("degrees alone", published(lambda f: f.drop(columns=["location_easting_osgr", "location_northing_osgr"])))
dft(
    "grid references empty in half of the rows",
    published(
        lambda f: f.assign(
            location_easting_osgr=f["location_easting_osgr"].where(f.index % 2 == 0),
            location_northing_osgr=f["location_northing_osgr"].where(f.index % 2 == 0),
        )
    ),
)
dft(
    "grid references with commas for thousands",
    published(
        lambda f: f.assign(
            location_easting_osgr=[f"{v:,.0f}" for v in f["location_easting_osgr"]],
            location_northing_osgr=[f"{v:,.0f}" for v in f["location_northing_osgr"]],
        )
    ),
    RIGHT,
    Refused("coordinates|location"),
)
dft(
    "easting and northing turned round",
    published(
        lambda f: f.rename(
            columns={
                "location_easting_osgr": "location_northing_osgr",
                "location_northing_osgr": "location_easting_osgr",
            }
        ).drop(columns=["longitude", "latitude"])
    ),
    RIGHT,
    Refused("turned|swap|could be placed"),
)
dft("NULL for none", published(lambda f: f.assign(longitude="NULL", latitude="NULL")))
dft(
    "a workbook",
    published(
        names=("collisions.xlsx", "casualties.xlsx"),
        write=lambda f, p: workbook({"Collisions": f}, p),
        write_people=lambda f, p: workbook({"Casualties": f}, p),
    ),
)
dft("one workbook with both sheets", _one_book, RIGHT, Refused("sheet|Casualties"))
dft(
    "gzip",
    published(
        names=("collisions.csv.gz", "casualties.csv.gz"),
        write=lambda f, p: f.to_csv(p, index=False),
        write_people=lambda f, p: f.to_csv(p, index=False),
    ),
)
dft("utf-16", published(write=csv(encoding="utf-16")))
dft("semicolons", published(write=csv(sep=";"), write_people=csv(sep=";")))
dft(
    "a severity that is none (4)",
    published(
        lambda f: f.assign(collision_severity=f["collision_severity"].where(f.index % 10 != 0, 4)),
        casualties=None,
    ),
    Told("'4'", but=("severity",), lost=("severities",)),
    like="STATS19 alone",
)
dft(
    "casualties of more hurt than the collision",
    published(lambda f: f.assign(collision_severity=3)),
    Told("casualt|severity", wrong=("severity", "severities")),
    RIGHT,
    Refused("severity|casualt"),
)
dft(
    "columns of Scotland's own spelling",
    published(lambda f: f.rename(columns={"collision_severity": "Severity"})),
    Refused("severity"),
)
dft(
    "columns with spaces for underscores",
    published(lambda f: f.rename(columns=lambda c: c.replace("_", " "))),
    RIGHT,
    Refused("collision_index|column"),
)
