"""Traffic counts, alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from forms import RIGHT, RIGHT_FORMS, Make, Refused, Told, add
from making import Write, csv, points, workbook
from small_town import STREETS, SmallTown

KIND = "traffic"
Change = Callable[[pd.DataFrame], pd.DataFrame]
MAPPED = {"x": "lon", "y": "lat", "aadt": "aadt", "id": "point", "year": "year", "road_name": "road"}
LESS = ("traffic",)


def counts(town: SmallTown) -> pd.DataFrame:
    """A point in the middle of each street, with a figure of each year."""
    where = town.collisions[town.collisions["road_name"].isin(STREETS) & ~town.collisions["at_junction"]]
    first = where.sort_values("id").groupby("road_name").head(1).sort_values("road_name")
    table = pd.DataFrame(
        {
            "point": np.arange(len(first)) + 501,
            "road": first["road_name"].to_numpy(),
            "lon": first["lon"].to_numpy(),
            "lat": first["lat"].to_numpy(),
            "easting": first["easting"].to_numpy(),
            "northing": first["northing"].to_numpy(),
            "aadt": 4200 + 1730 * np.arange(len(first)),
        }
    )
    years = [table.assign(year=year, aadt=table["aadt"] + 10 * (year - 2019)) for year in range(2019, 2024)]
    return pd.concat(years, ignore_index=True)


def counted(
    change: Change | None = None,
    columns: dict[str, object] | None = None,
    *,
    name: str = "counts.csv",
    write: Write | None = None,
    **keys: object,
) -> Make:
    """Make a city with counts that were changed, written otherwise or are read with other keys."""

    def make(town: SmallTown, folder: Path) -> dict[str, object]:
        frame = counts(town)
        frame = frame if change is None else change(frame)
        (write or csv())(frame, folder / name)
        mapped = {key: column for key, column in (MAPPED | (columns or {})).items() if column is not None}
        return town.config(exposure={"sources": [name], "schema": "columns", "columns": mapped} | keys)

    return make


RIGHT_FORMS["traffic"] = counted()


def of_roads(turn: Callable[[int], object], **keys: object) -> Make:
    """Make a city whose roads have a column of traffic."""

    def make(town: SmallTown, folder: Path) -> dict[str, object]:
        town.roads.assign(dtv=[turn(1000 + 100 * i) for i in range(len(town.roads))]).to_file(
            folder / "roads.gpkg"
        )
        return town.config(roads={"source": "roads.gpkg"}, exposure={"column": "dtv"} | keys)

    return make


RIGHT_FORMS["traffic of roads"] = of_roads(lambda v: v)


def traffic(name: str, make: Make, *may: object, like: str = "traffic") -> None:
    add(KIND, name, make, *may, like=like)


traffic(
    "semicolons and decimal commas, decimal named",
    counted(columns={"decimal": ","}, write=csv(sep=";", decimal=",")),
)
traffic(
    "semicolons and decimal commas, not named",
    counted(write=csv(sep=";", decimal=",")),
    RIGHT,
    Told("no coordinates", but=LESS),
    Refused("decimal"),
)
traffic(
    "thousands separators of the figures",
    counted(lambda f: f.assign(aadt=[f"{v:,}" for v in f["aadt"]])),
    RIGHT,
    Refused("aadt|number|decimal"),
)
traffic(
    "points for thousands, German",
    counted(lambda f: f.assign(aadt=[f"{v:,}".replace(",", ".") for v in f["aadt"]])),
    RIGHT,
    Refused("aadt|decimal|number"),
    Told("aadt|decimal|small", wrong=LESS),
)
traffic(
    "points for thousands, decimal named",
    counted(
        lambda f: f.assign(
            lon=f["lon"].astype(str).str.replace(".", ","),
            lat=f["lat"].astype(str).str.replace(".", ","),
            aadt=[f"{v:,}".replace(",", ".") for v in f["aadt"]],
        ),
        {"decimal": ","},
    ),
)
traffic(
    "spaces for thousands, French",
    counted(lambda f: f.assign(aadt=[f"{v:,}".replace(",", "\u202f") for v in f["aadt"]])),
    RIGHT,
    Refused("aadt|number|decimal"),
)
traffic(
    "units after the figures",
    counted(lambda f: f.assign(aadt=[f"{v} veh/day" for v in f["aadt"]])),
    RIGHT,
    Told("no number", but=LESS),
    Refused("aadt|number"),
)
traffic(
    "x and y turned round",
    counted(columns={"x": "lat", "y": "lon"}),
    RIGHT,
    Told("farther from every road", but=LESS),
    Refused(r"turned|swap|columns\.x|crs|far"),
)
traffic(
    "metres where degrees are meant",
    counted(columns={"x": "easting", "y": "northing"}),
    Told("no coordinates", but=LESS),
    Refused("crs"),
)
traffic("metres, crs named", counted(columns={"x": "easting", "y": "northing", "crs": "EPSG:27700"}))
traffic("crs as a number", counted(columns={"x": "easting", "y": "northing", "crs": 27700}))
traffic("utf-16", counted(write=csv(encoding="utf-16", sep="\t")))
traffic("latin-1, named", counted(columns={"encoding": "latin-1"}, write=csv(encoding="latin-1")))
traffic("latin-1, not named", counted(write=csv(encoding="latin-1")), RIGHT, Refused("encoding"))
traffic("a line sep=;", counted(write=csv(sep=";", before="sep=;\n")))
traffic("lines before the header", counted(write=csv(before="Counts of Smalltown\n\n")))
traffic("gzip", counted(name="counts.csv.gz", write=lambda f, p: f.to_csv(p, index=False)))
traffic("zip", counted(name="counts.zip", write=lambda f, p: f.to_csv(p, index=False)))
traffic(
    "two sheets",
    counted(name="counts.xlsx", write=lambda f, p: workbook({"2019": f.iloc[:15], "2020": f.iloc[15:]}, p)),
    Refused("2020"),
)
traffic(
    "two sheets, both named",
    counted(
        name="counts.xlsx",
        write=lambda f, p: workbook({"2019": f.iloc[:15], "2020": f.iloc[15:]}, p),
        sheet=["2019", "2020"],
    ),
)
traffic("years with .0", counted(lambda f: f.assign(year=f["year"].astype(float))))
traffic(
    "two digits of the year",
    counted(lambda f: f.assign(year=f["year"] % 100)),
    RIGHT,
    Refused("year"),
    Told("year", but=LESS),
)
traffic(
    "dates in the column of years",
    counted(lambda f: f.assign(year=[f"{y}-06-15" for y in f["year"]])),
    RIGHT,
    Refused("year"),
    Told("year", but=LESS),
)
traffic(
    "years far from the records'",
    counted(lambda f: f.assign(year=f["year"] - 30)),
    Told("max_years_apart|year", but=LESS),
)
traffic("no ids", counted(columns={"id": None}))
traffic(
    "ids rounded by a spreadsheet",
    counted(lambda f: f.assign(point=[f"{float(v) * 1e6:.0E}" for v in f["point"]])),
    RIGHT,
    Refused("id"),
    Told("several figures|id", but=LESS, wrong=LESS),
)
traffic(
    "ids of one value",
    counted(lambda f: f.assign(point=1)),
    RIGHT,
    Refused("id"),
    Told("several figures|id", but=LESS, wrong=LESS),
)
traffic(
    "both directions apart, a row each",
    counted(
        lambda f: pd.concat(
            [f.assign(aadt=f["aadt"] // 2, way="N"), f.assign(aadt=f["aadt"] - f["aadt"] // 2, way="S")]
        )
    ),
    Refused("several figures|direction"),
    Told("several figures|direction|repeats a row", but=LESS, wrong=LESS),
)
traffic(
    "a row an hour of the day",
    counted(lambda f: pd.concat([f.assign(aadt=f["aadt"] // 24 + h) for h in range(24)])),
    Refused("several figures"),
    Told("several figures", but=LESS, wrong=LESS),
)
traffic(
    "one figure negative",
    counted(lambda f: f.assign(aadt=f["aadt"].where(f["point"] != 501, -1))),
    Told("negative", but=LESS),
)
traffic(
    "one figure empty",
    counted(lambda f: f.assign(aadt=f["aadt"].where(f["point"] != 501))),
    Told("no number", but=LESS),
)
traffic("a column that is not there", counted(columns={"aadt": "DTV"}), Refused("DTV"))
traffic(
    "points in a GeoPackage",
    counted(columns={"x": None, "y": None}, name="counts.gpkg", write=points("GPKG")),
    RIGHT,
    Refused(r"columns\.(x|y)|x: |y: "),
)
traffic(
    "of another town",
    counted(lambda f: f.assign(lon=f["lon"] + 1)),
    Refused("far|exposure"),
    Told("farther|far", but=LESS),
)
traffic("road names in capitals", counted(lambda f: f.assign(road=f["road"].str.upper())))
traffic(
    "road names in two pieces of accents", counted(lambda f: f.assign(road=f["road"].str.normalize("NFD")))
)
traffic(
    "figures in thousands",
    counted(lambda f: f.assign(aadt=f["aadt"] / 1000)),
    Told("small|vehicles a day|few", wrong=LESS),
    Refused("aadt"),
)
traffic(
    "the total line at the end",
    counted(
        lambda f: pd.concat([f.astype(object), pd.DataFrame([{"road": "Total", "aadt": f["aadt"].sum()}])])
    ),
    RIGHT,
    Told("no coordinates|total"),
)
OF_ROADS = "traffic of roads"
traffic("of roads, as text", of_roads(str), like=OF_ROADS)
traffic(
    "of roads, commas for thousands",
    of_roads(lambda v: f"{v:,}"),
    RIGHT,
    Refused("dtv|number"),
    Told("no number|number", but=LESS),
    like=OF_ROADS,
)
traffic(
    "of roads, points for thousands",
    of_roads(lambda v: f"{v:,}".replace(",", ".")),
    RIGHT,
    Refused("dtv|number"),
    Told("small|dtv|decimal", wrong=LESS),
    like=OF_ROADS,
)
traffic(
    "of roads, with a decimal comma",
    of_roads(lambda v: f"{v},0"),
    RIGHT,
    Refused("dtv|number"),
    Told("no number|number", but=LESS),
    like=OF_ROADS,
)
traffic(
    "of roads, a column that is not there", of_roads(lambda v: v, column="DTV"), Refused("DTV"), like=OF_ROADS
)
traffic(
    "of roads, -1 for none",
    of_roads(lambda v: v if v != 1500 else -1),
    Told("negative", but=LESS),
    like=OF_ROADS,
)
traffic(
    "of roads, 0 for none", of_roads(lambda v: v if v != 1500 else 0), Told("zero", but=LESS), like=OF_ROADS
)
traffic(
    "of roads, in osmnx's lists",
    of_roads(lambda v: f"['{v}', '{v + 50}']"),
    Told("number|list", but=LESS, wrong=LESS),
    Refused("dtv|list"),
    like=OF_ROADS,
)


def dft(change: Change | None = None, **options: object) -> Make:
    """Make a city with counts as the Department for Transport publishes them."""

    def make(town: SmallTown, folder: Path) -> dict[str, object]:
        frame = counts(town)
        frame = frame.assign(road=frame["road"]).rename(
            columns={
                "point": "count_point_id",
                "road": "road_name",
                "aadt": "all_motor_vehicles",
                "lon": "longitude",
                "lat": "latitude",
            }
        )
        frame = frame if change is None else change(frame)
        csv(**options)(frame, folder / "aadf.csv")
        return town.config(exposure={"sources": ["aadf.csv"]})

    return make


RIGHT_FORMS["the DfT's counts"] = dft()
DFT = "the DfT's counts"
traffic("the DfT's, as published", dft(), like=DFT)
traffic("the DfT's, in capitals", dft(lambda f: f.rename(columns=str.capitalize)), like=DFT)
traffic(
    "the DfT's, by direction of travel",
    dft(
        lambda f: pd.concat(
            [
                f.assign(all_motor_vehicles=f["all_motor_vehicles"] // 2, direction_of_travel="N"),
                f.assign(
                    all_motor_vehicles=f["all_motor_vehicles"] - f["all_motor_vehicles"] // 2,
                    direction_of_travel="S",
                ),
            ]
        )
    ),
    like=DFT,
)
traffic(
    "the DfT's raw counts by hour",
    dft(
        lambda f: pd.concat(
            [f.assign(hour=h, all_motor_vehicles=f["all_motor_vehicles"] // 24 + h) for h in range(7, 19)]
        )
    ),
    Refused("raw|hour|several figures"),
    Told("several figures|hour", but=LESS, wrong=LESS),
    like=DFT,
)
traffic(
    "the DfT's, thousands separators",
    dft(lambda f: f.assign(all_motor_vehicles=[f"{v:,}" for v in f["all_motor_vehicles"]])),
    RIGHT,
    Refused("all_motor_vehicles|number"),
    Told("no number", but=LESS),
    like=DFT,
)
