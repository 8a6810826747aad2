"""Workbooks and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from forms import RIGHT, Refused, Told, add
from making import Write, records, workbook

BY_POINT: dict[str, object] = {"x": None, "y": None}


def book(*sheets: str, before: tuple[str, ...] = (), dates: bool = False) -> Write:
    """Write a workbook, its rows parted among sheets; what is called a note holds one."""

    def write(frame: pd.DataFrame, path: Path) -> None:
        frame = frame.assign(id=frame["id"].astype("int64").astype(object))
        if dates:
            from inputs.dates import serial

            frame["date"] = [serial(moment) for moment in pd.to_datetime(frame["date"])]
        notes = pd.DataFrame({"Notes": ["Crashes of Smalltown", "made by the police"]})
        tables = [name for name in sheets if "note" not in name.casefold()]
        parts = {name: frame.iloc[i :: len(tables)] for i, name in enumerate(tables)}
        workbook({name: parts.get(name, notes) for name in sheets}, path, before=before)

    return write


def ods(frame: pd.DataFrame, path: Path) -> None:
    import pyogrio

    pyogrio.write_dataframe(frame, path, driver="ODS")


def _esri(frame: pd.DataFrame, path: Path, *, exceeded: bool = False) -> None:
    kinds = {"int64": "esriFieldTypeInteger", "float64": "esriFieldTypeDouble"}
    fields = [
        {"name": c, "type": kinds.get(str(frame[c].dtype), "esriFieldTypeString"), "alias": c} for c in frame
    ]
    rows = frame.to_dict("records")
    path.write_text(
        json.dumps(
            {
                "geometryType": "esriGeometryPoint",
                "spatialReference": {"wkid": 4326},
                "fields": fields,
                "features": [
                    {"attributes": row, "geometry": {"x": row["lon"], "y": row["lat"]}} for row in rows
                ],
                "exceededTransferLimit": exceeded,
            },
            default=str,
        )
    )


KIND = "workbooks"


add(KIND, "one sheet", records(name="crashes.xlsx", write=book("2019-2023")))
add(
    KIND,
    "one sheet, dates as its serials",
    records(name="crashes.xlsx", write=book("2019-2023", dates=True)),
    RIGHT,
    Refused("date_format"),
)
add(KIND, "two sheets of records", records(name="crashes.xlsx", write=book("2019", "2020")), Refused("2020"))
add(
    KIND,
    "two sheets, both named",
    records(name="crashes.xlsx", write=book("2019", "2020"), sheet=["2019", "2020"]),
)
add(
    KIND,
    "two sheets, named as numbers",
    records(name="crashes.xlsx", write=book("2019", "2020"), sheet=[2019, 2020]),
)
add(
    KIND,
    "a sheet of notes first",
    records(name="crashes.xlsx", write=book("Notes", "Crashes")),
    RIGHT,
    Refused("Crashes"),
)
add(
    KIND,
    "a sheet of notes first, the other named",
    records(name="crashes.xlsx", write=book("Notes", "Crashes"), sheet="Crashes"),
)
add(
    KIND,
    "a sheet that is not there",
    records(name="crashes.xlsx", write=book("Notes", "Crashes"), sheet="Crash"),
    Refused("Crashes"),
)
add(
    KIND,
    "a title above the header",
    records(name="crashes.xlsx", write=book("Crashes", before=("Crashes of Smalltown", ""))),
    RIGHT,
    Refused("skip_lines|column"),
)
add(
    KIND,
    "a title above the header, skip_lines",
    records(
        columns={"skip_lines": 2},
        name="crashes.xlsx",
        write=book("Crashes", before=("Crashes of Smalltown", "")),
    ),
)
add(KIND, "ODS", records(name="crashes.ods", write=ods))
add(
    KIND,
    "ODS, lon and lat as text with commas",
    records(
        lambda f: f.assign(
            lon=f["lon"].astype(str).str.replace(".", ","), lat=f["lat"].astype(str).str.replace(".", ",")
        ),
        name="crashes.ods",
        write=ods,
    ),
    RIGHT,
    Refused("decimal"),
)
add(
    KIND, "xlsx called .csv", records(write=book("Crashes")), RIGHT, Refused("xlsx|workbook|zip|CSV|encoding")
)
add(KIND, "csv called .xlsx", records(name="crashes.xlsx"), RIGHT, Refused("xlsx|read"))

KIND = "JSON"
add(KIND, "a list of records", records(name="crash.json", write=lambda f, p: f.to_json(p, orient="records")))
add(
    KIND,
    "a line a record",
    records(name="crash.jsonl", write=lambda f, p: f.to_json(p, orient="records", lines=True)),
)
add(
    KIND,
    "a line a record, called .json",
    records(name="crash.json", write=lambda f, p: f.to_json(p, orient="records", lines=True)),
    RIGHT,
    Refused("read|column|JSON"),
)
add(
    KIND,
    "records below a key",
    records(name="crash.json", write=lambda f, p: p.write_text(json.dumps({"data": f.to_dict("records")}))),
    RIGHT,
    Refused("read|column|data"),
)
add(
    KIND,
    "columns (pandas' own)",
    records(name="crash.json", write=lambda f, p: f.to_json(p)),
    RIGHT,
    Refused("read|column|records"),
)
add(
    KIND,
    "Socrata's records, the place in one",
    records(
        lambda f: f.assign(
            location=[
                {"latitude": str(a), "longitude": str(b)} for a, b in zip(f["lat"], f["lon"], strict=True)
            ]
        ).drop(columns=["lat", "lon"]),
        {"x": "location.longitude", "y": "location.latitude"},
        name="crash.json",
        write=lambda f, p: f.to_json(p, orient="records"),
    ),
    RIGHT,
    Refused("location"),
)
add(
    KIND,
    "ArcGIS's features",
    records(columns=BY_POINT, name="crash.json", write=_esri),
    RIGHT,
    Refused("read|column|epoch|date"),
)
add(
    KIND,
    "ArcGIS's features, the server's limit of rows reached",
    records(columns=BY_POINT, name="crash.json", write=lambda f, p: _esri(f.iloc[:100], p, exceeded=True)),
    Refused("exceeded|limit|more rows"),
    Told("exceeded|limit|more rows", but=("collisions", "period", "years", "severities")),
)
