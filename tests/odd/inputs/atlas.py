"""Germany's atlas of collisions, through a mapping."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from forms import RIGHT, Make, Refused, Told, add
from small_town import SmallTown

from inputs.stats19 import SEVERITY


def atlas(frame: pd.DataFrame) -> pd.DataFrame:
    """Lay out as Germany's Unfallatlas does."""
    when = pd.to_datetime(frame["date"])
    comma = lambda v: f"{v:.9f}".replace(".", ",")  # noqa: E731 - said once
    return pd.DataFrame(
        {
            "OBJECTID": when.dt.year.groupby(when.dt.year).cumcount() + 1,
            "UJAHR": when.dt.year,
            "UMONAT": when.dt.strftime("%m"),
            "USTUNDE": when.dt.strftime("%H"),
            "UKATEGORIE": frame["severity"].map(SEVERITY),
            "IstRad": frame["cyclist"],
            "IstPKW": frame["car_occupant"],
            "IstFuss": frame["pedestrian"],
            "IstKrad": frame["motorcyclist"],
            "LINREFX": [f"{v:.1f}".replace(".", ",") for v in frame["easting"]],
            "LINREFY": [f"{v:.1f}".replace(".", ",") for v in frame["northing"]],
            "XGCSWGS84": [comma(v) for v in frame["lon"]],
            "YGCSWGS84": [comma(v) for v in frame["lat"]],
        }
    )


def german(columns: dict[str, object] | None = None, *, source: str = "Unfallorte.csv") -> Make:
    def make(town: SmallTown, folder: Path) -> dict[str, object]:
        table = atlas(town.collisions)
        if "*" in source:
            for year, part in table.groupby("UJAHR"):
                part.to_csv(folder / f"Unfallorte{year}_LinRef.csv", sep=";", index=False)
        else:
            table.to_csv(folder / source, sep=";", index=False)
        mapped = {key: column for key, column in (ATLAS | (columns or {})).items() if column is not None}
        section = {"sources": [source], "schema": "columns", "columns": mapped, "severity_scheme": "german"}
        return town.config(collisions=section)

    return make


KIND = "layouts"

ATLAS = {
    "id": ["UJAHR", "OBJECTID"],
    "year": "UJAHR",
    "month": "UMONAT",
    "x": "XGCSWGS84",
    "y": "YGCSWGS84",
    "decimal": ",",
    "severity": "UKATEGORIE",
    "pedestrian": "IstFuss",
    "cyclist": "IstRad",
    "motorcyclist": "IstKrad",
    "car_occupant": "IstPKW",
}

GERMAN = {"like": "no names", "place": "germany", "lacks": ("id", "day", "period", "years", "n_casualties")}

ASKED = Refused(r"columns\.id|repeated_ids")

add(KIND, "Unfallatlas", german(), **GERMAN)

add(KIND, "Unfallatlas, a file a year", german(source="Unfallorte*_LinRef.csv"), **GERMAN)

add(
    KIND,
    "Unfallatlas, a file a year, OBJECTID alone",
    german({"id": "OBJECTID"}, source="Unfallorte*_LinRef.csv"),
    RIGHT,
    ASKED,
    **GERMAN,
)

add(KIND, "Unfallatlas, OBJECTID alone", german({"id": "OBJECTID"}), RIGHT, ASKED, **GERMAN)

add(KIND, "Unfallatlas, no id", german({"id": None}), **GERMAN)

add(KIND, "Unfallatlas, no month", german({"month": None}), **GERMAN)

add(
    KIND,
    "Unfallatlas, the hour as the day",
    german({"day": "USTUNDE"}),
    RIGHT,
    Refused("day"),
    Told("day", wrong=("day", "period")),
    **GERMAN,
)

add(
    KIND,
    "Unfallatlas, metres of UTM",
    german({"x": "LINREFX", "y": "LINREFY", "crs": "EPSG:25832"}),
    **GERMAN,
)

add(
    KIND,
    "Unfallatlas, metres of UTM, crs not named",
    german({"x": "LINREFX", "y": "LINREFY"}),
    Refused("crs"),
    **GERMAN,
)

add(KIND, "Unfallatlas, decimal not named", german({"decimal": None}), RIGHT, Refused("decimal"), **GERMAN)
